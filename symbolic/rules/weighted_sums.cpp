// Sums of weighted exponentials taken apart, shifted, and put together again.
#include "symbolic/rules/weighted_sums.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"

namespace gradus::rules {

std::vector<Operand> factors_of(Graph& graph, const Node& n) {
  std::vector<Operand> open(n.operands.rbegin(), n.operands.rend());
  std::vector<Operand> out;
  while (!open.empty()) {
    const Operand o = std::move(open.back());
    open.pop_back();
    const Factors f = rules::factors_of(graph, o);
    const bool whole = f.operands.size() == 1 && f.operands[0] == o;
    if (whole || !f.coefficient.is_one() || out.size() + open.size() + f.operands.size() > most_factors)
      out.push_back(o);
    else
      open.insert(open.end(), f.operands.rbegin(), f.operands.rend());
  }
  return out;
}

Weighted split(Graph& graph, const Node& n) {
  Weighted out;
  for (const auto& o : factors_of(graph, n)) {
    const Node& f = graph[o.expr];
    if (!is_call(f, Function::exp)) {
      out.weights.push_back(o);
      continue;
    }
    out.exponents.push_back({1, graph.substitute(f.operands[0], o.subscripts)});
  }
  return out;
}

namespace {

/// The same of a softmax over as many values as are summed: exp of a log-softmax. A product of matrices stays one.
Weighted split_softmax(Graph& graph, const Node& n) {
  Weighted out;
  for (const auto& o : factors_of(graph, n)) {
    const Node& f = graph[o.expr];
    std::vector<char> used(n.labels.size(), 0);
    Graph::each_label(o, [&](Label l) { used[l] = 1; });
    if (f.kind != Kind::softmax || f.softmax != SoftmaxKind::softmax || std::ranges::count(used, 0) > 0) {
      out.weights.push_back(o);
      continue;
    }
    const Expr logarithm = graph.softmax(SoftmaxKind::log_softmax, f.labels, f.rank, f.operands, f.guards);
    out.exponents.push_back({1, {logarithm, o.subscripts}});
  }
  return out;
}

}  // namespace

Weighted split_all(Graph& graph, Facts& facts, const Node& n) {
  Weighted w = split(graph, n);
  if (!w.exponents.empty()) return w;
  Weighted softmaxes = split_softmax(graph, n);
  return have_logarithms(graph, facts, softmaxes.weights) ? softmaxes : w;
}

Expr with_logarithms(Graph& graph, const Node& n, Weighted w) {
  const auto all = static_cast<std::uint32_t>(n.labels.size());
  for (const auto& o : w.weights)
    w.exponents.push_back({1, {graph.elementwise(Function::log, n.labels, {o}), graph.identity(all)}});
  const Expr x = graph.sum(n.labels, std::move(w.exponents));
  return graph.softmax(SoftmaxKind::logsumexp, n.labels, n.rank, {{x, graph.identity(all)}}, n.guards);
}

Rational least_shift() { return -*Rational(10).power(300); }

Shifted shifted(Graph& graph, const Node& n, Weighted w) {
  const auto all = static_cast<std::uint32_t>(n.labels.size());
  const auto whole = graph.identity(all);
  const Expr x = graph.sum(n.labels, w.exponents);
  const Operand weight{graph.contraction(n.labels, all, 1, w.weights), whole};
  const Operand least{graph.constant(least_shift()), {}};
  const Operand counts{graph.elementwise(Function::not_equal, n.labels, {weight, {graph.constant(0), {}}}), whole};
  const Operand counted{graph.elementwise(Function::select, n.labels, {counts, {x, whole}, least}), whole};
  const Expr largest = graph.reduce(Reduction::maximum, n.labels, n.rank, counted, n.guards);
  const Expr finite = graph.elementwise(Function::maximum, graph.shape(largest), {graph.whole(largest), least});
  const Operand shift{graph.apply(Function::stop_gradient, {finite}), graph.identity(n.rank)};
  const Expr moved = graph.sum(n.labels, {{1, {x, whole}}, {-1, shift}});
  w.weights.push_back({graph.elementwise(Function::exp_saturated, n.labels, {{moved, whole}}), whole});
  return {shift.expr, graph.contraction(n.labels, n.rank, 1, std::move(w.weights), n.guards)};
}

namespace {

/// Whether a weight is a softmax: it is 0 only where its score is -inf, and its logarithm has a form of its own.
bool is_probability(const Graph& graph, const Operand& o) {
  const Node& n = graph[o.expr];
  return n.kind == Kind::softmax && n.softmax == SoftmaxKind::softmax && n.guards.empty();
}

}  // namespace

bool have_logarithms(const Graph& graph, Facts& facts, const std::vector<Operand>& weights) {
  return std::ranges::all_of(weights,
                             [&](const Operand& o) { return facts.positive(o.expr) || is_probability(graph, o); });
}

std::optional<SumPower> sum_power(Graph& graph, const Operand& o) {
  const Node& n = graph[o.expr];
  SumPower out{o, 1, 1};
  if (is_call(n, Function::power)) {
    const Rational* q = graph.constant_value(n.operands[1].expr);
    const auto exponent = q != nullptr ? q->as_int64() : std::nullopt;
    if (!exponent) return std::nullopt;
    out = {graph.substitute(n.operands[0], o.subscripts), *exponent, 1};
  }
  if (!is_summed(graph[out.sum.expr])) return std::nullopt;
  const Weighted w = split(graph, graph[out.sum.expr]);
  if (w.exponents.empty() || w.weights.empty()) return std::nullopt;
  const auto scale = graph[out.sum.expr].coefficients[0].power(out.exponent);
  if (!scale) return std::nullopt;
  out.scale = *scale;
  return out;
}

Spread inside(Graph& graph, const Node& n, const Operand& sum, const Operand& other) {
  const Node& s = graph[sum.expr];
  Spread out{n.labels, static_cast<std::uint32_t>(n.labels.size()), {other}, {}, s.coefficients[0]};
  std::vector<Subscript> map = sum.subscripts;
  for (Label l = s.rank; l < s.labels.size(); ++l) {
    map.push_back(graph.label(static_cast<Label>(out.labels.size())));
    out.labels.push_back(s.labels[l]);
  }
  for (const auto& o : factors_of(graph, s)) out.factors.push_back(graph.substitute(o, map));
  for (const auto& g : s.guards) out.guards.push_back(graph.substitute(g, map));
  return out;
}

std::optional<WeightedExponential> sum_as_exponential(Graph& graph, Facts& facts, const Shifts& shifts,
                                                      const Operand& sum) {
  const Node n = graph[sum.expr];
  if (!is_summed(n)) return std::nullopt;
  Weighted w = split(graph, n);
  if (w.exponents.empty()) return std::nullopt;
  WeightedExponential out;
  out.weight.number = n.coefficients[0];
  if (have_logarithms(graph, facts, w.weights)) {
    out.exponent = {with_logarithms(graph, n, std::move(w)), sum.subscripts};
    return out;
  }
  if (!shifts.are_made()) return std::nullopt;
  const Shifted s = shifted(graph, n, std::move(w));
  out.weight.multiply({s.total, sum.subscripts}, 1);
  out.exponent = {s.shift, sum.subscripts};
  return out;
}

std::optional<Operand> times_exponential(Graph& graph, const Node& n, const Operand& sum, const Operand& exponent) {
  if (!is_summed(graph[sum.expr])) return std::nullopt;
  Spread all = inside(graph, n, sum, call_on_used(graph, n.labels, Function::exp, {exponent}));
  std::vector<Term> exponents;
  std::erase_if(all.factors, [&](const Operand& o) {
    const Node& f = graph[o.expr];
    if (is_call(f, Function::exp)) exponents.push_back({1, graph.substitute(f.operands[0], o.subscripts)});
    return is_call(f, Function::exp);
  });
  if (exponents.size() < 2) return std::nullopt;
  const Operand x = narrowed(graph, graph.sum(all.labels, std::move(exponents)));
  all.factors.push_back(call_on_used(graph, all.labels, Function::exp, {x}));
  return narrowed(graph, graph.contraction(std::move(all.labels), all.rank, all.number, std::move(all.factors),
                                           std::move(all.guards)));
}

}  // namespace gradus::rules
