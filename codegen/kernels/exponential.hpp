// Kernels of the exponential family, written once for a double and for values of the IR builder.
//
// Only operations that round once or are exact are used, so every lane of every machine gives the same bits. The
// largest errors, in units of the last place, are measured by bench/accuracy.cpp and stand in docs/numerics.md.
// Polynomials are Chebyshev interpolants computed in 60 digits; their own error is below 2^-61 of the result.
#pragma once

#include <limits>

#include "codegen/kernels/scalar.hpp"

namespace gradus::kernels {

template <class V>
V no_value(V like) {
  return splat(like, std::numeric_limits<double>::quiet_NaN());
}

// Adding this to a number below 2^51 rounds it to an integer, which then stands in the low bits.
constexpr double round_shift = 0x1.8p52;
constexpr double log2_e = 0x1.71547652b82fep+0;
// log(2) in two parts; the first has 42 bits, so its product with an exponent is exact.
constexpr double log2_high = 0x1.62e42fefa3800p-1;
constexpr double log2_low = 0x1.ef35793c76730p-45;
constexpr double infinity = std::numeric_limits<double>::infinity();

// Even and odd powers in two chains, which run side by side.
template <class V, std::size_t N>
V polynomial(V x, const double (&c)[N]) {
  const V square = x * x;
  V even = splat(x, c[(N - 1) / 2 * 2]), odd = splat(x, c[(N - 2) / 2 * 2 + 1]);
  for (std::size_t k = (N - 1) / 2; k-- > 0;) even = fma(even, square, splat(x, c[2 * k]));
  for (std::size_t k = (N - 2) / 2; k-- > 0;) odd = fma(odd, square, splat(x, c[2 * k + 1]));
  return fma(odd, x, even);
}

// 2^n of a whole number from -1022 to 1023, given as n + round_shift.
template <class V>
V power_of_two(V shifted) {
  return from_bits((to_bits(shifted) << 52) + splat_bits(shifted, to_bits(1.0)));
}

// x 2^n, rounded once where the result is subnormal: half of n at a time, so neither factor leaves the range.
template <class V>
V scale(V x, V n) {
  const V shift = splat(x, round_shift);
  const V half = fma(n, splat(x, 0.5), shift);
  const V rest = (n - (half - shift)) + shift;
  return (x * power_of_two(half)) * power_of_two(rest);
}

// exp(x) = 2^n (1 + r + r^2/2 + cubic), where r + lost is x - n log(2) and |r| <= log(2)/2.
template <class V>
struct Exponential {
  V n, r, lost, cubic;
};

template <class V>
Exponential<V> reduce(V x) {
  static constexpr double c[] = {0x1.5555555555557p-3,  0x1.5555555555556p-5,  0x1.11111111100bep-7,
                                 0x1.6c16c16c162c3p-10, 0x1.a01a01abf85abp-13, 0x1.a01a01a6e1e2ap-16,
                                 0x1.71de01fdbf9cap-19, 0x1.27e4db46cddd1p-22, 0x1.af4e554377204p-26,
                                 0x1.1f7340dbc337ep-29};
  const V shift = splat(x, round_shift);
  const V n = fma(x, splat(x, log2_e), shift) - shift;
  const V exact = fma(n, splat(x, -log2_high), x);
  const V r = fma(n, splat(x, -log2_low), exact);
  const V lost = fma(n, splat(x, -log2_low), exact - r);
  return {n, r, lost, (r * r) * (r * polynomial(r, c))};
}

// exp(x) for x between -746 and 710.
template <class V>
V exp_reduced(V x) {
  const V one = splat(x, 1);
  const Exponential<V> e = reduce(x);
  const V sum = one + e.r;
  const V tail = fma(e.r * splat(x, 0.5), e.r, e.cubic + e.lost);
  return scale(sum + ((e.r - (sum - one)) + tail), e.n);
}

template <class V>
V clamp(V x, double low, double high) {  // NaN stays
  const V bottom = splat(x, low), top = splat(x, high);
  const V y = select(less(x, bottom), bottom, x);
  return select(less(top, y), top, y);
}

template <class V>
V exp_kernel(V x) {
  return exp_reduced(clamp(x, -746, 710));
}

// expm1(x) = 2^n (high + low), |low| at most half a unit of high's last place, for x between -50 and 710.
template <class V>
struct MinusOne {
  V n, high, low;
};

template <class V>
MinusOne<V> reduce_minus_one(V x) {
  const V one = splat(x, 1), shift = splat(x, round_shift);
  const Exponential<V> e = reduce(x);
  // 1 - 2^-n in two parts. Where n is large nothing is left of 2^-n.
  const V inverse = power_of_two(shift - clamp(e.n, -100, 1000));
  const V rest = one - inverse, rest_lost = (one - rest) - inverse;
  // rest + r + r^2/2, each sum with what it loses: |rest| is 0 or above |r|, their sum is above r^2/2.
  const V linear = rest + e.r, linear_lost = e.r - (linear - rest);
  const V half = e.r * splat(x, 0.5), square = half * e.r, square_lost = fma(half, e.r, -square);
  const V high = linear + square, high_lost = square - (high - linear);
  const V low = (high_lost + e.cubic) + (square_lost + (linear_lost + (rest_lost + e.lost)));
  const V sum = high + low;
  return {e.n, sum, low - (sum - high)};
}

template <class V>
V expm1_kernel(V x) {
  const MinusOne<V> e = reduce_minus_one(clamp(x, -50, 710));
  return select(less(absolute(x), splat(x, 0x1p-54)), x, scale(e.high, e.n));  // and keeps -0
}

// log(m 2^k) of 1 + f = m, with f corrected by a small c: log(1 + f + c) + k log(2), for f from -0.3 to 0.5.
template <class V>
V log_of(V k, V f, V correction) {
  static constexpr double c[] = {0x1.5555555555555p-1, 0x1.9999999999f30p-2, 0x1.24924923dba6ap-2,
                                 0x1.c71c72e2f78d5p-3, 0x1.745cab2727663p-3, 0x1.3b29fcbbce66dp-3,
                                 0x1.0e88ea4725d3dp-3, 0x1.16b68338bd78bp-3};
  const V s = f / (splat(f, 2) + f), z = s * s;
  const V half_square = (splat(f, 0.5) * f) * f;
  const V tail = half_square - s * (half_square + z * polynomial(z, c));
  const V whole = k * splat(f, log2_high), sum = whole + f;
  const V lost = f - (sum - whole);
  return sum + (lost + (fma(k, splat(f, log2_low), correction) - tail));
}

// x = m 2^k with m between sqrt(1/2) and sqrt(2), for normal positive x.
template <class V>
struct Fraction {
  V k, m;
};

template <class V>
Fraction<V> split(V x) {
  constexpr std::uint64_t low = 0x3fe6a09e667f3bcd, mask = 0x000fffffffffffff;  // low: the bits of sqrt(1/2)
  const auto offset = to_bits(x) - splat_bits(x, low);
  const auto biased = (offset + splat_bits(x, std::uint64_t{1024} << 52)) >> 52;
  const V k = from_bits(biased | splat_bits(x, to_bits(0x1p52))) - splat(x, 0x1p52 + 1024);
  return {k, from_bits((offset & splat_bits(x, mask)) + splat_bits(x, low))};
}

// What a logarithm of y is where y is not positive and finite.
template <class V>
V log_special(V y, V value) {
  const V zero = splat(y, 0), no_value = splat(y, std::numeric_limits<double>::quiet_NaN());
  const V other = select(equal(y, zero), splat(y, -infinity), select(less(y, zero), no_value, y));
  return select(both(less(zero, y), less(y, splat(y, infinity))), value, other);
}

template <class V>
V log_kernel(V x) {
  const auto subnormal = less(x, splat(x, 0x1p-1022));
  const V normal = select(subnormal, x * splat(x, 0x1p54), x);
  const Fraction<V> p = split(normal);
  const V k = select(subnormal, p.k - splat(x, 54), p.k);
  return log_special(x, log_of(k, p.m - splat(x, 1), splat(x, 0)));
}

template <class V>
V log1p_kernel(V x) {
  const V one = splat(x, 1);
  const V u = one + x;
  const auto small = less(x, one);
  const V lost = select(small, x, one) - (u - select(small, one, x));  // u + lost = 1 + x exactly
  const Fraction<V> p = split(u);
  const auto near = equal(p.k, splat(x, 0));
  const V f = select(near, x, p.m - one);
  // The correction lost/u needs a few bits only: 1/m is about (1 - s)(1 - s + s s).
  const V s = f / (splat(x, 2) + f);
  const V inverse = power_of_two(splat(x, round_shift) - clamp(p.k, -100, 1000));
  const V correction = (lost * inverse) * ((one - s) * fma(s, s, one - s));
  const V y = log_of(p.k, f, select(near, splat(x, 0), correction));
  const V value = log_special(u, y);
  return select(less(absolute(x), splat(x, 0x1p-54)), x, value);  // and keeps -0
}

// exp(-|x|): between 0 and 1.
template <class V>
V exp_minus_absolute(V x) {
  const V minus = -absolute(x), bottom = splat(x, -746);
  return exp_reduced(select(less(minus, bottom), bottom, minus));
}

// numerator / (1 + e) for 0 <= e <= 1, corrected for what 1 + e loses.
template <class V>
V over_one_plus(V numerator, V e) {
  const V one = splat(e, 1);
  const V sum = one + e, lost = e - (sum - one);
  const V inverse = one / sum, quotient = numerator * inverse;
  const V remainder = fma(-quotient, sum, numerator) - quotient * lost;
  return fma(remainder, inverse, quotient);
}

template <class V>
V sigmoid_kernel(V x) {
  const V one = splat(x, 1), e = exp_minus_absolute(x);
  return over_one_plus(select(less(x, splat(x, 0)), e, one), e);
}

template <class V>
V softplus_kernel(V x) {
  const V one = splat(x, 1), zero = splat(x, 0), e = exp_minus_absolute(x);
  // log(1 + e): above 1/2 of 2 (1 + f) with f = (e - 1)/2, which is exact.
  const auto large = less(splat(x, 0.5), e);
  const V f = select(large, (e - one) * splat(x, 0.5), e);
  const V y = log_of(select(large, one, zero), f, zero);
  return select(less(zero, x), x, zero) + y;
}

// (1 - e)/(1 + e) with e = exp(-2|x|), from expm1.
template <class V>
V tanh_kernel(V x) {
  constexpr std::uint64_t sign = std::uint64_t{1} << 63;
  const V twice = absolute(x) * splat(x, -2), bottom = splat(x, -50), two = splat(x, 2);
  const MinusOne<V> e = reduce_minus_one(select(less(twice, bottom), bottom, twice));
  const V power = power_of_two(e.n + splat(x, round_shift));
  const V high = e.high * power, low = e.low * power;  // expm1, between -1 and 0
  const V sum = two + high, lost = (high - (sum - two)) + low;
  const V inverse = splat(x, 1) / sum, quotient = high * inverse;
  const V remainder = fma(-quotient, sum, high) + (low - quotient * lost);
  const V size = absolute(fma(remainder, inverse, quotient));
  return from_bits(to_bits(size) | (to_bits(x) & splat_bits(x, sign)));
}

}  // namespace gradus::kernels
