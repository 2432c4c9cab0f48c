// Differences of values of one function, and quotients and roots whose arguments are near or out of range.
#include "symbolic/rules/differences.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/match.hpp"
#include "symbolic/rules/monomial.hpp"
#include "symbolic/rules/rules.hpp"

namespace gradus::rules {
std::optional<Expr> log_of_quotient(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (!is_call(n, Function::log) || !is_product(graph[n.operands[0].expr])) return std::nullopt;
  const Node& product = graph[n.operands[0].expr];
  if (product.operands.size() < 2 || product.operands.size() > most_factors) return std::nullopt;
  // A mean is no quotient: sizes are numbers.
  std::vector<Operand> above, below;
  bool values_above = false;
  for (const auto& o : product.operands) {
    const Operand factor = graph.substitute(o, n.operands[0].subscripts);
    const Node& f = graph[o.expr];
    const Rational* q = is_call(f, Function::power) ? graph.constant_value(f.operands[1].expr) : nullptr;
    if (q == nullptr || q->sign() > 0 || is_size_power(graph, o.expr)) {
      values_above = values_above || !is_size_power(graph, o.expr);
      above.push_back(factor);
    } else {
      Monomial one;
      if (!q->as_int64()) return std::nullopt;
      one.multiply(graph.substitute(f.operands[0], factor.subscripts), -*q->as_int64());
      below.push_back(operands_of(graph, one)[0]);
    }
  }
  if (below.empty() || !values_above) return std::nullopt;
  const auto rank = static_cast<std::uint32_t>(n.labels.size());
  const Operand x = narrowed(graph, graph.contraction(n.labels, rank, product.coefficients[0], std::move(above)));
  const Operand y = narrowed(graph, graph.contraction(n.labels, rank, 1, std::move(below)));
  return graph.elementwise(Function::log_ratio, n.labels, {x, y});
}

std::optional<Expr> log_of_product_with_square(Graph& graph, Facts& facts, Expr e) {
  const Node& n = graph[e];
  if (!is_call(n, Function::log) || !is_product(graph[n.operands[0].expr])) return std::nullopt;
  Monomial m;
  if (!multiply(graph, m, n.operands[0], 1) || (m.powers.size() < 2 && m.number.is_one())) return std::nullopt;
  for (std::size_t k = 0; k < m.powers.size(); ++k) {
    const Power p = m.powers[k];
    const Node& sum = graph[p.base.expr];
    if (sum.kind != Kind::sum || sum.operands.size() > most_factors || !facts.nonnegative(p.base.expr)) continue;
    // What stands above and below alike is better kept as a quotient.
    bool square = false, shared = false;
    for (std::size_t t = 0; t < sum.operands.size(); ++t) {
      const auto root = square_root(graph, graph.substitute(sum.operands[t], p.base.subscripts), sum.coefficients[t]);
      square = square || root;
      shared =
          shared || (root && p.exponent < 0 &&
                     std::ranges::any_of(
                         root->powers, [&](const Power& r) { return r.exponent > 0 && m.exponent_of(r.base) >= 2; }));
    }
    if (!square || shared) continue;
    Monomial others = m;
    others.powers[k].exponent = 0;
    const auto log_of = [&](const Operand& o) {
      return narrowed(graph, graph.elementwise(Function::log, n.labels, {o}));
    };
    return graph.sum(n.labels, {{p.exponent, log_of(p.base)}, {1, log_of(whole_product(graph, n.labels, others))}});
  }
  return std::nullopt;
}

std::optional<Expr> square_quotient(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  const auto is_reciprocal_sum = [&](const Operand& o) {
    const Node& f = graph[o.expr];
    if (!is_call(f, Function::power) || !graph.is_constant(f.operands[1].expr, -1)) return false;
    const Node& sum = graph[f.operands[0].expr];
    return sum.kind == Kind::sum && sum.operands.size() <= most_factors;
  };
  const auto under = std::ranges::find_if(n.operands, is_reciprocal_sum);
  if (under == n.operands.end()) return std::nullopt;
  const auto at = static_cast<std::size_t>(under - n.operands.begin());
  const Operand base = graph.substitute(graph[under->expr].operands[0], under->subscripts);
  Monomial product;
  for (std::size_t k = 0; k < n.operands.size(); ++k)
    if (k != at && !multiply(graph, product, n.operands[k], 1)) return std::nullopt;
  const Node& sum = graph[base.expr];
  for (std::size_t t = 0; t < sum.operands.size(); ++t) {
    Monomial term;
    term.number = sum.coefficients[t];
    if (!multiply(graph, term, graph.substitute(sum.operands[t], base.subscripts), 1)) return std::nullopt;
    const Rational c = term.number;
    const bool fits = !term.powers.empty() && std::ranges::all_of(term.powers, [&](const Power& p) {
      const std::int64_t has = product.exponent_of(p.base);
      return p.exponent % 2 == 0 && (p.exponent > 0 ? has >= p.exponent : has <= p.exponent);
    });
    const bool value = std::ranges::any_of(term.powers, [&](const Power& p) {
      return p.exponent > 0 && !is_size_power(graph, p.base.expr) && graph[p.base.expr].kind != Kind::constant;
    });
    if (!fits || !value || c.sign() <= 0) continue;
    for (const auto& p : term.powers) product.multiply(p.base, -p.exponent);
    for (auto& p : term.powers) p.exponent /= 2;
    term.number = 1;
    std::vector<Term> rest;
    for (std::size_t k = 0; k < sum.operands.size(); ++k)
      if (k != t) rest.push_back({sum.coefficients[k] / c, graph.substitute(sum.operands[k], base.subscripts)});
    const Operand u = whole_product(graph, n.labels, term);
    const Expr other = graph.sum(n.labels, std::move(rest));
    const Expr share = graph.elementwise(Function::square_share, n.labels, {u, narrowed(graph, other)});
    product.multiply(narrowed(graph, share), 1);
    return graph.contraction(n.labels, n.rank, n.coefficients[0] * product.number / c, operands_of(graph, product),
                             n.guards);
  }
  return std::nullopt;
}

namespace {

/// A sum that is a relative entropy as a whole, as one.
std::optional<Expr> relative_entropy(Graph& graph, Expr sum) {
  for (const Rule& rule : all_rules()) {
    if (!rule.name.starts_with("relative_entropy") || !rule.when.empty()) continue;
    const auto found = match(graph, rule.before, rule.variables.size(), sum, [](const Match& m) {
      return m.left.empty() ? std::optional<std::size_t>(0) : std::nullopt;
    });
    if (found) return replace(graph, sum, *found, build(graph, rule.after, *found));
  }
  return std::nullopt;
}

}  // namespace

std::optional<Expr> guarded_relative_entropy(Graph& graph, Expr e) {
  constexpr std::size_t most_terms = 3;
  const Node n = graph[e];
  if (n.kind != Kind::sum || n.operands.size() > most_terms) return std::nullopt;
  const auto whole = graph.identity(static_cast<std::uint32_t>(n.labels.size()));
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Node choice = graph[n.operands[k].expr];
    if (!is_call(choice, Function::select) || !graph.is_constant(choice.operands[2].expr, 0)) continue;
    const auto read = [&](std::size_t operand) {
      return graph.substitute(choice.operands[operand], n.operands[k].subscripts);
    };
    std::vector<Term> others;
    for (std::size_t t = 0; t < n.operands.size(); ++t)
      if (t != k) others.push_back({n.coefficients[t], n.operands[t]});
    std::vector<Term> chosen = others;
    chosen.push_back({n.coefficients[k], read(1)});
    const auto form = relative_entropy(graph, graph.sum(n.labels, std::move(chosen)));
    if (!form) continue;
    const Expr other = graph.sum(n.labels, std::move(others));
    return graph.elementwise(Function::select, n.labels, {read(0), {*form, whole}, {other, whole}});
  }
  return std::nullopt;
}

}  // namespace gradus::rules
