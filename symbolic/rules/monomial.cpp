// Products written factor by factor.
#include "symbolic/rules/monomial.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"

namespace gradus::rules {

void Monomial::multiply(const Operand& base, std::int64_t exponent) {
  const auto same = std::ranges::find_if(powers, [&](const Power& p) { return p.base == base; });
  if (same == powers.end())
    powers.push_back({base, exponent});
  else
    same->exponent += exponent;
}

std::int64_t Monomial::exponent_of(const Operand& base) const {
  const auto same = std::ranges::find_if(powers, [&](const Power& p) { return p.base == base; });
  return same == powers.end() ? 0 : same->exponent;
}

bool multiply(Graph& graph, Monomial& into, const Operand& operand, std::int64_t exponent) {
  std::vector<Power> open{{operand, exponent}};
  while (!open.empty()) {
    const Power p = std::move(open.back());
    open.pop_back();
    const Node& n = graph[p.base.expr];
    if (is_product(n)) {
      const auto number = n.coefficients[0].power(p.exponent);
      if (!number || open.size() + n.operands.size() > most_factors) return false;
      into.number = into.number * *number;
      for (const auto& o : n.operands) open.push_back({graph.substitute(o, p.base.subscripts), p.exponent});
      continue;
    }
    if (is_call(n, Function::xlogy) || is_call(n, Function::xlog1py)) {
      const Function f = n.function == Function::xlogy ? Function::log : Function::log1p;
      const std::vector<Size> shape(n.labels.begin(), n.labels.begin() + n.rank);
      const Operand logarithm{graph.elementwise(f, shape, {n.operands[1]}), p.base.subscripts};
      into.multiply(logarithm, p.exponent);
      open.push_back({graph.substitute(graph[p.base.expr].operands[0], p.base.subscripts), p.exponent});
      continue;
    }
    const Rational* q = is_call(n, Function::power) ? graph.constant_value(n.operands[1].expr) : nullptr;
    const auto k = q != nullptr ? q->as_int64() : std::nullopt;
    if (k && *k >= -8 && *k <= 8)
      open.push_back({graph.substitute(n.operands[0], p.base.subscripts), p.exponent * *k});
    else
      into.multiply(p.base, p.exponent);
    if (into.powers.size() > most_factors) return false;
  }
  return true;
}

std::vector<Operand> operands_of(Graph& graph, const Monomial& m) {
  std::vector<Operand> out;
  for (const auto& p : m.powers) {
    if (p.exponent == 0) continue;
    if (p.exponent == 1) {
      out.push_back(p.base);
      continue;
    }
    const Node& n = graph[p.base.expr];
    const std::vector<Size> shape(n.labels.begin(), n.labels.begin() + n.rank);
    out.push_back(
        {graph.elementwise(Function::power, shape, {graph.whole(p.base.expr), {graph.constant(p.exponent), {}}}),
         p.base.subscripts});
  }
  return out;
}

bool same(const Monomial& a, const Monomial& b) {
  const auto within = [](const Monomial& x, const Monomial& y) {
    return std::ranges::all_of(x.powers, [&](const Power& p) { return y.exponent_of(p.base) == p.exponent; });
  };
  return a.number == b.number && within(a, b) && within(b, a);
}

std::optional<Rational> square_root(const Rational& number) {
  const auto root = [](std::int64_t x) {
    std::int64_t r = 0;
    while (r * r < x && r < 4096) ++r;
    return r * r == x ? std::optional(r) : std::nullopt;
  };
  const auto top = Rational(number.numerator()).as_int64(), under = Rational(number.denominator()).as_int64();
  if (number.sign() <= 0 || !top || !under) return std::nullopt;
  const auto a = root(*top), b = root(*under);
  if (!a || !b) return std::nullopt;
  return Rational::ratio(*a, *b);
}

std::optional<Monomial> square_root(Graph& graph, const Operand& o, const Rational& number) {
  Monomial m;
  m.number = number;
  if (graph.is_constant(o.expr) || !multiply(graph, m, o, 1)) return std::nullopt;
  const auto root = square_root(m.number);
  const bool even = std::ranges::all_of(m.powers, [](const Power& p) { return p.exponent % 2 == 0; });
  const bool value = std::ranges::any_of(m.powers, [&](const Power& p) {
    return p.exponent > 0 && !is_size_power(graph, p.base.expr) && graph[p.base.expr].kind != Kind::constant;
  });
  if (!root || !even || !value) return std::nullopt;
  for (auto& p : m.powers) p.exponent /= 2;
  m.number = *root;
  return m;
}

std::optional<Rational> ratio_to_power(Graph& graph, const Operand& operand, const Operand& base,
                                       std::int64_t exponent) {
  Monomial a, b;
  if (!multiply(graph, a, operand, 1) || !multiply(graph, b, base, exponent) || b.number.is_zero()) return std::nullopt;
  Rational q = a.number / b.number;
  a.number = b.number;
  if (!same(a, b)) return std::nullopt;
  return q;
}

Operand whole_product(Graph& graph, const std::vector<Size>& labels, const Monomial& m) {
  const auto rank = static_cast<std::uint32_t>(labels.size());
  return narrowed(graph, graph.contraction(labels, rank, m.number, operands_of(graph, m)));
}

Operand narrowed(Graph& graph, Expr e) {
  const Node n = graph[e];
  const bool product = n.kind == Kind::contraction && n.labels.size() == n.rank && n.guards.empty();
  Operand whole{e, graph.identity(n.rank)};
  if ((n.kind != Kind::elementwise && n.kind != Kind::sum && !product) || n.operands.empty()) return whole;
  std::vector<Subscript> map(n.labels.size());
  std::vector<char> seen(n.labels.size(), 0);
  std::vector<Size> sizes;
  Operand out;
  for (const auto& o : n.operands)
    Graph::each_label(o, [&](Label l) {
      if (std::exchange(seen[l], 1) != 0) return;
      map[l] = graph.label(static_cast<Label>(sizes.size()));
      sizes.push_back(n.labels[l]);
      out.subscripts.push_back(graph.label(l));
    });
  if (sizes.size() == n.labels.size()) return whole;
  std::vector<Operand> operands;
  for (const auto& o : n.operands) operands.push_back(graph.substitute(o, map));
  const auto rank = static_cast<std::uint32_t>(sizes.size());
  if (n.kind == Kind::elementwise) {
    out.expr = graph.elementwise(n.function, sizes, std::move(operands));
  } else if (product) {
    out.expr = graph.contraction(sizes, rank, n.coefficients[0], std::move(operands));
  } else {
    std::vector<Term> terms;
    for (std::size_t k = 0; k < operands.size(); ++k) terms.push_back({n.coefficients[k], std::move(operands[k])});
    out.expr = graph.sum(sizes, std::move(terms));
  }
  return out;
}

Operand call_on_used(Graph& graph, const std::vector<Size>& labels, Function f, std::vector<Operand> operands) {
  std::vector<Subscript> map(labels.size());
  std::vector<char> seen(labels.size(), 0);
  std::vector<Size> sizes;
  Operand out;
  for (const auto& o : operands)
    Graph::each_label(o, [&](Label l) {
      if (std::exchange(seen[l], 1) != 0) return;
      map[l] = graph.label(static_cast<Label>(sizes.size()));
      sizes.push_back(labels[l]);
      out.subscripts.push_back(graph.label(l));
    });
  for (auto& o : operands) o = graph.substitute(o, map);
  out.expr = graph.elementwise(f, sizes, std::move(operands));
  return out;
}

Operand multiple(Graph& graph, const Operand& o, const Rational& by) {
  const Node& n = graph[o.expr];
  if (n.kind == Kind::sum) {
    std::vector<Term> terms;
    for (std::size_t k = 0; k < n.operands.size(); ++k) terms.push_back({n.coefficients[k] * by, n.operands[k]});
    return {graph.sum(n.labels, std::move(terms)), o.subscripts};
  }
  if (!is_product(n)) return {graph.scale(o.expr, by), o.subscripts};
  const Rational number = n.coefficients[0] * by;
  if (number.is_one() && n.operands.size() == 1) return graph.substitute(n.operands[0], o.subscripts);
  const Expr product = graph.contraction(n.labels, n.rank, number, n.operands);
  return {normalise_product(graph, product).value_or(product), o.subscripts};
}

}  // namespace gradus::rules
