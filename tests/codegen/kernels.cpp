// Vector kernels against MPFR, their identities and their borders.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>

#include "tests/close.hpp"
#include "tests/codegen/kernel_reference.hpp"

using namespace gradus;
using namespace gradus::testing;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

double at(Function f, double x) { return kernels::evaluate(f, x, 0, 0); }
bool is_positive_zero(double x) { return x == 0 && !std::signbit(x); }
bool is_negative_zero(double x) { return x == 0 && std::signbit(x); }

double allowed(Function f) {
  if (f == Function::normal_cdf) return 8;  // libm's erfc
  return f == Function::tanh || f == Function::sigmoid || f == Function::softplus ? 2 : 1;
}

}  // namespace

TEST_CASE("kernels are within their error bound of MPFR") {
  mpfr_set_emin(-1200);
  std::mt19937_64 random(7);
  const double borders[] = {0.0,
                            -0.0,
                            inf,
                            -inf,
                            not_a_number,
                            1,
                            -1,
                            0x1p-1074,
                            -0x1p-1074,
                            0x1p-1022,
                            0x1.fffffffffffffp1023,
                            -0x1.fffffffffffffp1023,
                            709.782712893384,
                            709.7827128933841,
                            -745.1332191019411,
                            -745.1332191019412,
                            -708.4,
                            0x1p-54,
                            0x1p-53,
                            -0x1p-53,
                            0.5,
                            0x1.fffffffffffffp-2,
                            37,
                            -37};
  for (const Case& c : cases) {
    CAPTURE(std::string(row(c.function).name));
    double worst = 0, where = 0;
    Real x, exact;
    for (std::size_t k = 0; k < 20'000 + std::size(borders); ++k) {
      const double point = k < std::size(borders) ? borders[k] : sample(c, k, random);
      mpfr_set_d(x.v, point, MPFR_RNDN);
      c.reference(exact.v, x.v);
      const double e = error(at(c.function, point), exact.v);
      if (e > worst) worst = e, where = point;
    }
    CAPTURE(where);
    CHECK(worst <= allowed(c.function));
    CHECK(worst > 0.5);  // the measure sees rounding at all
  }
}

TEST_CASE("sine and cosine near multiples of a quarter turn") {
  Real x, exact;
  double worst = 0;
  for (int k = -64'000; k <= 64'000; k += 7) {
    const double point = std::nextafter(k * 0x1.921fb54442d18p+0, k % 3 == 0 ? inf : -inf);
    mpfr_set_d(x.v, point, MPFR_RNDN);
    mpfr_sin(exact.v, x.v, MPFR_RNDN);
    worst = std::max(worst, error(at(Function::sin, point), exact.v));
    mpfr_cos(exact.v, x.v, MPFR_RNDN);
    worst = std::max(worst, error(at(Function::cos, point), exact.v));
  }
  CHECK(worst <= 1);
}

TEST_CASE("the error measure rejects both signs and special values") {
  Real one;
  mpfr_set_d(one.v, 1, MPFR_RNDN);
  CHECK(error(1, one.v) == 0);
  CHECK(error(1 + 0x1p-52, one.v) == 1);
  CHECK(error(1 - 0x1p-52, one.v) == 1);
  CHECK(error(inf, one.v) == inf);
  CHECK(error(not_a_number, one.v) == inf);
}

TEST_CASE("identities hold exactly") {
  CHECK(at(Function::exp, 0.0) == 1);
  CHECK(at(Function::exp, -0.0) == 1);
  CHECK(is_positive_zero(at(Function::log, 1)));
  CHECK(is_positive_zero(at(Function::expm1, 0.0)));
  CHECK(is_negative_zero(at(Function::expm1, -0.0)));
  CHECK(is_positive_zero(at(Function::log1p, 0.0)));
  CHECK(is_negative_zero(at(Function::log1p, -0.0)));
  CHECK(is_positive_zero(at(Function::tanh, 0.0)));
  CHECK(is_negative_zero(at(Function::tanh, -0.0)));
  CHECK(is_positive_zero(at(Function::sin, 0.0)));
  CHECK(is_negative_zero(at(Function::sin, -0.0)));
  CHECK(at(Function::cos, 0.0) == 1);
  CHECK(at(Function::sigmoid, 0) == 0.5);
  CHECK(at(Function::softplus, 0) == std::log(2.0));
  for (int k = -1074; k < 1024; k += 7) CHECK(at(Function::log, std::ldexp(1, k)) == std::log(std::ldexp(1, k)));
}

TEST_CASE("symmetries hold to the bit") {
  std::mt19937_64 random(11);
  for (int k = 0; k < 2000; ++k) {
    const double x = sample(cases[4], static_cast<std::size_t>(k), random);
    if (std::isnan(x)) continue;
    CHECK(at(Function::tanh, -x) == -at(Function::tanh, x));
  }
}

TEST_CASE("functions by composition") {
  using kernels::evaluate;
  CHECK(evaluate(Function::mod, -7, 3, 0) == 2);
  CHECK(evaluate(Function::mod, 7, -3, 0) == -2);
  CHECK(evaluate(Function::mod, 6, -3, 0) == 0);
  CHECK(evaluate(Function::clip, 5, 0, 1) == 1);
  CHECK(std::isnan(evaluate(Function::clip, not_a_number, 0, 1)));
  CHECK(std::isnan(evaluate(Function::maximum, not_a_number, 1, 0)));
  CHECK(std::isnan(evaluate(Function::maximum, 1, not_a_number, 0)));
  CHECK(evaluate(Function::sign, -3, 0, 0) == -1);
  CHECK(is_negative_zero(evaluate(Function::sign, -0.0, 0, 0)));
  CHECK(std::isnan(evaluate(Function::sign, not_a_number, 0, 0)));
  CHECK(evaluate(Function::logaddexp, -inf, -inf, 0) == -inf);
  CHECK(evaluate(Function::logaddexp, inf, inf, 0) == inf);
  CHECK(evaluate(Function::logaddexp, inf, -inf, 0) == inf);
  CHECK(evaluate(Function::logaddexp, -inf, 3, 0) == 3);
  CHECK(close(evaluate(Function::logaddexp, 1000, 1000, 0), 1000 + std::log(2.0), 1));
  CHECK(evaluate(Function::log_sigmoid, -800, 0, 0) == -800);
  CHECK(close_relative(evaluate(Function::normal_cdf, -10, 0, 0), 7.619853024160527e-24, 1e-15));
}
