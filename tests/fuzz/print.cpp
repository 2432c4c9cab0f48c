// Fuzz target: parse → derive → simplify → print → parse again, and the values stay.
#include "symbolic/print.hpp"

#include <algorithm>

#include "symbolic/derive.hpp"
#include "symbolic/simplify.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/fuzz/values.hpp"

namespace gradus::fuzz {
namespace {

constexpr std::size_t longest = 600;
constexpr std::size_t most_nodes = 3000;

/// The first element that differs, where the first form has a steady value (equal with fewer digits) and is finite.
std::string difference(const Array& want, const Array& coarse, const Array& got) {
  if (got.shape != want.shape) return "another shape";
  const double scale = magnitude(want, 1e-30);
  for (std::size_t k = 0; k < want.values.size(); ++k) {
    const double a = want.values[k], b = got.values[k];
    if (!std::isfinite(a) || a != coarse.values[k] || a == b) continue;
    if (std::fabs(a - b) <= 1e-9 * std::max(scale, std::fabs(a))) continue;
    return "element " + std::to_string(k) + " is " + std::to_string(b) + ", not " + std::to_string(a);
  }
  return {};
}

}  // namespace

void print_text(const std::string& text) {
  if (text.size() > longest) return;
  std::optional<Model> model = checked(text);
  if (!model || model->graph.node_count() > most_nodes) return;
  std::vector<Expr> roots;
  for (const auto& v : model->values)
    if (v.role != NamedValue::Role::value) roots.push_back(v.expr);
  if (roots.empty()) return;
  const Derived derived = derive(*model);
  std::vector<Expr> results;
  std::vector<std::string> names;
  for (const auto* list : {&derived.losses, &derived.outputs})
    for (const auto& v : *list) {
      results.push_back(v.value);
      names.push_back(v.name);
    }
  const std::size_t values = results.size();
  for (const auto& loss : derived.losses)
    for (const auto& d : loss.derivatives) {
      results.push_back(d.expr);
      const std::string& input = model->inputs[d.input].name;
      names.push_back(derived.losses.size() > 1 ? "grad_" + loss.name + "_" + input : "grad_" + input);
    }
  require(verify_graph(model->graph, results).empty(), "an illegal graph", text);
  const Derived to_print = derive_to_print(*model);
  const std::string printed = print(*model, to_print, Form::text);
  print(*model, to_print, Form::latex);
  std::string errors;
  std::optional<Model> again = checked(printed, &errors);
  require(again.has_value(), "the printed form has errors", text + "\n--- printed\n" + printed + "\n" + errors);

  std::vector<Expr> raw;  // before any simplification, in the order of `names`
  for (std::size_t k = 0; k < values; ++k)
    for (const auto& v : model->values)
      if (v.name == names[k] && v.role != NamedValue::Role::value) raw.push_back(v.expr);
  if (raw.size() != values) return;
  std::vector<Expr> read;
  for (const auto& name : names)
    for (const auto& v : again->values)
      if (v.name == name) read.push_back(v.expr);
  if (read.size() != names.size()) return;  // a name that was taken has another one in print
  std::vector<Expr> all = results;
  all.insert(all.end(), raw.begin(), raw.end());
  const auto bindings = small_inputs(*model, all);
  const auto bindings_again = small_inputs(*again, read);
  if (!bindings || !bindings_again) return;
  const auto plain = evaluate_reference(model->graph, raw, *bindings);
  const auto coarse_plain = evaluate_reference(model->graph, raw, *bindings, 160);
  const auto simplified = evaluate_reference(model->graph, results, *bindings);
  const auto coarse = evaluate_reference(model->graph, results, *bindings, 160);
  const std::string story = text + "\n--- printed\n" + printed;
  for (std::size_t k = 0; k < values; ++k) {
    const std::string bad = difference(plain[k], coarse_plain[k], simplified[k]);
    require(bad.empty(), "simplified " + names[k] + ": " + bad, story);
  }
  const auto after = evaluate_reference(again->graph, stabilise(again->graph, read), *bindings_again);
  for (std::size_t k = 0; k < names.size(); ++k) {
    const std::string bad = difference(simplified[k], coarse[k], after[k]);
    require(bad.empty(), "read back " + names[k] + ": " + bad, story);
  }
}

}  // namespace gradus::fuzz
