// Which nodes of a derived program get a line of their own, under which name, and in which order.
#pragma once

#include <string>
#include <vector>

#include "symbolic/derive.hpp"
#include "symbolic/model.hpp"
#include "symbolic/print/names.hpp"

namespace gradus::printing {

/// A line to be written: `name = expr`.
struct PlannedLine {
  enum class Role : std::uint8_t { value, loss, output, derivative } role = Role::value;
  std::string name;  // as the text form writes it; empty for the unnamed loss
  Expr expr;
  bool defines = true;               // the node's definition; otherwise another line has it and this one mentions it
  std::vector<std::string> indices;  // the author's index names
  std::string of, by;                // derivative: ∂of/∂by
};

struct Layout {
  std::vector<std::string> labels;  // names of inputs and of nodes with a line, by Expr::id; empty: none
  std::vector<PlannedLine> lines;
};

/// Plans the lines. Derivatives lend their names to nodes only in the text form, where they are names.
Layout plan(const Model& model, const Derived& derived, Names& names, bool derivatives_have_names);
/// A plan for one expression without further lines, as far as its depth allows.
Layout plan_expression(const Model& model, Expr e, Names& names);

}  // namespace gradus::printing
