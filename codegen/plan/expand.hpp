// Rewriting to what the planner knows: softmax and norm become maxima, sums and elementwise nodes.
#pragma once

#include <vector>

#include "symbolic/graph.hpp"

namespace gradus::planning {

/// The roots with every softmax reduction and norm written out, running sums of exponentials found, x/y^2 divided by y
/// twice, and very long sums and products cut into shorter ones.
std::vector<Expr> expand(Graph& graph, const std::vector<Expr>& roots);

}  // namespace gradus::planning
