// Reductions of exponentials with weights: forms that need a shift chosen from the data, so no line of rules.def.
#pragma once

#include <optional>

#include "symbolic/rules/facts.hpp"
#include "symbolic/rules/shifts.hpp"

namespace gradus::rules {

/// log(Σ w·exp(x)) with weights w under the sum: log-sum-exp of x + log(w) where w is positive or a softmax, else the
/// sum of w·exp(x - m) with m the largest x of a weight that is not 0, a constant to derivatives.
std::optional<Expr> weighted_logsumexp(Graph& graph, Facts& facts, Shifts& shifts, Expr e);

/// (Σ w·exp(x)) / (Σ exp(x)) is Σ w·softmax(x).
std::optional<Expr> weighted_average(Graph& graph, Expr e);

/// Π w·exp(x) is exp(Σ x)·Π w.
std::optional<Expr> product_over_exponentials(Graph& graph, Expr e);

/// The logarithm of a product of positive factors is the sum of their logarithms.
std::optional<Expr> log_of_product(Graph& graph, Facts& facts, Expr e);

}  // namespace gradus::rules
