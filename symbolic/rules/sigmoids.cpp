// Sums and products of sigmoids and hyperbolic functions, with exponentials and without.
#include "symbolic/rules/sigmoids.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/log_of_sum.hpp"
#include "symbolic/rules/monomial.hpp"
#include "symbolic/rules/weighted_sums.hpp"

namespace gradus::rules {
namespace {

Operand argument(Graph& graph, const Operand& call) {
  return graph.substitute(graph[call.expr].operands[0], call.subscripts);
}

/// The factor sigmoid(x) of a, where b is a with sigmoid(-x) in its place.
std::optional<std::size_t> turned(Graph& graph, const Monomial& a, const Monomial& b) {
  std::optional<std::size_t> more;
  std::size_t differ = 0;
  for (std::size_t k = 0; k < a.powers.size(); ++k) {
    const std::int64_t gap = a.powers[k].exponent - b.exponent_of(a.powers[k].base);
    if (gap == 0) continue;
    ++differ;
    if (gap == 1 && is_call(graph[a.powers[k].base.expr], Function::sigmoid)) more = k;
  }
  for (const Power& p : b.powers)
    if (a.exponent_of(p.base) == 0 && p.exponent != 0) ++differ;
  if (!more || differ != 2) return std::nullopt;
  const Operand minus = multiple(graph, argument(graph, a.powers[*more].base), -1);
  for (const Power& p : b.powers)
    if (p.exponent - a.exponent_of(p.base) == 1 && is_call(graph[p.base.expr], Function::sigmoid) &&
        argument(graph, p.base) == minus)
      return more;
  return std::nullopt;
}

/// Whether y is x with something more: each term of x is in it, as large or larger.
bool holds(Graph& graph, const Operand& y, const Operand& x) {
  const auto terms_of = [&](const Operand& o) {
    std::vector<Term> terms;
    const Node& n = graph[o.expr];
    if (n.kind == Kind::sum && n.operands.size() <= most_factors)
      for (std::size_t k = 0; k < n.operands.size(); ++k)
        terms.push_back({n.coefficients[k], graph.substitute(n.operands[k], o.subscripts)});
    else
      terms.push_back({1, o});
    for (Term& t : terms) {
      Factors f = factors_of(graph, t.operand);
      t.coefficient = t.coefficient * f.coefficient;
      const Node& product = graph[t.operand.expr];
      if (f.operands.size() == 1)
        t.operand = f.operands[0];
      else if (is_product(product) && !f.coefficient.is_one())
        t.operand = {graph.scale(t.operand.expr, Rational(1) / f.coefficient), t.operand.subscripts};
    }
    return terms;
  };
  const std::vector<Term> whole = terms_of(y);
  const std::vector<Term> part = terms_of(x);
  return std::ranges::all_of(part, [&](const Term& p) {
    return std::ranges::any_of(whole, [&](const Term& w) {
      return w.operand == p.operand && w.coefficient.sign() == p.coefficient.sign() &&
             Rational(1) <= w.coefficient / p.coefficient;
    });
  });
}

}  // namespace

std::optional<Expr> difference_of_sigmoids(Graph& graph, Expr e) {
  const Node n = graph[e];
  if (n.kind != Kind::sum || n.operands.size() > most_factors) return std::nullopt;
  std::vector<std::pair<std::size_t, Monomial>> read;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    if (!is_product(graph[n.operands[k].expr])) continue;
    Monomial m;
    m.number = n.coefficients[k];
    const auto is_sigmoid = [&](const Power& p) { return is_call(graph[p.base.expr], Function::sigmoid); };
    if (multiply(graph, m, n.operands[k], 1) && std::ranges::any_of(m.powers, is_sigmoid))
      read.emplace_back(k, std::move(m));
  }
  for (std::size_t a = 0; a < read.size(); ++a)
    for (std::size_t b = a + 1; b < read.size(); ++b) {
      if (!(read[a].second.number + read[b].second.number).is_zero()) continue;
      const auto k = turned(graph, read[a].second, read[b].second);
      if (!k) continue;
      Monomial product = read[a].second;
      const Operand half = multiple(graph, argument(graph, product.powers[*k].base), Rational::ratio(1, 2));
      product.powers[*k].exponent -= 1;
      product.multiply(narrowed(graph, graph.elementwise(Function::tanh, n.labels, {half})), 1);
      std::vector<Term> terms{{1, whole_product(graph, n.labels, product)}};
      for (std::size_t t = 0; t < n.operands.size(); ++t)
        if (t != read[a].first && t != read[b].first) terms.push_back({n.coefficients[t], n.operands[t]});
      return graph.sum(n.labels, std::move(terms));
    }
  return std::nullopt;
}

std::optional<Expr> exponential_times_sigmoid(Graph& graph, Expr e) {
  const Node n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  const auto call = [&](Function f, const Operand& x) { return call_on_used(graph, n.labels, f, {x}); };
  for (std::size_t m = 0; m < n.operands.size(); ++m) {
    Power sigmoid{n.operands[m], 1};
    const Node& f = graph[n.operands[m].expr];
    if (is_call(f, Function::power)) {
      const Rational* q = graph.constant_value(f.operands[1].expr);
      if (q == nullptr || !q->is_integer() || q->sign() <= 0 || !q->as_int64()) continue;
      sigmoid = {graph.substitute(f.operands[0], n.operands[m].subscripts), *q->as_int64()};
    }
    if (!is_call(graph[sigmoid.base.expr], Function::sigmoid)) continue;
    const Operand x = multiple(graph, argument(graph, sigmoid.base), -1);
    for (std::size_t k = 0; k < n.operands.size(); ++k) {
      if (k == m) continue;
      std::vector<Operand> operands;
      if (is_call(graph[n.operands[k].expr], Function::expm1)) {
        if (argument(graph, n.operands[k]) != x) continue;
        operands.push_back(call(Function::tanh, multiple(graph, x, Rational::ratio(1, 2))));
      } else {
        const auto y = exponent_of(graph, n.labels, n.operands[k]);
        if (!y || !holds(graph, *y, x)) continue;
        operands.push_back(call(Function::sigmoid, x));
        const Expr left = graph.sum(n.labels, {{1, *y}, {-1, x}});
        if (!graph.is_zero(left)) operands.push_back(call(Function::exp, narrowed(graph, left)));
      }
      if (sigmoid.exponent > 1) {
        const Operand rest{graph.constant(sigmoid.exponent - 1), {}};
        operands.push_back(call_on_used(graph, n.labels, Function::power, {sigmoid.base, rest}));
      }
      for (std::size_t t = 0; t < n.operands.size(); ++t)
        if (t != k && t != m) operands.push_back(n.operands[t]);
      return graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(operands), n.guards);
    }
  }
  return std::nullopt;
}

std::optional<Expr> power_of_exponentials(Graph& graph, Facts& facts, const Kept& kept, Shifts& shifts, Expr e) {
  const Node n = graph[e];
  const bool root = is_call(n, Function::sqrt);
  if (!root && !is_call(n, Function::power)) return std::nullopt;
  const Operand half{graph.constant(Rational::ratio(1, 2)), {}};
  const Operand y = root ? half : n.operands[1];
  const Rational* q = graph.constant_value(y.expr);
  const bool whole = q != nullptr && q->is_integer();
  const auto rank = static_cast<std::uint32_t>(n.labels.size());
  const auto exp_of = [&](const Operand& x) {
    const Expr u = graph.contraction(n.labels, rank, 1, {y, x});
    return graph.elementwise(Function::exp, n.labels, {{u, graph.identity(rank)}});
  };
  const Node sum = graph[n.operands[0].expr];
  if (is_call(sum, Function::exp) && !(whole && kept.contains(n.operands[0].expr)))
    return exp_of(argument(graph, n.operands[0]));
  if (is_summed(sum) && !whole) {
    const auto all = sum_as_exponential(graph, facts, shifts, n.operands[0]);
    if (!all || !all->weight.powers.empty() || all->weight.number.sign() <= 0) return std::nullopt;
    const Operand number{graph.apply(Function::log, {graph.constant(all->weight.number)}), {}};
    return exp_of(narrowed(graph, graph.sum(n.labels, {{1, all->exponent}, {1, number}})));
  }
  if (sum.kind != Kind::sum || sum.operands.size() > most_factors || (whole && q->sign() > 0)) return std::nullopt;
  std::vector<Term> terms;
  for (std::size_t k = 0; k < sum.operands.size(); ++k)
    terms.push_back({sum.coefficients[k], graph.substitute(sum.operands[k], n.operands[0].subscripts)});
  if (!whole) {
    LogOfSum log(graph, facts, shifts, n);
    log.read(terms);
    if (!log.has_exponential() || !log.is_all_positive()) return std::nullopt;
    return exp_of({log.logarithm(), graph.identity(rank)});
  }
  const auto is_one = [&](const Term& t) { return t.coefficient.is_one() && graph.is_constant(t.operand.expr, 1); };
  const auto one = std::ranges::find_if(terms, is_one);
  if (terms.size() != 2 || one == terms.end()) return std::nullopt;
  const Term& other = terms[one == terms.begin() ? 1 : 0];
  const auto x = other.coefficient.is_one() ? exponent_of(graph, n.labels, other.operand) : std::nullopt;
  if (!x) return std::nullopt;
  const Operand share = call_on_used(graph, n.labels, Function::sigmoid, {multiple(graph, *x, -1)});
  return graph.elementwise(Function::power, n.labels, {share, {graph.constant(-*q), {}}});
}

std::optional<Expr> product_of_hyperbolic(Graph& graph, Expr e) {
  const Node n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  const auto with = [&](std::size_t k, std::size_t m, std::vector<Operand> operands) {
    for (std::size_t t = 0; t < n.operands.size(); ++t)
      if (t != k && t != m) operands.push_back(n.operands[t]);
    return graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(operands), n.guards);
  };
  const auto raised = [&](const Operand& base, const Rational& q) {
    return call_on_used(graph, n.labels, Function::power, {base, {graph.constant(q), {}}});
  };
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Operand& o = n.operands[k];
    const bool sinh = is_call(graph[o.expr], Function::sinh);
    if (!sinh && !is_call(graph[o.expr], Function::cosh)) continue;
    const Operand x = argument(graph, o);
    for (std::size_t m = 0; m < n.operands.size(); ++m) {
      const Operand& other = n.operands[m];
      if (sinh && is_call(graph[other.expr], Function::sech_squared)) {
        const Operand half = argument(graph, other);
        if (multiple(graph, half, 2) != x) continue;
        const Operand number{graph.constant(2), {}};
        return with(k, m, {number, call_on_used(graph, n.labels, Function::tanh, {half})});
      }
      const Node& power = graph[other.expr];
      if (sinh || !is_call(power, Function::power)) continue;
      const Rational* q = graph.constant_value(power.operands[1].expr);
      const Operand base = graph.substitute(power.operands[0], other.subscripts);
      if (q == nullptr || Rational(-1) <= *q || !is_call(graph[base.expr], Function::sinh)) continue;
      if (argument(graph, base) != x) continue;
      const Rational left = *q + Rational(1);
      return with(k, m, {raised(base, left), raised(call_on_used(graph, n.labels, Function::tanh, {x}), -1)});
    }
  }
  return std::nullopt;
}

std::optional<Expr> one_minus_product(Graph& graph, Expr e) {
  const Node n = graph[e];
  if (n.kind != Kind::sum || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  const auto is_one = [&](const Operand& o) { return graph.is_constant(o.expr, 1); };
  const auto one = std::ranges::find_if(n.operands, is_one);
  if (one == n.operands.end()) return std::nullopt;
  const auto at = static_cast<std::size_t>(one - n.operands.begin());
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Node product = graph[n.operands[k].expr];
    if (product.kind != Kind::reduce || product.reduction != Reduction::product) continue;
    const Function f = graph[product.operands[0].expr].function;
    if (!is_call(graph[product.operands[0].expr], f) || !(n.coefficients[k] + n.coefficients[at]).is_zero()) continue;
    if (f != Function::sigmoid && f != Function::normal_cdf && f != Function::exp) continue;
    const Expr log = graph.elementwise(Function::log, product.labels, {product.operands[0]});
    const auto all = static_cast<std::uint32_t>(product.labels.size());
    const Expr sum = graph.contraction(product.labels, product.rank, 1, {{log, graph.identity(all)}}, product.guards);
    const Operand total{sum, n.operands[k].subscripts};
    std::vector<Term> terms{{n.coefficients[k], call_on_used(graph, n.labels, Function::expm1, {total})}};
    for (std::size_t t = 0; t < n.operands.size(); ++t)
      if (t != k && t != at) terms.push_back({n.coefficients[t], n.operands[t]});
    return graph.sum(n.labels, std::move(terms));
  }
  return std::nullopt;
}

}  // namespace gradus::rules
