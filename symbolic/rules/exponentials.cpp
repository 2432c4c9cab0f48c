// Logarithms and quotients of sums with exponentials that may leave the range of numbers.
#include "symbolic/rules/exponentials.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/monomial.hpp"

namespace gradus::rules {
namespace {

/// weight × exp(exponent), or weight × (exp(exponent) - 1).
struct Exponential {
  Monomial weight;
  Operand exponent;
  bool less_one = false;
};

/// A term as a weighted exponential, when it has exactly one.
std::optional<Exponential> exponential_of(Graph& graph, const Term& term) {
  Exponential out;
  out.weight.number = term.coefficient;
  bool found = false;
  std::vector<Operand> factors{term.operand};
  if (is_product(graph[term.operand.expr])) {
    Factors f = factors_of(graph, term.operand);
    out.weight.number = out.weight.number * f.coefficient;
    factors = std::move(f.operands);
  }
  for (const auto& o : factors) {
    const Node& f = graph[o.expr];
    const bool less_one = is_call(f, Function::expm1);
    if (!is_call(f, Function::exp) && !less_one) {
      out.weight.multiply(o, 1);
      continue;
    }
    if (std::exchange(found, true)) return std::nullopt;
    out.exponent = graph.substitute(f.operands[0], o.subscripts);
    out.less_one = less_one;
  }
  if (!found) return std::nullopt;
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
      auto e = exponential_of(graph_, t);
      if (e && e->less_one) return false;
      if (e)
        exponentials_.push_back(std::move(*e));
      else
        rest_.push_back(t);
    }
    if (exponentials_.empty()) return false;
    const bool plain = std::ranges::all_of(exponentials_, [](const Exponential& e) {
      return is_number(e.weight) && (e.weight.number.is_one() || (-e.weight.number).is_one());
    });
    const bool one = rest_.size() == 1 && rest_[0].coefficient.is_one() && graph_.is_constant(rest_[0].operand.expr, 1);
    return !plain || !(rest_.empty() || one);
  }

  std::optional<Expr> stable() {
    if (is_all_positive()) return added();
    if (exponentials_.size() == 1 && !rest_.empty()) return with_kernel();
    if (exponentials_.size() < 2 || exponentials_.size() > 3 || !rest_.empty()) return std::nullopt;
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

  bool is_all_positive() {
    const auto positive = [&](const Monomial& m) {
      return m.number.sign() > 0 &&
             std::ranges::all_of(m.powers, [&](const Power& p) { return facts_.positive(p.base.expr); });
    };
    return std::ranges::all_of(exponentials_, [&](const Exponential& e) { return positive(e.weight); }) &&
           std::ranges::all_of(
               rest_, [&](const Term& t) { return t.coefficient.sign() > 0 && facts_.positive(t.operand.expr); });
  }

  /// logaddexp of x + log(w).
  Expr added() {
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
bool sums_exponentials(Graph& graph, Facts& facts, const Operand& o) {
  const Node& n = graph[o.expr];
  const auto unshifted = [&](const Operand& part) {
    const auto x = exponential_of(graph, {1, graph.substitute(part, o.subscripts)});
    return x && !x->less_one;
  };
  return n.kind == Kind::sum && n.operands.size() <= most_factors && facts.positive(o.expr) &&
         std::ranges::any_of(n.operands, unshifted);
}

/// log(w*(exp(x) + exp(y))) is log(w) + log(exp(x) + exp(y)), likewise of a quotient.
std::optional<Expr> log_of_weighted_sum(Graph& graph, Facts& facts, const Node& n) {
  Monomial m;
  if (!multiply(graph, m, n.operands[0], 1)) return std::nullopt;
  for (std::size_t k = 0; k < m.powers.size(); ++k) {
    const Power p = m.powers[k];
    if (!sums_exponentials(graph, facts, p.base)) continue;
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
  if (!log1p && is_product(inside)) return log_of_weighted_sum(graph, facts, n);
  std::vector<Term> terms;
  if (inside.kind == Kind::sum && inside.operands.size() <= most_factors) {
    for (std::size_t k = 0; k < inside.operands.size(); ++k)
      terms.push_back({inside.coefficients[k], graph.substitute(inside.operands[k], n.operands[0].subscripts)});
  } else if (log1p && is_product(inside)) {
    terms.push_back({1, n.operands[0]});
  }
  if (terms.empty()) return std::nullopt;
  if (log1p && terms.size() == 1) {
    auto only = exponential_of(graph, terms[0]);
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

std::optional<Expr> exponential_quotient(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Node& exponential = graph[n.operands[k].expr];
    if (!is_call(exponential, Function::exp)) continue;
    const Operand u = graph.substitute(exponential.operands[0], n.operands[k].subscripts);
    for (std::size_t m = 0; m < n.operands.size(); ++m) {
      const Node& power = graph[n.operands[m].expr];
      const Rational* q = is_call(power, Function::power) ? graph.constant_value(power.operands[1].expr) : nullptr;
      if (q == nullptr || !q->is_integer() || q->sign() >= 0) continue;
      const Operand base = graph.substitute(power.operands[0], n.operands[m].subscripts);
      const Node& sum = graph[base.expr];
      if (is_call(sum, Function::expm1)) {  // exp(u)/(exp(u) - 1) = -1/(exp(-u) - 1)
        if (graph.substitute(sum.operands[0], base.subscripts) != u) continue;
        std::vector<Operand> operands;
        for (std::size_t t = 0; t < n.operands.size(); ++t)
          if (t != k && t != m) operands.push_back(n.operands[t]);
        const auto whole = [&](Expr x) { return narrowed(graph, x); };
        const Operand minus{graph.scale(u.expr, -1), u.subscripts};
        const Operand turned = whole(graph.elementwise(Function::expm1, n.labels, {minus}));
        operands.push_back(whole(graph.elementwise(Function::power, n.labels, {turned, {graph.constant(-1), {}}})));
        if (!(*q + Rational(1)).is_zero())
          operands.push_back(
              whole(graph.elementwise(Function::power, n.labels, {base, {graph.constant(*q + Rational(1)), {}}})));
        return graph.contraction(n.labels, n.rank, -n.coefficients[0], std::move(operands), n.guards);
      }
      if (sum.kind != Kind::sum || sum.operands.size() > most_factors) continue;
      const std::size_t all = n.labels.size();
      const auto rank = static_cast<std::uint32_t>(all);
      const auto whole = [&](Expr x) { return narrowed(graph, x); };
      const Operand minus{graph.scale(u.expr, -1), u.subscripts};
      std::vector<Term> terms;
      bool meets = false;
      for (std::size_t t = 0; t < sum.operands.size(); ++t) {
        const Term term{sum.coefficients[t], graph.substitute(sum.operands[t], base.subscripts)};
        auto own = exponential_of(graph, term);
        std::vector<Operand> factors;
        Rational number = term.coefficient;
        if (own && own->exponent == u) {
          meets = true;
          number = own->weight.number;
          factors = operands_of(graph, own->weight);
          if (own->less_one) {
            number = -number;
            factors.push_back(whole(graph.elementwise(Function::expm1, n.labels, {minus})));
          }
        } else if (own && !own->less_one) {
          number = own->weight.number;
          factors = operands_of(graph, own->weight);
          const Expr gap = graph.sum(n.labels, {{1, own->exponent}, {-1, u}});
          factors.push_back(whole(graph.elementwise(Function::exp, n.labels, {whole(gap)})));
        } else {
          factors = {term.operand, whole(graph.elementwise(Function::exp, n.labels, {minus}))};
        }
        terms.push_back({number, whole(graph.contraction(n.labels, rank, 1, std::move(factors)))});
      }
      if (!meets) continue;
      std::vector<Operand> operands;
      for (std::size_t t = 0; t < n.operands.size(); ++t)
        if (t != k && t != m) operands.push_back(n.operands[t]);
      const Operand divided = whole(graph.sum(n.labels, std::move(terms)));
      const auto raised = [&](const Operand& x, const Rational& exponent) {
        return whole(graph.elementwise(Function::power, n.labels, {x, {graph.constant(exponent), {}}}));
      };
      operands.push_back(raised(divided, -1));
      if (!(*q + Rational(1)).is_zero()) operands.push_back(raised(base, *q + Rational(1)));
      return graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(operands), n.guards);
    }
  }
  return std::nullopt;
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
