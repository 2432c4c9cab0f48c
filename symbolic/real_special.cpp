// The error function's and the gamma function's families in high precision.
#include <cstdlib>

#include "symbolic/real.hpp"

namespace gradus {
namespace {

template <class Compute>
Real unary(const Real& x, Compute compute) {
  Real result;
  compute(result.raw(), x.raw(), MPFR_RNDN);
  return result;
}

bool is_finite(const Real& x) { return mpfr_number_p(x.raw()) != 0; }
bool is_integer(const Real& x) { return mpfr_integer_p(x.raw()) != 0; }

/// The binary exponent of a number, 0 of zero and of what is not finite.
long exponent(const Real& x) { return mpfr_regular_p(x.raw()) != 0 ? mpfr_get_exp(x.raw()) : 0; }

/// exp(x^2) times the n-th integral of erfc from x on, by its asymptotic series: exp(x^2) would leave even MPFR's
/// range.
Real scaled_integral(int n, const Real& x) {
  const Real step = 1 / (4 * x * x);
  Real sum = 1, term = 1;
  for (int m = 1; m < 40; ++m) sum += term *= step * (-(2 * m + n) * (2 * m + n - 1)) / m;
  return 2 / sqrt(Real::pi()) * sum / pow(2 * x, std::int64_t{n + 1});
}

/// As many more digits as keep `bits` digits after the binary point where numbers have that exponent.
unsigned widened(long bits) { return Real::precision() + static_cast<unsigned>(bits > 0 ? bits : 0) + 64; }

/// B_2m/(2m)!, from the zeta function.
Real bernoulli_over_factorial(unsigned long m) {
  Real zeta;
  mpfr_zeta_ui(zeta.raw(), 2 * m, MPFR_RNDN);
  const Real value = 2 * zeta / pow(2 * Real::pi(), static_cast<std::int64_t>(2 * m));
  return m % 2 == 0 ? -value : value;
}

/// The sum of (x + j)^-(k + 1) over j = 0, 1, … for x > 0, by the formula of Euler and Maclaurin.
Real hurwitz_zeta(std::int64_t k, Real x) {
  const Real s = k + 1, from = static_cast<std::int64_t>(Real::precision() / 4) + k;
  Real sum = 0;
  for (; x < from; x += 1) sum += pow(x, -s);
  const Real start = pow(x, -s);
  sum += start * (x / k + Real(0.5));
  Real rising = Real(k + 1) / x;
  for (std::int64_t m = 1; m < static_cast<std::int64_t>(Real::precision()); ++m) {
    const Real term = start * rising * bernoulli_over_factorial(static_cast<unsigned long>(m));
    sum += term;
    if (exponent(term) < exponent(sum) - static_cast<long>(Real::precision()) || term.is_zero()) break;
    rising *= (k + 2 * m) * Real(k + 2 * m + 1) / (x * x);
  }
  return sum;
}

/// f(x + a) - f(x), with as many more digits as the difference loses.
template <class Function>
Real difference(Function f, const Real& x, const Real& a) {
  Real result;
  {
    const long gap = std::abs(exponent(x) - exponent(a));
    const PrecisionScope scope(widened(2 * gap + (exponent(x) > 0 ? exponent(x) : -exponent(x))));
    result = f(x + a) - f(x);
  }
  return Real(result);
}

}  // namespace

Real mod(const Real& x, const Real& y) {
  Real rest;
  mpfr_fmod(rest.raw(), x.raw(), y.raw(), MPFR_RNDN);
  const bool opposite = (rest < 0 && Real(0) < y) || (Real(0) < rest && y < 0);
  return opposite ? rest + y : rest;
}

Real erfcx(const Real& x) {
  if (x < Real(1e4)) return exp(x * x) * erfc(x);
  return scaled_integral(0, x);
}

Real ierfcx(const Real& x) {
  if (x < Real(1e4)) return 1 / sqrt(Real::pi()) - x * erfcx(x);
  return scaled_integral(1, x);
}

Real i2erfcx(const Real& x) {
  if (x < Real(1e4)) return (erfcx(x) - 2 * x * ierfcx(x)) / 4;
  return scaled_integral(2, x);
}

Real log_erfc(const Real& x) {
  if (x < Real(0.5)) return log1p(-erf(x));
  return log(erfcx(x)) - x * x;
}

Real log_normal_cdf(const Real& x) {
  const Real at = x / sqrt(Real(2));
  return Real(0) < x ? log1p(-erfc(at) / 2) : log_erfc(-at) - log(Real(2));
}

Real erfinv(const Real& x) {
  const Real size = abs(x);
  if (!(size < 1)) return size == 1 ? x * Real::infinity() : Real::not_a_number();
  if (x.is_zero()) return x;
  // Newton's method on the logarithm of the complement, which is concave, from above; on erf itself near 0.
  const Real scale = 2 / sqrt(Real::pi());
  if (size < Real(0.5)) {
    Real y = size / scale;
    for (int k = 0; k < 40; ++k) {
      const Real step = (erf(y) - size) / (scale * exp(-y * y));
      y = y - step;
      if (step.is_zero() || exponent(step) < exponent(y) - static_cast<long>(Real::precision()) / 2 - 8) break;
    }
    return sign(x) * (y - (erf(y) - size) / (scale * exp(-y * y)));
  }
  const Real target = log1p(-size);
  Real y = sqrt(-target);
  for (int k = 0; k < 60; ++k) {
    const Real step = (log_erfc(y) - target) * erfcx(y) / scale;
    y = y + step;
    if (step.is_zero() || exponent(step) < exponent(y) - static_cast<long>(Real::precision()) / 2 - 8) break;
  }
  return sign(x) * (y + (log_erfc(y) - target) * erfcx(y) / scale);
}

Real gamma(const Real& x) { return unary(x, mpfr_gamma); }

Real lgamma(const Real& x) {
  Real result;
  int sign = 0;
  mpfr_lgamma(result.raw(), &sign, x.raw(), MPFR_RNDN);
  return result;
}

Real digamma(const Real& x) {
  if (x.is_zero()) return -1 / x;
  return unary(x, mpfr_digamma);
}

Real lgamma_difference(const Real& x, const Real& a) { return difference(lgamma, x, a); }
Real digamma_difference(const Real& x, const Real& a) { return difference(digamma, x, a); }

Real polygamma(const Real& order, const Real& x) {
  if (!is_integer(order) || order < 0 || Real(1000) < order || x.is_nan()) return Real::not_a_number();
  const auto k = static_cast<std::int64_t>(order.to_double());
  if (k == 0) return digamma(x);
  const Real factorial = gamma(order + 1), alternating = k % 2 == 0 ? -1 : 1;
  if (!is_finite(x)) return Real(0) < x ? Real(0) * alternating : Real::not_a_number();
  if (Real(0) < x || x.is_zero())
    return alternating * factorial * (x.is_zero() ? pow(x, -(order + 1)) : hurwitz_zeta(k, x));
  // The sum over all integers less what lies left of x.
  const Real part = x - round_even(x);
  if (part.is_zero()) return k % 2 == 0 ? Real::not_a_number() : Real::infinity();
  const Real all = pow(part, -(order + 1)) + hurwitz_zeta(k, 1 + part) + alternating * hurwitz_zeta(k, 1 - part);
  return alternating * factorial * (all - alternating * hurwitz_zeta(k, 1 - x));
}

Real lbeta(const Real& x, const Real& y) {
  return x < y ? lgamma(x) - lgamma_difference(y, x) : lgamma(y) - lgamma_difference(x, y);
}

Real beta(const Real& x, const Real& y) {
  if (Real(0) < x && Real(0) < y && Real(1e5) < x + y) return exp(lbeta(x, y));
  Real result;
  mpfr_beta(result.raw(), x.raw(), y.raw(), MPFR_RNDN);
  return result;
}

}  // namespace gradus
