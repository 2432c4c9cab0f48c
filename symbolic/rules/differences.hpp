// Differences of values of one function, and quotients and roots whose arguments are near or out of range.
#pragma once

#include <optional>

#include "symbolic/rules/facts.hpp"

namespace gradus::rules {

/// log(x/y) of whatever a product has above and below.
std::optional<Expr> log_of_quotient(Graph& graph, Expr e);

/// log(w*(a + x^2)) of a positive sum is log(w) + log(a + x^2), whose square may leave the range of numbers.
std::optional<Expr> log_of_product_with_square(Graph& graph, Facts& facts, Expr e);
/// where(c, x*log(x/y), 0) - x + y, as people guard it, is where(c, the relative entropy of x to y, y - x).
std::optional<Expr> guarded_relative_entropy(Graph& graph, Expr e);
/// x^2/(a + b*x^2), x any product whose square is written, without overflow.
std::optional<Expr> square_quotient(Graph& graph, Expr e);

}  // namespace gradus::rules
