// Forms with a removable singularity, and what their derivatives are made of: series near 0, quotients elsewhere.
#pragma once

#include "codegen/kernels/exponential.hpp"
#include "codegen/kernels/trigonometric.hpp"

namespace gradus::kernels {

template <class V>
auto near_zero(V x) {
  return less(absolute(x), splat(x, 1));
}

// sin(x)/x.
template <class V>
V sinc(V x) {
  return select(equal(x, splat(x, 0)), splat(x, 1), sin_kernel(x) / x);
}

// (cos(x) - sinc(x))/x, the first derivative of sinc.
template <class V>
V sinc_slope(V x) {
  constexpr double c[] = {-0.3333333333333333,     0.03333333333333333,    -0.0011904761904761906,
                          2.2045855379188714e-05,  -2.505210838544172e-07, 1.9270852604185937e-09,
                          -1.0706029224547743e-11, 4.498331606952833e-14,  -1.4797143443923793e-16};
  return select(near_zero(x), x * polynomial(x * x, c), (cos_kernel(x) - sinc(x)) / x);
}

// sin(x) - x*cos(x).
template <class V>
V sin_minus_x_cos(V x) {
  return select(near_zero(x), -(x * x * sinc_slope(x)), sin_kernel(x) - x * cos_kernel(x));
}

// sinc(x) + 2*sinc'(x)/x, minus the second derivative of sinc.
template <class V>
V sinc_bend(V x) {
  constexpr double c[] = {0.3333333333333333,     -0.1,
                          0.005952380952380952,   -0.00015432098765432098,
                          2.2546897546897547e-06, -2.1197937864604532e-08,
                          1.3917837991912066e-10, -6.74749741042925e-13,
                          2.515514385467045e-15,  -7.437717604088679e-18};
  const V far = sinc(x) + sinc_slope(x) / x * splat(x, 2);
  return select(near_zero(x), polynomial(x * x, c), far);
}

// (exp(x) - 1)/x; the quotient overflows later than the exponential.
template <class V>
V exprel(V x) {
  const V bounded = select(less(splat(x, 1500), x), splat(x, 1500), x);
  const V half = exp_kernel(bounded * splat(x, 0.5));
  const V far = select(less(splat(x, 700), x), half / bounded * half, expm1_kernel(x) / x);
  return select(equal(x, splat(x, 0)), splat(x, 1), far);
}

// exp(x)·factor for large x, where exp(x) alone may overflow.
template <class V>
V exp_times(V x, V factor) {
  const V half = exp_kernel(select(less(splat(x, 1500), x), splat(x, 1500), x) * splat(x, 0.5));
  return half * factor * half;
}

// The first derivative of exprel, ∫ t·exp(t·x) over 0..1.
template <class V>
V exprel_slope(V x) {
  constexpr double c[] = {0.5,
                          0.3333333333333333,
                          0.125,
                          0.03333333333333333,
                          0.006944444444444444,
                          0.0011904761904761906,
                          0.00017361111111111112,
                          2.2045855379188714e-05,
                          2.48015873015873e-06,
                          2.505210838544172e-07,
                          2.296443268665491e-08,
                          1.9270852604185937e-09,
                          1.4911969277048643e-10,
                          1.0706029224547743e-11,
                          7.169215998581078e-13,
                          4.498331606952833e-14,
                          2.6552651846596585e-15,
                          1.4797143443923793e-16,
                          7.809603484293113e-18};
  const V one = splat(x, 1);
  const V far = select(less(splat(x, 700), x), exp_times(x, (one - one / x) / x), (exp_kernel(x) - exprel(x)) / x);
  return select(near_zero(x), polynomial(x, c), far);
}

// exp(x) - (exp(x) - 1)/x.
template <class V>
V exprel_gap(V x) {
  return select(near_zero(x), x * exprel_slope(x), exp_kernel(x) - exprel(x));
}

// The second derivative of exprel, ∫ t²·exp(t·x) over 0..1.
template <class V>
V exprel_bend(V x) {
  constexpr double c[] = {0.3333333333333333,
                          0.25,
                          0.1,
                          0.027777777777777776,
                          0.005952380952380952,
                          0.0010416666666666667,
                          0.00015432098765432098,
                          1.984126984126984e-05,
                          2.2546897546897547e-06,
                          2.296443268665491e-07,
                          2.1197937864604532e-08,
                          1.789436313245837e-09,
                          1.3917837991912066e-10,
                          1.0036902398013508e-11,
                          6.74749741042925e-13,
                          4.2484242954554536e-14,
                          2.515514385467045e-15,
                          1.4057286271727604e-16,
                          7.437717604088679e-18};
  const V one = splat(x, 1), two = splat(x, 2);
  const V far = select(less(splat(x, 700), x), exp_times(x, (one - (two - two / x) / x) / x),
                       (exp_kernel(x) - exprel_slope(x) * two) / x);
  return select(near_zero(x), polynomial(x, c), far);
}

// x/(exp(x) - 1).
template <class V>
V bernoulli(V x) {
  const V bounded = select(less(splat(x, 800), x), splat(x, 800), x);
  const V value = select(equal(x, splat(x, 0)), splat(x, 1), bounded / expm1_kernel(bounded));
  return select(less(splat(x, 40), x), bounded * exp_kernel(-bounded), value);  // beyond the range of exp, too
}

// Its first derivative.
template <class V>
V bernoulli_slope(V x) {
  const V bounded = select(less(splat(x, 800), x), splat(x, 800), x), b = bernoulli(x);
  const V above = (splat(x, 1) - bounded) * exp_kernel(-bounded);
  const V far = select(less(splat(x, 40), x), above, (splat(x, 1) - bernoulli(-bounded)) / expm1_kernel(bounded));
  return select(near_zero(x), -(exprel_slope(x) * b * b), far);
}

// x - sin(x).
template <class V>
V x_minus_sin(V x) {
  constexpr double c[] = {0.16666666666666666,     -0.008333333333333333,   0.0001984126984126984,
                          -2.7557319223985893e-06, 2.505210838544172e-08,   -1.6059043836821613e-10,
                          7.647163731819816e-13,   -2.8114572543455206e-15, 8.22063524662433e-18};
  const V square = x * x;
  return select(near_zero(x), x * square * polynomial(square, c), x - sin_kernel(x));
}

// (x - sin(x))/x^3.
template <class V>
V x_minus_sin_rel(V x) {
  constexpr double c[] = {0.16666666666666666,     -0.008333333333333333,   0.0001984126984126984,
                          -2.7557319223985893e-06, 2.505210838544172e-08,   -1.6059043836821613e-10,
                          7.647163731819816e-13,   -2.8114572543455206e-15, 8.22063524662433e-18};
  return select(near_zero(x), polynomial(x * x, c), (splat(x, 1) - sinc(x)) / x / x);
}

// Its first derivative.
template <class V>
V x_minus_sin_rel_slope(V x) {
  constexpr double c[] = {-0.016666666666666666,  0.0007936507936507937,   -1.6534391534391536e-05,
                          2.0041686708353376e-07, -1.6059043836821615e-09, 9.17659647818378e-12,
                          -3.936040156083729e-14, 1.3153016394598927e-16,  -3.523129391410427e-19};
  const V far = ((splat(x, 1) - cos_kernel(x)) / x / x - x_minus_sin_rel(x) * splat(x, 3)) / x;
  return select(near_zero(x), x * polynomial(x * x, c), far);
}

// sinc'(x)/x.
template <class V>
V sinc_slope_rel(V x) {
  constexpr double c[] = {-0.3333333333333333,     0.03333333333333333,    -0.0011904761904761906,
                          2.2045855379188714e-05,  -2.505210838544172e-07, 1.9270852604185937e-09,
                          -1.0706029224547743e-11, 4.498331606952833e-14,  -1.4797143443923793e-16};
  return select(near_zero(x), polynomial(x * x, c), sinc_slope(x) / x);
}

// Its first derivative.
template <class V>
V sinc_slope_rel_slope(V x) {
  constexpr double c[] = {0.06666666666666667,     -0.004761904761904762,  0.00013227513227513228,
                          -2.0041686708353374e-06, 1.9270852604185938e-08, -1.284723506945729e-10,
                          6.297664249733966e-13,   -2.367542951027807e-15, 7.046258782820854e-18};
  return select(near_zero(x), x * polynomial(x * x, c), -(sinc_bend(x) + sinc_slope_rel(x)) / x);
}

// sinh(x) - x and x·cosh(x) - sinh(x) for |x| < 1, without their factors x³.
template <class V>
V sinh_minus_x_near_zero(V square) {
  constexpr double c[] = {0.16666666666666666,    0.008333333333333333,   0.0001984126984126984,
                          2.7557319223985893e-06, 2.505210838544172e-08,  1.6059043836821613e-10,
                          7.647163731819816e-13,  2.8114572543455206e-15, 8.22063524662433e-18};
  return polynomial(square, c);
}

// 1/tanh(x) - 1/x = (x·cosh(x) - sinh(x))/(x·sinh(x)).
template <class V>
V langevin(V x) {
  constexpr double c[] = {0.3333333333333333,     0.03333333333333333,   0.0011904761904761906,
                          2.2045855379188714e-05, 2.505210838544172e-07, 1.9270852604185937e-09,
                          1.0706029224547743e-11, 4.498331606952833e-14, 1.4797143443923793e-16};
  const V one = splat(x, 1), square = x * x;
  const V near = x * polynomial(square, c) / (one + square * sinh_minus_x_near_zero(square));
  return select(near_zero(x), near, one / tanh_kernel(x) - one / x);
}

// 1/x^2 - 1/sinh(x)^2 = (sinh(x) - x)·(sinh(x) + x)/(x·sinh(x))^2, its derivative.
template <class V>
V langevin_slope(V x) {
  const V one = splat(x, 1), square = x * x, rest = sinh_minus_x_near_zero(square), ratio = one + square * rest;
  const V near = rest * (ratio + one) / (ratio * ratio);
  const V s = one / libm(Libm::sinh, x, x), r = one / x;
  return select(near_zero(x), near, (r - s) * (r + s));
}

// 2·cosh(x)/sinh(x)^3 - 2/x^3, its second derivative.
template <class V>
V langevin_bend(V x) {
  constexpr double c[] = {-0.06666666666666667,    -0.01216931216931217,    -0.0010846560846560847,
                          -6.373256373256373e-05,  -2.7411227808053203e-06, -9.075653916923759e-08,
                          -2.3885840944145747e-09, -5.118481297939436e-11,  -9.104041792066054e-13,
                          -1.3656067964283193e-14, -1.7507780420884336e-16};
  const V one = splat(x, 1), two = splat(x, 2), square = x * x;
  const V ratio = one + square * sinh_minus_x_near_zero(square);
  const V near = two * x * polynomial(square, c) / (ratio * ratio * ratio);
  const V s = one / libm(Libm::sinh, x, x), r = one / x;
  return select(near_zero(x), near, two * (s * s / tanh_kernel(x) - r * r * r));
}

// log(1 + x) - x: with s = x/(2 + x), log(1 + x) is 2·artanh(s).
template <class V>
V log1p_minus_x(V x) {
  constexpr double c[] = {0.3333333333333333,   0.2,
                          0.14285714285714285,  0.1111111111111111,
                          0.09090909090909091,  0.07692307692307693,
                          0.06666666666666667,  0.058823529411764705,
                          0.05263157894736842,  0.047619047619047616,
                          0.043478260869565216, 0.04,
                          0.037037037037037035};
  const V s = x / (x + splat(x, 2)), square = s * s;
  const V near = s * (square * polynomial(square, c) * splat(x, 2) - x);
  const auto is_near = both(less(splat(x, -0.4), x), less(x, splat(x, 0.6)));
  return select(is_near, near, log1p_kernel(x) - x);
}

// (x^y - 1)/y, log(x) at y = 0.
template <class V>
V box_cox(V x, V y) {
  const V l = log_kernel(x), u = y * l;
  const V far = select(less(absolute(u), splat(x, 1)), l * exprel(u), (libm(Libm::pow, x, y) - splat(x, 1)) / y);
  return select(equal(y, splat(x, 0)), l, far);
}

// Its slope by y.
template <class V>
V box_cox_slope(V x, V y) {
  const V l = log_kernel(x), u = y * l;
  const V far = (libm(Libm::pow, x, y) * l - box_cox(x, y)) / y;
  const auto is_near = either(less(absolute(u), splat(x, 1)), equal(y, splat(x, 0)));
  return select(is_near, l * l * select(equal(y, splat(x, 0)), splat(x, 0.5), exprel_slope(u)), far);
}

}  // namespace gradus::kernels
