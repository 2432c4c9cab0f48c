// Questions about a model: its names, its values, its shapes.
#include "runtime/formula.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/parse.hpp"

namespace gradus {

std::optional<std::uint32_t> find_input(const Model& model, std::string_view name) {
  const std::string key = name_key(name);
  for (std::uint32_t k = 0; k < model.inputs.size(); ++k) {
    if (model.inputs[k].key == key) return k;
  }
  return std::nullopt;
}

std::optional<std::string> find_size(const Model& model, std::string_view name) {
  const std::string key = name_key(name);
  for (const std::string& size : model.size_names) {
    if (name_key(size) == key) return size;
  }
  return std::nullopt;
}

std::vector<std::string> settable_names(const Model& model) {
  std::vector<std::string> out;
  for (const Input& input : model.inputs) out.push_back(input.name);
  out.insert(out.end(), model.size_names.begin(), model.size_names.end());
  return out;
}

std::vector<const NamedValue*> values_of(const Model& model, NamedValue::Role role) {
  std::vector<const NamedValue*> out;
  for (const NamedValue& value : model.values) {
    if (value.role == role) out.push_back(&value);
  }
  return out;
}

bool has_something_to_differentiate(const Model& model, Diagnostics& diagnostics) {
  const bool has_some =
      !values_of(model, NamedValue::Role::loss).empty() || !values_of(model, NamedValue::Role::output).empty();
  if (!has_some) {
    const NamedValue* last = nullptr;  // a scalar that was perhaps meant
    bool misspelt = false;
    for (const NamedValue& value : model.values) {
      const bool near = !did_you_mean(value.name, {"loss"}).empty();
      if (!model.graph.shape(value.expr).empty() || (misspelt && !near)) continue;
      last = &value;
      misspelt = near;
    }
    Diagnostic& d =
        diagnostics.error(last == nullptr ? Span::none() : last->span, "the formula has no loss and no output");
    d.help(misspelt          ? fmt::format("did you mean loss? {} is a name like any other", last->name)
           : last == nullptr ? "write loss = …, output p = …, or end with an expression"
                             : fmt::format("write loss = {}, or output {} for its value", last->name, last->name));
  }
  return has_some;
}

std::string shape_text(const Sizes& sizes, const std::vector<Size>& shape) {
  if (shape.empty()) return "scalar";
  std::string out;
  for (const Size size : shape) out += (out.empty() ? "[" : ", ") + sizes.to_string(size);
  return out + "]";
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  if (shape.empty()) return "a scalar";
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace gradus
