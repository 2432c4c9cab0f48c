// Differences of values of one function, and quotients and roots whose arguments are near or out of range.
#include "symbolic/rules/differences.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/monomial.hpp"

namespace gradus::rules {
namespace {

bool is_difference_of_distributions(const Node& n) {
  return is_call(n, Function::erf_difference) || is_call(n, Function::normal_cdf_difference) ||
         is_call(n, Function::sigmoid_difference);
}

}  // namespace

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

std::optional<Expr> exp_of_log_ratio(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (!is_call(n, Function::exp)) return std::nullopt;
  const Node& log = graph[n.operands[0].expr];
  if (!is_call(log, Function::log_ratio)) return std::nullopt;
  Monomial quotient;
  quotient.multiply(graph.substitute(log.operands[0], n.operands[0].subscripts), 1);
  quotient.multiply(graph.substitute(log.operands[1], n.operands[0].subscripts), -1);
  return graph.elementwise(Function::exp_log, n.labels, {whole_product(graph, n.labels, quotient)});
}

std::optional<Expr> log_of_power(Graph& graph, Facts& facts, Expr e) {
  const Node& n = graph[e];
  if (!is_call(n, Function::log) || !is_call(graph[n.operands[0].expr], Function::power)) return std::nullopt;
  const Node& power = graph[n.operands[0].expr];
  const Rational* q = graph.constant_value(power.operands[1].expr);
  // Of an even power the logarithm exists on both sides of 0.
  const bool even = q != nullptr && (*q / Rational(2)).is_integer();
  const bool one_sided = q != nullptr && !even && q->sign() > 0;
  if (!one_sided && !facts.nonnegative(power.operands[0].expr)) return std::nullopt;
  const Operand base = graph.substitute(power.operands[0], n.operands[0].subscripts);
  const Operand exponent = graph.substitute(power.operands[1], n.operands[0].subscripts);
  const auto rank = static_cast<std::uint32_t>(n.labels.size());
  const Operand log = narrowed(graph, graph.elementwise(Function::log, n.labels, {base}));
  return graph.contraction(n.labels, rank, 1, {exponent, log});
}

std::optional<Expr> log_of_difference(Graph& graph, Facts& facts, Expr e) {
  const Node& n = graph[e];
  if (!is_call(n, Function::log) || !is_product(graph[n.operands[0].expr])) return std::nullopt;
  const Node& product = graph[n.operands[0].expr];
  const auto found = std::ranges::find_if(
      product.operands, [&](const Operand& o) { return is_difference_of_distributions(graph[o.expr]); });
  if (found == product.operands.end()) return std::nullopt;
  Monomial others;
  others.number = product.coefficients[0];
  for (const auto& o : product.operands) {
    if (o == *found) continue;
    if (!facts.positive(o.expr)) return std::nullopt;
    others.multiply(graph.substitute(o, n.operands[0].subscripts), 1);
  }
  const Operand call = graph.substitute(*found, n.operands[0].subscripts);
  std::vector<Operand> ends;
  for (const auto& o : graph[call.expr].operands) ends.push_back(graph.substitute(o, call.subscripts));
  if (others.number.sign() < 0) {
    std::swap(ends[0], ends[1]);
    others.number = -others.number;
  }
  const Function f = graph[call.expr].function;
  const auto log_of = [&](const Operand& o) {
    return Term{1, narrowed(graph, graph.elementwise(Function::log, n.labels, {o}))};
  };
  std::vector<Term> terms{log_of(call_on_used(graph, n.labels, f, std::move(ends)))};
  if (!others.powers.empty() || !others.number.is_one())
    terms.push_back(log_of(whole_product(graph, n.labels, others)));
  return graph.sum(n.labels, std::move(terms));
}

namespace {

/// The terms of what a root, a logarithm or lgamma is of, in the labels of the sum; log1p(u) is of 1 + u.
std::vector<Term> terms_inside(Graph& graph, const Operand& call) {
  const Node& f = graph[call.expr];
  Term u{1, graph.substitute(f.operands[0], call.subscripts)};
  const Node& scaled = graph[u.operand.expr];
  if (is_product(scaled) && scaled.operands.size() == 1)
    u = {scaled.coefficients[0], graph.substitute(scaled.operands[0], u.operand.subscripts)};
  const Node& inside = graph[u.operand.expr];
  std::vector<Term> out;
  if (inside.kind == Kind::sum)
    for (std::size_t k = 0; k < inside.operands.size(); ++k)
      out.push_back(
          {u.coefficient * inside.coefficients[k], graph.substitute(inside.operands[k], u.operand.subscripts)});
  else
    out.push_back(u);
  if (f.function == Function::log1p) out.push_back({1, {graph.constant(1), {}}});
  return out;
}

Function step_of(Function f) {
  return f == Function::sqrt      ? Function::sqrt_step
         : f == Function::log     ? Function::log_shift
         : f == Function::digamma ? Function::digamma_difference
                                  : Function::lgamma_difference;
}

std::size_t count_terms(const Graph& graph, Expr e) {
  const Node& n = graph[e];
  return n.kind == Kind::sum ? n.operands.size() : graph.is_constant(e, 0) ? 0 : 1;
}

/// Two terms of a sum, and what replaces them.
struct Joined {
  std::size_t plus = 0, minus = 0;
  Expr value;
  std::size_t cost = SIZE_MAX;
};

Expr with_joined(Graph& graph, const Node& n, const Joined& j) {
  std::vector<Term> terms{{n.coefficients[j.plus], narrowed(graph, j.value)}};
  for (std::size_t t = 0; t < n.operands.size(); ++t)
    if (t != j.plus && t != j.minus) terms.push_back({n.coefficients[t], n.operands[t]});
  return graph.sum(n.labels, std::move(terms));
}

/// What the difference of two calls of a family is, when its arguments share terms or both are plain.
Joined joined(Graph& graph, const Node& n, Function f, std::size_t plus, std::size_t minus) {
  const Operand &x = n.operands[plus], &y = n.operands[minus];
  Joined out{plus, minus, {}, SIZE_MAX};
  const auto a = terms_inside(graph, x), b = terms_inside(graph, y);
  if (a.size() > most_factors || b.size() > most_factors) return out;
  std::vector<Term> difference = a;
  for (const auto& t : b) difference.push_back({-t.coefficient, t.operand});
  const Expr gap = graph.sum(n.labels, std::move(difference));
  const std::size_t left = count_terms(graph, gap);
  if (left > 0 && left + 2 <= a.size() + b.size()) {
    const Expr from = graph.sum(n.labels, b);
    out.value = graph.elementwise(step_of(f), n.labels, {narrowed(graph, from), narrowed(graph, gap)});
    out.cost = left;
    return out;
  }
  const bool plain =
      (f == Function::sqrt || f == Function::log) && graph[x.expr].function == f && graph[y.expr].function == f;
  if (!plain) return out;
  out.value = graph.elementwise(f == Function::sqrt ? Function::sqrt_difference : Function::log_difference, n.labels,
                                {graph.substitute(graph[x.expr].operands[0], x.subscripts),
                                 graph.substitute(graph[y.expr].operands[0], y.subscripts)});
  out.cost = most_factors;
  return out;
}

}  // namespace

std::optional<Expr> difference_of_calls(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::sum || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  const auto family = [&](const Operand& o) -> Function {
    const Node& f = graph[o.expr];
    if (is_call(f, Function::sqrt) || is_call(f, Function::lgamma) || is_call(f, Function::digamma)) return f.function;
    return is_call(f, Function::log) || is_call(f, Function::log1p) ? Function::log : Function::pi;
  };
  Joined best;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Function f = family(n.operands[k]);
    if (f == Function::pi || n.coefficients[k].sign() < 0) continue;
    for (std::size_t m = 0; m < n.operands.size(); ++m) {
      if (family(n.operands[m]) != f || !(n.coefficients[k] + n.coefficients[m]).is_zero()) continue;
      if (Joined j = joined(graph, n, f, k, m); j.cost < best.cost) best = j;
    }
  }
  if (best.cost == SIZE_MAX) return std::nullopt;
  return with_joined(graph, n, best);
}

std::optional<Expr> quotient_of_gammas(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    if (!is_call(graph[n.operands[k].expr], Function::gamma)) continue;
    for (std::size_t m = 0; m < n.operands.size(); ++m) {
      const Node& power = graph[n.operands[m].expr];
      if (!is_call(power, Function::power) || !graph.is_constant(power.operands[1].expr, -1)) continue;
      const Operand under = graph.substitute(power.operands[0], n.operands[m].subscripts);
      if (!is_call(graph[under.expr], Function::gamma)) continue;
      const auto a = terms_inside(graph, n.operands[k]), b = terms_inside(graph, under);
      std::vector<Term> difference = a;
      for (const auto& t : b) difference.push_back({-t.coefficient, t.operand});
      const Expr gap = graph.sum(n.labels, std::move(difference));
      const std::size_t left = count_terms(graph, gap);
      if (left == 0 || left + 2 > a.size() + b.size()) continue;
      const Expr ratio = graph.elementwise(Function::gamma_ratio, n.labels,
                                           {narrowed(graph, graph.sum(n.labels, b)), narrowed(graph, gap)});
      std::vector<Operand> operands{narrowed(graph, ratio)};
      for (std::size_t t = 0; t < n.operands.size(); ++t)
        if (t != k && t != m) operands.push_back(n.operands[t]);
      return graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(operands), n.guards);
    }
  }
  return std::nullopt;
}

std::optional<Expr> reciprocal_difference(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::sum || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Node& power = graph[n.operands[k].expr];
    if (!is_call(power, Function::power) || !graph.is_constant(power.operands[1].expr, -1)) continue;
    const Node& f = graph[power.operands[0].expr];
    const bool tan = is_call(f, Function::tan), tanh = is_call(f, Function::tanh);
    if (!tan && !tanh && !is_call(f, Function::expm1)) continue;
    const Operand call = graph.substitute(power.operands[0], n.operands[k].subscripts);
    const Operand u = graph.substitute(f.operands[0], call.subscripts);
    Monomial reciprocal;
    if (!multiply(graph, reciprocal, u, -1)) continue;
    for (std::size_t m = 0; m < n.operands.size(); ++m) {
      Monomial other;
      other.number = -(n.coefficients[m] / n.coefficients[k]);
      if (m == k || !multiply(graph, other, n.operands[m], 1) || !same(other, reciprocal)) continue;
      const Expr slope = graph.elementwise(tan    ? Function::sinc_slope
                                           : tanh ? Function::langevin
                                                  : Function::bose_gap,
                                           n.labels, {u});
      if (!tan) return with_joined(graph, n, {k, m, slope, 0});
      const Expr sinc = graph.elementwise(Function::sinc, n.labels, {u});
      const Operand under = narrowed(
          graph, graph.elementwise(Function::power, n.labels, {narrowed(graph, sinc), {graph.constant(-1), {}}}));
      const auto rank = static_cast<std::uint32_t>(n.labels.size());
      return with_joined(graph, n, {k, m, graph.contraction(n.labels, rank, 1, {narrowed(graph, slope), under}), 0});
    }
  }
  return std::nullopt;
}

namespace {

/// The product whose square a product is, or nothing.
std::optional<Monomial> root_of(Graph& graph, const Operand& o, const Rational& number) {
  const auto root = [](std::int64_t x) {
    std::int64_t r = 0;
    while (r * r < x && r < 4096) ++r;
    return r * r == x ? std::optional(r) : std::nullopt;
  };
  Monomial m;
  m.number = number;
  if (graph.is_constant(o.expr) || !multiply(graph, m, o, 1)) return std::nullopt;
  const auto top = Rational(m.number.numerator()).as_int64(), under = Rational(m.number.denominator()).as_int64();
  if (m.number.sign() <= 0 || !top || !under) return std::nullopt;
  const auto a = root(*top), b = root(*under);
  const bool even = std::ranges::all_of(m.powers, [](const Power& p) { return p.exponent % 2 == 0; });
  const bool value = std::ranges::any_of(m.powers, [&](const Power& p) {
    return p.exponent > 0 && !is_size_power(graph, p.base.expr) && graph[p.base.expr].kind != Kind::constant;
  });
  if (!a || !b || !even || !value) return std::nullopt;
  for (auto& p : m.powers) p.exponent /= 2;
  m.number = Rational::ratio(*a, *b);
  return m;
}

}  // namespace

std::optional<Expr> root_of_squares(Graph& graph, Expr e) {
  const Node& n = graph[e];
  const bool half = is_call(n, Function::power) && graph.is_constant(n.operands[1].expr, Rational::ratio(1, 2));
  const bool log = is_call(n, Function::log);
  if (!half && !log && !is_call(n, Function::sqrt)) return std::nullopt;
  if (log && graph[n.operands[0].expr].operands.size() != 2) return std::nullopt;
  const Node& sum = graph[n.operands[0].expr];
  if (sum.kind != Kind::sum || sum.operands.size() > most_factors) return std::nullopt;
  std::vector<Operand> sides;
  std::vector<Term> rest;
  for (std::size_t k = 0; k < sum.operands.size(); ++k) {
    const Operand o = graph.substitute(sum.operands[k], n.operands[0].subscripts);
    const auto side = sides.size() < 2 ? root_of(graph, o, sum.coefficients[k]) : std::nullopt;
    if (side)
      sides.push_back(whole_product(graph, n.labels, *side));
    else
      rest.push_back({sum.coefficients[k], o});
  }
  const auto rank = static_cast<std::uint32_t>(n.labels.size());
  if (sides.size() == 2 && rest.empty()) {
    const Expr hypot = graph.elementwise(Function::hypot, n.labels, sides);
    if (!log) return hypot;
    const Expr of = graph.elementwise(Function::log, n.labels, {narrowed(graph, hypot)});
    return graph.contraction(n.labels, rank, 2, {narrowed(graph, of)});
  }
  if (log || sides.empty() || sum.operands.size() > 3) return std::nullopt;
  if (sides.size() == 2) {
    const Expr hypot = graph.elementwise(Function::hypot, n.labels, sides);
    sides = {narrowed(graph, hypot)};
  }
  Operand other;
  const Rational* number = rest.size() == 1 ? graph.constant_value(rest[0].operand.expr) : nullptr;
  if (number != nullptr)
    other = {graph.constant(*number * rest[0].coefficient), {}};
  else
    other = narrowed(graph, graph.sum(n.labels, std::move(rest)));
  return graph.elementwise(Function::sqrt_square_plus, n.labels, {sides[0], other});
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
      const auto root = root_of(graph, graph.substitute(sum.operands[t], p.base.subscripts), sum.coefficients[t]);
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

std::optional<Expr> asinh_of_half(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (!is_call(n, Function::log)) return std::nullopt;
  Operand inside = n.operands[0];
  Rational c = 1;
  if (is_product(graph[inside.expr]) && graph[inside.expr].operands.size() == 1) {
    c = graph[inside.expr].coefficients[0];
    inside = graph.substitute(graph[inside.expr].operands[0], inside.subscripts);
  }
  const Node& sum = graph[inside.expr];
  if (sum.kind != Kind::sum || sum.operands.size() != 2 || !(sum.coefficients[0] == sum.coefficients[1]))
    return std::nullopt;
  const Rational scale = c * sum.coefficients[0];
  for (const std::size_t k : {std::size_t{0}, std::size_t{1}}) {
    const Operand call = graph.substitute(sum.operands[k], inside.subscripts);
    const Operand x = graph.substitute(sum.operands[1 - k], inside.subscripts);
    const Node& root = graph[call.expr];
    if (!is_call(root, Function::sqrt_square_plus)) continue;
    const Rational* q = graph.constant_value(root.operands[1].expr);
    // log((x + sqrt(x^2 + r^2))/r)
    if (q == nullptr || !(*q * scale * scale == Rational(1)) || scale.sign() <= 0) continue;
    if (graph.substitute(root.operands[0], call.subscripts) != x) continue;
    const Operand scaled{graph.scale(x.expr, scale), x.subscripts};
    return graph.elementwise(Function::asinh, n.labels, {scaled});
  }
  return std::nullopt;
}

std::optional<Expr> root_minus_number(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::sum || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  const auto one = std::ranges::find_if(n.operands, [&](const Operand& o) { return graph.is_constant(o.expr, 1); });
  if (one == n.operands.end()) return std::nullopt;
  const auto at = static_cast<std::size_t>(one - n.operands.begin());
  const auto rank = static_cast<std::uint32_t>(n.labels.size());
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Node& f = graph[n.operands[k].expr];
    const bool square = is_call(f, Function::sqrt_square_plus);
    if (!square && !is_call(f, Function::sqrt)) continue;
    const Rational q = -(n.coefficients[at] / n.coefficients[k]);
    if (q.sign() <= 0 || q.is_one()) continue;
    const Operand inside = graph.substitute(f.operands[0], n.operands[k].subscripts);
    Operand u;
    if (square) {
      if (!graph.is_constant(f.operands[1].expr, q * q)) continue;
      u = {graph.scale(inside.expr, Rational(1) / q), inside.subscripts};
    } else {
      const Node& sum = graph[inside.expr];
      if (sum.kind != Kind::sum || sum.operands.size() > most_factors) continue;
      std::vector<Term> rest;
      bool found = false;
      for (std::size_t t = 0; t < sum.operands.size(); ++t) {
        if (graph.is_constant(sum.operands[t].expr, 1) && sum.coefficients[t] == q * q)
          found = true;
        else
          rest.push_back({sum.coefficients[t] / (q * q), sum.operands[t]});
      }
      if (!found || rest.empty()) continue;
      u = {graph.sum(sum.labels, std::move(rest)), inside.subscripts};
    }
    const Expr to = graph.elementwise(square ? Function::sqrt1pm1_square : Function::sqrt1pm1, n.labels, {u});
    return with_joined(graph, n, {k, at, graph.contraction(n.labels, rank, q, {narrowed(graph, to)}), 0});
  }
  return std::nullopt;
}

std::optional<Expr> hypot_minus_side(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::sum || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Operand& call = n.operands[k];
    if (!is_call(graph[call.expr], Function::hypot)) continue;
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      const Operand x = graph.substitute(graph[call.expr].operands[side], call.subscripts);
      const Operand y = graph.substitute(graph[call.expr].operands[1 - side], call.subscripts);
      for (std::size_t m = 0; m < n.operands.size(); ++m)
        if (m != k && n.operands[m] == x && (n.coefficients[k] + n.coefficients[m]).is_zero())
          return with_joined(graph, n, {k, m, graph.elementwise(Function::hypot_minus, n.labels, {x, y}), 0});
    }
  }
  return std::nullopt;
}

}  // namespace gradus::rules
