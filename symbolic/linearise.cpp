// The differential of each kind of node, and which values may fail to be finite.
#include "symbolic/linearise.hpp"

#include <algorithm>

#include "symbolic/flatness.hpp"
#include "symbolic/graph_internal.hpp"
#include "symbolic/partials.hpp"

namespace gradus {
namespace {

/// Nested maxima are one tie up to this many values.
constexpr std::size_t most_tied = 8;
/// Products with more factors share partial products, so that their derivative is linear in the number of factors.
constexpr std::size_t most_listed_factors = 4;

/// Builds the terms of one node.
class Rule {
 public:
  Rule(Graph& graph, Expr node, const std::vector<char>& active)
      : graph_(graph), expr_(node), node_(graph[node]), active_(active) {}

  std::vector<LinearTerm> terms() {
    switch (node_.kind) {
      case Kind::elementwise:
        elementwise();
        break;
      case Kind::sum:
        sum();
        break;
      case Kind::contraction:
        contraction();
        break;
      case Kind::reduce:
        reduce();
        break;
      case Kind::softmax:
        softmax();
        break;
      case Kind::given:
        given();
        break;
      case Kind::order:
      case Kind::input:
      case Kind::constant:
      case Kind::index:
      case Kind::reshape:
        break;
    }
    // Read through views, so that the labels of an operand are those that it depends on.
    for (LinearTerm& t : terms_) {
      for (Operand& o : t.outer) o = detail::resolve(graph_, std::move(o));
      for (Operand& o : t.inner) o = detail::resolve(graph_, std::move(o));
      for (Guard& g : t.guards)
        if (g.kind == Guard::Kind::condition) g.condition = detail::resolve(graph_, std::move(g.condition));
    }
    return std::move(terms_);
  }

 private:
  bool is_active(const Operand& o) const { return o.expr.id < active_.size() && active_[o.expr.id] != 0; }
  Operand constant(const Rational& value) { return {graph_.constant(value), {}}; }
  Operand value() { return graph_.whole(expr_); }

  /// A function of operands over the axes, or over all labels.
  Operand over_axes(Function f, std::vector<Operand> operands) {
    return graph_.whole(graph_.elementwise(f, graph_.shape(expr_), std::move(operands)));
  }
  Operand over_labels(Function f, std::vector<Operand> operands) {
    return graph_.whole(graph_.elementwise(f, node_.labels, std::move(operands)));
  }
  static Guard where(Operand condition) { return {Guard::Kind::condition, {}, std::move(condition)}; }

  // Elementwise functions: the partials of the table.
  void elementwise() {
    if (nested_tie()) return;
    if (!std::ranges::any_of(node_.operands, [&](const Operand& o) { return is_active(o); })) return;
    const auto partials = elementwise_partials(graph_, expr_);
    for (std::size_t k = 0; k < node_.operands.size(); ++k) {
      if (!is_active(node_.operands[k])) continue;
      for (const PartialPiece& piece : partials[k]) {
        LinearTerm t{
            node_.labels, node_.operands[k], piece.coefficient, {}, piece.factors, {}, row(node_.function).total,
            false};
        if (piece.condition) t.guards.push_back(where(is_rectifier() ? positive_part() : *piece.condition));
        if (is_root_of_positive_part())
          t.guards.push_back(where(over_axes(Function::less, {constant(0), node_.operands[0]})));
        if (is_flat_root()) t.guards.push_back(where(over_axes(Function::not_equal, {value(), constant(0)})));
        t.chosen = row(node_.function).selects || is_root_of_positive_part();
        terms_.push_back(std::move(t));
      }
    }
  }

  /// 0 if x <= 0 else x: a NaN is chosen, and is the value; that its slope is chosen too says nothing.
  bool is_rectifier() const {
    if (node_.function != Function::select || !graph_.is_zero(node_.operands[1].expr)) return false;
    const Node& c = graph_[node_.operands[0].expr];
    return c.kind == Kind::elementwise && c.function == Function::less_equal && graph_.is_zero(c.operands[1].expr) &&
           graph_.substitute(c.operands[0], node_.operands[0].subscripts) == node_.operands[2];
  }
  Operand positive_part() { return over_axes(Function::less, {constant(0), node_.operands[2]}); }

  /// A square root, or a power between 0 and 1.
  bool is_root() const {
    if (node_.function != Function::power) return node_.function == Function::sqrt;
    const Rational* exponent = graph_.constant_value(node_.operands[1].expr);
    return exponent != nullptr && exponent->sign() > 0 && *exponent < Rational(1);
  }

  /// sqrt(max(d, 0)) or a power between 0 and 1 of it: at d <= 0 it contributes 0, as a norm does, though its slope is
  /// infinite at the tie.
  bool is_root_of_positive_part() const {
    if (!is_root()) return false;
    const Node& inner = graph_[node_.operands[0].expr];
    if (inner.kind != Kind::elementwise || inner.function != Function::maximum) return false;
    return graph_.is_zero(inner.operands[0].expr) || graph_.is_zero(inner.operands[1].expr);
  }

  /// The root of something that has its least value 0 where it vanishes, as sqrt(x @ A @ x): at 0 it contributes 0, as
  /// a norm does.
  bool is_flat_root() const {
    const Flatness flat(graph_, active_);
    if (is_root()) return flat.holds(node_.operands[0].expr);
    return node_.function == Function::sqrt_square_plus && is_active(node_.operands[1]) &&
           flat.holds(node_.operands[1].expr);
  }

  /// max(a, max(b, c)) is one tie of three values: each that equals the maximum has an equal share.
  bool nested_tie() {
    if (node_.function != Function::maximum && node_.function != Function::minimum) return false;
    std::vector<Operand> leaves = node_.operands;
    bool nested = false;
    for (std::size_t k = 0; k < leaves.size() && leaves.size() < most_tied;) {
      const Node& inner = graph_[leaves[k].expr];
      if (inner.kind != Kind::elementwise || inner.function != node_.function) {
        ++k;
        continue;
      }
      nested = true;
      const std::vector<Subscript> at = leaves[k].subscripts;
      leaves[k] = graph_.substitute(inner.operands[0], at);
      leaves.push_back(graph_.substitute(inner.operands[1], at));
    }
    if (!nested) return false;
    std::vector<Term> ties;
    for (const Operand& leaf : leaves) ties.push_back({1, over_axes(Function::equal, {leaf, value()})});
    const Operand count = graph_.whole(graph_.sum(node_.labels, ties));
    const Operand share = over_axes(Function::power, {count, constant(-1)});
    for (std::size_t k = 0; k < leaves.size(); ++k)
      if (is_active(leaves[k]))
        terms_.push_back({node_.labels, leaves[k], 1, {}, {share}, {where(ties[k].operand)}, true, true});
    return true;
  }

  void sum() {
    for (std::size_t k = 0; k < node_.operands.size(); ++k)
      if (is_active(node_.operands[k]))
        terms_.push_back({node_.labels, node_.operands[k], node_.coefficients[k], {}, {}, {}, true, false});
  }

  // Products: the others remain.
  void contraction() {
    const std::size_t count = node_.operands.size();
    const bool share = count > most_listed_factors;
    std::vector<Operand> before, after;  // products of the factors before and after each one
    if (share) {
      before = running_products(node_.operands);
      after = running_products({node_.operands.rbegin(), node_.operands.rend()});
    }
    for (std::size_t k = 0; k < count; ++k) {
      if (!is_active(node_.operands[k])) continue;
      LinearTerm t{node_.labels, node_.operands[k], node_.coefficients[0], {}, {}, node_.guards, false, false};
      if (share) {
        if (k > 0) t.inner.push_back(before[k - 1]);
        if (k + 1 < count) t.inner.push_back(after[count - k - 2]);
      } else {
        for (std::size_t j = 0; j < count; ++j)
          if (j != k) t.inner.push_back(node_.operands[j]);
      }
      terms_.push_back(std::move(t));
    }
  }

  std::vector<Operand> running_products(const std::vector<Operand>& factors) {
    const auto rank = static_cast<std::uint32_t>(node_.labels.size());
    std::vector<Operand> result = {factors[0]};
    for (std::size_t k = 1; k < factors.size(); ++k)
      result.push_back(graph_.whole(graph_.contraction(node_.labels, rank, 1, {result.back(), factors[k]})));
    return result;
  }

  void reduce() {
    const Operand& x = node_.operands[0];
    if (!is_active(x)) return;
    switch (node_.reduction) {
      case Reduction::maximum:
      case Reduction::minimum: {
        // All that tie share equally.
        const Operand tie = over_labels(Function::equal, {x, value()});
        std::vector<Guard> guards = node_.guards;
        guards.push_back(where(tie));
        const Operand count = graph_.whole(graph_.contraction(node_.labels, node_.rank, 1, {}, guards));
        terms_.push_back({node_.labels,
                          x,
                          1,
                          {over_axes(Function::power, {count, constant(-1)})},
                          {},
                          std::move(guards),
                          true,
                          true});
        break;
      }
      case Reduction::product:
        product(x);
        break;
      case Reduction::norm: {
        // x / norm; at 0 the derivative is 0.
        std::vector<Guard> guards = node_.guards;
        guards.push_back(where(over_axes(Function::not_equal, {value(), constant(0)})));
        terms_.push_back(
            {node_.labels, x, 1, {}, {over_labels(Function::unit, {x, value()})}, std::move(guards), true, false});
        break;
      }
      case Reduction::any:
      case Reduction::all:
      case Reduction::argmax:
      case Reduction::argmin:
      case Reduction::exponentials:
        break;
    }
  }

  /// The product of the others: product / x where x is not 0; at the only 0 the product of the others; else 0.
  void product(const Operand& x) {
    std::vector<Guard> nonzero = node_.guards, zero = node_.guards;
    nonzero.push_back(where(over_labels(Function::not_equal, {x, constant(0)})));
    zero.push_back(where(over_labels(Function::equal, {x, constant(0)})));
    const Operand zeros = graph_.whole(graph_.contraction(node_.labels, node_.rank, 1, {}, zero));
    const Operand others = graph_.whole(graph_.reduce(Reduction::product, node_.labels, node_.rank, x, nonzero));
    zero.push_back(where(over_axes(Function::equal, {zeros, constant(1)})));
    terms_.push_back({node_.labels,
                      x,
                      1,
                      {value()},
                      {over_labels(Function::power, {x, constant(-1)})},
                      std::move(nonzero),
                      false,
                      true});
    terms_.push_back({node_.labels, x, 1, {others}, {}, std::move(zero), false, true});
  }

  // With p = softmax under the bound labels: d logsumexp = Σ p dx; d softmax = p_e·(de - Σ p dx);
  // d log_softmax = de - Σ p dx.
  void softmax() {
    const Operand& under = node_.operands.back();
    const bool is_softmax = node_.softmax == SoftmaxKind::softmax;
    std::vector<Operand> outer;
    if (is_softmax) outer.push_back(value());
    if (node_.softmax != SoftmaxKind::logsumexp && is_active(node_.operands[0]))
      terms_.push_back({graph_.shape(expr_), node_.operands[0], 1, outer, {}, {}, true, false});
    if (!is_active(under)) return;
    const Rational sign = node_.softmax == SoftmaxKind::logsumexp ? 1 : -1;
    terms_.push_back({node_.labels, under, sign, std::move(outer), {probability(under)}, node_.guards, true, false});
  }

  void given() {
    if (node_.payload != 0 && is_active(node_.operands[0]))
      terms_.push_back({graph_.shape(expr_), node_.operands[0], 1, {}, {}, {}, true, false});
    for (std::size_t k = 1; k < node_.operands.size(); k += 2)
      if (is_active(node_.operands[k])) given_term(node_.operands[k], node_.operands[k + 1]);
  }

  /// Each argument sums over the labels of its own axes only.
  void given_term(const Operand& argument, const Operand& partial) {
    std::vector<char> used(node_.labels.size(), 0);
    for (const Operand* o : {&argument, &partial}) Graph::each_label(*o, [&](Label l) { used[l] = 1; });
    std::vector<Size> labels;
    std::vector<Subscript> map;
    for (Label l = 0; l < node_.labels.size(); ++l) {
      map.push_back(graph_.label(static_cast<Label>(labels.size())));
      if (l < node_.rank || used[l] != 0) labels.push_back(node_.labels[l]);
    }
    terms_.push_back({std::move(labels),
                      graph_.substitute(argument, map),
                      1,
                      {},
                      {graph_.substitute(partial, map)},
                      {},
                      false,
                      false});
  }

  /// softmax at the element under the bound labels, over the labels of this node.
  Operand probability(const Operand& under) {
    std::vector<Size> labels = node_.labels;  // the element's, then the bound ones once more
    const auto rank = static_cast<std::uint32_t>(labels.size());
    std::vector<Subscript> map = graph_.identity(node_.rank);
    for (Label l = node_.rank; l < rank; ++l) {
      map.push_back(graph_.label(static_cast<Label>(labels.size())));
      labels.push_back(node_.labels[l]);
    }
    std::vector<Guard> guards;
    for (const Guard& g : node_.guards) guards.push_back(graph_.substitute(g, map));
    return graph_.whole(graph_.softmax(SoftmaxKind::softmax, std::move(labels), rank,
                                       {under, graph_.substitute(under, map)}, std::move(guards)));
  }

  Graph& graph_;
  Expr expr_;
  const Node& node_;
  const std::vector<char>& active_;
  std::vector<LinearTerm> terms_;
};

/// Whether an elementwise node with finite operands is finite.
bool stays_finite(const Graph& graph, const Node& n) {
  if (n.function == Function::infinity || n.function == Function::not_a_number) return false;
  if (n.function != Function::power) return row(n.function).total;
  const Rational* exponent = graph.constant_value(n.operands[1].expr);
  return exponent != nullptr && exponent->is_integer() && exponent->sign() >= 0;
}

}  // namespace

std::vector<LinearTerm> differential(Graph& graph, Expr node, const std::vector<char>& active) {
  return Rule(graph, node, active).terms();
}

bool is_differentiable(const Node& node, std::size_t k) {
  switch (node.kind) {
    case Kind::elementwise:
      return is_differentiable(node.function, k);
    case Kind::reduce:
      return node.reduction == Reduction::maximum || node.reduction == Reduction::minimum ||
             node.reduction == Reduction::product || node.reduction == Reduction::norm;
    case Kind::sum:
    case Kind::contraction:
    case Kind::softmax:
    case Kind::reshape:
      return true;
    case Kind::given:
      return k == 0 ? node.payload != 0 : k % 2 == 1;
    case Kind::input:
    case Kind::constant:
    case Kind::index:
    case Kind::order:
      return false;
  }
  return false;
}

bool Finiteness::may_fail(Expr e, Inputs inputs) {
  for (auto id = static_cast<std::uint32_t>(known_.size()); id <= e.id; ++id) {
    const Node& n = graph_[{id}];
    char fails = 0;
    const std::size_t first = n.kind == Kind::elementwise && n.function == Function::select ? 1 : 0;
    for (std::size_t k = first; k < n.operands.size(); ++k)
      fails = static_cast<char>(fails | known_[n.operands[k].expr.id]);
    if (n.kind == Kind::input) fails = 2;
    if (n.kind == Kind::order) fails = 0;
    if (n.kind == Kind::elementwise && row(n.function).condition) fails = 0;
    if (n.kind == Kind::elementwise && !stays_finite(graph_, n)) fails = 3;
    if (n.kind == Kind::softmax && n.softmax == SoftmaxKind::logsumexp && !n.guards.empty()) fails = 3;
    known_.push_back(fails);
  }
  return (known_[e.id] & (inputs == finite_inputs ? 1 : 2)) != 0;
}

}  // namespace gradus
