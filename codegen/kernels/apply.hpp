// From a row of the function table to its kernel: one switch for scalars and IR values.
#pragma once

#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>

#include "codegen/kernels/exponential.hpp"
#include "codegen/kernels/functions.hpp"
#include "codegen/kernels/trigonometric.hpp"
#include "symbolic/function.hpp"

namespace gradus::kernels {

template <class V>
V maximum(V a, V b) {
  return select(is_nan(a), a, select(less(b, a), a, b));
}
template <class V>
V minimum(V a, V b) {
  return select(is_nan(a), a, select(less(a, b), a, b));
}

// -1, 0 (of either sign as given) or 1; NaN of NaN.
template <class V>
V sign(V x) {
  return select(less(splat(x, 0), x), splat(x, 1), select(less(x, splat(x, 0)), splat(x, -1), x));
}

// The remainder of floored division: the sign of the divisor, as in Python and NumPy.
template <class V>
V floored_remainder(V x, V y) {
  const V zero = splat(x, 0), r = libm(Libm::fmod, x, y);
  const auto opposite_signs =
      both(opposite(equal(r, zero)), either(both(less(r, zero), less(zero, y)), both(less(zero, r), less(y, zero))));
  return select(opposite_signs, r + y, r);
}

// max + softplus(-|a - b|); equal infinities would give inf - inf.
template <class V>
V log_add_exp(V a, V b) {
  const V difference = select(equal(a, b), splat(a, 0), a - b);
  return maximum(a, b) + softplus_kernel(-absolute(difference));
}

// log(1 - exp(x)): which of the two is accurate changes at -log(2).
template <class V>
V log_one_minus_exp(V x) {
  return select(less(splat(x, -std::numbers::ln2), x), log_kernel(-expm1_kernel(x)), log1p_kernel(-exp_kernel(x)));
}

// Near 0 the value is x^2/2, and abs(x) + log1p(exp(-2*abs(x))) - log(2) would cancel.
template <class V>
V log_cosh(V x) {
  const V size = absolute(x), half = x * splat(x, 0.5), s = libm(Libm::sinh, half, half);
  const V far = size + (log1p_kernel(exp_kernel(size * splat(x, -2))) - splat(x, std::numbers::ln2));
  return select(less(size, splat(x, 1)), log1p_kernel(s * s * splat(x, 2)), far);
}

// 1 - cos(x).
template <class V>
V versine(V x) {
  const V half = x * splat(x, 0.5), s = libm(Libm::sin, half, half);
  return s * s * splat(x, 2);
}

// sqrt(1 + x) - 1: the rationalised quotient would be inf/inf at infinity.
template <class V>
V sqrt_of_one_plus_minus_one(V x) {
  const V one = splat(x, 1), root = square_root(x + one);
  return select(less(x, splat(x, 3)), x / (root + one), root - one);
}

template <class V>
V truth(V like, decltype(less(like, like)) condition) {
  return select(condition, splat(like, 1), splat(like, 0));
}

// clang-format off
/// The value of `f`. Operands that `f` does not have may be anything.
template <class V>
V apply(Function f, V a, V b, V c) {
  const V zero = splat(a, 0);
  if (row(f).lowering.kind == Lowering::Kind::libm) return libm(libm_of(f), a, b);
  switch (f) {
    case Function::pi: return splat(a, std::numbers::pi);
    case Function::infinity: return splat(a, std::numeric_limits<double>::infinity());
    case Function::not_a_number: return splat(a, std::numeric_limits<double>::quiet_NaN());
    case Function::less: return truth(a, less(a, b));
    case Function::less_equal: return truth(a, less_equal(a, b));
    case Function::equal: return truth(a, equal(a, b));
    case Function::not_equal: return truth(a, opposite(equal(a, b)));
    case Function::logical_and: return truth(a, opposite(either(equal(a, zero), equal(b, zero))));
    case Function::logical_or: return truth(a, opposite(both(equal(a, zero), equal(b, zero))));
    case Function::logical_not: return truth(a, equal(a, zero));
    case Function::select: return select(equal(a, zero), c, b);
    case Function::exp: return exp_kernel(a);
    case Function::expm1: return expm1_kernel(a);
    case Function::log: return log_kernel(a);
    case Function::log1p: return log1p_kernel(a);
    case Function::sqrt: return square_root(a);
    case Function::power: return libm(Libm::pow, a, b);
    case Function::sin: return sin_kernel(a);
    case Function::cos: return cos_kernel(a);
    case Function::tanh: return tanh_kernel(a);
    case Function::sigmoid: return sigmoid_kernel(a);
    case Function::softplus: return softplus_kernel(a);
    case Function::log_sigmoid: return -softplus_kernel(-a);
    case Function::logaddexp: return log_add_exp(a, b);
    case Function::log1mexp: return log_one_minus_exp(a);
    case Function::log_cosh: return log_cosh(a);
    case Function::versine: return versine(a);
    case Function::sqrt1pm1: return sqrt_of_one_plus_minus_one(a);
    case Function::stop_gradient: return a;
    case Function::exp_log: return select(less(a, zero), splat(a, std::numeric_limits<double>::quiet_NaN()), a);
    case Function::normal_cdf: return normal_cdf_kernel(a);
    case Function::abs: return absolute(a);
    case Function::sign: return sign(a);
    case Function::maximum: return maximum(a, b);
    case Function::minimum: return minimum(a, b);
    case Function::clip: return minimum(maximum(a, b), c);
    case Function::floor: return floor(a);
    case Function::ceil: return ceil(a);
    case Function::round: return round_even(a);
    case Function::mod: return floored_remainder(a, b);
    default:
      throw std::logic_error("no code for the function " + std::string(row(f).name));
  }
}
// clang-format on

}  // namespace gradus::kernels
