// Matching patterns against the graph and building what replaces a match.
//
// Everything is seen from one node, the root of the match: operands further
// down are read at subscripts composed on the way, affine in the labels of the
// root and of the reductions that the pattern opened below it.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "symbolic/graph.hpp"
#include "symbolic/rules/pattern.hpp"
#include "symbolic/rules/place.hpp"

namespace gradus::rules {

/// What a variable of a pattern stands for.
struct Binding {
  Operand operand;                 // as it stands in its scope
  std::uint32_t scope = 0;         // 0: outside reductions; k: inside the k-th reduction opened
  std::optional<Operand> element;  // the same at one place, where the variable also stands outside
};

/// A reduction that the pattern opened: its labels stand after those of the
/// root.
struct Scope {
  Label first = 0;
  std::uint32_t count = 0;
  std::vector<Guard> guards;
};

/// A successful match.
struct Match {
  std::vector<Size> labels;  // of the root, then of the scopes
  std::vector<Scope> scopes;
  std::vector<std::optional<Binding>> variables;
  // Of a root that is a sum or a product: whether it is only a part of it, what
  // it leaves, and its scale.
  bool part = false;
  std::vector<Term> left;
  Rational factor = 1;
  bool expand = false;  // whether what replaces it takes sums inside its sums apart
  Rational scale = 1;   // of the product that is being matched: what its scaled variables leave
};

/// What a match costs: 0 where it is taken at once, nothing where it will not do.
using Accept = std::function<std::optional<std::size_t>(const Match&)>;

/// Matches a pattern at a node, the cheapest of what is accepted. Sums and products may be a part of the node's.
std::optional<Match> match(Graph& graph, const Pattern& pattern, std::size_t variables, Expr root,
                           const Accept& accept);

/// Builds the value of a pattern under a match, as an operand in the labels of
/// the root.
Operand build(Graph& graph, const Pattern& pattern, const Match& match);

/// The root with the matched part replaced.
Expr replace(Graph& graph, Expr root, const Match& match, Operand by);

}  // namespace gradus::rules
