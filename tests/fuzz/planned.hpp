// What the targets of code share: the planned program of a text's losses and gradients, and running it.
#pragma once

#include <algorithm>
#include <memory>

#include "codegen/backend.hpp"
#include "codegen/interpret.hpp"
#include "codegen/plan.hpp"
#include "symbolic/derive.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/fuzz/values.hpp"

namespace gradus::fuzz {

/// Losses, outputs and gradients of a text, with inputs at which its checks hold.
struct Planned {
  Model model;
  std::vector<Expr> roots;
  Bindings bindings;
  loops::Program program;
  std::vector<std::int64_t> sizes;  // of program.size_names
  loops::Memory memory;
};

/// Plans a text for sizes of 2 to `largest_size`. Nothing when it has errors, no loss, or is too much work for a
/// fuzzer.
inline std::unique_ptr<Planned> planned(const std::string& text, std::uint32_t largest_size) {
  constexpr std::size_t longest = 600;
  constexpr std::size_t most_nodes = 2000;
  if (text.size() > longest) return nullptr;
  std::optional<Model> model = checked(text);
  if (!model || model->graph.node_count() > most_nodes) return nullptr;
  auto out = std::make_unique<Planned>();
  out->model = std::move(*model);
  const Derived derived = derive(out->model);
  for (const auto* list : {&derived.losses, &derived.outputs})
    for (const auto& v : *list) {
      out->roots.push_back(v.value);
      for (const auto& d : v.derivatives) out->roots.push_back(d.expr);
    }
  if (out->roots.empty()) return nullptr;
  auto bindings = small_inputs(out->model, out->roots, largest_size);
  if (!bindings) return nullptr;
  out->bindings = std::move(*bindings);
  out->program = plan(out->model, out->roots, derived.checks);
  const std::string illegal = loops::check(out->program);
  require(illegal.empty(), "an illegal program: " + illegal, text);
  for (const auto& name : out->program.size_names) {
    if (!out->bindings.sizes.contains(name)) return nullptr;
    out->sizes.push_back(out->bindings.sizes.at(name));
  }
  constexpr std::int64_t most_bytes = std::int64_t{1} << 24;
  const bool fits = loops::memory_needed(out->program, out->sizes, out->memory);
  return fits && out->memory.workspace <= most_bytes ? std::move(out) : nullptr;
}

/// The roots' values from this code. Nothing may be written behind an output, the workspace or the scratch memory.
inline std::vector<Array> run(const Executable& code, const Planned& planned, const std::string& text) {
  constexpr double canary = -7.25;
  constexpr std::size_t behind = 16;  // two vectors
  const auto doubles = [](std::int64_t bytes) { return static_cast<std::size_t>(bytes + 7) / 8; };
  const auto is_canary = [](double x) { return x == canary; };
  std::vector<const void*> inputs;
  std::vector<std::vector<std::int64_t>> integers(planned.model.inputs.size());
  for (std::uint32_t k = 0; k < planned.model.inputs.size(); ++k) {
    const std::vector<double>& values = planned.bindings.inputs.at(k).values;
    integers[k].assign(values.begin(), values.end());
    const bool index = planned.model.inputs[k].index_bound.has_value();
    inputs.push_back(index ? static_cast<const void*>(integers[k].data()) : values.data());
  }
  std::vector<Array> out;
  std::vector<std::size_t> counts;
  for (const Expr r : planned.roots) {
    Array a;
    std::int64_t count = 1;
    for (const Size s : planned.model.graph.shape(r)) {
      a.shape.push_back(std::max<std::int64_t>(0, *planned.model.graph.sizes().evaluate(s, planned.bindings.sizes)));
      count *= a.shape.back();
    }
    counts.push_back(static_cast<std::size_t>(count));
    a.values.assign(counts.back() + behind, canary);
    out.push_back(std::move(a));
  }
  std::vector<double*> outputs;
  for (auto& a : out) outputs.push_back(a.values.data());
  std::vector<double> workspace(doubles(planned.memory.workspace) + behind, canary);
  std::vector<double> scratch(doubles(planned.memory.scratch) + behind, canary);
  for (std::size_t p = 0; p < planned.program.phases.size(); ++p)
    for (std::int64_t b = 0; b < code.block_count(p, planned.sizes.data()); ++b) {
      const loops::Result r =
          code.run(p, b, planned.sizes.data(), inputs.data(), outputs.data(), workspace.data(), scratch.data());
      require(r.code == loops::Code::ok, "the checks hold, but the program does not end well", text);
    }
  require(std::all_of(workspace.end() - behind, workspace.end(), is_canary), "a store behind the workspace", text);
  require(std::all_of(scratch.end() - behind, scratch.end(), is_canary), "a store behind the scratch memory", text);
  for (std::size_t k = 0; k < out.size(); ++k) {
    auto& values = out[k].values;
    require(std::all_of(values.end() - behind, values.end(), is_canary), "a store behind an output", text);
    values.resize(counts[k]);
  }
  return out;
}

}  // namespace gradus::fuzz
