// gradus check: parses and checks, and prints every name with its shape.
#include <fmt/format.h>

#include "cli/session.hpp"
#include "symbolic/elaborate.hpp"

namespace gradus::cli {
namespace {

struct Row {
  std::string role, name, shape;
};

std::string assumptions(const Model& model, const Input& input) {
  std::string out;
  const auto add = [&](bool holds, const std::string& word) {
    if (holds) out += (out.empty() ? " : " : ", ") + word;
  };
  if (input.index_bound) add(true, fmt::format("index({})", model.graph.sizes().to_string(*input.index_bound)));
  add(input.positive, "positive");
  add(input.nonnegative, "nonnegative");
  add(input.integer, "integer");
  add(input.symmetric && !input.spd, "symmetric");
  add(input.spd, "spd");
  add(input.lower, "lower");
  return out;
}

Row row_of(const Model& model, const Input& input, const std::string& default_value) {
  const Sizes& sizes = model.graph.sizes();
  switch (input.role) {
    case Input::Role::data:
      return {"data", input.name, shape_text(sizes, input.shape) + assumptions(model, input)};
    case Input::Role::param:
      return {"param", input.name, shape_text(sizes, input.shape) + assumptions(model, input)};
    case Input::Role::constant:
      break;
  }
  const std::string value = default_value.empty() ? "" : " = " + default_value;
  return {"const", input.name, "scalar" + value + assumptions(model, input)};
}

std::vector<Row> rows_of(const Model& model) {
  std::vector<Row> rows;
  const std::vector<std::string> defaults = print_defaults(model);
  for (std::size_t k = 0; k < defaults.size(); ++k) rows.push_back(row_of(model, model.inputs[k], defaults[k]));
  for (const Dimension& dimension : model.dimensions) {
    rows.push_back({"dim", dimension.name, dimension.value ? fmt::format("size = {}", *dimension.value) : "size"});
  }
  for (const NamedValue& value : model.values) {
    const bool is_loss = value.role == NamedValue::Role::loss;
    const std::string role = is_loss ? "loss" : value.role == NamedValue::Role::output ? "output" : "";
    rows.push_back({role, value.name, shape_text(model.graph.sizes(), model.graph.shape(value.expr))});
  }
  return rows;
}

/// Columns that align; the width of a text is taken in code points.
std::string table_text(const std::vector<Row>& rows) {
  const auto width = [](const std::string& text) {
    std::size_t points = 0;
    for (const char c : text) points += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    return points;
  };
  std::size_t widest_name = 0;
  for (const Row& row : rows) widest_name = std::max(widest_name, width(row.name));
  std::string out;
  for (const Row& row : rows) {
    out +=
        fmt::format("{:<7}{}{}  {}\n", row.role, row.name, std::string(widest_name - width(row.name), ' '), row.shape);
  }
  return out;
}

}  // namespace

Run add_check(CLI::App& command, Settings& settings) {
  command.add_flag("--prelude", settings.prelude, "print the functions that are written in the language itself");
  return [&settings] {
    Session session(settings);
    if (settings.prelude) {
      session.write(std::string(prelude_text()));
      return session.finish();
    }
    session.only_a_formula("check");
    Formula* const formula = session.formula();
    if (formula != nullptr) session.write(table_text(rows_of(formula->model)));
    return session.finish();
  };
}

}  // namespace gradus::cli
