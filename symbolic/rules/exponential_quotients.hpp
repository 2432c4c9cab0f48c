// Products and quotients with exponentials that may leave the range of numbers.
#pragma once

#include <optional>

#include "symbolic/rules/facts.hpp"
#include "symbolic/rules/shifts.hpp"

namespace gradus::rules {

/// exp(x)/(a + b*exp(x)) is 1/(a*exp(-x) + b), also of a sum of exponentials; exp(x)/(a + Σ exp(y)) of positive terms
/// is exp(x - log(a + Σ exp(y))), of others exp(x - m)/(a*exp(-m) + Σ exp(y - m)).
std::optional<Expr> exponential_quotient(Graph& graph, Facts& facts, Shifts& shifts, Expr e);

/// exp(x)*exp(y) is exp(x + y), where either may leave the range of numbers.
std::optional<Expr> product_of_exponentials(Graph& graph, Expr e);

/// exp(x)/(a*b) is exp(x)/a/b, so that what belongs together meets.
std::optional<Expr> split_reciprocal(Graph& graph, Expr e);

}  // namespace gradus::rules
