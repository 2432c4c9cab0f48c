// Variances and covariances written as differences of sums.
#pragma once

#include <optional>

#include "symbolic/graph.hpp"

namespace gradus::rules {

/// a·Σ w·u·v - a·(Σ w·u)·(Σ w·v)/Σ w is a·Σ w·(u - ū)·(v - v̄) with the means ū = Σ w·u/Σ w: the sums of raw products
/// lose all digits where the means are large. Without weights Σ w is the number of values.
std::optional<Expr> centred_products(Graph& graph, Expr e);

}  // namespace gradus::rules
