// Sums over a whole axis that are known: of what is centred 0, of a softmax 1.
#include <algorithm>

#include "symbolic/rules/algebra.hpp"

namespace gradus::rules {
namespace {

bool depends_on(const Operand& o, Label l) {
  bool found = false;
  Graph::each_label(o, [&](Label other) { found = found || other == l; });
  return found;
}

/// Whether an operand is x minus the mean of x over the last of the labels, a mean with these weights.
bool is_centred(Graph& graph, const std::vector<Size>& labels, const Operand& o, const std::vector<Operand>& weights) {
  const Node& f = graph[o.expr];
  if (f.kind != Kind::sum || f.operands.size() != 2 || f.coefficients[0] != -f.coefficients[1]) return false;
  const auto last = static_cast<Label>(labels.size() - 1);
  const std::vector<Size> axes(labels.begin(), labels.end() - 1);
  const Expr all = weights.empty() ? graph.size_value(labels[last]) : graph.contraction(labels, last, 1, weights);
  const Operand share = graph.whole(graph.power(all, -1));
  for (const std::size_t k : {std::size_t{0}, std::size_t{1}}) {
    const Operand x = graph.substitute(f.operands[k], o.subscripts);
    const Operand mean = graph.substitute(f.operands[1 - k], o.subscripts);
    if (depends_on(mean, last) || !depends_on(x, last)) continue;
    std::vector<Operand> products = weights;
    products.push_back(x);
    const Expr sum = graph.contraction(labels, last, 1, std::move(products));
    if (graph.view(axes, mean) == graph.contraction(axes, last, 1, {graph.whole(sum), share})) return true;
  }
  return false;
}

/// Whether a value sums to 0 over the last of the labels: what is centred there, sums of such, and products in which
/// one alone changes.
bool sums_to_zero(Graph& graph, const std::vector<Size>& labels, const Operand& o, int depth) {
  const Node n = graph[o.expr];
  const auto last = static_cast<Label>(labels.size() - 1);
  if (depth == 0 || !depends_on(o, last)) return false;
  const auto read = [&](const Operand& inner) { return graph.substitute(inner, o.subscripts); };
  if (n.kind == Kind::elementwise && n.function == Function::unit)
    return !depends_on(read(n.operands[1]), last) && sums_to_zero(graph, labels, read(n.operands[0]), depth - 1);
  if (n.kind == Kind::sum)
    return is_centred(graph, labels, o, {}) || std::ranges::all_of(n.operands, [&](const Operand& term) {
             return sums_to_zero(graph, labels, read(term), depth - 1);
           });
  if (n.kind != Kind::contraction) return false;
  // The bound labels go before the last one.
  std::vector<Size> all(labels.begin(), labels.end() - 1);
  std::vector<Subscript> map;
  for (Label l = n.rank; l < n.labels.size(); ++l) all.push_back(n.labels[l]);
  const auto moved = static_cast<Label>(all.size());
  all.push_back(labels[last]);
  std::vector<Subscript> outer = graph.identity(static_cast<std::uint32_t>(labels.size()));
  outer[last] = graph.label(moved);
  for (const Subscript& s : o.subscripts) map.push_back(graph.substitute(s, outer));
  for (Label l = n.rank; l < n.labels.size(); ++l) map.push_back(graph.label(last + (l - n.rank)));
  for (const Guard& g : n.guards) {
    bool inside = false;
    Graph::each_label(graph.substitute(g, map), [&](Label l) { inside = inside || l == moved; });
    if (inside) return false;
  }
  std::optional<Operand> changing;
  for (const Operand& factor : n.operands) {
    Operand there = graph.substitute(factor, map);
    if (!depends_on(there, moved)) continue;
    if (changing) return false;
    changing = std::move(there);
  }
  return changing && sums_to_zero(graph, all, *changing, depth - 1);
}

/// The bound label over which a factor is a softmax that runs through all of its axis, or nothing.
std::optional<Label> summed_whole(Graph& graph, const Node& n, const Operand& o) {
  const Node& s = graph[o.expr];
  if (s.kind != Kind::softmax || s.softmax != SoftmaxKind::softmax || !s.guards.empty() ||
      s.labels.size() != s.rank + 1)
    return std::nullopt;
  for (Label axis = 0; axis < s.rank; ++axis) {
    const auto l = graph.as_label(o.subscripts[axis]);
    if (!l || *l < n.rank || n.labels[*l] != s.labels[s.rank] || s.labels[axis] != s.labels[s.rank]) continue;
    int uses = 0;
    for (const auto& other : n.operands) Graph::each_label(other, [&](Label x) { uses += x == *l ? 1 : 0; });
    bool in_inner = false;
    Graph::each_label(s.operands[1], [&](Label x) { in_inner = in_inner || x == axis; });
    if (uses != 1 || in_inner) continue;
    std::vector<Subscript> map = graph.identity(static_cast<std::uint32_t>(s.labels.size()));
    map[s.rank] = graph.label(axis);
    if (graph.substitute(s.operands[1], map) == s.operands[0]) return l;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Expr> sum_of_centred(Graph& graph, Expr e) {
  constexpr int deepest = 5;
  constexpr std::size_t most_weights = 4;
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.labels.size() != n.rank + 1 || !n.guards.empty()) return std::nullopt;
  std::vector<Operand> summed;
  for (const auto& o : n.operands)
    if (depends_on(o, n.rank)) summed.push_back(o);
  const auto is_deviation = [&](std::size_t k) {
    std::vector<Operand> weights = summed;
    weights.erase(weights.begin() + static_cast<std::ptrdiff_t>(k));
    return is_centred(graph, n.labels, summed[k], weights);
  };
  bool zero = summed.size() == 1 && sums_to_zero(graph, n.labels, summed[0], deepest);
  for (std::size_t k = 0; k < summed.size() && summed.size() <= most_weights; ++k) zero = zero || is_deviation(k);
  if (!zero) return std::nullopt;
  const std::vector<Size> axes(n.labels.begin(), n.labels.begin() + n.rank);
  return graph.view(axes, {graph.constant(0), {}});
}

namespace {

/// That a size is not 0, where no axis of the same size says so: of no elements the sum of a softmax is 0.
std::vector<Guard> where_not_empty(Graph& graph, Size size, const std::vector<Size>& others) {
  Sizes& sizes = graph.sizes();
  const Size last = sizes.subtract(size, sizes.constant(1));
  if (sizes.is_nonnegative(last) || std::ranges::find(others, size) != others.end()) return {};
  return {{Guard::Kind::nonnegative, graph.offset(last), {}}};
}

/// A sum with a softmax that runs through all of a bound label: over the other labels, without that factor.
std::optional<Expr> without_softmax(Graph& graph, const Node& n, Empty empty) {
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const auto l = summed_whole(graph, n, n.operands[k]);
    if (!l) continue;
    std::vector<Size> labels = n.labels;
    labels.erase(labels.begin() + static_cast<std::ptrdiff_t>(*l));
    std::vector<Subscript> map(n.labels.size());
    for (Label other = 0; other < n.labels.size(); ++other)
      if (other != *l) map[other] = graph.label(other < *l ? other : other - 1);
    std::vector<Operand> operands;
    for (std::size_t m = 0; m < n.operands.size(); ++m)
      if (m != k) operands.push_back(graph.substitute(n.operands[m], map));
    std::vector<Guard> guards;
    if (empty == Empty::is_zero) guards = where_not_empty(graph, n.labels[*l], labels);
    return graph.contraction(std::move(labels), n.rank, n.coefficients[0], std::move(operands), std::move(guards));
  }
  return std::nullopt;
}

/// A sum with the factors of a sum among its factors in that one's place.
Node with_inner_sum(Graph& graph, const Node& n, std::size_t k) {
  const Node& inner = graph[n.operands[k].expr];
  Node out = n;
  std::vector<Subscript> map = n.operands[k].subscripts;
  for (Label l = inner.rank; l < inner.labels.size(); ++l) {
    map.push_back(graph.label(static_cast<Label>(out.labels.size())));
    out.labels.push_back(inner.labels[l]);
  }
  out.coefficients[0] = n.coefficients[0] * inner.coefficients[0];
  out.operands.erase(out.operands.begin() + static_cast<std::ptrdiff_t>(k));
  for (const auto& o : inner.operands) out.operands.push_back(graph.substitute(o, map));
  return out;
}

}  // namespace

std::optional<Expr> sum_of_softmax(Graph& graph, Expr e, Empty empty) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.labels.size() == n.rank || !n.guards.empty()) return std::nullopt;
  if (const auto found = without_softmax(graph, n, empty)) return found;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Node& inner = graph[n.operands[k].expr];
    const bool sums = inner.kind == Kind::contraction && inner.labels.size() > inner.rank && inner.guards.empty();
    const bool has = sums && std::ranges::any_of(inner.operands,
                                                 [&](const Operand& o) { return graph[o.expr].kind == Kind::softmax; });
    if (!has) continue;
    if (const auto found = without_softmax(graph, with_inner_sum(graph, n, k), empty)) return found;
  }
  return std::nullopt;
}

}  // namespace gradus::rules
