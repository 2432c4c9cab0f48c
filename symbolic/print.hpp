// Formulas for people: the loss and its gradient as Gradus text, Unicode or LaTeX.
#pragma once

#include <string>

#include "symbolic/derive.hpp"
#include "symbolic/model.hpp"

namespace gradus {

enum class Form : std::uint8_t { text, unicode, latex };

/// A whole program: declarations, named values, losses, and one `output grad_w = …` for each derivative (LANGUAGE
/// section 8). The text form parses back to the same values. Matrix form where it exists, index notation elsewhere;
/// shared values become named lines, the user's names come back.
std::string print(const Model& model, const Derived& derived, Form form);

/// One expression in the text form, self-contained (for tests and messages).
std::string print_expression(const Model& model, Expr e, Form form = Form::text);

}  // namespace gradus
