// Random graphs of every kind of node: the printed program has the same values.
#include <doctest/doctest.h>

#include "frontend/parse.hpp"
#include "latex_check.hpp"
#include "symbolic/elaborate.hpp"
#include "symbolic/print.hpp"
#include "tests/codegen/random_graph.hpp"

using namespace gradus;

namespace {

/// A derived program whose outputs are these expressions.
Derived outputs_of(Model& model, const std::vector<Expr>& roots) {
  Derived derived;
  for (std::size_t k = 0; k < roots.size(); ++k) {
    NamedValue v;
    v.role = NamedValue::Role::output;
    v.name = v.key = "o" + std::to_string(k);
    v.expr = roots[k];
    model.values.push_back(v);
    derived.values.push_back(v);
    derived.outputs.push_back({v.name, v.expr, {}});
  }
  return derived;
}

std::string round_trip(std::uint32_t seed, std::string& text) {
  testing::RandomGraph random(seed);
  const std::vector<Expr> roots = random.roots();
  Model& model = random.c.model;
  const Derived derived = outputs_of(model, roots);
  text = print(model, derived, Form::text);
  if (const auto bad = testing::latex_problem(print(model, derived, Form::latex)); !bad.empty()) return "LaTeX: " + bad;
  const Source source("printed.loss", text);
  Diagnostics diagnostics;
  const auto program = parse(source, diagnostics);
  const auto again = diagnostics.has_errors() ? std::nullopt : elaborate(program, diagnostics);
  if (!again) return render(diagnostics, &source, DiagnosticForm::text, false);
  const Bindings bindings = testing::random_bindings(model, {{"n", 5}, {"m", 3}, {"k", 4}}, seed);
  std::vector<Expr> read(roots.size());
  for (const auto& v : again->values)
    for (std::size_t k = 0; k < roots.size(); ++k)
      if (v.name == "o" + std::to_string(k)) read[k] = v.expr;
  const auto want = evaluate_reference(model.graph, roots, bindings);
  const auto got = evaluate_reference(again->graph, read, bindings);
  for (std::size_t k = 0; k < roots.size(); ++k) {
    if (got[k].shape != want[k].shape) return "o" + std::to_string(k) + " has another shape";
    for (std::size_t i = 0; i < want[k].values.size(); ++i)
      if (!testing::close_relative(got[k].values[i], want[k].values[i], 1e-12) &&
          !(std::fabs(got[k].values[i] - want[k].values[i]) < 1e-30))  // sums that cancel
        return "o" + std::to_string(k) + ": element " + std::to_string(i) + " is " + std::to_string(got[k].values[i]) +
               ", not " + std::to_string(want[k].values[i]);
  }
  return "";
}

}  // namespace

TEST_CASE("random graphs read back from their printed form") {
  const char* many = std::getenv("GRADUS_SEEDS");
  const std::uint32_t seeds = many != nullptr ? static_cast<std::uint32_t>(std::atoi(many)) : 150;
  for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
    std::string text;
    const std::string trouble = round_trip(seed, text);
    CHECK_MESSAGE(trouble.empty(), "seed " << seed << ": " << trouble << "\n" << text);
  }
}
