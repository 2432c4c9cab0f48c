// Forms as users spell them, in doubles: values and slopes where what is written overflows or loses its digits.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "codegen/interpret.hpp"
#include "codegen/plan.hpp"
#include "frontend/parse.hpp"
#include "symbolic/derive.hpp"
#include "symbolic/elaborate.hpp"
#include "tests/close.hpp"

using namespace gradus;
using gradus::testing::close_relative;

namespace {

struct Limit {
  const char* formula;
  double x, y;
  double value, by_x, by_y;
};

/// The loss and its slopes by x and y.
std::vector<double> evaluated(const std::string& formula, double x, double y, const std::string& names = "") {
  const Source source("formula.loss", "param x, y\n" + names + "loss = " + formula + "\n");
  Diagnostics diagnostics;
  const auto program = parse(source, diagnostics);
  auto model = elaborate(program, diagnostics);
  REQUIRE(model);
  const Derived derived = derive(*model, {});
  const DerivedValue& loss = derived.losses.at(0);
  const loops::Program code =
      plan(*model, {loss.value, loss.derivatives.at(0).expr, loss.derivatives.at(1).expr}, derived.checks);
  std::vector<double> out(3, -7);
  const loops::Arguments arguments{{}, {&x, &y}, {&out[0], &out[1], &out[2]}};
  REQUIRE(loops::interpret(code, arguments).code == loops::Code::ok);
  return out;
}

}  // namespace

TEST_CASE("values and slopes stay finite where a part of what is written leaves the range of numbers") {
  const double e = std::exp(-1.0), share = 1 / (1 + e);
  const Limit limits[] = {
      {"log(1 + y*exp(x))", 800, 1, 800, 1, 1},
      {"log(2 + exp(x))", 800, 0, 800, 1, 0},
      {"log(1 - y + y*exp(x))", 800, 0.5, 800 - std::log(2.0), 1, 2},
      {"log(0.5*exp(x) + 0.5*exp(y))", 800, 799, 800 + std::log1p(e) - std::log(2.0), share, 1 - share},
      {"exp(x)/(exp(x) + 2*exp(y))", 800, 0, 1, 0, 0},
      {"exp(x)/(3 + y*exp(x))", 800, 2, 0.5, 0, -0.25},
      {"exp(x)/(1 + exp(x))^2", 800, 0, 0, 0, 0},
      {"exp(x)/exp(y)", 800, 800, 1, 1, -1},
      {"exp(2*x)/(1 + exp(x))^2", 800, 0, 1, 0, 0},
      {"exp(x + y)/(1 + exp(x))/(1 + exp(y))", 800, 790, 1, 0, 0},
      {"log(1 + exp(x)^2)", 800, 0, 1600, 2, 0},
      {"log(1 + sqrt(exp(x)))", 800, 0, 400, 0.5, 0},
      {"log(exp(x)^2 + exp(y)^2)", 800, 799, 1600 + std::log1p(e * e), 2 / (1 + e * e), 2 * e * e / (1 + e * e)},
      {"log2(1 + 2^x)", 2000, 0, 2000, 1, 0},
      {"1/(1 + 10^((y - x)/400))", -3e5, 0, 0, 0, 0},
      {"2^x/(2^x + 2^y)", 2000, 2001, 1. / 3, std::log(2.0) * 2 / 9, -std::log(2.0) * 2 / 9},
      {"(1 + exp(-x))^-0.5*exp(y)", -900, 450, 1, 0.5, 1},
      {"log(1 + (exp(x) + exp(y))^(1/3))", 900, 899, 300 + std::log1p(e) / 3, share / 3, (1 - share) / 3},
      {"log(1 + sqrt(exp(x)*exp(y)))", 900, 50, 475, 0.5, 0.5},
      {"log(sinh(x))", 800, 0, 800 - std::log(2.0), 1, 0},
      {"log(1 + sum(exp(stack(x, y))))", 800, 799, 800 + std::log1p(e), share, 1 - share},
      {"log(exp(x) + sum(exp(stack(y, -5))))", 800, 799, 800 + std::log1p(e), share, 1 - share},
      {"log(1 + sum(stack(2, y)*exp(x*stack(1, 1))))", 800, -1, 800, 1, 1},
      {"log(1 + sum(exp(stack(x, 1)))*sum(exp(stack(y, 2))))", 800, 900, 1700, 1, 1},
      {"exp(x)/(exp(x) + sum(exp(stack(y, -5))))", 800, 801, 1 - share, share * (1 - share), -share * (1 - share)},
      {"sum(stack(x, 2)*exp(stack(x, 1)))/(1 + sum(exp(stack(x, y))))", 800, -800, 800, 1, 0},
      {"exp(-x/y)", 1e160, 1e160, e, -e * 1e-160, e * 1e-160},
      {"x/(1 + x + x^2)", 1e100, 0, 1e-100, -1e-200, 0},
      {"log(sigmoid(x)*sigmoid(y) + (1 - sigmoid(x))*(1 - sigmoid(y)))", 1000, -1000, -1000 + std::log(2.0), -0.5, 0.5},
      {"log(0.25*sigmoid(x) + 0.5*sigmoid(y))", -900, -901, -900 + std::log(0.25 + 0.5 * e), 0.25 / (0.25 + 0.5 * e),
       0.5 * e / (0.25 + 0.5 * e)},
      {"log(1 - sigmoid(x)*sigmoid(y))", 800, 801, -800 + std::log1p(e), -share, share - 1},
      {"where(x > 0, x*log(x/y), 0) - (x - y)", 1, 1 + 0x1p-40, 0x1p-81 * (1 - 0x1p-40 * 2 / 3), -0x1p-40 + 0x1p-81,
       0x1p-40 * (1 - 0x1p-40)},
      {"where(x > 0, x*log(x/y), 0) - x + y", 0, 2, 2, -1, 1},
      {"log(x/y)", 1e-200, 1e200, -400 * std::log(10.0), 1e200, -1e-200},
      {"log(y^x*exp(-y)/gamma(x + 1))", 300, 400, -17.466485812673392, 0.2860163317100114, -0.25},
      {"log(x^y)", 300, 400, 400 * std::log(300.0), 4.0 / 3, std::log(300.0)},
      {"log(x^3*y^3)", -2, -3, std::log(216.0), -1.5, -1},
      {"log((x - 1)^y*x^y)", -2, 3, std::log(216.0), -2.5, std::log(6.0)},
      {"log(gamma(x + y)/(gamma(x)*gamma(y)))", 300, 250, 380.4933455904079, 0.6068940297707859, 0.7895493273043767},
      {"log(x^299*(1 - x)^699/beta(300, 700))*(y + 1)", 0.5, 0, -79.14228240373319, -800, -79.14228240373319},
      {"log(x^3)", 1e-200, 0, -600 * std::log(10.0), 3e200, 0},
      {"sqrt(1 + x^2)", 1e160, 0, 1e160, 1, 0},
      {"log(x^2 + y^2)", 1e160, 0, 320 * std::log(10.0), 2e-160, 0},
      {"sqrt(1 + (x/y)^2) - 1", 1e160, 2, 5e159, 0.5, -2.5e159},
      {"x^2/(1 + x^2/y)", 1e160, 3, 3, 0, 1},
      {"log(gamma(x))", 600, 0, std::lgamma(600), 6.3960960904013964, 0},
      {"log(1 - (1 - exp(-x)))", 800, 0, -800, -1, 0},
      {"log(1 - (y + (1 - y)*sigmoid(x)))", 60, 0.25, std::log(0.75) - 60, -1, -4.0 / 3},
      {"log(2 + exp(x) + exp(-x))", 800, 0, 800, 1, 0},
      {"log(log(1 + exp(x)))", -800, 0, -800, 1, 0},
      {"log(2*normal_cdf(x))", -40, 0, -803.9152948331938, 40.02496884720726, 0},
      {"exp(x^2/2)*normal_cdf(-x)", 40, 0, 0.00996733518830131, -0.0002488728693802786, 0},
      {"1 - sigmoid(x)^2", -37.5, 0, 1, -5.357273923616155e-33, 0},
      {"y*x/(2 + x)", 1e16, 3, 3, 6e-32, 1},
      {"x^3/(1 + x^3)", 1e8, 0, 1, 3e-32, 0},
      {"1/(2 + exp(x) + exp(-x))", 800, 0, 0, 0, 0},
      {"log(sum([y, 2]*exp([x, 0])))", 800, 3, 800 + std::log(3.0), 1, 1.0 / 3},
      {"log(sum([y, 2]*exp([x, 0])))", -800, 3, std::log(2.0), 0, 0},
      {"log(sum([0, y]*exp([x, -x])))", 800, 3, std::log(3.0) - 800, -1, 1.0 / 3},
      {"sum([y, 1]*exp([x, 0]))/sum([2, 1]*exp([x, 0]))", 800, 3, 1.5, 0, 0.5},
      {"log(sum([y, 1]*exp([x, 0]))/sum([2, 1]*exp([2*x, 0])))", 800, 3, std::log(1.5) - 800, -1, 1.0 / 3},
      {"y*exp(x)/sum([y, 2]*exp([x, x]))", -800, 3, 0.6, 0, 0.08},
      {"exp(x - log(sum([y, 2]*exp([x, x]))))", 1e6, 3, 0.2, 0, -0.04},
  };
  for (const Limit& l : limits) {
    CAPTURE(std::string(l.formula));
    const auto got = evaluated(l.formula, l.x, l.y);
    const double want[] = {l.value, l.by_x, l.by_y};
    for (std::size_t k = 0; k < 3; ++k) {
      CAPTURE(k);
      CHECK((close_relative(got[k], want[k], 1e-14) || (want[k] == 0 && std::fabs(got[k]) < 1e-300)));
    }
  }
}

TEST_CASE("spellings of one form have its value to the last digits") {
  struct Spelling {
    const char* formula;
    double x, y, value;
  };
  const double t = 1e-9;  // the wanted values are series in it
  const Spelling spellings[] = {
      {"sqrt(x + y) - sqrt(x - y)", 1, t, t},
      {"sqrt(x^2 + y) - x", 1, t, t / 2 * (1 - t / 4)},
      {"x - sqrt(x^2 - y)", 1, t, t / 2 * (1 + t / 4)},
      {"sqrt(x^2 + y^2) - x", 1, t, t * t / 2},
      {"sqrt(4 + x) - 2", t, 0, t / 4 * (1 - t / 16)},
      {"log((y + x)/x)", 1, t, t * (1 - t / 2)},
      {"log(x/(x + y))", 1, t, -t * (1 - t / 2)},
      {"x*log(x) - x*log(x + y)", 1, t, -t * (1 - t / 2)},
      {"1 - (1 + x*y)^(-1/x)", 1, t, t * (1 - t)},
      {"x^y - 1", std::exp(1.0), t, t * (1 + t / 2)},
      {"1 - 1/(1 + x)", t, 0, t * (1 - t)},
      {"(1 + x)^2 - 1", t, 0, t * (2 + t)},
      {"log(1 - (1 - exp(-x))^y)", 40, 1, -40},
      {"log((1 + x)^2)", t, 0, 2 * t * (1 - t / 2)},
      {"log((1 - x)*(1 + x))", t, 0, -t * t},
      {"log((2 + x)/2)", t, 0, t / 2 * (1 - t / 4)},
      {"log(cos(x))", t, 0, -t * t / 2},
      {"exp(x)^3 - 1", t, 0, 3 * t * (1 + 1.5 * t)},
      {"softplus(x) - max(x, 0)", 40, 0, 4.2483542552915889863e-18},
      {"1 - prod(1 - sigmoid(stack(x, x)))", -40, 0, 8.4967085105831779365e-18},
      {"log(1 - sigmoid(x)^2)", -40, 0, -1.804851387845415157e-35},
      {"log(x*normal_cdf(x) + exp(-x^2/2)/sqrt(2*pi))", -38, 0, -730.19618340211373916},
      {"log(exp(-x)/(y*(1 + exp(-x))^2))", 800, 2, -800 - std::log(2.0)},
      {"log(1 - 0.5*(1 + erf(x/sqrt(2))))", 40, 0, -804.60844201375406},
      {"exp(-x^2/2)/(sqrt(2*pi)*0.5*erfc(x/sqrt(2)))", 40, 0, 40.024968847207264},
      {"exp(-(x/y)^2/2)/normal_cdf(-x/y)/sqrt(2*pi)", 80, 2, 40.024968847207264},
  };
  for (const Spelling& s : spellings) {
    CAPTURE(std::string(s.formula));
    CHECK(close_relative(evaluated(s.formula, s.x, s.y)[0], s.value, 1e-14));
  }
}

TEST_CASE("the slope of the logistic density keeps its digits near its mode") {
  for (const char* formula : {"exp(x)/(1 + exp(x))^2", "exp(-x)/(1 + exp(-x))^2", "sigmoid(x)*sigmoid(-x)",
                              "sigmoid(x)*(1 - sigmoid(x))", "sigmoid(x) - sigmoid(x)^2"}) {
    CAPTURE(std::string(formula));
    CHECK(close_relative(evaluated(formula, 1e-9, 0)[1], -1.25e-10, 1e-15));
  }
}

TEST_CASE("a divergence from a mean of distributions is finite where all of them underflow") {
  const double log2 = std::log(2.0);
  for (const char* formula : {"sum(p*log(p/m)) + sum(q*log(q/m))", "sum(p*(log(p) - log(m)) + q*(log(q) - log(m)))",
                              "sum(p*log(2*p/(p + q)) + q*log(2*q/(p + q)))"}) {
    CAPTURE(std::string(formula));
    const auto got =
        evaluated(formula, 800, 900, "p = softmax(stack(x, 0, 3))\nq = softmax(stack(0, y, 3))\nm = 0.5*(p + q)\n");
    CHECK(got[0] == 2 * log2);
    CHECK(got[1] == 0);
    CHECK(got[2] == 0);
  }
}

TEST_CASE("a mixture of softmaxes that underflow has a logarithm") {
  const double e = std::exp(-1.0), all = 0.25 + 0.5 * e;
  const auto got = evaluated("log(sum(stack(0.25, 0.5)*softmax(stack(x, y, 900))[:2]))", 0, -1);
  CHECK(close_relative(got[0], std::log(all) - 900, 1e-15));
  CHECK(close_relative(got[1], 0.25 / all, 1e-12));  // a difference of numbers of size 900
  CHECK(close_relative(got[2], 0.5 * e / all, 1e-12));
}

TEST_CASE("sums of squares keep their logarithm and their root where they leave the range of numbers") {
  const double tens = std::log(10.0), root = std::sqrt(0.5);
  const Limit limits[] = {
      {"log(sum([x, y]^2))", 1e160, 1e160, 320 * tens + std::log(2.0), 1e-160, 1e-160},
      {"log(mean([x, y]^2))", 1e-180, 1e-180, -360 * tens, 1e180, 1e180},
      {"log(1 + sum([x, y]^2))", 1e160, 1e160, 320 * tens + std::log(2.0), 1e-160, 1e-160},
      {"sqrt(1 + sum([x, y]^2))", 1e170, 1e170, 1e170 / root, root, root},
  };
  for (const auto& [formula, x, y, value, by_x, by_y] : limits) {
    CAPTURE(formula);
    const std::vector<double> got = evaluated(formula, x, y);
    CHECK(close_relative(got[0], value, 1e-13));
    CHECK(close_relative(got[1], by_x, 1e-13));
    CHECK(close_relative(got[2], by_y, 1e-13));
  }
}
