// Instructions for values of graph nodes: subscripts, loads, guards, elementwise functions, each computed once a scope.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "codegen/loops.hpp"
#include "symbolic/graph.hpp"

namespace gradus::planning {

using loops::BufferId;
using loops::Op;
using loops::Register;
using loops::Type;

constexpr Label no_label = UINT32_MAX;

/// An integer that may differ from lane to lane: base + lane × step, or anything (`vector`).
struct Coordinate {
  Register base;    // integer
  Register step;    // integer; invalid where all lanes agree
  Register vector;  // integers; when valid, the others are not used
  bool uniform() const { return !step.valid() && !vector.valid(); }
};
using Coordinates = std::vector<Coordinate>;

/// Where the elements of a node are: a buffer, and how far apart neighbours along each axis are.
struct Place {
  BufferId buffer;
  std::vector<Size> strides;
  bool integer = false;
  bool truth = false;                  // 0 or 1 of a condition
  std::uint32_t tile_axis = no_label;  // this axis counts from the first row of the tile
  bool valid() const { return buffer.valid(); }
};
using Places = std::unordered_map<std::uint32_t, Place>;

/// Writes instructions of one phase. Pure results are remembered and used again within the scope (loop, branch) in
/// which they were computed.
class Emitter {
 public:
  Emitter(Graph& graph, const Places& places, loops::Phase& phase) : graph_(graph), places_(places), builder_(phase) {}

  Graph& graph() { return graph_; }
  loops::Builder& builder() { return builder_; }
  bool is_vector(Register r) const { return loops::is_vector(builder_.type(r)); }

  // Integers; scalars widen where the other operand has lanes.
  Register integer(std::int64_t value);
  Register size(Size value);
  Register integer_op(Op op, Register a, Register b);
  Register add(Register a, Register b) { return integer_op(Op::integer_add, a, b); }
  Register subtract(Register a, Register b) { return integer_op(Op::integer_subtract, a, b); }
  Register multiply(Register a, Register b) { return integer_op(Op::integer_multiply, a, b); }
  Register minimum(Register a, Register b) { return integer_op(Op::integer_min, a, b); }
  Register maximum(Register a, Register b) { return integer_op(Op::integer_max, a, b); }
  Register divide(Register a, Register b) { return integer_op(Op::integer_divide, a, b); }
  /// a < b, a <= b, a == b of integers.
  Register compare(Op op, Register a, Register b);
  std::optional<std::int64_t> known(Register r) const;

  // Numbers and truth values.
  Register number(double value);
  Register pure(Op op, Type type, Register a = {}, Register b = {}, Register c = {});
  /// An operation of numbers whose operands may be truth values or scalars beside vectors.
  Register number_op(Op op, Register a, Register b = {}, Register c = {});
  Register to_number(Register r);
  Register to_truth(Register r);
  Register truth_and(Register a, Register b);  // either may be invalid: true
  Register truth_not(Register a) { return pure(Op::truth_not, builder_.type(a), a); }
  Register select(Register condition, Register a, Register b);
  Register widen(Register r);
  /// An elementwise function of numbers or truth values (functions.cpp).
  Register apply(Function f, const std::vector<Register>& x);
  Register power(Register x, const Rational& exponent);

  // Coordinates.
  Coordinate scalar(Register r) { return {r, {}, {}}; }
  Coordinate lanes_from(Register r) { return {r, integer(1), {}}; }
  Coordinate add(const Coordinate& a, const Coordinate& b);
  Coordinate scale(const Coordinate& a, Size factor);
  Register to_register(const Coordinate& c);  // integer or integers
  Coordinate subscript(const Subscript& s, const Coordinates& labels, const std::vector<Size>& sizes);
  /// The element index of a place, plus `offset` where it is valid.
  Coordinate address(const Place& place, const Coordinates& at, Register offset = {});

  // Values of nodes.
  /// Element `at` of a node, loaded where it has a place and computed otherwise; number(s) or truth(s).
  Register value(Expr e, const Coordinates& at);
  /// The same, never loaded.
  Register compute(Expr e, const Coordinates& at);
  /// An operand of a node whose labels are at `labels`.
  Register operand(const Node& n, const Operand& o, const Coordinates& labels);
  /// Whether all guards hold (those flagged in `skip` apart); invalid when there are none.
  Register guards(const Node& n, const Coordinates& labels, const std::vector<char>& skip = {});
  Register guard(const Node& n, const Guard& g, const Coordinates& labels);
  /// A product over some operands of a contraction, with negative powers as divisions, times a coefficient.
  Register product(const Node& n, const std::vector<std::size_t>& which, const Rational& coefficient,
                   const Coordinates& labels);
  /// A factor without its division: `divide` says that it stands in the denominator.
  struct Factor {
    Register value;
    bool divide = false;
  };
  Factor factor(const Node& n, const Operand& o, const Coordinates& labels);
  /// Says what a node's element is, so that `value` need not compute it in this scope.
  void define(Expr e, const Coordinates& at, Register value);

  Register load(const Place& place, const Coordinates& at, Register offset = {});
  /// Stores a number; lanes that are off are not touched.
  void store(const Place& place, const Coordinates& at, Register value, Register offset = {}, Register mask = {});

  // Scopes.
  template <class F>
  void loop(Register begin, Register end, std::int64_t step, F&& body) {
    builder_.loop(begin, end, step, [&](Register v) {
      const Scope scope(*this);
      body(v);
    });
  }
  template <class F>
  void branch(Register condition, F&& then) {
    builder_.branch(condition, [&] {
      const Scope scope(*this);
      then();
    });
  }
  /// Lanes from `first` on that lie before `end` are on while `body` runs.
  template <class F>
  void masked(Register first, Register end, F&& body) {
    const Register before = lane_mask_;
    lane_mask_ = lanes_before(first, end);
    body();
    lane_mask_ = before;
  }
  Register lane_mask() const { return lane_mask_; }
  void set_lane_mask(Register mask) { lane_mask_ = mask; }
  /// Which of the 8 integers from `first` on lie before `end`.
  Register lanes_before(Register first, Register end) {
    return compare(Op::integer_less, to_register(lanes_from(first)), end);
  }
  /// First row of the tile.
  Register tile_base;
  /// Number of instructions written so far, roughly: what the length of a phase is measured by.
  std::size_t written() const { return written_; }

 private:
  using Key = std::vector<std::uint32_t>;
  struct KeyHash {
    std::size_t operator()(const Key& k) const {
      std::size_t h = 0xcbf29ce484222325ull;
      for (const std::uint32_t x : k) h = (h ^ x) * 0x100000001b3ull ^ (h >> 31);
      return h;
    }
  };
  struct Scope {
    explicit Scope(Emitter& e) : emitter(e), mark(e.known_keys_.size()) {}
    ~Scope() { emitter.forget(mark); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    Emitter& emitter;
    std::size_t mark;
  };

  void forget(std::size_t mark);
  Register find(const Key& key) const;
  Register remember(Key key, Register r);
  void append(Key& key, const Coordinate& c) const;
  Key value_key(Expr e, const Coordinates& at) const;
  Register integer_value(Expr e, const Coordinates& at);
  Register load_raw(const Place& place, const Coordinates& at, Register offset = {});
  Register load_if_safe(const Place& place, Register index, Type type);
  Register weighted_sum(const Node& n, const Coordinates& at);
  Register elementwise(const Node& n, const Coordinates& at);
  Register reshaped(const Node& n, const Coordinates& at);
  Register times(const Rational& coefficient, Register r);
  template <class F>
  auto inside(const Node& n, const Operand& o, const Coordinates& labels, F&& read);

  Graph& graph_;
  const Places& places_;
  loops::Builder builder_;
  std::unordered_map<Key, Register, KeyHash> memory_;
  std::vector<Key> known_keys_;                                // in order of entry: what a scope forgets when it ends
  std::unordered_map<std::uint32_t, std::int64_t> constants_;  // registers of known value
  Register lane_mask_;  // lanes of the current loop that are on; at least one is. Invalid: all
  Register safe_;       // where the element being read exists; invalid: certain
  std::size_t written_ = 0;
};

}  // namespace gradus::planning
