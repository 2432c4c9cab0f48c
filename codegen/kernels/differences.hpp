// Differences of two values of one function, where the written form loses digits: near arguments, and arguments far
// out.
#pragma once

#include <numbers>

#include "codegen/kernels/error_functions.hpp"
#include "codegen/kernels/forms.hpp"

namespace gradus::kernels {

// log(x) - log(y): log(x/y) of two values that are not negative.
template <class V>
V log_difference(V x, V y) {
  const V zero = splat(x, 0);
  return select(either(less(x, zero), less(y, zero)), no_value(x), log_ratio(x, y));
}

// w*log(x/y), 0 where w is 0.
template <class V>
V xlog_ratio(V w, V x, V y) {
  const V zero = splat(w, 0);
  const auto nothing = both(equal(w, zero), opposite(either(is_nan(x), is_nan(y))));
  return select(nothing, zero, w * log_ratio(x, y));
}

// w*(log(x) - log(y)), 0 where w is 0.
template <class V>
V xlog_difference(V w, V x, V y) {
  const V zero = splat(w, 0);
  const auto negative = both(opposite(equal(w, zero)), either(less(x, zero), less(y, zero)));
  return select(negative, no_value(w), xlog_ratio(w, x, y));
}

// log(x/(x + y)).
template <class V>
V log_share(V x, V y) {
  const V ratio = y / x, infinite = splat(x, std::numeric_limits<double>::infinity());
  const auto apart = both(equal(absolute(ratio), infinite), less(splat(x, 0), x));
  return select(apart, log_kernel(x) - log_kernel(x + y), -log1p_kernel(ratio));
}

// w*log(x/(x + y)), 0 where w is 0.
template <class V>
V wlog_share(V w, V x, V y) {
  const V zero = splat(w, 0);
  const auto nothing = both(equal(w, zero), opposite(either(is_nan(x), is_nan(y))));
  return select(nothing, zero, w * log_share(x, y));
}

// log(x) - log(y) - x/y + 1.
template <class V>
V log_minus_ratio_of_logs(V x, V y) {
  const V zero = splat(x, 0);
  return select(either(less(x, zero), less(y, zero)), no_value(x), log_minus_ratio(x, y));
}

// x*log(x/(x + y)), 0 where x is 0.
template <class V>
V xlog_share(V x, V y) {
  const V zero = splat(x, 0);
  return select(both(equal(x, zero), opposite(is_nan(y))), zero, x * log_share(x, y));
}

// The same as relative_entropy of x*log(x) - x*log(y) - x + y.
template <class V>
V relative_entropy_of_logs(V x, V y) {
  const V zero = splat(x, 0);
  return select(either(less(x, zero), less(y, zero)), no_value(x), relative_entropy(x, y));
}

// x*(log(x) - log(x + y)), 0 where x is 0.
template <class V>
V xlog_share_of_logs(V x, V y) {
  return select(less(x, splat(x, 0)), no_value(x), xlog_share(x, y));
}

// x*log(x/y) + (1 - x)*log((1 - x)/(1 - y)): of near values, the sum of two relative entropies by y - x, which is
// exact.
template <class V>
V bernoulli_divergence(V x, V y) {
  const V one = splat(x, 1), most = splat(x, 0.75);
  const V gap = y - x, other = one - x, t = gap / x, u = -(gap / other);
  const auto u_small = less(absolute(u), most);  // 1 - y would lose a tiny y
  const V upper = select(u_small, -(other * log1p_kernel(u)), xlog_ratio(other, other, one - y));
  const V direct = xlog_ratio(x, x, y) + upper;
  const V near = -(x * log1p_minus_x(t) + other * log1p_minus_x(u));
  return select(both(less(absolute(t), most), u_small), near, direct);
}

// (1 + x)*log(1 + x) - x.
template <class V>
V bennett(V x) {
  const V one = splat(x, 1), log = log1p_kernel(x);
  const V far = select(equal(x, -one), one, (one + x) * log - x);
  return select(less(absolute(x), splat(x, 0.4)), fma(x, log, log1p_minus_x(x)), far);
}

// log(z + y*exp(x)).
template <class V>
V log_plus_exp(V x, V y, V z) {
  const V zero = splat(x, 0), share = y * exp_kernel(x), one = splat(x, 1);
  const V usual = select(equal(z, one), log1p_kernel(share), log_kernel(z + share));
  const V far = x + log_kernel(y) + log1p_kernel(z / y * exp_kernel(-x));
  return select(less(splat(x, 700), x), select(equal(y, zero), log_kernel(z), far), usual);
}

// log(1 + y*(exp(x) - 1)).
template <class V>
V log1p_expm1(V x, V y) {
  const V one = splat(x, 1);
  const V far = x + log_kernel(y) + log1p_kernel((one - y) / y * exp_kernel(-x));
  const auto large = both(less(splat(x, 700), x), opposite(equal(y, splat(x, 0))));
  return select(large, far, log1p_kernel(y * expm1_kernel(select(less(splat(x, 709), x), splat(x, 709), x))));
}

// exp(x) - exp(y).
template <class V>
V exp_difference(V x, V y) {
  const auto turned = less(x, y);
  const V high = select(turned, y, x), low = select(turned, x, y);
  const V gap = select(equal(x, y), splat(x, 0), low - high);
  const V size = -(exp_kernel(high) * expm1_kernel(gap));
  return select(turned, -size, size);
}

// x^y - 1.
template <class V>
V power_minus_one(V x, V y) {
  const V one = splat(x, 1), u = y * log_kernel(x);
  const auto near = both(less(splat(x, 0), x), less(absolute(u), one));
  return select(near, expm1_kernel(u), libm(Libm::pow, x, y) - one);
}

// sqrt(x^2 + y).
template <class V>
V sqrt_square_plus(V x, V y) {
  const V size = absolute(x), one = splat(x, 1);
  const V far = size * square_root(one + y / x / x);
  return select(squares_overflow(x), far, square_root(fma(x, x, y)));
}

// sqrt(x^2 + y) - x.
template <class V>
V root_minus(V x, V y) {
  const V root = sqrt_square_plus(x, y);
  return select(less(splat(x, 0), x), y / (root + x), root - x);
}

// sqrt(x^2 + y^2) - x.
template <class V>
V hypot_minus(V x, V y) {
  const V root = libm(Libm::hypot, x, y);
  return select(less(splat(x, 0), x), y / (root + x) * y, root - x);
}

// sqrt(1 + x^2) - 1.
template <class V>
V sqrt1pm1_square(V x) {
  const V one = splat(x, 1), size = absolute(x);
  const V far = select(squares_overflow(x), size, square_root(fma(x, x, one))) - one;
  return select(less(size, splat(x, 2)), x * x / (one + square_root(fma(x, x, one))), far);
}

// What follows is of two distributions: factor 1, the error function, whose density is 2/sqrt(pi) exp(-t^2), and
// factor 1/2, the normal distribution. All densities are without their constant.

/// The integral of exp(-factor t^2) from y to x over exp(-factor m^2), m in the middle: a series in the width by
/// Hermite's recurrence.
template <class V>
V interval_over_density(V x, V y, double factor) {
  const V middle = (x + y) * splat(x, 0.5), half = (x - y) * splat(x, 0.5);
  const V slope = middle * half * splat(x, 2 * factor), square = half * half * splat(x, -2 * factor);
  V before = splat(x, 1), now = slope, sum = splat(x, 1);
  for (int j = 1; j < 14; ++j) {
    const V next = fma(slope, now, square * before) * splat(x, 1.0 / (j + 1));
    before = now;
    now = next;
    if (j % 2 != 0) sum = fma(now, splat(x, 1.0 / (j + 2)), sum);
  }
  return (x - y) * sum;
}

/// Whether the series serves.
template <class V>
auto is_short_interval(V x, V y) {
  return less(absolute(x - y) * (absolute((x + y) * splat(x, 0.5)) + splat(x, 1)), splat(x, 0.5));
}

/// What rounding the middle of two numbers loses, times 2.
template <class V>
V lost_in_sum(V x, V y) {
  const V sum = x + y, of_y = sum - x;
  return (x - (sum - of_y)) + (y - of_y);
}

/// The upper tail of |x| over exp(-factor x^2).
template <class V>
V tail_over_density(V x, double factor) {
  return factor == 1 ? erfcx_positive(absolute(x)) : scaled_tail(x);
}

inline double density_constant(double factor) {
  return factor == 1 ? 2 * std::numbers::inv_sqrtpi : 0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2;
}

template <class V>
auto same_side(V x, V y) {
  const V zero = splat(x, 0);
  return either(both(less_equal(zero, x), less_equal(zero, y)), both(less_equal(x, zero), less_equal(y, zero)));
}

// erf(x) - erf(y), normal_cdf(x) - normal_cdf(y).
template <class V>
V interval_mass(V x, V y, double factor) {
  const V middle = (x + y) * splat(x, 0.5);
  const V correction = fma(middle * splat(x, -factor), lost_in_sum(x, y), splat(x, 1));
  const V near = interval_over_density(x, y, factor) * exp_of_square(middle, -factor) * correction *
                 splat(x, density_constant(factor));
  const V tail_x = exp_of_square(x, -factor) * tail_over_density(x, factor);
  const V tail_y = exp_of_square(y, -factor) * tail_over_density(y, factor);
  const V right = tail_y - tail_x, total = splat(x, factor == 1 ? 2 : 1) - (tail_x + tail_y);
  const V side = select(either(less(splat(x, 0), x), less(splat(x, 0), y)), right, -right);
  const V across = select(less(x, y), -total, total);
  return select(is_short_interval(x, y), near, select(same_side(x, y), side, across));
}

// The logarithm of that; NaN where x < y.
template <class V>
V log_interval_mass(V x, V y, double factor) {
  const V middle = (x + y) * splat(x, 0.5);
  const V near = fma(middle * splat(x, -factor), middle,
                     log_kernel(interval_over_density(x, y, factor) * splat(x, density_constant(factor))));
  const V size_x = absolute(x), size_y = absolute(y);
  const auto x_further = less(size_y, size_x);
  const V close = select(x_further, size_y, size_x), far = select(x_further, size_x, size_y);
  const V decay = exp_kernel((close - far) * (close + far) * splat(x, factor));
  const V inner = tail_over_density(close, factor) - decay * tail_over_density(far, factor);
  const V side = fma(close * splat(x, -factor), close, log_kernel(inner));
  const V tails = exp_of_square(x, -factor) * tail_over_density(x, factor) +
                  exp_of_square(y, -factor) * tail_over_density(y, factor);
  const V across = factor == 1 ? log_kernel(splat(x, 2) - tails) : log1p_kernel(-tails);
  const V value = select(is_short_interval(x, y), near, select(same_side(x, y), side, across));
  return select(less(x, y), no_value(x), value);
}

// The density at x over that of the interval from y to x, the derivative of the logarithm by x.
template <class V>
V interval_hazard(V x, V y, double factor) {
  const V constant = splat(x, density_constant(factor)), half = (x - y) * splat(x, 0.5);
  const V middle = (x + y) * splat(x, 0.5);
  const V near = exp_kernel(-(half * (x + middle)) * splat(x, factor)) / interval_over_density(x, y, factor);
  const V size_x = absolute(x), size_y = absolute(y);
  const auto x_further = less(size_y, size_x);
  const V close = select(x_further, size_y, size_x), far = select(x_further, size_x, size_y);
  const V decay = exp_kernel((close - far) * (close + far) * splat(x, factor));
  const V inner = tail_over_density(close, factor) - decay * tail_over_density(far, factor);
  const V top = select(x_further, decay, splat(x, 1));
  const V positive = select(less(x, y), -constant, constant);
  const V side = top / inner * positive;
  const V across = exp_of_square(x, -factor) * constant / interval_mass(x, y, factor);
  return select(is_short_interval(x, y), near, select(same_side(x, y), side, across));
}

}  // namespace gradus::kernels
