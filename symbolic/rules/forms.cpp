// Weighted logarithms and compound interest.
#include "symbolic/rules/forms.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/monomial.hpp"

namespace gradus::rules {
namespace {

bool uses_all(const Operand& o, const std::vector<char>& labels, std::size_t count) {
  std::vector<char> seen(labels.size(), 0);
  std::size_t found = 0;
  Graph::each_label(o, [&](Label l) {
    if (labels[l] != 0 && std::exchange(seen[l], 1) == 0) ++found;
  });
  return found == count;
}

/// Something that is 0 only where what it divides by is infinite.
bool is_reciprocal(const Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::elementwise || n.function != Function::power) return false;
  const Rational* q = graph.constant_value(n.operands[1].expr);
  return q != nullptr && q->sign() < 0;
}

/// What a logarithm with a weight is, 0 where the weight is 0.
std::optional<Function> weighted_logarithm(Function f) {
  switch (f) {
    case Function::log:
      return Function::xlogy;
    case Function::log1p:
      return Function::xlog1py;
    case Function::log_ratio:
      return Function::xlog_ratio;
    case Function::log_difference:
      return Function::xlog_difference;
    case Function::log_share:
      return Function::wlog_share;
    default:
      return std::nullopt;
  }
}

/// The exponents for which rounding 1 + x costs no more than the power itself.
constexpr int small_exponent = 8;

}  // namespace

bool is_left(const Graph& graph, const Shifts& shifts, Expr e) {
  if (shifts.empty()) return false;
  const Node& n = graph[e];
  if (n.kind == Kind::sum)
    return std::ranges::any_of(n.operands, [&](const Operand& o) {
      return graph[o.expr].kind == Kind::elementwise && is_left(graph, shifts, o.expr);
    });
  if (!is_call(n, Function::log)) return false;
  const Operand& inside = n.operands[0];
  const Node& product = graph[inside.expr];
  const auto is_sum = [&](const Operand& o) {
    const Node& f = graph[o.expr];
    return shifts.remembers(o.expr) || (is_call(f, Function::power) && shifts.remembers(f.operands[0].expr));
  };
  return is_sum(inside) || (is_product(product) && std::ranges::any_of(product.operands, is_sum));
}

std::optional<Expr> times_logarithm(Graph& graph, Facts& facts, const Shifts& shifts, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Node& log = graph[n.operands[k].expr];
    const auto weighted = log.kind == Kind::elementwise ? weighted_logarithm(log.function) : std::nullopt;
    if (!weighted || is_left(graph, shifts, n.operands[k].expr)) continue;
    if (log.function == Function::log && graph.is_constant(log.operands[0].expr)) continue;
    std::vector<char> labels(n.labels.size(), 0);
    std::size_t count = 0;
    Graph::each_label(n.operands[k], [&](Label l) { count += std::exchange(labels[l], 1) == 0 ? 1 : 0; });
    // Reading a table at the place of another one is no product element by element.
    std::vector<Operand> weights, others;
    for (std::size_t m = 0; m < n.operands.size(); ++m) {
      if (m == k) continue;
      const bool weight = uses_all(n.operands[m], labels, count) && !facts.positive(n.operands[m].expr) &&
                          !is_reciprocal(graph, n.operands[m].expr);
      (weight ? weights : others).push_back(n.operands[m]);
    }
    if (weights.empty()) continue;
    const auto all = static_cast<std::uint32_t>(n.labels.size());
    std::vector<Label> used;
    for (const auto& w : weights)
      Graph::each_label(w, [&](Label l) {
        if (std::ranges::find(used, l) == used.end()) used.push_back(l);
      });
    std::vector<Subscript> map(all), read;
    std::vector<Size> sizes;
    for (const Label l : used) {
      map[l] = graph.label(static_cast<Label>(sizes.size()));
      sizes.push_back(n.labels[l]);
      read.push_back(graph.label(l));
    }
    std::vector<Operand> moved;
    for (const auto& w : weights) moved.push_back(graph.substitute(w, map));
    const auto rank = static_cast<std::uint32_t>(sizes.size());
    const Operand weight =
        moved.size() == 1 ? moved[0] : graph.whole(graph.contraction(sizes, rank, 1, std::move(moved)));
    const auto subscripts = graph.substitute(n.operands[k], map).subscripts;
    std::vector<Operand> operands{weight};
    for (const auto& o : log.operands) operands.push_back(graph.substitute(o, subscripts));
    others.push_back({graph.elementwise(*weighted, sizes, std::move(operands)), read});
    return graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(others), n.guards);
  }
  return std::nullopt;
}

namespace {

/// Whether a value is a term of a sum, with whatever weight; of a sum over an axis, at some place.
bool sums(Graph& graph, const Operand& sum, const Operand& value) {
  const Node& n = graph[sum.expr];
  if (n.operands.size() > most_factors) return false;
  if (n.kind == Kind::contraction && n.labels.size() > n.rank)
    return std::ranges::any_of(n.operands, [&](const Operand& o) { return o.expr == value.expr; });
  return n.kind == Kind::sum && std::ranges::any_of(n.operands, [&](const Operand& term) {
           const Factors f = factors_of(graph, graph.substitute(term, sum.subscripts));
           return std::ranges::find(f.operands, value) != f.operands.end();
         });
}

std::vector<Term> terms_of(Graph& graph, const Operand& o) {
  const Node& n = graph[o.expr];
  if (n.kind != Kind::sum) return {{1, o}};
  std::vector<Term> out;
  for (std::size_t k = 0; k < n.operands.size() && n.operands.size() <= most_factors; ++k)
    out.push_back({n.coefficients[k], graph.substitute(n.operands[k], o.subscripts)});
  return out;
}

/// A logarithm's argument as a sum that a value is a term of, and what it is multiplied by.
struct LogOfSumWith {
  Power sum;
  Monomial others;
};

std::optional<LogOfSumWith> log_of_sum_with(Graph& graph, const Operand& log, const Operand& value) {
  const Node& n = graph[log.expr];
  const bool ratio = is_call(n, Function::log_ratio) || is_call(n, Function::log_difference);
  if (!ratio && !is_call(n, Function::log)) return std::nullopt;
  LogOfSumWith out;
  for (std::size_t k = 0; k < n.operands.size(); ++k)
    if (!multiply(graph, out.others, graph.substitute(n.operands[k], log.subscripts), k == 0 ? 1 : -1))
      return std::nullopt;
  for (Power& p : out.others.powers) {
    if (!sums(graph, p.base, value)) continue;
    out.sum = p;
    p.exponent = 0;
    return out;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Expr> distribute_logarithm(Graph& graph, Expr e) {
  const Node n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  const auto rank = static_cast<std::uint32_t>(n.labels.size());
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const std::vector<Term> terms = terms_of(graph, n.operands[k]);
    for (std::size_t m = 0; m < n.operands.size(); ++m) {
      const Operand weight = n.operands[m];
      if (m == k || is_reciprocal(graph, weight.expr)) continue;
      const auto log_of = [&](const Operand& o) {
        return narrowed(graph, graph.elementwise(Function::log, n.labels, {o}));
      };
      const auto times = [&](const Operand& o) {
        return narrowed(graph, graph.contraction(n.labels, rank, 1, {weight, o}));
      };
      std::vector<Term> logs, rest;
      for (const Term& t : terms) {
        const auto log = log_of_sum_with(graph, t.operand, weight);
        if (!log) {
          rest.push_back(t);
          continue;
        }
        const Expr weighted = graph.elementwise(Function::xlogy, n.labels, {weight, log->sum.base});
        logs.push_back({t.coefficient * log->sum.exponent, narrowed(graph, weighted)});
        const Operand others = whole_product(graph, n.labels, log->others);
        if (!graph.is_constant(others.expr, 1)) rest.push_back({t.coefficient, log_of(others)});
      }
      if (logs.empty()) continue;
      if (!rest.empty()) logs.push_back({1, times(narrowed(graph, graph.sum(n.labels, std::move(rest))))});
      std::vector<Operand> operands{narrowed(graph, graph.sum(n.labels, std::move(logs)))};
      for (std::size_t t = 0; t < n.operands.size(); ++t)
        if (t != k && t != m) operands.push_back(n.operands[t]);
      return graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(operands), n.guards);
    }
  }
  return std::nullopt;
}

namespace {

/// What is left of a sum when a term 1 is taken out of it; nothing when there is none.
std::optional<Operand> beside_one(Graph& graph, const Operand& o) {
  const Node& base = graph[o.expr];
  if (base.kind != Kind::sum || base.operands.size() > most_factors) return std::nullopt;
  std::vector<Term> rest;
  bool one = false;
  for (std::size_t k = 0; k < base.operands.size(); ++k) {
    if (graph.is_constant(base.operands[k].expr, 1) && base.coefficients[k].is_one() && !one)
      one = true;
    else
      rest.push_back({base.coefficients[k], base.operands[k]});
  }
  if (!one || rest.empty()) return std::nullopt;
  return Operand{graph.sum(base.labels, std::move(rest)), o.subscripts};
}

}  // namespace

namespace {

/// The logarithm of a value near 1 that has one of its own, or nothing: of sigmoid(x), 1 - exp(x), normal_cdf(x).
std::optional<Operand> logarithm_of(Graph& graph, const Operand& o) {
  Operand call = o;
  const Node* f = &graph[o.expr];
  const bool minus = is_product(*f) && f->operands.size() == 1 && f->coefficients[0] == Rational(-1);
  if (minus) {
    call = graph.substitute(f->operands[0], o.subscripts);
    f = &graph[call.expr];
  }
  if (f->kind != Kind::elementwise) return std::nullopt;
  std::optional<Function> to;
  if (minus && f->function == Function::expm1) to = Function::log1mexp;
  if (!minus && f->function == Function::sigmoid) to = Function::log_sigmoid;
  if (!minus && f->function == Function::normal_cdf) to = Function::log_normal_cdf;
  if (!to) return std::nullopt;
  const std::vector<Size> labels = f->labels;
  const std::vector<Operand> operands = f->operands;
  return Operand{graph.elementwise(*to, labels, operands), call.subscripts};
}

/// Which term of a short sum is the number.
std::optional<std::size_t> term_of_one(const Graph& graph, const Node& n) {
  if (n.kind != Kind::sum || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  const auto one = std::ranges::find_if(n.operands, [&](const Operand& o) { return graph.is_constant(o.expr, 1); });
  if (one == n.operands.end()) return std::nullopt;
  return static_cast<std::size_t>(one - n.operands.begin());
}

/// A sum of some terms and those of n, but for two of them.
Expr with_others(Graph& graph, const Node& n, std::vector<Term> terms, std::size_t first, std::size_t second) {
  for (std::size_t k = 0; k < n.operands.size(); ++k)
    if (k != first && k != second) terms.push_back({n.coefficients[k], n.operands[k]});
  return graph.sum(n.labels, std::move(terms));
}

}  // namespace

std::optional<Expr> power_less_one(Graph& graph, Expr e) {
  const Node& n = graph[e];
  const auto one = term_of_one(graph, n);
  if (!one) return std::nullopt;
  const std::size_t at = *one;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Node& power = graph[n.operands[k].expr];
    const bool is_power = power.kind == Kind::elementwise && power.function == Function::power;
    if (!is_power || !(n.coefficients[k] + n.coefficients[at]).is_zero()) continue;
    const Operand x = graph.substitute(power.operands[0], n.operands[k].subscripts);
    const Operand y = graph.substitute(power.operands[1], n.operands[k].subscripts);
    const auto log = logarithm_of(graph, x);
    const auto rest = beside_one(graph, x);
    if (is_call(graph[x.expr], Function::exp)) {
      const Operand u = graph.substitute(graph[x.expr].operands[0], x.subscripts);
      const Expr exponent = graph.contraction(n.labels, n.rank, 1, {y, u});
      const Expr to = graph.elementwise(Function::expm1, n.labels, {{exponent, graph.identity(n.rank)}});
      std::vector<Term> terms{{n.coefficients[k], {to, graph.identity(n.rank)}}};
      return with_others(graph, n, std::move(terms), k, at);
    }
    const Rational* q = graph.constant_value(y.expr);
    if (log && !(q != nullptr && q->is_integer() && Rational(-3) < *q && *q < Rational(3))) {
      const Expr exponent = graph.contraction(n.labels, n.rank, 1, {y, *log});
      const Expr to = graph.elementwise(Function::expm1, n.labels, {{exponent, graph.identity(n.rank)}});
      std::vector<Term> terms{{n.coefficients[k], {to, graph.identity(n.rank)}}};
      return with_others(graph, n, std::move(terms), k, at);
    }
    if (!rest && q != nullptr && q->is_integer()) continue;
    if (rest && q != nullptr && *q == Rational(-1)) continue;
    const Expr to = rest ? graph.elementwise(Function::compound_minus_one, n.labels, {*rest, y})
                         : graph.elementwise(Function::power_minus_one, n.labels, {x, y});
    std::vector<Term> terms{{n.coefficients[k], {to, graph.identity(n.rank)}}};
    return with_others(graph, n, std::move(terms), k, at);
  }
  return std::nullopt;
}

std::optional<Expr> compound_power(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::elementwise || n.function != Function::power) return std::nullopt;
  if (const Rational* q = graph.constant_value(n.operands[1].expr))
    if (q->sign() <= 0 || !(Rational(small_exponent) < *q)) return std::nullopt;
  const auto x = beside_one(graph, n.operands[0]);
  if (!x) return std::nullopt;
  return graph.view(n.labels,
                    {graph.elementwise(Function::compound, n.labels, {*x, n.operands[1]}), graph.identity(n.rank)});
}

namespace {

/// Whether 1 - f, or 1 + f, has a form of its own.
bool has_complement(const Graph& graph, const Node& n, bool minus) {
  if (n.kind != Kind::elementwise) return false;
  switch (n.function) {
    case Function::tanh:
    case Function::erf:
      return true;
    case Function::sigmoid:
    case Function::normal_cdf:
    case Function::exp:
    case Function::cos:
    case Function::cosh:
      return minus;
    case Function::power: {
      const Node& base = graph[n.operands[0].expr];
      return minus && graph.is_constant(n.operands[1].expr, 2) && base.kind == Kind::elementwise &&
             (base.function == Function::tanh || base.function == Function::sigmoid || base.function == Function::sin ||
              base.function == Function::cos);
    }
    default:
      return false;
  }
}

}  // namespace

std::optional<Expr> keep_complement(Graph& graph, Expr e) {
  const Node& n = graph[e];
  const auto one = term_of_one(graph, n);
  if (!one) return std::nullopt;
  const std::size_t at = *one;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Rational ratio = n.coefficients[at] / n.coefficients[k];
    const bool minus = ratio.sign() < 0;
    const Rational off = (minus ? -ratio : ratio) - Rational(1);
    const bool is_guard = !off.is_zero() && Rational::ratio(-1, 100) < off && off < Rational::ratio(1, 100);
    if (k == at || !is_guard || !has_complement(graph, graph[n.operands[k].expr], minus)) continue;
    const Rational whole = minus ? -n.coefficients[k] : n.coefficients[k];
    const Expr complement = graph.sum(n.labels, {{whole, n.operands[at]}, {n.coefficients[k], n.operands[k]}});
    std::vector<Term> terms{{1, {complement, graph.identity(n.rank)}}, {n.coefficients[at] - whole, n.operands[at]}};
    return with_others(graph, n, std::move(terms), k, at);
  }
  return std::nullopt;
}

std::optional<Expr> log_of_scaled_sum(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (!is_call(n, Function::log)) return std::nullopt;
  const Factors f = factors_of(graph, n.operands[0]);
  if (f.operands.size() != 1 || f.coefficient.is_one()) return std::nullopt;
  std::vector<Term> rest;
  bool one = false;
  for (const Term& t : terms_of(graph, f.operands[0])) {
    const Rational* c = graph.constant_value(t.operand.expr);
    if (c != nullptr && (*c * t.coefficient * f.coefficient).is_one())
      one = true;
    else
      rest.push_back({t.coefficient * f.coefficient, t.operand});
  }
  if (!one || rest.empty()) return std::nullopt;
  return graph.elementwise(Function::log1p, n.labels, {narrowed(graph, graph.sum(n.labels, std::move(rest)))});
}

namespace {

/// A product and the argument of a function among its factors, which is taken out.
struct Beside {
  Monomial others;
  Operand argument;
};

std::optional<Beside> beside(Graph& graph, const Rational& number, const Operand& term, Function f) {
  Beside out;
  out.others.number = number;
  if (!multiply(graph, out.others, term, 1)) return std::nullopt;
  for (Power& p : out.others.powers) {
    const Node& call = graph[p.base.expr];
    if (!is_call(call, f) || p.exponent != 1) continue;
    out.argument = graph.substitute(call.operands[0], p.base.subscripts);
    p.exponent = 0;
    return out;
  }
  return std::nullopt;
}

}  // namespace

namespace {

/// What is left of a sum without a term, 0 where it is all of it; nothing where the term is not in it.
std::optional<Operand> left_of(Graph& graph, const std::vector<Size>& labels, const Operand& o, const Monomial& term) {
  std::vector<Term> rest;
  bool found = false;
  for (const Term& t : terms_of(graph, o)) {
    Monomial own;
    own.number = t.coefficient;
    if (!found && multiply(graph, own, t.operand, 1) && same(own, term))
      found = true;
    else
      rest.push_back(t);
  }
  if (!found) return std::nullopt;
  return narrowed(graph, graph.sum(labels, std::move(rest)));
}

/// exp(x)*exp(y) as exp(x + y), 1 where that is exp(0).
Monomial with_one_exponential(Graph& graph, const std::vector<Size>& labels, const Monomial& m) {
  Monomial out;
  out.number = m.number;
  std::vector<Term> exponents;
  for (const Power& p : m.powers) {
    if (is_call(graph[p.base.expr], Function::exp)) {
      for (Term& t : terms_of(graph, graph.substitute(graph[p.base.expr].operands[0], p.base.subscripts))) {
        const Factors f = factors_of(graph, t.operand);
        const auto rank = static_cast<std::uint32_t>(labels.size());
        const Operand whole = narrowed(graph, graph.contraction(labels, rank, 1, f.operands));
        exponents.push_back({t.coefficient * f.coefficient * p.exponent, whole});
      }
    } else if (p.exponent != 0) {
      out.powers.push_back(p);
    }
  }
  const Expr total = graph.sum(labels, std::move(exponents));
  if (!graph.is_zero(total)) out.multiply(call_on_used(graph, labels, Function::exp, {narrowed(graph, total)}), 1);
  return out;
}

}  // namespace

std::optional<Expr> improvement(Graph& graph, Expr e) {
  const Node n = graph[e];
  if (n.kind != Kind::sum || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  for (std::size_t a = 0; a < n.operands.size(); ++a) {
    const auto mass = beside(graph, n.coefficients[a], n.operands[a], Function::normal_cdf);
    if (!mass) continue;
    Monomial x;
    if (!multiply(graph, x, mass->argument, 1)) continue;
    Monomial exponent;
    exponent.number = -(x.number * x.number) / Rational(2);
    for (const Power& p : x.powers) exponent.multiply(p.base, 2 * p.exponent);
    for (std::size_t b = 0; b < n.operands.size(); ++b) {
      const auto density = b == a ? std::nullopt : beside(graph, n.coefficients[b], n.operands[b], Function::exp);
      const auto scale = density ? left_of(graph, n.labels, density->argument, exponent) : std::nullopt;
      if (!scale) continue;
      Monomial weight = density->others;
      const Expr two_pi = graph.scale(graph.apply(Function::pi, {}), 2);
      weight.multiply({graph.apply(Function::sqrt, {two_pi}), {}}, 1);
      if (!graph.is_zero(scale->expr)) weight.multiply(call_on_used(graph, n.labels, Function::exp, {*scale}), 1);
      Monomial product = weight;
      product.number = product.number * x.number;
      for (const Power& p : x.powers) product.multiply(p.base, p.exponent);
      if (!same(with_one_exponential(graph, n.labels, product), with_one_exponential(graph, n.labels, mass->others)))
        continue;
      weight.multiply(call_on_used(graph, n.labels, Function::improvement, {mass->argument}), 1);
      return with_others(graph, n, {{1, whole_product(graph, n.labels, weight)}}, a, b);
    }
  }
  return std::nullopt;
}

}  // namespace gradus::rules
