// Passes over a whole graph that need to know how often a value is used.
#pragma once

#include <vector>

#include "symbolic/graph.hpp"

namespace gradus::rules {

/// Dissolves products that one product or contraction alone uses into their user, sums that one sum alone uses where
/// like terms meet, and groups what is left by the labels it needs: X[i,j]*w[i]*r[i] is X[i,j]*(w*r)[i]. Roots keep
/// their own node. Linear. Returns the new roots, in order.
std::vector<Expr> regroup(Graph& graph, const std::vector<Expr>& roots);

}  // namespace gradus::rules
