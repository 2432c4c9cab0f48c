// Running sums of weighted exponentials: which contractions are such sums, as reductions of the planner's own kind.
#include "codegen/plan/running.hpp"

#include <algorithm>

#include "codegen/plan/roles.hpp"

namespace gradus::planning {
namespace {

constexpr int deepest = 8;  // products in products and sums in sums that are looked into

/// A contraction whose guard compares an axis with a bound label, taken apart into v, w, x and y.
class Running {
 public:
  Running(Graph& graph, const Node& n, const Scan& scan) : graph_(graph), n_(n), scan_(scan) {}

  std::optional<Expr> run() {
    for (const Operand& o : n_.operands)
      if (!add_factor(o)) return std::nullopt;
    if (!separated_) return std::nullopt;
    Node sum;
    sum.kind = Kind::reduce;
    sum.reduction = Reduction::exponentials;
    sum.labels = n_.labels;
    sum.rank = n_.rank;
    sum.guards = n_.guards;
    sum.operands = {product(1, weights_), total(summed_), total(shift_), product(n_.coefficients[0], outer_)};
    return graph_.intern(std::move(sum));
  }

 private:
  /// Where an operand belongs: outside the sum (it depends on the axis and on nothing bound) or under it; nothing if it
  /// depends on both.
  enum class Side : std::uint8_t { axis, sum };
  std::optional<Side> side_of(const Operand& o) const {
    bool axis = false, bound = false;
    Graph::each_label(o, [&](Label l) {
      axis |= l == scan_.axis;
      bound |= l >= n_.rank;
    });
    if (axis && bound) return std::nullopt;
    return axis ? Side::axis : Side::sum;
  }

  bool add_factor(const Operand& o, int depth = 0) {
    const auto side = side_of(o);
    if (side) {
      (*side == Side::axis ? outer_ : weights_).push_back(o);
      return true;
    }
    const Node& f = graph_[o.expr];
    if (f.kind == Kind::elementwise && (f.function == Function::exp || f.function == Function::exp_saturated))
      return separated_ = add_exponent(1, graph_.substitute(f.operands[0], o.subscripts));
    const bool factors = f.kind == Kind::contraction && f.labels.size() == f.rank && f.guards.empty();
    if (!factors || !f.coefficients[0].is_one() || depth == deepest) return false;
    return std::ranges::all_of(f.operands, [&](const Operand& inner) {
      return add_factor(graph_.substitute(inner, o.subscripts), depth + 1);
    });
  }

  bool add_exponent(const Rational& coefficient, const Operand& o, int depth = 0) {
    if (const auto side = side_of(o)) {
      if (*side == Side::axis)
        shift_.push_back({-coefficient, o});
      else
        summed_.push_back({coefficient, o});
      return true;
    }
    const Node& sum = graph_[o.expr];
    if (sum.kind != Kind::sum || depth == deepest) return false;
    for (std::size_t k = 0; k < sum.operands.size(); ++k)
      if (!add_exponent(coefficient * sum.coefficients[k], graph_.substitute(sum.operands[k], o.subscripts), depth + 1))
        return false;
    return true;
  }

  /// Labels that some operands use, in order, and how those operands read them.
  struct Narrow {
    std::vector<Size> labels;
    std::vector<Subscript> map, axes;
  };
  Narrow narrow(const std::vector<Operand>& operands) {
    std::vector<char> used(n_.labels.size(), 0);
    for (const Operand& o : operands) Graph::each_label(o, [&](Label l) { used[l] = 1; });
    Narrow out;
    out.map.resize(n_.labels.size());
    for (Label l = 0; l < n_.labels.size(); ++l) {
      if (used[l] == 0) continue;
      out.map[l] = graph_.label(static_cast<Label>(out.labels.size()));
      out.axes.push_back(graph_.label(l));
      out.labels.push_back(n_.labels[l]);
    }
    return out;
  }

  Operand product(const Rational& coefficient, std::vector<Operand> factors) {
    const Narrow narrowed = narrow(factors);
    for (Operand& f : factors) f = graph_.substitute(f, narrowed.map);
    const auto rank = static_cast<std::uint32_t>(narrowed.labels.size());
    return {graph_.contraction(narrowed.labels, rank, coefficient, std::move(factors)), narrowed.axes};
  }

  Operand total(std::vector<Term> terms) {
    if (terms.empty()) return {graph_.constant(0), {}};
    std::vector<Operand> operands;
    for (const Term& t : terms) operands.push_back(t.operand);
    const Narrow narrowed = narrow(operands);
    for (Term& t : terms) t.operand = graph_.substitute(t.operand, narrowed.map);
    return {graph_.sum(narrowed.labels, std::move(terms)), narrowed.axes};
  }

  Graph& graph_;
  const Node& n_;
  const Scan& scan_;
  bool separated_ = false;  // an exponential depends on both
  std::vector<Operand> weights_, outer_;
  std::vector<Term> summed_, shift_;
};

}  // namespace

std::optional<Expr> running_exponentials(Graph& graph, const Node& contraction) {
  if (contraction.kind != Kind::contraction) return std::nullopt;
  for (std::size_t k = 0; k < contraction.guards.size(); ++k)
    if (const auto scan = scan_by_guard(graph, contraction, k))
      if (const auto sum = Running(graph, contraction, *scan).run()) return sum;
  return std::nullopt;
}

}  // namespace gradus::planning
