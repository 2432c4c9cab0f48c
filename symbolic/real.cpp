// Arithmetic of high-precision numbers by MPFR.
#include "symbolic/real.hpp"

namespace gradus {
namespace {

thread_local unsigned current_precision = 256;

template <class Compute>
Real unary(const Real& x, Compute compute) {
  Real result;
  compute(result.raw(), x.raw(), MPFR_RNDN);
  return result;
}

template <class Compute>
Real binary(const Real& x, const Real& y, Compute compute) {
  Real result;
  compute(result.raw(), x.raw(), y.raw(), MPFR_RNDN);
  return result;
}

}  // namespace

unsigned Real::precision() { return current_precision; }

PrecisionScope::PrecisionScope(unsigned bits) : before_(current_precision) {
  current_precision = bits;
  mpfr_set_emax(mpfr_get_emax_max());  // the default ends at the exponential of 10^9
  mpfr_set_emin(mpfr_get_emin_min());
}
PrecisionScope::~PrecisionScope() { current_precision = before_; }

Real::Real(const Rational& x) : Real() {
  const auto part = [](const Rational& integer) {
    if (const auto small = integer.as_int64()) return Real(*small);
    Real result;
    mpfr_set_str(result.raw(), integer.to_string().c_str(), 10, MPFR_RNDN);
    return result;
  };
  // Two more roundings than one of the quotient of big integers; they are far below a double's precision.
  mpfr_div(value_, part(x.numerator()).raw(), part(x.denominator()).raw(), MPFR_RNDN);
}

Real Real::pi() {
  Real result;
  mpfr_const_pi(result.raw(), MPFR_RNDN);
  return result;
}

Real Real::infinity() {
  Real result;
  mpfr_set_inf(result.raw(), 1);
  return result;
}

Real Real::not_a_number() {
  Real result;
  mpfr_set_nan(result.raw());
  return result;
}

Real Real::operator-() const { return unary(*this, mpfr_neg); }
Real operator+(const Real& a, const Real& b) { return binary(a, b, mpfr_add); }
Real operator-(const Real& a, const Real& b) { return binary(a, b, mpfr_sub); }
Real operator*(const Real& a, const Real& b) { return binary(a, b, mpfr_mul); }
Real operator/(const Real& a, const Real& b) { return binary(a, b, mpfr_div); }

Real exp(const Real& x) { return unary(x, mpfr_exp); }
Real exp2(const Real& x) { return unary(x, mpfr_exp2); }
Real expm1(const Real& x) { return unary(x, mpfr_expm1); }
Real log(const Real& x) { return unary(x, mpfr_log); }
Real log2(const Real& x) { return unary(x, mpfr_log2); }
Real log10(const Real& x) { return unary(x, mpfr_log10); }
Real log1p(const Real& x) { return unary(x, mpfr_log1p); }
Real sqrt(const Real& x) { return unary(x, mpfr_sqrt); }
Real cbrt(const Real& x) { return unary(x, mpfr_cbrt); }
Real pow(const Real& x, const Real& y) { return binary(x, y, mpfr_pow); }
Real sin(const Real& x) { return unary(x, mpfr_sin); }
Real cos(const Real& x) { return unary(x, mpfr_cos); }
Real tan(const Real& x) { return unary(x, mpfr_tan); }
Real asin(const Real& x) { return unary(x, mpfr_asin); }
Real acos(const Real& x) { return unary(x, mpfr_acos); }
Real atan(const Real& x) { return unary(x, mpfr_atan); }
Real atan2(const Real& y, const Real& x) { return binary(y, x, mpfr_atan2); }
Real sinh(const Real& x) { return unary(x, mpfr_sinh); }
Real cosh(const Real& x) { return unary(x, mpfr_cosh); }
Real tanh(const Real& x) { return unary(x, mpfr_tanh); }
Real asinh(const Real& x) { return unary(x, mpfr_asinh); }
Real acosh(const Real& x) { return unary(x, mpfr_acosh); }
Real atanh(const Real& x) { return unary(x, mpfr_atanh); }
Real erf(const Real& x) { return unary(x, mpfr_erf); }
Real erfc(const Real& x) { return unary(x, mpfr_erfc); }
Real abs(const Real& x) { return unary(x, mpfr_abs); }
Real floor(const Real& x) { return unary(x, mpfr_rint_floor); }
Real ceil(const Real& x) { return unary(x, mpfr_rint_ceil); }
Real round_even(const Real& x) { return unary(x, mpfr_rint_roundeven); }
Real hypot(const Real& x, const Real& y) { return binary(x, y, mpfr_hypot); }

Real sign(const Real& x) {
  if (x.is_nan()) return x;
  return mpfr_sgn(x.raw());
}

Real max(const Real& x, const Real& y) {
  if (x.is_nan() || y.is_nan()) return Real::not_a_number();
  return x < y ? y : x;
}

Real min(const Real& x, const Real& y) {
  if (x.is_nan() || y.is_nan()) return Real::not_a_number();
  return y < x ? y : x;
}

Real log_add_exp(const Real& x, const Real& y) {
  if (x == y) return x + log(Real(2));  // equal infinities included
  const Real high = max(x, y);
  return high + log1p(exp(min(x, y) - high));
}

}  // namespace gradus
