// Activity: which values have a derivative at all.
#include "symbolic/differentiate.hpp"

#include "symbolic/linearise.hpp"

namespace gradus {

std::vector<char> active_nodes(const Graph& graph, Expr root, const std::vector<Expr>& inputs) {
  std::vector<char> active(root.id + 1u, 0);
  for (const Expr x : inputs)
    if (x.id < active.size()) active[x.id] = 1;
  for (const Expr e : graph.reachable({root})) {
    const Node& n = graph[e];
    for (std::size_t k = 0; k < n.operands.size() && active[e.id] == 0; ++k)
      if (active[n.operands[k].expr.id] != 0 && is_differentiable(n, k)) active[e.id] = 1;
  }
  return active;
}

}  // namespace gradus
