// The loop form of logistic loss and gradient, written by hand: what the planner should come to.
#pragma once

#include <memory>

#include "codegen/loops.hpp"

namespace gradus::bench {

/// Choices that do not change the bits, apart from `block_rows`.
struct Shape {
  std::int64_t block_rows = 8192;
  int rows = 4;                  // rows interleaved in the dot products
  int columns = 4;               // vectors of the gradient held in registers
  int unroll = 1;                // vectors of a row taken at once in the dot products
  std::int64_t prefetch = 2048;  // bytes of the next tile asked for before the elementwise phase
};

/// mean(softplus(X@w + b) - y*(X@w + b)) and its gradient by w, b: inputs X[n,d], y[n], w[d], b; outputs loss, grad_w,
/// grad_b.
struct Logistic {
  Sizes sizes;
  loops::Program program;
};
std::unique_ptr<Logistic> logistic_form(const Shape& shape);

}  // namespace gradus::bench
