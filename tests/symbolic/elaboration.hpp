// Helpers of the elaboration tests: programs from text, their values in the reference interpreter, their errors.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "frontend/parse.hpp"
#include "symbolic/elaborate.hpp"
#include "symbolic/interpret.hpp"

namespace gradus::testing {

/// What a program became, with its diagnostics.
struct Elaborated {
  Diagnostics diagnostics;
  std::optional<Model> model;
};

inline Elaborated elaborated(const std::string& text, const ElaborateOptions& options = {}) {
  Elaborated out;
  const Source source("test.loss", text);
  const ast::Program program = parse(source, out.diagnostics);
  out.model = elaborate(program, out.diagnostics, options);
  return out;
}

/// The diagnostics as text, for messages of failed tests.
inline std::string diagnostics_text(const Elaborated& e, const std::string& text) {
  const Source source("test.loss", text);
  return render(e.diagnostics, &source, DiagnosticForm::text, false);
}

/// The program's value of that name with these inputs; sizes are taken from dims and the shapes of the inputs.
inline Array value_of(const std::string& text, const std::string& name, const std::map<std::string, Array>& inputs) {
  Elaborated e = elaborated(text);
  INFO(text << "\n" << diagnostics_text(e, text));
  REQUIRE(e.model);
  std::vector<Expr> roots;
  for (const auto& v : e.model->values) roots.push_back(v.expr);
  CHECK(verify_graph(e.model->graph, roots) == "");
  Bindings bindings;
  const Sizes& sizes = e.model->graph.sizes();
  for (const Dimension& d : e.model->dimensions)
    if (d.value) bindings.sizes[d.name] = *d.value;
  for (std::uint32_t k = 0; k < e.model->inputs.size(); ++k) {
    const Input& in = e.model->inputs[k];
    const auto found = inputs.find(in.name);
    if (found == inputs.end()) {
      REQUIRE(in.default_value.valid());
      bindings.inputs[k] = evaluate_reference(e.model->graph, {in.default_value}, bindings)[0];
      continue;
    }
    bindings.inputs[k] = found->second;
    for (std::size_t a = 0; a < in.shape.size(); ++a)
      if (const auto size = sizes.as_symbol(in.shape[a])) bindings.sizes[*size] = found->second.shape[a];
  }
  for (const auto& v : e.model->values)
    if (v.name == name) return evaluate_reference(e.model->graph, {v.expr}, bindings)[0];
  FAIL("no value named " << name);
  return {};
}

/// A vector, a matrix, a scalar.
inline Array vector(std::vector<double> values) {
  const auto n = static_cast<std::int64_t>(values.size());
  return {{n}, std::move(values)};
}
inline Array matrix(std::int64_t rows, std::vector<double> values) {
  const auto n = static_cast<std::int64_t>(values.size());
  return {{rows, n / rows}, std::move(values)};
}
inline Array scalar(double value) { return {{}, {value}}; }

/// The first error's text with its notes and help; empty when there is none.
inline std::string error_of(const std::string& text) {
  const Elaborated e = elaborated(text);
  for (const auto& d : e.diagnostics.all()) {
    if (d.main.severity != Severity::error) continue;
    std::string out = d.main.text;
    for (const auto& m : d.more) out += "\n" + m.text;
    return out;
  }
  return {};
}

}  // namespace gradus::testing
