// The arena and its canonicalising constructors.
#include "symbolic/graph.hpp"

#include <doctest/doctest.h>

using namespace gradus;

namespace {

struct Fixture {
  Graph g;
  Size n = g.sizes().symbol("n"), d = g.sizes().symbol("d");
  Expr X = g.input(0, {n, d}), w = g.input(1, {d}), y = g.input(2, {n});

  Expr product() {  // X @ w
    return g.contraction({n, d}, 1, 1, {{X, {g.label(0), g.label(1)}}, {w, {g.label(1)}}});
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "equal nodes are one node, whatever the order of factors and bound labels") {
  const Expr a = product();
  const Expr b = g.contraction({n, d}, 1, 1, {{w, {g.label(1)}}, {X, {g.label(0), g.label(1)}}});
  CHECK(a == b);
  const Expr c = g.contraction({n, d, n}, 0, 1, {{X, {g.label(2), g.label(1)}}, {X, {g.label(0), g.label(1)}}});
  const Expr e = g.contraction({d, n, n}, 0, 1, {{X, {g.label(1), g.label(0)}}, {X, {g.label(2), g.label(0)}}});
  CHECK(g[c].labels.size() == 3);
  CHECK(verify_graph(g, {a, c, e}).empty());
}

TEST_CASE_FIXTURE(Fixture, "views vanish into their users, and identity views are the value itself") {
  const Expr t = g.view({d, n}, {X, {g.label(1), g.label(0)}});
  CHECK(g.view({n, d}, {t, {g.label(1), g.label(0)}}) == X);
  const Expr z = g.contraction({n, d}, 1, 1, {{t, {g.label(1), g.label(0)}}, {w, {g.label(1)}}});
  CHECK(z == product());
}

TEST_CASE_FIXTURE(Fixture, "constants fold exactly") {
  CHECK(g.is_constant(g.add(g.constant(1), g.constant(2)), 3));
  CHECK(g.multiply(w, g.constant(1)) == w);
  CHECK(g.is_zero(g.multiply(w, g.constant(0))));
  CHECK(g.shape(g.multiply(w, g.constant(0))).size() == 1);
  CHECK(g.subtract(w, w) == g.multiply(w, g.constant(0)));
  CHECK(g.power(w, 1) == w);
  CHECK(g.is_constant(g.power(w, 0), 1));
  CHECK(g.add(w, g.constant(0)) == w);
}

TEST_CASE_FIXTURE(Fixture, "an equality guard that can be solved for a bound label is substituted") {
  // Σ_j [i == j] X[j, k] w[k] over j, k
  const Guard same{Guard::Kind::zero, g.subtract(g.label(0), g.label(1)), {}};
  const Expr e = g.contraction({n, n, d}, 1, 1, {{X, {g.label(1), g.label(2)}}, {w, {g.label(2)}}}, {same});
  CHECK(e == product());
}

TEST_CASE_FIXTURE(Fixture, "a solved label keeps its range as guards where it is not certain") {
  // out[i] = Σ_j [i == j + 1] y[j]: y[i - 1] for i >= 1
  Subscript shifted = g.label(1);
  shifted.offset = g.sizes().constant(1);
  const Size n1 = g.sizes().subtract(n, g.sizes().constant(1));
  g.sizes().assume_nonnegative(n1);
  const Expr e =
      g.contraction({n, n1}, 1, 1, {{y, {g.label(1)}}}, {{Guard::Kind::zero, g.subtract(g.label(0), shifted), {}}});
  CHECK(g[e].labels.size() == 1);
  CHECK(g[e].guards.size() == 1);
  CHECK(verify_graph(g, {e}).empty());
}

TEST_CASE_FIXTURE(Fixture, "a strided or data equality on an axis stays a guard") {
  const Expr c = g.input(3, {n});
  Subscript at;
  at.data.push_back({g.sizes().constant(1), c, {g.label(1)}});
  const Expr e =
      g.contraction({d, n}, 1, 1, {{y, {g.label(1)}}}, {{Guard::Kind::zero, g.subtract(g.label(0), at), {}}});
  CHECK(g[e].guards.size() == 1);
  CHECK(g[e].labels.size() == 2);
  CHECK(verify_graph(g, {e}).empty());
}

TEST_CASE_FIXTURE(Fixture, "guards of a factor are hoisted over the whole product") {
  const Expr positive = g.elementwise(Function::less, {n}, {{g.constant(0), {}}, {y, {g.label(0)}}});
  const Expr guarded = g.contraction({n}, 1, 1, {}, {{Guard::Kind::condition, {}, g.whole(positive)}});
  const Expr e = g.multiply(guarded, g.power(y, -1));
  CHECK(g[e].guards.size() == 1);
  CHECK(g[e].operands.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a sum over an unused label multiplies by its size") {
  const Expr e = g.contraction({n}, 0, 1, {});
  CHECK(g[e].kind == Kind::index);
  const Expr two = g.contraction({g.sizes().constant(2)}, 0, 3, {});
  CHECK(g.is_constant(two, 6));
}

TEST_CASE_FIXTURE(Fixture, "functions are computed on the axes they depend on, then broadcast") {
  const Expr e = g.elementwise(Function::exp, {n, d}, {{w, {g.label(1)}}});
  CHECK(g.rank(e) == 2);
  const Expr s = g.sum({n, d}, {{1, {e, {g.label(0), g.label(1)}}}, {1, {X, {g.label(0), g.label(1)}}}});
  CHECK(g.rank(g[s].operands[1].expr) == 1);
  CHECK(verify_graph(g, {e, s}).empty());
}

TEST_CASE("long chains and products build in linear time") {
  Graph g;
  Expr x = g.input(0, {});
  for (int k = 0; k < 100000; ++k) x = g.apply(Function::sin, {x});
  CHECK(g.node_count() == 100001);
  Expr p = g.input(0, {});
  for (int k = 0; k < 1000; ++k) p = g.multiply(p, p);
  CHECK(g.node_count() < 110000);
}
