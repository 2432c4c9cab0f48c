// Phases run in order; the blocks of a phase go to threads in any order, because they write disjoint places.
#include "runtime/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <mutex>

#include "codegen/interpret.hpp"
#include "codegen/plan.hpp"
#include "codegen/plan/expand.hpp"
#include "codegen/plan/roles.hpp"
#include "runtime/bind.hpp"
#include "runtime/formula.hpp"

namespace gradus {

Compiled compile(Model& model, const std::vector<Expr>& roots, const std::vector<Expr>& checks,
                 const TargetOptions& target) {
  const auto begin = std::chrono::steady_clock::now();
  Compiled out;
  out.program = plan(model, roots, checks);
  std::string why;
  if (Backend* backend = open_backend(why)) out.executable = backend->compile(out.program, target, why);
  if (!out.executable) out.note = "no native code, evaluating with the slow interpreter: " + why;
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return out;
}

void Call::Free::operator()(char* memory) const { std::free(memory); }

Call::Memory Call::allocate(std::int64_t bytes) {
  constexpr std::size_t line = 64;
  const std::size_t rounded = (static_cast<std::size_t>(bytes) + line) / line * line;
  return Memory(static_cast<char*>(std::aligned_alloc(line, rounded)));
}

Call::Call(const Compiled& compiled, const Model& model, const std::vector<Expr>& roots, const Bindings& bindings,
           unsigned threads, Diagnostics& diagnostics)
    : compiled_(compiled) {
  for (const std::string& name : compiled.program.size_names) sizes_.push_back(bindings.sizes.at(name));
  make_inputs(model, bindings);
  good_ = make_outputs(model, roots, bindings, diagnostics) && make_memory(threads, diagnostics);
}

void Call::make_inputs(const Model& model, const Bindings& bindings) {
  inputs_.assign(model.inputs.size(), nullptr);
  integers_.resize(model.inputs.size());
  for (const auto& [number, array] : bindings.inputs) {
    if (number >= model.inputs.size()) continue;
    if (model.inputs[number].index_bound) {
      integers_[number].reserve(array.values.size() + 1);
      for (const double value : array.values) integers_[number].push_back(static_cast<std::int64_t>(value));
      inputs_[number] = integers_[number].data();
    } else {
      inputs_[number] = array.values.data();
    }
  }
  for (const loops::Buffer& buffer : compiled_.program.buffers) {
    if (buffer.scope != loops::Buffer::Scope::input) continue;
    const auto found = bindings.inputs.find(buffer.number);
    if (found != bindings.inputs.end()) input_bytes_ += static_cast<std::int64_t>(8 * found->second.values.size());
  }
}

bool Call::make_outputs(const Model& model, const std::vector<Expr>& roots, const Bindings& bindings,
                        Diagnostics& diagnostics) {
  const auto available = static_cast<double>(available_memory());
  for (const Expr root : roots) {
    Array array;
    double count = 1;
    for (const Size size : model.graph.shape(root)) {
      const std::int64_t length = model.graph.sizes().evaluate(size, bindings.sizes).value_or(-1);
      if (length < 0) {
        diagnostics.error(Span::none(), fmt::format("the size {} of a result would be {}",
                                                    model.graph.sizes().to_string(size), length));
        return false;
      }
      array.shape.push_back(length);
      count *= static_cast<double>(length);
    }
    if (8 * count > available) {
      diagnostics.error(Span::none(),
                        fmt::format("a result of shape {} would take {:.3g} GB, but only {:.3g} GB of memory are free",
                                    shape_text(array.shape), 8 * count / 1e9, available / 1e9));
      return false;
    }
    array.values.assign(static_cast<std::size_t>(count), 0.0);
    outputs_.push_back(std::move(array));
  }
  for (Array& array : outputs_) output_pointers_.push_back(array.values.data());
  return true;
}

bool Call::make_memory(unsigned threads, Diagnostics& diagnostics) {
  if (!compiled_.executable) return true;  // the interpreter has memory of its own
  loops::Memory needed;
  const bool fits = loops::memory_needed(compiled_.program, sizes_, needed);
  const double bytes = static_cast<double>(needed.workspace) + static_cast<double>(needed.scratch) * threads;
  const auto available = static_cast<double>(available_memory());
  if (!fits || bytes > available) {
    diagnostics.error(
        Span::none(),
        fits ? fmt::format("intermediate values would take {:.3g} GB, but only {:.3g} GB of memory are free",
                           bytes / 1e9, available / 1e9)
             : "intermediate values would not fit into any memory");
    return false;
  }
  workspace_ = allocate(needed.workspace);
  for (unsigned t = 0; t < threads; ++t) scratch_.push_back(allocate(needed.scratch));
  return true;
}

loops::Result Call::run(ThreadPool& pool) {
  if (compiled_.executable) return run_compiled(pool);
  loops::Arguments arguments;
  arguments.sizes = sizes_;
  arguments.inputs = inputs_;
  arguments.outputs = output_pointers_;
  return loops::interpret(compiled_.program, arguments);
}

loops::Result Call::run_compiled(ThreadPool& pool) {
  const Executable& code = *compiled_.executable;
  loops::Result failure;
  std::int64_t failed_block = 0;
  std::mutex mutex;
  for (std::size_t phase = 0; phase < compiled_.program.phases.size(); ++phase) {
    pool.run(code.block_count(phase, sizes_.data()), [&](std::int64_t block, unsigned thread) {
      const loops::Result result = code.run(phase, block, sizes_.data(), inputs_.data(), output_pointers_.data(),
                                            workspace_.get(), scratch_[thread].get());
      if (result.code == loops::Code::ok) return;
      const std::lock_guard lock(mutex);  // the first block that fails counts, whoever ran it
      if (failure.code == loops::Code::ok || block < failed_block) {
        failure = result;
        failed_block = block;
      }
    });
    if (failure.code != loops::Code::ok) return failure;
  }
  return failure;
}

namespace {

/// A guess at the time that the roots take, on the low side: what no plan avoids, at the speed of one fast core.
double least_seconds(const Model& model, const std::vector<Expr>& roots, const Bindings& bindings) {
  constexpr double operation = 1e-9, multiply_add = 1e-10;
  double total = 0;
  for (const Expr e : model.graph.reachable(roots)) {
    const Node& node = model.graph[e];
    const bool product = node.kind == Kind::contraction && node.operands.size() > 1;
    total += steps_of(model.graph, node, bindings.sizes) * (product ? multiply_add : operation);
  }
  return total;
}

}  // namespace

double steps_of(const Graph& graph, const Node& node, const std::map<std::string, std::int64_t>& sizes) {
  const auto scan = planning::scan_of(graph, node);
  std::vector<double> counts;
  for (Label l = 0; l < node.labels.size(); ++l)
    if (!scan || l != scan->bound)
      counts.push_back(static_cast<double>(graph.sizes().evaluate(node.labels[l], sizes).value_or(1)));
  std::ranges::sort(counts);
  for (const Guard& guard : node.guards)
    if (guard.kind == Guard::Kind::zero && !counts.empty()) counts.pop_back();
  double steps = 1;
  for (const double count : counts) steps *= count;
  return steps;
}

bool is_quick_enough(const Model& model, const std::vector<Expr>& roots, const Bindings& bindings, double most_seconds,
                     double slowness, Diagnostics& diagnostics) {
  const double seconds = slowness * least_seconds(model, roots, bindings);
  if (seconds <= most_seconds) return true;
  diagnostics
      .error(Span::none(),
             fmt::format("the evaluation would take about {:.2g} seconds; the limit is {:g}", seconds, most_seconds))
      .help(fmt::format("give smaller sizes, or --limit {:.2g}", 2 * seconds));
  return false;
}

std::optional<std::vector<Array>> evaluate(Model& model, const std::vector<Expr>& roots,
                                           const std::vector<Expr>& checks, const Bindings& bindings, ThreadPool& pool,
                                           Diagnostics& diagnostics, std::string& notes, double most_seconds) {
  const std::vector<Expr> planned = planning::expand(model.graph, roots);
  if (!is_quick_enough(model, planned, bindings, most_seconds, 1, diagnostics)) return std::nullopt;
  const Compiled compiled = compile(model, roots, checks);
  if (!compiled.note.empty()) notes += compiled.note + "\n";
  Call call(compiled, model, roots, bindings, pool.size(), diagnostics);
  if (!call.good()) return std::nullopt;
  const loops::Result result = call.run(pool);
  if (result.code != loops::Code::ok) {
    report_failure(model, result, bindings, diagnostics);
    return std::nullopt;
  }
  return std::move(call.outputs());
}

}  // namespace gradus
