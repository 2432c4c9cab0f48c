// Assumptions of values, random values that meet them, and the verdict of verify.
#include "runtime/verify.hpp"

#include <doctest/doctest.h>

#include "runtime/formula.hpp"

using namespace gradus;

namespace {

std::unique_ptr<Formula> formula(const std::string& text) {
  Diagnostics diagnostics;
  const Source source("test.loss", text);
  auto out = load(source, {}, diagnostics);
  INFO(render(diagnostics, &source, DiagnosticForm::text, false));
  REQUIRE(out);
  return out;
}

bool meets(const Model& model, std::uint32_t number, Array array) {
  Diagnostics diagnostics;
  Bindings bindings;
  bindings.inputs[number] = std::move(array);
  return check_assumptions(model, bindings, diagnostics);
}

VerifyReport verified(const std::string& text, const std::vector<Given>& given = {}) {
  const auto f = formula(text);
  Diagnostics diagnostics;
  DeriveOptions derive_by;
  derive_by.jacobians = true;
  const auto report = verify(f->model, derive_by, given, {}, {}, diagnostics);
  INFO(render(diagnostics, nullptr, DiagnosticForm::text, false));
  REQUIRE(report);
  return *report;
}

Given number(const std::string& name, double value) {
  Given out{name, {}};
  out.value.array = Array{{}, {value}};
  return out;
}

}  // namespace

TEST_CASE("values that break an assumption are found") {
  const auto f = formula(
      "param a : positive\nparam b : nonnegative\nparam c : integer\nparam S[d, d] : symmetric\nparam P[d, d] : spd\n"
      "param L[d, d] : lower\nloss = a + b + c + sum(S) + sum(P) + sum(L)");
  const Model& model = f->model;
  CHECK(meets(model, 0, {{}, {0.5}}));
  CHECK(!meets(model, 0, {{}, {0}}));
  CHECK(!meets(model, 0, {{}, {std::nan("")}}));
  CHECK(meets(model, 1, {{}, {0}}));
  CHECK(!meets(model, 1, {{}, {-1}}));
  CHECK(meets(model, 2, {{}, {-3}}));
  CHECK(!meets(model, 2, {{}, {0.5}}));
  CHECK(meets(model, 3, {{2, 2}, {1, 2, 2, -5}}));
  CHECK(!meets(model, 3, {{2, 2}, {1, 2, 3, -5}}));
  CHECK(meets(model, 4, {{2, 2}, {2, 1, 1, 2}}));
  CHECK(!meets(model, 4, {{2, 2}, {1, 2, 2, 1}}));
  CHECK(!meets(model, 4, {{2, 2}, {2, 1, 0, 2}}));
  CHECK(meets(model, 5, {{2, 2}, {1, 0, 7, 2}}));
  CHECK(!meets(model, 5, {{2, 2}, {1, 1e-30, 7, 2}}));
}

TEST_CASE("random values meet every assumption at every attempt") {
  const auto f = formula(
      "param a[n] : positive\nparam b[n] : nonnegative, integer\nparam S[n, n] : symmetric\nparam P[m, n, n] : spd\n"
      "param L[n, n] : lower\ndata c[n] : index(k)\nloss = sum(a) + sum(b) + sum(S) + sum(P) + sum(L) + sum(c)");
  Random random(4);
  const std::map<std::string, std::int64_t> sizes = {{"n", 4}, {"m", 3}, {"k", 2}};
  const std::vector<std::int64_t> shapes[] = {{4}, {4}, {4, 4}, {3, 4, 4}, {4, 4}, {4}};
  for (int attempt = 0; attempt < 40; ++attempt) {
    for (std::uint32_t k = 0; k < 6; ++k) {
      const Array value = random_value(f->model, k, shapes[k], sizes, attempt, random);
      INFO(f->model.inputs[k].name << ", attempt " << attempt);
      CHECK(meets(f->model, k, value));
      if (k == 5) {
        for (const double c : value.values) CHECK((c == 0 || c == 1));
      }
    }
  }
}

TEST_CASE("verify compares losses, gradients and Jacobians by every input") {
  const VerifyReport report = verified(
      "data X[n, d], y[n]\nparam w[d], b\nz = X @ w + b\nloss = mean(softplus(z) - y*z)\noutput p = sigmoid(z)");
  REQUIRE(report.rows.size() == 6);
  CHECK(report.rows[0].name == "loss");
  CHECK(report.rows[1].name == "grad w");
  CHECK(report.rows[4].name == "jac p w");
  CHECK(report.points == 3);
  CHECK(report.made_up);
  CHECK(report.passed);
  CHECK(report.worst > 0);
  CHECK(report.worst < 1e-13);
}

TEST_CASE("points are found where logarithms and roots are defined") {
  const VerifyReport report = verified("data y[n]\nparam m\nloss = sum(log(1 - y^2)) + m*sum(sqrt(y)) + log(m)");
  CHECK(report.passed);
  CHECK(!report.nothing);
  for (const VerifyRow& row : report.rows) CHECK(row.without == 0);
}

TEST_CASE("what is not finite has no reference, and that is said") {
  const VerifyReport report = verified("param m\nloss = sqrt(m)", {number("m", -1)});
  CHECK(report.nothing);
  CHECK(!report.made_up);
  CHECK(report.rows[0].without == 1);
}

TEST_CASE("a loss that double precision cannot hold is told from one it can") {
  // 1e16 + 1 is no double: what is lost is far above rounding of the result.
  const VerifyReport report = verified("param m\nloss = (m + 1) - m + m*1e-16", {number("m", 1e16)});
  CHECK(report.worst < 1e-9);  // simplified: nothing is lost
  const VerifyReport lost =
      verified("param m, k\nloss = exp(log(m + k) + log(m + k)) - m^2", {number("m", 1e12), number("k", 1)});
  CHECK(!lost.passed);
}

TEST_CASE("a kink at the given point is no disagreement with difference quotients") {
  const VerifyReport report =
      verified("param x, y\nloss = max(x, 0) + abs(x)*y + floor(y) + x*y", {number("x", 0), number("y", 1)});
  CHECK(report.passed);
  CHECK(!report.nothing);
}

TEST_CASE("difference quotients do not contradict a stopped gradient") {
  CHECK(verified("param x, y\nloss = stop_gradient(x*y)*x", {number("x", 2), number("y", 3)}).passed);
}

TEST_CASE("nor is a kink or jump that looks the same from both sides") {
  const auto at_zero = [](const std::string& text) {
    const VerifyReport report = verified(text, {number("x", 0)});
    return report.passed && !report.nothing;
  };
  CHECK(at_zero("param x\nloss = sign(x)"));
  CHECK(at_zero("param x\nloss = 3 if x != 0 else 3 + x"));
  CHECK(at_zero("param x, y\nloss = x/norm(stack(x, 0)) + y if x != 0 else y"));
  CHECK(verified("param x\nloss = cbrt(x)", {number("x", 1e-100)}).passed);
  const std::vector<Given> ones = {number("a", 1), number("b", 1), number("c", 1)};
  CHECK(verified("param a, b, c\nloss = max(a, max(b, c)) + min(min(a, b), c)", ones).passed);
}

TEST_CASE("the reference gets digits enough where the formula cancels") {
  const auto at = [](const std::string& text, double x) {
    const VerifyReport report = verified("param x\nloss = " + text, {number("x", x)});
    CHECK(!report.nothing);
    for (const VerifyRow& row : report.rows) CHECK(row.compared > 0);
    CHECK(report.rows[0].without == 0);
    return report.passed;
  };
  CHECK(at("log(1 - tanh(x)^2)", 200));
  CHECK(at("log(1 - sigmoid(x))", 300));
  CHECK(at("log(sigmoid(x)) + log(1 - sigmoid(x))", 3000));
}

TEST_CASE("what a derivative cancels counts as much as the terms that cancel") {
  const std::vector<Given> far = {number("a", 20), number("b", -30), number("v", 0.3), number("w", -0.7)};
  const std::string formula = "param a, b, v, w\np = exp(a)/(exp(a) + exp(b))\nloss = p*v + (1 - p)*w";
  CHECK(verified(formula, far).passed);
  CHECK(verified("data v[k]\nparam x[k]\nloss = softmax(40*x) @ v").passed);
  // A guard that asks whether the derivative is 0 does not hide what cancelled in it.
  Given y{"y", {}};
  y.value.array = Array{{4}, {0.1, -0.3, 0.2, 0.7}};
  CHECK(verified("param y[n]\nloss = hypot(2, 1 + logsumexp(log_softmax(y)))", {y}).passed);
}

TEST_CASE("a wrong derivative is found, however little it is off") {
  const auto passes = [](const std::string& factor, const std::string& loss) {
    return verified("data y[n]\nparam x[n]\nf(v) = v^2\ngrad f(v) = " + factor + "*v\nloss = " + loss).passed;
  };
  for (const std::string loss : {"sum(f(x))", "sum(softmax(f(x))*y)", "logsumexp(f(x)*y)", "sum(f(x)) - sum(x^2)",
                                 "log(sum(y^2*exp(f(x))))", "sum(f(x)*y)^2/sum(f(x))"}) {
    CAPTURE(loss);
    CHECK(passes("2", loss));
    CHECK(!passes("2.000002", loss));
    CHECK(!passes("1.999999", loss));
  }
}

TEST_CASE("a named range that ends before it begins is empty") {
  for (const std::size_t count : {0, 1, 2, 5}) {
    Given x{"x", {}};
    x.value.array = Array{{static_cast<std::int64_t>(count)}, std::vector<double>(count, 3.0)};
    const VerifyReport report =
        verified("param x[n]\nd[t] = x[t + 2] - x[t]\nloss = sum(d^2) + sum(tril(outer(d, exp(d)))) + sum(x)", {x});
    CHECK(report.passed);
    CHECK(!report.nothing);
  }
}

TEST_CASE("difference quotients get digits enough for tiny values") {
  const std::string text = "param r, T\nd = exp(r*T)\nloss = (d - 1)/r";
  CHECK(verified(text, {number("r", 1e-300), number("T", 0.7)}).passed);
}

TEST_CASE("at a kink a given derivative is the user's choice, elsewhere it is checked") {
  const std::string body = "param x, y\nf(t) = abs(t)\n", loss = "loss = f(x) + 2*f(y)";
  const std::string right = body + "grad f(t) = (1 if t >= 0 else -1)\n" + loss;
  const std::string wrong = body + "grad f(t) = (1 if t >= 0 else -2)\n" + loss;
  const VerifyReport chosen = verified(right, {number("x", 0), number("y", 3)});
  CHECK(chosen.passed);
  CHECK(chosen.rows[1].without == 1);
  CHECK(chosen.rows[2].without == 0);
  CHECK(verified(wrong, {number("x", 0), number("y", 3)}).passed);
  CHECK(!verified(wrong, {number("x", 0), number("y", -3)}).passed);
  CHECK(!verified(body + "grad f(t) = (0.1)\n" + loss, {number("x", 1), number("y", 0)}).passed);
}
