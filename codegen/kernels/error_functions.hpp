// Kernels of the error function's family, written once for a double and for values of the IR builder.
//
// All of it hangs on erfcx(x) = exp(x^2) erfc(x), which neither overflows nor underflows for x >= 0: a polynomial in
// (x - 4)/(x + 4) over 1 + 2x. Polynomials are Chebyshev interpolants computed in 60 digits.
#pragma once

#include "codegen/kernels/exponential.hpp"

namespace gradus::kernels {

constexpr double reciprocal_root_pi = 0x1.20dd750429b6dp-1;  // 1/sqrt(pi)

/// exp(factor x^2), corrected for what rounding the square loses; the factor is a power of two.
template <class V>
V exp_of_square(V x, double factor) {
  const V square = x * x, lost = fma(x, x, -square);
  const V e = exp_kernel(square * splat(x, factor));
  const auto usual = both(less(square, splat(x, 1600)), less(e, splat(x, infinity)));
  return select(usual, fma(e, lost * splat(x, factor), e), e);
}

/// (x - 4)/(x + 4) for x >= 0, between -1 and 1.
template <class V>
V to_unit(V x) {
  const V bounded = select(less(x, splat(x, 0x1p60)), x, splat(x, 0x1p60));
  return (bounded - splat(x, 4)) / (bounded + splat(x, 4));
}

/// exp(x^2) erfc(x) for x >= 0.
template <class V>
V erfcx_positive(V x) {
  static constexpr double c[] = {
      0x1.3ba5916e9fd7fp+0,   -0x1.1df1ad154a28ep-3,  0x1.f7f5df66fd6bap-7,   0x1.16ecefcfa5383p-4,
      -0x1.9ddb23c3e89f3p-4,  0x1.7fee004e1295bp-4,   -0x1.0fb06dfe52605p-4,  0x1.3079edf67777bp-5,
      -0x1.096238838fb04p-6,  0x1.49c6728a1a0f0p-8,   -0x1.8d4a9b0690e08p-11, -0x1.a1df289a58f28p-13,
      0x1.3be04c486a75ep-13,  -0x1.9958e21c32f5cp-16, -0x1.78862b6b1e3abp-17, 0x1.7f2545048fbf3p-18,
      0x1.398374178fe8cp-22,  -0x1.baf5e74545cc2p-21, 0x1.4cb0ece36623dp-24,  0x1.d98825ca9deb5p-24,
      -0x1.611fc8f45b510p-26, -0x1.fcc3a5268653fp-27, 0x1.b34e17ed4ff9fp-29,  0x1.f5d7df6dfda90p-30,
      -0x1.24000f0a15ee9p-32, -0x1.3ab58f87cfb03p-33};
  return polynomial(to_unit(x), c) * splat(x, 0.5) / (splat(x, 0.5) + x);
}

template <class V>
V erfcx_kernel(V x) {
  const V tail = erfcx_positive(absolute(x));
  return select(less(x, splat(x, 0)), splat(x, 2) * exp_of_square(x, 1) - tail, tail);
}

/// exp(x^2) times the integral of erfc from x on.
template <class V>
V ierfcx_kernel(V x) {
  static constexpr double c[] = {
      0x1.4fc08f9a1f0edp+0,   -0x1.651f2c6d3140bp-3,  -0x1.4112709c780aap-3,  0x1.56746fa964d3dp-2,
      -0x1.4d9fc6f03a521p-2,  0x1.984b5a911d729p-3,   -0x1.d618589edde11p-5,  -0x1.025ca41cd618ep-5,
      0x1.ca639bc220e51p-5,   -0x1.55e81dff05e65p-5,  0x1.3ce34386fdbfbp-6,   -0x1.3ae9a658684b4p-8,
      -0x1.a79313f0eb259p-12, 0x1.ab55da9f24675p-11,  -0x1.c8c2026e6e932p-13, -0x1.ccc8b10babba6p-15,
      0x1.83d0553db9f32p-15,  -0x1.68c0fc184b6e9p-20, -0x1.d9cc9d7164a46p-18, 0x1.4df98acc89a9fp-20,
      0x1.10ea32efa2fd8p-20,  -0x1.407ce53a88d15p-22, -0x1.39c549aa288edp-23, 0x1.d9b1098ef1587p-25,
      0x1.41c61f3956acdp-26,  -0x1.0d5d393b0ae59p-27, -0x1.94bfd7c1d7552p-30, 0x1.5b7cce2d64e13p-31};
  const V size = absolute(x), below = splat(x, 0.5) / (splat(x, 0.5) + size);
  const V right = polynomial(to_unit(size), c) * below * below;
  const V left = fma(-x, erfcx_kernel(x), splat(x, reciprocal_root_pi));
  return select(less(x, splat(x, 0)), left, right);
}

/// exp(x^2) times the integral from x on of the integral of erfc.
template <class V>
V i2erfcx_kernel(V x) {
  static constexpr double c[] = {
      0x1.5c4ea829f5ca1p+0,   -0x1.8dad7fb8019b6p-4, -0x1.fc9c066ae1fc5p-2,  0x1.63e0fde297675p-1,
      -0x1.df604b13273e9p-2,  0x1.2cbb203a57466p-4,  0x1.9c23a55e40d67p-3,   -0x1.f8f14fad34fcep-3,
      0x1.215ac691ebcd0p-3,   -0x1.6357ea0453c6fp-6, -0x1.25dff8f92b667p-5,  0x1.235667f87f5d8p-5,
      -0x1.f3b24305f157cp-7,  0x1.4e1d9fa6f55a5p-10, 0x1.18a7de11bdaacp-9,   -0x1.014c41ddb0f3dp-10,
      -0x1.55276d880ea0ep-14, 0x1.98a6077742403p-13, -0x1.bf826263f7e59p-16, -0x1.035a2485cfe2bp-15,
      0x1.36811e4c7b723p-17,  0x1.4175a3815a44ep-18, -0x1.1a5b3cfd40d5ep-19, -0x1.a7d0c93e41a68p-21,
      0x1.a95cb24bdefb0p-22,  0x1.20b62611adb05p-23, -0x1.ebad453067676p-25, -0x1.509e3db8ed205p-26,
      0x1.3bd01b57cd3f8p-28,  0x1.c2db8d733c45cp-30};
  const V size = absolute(x), below = splat(x, 0.5) / (splat(x, 0.5) + size);
  const V right = polynomial(to_unit(size), c) * below * below * below;
  const V left = splat(x, 0.25) * fma(splat(x, -2) * x, ierfcx_kernel(x), erfcx_kernel(x));
  return select(less(x, splat(x, 0)), left, right);
}

/// erf for |x| <= 1, as x plus a smaller part.
template <class V>
V erf_near_zero(V x) {
  static constexpr double c[] = {0x1.06eba8214db69p-3,   -0x1.812746b0379e6p-2,  0x1.ce2f21a042b30p-4,
                                 -0x1.b82ce31284e00p-6,  0x1.565bcd0dbaa38p-8,   -0x1.c02db3dac435fp-11,
                                 0x1.f9a321d5b8e1ep-14,  -0x1.f4d1e3183f7aep-17, 0x1.b9df224ca4b97p-20,
                                 -0x1.5f1ecb6f0764cp-23, 0x1.f7b4bf3b13964p-27,  -0x1.389d4f2641625p-30,
                                 0x1.05ffd737fb32ep-34};
  return fma(x, polynomial(x * x, c), x);
}

/// erfc(x) for x >= 0.
template <class V>
V erfc_positive(V x) {
  return exp_of_square(x, -1) * erfcx_positive(x);
}

template <class V>
V erf_kernel(V x) {
  constexpr std::uint64_t sign = std::uint64_t{1} << 63;
  const V size = absolute(x), one = splat(x, 1);
  const V far = from_bits(to_bits(one - erfc_positive(size)) | (to_bits(x) & splat_bits(x, sign)));
  return select(less(size, one), erf_near_zero(x), far);
}

template <class V>
V erfc_kernel(V x) {
  const V tail = erfc_positive(absolute(x)), zero = splat(x, 0), half = splat(x, 0.5);
  const V left = select(less(x, zero), splat(x, 2) - tail, tail);
  return select(less(absolute(x), half), splat(x, 1) - erf_near_zero(x), left);
}

/// log(erfc(x)): the tail by erfcx, the rest by log1p.
template <class V>
V log_erfc_kernel(V x) {
  const V near = log1p_kernel(-erf_kernel(x)), far = fma(-x, x, log_kernel(erfcx_positive(absolute(x))));
  return select(less(x, splat(x, 0.5)), near, far);
}

/// Half of erfcx(|x|/sqrt(2)): the normal distribution's tail beyond |x|, over exp(-x^2/2).
template <class V>
V scaled_tail(V x) {
  return splat(x, 0.5) * erfcx_positive(absolute(x) * splat(x, 0x1.6a09e667f3bcdp-1));
}

template <class V>
V normal_cdf_kernel(V x) {
  const V tail = exp_of_square(x, -0.5) * scaled_tail(x), half = splat(x, 0.5);
  const V outside = select(less(splat(x, 0), x), splat(x, 1) - tail, tail);
  const V middle = fma(half, erf_near_zero(x * splat(x, 0x1.6a09e667f3bcdp-1)), half);
  return select(less(absolute(x), half), middle, outside);
}

template <class V>
V log_normal_cdf_kernel(V x) {
  const V tail = scaled_tail(x), half = splat(x, -0.5);
  const V left = fma(half * x, x, log_kernel(tail)), right = log1p_kernel(-(exp_of_square(x, -0.5) * tail));
  return select(less(splat(x, 0), x), right, left);
}

/// The normal density over its distribution function.
template <class V>
V inverse_mills_kernel(V x) {
  const V root = splat(x, 0x1.9884533d43651p-2), one = splat(x, 1);  // 1/sqrt(2 pi)
  const V tail = scaled_tail(x), density = exp_of_square(x, -0.5);
  const V right = root * density / (one - density * tail);
  return select(less(splat(x, 0), x), right, root / tail);
}

/// log(1 - normal_cdf(x)^2): on the left the square is small, on the right what is left of 1.
template <class V>
V log_normal_square_complement(V x) {
  const V mass = normal_cdf_kernel(x);
  return select(less(x, splat(x, 0)), log1p_kernel(-(mass * mass)), log_normal_cdf_kernel(-x) + log1p_kernel(mass));
}

/// x times the normal distribution function plus its density: on the left the density times its scaled second integral.
template <class V>
V improvement_kernel(V x) {
  const V root_half = splat(x, 0x1.6a09e667f3bcdp-1), root = splat(x, 0x1.9884533d43651p-2);
  const V left = exp_of_square(x, -0.5) * root_half * ierfcx_kernel(-(x * root_half));
  const V right = fma(x, normal_cdf_kernel(x), root * exp_of_square(x, -0.5));
  return select(less(splat(x, 0), x), right, left);
}

template <class V>
V log_improvement_kernel(V x) {
  const V root_half = splat(x, 0x1.6a09e667f3bcdp-1), half = splat(x, -0.5);
  const V left = fma(half * x, x, log_kernel(root_half * ierfcx_kernel(-(x * root_half))));
  return select(less(splat(x, 0), x), log_kernel(improvement_kernel(x)), left);
}

/// The slope of its logarithm.
template <class V>
V improvement_hazard_kernel(V x) {
  const V root_half = splat(x, 0x1.6a09e667f3bcdp-1), t = -(x * root_half);
  const V left = root_half * erfcx_kernel(t) / ierfcx_kernel(t);
  const V right = normal_cdf_kernel(x) / improvement_kernel(x);
  return select(less(x, splat(x, -1e8)), -x, select(less(splat(x, 0), x), right, left));
}

/// The inverse of erf: seven digits by polynomials, then one step of Halley's method, which triples them.
template <class V>
V erfinv_kernel(V x) {
  static constexpr double central[] = {0x1.c5bf846c3d9b9p-1,   0x1.db2c595b935e9p-3,   0x1.79aa5309ba3b9p-7,
                                       -0x1.2bbbb31dff376p-9,  -0x1.716ebdc2f1d3ep-13, 0x1.306a26902c17cp-14,
                                       -0x1.70456180167e2p-18, -0x1.d7fea92bad166p-24, 0x1.845e243b9d6c4p-26};
  static constexpr double outer[] = {-0x1.283b1e23d379fp+2, 0x1.33146217a088ep+4,   -0x1.d5d5eccb6e6afp+4,
                                     0x1.aadc52478c461p+4,  -0x1.f487fe220a8c4p+3,  0x1.94a921f136199p+2,
                                     -0x1.d22ce67936f2bp+0, 0x1.8359f3a8d2628p-2,   -0x1.ce38bb250938ap-5,
                                     0x1.8312af8eda598p-8,  -0x1.b0834ba0a5676p-12, 0x1.21d61c67054a5p-16,
                                     -0x1.60ab7511e168ap-22};
  const V one = splat(x, 1), size = absolute(x), rest = one - size;
  const V w = -log_kernel(rest * (one + size)), root = square_root(w);
  const V factor = select(less(w, splat(x, 5)), polynomial(w, central), polynomial(root, outer));
  const V y = size * factor;
  // What is missing: erf(y) - size, beyond the middle as the difference of the complements.
  const V density = splat(x, 2 * reciprocal_root_pi) * exp_of_square(y, -1);
  const V missing = select(less(size, splat(x, 0.5)), erf_kernel(y) - size, rest - erfc_positive(y));
  const V newton = missing / density;
  const V better = y - newton / fma(y, newton, one);
  const V inside = select(equal(size, one), splat(x, infinity), better);
  constexpr std::uint64_t sign = std::uint64_t{1} << 63;
  const V value = from_bits(to_bits(inside) | (to_bits(x) & splat_bits(x, sign)));
  const V no_value = splat(x, std::numeric_limits<double>::quiet_NaN());
  return select(less_equal(size, one), select(less(size, splat(x, 0x1p-60)), x * splat(x, 0x1.c5bf891b4ef6bp-1), value),
                no_value);
}

}  // namespace gradus::kernels
