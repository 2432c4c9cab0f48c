// The differential of each kind of node: one rule a kind, read forward (Jacobian-vector) and backward
// (vector-Jacobian).
#pragma once

#include <vector>

#include "symbolic/graph.hpp"

namespace gradus {

/// One term of a node's differential, over labels of its own (the first `rank` are the node's axes, the rest are
/// bound):
///
///   d node = coefficient · Π outer · Σ over bound labels, where all guards hold, of Π inner · d target
///
/// `outer` depends on axes only. Where a guard fails nothing counts, neither factors nor what they are multiplied with.
struct LinearTerm {
  std::vector<Size> labels;
  Operand target;
  Rational coefficient = 1;
  std::vector<Operand> outer;
  std::vector<Operand> inner;
  std::vector<Guard> guards;
  bool total = true;    // the factors are finite wherever the node's operands are
  bool chosen = false;  // the guards hold more than the node's own: the target counts only where it was chosen
};

/// The differential of a node as a sum of terms, for targets that `active` (by Expr::id) marks. A reshape, which is no
/// such sum, has none: its derivative is a reshape.
std::vector<LinearTerm> differential(Graph& graph, Expr node, const std::vector<char>& active);

/// Whether a node has a derivative in its operand number k (conditions, steps and positions have none).
bool is_differentiable(const Node& node, std::size_t k);

/// Whether values may be infinite or NaN where inputs are finite numbers, or where inputs are anything.
class Finiteness {
 public:
  explicit Finiteness(const Graph& graph) : graph_(graph) {}
  enum Inputs { finite_inputs, any_inputs };
  /// Whether the value may have an element that is not finite (elements outside axes apart).
  bool may_fail(Expr e, Inputs inputs);

 private:
  const Graph& graph_;
  std::vector<char> known_;  // by Expr::id: bit 0 for finite inputs, bit 1 for any
};

}  // namespace gradus
