// A rule of rules.def as graphs over fresh inputs, for the tests generated from
// the rules.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "symbolic/array.hpp"
#include "symbolic/graph.hpp"
#include "symbolic/rules/rules.hpp"
#include "symbolic/rules/terms.hpp"

namespace gradus::testing {

using namespace gradus::rules;

constexpr std::int64_t points = 640;  // the axis of samples
constexpr std::int64_t width = 4;     // the axis that reductions of patterns run over

/// A pattern as a graph: each variable is an input, one value a point; what
/// stands in a reduction has a second axis.
class Instance {
 public:
  /// `proved`: variables that the rule has a condition on stand for values that
  /// are known to meet it.
  Instance(Graph& graph, const Rule& rule, bool proved = false) : g_(graph), inside_(rule.variables.size(), 0) {
    mark(rule.before, false);
    mark(rule.after, false);
    for (std::size_t v = 0; v < rule.variables.size(); ++v) {
      std::vector<Size> shape{p_};
      if (inside_[v] != 0) shape.push_back(k_);
      inputs_.push_back(g_.input(static_cast<std::uint32_t>(v), shape));
    }
    if (!proved) return;
    for (const auto& c : rule.when) {
      if (c.fact == Condition::Fact::near) {
        for (const auto& value : c.values) share(value);
        continue;
      }
      Expr& e = inputs_[c.variable];
      if (is_number(c))
        e = g_.constant(number_of(c));
      else if (c.fact == Condition::Fact::reciprocal_count)
        e = g_.view({p_}, {g_.power(g_.size_value(k_), -1), {}});
      else
        e = g_.apply(Function::sqrt1pm1rel, {e});  // positive, and no rule looks for it
    }
  }

  /// Labels: 0 the point, 1 one place of the reduced axis.
  Expr operator()(const Pattern& p) {
    const Operand o = build(p, 1);
    const bool placed = any_inside();
    return g_.view(placed ? std::vector<Size>{p_, k_} : std::vector<Size>{p_}, o);
  }

  bool any_inside() const { return std::find(inside_.begin(), inside_.end(), 1) != inside_.end(); }
  const std::vector<char>& inside() const { return inside_; }
  const std::vector<Expr>& inputs() const { return inputs_; }

  /// Whether a condition asks for a number that is known, and one that will do.
  static bool is_number(const Condition& c) {
    return c.fact == Condition::Fact::number || c.fact == Condition::Fact::not_even;
  }
  static int number_of(const Condition& c) { return c.fact == Condition::Fact::number ? 2 : 3; }

 private:
  /// Gives the variables of a pattern a term in common; `sign` is that of the pattern.
  void share(const Pattern& p, int sign = 1) {
    if (p.kind == Pattern::Kind::product) sign *= p.coefficients[0].sign();
    shared_ = true;
    if (p.kind == Pattern::Kind::variable || p.kind == Pattern::Kind::rest) {
      Expr& e = inputs_[p.variable];
      const Expr other = g_.input(static_cast<std::uint32_t>(inputs_.size()), {p_});
      e = g_.sum({p_}, {{1, {e, {g_.label(0)}}}, {sign, {other, {g_.label(0)}}}});
    }
    for (const auto& part : p.parts) share(part, sign);
  }

  void mark(const Pattern& p, bool inside) {
    const bool variable = p.kind == Pattern::Kind::variable || p.kind == Pattern::Kind::rest;
    if (variable && inside) inside_[p.variable] = 1;
    for (const auto& part : p.parts) mark(part, inside || p.kind == Pattern::Kind::reduction);
  }

  Operand build(const Pattern& p, Label place) {
    const std::vector<Size> labels{p_, k_, k_};
    const auto whole = [&](Expr e) { return Operand{e, g_.identity(3)}; };
    std::vector<Operand> parts;
    if (p.kind != Pattern::Kind::reduction)
      for (const auto& part : p.parts) parts.push_back(build(part, place));
    switch (p.kind) {
      case Pattern::Kind::number:
        return {g_.constant(p.number), {}};
      case Pattern::Kind::variable:
      case Pattern::Kind::rest: {
        if (g_.is_constant(inputs_[p.variable])) return {inputs_[p.variable], {}};
        Operand o{inputs_[p.variable], {g_.label(0)}};
        if (inside_[p.variable] != 0) o.subscripts.push_back(g_.label(place));
        return o;
      }
      case Pattern::Kind::call:
        if (!parts.empty() && std::ranges::all_of(parts, [&](const Operand& o) { return g_.is_constant(o.expr); })) {
          std::vector<Expr> numbers;
          for (const auto& o : parts) numbers.push_back(o.expr);
          return {g_.apply(p.function, numbers), {}};
        }
        return whole(g_.elementwise(p.function, labels, parts));
      case Pattern::Kind::sum: {
        std::vector<Term> terms;
        for (std::size_t k = 0; k < parts.size(); ++k)
          for (const auto& t : shared_ ? terms_of(g_, parts[k]) : std::vector<Term>{{1, parts[k]}})
            terms.push_back({p.coefficients[k] * t.coefficient, t.operand});
        return whole(g_.sum(labels, terms));
      }
      case Pattern::Kind::product:
        return whole(g_.contraction(labels, 3, p.coefficients[0], parts));
      case Pattern::Kind::reduction:
        break;
    }
    return reduction(p);
  }

  Operand reduction(const Pattern& p) {
    const Operand body = build(p.parts[0], 2);  // under the bound label
    const Operand element = build(p.parts[0], 1);
    const std::vector<Size> labels{p_, k_, k_};
    Expr e;
    switch (p.reduction) {
      case Pattern::Reduction::sum:
        e = sum_of(p.parts[0], body);
        break;
      case Pattern::Reduction::norm:
        e = g_.reduce(gradus::Reduction::norm, labels, 2, body);
        break;
      case Pattern::Reduction::logsumexp:
        e = g_.softmax(SoftmaxKind::logsumexp, labels, 2, {body});
        break;
      case Pattern::Reduction::softmax:
        e = g_.softmax(SoftmaxKind::softmax, labels, 2, {element, body});
        break;
      case Pattern::Reduction::log_softmax:
        e = g_.softmax(SoftmaxKind::log_softmax, labels, 2, {element, body});
        break;
    }
    return {e, g_.identity(2)};
  }

  /// The sum over the bound label; of a product it is one contraction.
  Expr sum_of(const Pattern& inner, const Operand& body) {
    const std::vector<Size> labels{p_, k_, k_};
    if (inner.kind != Pattern::Kind::product) return g_.contraction(labels, 2, 1, {body});
    std::vector<Operand> factors;
    for (const auto& part : inner.parts) factors.push_back(build(part, 2));
    return g_.contraction(labels, 2, inner.coefficients[0], factors);
  }

  Graph& g_;
  Size p_ = g_.sizes().symbol("p"), k_ = g_.sizes().symbol("k");
  std::vector<char> inside_;
  bool shared_ = false;
  std::vector<Expr> inputs_;
};

/// The bindings at some of the points.
inline Bindings selected(const Bindings& at, const std::vector<std::size_t>& chosen) {
  const auto count = static_cast<std::size_t>(at.sizes.at("p"));
  Bindings out = at;
  out.sizes["p"] = static_cast<std::int64_t>(chosen.size());
  for (auto& [input, array] : out.inputs) {
    const std::size_t places = array.values.size() / count;
    std::vector<double> values;
    for (const std::size_t p : chosen)
      for (std::size_t k = 0; k < places; ++k) values.push_back(array.values[p * places + k]);
    array.shape[0] = static_cast<std::int64_t>(chosen.size());
    array.values = std::move(values);
  }
  return out;
}

}  // namespace gradus::testing
