// Derivatives given by the user: used in place of the body's, with both layouts of partials; their errors.
#include "symbolic/derive.hpp"
#include "symbolic/print.hpp"
#include "tests/close.hpp"
#include "tests/symbolic/elaboration.hpp"

namespace gradus::testing {
namespace {

/// The gradient of the loss by the first param, where the inputs have these values; sizes n = 2, k = 3.
std::vector<double> gradient(const std::string& text, const std::vector<std::vector<double>>& inputs) {
  Elaborated e = elaborated(text);
  INFO(text << "\n" << diagnostics_text(e, text));
  REQUIRE(e.model);
  const Derived derived = derive(*e.model);
  Bindings bindings;
  bindings.sizes = {{"n", 2}, {"k", 3}};
  for (std::uint32_t i = 0; i < inputs.size(); ++i) {
    std::vector<std::int64_t> shape;
    for (const Size s : e.model->inputs[i].shape) shape.push_back(*e.model->graph.sizes().evaluate(s, bindings.sizes));
    bindings.inputs[i] = {shape, inputs[i]};
  }
  return evaluate_reference(e.model->graph, {derived.losses.at(0).derivatives.at(0).expr}, bindings)[0].values;
}

}  // namespace

TEST_CASE("a given derivative is used instead of the body's") {
  CHECK(gradient("param x[n]\nste(v) = round(v)\ngrad ste(v) = 1\nloss = sum(ste(x)^2)", {{1.25, -2.75}}) ==
        std::vector<double>{2, -6});
  CHECK(gradient("param x[n]\nf(v) = v^2\ngrad f(v) = 7\nloss = sum[i](3*f(x[i]))", {{1, 2}}) ==
        std::vector<double>{21, 21});
}

TEST_CASE("partials have the axes of the value and the argument, or of an elementwise value") {
  const std::string form = "param x[n], A[n, n]\nq(x, A) = x @ A @ x\n";
  CHECK(gradient(form + "grad q(u, B) = (B @ u + B.T @ u, outer(u, u))\nloss = q(x, A)", {{1, 2}, {1, 2, 3, 4}}) ==
        gradient(form + "loss = q(x, A)", {{1, 2}, {1, 2, 3, 4}}));
  const std::string rows = "param v[k], X[n, k]\nf(a, b) = a*b\n";
  const std::vector<std::vector<double>> at = {{1, 2, 3}, {1, 2, 3, 4, 5, 6}};
  CHECK(gradient(rows + "grad f(a, b) = (b, a)\nloss = sum(f(X, v)^2)", at) ==
        gradient(rows + "loss = sum(f(X, v)^2)", at));
}

TEST_CASE("other values in the body, and the function in its own derivative, are differentiated as ever") {
  CHECK(gradient("param w\nparam x[n]\nf(v) = w*v^2\ngrad f(v) = 0\nloss = sum(f(x))", {{5}, {1, 2}}) ==
        std::vector<double>{5});
  const std::string f = "param x[n]\ns(z) = 1/(1 + exp(-z))\n";
  const auto given = gradient(f + "grad s(z) = s(z)*(1 - s(z))\nloss = sum(s(x))", {{1, -2}});
  const auto own = gradient(f + "loss = sum(s(x))", {{1, -2}});
  for (std::size_t k = 0; k < 2; ++k) CHECK(close(given[k], own[k], 4));
}

TEST_CASE("errors of given derivatives are located") {
  const std::string f = "param x[n], X[n, k]\nf(v) = sum(v, axis=0)\n";
  CHECK(error_of(f + "grad f(v) = ones(k)\nloss = sum(f(X))").find("[k, n, k]") != std::string::npos);
  CHECK(error_of(f + "grad f(a, b) = (a, b)\nloss = f(x)").find("takes 1 argument") != std::string::npos);
  CHECK(error_of("param x\ngrad g(v) = v\nloss = x").find("no function g") != std::string::npos);
  CHECK(error_of("param x\ngrad exp(v) = v\nloss = x").find("function of the language") != std::string::npos);
  CHECK(error_of(f + "grad f(v) = q\nloss = x[0]").find("q is not declared") != std::string::npos);
}

}  // namespace gradus::testing
