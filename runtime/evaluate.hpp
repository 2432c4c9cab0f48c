// Running a planned program on bound inputs: compiled where the back end can be opened, interpreted otherwise.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "codegen/backend.hpp"
#include "codegen/loops.hpp"
#include "frontend/diagnostic.hpp"
#include "runtime/thread_pool.hpp"
#include "symbolic/array.hpp"
#include "symbolic/model.hpp"

namespace gradus {

/// A program with its native code, or with the interpreter where there is no native code (`note` says why).
struct Compiled {
  loops::Program program;
  std::unique_ptr<Executable> executable;  // null: interpret
  std::string note;
  double seconds = 0;  // that planning and compiling took
};

/// Plans and compiles the roots. The model must stay where it is while the result lives.
Compiled compile(Model& model, const std::vector<Expr>& roots, const std::vector<Expr>& checks,
                 const TargetOptions& target = {});

/// The memory of calls of one program on one set of inputs; `run` may be called again and again.
class Call {
 public:
  /// Prepares inputs and outputs. `good()` is false after an error (sizes that do not fit, too little memory).
  Call(const Compiled& compiled, const Model& model, const std::vector<Expr>& roots, const Bindings& bindings,
       unsigned threads, Diagnostics& diagnostics);

  bool good() const { return good_; }
  /// Runs all phases; the bits of the outputs do not depend on the number of threads.
  loops::Result run(ThreadPool& pool);
  std::vector<Array>& outputs() { return outputs_; }
  /// Bytes of the inputs that the program reads.
  std::int64_t input_bytes() const { return input_bytes_; }

 private:
  bool make_outputs(const Model& model, const std::vector<Expr>& roots, const Bindings& bindings,
                    Diagnostics& diagnostics);
  void make_inputs(const Model& model, const Bindings& bindings);
  bool make_memory(unsigned threads, Diagnostics& diagnostics);
  loops::Result run_compiled(ThreadPool& pool);

  /// Memory aligned to a cache line.
  struct Free {
    void operator()(char* memory) const;
  };
  using Memory = std::unique_ptr<char, Free>;
  static Memory allocate(std::int64_t bytes);

  const Compiled& compiled_;
  std::vector<std::int64_t> sizes_;
  std::vector<const void*> inputs_;
  std::vector<std::vector<std::int64_t>> integers_;  // index data
  std::vector<Array> outputs_;
  std::vector<double*> output_pointers_;
  Memory workspace_;
  std::vector<Memory> scratch_;
  std::int64_t input_bytes_ = 0;
  bool good_ = true;
};

/// Compiles the roots, runs them and returns their values. A failed run is reported by the check that failed. Notes
/// go to `notes` (one a line). What would take longer than `most_seconds` by a low estimate is refused.
std::optional<std::vector<Array>> evaluate(Model& model, const std::vector<Expr>& roots,
                                           const std::vector<Expr>& checks, const Bindings& bindings, ThreadPool& pool,
                                           Diagnostics& diagnostics, std::string& notes, double most_seconds = 600);

/// The elements that a node's loops run over at these sizes: an equality that a sum runs over leaves one element for
/// each, a running sum takes one step an element.
double steps_of(const Graph& graph, const Node& node, const std::map<std::string, std::int64_t>& sizes);

/// Reports an error where the roots would take longer than `most_seconds` by a low estimate; `slowness` multiplies it
/// for what is slower than native code. Whether they would not. For native code the roots are those the planner
/// expanded.
bool is_quick_enough(const Model& model, const std::vector<Expr>& roots, const Bindings& bindings, double most_seconds,
                     double slowness, Diagnostics& diagnostics);

/// Reports why a run with these values ended with a code: what the program checked, in the user's terms, and where it
/// can be found in moderate time the element that failed.
void report_failure(const Model& model, loops::Result result, const Bindings& bindings, Diagnostics& diagnostics);

}  // namespace gradus
