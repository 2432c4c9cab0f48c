// Reductions of exponentials with weights: forms with any number of factors, so no line of rules.def.
#pragma once

#include <optional>

#include "symbolic/rules/facts.hpp"

namespace gradus::rules {

/// log(Σ w·exp(x)) with positive weights w under the sum: log-sum-exp of x + log(w).
std::optional<Expr> weighted_logsumexp(Graph& graph, Facts& facts, Expr e);

/// (Σ w·exp(x)) / (Σ exp(x)) is Σ w·softmax(x).
std::optional<Expr> weighted_average(Graph& graph, Expr e);

}  // namespace gradus::rules
