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
