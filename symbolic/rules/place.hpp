// When two operands are the same value: at another scale, or at one place of a
// reduction.
#pragma once

#include <optional>
#include <vector>

#include "symbolic/graph.hpp"

namespace gradus::rules {

/// Whether a node is a product without sum and guards (or a constant in all
/// elements of its axes).
inline bool plain_product(const Node& n) {
  return n.kind == Kind::contraction && n.labels.size() == n.rank && n.guards.empty();
}

/// q where a = q·b, for operands in the same labels that differ in scale only.
std::optional<Rational> ratio(Graph& graph, const Operand& a, const Operand& b);

/// The labels first … first+count-1 of a reduction.
struct LabelRange {
  Label first = 0;
  std::uint32_t count = 0;
};

/// Whether `outer` is `inner` with a subscript in place of each label of the
/// range; `at` (one entry a label) gets the subscripts found. Views in between
/// do not matter; a missed match is possible in large expressions, a wrong one
/// not.
bool same_at_place(Graph& graph, const Operand& inner, const Operand& outer, LabelRange range,
                   std::vector<std::optional<Subscript>>& at);

}  // namespace gradus::rules
