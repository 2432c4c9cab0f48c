// The rewrite rules, each tested from its own line of rules.def: both sides agree, it gets smaller, it is not shadowed.
#include "symbolic/rules/rules.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "symbolic/interpret.hpp"
#include "symbolic/rules/order.hpp"
#include "symbolic/rules/rewrite.hpp"
#include "symbolic/simplify.hpp"
#include "tests/close.hpp"

using namespace gradus;
using namespace gradus::rules;
using gradus::testing::close_relative;

namespace {

constexpr std::int64_t points = 1000;  // the axis of samples
constexpr std::int64_t width = 4;      // the axis that reductions of patterns run over

/// A pattern as a graph: each variable is an input, one value a point; what stands in a reduction has a second axis.
class Instance {
 public:
  Instance(Graph& graph, const Rule& rule) : g_(graph), rule_(rule), inside_(rule.variables.size(), 0) {
    mark(rule.before, false);
    mark(rule.after, false);
    for (std::size_t v = 0; v < rule.variables.size(); ++v) {
      std::vector<Size> shape{p_};
      if (inside_[v] != 0) shape.push_back(k_);
      inputs_.push_back(g_.input(static_cast<std::uint32_t>(v), shape));
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

 private:
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
        Operand o{inputs_[p.variable], {g_.label(0)}};
        if (inside_[p.variable] != 0) o.subscripts.push_back(g_.label(place));
        return o;
      }
      case Pattern::Kind::call:
        return whole(g_.elementwise(p.function, labels, parts));
      case Pattern::Kind::sum: {
        std::vector<Term> terms;
        for (std::size_t k = 0; k < parts.size(); ++k) terms.push_back({p.coefficients[k], parts[k]});
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
        e = g_.contraction(labels, 2, 1, {body});
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

  Graph& g_;
  const Rule& rule_;
  Size p_ = g_.sizes().symbol("p"), k_ = g_.sizes().symbol("k");
  std::vector<char> inside_;
  std::vector<Expr> inputs_;
};

/// How each condition samples a variable; `outside` turns the condition round.
double sample(const Rule& rule, std::size_t v, bool outside, std::mt19937& random) {
  std::uniform_real_distribution<double> any(-4, 4), some(0.01, 4);
  for (const auto& c : rule.when)
    if (c.variable == v) return outside ? -some(random) : some(random);
  return any(random);
}

Bindings sampled(const Rule& rule, const Instance& instance, bool outside, unsigned seed) {
  std::mt19937 random(seed);
  Bindings b;
  b.sizes = {{"p", points}, {"k", width}};
  for (std::size_t v = 0; v < rule.variables.size(); ++v) {
    const bool inside = instance.inside()[v] != 0;
    Array a{inside ? std::vector<std::int64_t>{points, width} : std::vector<std::int64_t>{points}, {}};
    a.values.resize(static_cast<std::size_t>(inside ? points * width : points));
    for (auto& x : a.values) x = sample(rule, v, outside, random);
    b.inputs[static_cast<std::uint32_t>(v)] = std::move(a);
  }
  return b;
}

/// Points where both are numbers, and points where they differ.
struct Agreement {
  std::size_t numbers = 0, different = 0;
};

Agreement compare(const Array& a, const Array& b) {
  Agreement out;
  REQUIRE(a.values.size() == b.values.size());
  for (std::size_t k = 0; k < a.values.size(); ++k) {
    out.numbers += std::isfinite(a.values[k]) && std::isfinite(b.values[k]) ? 1 : 0;
    const bool same = close_relative(a.values[k], b.values[k], 1e-13) || std::fabs(a.values[k] - b.values[k]) < 1e-25;
    out.different += same ? 0 : 1;
  }
  return out;
}

}  // namespace

TEST_CASE("both sides of each rule agree, and so do their derivatives") {
  for (const Rule& rule : all_rules()) {
    CAPTURE(rule.name);
    Graph g;
    Instance instance(g, rule);
    const Expr before = instance(rule.before), after = instance(rule.after);
    REQUIRE(verify_graph(g, {before, after}) == "");
    const Bindings at = sampled(rule, instance, false, 7);
    const auto values = evaluate_reference(g, {before, after}, at);
    const Agreement value = compare(values[0], values[1]);
    CHECK(value.different == 0);
    CHECK(value.numbers >= values[0].values.size() / 4);
    std::map<std::uint32_t, Array> direction;
    std::mt19937 random(11);
    std::uniform_real_distribution<double> any(-1, 1);
    for (const auto& [input, array] : at.inputs) {
      Array v = array;
      for (auto& x : v.values) x = any(random);
      direction[input] = std::move(v);
    }
    const Agreement slope =
        compare(central_difference(g, before, at, direction), central_difference(g, after, at, direction));
    CHECK(slope.different == 0);
    CHECK(slope.numbers >= values[0].values.size() / 4);
  }
}

TEST_CASE("a condition of a rule is needed: outside it the sides differ") {
  for (const Rule& rule : all_rules()) {
    if (rule.when.empty()) continue;
    CAPTURE(rule.name);
    Graph g;
    Instance instance(g, rule);
    const auto values =
        evaluate_reference(g, {instance(rule.before), instance(rule.after)}, sampled(rule, instance, true, 13));
    CHECK(compare(values[0], values[1]).different > 0);
  }
}

TEST_CASE("each rule makes its root smaller") {
  for (const Rule& rule : all_rules()) {
    CAPTURE(rule.name);
    CHECK(smaller(rule.after, rule.before));
    CHECK_FALSE(smaller(rule.before, rule.after));
  }
}

TEST_CASE("no rule is shadowed by another, and what a rule yields stays as it is") {
  for (const Rule& rule : all_rules()) {
    if (!rule.when.empty()) continue;  // the inputs of a pattern have no facts
    CAPTURE(rule.name);
    Graph g;
    Instance instance(g, rule);
    bool applied = false;
    std::string others;
    Rewriter rewrite(
        g, [](Group) { return true; }, {},
        [&](const Rule& r, Expr) {
          applied = applied || r.name == rule.name;
          if (!applied) others += " " + r.name;
        });
    const Expr from = instance(rule.before), to = instance(rule.after);
    const Expr got = rewrite(from);
    CAPTURE(others);
    CHECK(applied);
    CHECK(others == "");
    CAPTURE(debug_text(g, got));
    CHECK(got == rewrite(to));
  }
}
