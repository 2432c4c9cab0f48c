// The kernels' references in MPFR, errors in units of the last place, and stratified samples.
#pragma once

#include <mpfr.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>

#include "codegen/kernels/functions.hpp"

namespace gradus::testing {

constexpr mpfr_prec_t precision = 160;

struct Real {
  mpfr_t v;
  Real() { mpfr_init2(v, precision); }
  ~Real() { mpfr_clear(v); }
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;
};

inline void sigmoid(mpfr_ptr out, mpfr_srcptr x) {
  mpfr_neg(out, x, MPFR_RNDN);
  mpfr_exp(out, out, MPFR_RNDN);
  mpfr_add_ui(out, out, 1, MPFR_RNDN);
  mpfr_ui_div(out, 1, out, MPFR_RNDN);
}
inline void softplus(mpfr_ptr out, mpfr_srcptr x) {
  Real magnitude;
  mpfr_abs(magnitude.v, x, MPFR_RNDN);
  mpfr_neg(magnitude.v, magnitude.v, MPFR_RNDN);
  mpfr_exp(out, magnitude.v, MPFR_RNDN);
  mpfr_log1p(out, out, MPFR_RNDN);
  if (mpfr_sgn(x) > 0) mpfr_add(out, out, x, MPFR_RNDN);
}

inline void normal_cdf(mpfr_ptr out, mpfr_srcptr x) {
  Real root;
  mpfr_sqrt_ui(root.v, 2, MPFR_RNDN);
  mpfr_div(out, x, root.v, MPFR_RNDN);
  mpfr_neg(out, out, MPFR_RNDN);
  mpfr_erfc(out, out, MPFR_RNDN);
  mpfr_div_ui(out, out, 2, MPFR_RNDN);
}

struct Case {
  Function function;
  void (*reference)(mpfr_ptr, mpfr_srcptr);
  double low, high;  // where the function is interesting
};

#define GRADUS_MPFR(f) [](mpfr_ptr out, mpfr_srcptr x) { mpfr_##f(out, x, MPFR_RNDN); }
inline const Case cases[] = {
    {Function::exp, GRADUS_MPFR(exp), -746, 710},
    {Function::expm1, GRADUS_MPFR(expm1), -40, 710},
    {Function::log, GRADUS_MPFR(log), 0, 4},
    {Function::log1p, GRADUS_MPFR(log1p), -1, 3},
    {Function::tanh, GRADUS_MPFR(tanh), -22, 22},
    {Function::sigmoid, sigmoid, -746, 40},
    {Function::softplus, softplus, -746, 40},
    {Function::sin, GRADUS_MPFR(sin), -100'500, 100'500},
    {Function::cos, GRADUS_MPFR(cos), -100'500, 100'500},
    {Function::normal_cdf, normal_cdf, -38, 9},
};

// Distance of y from the exact value, in units of the last place of the exact value's neighbourhood.
inline double error(double y, mpfr_srcptr exact) {
  const double rounded = mpfr_get_d(exact, MPFR_RNDN);
  if (std::isnan(rounded) || std::isinf(rounded) || std::isnan(y) || std::isinf(y))
    return (std::isnan(rounded) && std::isnan(y)) || rounded == y ? 0 : INFINITY;
  Real difference;
  mpfr_set_d(difference.v, y, MPFR_RNDN);
  mpfr_sub(difference.v, difference.v, exact, MPFR_RNDN);
  const double magnitude = std::fabs(rounded);
  const int exponent = magnitude < 0x1p-1022 ? -1074 : std::ilogb(magnitude) - 52;
  mpfr_mul_2si(difference.v, difference.v, -exponent, MPFR_RNDN);
  return std::fabs(mpfr_get_d(difference.v, MPFR_RNDN));
}

// A third each: any bits; the interesting range evenly; its scale by exponents.
inline double sample(const Case& c, std::size_t k, std::mt19937_64& random) {
  std::uniform_real_distribution<double> unit(0, 1);
  if (k % 3 == 0) return std::bit_cast<double>(random());
  if (k % 3 == 1) return c.low + (c.high - c.low) * unit(random);
  const double x = std::ldexp(1 + unit(random), static_cast<int>(random() % 70) - 60);
  return random() % 2 ? x : -x;
}

}  // namespace gradus::testing
