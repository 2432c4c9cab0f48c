// Operands as sums of terms, and how many terms two of them differ by.
#pragma once

#include <optional>
#include <vector>

#include "symbolic/graph.hpp"

namespace gradus::rules {

/// The terms of an operand, sums inside sums and their scales taken apart while they are few.
std::vector<Term> terms_of(Graph& graph, const Operand& operand);

/// How many terms are left of a - b, where they are fewer than those of a and b together by two at least (terms that
/// both have, numbers included) and not none.
std::optional<std::size_t> terms_between(Graph& graph, const Operand& a, const Operand& b);

}  // namespace gradus::rules
