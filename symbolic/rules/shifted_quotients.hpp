// Quotients by weighted sums of exponentials.
#pragma once

#include <optional>

#include "symbolic/rules/shifts.hpp"

namespace gradus::rules {

/// exp(y)/Σ w·exp(x) is exp(y - m)/Σ w·exp(x - m), m the largest x of a weight that is not 0; also where the
/// exponential, or the quotient by the sum, is a factor inside a sum. For people exp(y - log(Σ w·exp(x))), or as it is.
std::optional<Expr> shifted_quotient(Graph& graph, Shifts& shifts, Expr e);

/// a/s - b/s^2 is (a - b/s)/s for a sum s that people read as it is.
std::optional<Expr> common_quotient(Graph& graph, const Shifts& shifts, Expr e);

}  // namespace gradus::rules
