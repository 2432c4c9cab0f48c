// Forms that users write out and that lose digits or overflow as they stand: kernels that choose how to compute them.
#pragma once

#include <limits>

#include "codegen/kernels/removable.hpp"

namespace gradus::kernels {

// cosh(x) - 1: beyond 1 nothing cancels, and sinh(x/2)^2 doubles the error of sinh.
template <class V>
V cosh_minus_one(V x) {
  const V half = x * splat(x, 0.5), s = libm(Libm::sinh, half, half);
  return select(near_zero(x), s * s * splat(x, 2), libm(Libm::cosh, x, x) - splat(x, 1));
}

// difference/(a + b), which is a - b for roots a, b whose squares differ by `difference`; 0/0 and inf/inf as they
// stand.
template <class V>
V rationalised(V a, V b, V difference) {
  const V both_roots = a + b, infinite = splat(a, std::numeric_limits<double>::infinity());
  const auto as_it_stands = either(equal(both_roots, splat(a, 0)), equal(both_roots, infinite));
  return select(as_it_stands, a - b, difference / both_roots);
}

// sqrt(x + y) - sqrt(x).
template <class V>
V sqrt_step(V x, V y) {
  return rationalised(square_root(x + y), square_root(x), y);
}

// 1 - tanh(x)^2.
template <class V>
V sech_squared(V x) {
  const V one = splat(x, 1), e = exp_kernel(absolute(x) * splat(x, -2)), whole = one + e;
  return e / (whole * whole) * splat(x, 4);
}

// log(1 + x^2).
template <class V>
V log1p_square(V x) {
  const V size = absolute(x);
  return select(less(size, splat(x, 1e8)), log1p_kernel(x * x), log_kernel(size) * splat(x, 2));
}

// x/(1 + x^2).
template <class V>
V over_one_plus_square(V x) {
  const V one = splat(x, 1);
  return select(less(absolute(x), splat(x, 1e150)), x / (one + x * x), one / x);
}

// (1 + x)^y: 1 + x is s + e exactly, and (1 + e/s)^y makes up for the rounding of s.
template <class V>
V compound(V x, V y) {
  const V one = splat(x, 1), zero = splat(x, 0), s = one + x;
  const V of_one = s - x, e = (one - of_one) + (x - (s - of_one));
  const V ratio = e / s;
  const V correction = select(equal(ratio - ratio, zero), ratio, zero);  // s may be 0 or infinite
  const V usual = libm(Libm::pow, s, y) * exp_kernel(y * correction);
  return select(less(absolute(y), splat(x, 1e15)), usual, exp_kernel(y * log1p_kernel(x)));
}

// log(x/y) of near values, and where the quotient leaves the range of doubles.
template <class V>
V log_ratio(V x, V y) {
  const V zero = splat(x, 0), ratio = x / y, t = (x - y) / y;
  const auto out = either(less(ratio, splat(x, 1e-290)), less(splat(x, 1e290), ratio));
  const auto apart = both(out, both(less(zero, x), less(zero, y)));
  const V far = select(apart, log_kernel(x) - log_kernel(y), log_kernel(ratio));
  return select(less(absolute(t), splat(x, 0.5)), log1p_kernel(t), far);
}

// x*log(x/y) - x + y, the relative form near x = y.
template <class V>
V relative_entropy(V x, V y) {
  const V t = (y - x) / x;
  const V far = select(equal(x, splat(x, 0)), y, x * log_ratio(x, y) + (y - x));
  return select(less(absolute(t), splat(x, 0.4)), -(x * log1p_minus_x(t)), far);
}

}  // namespace gradus::kernels
