// The entry points of simplification.
#include "symbolic/simplify.hpp"

#include "symbolic/rules/rewrite.hpp"

namespace gradus {

std::vector<Expr> stabilise(Graph& graph, const std::vector<Expr>& roots) {
  rules::Rewriter rewrite(graph, [](rules::Group g) { return g != rules::Group::real && g != rules::Group::domain; });
  std::vector<Expr> out;
  for (const Expr e : roots) out.push_back(rewrite(e));
  return out;
}

std::vector<Expr> simplify(Graph& graph, const std::vector<Expr>& roots) { return stabilise(graph, roots); }

}  // namespace gradus
