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
/// Of the two ways to read an element of a symmetric input the one that all take.
void order_symmetric(const Graph& graph, Operand& operand);

/// A constant in every element of the axes.
Expr full(Graph& graph, std::vector<Size> shape, const Rational& value);

/// The operand broadcast over axes that it does not use, as a view. (Graph::view would hoist the guards of a guarded
/// operand, which then does not use the axes either: without end.)
inline Expr broadcast(Graph& graph, std::vector<Size> axes, Operand operand) {
  operand = resolve(graph, std::move(operand));
  if (const Rational* c = graph.constant_value(operand.expr)) return full(graph, std::move(axes), *c);
  Node n;
  n.kind = Kind::contraction;
  n.rank = static_cast<std::uint32_t>(axes.size());
  n.labels = std::move(axes);
  n.coefficients = {1};
  n.operands = {std::move(operand)};
  return graph.intern(std::move(n));
}

/// Builds a node over the labels that it uses and, when an axis was dropped, a view that broadcasts it back. `used` has
/// one flag a label; bound labels (from `rank` on) are always kept. `build(kept labels, map)`: `map` takes old labels
/// to new ones.
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
  return broadcast(graph, {labels.begin(), labels.begin() + rank}, {inner, std::move(outer)});
}

/// An order of operands that depends on what they are only.
bool before(const Operand& a, const Operand& b);

/// A constant to a constant power, where it is exact.
std::optional<Rational> exact_power(const Rational& base, const Rational& exponent);

}  // namespace gradus::detail
