// f(x + d) - f(x) by the step d itself, which x + d would round away.
#pragma once

#include <numbers>

#include "codegen/kernels/forms.hpp"
#include "codegen/kernels/trigonometric.hpp"

namespace gradus::kernels {

// What a + b rounds away.
template <class V>
V lost_of_sum(V a, V b, V sum) {
  const V part = sum - a;
  return (a - (sum - part)) + (b - part);
}

// sin(x + d) - sin(x) = 2 sin(d/2) cos(x + d/2).
template <class V>
V sin_step(V x, V d) {
  const V half = d * splat(x, 0.5), s = x + half, e = lost_of_sum(x, half, s);
  const V middle = cos_kernel(s) * cos_kernel(e) - sin_kernel(s) * sin_kernel(e);
  return sin_kernel(half) * middle * splat(x, 2);
}

// cos(x + d) - cos(x) = -2 sin(d/2) sin(x + d/2).
template <class V>
V cos_step(V x, V d) {
  const V half = d * splat(x, 0.5), s = x + half, e = lost_of_sum(x, half, s);
  const V middle = sin_kernel(s) * cos_kernel(e) + cos_kernel(s) * sin_kernel(e);
  return sin_kernel(half) * middle * splat(x, -2);
}

// atan(x + d) - atan(x): the angle between (1, x) and (1, x + d), beyond 1 of both over |x|.
template <class V>
V atan_step(V x, V d) {
  const V one = splat(x, 1), size = absolute(x);
  const auto large = less(one, size);
  const V over = select(large, size, one);
  const V along = select(large, one / over + x / over * (x + d), one + x * (x + d));
  return libm(Libm::atan2, d / over, along);
}

// sigmoid(x + d) - sigmoid(x) = sigmoid(x + d) sigmoid(-x) (1 - exp(-d)), for d > 0.
template <class V>
V sigmoid_step(V x, V d) {
  const auto down = less(d, splat(x, 0));
  const V to = x + d, high = select(down, x, to), low = select(down, to, x);
  const V size = -(expm1_kernel(-absolute(d)) * sigmoid_kernel(high) * sigmoid_kernel(-low));
  const V lost = lost_of_sum(x, d, to);
  const V turn = select(down, -(lost * sigmoid_kernel(to)), lost * sigmoid_kernel(-to));  // of its logarithm
  const V better = select(less(absolute(turn), splat(x, 1e-8)), fma(size, turn, size), size);
  return select(down, -better, better);
}

// 1/(x + d) - 1/x.
template <class V>
V reciprocal_step(V x, V d) {
  return -(d / x / (x + d));
}

// (x + d)^k - x^k.
template <class V>
V power_step(V x, V d, V k) {
  const V whole = libm(Libm::pow, x, k), ratio = d / x;
  const V near = whole * expm1_kernel(k * log1p_kernel(ratio));
  const auto is_near = both(less(absolute(ratio), splat(x, 0.5)), less(absolute(k * ratio), splat(x, 1)));
  return select(is_near, near, libm(Libm::pow, x + d, k) - whole);
}

// log(1 - exp(-exp(x))): exp(x) is all that counts where it is small.
template <class V>
V cloglog(V x) {
  const V e = exp_kernel(x);
  return select(less(x, splat(x, -30)), x - e * splat(x, 0.5), log_one_minus_exp(-e));
}

// d^2 (sqrt(1 + (x/d)^2) - 1).
template <class V>
V pseudo_huber(V x, V d) {
  const V one = splat(x, 1), ratio = x / d;
  const V far = absolute(d) * (absolute(x) - absolute(d));
  return select(less(splat(x, 1e9), absolute(ratio)), far, x / (one + libm(Libm::hypot, ratio, one)) * x);
}

// log(y/x) + (x^2/y^2 - 1)/2: with t = (x - y)/y it is t^2/2 - (log(1 + t) - t).
template <class V>
V scale_divergence(V x, V y) {
  const V half = splat(x, 0.5), t = (x - y) / y, ratio = x / y;
  const V near = t * t * half - log1p_minus_x(t), far = (ratio * ratio - splat(x, 1)) * half - log_ratio(x, y);
  return select(less(splat(x, -0.5), t), near, far);  // a sum of positive terms
}

// log(y) - log(x) + (x^2/y^2 - 1)/2.
template <class V>
V scale_divergence_of_logs(V x, V y) {
  const V zero = splat(x, 0);
  return select(either(less(x, zero), less(y, zero)), no_value(x), scale_divergence(x, y));
}

// x/(x^2 + y^2).
template <class V>
V over_squares(V x, V y) {
  const auto large = either(less(splat(x, 1e300), absolute(x)), less(splat(x, 1e300), absolute(y)));
  const V scale = select(large, splat(x, 0.25), splat(x, 1)), u = x * scale, v = y * scale;
  const V size = libm(Libm::hypot, u, v);
  return u / size / size * scale;
}

}  // namespace gradus::kernels
