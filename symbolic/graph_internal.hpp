// What the constructors of the graph and the differential share; not for other parts.
#pragma once

#include <utility>
#include <vector>

#include "symbolic/graph.hpp"

namespace gradus::detail {

/// Whether a node is only another way of reading its operand (a transpose, slice, broadcast, diagonal …).
inline bool is_view(const Node& n) {
  return n.kind == Kind::contraction && n.operands.size() == 1 && n.guards.empty() && n.labels.size() == n.rank &&
         n.coefficients[0].is_one();
}

/// The operand read through views of its expression.
Operand resolve(Graph& graph, Operand operand);

/// A constant in every element of the axes.
Expr full(Graph& graph, std::vector<Size> shape, const Rational& value);

/// Builds a node over the labels that it uses and, when an axis was dropped, a view that broadcasts it back. `used` has
/// one flag a label; bound labels (from `rank` on) are always kept. `build(kept labels, map)`: `map` takes old labels to
/// new ones.
template <class Build>
Expr on_used_labels(Graph& graph, const std::vector<Size>& labels, std::uint32_t rank, const std::vector<char>& used,
                    Build&& build) {
  std::vector<Size> kept;
  std::vector<Subscript> map(labels.size());
  std::vector<Subscript> outer;
  for (Label l = 0; l < labels.size(); ++l) {
    if (l < rank && used[l] == 0) continue;
    map[l] = graph.label(static_cast<Label>(kept.size()));
    if (l < rank) outer.push_back(graph.label(l));
    kept.push_back(labels[l]);
  }
  if (kept.size() == labels.size()) return build(labels, map);
  const Expr inner = build(kept, map);
  return graph.view({labels.begin(), labels.begin() + rank}, {inner, std::move(outer)});
}

/// An order of operands that depends on what they are only.
bool before(const Operand& a, const Operand& b);

/// A constant to a constant power, where it is exact.
std::optional<Rational> exact_power(const Rational& base, const Rational& exponent);

}  // namespace gradus::detail
