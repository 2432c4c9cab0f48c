// Sums and products of sigmoids, with exponentials and without.
#pragma once

#include <optional>

#include "symbolic/rules/facts.hpp"
#include "symbolic/rules/shifts.hpp"

namespace gradus::rules {

/// y·sigmoid(x) - y·sigmoid(-x) is y·tanh(x/2), which keeps its digits near 0.
std::optional<Expr> difference_of_sigmoids(Graph& graph, Expr e);

/// exp(x + y)·sigmoid(-x) is exp(y)·sigmoid(x), and (exp(x) - 1)·sigmoid(-x) is tanh(x/2), also of powers of the
/// sigmoid, exp(2*x)/(1 + exp(x))^2, and of other bases, 2^x/(1 + 2^x).
std::optional<Expr> exponential_times_sigmoid(Graph& graph, Expr e);

/// 1/(1 + 10^x) is sigmoid(-log(10)*x); sqrt(exp(x) + exp(y)) and (1 + exp(x))^y are exp(y*log(1 + exp(x))) where y is
/// no whole number.
std::optional<Expr> power_of_exponentials(Graph& graph, Facts& facts, Shifts& shifts, Expr e);

}  // namespace gradus::rules
