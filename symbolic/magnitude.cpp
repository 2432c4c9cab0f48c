// A loop over the nodes of a directional derivative, which is linear in the direction.
#include "symbolic/magnitude.hpp"

#include <algorithm>
#include <vector>

namespace gradus {
namespace {

class Magnitude {
 public:
  Magnitude(Graph& graph, Expr direction) : graph_(graph), direction_(direction) {}

  Expr run(Expr derivative) {
    const std::vector<Expr> order = graph_.reachable({derivative});
    to_.resize(derivative.id + 1);
    for (const Expr e : order)
      if (depends(e)) to_[e.id] = magnitude(e);
    return of(derivative);
  }

 private:
  bool depends(Expr e) const {
    if (e == direction_) return true;
    const auto& operands = graph_[e].operands;
    return std::ranges::any_of(operands, [&](const Operand& o) { return to_[o.expr.id].valid(); });
  }

  /// The magnitude of what an operand reads.
  Expr of(Expr e) { return to_[e.id].valid() ? to_[e.id] : graph_.apply(Function::abs, {e}); }

  static Rational magnitude(const Rational& q) { return q.sign() < 0 ? -q : q; }

  Expr magnitude(Expr e) {
    Node n = graph_[e];
    const bool select = n.kind == Kind::elementwise && n.function == Function::select;
    const bool linear = n.kind == Kind::sum || n.kind == Kind::contraction || n.kind == Kind::reshape || select;
    const bool differs =
        n.kind == Kind::elementwise && n.function == Function::not_equal;  // from 0: it guards a product
    if (!linear && !differs) return graph_.apply(Function::abs, {e});
    for (std::size_t k = 0; k < n.operands.size(); ++k)
      if (!select || k > 0 || to_[n.operands[k].expr.id].valid()) n.operands[k].expr = of(n.operands[k].expr);
    for (Guard& g : n.guards)
      if (g.kind == Guard::Kind::condition && to_[g.condition.expr.id].valid())
        g.condition.expr = to_[g.condition.expr.id];
    for (Rational& q : n.coefficients) q = magnitude(q);
    return graph_.rebuild(n);
  }

  Graph& graph_;
  Expr direction_;
  std::vector<Expr> to_;  // of what depends on the direction, by Expr::id
};

}  // namespace

Expr derivative_magnitude(Graph& graph, Expr derivative, Expr direction) {
  return Magnitude(graph, direction).run(derivative);
}

}  // namespace gradus
