// Shifted forms of weighted sums of exponentials.
#include "symbolic/rules/reductions.hpp"

#include <algorithm>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/exponentials.hpp"
#include "symbolic/rules/match.hpp"
#include "symbolic/rules/monomial.hpp"

namespace gradus::rules {
namespace {

bool is_summed(const Node& n) { return n.kind == Kind::contraction && n.labels.size() > n.rank; }

/// The factors of a contraction with products inside taken apart, at any depth; their numbers are the contraction's
/// already.
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

/// A contraction's exponentials as one exponent, and its other factors.
struct Weighted {
  std::vector<Term> exponents;
  std::vector<Operand> weights;
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
  }
  return out;
}

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

/// m and Σ w·exp(x - m).
struct Shifted {
  Expr shift, total;
};

Shifted shifted(Graph& graph, const Node& n, Weighted w) {
  const auto all = static_cast<std::uint32_t>(n.labels.size());
  const auto whole = graph.identity(all);
  const Expr x = over_all_labels(graph, n, w.exponents);
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

/// m + log(Σ w·exp(x - m)).
Expr with_shift(Graph& graph, const Node& n, Weighted w) {
  const Shifted s = shifted(graph, n, std::move(w));
  const std::vector<Size> axes(n.labels.begin(), n.labels.begin() + n.rank);
  return graph.sum(axes, {{1, graph.whole(s.shift)}, {1, graph.whole(graph.apply(Function::log, {s.total}))}});
}

/// Whether a weight is a softmax: it is 0 only where its score is -inf, and its logarithm has a form of its own.
bool is_probability(const Graph& graph, const Operand& o) {
  const Node& n = graph[o.expr];
  return n.kind == Kind::softmax && n.softmax == SoftmaxKind::softmax && n.guards.empty();
}

bool have_logarithms(const Graph& graph, Facts& facts, const std::vector<Operand>& weights) {
  return std::ranges::all_of(weights,
                             [&](const Operand& o) { return facts.positive(o.expr) || is_probability(graph, o); });
}

/// Exponentials with any weights, or else softmaxes with weights that have logarithms.
Weighted split_all(Graph& graph, Facts& facts, const Node& n) {
  Weighted w = split(graph, n);
  if (!w.exponents.empty()) return w;
  Weighted softmaxes = split_softmax(graph, n);
  return have_logarithms(graph, facts, softmaxes.weights) ? softmaxes : w;
}

/// A whole power of a sum of exponentials that have no shift yet.
struct SumPower {
  Operand sum;
  std::int64_t exponent = 1;
  Rational scale = 1;  // of the sum's number
};

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

std::optional<Operand> times_exponential(Graph& graph, const Operand& sum, const std::vector<Size>& labels,
                                         const Operand& exponent) {
  const Node n = graph[sum.expr];
  if (!is_summed(n)) return std::nullopt;
  const Weighted w = split(graph, n);
  if (w.exponents.empty()) return std::nullopt;
  std::vector<Size> inner = labels;
  std::vector<Subscript> map = sum.subscripts;
  for (Label l = n.rank; l < n.labels.size(); ++l) {
    map.push_back(graph.label(static_cast<Label>(inner.size())));
    inner.push_back(n.labels[l]);
  }
  std::vector<Term> terms{{1, exponent}};
  for (const Term& t : w.exponents) terms.push_back({1, graph.substitute(t.operand, map)});
  std::vector<Operand> factors;
  for (const Operand& o : w.weights) factors.push_back(graph.substitute(o, map));
  factors.push_back(call_on_used(graph, inner, Function::exp, {narrowed(graph, graph.sum(inner, std::move(terms)))}));
  std::vector<Guard> guards;
  for (const Guard& g : n.guards) guards.push_back(graph.substitute(g, map));
  const auto rank = static_cast<std::uint32_t>(labels.size());
  return narrowed(graph, graph.contraction(inner, rank, n.coefficients[0], std::move(factors), std::move(guards)));
}

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

/// A power of such a sum that a factor divides by.
std::optional<SumPower> quotient(Graph& graph, const Operand& o) {
  const auto p = sum_power(graph, o);
  return p && p->exponent < 0 ? p : std::nullopt;
}

/// Whether an exponent has its shift, or the logarithm of a sum that people read as it is.
bool is_moved(const Graph& graph, const Shifts& shifts, Expr exponent) {
  const Node& n = graph[exponent];
  return n.kind == Kind::sum && std::ranges::any_of(n.operands, [&](const Operand& o) {
           const Node& term = graph[o.expr];
           return is_call(term, Function::stop_gradient) ||
                  (is_call(term, Function::log) && shifts.remembers(term.operands[0].expr));
         });
}

bool is_exponential(const Graph& graph, const Shifts& shifts, const Operand& o) {
  return is_call(graph[o.expr], Function::exp) && !is_moved(graph, shifts, graph[o.expr].operands[0].expr);
}

/// Factors in the labels of a contraction and, behind them, those of a sum among its factors.
struct Spread {
  std::vector<Size> labels;
  std::uint32_t rank = 0;  // labels of the contraction
  std::vector<Operand> factors;
  std::vector<Guard> guards;
  Rational number = 1;
};

/// A sum's factors with another factor of the product that it stands in.
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

/// A quotient among factors, and the exponentials that take its shift: one for each time that the sum divides.
struct Shares {
  std::size_t under = 0;
  SumPower sum;
  std::vector<std::size_t> above;
};

std::optional<Shares> shares(Graph& graph, const Shifts& shifts, const std::vector<Operand>& factors) {
  Shares out;
  std::optional<SumPower> found;
  for (; out.under < factors.size() && !found; ++out.under) found = quotient(graph, factors[out.under]);
  if (!found) return std::nullopt;
  --out.under;
  out.sum = *found;
  const auto most = static_cast<std::size_t>(-found->exponent);
  for (std::size_t k = 0; k < factors.size() && out.above.size() < most; ++k)
    if (is_exponential(graph, shifts, factors[k])) out.above.push_back(k);
  return out.above.empty() ? std::nullopt : std::optional(out);
}

/// Whether factors with an exponential of this exponent are a term of a sum: large only where its weight is 0.
bool is_term(const Weighted& sum, const std::vector<Operand>& factors, const Operand& x) {
  const auto reads = [](const Operand& o) { return [&](const auto& other) { return other.expr == o.expr; }; };
  return std::ranges::any_of(sum.exponents, [&](const Term& t) { return t.operand.expr == x.expr; }) &&
         std::ranges::all_of(sum.weights, [&](const Operand& w) { return std::ranges::any_of(factors, reads(w)); });
}

Operand raised(Graph& graph, Expr base, std::int64_t exponent, const std::vector<Subscript>& at) {
  if (exponent == 0) return {graph.constant(1), {}};
  return {graph.apply(Function::power, {base, graph.constant(exponent)}), at};
}

/// The factors with the quotient and exponentials among them shifted, for people exp(y - log(Σ w·exp(x))).
void shift_factors(Graph& graph, Spread& spread, const Shares& s, Shifts& shifts) {
  const Expr base = s.sum.sum.expr;
  const Weighted w = split(graph, graph[base]);
  const std::vector<Subscript> at = s.sum.sum.subscripts;
  const auto times = static_cast<std::int64_t>(s.above.size());
  Operand shift{{}, at};
  spread.factors[s.under] = raised(graph, base, s.sum.exponent + times, at);
  if (shifts.are_made()) {
    const Node sum = graph[base];
    const Shifted moved = shifted(graph, sum, w);
    shift.expr = moved.shift;
    spread.number = spread.number * *sum.coefficients[0].power(-times);
    spread.factors.push_back(raised(graph, moved.total, -times, at));
  } else {
    shifts.remember(base);
    shift.expr = graph.apply(Function::log, {base});
  }
  for (const std::size_t k : s.above) {
    const Operand x = graph.substitute(graph[spread.factors[k].expr].operands[0], spread.factors[k].subscripts);
    const bool bounded = shifts.are_made() && is_term(w, spread.factors, x);
    const Expr moved = graph.sum(spread.labels, {{1, x}, {-1, shift}});
    spread.factors[k] =
        call_on_used(graph, spread.labels, bounded ? Function::exp_saturated : Function::exp, {narrowed(graph, moved)});
  }
}

/// Σ v·exp(y) among factors that are divided by Σ w·exp(x): each with a shift of its own, or for people with the
/// logarithm of the other inside.
bool shift_sum(Graph& graph, Spread& own, std::size_t above, std::size_t under, Shifts& shifts) {
  const Operand read = own.factors[above];
  const Node sum = graph[read.expr];
  const Weighted v = split(graph, sum);
  const auto q = quotient(graph, own.factors[under]);
  if (!q || v.exponents.empty()) return false;
  if (!shifts.are_made()) return false;
  const Node divisor = graph[q->sum.expr];
  const Shifted a = shifted(graph, sum, v), b = shifted(graph, divisor, split(graph, divisor));
  own.factors[above] = {a.total, read.subscripts};
  own.factors[under] = raised(graph, q->sum.expr, q->exponent + 1, q->sum.subscripts);
  own.factors.push_back(raised(graph, b.total, -1, q->sum.subscripts));
  own.number = own.number * sum.coefficients[0] / divisor.coefficients[0];
  const Expr gap = graph.sum(own.labels, {{1, {a.shift, read.subscripts}}, {-1, {b.shift, q->sum.subscripts}}});
  own.factors.push_back(call_on_used(graph, own.labels, Function::exp, {narrowed(graph, gap)}));
  return true;
}

}  // namespace

std::optional<Expr> shifted_quotient(Graph& graph, Shifts& shifts, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2) return std::nullopt;
  const bool left = shifts.form() == Shifts::Form::quotients;
  Spread own{n.labels, n.rank, factors_of(graph, n), n.guards, n.coefficients[0]};
  if (own.factors.size() >= most_factors) return std::nullopt;
  if (const auto s = shares(graph, shifts, own.factors)) {
    if (left) shifts.remember(s->sum.sum.expr);
    if (left) return std::nullopt;
    shift_factors(graph, own, *s, shifts);
    return graph.contraction(n.labels, n.rank, own.number, std::move(own.factors), n.guards);
  }
  const auto is_under = [&](const Operand& o) { return quotient(graph, o).has_value(); };
  const auto is_above = [&](const Operand& o) { return is_exponential(graph, shifts, o); };
  for (std::size_t k = 0; k < own.factors.size(); ++k) {
    const Operand sum = own.factors[k];
    if (!is_summed(graph[sum.expr])) continue;
    const std::vector<Operand> parts = factors_of(graph, graph[sum.expr]);
    const bool above = std::ranges::any_of(parts, is_above), under = std::ranges::any_of(parts, is_under);
    for (std::size_t m = 0; m < own.factors.size(); ++m) {
      const Operand other = own.factors[m];
      if (m == k || !((is_under(other) && above) || (is_above(other) && under))) continue;
      if (is_under(other) && shift_sum(graph, own, k, m, shifts))
        return graph.contraction(n.labels, n.rank, own.number, std::move(own.factors), n.guards);
      Spread spread = inside(graph, n, sum, other);
      const auto s = shares(graph, shifts, spread.factors);
      if (!s || spread.factors.size() >= most_factors) continue;
      if (left) shifts.remember(s->sum.sum.expr);
      if (left) return std::nullopt;
      shift_factors(graph, spread, *s, shifts);
      own.factors[k] = narrowed(graph, graph.contraction(std::move(spread.labels), spread.rank, spread.number,
                                                         std::move(spread.factors), std::move(spread.guards)));
      own.factors.erase(own.factors.begin() + static_cast<std::ptrdiff_t>(m));
      return graph.contraction(n.labels, n.rank, own.number, std::move(own.factors), n.guards);
    }
  }
  return std::nullopt;
}

std::optional<Expr> common_quotient(Graph& graph, const Shifts& shifts, Expr e) {
  constexpr std::size_t most_terms = 8;
  const Node& n = graph[e];
  if (n.kind != Kind::sum || shifts.empty() || n.operands.size() > most_terms) return std::nullopt;
  const auto rank = static_cast<std::uint32_t>(n.labels.size());
  std::optional<SumPower> shared;
  std::vector<std::vector<Operand>> factors;
  std::vector<std::size_t> at;
  for (const auto& term : n.operands) {
    factors.push_back(rules::factors_of(graph, term).operands);
    if (!rules::factors_of(graph, term).coefficient.is_one()) return std::nullopt;
    const auto is_shared = [&](const Operand& o) {
      const auto q = quotient(graph, o);
      return q && shifts.remembers(q->sum.expr) && (!shared || shared->sum == q->sum);
    };
    const auto found = std::ranges::find_if(factors.back(), is_shared);
    if (found == factors.back().end()) return std::nullopt;
    const SumPower q = *quotient(graph, *found);
    if (!shared || q.exponent > shared->exponent) shared = q;
    at.push_back(static_cast<std::size_t>(found - factors.back().begin()));
  }
  std::vector<Term> terms;
  for (std::size_t k = 0; k < factors.size(); ++k) {
    const SumPower q = *quotient(graph, factors[k][at[k]]);
    factors[k][at[k]] = raised(graph, q.sum.expr, q.exponent - shared->exponent, q.sum.subscripts);
    terms.push_back({n.coefficients[k], {graph.contraction(n.labels, rank, 1, factors[k]), graph.identity(rank)}});
  }
  const Operand quotient = raised(graph, shared->sum.expr, shared->exponent, shared->sum.subscripts);
  return graph.contraction(n.labels, rank, 1,
                           {quotient, {graph.sum(n.labels, std::move(terms)), graph.identity(rank)}});
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
