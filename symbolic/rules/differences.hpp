// Differences of values of one function, and quotients and roots whose arguments are near or out of range.
#pragma once

#include <optional>

#include "symbolic/rules/facts.hpp"

namespace gradus::rules {

/// log(x/y) of whatever a product has above and below.
std::optional<Expr> log_of_quotient(Graph& graph, Expr e);
/// exp(log(x/y)) is x/y where the logarithm exists.
std::optional<Expr> exp_of_log_ratio(Graph& graph, Expr e);
/// log(x^q) is q*log(x), also where the power leaves the range of numbers.
std::optional<Expr> log_of_power(Graph& graph, Facts& facts, Expr e);
/// log(w*(F(b) - F(a))) of a distribution function F is that of the difference, plus log(w).
std::optional<Expr> log_of_difference(Graph& graph, Facts& facts, Expr e);

/// sqrt(x + a) - sqrt(x + b), likewise of log and lgamma: by the difference of the arguments.
std::optional<Expr> difference_of_calls(Graph& graph, Expr e);
/// gamma(x + a)/gamma(x + b) by the difference of the arguments.
std::optional<Expr> quotient_of_gammas(Graph& graph, Expr e);
/// 1/tanh(u) - 1/u, 1/(exp(u) - 1) - 1/u, where 1/u is written as any quotient.
std::optional<Expr> reciprocal_difference(Graph& graph, Expr e);

/// sqrt(x^2 + y^2), sqrt(x^2 + y), log(x^2 + y^2) without overflow; x may be any product whose square is written.
std::optional<Expr> root_of_squares(Graph& graph, Expr e);
/// log(w*(a + x^2)) of a positive sum is log(w) + log(a + x^2), whose square may leave the range of numbers.
std::optional<Expr> log_of_product_with_square(Graph& graph, Facts& facts, Expr e);
/// x^2/(a + b*x^2), x any product whose square is written, without overflow.
std::optional<Expr> square_quotient(Graph& graph, Expr e);
/// log((x + sqrt(x^2 + 4))/2) is asinh(x/2).
std::optional<Expr> asinh_of_half(Graph& graph, Expr e);
/// sqrt(4 + x) - 2 is 2*(sqrt(1 + x/4) - 1).
std::optional<Expr> root_minus_number(Graph& graph, Expr e);
/// sqrt(x^2 + y^2) - x.
std::optional<Expr> hypot_minus_side(Graph& graph, Expr e);

}  // namespace gradus::rules
