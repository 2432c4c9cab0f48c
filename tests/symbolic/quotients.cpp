// Removable singularities whose argument is a product, written factor by factor.
#include "symbolic/rules/quotients.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "symbolic/interpret.hpp"
#include "symbolic/simplify.hpp"
#include "tests/close.hpp"

using namespace gradus;
using gradus::testing::close_relative;

namespace {

struct Fixture {
  Graph g;
  Expr k = g.input(0, {}), x = g.input(1, {});
  Expr u = g.multiply(k, x);

  double at(Expr e, double k_value, double x_value) {
    const Expr to = stabilise(g, {e})[0];
    CHECK(verify_graph(g, {to}) == "");
    return evaluate_reference(g, {to}, {{{0, {{}, {k_value}}}, {1, {{}, {x_value}}}}, {}})[0].values[0];
  }
  Expr call(Function f, Expr of) { return g.apply(f, {of}); }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a factor of the argument divides: the limit where it is 0") {
  CHECK(at(g.divide(call(Function::sin, u), x), 3, 0) == 3);
  CHECK(at(g.divide(g.divide(call(Function::sin, u), x), k), 3, 0) == 1);
  CHECK(at(g.divide(call(Function::expm1, g.scale(u, -2)), k), 0, 5) == -10);
  CHECK(at(g.divide(x, call(Function::expm1, u)), 4, 0) == 0.25);
  CHECK(at(g.divide(g.subtract(g.constant(1), call(Function::cos, u)), g.power(u, 2)), 3, 0) == 0.5);
  CHECK(close_relative(at(g.divide(call(Function::sin, u), x), 3, 2), std::sin(6.0) / 2, 1e-15));
  CHECK(close_relative(at(g.divide(x, call(Function::expm1, u)), 4, 0.5), 0.5 / std::expm1(2.0), 1e-15));
}

TEST_CASE_FIXTURE(Fixture, "what another value divides stays as it is") {
  const Expr e = g.divide(call(Function::sin, x), k);
  CHECK(stabilise(g, {e})[0] == e);
  const Expr poles = g.divide(call(Function::sin, u), g.constant(3));
  CHECK(at(poles, 1, 0) == 0);
}

TEST_CASE_FIXTURE(Fixture, "the square under log1p is that of a quotient") {
  const Expr e = call(Function::log1p, g.multiply(g.power(x, 2), g.power(k, -2)));
  const Expr to = stabilise(g, {e})[0];
  CHECK(g[to].function == Function::log1p_square);
  CHECK(close_relative(at(e, 0.5, 3), std::log1p(36.0), 1e-15));
}
