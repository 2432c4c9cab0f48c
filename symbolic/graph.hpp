// The tensor graph: an immutable, hash-consed DAG of tensor values in one arena that a compilation owns.
//
// Notation used everywhere: a node has labels l0 … l(m-1), each with a size; the first `rank` are its axes (output
// labels), the rest are bound: the node sums or reduces over them. An operand is an expression with one subscript an
// axis, affine in the labels of the node that holds it. Transposes, broadcasts, diagonals, slices, windows, shifts and
// gathers are subscripts on an edge, never nodes.
//
// Reading outside an axis yields NaN (code generation reads a safe address): legal only where a guard or a `where`
// does not choose the value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "frontend/rational.hpp"
#include "symbolic/function.hpp"
#include "symbolic/size.hpp"

namespace gradus {

/// A handle to a node. Children are interned before parents: a node depends on smaller ids only.
struct Expr {
  std::uint32_t id = UINT32_MAX;
  bool valid() const { return id != UINT32_MAX; }
  friend constexpr auto operator<=>(Expr, Expr) = default;
};

/// A position in a node's label list.
using Label = std::uint32_t;

struct Subscript;

/// coefficient × data[subscripts], where `data` is integer-valued (index data or arithmetic on it).
struct DataTerm {
  Size coefficient;
  Expr data;
  std::vector<Subscript> subscripts;
  friend bool operator==(const DataTerm&, const DataTerm&);
};

struct LabelTerm {
  Label label = 0;
  Size coefficient;
  friend bool operator==(LabelTerm, LabelTerm) = default;
};

/// offset + Σ coefficient × label + Σ coefficient × data[…]. Label terms are sorted by label, without zero
/// coefficients.
struct Subscript {
  Size offset;
  std::vector<LabelTerm> labels;
  std::vector<DataTerm> data;
  friend bool operator==(const Subscript&, const Subscript&);

  /// Whether it depends on no label and no data.
  bool is_constant() const { return labels.empty() && data.empty(); }
};

/// An expression read at subscripts: one subscript an axis of `expr`.
struct Operand {
  Expr expr;
  std::vector<Subscript> subscripts;
  friend bool operator==(const Operand&, const Operand&) = default;
};

/// What is known of the values of an input: nothing, >= 0, > 0.
enum class InputSign : std::uint8_t { unknown, nonnegative, positive };

/// A predicate that selects: where it is false the neutral element enters and nothing else counts.
struct Guard {
  enum class Kind : std::uint8_t {
    nonnegative,  // affine >= 0
    zero,         // affine == 0
    nonzero,      // affine != 0
    condition,    // a truth-valued operand
  };
  Kind kind = Kind::nonnegative;
  Subscript affine;   // the first three kinds
  Operand condition;  // the last kind
  friend bool operator==(const Guard&, const Guard&) = default;
};

enum class Kind : std::uint8_t {
  input,        // a declared value; `payload` is its number in the Model
  constant,     // an exact rational: `coefficients[0]`; rank 0
  index,        // the affine form `affine` of its labels as a number (an index name, a size); no operands
  elementwise,  // function(operands…) at each element; no bound labels. `select` evaluates only the chosen operand
  sum,          // Σ coefficients[i] × operands[i]; no bound labels
  contraction,  // Σ over bound labels, where all guards hold, of coefficients[0] × Π operands[i]. Empty sum: 0
  reduce,       // `reduction` of operands[0] over bound labels where the guards hold
  softmax,      // a projection of the softmax reduction, see SoftmaxKind
  reshape,      // operands[0] (all axes, row-major) seen with other axis sizes
  order,        // which element of operands[0] along the one bound label is where in ascending order: the last axis is
                // the place, the value a position. Stable; NaN after numbers; where a guard fails: after everything
  given,        // operands[0], whose differential the user gave: Σ operands[2k+2] · d operands[2k+1], summed over the
                // bound labels too, and d operands[0] where `payload` is 1. Only until derivatives are taken
};

enum class Reduction : std::uint8_t {
  maximum,  // NaN propagates; of nothing: an error when evaluated (the value is NaN)
  minimum,
  product,  // of nothing: 1
  any,      // of conditions; of nothing: 0
  all,      // of nothing: 1
  argmax,   // position (as a number) of the first largest along the one bound label
  argmin,
  norm,          // sqrt(Σ x²) without overflow or underflow; derivative 0 at 0; of nothing: 0
  exponentials,  // v·Σ w·exp(x - y), however far apart x are; operands = {w, x, y, v}. Only the planner makes it
};

/// Whether a reduction yields a position, not a value.
constexpr bool is_position(Reduction r) { return r == Reduction::argmax || r == Reduction::argmin; }

/// With m = max x and s = Σ exp(x - m) over the bound labels where the guards hold:
enum class SoftmaxKind : std::uint8_t {
  logsumexp,    // m + log(s). operands = {x}; of nothing, or of nothing but -inf: -inf
  softmax,      // exp(e - m)/s, 0 where m is -inf. operands = {e: x at the element (axes), x: under the bound labels}
  log_softmax,  // (e - m) - log(s). operands as for softmax
};

/// One node. `labels.size() >= rank`; which other members are used is said beside each Kind.
struct Node {
  Kind kind = Kind::constant;
  Function function = Function::pi;              // elementwise
  Reduction reduction = Reduction::maximum;      // reduce
  SoftmaxKind softmax = SoftmaxKind::logsumexp;  // softmax
  std::uint32_t rank = 0;
  std::uint32_t payload = 0;  // input, given
  std::vector<Size> labels;
  std::vector<Operand> operands;
  std::vector<Guard> guards;
  std::vector<Rational> coefficients;
  Subscript affine;  // index
  friend bool operator==(const Node&, const Node&) = default;
};

/// A term of a sum.
struct Term {
  Rational coefficient = 1;
  Operand operand;
};

/// The arena. All constructors return an existing node when an equal one is there, and canonicalise locally: they fold
/// exact constants and identities (0·x, 1·x, x + 0, x^1), drop unused bound labels (multiplying by their size), order
/// commutative operands, hoist the guards of guarded factors, and substitute equality guards that can be solved for a
/// bound label. A missed merge is allowed, a wrong one never.
class Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  Graph(Graph&&) = default;
  Graph& operator=(Graph&&) = default;

  Sizes& sizes() { return sizes_; }
  const Sizes& sizes() const { return sizes_; }
  /// References stay valid while nodes are added.
  const Node& operator[](Expr e) const { return nodes_[e.id]; }
  std::size_t node_count() const { return nodes_.size(); }
  std::uint32_t rank(Expr e) const { return nodes_[e.id].rank; }
  /// The size of an axis.
  Size axis(Expr e, std::uint32_t k) const { return nodes_[e.id].labels[k]; }
  /// The sizes of all axes.
  std::vector<Size> shape(Expr e) const;

  // Leaves.
  Expr input(std::uint32_t number, std::vector<Size> shape);
  Expr constant(const Rational& value);
  /// A size as a number.
  Expr size_value(Size size);
  /// An affine form of labels as a number.
  Expr index(std::vector<Size> labels, Subscript affine);
  /// A function without operands: pi, infinity, not_a_number.
  Expr named_constant(Function f);

  // Inner nodes. `labels` are the axes unless `rank` says how many of them are.
  Expr elementwise(Function f, std::vector<Size> labels, std::vector<Operand> operands);
  Expr sum(std::vector<Size> labels, std::vector<Term> terms);
  Expr contraction(std::vector<Size> labels, std::uint32_t rank, Rational coefficient, std::vector<Operand> operands,
                   std::vector<Guard> guards = {});
  Expr reduce(Reduction reduction, std::vector<Size> labels, std::uint32_t rank, Operand operand,
              std::vector<Guard> guards = {});
  Expr softmax(SoftmaxKind kind, std::vector<Size> labels, std::uint32_t rank, std::vector<Operand> operands,
               std::vector<Guard> guards = {});
  Expr reshape(std::vector<Size> shape, Expr operand);
  /// Positions in ascending order, as index data; the last two labels are the place (an axis) and the bound label.
  Expr order(std::vector<Size> labels, Operand operand, std::vector<Guard> guards = {});
  /// A value with a differential of its own; `operands` as said beside Kind::given.
  Expr given(bool own_differential, std::vector<Size> labels, std::uint32_t rank, std::vector<Operand> operands);
  /// A value that counts as a constant in derivatives.
  Expr stopped(Expr value) { return given(false, shape(value), rank(value), {whole(value)}); }
  /// The operand as a value of its own with these axes (a transpose, slice, broadcast, …); the operand's expression
  /// itself when the subscripts are the identity.
  Expr view(std::vector<Size> labels, Operand operand);
  /// A node as it is, without canonicalising (for passes that rebuild); it must be legal.
  Expr intern(Node node);
  /// The same node with other operands, guards and subscripts' data, through the canonicalising constructors.
  Expr rebuild(const Node& node);

  // Shorthands for values of equal axes (identity subscripts; a rank-0 operand broadcasts).
  Expr add(Expr a, Expr b);
  Expr subtract(Expr a, Expr b);
  Expr multiply(Expr a, Expr b);
  Expr divide(Expr a, Expr b);
  Expr scale(Expr a, const Rational& factor);
  Expr apply(Function f, const std::vector<Expr>& operands);
  Expr power(Expr a, const Rational& exponent);

  // Facts.
  bool is_constant(Expr e) const { return nodes_[e.id].kind == Kind::constant; }
  bool is_constant(Expr e, const Rational& value) const;
  /// The rational when the node is a constant, else null.
  const Rational* constant_value(Expr e) const;
  bool is_zero(Expr e) const { return is_constant(e, 0); }
  /// Whether the value is a truth value (0 or 1).
  bool is_condition(Expr e) const;
  /// Registers what the user says of the values of an input (`: positive`).
  void set_sign(Expr input, InputSign sign) { input_signs_[input.id] = sign; }
  InputSign input_sign(Expr input) const;
  /// Registers that an input holds integers 0 <= c < bound (index data); used to prove subscripts inside.
  void set_index_bound(Expr input, Size bound) { index_bounds_[input.id] = bound; }
  /// Registers that an input is symmetric in its last two axes: A[j, i] is read as A[i, j].
  void set_symmetric(Expr input) { symmetric_.insert(input.id); }
  bool is_symmetric(Expr e) const { return symmetric_.contains(e.id); }
  /// The bound of index data, or nothing.
  std::optional<Size> index_bound(Expr e) const;

  // Subscripts.
  Subscript label(Label l);
  Subscript offset(Size s) const { return Subscript{s, {}, {}}; }
  std::vector<Subscript> identity(std::uint32_t rank, Label first = 0);
  /// An expression read at its own axes by the labels first, first+1, …
  Operand whole(Expr e, Label first = 0) { return {e, identity(rank(e), first)}; }
  /// The bare label that a subscript is, or nothing.
  std::optional<Label> as_label(const Subscript& s) const;
  /// Whether the operand's subscripts are the labels 0, 1, … of a node with exactly the expression's axes.
  bool is_identity(const Operand& operand, const std::vector<Size>& labels, std::uint32_t rank) const;
  Subscript add(const Subscript& a, const Subscript& b);
  Subscript subtract(const Subscript& a, const Subscript& b);
  Subscript scale(const Subscript& a, Size factor);
  /// Replaces each label l by `map[l]` (an affine form of another node's labels): composition of subscripts.
  Subscript substitute(const Subscript& s, const std::vector<Subscript>& map);
  Operand substitute(const Operand& operand, const std::vector<Subscript>& map);
  Guard substitute(const Guard& guard, const std::vector<Subscript>& map);
  /// The smallest and largest value over all labels (label l runs over 0..labels[l]); nothing when a sign is unknown.
  struct Range {
    Size low, high;
  };
  std::optional<Range> range(const Subscript& s, const std::vector<Size>& labels);
  /// Whether 0 <= s < size is certain (where the labels' ranges are not empty).
  bool certainly_inside(const Subscript& s, const std::vector<Size>& labels, Size size);

  /// Calls `visit(label)` for each label occurrence, data terms included.
  template <class Visit>
  static void each_label(const Subscript& s, Visit&& visit) {
    for (const auto& t : s.labels) visit(t.label);
    for (const auto& d : s.data)
      for (const auto& inner : d.subscripts) each_label(inner, visit);
  }
  template <class Visit>
  static void each_label(const Operand& o, Visit&& visit) {
    for (const auto& s : o.subscripts) each_label(s, visit);
  }
  template <class Visit>
  static void each_label(const Guard& g, Visit&& visit) {
    if (g.kind == Guard::Kind::condition)
      each_label(g.condition, visit);
    else
      each_label(g.affine, visit);
  }
  /// Calls `visit(expr)` for the index data a subscript reads.
  template <class Visit>
  static void each_data(const Subscript& s, Visit&& visit) {
    for (const auto& d : s.data) {
      visit(d.data);
      for (const auto& inner : d.subscripts) each_data(inner, visit);
    }
  }
  /// Calls `visit(expr)` for each expression a node reads: operands, guard conditions, index data in subscripts.
  template <class Visit>
  void each_child(Expr e, Visit&& visit) const {
    const Node& n = nodes_[e.id];
    const auto in_operand = [&](const Operand& o) {
      visit(o.expr);
      for (const auto& s : o.subscripts) each_data(s, visit);
    };
    for (const auto& o : n.operands) in_operand(o);
    for (const auto& g : n.guards) {
      if (g.kind == Guard::Kind::condition)
        in_operand(g.condition);
      else
        each_data(g.affine, visit);
    }
    if (n.kind == Kind::index) each_data(n.affine, visit);
  }
  /// The nodes reachable from the roots, children before parents (ascending ids).
  std::vector<Expr> reachable(const std::vector<Expr>& roots) const;

 private:
  /// How `operand` is read in a shape that differs from its own by axes of size 1; nothing where more differs.
  std::optional<std::vector<Subscript>> across_unit_axes(const std::vector<Size>& shape, Expr operand);
  /// The slot of an equal node, or the free one for it.
  std::size_t slot_of(const Node& node, std::uint32_t hash) const;
  void grow_index();

  Sizes sizes_;
  std::deque<Node> nodes_;
  /// All nodes by their hash: open addressing, at most half full, in one block of memory.
  struct Slot {
    std::uint32_t hash = 0;
    Expr node;  // invalid: free
  };
  std::vector<Slot> index_;
  std::unordered_map<std::uint32_t, Size> index_bounds_;
  std::unordered_map<std::uint32_t, InputSign> input_signs_;
  std::unordered_set<std::uint32_t> symmetric_;
};

/// Says whether the nodes reachable from the roots are legal: an empty text, or what is wrong with the first one that
/// is not (ranks, label ranges, order of ids, truth values where they are needed). For tests and debug builds.
std::string verify_graph(const Graph& graph, const std::vector<Expr>& roots);

/// A node in the notation of this header, for tests and bug reports.
std::string debug_text(const Graph& graph, Expr e);

}  // namespace gradus
