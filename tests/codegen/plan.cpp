// Planned programs give the reference's values, for every kind of node and sizes down to 0.
#include "tests/codegen/plan_case.hpp"

using namespace gradus;
using namespace gradus::testing;

namespace {

const std::vector<SizeValues> n_d = {{{"n", 0}, {"d", 3}},   {{"n", 1}, {"d", 1}},   {{"n", 7}, {"d", 0}},
                                     {{"n", 9}, {"d", 17}},  {{"n", 33}, {"d", 40}}, {{"n", 300}, {"d", 31}},
                                     {{"n", 1023}, {"d", 5}}};

}  // namespace

TEST_CASE("scalars are planned as straight-line code") {
  PlanCase c;
  auto& g = c.g;
  const Expr x = c.input("x", {}), y = c.input("y", {});
  const Expr r = g.subtract(y, g.power(x, 2));
  const Expr f = g.add(g.scale(g.power(r, 2), 100), g.power(g.subtract(g.constant(1), x), 2));
  check_plan(c.model, {f, g.multiply(r, x), g.power(g.apply(Function::exp, {x}), Rational::ratio(-1, 2))}, {{}});
}

TEST_CASE("logistic regression with its gradient") {
  PlanCase c;
  auto& g = c.g;
  const Size n = c.size("n"), d = c.size("d");
  const Expr X = c.data("X", {n, d}), y = c.data("y", {n}), w = c.input("w", {d}), b = c.input("b", {});
  const Expr z =
      g.sum({n}, {{1, c.at(g.contraction({n, d}, 1, 1, {c.at(X, {0, 1}), c.at(w, {1})}), {0})}, {1, {b, {}}}});
  const Expr losses = g.subtract(g.apply(Function::softplus, {z}), g.multiply(y, z));
  const Expr loss = g.contraction({n}, 0, 1, {c.at(losses, {0}), {g.power(g.size_value(n), -1), {}}});
  const Expr r = g.subtract(g.apply(Function::sigmoid, {z}), y);
  const Expr gw = g.contraction({d, n}, 1, 1, {c.at(X, {1, 0}), c.at(r, {1}), {g.power(g.size_value(n), -1), {}}});
  const Expr gb = g.contraction({n}, 0, 1, {c.at(r, {0})});
  check_plan(
      c.model,
      {loss, g.add(gw, g.scale(w, Rational::ratio(1, 10))), gb, g.contraction({d}, 0, 3, {c.at(w, {0}), c.at(w, {0})})},
      n_d);
}

TEST_CASE("standardised columns take three passes") {
  PlanCase c;
  auto& g = c.g;
  const Size n = c.size("n"), d = c.size("d");
  const Expr X = c.data("X", {n, d}), w = c.input("w", {d});
  const Expr over_n = g.power(g.size_value(n), -1);
  const Expr mean = g.contraction({d, n}, 1, 1, {c.at(X, {1, 0}), {over_n, {}}});
  const Expr centred = g.sum({n, d}, {{1, c.at(X, {0, 1})}, {-1, c.at(mean, {1})}});
  const Expr variance = g.contraction({d, n}, 1, 1, {c.at(centred, {1, 0}), c.at(centred, {1, 0}), {over_n, {}}});
  const Expr deviation = g.apply(Function::sqrt, {variance});
  const Expr z = g.contraction({n, d}, 2, 1, {c.at(centred, {0, 1}), c.at(g.power(deviation, -1), {1})});
  const Expr p = g.apply(Function::sigmoid, {g.contraction({n, d}, 1, 1, {c.at(z, {0, 1}), c.at(w, {1})})});
  const Expr gw = g.contraction({d, n}, 1, 1, {c.at(z, {1, 0}), c.at(p, {1})});
  check_plan(c.model, {g.contraction({n}, 0, 1, {c.at(p, {0})}), gw, deviation, p, z},
             {{{"n", 2}, {"d", 1}}, {{"n", 9}, {"d", 17}}, {{"n", 300}, {"d", 31}}}, 1e-11);
}

TEST_CASE("softmax regression with index data") {
  PlanCase c;
  auto& g = c.g;
  const Size n = c.size("n"), d = c.size("d"), k = c.size("k");
  const Expr X = c.data("X", {n, d}), W = c.input("W", {d, k}), b = c.input("b", {k});
  const Expr label = c.input("c", {n}, Input::Role::data, k);
  const Expr product = g.contraction({n, k, d}, 2, 1, {c.at(X, {0, 2}), c.at(W, {2, 1})});
  const Expr z = g.sum({n, k}, {{1, c.at(product, {0, 1})}, {1, c.at(b, {1})}});
  const Expr lse = g.softmax(SoftmaxKind::logsumexp, {n, k}, 1, {c.at(z, {0, 1})});
  const Expr p = g.softmax(SoftmaxKind::softmax, {n, k, k}, 2, {c.at(z, {0, 1}), c.at(z, {0, 2})});
  const Expr logp = g.softmax(SoftmaxKind::log_softmax, {n, k, k}, 2, {c.at(z, {0, 1}), c.at(z, {0, 2})});
  const Subscript pick{Size{}, {}, {{g.sizes().constant(1), label, {g.label(0)}}}};
  const Expr loss = g.contraction({n}, 0, -1, {{logp, {g.label(0), pick}}});
  const Guard hit{Guard::Kind::zero,
                  g.subtract(Subscript{Size{}, {}, {{g.sizes().constant(1), label, {g.label(0)}}}}, g.label(1)),
                  {}};
  const Expr onehot = g.contraction({n, k}, 2, 1, {}, {hit});
  const Expr r = g.subtract(p, onehot);
  const Expr gW = g.contraction({d, k, n}, 2, 1, {c.at(X, {2, 0}), c.at(r, {2, 1})});
  const Expr gb = g.contraction({k, n}, 1, 1, {c.at(r, {1, 0})});
  const Guard scatter{Guard::Kind::zero,
                      g.subtract(Subscript{Size{}, {}, {{g.sizes().constant(1), label, {g.label(2)}}}}, g.label(0)),
                      {}};
  const Expr sums = g.contraction({k, d, n}, 2, 2, {c.at(X, {2, 1})}, {scatter});
  const Guard scatter1{Guard::Kind::zero,
                       g.subtract(Subscript{Size{}, {}, {{g.sizes().constant(1), label, {g.label(1)}}}}, g.label(0)),
                       {}};
  const Expr counts = g.contraction({k, n}, 1, 1, {}, {scatter1});
  std::vector<SizeValues> sizes;
  for (auto s : n_d)
    for (const int classes : {1, 3, 10, 17}) s["k"] = classes, sizes.push_back(s);
  check_plan(c.model, {loss, gW, gb, lse, sums, counts, p}, sizes);
}

TEST_CASE("reductions of every kind, with filters, over rows and columns") {
  PlanCase c;
  auto& g = c.g;
  const Size n = c.size("n"), d = c.size("d");
  const Expr X = c.data("X", {n, d}), y = c.data("y", {n});
  const Expr positive = g.apply(Function::less, {g.view({n, d}, {g.constant(0), {}}), X});
  std::vector<Expr> roots;
  for (const auto kind : {Reduction::maximum, Reduction::minimum, Reduction::product, Reduction::norm}) {
    roots.push_back(g.reduce(kind, {n, d}, 1, c.at(X, {0, 1})));
    roots.push_back(g.reduce(kind, {d, n}, 1, c.at(X, {1, 0})));
    roots.push_back(g.reduce(kind, {n, d}, 0, c.at(X, {0, 1})));
    const Guard filter{Guard::Kind::condition, {}, c.at(positive, {0, 1})};
    if (kind != Reduction::maximum && kind != Reduction::minimum)
      roots.push_back(g.reduce(kind, {n, d}, 1, c.at(X, {0, 1}), {filter}));
  }
  for (const auto kind : {Reduction::any, Reduction::all}) {
    roots.push_back(g.reduce(kind, {n, d}, 1, c.at(positive, {0, 1})));
    roots.push_back(g.reduce(kind, {n, d}, 0, c.at(positive, {0, 1})));
  }
  for (const auto kind : {Reduction::argmax, Reduction::argmin}) {
    roots.push_back(g.reduce(kind, {n, d}, 1, c.at(X, {0, 1})));
    roots.push_back(g.reduce(kind, {d, n}, 1, c.at(X, {1, 0})));
    roots.push_back(g.reduce(kind, {n}, 0, c.at(y, {0})));
  }
  check_plan(c.model, roots,
             {{{"n", 1}, {"d", 1}}, {{"n", 9}, {"d", 17}}, {{"n", 33}, {"d", 40}}, {{"n", 300}, {"d", 31}}}, 1e-11);
}

TEST_CASE("windows, strides, diagonals, shifts and reshapes") {
  PlanCase c;
  auto& g = c.g;
  const Size n = c.size("n"), m = c.size("m");
  auto& z = g.sizes();
  const Size one = z.constant(1), shorter = z.subtract(n, one);
  const Expr x = c.data("x", {n}), K = c.input("K", {m}), A = c.input("A", {n, n}), B = c.input("B", {n, m});
  const auto shift = [&](Label l, std::int64_t by) { return g.add(g.label(l), g.offset(z.constant(by))); };
  std::vector<Expr> roots;
  const Expr difference = g.sum({shorter}, {{1, {x, {shift(0, 1)}}}, {-1, {x, {g.label(0)}}}});
  roots.push_back(g.contraction({shorter}, 0, 1, {c.at(difference, {0}), c.at(difference, {0})}));
  // y[p] = Σ_a K[a] x[p - a], 0 <= p - a: guards that select
  const Subscript back = g.subtract(g.label(0), g.label(1));
  roots.push_back(g.contraction({n, m}, 1, 1, {c.at(K, {1}), {x, {back}}}, {{Guard::Kind::nonnegative, back, {}}}));
  roots.push_back(g.contraction({n}, 0, 1, {c.at(A, {0, 0})}));                         // trace
  roots.push_back(g.view({n}, c.at(A, {0, 0})));                                        // diagonal
  roots.push_back(g.view({n, n}, c.at(A, {1, 0})));                                     // transpose
  roots.push_back(g.contraction({n, n, n}, 2, 1, {c.at(A, {0, 2}), c.at(A, {2, 1})}));  // product
  roots.push_back(g.contraction({n, n}, 2, 1, {c.at(A, {0, 1})},
                                {{Guard::Kind::nonnegative, g.subtract(g.label(0), g.label(1)), {}}}));
  roots.push_back(g.contraction({n, n}, 1, 1, {c.at(A, {0, 1})},
                                {{Guard::Kind::nonnegative, g.subtract(g.label(0), g.label(1)), {}}}));
  roots.push_back(g.contraction({n, n}, 2, 1, {}, {{Guard::Kind::zero, g.subtract(g.label(0), g.label(1)), {}}}));
  roots.push_back(
      g.contraction({n, n}, 1, 1, {c.at(A, {0, 1})}, {{Guard::Kind::nonzero, g.subtract(g.label(0), g.label(1)), {}}}));
  const Expr flat = g.reshape({z.multiply(n, m)}, B);
  roots.push_back(flat);
  roots.push_back(g.reshape({m, n}, g.apply(Function::exp, {B})));
  roots.push_back(g.contraction({m, n}, 1, 1, {c.at(g.reshape({m, n}, B), {0, 1}), c.at(x, {1})}));
  // adjoint of x[2 i]: G[p] = Σ_i [2 i == p] y[i]
  const Expr half = c.data("half", {m});
  roots.push_back(g.contraction({z.scale(m, 2), m}, 1, 1, {c.at(half, {1})},
                                {{Guard::Kind::zero, g.subtract(g.scale(g.label(1), z.constant(2)), g.label(0)), {}}}));
  // reversed, and an index as a number
  roots.push_back(g.contraction(
      {n}, 0, 1, {{x, {g.subtract(g.offset(shorter), g.label(0))}}, {g.index({n}, g.label(0)), {g.label(0)}}}));
  // where the element does not exist it is not chosen
  const Expr before = g.elementwise(
      Function::select, {n},
      {c.at(g.elementwise(Function::less, {n}, {{g.constant(0), {}}, {g.index({n}, g.label(0)), {g.label(0)}}}), {0}),
       {x, {shift(0, -1)}},
       {g.constant(0), {}}});
  roots.push_back(before);
  roots.push_back(g.contraction({n}, 0, 1, {c.at(before, {0}), c.at(x, {0})}));
  check_plan(c.model, roots,
             {{{"n", 1}, {"m", 1}},
              {{"n", 3}, {"m", 0}},
              {{"n", 5}, {"m", 3}},
              {{"n", 18}, {"m", 33}},
              {{"n", 41}, {"m", 7}}});
}

TEST_CASE("pairs and kernels over the data") {
  PlanCase c;
  auto& g = c.g;
  const Size n = c.size("n"), d = c.size("d");
  const Expr X = c.data("X", {n, d}), a = c.data("a", {n}), s = c.input("s", {});
  const Expr difference = g.sum({n, n, d}, {{1, c.at(X, {0, 2})}, {-1, c.at(X, {1, 2})}});
  const Expr squares = g.contraction({n, n, d}, 2, 1, {c.at(difference, {0, 1, 2}), c.at(difference, {0, 1, 2})});
  const Expr K =
      g.apply(Function::exp, {g.multiply(g.scale(squares, Rational::ratio(-1, 2)), g.view({n, n}, {s, {}}))});
  const Expr f = g.contraction({n, n}, 1, 1, {c.at(K, {0, 1}), c.at(a, {1})});
  const Expr total = g.contraction({n}, 0, 1, {c.at(f, {0}), c.at(a, {0})});
  const Expr other = g.contraction({n, n}, 1, 1, {c.at(K, {1, 0}), c.at(f, {1})});
  const Expr again = g.contraction({n, n}, 1, 1, {c.at(K, {0, 1}), c.at(f, {1})});
  check_plan(c.model, {total, other, again, K}, {{{"n", 1}, {"d", 1}}, {{"n", 9}, {"d", 3}}, {{"n", 40}, {"d", 5}}});
}

TEST_CASE("nothing leaks from what is not chosen") {
  PlanCase c;
  auto& g = c.g;
  const Size n = c.size("n");
  const Expr x = c.data("x", {n});
  const Expr positive = g.apply(Function::less, {g.view({n}, {g.constant(0), {}}), x});
  const Expr logs =
      g.apply(Function::select, {positive, g.apply(Function::log, {x}), g.view({n}, {g.constant(0), {}})});
  const Guard filter{Guard::Kind::condition, {}, c.at(positive, {0})};
  const Expr filtered = g.contraction({n}, 0, 1, {c.at(g.apply(Function::log, {x}), {0})}, {filter});
  const Expr gradient = g.contraction({n}, 1, 1, {c.at(g.power(x, -1), {0})}, {filter});
  check_plan(c.model, {g.contraction({n}, 0, 1, {c.at(logs, {0})}), filtered, gradient},
             {{{"n", 0}}, {{"n", 1}}, {{"n", 20}}, {{"n", 400}}});
}

TEST_CASE("norms neither overflow nor underflow") {
  PlanCase c;
  auto& g = c.g;
  const Size n = c.size("n");
  const Expr x = c.data("x", {n});
  const Expr norm = g.reduce(Reduction::norm, {n}, 0, c.at(x, {0}));
  const loops::Program program = plan(c.model, {norm});
  for (const double scale : {1.0, 1e-200, 1e200, 0.0, 1e-320, 1e308}) {
    Bindings b{{{0, {{3}, {3 * scale / 10, 0, -4 * scale / 10}}}}, {{"n", 3}}};
    CAPTURE(scale);
    CHECK(close_relative(run_program(program, c.model, {norm}, b).outputs[0].values[0],
                         evaluate_reference(g, {norm}, b)[0].values[0], 1e-14));
  }
}

TEST_CASE("a long chain becomes several functions") {
  PlanCase c;
  auto& g = c.g;
  const Size n = c.size("n");
  const Expr x = c.data("x", {n}), s = c.input("s", {});
  Expr v = x, t = s;
  for (int k = 0; k < 20000; ++k) {
    v = g.add(g.scale(v, Rational::ratio(1, 2)), g.apply(Function::sin, {v}));
    t = g.add(g.scale(t, Rational::ratio(1, 2)), g.apply(Function::cos, {t}));
    if (k % 3 == 0) v = g.scale(v, Rational::ratio(-3, 2));
  }
  check_plan(c.model, {g.contraction({n}, 0, 1, {c.at(v, {0})}), t}, {{{"n", 3}}}, 1e-9);
}

TEST_CASE("many reductions in one pass over the data become several functions") {
  PlanCase c;
  auto& g = c.g;
  const Size n = c.size("n");
  const Expr x = c.data("x", {n});
  std::vector<Expr> roots;
  for (int k = 0; k < 40; ++k) {
    Expr v = g.scale(x, Rational::ratio(k + 1, 40));
    for (int step = 0; step < 40; ++step) v = g.add(g.scale(v, Rational::ratio(1, 2)), g.apply(Function::sin, {v}));
    roots.push_back(k % 3 == 0 ? g.contraction({n}, 0, 1, {c.at(v, {0})})
                               : g.reduce(k % 3 == 1 ? Reduction::product : Reduction::maximum, {n}, 0, c.at(v, {0})));
  }
  check_plan(c.model, roots, {{{"n", 3}}, {{"n", 300}}}, 1e-9);
}

TEST_CASE("a failing check ends the call before any output is written") {
  PlanCase c;
  auto& g = c.g;
  const Size n = c.size("n");
  const Expr x = c.data("x", {n});
  const Expr label = c.input("c", {n}, Input::Role::data, c.size("k"));
  const Expr sum = g.contraction({n}, 0, 1, {c.at(x, {0}), {label, {g.label(0)}}});
  const Expr condition = g.apply(Function::less, {sum, g.constant(1000)});
  c.model.checks.push_back({ValueCheck::Code::empty_reduction, condition, "", Span::none()});
  const loops::Program program = plan(c.model, {sum}, {condition});
  REQUIRE(loops::check(program) == "");
  Bindings b{{{0, {{2}, {1, 2}}}, {1, {{2}, {0, 3}}}}, {{"n", 2}, {"k", 4}}};
  CHECK(run_program(program, c.model, {sum}, b).result.code == loops::Code::ok);
  b.inputs[0].values[1] = 1e6;
  const Ran failed = run_program(program, c.model, {sum}, b);
  CHECK(failed.result.code == loops::Code::empty_reduction);
  CHECK(failed.outputs[0].values[0] == -7);
  b.inputs[1].values[1] = 4;
  CHECK(run_program(program, c.model, {sum}, b).result.code == loops::Code::subscript_outside);
}
