// Quotients by what a function is of, written factor by factor.
#pragma once

#include <optional>

#include "symbolic/graph.hpp"

namespace gradus::rules {

/// sin(k*x)/x, (1 - exp(-k*x))/k/x, x/(exp(k*x) - 1), …: the form with its limit at 0, where a factor of the argument
/// divides, or is divided.
std::optional<Expr> removable_quotient(Graph& graph, Expr e);

/// (x^y - 1)/y, ((1 + x)^y - 1)/y, where a factor of the exponent divides.
std::optional<Expr> quotient_by_exponent(Graph& graph, Expr e);

/// log(1 + x^2/s^2) is that of (x/s)^2, which may overflow.
std::optional<Expr> log1p_of_square(Graph& graph, Expr e);

/// (1 + x/y)^y: a power whose exponent cancels what divides in the base.
std::optional<Expr> compound_by_reciprocal(Graph& graph, Expr e);

}  // namespace gradus::rules
