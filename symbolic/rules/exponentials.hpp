// Logarithms and quotients of sums with exponentials that may leave the range of numbers.
#pragma once

#include <optional>

#include "symbolic/rules/facts.hpp"
#include "symbolic/rules/shifts.hpp"

namespace gradus::rules {

/// log(a + b*exp(x)), log(a*exp(x) + b*exp(y)), log1p(b*exp(x)) of any weights, where the exponentials may be sums.
std::optional<Expr> log_of_exponentials(Graph& graph, Facts& facts, Shifts& shifts, Expr e);

/// exp(y - log(Σ w·exp(x))) with the shift m that the logarithm has: exp(y - m)/Σ w·exp(x - m), which keeps its digits
/// at large m.
std::optional<Expr> exp_of_shifted_log(Graph& graph, Expr e);

/// erfc(x/sqrt(2)) is 2*normal_cdf(-x), also of x/sqrt(2*v) and x/(s*sqrt(2)).
std::optional<Expr> normal_of_erfc(Graph& graph, Expr e);

/// (1 + 1/k)*log1p(k*x) is log1p(k*x) + log1p(k*x)/k, whose second term has a limit at k = 0.
std::optional<Expr> distribute_reciprocal(Graph& graph, Expr e);

}  // namespace gradus::rules
