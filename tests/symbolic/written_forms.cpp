// Forms as users spell them: values and slopes where the written form has none (0/0), and the spellings of one form.
#include <doctest/doctest.h>

#include <cmath>

#include "elaboration.hpp"
#include "symbolic/derive.hpp"
#include "symbolic/interpret.hpp"
#include "symbolic/print.hpp"
#include "tests/close.hpp"

using namespace gradus;
using gradus::testing::close_relative;

namespace {

struct Derivation {
  Model model;
  Derived derived;

  explicit Derivation(const std::string& formula) {
    const std::string text = "param x, y\nloss = " + formula + "\n";
    auto e = testing::elaborated(text);
    INFO(text << testing::diagnostics_text(e, text));
    REQUIRE(e.model);
    model = std::move(*e.model);
    derived = derive(model, {});
  }
  /// The loss and its slopes by x and y.
  std::vector<double> at(double x, double y) {
    Bindings b;
    b.inputs = {{0, {{}, {x}}}, {1, {{}, {y}}}};
    const DerivedValue& loss = derived.losses.at(0);
    std::vector<double> out;
    for (const Expr e : {loss.value, loss.derivatives.at(0).expr, loss.derivatives.at(1).expr})
      out.push_back(evaluate_reference(model.graph, {e}, b)[0].values.at(0));
    return out;
  }
};

struct Limit {
  const char* formula;
  double x, y;
  double value, by_x, by_y;
};

}  // namespace

TEST_CASE("removable singularities have the value and the slope of the limit") {
  const double half = std::log(2.0) * std::log(2.0) / 2;
  const Limit limits[] = {
      {"sin(x)/x", 0, 0, 1, 0, 0},
      {"sin(2*x)/(2*x)", 0, 0, 1, 0, 0},
      {"(1 - cos(x))/x^2", 0, 0, 0.5, 0, 0},
      {"(1 - cos(x))/x", 0, 0, 0, 0.5, 0},
      {"(exp(x) - 1)/x", 0, 0, 1, 0.5, 0},
      {"(1 - exp(-x))/x", 0, 0, 1, -0.5, 0},
      {"(exp(3*x) - 1)/x", 0, 0, 3, 4.5, 0},
      {"x/(exp(x) - 1)", 0, 0, 1, -0.5, 0},
      {"x/(1 - exp(-x))", 0, 0, 1, 0.5, 0},
      {"1/tanh(x) - 1/x", 0, 0, 0, 1.0 / 3, 0},
      {"(x^y - 1)/y", 2, 0, std::log(2.0), 0.5, half},
      {"x*log(y)", 0, 0, 0, 0, 0},
      {"x*log(x/y) - x + y", 3, 3, 0, 0, 0},
      {"x/tanh(x)", 0, 0, 1, 0, 0},
      {"tanh(3*x)/x", 0, 0, 3, 0, 0},
      {"x/sinh(x)", 0, 0, 1, 0, 0},
      {"x/sin(x)", 0, 0, 1, 0, 0},
      {"x/tan(x)", 0, 0, 1, 0, 0},
      {"sin(x)^2/x^2", 0, 0, 1, 0, 0},
      {"log(1 + x*y)/x", 0, 3, 3, -4.5, 1},
      {"(1 + 1/x)*log(1 + x*y)", 0, 3, 3, -1.5, 1},
      {"(exp(x) - 1 - x)/x^2", 0, 0, 0.5, 1.0 / 6, 0},
      {"(x - sin(x))/x^3", 0, 0, 1.0 / 6, 0, 0},
      {"3*(sin(x) - x*cos(x))/x^3", 0, 0, 1, 0, 0},
      {"(sqrt(1 + 4*x) - 1)/(2*x)", 0, 0, 1, -1, 0},
      {"1/(exp(x) - 1) - 1/x", 0, 0, -0.5, 1.0 / 12, 0},
      {"1/tanh(x/y) - y/x", 0, 2, 0, 1.0 / 6, 0},
      {"1/x - 1/tan(x)", 0, 0, 0, 1.0 / 3, 0},
      {"(1 - exp(-x))/x - exp(-x)", 0, 0, 0, 0.5, 0},
      {"((1 + x)^y - 1)/y", 1, 0, std::log(2.0), 0.5, half},
      {"(exp(y*log(x)) - 1)/y", 2, 0, std::log(2.0), 0.5, half},
      {"x*log(x/y) + (1 - x)*log((1 - x)/(1 - y))", 0.25, 0.25, 0, 0, 0},
  };
  for (const Limit& l : limits) {
    CAPTURE(l.formula);
    const auto got = Derivation(l.formula).at(l.x, l.y);
    const double want[] = {l.value, l.by_x, l.by_y};
    for (std::size_t k = 0; k < 3; ++k) {
      CAPTURE(k);
      CHECK(close_relative(got[k], want[k], 1e-15));
    }
  }
}

TEST_CASE("a user's branch wins over a recognised limit") {
  const auto got = Derivation("where(y == 0, log(x), (x^y - 1)/y)").at(2, 0);
  CHECK(close_relative(got[0], std::log(2.0), 1e-15));
  CHECK(got[2] == 0);
}
