// Forms of derivatives for people: what only derivatives need, without what protects machines.
#pragma once

#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "symbolic/graph.hpp"
#include "symbolic/rules/facts.hpp"

namespace gradus::printing {

/// Whether values are finite wherever their inputs are: factors that may stand beside a 0.
class Finite {
 public:
  /// `constants` are hyper-parameters, which are not 0 where something is divided by them.
  Finite(const Graph& graph, rules::Facts& facts, std::vector<Expr> constants)
      : graph_(graph), facts_(facts), constants_(std::move(constants)) {}
  bool operator()(Expr e);

 private:
  bool find(Expr e);
  bool is_away_from_zero(Expr e);

  const Graph& graph_;
  rules::Facts& facts_;
  std::vector<Expr> constants_;
  std::unordered_map<std::uint32_t, bool> known_;  // by Expr::id
};

/// A program's nodes, those of the values that its author wrote apart from those that only derivatives need.
class Reading {
 public:
  using Form = std::function<Expr(Expr)>;

  Reading(Graph& graph, const std::vector<Expr>& values, const std::vector<Expr>& roots)
      : graph_(graph), values_(graph.reachable(values)), order_(graph.reachable(roots)) {}

  const std::vector<Expr>& order() const { return order_; }
  bool is_value(Expr e) const;
  /// Sends what only derivatives need through a form, operands first; `values_too`: everything.
  void run(const Form& form, bool values_too = false);
  Expr operator[](Expr e) const { return e.id < to_.size() && to_[e.id].valid() ? to_[e.id] : e; }

 private:
  Graph& graph_;
  std::vector<Expr> values_, order_;
  std::vector<Expr> to_;
};

/// `where(x != 0, x*y, 0)` is `x*y` where y is finite; a guard on what is positive goes, `c*x != 0` is `x != 0` for a
/// positive c.
Expr without_needless_guards(Graph& graph, rules::Facts& facts, Finite& finite, Expr e);

/// Which nodes a program has, which of them its author named, and which stand in a sum beside a number, or beside a
/// function that may hold one.
struct Present {
  std::unordered_set<std::uint32_t> nodes, named, beside_number;  // by Expr::id
};
/// The slope of tanh by its value, 1 - h^2, where that is there; log(p) for log_sigmoid(x) where p has a name; exp(x) -
/// 1 for expm1(x) where its 1 meets no number.
Expr by_present_value(Graph& graph, const Present& present, Expr e);

/// Finite scalars out of a filtered sum; a softmax summed over its axis is 1.
Expr with_sums_reduced(Graph& graph, Finite& finite, Expr e);

/// The slope of max(a, b) by both: where(a < b, y, where(b < a, x, (x + y)/2)).
Expr slopes_of_largest(Graph& graph, Expr e);
/// By one of them: a factor that is 1, 1/2 where a and b tie, or 0; nothing beside a factor max(0, x), which is 0
/// there.
Expr slope_of_largest(Graph& graph, Finite& finite, Expr e);

}  // namespace gradus::printing
