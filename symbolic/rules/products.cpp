// Numbers, powers and invariant factors of products and contractions.
#include <algorithm>
#include <array>

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
    if (!numbered || !coefficient.is_moderate() || !f.coefficients[0].is_moderate()) {
      operands.push_back(o);
      continue;
    }
    changed = true;
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
  Rational exponent = 1;
};

/// Whole exponents, of sizes all.
Power power_of(Graph& graph, const Operand& o) {
  const Node& n = graph[o.expr];
  if (n.kind == Kind::elementwise && n.function == Function::power)
    if (const Rational* q = graph.constant_value(n.operands[1].expr))
      if (q->is_integer() || is_size_power(graph, o.expr)) return {graph.substitute(n.operands[0], o.subscripts), *q};
  return {o, 1};
}

bool is_moderate(const Rational& exponent) {
  return exponent <= Rational(largest_exponent) && exponent >= Rational(-largest_exponent);
}

/// x^a * x^b is x^(a+b). Of different signs, 0/0 and inf/inf become what the quotient tends to: not for recognising,
/// which must leave values as they are.
bool may_merge(Facts& facts, const Graph& graph, const Power& a, const Power& b, bool cancel) {
  if (a.exponent.is_zero() || b.exponent.is_zero() || !is_moderate(a.exponent + b.exponent)) return false;
  return cancel || a.exponent.sign() == b.exponent.sign() || is_size_power(graph, a.base.expr) ||
         facts.positive(a.base.expr);
}

Operand raised(Graph& graph, const Power& p) {
  if (p.exponent.is_one()) return p.base;
  const Node& n = graph[p.base.expr];
  const std::vector<Size> shape(n.labels.begin(), n.labels.begin() + n.rank);
  return {graph.elementwise(Function::power, shape, {graph.whole(p.base.expr), {graph.constant(p.exponent), {}}}),
          p.base.subscripts};
}

}  // namespace

namespace {

/// The powers that a product, or a power of one, is of; nothing for what is none or is wide.
std::vector<Power> taken_apart(Graph& graph, const Power& p) {
  constexpr std::size_t widest = 6;
  const Node& n = graph[p.base.expr];
  if (!is_product(n) || !n.coefficients[0].is_one() || n.operands.size() > widest) return {};
  std::vector<Power> out;
  for (const auto& o : n.operands) {
    Power q = power_of(graph, graph.substitute(o, p.base.subscripts));
    q.exponent = q.exponent * p.exponent;
    out.push_back(std::move(q));
  }
  return out;
}

/// (x*y)^-1 * x: a product is taken apart where one of its factors cancels against another factor.
void take_cancelling_apart(Graph& graph, const Kept& kept, std::vector<Power>& powers) {
  if (powers.size() > most_compared) return;
  const auto cancels = [](const Power& a, const Power& b) {
    return a.base == b.base && a.exponent.sign() * b.exponent.sign() < 0;
  };
  for (std::size_t k = 0; k < powers.size(); ++k) {
    if (kept.contains(powers[k].base.expr)) continue;
    std::vector<Power> inner = taken_apart(graph, powers[k]);
    const bool some = std::ranges::any_of(inner, [&](const Power& p) {
      for (std::size_t other = 0; other < powers.size(); ++other)
        if (other != k && cancels(p, powers[other])) return true;
      return false;
    });
    if (!some) continue;
    powers.erase(powers.begin() + static_cast<std::ptrdiff_t>(k));
    powers.insert(powers.end(), inner.begin(), inner.end());
    k = static_cast<std::size_t>(-1);
    if (powers.size() > most_compared) return;
  }
}

}  // namespace

std::optional<Expr> merge_powers(Graph& graph, Facts& facts, const Kept& kept, Expr e, bool cancel) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2) return std::nullopt;
  std::vector<Power> powers;
  for (const auto& o : n.operands) powers.push_back(power_of(graph, o));
  if (cancel) take_cancelling_apart(graph, kept, powers);
  const std::size_t taken = powers.size();
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
      same->exponent = same->exponent + p.exponent;
    else
      merged.push_back(std::move(p));
  }
  if (merged.size() == taken) return std::nullopt;
  std::vector<Operand> operands;
  for (const auto& p : merged)
    if (!p.exponent.is_zero()) operands.push_back(raised(graph, p));
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

}  // namespace

namespace {

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

std::optional<Expr> normalise_power(Graph& graph, const Kept& kept, Expr e) {
  const Node& n = graph[e];
  if (n.kind == Kind::elementwise && n.function == Function::sqrt && is_size_power(graph, n.operands[0].expr)) {
    const Power p = power_of(graph, n.operands[0]);  // sqrt(1/n) is n^(-1/2)
    if (p.exponent.sign() > 0) return std::nullopt;
    return graph.apply(Function::power, {p.base.expr, graph.constant(p.exponent / Rational(2))});
  }
  if (n.kind != Kind::elementwise || n.function != Function::power) return std::nullopt;
  const Rational* exponent = graph.constant_value(n.operands[1].expr);
  if (exponent != nullptr && *exponent == Rational::ratio(1, 2) && !is_size_power(graph, n.operands[0].expr))
    return graph.elementwise(Function::sqrt, n.labels, {n.operands[0]});
  const auto k = exponent != nullptr ? exponent->as_int64() : std::nullopt;
  if (!k || !is_moderate(*exponent)) return std::nullopt;
  const Rational q = *k;
  const auto to_the = [&](const Operand& base, const Rational& power) {
    return Operand{graph.elementwise(Function::power, n.labels, {base, {graph.constant(power), {}}}),
                   graph.identity(n.rank)};
  };
  const Power inner = power_of(graph, n.operands[0]);
  if (!inner.exponent.is_one() && is_moderate(inner.exponent * q))
    return graph.view(n.labels, to_the(inner.base, inner.exponent * q));
  const Factors f = factors_of(graph, n.operands[0]);
  const auto number = f.coefficient.power(*k);
  const bool named = kept.contains(n.operands[0].expr);  // a user's s = t/sqrt(n) stays: x/s
  const bool quotient = *k < 0 && std::ranges::any_of(
                                      f.operands,
                                      [&](const Operand& o) {
                                        const Rational of = power_of(graph, o).exponent;
                                        return of.sign() < 0 && (!named || of.is_integer());
                                      });
  if (!number || (f.coefficient.is_one() && !quotient)) return std::nullopt;
  std::vector<Operand> operands;
  if (quotient) {
    for (const auto& o : f.operands) operands.push_back(to_the(o, q));
  } else {
    const Expr base = graph.contraction(n.labels, n.rank, 1, f.operands);
    operands.push_back(to_the({base, graph.identity(n.rank)}, q));
  }
  return graph.contraction(n.labels, n.rank, *number, std::move(operands));
}

}  // namespace gradus::rules
