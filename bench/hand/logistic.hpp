// Logistic loss and gradient in one pass, written by hand: what generated code is measured against.
#pragma once

#include <cstdint>

namespace gradus::bench {

/// Sum (not mean) of softplus(z) - y*z over the rows, z = X@w + b, and its gradient.
double hand_logistic(const double* x, const double* y, const double* w, double b, double* grad_w, double* grad_b,
                     std::int64_t n, std::int64_t d);

/// Reads all of x once; the fastest pass over it there is.
double pure_read(const double* x, std::int64_t count);

}  // namespace gradus::bench
