// Sums and products of sigmoids and hyperbolic functions, with exponentials and without.
#pragma once

#include <optional>

#include "symbolic/rules/facts.hpp"
#include "symbolic/rules/rewrite.hpp"
#include "symbolic/rules/shifts.hpp"

namespace gradus::rules {

/// y·sigmoid(x) - y·sigmoid(-x) is y·tanh(x/2), which keeps its digits near 0.
std::optional<Expr> difference_of_sigmoids(Graph& graph, Expr e);

/// exp(x + y)·sigmoid(-x) is exp(y)·sigmoid(x), and (exp(x) - 1)·sigmoid(-x) is tanh(x/2), also of powers of the
/// sigmoid, exp(2*x)/(1 + exp(x))^2, and of other bases, 2^x/(1 + 2^x).
std::optional<Expr> exponential_times_sigmoid(Graph& graph, Expr e);

/// exp(x)^y is exp(y*x), but for whole powers of a kept value; 1/(1 + 10^x) is sigmoid(-log(10)*x); sqrt(exp(x) +
/// exp(y)) and (1 + exp(x))^y are exp(y*log(1 + exp(x))) where y is no whole number, and so are powers of sums over
/// axes.
std::optional<Expr> power_of_exponentials(Graph& graph, Facts& facts, const Kept& kept, Shifts& shifts, Expr e);

/// 1 - Π sigmoid(x) is -(exp(Σ log(sigmoid(x))) - 1), likewise of normal_cdf and exp.
std::optional<Expr> one_minus_product(Graph& graph, Expr e);

/// sinh(x)*sech(x/2)^2 is 2*tanh(x/2), and cosh(x)/sinh(x)^2 is 1/(sinh(x)*tanh(x)).
std::optional<Expr> product_of_hyperbolic(Graph& graph, Expr e);

}  // namespace gradus::rules
