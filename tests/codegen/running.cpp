// Running sums of exponentials: one step an element, and the reference's values wherever the exponents lie.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "codegen/plan/expand.hpp"
#include "codegen/plan/roles.hpp"
#include "frontend/parse.hpp"
#include "symbolic/derive.hpp"
#include "symbolic/elaborate.hpp"
#include "tests/codegen/plan_case.hpp"

using namespace gradus;
using namespace gradus::testing;

namespace {

/// A formula with its loss and derivatives.
struct Derivation {
  Model model;
  std::vector<Expr> roots;
};

Derivation derivation(const std::string& text) {
  const Source source("formula.loss", text);
  Diagnostics diagnostics;
  const auto program = parse(source, diagnostics);
  auto model = elaborate(program, diagnostics);
  REQUIRE(model);
  const Derived derived = derive(*model, {});
  std::vector<Expr> roots = {derived.losses.at(0).value};
  for (const Derivative& d : derived.losses[0].derivatives) roots.push_back(d.expr);
  return {std::move(*model), std::move(roots)};
}

/// The most loops in one another that a node of the expanded graph needs.
std::size_t deepest_loops(Derivation& d) {
  std::size_t most = 0;
  for (const Expr e : d.model.graph.reachable(planning::expand(d.model.graph, d.roots))) {
    const Node& n = d.model.graph[e];
    most = std::max(most, n.labels.size() - (planning::scan_of(d.model.graph, n) ? 1 : 0));
  }
  return most;
}

constexpr const char* cumulative = "param z[n]\nloss = sum(log(cumsum(exp(z)))*range(n))\n";
constexpr const char* from_the_place_on = "param z[n]\nloss = sum[i](logsumexp[j : j >= i](z[j]) - z[i])\n";
constexpr const char* before_the_place = "param z[n], x[n]\nloss = sum[i](x[i]*sum[j : j < i](exp(z[j] - z[i])))\n";
constexpr const char* up_to_the_place = "param z[n], x[n]\nloss = sum[i](sum[j : j <= i](x[j]*exp(z[j] - z[i])))\n";
constexpr const char* filtered =
    "data e[n]\nparam z[n]\nloss = sum[i : e[i] > 0](logsumexp[j : j <= i and e[j] > -1](z[j]) - z[i])\n";
constexpr const char* columns = "param z[n, m]\nloss = sum(log(cumsum(exp(z), axis=0)))\n";
constexpr const char* rows = "param z[n, m]\nloss = sum(log(cumsum(exp(z), axis=1)))\n";

}  // namespace

TEST_CASE("a running sum of exponentials and its adjoint take one step an element") {
  for (const char* text : {cumulative, from_the_place_on, before_the_place, up_to_the_place}) {
    CAPTURE(std::string(text));
    Derivation d = derivation(text);
    CHECK(deepest_loops(d) == 1);
  }
  for (const char* text : {columns, rows}) {
    Derivation d = derivation(text);
    CHECK(deepest_loops(d) == 2);
  }
}

TEST_CASE("a sum of exponentials of both places together is no running sum") {
  Derivation d = derivation("param z[n]\nloss = sum[i](sum[j : j <= i](exp(z[j]*z[i])))\n");
  CHECK(deepest_loops(d) == 2);
}

TEST_CASE("running sums of exponentials have the reference's values") {
  for (const char* text : {cumulative, from_the_place_on, before_the_place, up_to_the_place, filtered, columns, rows}) {
    CAPTURE(std::string(text));
    Derivation d = derivation(text);
    check_plan(d.model, d.roots, {{{"n", 1}, {"m", 1}}, {{"n", 9}, {"m", 3}}, {{"n", 40}, {"m", 17}}}, 1e-13, 1e-9);
  }
}

TEST_CASE("running sums of exponentials neither overflow nor lose what later terms exceed") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const std::vector<std::vector<double>> places = {
      {1000, -1000, 1000.5, 2000, -2000, 1999, 3},
      {-5000, -4000, -3000, -2999, -2990, -2000, -1999.5},
      {800, 700, 600, -100, -800, -799, -798},
      {-infinity, -infinity, 3, -infinity, 900, -900, 900},
      {5, 15, 25, 35, 16, 47.5, 60},
  };
  for (const char* text : {cumulative, from_the_place_on}) {
    for (const auto& z : places) {
      CAPTURE(std::string(text));
      CAPTURE(z[0]);
      Derivation d = derivation(text);
      Bindings b;
      b.sizes = {{"n", 7}};
      b.inputs[0] = {{7}, z};
      const Ran ran = run_program(plan(d.model, d.roots), d.model, d.roots, b);
      REQUIRE(ran.result.code == loops::Code::ok);
      const auto expected = evaluate_reference(d.model.graph, d.roots, b, 128);
      for (std::size_t k = 0; k < d.roots.size(); ++k)
        for (std::size_t i = 0; i < expected[k].values.size(); ++i) {
          const double want = expected[k].values[i], got = ran.outputs[k].values[i];
          CAPTURE(i);
          CHECK(((std::isnan(want) && std::isnan(got)) || want == got || close_relative(got, want, 1e-13)));
        }
    }
  }
}
