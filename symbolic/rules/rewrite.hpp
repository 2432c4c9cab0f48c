// Rewriting to a normal form: rules and local algorithms applied to every node until none applies.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "symbolic/graph.hpp"
#include "symbolic/rules/facts.hpp"
#include "symbolic/rules/match.hpp"
#include "symbolic/rules/rules.hpp"

namespace gradus::rules {

/// Called with each rule that was applied and the node it was applied to (for tests).
using Trace = std::function<void(const Rule&, Expr)>;

/// Values that have a line of their own in print: what they are made of is not taken apart for their users.
class Kept {
 public:
  void add(Expr e) {
    if (e.id >= kept_.size()) kept_.resize(e.id + 1, 0);
    kept_[e.id] = 1;
  }
  bool contains(Expr e) const { return e.id < kept_.size() && kept_[e.id] != 0; }

 private:
  std::vector<char> kept_;
};

/// Rewrites nodes of one graph. Results are kept, so shared values are rewritten once.
class Rewriter {
 public:
  /// A local algorithm: a simpler equal value, or nothing.
  using Step = std::function<std::optional<Expr>(Expr)>;

  /// Uses the rules of the groups that `uses` accepts, and the steps, in this order: steps first.
  Rewriter(Graph& graph, const std::function<bool(Group)>& uses, std::vector<Step> steps = {}, Trace trace = nullptr);

  /// A local algorithm that is tried where nothing else applies.
  void finally(Step step) { last_.push_back(std::move(step)); }

  /// Which values the rules of the table, and what is tried at last, leave as they are.
  void leave(std::function<bool(Expr)> left) { left_ = std::move(left); }

  /// The values to keep; what one of them becomes is kept too.
  void keep(Kept* kept) { kept_ = kept; }

  /// The normal form of a node. Never recurses: depth costs heap only.
  Expr operator()(Expr e);

 private:
  Expr with_normal_children(Expr e);
  void keep_value(Expr e);
  std::optional<Expr> step(Expr e);
  std::optional<Expr> by_rule(Expr e);
  std::optional<Expr> apply(const Rule& rule, Expr e);
  bool holds(const Condition& c, const Match& match);
  std::optional<std::size_t> cost(const Rule& rule, const Match& match);
  const std::vector<const Rule*>& candidates(Expr e) const;

  struct Frame {
    Expr original;  // what gets the result
    Expr now;       // what it has become so far
  };

  Graph& graph_;
  Facts facts_;
  std::vector<Step> steps_, last_;
  std::function<bool(Expr)> left_;
  Trace trace_;
  std::vector<std::vector<const Rule*>> by_function_;
  std::vector<const Rule*> for_sums_, for_products_, for_reductions_, none_;
  Kept* kept_ = nullptr;
  std::vector<Expr> normal_;
  std::uint64_t fuel_ = 0;
};

/// An operand, a guard with each expression replaced, index data in subscripts included.
Operand map_operand(Operand o, const std::function<Expr(Expr)>& map);
Guard map_guard(Guard g, const std::function<Expr(Expr)>& map);
/// A copy of the node with each expression it reads replaced; the constructors canonicalise it.
Expr map_children(Graph& graph, Expr e, const std::function<Expr(Expr)>& map);

}  // namespace gradus::rules
