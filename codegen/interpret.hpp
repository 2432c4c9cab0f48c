// The loop form interpreter: runs a Program in double precision, bit for bit as compiled code does.
#pragma once

#include <cstdint>
#include <vector>

#include "codegen/loops.hpp"

namespace gradus::loops {

/// Memory of a call. Pointers to doubles or int64 by Buffer::number; an output may be null.
struct Arguments {
  std::vector<std::int64_t> sizes;  // in the order of Program::size_names
  std::vector<const void*> inputs;  // by number in Model::inputs; scalars are pointed to as well
  std::vector<double*> outputs;
};

struct Result {
  Code code = Code::ok;
  std::int64_t detail = 0;
};

/// Runs the program; allocates the workspace itself.
Result interpret(const Program& program, const Arguments& arguments);

/// Runs phases block by block with memory of the caller, in the manner of compiled code.
class Interpreter {
 public:
  /// The program must outlive it.
  explicit Interpreter(const Program& program);
  std::int64_t block_count(std::size_t phase, const std::int64_t* sizes) const;
  Result run(std::size_t phase, std::int64_t block, const std::int64_t* sizes, const void* const* inputs,
             double* const* outputs, void* workspace, void* scratch) const;

 private:
  const Program& program_;
};

/// Bytes of all workspace buffers, each rounded up to 64 bytes, for these sizes; then of scratch for one thread.
/// Nothing when a size is negative or the total does not fit.
struct Memory {
  std::int64_t workspace = 0;
  std::int64_t scratch = 0;
};
bool memory_needed(const Program& program, const std::vector<std::int64_t>& sizes, Memory& memory);

}  // namespace gradus::loops
