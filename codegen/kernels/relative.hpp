// A function over its argument, and other quotients with a limit at 0 that libm's functions have.
#pragma once

#include <cstddef>
#include <numbers>

#include "codegen/kernels/error_functions.hpp"
#include "codegen/kernels/forms.hpp"
#include "codegen/kernels/removable.hpp"

namespace gradus::kernels {

// f(x)/x of an odd function f with the limit at 0.
template <class V>
V over_argument(V x, V f, double limit) {
  return select(less(absolute(x), splat(x, 1e-9)), splat(x, limit), f / x);
}

// Its first derivative (f'(x) - f(x)/x)/x, by the series of f near 0.
template <class V, std::size_t n>
V over_argument_slope(V x, V slope, V ratio, const double (&c)[n]) {
  return select(less(absolute(x), splat(x, 0.35)), x * polynomial(x * x, c), (slope - ratio) / x);
}

// The first derivative of atan(x)/x.
template <class V>
V atanc_slope(V x) {
  constexpr double c[] = {-0.6666666666666666, 0.8,
                          -0.8571428571428571, 0.8888888888888888,
                          -0.9090909090909091, 0.9230769230769231,
                          -0.9333333333333333, 0.9411764705882353,
                          -0.9473684210526315, 0.9523809523809523,
                          -0.9565217391304348, 0.96,
                          -0.9629629629629629, 0.9655172413793104,
                          -0.967741935483871,  0.9696969696969697,
                          -0.9714285714285714, 0.972972972972973,
                          -0.9743589743589743};
  const V one = splat(x, 1);
  return over_argument_slope(x, one / (one + x * x), over_argument(x, libm(Libm::atan, x, x), 1), c);
}

// The first derivative of asin(x)/x.
template <class V>
V asinc_slope(V x) {
  constexpr double c[] = {0.3333333333333333,  0.3,
                          0.26785714285714285, 0.24305555555555555,
                          0.2237215909090909,  0.20823317307692307,
                          0.1955078125,        0.18482881433823528,
                          0.17570897152549342, 0.1678067161923363,
                          0.1608755692191746,  0.15473304748535155,
                          0.14924097944189002, 0.1442926711049573,
                          0.13980430460745288, 0.13570902699773962,
                          0.13195279500048077, 0.12849139417773364,
                          0.12528826113199243};
  const V one = splat(x, 1);
  return over_argument_slope(x, one / square_root((one - x) * (one + x)), over_argument(x, libm(Libm::asin, x, x), 1),
                             c);
}

// The first derivative of asinh(x)/x.
template <class V>
V asinhc_slope(V x) {
  constexpr double c[] = {-0.3333333333333333,  0.3,
                          -0.26785714285714285, 0.24305555555555555,
                          -0.2237215909090909,  0.20823317307692307,
                          -0.1955078125,        0.18482881433823528,
                          -0.17570897152549342, 0.1678067161923363,
                          -0.1608755692191746,  0.15473304748535155,
                          -0.14924097944189002, 0.1442926711049573,
                          -0.13980430460745288, 0.13570902699773962,
                          -0.13195279500048077, 0.12849139417773364,
                          -0.12528826113199243};
  const V one = splat(x, 1);
  return over_argument_slope(x, one / libm(Libm::hypot, x, one), over_argument(x, libm(Libm::asinh, x, x), 1), c);
}

// The first derivative of erf(x)/x.
template <class V>
V erf_rel_slope(V x) {
  constexpr double c[] = {-0.7522527780636751,     0.45135166683820505,    -0.16119702387078752,
                          0.0417918210035375,      -0.008548327023450852,  0.0014466399578147598,
                          -0.00020895910501768752, 2.6339382985422798e-05, -2.9458520444222863e-06,
                          2.961438563175843e-07,   -2.703922166377944e-08, 2.2614621755160987e-09,
                          -1.7449553823426687e-10, 1.2497027937202137e-11};
  const V slope = exp_kernel(-(x * x)) * splat(x, 2 * std::numbers::inv_sqrtpi);
  return over_argument_slope(x, slope, over_argument(x, erf_kernel(x), 2 * std::numbers::inv_sqrtpi), c);
}

// The first derivative of atanh(x)/x.
template <class V>
V atanhc_slope(V x) {
  constexpr double c[] = {0.6666666666666666, 0.8,
                          0.8571428571428571, 0.8888888888888888,
                          0.9090909090909091, 0.9230769230769231,
                          0.9333333333333333, 0.9411764705882353,
                          0.9473684210526315, 0.9523809523809523,
                          0.9565217391304348, 0.96,
                          0.9629629629629629, 0.9655172413793104,
                          0.967741935483871,  0.9696969696969697,
                          0.9714285714285714, 0.972972972972973,
                          0.9743589743589743};
  const V one = splat(x, 1);
  return over_argument_slope(x, one / ((one - x) * (one + x)), over_argument(x, libm(Libm::atanh, x, x), 1), c);
}

// f(x) - x of an odd function f with slope 1 at 0, by its series there.
template <class V, std::size_t n>
V minus_argument(V x, V f, const double (&c)[n]) {
  const V square = x * x;
  return select(less(absolute(x), splat(x, 0.4)), x * square * polynomial(square, c), f - x);
}

// tan(x) - x.
template <class V>
V tan_minus_x(V x) {
  constexpr double c[] = {0.3333333333333333,    0.13333333333333333,    0.05396825396825397,
                          0.021869488536155203,  0.008863235529902197,   0.003592128036572481,
                          0.0014558343870513183, 0.000590027440945586,   0.00023912911424355248,
                          9.691537956929451e-05, 3.927832388331683e-05,  1.5918905069328964e-05,
                          6.451689215655431e-06, 2.6147711512907546e-06, 1.0597268320104654e-06,
                          4.294911078273806e-07, 1.7406618963571648e-07};
  return minus_argument(x, libm(Libm::tan, x, x), c);
}

// tanh(x) - x.
template <class V>
V tanh_minus_x(V x) {
  constexpr double c[] = {-0.3333333333333333,    0.13333333333333333,    -0.05396825396825397,
                          0.021869488536155203,   -0.008863235529902197,  0.003592128036572481,
                          -0.0014558343870513183, 0.000590027440945586,   -0.00023912911424355248,
                          9.691537956929451e-05,  -3.927832388331683e-05, 1.5918905069328964e-05,
                          -6.451689215655431e-06, 2.6147711512907546e-06, -1.0597268320104654e-06,
                          4.294911078273806e-07,  -1.7406618963571648e-07};
  return minus_argument(x, tanh_kernel(x), c);
}

// atan(x) - x.
template <class V>
V atan_minus_x(V x) {
  constexpr double c[] = {-0.3333333333333333,   0.2,
                          -0.14285714285714285,  0.1111111111111111,
                          -0.09090909090909091,  0.07692307692307693,
                          -0.06666666666666667,  0.058823529411764705,
                          -0.05263157894736842,  0.047619047619047616,
                          -0.043478260869565216, 0.04,
                          -0.037037037037037035, 0.034482758620689655,
                          -0.03225806451612903,  0.030303030303030304,
                          -0.02857142857142857,  0.02702702702702703,
                          -0.02564102564102564};
  return minus_argument(x, libm(Libm::atan, x, x), c);
}

// asin(x) - x.
template <class V>
V asin_minus_x(V x) {
  constexpr double c[] = {0.16666666666666666,   0.075,
                          0.044642857142857144,  0.030381944444444444,
                          0.022372159090909092,  0.017352764423076924,
                          0.01396484375,         0.011551800896139705,
                          0.009761609529194078,  0.008390335809616815,
                          0.0073125258735988454, 0.006447210311889649,
                          0.005740037670841924,  0.005153309682319905,
                          0.004660143486915096,  0.004240907093679363,
                          0.003880964558837669,  0.0035692053938259347,
                          0.003297059503473485};
  return minus_argument(x, libm(Libm::asin, x, x), c);
}

// asinh(x) - x.
template <class V>
V asinh_minus_x(V x) {
  constexpr double c[] = {-0.16666666666666666,   0.075,
                          -0.044642857142857144,  0.030381944444444444,
                          -0.022372159090909092,  0.017352764423076924,
                          -0.01396484375,         0.011551800896139705,
                          -0.009761609529194078,  0.008390335809616815,
                          -0.0073125258735988454, 0.006447210311889649,
                          -0.005740037670841924,  0.005153309682319905,
                          -0.004660143486915096,  0.004240907093679363,
                          -0.003880964558837669,  0.0035692053938259347,
                          -0.003297059503473485};
  return minus_argument(x, libm(Libm::asinh, x, x), c);
}

// atanh(x) - x.
template <class V>
V atanh_minus_x(V x) {
  constexpr double c[] = {0.3333333333333333,   0.2,
                          0.14285714285714285,  0.1111111111111111,
                          0.09090909090909091,  0.07692307692307693,
                          0.06666666666666667,  0.058823529411764705,
                          0.05263157894736842,  0.047619047619047616,
                          0.043478260869565216, 0.04,
                          0.037037037037037035, 0.034482758620689655,
                          0.03225806451612903,  0.030303030303030304,
                          0.02857142857142857,  0.02702702702702703,
                          0.02564102564102564};
  return minus_argument(x, libm(Libm::atanh, x, x), c);
}

// sinh(x) - x.
template <class V>
V sinh_minus_x(V x) {
  constexpr double c[] = {0.16666666666666666,    0.008333333333333333,   0.0001984126984126984,
                          2.7557319223985893e-06, 2.505210838544172e-08,  1.6059043836821613e-10,
                          7.647163731819816e-13,  2.8114572543455206e-15, 8.22063524662433e-18};
  return minus_argument(x, libm(Libm::sinh, x, x), c);
}

// (log(1 + x) - x)/x^2.
template <class V>
V log1p_minus_x_rel(V x) {
  const V tiny = fma(x, splat(x, 1.0 / 3), splat(x, -0.5));
  return select(less(absolute(x), splat(x, 1e-9)), tiny, log1p_minus_x(x) / x / x);
}

// Its first derivative.
template <class V>
V log1p_minus_x_rel_slope(V x) {
  constexpr double c[] = {0.3333333333333333,
                          -0.5,
                          0.6,
                          -0.6666666666666666,
                          0.7142857142857143,
                          -0.75,
                          0.7777777777777778,
                          -0.8,
                          0.8181818181818182,
                          -0.8333333333333334,
                          0.8461538461538461,
                          -0.8571428571428571,
                          0.8666666666666667,
                          -0.875,
                          0.8823529411764706,
                          -0.8888888888888888,
                          0.8947368421052632,
                          -0.9,
                          0.9047619047619048,
                          -0.9090909090909091,
                          0.9130434782608695,
                          -0.9166666666666666,
                          0.92,
                          -0.9230769230769231,
                          0.9259259259259259};
  const V one = splat(x, 1), far = -(one / (one + x) + log1p_minus_x_rel(x) * splat(x, 2)) / x;
  return select(less(absolute(x), splat(x, 0.2)), polynomial(x, c), far);
}

// 1 - x/(exp(x) - 1).
template <class V>
V bernoulli_gap(V x) {
  return select(near_zero(x), x * exprel2(x) / exprel(x), splat(x, 1) - bernoulli(x));
}

}  // namespace gradus::kernels
