// Forms that users write out and that lose digits or overflow as they stand: kernels that choose how to compute them.
#pragma once

#include <limits>
#include <numbers>

#include "codegen/kernels/error_functions.hpp"
#include "codegen/kernels/removable.hpp"

namespace gradus::kernels {

// log(1 - exp(x)): which of the two is accurate changes at -log(2).
template <class V>
V log_one_minus_exp(V x) {
  return select(less(splat(x, -std::numbers::ln2), x), log_kernel(-expm1_kernel(x)), log1p_kernel(-exp_kernel(x)));
}

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

// sqrt(x) - sqrt(y).
template <class V>
V sqrt_difference(V x, V y) {
  return rationalised(square_root(x), square_root(y), x - y);
}

// 1 - tanh(x)^2.
template <class V>
V sech_squared(V x) {
  const V one = splat(x, 1), e = exp_kernel(absolute(x) * splat(x, -2)), whole = one + e;
  return e / (whole * whole) * splat(x, 4);
}

// x/(x + y).
template <class V>
V share(V x, V y) {
  const V sum = x + y, quarter = splat(x, 0.25);
  return select(less(splat(x, 1e307), absolute(sum)), x * quarter / (x * quarter + y * quarter), x / sum);
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

// log(1 + y x^2).
template <class V>
V log1p_scaled_square(V x, V y) {
  const V size = absolute(x);
  const V far = fma(log_kernel(size), splat(x, 2), log_kernel(y));
  return select(both(less(splat(x, 1e150), size), less(splat(x, 0), y)), far, log1p_kernel(y * x * x));
}

// x/(1 + y x^2).
template <class V>
V over_one_plus_scaled_square(V x, V y) {
  const V one = splat(x, 1), yx = y * x;
  return select(less(absolute(x), splat(x, 1e150)), x / fma(yx, x, one), one / (one / x + yx));
}

// Beyond this the square of x leaves the range of doubles, or nothing of moderate size counts beside it.
template <class V>
auto squares_overflow(V x) {
  return less(splat(x, 1e150), absolute(x));
}

// log(x^2 + y); of a large x, that of x^2 2^-1200 and 1200 log(2).
template <class V>
V log_square_plus(V x, V y) {
  const auto large = squares_overflow(x);
  const V small = x * splat(x, 0x1p-600);
  const V square = select(large, fma(small, small, y * splat(x, 0x1p-600) * splat(x, 0x1p-600)), fma(x, x, y));
  return log_kernel(square) + select(large, splat(x, 1200 * std::numbers::ln2), splat(x, 0));
}

// The logarithm of s + e, s the larger by far: near 1 by what is left of s.
template <class V>
V log_of_two(V s, V e) {
  const V one = splat(s, 1);
  const auto near = both(less(splat(s, 0.5), s), less(s, splat(s, 2)));
  return select(near, log1p_kernel((s - one) + e), log_kernel(s + e));
}

// log(x^2 + y^2); of a large or small pair, that of its square times a power of 2.
template <class V>
V log_squares(V x, V y) {
  const V u = absolute(x), v = absolute(y), size = select(less(u, v), v, u);
  const auto large = less(splat(x, 0x1p500), size), tiny = less(size, splat(x, 0x1p-400));
  const V scale = select(large, splat(x, 0x1p-600), select(tiny, splat(x, 0x1p600), splat(x, 1)));
  const V more =
      select(large, splat(x, 1200 * std::numbers::ln2), select(tiny, splat(x, -1200 * std::numbers::ln2), splat(x, 0)));
  const V a = x * scale, b = y * scale;
  const V p = a * a, q = b * b;
  const V s = p + q, back = s - p;
  const V rest = ((p - (s - back)) + (q - back)) + (fma(a, a, -p) + fma(b, b, -q));
  return log_of_two(s, select(less(s, splat(x, std::numeric_limits<double>::infinity())), rest, splat(x, 0))) + more;
}

// x/(x^2 + y).
template <class V>
V over_square_plus(V x, V y) {
  return select(squares_overflow(x), splat(x, 1) / (x + y / x), x / fma(x, x, y));
}

// x^2/(x^2 + y).
template <class V>
V square_share(V x, V y) {
  const V one = splat(x, 1), square = x * x;
  return select(squares_overflow(x), one / (one + y / x / x), square / (square + y));
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

// (1 + x)^y - 1.
template <class V>
V compound_minus_one(V x, V y) {
  return select(less(x, splat(x, -1)), compound(x, y) - splat(x, 1), expm1_kernel(y * log1p_kernel(x)));
}

// log(x/y) of near values, and where the quotient leaves the range of doubles.
template <class V>
V log_ratio(V x, V y) {
  const V zero = splat(x, 0), ratio = x / y, t = (x - y) / y;
  const auto out = either(less(ratio, splat(x, 1e-290)), less(splat(x, 1e290), ratio));
  const auto positive = both(less(zero, x), less(zero, y)), negative = both(less(x, zero), less(y, zero));
  const auto opposed = either(both(less(zero, x), less(y, zero)), both(less(x, zero), less(zero, y)));
  const V apart = select(either(positive, negative), log_kernel(absolute(x)) - log_kernel(absolute(y)),
                         select(opposed, no_value(x), log_kernel(ratio)));
  return select(less(absolute(t), splat(x, 0.5)), log1p_kernel(t), select(out, apart, log_kernel(ratio)));
}

// x*log(x/y) - x + y, the relative form near x = y.
template <class V>
V relative_entropy(V x, V y) {
  const V t = (y - x) / x;
  const V far = select(equal(x, splat(x, 0)), y, x * log_ratio(x, y) + (y - x));
  return select(less(absolute(t), splat(x, 0.4)), -(x * log1p_minus_x(t)), far);
}

// log(x + y) - log(x).
template <class V>
V log_shift(V x, V y) {
  const V ratio = y / x, infinite = splat(x, std::numeric_limits<double>::infinity());
  const auto apart = both(equal(absolute(ratio), infinite), less(splat(x, 0), x));
  const V usual = select(apart, log_kernel(x + y) - log_kernel(x), log1p_kernel(ratio));
  return select(less(x, splat(x, 0)), splat(x, std::numeric_limits<double>::quiet_NaN()), usual);
}

// log(x) - x + 1.
template <class V>
V log_minus_x_plus_one(V x) {
  const V less_one = x - splat(x, 1);
  return select(less(absolute(less_one), splat(x, 0.4)), log1p_minus_x(less_one), log_kernel(x) - less_one);
}

// log(x/y) - x/y + 1.
template <class V>
V log_minus_ratio(V x, V y) {
  const V t = (x - y) / y, ratio = x / y;
  return select(less(absolute(t), splat(x, 0.4)), log1p_minus_x(t), log_ratio(x, y) - (ratio - splat(x, 1)));
}

// log(1 + x) - x/(1 + x).
template <class V>
V log1p_gap(V x) {
  const V over = x / (splat(x, 1) + x);
  const auto near = both(less(splat(x, -0.4), x), less(x, splat(x, 0.6)));
  return select(near, fma(over, x, log1p_minus_x(x)), log1p_kernel(x) - over);
}

// log(1 + x)/x.
template <class V>
V log1prel(V x) {
  const V infinite = splat(x, std::numeric_limits<double>::infinity());
  const V quotient = select(equal(x, infinite), splat(x, 0), log1p_kernel(x) / x);
  return select(equal(x, splat(x, 0)), splat(x, 1), quotient);
}

// Its first derivative.
template <class V>
V log1prel_slope(V x) {
  const V infinite = splat(x, std::numeric_limits<double>::infinity());
  const V quotient = select(equal(x, infinite), splat(x, 0), -(log1p_gap(x) / x / x));
  return select(less(absolute(x), splat(x, 1e-150)), splat(x, -0.5), quotient);
}

// (1 + x/y)^y.
template <class V>
V compound_interest(V x, V y) {
  return compound(x / y, y);
}

// ((1 + x)^y - 1)/x, y at x = 0.
template <class V>
V annuity(V x, V y) {
  const V l = log1p_kernel(x), u = y * l, one = splat(x, 1);
  const V direct = (compound(x, y) - one) / x;
  const V value = select(less(absolute(u), one), expm1_kernel(u) / x, direct);
  return select(equal(x, splat(x, 0)), y, value);
}

// Its slope by x: y*exprel(u)*l/x with l = log1p(x), u = y*l, differentiated where nothing may cancel.
template <class V>
V annuity_slope(V x, V y) {
  const V one = splat(x, 1), zero = splat(x, 0), half = splat(x, 0.5), l = log1p_kernel(x), u = y * l, s = one + x;
  const auto at_zero = less(absolute(x), splat(x, 1e-150));
  const V ratio = select(at_zero, one, l / x);
  const V bend = select(at_zero, -half, -(log1p_gap(x) / x / x));
  const V near = y * fma(exprel_slope(u), y / s * ratio, exprel(u) * bend);
  const V far = (y * compound(x, y - one) - annuity(x, y)) / x;
  return select(either(less(absolute(u), one), equal(x, zero)), near, far);
}

// (exp(x) - 1 - x)/x^2 near 0: the sum of x^k/(k + 2)!.
template <class V>
V exprel2_series(V x) {
  constexpr double c[] = {0.5,
                          0.16666666666666666,
                          0.041666666666666664,
                          0.008333333333333333,
                          0.001388888888888889,
                          0.0001984126984126984,
                          2.48015873015873e-05,
                          2.7557319223985893e-06,
                          2.755731922398589e-07,
                          2.505210838544172e-08,
                          2.08767569878681e-09,
                          1.6059043836821613e-10,
                          1.1470745597729725e-11,
                          7.647163731819816e-13,
                          4.779477332387385e-14,
                          2.8114572543455206e-15,
                          1.5619206968586225e-16,
                          8.22063524662433e-18};
  return polynomial(x, c);
}

// exp(x) - 1 - x.
template <class V>
V expm1_minus_x(V x) {
  return select(near_zero(x), x * x * exprel2_series(x), expm1_kernel(x) - x);
}

// sinh(x)/x.
template <class V>
V sinhc(V x) {
  return select(equal(x, splat(x, 0)), splat(x, 1), libm(Libm::sinh, x, x) / x);
}

// 1/cosh(x).
template <class V>
V sech(V x) {
  const V e = exp_kernel(-absolute(x));
  return e * splat(x, 2) / fma(e, e, splat(x, 1));
}

// tanh(x)/x.
template <class V>
V tanhc(V x) {
  return select(equal(x, splat(x, 0)), splat(x, 1), tanh_kernel(x) / x);
}

// x/sinh(x) = 2|x|exp(-|x|)/(1 - exp(-2|x|)).
template <class V>
V x_over_sinh(V x) {
  const V size = absolute(x), decay = exp_kernel(-size);
  const V bounded = select(less(splat(x, 800), size), splat(x, 800), size);
  const V quotient = bounded * splat(x, -2) / expm1_kernel(bounded * splat(x, -2)) * decay;
  return select(equal(x, splat(x, 0)), splat(x, 1), quotient);
}

// 1/(exp(x) - 1) - 1/x = (1/tanh(x/2) - 2/x - 1)/2.
template <class V>
V bose_gap(V x) {
  const V one = splat(x, 1), half = splat(x, 0.5);
  return select(near_zero(x), fma(langevin(x * half), half, -half), one / expm1_kernel(x) - one / x);
}

// (exp(x) - 1 - x)/x^2.
template <class V>
V exprel2(V x) {
  const V far = select(less(splat(x, 700), x), exp_times(x, splat(x, 1) / x / x), (exprel(x) - splat(x, 1)) / x);
  return select(near_zero(x), exprel2_series(x), far);
}

// Its first derivative.
template <class V>
V exprel2_slope(V x) {
  constexpr double c[] = {0.16666666666666666,    0.08333333333333333,    0.025,
                          0.005555555555555556,   0.000992063492063492,   0.00014880952380952382,
                          1.9290123456790123e-05, 2.204585537918871e-06,  2.2546897546897547e-07,
                          2.08767569878681e-08,   1.7664948220503776e-09, 1.376489471727567e-10,
                          9.941312851365761e-12,  6.691268265342339e-13,  4.217185881518281e-14,
                          2.499073114973796e-15,  1.3975079919261362e-16, 7.398571721961897e-18};
  const V far = (exprel_slope(x) - exprel2(x)) / x;
  return select(near_zero(x), polynomial(x, c), far);
}

}  // namespace gradus::kernels
