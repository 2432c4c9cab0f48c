// Printed programs: golden texts of graphs built by hand.
#include "symbolic/print.hpp"

#include <doctest/doctest.h>

#include "latex_check.hpp"
#include "symbolic/model.hpp"

using namespace gradus;

namespace {

/// A model under construction.
struct Workshop {
  Model model;
  Derived derived;
  Graph& g = model.graph;
  Size n = g.sizes().symbol("n"), d = g.sizes().symbol("d"), k = g.sizes().symbol("k");

  Workshop() { model.size_names = {"n", "d", "k"}; }

  Expr input(const std::string& name, std::vector<Size> shape, Input::Role role = Input::Role::data) {
    Input i;
    i.role = role;
    i.name = i.key = name;
    i.shape = shape;
    i.expr = g.input(static_cast<std::uint32_t>(model.inputs.size()), std::move(shape));
    model.inputs.push_back(i);
    return i.expr;
  }
  Expr param(const std::string& name, std::vector<Size> shape) {
    return input(name, std::move(shape), Input::Role::param);
  }
  void value(const std::string& name, Expr e) {
    NamedValue v;
    v.name = v.key = name;
    v.expr = e;
    model.values.push_back(v);
    derived.values.push_back(v);
  }
  Operand at(Expr e, std::vector<Label> labels) {
    Operand o{e, {}};
    for (const Label l : labels) o.subscripts.push_back(g.label(l));
    return o;
  }
  Expr inverse(Size s) { return g.power(g.size_value(s), -1); }
  std::string text(Expr e, Form form = Form::text) { return print_expression(model, e, form); }
};

}  // namespace

TEST_CASE("contractions come back as matrix notation") {
  Workshop w;
  const Expr X = w.input("X", {w.n, w.d}), A = w.input("A", {w.d, w.k}), B = w.input("B", {w.n, w.k});
  const Expr v = w.input("v", {w.d}), r = w.input("r", {w.n}), s = w.input("s", {w.n});
  CHECK(w.text(w.g.contraction({w.n, w.d}, 1, 1, {w.at(X, {0, 1}), w.at(v, {1})})) == "X @ v");
  CHECK(w.text(w.g.contraction({w.d, w.n}, 1, 1, {w.at(X, {1, 0}), w.at(r, {1})})) == "X.T @ r");
  CHECK(w.text(w.g.contraction({w.n, w.k, w.d}, 2, 1, {w.at(X, {0, 2}), w.at(A, {2, 1})})) == "X @ A");
  CHECK(w.text(w.g.contraction({w.d, w.k, w.n}, 2, 1, {w.at(X, {2, 0}), w.at(B, {2, 1})})) == "X.T @ B");
  CHECK(w.text(w.g.contraction({w.k, w.d, w.n}, 2, 1, {w.at(X, {2, 1}), w.at(B, {2, 0})})) == "B.T @ X");
  CHECK(w.text(w.g.contraction({w.d, w.d, w.n}, 2, 1, {w.at(X, {2, 0}), w.at(X, {2, 1}), w.at(r, {2})})) ==
        "(X.T*r) @ X");
  CHECK(w.text(w.g.contraction({w.n}, 0, 1, {w.at(r, {0}), w.at(s, {0})})) == "r @ s");
  CHECK(w.text(w.g.contraction({w.n}, 0, 1, {w.at(r, {0}), w.at(r, {0})})) == "||r||^2");
  CHECK(w.text(w.g.contraction({w.n}, 0, Rational::ratio(1, 2), {w.at(r, {0})})) == "sum(r)/2");
  CHECK(w.text(w.g.contraction({w.n}, 0, 1, {w.at(r, {0}), w.at(w.inverse(w.n), {})})) == "mean(r)");
  CHECK(w.text(w.g.contraction({w.d, w.n}, 1, 1, {w.at(X, {1, 0})})) == "sum(X, axis=0)");
  CHECK(w.text(w.g.contraction({w.n, w.d}, 1, 1, {w.at(X, {0, 1})})) == "sum(X, axis=1)");
  CHECK(w.text(w.g.contraction({w.n, w.d}, 2, 1, {w.at(r, {0}), w.at(v, {1})})) == "outer(r, v)");
  CHECK(w.text(w.g.contraction({w.n, w.d}, 0, 1, {w.at(r, {0}), w.at(X, {0, 1}), w.at(v, {1})})) == "r @ X @ v");
  CHECK(w.text(w.g.contraction({w.d, w.n}, 2, 1, {w.at(X, {1, 0})})) == "X.T");
}

TEST_CASE("what matrix notation does not reach is written with indices") {
  Workshop w;
  const Expr X = w.input("X", {w.n, w.d}), r = w.input("r", {w.n}), v = w.input("v", {w.d});
  const Expr x = w.input("x", {w.g.sizes().add(w.n, w.g.sizes().constant(1))});
  // a column times a table
  CHECK(w.text(w.g.contraction({w.n, w.d}, 2, 1, {w.at(X, {0, 1}), w.at(r, {0})})) == "[i, j] = X[i, j]*r[i]");
  // a filter
  Guard lower{Guard::Kind::nonnegative,
              w.g.subtract(w.g.label(1), w.g.add(w.g.label(0), w.g.offset(w.g.sizes().constant(1)))),
              {}};
  CHECK(w.text(w.g.contraction({w.n, w.n}, 0, 1, {w.at(r, {0}), w.at(r, {1})}, {lower})) ==
        "sum[i, j : i < j](r[i]*r[j])");
  Guard lower_row = lower;
  CHECK(w.text(w.g.contraction({w.n, w.n}, 1, 1, {w.at(r, {1})}, {lower_row})) == "[i in 0..n] = sum[j : i < j](r[j])");
  // a window: both ends come from the readings
  Operand next{x, {w.g.add(w.g.label(0), w.g.offset(w.g.sizes().constant(1)))}};
  CHECK(w.text(w.g.contraction({w.n}, 0, 1, {w.at(r, {0}), next})) == "r @ x[1:]");
  const Expr step = w.g.sum({w.n}, {{1, next}, {-1, w.at(x, {0})}});
  CHECK(w.text(step) == "x[1:] - x[:n]");
  // positions
  Guard same{Guard::Kind::zero, w.g.subtract(w.g.label(0), w.g.label(1)), {}};
  CHECK(w.text(w.g.contraction({w.n, w.n}, 2, 1, {w.at(r, {0})}, {same})) == "diag(r)");
  CHECK(w.text(w.g.contraction({w.n, w.n}, 2, 1, {}, {same})) == "eye(n)");
  CHECK(w.text(w.g.contraction({w.n, w.d}, 2, 1, {w.at(r, {0}), w.at(r, {0})}, {same})) ==
        "[i, j in 0..d] = where(i == j, r[i]^2, 0)");
  CHECK(w.text(w.g.contraction({w.n}, 1, 3, {})) == "3*ones(n)");
  CHECK(w.text(w.g.view({w.n, w.d}, w.at(v, {1}))) == "[i in 0..n, j] = v[j]");
}

TEST_CASE("index data gather and scatter") {
  Workshop w;
  const Expr E = w.input("E", {w.k, w.d}), g = w.input("g", {w.n});
  const Expr c = w.input("c", {w.n});
  w.g.set_index_bound(c, w.k);
  w.model.inputs.back().index_bound = w.k;
  const Subscript read{{}, {}, {{w.g.sizes().constant(1), c, {w.g.label(0)}}}};
  CHECK(w.text(w.g.view({w.n, w.d}, Operand{E, {read, w.g.label(1)}})) == "E[c]");
  const Subscript inner{{}, {}, {{w.g.sizes().constant(1), c, {w.g.label(1)}}}};
  const Guard equal{Guard::Kind::zero, w.g.subtract(inner, w.g.label(0)), {}};
  CHECK(w.text(w.g.contraction({w.k, w.n}, 1, 1, {w.at(g, {1})}, {equal})) == "[i in 0..k] = sum[j : i == c[j]](g[j])");
}

TEST_CASE("softmax, its logarithm and logsumexp") {
  Workshop w;
  const Expr Z = w.input("Z", {w.n, w.k}), z = w.input("z", {w.k});
  const Expr P = w.g.softmax(SoftmaxKind::softmax, {w.n, w.k, w.k}, 2, {w.at(Z, {0, 1}), w.at(Z, {0, 2})});
  CHECK(w.text(P) == "softmax(Z)");
  CHECK(w.text(w.g.softmax(SoftmaxKind::softmax, {w.n, w.k, w.n}, 2, {w.at(Z, {0, 1}), w.at(Z, {2, 1})})) ==
        "softmax(Z, axis=0)");
  CHECK(w.text(w.g.softmax(SoftmaxKind::log_softmax, {w.k, w.k}, 1, {w.at(z, {0}), w.at(z, {1})})) == "log_softmax(z)");
  CHECK(w.text(w.g.softmax(SoftmaxKind::logsumexp, {w.n, w.k}, 1, {w.at(Z, {0, 1})})) == "logsumexp(Z, axis=1)");
  CHECK(w.text(w.g.softmax(SoftmaxKind::logsumexp, {w.n, w.k}, 0, {w.at(Z, {0, 1})})) == "logsumexp(Z)");
}

TEST_CASE("arithmetic is written as people write it") {
  Workshop w;
  const Expr a = w.param("a", {}), b = w.param("b", {}), x = w.param("x", {w.n});
  const auto scalar = [](Expr e) { return Operand{e, {}}; };
  const auto sum = [&](std::vector<Term> t) { return w.g.sum({}, std::move(t)); };
  CHECK(w.text(sum({{-1, scalar(a)}, {1, scalar(b)}})) == "b - a");
  CHECK(w.text(sum({{-1, scalar(a)}, {-2, scalar(b)}})) == "-2*b - a");
  CHECK(w.text(sum({{Rational::ratio(1, 2), scalar(a)}, {3, scalar(w.g.constant(1))}})) == "a/2 + 3");
  CHECK(w.text(w.g.divide(a, w.g.add(a, b))) == "a/(a + b)");
  CHECK(w.text(w.g.scale(w.g.divide(a, b), Rational::ratio(2, 3))) == "2*a/(3*b)");
  CHECK(w.text(w.g.scale(a, Rational::ratio(9, 25))) == "0.36*a");
  CHECK(w.text(w.g.power(a, 2)) == "a^2");
  CHECK(w.text(w.g.power(a, -2)) == "1/a^2");
  CHECK(w.text(w.g.power(w.g.add(a, b), Rational::ratio(1, 3))) == "(a + b)^(1/3)");
  CHECK(w.text(w.g.power(a, Rational::ratio(-1, 2))) == "1/sqrt(a)");
  CHECK(w.text(w.g.multiply(w.g.apply(Function::exp, {a}), w.g.apply(Function::less, {w.g.constant(0), b}))) ==
        "exp(a)*(b > 0)");
  CHECK(w.text(w.g.apply(Function::select, {w.g.apply(Function::less, {a, b}), a, b})) == "where(a < b, a, b)");
  CHECK(w.text(w.g.elementwise(Function::maximum, {w.n}, {w.at(x, {0}), scalar(a)})) == "max(a, x)");
  CHECK(w.text(w.g.named_constant(Function::infinity)) == "inf");
  CHECK(w.text(w.g.named_constant(Function::not_a_number)) == "log(-1)");
}

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

}  // namespace

TEST_CASE("Unicode and LaTeX say the same with other signs") {
  Workshop w;
  const Expr X = w.input("X", {w.n, w.d}), r = w.input("r", {w.n}), W = w.param("beta", {w.d}),
             s = w.param("log_s", {});
  const Expr z = w.g.contraction({w.n, w.d}, 1, 1, {w.at(X, {0, 1}), w.at(W, {1})});
  const Expr back = w.g.contraction({w.d, w.n}, 1, 1, {w.at(X, {1, 0}), w.at(r, {1})});
  CHECK(w.text(z, Form::unicode) == "X · β");
  CHECK(w.text(back, Form::unicode) == "Xᵀ · r");
  CHECK(w.text(z, Form::latex) == "X \\, \\beta");
  CHECK(w.text(back, Form::latex) == "X^{\\top} \\, r");
  const Expr square = w.g.contraction({w.n}, 0, 1, {w.at(r, {0}), w.at(r, {0})});
  CHECK(w.text(square, Form::unicode) == "‖r‖²");
  CHECK(w.text(w.g.divide(w.g.apply(Function::exp, {s}), s), Form::latex) ==
        "\\frac{e^{\\mathrm{log}_{s}}}{\\mathrm{log}_{s}}");
  const Expr chosen =
      w.g.apply(Function::select, {w.g.apply(Function::less, {s, w.g.constant(0)}), s, w.g.constant(1)});
  CHECK(testing::latex_problem(w.text(chosen, Form::latex)) == "");
  CHECK(count(w.text(chosen, Form::latex), "\\begin{cases}") == 1);
  Guard below{Guard::Kind::nonnegative, w.g.subtract(w.g.label(1), w.g.label(0)), {}};
  const Expr pairs = w.g.contraction({w.n, w.n}, 0, 1, {w.at(r, {0}), w.at(r, {1})}, {below});
  CHECK(w.text(pairs, Form::unicode) == "Σ[i, j : i ≤ j](r[i]*r[j])");
  CHECK(testing::latex_problem(w.text(pairs, Form::latex)) == "");
}

TEST_CASE("the LaTeX check of these tests finds what LaTeX would refuse") {
  for (const std::string bad : {"a_{i}_{j}", "{a", "a}", "\\left(a", "\\frac{a}", "\\begin{cases} a & b", "\\nonsense",
                                "λ", "a & b", "\\mathrm{log_softmax}", "x^{2}^{3}"})
    CHECK_MESSAGE(testing::latex_problem(bad) != "", bad);
  for (const std::string good :
       {"{a_{i}}_{j}", "x_{i}^{2}", "\\frac{a}{b}", "\\left(a\\right)_{j}", "\\sqrt[3]{x}", "\\mathrm{log\\_p}"})
    CHECK_MESSAGE(testing::latex_problem(good) == "", good);
}

TEST_CASE("a whole program: declarations, named values, loss, gradient") {
  Workshop w;
  const Expr X = w.input("X", {w.n, w.d}), y = w.input("y", {w.n});
  const Expr v = w.param("w", {w.d}), b = w.param("b", {});
  const Expr lambda = w.input("lambda", {}, Input::Role::constant);
  w.model.inputs.back().name = "λ";
  w.model.inputs.back().default_value = w.g.constant(Rational::ratio(1, 10));
  const Expr z = w.g.sum(
      {w.n}, {{1, w.g.whole(w.g.contraction({w.n, w.d}, 1, 1, {w.at(X, {0, 1}), w.at(v, {1})}))}, {1, {b, {}}}});
  w.value("z", z);
  const Expr yz = w.g.contraction({w.n}, 1, 1, {w.at(y, {0}), w.at(z, {0})});
  const Expr each = w.g.sum({w.n}, {{1, w.g.whole(w.g.apply(Function::softplus, {z}))}, {-1, w.g.whole(yz)}});
  const Expr mean = w.g.contraction({w.n}, 0, 1, {w.at(each, {0}), {w.inverse(w.n), {}}});
  const Expr square = w.g.contraction({w.d}, 0, Rational::ratio(1, 2), {w.at(v, {0}), w.at(v, {0}), {lambda, {}}});
  const Expr loss = w.g.add(mean, square);
  w.value("loss", loss);
  w.model.values.back().role = w.derived.values.back().role = NamedValue::Role::loss;
  const Expr p = w.g.apply(Function::sigmoid, {z});
  const Expr r = w.g.subtract(p, y);
  const Expr data_part = w.g.contraction({w.d, w.n}, 1, 1, {w.at(X, {1, 0}), w.at(r, {1}), {w.inverse(w.n), {}}});
  const Expr grad_w = w.g.sum({w.d}, {{1, w.g.whole(data_part)}, {1, w.g.whole(w.g.multiply(lambda, v))}});
  const Expr grad_b = w.g.contraction({w.n}, 0, 1, {w.at(r, {0}), {w.inverse(w.n), {}}});
  w.derived.losses.push_back({"loss", loss, {{2, grad_w}, {3, grad_b}}});
  const Size spare = w.g.sizes().subtract(w.n, w.g.sizes().constant(1));  // what the mean checks
  w.model.requirements.push_back({spare, false, "mean of nothing", Span::none()});
  CHECK(print(w.model, w.derived, Form::text) == R"(data X[n, d], y[n]
param w[d], b
const λ = 0.1

z = X @ w + b
loss = mean(softplus(z) - y*z) + λ/2*||w||^2

p = sigmoid(z)
output grad_w = X.T @ (p - y)/n + λ*w
output grad_b = mean(p - y)
)");
  CHECK(print(w.model, w.derived, Form::unicode) == R"(data X[n, d], y[n]
param w[d], b
const λ = 0.1

z = X · w + b
loss = mean(softplus(z) - y ⊙ z) + λ/2*‖w‖²

p = sigmoid(z)
∂loss/∂w = Xᵀ · (p - y)/n + λ*w
∂loss/∂b = mean(p - y)
)");
  CHECK(print(w.model, w.derived, Form::latex) == R"(\begin{align*}
z &= X \, w + b \\
\mathrm{loss} &= \operatorname{mean}\left(\operatorname{softplus}(z) - y \odot z\right) + \frac{\lambda}{2} \, \lVert w \rVert^{2} \\
p &= \sigma(z) \\
\frac{\partial \mathrm{loss}}{\partial w} &= \frac{X^{\top} \, \left(p - y\right)}{n} + \lambda \, w \\
\frac{\partial \mathrm{loss}}{\partial b} &= \operatorname{mean}\left(p - y\right)
\end{align*}
)");
}

TEST_CASE("long chains print in linear time as short lines") {
  Workshop w;
  Expr x = w.param("x", {});
  for (int k = 0; k < 100'000; ++k) x = w.g.apply(k % 2 == 0 ? Function::sin : Function::atan, {x});
  const std::string text = w.text(x);
  CHECK(count(text, "sin(") == 50'000);
  std::size_t longest = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    longest = std::max(longest, end - at);
    at = end + 1;
  }
  CHECK(longest < 250);
}
