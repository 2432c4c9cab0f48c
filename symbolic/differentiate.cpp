// Activity: which values have a derivative at all; values without the derivatives that the user gave.
#include "symbolic/differentiate.hpp"

#include <algorithm>

#include "symbolic/linearise.hpp"
#include "symbolic/rules/rewrite.hpp"

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

std::vector<Expr> without_given(Graph& graph, const std::vector<Expr>& roots) {
  std::vector<Expr> now(graph.node_count());
  const auto is_given = [&](Expr e) { return graph[e].kind == Kind::given; };
  const std::vector<Expr> order = graph.reachable(roots);
  if (std::ranges::none_of(order, is_given)) return roots;
  for (const Expr e : order) {
    const auto map = [&](Expr child) { return now[child.id]; };
    if (is_given(e)) {
      const std::vector<Size> axes = graph.shape(e);
      now[e.id] = graph.view(axes, rules::map_operand(graph[e].operands[0], map));
    } else {
      now[e.id] = rules::map_children(graph, e, map);
    }
  }
  std::vector<Expr> out;
  for (const Expr e : roots) out.push_back(now[e.id]);
  return out;
}

}  // namespace gradus
