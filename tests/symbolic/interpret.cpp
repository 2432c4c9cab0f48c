// The reference interpreter: what each kind of node means.
#include "symbolic/interpret.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/close.hpp"

using namespace gradus;
using gradus::testing::close;

namespace {

struct Fixture {
  Graph g;
  Size n = g.sizes().symbol("n"), d = g.sizes().symbol("d");
  Expr X = g.input(0, {n, d}), w = g.input(1, {d}), y = g.input(2, {n}), c = g.input(3, {n});
  Bindings at{{{0, {{3, 2}, {1, 2, 3, 4, 5, 6}}}, {1, {{2}, {0.5, -1}}}, {2, {{3}, {0, -1, 2}}}, {3, {{3}, {1, 1, 0}}}},
              {{"n", 3}, {"d", 2}}};

  std::vector<double> value(Expr e) { return evaluate_reference(g, {e}, at)[0].values; }
  Subscript plus(Label l, std::int64_t k) { return g.add(g.label(l), g.offset(g.sizes().constant(k))); }
  Guard zero(Subscript s) { return {Guard::Kind::zero, std::move(s), {}}; }
  Guard nonnegative(Subscript s) { return {Guard::Kind::nonnegative, std::move(s), {}}; }
  Guard where(Expr e) { return {Guard::Kind::condition, {}, g.whole(e)}; }
  Expr positive(Expr e) { return g.apply(Function::less, {g.constant(0), e}); }
};

using Values = std::vector<double>;

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a matrix product") {
  const Expr z = g.contraction({n, d}, 1, 2, {{X, {g.label(0), g.label(1)}}, {w, {g.label(1)}}});
  CHECK(value(z) == Values{-3, -5, -7});
}

TEST_CASE_FIXTURE(Fixture, "values are rounded once") {
  const Expr third = g.constant(Rational::ratio(1, 3));
  CHECK(value(g.scale(third, 3)) == Values{1});
  // exp(1e-9) - 1 - 1e-9 needs more digits than a double has
  const Expr e = g.apply(Function::exp, {g.constant(*Rational::parse("1e-9"))});
  const Expr rest =
      g.sum({}, {{1, g.whole(e)}, {-1, {g.constant(1), {}}}, {-1, {g.constant(*Rational::parse("1e-9")), {}}}});
  CHECK(close(value(rest)[0], 5.000000001666667e-19, 1));
}

TEST_CASE_FIXTURE(Fixture, "guards select: what fails is not read") {
  const Expr logarithm = g.apply(Function::log, {y});
  const Expr filtered = g.contraction({n}, 0, 1, {g.whole(logarithm)}, {where(positive(y))});
  CHECK(close(value(filtered)[0], std::log(2.0), 1));
  const Expr lower =
      g.contraction({n, n}, 1, 1, {{y, {g.label(1)}}}, {nonnegative(g.subtract(g.label(0), g.label(1)))});
  CHECK(value(lower) == Values{0, -1, 1});
  const Expr upper =
      g.contraction({n, n}, 1, 1, {{y, {g.label(1)}}}, {nonnegative(g.subtract(plus(1, -1), g.label(0)))});
  CHECK(value(upper) == Values{1, 2, 0});
  const Expr others = g.contraction({n, n}, 1, 1, {{y, {g.label(1)}}},
                                    {{Guard::Kind::nonzero, g.subtract(g.label(0), g.label(1)), {}}});
  CHECK(value(others) == Values{1, 2, -1});
}

TEST_CASE_FIXTURE(Fixture, "equalities with data scatter, with strides skip") {
  Subscript data;
  data.data.push_back({g.sizes().constant(1), c, {g.label(1)}});
  const Expr groups = g.contraction({d, n}, 1, 1, {{y, {g.label(1)}}}, {zero(g.subtract(g.label(0), data))});
  CHECK(value(groups) == Values{2, -1});
  const Subscript twice = g.scale(g.label(1), g.sizes().constant(2));
  const Expr spread = g.contraction({n, d}, 1, 1, {{w, {g.label(1)}}}, {zero(g.subtract(g.label(0), twice))});
  CHECK(value(spread) == Values{0.5, 0, -1});
  const Expr gathered = g.view({n}, {w, {g.substitute(data, {g.label(0), g.label(0)})}});
  CHECK(value(gathered) == Values{-1, -1, 0.5});
}

TEST_CASE_FIXTURE(Fixture, "reading outside an axis is NaN, and harmless where it is not chosen") {
  const Expr before = g.view({n}, {y, {plus(0, -1)}});
  const Values read = value(before);
  CHECK(std::isnan(read[0]));
  CHECK(read[2] == -1);
  const Expr first = g.elementwise(Function::equal, {n}, {g.whole(g.index({n}, g.label(0))), {g.constant(0), {}}});
  const Expr difference =
      g.elementwise(Function::select, {n}, {g.whole(first), {g.constant(7), {}}, {y, {plus(0, -1)}}});
  CHECK(value(difference) == Values{7, 0, -1});
}

TEST_CASE_FIXTURE(Fixture, "reductions") {
  const auto all = [&](Reduction r) { return value(g.reduce(r, {n}, 0, g.whole(y)))[0]; };
  CHECK(all(Reduction::maximum) == 2);
  CHECK(all(Reduction::minimum) == -1);
  CHECK(all(Reduction::product) == 0);
  CHECK(all(Reduction::argmax) == 2);
  CHECK(all(Reduction::argmin) == 1);
  CHECK(close(all(Reduction::norm), std::sqrt(5.0), 0));
  CHECK(value(g.reduce(Reduction::any, {n}, 0, g.whole(positive(y)))) == Values{1});
  CHECK(value(g.reduce(Reduction::all, {n}, 0, g.whole(positive(y)))) == Values{0});
  const Guard none = where(g.apply(Function::less, {g.constant(5), y}));
  CHECK(std::isnan(value(g.reduce(Reduction::maximum, {n}, 0, g.whole(y), {none}))[0]));
  CHECK(value(g.reduce(Reduction::product, {n}, 0, g.whole(y), {none})) == Values{1});
  CHECK(value(g.reduce(Reduction::norm, {n}, 0, g.whole(y), {none})) == Values{0});
}

TEST_CASE_FIXTURE(Fixture, "the softmax reduction") {
  const Operand under{X, {g.label(0), g.label(1)}}, element{X, {g.label(0), g.label(1)}};
  const Expr lse = g.softmax(SoftmaxKind::logsumexp, {n, d}, 1, {under});
  CHECK(close(value(lse)[1], 4 + std::log1p(std::exp(-1.0)), 1));
  const Expr p = g.softmax(SoftmaxKind::softmax, {n, d, d}, 2, {element, {X, {g.label(0), g.label(2)}}});
  CHECK(close(value(p)[1], 1 / (1 + std::exp(-1.0)), 1));
  const Expr q = g.softmax(SoftmaxKind::log_softmax, {n, d, d}, 2, {element, {X, {g.label(0), g.label(2)}}});
  CHECK(close(value(q)[5], -std::log1p(std::exp(-1.0)), 1));
  const Guard nothing = nonnegative(g.offset(g.sizes().constant(-1)));
  CHECK(value(g.softmax(SoftmaxKind::logsumexp, {n, d}, 1, {under}, {nothing}))[0] == -INFINITY);
  at.inputs[0].values = {-INFINITY, -INFINITY, -INFINITY, 0, INFINITY, 0};
  CHECK(value(lse) == Values{-INFINITY, 0, INFINITY});
  const Values probabilities = value(p);
  CHECK(probabilities[0] == 0);
  CHECK(probabilities[2] == 0);
  CHECK(probabilities[3] == 1);
}

TEST_CASE_FIXTURE(Fixture, "index names, sizes and reshapes") {
  const Expr i = g.index({n}, g.subtract(g.offset(n), g.label(0)));
  CHECK(value(i) == Values{3, 2, 1});
  CHECK(value(g.size_value(g.sizes().multiply(n, d))) == Values{6});
  const Expr r = g.reshape({g.sizes().multiply(n, d)}, X);
  CHECK(value(r) == Values{1, 2, 3, 4, 5, 6});
}

TEST_CASE_FIXTURE(Fixture, "central differences have the digits of a double") {
  const Expr cubes = g.contraction({n}, 0, 1, {g.whole(g.power(y, 3))});
  const Array slope = central_difference(g, cubes, at, {{2, {{3}, {1, 1, 0.5}}}});
  CHECK(close(slope.values[0], 3 + 6, 0));
}

TEST_CASE("difference quotients of both sides tell a kink from a smooth point") {
  Graph g;
  const Expr x = g.input(0, {});
  const Expr f = g.apply(Function::abs, {x});
  Bindings at;
  at.inputs[0] = {{}, {0}};
  const Differences kink = differences(g, f, at, {{0, {{}, {2}}}});
  CHECK(kink.left.values[0] == -2);
  CHECK(kink.right.values[0] == 2);
  CHECK(kink.central.values[0] == 0);
  at.inputs[0] = {{}, {-3}};
  const Differences smooth = differences(g, f, at, {{0, {{}, {2}}}});
  CHECK(smooth.left.values[0] == -2);
  CHECK(smooth.right.values[0] == -2);
}
