// How large the terms are that a directional derivative adds: what its rounding is measured by where they cancel.
#pragma once

#include "symbolic/graph.hpp"

namespace gradus {

/// A directional derivative with every term, and the direction, replaced by its magnitude: what depends on the
/// direction is added up without cancelling, values of the formula itself stay what they are.
Expr derivative_magnitude(Graph& graph, Expr derivative, Expr direction);

}  // namespace gradus
