// Formulas for people: the loss and its gradient as Gradus text, Unicode or LaTeX.
#pragma once

#include <string>
#include <vector>

#include "symbolic/derive.hpp"
#include "symbolic/model.hpp"

namespace gradus {

enum class Form : std::uint8_t { text, unicode, latex };

/// A whole program: declarations, named values, losses, and one `output grad_w = …` for each derivative (LANGUAGE
/// section 8). The text form parses back to the same values. Matrix form where it exists, index notation elsewhere;
/// shared values become named lines, the user's names come back.
/// The same program with numerical forms as people write them, where they are recognised when read: p and 1 - p for
/// sigmoid(x) and sigmoid(-x); also y - p for y*(1 - p) - p*(1 - y). New nodes are added to the model's graph.
Derived textbook_form(Model& model, Derived derived);
/// What to print of a model: derived for people, in that form.
Derived derive_to_print(Model& model, DeriveOptions options = {});

std::string print(const Model& model, const Derived& derived, Form form);

/// One expression in the text form, self-contained (for tests and messages).
std::string print_expression(const Model& model, Expr e, Form form = Form::text);

/// The default of every const in the text form, by number of the input; empty for what has none.
std::vector<std::string> print_defaults(const Model& model);

}  // namespace gradus
