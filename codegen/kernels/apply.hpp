// From a row of the function table to its kernel, for scalars and IR values alike.
#pragma once

#include <numbers>

#include "codegen/kernels/differences.hpp"
#include "codegen/kernels/error_functions.hpp"
#include "codegen/kernels/forms.hpp"
#include "codegen/kernels/gamma_functions.hpp"
#include "codegen/kernels/relative.hpp"
#include "codegen/kernels/steps.hpp"
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

// The sign of x^y; of a negative x only whole y have one.
template <class V>
V power_sign_kernel(V x, V y) {
  const V zero = splat(x, 0), one = splat(x, 1), whole = floor(y), half = floor(y * splat(x, 0.5));
  const V parity = select(equal(half + half, y), one, -one);
  const V negative = select(equal(whole, y), parity, no_value(x));
  const V at_zero = sign(libm(Libm::pow, x, y));
  const V nonzero = select(less(x, zero), negative, select(is_nan(y), y, one));
  return select(either(equal(x, zero), is_nan(x)), at_zero, nonzero);
}

// The sign of gamma(x), NaN at its poles but 0.
template <class V>
V gamma_sign_kernel(V x) {
  const V zero = splat(x, 0);
  const auto pole = both(less(x, zero), equal(floor(x), x));
  const V nonzero = select(either(pole, is_nan(x)), no_value(x), sign_of_gamma(x));
  return select(equal(x, zero), sign(splat(x, 1) / x), nonzero);
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

// Near 0 the value is x^2/2, and abs(x) + log1p(exp(-2*abs(x))) - log(2) would cancel.
template <class V>
V log_cosh(V x) {
  const V size = absolute(x), half = x * splat(x, 0.5), s = libm(Libm::sinh, half, half);
  const V far = size + (log1p_kernel(exp_kernel(size * splat(x, -2))) - splat(x, std::numbers::ln2));
  return select(less(size, splat(x, 1)), log1p_kernel(s * s * splat(x, 2)), far);
}

// log(softplus(x)); around its zero softplus(x) - 1 by the distance to it, log(e - 1) in two parts.
template <class V>
V log_softplus(V x) {
  const V distance = x - splat(x, 0.5413248546129181) - splat(x, -1.8138570925507326e-17);
  const V excess = log1p_kernel(expm1_kernel(distance) * splat(x, 0.6321205588285577));
  const V plain = select(less(x, splat(x, -40)), x, log_kernel(softplus_kernel(x)));
  return select(less(absolute(distance), splat(x, 0.5)), log1p_kernel(excess), plain);
}

// log(sinh(x)/x), near 0 by the series of sinh(x)/x - 1.
template <class V>
V log_sinhc(V x) {
  const V size = absolute(x), square = x * x;
  V series = splat(x, 1.0 / 51090942171709440000.0);  // 1/21!
  for (const double c : {1.0 / 121645100408832000, 1.0 / 355687428096000, 1.0 / 1307674368000, 1.0 / 6227020800,
                         1.0 / 39916800, 1.0 / 362880, 1.0 / 5040, 1.0 / 120, 1.0 / 6})
    series = fma(series, square, splat(x, c));
  const V far = size - splat(x, std::numbers::ln2) - log_kernel(size) + log1p_kernel(-exp_kernel(size * splat(x, -2)));
  return select(less(size, splat(x, 1.5)), log1p_kernel(series * square), far);
}

// 1 - cos(x).
template <class V>
V versine(V x) {
  const V s = sin_kernel(x * splat(x, 0.5));
  return s * s * splat(x, 2);
}

// log(cos(x)): near 1 the cosine has lost x^2/2's digits.
template <class V>
V log_cos(V x) {
  const V lost = versine(x);
  return select(less(lost, splat(x, 0.5)), log1p_kernel(-lost), log_kernel(cos_kernel(x)));
}

// log(1 - x^2): beyond 1/2 the square has lost the digits of 1 - x.
template <class V>
V log1m_square(V x) {
  const V one = splat(x, 1);
  return select(less(absolute(x), splat(x, 0.5)), log1p_kernel(-(x * x)), log_kernel((one - x) * (one + x)));
}

// log(1 - sigmoid(x)^2): on the left the square is small, on the right what is left of 1.
template <class V>
V log_square_complement(V x) {
  const V s = sigmoid_kernel(x);
  return select(less(x, splat(x, 0)), log1p_kernel(-(s * s)), log1p_kernel(s) - softplus_kernel(x));
}

// log(1 - sigmoid(x)*sigmoid(y)): where that is small, (1 - sigmoid(x)) + sigmoid(x)*(1 - sigmoid(y)) by logarithms.
template <class V>
V log_nand(V x, V y) {
  const V log_x = -softplus_kernel(-x), both = log_x - softplus_kernel(-y);
  const V far = log_add_exp(-softplus_kernel(x), log_x - softplus_kernel(y));
  return select(less(both, splat(x, -0.1)), log1p_kernel(-(sigmoid_kernel(x) * sigmoid_kernel(y))), far);
}

// The cube root: libm's, which is off by up to 4 units, and a step of Newton's method with the cube in two parts.
template <class V>
V cube_root(V x) {
  const V size = absolute(x);
  const auto small = less(size, splat(x, 0x1p-900));  // where parts of the cube would be subnormal
  const V z = select(small, x * splat(x, 0x1p180), x);
  const V y = libm(Libm::cbrt, z, z), square = y * y, lost = fma(y, y, -square);
  const V excess = fma(square, y, -z) + lost * y;
  const V better = y - excess / (splat(x, 3) * square);
  const V root = select(both(less(splat(x, 0), size), less(size, splat(x, infinity))), better, y);
  return select(small, root * splat(x, 0x1p-60), root);
}

// sqrt(1 + x) - 1: the rationalised quotient would be inf/inf at infinity.
template <class V>
V sqrt_of_one_plus_minus_one(V x) {
  const V one = splat(x, 1), root = square_root(x + one);
  return select(less(x, splat(x, 3)), x / (root + one), root - one);
}

// sigmoid(x) - sigmoid(y) = sigmoid(x) sigmoid(-y) (1 - exp(y - x)), for x > y.
template <class V>
V sigmoid_difference(V x, V y) {
  const auto turned = less(x, y);
  const V high = select(turned, y, x), low = select(turned, x, y);
  const V gap = select(equal(x, y), splat(x, 0), low - high);
  const V size = -(expm1_kernel(gap) * sigmoid_kernel(high) * sigmoid_kernel(-low));
  return select(turned, -size, size);
}

template <class V>
V truth(V like, decltype(less(like, like)) condition) {
  return select(condition, splat(like, 1), splat(like, 0));
}

template <class V>
auto is_true(V x) {
  return opposite(equal(x, splat(x, 0)));
}

/// The value of `f`, read from the lowering column of its row. Operands that `f` does not have may be anything.
template <class V>
V apply(Function f, V x, V y, V z) {
  switch (f) {
#define GRADUS_LOWERING_kernel(value, ...) value
#define GRADUS_LOWERING_instruction(value) value
#define GRADUS_LOWERING_libm(name, ...) libm(Libm::name, x, y)
#define GRADUS_FUNCTION(id, name, arity, spelling, condition, total, latex, value, partials, domain, kinks, selects, \
                        lowering, doc)                                                                               \
  case Function::id:                                                                                                 \
    return GRADUS_LOWERING_##lowering;
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
#undef GRADUS_LOWERING_libm
#undef GRADUS_LOWERING_instruction
#undef GRADUS_LOWERING_kernel
  }
  return z;
}

}  // namespace gradus::kernels
