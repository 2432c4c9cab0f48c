// Numbers, powers and invariant factors of products and contractions.
#include <algorithm>

#include "symbolic/rules/algebra.hpp"

namespace gradus::rules {
namespace {

/// Powers beyond this are not merged: x = x*x a thousand times is no x^(2^1000).
constexpr std::int64_t largest_exponent = 64;
/// How many powers of one value at different places are compared.
constexpr int most_compared = 16;

Expr contraction_of(Graph& graph, const Node& n, Rational coefficient, std::vector<Operand> operands) {
  return graph.contraction(n.labels, n.rank, std::move(coefficient), std::move(operands), n.guards);
}

/// -(a - b) is b - a: whether a sum has at least as many minus signs as plus signs.
bool mostly_negative(const Node& n) {
  if (n.kind != Kind::sum) return false;
  const auto minus =
      std::count_if(n.coefficients.begin(), n.coefficients.end(), [](const Rational& q) { return q.sign() < 0; });
  return 2 * static_cast<std::size_t>(minus) >= n.coefficients.size();
}

Operand negated(Graph& graph, const Operand& o) {
  const Node& n = graph[o.expr];
  std::vector<Term> terms;
  for (std::size_t k = 0; k < n.operands.size(); ++k) terms.push_back({-n.coefficients[k], n.operands[k]});
  return {graph.sum(n.labels, std::move(terms)), o.subscripts};
}

}  // namespace

std::optional<Expr> normalise_product(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction) return std::nullopt;
  Rational coefficient = n.coefficients[0];
  std::vector<Operand> operands;
  bool changed = false;
  for (const auto& o : n.operands) {
    const Node& f = graph[o.expr];
    const bool full = f.operands.empty() && f.guards.empty();
    const bool numbered = f.kind == Kind::contraction && !full && !f.coefficients[0].is_one();
    changed = changed || numbered;
    if (!numbered) {
      operands.push_back(o);
      continue;
    }
    coefficient = coefficient * f.coefficients[0];
    operands.push_back({graph.contraction(f.labels, f.rank, 1, f.operands, f.guards), o.subscripts});
  }
  if (coefficient.sign() < 0) {
    const auto turn = std::ranges::find_if(operands, [&](const Operand& o) { return mostly_negative(graph[o.expr]); });
    if (turn != operands.end()) {
      *turn = negated(graph, *turn);
      coefficient = -coefficient;
      changed = true;
    }
  }
  if (!changed) return std::nullopt;
  return contraction_of(graph, n, std::move(coefficient), std::move(operands));
}

namespace {

struct Power {
  Operand base;
  std::int64_t exponent = 1;
};

Power power_of(Graph& graph, const Operand& o) {
  const Node& n = graph[o.expr];
  if (n.kind == Kind::elementwise && n.function == Function::power)
    if (const Rational* q = graph.constant_value(n.operands[1].expr))
      if (const auto k = q->as_int64()) return {graph.substitute(n.operands[0], o.subscripts), *k};
  return {o, 1};
}

/// x^a * x^b is x^(a+b). Of different signs, 0/0 and inf/inf become what the quotient tends to: not for recognising,
/// which must leave values as they are.
bool may_merge(Facts& facts, const Graph& graph, const Power& a, const Power& b, bool cancel) {
  const std::int64_t sum = a.exponent + b.exponent;
  if (a.exponent == 0 || b.exponent == 0 || sum > largest_exponent || sum < -largest_exponent) return false;
  return cancel || (a.exponent > 0) == (b.exponent > 0) || is_size_power(graph, a.base.expr) ||
         facts.positive(a.base.expr);
}

Operand raised(Graph& graph, const Power& p) {
  if (p.exponent == 1) return p.base;
  const Node& n = graph[p.base.expr];
  const std::vector<Size> shape(n.labels.begin(), n.labels.begin() + n.rank);
  return {graph.elementwise(Function::power, shape, {graph.whole(p.base.expr), {graph.constant(p.exponent), {}}}),
          p.base.subscripts};
}

}  // namespace

std::optional<Expr> merge_powers(Graph& graph, Facts& facts, Expr e, bool cancel) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2) return std::nullopt;
  std::vector<Power> powers;
  for (const auto& o : n.operands) powers.push_back(power_of(graph, o));
  // Equal bases side by side, whatever the order was.
  std::ranges::stable_sort(powers, [](const Power& a, const Power& b) { return a.base.expr < b.base.expr; });
  std::vector<Power> merged;
  for (auto& p : powers) {
    auto same = merged.rbegin();
    int looked = 0;
    while (same != merged.rend() && same->base.expr == p.base.expr && looked < most_compared &&
           !(same->base == p.base && may_merge(facts, graph, *same, p, cancel)))
      ++same, ++looked;
    if (same != merged.rend() && same->base.expr == p.base.expr && looked < most_compared)
      same->exponent += p.exponent;
    else
      merged.push_back(std::move(p));
  }
  if (merged.size() == n.operands.size()) return std::nullopt;
  std::vector<Operand> operands;
  for (const auto& p : merged)
    if (p.exponent != 0) operands.push_back(raised(graph, p));
  return contraction_of(graph, n, n.coefficients[0], std::move(operands));
}

namespace {

/// A sum up to (or from) the place of an axis has that place itself at least.
bool is_never_empty(const Graph& graph, const Node& n) {
  if (n.guards.size() != 1 || n.labels.size() != n.rank + 1) return false;
  const Guard& g = n.guards[0];
  if (g.kind != Guard::Kind::nonnegative || !g.affine.data.empty() || g.affine.labels.size() != 2) return false;
  const LabelTerm &axis = g.affine.labels[0], &bound = g.affine.labels[1];
  const auto a = graph.sizes().as_constant(axis.coefficient), b = graph.sizes().as_constant(bound.coefficient);
  return axis.label < n.rank && bound.label == n.rank && n.labels[axis.label] == n.labels[n.rank] &&
         graph.sizes().is_zero(g.affine.offset) && a && b && *a == -*b;
}

}  // namespace

std::optional<Expr> hoist_factors(Graph& graph, const Kept& kept, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || (n.labels.size() == n.rank && n.guards.empty())) return std::nullopt;
  if (n.labels.size() == n.rank) return std::nullopt;
  const bool never_empty = n.guards.empty() || is_never_empty(graph, n);
  const auto invariant = [&](const Operand& o) {
    bool free = true;
    Graph::each_label(o, [&](Label l) { free = free && l < n.rank; });
    return free && (never_empty || is_size_power(graph, o.expr));
  };
  std::vector<Operand> outside, inside;
  for (const auto& o : n.operands) {
    if (invariant(o)) {
      outside.push_back(o);
      continue;
    }
    // They come out of products that others use too: dw and db share p - y, not (p - y)/n.
    const Node& f = graph[o.expr];
    const auto loose = [&](const Operand& inner) { return invariant(graph.substitute(inner, o.subscripts)); };
    if (!is_product(f) || kept.contains(o.expr) || std::ranges::none_of(f.operands, loose)) {
      inside.push_back(o);
      continue;
    }
    std::vector<Operand> left;
    for (const auto& inner : f.operands) {
      if (loose(inner))
        outside.push_back(graph.substitute(inner, o.subscripts));
      else
        left.push_back(inner);
    }
    inside.push_back({graph.contraction(f.labels, f.rank, f.coefficients[0], std::move(left)), o.subscripts});
  }
  if (inside.empty() || (outside.empty() && n.coefficients[0].is_one())) return std::nullopt;
  const std::vector<Size> axes(n.labels.begin(), n.labels.begin() + n.rank);
  const Expr summed = graph.contraction(n.labels, n.rank, 1, std::move(inside), n.guards);
  outside.push_back({summed, graph.identity(n.rank)});
  return graph.contraction(axes, n.rank, n.coefficients[0], std::move(outside));
}

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

std::optional<Expr> sum_of_softmax(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.labels.size() == n.rank || !n.guards.empty()) return std::nullopt;
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
    return graph.contraction(std::move(labels), n.rank, n.coefficients[0], std::move(operands));
  }
  return std::nullopt;
}

std::optional<Expr> decide_condition(Graph& graph, Expr e) {
  const Node& n = graph[e];
  const bool differs = n.kind == Kind::elementwise && n.function == Function::not_equal;
  if (!differs && !(n.kind == Kind::elementwise && n.function == Function::equal)) return std::nullopt;
  const std::size_t zero = graph.is_zero(n.operands[0].expr) ? 0 : 1;
  if (!graph.is_zero(n.operands[zero].expr)) return std::nullopt;
  const Factors f = factors_of(graph, n.operands[1 - zero]);
  std::vector<Operand> left;
  for (const auto& o : f.operands)
    if (!is_size_power(graph, o.expr)) left.push_back(o);
  if (f.coefficient.is_one() && left.size() == f.operands.size()) return std::nullopt;
  if (left.empty()) return graph.view(n.labels, {graph.constant(differs ? 1 : 0), {}});
  const Expr rest = graph.contraction(n.labels, n.rank, 1, std::move(left));
  return graph.elementwise(n.function, n.labels, {{rest, graph.identity(n.rank)}, n.operands[zero]});
}

std::optional<Expr> normalise_power(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::elementwise || n.function != Function::power) return std::nullopt;
  const Rational* exponent = graph.constant_value(n.operands[1].expr);
  const auto k = exponent != nullptr ? exponent->as_int64() : std::nullopt;
  if (!k || *k > largest_exponent || *k < -largest_exponent) return std::nullopt;
  const auto to_the = [&](const Operand& base, std::int64_t power) {
    return Operand{graph.elementwise(Function::power, n.labels, {base, {graph.constant(power), {}}}),
                   graph.identity(n.rank)};
  };
  const Power inner = power_of(graph, n.operands[0]);
  if (inner.exponent != 1 && inner.exponent * *k <= largest_exponent && inner.exponent * *k >= -largest_exponent)
    return graph.view(n.labels, to_the(inner.base, inner.exponent * *k));
  const Factors f = factors_of(graph, n.operands[0]);
  const auto number = f.coefficient.power(*k);
  const bool quotient =
      *k < 0 && std::ranges::any_of(f.operands, [&](const Operand& o) { return power_of(graph, o).exponent < 0; });
  if (!number || (f.coefficient.is_one() && !quotient)) return std::nullopt;
  std::vector<Operand> operands;
  if (quotient) {
    for (const auto& o : f.operands) operands.push_back(to_the(o, *k));
  } else {
    const Expr base = graph.contraction(n.labels, n.rank, 1, f.operands);
    operands.push_back(to_the({base, graph.identity(n.rank)}, *k));
  }
  return graph.contraction(n.labels, n.rank, *number, std::move(operands));
}

}  // namespace gradus::rules
