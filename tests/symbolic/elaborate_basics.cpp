// Elaboration: whole small programs get the values that their formulas mean.
#include "tests/close.hpp"
#include "tests/symbolic/elaboration.hpp"

namespace gradus::testing {

TEST_CASE("the logistic loss of the README has the value of its formula") {
  const std::string text =
      "data  X[n, d], y[n]\nparam w[d], b\nconst lambda = 0.1\n"
      "z    = X @ w + b\nloss = mean(softplus(z) - y*z) + lambda/2 * ||w||^2\n";
  const Array loss = value_of(
      text, "loss",
      {{"X", matrix(2, {1, -0.5, 0, 0.5})}, {"y", vector({1, 0})}, {"w", vector({0.5, -1})}, {"b", scalar(-0.75)}});
  const double z0 = 0.25, z1 = -1.25;
  const double expected = ((std::log1p(std::exp(z0)) - z0) + std::log1p(std::exp(z1))) / 2 + 0.1 / 2 * 1.25;
  CHECK(close_relative(loss.values[0], expected, 1e-14));
}

TEST_CASE("a product of a matrix with itself keeps its indices apart") {
  const Array c = value_of("param A[n, n]\noutput c = A @ A", "c", {{"A", matrix(2, {1, 2, 3, 4})}});
  CHECK(c.values == std::vector<double>{7, 10, 15, 22});
}

}  // namespace gradus::testing
