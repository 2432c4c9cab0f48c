// What can be proved about the sign of a value from its form.
#pragma once

#include <vector>

#include "symbolic/graph.hpp"

namespace gradus::rules {

/// Signs of the nodes of a graph, found from their operands' signs; grows with the graph.
class Facts {
 public:
  explicit Facts(const Graph& graph) : graph_(graph) {}

  /// Whether the value is > 0 over the reals (NaN and rounding to 0 apart).
  bool positive(Expr e) { return sign_of(e) == Sign::positive; }
  /// Whether the value is >= 0.
  bool nonnegative(Expr e) { return sign_of(e) >= Sign::nonnegative; }

 private:
  using Sign = InputSign;
  Sign sign_of(Expr e);
  Sign find(Expr e) const;
  Sign of_affine(const Subscript& affine) const;
  Sign elementwise(const Node& n) const;

  const Graph& graph_;
  std::vector<Sign> known_;
};

}  // namespace gradus::rules
