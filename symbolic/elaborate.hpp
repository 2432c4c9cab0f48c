// Syntax tree to tensor graph: names, shapes, broadcasting, index notation, functions.
#pragma once

#include <optional>

#include "frontend/ast.hpp"
#include "frontend/diagnostic.hpp"
#include "symbolic/model.hpp"

namespace gradus {

struct ElaborateOptions {
  bool undeclared_are_params = false;  // `-e`: undeclared names are scalar parameters, named in a note
  const ast::Program* let = nullptr;   // declarations of `--let`
};

/// Checks a program and builds its graph. Errors go to `diagnostics`; the model is returned when there is none.
std::optional<Model> elaborate(const ast::Program& program, Diagnostics& diagnostics,
                               const ElaborateOptions& options = {});

/// The prelude: losses and composite functions written in the language itself.
std::string_view prelude_text();

}  // namespace gradus
