// Guards of contractions and conditions: around sums, taken apart, decided by place.
#include <algorithm>
#include <array>

#include "symbolic/rules/algebra.hpp"

namespace gradus::rules {

std::optional<Expr> hoist_guards(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.labels.size() == n.rank || n.guards.empty() || n.operands.empty())
    return std::nullopt;
  std::vector<Guard> outside, inside;
  for (const Guard& g : n.guards) {
    bool bound = false;
    Graph::each_label(g, [&](Label l) { bound = bound || l >= n.rank; });
    (bound ? inside : outside).push_back(g);
  }
  if (outside.empty()) return std::nullopt;
  // A guard that keeps a subscript inside its axis stays with it.
  for (const Operand& o : n.operands)
    for (std::uint32_t k = 0; k < o.subscripts.size(); ++k)
      if (!graph.certainly_inside(o.subscripts[k], n.labels, graph.axis(o.expr, k))) return std::nullopt;
  const std::vector<Size> axes(n.labels.begin(), n.labels.begin() + n.rank);
  const std::uint32_t rank = n.rank;
  const Expr summed = graph.contraction(n.labels, rank, n.coefficients[0], n.operands, std::move(inside));
  return graph.contraction(axes, rank, 1, {graph.whole(summed)}, std::move(outside));
}

namespace {

/// Whether a value is a choice between numbers that are not 0.
bool is_nonzero_choice(const Graph& graph, const Operand& o) {
  const Node& n = graph[o.expr];
  if (n.kind != Kind::elementwise || n.function != Function::select) return false;
  return std::ranges::all_of(std::array{n.operands[1], n.operands[2]}, [&](const Operand& branch) {
    const Rational* q = graph.constant_value(branch.expr);
    return q != nullptr && !q->is_zero();
  });
}

/// Comparisons of positions that the ranges of the labels decide: `k + q < q` never holds.
std::optional<bool> decided_by_place(Graph& graph, const Node& n, const std::vector<Subscript>& at,
                                     const std::vector<Size>& labels) {
  if (n.kind == Kind::elementwise && n.function == Function::logical_not) {
    const Operand o = graph.substitute(n.operands[0], at);
    const auto inner = decided_by_place(graph, graph[o.expr], o.subscripts, labels);
    return inner ? std::optional(!*inner) : std::nullopt;
  }
  if (n.kind != Kind::elementwise || (n.function != Function::less && n.function != Function::less_equal))
    return std::nullopt;
  std::array<Subscript, 2> side;
  for (std::size_t k = 0; k < 2; ++k) {
    const Operand o = graph.substitute(n.operands[k], at);
    const Node& position = graph[o.expr];
    if (position.kind != Kind::index || !position.affine.data.empty()) return std::nullopt;
    side[k] = graph.substitute(position.affine, o.subscripts);
  }
  if (side[0].labels.empty() && side[1].labels.empty()) return std::nullopt;
  const auto gap = graph.range(graph.subtract(side[1], side[0]), labels);  // right - left
  if (!gap) return std::nullopt;
  Sizes& sizes = graph.sizes();
  const Size one = sizes.constant(1), least = n.function == Function::less ? one : Size{};
  if (sizes.is_nonnegative(sizes.subtract(gap->low, least))) return true;
  if (sizes.is_nonnegative(sizes.subtract(sizes.subtract(least, one), gap->high))) return false;
  return std::nullopt;
}

/// `not x == y` is `x != y`, also of NaN.
std::optional<Expr> opposite(Graph& graph, const Node& n) {
  const Node& c = graph[n.operands[0].expr];
  if (c.kind != Kind::elementwise || (c.function != Function::equal && c.function != Function::not_equal))
    return std::nullopt;
  std::vector<Operand> sides;
  for (const auto& o : c.operands) sides.push_back(graph.substitute(o, n.operands[0].subscripts));
  const Function f = c.function == Function::equal ? Function::not_equal : Function::equal;
  return graph.elementwise(f, n.labels, std::move(sides));
}

/// `where(c, x, 0) != 0` as the guards that it is made of: c and `x != 0`; nothing for other conditions.
std::optional<std::vector<Guard>> parts_of(Graph& graph, const Guard& g) {
  if (g.kind != Guard::Kind::condition) return std::nullopt;
  const Node& c = graph[g.condition.expr];
  if (c.kind != Kind::elementwise || c.function != Function::not_equal) return std::nullopt;
  const std::size_t zero = graph.is_zero(c.operands[0].expr) ? 0 : 1;
  if (!graph.is_zero(c.operands[zero].expr)) return std::nullopt;
  const Operand masked = graph.substitute(c.operands[1 - zero], g.condition.subscripts);
  const Node m = graph[masked.expr];
  if (m.kind != Kind::contraction || m.labels.size() > m.rank || m.guards.empty() || m.coefficients[0].is_zero())
    return std::nullopt;
  std::vector<Guard> out;
  for (const Guard& inner : m.guards) out.push_back(graph.substitute(inner, masked.subscripts));
  if (m.operands.empty()) return out;
  const Expr x = graph.contraction(m.labels, m.rank, 1, m.operands);
  const Expr counts = graph.apply(Function::not_equal, {x, graph.constant(0)});
  out.push_back({Guard::Kind::condition, {}, {counts, masked.subscripts}});
  return out;
}

/// A condition on sizes that holds wherever there is an element at all: `k > 0` under an axis of size k.
bool holds_of_elements(Graph& graph, const Guard& g, const std::vector<Size>& labels) {
  if (g.kind != Guard::Kind::nonnegative || !g.affine.is_constant()) return false;
  Sizes& sizes = graph.sizes();
  const Size size = sizes.add(g.affine.offset, sizes.constant(1));
  return std::ranges::find(labels, size) != labels.end();
}

}  // namespace

std::optional<Expr> decide_guards(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.guards.empty()) return std::nullopt;
  std::vector<Guard> left;
  bool taken_apart = false;
  for (const Guard& g : n.guards) {
    if (holds_of_elements(graph, g, n.labels)) continue;
    if (auto parts = parts_of(graph, g)) {
      left.insert(left.end(), parts->begin(), parts->end());
      taken_apart = true;
      continue;
    }
    const auto decided = g.kind == Guard::Kind::condition
                             ? decided_by_place(graph, graph[g.condition.expr], g.condition.subscripts, n.labels)
                             : std::nullopt;
    if (decided && !*decided) return graph.view({n.labels.begin(), n.labels.begin() + n.rank}, {graph.constant(0), {}});
    if (!decided) left.push_back(g);
  }
  if (left.size() == n.guards.size() && !taken_apart) return std::nullopt;
  return graph.contraction(n.labels, n.rank, n.coefficients[0], n.operands, std::move(left));
}

std::optional<Expr> decide_condition(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (const auto decided = decided_by_place(graph, n, graph.identity(n.rank), n.labels))
    return graph.view(n.labels, {graph.constant(*decided ? 1 : 0), {}});
  if (n.kind == Kind::elementwise && n.function == Function::logical_not) return opposite(graph, n);
  const bool differs = n.kind == Kind::elementwise && n.function == Function::not_equal;
  if (!differs && !(n.kind == Kind::elementwise && n.function == Function::equal)) return std::nullopt;
  const std::size_t zero = graph.is_zero(n.operands[0].expr) ? 0 : 1;
  if (!graph.is_zero(n.operands[zero].expr)) return std::nullopt;
  const Node& mask = graph[n.operands[1 - zero].expr];  // where(c, 1, 0) != 0 is c
  const bool is_mask = mask.kind == Kind::contraction && mask.operands.empty() && mask.labels.size() == mask.rank &&
                       mask.guards.size() == 1 && mask.guards[0].kind == Guard::Kind::condition;
  if (is_mask) {
    const Operand condition = graph.substitute(mask.guards[0].condition, n.operands[1 - zero].subscripts);
    if (differs) return graph.view(n.labels, condition);
    return graph.elementwise(Function::logical_not, n.labels, {condition});
  }
  const Factors f = factors_of(graph, n.operands[1 - zero]);
  std::vector<Operand> left;
  for (const auto& o : f.operands)
    if (!is_size_power(graph, o.expr) && !is_nonzero_choice(graph, o)) left.push_back(o);
  if (f.coefficient.is_one() && left.size() == f.operands.size()) return std::nullopt;
  if (left.empty()) return graph.view(n.labels, {graph.constant(differs ? 1 : 0), {}});
  const Expr rest = graph.contraction(n.labels, n.rank, 1, std::move(left));
  return graph.elementwise(n.function, n.labels, {{rest, graph.identity(n.rank)}, n.operands[zero]});
}

}  // namespace gradus::rules
