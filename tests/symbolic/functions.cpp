// The function table against itself: each row's partials agree with differences of its value in high precision.
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "symbolic/function.hpp"
#include "symbolic/graph.hpp"
#include "symbolic/interpret.hpp"
#include "symbolic/partials.hpp"
#include "symbolic/real.hpp"
#include "tests/close.hpp"

using namespace gradus;
using gradus::testing::close_relative;

namespace {

struct Interval {
  double low, high;
};
struct Kink {
  std::vector<double> at, partials;
};

Interval in(double low, double high) { return {low, high}; }
Kink at(std::vector<double> point, std::vector<double> partials) { return {std::move(point), std::move(partials)}; }
template <class... Intervals>
std::vector<Interval> intervals(Intervals... list) {
  return {list...};
}
template <class... Kinks>
std::vector<Kink> kinks_of(Kinks... list) {
  return {std::move(list)...};
}

struct Sampling {
  std::vector<Interval> domain;
  std::vector<Kink> kinks;
};

const std::vector<Sampling>& samplings() {
  static const std::vector<Sampling> list = {
#define GRADUS_FUNCTION(id, name, arity, spelling, condition, total, latex, value, partials, domain, kinks, selects, \
                        lowering, doc)                                                                               \
  {intervals domain, kinks_of kinks},
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
  };
  return list;
}

/// A function of the table on scalar inputs 0, 1, 2, with the graphs of its partials.
struct Subject {
  Graph graph;
  Function function;
  std::vector<Expr> inputs;
  Expr node;
  std::vector<Expr> partials;

  explicit Subject(Function f) : function(f) {
    std::vector<Operand> operands;
    for (std::uint32_t k = 0; k < row(f).arity; ++k) {
      inputs.push_back(graph.input(k, {}));
      operands.push_back({inputs.back(), {}});
    }
    node = graph.elementwise(f, {}, operands);
    for (const auto& pieces : elementwise_partials(graph, node)) {
      std::vector<Term> terms;
      for (const PartialPiece& p : pieces) {
        std::vector<Guard> guards;
        if (p.condition) guards.push_back({Guard::Kind::condition, {}, *p.condition});
        terms.push_back({1, {graph.contraction({}, 0, p.coefficient, p.factors, guards), {}}});
      }
      partials.push_back(graph.sum({}, terms));
    }
  }

  std::vector<double> partials_at(const std::vector<double>& point) {
    const Bindings where = bindings(point);
    std::vector<double> out;
    for (const Array& a : evaluate_reference(graph, partials, where)) out.push_back(a.values[0]);
    return out;
  }

  static Bindings bindings(const std::vector<double>& point) {
    Bindings b;
    for (std::uint32_t k = 0; k < point.size(); ++k) b.inputs[k] = {{}, {point[k]}};
    return b;
  }
};

std::vector<Function> all_functions() {
  std::vector<Function> list;
  for (std::size_t k = 0; k < function_count(); ++k) list.push_back(static_cast<Function>(k));
  return list;
}

}  // namespace

TEST_CASE("each partial of the table is the slope of its value") {
  const unsigned seed = 20240917;
  std::mt19937 random(seed);
  for (const Function f : all_functions()) {
    const bool by_design = f == Function::select || f == Function::stop_gradient;  // a guard, a constant
    if (row(f).condition || row(f).arity == 0 || by_design) continue;
    const Sampling& sampling = samplings()[static_cast<std::size_t>(f)];
    CAPTURE(std::string(row(f).name));
    REQUIRE(sampling.domain.size() == row(f).arity);
    Subject subject(f);
    REQUIRE(subject.partials.size() == row(f).arity);
    for (int sample = 0; sample < 40; ++sample) {
      std::vector<double> point;
      for (const Interval& i : sampling.domain) point.push_back(std::uniform_real_distribution(i.low, i.high)(random));
      CAPTURE(point);
      const Bindings where = Subject::bindings(point);
      const std::vector<double> partials = subject.partials_at(point);
      for (std::uint32_t k = 0; k < row(f).arity; ++k) {
        CAPTURE(k);
        if (f == Function::polygamma && k == 0) continue;  // a whole number, no real argument
        const double slope = central_difference(subject.graph, subject.node, where, {{k, {{}, {1}}}}).values[0];
        CHECK(std::isfinite(slope));
        CHECK(close_relative(partials[k], slope, 1e-14));
      }
    }
  }
}

TEST_CASE("partials at kinks are those of the language") {
  for (const Function f : all_functions())
    for (const Kink& kink : samplings()[static_cast<std::size_t>(f)].kinks) {
      CAPTURE(std::string(row(f).name));
      CAPTURE(kink.at);
      const std::vector<double> partials = Subject(f).partials_at(kink.at);
      REQUIRE(partials.size() == kink.partials.size());
      for (std::size_t k = 0; k < partials.size(); ++k) CHECK(close_relative(partials[k], kink.partials[k], 1e-15));
    }
}

TEST_CASE("rows that promise finite partials keep it far out") {
  for (const Function f : all_functions()) {
    if (!row(f).total || row(f).condition || row(f).arity == 0) continue;
    CAPTURE(std::string(row(f).name));
    Subject subject(f);
    for (const double far : {0.0, 1.0, -1.0, 1e-300, -1e-300, 800.0, -800.0})
      for (const double p : subject.partials_at(std::vector<double>(row(f).arity, far))) CHECK(std::isfinite(p));
  }
}

TEST_CASE("names are unique and lead to their rows") {
  for (const Function f : all_functions())
    if (row(f).spelling == Spelling::call) CHECK(function_named(row(f).name) == f);
  CHECK_FALSE(function_named("where").has_value());
  CHECK_FALSE(function_named("nothing").has_value());
}

TEST_CASE("identities of the reference values") {
  const PrecisionScope scope(200);
  Graph g;
  const Expr x = g.input(0, {});
  const auto one = [&](Function f) { return g.apply(f, {x}); };
  const auto value = [&](Expr e, double at) {
    return evaluate_reference(g, {e}, Subject::bindings({at}))[0].values[0];
  };
  for (const double at : {-30.0, -1.5, 0.0, 0.75, 30.0}) {
    CAPTURE(at);
    CHECK(close_relative(value(one(Function::normal_cdf), at), 0.5 * std::erfc(-at / std::sqrt(2.0)), 1e-12));
    CHECK(close_relative(value(one(Function::sigmoid), at), 1 / (1 + std::exp(-at)), 1e-15));
    CHECK(close_relative(value(one(Function::softplus), at), std::log1p(std::exp(at)), 1e-15));
    CHECK(close_relative(value(one(Function::log_sigmoid), at), -std::log1p(std::exp(-at)), 1e-15));
  }
  CHECK(value(one(Function::round), 2.5) == 2);
  CHECK(value(one(Function::round), -3.5) == -4);
  CHECK(value(one(Function::floor), -0.5) == -1);
  CHECK(value(g.apply(Function::mod, {x, g.constant(3)}), -1) == 2);
}
