// Values that are the same with two of their axes exchanged.
#pragma once

#include <optional>

#include "symbolic/graph.hpp"

namespace gradus::rules {

/// Whether a value is known to be symmetric in two of its axes: X[k, i]*X[k, j] summed over k, x[i] + x[j], a symmetric
/// input.
bool is_symmetric(Graph& graph, Expr e, std::uint32_t first, std::uint32_t second);

/// G + G.T is 2*G where G is symmetric.
std::optional<Expr> merge_transposed_terms(Graph& graph, Expr e);

}  // namespace gradus::rules
