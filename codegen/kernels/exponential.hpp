// Kernels of the exponential family, written once for a double and for values of the IR builder.
#pragma once

#include <cmath>

#include "codegen/kernels/scalar.hpp"

namespace gradus::kernels {

template <class V>
V exp_kernel(V x) {
  return std::exp(x);
}
template <class V>
V expm1_kernel(V x) {
  return std::expm1(x);
}
template <class V>
V log_kernel(V x) {
  return std::log(x);
}
template <class V>
V log1p_kernel(V x) {
  return std::log1p(x);
}
template <class V>
V tanh_kernel(V x) {
  return std::tanh(x);
}
template <class V>
V sigmoid_kernel(V x) {
  return 1 / (1 + std::exp(-x));
}
template <class V>
V softplus_kernel(V x) {
  return (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(x)));
}

}  // namespace gradus::kernels
