// The border to the library that links LLVM: loop form in, native code or object bytes out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/interpret.hpp"
#include "codegen/loops.hpp"

namespace gradus {

/// One parameter of a C function of a built formula, in order.
struct CParameter {
  enum class Kind : std::uint8_t { size, scalar, array, index_array, index_scalar, output, workspace };
  Kind kind = Kind::size;
  std::string name;
  std::uint32_t number = 0;  // size: position in size_names; input: Model input number; output: output number
};

/// A C function to emit for a program: `int NAME(parameters…)`; with `workspace_name` also
/// `size_t WORKSPACE_NAME(SIZES)`.
struct CFunction {
  std::string name;
  const loops::Program* program = nullptr;
  std::vector<CParameter> parameters;
};

struct TargetOptions {
  std::string triple;          // empty: the host
  std::string cpu = "native";  // or x86-64-v2, -v3, -v4, LLVM's names
};

enum class EmitKind : std::uint8_t { object, assembly, llvm };

/// Compiled phases of one program, ready to call from any thread.
class Executable {
 public:
  virtual ~Executable() = default;
  /// Number of blocks of a phase for these sizes (1 for a serial phase).
  virtual std::int64_t block_count(std::size_t phase, const std::int64_t* sizes) const = 0;
  /// Runs one block of a phase. `scratch` belongs to the calling thread.
  virtual loops::Result run(std::size_t phase, std::int64_t block, const std::int64_t* sizes, const void* const* inputs,
                            double* const* outputs, void* workspace, void* scratch) const = 0;
};

/// What the LLVM library offers; created by `open_backend`.
class Backend {
 public:
  virtual ~Backend() = default;
  /// Why nothing can be compiled for a target: an unknown name, a processor that is none of it. Empty: it can.
  virtual std::string target_problem(const TargetOptions& target) = 0;
  /// Compiles for this machine, in memory. On failure the result is null and `error` says why.
  virtual std::unique_ptr<Executable> compile(const loops::Program& program, const TargetOptions& target,
                                              std::string& error) = 0;
  /// Emits one module with the C functions; empty bytes and `error` on failure. A second `size_t NAME_workspace(SIZES)`
  /// covers the largest need of all functions.
  virtual std::string emit(const std::string& name, const std::vector<CFunction>& functions, EmitKind kind,
                           const TargetOptions& target, std::string& error) = 0;
};

/// What the program and the library that links LLVM must agree on: the functions in their order, and the number
/// `form`, raised when the loop form or this header changes.
inline constexpr int backend_version = [] {
  constexpr std::uint32_t form = 2;
  constexpr std::string_view functions =
#define GRADUS_FUNCTION(id, ...) #id " "
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
      "";
  std::uint32_t hash = 2166136261U + form;
  for (const char c : functions) hash = (hash ^ static_cast<std::uint32_t>(c)) * 16777619U;
  return static_cast<int>(hash >> 1U);
}();

/// Opens libgradus_llvm beside the program (or in the usual library places) on first use. Null and `error` when it
/// cannot be opened, or belongs to another version of Gradus.
Backend* open_backend(std::string& error);

/// The phases interpreted: slow, but everywhere possible. The program must outlive the result.
std::unique_ptr<Executable> interpreted(const loops::Program& program);

}  // namespace gradus
