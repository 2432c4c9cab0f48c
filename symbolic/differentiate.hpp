// Derivatives on the graph: reverse (vector-Jacobian) and forward (Jacobian-vector) rules, one a node kind.
#pragma once

#include <utility>
#include <vector>

#include "symbolic/graph.hpp"

namespace gradus {

/// The derivative of `root` by each of `inputs` by reverse accumulation: axes [*root, *input] (for a scalar root the
/// gradient, in the input's shape). The size of the result is a small multiple of the root's, for any formula.
/// Activity first: nothing is built for what depends on no input.
std::vector<Expr> derivatives(Graph& graph, Expr root, const std::vector<Expr>& inputs);

/// The derivative of `root` along a direction, by forward accumulation: Σ over inputs of ∂root/∂input · tangent, in
/// the root's shape. A tangent has its input's shape.
Expr directional_derivative(Graph& graph, Expr root, const std::vector<std::pair<Expr, Expr>>& tangents);

/// The roots without derivatives given by the user: what remains is the values alone.
std::vector<Expr> without_given(Graph& graph, const std::vector<Expr>& roots);

/// Which of the reachable nodes have a derivative by one of the inputs (index data, conditions, floor … have none);
/// indexed by Expr::id.
std::vector<char> active_nodes(const Graph& graph, Expr root, const std::vector<Expr>& inputs);

}  // namespace gradus
