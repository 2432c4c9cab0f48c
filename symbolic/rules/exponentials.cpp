// Logarithms and quotients of sums with exponentials that may leave the range of numbers.
#include "symbolic/rules/exponentials.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/monomial.hpp"
#include "symbolic/rules/reductions.hpp"

namespace gradus::rules {
namespace {

/// weight × exp(exponent), or weight × (exp(exponent) - 1).
struct Exponential : WeightedExponential {
  bool less_one = false;
  bool is_sum = false;  // a sum of exponentials is in it
};

/// A term as a weighted exponential, when it has exactly one; several sums of exponentials count as one.
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
    const bool less_one = is_call(f, Function::expm1);
    if (is_call(f, Function::exp) || less_one) {
      if (!exponents.empty() && !out.is_sum) return std::nullopt;
      exponents.push_back({1, graph.substitute(f.operands[0], o.subscripts)});
      out.less_one = out.less_one || less_one;
    } else if (const auto sum = sum_as_exponential(graph, facts, shifts, o)) {
      out.is_sum = true;
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

bool is_number(const Monomial& m) { return m.powers.empty(); }

class LogOfSum {
 public:
  LogOfSum(Graph& graph, Facts& facts, Shifts& shifts, const Node& n)
      : graph_(graph),
        facts_(facts),
        shifts_(shifts),
        sum_(n.operands[0].expr),
        labels_(n.labels),
        rank_(static_cast<std::uint32_t>(n.labels.size())) {}

  /// Takes the terms apart; false where a rule of the table does it, or nothing can be done.
  bool read(const std::vector<Term>& terms) {
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
      return !e.is_sum && is_number(e.weight) && (e.weight.number.is_one() || (-e.weight.number).is_one());
    });
    const bool one = rest_.size() == 1 && rest_[0].coefficient.is_one() && graph_.is_constant(rest_[0].operand.expr, 1);
    return !plain || !(rest_.empty() || one);
  }

  /// Whether a sum of exponentials is among the terms.
  bool has_sum() const {
    return std::ranges::any_of(exponentials_, [](const Exponential& e) { return e.is_sum; });
  }

  bool is_all_positive() { return is_all_positive(exponentials_, rest_); }

  /// Where all terms are positive: logaddexp of x + log(w).
  Expr logarithm() {
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

  std::optional<Expr> stable() {
    if (is_all_positive()) return logarithm();
    const auto subtracted = [](const Exponential& e) { return is_number(e.weight) && e.weight.number.sign() < 0; };
    if (has_sum() && std::ranges::all_of(exponentials_, subtracted)) return std::nullopt;  // what is large is none
    if (exponentials_.size() == 1 && !rest_.empty()) return with_kernel();
    const bool with_sum = has_sum();
    if (with_sum && !rest_.empty()) exponentials_.push_back(without_exponent());
    if (exponentials_.size() < 2 || exponentials_.size() > 3 || (!with_sum && !rest_.empty())) return std::nullopt;
    if (!shifts_.are_made()) {
      shifts_.remember(sum_);
      return std::nullopt;
    }
    return shifted();
  }

 private:
  Operand whole(Expr e) { return narrowed(graph_, e); }
  Operand call(Function f, std::vector<Operand> operands) {
    return whole(graph_.elementwise(f, labels_, std::move(operands)));
  }
  Operand sum(std::vector<Term> terms) { return whole(graph_.sum(labels_, std::move(terms))); }

  /// A truth value may be 0: its logarithm is -inf, which adds nothing.
  bool is_all_positive(const std::vector<Exponential>& exponentials, const std::vector<Term>& rest) {
    const auto has_logarithm = [&](const Power& p) {
      return facts_.positive(p.base.expr) || (p.exponent > 0 && graph_.is_condition(p.base.expr));
    };
    return std::ranges::all_of(exponentials,
                               [&](const Exponential& e) {
                                 return e.weight.number.sign() > 0 &&
                                        std::ranges::all_of(e.weight.powers, has_logarithm);
                               }) &&
           std::ranges::all_of(
               rest, [&](const Term& t) { return t.coefficient.sign() > 0 && facts_.positive(t.operand.expr); });
  }

  /// 1 - p*q of sigmoids is (1 - p) + p*(1 - q).
  bool read_complement() {
    if (rest_.size() != 2) return false;
    const std::size_t one = graph_.is_constant(rest_[0].operand.expr, 1) ? 0 : 1;
    if (!rest_[one].coefficient.is_one() || !graph_.is_constant(rest_[one].operand.expr, 1)) return false;
    const Factors f = factors_of(graph_, rest_[1 - one].operand);
    const auto is_sigmoid = [&](const Operand& o) { return is_call(graph_[o.expr], Function::sigmoid); };
    if (f.operands.size() < 2 || !(rest_[1 - one].coefficient * f.coefficient + Rational(1)).is_zero() ||
        !std::ranges::all_of(f.operands, is_sigmoid))
      return false;
    std::vector<Term> before;
    for (const Operand& o : f.operands) {
      const Operand x = graph_.substitute(graph_[o.expr].operands[0], o.subscripts);
      std::vector<Term> exponents = before;
      exponents.push_back({1, call(Function::log_sigmoid, {{graph_.scale(x.expr, -1), x.subscripts}})});
      Exponential e;
      e.is_sum = true;
      e.exponent = sum(std::move(exponents));
      exponentials_.push_back(std::move(e));
      before.push_back({1, call(Function::log_sigmoid, {x})});
    }
    rest_.clear();
    return true;
  }

  /// Positive terms that all have sigmoids among their factors, exp(log_sigmoid(x)): p*q + (1 - p)*(1 - q).
  bool read_sigmoids() {
    if (rest_.size() < 2) return false;
    if (read_complement()) return true;
    std::vector<Exponential> found;
    for (const Term& t : rest_) {
      Factors f = factors_of(graph_, t.operand);
      Exponential e;
      e.weight.number = t.coefficient * f.coefficient;
      e.is_sum = true;
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
  Exponential without_exponent() {
    Exponential out;
    out.weight.multiply(sum(rest_), 1);
    out.exponent = {graph_.constant(0), {}};
    return out;
  }

  Expr with_kernel() {
    const Operand weight = whole_product(graph_, labels_, exponentials_[0].weight);
    std::vector<Term> all = rest_;
    all.push_back({1, weight});
    if (graph_.is_constant(graph_.sum(labels_, std::move(all)), 1))
      return graph_.elementwise(Function::log1p_expm1, labels_, {exponentials_[0].exponent, weight});
    return graph_.elementwise(Function::log_plus_exp, labels_, {exponentials_[0].exponent, weight, sum(rest_)});
  }

  /// m + log(Σ w·exp(x - m)), m the largest exponent that counts.
  Expr shifted() {
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

  Graph& graph_;
  Facts& facts_;
  Shifts& shifts_;
  Expr sum_;
  std::vector<Size> labels_;
  std::uint32_t rank_;
  std::vector<Exponential> exponentials_;
  std::vector<Term> rest_;
};

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

Rational least_shift() { return -*Rational(10).power(300); }

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
  } else if (log1p && inside.kind == Kind::contraction) {
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

namespace {

/// A product with an exponential and a power of a sum under it.
class ExponentialQuotient {
 public:
  ExponentialQuotient(Graph& graph, Facts& facts, Shifts& shifts, Expr e)
      : graph_(graph), facts_(facts), shifts_(shifts), n_(graph[e]) {}

  std::optional<Expr> found() {
    if (std::ranges::none_of(n_.operands, [&](const Operand& o) { return is_reciprocal(graph_[o.expr]); }))
      return std::nullopt;
    for (std::size_t k = 0; k < n_.operands.size(); ++k) {
      above_ = n_.operands[k];
      const auto above = exponential_of(graph_, facts_, shifts_, n_.labels, {1, above_});
      if (!above || above->less_one || is_product(graph_[above_.expr])) continue;
      for (std::size_t m = 0; m < n_.operands.size(); ++m) {
        const Node& power = graph_[n_.operands[m].expr];
        if (!is_reciprocal(power)) continue;
        const Rational& q = *graph_.constant_value(power.operands[1].expr);
        base_ = graph_.substitute(power.operands[0], n_.operands[m].subscripts);
        auto factors = divided(*above);
        if (!factors) continue;
        for (std::size_t t = 0; t < n_.operands.size(); ++t)
          if (t != k && t != m) factors->operands.push_back(n_.operands[t]);
        const Rational left = q + Rational(1);
        if (!left.is_zero()) factors->operands.push_back(raised(base_, left));
        return graph_.contraction(n_.labels, n_.rank, n_.coefficients[0] * factors->coefficient,
                                  std::move(factors->operands), n_.guards);
      }
    }
    return std::nullopt;
  }

 private:
  bool is_reciprocal(const Node& n) const {
    const Rational* q = is_call(n, Function::power) ? graph_.constant_value(n.operands[1].expr) : nullptr;
    return q != nullptr && q->is_integer() && q->sign() < 0;
  }
  Operand whole(Expr x) { return narrowed(graph_, x); }
  Operand call(Function f, const Operand& o) { return whole(graph_.elementwise(f, n_.labels, {o})); }
  Operand raised(const Operand& o, const Rational& q) {
    return whole(graph_.elementwise(Function::power, n_.labels, {o, {graph_.constant(q), {}}}));
  }
  Operand minus(const Operand& u) { return {graph_.scale(u.expr, -1), u.subscripts}; }

  /// w*exp(u)/base as factors.
  std::optional<Factors> divided(const Exponential& above) {
    const Operand& u = above.exponent;
    const Node& sum = graph_[base_.expr];
    if (is_call(sum, Function::expm1)) {  // exp(u)/(exp(u) - 1) = -1/(exp(-u) - 1)
      if (graph_.substitute(sum.operands[0], base_.subscripts) != u) return std::nullopt;
      return with_weight(above, raised(call(Function::expm1, minus(u)), -1), -1);
    }
    if (sum.kind != Kind::sum || sum.operands.size() > most_factors) return std::nullopt;
    terms_.clear();
    for (std::size_t t = 0; t < sum.operands.size(); ++t)
      terms_.push_back({sum.coefficients[t], graph_.substitute(sum.operands[t], base_.subscripts)});
    if (const auto below = relative_to(u)) return with_weight(above, raised(*below, -1), 1);
    if (auto quotient = by_logarithm(above)) return quotient;
    return by_shift(above);
  }

  Factors with_weight(const Exponential& above, Operand quotient, const Rational& sign) {
    Factors out{above.weight.number * sign, operands_of(graph_, above.weight)};
    out.operands.push_back(std::move(quotient));
    return out;
  }

  /// The sum over exp(u), where a term has that exponent.
  std::optional<Operand> relative_to(const Operand& u) {
    const auto rank = static_cast<std::uint32_t>(n_.labels.size());
    std::vector<Term> terms;
    bool meets = false;
    for (const Term& term : terms_) {
      auto own = exponential_of(graph_, facts_, shifts_, n_.labels, term);
      Factors f{term.coefficient, {}};
      if (own) f = {own->weight.number, operands_of(graph_, own->weight)};
      if (own && own->exponent == u) {
        meets = true;
        if (own->less_one) {
          f.coefficient = -f.coefficient;
          f.operands.push_back(call(Function::expm1, minus(u)));
        }
      } else if (own && !own->less_one) {
        f.operands.push_back(call(Function::exp, whole(graph_.sum(n_.labels, {{1, own->exponent}, {-1, u}}))));
      } else {
        f = {term.coefficient, {term.operand, call(Function::exp, minus(u))}};
      }
      terms.push_back({f.coefficient, whole(graph_.contraction(n_.labels, rank, 1, std::move(f.operands)))});
    }
    if (!meets) return std::nullopt;
    return whole(graph_.sum(n_.labels, std::move(terms)));
  }

  /// exp(u - log(base)), where the base has a sum of exponentials and is positive term by term.
  std::optional<Factors> by_logarithm(const Exponential& above) {
    LogOfSum sum(graph_, facts_, shifts_, n_);
    if (!sum.read(terms_) || !sum.has_sum() || !sum.is_all_positive()) return std::nullopt;
    const Operand shift = minus(whole(sum.logarithm()));
    if (above.is_sum) {
      const auto quotient = times_exponential(graph_, above_, n_.labels, shift);
      if (!quotient) return std::nullopt;
      return Factors{1, {*quotient}};
    }
    return Factors{1, {call(Function::exp, whole(graph_.sum(n_.labels, {{1, above.exponent}, {1, shift}})))}};
  }

  /// exp(u - m)/(base*exp(-m)), where m is the largest exponent of a sum in the base.
  std::optional<Factors> by_shift(const Exponential& above) {
    for (const Term& term : terms_) {
      const auto sum = exponential_of(graph_, facts_, shifts_, n_.labels, term);
      if (!sum || !sum->is_sum) continue;
      const auto below = relative_to(sum->exponent);
      if (!below) return std::nullopt;
      Factors out = with_weight(above, raised(*below, -1), 1);
      const Expr gap = graph_.sum(n_.labels, {{1, above.exponent}, {-1, sum->exponent}});
      out.operands.push_back(call(Function::exp, whole(gap)));
      return out;
    }
    return std::nullopt;
  }

  Graph& graph_;
  Facts& facts_;
  Shifts& shifts_;
  const Node n_;
  Operand above_, base_;
  std::vector<Term> terms_;
};

}  // namespace

std::optional<Expr> exponential_quotient(Graph& graph, Facts& facts, Shifts& shifts, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  return ExponentialQuotient(graph, facts, shifts, e).found();
}

std::optional<Expr> product_of_exponentials(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  const auto labels_of = [&](const Operand& o) {
    std::vector<char> used(n.labels.size(), 0);
    Graph::each_label(o, [&](Label l) { used[l] = 1; });
    return used;
  };
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    if (!is_call(graph[n.operands[k].expr], Function::exp)) continue;
    for (std::size_t m = k + 1; m < n.operands.size(); ++m) {
      // Of other labels, an exponential for each of two axes is cheaper than one for each pair.
      if (!is_call(graph[n.operands[m].expr], Function::exp) || labels_of(n.operands[k]) != labels_of(n.operands[m]))
        continue;
      std::vector<Term> terms;
      for (const std::size_t t : {k, m})
        terms.push_back({1, graph.substitute(graph[n.operands[t].expr].operands[0], n.operands[t].subscripts)});
      const Operand sum = narrowed(graph, graph.sum(n.labels, std::move(terms)));
      std::vector<Operand> operands{call_on_used(graph, n.labels, Function::exp, {sum})};
      for (std::size_t t = 0; t < n.operands.size(); ++t)
        if (t != k && t != m) operands.push_back(n.operands[t]);
      return graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(operands), n.guards);
    }
  }
  return std::nullopt;
}

std::optional<Expr> split_reciprocal(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  const auto is_exponential = [&](const Operand& o) {
    return is_call(graph[o.expr], Function::exp) || is_call(graph[o.expr], Function::gamma);
  };
  const bool above = std::ranges::any_of(n.operands, is_exponential);
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Node& power = graph[n.operands[k].expr];
    const Rational* q = is_call(power, Function::power) ? graph.constant_value(power.operands[1].expr) : nullptr;
    if (q == nullptr || !q->is_integer() || q->sign() >= 0 || !is_product(graph[power.operands[0].expr])) continue;
    const Factors f = factors_of(graph, graph.substitute(power.operands[0], n.operands[k].subscripts));
    if (f.operands.size() < 2 || f.operands.size() + n.operands.size() > most_factors || !f.coefficient.is_one())
      continue;
    if (!above && std::ranges::none_of(f.operands, is_exponential)) continue;
    std::vector<Operand> operands;
    for (std::size_t m = 0; m < n.operands.size(); ++m)
      if (m != k) operands.push_back(n.operands[m]);
    for (const auto& o : f.operands) {
      Monomial one;
      if (!multiply(graph, one, o, *q->as_int64())) return std::nullopt;
      for (auto& p : operands_of(graph, one)) operands.push_back(std::move(p));
    }
    return graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(operands), n.guards);
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
