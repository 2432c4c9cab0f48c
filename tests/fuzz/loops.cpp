// Fuzz target: planned programs, run by the loop form's interpreter, give the values of the reference.
#include "tests/fuzz/planned.hpp"

namespace gradus::fuzz {
namespace {

/// Whether everything that is computed stays far from overflow and underflow, so that doubles can follow.
bool tame(const Graph& graph, const std::vector<Expr>& roots, const Bindings& bindings) {
  for (const Array& a : evaluate_reference(graph, graph.reachable(roots), bindings, 100))
    for (const double x : a.values)
      if (!std::isfinite(x) || std::fabs(x) > 1e60 || (x != 0 && std::fabs(x) < 1e-60)) return false;
  return true;
}

}  // namespace

void loops_text(const std::string& text) {
  const auto program = planned(text, 3);
  if (!program) return;
  const auto& [model, roots, bindings, code, sizes, memory] = *program;
  const auto got = run(*interpreted(code), *program, text);
  if (!tame(model.graph, roots, bindings)) return;
  const auto want = evaluate_reference(model.graph, roots, bindings);
  const auto rough = evaluate_reference(model.graph, roots, bindings, 50);  // what rounding does to this formula
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
