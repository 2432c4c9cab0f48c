// Shifted forms of weighted sums of exponentials.
#include "symbolic/rules/reductions.hpp"

#include <algorithm>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/exponentials.hpp"
#include "symbolic/rules/match.hpp"

namespace gradus::rules {
namespace {

bool is_call(const Node& n, Function f) { return n.kind == Kind::elementwise && n.function == f; }
bool is_summed(const Node& n) { return n.kind == Kind::contraction && n.labels.size() > n.rank; }

/// The factors of a contraction with products inside taken apart; their numbers are the contraction's already.
std::vector<Operand> factors_of(Graph& graph, const Node& n) {
  std::vector<Operand> out;
  for (const auto& o : n.operands) {
    Factors f = rules::factors_of(graph, o);
    if (f.coefficient.is_one())
      out.insert(out.end(), f.operands.begin(), f.operands.end());
    else
      out.push_back(o);
  }
  return out;
}

/// A contraction's exponentials as one exponent, and its other factors.
struct Weighted {
  std::vector<Term> exponents;
  std::vector<Operand> weights;
  bool shifted = false;  // the exponent has its shift already
};

Weighted split(Graph& graph, const Node& n) {
  Weighted out;
  for (const auto& o : factors_of(graph, n)) {
    const Node& f = graph[o.expr];
    if (!is_call(f, Function::exp)) {
      out.weights.push_back(o);
      continue;
    }
    out.exponents.push_back({1, graph.substitute(f.operands[0], o.subscripts)});
    out.shifted = out.shifted || is_shifted(graph, out.exponents.back().operand.expr);
  }
  return out;
}

Expr over_all_labels(Graph& graph, const Node& n, std::vector<Term> terms) {
  return graph.sum(n.labels, std::move(terms));
}

/// log-sum-exp of x + Σ log(w).
Expr with_logarithms(Graph& graph, const Node& n, Weighted w) {
  const auto all = static_cast<std::uint32_t>(n.labels.size());
  for (const auto& o : w.weights)
    w.exponents.push_back({1, {graph.elementwise(Function::log, n.labels, {o}), graph.identity(all)}});
  const Expr x = over_all_labels(graph, n, std::move(w.exponents));
  return graph.softmax(SoftmaxKind::logsumexp, n.labels, n.rank, {{x, graph.identity(all)}}, n.guards);
}

/// m + log(Σ w·exp(x - m)).
Expr with_shift(Graph& graph, const Node& n, Weighted w) {
  const auto all = static_cast<std::uint32_t>(n.labels.size());
  const auto whole = graph.identity(all);
  const Expr x = over_all_labels(graph, n, w.exponents);
  const Expr weight = graph.contraction(n.labels, all, 1, w.weights);
  std::vector<Guard> guards = n.guards;
  const Expr counts = graph.elementwise(Function::not_equal, n.labels, {{weight, whole}, {graph.constant(0), {}}});
  guards.push_back({Guard::Kind::condition, {}, {counts, whole}});
  const Expr largest = graph.reduce(Reduction::maximum, n.labels, n.rank, {x, whole}, std::move(guards));
  const Operand shift{graph.apply(Function::stop_gradient, {largest}), graph.identity(n.rank)};
  const Expr moved = graph.sum(n.labels, {{1, {x, whole}}, {-1, shift}});
  w.weights.push_back({graph.elementwise(Function::exp, n.labels, {{moved, whole}}), whole});
  const Expr total = graph.contraction(n.labels, n.rank, 1, std::move(w.weights), n.guards);
  const std::vector<Size> axes(n.labels.begin(), n.labels.begin() + n.rank);
  return graph.sum(axes, {{1, shift}, {1, graph.whole(graph.apply(Function::log, {total}))}});
}

/// log(c·Σ w·exp(x)) is log(c) + log(Σ w·exp(x)) for a positive c: a mean, a multiple.
std::optional<Expr> without_scale(Graph& graph, Facts& facts, const Node& log) {
  const Node& product = graph[log.operands[0].expr];
  const bool scaled = product.kind == Kind::contraction && product.labels.size() == product.rank &&
                      product.guards.empty() && product.coefficients[0].sign() > 0;
  if (!scaled || (product.operands.size() == 1 && product.coefficients[0].is_one())) return std::nullopt;
  for (std::size_t k = 0; k < product.operands.size(); ++k) {
    if (!is_summed(graph[product.operands[k].expr])) continue;
    const Weighted w = split(graph, graph[product.operands[k].expr]);
    if (w.exponents.empty() || w.shifted) continue;
    std::vector<Operand> others = product.operands;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(k));
    if (!std::ranges::all_of(others, [&](const Operand& o) { return facts.positive(o.expr); })) continue;
    const auto rank = product.rank;
    const auto log_of = [&](Expr x) {
      return Operand{graph.elementwise(Function::log, product.labels, {{x, graph.identity(rank)}}),
                     log.operands[0].subscripts};
    };
    const Expr sum = graph.view(product.labels, product.operands[k]);
    const Expr scale = graph.contraction(product.labels, rank, product.coefficients[0], std::move(others));
    return graph.sum(log.labels, {{1, log_of(sum)}, {1, log_of(scale)}});
  }
  return std::nullopt;
}

}  // namespace

std::optional<Expr> weighted_logsumexp(Graph& graph, Facts& facts, Expr e) {
  const Node& log = graph[e];
  if (!is_call(log, Function::log)) return std::nullopt;
  if (const auto parts = without_scale(graph, facts, log)) return parts;
  if (!is_summed(graph[log.operands[0].expr])) return std::nullopt;
  const Node& n = graph[log.operands[0].expr];
  Weighted w = split(graph, n);
  if (w.exponents.empty() || w.shifted || (w.weights.empty() && w.exponents.size() == 1)) return std::nullopt;
  const bool positive = std::ranges::all_of(w.weights, [&](const Operand& o) { return facts.positive(o.expr); });
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
  const Expr x = over_all_labels(graph, n, std::move(exponents));
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
