// Derivatives where rules are easily wrong: choices, kinks, missing values, ties, and the size of what is built.
#include <doctest/doctest.h>

#include <cmath>

#include "symbolic/differentiate.hpp"
#include "symbolic/interpret.hpp"
#include "tests/close.hpp"

using namespace gradus;
using gradus::testing::close;

namespace {

using Values = std::vector<double>;

struct Fixture {
  Graph g;
  Size n = g.sizes().symbol("n"), m = g.sizes().symbol("m");
  Expr x = g.input(0, {n}), y = g.input(1, {n}), s = g.input(2, {}), A = g.input(3, {n, m}), w = g.input(4, {m});
  Expr c = g.input(5, {n});
  Expr zero = g.constant(0), one = g.constant(1);
  Bindings at{{{0, {{3}, {0, -1, 4}}},
               {1, {{3}, {1, 2, 3}}},
               {2, {{}, {2}}},
               {3, {{3, 2}, {1, 2, 3, 4, 5, 6}}},
               {4, {{2}, {0.5, -1}}},
               {5, {{3}, {1, 1, 1}}}},
              {{"n", 3}, {"m", 2}}};

  Fixture() { g.set_index_bound(c, m); }

  Expr total(Expr e) { return g.contraction(g.shape(e), 0, 1, {g.whole(e)}); }
  Expr is_positive(Expr e) { return g.apply(Function::less, {zero, e}); }
  Expr where(Expr condition, Expr a, Expr b) { return g.apply(Function::select, {condition, a, b}); }
  Expr log(Expr e) { return g.apply(Function::log, {e}); }
  Guard holds(Expr e) { return {Guard::Kind::condition, {}, g.whole(e)}; }

  Expr derivative(Expr root, Expr by) {
    const Expr d = derivatives(g, root, {by})[0];
    CHECK(verify_graph(g, {d}) == "");
    return d;
  }
  Values gradient(Expr root, Expr by) { return evaluate_reference(g, {derivative(root, by)}, at)[0].values; }

  /// How many of the nodes that an expression reaches stand under a condition.
  std::size_t conditions(Expr e) {
    std::size_t count = 0;
    for (const Expr r : g.reachable({e}))
      for (const Guard& guard : g[r].guards) count += guard.kind == Guard::Kind::condition;
    return count;
  }
};

/// Processor time, so that a busy machine fails nothing.
}  // namespace

TEST_CASE_FIXTURE(Fixture, "logistic regression has the gradient of the textbook and no guard") {
  const Expr z = g.contraction({n, m}, 1, 1, {g.whole(A), {w, {g.label(1)}}});
  const Expr loss = total(g.subtract(g.apply(Function::softplus, {z}), g.multiply(y, z)));
  const Expr p = g.subtract(g.apply(Function::sigmoid, {z}), y);
  CHECK(derivative(loss, w) == g.contraction({m, n}, 1, 1, {{A, {g.label(1), g.label(0)}}, {p, {g.label(1)}}}));
}

TEST_CASE_FIXTURE(Fixture, "the Jacobian of A @ w is A, of w the identity, of a constant 0") {
  const Expr z = g.contraction({n, m}, 1, 1, {g.whole(A), {w, {g.label(1)}}});
  CHECK(derivative(z, w) == A);
  CHECK(evaluate_reference(g, {derivative(w, w)}, at)[0].values == Values{1, 0, 0, 1});
  CHECK(g.is_zero(derivative(z, x)));
  CHECK(g.shape(derivative(z, x)).size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "only the chosen branch counts") {
  CHECK(gradient(total(where(is_positive(x), log(x), zero)), x) == Values{0, 0, 0.25});
  CHECK(gradient(g.contraction({n}, 0, 1, {g.whole(log(x))}, {holds(is_positive(x))}), x) == Values{0, 0, 0.25});
  const Expr other = where(is_positive(x), g.power(x, 2), g.apply(Function::sqrt, {g.scale(x, -1)}));
  at.inputs[0].values = {-4, -1, 4};
  CHECK(gradient(total(other), x) == Values{-0.25, -0.5, 8});
}

TEST_CASE_FIXTURE(Fixture, "choices hold through named values and several uses") {
  const Expr named = g.apply(Function::sin, {log(x)});
  const Expr twice =
      g.add(where(is_positive(x), named, zero), where(is_positive(g.subtract(x, one)), g.multiply(named, y), zero));
  const Values got = gradient(total(twice), x);
  CHECK(got[0] == 0);
  CHECK(got[1] == 0);
  CHECK(close(got[2], std::cos(std::log(4.0)), 2));
}

TEST_CASE_FIXTURE(Fixture, "opposite branches join to one choice, so nothing hides") {
  const Expr r = g.subtract(y, g.contraction({n, m}, 1, 1, {g.whole(A), {w, {g.label(1)}}}));
  const Expr small = g.apply(Function::less_equal, {g.apply(Function::abs, {r}), one});
  const Expr huber = total(where(small, g.power(r, 2), g.apply(Function::abs, {r})));
  CHECK(conditions(derivative(huber, w)) == 0);
}

TEST_CASE_FIXTURE(Fixture, "rows that nobody reads contribute nothing, whatever they hold") {
  at.inputs[4].values = {0, 0.5};  // log(0) is read by none: c is 1 everywhere
  Subscript data;
  data.data.push_back({g.sizes().constant(1), c, {g.label(0)}});
  const Expr read = g.contraction({n}, 0, 1, {{log(w), {data}}});
  CHECK(gradient(read, w) == Values{0, 6});
  const Expr deeper = g.apply(Function::exp, {g.multiply(log(w), log(w))});
  const Values got = gradient(g.contraction({n}, 0, 1, {{deeper, {data}}}), w);
  CHECK(got[0] == 0);
  CHECK(std::isfinite(got[1]));
}

TEST_CASE_FIXTURE(Fixture, "missing values that a mask leaves out stay out of matrix products") {
  at.inputs[3].values = {NAN, NAN, 1, 2, 3, 4};
  const Expr B = g.input(6, {m, m});
  at.inputs[6] = {{2, 2}, {1, -1, 2, 0.5}};
  const Expr h = g.contraction({n, m, m}, 2, 1, {{A, {g.label(0), g.label(2)}}, {B, {g.label(2), g.label(1)}}});
  const Expr z = g.contraction({n, m}, 1, 1, {g.whole(h), {w, {g.label(1)}}});
  const Expr loss =
      g.contraction({n}, 0, 1, {g.whole(g.power(z, 2))}, {holds(g.apply(Function::not_equal, {x, zero}))});
  for (const double v : gradient(loss, B)) CHECK(std::isfinite(v));
  for (const double v : gradient(loss, w)) CHECK(std::isfinite(v));
}

TEST_CASE_FIXTURE(Fixture, "powers at 0") {
  at.inputs[2].values = {0};
  const Expr j = g.index({n}, g.label(0));
  const Expr polynomial =
      g.contraction({n}, 0, 1, {g.whole(y), g.whole(g.elementwise(Function::power, {n}, {{s, {}}, g.whole(j)}))});
  CHECK(gradient(polynomial, s) == Values{2});
  CHECK(derivative(g.power(s, 2), s) == g.scale(s, 2));
  CHECK(g.is_constant(derivative(g.power(s, 1), s), 1));
  const Expr h = g.apply(Function::power, {zero, s});
  at.inputs[2].values = {1.5};
  CHECK(gradient(h, s) == Values{0});
}

TEST_CASE_FIXTURE(Fixture, "ties share equally") {
  at.inputs[0].values = {2, 1, 2};
  at.inputs[1].values = {2, 1, 3};
  CHECK(gradient(g.reduce(Reduction::maximum, {n}, 0, g.whole(x)), x) == Values{0.5, 0, 0.5});
  CHECK(gradient(total(g.apply(Function::maximum, {x, y})), x) == Values{0.5, 0.5, 0});
  const Expr three = g.apply(Function::maximum, {g.apply(Function::maximum, {x, y}), g.multiply(x, one)});
  CHECK(gradient(total(three), y)[2] == 1);
  const Expr nested = g.apply(Function::minimum, {g.apply(Function::minimum, {x, y}),
                                                  g.sum({n}, {{1, g.whole(x)}, {1, g.whole(g.multiply(zero, y))}})});
  CHECK(gradient(total(nested), y)[2] == 0);
  const Expr t = g.input(7, {n}), u = g.input(8, {n});
  at.inputs[7] = {{3}, {2, 0, 0}};
  at.inputs[8] = {{3}, {2, 0, 9}};
  const Expr four =
      g.apply(Function::maximum, {g.apply(Function::maximum, {x, y}), g.apply(Function::maximum, {t, u})});
  for (const Expr leaf : {x, y, t, u}) CHECK(gradient(total(four), leaf)[0] == 0.25);
  CHECK(gradient(total(four), u)[2] == 1);
  CHECK(gradient(total(four), x)[1] == 0.5);
}

TEST_CASE_FIXTURE(Fixture, "a maximum chooses: what lies below contributes exactly 0") {
  const Expr root = g.apply(Function::sqrt, {g.apply(Function::maximum, {x, zero})});
  CHECK(gradient(total(root), x) == Values{0, 0, 0.25});
  const Expr infinite = g.multiply(g.apply(Function::maximum, {log(x), zero}), y);
  CHECK(gradient(total(infinite), x)[0] == 0);
}

TEST_CASE_FIXTURE(Fixture, "products with no, one and two zeros") {
  const auto product = [&](Values v) {
    at.inputs[0].values = std::move(v);
    return gradient(g.reduce(Reduction::product, {n}, 0, g.whole(x)), x);
  };
  CHECK(product({2, 3, 4}) == Values{12, 8, 6});
  CHECK(product({2, 0, 4}) == Values{0, 8, 0});
  CHECK(product({0, 0, 4}) == Values{0, 0, 0});
}

TEST_CASE_FIXTURE(Fixture, "norms are flat at 0") {
  const Expr norm = g.reduce(Reduction::norm, {n}, 0, g.whole(x));
  at.inputs[0].values = {0, 0, 0};
  CHECK(gradient(norm, x) == Values{0, 0, 0});
  at.inputs[0].values = {3, 0, 4};
  CHECK(gradient(norm, x) == Values{0.6, 0, 0.8});
  at.inputs[0].values = {3e200, 0, 4e200};
  CHECK(close(gradient(norm, x)[2], 0.8, 1));
}

TEST_CASE_FIXTURE(Fixture, "roots of squares and of quadratic forms are flat at 0, other roots are not") {
  const auto root = [&](Expr e) { return g.apply(Function::sqrt, {e}); };
  const Expr weighted = g.contraction({n}, 0, 1, {g.whole(y), g.whole(g.power(x, 2))});
  const Expr form = g.contraction({n, n}, 0, 1, {{x, {g.label(0)}}, g.whole(g.power(y, 2)), {x, {g.label(0)}}});
  const Expr quartic = total(g.power(x, 4));
  at.inputs[0].values = {0, 0, 0};
  for (const Expr e : {weighted, form, quartic, g.add(weighted, quartic)})
    CHECK(gradient(root(e), x) == Values{0, 0, 0});
  CHECK(gradient(total(root(x)), x) == Values{INFINITY, INFINITY, INFINITY});
  CHECK(gradient(total(root(g.multiply(g.power(y, 2), x))), x)[0] == INFINITY);
}

TEST_CASE_FIXTURE(Fixture, "logsumexp of nothing but -inf contributes 0") {
  at.inputs[3].values = {-INFINITY, -INFINITY, 0, 0, -INFINITY, 1};
  const Expr lse = g.softmax(SoftmaxKind::logsumexp, {n, m}, 1, {g.whole(A)});
  CHECK(gradient(total(where(g.apply(Function::less, {y, g.constant(3)}), lse, zero)), A) ==
        Values{0, 0, 0.5, 0.5, 0, 0});
  CHECK(gradient(total(lse), A) == Values{0, 0, 0.5, 0.5, 0, 1});
}

TEST_CASE_FIXTURE(Fixture, "steps, conditions and positions have no derivative") {
  CHECK(g.is_zero(derivative(total(g.apply(Function::floor, {x})), x)));
  CHECK(g.is_zero(derivative(total(where(is_positive(x), y, zero)), x)));
  CHECK(g.is_zero(derivative(g.reduce(Reduction::argmax, {n}, 0, g.whole(x)), x)));
}

TEST_CASE_FIXTURE(Fixture, "an inner value may be differentiated by") {
  const Expr inner = g.power(x, 2);
  const Expr loss = total(g.power(inner, 3));
  const auto both = derivatives(g, loss, {inner, x});
  CHECK(evaluate_reference(g, {both[0]}, at)[0].values == Values{0, 3, 768});
  CHECK(evaluate_reference(g, {both[1]}, at)[0].values == Values{0, -6, 768 * 8});
}

TEST_CASE_FIXTURE(Fixture, "deriving is linear in the formula") {
  const auto nodes_for = [&](auto&& build) {
    const Expr root = build();
    const std::size_t before = g.reachable({root}).size();
    const std::size_t after = g.reachable(derivatives(g, root, {s})).size();
    return static_cast<double>(after) / static_cast<double>(before);
  };
  CHECK(nodes_for([&] {
          Expr e = s;
          for (int k = 0; k < 100'000; ++k) e = g.apply(Function::sin, {e});
          return e;
        }) < 4);
  CHECK(nodes_for([&] {
          std::vector<Term> terms;
          for (int k = 0; k < 100'000; ++k) terms.push_back({1, {g.apply(Function::exp, {g.scale(s, k + 1)}), {}}});
          return g.sum({}, terms);
        }) < 3);
  CHECK(nodes_for([&] {
          Expr e = s;
          for (int k = 0; k < 1000; ++k) e = g.multiply(e, e);
          return e;
        }) < 4);
  CHECK(nodes_for([&] {
          std::vector<Operand> factors;
          for (int k = 0; k < 1000; ++k) factors.push_back({g.apply(Function::cos, {g.scale(s, k + 1)}), {}});
          return g.contraction({}, 0, 1, factors);
        }) < 6);
  CHECK(nodes_for([&] {
          Expr e = s;
          for (int k = 0; k < 3000; ++k) e = where(is_positive(e), log(e), g.constant(k + 1));
          return e;
        }) < 12);
  CHECK(nodes_for([&] {
          Expr e = s;
          for (int k = 0; k < 3000; ++k) e = where(is_positive(e), log(e), g.apply(Function::exp, {e}));
          return e;
        }) < 12);
  CHECK(nodes_for([&] {
          Expr e = s;
          for (int k = 0; k < 3000; ++k) e = g.apply(Function::maximum, {e, g.apply(Function::cos, {e})});
          return e;
        }) < 40);
}
