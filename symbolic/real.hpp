// High-precision numbers: a value type over MPFR, for the reference interpreter and for tests.
#pragma once

#include <mpfr.h>

#include <cstdint>
#include <utility>

#include "frontend/rational.hpp"

namespace gradus {

/// A binary floating-point number with Real::precision() digits, rounded to nearest, with NaN and infinities as in IEEE
/// 754 and practically no overflow. Functions behave as MPFR's.
class Real {
 public:
  /// The number of binary digits of new values in this thread.
  static unsigned precision();

  Real() { mpfr_init2(value_, static_cast<mpfr_prec_t>(precision())), mpfr_set_zero(value_, 1); }
  Real(double x) : Real() { mpfr_set_d(value_, x, MPFR_RNDN); }         // NOLINT(google-explicit-constructor)
  Real(int x) : Real() { mpfr_set_si(value_, x, MPFR_RNDN); }           // NOLINT(google-explicit-constructor)
  Real(std::int64_t x) : Real() { mpfr_set_si(value_, x, MPFR_RNDN); }  // NOLINT(google-explicit-constructor)
  explicit Real(const Rational& x);
  Real(const Real& other) : Real() { mpfr_set(value_, other.value_, MPFR_RNDN); }
  // A value that was moved from holds no limbs and may only be destroyed or assigned to.
  Real(Real&& other) noexcept {
    *value_ = *other.value_;
    other.value_->_mpfr_d = nullptr;
  }
  Real& operator=(const Real& other) {
    if (this != &other) *this = Real(other);
    return *this;
  }
  Real& operator=(Real&& other) noexcept {
    std::swap(*value_, *other.value_);
    return *this;
  }
  ~Real() {
    if (value_->_mpfr_d != nullptr) mpfr_clear(value_);
  }

  static Real pi();
  static Real infinity();
  static Real not_a_number();

  mpfr_ptr raw() { return value_; }
  mpfr_srcptr raw() const { return value_; }
  double to_double() const { return mpfr_get_d(value_, MPFR_RNDN); }
  bool is_nan() const { return mpfr_nan_p(value_) != 0; }
  bool is_zero() const { return mpfr_zero_p(value_) != 0; }

  Real operator-() const;
  Real& operator+=(const Real& b) { return mpfr_add(value_, value_, b.value_, MPFR_RNDN), *this; }
  Real& operator*=(const Real& b) { return mpfr_mul(value_, value_, b.value_, MPFR_RNDN), *this; }
  friend Real operator+(const Real& a, const Real& b);
  friend Real operator-(const Real& a, const Real& b);
  friend Real operator*(const Real& a, const Real& b);
  friend Real operator/(const Real& a, const Real& b);
  // Comparisons with NaN are false, `!=` is true.
  friend bool operator<(const Real& a, const Real& b) { return mpfr_less_p(a.value_, b.value_) != 0; }
  friend bool operator<=(const Real& a, const Real& b) { return mpfr_lessequal_p(a.value_, b.value_) != 0; }
  friend bool operator==(const Real& a, const Real& b) { return mpfr_equal_p(a.value_, b.value_) != 0; }

 private:
  mpfr_t value_;
};

/// Sets Real::precision() of this thread for its lifetime.
class PrecisionScope {
 public:
  explicit PrecisionScope(unsigned bits);
  ~PrecisionScope();
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  unsigned before_;
};

Real exp(const Real& x);
Real exp2(const Real& x);
Real expm1(const Real& x);
Real log(const Real& x);
Real log2(const Real& x);
Real log10(const Real& x);
Real log1p(const Real& x);
Real sqrt(const Real& x);
Real cbrt(const Real& x);
Real pow(const Real& x, const Real& y);
Real sin(const Real& x);
Real cos(const Real& x);
Real tan(const Real& x);
Real asin(const Real& x);
Real acos(const Real& x);
Real atan(const Real& x);
Real atan2(const Real& y, const Real& x);
Real sinh(const Real& x);
Real cosh(const Real& x);
Real tanh(const Real& x);
Real asinh(const Real& x);
Real acosh(const Real& x);
Real atanh(const Real& x);
/// The rest of floored division, exact before it is rounded.
Real mod(const Real& x, const Real& y);
Real erf(const Real& x);
Real erfc(const Real& x);
/// exp(x^2) erfc(x)
Real erfcx(const Real& x);
/// exp(x^2) times the integral of erfc from x on, and times the integral of that.
Real ierfcx(const Real& x);
Real i2erfcx(const Real& x);
/// log(erfc(-x/sqrt(2))/2), also where it is near 0.
Real log_normal_cdf(const Real& x);
/// log(erfc(x)), also where erfc(x) is near 1 or 0.
Real log_erfc(const Real& x);
Real erfinv(const Real& x);
Real gamma(const Real& x);
/// log |gamma(x)|
Real lgamma(const Real& x);
/// lgamma(x + a) - lgamma(x), with as many digits more as the difference loses.
Real lgamma_difference(const Real& x, const Real& a);
Real digamma(const Real& x);
Real digamma_difference(const Real& x, const Real& a);
/// The derivative of digamma of whole order k >= 0.
Real polygamma(const Real& k, const Real& x);
Real beta(const Real& x, const Real& y);
Real lbeta(const Real& x, const Real& y);
Real abs(const Real& x);
/// -1, 0, 1 or NaN.
Real sign(const Real& x);
Real floor(const Real& x);
Real ceil(const Real& x);
/// To the nearest integer, ties to even.
Real round_even(const Real& x);
Real hypot(const Real& x, const Real& y);
/// NaN when either is NaN.
Real max(const Real& x, const Real& y);
Real min(const Real& x, const Real& y);
/// f(x) with as many more digits as cancellation near x = 0 may cost; `limit` at 0.
template <class F>
Real at_limit(const Real& x, const Real& limit, F&& f) {
  if (x.is_zero()) return limit;
  const bool small = mpfr_regular_p(x.raw()) != 0 && mpfr_get_exp(x.raw()) < 0;
  const PrecisionScope wide(Real::precision() + 64 + (small ? 4 * static_cast<unsigned>(-mpfr_get_exp(x.raw())) : 0));
  return f(x);
}
/// log(exp(x) + exp(y)), also of infinities.
Real log_add_exp(const Real& x, const Real& y);

}  // namespace gradus
