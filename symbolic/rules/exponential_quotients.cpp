// Products and quotients with exponentials that may leave the range of numbers.
#include "symbolic/rules/exponential_quotients.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/log_of_sum.hpp"
#include "symbolic/rules/weighted_sums.hpp"

namespace gradus::rules {
namespace {

/// A product with an exponential and a power of a sum under it.
class ExponentialQuotient {
 public:
  ExponentialQuotient(Graph& graph, Facts& facts, Shifts& shifts, Expr e)
      : graph_(graph), facts_(facts), shifts_(shifts), n_(graph[e]) {}

  std::optional<Expr> found() {
    if (std::ranges::none_of(n_.operands, [&](const Operand& o) { return is_reciprocal(graph_[o.expr]); }))
      return std::nullopt;
    if (const auto terms = term_by_term()) return terms;
    if (const auto slope = difference_over_sum()) return slope;
    if (const auto slope = sinh_over_sum()) return slope;
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

  /// The terms of a sum of exponentials, nothing where one is none.
  std::vector<Exponential> exponentials_of(const Operand& o) {
    std::vector<Exponential> out;
    const Node& sum = graph_[o.expr];
    if (sum.kind != Kind::sum || sum.operands.size() > most_factors) return {};
    for (std::size_t k = 0; k < sum.operands.size(); ++k) {
      const Term term{sum.coefficients[k], graph_.substitute(sum.operands[k], o.subscripts)};
      auto e = exponential_of(graph_, facts_, shifts_, n_.labels, term);
      if (!e || e->less_one || e->is_made) return {};
      out.push_back(std::move(*e));
    }
    return out;
  }

  /// (x*exp(u) + y*exp(v))/(exp(u) + exp(v)): each term is divided.
  std::optional<Expr> term_by_term() {
    for (std::size_t m = 0; m < n_.operands.size(); ++m) {
      const Node& power = graph_[n_.operands[m].expr];
      if (!is_reciprocal(power)) continue;
      const auto below = exponentials_of(graph_.substitute(power.operands[0], n_.operands[m].subscripts));
      if (below.size() < 2) continue;
      for (std::size_t k = 0; k < n_.operands.size(); ++k) {
        const auto above = exponentials_of(n_.operands[k]);
        const auto meets = [&](const Exponential& a) {
          return std::ranges::any_of(below, [&](const Exponential& b) { return b.exponent == a.exponent; });
        };
        if (above.size() < 2 || !std::ranges::all_of(above, meets)) continue;
        const Node sum = graph_[n_.operands[k].expr];
        std::vector<Term> terms;
        for (std::size_t t = 0; t < sum.operands.size(); ++t) {
          const Operand part = graph_.substitute(sum.operands[t], n_.operands[k].subscripts);
          const auto rank = static_cast<std::uint32_t>(n_.labels.size());
          terms.push_back({sum.coefficients[t], whole(graph_.contraction(n_.labels, rank, 1, {part, n_.operands[m]}))});
        }
        return in_place_of(k, m, {whole(graph_.sum(n_.labels, std::move(terms)))});
      }
    }
    return std::nullopt;
  }

  /// (exp(u) - exp(v))/(a + b*exp(u) + c*exp(v)), the slope of such a quotient, where the difference overflows before
  /// it is divided: tanh((u - v)/2) times the quotients of exp(u) and exp(v).
  std::optional<Expr> difference_over_sum() {
    const auto rank = static_cast<std::uint32_t>(n_.labels.size());
    for (std::size_t k = 0; k < n_.operands.size(); ++k) {
      const Node& f = graph_[n_.operands[k].expr];
      if (!is_call(f, Function::exp_difference)) continue;
      const Operand u = graph_.substitute(f.operands[0], n_.operands[k].subscripts);
      const Operand v = graph_.substitute(f.operands[1], n_.operands[k].subscripts);
      for (std::size_t m = 0; m < n_.operands.size(); ++m) {
        const Node& power = graph_[n_.operands[m].expr];
        if (!is_reciprocal(power)) continue;
        const Operand base = graph_.substitute(power.operands[0], n_.operands[m].subscripts);
        const Node sum = graph_[base.expr];
        if (sum.kind != Kind::sum || sum.operands.size() < 3 || sum.operands.size() > most_factors) continue;
        const auto has = [&](const Operand& x) {
          return std::ranges::any_of(sum.operands, [&](const Operand& o) {
            const Term term{1, graph_.substitute(o, base.subscripts)};
            const auto e = exponential_of(graph_, facts_, shifts_, n_.labels, term);
            return e && !e->less_one && e->exponent == x;
          });
        };
        if (!has(u) || !has(v)) continue;
        const Operand under = raised(base, -1);
        const auto share = [&](const Operand& x) {
          return whole(graph_.contraction(n_.labels, rank, 1, {call(Function::exp, x), under}));
        };
        const Rational half = Rational::ratio(1, 2);
        const Operand gap = whole(graph_.sum(n_.labels, {{half, u}, {-half, v}}));
        std::vector<Operand> operands{call(Function::tanh, gap),
                                      whole(graph_.sum(n_.labels, {{1, share(u)}, {1, share(v)}}))};
        return divided_once(k, m, base, std::move(operands));
      }
    }
    return std::nullopt;
  }

  /// sinh(x)/(a + b*cosh(x)) is tanh(x)/(a*sech(x) + b).
  std::optional<Expr> sinh_over_sum() {
    const auto rank = static_cast<std::uint32_t>(n_.labels.size());
    for (std::size_t k = 0; k < n_.operands.size(); ++k) {
      if (!is_call(graph_[n_.operands[k].expr], Function::sinh)) continue;
      const Operand x = graph_.substitute(graph_[n_.operands[k].expr].operands[0], n_.operands[k].subscripts);
      for (std::size_t m = 0; m < n_.operands.size(); ++m) {
        const Node& power = graph_[n_.operands[m].expr];
        if (!is_reciprocal(power)) continue;
        const Operand base = graph_.substitute(power.operands[0], n_.operands[m].subscripts);
        const Node sum = graph_[base.expr];
        if (sum.kind != Kind::sum || sum.operands.size() > most_factors || !facts_.positive(base.expr)) continue;
        bool found = false;
        std::vector<Term> terms;
        for (std::size_t t = 0; t < sum.operands.size(); ++t) {
          const Operand o = graph_.substitute(sum.operands[t], base.subscripts);
          const bool cosh = is_call(graph_[o.expr], Function::cosh) &&
                            graph_.substitute(graph_[o.expr].operands[0], o.subscripts) == x;
          found = found || cosh;
          const Operand one{graph_.constant(1), {}};
          terms.push_back({sum.coefficients[t],
                           cosh ? one : whole(graph_.contraction(n_.labels, rank, 1, {o, call(Function::sech, x)}))});
        }
        if (!found) continue;
        std::vector<Operand> operands{call(Function::tanh, x), raised(whole(graph_.sum(n_.labels, terms)), -1)};
        return divided_once(k, m, base, std::move(operands));
      }
    }
    return std::nullopt;
  }

  /// The product with other factors for two of its own.
  Expr in_place_of(std::size_t k, std::size_t m, std::vector<Operand> operands) {
    for (std::size_t t = 0; t < n_.operands.size(); ++t)
      if (t != k && t != m) operands.push_back(n_.operands[t]);
    return graph_.contraction(n_.labels, n_.rank, n_.coefficients[0], std::move(operands), n_.guards);
  }

  /// The same, where factor m is a power of the base of which one is used up.
  Expr divided_once(std::size_t k, std::size_t m, const Operand& base, std::vector<Operand> operands) {
    const Rational left = *graph_.constant_value(graph_[n_.operands[m].expr].operands[1].expr) + Rational(1);
    if (!left.is_zero()) operands.push_back(raised(base, left));
    return in_place_of(k, m, std::move(operands));
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
    if (!sum.read(terms_) || !sum.has_made() || !sum.is_all_positive()) return std::nullopt;
    const Operand shift = minus(whole(sum.logarithm()));
    if (above.is_made) {
      const auto quotient = times_exponential(graph_, n_, above_, shift);
      if (!quotient) return std::nullopt;
      return Factors{1, {*quotient}};
    }
    return Factors{1, {call(Function::exp, whole(graph_.sum(n_.labels, {{1, above.exponent}, {1, shift}})))}};
  }

  /// exp(u - m)/(base*exp(-m)), where m is the largest exponent of a sum in the base.
  std::optional<Factors> by_shift(const Exponential& above) {
    for (const Term& term : terms_) {
      const auto sum = exponential_of(graph_, facts_, shifts_, n_.labels, term);
      if (!sum || !sum->is_made) continue;
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

}  // namespace gradus::rules
