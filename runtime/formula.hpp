// A checked formula: its text, its tree and its model.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/ast.hpp"
#include "frontend/diagnostic.hpp"
#include "frontend/source.hpp"
#include "symbolic/model.hpp"

namespace gradus {

struct LoadOptions {
  bool expression = false;  // `-e`: undeclared names are scalar parameters
  std::string let;          // declarations of `--let`
};

/// A program that was parsed and checked without an error.
struct Formula {
  Source source;
  ast::Program program;
  Model model;
};

/// Parses and checks a program. Errors and warnings go to `diagnostics`, whose places are those of `shown_source`; null
/// when there is an error.
std::unique_ptr<Formula> load(const Source& source, const LoadOptions& options, Diagnostics& diagnostics);

/// The text in which diagnostics have their places: the program, and the declarations of `--let` on a line after it.
Source shown_source(const Source& source, const LoadOptions& options);

/// The number of the input of that name in any spelling (`λ`, `lambda`), or nothing.
std::optional<std::uint32_t> find_input(const Model& model, std::string_view name);
/// The size of that name as the model spells it, or nothing.
std::optional<std::string> find_size(const Model& model, std::string_view name);
/// All names that can be given a value, as declared.
std::vector<std::string> settable_names(const Model& model);
/// The values (losses, outputs or other) of a role, in order.
std::vector<const NamedValue*> values_of(const Model& model, NamedValue::Role role);
/// Reports when the model has neither a loss nor an output.
bool has_something_to_differentiate(const Model& model, Diagnostics& diagnostics);
/// `[n, d]`; `scalar` for no axes.
std::string shape_text(const Sizes& sizes, const std::vector<Size>& shape);
/// `[3, 2]`; `a scalar` for no axes.
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace gradus
