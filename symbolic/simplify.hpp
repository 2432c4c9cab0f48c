// Rewriting to simpler and numerically better equal forms: passes from graph to graph.
#pragma once

#include <vector>

#include "symbolic/graph.hpp"
#include "symbolic/rules/shifts.hpp"

namespace gradus {

/// Recognises numerically stable forms (log(1 + exp(x)) is softplus(x), …) in what the roots reach. Runs before
/// differentiation and again after. Returns the new roots, in order.
std::vector<Expr> stabilise(Graph& graph, const std::vector<Expr>& roots);
std::vector<Expr> stabilise(Graph& graph, const std::vector<Expr>& roots, rules::Shifts& shifts);

/// Rewrites the roots to a fixed point: rules under a size order, flattening by use counts, like terms, merged
/// contractions. `named` are values that keep a line of their own in print (they are never dissolved into their
/// users' products when used more than once). Includes `stabilise`. Returns the new roots, in order.
std::vector<Expr> simplify(Graph& graph, const std::vector<Expr>& roots);
std::vector<Expr> simplify(Graph& graph, const std::vector<Expr>& roots, rules::Shifts& shifts);

}  // namespace gradus
