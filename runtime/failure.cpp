// Why a run ended with a code, in the user's terms: the check that failed, and the element where it did.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/evaluate.hpp"
#include "symbolic/interpret.hpp"

namespace gradus {
namespace {

/// `at i = 1 the subscript is 3, and n is 3`: the first element that fails, found by the reference interpreter; empty
/// where it would take long.
std::string place_of_failure(const Model& model, const ValueCheck& check, const Bindings& bindings) {
  constexpr double most_elements = 1e6;
  constexpr unsigned bits = 64;
  if (!check.elements) return "";
  const ValueCheck::Elements& elements = *check.elements;
  double count = 0;
  for (const Expr e : model.graph.reachable({elements.bad, elements.subscript}))
    count += steps_of(model.graph, model.graph[e], bindings.sizes);
  if (count > most_elements) return "";
  const std::vector<Array> arrays = evaluate_reference(model.graph, {elements.bad, elements.subscript}, bindings, bits);
  const auto found = std::ranges::find_if(arrays[0].values, [](double x) { return x != 0; });
  if (found == arrays[0].values.end()) return "";
  auto rest = static_cast<std::size_t>(found - arrays[0].values.begin());
  std::string text = fmt::format("the subscript is {:.0f}", arrays[1].values.at(rest)), place;
  for (std::size_t axis = arrays[0].shape.size(); axis-- > 0;) {
    const auto size = static_cast<std::size_t>(arrays[0].shape[axis]);
    const std::string& name = elements.indices[axis];
    if (!name.empty()) place = fmt::format("{} = {}{}{}", name, rest % size, place.empty() ? "" : ", ", place);
    rest /= size;
  }
  if (!place.empty()) text = fmt::format("at {} {}", place, text);
  const Sizes& sizes = model.graph.sizes();
  const auto value = sizes.evaluate(elements.axis, bindings.sizes);
  if (value && !sizes.as_constant(elements.axis))
    text += fmt::format(", and {} is {}", sizes.to_string(elements.axis), *value);
  return text;
}

}  // namespace

void report_failure(const Model& model, loops::Result result, const Bindings& bindings, Diagnostics& diagnostics) {
  const auto number = static_cast<std::size_t>(result.detail);
  switch (result.code) {
    case loops::Code::ok:
      return;
    case loops::Code::bad_size:
      if (number < model.requirements.size()) {
        diagnostics.error(model.requirements[number].span, model.requirements[number].message);
      } else {
        diagnostics.error(Span::none(), "a size is out of range");
      }
      return;
    case loops::Code::subscript_outside:
    case loops::Code::empty_reduction:
    case loops::Code::bad_argument:
      if (number < model.checks.size()) {
        const ValueCheck& check = model.checks[number];
        Diagnostic& error = diagnostics.error(check.span, check.message);
        if (const std::string place = place_of_failure(model, check, bindings); !place.empty()) error.note(place);
      } else if (number - model.checks.size() < model.inputs.size()) {
        const Input& input = model.inputs[number - model.checks.size()];
        diagnostics.error(input.span, fmt::format("the index data {} are outside their range", input.name));
      } else {
        diagnostics.error(Span::none(), "a subscript is outside its axis");
      }
      return;
    case loops::Code::out_of_memory:
      diagnostics.error(Span::none(), "there is not enough memory for these sizes");
      return;
  }
}

}  // namespace gradus
