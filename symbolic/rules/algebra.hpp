// Local algorithms on sums and products: what commutativity, like terms and common factors mean.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "symbolic/rules/rewrite.hpp"

namespace gradus::rules {

/// A product as a number and factors, in the labels of whoever reads it.
struct Factors {
  Rational coefficient = 1;
  std::vector<Operand> operands;
};

/// The factors of an operand that is a product without sum and guards; itself else.
Factors factors_of(Graph& graph, const Operand& operand);
/// Whether a node is a product without sum and guards.
bool is_product(const Node& n);
/// Whether an operand is a power of a size: finite and not 0 wherever it matters, so it may leave a guard.
bool is_size_power(const Graph& graph, Expr e);

/// Numbers out of the terms of a sum, and out of the sum where they are equal in size.
std::optional<Expr> normalise_sum(Graph& graph, Expr e);
/// where(c, x, 0) + where(c, y, 0) is where(c, x + y, 0).
std::optional<Expr> merge_guarded_terms(Graph& graph, Expr e);
/// Two sums over what data point to that differ in one factor: Σ q[c[i]]*g - Σ p[c[i]]*g is Σ (q - p)[c[i]]*g.
std::optional<Expr> merge_scatters(Graph& graph, Expr e);
/// Sums inside a sum, shared ones too, where like terms meet so that no more terms remain: (a + b) + (a - b) is 2*a.
std::optional<Expr> merge_nested_terms(Graph& graph, const Kept& kept, Expr e);
/// Factors that all terms of a sum share: x*a + x*b is x*(a + b).
std::optional<Expr> common_factors(Graph& graph, Expr e);

/// Numbers out of the factors of a product.
std::optional<Expr> normalise_product(Graph& graph, Expr e);
/// Powers of equal bases: x*x is x^2. `cancel`: x^2/x is x, also at 0.
std::optional<Expr> merge_powers(Graph& graph, Facts& facts, const Kept& kept, Expr e, bool cancel);
/// Factors that do not depend on what is summed, out of the sum; also out of products inside it, but for kept ones.
std::optional<Expr> hoist_factors(Graph& graph, const Kept& kept, Expr e);
/// Guards that no bound label of a sum decides go around it: `where(r != 0, sum(x)/r, 0)`.
std::optional<Expr> hoist_guards(Graph& graph, Expr e);
/// `n*x != 0` is `x != 0`: sizes are not 0 where they multiply or divide, nor is `0.5 if c else 1`. Comparisons of
/// positions that hold everywhere or nowhere.
std::optional<Expr> decide_condition(Graph& graph, Expr e);
/// Guards by position that hold at all of a node's labels, or at none.
std::optional<Expr> decide_guards(Graph& graph, Expr e);
/// What is centred along an axis sums to 0 there, and so do its parts of one length: Σ (x - mean(x))/norm.
std::optional<Expr> sum_of_centred(Graph& graph, Expr e);
/// What a softmax over an axis of no elements sums to: 0 in what users write; in slopes, which have the axis, no
/// matter.
enum class Empty : std::uint8_t { is_zero, is_no_matter };
/// A softmax summed over all of its axis is 1.
std::optional<Expr> sum_of_softmax(Graph& graph, Expr e, Empty empty);
/// Powers of powers, of numbers and of quotients.
std::optional<Expr> normalise_power(Graph& graph, const Kept& kept, Expr e);

}  // namespace gradus::rules
