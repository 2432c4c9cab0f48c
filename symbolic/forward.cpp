// Forward accumulation: tangents from the inputs up, each term of a differential as it stands.
#include <algorithm>
#include <utility>

#include "symbolic/differentiate.hpp"
#include "symbolic/linearise.hpp"

namespace gradus {
namespace {

class Forward {
 public:
  Forward(Graph& graph, Expr root, const std::vector<std::pair<Expr, Expr>>& given)
      : graph_(graph), root_(root), finiteness_(graph) {
    std::vector<Expr> inputs;
    for (const auto& [input, tangent] : given) inputs.push_back(input);
    active_ = active_nodes(graph, root, inputs);
    tangents_.resize(active_.size());
    for (const auto& [input, tangent] : given)
      if (input.id < tangents_.size()) tangents_[input.id] = tangent;
  }

  Expr run() {
    for (const Expr e : graph_.reachable({root_}))
      if (active_[e.id] != 0) tangents_[e.id] = tangent_of(e);
    if (active_[root_.id] == 0) return graph_.view(graph_.shape(root_), {graph_.constant(0), {}});
    return tangents_[root_.id];
  }

 private:
  /// A value that is an input itself and depends on others too has both its own tangent and theirs.
  Expr tangent_of(Expr e) {
    const Node& node = graph_[e];
    std::vector<Term> terms;
    if (tangents_[e.id].valid()) terms.push_back({1, graph_.whole(tangents_[e.id])});
    if (node.kind == Kind::reshape) {
      if (active_[node.operands[0].expr.id] != 0)
        terms.push_back({1, graph_.whole(graph_.reshape(graph_.shape(e), tangents_[node.operands[0].expr.id]))});
    } else if (node.kind == Kind::elementwise && node.function == Function::select) {
      terms.push_back({1, graph_.whole(select(node))});
    } else {
      for (const LinearTerm& t : differential(graph_, e, active_)) terms.push_back({1, graph_.whole(product(e, t))});
    }
    return graph_.sum(graph_.shape(e), std::move(terms));
  }

  Operand tangent(const Operand& o) {
    if (o.expr.id < active_.size() && active_[o.expr.id] != 0) return {tangents_[o.expr.id], o.subscripts};
    return {graph_.constant(0), {}};
  }

  Expr select(const Node& node) {
    return graph_.elementwise(Function::select, node.labels,
                              {node.operands[0], tangent(node.operands[1]), tangent(node.operands[2])});
  }

  /// Where the tangent is 0 a value does not move, whatever its partial: a factor that may be infinite is guarded.
  Expr product(Expr e, const LinearTerm& t) {
    const std::uint32_t rank = graph_.rank(e);
    const Operand direction = tangent(t.target);
    std::vector<Guard> guards = t.guards;
    if (may_fail(e, t)) {
      const Expr moves = graph_.apply(Function::not_equal, {direction.expr, graph_.constant(0)});
      guards.push_back({Guard::Kind::condition, {}, {moves, direction.subscripts}});
    }
    std::vector<Operand> factors = t.inner;
    factors.push_back(direction);
    if (t.outer.empty() || t.labels.size() == rank) {
      factors.insert(factors.end(), t.outer.begin(), t.outer.end());
      return graph_.contraction(t.labels, rank, t.coefficient, std::move(factors), std::move(guards));
    }
    // The sum first; the outer factors stand under the guards that do not depend on what was summed.
    const Expr sum = graph_.contraction(t.labels, rank, t.coefficient, std::move(factors), guards);
    std::erase_if(guards, [&](const Guard& g) {
      bool bound = false;
      Graph::each_label(g, [&](Label l) { bound |= l >= rank; });
      return bound;
    });
    factors = t.outer;
    factors.push_back(graph_.whole(sum));
    return graph_.contraction(graph_.shape(e), rank, 1, std::move(factors), std::move(guards));
  }

  bool may_fail(Expr e, const LinearTerm& t) {
    const auto fails = [&](const std::vector<Operand>& list) {
      return std::ranges::any_of(
          list, [&](const Operand& o) { return finiteness_.may_fail(o.expr, Finiteness::finite_inputs); });
    };
    return (fails(t.inner) || fails(t.outer)) && !(t.total && !fails(graph_[e].operands));
  }

  Graph& graph_;
  Expr root_;
  std::vector<char> active_;    // by Expr::id
  std::vector<Expr> tangents_;  // by Expr::id
  Finiteness finiteness_;
};

}  // namespace

Expr directional_derivative(Graph& graph, Expr root, const std::vector<std::pair<Expr, Expr>>& tangents) {
  return Forward(graph, root, tangents).run();
}

}  // namespace gradus
