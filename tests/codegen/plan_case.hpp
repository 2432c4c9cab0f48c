// Planned programs against the reference: build a model by hand, run the interpreter, compare.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "codegen/backend.hpp"
#include "codegen/interpret.hpp"
#include "codegen/plan.hpp"
#include "symbolic/interpret.hpp"
#include "tests/close.hpp"

namespace gradus::testing {

/// A model under construction.
struct PlanCase {
  Model model;
  Graph& g = model.graph;

  Size size(const std::string& name) {
    if (std::find(model.size_names.begin(), model.size_names.end(), name) == model.size_names.end())
      model.size_names.push_back(name);
    return g.sizes().symbol(name);
  }
  Expr input(const std::string& name, std::vector<Size> shape, Input::Role role = Input::Role::param,
             std::optional<Size> bound = {}) {
    Input i;
    i.role = role;
    i.name = i.key = name;
    i.shape = shape;
    i.index_bound = bound;
    i.expr = g.input(static_cast<std::uint32_t>(model.inputs.size()), shape);
    if (bound) g.set_index_bound(i.expr, *bound);
    model.inputs.push_back(i);
    return i.expr;
  }
  Expr data(const std::string& name, std::vector<Size> shape) {
    return input(name, std::move(shape), Input::Role::data);
  }
  Operand at(Expr e, const std::vector<Label>& labels) {
    Operand o{e, {}};
    for (const Label l : labels) o.subscripts.push_back(g.label(l));
    return o;
  }
};

using SizeValues = std::map<std::string, std::int64_t>;

/// Values for all inputs: normal numbers, positive where asked for; index data below their bound.
inline Bindings random_bindings(const Model& model, const SizeValues& sizes, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Bindings b;
  b.sizes = sizes;
  for (std::uint32_t k = 0; k < model.inputs.size(); ++k) {
    const Input& i = model.inputs[k];
    Array a;
    std::int64_t count = 1;
    for (const Size s : i.shape) {
      a.shape.push_back(*model.graph.sizes().evaluate(s, sizes));
      count *= a.shape.back();
    }
    for (std::int64_t c = 0; c < count; ++c) {
      if (i.index_bound) {
        const auto bound = *model.graph.sizes().evaluate(*i.index_bound, sizes);
        a.values.push_back(
            static_cast<double>(random() % static_cast<std::uint32_t>(std::max<std::int64_t>(1, bound))));
      } else {
        a.values.push_back(i.positive ? std::exp(normal(random)) : normal(random));
      }
    }
    b.inputs[k] = std::move(a);
  }
  return b;
}

struct Ran {
  loops::Result result;
  std::vector<Array> outputs;
};

/// Runs compiled phases, blocks in descending order: their order must not matter.
inline loops::Result run_phases(const loops::Program& program, const Executable& executable,
                                const loops::Arguments& a) {
  loops::Memory memory;
  REQUIRE(loops::memory_needed(program, a.sizes, memory));
  const auto aligned = [](std::vector<double>& store, std::int64_t bytes) {
    store.assign(static_cast<std::size_t>(bytes / 8) + 16, std::nan(""));
    void* start = store.data();
    std::size_t space = store.size() * sizeof(double);
    return std::align(64, static_cast<std::size_t>(bytes), start, space);
  };
  std::vector<double> workspace_store, scratch_store;
  void* const workspace = aligned(workspace_store, memory.workspace);
  void* const scratch = aligned(scratch_store, memory.scratch);
  for (std::size_t phase = 0; phase < program.phases.size(); ++phase)
    for (std::int64_t block = executable.block_count(phase, a.sizes.data()); block-- > 0;) {
      const loops::Result r =
          executable.run(phase, block, a.sizes.data(), a.inputs.data(), a.outputs.data(), workspace, scratch);
      if (r.code != loops::Code::ok) return r;
    }
  return {};
}

/// Runs a program by the interpreter, or compiled; outputs start as -7.
inline Ran run_program(const loops::Program& program, const Model& model, const std::vector<Expr>& roots,
                       const Bindings& b, const Executable* executable = nullptr) {
  Ran ran;
  loops::Arguments arguments;
  for (const auto& name : program.size_names) arguments.sizes.push_back(b.sizes.at(name));
  std::vector<std::vector<std::int64_t>> integers(model.inputs.size());
  for (std::uint32_t k = 0; k < model.inputs.size(); ++k) {
    const auto found = b.inputs.find(k);
    if (found == b.inputs.end()) {
      arguments.inputs.push_back(nullptr);
    } else if (model.inputs[k].index_bound) {
      for (const double x : found->second.values) integers[k].push_back(static_cast<std::int64_t>(x));
      arguments.inputs.push_back(integers[k].data());
    } else {
      arguments.inputs.push_back(found->second.values.data());
    }
  }
  for (const Expr r : roots) {
    Array a;
    std::int64_t count = 1;
    for (const Size s : model.graph.shape(r)) {
      a.shape.push_back(std::max<std::int64_t>(0, *model.graph.sizes().evaluate(s, b.sizes)));
      count *= a.shape.back();
    }
    a.values.assign(static_cast<std::size_t>(count), -7.0);
    ran.outputs.push_back(std::move(a));
  }
  for (auto& a : ran.outputs) arguments.outputs.push_back(a.values.data());
  ran.result =
      executable != nullptr ? run_phases(program, *executable, arguments) : loops::interpret(program, arguments);
  return ran;
}

/// How far apart two arrays are, relative to the largest magnitude of the second, but at least `least`. NaN and
/// infinities must agree.
inline double distance(const Array& a, const Array& b, double least = 1e-300) {
  if (a.values.size() != b.values.size()) return INFINITY;
  double scale = least, worst = 0;
  for (const double x : b.values)
    if (std::isfinite(x)) scale = std::max(scale, std::fabs(x));
  for (std::size_t k = 0; k < a.values.size(); ++k) {
    const double x = a.values[k], y = b.values[k];
    if (!std::isfinite(y) || !std::isfinite(x)) {
      if (!close_relative(x, y, 0)) return INFINITY;
      continue;
    }
    if (x != y) worst = std::max(worst, std::fabs(x - y) / scale);
  }
  return worst;
}

/// Plans the roots and compares them with the reference at these sizes.
inline void check_plan(Model& model, const std::vector<Expr>& roots, const std::vector<SizeValues>& sizes,
                       double tolerance = 1e-12, double least = 1e-300) {
  const loops::Program program = plan(model, roots);
  REQUIRE(loops::check(program) == "");
  std::uint32_t seed = 1;
  for (const auto& s : sizes) {
    std::string text;
    for (const auto& [name, value] : s) text += name + "=" + std::to_string(value) + " ";
    CAPTURE(text);
    const Bindings b = random_bindings(model, s, seed++);
    const Ran ran = run_program(program, model, roots, b);
    REQUIRE(ran.result.code == loops::Code::ok);
    const auto expected = evaluate_reference(model.graph, roots, b, 128);
    for (std::size_t k = 0; k < roots.size(); ++k) {
      CAPTURE(k);
      CHECK(ran.outputs[k].shape == expected[k].shape);
      CHECK(distance(ran.outputs[k], expected[k], least) <= tolerance);
    }
  }
}

}  // namespace gradus::testing
