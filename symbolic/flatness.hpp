// Which values have slope 0 where they are 0, as sums of squares and quadratic forms.
#pragma once

#include <vector>

#include "symbolic/graph.hpp"

namespace gradus {

/// Decided from the form, for the inputs that `active` (by Expr::id) marks. Weights that are no inputs of the
/// derivative count as what makes a form definite, whatever their sign.
class Flatness {
 public:
  Flatness(const Graph& graph, const std::vector<char>& active) : graph_(graph), active_(active) {}
  bool holds(Expr e) const { return is_flat(e, deepest); }

 private:
  static constexpr int deepest = 4;  // sums within sums: a bound keeps long chains linear

  bool is_active(Expr e) const { return e.id < active_.size() && active_[e.id] != 0; }
  bool is_flat(Expr e, int depth) const;
  bool is_flat_product(const Node& n, int depth) const;
  bool is_flat_sum(const Node& n, int depth) const;
  std::vector<Expr> squares_of(Expr e, int depth) const;
  bool is_even_power(const Node& n) const;
  bool may_be_added(Expr e) const;

  const Graph& graph_;
  const std::vector<char>& active_;
};

}  // namespace gradus
