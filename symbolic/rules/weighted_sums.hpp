// Sums of weighted exponentials, Σ w·exp(x), taken apart: what the rules on their logarithms and quotients share.
#pragma once

#include <optional>
#include <vector>

#include "symbolic/rules/facts.hpp"
#include "symbolic/rules/monomial.hpp"
#include "symbolic/rules/shifts.hpp"

namespace gradus::rules {

/// Whether a node sums over labels.
inline bool is_summed(const Node& n) { return n.kind == Kind::contraction && n.labels.size() > n.rank; }

/// The factors of a contraction with products inside taken apart, at any depth; their numbers are the contraction's
/// already.
std::vector<Operand> factors_of(Graph& graph, const Node& n);

/// A contraction's exponentials as one exponent, and its other factors.
struct Weighted {
  std::vector<Term> exponents;
  std::vector<Operand> weights;
};

/// The exponentials of a sum; no exponents where there are none.
Weighted split(Graph& graph, const Node& n);
/// Exponentials with any weights, or else softmaxes, as exponentials of log-softmaxes, with weights that have
/// logarithms.
Weighted split_all(Graph& graph, Facts& facts, const Node& n);

/// Whether log(w) may stand for each weight: it is positive, or a softmax.
bool have_logarithms(const Graph& graph, Facts& facts, const std::vector<Operand>& weights);
/// The log-sum-exp of x + Σ log(w), over the labels and guards of a sum.
Expr with_logarithms(Graph& graph, const Node& n, Weighted w);

/// The shift where nothing counts, or only exp(-inf): finite, so that -inf less the shift is -inf.
Rational least_shift();
/// m and Σ w·exp(x - m).
struct Shifted {
  Expr shift, total;
};

/// The same sum with its exponents less the largest of a weight that is not 0, a constant to derivatives.
Shifted shifted(Graph& graph, const Node& n, Weighted w);

/// A whole power of a sum of exponentials that have no shift yet.
struct SumPower {
  Operand sum;
  std::int64_t exponent = 1;
  Rational scale = 1;  // of the sum's number
};

std::optional<SumPower> sum_power(Graph& graph, const Operand& o);

/// Factors in the labels of a contraction and, behind them, those of a sum among its factors.
struct Spread {
  std::vector<Size> labels;
  std::uint32_t rank = 0;  // labels of the contraction
  std::vector<Operand> factors;
  std::vector<Guard> guards;
  Rational number = 1;
};

/// A sum's factors with another factor of the product that it stands in.
Spread inside(Graph& graph, const Node& n, const Operand& sum, const Operand& other);

/// weight × exp(exponent).
struct WeightedExponential {
  Monomial weight;
  Operand exponent;
};

/// Σ w·exp(x) as one: the exponent is the log-sum-exp of x + log(w) where w has a logarithm, else the largest x of a
/// weight that is not 0, a constant to derivatives, which people do not see. Nothing where there are no exponentials.
std::optional<WeightedExponential> sum_as_exponential(Graph& graph, Facts& facts, const Shifts& shifts,
                                                      const Operand& sum);

/// (Σ w·exp(x))·exp(y) is Σ w·exp(x + y), where the sum is a factor of a product n and y is in the labels of n. Nothing
/// where there are no exponentials.
std::optional<Operand> times_exponential(Graph& graph, const Node& n, const Operand& sum, const Operand& exponent);

}  // namespace gradus::rules
