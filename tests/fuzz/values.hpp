// What the targets that compute share: checking a text, small random inputs, and how much work a graph is.
#pragma once

#include <cmath>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "frontend/parse.hpp"
#include "symbolic/elaborate.hpp"
#include "symbolic/interpret.hpp"

namespace gradus::fuzz {

/// The model of a text, or nothing when it has errors. `errors` takes them for messages.
inline std::optional<Model> checked(const std::string& text, std::string* errors = nullptr) {
  const Source source("fuzz.loss", text);
  Diagnostics diagnostics;
  const auto program = parse(source, diagnostics);
  std::optional<Model> out;
  if (!diagnostics.has_errors()) out = elaborate(program, diagnostics);
  if (diagnostics.has_errors()) out.reset();
  if (errors != nullptr) *errors = render(diagnostics, &source, DiagnosticForm::text, false);
  return out;
}

/// Elements that the nodes below these roots compute and sum over; -1 when a size is negative or it is too much.
inline std::int64_t work(const Graph& graph, const std::vector<Expr>& roots, const Bindings& bindings) {
  constexpr std::int64_t most = 200'000;
  std::int64_t total = 0;
  for (const Expr e : graph.reachable(roots)) {
    std::int64_t count = 1;
    for (const Size s : graph[e].labels) {
      const auto size = graph.sizes().evaluate(s, bindings.sizes);
      if (!size || *size < 0 || *size > most) return -1;
      count *= *size;
      if (count > most) return -1;
    }
    total += count;
    if (total > most) return -1;
  }
  return total;
}

/// Sizes of 2 to `largest_size` and normal numbers (positive where that is assumed), the same for the same model;
/// nothing when the model cannot be evaluated with them.
inline std::optional<Bindings> small_inputs(const Model& model, const std::vector<Expr>& roots,
                                            std::uint32_t largest_size = 3) {
  if (model.inputs.size() > 20 || model.size_names.size() > 10) return std::nullopt;
  Bindings out;
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  for (const auto& name : model.size_names)
    out.sizes[name] = 2 + static_cast<std::int64_t>(random() % (largest_size - 1));
  for (const auto& d : model.dimensions)
    if (d.value) out.sizes[d.name] = *d.value;
  for (const auto& r : model.requirements) {
    const auto size = model.graph.sizes().evaluate(r.size, out.sizes);
    if (!size || *size < 0 || (r.must_be_zero && *size != 0)) return std::nullopt;
  }
  for (std::uint32_t k = 0; k < model.inputs.size(); ++k) {
    const Input& in = model.inputs[k];
    if (in.symmetric || in.spd || in.lower) return std::nullopt;
    if (in.role == Input::Role::constant) continue;
    Array a;
    std::int64_t count = 1;
    for (const Size s : in.shape) {
      const auto size = model.graph.sizes().evaluate(s, out.sizes);
      if (!size || *size < 0 || *size > 1000) return std::nullopt;
      a.shape.push_back(*size);
      count *= *size;
      if (count > 10'000) return std::nullopt;
    }
    std::int64_t bound = 1000;
    if (in.index_bound) bound = model.graph.sizes().evaluate(*in.index_bound, out.sizes).value_or(0);
    if (bound <= 0) return std::nullopt;
    for (std::int64_t c = 0; c < count; ++c) {
      const double x = normal(random);
      a.values.push_back(in.index_bound ? static_cast<double>(random() % static_cast<std::uint32_t>(bound))
                         : in.integer   ? std::round(3 * x)
                         : in.positive || in.nonnegative ? std::exp(x)
                                                         : x);
    }
    out.inputs[k] = std::move(a);
  }
  for (std::uint32_t k = 0; k < model.inputs.size(); ++k)
    if (model.inputs[k].role == Input::Role::constant) {
      if (work(model.graph, {model.inputs[k].default_value}, out) < 0) return std::nullopt;
      out.inputs[k] = evaluate_reference(model.graph, {model.inputs[k].default_value}, out)[0];
    }
  std::vector<Expr> conditions;
  for (const auto& c : model.checks) conditions.push_back(c.condition);
  if (work(model.graph, conditions, out) < 0 || work(model.graph, roots, out) < 0) return std::nullopt;
  for (const Array& a : evaluate_reference(model.graph, conditions, out))
    if (a.values[0] != 1) return std::nullopt;
  return out;
}

/// The largest finite magnitude, at least `least`.
inline double magnitude(const Array& a, double least) {
  for (const double x : a.values)
    if (std::isfinite(x)) least = std::max(least, std::fabs(x));
  return least;
}

}  // namespace gradus::fuzz
