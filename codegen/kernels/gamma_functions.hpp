// Kernels of the gamma function's family, written once for a double and for values of the IR builder.
//
// Polynomials are Chebyshev interpolants computed in 60 digits; series at large arguments are Stirling's.
#pragma once

#include <limits>

#include "codegen/kernels/trigonometric.hpp"

namespace gradus::kernels {

template <class V>
V sign_of(V size, V from) {
  constexpr std::uint64_t sign = std::uint64_t{1} << 63;
  return from_bits(to_bits(size) | (to_bits(from) & splat_bits(from, sign)));
}

/// pi cot(pi x); infinite at integers.
template <class V>
V pi_cotangent(V x) {
  const V part = x - round_even(x), size = absolute(part), quarter = splat(x, 0.25);
  const auto near = less_equal(size, quarter);
  const V turn = select(near, size, splat(x, 0.5) - size);
  const V high = splat(x, 0x1.921fb54442d18p+1), low = splat(x, 0x1.1a62633145c07p-53);
  const V angle = turn * high, lost = fma(turn, low, fma(turn, high, -angle));
  const Angle<V> a{angle, lost, angle};
  const V square = angle * angle, sine = sine_of(a, square), cosine = cosine_of(a, square);
  return sign_of(high * (select(near, cosine, sine) / select(near, sine, cosine)), part);
}

/// digamma between 1 and 2: a product with the distance to its zero.
template <class V>
V digamma_of_one_to_two(V x) {
  static constexpr double c[] = {
      0x1.e6f0cbb873616p-1,  -0x1.b1cb63005ee98p-2,  0x1.eca189b8e6f6dp-3,  -0x1.2feeeb98a78eap-3,
      0x1.8512e5903903ep-4,  -0x1.fb44202a2306bp-5,  0x1.4de9aa1779d23p-5,  -0x1.b9f8b11bfd3d0p-6,
      0x1.2564717896ec6p-6,  -0x1.863563f44f303p-7,  0x1.03c0adafa529cp-7,  -0x1.5a06a5d662cb4p-8,
      0x1.cd2011454fd05p-9,  -0x1.336dbe66757c8p-9,  0x1.99d3f5c0cad5ep-10, -0x1.0fb38d217b800p-10,
      0x1.6a3e76070c135p-11, -0x1.fd8e50abf2196p-12, 0x1.53b23429da21bp-12, -0x1.2fae5cb379bf2p-13,
      0x1.94e73cc9821e1p-14, -0x1.75c084e78a4cdp-13, 0x1.f255c4568ac4dp-14};
  const V distance = (x - splat(x, 0x1.762d86356be3fp+0)) - splat(x, 0x1.b86a722197829p-54);
  return distance * polynomial(x - splat(x, 1.5), c);
}

/// digamma(x) - log(x) for x >= 2.
template <class V>
V digamma_minus_log(V x) {
  static constexpr double c[] = {0x1.5555555555554p-4,   -0x1.1111111109e62p-7,  0x1.041040eb6b06bp-8,
                                 -0x1.1110fff770a6ap-8,  0x1.f075bb607ec82p-8,   -0x1.593636e943c74p-6,
                                 0x1.5186623adf876p-4,   -0x1.a966fb638e1f4p-2,  0x1.344e133fb731dp+1,
                                 -0x1.c59f1b96a8f96p+3,  0x1.318d7f96efe83p+6,   -0x1.5ea8e09c8d243p+8,
                                 0x1.45d47e6a504d0p+10,  -0x1.d5ccd8a45d646p+11, 0x1.f59444d65bd73p+12,
                                 -0x1.733d535894f38p+13, 0x1.52f922c7da7ccp+13,  -0x1.1eff058434261p+12};
  const V inverse = splat(x, 1) / x, square = inverse * inverse;
  return fma(splat(x, -0.5), inverse, -(square * polynomial(square, c)));
}

template <class V>
V digamma_kernel(V x) {
  const V zero = splat(x, 0), one = splat(x, 1), two = splat(x, 2), size = absolute(x), inverse = one / x;
  const auto below_one = less(size, one);
  const V shifted = select(below_one, size + one, size);
  const V near = digamma_of_one_to_two(select(less(shifted, two), shifted, two));  // of size, or of size + 1
  const V bounded = select(less(size, two), two, size);
  const V far = log_kernel(bounded) + digamma_minus_log(bounded);
  const V right = select(less(size, two), select(below_one, near - inverse, near), far);
  // digamma(-x) = digamma(x + 1) + pi cot(pi x)
  const V next = select(less(size, two), select(below_one, near, near - inverse), far - inverse);
  const V whole = round_even(size);
  const V left = select(equal(whole, size), no_value(x), next + pi_cotangent(size));
  return select(less(x, zero), left, right);
}

/// x^n for a whole number n from 0 to 127.
template <class V>
V whole_power(V x, V n) {
  V result = splat(x, 1), square = x;
  for (int bit = 0; bit < 7; ++bit) {
    const V half = floor(n * splat(x, 0.5));
    result = select(equal(half + half, n), result, result * square);
    square = square * square;
    n = half;
  }
  return result;
}

/// g^(k + 1) times the sum of (x + j)^-(k + 1) over j = 0, 1, … for x > 0: terms, then the formula of Euler and
/// Maclaurin. The unit g keeps powers in range.
template <class V>
V hurwitz_zeta(V k, V x, V g) {
  // B_2m/(2m)!
  static constexpr double c[] = {0x1.5555555555555p-4,   -0x1.6c16c16c16c17p-10, 0x1.1566abc011567p-15,
                                 -0x1.bbd779334ef0bp-21, 0x1.66a8f2bf70ebep-26,  -0x1.22805d644267fp-31,
                                 0x1.d6db2c4e09162p-37,  -0x1.7da4e1f79955cp-42, 0x1.355871d652e9ep-47,
                                 -0x1.f57d968caacf1p-53};
  const V one = splat(x, 1), terms = splat(x, 12), per_unit = one / g;
  // The formula needs a start beyond the order, or one that makes its part negligible.
  const auto small = less(x, terms + k);
  const V start = select(small, x + terms, x), inverse = one / start, square = inverse * inverse;
  V tail = splat(x, 0.5), rising = (k + one) * inverse;
  tail = fma(rising, splat(x, c[0]), tail);
  for (int m = 1; m < 10; ++m) {
    const V step = splat(x, 2 * m);
    rising = rising * ((k + step) * (k + step + one)) * square;
    tail = fma(rising, splat(x, c[m]), tail);
  }
  const V from_start = g * fma(inverse, tail, one / k) / whole_power(start * per_unit, k);
  V head = splat(x, 0);
  for (int j = 11; j >= 0; --j) {
    const V at = (x + splat(x, j)) * per_unit;
    head = head + one / (whole_power(at, k) * at);
  }
  return select(small, head + from_start, from_start);
}

/// The k-th derivative of digamma, for whole k from 0 to 126.
template <class V>
V polygamma_kernel(V k, V x) {
  const V zero = splat(x, 0), one = splat(x, 1);
  const V half = floor(k * splat(x, 0.5));
  const auto even = equal(half + half, k);
  const V alternating = select(even, splat(x, -1), one);  // (-1)^(k + 1)
  // A power of two near the root of k!, so that k! / g^(k + 1) is near 1.
  const V g = from_bits(to_bits((k + one) * splat(x, 0.5)) & splat_bits(x, std::uint64_t{0x7ff} << 52));
  const V factorial = libm(Libm::tgamma, k + one, k) / (whole_power(g, k) * g);
  // The sum over all integers less what lies left of x. The whole sum is antisymmetric in the distances of x to its two
  // neighbours where k is even, and then exactly 0 half way.
  const V part = x - round_even(x);
  const auto after = less_equal(zero, part);
  const V down = select(after, part, one + part), up = select(after, one - part, -part);
  const V all = hurwitz_zeta(k, down, g) + alternating * hurwitz_zeta(k, up, g);
  const V left = select(both(even, equal(part, zero)), no_value(x), all - alternating * hurwitz_zeta(k, one - x, g));
  const V sum = select(less(x, zero), left, hurwitz_zeta(k, x, g));
  const auto whole = both(equal(floor(k), k), both(less_equal(zero, k), less(k, splat(x, 127))));
  return select(equal(k, zero), digamma_kernel(x), select(whole, alternating * factorial * sum, no_value(x)));
}

/// Where differences of the gamma functions' logarithms go by series: both arguments positive, nothing infinite.
template <class V>
auto regular(V x, V y) {
  const V tiny = splat(x, 0x1p-300), large = splat(x, 0x1p900);
  return both(both(less(tiny, x), less(tiny, y)), both(less(x, large), less(y, large)));
}

/// (p(u) - p(v))/(u - v)
template <class V, std::size_t N>
V divided_difference(V u, V v, const double (&c)[N]) {
  V value = splat(u, c[N - 1]), slope = splat(u, 0);
  for (std::size_t k = N - 1; k-- > 0;) {
    slope = fma(slope, v, value);
    value = fma(value, u, splat(u, c[k]));
  }
  return slope;
}

/// digamma(x + a) - digamma(x), without cancellation where both arguments are positive.
template <class V>
V digamma_difference_kernel(V x, V a) {
  // digamma(x) = log(x) - 1/(2x) - p(1/x^2)
  static constexpr double p[] = {0,
                                 0x1.5555555555555p-4,
                                 -0x1.1111111111111p-7,
                                 0x1.0410410410410p-8,
                                 -0x1.1111111111111p-8,
                                 0x1.f07c1f07c1f08p-8,
                                 -0x1.5995995995996p-6,
                                 0x1.5555555555555p-4};
  const V one = splat(x, 1), ten = splat(x, 10), y = x + a;
  const auto small = either(less(x, ten), less(y, ten));
  const V low = select(small, x + ten, x), high = select(small, y + ten, y);
  const V u = one / high, v = one / low, step = -(a * u * v);  // u - v
  const V far = log1p_kernel(a * v) - step * fma(u + v, divided_difference(u * u, v * v, p), splat(x, 0.5));
  V sum = splat(x, 0);
  for (int k = 9; k >= 0; --k) sum = sum + a / ((x + splat(x, k)) * (y + splat(x, k)));
  const V value = select(small, far + sum, far);
  return select(regular(x, y), value, digamma_kernel(y) - digamma_kernel(x));
}

/// The series of lgamma beyond Stirling's formula, over 1/x, as a polynomial in 1/x^2.
constexpr double stirling[] = {0x1.5555555555555p-4,   -0x1.6c16c16c16c17p-9, 0x1.a01a01a01a01ap-11,
                               -0x1.3813813813814p-11, 0x1.b951e2b18ff23p-11, -0x1.f6ab0d9993c7dp-10,
                               0x1.a41a41a41a41ap-8,   -0x1.e4286cb0f5398p-6};

template <class V>
V stirling_rest(V x) {
  const V inverse = splat(x, 1) / x;
  return inverse * polynomial(inverse * inverse, stirling);
}

/// lgamma(x + a) - lgamma(x) where both arguments are positive and regular.
template <class V>
V lgamma_step(V x, V a) {
  const V one = splat(x, 1), ten = splat(x, 10), half = splat(x, 0.5), y = x + a;
  const auto small = either(less(x, ten), less(y, ten));
  const V low = select(small, x + ten, x), high = select(small, y + ten, y);
  const V u = one / high, v = one / low, step = -(a * u * v);
  // d(w s(w^2)) = (u - v) s(u^2) + v (s(u^2) - s(v^2))
  const V rest = step * fma(v * (u + v), divided_difference(u * u, v * v, stirling), polynomial(u * u, stirling));
  const V far = fma(low - half, log1p_kernel(a * v), fma(a, log_kernel(high) - one, rest));
  V sum = splat(x, 0);
  for (int k = 9; k >= 0; --k) sum = sum + log1p_kernel(a / (x + splat(x, k)));
  return select(small, far - sum, far);
}

template <class V>
V lgamma_kernel(V x) {
  return libm(Libm::lgamma, x, x);
}

/// lgamma(x + a) - lgamma(x), without cancellation where both arguments are positive.
template <class V>
V lgamma_difference_kernel(V x, V a) {
  const V y = x + a, four = splat(x, 4);
  // Around the least value of lgamma the difference may cross 0 far from a = 0: there the plain one is the better.
  const auto plain = both(both(less(x, four), less(y, four)), less(splat(x, 0.25), absolute(a)));
  return select(both(regular(x, y), opposite(plain)), lgamma_step(x, a), lgamma_kernel(y) - lgamma_kernel(x));
}

/// lgamma(x) + lgamma(y) - lgamma(x + y)
template <class V>
V lbeta_kernel(V x, V y) {
  const auto swap = less(y, x);
  const V a = select(swap, y, x), b = select(swap, x, y), both_of = a + b, half = splat(x, 0.5), ten = splat(x, 10);
  // Both large: every term but the last small ones is negative.
  const V rest = stirling_rest(a) + (stirling_rest(b) - stirling_rest(both_of));
  const V constant = splat(x, 0x1.d67f1c864beb5p-1) - half * log_kernel(b);  // log(2 pi)/2
  const V large = fma(a - half, -log1p_kernel(b / a), fma(b, -log1p_kernel(a / b), constant + rest));
  const V mixed = lgamma_kernel(a) - lgamma_step(b, a);
  const V any = (lgamma_kernel(x) + lgamma_kernel(y)) - lgamma_kernel(both_of);
  const auto positive = both(less(splat(x, 0), a), less(b, splat(x, 0x1p900)));
  return select(positive, select(less(a, ten), mixed, large), any);
}

/// -1 where gamma is negative, else 1.
template <class V>
V sign_of_gamma(V x) {
  const V whole = floor(x), half = floor(whole * splat(x, 0.5));
  const auto odd = opposite(equal(half + half, whole));
  return select(both(less(x, splat(x, 0)), odd), splat(x, -1), splat(x, 1));
}

/// gamma(x + a)/gamma(x)
template <class V>
V gamma_ratio_kernel(V x, V a) {
  const V y = x + a;
  const auto in_range = both(less(absolute(x), splat(x, 30)), less(absolute(y), splat(x, 30)));
  const V by_logarithm = sign_of_gamma(x) * sign_of_gamma(y) * exp_kernel(lgamma_difference_kernel(x, a));
  const auto is_pole = [](V t) { return both(less(t, splat(t, 0)), equal(floor(t), t)); };
  const V value = select(in_range, libm(Libm::tgamma, y, y) / libm(Libm::tgamma, x, x), by_logarithm);
  return select(either(is_pole(x), is_pole(y)), no_value(x), value);
}

template <class V>
V beta_kernel(V x, V y) {
  const V zero = splat(x, 0), sum = x + y;
  const V ratio = libm(Libm::tgamma, x, x) * (libm(Libm::tgamma, y, y) / libm(Libm::tgamma, sum, x));
  const V size = exp_kernel(lbeta_kernel(x, y));
  const V by_logarithm = sign_of_gamma(x) * sign_of_gamma(y) * sign_of_gamma(sum) * size;
  const auto positive = both(less(zero, x), less(zero, y));
  const auto in_range = both(less(absolute(x), splat(x, 80)), less(absolute(y), splat(x, 80)));
  return select(positive, size, select(in_range, ratio, by_logarithm));
}

/// x log(y), 0 where x is 0 (but NaN of NaN).
template <class V>
V xlogy_kernel(V x, V y) {
  const V zero = splat(x, 0);
  return select(both(equal(x, zero), opposite(is_nan(y))), zero, x * log_kernel(y));
}

template <class V>
V xlog1py_kernel(V x, V y) {
  const V zero = splat(x, 0);
  return select(both(equal(x, zero), opposite(is_nan(y))), zero, x * log1p_kernel(y));
}

// y log(abs(1 + x)), 0 where y is 0.
template <class V>
V log1p_power_kernel(V x, V y) {
  const V one = splat(x, 1), size = select(less(x, -one), -(x + splat(x, 2)), x);
  return xlog1py_kernel(y, size);
}

// log(gamma(x)).
template <class V>
V log_gamma(V x) {
  const V left = log_kernel(libm(Libm::tgamma, x, x));
  return select(less(splat(x, 0), x), libm(Libm::lgamma, x, x), left);
}

// log(beta(x, y)).
template <class V>
V log_beta(V x, V y) {
  const auto positive = both(less(splat(x, 0), x), less(splat(x, 0), y));
  return select(positive, lbeta_kernel(x, y), log_kernel(beta_kernel(x, y)));
}

}  // namespace gradus::kernels
