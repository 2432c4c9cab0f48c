// Kernels of sine and cosine, written once for a double and for values of the IR builder.
//
// Polynomials are Chebyshev interpolants on [0, pi/4] (in the square), computed in 60 digits.
#pragma once

#include "codegen/kernels/exponential.hpp"

namespace gradus::kernels {

// x - n pi/2 as r + rest, |r| <= pi/4, and n + round_shift, whose low bits are the quadrant.
template <class V>
struct Angle {
  V r, rest, shifted;
};

template <class V>
Angle<V> reduce_angle(V x) {
  // pi/2 in three parts of 53 bits. The first difference is exact: both sides are multiples of 2^-52 or x is near 0.
  const V high = splat(x, 0x1.921fb54442d18p+0), middle = splat(x, 0x1.1a62633145c07p-54),
          low = splat(x, -0x1.f1976b7ed8fbcp-110), shift = splat(x, round_shift);
  const V shifted = fma(x, splat(x, 0x1.45f306dc9c883p-1), shift);
  const V n = shifted - shift;
  const V exact = fma(-n, high, x);
  const V part = n * middle, part_lost = fma(n, middle, -part);
  // exact - part and what it loses, whichever is larger.
  const V r = exact - part, back = r - exact;
  const V lost = (exact - (r - back)) - (part + back);
  return {r, fma(-n, low, lost - part_lost), shifted};
}

template <class V>
V sine_of(Angle<V> a, V square) {
  static constexpr double c[] = {-0x1.5555555555555p-3, 0x1.1111111111110p-7,   -0x1.a01a01a019880p-13,
                                 0x1.71de3a544a6cep-19, -0x1.ae6453ecab5c4p-26, 0x1.612161267019ep-33,
                                 -0x1.ab066192d3e8fp-41};
  const V cubic = (square * a.r) * polynomial(square, c);
  return a.r + fma(a.rest, splat(square, 1) - square * splat(square, 0.5), cubic);
}

template <class V>
V cosine_of(Angle<V> a, V square) {
  static constexpr double c[] = {0x1.5555555555555p-5,   -0x1.6c16c16c1691fp-10, 0x1.a01a019f3dde1p-16,
                                 -0x1.27e4fa0241f7cp-22, 0x1.1eeb52a201da3p-29,  -0x1.906dbf4fda044p-37};
  const V one = splat(square, 1), half = square * splat(square, 0.5);
  const V main = one - half, lost = (one - main) - half;
  return main + fma(square * square, polynomial(square, c), fma(-a.r, a.rest, lost));
}

// sin(x + quarter pi/2).
template <class V>
V wave(V x, std::uint64_t quarter) {
  const Angle<V> a = reduce_angle(x);
  const V square = a.r * a.r;
  const auto quadrant = to_bits(a.shifted) + splat_bits(x, quarter);
  const auto odd = from_bits((quadrant & splat_bits(x, 1)) | splat_bits(x, to_bits(0x1p52))) - splat(x, 0x1p52);
  const V size = select(equal(odd, splat(x, 1)), cosine_of(a, square), sine_of(a, square));
  return from_bits(to_bits(size) ^ ((quadrant & splat_bits(x, 2)) << 62));
}

// Where the reduction above would need more of pi.
template <class V>
auto beyond_reduction(V x) {
  return opposite(less(absolute(x), splat(x, 100'000)));
}

template <class V>
V sin_kernel(V x) {
  const V y = select(equal(x, splat(x, 0)), x, wave(x, 0));  // keeps -0
  return rarely(beyond_reduction(x), Libm::sin, x, y);
}

template <class V>
V cos_kernel(V x) {
  return rarely(beyond_reduction(x), Libm::cos, x, wave(x, 1));
}

}  // namespace gradus::kernels
