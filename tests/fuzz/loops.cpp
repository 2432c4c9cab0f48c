// Fuzz target: planned programs, run by the loop form's interpreter, give the values of the reference.
#include <algorithm>

#include "codegen/interpret.hpp"
#include "codegen/plan.hpp"
#include "symbolic/derive.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/fuzz/values.hpp"

namespace gradus::fuzz {
namespace {

constexpr std::size_t longest = 600;
constexpr std::size_t most_nodes = 2000;

/// Whether everything that is computed stays far from overflow and underflow, so that doubles can follow.
bool tame(const Graph& graph, const std::vector<Expr>& roots, const Bindings& bindings) {
  for (const Array& a : evaluate_reference(graph, graph.reachable(roots), bindings, 100))
    for (const double x : a.values)
      if (!std::isfinite(x) || std::fabs(x) > 1e60 || (x != 0 && std::fabs(x) < 1e-60)) return false;
  return true;
}

std::vector<Array> run(const loops::Program& program, const Model& model, const std::vector<Expr>& roots,
                       const Bindings& bindings, loops::Result& result) {
  loops::Arguments arguments;
  for (const auto& name : program.size_names) arguments.sizes.push_back(bindings.sizes.at(name));
  std::vector<std::vector<std::int64_t>> integers(model.inputs.size());
  for (std::uint32_t k = 0; k < model.inputs.size(); ++k) {
    const std::vector<double>& values = bindings.inputs.at(k).values;
    integers[k].assign(values.begin(), values.end());
    const bool index = model.inputs[k].index_bound.has_value();
    arguments.inputs.push_back(index ? static_cast<const void*>(integers[k].data()) : values.data());
  }
  std::vector<Array> out;
  for (const Expr r : roots) {
    Array a;
    std::int64_t count = 1;
    for (const Size s : model.graph.shape(r)) {
      a.shape.push_back(std::max<std::int64_t>(0, *model.graph.sizes().evaluate(s, bindings.sizes)));
      count *= a.shape.back();
    }
    a.values.assign(static_cast<std::size_t>(count), -7.0);
    out.push_back(std::move(a));
  }
  for (auto& a : out) arguments.outputs.push_back(a.values.data());
  result = loops::interpret(program, arguments);
  return out;
}

}  // namespace

void loops_text(const std::string& text) {
  if (text.size() > longest) return;
  std::optional<Model> model = checked(text);
  if (!model || model->graph.node_count() > most_nodes) return;
  const Derived derived = derive(*model);
  std::vector<Expr> roots;
  for (const auto* list : {&derived.losses, &derived.outputs})
    for (const auto& v : *list) {
      roots.push_back(v.value);
      for (const auto& d : v.derivatives) roots.push_back(d.expr);
    }
  if (roots.empty()) return;
  const auto bindings = small_inputs(*model, roots);
  if (!bindings) return;
  const loops::Program program = plan(*model, roots, derived.checks);
  const std::string illegal = loops::check(program);
  require(illegal.empty(), "an illegal program: " + illegal, text);
  loops::Memory memory;
  for (const auto& name : program.size_names)
    if (!bindings->sizes.contains(name)) return;
  std::vector<std::int64_t> sizes;
  for (const auto& name : program.size_names) sizes.push_back(bindings->sizes.at(name));
  if (!loops::memory_needed(program, sizes, memory) || memory.workspace > (std::int64_t{1} << 24)) return;
  loops::Result result;
  const auto got = run(program, *model, roots, *bindings, result);
  require(result.code == loops::Code::ok, "the checks hold, but the program does not end well", text);
  if (!tame(model->graph, roots, *bindings)) return;
  const auto want = evaluate_reference(model->graph, roots, *bindings);
  const auto rough = evaluate_reference(model->graph, roots, *bindings, 50);  // what rounding does to this formula
  for (std::size_t k = 0; k < roots.size(); ++k) {
    const double scale = magnitude(want[k], 1e-12);
    double noise = 0;
    for (std::size_t j = 0; j < want[k].values.size(); ++j) {
      const double off = std::fabs(want[k].values[j] - rough[k].values[j]);
      noise = std::max(noise, std::isfinite(off) ? off : INFINITY);
    }
    for (std::size_t j = 0; j < want[k].values.size(); ++j) {
      const double off = std::fabs(got[k].values[j] - want[k].values[j]);
      require(off <= 1e-8 * scale + 1e4 * noise || noise > 1e-3 * scale,
              "root " + std::to_string(k) + ", element " + std::to_string(j) + " is " +
                  std::to_string(got[k].values[j]) + ", not " + std::to_string(want[k].values[j]),
              text);
    }
  }
}

}  // namespace gradus::fuzz
