// Reductions of exponentials with weights: forms that need a shift chosen from the data, so no line of rules.def.
#pragma once

#include <optional>

#include "symbolic/rules/facts.hpp"
#include "symbolic/rules/monomial.hpp"
#include "symbolic/rules/shifts.hpp"

namespace gradus::rules {

/// weight × exp(exponent).
struct WeightedExponential {
  Monomial weight;
  Operand exponent;
};

/// Σ w·exp(x) as one: the exponent is the log-sum-exp of x + log(w) where w has a logarithm, else the largest x of a
/// weight that is not 0, a constant to derivatives, which people do not see. Nothing where there are no exponentials.
std::optional<WeightedExponential> sum_as_exponential(Graph& graph, Facts& facts, const Shifts& shifts,
                                                      const Operand& sum);

/// (Σ w·exp(x))·exp(y) is Σ w·exp(x + y).
std::optional<Operand> times_exponential(Graph& graph, const Operand& sum, const std::vector<Size>& labels,
                                         const Operand& exponent);

/// log(Σ w·exp(x)) with weights w under the sum: log-sum-exp of x + log(w) where w is positive or a softmax, else the
/// sum of w·exp(x - m) with m the largest x of a weight that is not 0, a constant to derivatives.
std::optional<Expr> weighted_logsumexp(Graph& graph, Facts& facts, Shifts& shifts, Expr e);

/// exp(y)/Σ w·exp(x) is exp(y - m)/Σ w·exp(x - m), m the largest x of a weight that is not 0; also where the
/// exponential, or the quotient by the sum, is a factor inside a sum. For people exp(y - log(Σ w·exp(x))), or as it is.
std::optional<Expr> shifted_quotient(Graph& graph, Shifts& shifts, Expr e);

/// a/s - b/s^2 is (a - b/s)/s for a sum s that people read as it is.
std::optional<Expr> common_quotient(Graph& graph, const Shifts& shifts, Expr e);

/// (Σ w·exp(x)) / (Σ exp(x)) is Σ w·softmax(x).
std::optional<Expr> weighted_average(Graph& graph, Expr e);

/// Π w·exp(x) is exp(Σ x)·Π w.
std::optional<Expr> product_over_exponentials(Graph& graph, Expr e);

/// The logarithm of a product of positive factors is the sum of their logarithms.
std::optional<Expr> log_of_product(Graph& graph, Facts& facts, Expr e);

}  // namespace gradus::rules
