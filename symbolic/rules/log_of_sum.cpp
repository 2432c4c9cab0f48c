// The logarithm of a sum whose terms may be exponentials, sums of exponentials, or products of sigmoids.
#include "symbolic/rules/log_of_sum.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"

namespace gradus::rules {
namespace {

bool is_number(const Monomial& m) { return m.powers.empty(); }

/// A positive number other than 1.
bool is_base(const Graph& graph, Expr e) {
  const Rational* c = graph.constant_value(e);
  return c != nullptr && c->sign() > 0 && !c->is_one();
}

}  // namespace

std::optional<Operand> exponent_of(Graph& graph, const std::vector<Size>& labels, const Operand& o) {
  const Node& f = graph[o.expr];
  if (f.kind != Kind::elementwise) return std::nullopt;
  const auto at = [&](std::size_t k) { return graph.substitute(graph[o.expr].operands[k], o.subscripts); };
  const auto times = [&](const Operand& factor, const Operand& u) {
    const auto rank = static_cast<std::uint32_t>(labels.size());
    return narrowed(graph, graph.contraction(labels, rank, 1, {factor, u}));
  };
  const auto log_of = [&](const Rational& c) { return Operand{graph.apply(Function::log, {graph.constant(c)}), {}}; };
  switch (f.function) {
    case Function::exp:
      return at(0);
    case Function::exp2:
      return times(log_of(2), at(0));
    case Function::sqrt:
    case Function::power: {
      const bool root = f.function == Function::sqrt;
      const Expr base = f.operands[0].expr;
      if (is_call(graph[base], Function::exp)) {
        const Operand u = graph.substitute(graph[base].operands[0], at(0).subscripts);
        return times(root ? Operand{graph.constant(Rational::ratio(1, 2)), {}} : at(1), u);
      }
      if (root || !is_base(graph, base) || graph.is_constant(f.operands[1].expr)) return std::nullopt;
      return times(log_of(*graph.constant_value(base)), at(1));
    }
    default:
      return std::nullopt;
  }
}

std::optional<Exponential> exponential_of(Graph& graph, Facts& facts, const Shifts& shifts,
                                          const std::vector<Size>& labels, const Term& term) {
  Exponential out;
  out.weight.number = term.coefficient;
  std::vector<Term> exponents;
  std::vector<Operand> factors{term.operand};
  if (is_product(graph[term.operand.expr])) {
    Factors f = factors_of(graph, term.operand);
    out.weight.number = out.weight.number * f.coefficient;
    factors = std::move(f.operands);
  }
  for (const auto& o : factors) {
    const Node& f = graph[o.expr];
    const bool less_one = is_call(f, Function::expm1), written = is_call(f, Function::exp);
    const auto exponent = less_one ? graph.substitute(f.operands[0], o.subscripts) : exponent_of(graph, labels, o);
    if (exponent) {
      if (!exponents.empty() && !out.is_made) return std::nullopt;
      exponents.push_back({1, *exponent});
      out.less_one = out.less_one || less_one;
      out.is_power = out.is_power || !(less_one || written);
    } else if (const auto sum = sum_as_exponential(graph, facts, shifts, o)) {
      out.is_made = true;
      out.weight.number = out.weight.number * sum->weight.number;
      for (const Power& p : sum->weight.powers) out.weight.multiply(p.base, p.exponent);
      exponents.push_back({1, sum->exponent});
    } else {
      out.weight.multiply(o, 1);
    }
  }
  if (exponents.empty() || (out.less_one && exponents.size() > 1)) return std::nullopt;
  out.exponent =
      exponents.size() == 1 ? exponents[0].operand : narrowed(graph, graph.sum(labels, std::move(exponents)));
  return out;
}

LogOfSum::LogOfSum(Graph& graph, Facts& facts, Shifts& shifts, const Node& n)
    : graph_(graph),
      facts_(facts),
      shifts_(shifts),
      sum_(n.operands[0].expr),
      labels_(n.labels),
      rank_(static_cast<std::uint32_t>(n.labels.size())) {}

bool LogOfSum::read(const std::vector<Term>& terms) {
  for (const auto& t : terms) {
    auto e = exponential_of(graph_, facts_, shifts_, labels_, t);
    if (e && e->less_one) return false;
    if (e)
      exponentials_.push_back(std::move(*e));
    else
      rest_.push_back(t);
  }
  if (exponentials_.empty()) return read_sigmoids();
  const bool plain = std::ranges::all_of(exponentials_, [](const Exponential& e) {
    return !e.is_made && !e.is_power && is_number(e.weight) &&
           (e.weight.number.is_one() || (-e.weight.number).is_one());
  });
  const bool one = rest_.size() == 1 && rest_[0].coefficient.is_one() && graph_.is_constant(rest_[0].operand.expr, 1);
  return !plain || !(rest_.empty() || one);
}

bool LogOfSum::has_made() const {
  return std::ranges::any_of(exponentials_, [](const Exponential& e) { return e.is_made; });
}

Expr LogOfSum::logarithm() {
  std::vector<Operand> logs;
  if (!rest_.empty()) logs.push_back(call(Function::log, {sum(rest_)}));
  for (auto& e : exponentials_) {
    std::vector<Term> terms{{1, e.exponent}};
    if (!e.weight.number.is_one() || !is_number(e.weight))
      terms.push_back({1, call(Function::log, {whole_product(graph_, labels_, e.weight)})});
    logs.push_back(sum(std::move(terms)));
  }
  Operand all = logs[0];
  for (std::size_t k = 1; k < logs.size(); ++k) all = call(Function::logaddexp, {all, logs[k]});
  return all.expr;
}

std::optional<Expr> LogOfSum::stable() {
  if (is_all_positive()) return logarithm();
  const auto subtracted = [](const Exponential& e) { return is_number(e.weight) && e.weight.number.sign() < 0; };
  if (has_made() && std::ranges::all_of(exponentials_, subtracted)) return std::nullopt;  // what is large is none
  if (exponentials_.size() == 1 && !rest_.empty()) return with_kernel();
  if (!rest_.empty()) exponentials_.push_back(without_exponent());
  if (exponentials_.size() < 2 || exponentials_.size() > 3) return std::nullopt;
  if (!shifts_.are_made()) {
    shifts_.remember(sum_);
    return std::nullopt;
  }
  return shifted();
}

Operand LogOfSum::whole(Expr e) { return narrowed(graph_, e); }
Operand LogOfSum::call(Function f, std::vector<Operand> operands) {
  return whole(graph_.elementwise(f, labels_, std::move(operands)));
}
Operand LogOfSum::sum(std::vector<Term> terms) { return whole(graph_.sum(labels_, std::move(terms))); }

/// A truth value may be 0: its logarithm is -inf, which adds nothing.
bool LogOfSum::is_all_positive(const std::vector<Exponential>& exponentials, const std::vector<Term>& rest) {
  const auto has_logarithm = [&](const Power& p) {
    return facts_.positive(p.base.expr) || (p.exponent > 0 && graph_.is_condition(p.base.expr));
  };
  return std::ranges::all_of(exponentials,
                             [&](const Exponential& e) {
                               return e.weight.number.sign() > 0 && std::ranges::all_of(e.weight.powers, has_logarithm);
                             }) &&
         std::ranges::all_of(
             rest, [&](const Term& t) { return t.coefficient.sign() > 0 && facts_.positive(t.operand.expr); });
}

/// 1 - p*q of sigmoids is (1 - p) + p*(1 - q).
bool LogOfSum::read_complement() {
  if (rest_.size() != 2) return false;
  const std::size_t one = graph_.is_constant(rest_[0].operand.expr, 1) ? 0 : 1;
  if (!rest_[one].coefficient.is_one() || !graph_.is_constant(rest_[one].operand.expr, 1)) return false;
  const Factors f = factors_of(graph_, rest_[1 - one].operand);
  const auto is_sigmoid = [&](const Operand& o) { return is_call(graph_[o.expr], Function::sigmoid); };
  if (f.operands.size() < 3 || !(rest_[1 - one].coefficient * f.coefficient + Rational(1)).is_zero() ||
      !std::ranges::all_of(f.operands, is_sigmoid))
    return false;
  std::vector<Term> before;
  for (const Operand& o : f.operands) {
    const Operand x = graph_.substitute(graph_[o.expr].operands[0], o.subscripts);
    std::vector<Term> exponents = before;
    exponents.push_back({1, call(Function::log_sigmoid, {{graph_.scale(x.expr, -1), x.subscripts}})});
    Exponential e;
    e.is_made = true;
    e.exponent = sum(std::move(exponents));
    exponentials_.push_back(std::move(e));
    before.push_back({1, call(Function::log_sigmoid, {x})});
  }
  rest_.clear();
  return true;
}

/// p + (1 - p)*q of sigmoids, or 1 - p*q: a rule of the table has them.
bool LogOfSum::is_or() {
  if (rest_.size() != 2) return false;
  const auto sigmoids = [&](const Term& t) {
    const Factors f = factors_of(graph_, t.operand);
    const bool all =
        std::ranges::all_of(f.operands, [&](const Operand& o) { return is_call(graph_[o.expr], Function::sigmoid); });
    return all && f.coefficient.is_one() ? f.operands : std::vector<Operand>();
  };
  for (const std::size_t k : {std::size_t{0}, std::size_t{1}}) {
    const std::vector<Operand> one = sigmoids(rest_[k]), two = sigmoids(rest_[1 - k]);
    if (one.size() != 1 || two.size() != 2 || !rest_[k].coefficient.is_one() || !rest_[1 - k].coefficient.is_one())
      continue;
    const Operand x = graph_.substitute(graph_[one[0].expr].operands[0], one[0].subscripts);
    const auto complements = [&](const Operand& o) {
      return graph_.substitute(graph_[o.expr].operands[0], o.subscripts) == multiple(graph_, x, -1);
    };
    if (std::ranges::any_of(two, complements)) return true;
  }
  return false;
}

/// Positive terms that all have sigmoids among their factors, exp(log_sigmoid(x)): p*q + (1 - p)*(1 - q).
bool LogOfSum::read_sigmoids() {
  if (rest_.size() < 2 || is_or()) return false;
  if (read_complement()) return true;
  std::vector<Exponential> found;
  for (const Term& t : rest_) {
    Factors f = factors_of(graph_, t.operand);
    Exponential e;
    e.weight.number = t.coefficient * f.coefficient;
    e.is_made = true;
    std::vector<Term> exponents;
    for (const Operand& o : f.operands) {
      const Node& n = graph_[o.expr];
      if (is_call(n, Function::sigmoid))
        exponents.push_back({1, call(Function::log_sigmoid, {graph_.substitute(n.operands[0], o.subscripts)})});
      else
        e.weight.multiply(o, 1);
    }
    if (exponents.empty()) return false;
    e.exponent = sum(std::move(exponents));
    found.push_back(std::move(e));
  }
  std::swap(exponentials_, found);
  if (!is_all_positive(exponentials_, {})) {
    exponentials_.clear();
    return false;
  }
  rest_.clear();
  return true;
}

/// The other terms as a weight of exp(0).
Exponential LogOfSum::without_exponent() {
  Exponential out;
  out.weight.multiply(sum(rest_), 1);
  out.exponent = {graph_.constant(0), {}};
  return out;
}

Expr LogOfSum::with_kernel() {
  const Operand weight = whole_product(graph_, labels_, exponentials_[0].weight);
  std::vector<Term> all = rest_;
  all.push_back({1, weight});
  if (graph_.is_constant(graph_.sum(labels_, std::move(all)), 1))
    return graph_.elementwise(Function::log1p_expm1, labels_, {exponentials_[0].exponent, weight});
  return graph_.elementwise(Function::log_plus_exp, labels_, {exponentials_[0].exponent, weight, sum(rest_)});
}

/// m + log(Σ w·exp(x - m)), m the largest exponent that counts.
Expr LogOfSum::shifted() {
  std::vector<Operand> weights;
  const Operand least{graph_.constant(least_shift()), {}};
  Operand largest = least;
  for (auto& e : exponentials_) {
    weights.push_back(whole_product(graph_, labels_, e.weight));
    const Operand counts = call(Function::not_equal, {weights.back(), {graph_.constant(0), {}}});
    const Operand x = is_number(e.weight) ? e.exponent : call(Function::select, {counts, e.exponent, least});
    largest = call(Function::maximum, {largest, x});
  }
  const Operand shift = call(Function::stop_gradient, {largest});
  std::vector<Term> terms;
  for (std::size_t k = 0; k < exponentials_.size(); ++k) {
    const Operand power = call(Function::exp_saturated, {sum({{1, exponentials_[k].exponent}, {-1, shift}})});
    terms.push_back({1, whole(graph_.contraction(labels_, rank_, 1, {weights[k], power}))});
  }
  return graph_.sum(labels_, {{1, shift}, {1, call(Function::log, {sum(std::move(terms))})}});
}

}  // namespace gradus::rules
