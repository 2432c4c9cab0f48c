// The partial derivatives of elementwise.def, read with graph expressions.
#pragma once

#include <optional>
#include <vector>

#include "symbolic/graph.hpp"

namespace gradus {

/// coefficient × Π factors where the condition holds (everywhere without one), else 0. Operands are over the labels of
/// the node that is differentiated.
struct PartialPiece {
  std::optional<Operand> condition;
  Rational coefficient = 1;
  std::vector<Operand> factors;
};

/// The partial derivatives of an elementwise node by its operands, one list of pieces (their sum) an operand.
std::vector<std::vector<PartialPiece>> elementwise_partials(Graph& graph, Expr node);

/// Whether a function has a derivative in an operand at all (conditions and steps have none).
bool is_differentiable(Function f, std::size_t operand);

}  // namespace gradus
