// Logarithms and quotients of sums with exponentials that may leave the range of numbers.
#include "symbolic/rules/exponentials.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/log_of_sum.hpp"
#include "symbolic/rules/monomial.hpp"

namespace gradus::rules {
namespace {

/// Whether a node is a positive sum of exponentials that have no shift yet.
bool sums_exponentials(Graph& graph, Facts& facts, const Shifts& shifts, const std::vector<Size>& labels,
                       const Operand& o) {
  const Node& n = graph[o.expr];
  const auto unshifted = [&](const Operand& part) {
    const auto x = exponential_of(graph, facts, shifts, labels, {1, graph.substitute(part, o.subscripts)});
    return x && !x->less_one;
  };
  return n.kind == Kind::sum && n.operands.size() <= most_factors && facts.positive(o.expr) &&
         std::ranges::any_of(n.operands, unshifted);
}

/// Σ w·(exp(x) + y) as Σ w·exp(x) and Σ w·y; nothing where no exponential is in it.
std::vector<Term> distributed(Graph& graph, const Operand& sum) {
  const Node n = graph[sum.expr];
  if (n.kind != Kind::contraction || n.labels.size() == n.rank) return {};
  const auto has_exponential = [&](const Operand& o) {
    const Node& f = graph[o.expr];
    return f.kind == Kind::sum && f.operands.size() <= most_factors &&
           std::ranges::any_of(f.operands, [&](const Operand& t) {
             const std::vector<Operand> factors = factors_of(graph, t).operands;
             return std::ranges::any_of(factors,
                                        [&](const Operand& x) { return is_call(graph[x.expr], Function::exp); });
           });
  };
  const auto inner = std::ranges::find_if(n.operands, has_exponential);
  if (inner == n.operands.end()) return {};
  const Node added = graph[inner->expr];
  std::vector<Term> out;
  for (std::size_t k = 0; k < added.operands.size(); ++k) {
    std::vector<Operand> factors = n.operands;
    factors[static_cast<std::size_t>(inner - n.operands.begin())] =
        graph.substitute(added.operands[k], inner->subscripts);
    const Expr part = graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(factors), n.guards);
    out.push_back({added.coefficients[k], {part, sum.subscripts}});
  }
  return out;
}

/// log(w*(exp(x) + exp(y))) is log(w) + log(exp(x) + exp(y)), likewise of a quotient.
std::optional<Expr> log_of_weighted_sum(Graph& graph, Facts& facts, const Shifts& shifts, const Node& n) {
  Monomial m;
  if (!multiply(graph, m, n.operands[0], 1)) return std::nullopt;
  for (std::size_t k = 0; k < m.powers.size(); ++k) {
    const Power p = m.powers[k];
    if (!sums_exponentials(graph, facts, shifts, n.labels, p.base)) continue;
    Monomial others = m;
    others.powers[k].exponent = 0;
    const auto rank = static_cast<std::uint32_t>(n.labels.size());
    const auto log_of = [&](const Operand& o) {
      return Operand{graph.elementwise(Function::log, n.labels, {o}), graph.identity(rank)};
    };
    return graph.sum(n.labels, {{p.exponent, log_of(p.base)}, {1, log_of(whole_product(graph, n.labels, others))}});
  }
  return std::nullopt;
}

}  // namespace

std::optional<Expr> log_of_exponentials(Graph& graph, Facts& facts, Shifts& shifts, Expr e) {
  const Node& n = graph[e];
  const bool log1p = is_call(n, Function::log1p);
  if (!log1p && !is_call(n, Function::log)) return std::nullopt;
  const Node& inside = graph[n.operands[0].expr];
  if (!log1p && is_product(inside)) return log_of_weighted_sum(graph, facts, shifts, n);
  std::vector<Term> terms;
  if (inside.kind == Kind::sum && inside.operands.size() <= most_factors) {
    for (std::size_t k = 0; k < inside.operands.size(); ++k)
      terms.push_back({inside.coefficients[k], graph.substitute(inside.operands[k], n.operands[0].subscripts)});
  } else if (!log1p && inside.kind == Kind::contraction) {
    terms = distributed(graph, n.operands[0]);
  } else if (log1p && (inside.kind == Kind::contraction || inside.kind == Kind::elementwise)) {
    terms.push_back({1, n.operands[0]});
  }
  if (terms.empty()) return std::nullopt;
  if (log1p && terms.size() == 1) {
    auto only = exponential_of(graph, facts, shifts, n.labels, terms[0]);
    if (only && only->less_one)
      return graph.elementwise(Function::log1p_expm1, n.labels,
                               {only->exponent, whole_product(graph, n.labels, only->weight)});
  }
  if (log1p) terms.push_back({1, {graph.constant(1), {}}});
  LogOfSum sum(graph, facts, shifts, n);
  if (!sum.read(terms)) return std::nullopt;
  return sum.stable();
}

std::optional<Expr> exp_of_shifted_log(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (!is_call(n, Function::exp)) return std::nullopt;
  const Node& exponent = graph[n.operands[0].expr];
  if (exponent.kind != Kind::sum) return std::nullopt;
  const auto& at = n.operands[0].subscripts;
  for (std::size_t k = 0; k < exponent.operands.size(); ++k) {
    const Rational& factor = exponent.coefficients[k];
    const Node& inner = graph[exponent.operands[k].expr];
    if (inner.kind != Kind::sum || !factor.is_integer() || factor.sign() >= 0) continue;
    std::optional<Operand> total;
    bool shifted = false;
    std::vector<Term> terms;
    for (std::size_t m = 0; m < exponent.operands.size(); ++m)
      if (m != k) terms.push_back({exponent.coefficients[m], graph.substitute(exponent.operands[m], at)});
    for (std::size_t m = 0; m < inner.operands.size(); ++m) {
      const Operand o = graph.substitute(graph.substitute(inner.operands[m], exponent.operands[k].subscripts), at);
      const bool one = inner.coefficients[m].is_one();
      const Node& part = graph[o.expr];
      shifted = shifted || (one && is_call(part, Function::stop_gradient));
      if (one && !total && is_call(part, Function::log))
        total = graph.substitute(part.operands[0], o.subscripts);
      else
        terms.push_back({factor * inner.coefficients[m], o});
    }
    if (!total || !shifted) continue;
    const auto rank = static_cast<std::uint32_t>(n.labels.size());
    const Expr rest = graph.sum(n.labels, std::move(terms));
    const Expr above = graph.elementwise(Function::exp, n.labels, {{rest, graph.identity(rank)}});
    const Expr under = graph.elementwise(Function::power, n.labels, {*total, {graph.constant(factor), {}}});
    return graph.contraction(n.labels, rank, 1, {{above, graph.identity(rank)}, {under, graph.identity(rank)}});
  }
  return std::nullopt;
}

std::optional<Expr> normal_of_erfc(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (!is_call(n, Function::erfc)) return std::nullopt;
  Monomial m;
  if (!multiply(graph, m, n.operands[0], 1)) return std::nullopt;
  const auto of_two = [&](Power& p) {
    const Node& root = graph[p.base.expr];
    if (p.exponent != -1 || !is_call(root, Function::sqrt)) return false;
    const Operand inside = graph.substitute(root.operands[0], p.base.subscripts);
    const Factors f = factors_of(graph, inside);
    if (graph.is_constant(inside.expr, 2)) {
      p.exponent = 0;
      return true;
    }
    if (!(f.coefficient == Rational(2)) || f.operands.empty()) return false;
    const auto rank = static_cast<std::uint32_t>(n.labels.size());
    const Expr half = graph.contraction(n.labels, rank, 1, f.operands);
    p.base = {graph.elementwise(Function::sqrt, n.labels, {{half, graph.identity(rank)}}), graph.identity(rank)};
    return true;
  };
  if (!std::ranges::any_of(m.powers, of_two)) return std::nullopt;
  m.number = -m.number;
  const Expr normal = graph.elementwise(Function::normal_cdf, n.labels, {whole_product(graph, n.labels, m)});
  const auto rank = static_cast<std::uint32_t>(n.labels.size());
  return graph.contraction(n.labels, rank, 2, {{normal, graph.identity(rank)}});
}

std::optional<Expr> distribute_reciprocal(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Node& log = graph[n.operands[k].expr];
    if (!is_call(log, Function::log1p)) continue;
    Monomial inside;
    if (!multiply(graph, inside, graph.substitute(log.operands[0], n.operands[k].subscripts), 1)) continue;
    for (std::size_t m = 0; m < n.operands.size(); ++m) {
      const Node& sum = graph[n.operands[m].expr];
      if (sum.kind != Kind::sum || sum.operands.size() != 2) continue;
      const auto divides = [&](const Operand& term) {
        Monomial t;
        if (!multiply(graph, t, graph.substitute(term, n.operands[m].subscripts), 1)) return false;
        return std::ranges::any_of(inside.powers, [&](const Power& p) {
          return p.exponent * t.exponent_of(p.base) < 0 && graph[p.base.expr].kind != Kind::constant;
        });
      };
      if (std::ranges::none_of(sum.operands, divides)) continue;
      const auto rank = static_cast<std::uint32_t>(n.labels.size());
      std::vector<Term> terms;
      for (std::size_t t = 0; t < sum.operands.size(); ++t) {
        std::vector<Operand> factors{graph.substitute(sum.operands[t], n.operands[m].subscripts), n.operands[k]};
        terms.push_back(
            {sum.coefficients[t], narrowed(graph, graph.contraction(n.labels, rank, 1, std::move(factors)))});
      }
      std::vector<Operand> operands{narrowed(graph, graph.sum(n.labels, std::move(terms)))};
      for (std::size_t t = 0; t < n.operands.size(); ++t)
        if (t != k && t != m) operands.push_back(n.operands[t]);
      return graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(operands), n.guards);
    }
  }
  return std::nullopt;
}

}  // namespace gradus::rules
