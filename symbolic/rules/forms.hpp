// Products and powers that need a choice of factors, so no line of rules.def.
#pragma once

#include <optional>

#include "symbolic/rules/facts.hpp"
#include "symbolic/rules/shifts.hpp"

namespace gradus::rules {

/// Whether a value is the logarithm of a sum of exponentials that people read as it is, of its powers or of products of
/// such; or a sum with one among its terms. No rule makes it a form of its own: the text must hold the logarithm.
bool is_left(const Graph& graph, const Shifts& shifts, Expr e);

/// x·log(y) of values with the same axes, as one function that is 0 where x is 0; log(1 + y) likewise.
std::optional<Expr> times_logarithm(Graph& graph, Facts& facts, const Shifts& shifts, Expr e);
/// x·(y - log(x + z)) is x·y - x·log(x + z), which is 0 where x and z are, or vanish.
std::optional<Expr> distribute_logarithm(Graph& graph, Expr e);
/// log((2 + x)/2) is log1p(x/2).
std::optional<Expr> log_of_scaled_sum(Graph& graph, Expr e);
/// z·x·Φ(x) + z·φ(x) is z times the integral of Φ, where z·x may be written as one value: (y - m)·Φ(x) + s·φ(x) of
/// x = (y - m)/s.
std::optional<Expr> improvement(Graph& graph, Expr e);
/// (1 + x)^y whose exponent is no small number: the rounding of 1 + x would be multiplied by y.
std::optional<Expr> compound_power(Graph& graph, Expr e);

/// x^y - 1 and (1 + x)^y - 1, which lose digits where the power is near 1.
std::optional<Expr> power_less_one(Graph& graph, Expr e);

/// 1 - sigmoid(x) + 1e-12 keeps 1 - sigmoid(x), which has a form of its own, beside the 1e-12.
std::optional<Expr> keep_complement(Graph& graph, Expr e);

}  // namespace gradus::rules
