// Shifted forms of weighted sums of exponentials.
#include "symbolic/rules/reductions.hpp"

#include <algorithm>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/match.hpp"
#include "symbolic/rules/weighted_sums.hpp"

namespace gradus::rules {
namespace {

/// m + log(Σ w·exp(x - m)).
Expr with_shift(Graph& graph, const Node& n, Weighted w) {
  const Shifted s = shifted(graph, n, std::move(w));
  const std::vector<Size> axes(n.labels.begin(), n.labels.begin() + n.rank);
  return graph.sum(axes, {{1, graph.whole(s.shift)}, {1, graph.whole(graph.apply(Function::log, {s.total}))}});
}

/// log(c·Σ w·exp(x)/Σ v·exp(y)): the sums with positive weights out of the logarithm, of the others the shifts.
std::optional<Expr> log_of_sums(Graph& graph, Facts& facts, Shifts& shifts, const Node& log) {
  const Operand inside = log.operands[0];
  const Node& product = graph[inside.expr];
  if (!is_product(product) && !is_call(product, Function::power)) return std::nullopt;
  const auto rank = static_cast<std::uint32_t>(product.labels.size());
  const bool whole = !is_product(product);
  Rational number = whole ? Rational(1) : product.coefficients[0];
  std::vector<Operand> rest;
  std::vector<Term> terms;
  for (const auto& o : whole ? std::vector<Operand>{{inside.expr, graph.identity(rank)}} : factors_of(graph, product)) {
    auto p = sum_power(graph, o);
    const bool mixture = !p && is_summed(graph[o.expr]) && !split_all(graph, facts, graph[o.expr]).exponents.empty();
    if (mixture) p = {o, 1, graph[o.expr].coefficients[0]};
    if (!p) {
      rest.push_back(o);
      continue;
    }
    const Node sum = graph[p->sum.expr];
    Weighted w = split_all(graph, facts, sum);
    const bool positive = have_logarithms(graph, facts, w.weights);
    if (!positive && !shifts.are_made()) shifts.remember(p->sum.expr);
    if (!positive && !shifts.are_made()) {
      rest.push_back(o);
      continue;
    }
    number = number * p->scale;
    Operand out{{}, graph.substitute(p->sum, inside.subscripts).subscripts};
    if (positive) {
      out.expr = with_logarithms(graph, sum, std::move(w));
    } else {
      const Shifted s = shifted(graph, sum, std::move(w));
      out.expr = s.shift;
      rest.push_back({graph.apply(Function::power, {s.total, graph.constant(p->exponent)}), p->sum.subscripts});
    }
    terms.push_back({p->exponent, std::move(out)});
  }
  if (terms.empty()) return std::nullopt;
  const Expr left = graph.contraction(product.labels, rank, number, std::move(rest));
  terms.push_back({1,
                   {graph.elementwise(Function::log, log.labels, {{left, inside.subscripts}}),
                    graph.identity(static_cast<std::uint32_t>(log.labels.size()))}});
  return graph.sum(log.labels, std::move(terms));
}

}  // namespace

std::optional<Expr> weighted_logsumexp(Graph& graph, Facts& facts, Shifts& shifts, Expr e) {
  const Node& log = graph[e];
  if (!is_call(log, Function::log)) return std::nullopt;
  if (const auto parts = log_of_sums(graph, facts, shifts, log)) return parts;
  if (!is_summed(graph[log.operands[0].expr])) return std::nullopt;
  const Node& n = graph[log.operands[0].expr];
  Weighted w = split_all(graph, facts, n);
  const bool plain = w.weights.empty() && n.operands.size() == 1 && is_call(graph[n.operands[0].expr], Function::exp);
  if (w.exponents.empty() || plain) return std::nullopt;  // the table has log(sum(exp(x)))
  const bool positive = have_logarithms(graph, facts, w.weights);
  if (!positive && !shifts.are_made()) {
    shifts.remember(log.operands[0].expr);
    return std::nullopt;
  }
  const Expr to = positive ? with_logarithms(graph, n, std::move(w)) : with_shift(graph, n, std::move(w));
  const Rational number = n.coefficients[0];
  const Operand read{to, log.operands[0].subscripts};
  if (number.is_one()) return graph.view(log.labels, read);
  return graph.sum(log.labels, {{1, read}, {1, {graph.apply(Function::log, {graph.constant(number)}), {}}}});
}

namespace {

/// The sum that a factor divides by, when it is one of exponentials alone.
bool divides_by_exponentials(const Graph& graph, const Operand& o) {
  const Node& power = graph[o.expr];
  if (!is_call(power, Function::power) || !graph.is_constant(power.operands[1].expr, -1)) return false;
  const Node& s = graph[power.operands[0].expr];
  return is_summed(s) && s.operands.size() == 1 && is_call(graph[s.operands[0].expr], Function::exp);
}

const Rule& softmax_rule() {
  static const Rule& rule =
      *std::find_if(all_rules().begin(), all_rules().end(), [](const Rule& r) { return r.name == "softmax"; });
  return rule;
}

/// Factor `sum` of a product with factor `over` taken into it, or nothing when no softmax comes of it.
std::optional<Expr> taken_in(Graph& graph, const Node& n, const Operand& sum, const Operand& over) {
  const Node& a = graph[sum.expr];
  std::vector<Size> labels = n.labels;
  std::vector<Subscript> map = sum.subscripts;
  for (Label l = a.rank; l < a.labels.size(); ++l) {
    map.push_back(graph.label(static_cast<Label>(labels.size())));
    labels.push_back(a.labels[l]);
  }
  const auto all = static_cast<std::uint32_t>(labels.size());
  std::vector<Operand> factors;
  for (const auto& o : factors_of(graph, a)) factors.push_back(graph.substitute(o, map));
  for (auto& f : factors) {
    if (!is_call(graph[f.expr], Function::exp)) continue;
    const Expr quotient = graph.contraction(labels, all, 1, {f, over});
    const Operand read =
        graph[quotient].kind == Kind::contraction && is_product(graph[quotient]) && graph[quotient].operands.size() == 1
            ? graph[quotient].operands[0]
            : Operand{quotient, graph.identity(all)};
    const auto found = match(graph, softmax_rule().before, softmax_rule().variables.size(), read.expr,
                             [](const Match&) { return std::size_t{0}; });
    if (!found) continue;
    const Expr p = replace(graph, read.expr, *found, build(graph, softmax_rule().after, *found));
    f = {p, read.subscripts};
    std::vector<Guard> guards;
    for (const auto& g : a.guards) guards.push_back(graph.substitute(g, map));
    return graph.contraction(labels, static_cast<std::uint32_t>(n.labels.size()), a.coefficients[0], std::move(factors),
                             std::move(guards));
  }
  return std::nullopt;
}

}  // namespace

std::optional<Expr> weighted_average(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > 16) return std::nullopt;
  for (std::size_t over = 0; over < n.operands.size(); ++over) {
    if (!divides_by_exponentials(graph, n.operands[over])) continue;
    for (std::size_t k = 0; k < n.operands.size(); ++k) {
      if (k == over || !is_summed(graph[n.operands[k].expr])) continue;
      const auto average = taken_in(graph, n, n.operands[k], n.operands[over]);
      if (!average) continue;
      std::vector<Operand> factors{{*average, graph.identity(static_cast<std::uint32_t>(n.labels.size()))}};
      for (std::size_t m = 0; m < n.operands.size(); ++m)
        if (m != over && m != k) factors.push_back(n.operands[m]);
      return graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(factors), n.guards);
    }
  }
  return std::nullopt;
}

std::optional<Expr> product_over_exponentials(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::reduce || n.reduction != Reduction::product) return std::nullopt;
  const Factors factors = rules::factors_of(graph, n.operands[0]);
  std::vector<Term> exponents;
  std::vector<Operand> weights;
  for (const auto& o : factors.operands) {
    const Node& f = graph[o.expr];
    if (is_call(f, Function::exp))
      exponents.push_back({1, graph.substitute(f.operands[0], o.subscripts)});
    else
      weights.push_back(o);
  }
  if (exponents.empty()) return std::nullopt;
  const auto whole = graph.identity(static_cast<std::uint32_t>(n.labels.size()));
  const std::vector<Size> axes(n.labels.begin(), n.labels.begin() + n.rank);
  const Expr x = graph.sum(n.labels, std::move(exponents));
  const Expr exponent = graph.contraction(n.labels, n.rank, 1, {{x, whole}}, n.guards);
  const Expr exponential = graph.elementwise(Function::exp, axes, {graph.whole(exponent)});
  if (weights.empty() && factors.coefficient.is_one()) return exponential;
  const auto all = static_cast<std::uint32_t>(n.labels.size());
  const Expr weight = graph.contraction(n.labels, all, factors.coefficient, std::move(weights));
  const Expr left = graph.reduce(Reduction::product, n.labels, n.rank, {weight, whole}, n.guards);
  return graph.contraction(axes, n.rank, 1, {graph.whole(exponential), graph.whole(left)});
}

std::optional<Expr> log_of_product(Graph& graph, Facts& facts, Expr e) {
  const Node& log = graph[e];
  if (!is_call(log, Function::log)) return std::nullopt;
  const Operand inner = log.operands[0];
  const Node& n = graph[inner.expr];
  if (n.kind != Kind::reduce || n.reduction != Reduction::product || !facts.positive(n.operands[0].expr))
    return std::nullopt;
  const Expr logs = graph.elementwise(Function::log, n.labels, {n.operands[0]});
  const auto all = static_cast<std::uint32_t>(n.labels.size());
  const Expr sum = graph.contraction(n.labels, n.rank, 1, {{logs, graph.identity(all)}}, n.guards);
  return graph.view(log.labels, {sum, inner.subscripts});
}

}  // namespace gradus::rules
