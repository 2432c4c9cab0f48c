// Gradients as a reader expects them: lines that the printed program of a formula must hold.
#include "symbolic/derive.hpp"
#include "symbolic/print.hpp"
#include "tests/symbolic/elaboration.hpp"

namespace gradus::testing {
namespace {

struct Example {
  const char* formula;
  const char* line;
};

std::string printed(const std::string& formula) {
  Elaborated e = elaborated(formula);
  INFO(formula << "\n" << diagnostics_text(e, formula));
  REQUIRE(e.model);
  return print(*e.model, derive(*e.model), Form::text);
}

void check_lines(const std::vector<Example>& examples) {
  for (const auto& [formula, line] : examples) {
    const std::string text = "\n" + printed(formula);
    CAPTURE(formula);
    CAPTURE(text);
    CHECK(error_of(text) == "");
    CHECK(text.find("\n" + std::string(line) + "\n") != std::string::npos);
  }
}

}  // namespace

TEST_CASE("rectifiers come back by their name, their slope as a condition on the value") {
  check_lines({
      {"param x[n]\nloss = sum(relu(x))", "loss = sum(relu(x))"},
      {"param x[n]\nloss = sum(relu(x))", "output grad_x = where(x > 0, 1, 0)"},
      {"data X[n, d]\nparam W[d, k]\nA = X @ W\nh = relu(A)\nloss = sum(h^2)", "h = relu(A)"},
  });
}

TEST_CASE("conditions are said in the user's direction") {
  check_lines({
      {"data t\nparam s\nloss = t*(log(s) if s > 1 else s)", "output grad_s = t*where(s > 1, 1/s, 1)"},
      {"data y[n]\nparam x[n]\nloss = sum(0 if y == 0 else x*y)", "output grad_x = where(y != 0, y, 0)"},
      {"data y[n]\nparam x[n]\nloss = sum[i : not y[i] == 2](x[i]*y[i])", "output grad_x = where(y != 2, y, 0)"},
  });
}

}  // namespace gradus::testing
