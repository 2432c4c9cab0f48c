// Quotients by weighted sums of exponentials: each sum with its own shift, or as people read them.
#include "symbolic/rules/shifted_quotients.hpp"

#include <algorithm>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/weighted_sums.hpp"

namespace gradus::rules {
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

/// Σ v·exp(y) among factors that are divided by Σ w·exp(x), each with a shift of its own; not for people.
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

}  // namespace gradus::rules
