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

/// The shift where nothing counts, or only exp(-inf): finite, so that -inf less the shift is -inf.
Rational least_shift();

/// exp(x)/(a + b*exp(x)) is 1/(a*exp(-x) + b), also of a sum of exponentials; exp(x)/(a + Σ exp(y)) of positive terms
/// is exp(x - log(a + Σ exp(y))), of others exp(x - m)/(a*exp(-m) + Σ exp(y - m)).
std::optional<Expr> exponential_quotient(Graph& graph, Facts& facts, Shifts& shifts, Expr e);

/// exp(x)*exp(y) is exp(x + y), where either may leave the range of numbers.
std::optional<Expr> product_of_exponentials(Graph& graph, Expr e);

/// exp(x)/(a*b) is exp(x)/a/b, so that what belongs together meets.
std::optional<Expr> split_reciprocal(Graph& graph, Expr e);

/// erfc(x/sqrt(2)) is 2*normal_cdf(-x), also of x/sqrt(2*v) and x/(s*sqrt(2)).
std::optional<Expr> normal_of_erfc(Graph& graph, Expr e);

/// (1 + 1/k)*log1p(k*x) is log1p(k*x) + log1p(k*x)/k, whose second term has a limit at k = 0.
std::optional<Expr> distribute_reciprocal(Graph& graph, Expr e);

}  // namespace gradus::rules
