// The loop form as C99: for reading, and for compiling where a formula's loops are to be looked at with other tools.
#pragma once

#include <string>

#include "codegen/loops.hpp"

namespace gradus::loops {

/// One C function for each phase, `int NAME_phase0(int64_t block, const int64_t *sizes, const void *const *inputs,
/// double *const *outputs, char *workspace, char *scratch, int64_t *detail)`, and `int64_t NAME_count0(sizes)` where it
/// is blocked. A vector is an array of 8; functions are those of libm and a few written before. Compiled without
/// contraction it gives the interpreter's bits, except for functions that have kernels of ours.
std::string print_c(const Program& program, const std::string& name);

}  // namespace gradus::loops
