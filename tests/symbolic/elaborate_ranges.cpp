// Range inference: the range of an index is the largest for which its subscripts are inside.
#include "tests/close.hpp"
#include "tests/symbolic/elaboration.hpp"

namespace gradus::testing {
namespace {

/// The shape of a value, as in messages.
std::string shape_of(const std::string& text, const std::string& name) {
  const Elaborated e = elaborated(text);
  INFO(text << "\n" << diagnostics_text(e, text));
  REQUIRE(e.model);
  for (const auto& v : e.model->values) {
    if (v.name != name) continue;
    std::string out = "[";
    for (const Size s : e.model->graph.shape(v.expr))
      out += (out.size() > 1 ? ", " : "") + e.model->graph.sizes().to_string(s);
    return out + "]";
  }
  FAIL("no value named " << name);
  return {};
}

}  // namespace

TEST_CASE("subscripts with one index give the range of a defined value") {
  CHECK(shape_of("data x[n]\noutput y[t] = x[t]", "y") == "[n]");
  CHECK(shape_of("data x[n]\noutput y[t] = x[t+1] - x[t]", "y") == "[n-1]");
  CHECK(shape_of("data x[2*n]\noutput y[i] = x[2*i] + x[2*i + 1]", "y") == "[n]");
  CHECK(shape_of("data x[n]\noutput y[i] = x[n - 1 - i]", "y") == "[n]");
  CHECK(shape_of("data x[n], dt[n - 1]\noutput y[t] = (x[t+1] - x[t])/dt[t]", "y") == "[n-1]");
}

TEST_CASE("a subscript with one open index bounds it for all values of the known ones") {
  CHECK(shape_of("data K[p, q], I[h, w]\noutput C[i, j] = sum[a, b](K[a, b]*I[i+a, j+b])", "C") == "[h-p+1, w-q+1]");
}

TEST_CASE("a negative coefficient counts down") {
  const Array y = value_of("data x[n]\noutput y[i] = x[n - 1 - i]", "y", {{"x", vector({1, 2, 3})}});
  CHECK(y.values == std::vector<double>{3, 2, 1});
}

TEST_CASE("the range of a sum may begin below 0") {
  CHECK(value_of("data x[n]\nparam s\nloss = s*sum[t](x[t + 1])", "loss", {{"x", vector({1, 2, 4})}, {"s", scalar(1)}})
            .values[0] == 7);
}

TEST_CASE("ranges that depend on outer indices and on index data") {
  const std::map<std::string, Array> x{{"x", vector({1, 2, 3})}};
  CHECK(value_of("param x[n]\nloss = sum[i, j in 0..i](x[i]*x[j])", "loss", x).values[0] == 11);
  CHECK(value_of("param x[n]\nloss = sum[i, j in i+1..n](x[i]*x[j])", "loss", x).values[0] == 11);
  CHECK(value_of("param x[b, T]\ndata len[b] : index(T + 1)\nloss = sum[i](sum[t in 0..len[i]](x[i, t]))", "loss",
                 {{"x", matrix(2, {1, 2, 4, 8, 16, 32})}, {"len", vector({3, 0})}})
            .values[0] == 7);
}

TEST_CASE("along-axis forms take the enclosing index and give it its range") {
  CHECK(shape_of("param Z[n, k]\noutput P[i, c] = softmax[c](Z[i, c])", "P") == "[n, k]");
  CHECK(shape_of("param q[k]\noutput a = softmax[c](q[c]/2)", "a") == "[k]");
  CHECK(shape_of("param X[n, m]\noutput a[i] = cumsum[c](X[i, c])", "a") == "[n, m]");
  CHECK(shape_of("param q[k]\noutput a[c] = softmax[c](softmax[c](log_softmax[c](q[c])))", "a") == "[k]");
}

TEST_CASE("the index of an along-axis form that no subscript bounds runs like the enclosing one") {
  CHECK(shape_of("param a, C[n, m]\noutput p[i, j in 0..m] = softmax[j](sum[l : l <= j](a*C[i, l]))", "p") == "[n, m]");
  CHECK(value_of("param a\noutput p[j in 0..3] = cumsum[j](a*j)", "p", {{"a", scalar(2)}}).values ==
        std::vector<double>{0, 2, 6});
  CHECK_FALSE(error_of("param a\noutput p = softmax[j](a*j)").empty());
}

TEST_CASE("inlined functions take part, each call for itself") {
  CHECK(shape_of("data x[n]\nf(u, t) = u[t + 1] - u[t]\noutput y[t] = f(x, t)", "y") == "[n-1]");
  CHECK(value_of("param x[n], y[m]\nf(u) = sum[i](u[i])\nloss = sum[i](x[i]*f(y))", "loss",
                 {{"x", vector({1, 2})}, {"y", vector({3, 4, 5})}})
            .values[0] == 36);
}

TEST_CASE("what does not fix a range asks for 'in'") {
  for (const char* body : {"sum[i, j](x[i + j])", "sum[i](2^i)", "sum[i, j](x[i])", "sum[i](x[2*i])"}) {
    const std::string error = error_of(std::string("data x[n]\nparam w\nloss = w*") + body);
    INFO(body);
    CHECK(error.find(" in 0..") != std::string::npos);
  }
  CHECK(error_of("data x[n]\nparam w\ny[t] = w*x[t - 1]\nloss = sum(y)").find("t in 0..n") != std::string::npos);
  CHECK(error_of("data x[n], y[m]\nparam w\nloss = w*sum[i](x[i]*y[i])").find("different sizes") != std::string::npos);
}

TEST_CASE("a condition on the index protects a subscript only where the range is written out") {
  CHECK(error_of("data x[n]\nparam s\nD[i] = x[i] - (s*x[i - 1] if i > 0 else 0)\nloss = sum(D)").find("i in 0..n") !=
        std::string::npos);
  const std::string good = "data x[n]\nparam s\nD[i in 0..n] = x[i] - (s*x[i - 1] if i > 0 else 0)\noutput o = D";
  CHECK(value_of(good, "o", {{"x", vector({1, 3, 7})}, {"s", scalar(1)}}).values == std::vector<double>{1, 2, 4});
  CHECK(shape_of("data x[n]\noutput y[i] = sum[j : j != i](x[j]) + x[i]", "y") == "[n]");
  // A convolution whose filter keeps the subscript inside.
  const std::string filter =
      "data K[k], y[m]\ndim n = 4\noutput g[p in 0..n] = sum[a in 0..k : 0 <= p - a < m](K[a]*y[p - a])";
  CHECK(value_of(filter, "g", {{"K", vector({1, 1})}, {"y", vector({1, 2, 3})}}).values ==
        std::vector<double>{1, 3, 5, 3});
}

TEST_CASE("parts of 'and' and 'or' protect each other's subscripts") {
  const std::map<std::string, Array> x{{"x", vector({1, 3, -2, 5})}};
  CHECK(value_of("param x[n]\nloss = sum[i in 0..n : i > 0 and x[i - 1] > 0](x[i])", "loss", x).values[0] == 1);
  CHECK(value_of("param x[n]\nloss = sum[i in 0..n : x[i - 1] > 0 and i > 0](x[i])", "loss", x).values[0] == 1);
  CHECK(value_of("param x[n]\noutput o[i in 0..n] = 1 if i == 0 or x[i - 1] > 0 else 0", "o", x).values ==
        std::vector<double>{1, 1, 1, 0});
  CHECK(error_of("param x[n]\nloss = sum[i in 0..n : x[i - 1] > 0](x[i])").find("begin at 0") != std::string::npos);
}

TEST_CASE("a warning says what a shorter partner leaves out, unless a shift explains it") {
  const auto warnings = [](const std::string& text) {
    const Elaborated e = elaborated(text);
    int count = 0;
    for (const auto& d : e.diagnostics.all()) count += d.main.severity == Severity::warning ? 1 : 0;
    return count;
  };
  CHECK(warnings("data x[n], dt[n - 1]\nparam s\nloss = s*sum[t](x[t]/dt[t])") == 1);
  CHECK(warnings("data r[n], V[n + 1]\nparam g\nloss = sum[t]((r[t] + g*V[t+1] - V[t])^2)") == 0);
}

TEST_CASE("subscripts that sizes do not show to be inside are checked when evaluated") {
  const Elaborated sizes = elaborated("data x[n]\nparam s\nloss = s*x[2]");
  REQUIRE(sizes.model);
  REQUIRE(sizes.model->requirements.size() == 1);
  CHECK(sizes.model->graph.sizes().to_string(sizes.model->requirements[0].size) == "n-3");
  const Elaborated data = elaborated("data c[n] : index(k)\nparam E[k]\nloss = sum[i](E[c[i] + 1])");
  REQUIRE(data.model);
  CHECK(data.model->checks.size() == 1);
  const Elaborated wrong_condition =
      elaborated("data x[n]\nparam w\ny[i in 0..n] = w*x[i - 1] if i > -1 else 0\nloss = sum(y)");
  REQUIRE(wrong_condition.model);
  CHECK(wrong_condition.model->checks.size() == 1);
  const Elaborated proven = elaborated("data x[n]\nparam w\ny[i in 0..n] = w*x[i - 1] if i > 0 else 0\nloss = sum(y)");
  REQUIRE(proven.model);
  CHECK(proven.model->checks.empty());
  CHECK(proven.model->requirements.empty());
}

TEST_CASE("an empty range is empty, also where nothing in it depends on the index") {
  const std::string text = "param x[n]\nloss = x[0] + sum[i in 2..n](x[i]) + 10*sum[i in 2..n](1)";
  CHECK(value_of(text, "loss", {{"x", vector({5})}}).values[0] == 5);
  CHECK(value_of(text, "loss", {{"x", vector({5, 6, 7, 8})}}).values[0] == 40);
}

}  // namespace gradus::testing
