// What simplification makes of gradients and long formulas.
#include "symbolic/simplify.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <ctime>
#include <functional>

#include "symbolic/differentiate.hpp"
#include "symbolic/interpret.hpp"
#include "tests/close.hpp"

using namespace gradus;
using gradus::testing::close_relative;

namespace {

struct Fixture {
  Graph g;
  Size n = g.sizes().symbol("n"), d = g.sizes().symbol("d"), k = g.sizes().symbol("k");
  Expr X = g.input(0, {n, d}), w = g.input(1, {d}), y = g.input(2, {n}), Z = g.input(3, {n, k});
  Expr x = g.input(4, {}), s = g.input(5, {}), t = g.input(6, {}), lambda = g.input(7, {});
  Bindings at{{{0, {{3, 2}, {1, 2, -3, 4, -5, 6}}},
               {1, {{2}, {0.5, -1}}},
               {2, {{3}, {0, -1, 2}}},
               {3, {{3, 2}, {0.25, -2, 7, 1, 2, 3}}},
               {4, {{}, {0.75}}},
               {5, {{}, {-1.5}}},
               {6, {{}, {2.25}}},
               {7, {{}, {0.125}}}},
              {{"n", 3}, {"d", 2}, {"k", 2}}};

  Operand at0(Expr e) { return {e, {g.label(0)}}; }
  Operand at1(Expr e) { return {e, {g.label(1)}}; }
  Operand scalar(Expr e) { return {e, {}}; }
  Expr one_over_n() { return g.power(g.size_value(n), -1); }
  /// X @ w
  Expr scores() { return g.contraction({n, d}, 1, 1, {g.whole(X), at1(w)}); }

  Expr simplified(Expr e) {
    const Expr to = simplify(g, {e})[0];
    CHECK(verify_graph(g, {to}) == "");
    const auto values = evaluate_reference(g, {e, to}, at);
    for (std::size_t i = 0; i < values[0].values.size(); ++i)
      CHECK(close_relative(values[1].values[i], values[0].values[i], 1e-14));
    CHECK(simplify(g, {to})[0] == to);
    return to;
  }
  std::size_t nodes(Expr e) { return g.reachable({e}).size(); }
};

/// Time of this process, whatever else the machine does.
double seconds_of(const std::function<void()>& work) {
  const std::clock_t start = std::clock();
  work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "the gradient of a logistic loss is X.T @ (p - y)/n + lambda*w") {
  const Expr z = scores();
  // as reverse accumulation leaves it: both adjoints of z carry 1/n
  const Expr p = g.contraction({n}, 1, 1, {scalar(one_over_n()), g.whole(g.apply(Function::sigmoid, {z}))});
  const Expr minus_y = g.contraction({n}, 1, -1, {scalar(one_over_n()), g.whole(y)});
  const Expr adjoint = g.sum({n}, {{1, g.whole(p)}, {1, g.whole(minus_y)}});
  const Expr data = g.contraction({d, n}, 1, 1, {{X, {g.label(1), g.label(0)}}, at1(adjoint)});
  const Expr penalty = g.contraction({d}, 1, Rational::ratio(1, 2), {scalar(lambda), g.whole(g.scale(w, 2))});
  const Expr dw = simplified(g.add(data, penalty));

  const Expr residual = g.subtract(g.apply(Function::sigmoid, {z}), y);
  const Expr summed = g.contraction({d, n}, 1, 1, {{X, {g.label(1), g.label(0)}}, at1(residual)});
  const Expr wanted = g.add(
      g.multiply(g.contraction({d}, 1, 1, {g.whole(summed), scalar(one_over_n())}), g.view({d}, scalar(g.constant(1)))),
      g.contraction({d}, 1, 1, {scalar(lambda), g.whole(w)}));
  CHECK(debug_text(g, dw) == debug_text(g, wanted));
}

TEST_CASE_FIXTURE(Fixture, "a scalar leaves a product that two gradients share") {
  const Expr z = scores();
  const Expr adjoint = g.contraction({n}, 1, 1, {scalar(one_over_n()), g.whole(g.subtract(z, y))});
  const Expr dw = g.contraction({d, n}, 1, 1, {{X, {g.label(1), g.label(0)}}, at1(adjoint)});
  const Expr db = g.contraction({n}, 0, 1, {at0(adjoint)});
  const auto both = simplify(g, {dw, db});
  bool shared = false;
  for (const Expr e : g.reachable({both[1]})) shared = shared || e == g.subtract(z, y);
  CHECK(shared);
  CHECK(nodes(both[0]) == 10);
}

TEST_CASE_FIXTURE(Fixture, "like terms and powers") {
  const Expr xy = g.multiply(x, s);
  CHECK(simplified(g.add(g.scale(xy, 2), g.scale(xy, 3))) == g.contraction({}, 0, 5, {scalar(x), scalar(s)}));
  CHECK(simplified(g.multiply(x, x)) == g.power(x, 2));
  CHECK(simplified(g.multiply(g.power(x, 2), x)) == g.power(x, 3));
  CHECK(simplified(g.subtract(g.add(x, s), x)) == s);
  CHECK(simplified(g.add(g.multiply(x, s), g.multiply(x, t))) == g.multiply(x, g.add(s, t)));
}

TEST_CASE_FIXTURE(Fixture, "quotients cancel when simplifying, not when recognising") {
  CHECK(simplified(g.divide(g.power(x, 2), x)) == x);
  CHECK(simplified(g.divide(x, x)) == g.constant(1));
  CHECK(stabilise(g, {g.divide(x, x)})[0] == g.divide(x, x));
  CHECK(stabilise(g, {g.divide(g.apply(Function::exp, {x}), g.apply(Function::exp, {x}))})[0] == g.constant(1));
}

TEST_CASE_FIXTURE(Fixture, "the user's grouping of a sum stays where nothing meets") {
  const Expr grouped = g.subtract(g.subtract(x, s), t);
  CHECK(simplified(grouped) == grouped);
  const Expr other = g.subtract(x, g.subtract(s, t));
  CHECK(simplified(other) == other);
}

TEST_CASE_FIXTURE(Fixture, "centring is not distributed") {
  const Expr centred = g.sum({n, d}, {{1, g.whole(X)}, {-1, at1(w)}});
  const Expr scaled = g.contraction({n, d}, 2, 1, {g.whole(centred), scalar(g.power(s, -1))});
  const Expr scores = g.contraction({n, d}, 1, 1, {g.whole(scaled), at1(w)});
  const Expr got = simplified(scores);
  bool kept = false;
  for (const Expr e : g.reachable({got})) kept = kept || e == centred;
  CHECK(kept);
}

TEST_CASE_FIXTURE(Fixture, "a softmax that is summed whole is 1") {
  const Expr p = g.softmax(SoftmaxKind::softmax, {n, k, k}, 2, {g.whole(Z), {Z, {g.label(0), g.label(2)}}});
  const Expr rows = g.contraction({n, k}, 1, 1, {g.whole(p)});
  CHECK(g.is_constant(simplified(rows), 1));
  const Guard some{Guard::Kind::nonnegative, g.offset(g.sizes().subtract(k, g.sizes().constant(1))), {}};
  CHECK(stabilise(g, {rows})[0] == g.contraction({n}, 1, 1, {}, {some}));
  const Expr weighted = g.contraction({n, k}, 0, 1, {g.whole(p), at0(y)});
  CHECK(simplified(weighted) == g.contraction({n}, 0, 1, {g.whole(y)}));
}

TEST_CASE_FIXTURE(Fixture, "log-sum-exp is recognised under means, axes and transposes") {
  const Expr transposed = g.view({k, n}, {Z, {g.label(1), g.label(0)}});
  const Expr exps = g.apply(Function::exp, {transposed});
  const Expr total =
      g.contraction({n, k}, 1, 1, {{exps, {g.label(1), g.label(0)}}, {g.power(g.size_value(k), -1), {}}});
  const Expr got = simplified(g.apply(Function::log, {total}));
  bool found = false, logs_of_sums = false;
  for (const Expr e : g.reachable({got})) {
    found = found || g[e].kind == Kind::softmax;
    logs_of_sums = logs_of_sums || (g[e].kind == Kind::elementwise && g[e].function == Function::exp);
  }
  CHECK(found);
  CHECK_FALSE(logs_of_sums);
}

TEST_CASE_FIXTURE(Fixture, "a softmax written out is one") {
  const Expr exps = g.apply(Function::exp, {Z});
  const Expr total = g.contraction({n, k}, 1, 1, {g.whole(exps)});
  const Expr p = g.contraction({n, k}, 2, 1, {g.whole(exps), at0(g.power(total, -1))});
  const Expr want = g.softmax(SoftmaxKind::softmax, {n, k, k}, 2, {g.whole(Z), {Z, {g.label(0), g.label(2)}}});
  CHECK(simplified(p) == want);
  // one entry of it, minus its logarithm: the cross entropy of a class
  const Expr first = g.view({n}, {p, {g.label(0), g.offset(Size{})}});
  const Expr loss = simplified(g.scale(g.apply(Function::log, {first}), -1));
  bool found = false;
  for (const Expr e : g.reachable({loss}))
    found = found || (g[e].kind == Kind::softmax && g[e].softmax == SoftmaxKind::log_softmax);
  CHECK(found);
}

TEST_CASE_FIXTURE(Fixture, "binary cross entropy of a sigmoid takes no logarithm of a probability") {
  const Expr z = scores();
  const Expr p = g.apply(Function::sigmoid, {z});
  const Expr one = g.view({n}, scalar(g.constant(1)));
  const Expr loss = g.add(g.multiply(y, g.apply(Function::log, {p})),
                          g.multiply(g.subtract(one, y), g.apply(Function::log, {g.subtract(one, p)})));
  for (const Expr e : g.reachable({simplified(loss)}))
    CHECK_FALSE((g[e].kind == Kind::elementwise && g[e].function == Function::log));
}

TEST_CASE_FIXTURE(Fixture, "long chains and wide sums are simplified in linear time") {
  Expr chain = x;
  for (int i = 0; i < 10'000; ++i) chain = g.add(g.apply(Function::sin, {chain}), g.multiply(chain, s));
  Expr left = x;
  for (int i = 0; i < 20'000; ++i) left = g.add(left, g.multiply(s, g.apply(Function::cos, {g.scale(x, Rational(i))})));
  Expr square = x;
  for (int i = 0; i < 1'000; ++i) square = g.multiply(square, square);
  Expr product = x;
  for (int i = 0; i < 20'000; ++i) product = g.multiply(product, g.apply(Function::cos, {g.scale(x, Rational(i))}));
  Expr numbered = x;
  for (int i = 1; i < 20'000; ++i)
    numbered = g.scale(g.multiply(numbered, g.apply(Function::cos, {g.scale(x, Rational(i))})), Rational::ratio(1, 3));
  std::vector<Term> terms;
  for (int i = 0; i < 20'000; ++i) terms.push_back({1, scalar(g.apply(Function::exp, {g.scale(s, Rational(i))}))});
  const Expr wide = g.sum({}, terms);
  for (const Expr e : {chain, left, square, product, numbered, wide}) {
    const std::size_t before = nodes(e);
    Expr to;
    const double seconds = seconds_of([&] { to = simplify(g, {e})[0]; });
    CAPTURE(before);
    CHECK(nodes(to) <= before + 4);
    CHECK(seconds < 15);  // a few tenths in a release build, ten times that under sanitizers; quadratic takes minutes
  }
}

TEST_CASE_FIXTURE(Fixture, "the numbers of a long product stay in the range of doubles") {
  Expr product = x, chain = s;
  for (int i = 1; i < 2'000; ++i) {
    product = g.scale(g.multiply(product, g.apply(Function::cos, {g.scale(x, Rational(i))})), 3);
    chain = g.add(g.scale(g.apply(Function::exp, {g.scale(chain, -1)}), 3), g.constant(1));
  }
  for (const Expr e : {product, derivatives(g, chain, {s})[0]})
    for (const Expr part : g.reachable({simplify(g, {e})[0]}))
      for (const Rational& number : g[part].coefficients) {
        CHECK(number.to_double() != 0);
        CHECK(std::isfinite(number.to_double()));
      }
}
