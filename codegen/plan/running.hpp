// Running sums of weighted exponentials: which contractions are such sums, as reductions of the planner's own kind.
#pragma once

#include <optional>

#include "symbolic/graph.hpp"

namespace gradus::planning {

/// The contraction Σ v·w·exp(x - y) up to (or from) the place of an axis, where v and y depend on the axis and w and x
/// on what is summed, as a reduction `exponentials`: one step an element instead of a sum for each (a cumulative
/// logsumexp, the partial likelihood of Cox and their gradients). Nothing where the contraction is no such sum.
std::optional<Expr> running_exponentials(Graph& graph, const Node& contraction);

}  // namespace gradus::planning
