// Timing loss and gradient beside a pure read of the same arrays.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "frontend/diagnostic.hpp"
#include "symbolic/array.hpp"
#include "symbolic/derive.hpp"

namespace gradus {

struct BenchOptions {
  unsigned threads = 1;
  double seconds = 1;  // about as long as all timing takes
  double limit = 600;  // seconds: what would take longer by a low estimate is refused
};

/// Seconds are medians of single calls.
struct BenchReport {
  double loss_seconds = 0, grad_seconds = 0, read_seconds = 0, compile_seconds = 0;
  std::int64_t input_bytes = 0, rows = 0;
  double flops = 0;  // of loss and gradient, as counted on the graph
  int calls = 0;
  std::string notes;
};

/// Times the loss, loss with gradient, and a pure read of the inputs, interleaved. Nothing after an error.
std::optional<BenchReport> bench(Model& model, const DeriveOptions& derive_by, Bindings& bindings,
                                 const BenchOptions& options, Diagnostics& diagnostics);

/// Arithmetic operations to compute the roots at these sizes: one an operand and element (a function counts as one).
double count_operations(const Model& model, const std::vector<Expr>& roots,
                        const std::map<std::string, std::int64_t>& sizes);

}  // namespace gradus
