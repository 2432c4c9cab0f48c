// The rewrite rules, each tested from its own line of rules.def: both sides
// agree, it gets smaller, it is not shadowed.
#include "symbolic/rules/rules.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "symbolic/interpret.hpp"
#include "symbolic/rules/order.hpp"
#include "symbolic/rules/rewrite.hpp"
#include "symbolic/simplify.hpp"
#include "tests/close.hpp"
#include "tests/symbolic/rule_instance.hpp"

using namespace gradus;
using namespace gradus::rules;
using gradus::testing::close_relative;
using gradus::testing::Instance;
using gradus::testing::points;
using gradus::testing::selected;
using gradus::testing::width;

namespace {

/// How each condition samples a variable; `outside` turns the condition round.
double sample(const Rule& rule, std::size_t v, bool outside, std::mt19937& random) {
  std::uniform_real_distribution<double> any(-4, 4), some(0.01, 4);
  for (const auto& c : rule.when)
    if (c.variable == v) {
      if (Instance::is_number(c))
        return outside ? -2 * (c.fact == Condition::Fact::number ? 1 : -1) : Instance::number_of(c);
      if (c.fact == Condition::Fact::reciprocal_count) return outside ? some(random) : 1.0 / width;
      return outside ? -some(random) : some(random);
    }
  return any(random);
}

/// Whether the condition lets a variable have one value only, so that no
/// derivative by it is meant.
bool is_fixed(const Rule& rule, std::size_t v) {
  return std::any_of(rule.when.begin(), rule.when.end(), [&](const Condition& c) {
    return c.variable == v && (c.fact == Condition::Fact::reciprocal_count || Instance::is_number(c));
  });
}

Bindings sampled(const Rule& rule, const Instance& instance, bool outside, unsigned seed) {
  std::mt19937 random(seed);
  Bindings b;
  b.sizes = {{"p", points}, {"k", width}};
  for (std::size_t v = 0; v < rule.variables.size(); ++v) {
    const bool inside = instance.inside()[v] != 0;
    Array a{inside ? std::vector<std::int64_t>{points, width} : std::vector<std::int64_t>{points}, {}};
    a.values.resize(static_cast<std::size_t>(inside ? points * width : points));
    for (std::size_t k = 0; k < a.values.size(); ++k) {
      const double x = sample(rule, v, outside, random);
      a.values[k] = outside && k % 4 == 0 ? std::round(x) : x;  // powers exist there
    }
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
  std::vector<std::size_t> half(points / 2);  // slopes take most of the time
  std::iota(half.begin(), half.end(), 0);
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
    CHECK(value.numbers >= values[0].values.size() / 5);
    std::map<std::uint32_t, Array> direction;
    std::mt19937 random(11);
    std::uniform_real_distribution<double> any(-1, 1);
    const Bindings slopes_at = selected(at, half);
    for (const auto& [input, array] : slopes_at.inputs) {
      Array v = array;
      for (auto& x : v.values) x = is_fixed(rule, input) ? 0 : any(random);
      direction[input] = std::move(v);
    }
    const Agreement slope = compare(central_difference(g, before, slopes_at, direction),
                                    central_difference(g, after, slopes_at, direction));
    CHECK(slope.different == 0);
    CHECK(slope.numbers >= values[0].values.size() / 2 / 5);
  }
}

namespace {

/// Whether a rule would be wrong without a condition: the others say where a form is worth it.
bool is_needed(const Condition& c) {
  return c.fact != Condition::Fact::near && c.fact != Condition::Fact::beyond_square;
}

}  // namespace

TEST_CASE("a condition of a rule is needed: outside it the sides differ") {
  for (const Rule& rule : all_rules()) {
    if (std::ranges::none_of(rule.when, is_needed)) continue;
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

TEST_CASE(
    "no rule is shadowed by another, what it yields stays as it is, and "
    "it waits for its condition") {
  for (const Rule& rule : all_rules()) {
    CAPTURE(rule.name);

    Graph g;
    Instance instance(g, rule, true);
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
    if (std::ranges::all_of(rule.when, [](const Condition& c) { return c.fact == Condition::Fact::beyond_square; }))
      continue;
    Graph unknown;
    applied = false;
    Instance unproved(unknown, rule);
    Rewriter careful(
        unknown, [](Group) { return true; }, {},
        [&](const Rule& r, Expr) { applied = applied || r.name == rule.name; });
    careful(unproved(rule.before));
    CHECK_FALSE(applied);
  }
}
