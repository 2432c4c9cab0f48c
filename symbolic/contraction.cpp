// The canonicalising constructor of contractions: guards, solvable equalities, unused labels, order of factors.
#include <algorithm>
#include <functional>

#include "symbolic/graph_internal.hpp"

namespace gradus {
namespace {

/// A guarded factor is dissolved into its user's product up to this many factors; beyond, only its guards are hoisted
/// (a chain of products under one guard would otherwise grow quadratically).
constexpr std::size_t most_flattened_factors = 8;

/// A product has up to this many conditions as guards of their own; more become one conjunction, which stays whole (a
/// chain of choices would otherwise have all conditions at each step).
constexpr std::size_t most_conditions = 16;

/// A contraction under construction.
class Draft {
 public:
  Draft(Graph& graph, std::vector<Size> labels, std::uint32_t rank, Rational coefficient, std::vector<Operand> operands,
        std::vector<Guard> guards)
      : graph_(graph),
        labels_(std::move(labels)),
        rank_(rank),
        coefficient_(std::move(coefficient)),
        operands_(std::move(operands)),
        guards_(std::move(guards)) {}

  Expr build() {
    if (is_broadcast()) return finish();
    absorb_factors();
    while (simplify_guards()) {
    }
    if (coefficient_.is_zero() || never_) return detail::full(graph_, axes(), 0);
    drop_unused_bound_labels();
    if (coefficient_.is_zero()) return detail::full(graph_, axes(), 0);
    join_conditions();
    std::ranges::stable_sort(operands_, detail::before);
    number_bound_labels();
    return finish();
  }

 private:
  std::vector<Size> axes() const { return {labels_.begin(), labels_.begin() + rank_}; }

  /// Whether it only reads one value along further axes: that stays a view, whatever the value is (a guarded product
  /// taken apart here would be put together again by the same view of it, for ever).
  bool is_broadcast() {
    if (operands_.size() != 1 || !guards_.empty() || labels_.size() != rank_ || !coefficient_.is_one()) return false;
    operands_[0] = detail::resolve(graph_, std::move(operands_[0]));
    if (graph_.constant_value(operands_[0].expr) != nullptr) return false;
    const auto used = used_labels();
    return std::ranges::find(used, 0) != used.end();
  }

  /// Folds constants, reads through views, hoists guards of factors.
  void absorb_factors() {
    std::vector<Operand> kept;
    std::vector<Operand> open(operands_.rbegin(), operands_.rend());
    while (!open.empty()) {
      Operand o = detail::resolve(graph_, std::move(open.back()));
      open.pop_back();
      if (const Rational* c = graph_.constant_value(o.expr)) {
        coefficient_ = coefficient_ * *c;
        continue;
      }
      const Node& n = graph_[o.expr];
      if (n.kind != Kind::contraction || n.labels.size() != n.rank || n.guards.empty()) {
        kept.push_back(std::move(o));
        continue;
      }
      for (const auto& g : n.guards) add_guard(graph_.substitute(g, o.subscripts));
      if (n.operands.size() <= most_flattened_factors) {
        coefficient_ = coefficient_ * n.coefficients[0];
        for (std::size_t k = n.operands.size(); k-- > 0;)
          open.push_back(graph_.substitute(n.operands[k], o.subscripts));
      } else {
        const Expr unguarded = graph_.contraction(n.labels, n.rank, n.coefficients[0], n.operands);
        open.push_back({unguarded, o.subscripts});
      }
    }
    operands_ = std::move(kept);
    std::vector<Guard> guards;
    guards.swap(guards_);
    for (auto& g : guards) add_guard(std::move(g));
  }

  void add_guard(Guard g) {
    if (g.kind == Guard::Kind::condition) {
      g.condition = detail::resolve(graph_, std::move(g.condition));
      if (split_condition(g)) return;
    } else if (g.kind != Guard::Kind::nonnegative) {
      g.affine = with_positive_lead(g.affine);
    }
    if (std::ranges::find(guards_, g) == guards_.end()) guards_.push_back(std::move(g));
  }

  /// Writes a conjunction as guards of its own, and drops a constant truth.
  bool split_condition(const Guard& g) {
    if (const Rational* c = graph_.constant_value(g.condition.expr)) {
      if (c->is_zero()) never_ = true;
      return true;
    }
    const Node& n = graph_[g.condition.expr];
    if (n.kind != Kind::elementwise || n.function != Function::logical_and || is_long(g.condition.expr)) return false;
    const std::vector<Operand> parts = n.operands;
    for (const auto& p : parts) add_guard({Guard::Kind::condition, {}, graph_.substitute(p, g.condition.subscripts)});
    return true;
  }

  /// Whether a conjunction has more conditions than guards may be.
  bool is_long(Expr conjunction) const {
    std::vector<Expr> open{conjunction};
    std::size_t conditions = 1;
    while (!open.empty() && conditions <= most_conditions) {
      const Node& n = graph_[open.back()];
      open.pop_back();
      if (n.kind != Kind::elementwise || n.function != Function::logical_and) continue;
      conditions += n.operands.size() - 1;
      for (const auto& o : n.operands) open.push_back(o.expr);
    }
    return conditions > most_conditions;
  }

  /// Too many conditions as one, where nothing is summed.
  void join_conditions() {
    const auto is_condition = [](const Guard& g) { return g.kind == Guard::Kind::condition; };
    if (labels_.size() != rank_ || std::ranges::count_if(guards_, is_condition) <= std::ptrdiff_t{most_conditions})
      return;
    const auto others = std::ranges::stable_partition(guards_, std::not_fn(is_condition));
    Operand all = others.front().condition;
    for (const Guard& g : std::ranges::subrange(others.begin() + 1, others.end()))
      all = {graph_.elementwise(Function::logical_and, labels_, {all, g.condition}), graph_.identity(rank_)};
    guards_.erase(others.begin(), others.end());
    guards_.push_back({Guard::Kind::condition, {}, std::move(all)});
  }

  /// s == 0 and -s == 0 are one guard.
  Subscript with_positive_lead(const Subscript& s) {
    const Size lead =
        !s.labels.empty() ? s.labels[0].coefficient : (!s.data.empty() ? s.data[0].coefficient : s.offset);
    const Sizes& sizes = graph_.sizes();
    const bool negative = !sizes.is_nonnegative(lead) && sizes.is_nonnegative(graph_.sizes().scale(lead, -1));
    return negative ? graph_.scale(s, graph_.sizes().constant(-1)) : s;
  }

  /// One round over the guards; true when something changed.
  bool simplify_guards() {
    for (std::size_t k = 0; k < guards_.size(); ++k) {
      const Guard& g = guards_[k];
      if (g.kind == Guard::Kind::condition) continue;
      switch (decide(g)) {
        case Truth::always:
          guards_.erase(guards_.begin() + static_cast<std::ptrdiff_t>(k));
          return true;
        case Truth::never:
          never_ = true;
          guards_.erase(guards_.begin() + static_cast<std::ptrdiff_t>(k));
          return true;
        case Truth::unknown:
          break;
      }
      if (g.kind == Guard::Kind::zero)
        if (const auto l = solvable_label(g.affine)) {
          substitute_label(*l, k);
          return true;
        }
    }
    return false;
  }

  enum class Truth { always, never, unknown };

  Truth decide(const Guard& g) {
    const auto r = graph_.range(g.affine, labels_);
    if (!r) return Truth::unknown;
    Sizes& sizes = graph_.sizes();
    const bool above = sizes.is_nonnegative(sizes.subtract(r->low, sizes.constant(1)));
    const bool below = sizes.is_negative(r->high);
    switch (g.kind) {
      case Guard::Kind::nonnegative:
        if (sizes.is_nonnegative(r->low)) return Truth::always;
        return below ? Truth::never : Truth::unknown;
      case Guard::Kind::zero:
        if (r->low == r->high && sizes.is_zero(r->low)) return Truth::always;
        return above || below ? Truth::never : Truth::unknown;
      case Guard::Kind::nonzero:
        if (r->low == r->high && sizes.is_zero(r->low)) return Truth::never;
        return above || below ? Truth::always : Truth::unknown;
      case Guard::Kind::condition:
        break;
    }
    return Truth::unknown;
  }

  /// A bound label that occurs with coefficient 1 or -1 and in no data term; first one that needs no range guards.
  std::optional<Label> solvable_label(const Subscript& s) {
    std::optional<Label> best;
    for (const auto& t : s.labels) {
      const auto c = graph_.sizes().as_constant(t.coefficient);
      if (t.label < rank_ || (c != 1 && c != -1)) continue;
      bool in_data = false;
      for (const auto& d : s.data)
        for (const auto& inner : d.subscripts) Graph::each_label(inner, [&](Label l) { in_data |= l == t.label; });
      if (in_data) continue;
      if (graph_.certainly_inside(solution(s, t.label), labels_, labels_[t.label])) return t.label;
      if (!best) best = t.label;
    }
    return best;
  }

  /// s == 0 solved for a label with coefficient 1 or -1.
  Subscript solution(const Subscript& s, Label l) {
    Size coefficient;
    for (const auto& t : s.labels)
      if (t.label == l) coefficient = t.coefficient;
    const Subscript rest = graph_.subtract(s, graph_.scale(graph_.label(l), coefficient));
    return graph_.scale(rest, graph_.sizes().scale(coefficient, -1));
  }

  /// Replaces a bound label by the solution of guard k; the label's range becomes two guards where it is not certain.
  void substitute_label(Label l, std::size_t k) {
    Sizes& sizes = graph_.sizes();
    const Subscript value = solution(guards_[k].affine, l);
    const Size count = labels_[l];
    const bool inside = graph_.certainly_inside(value, labels_, count);
    std::vector<Subscript> map(labels_.size());
    const auto renumber = [&](Label other) { return graph_.label(other < l ? other : other - 1); };
    for (Label other = 0; other < labels_.size(); ++other)
      if (other != l) map[other] = renumber(other);
    map[l] = graph_.substitute(value, map);
    guards_.erase(guards_.begin() + static_cast<std::ptrdiff_t>(k));
    labels_.erase(labels_.begin() + static_cast<std::ptrdiff_t>(l));
    for (auto& o : operands_) o = graph_.substitute(o, map);
    std::vector<Guard> guards;
    guards.swap(guards_);
    for (const auto& g : guards) add_guard(graph_.substitute(g, map));
    if (inside) return;
    add_guard({Guard::Kind::nonnegative, map[l], {}});
    const Subscript last = graph_.offset(sizes.subtract(count, sizes.constant(1)));
    add_guard({Guard::Kind::nonnegative, graph_.subtract(last, map[l]), {}});
  }

  std::vector<char> used_labels() const {
    std::vector<char> used(labels_.size(), 0);
    const auto mark = [&](Label l) { used[l] = 1; };
    for (const auto& o : operands_) Graph::each_label(o, mark);
    for (const auto& g : guards_) Graph::each_label(g, mark);
    return used;
  }

  /// Σ over an unused label multiplies by its size.
  void drop_unused_bound_labels() {
    const auto used = used_labels();
    std::vector<Subscript> map(labels_.size());
    std::vector<Size> kept;
    std::vector<Size> dropped;
    for (Label l = 0; l < labels_.size(); ++l) {
      if (l >= rank_ && used[l] == 0) {
        dropped.push_back(labels_[l]);
      } else {
        map[l] = graph_.label(static_cast<Label>(kept.size()));
        kept.push_back(labels_[l]);
      }
    }
    if (dropped.empty()) return;
    labels_ = std::move(kept);
    for (auto& o : operands_) o = graph_.substitute(o, map);
    for (auto& g : guards_) g = graph_.substitute(g, map);
    for (const Size count : dropped) {
      if (const auto value = graph_.sizes().as_constant(count))
        coefficient_ = coefficient_ * Rational(*value);
      else
        operands_.push_back({graph_.size_value(graph_.sizes().maximum(count, Size{})), {}});  // an empty range is empty
    }
  }

  /// Bound labels are numbered by their first occurrence, so equal contractions are identical.
  void number_bound_labels() {
    std::vector<Label> order;
    std::vector<char> seen(labels_.size(), 0);
    const auto visit = [&](Label l) {
      if (l >= rank_ && seen[l] == 0) {
        seen[l] = 1;
        order.push_back(l);
      }
    };
    for (const auto& o : operands_) Graph::each_label(o, visit);
    for (const auto& g : guards_) Graph::each_label(g, visit);
    if (std::ranges::is_sorted(order)) return;
    std::vector<Subscript> map = graph_.identity(static_cast<std::uint32_t>(labels_.size()));
    std::vector<Size> labels = axes();
    for (const Label l : order) {
      map[l] = graph_.label(static_cast<Label>(labels.size()));
      labels.push_back(labels_[l]);
    }
    labels_ = std::move(labels);
    for (auto& o : operands_) {
      o = graph_.substitute(o, map);
      detail::order_symmetric(graph_, o);
    }
    for (auto& g : guards_) g = graph_.substitute(g, map);
  }

  Expr finish() {
    const bool plain = guards_.empty() && labels_.size() == rank_;
    if (plain && operands_.empty()) return detail::full(graph_, std::move(labels_), coefficient_);
    const bool view = plain && operands_.size() == 1 && coefficient_.is_one();
    if (view && graph_.is_identity(operands_[0], labels_, rank_)) return operands_[0].expr;
    if (view) return intern(labels_, graph_.identity(static_cast<std::uint32_t>(labels_.size())));
    return detail::on_used_labels(graph_, labels_, rank_, used_labels(),
                                  [&](const auto& kept, const auto& map) { return intern(kept, map); });
  }

  Expr intern(const std::vector<Size>& labels, const std::vector<Subscript>& map) {
    Node n;
    n.kind = Kind::contraction;
    n.rank = static_cast<std::uint32_t>(labels.size() - (labels_.size() - rank_));
    n.labels = labels;
    n.coefficients = {coefficient_};
    for (const auto& o : operands_) n.operands.push_back(graph_.substitute(o, map));
    for (const auto& g : guards_) n.guards.push_back(graph_.substitute(g, map));
    return graph_.intern(std::move(n));
  }

  Graph& graph_;
  std::vector<Size> labels_;
  std::uint32_t rank_;
  Rational coefficient_;
  std::vector<Operand> operands_;
  std::vector<Guard> guards_;
  bool never_ = false;
};

}  // namespace

Expr Graph::contraction(std::vector<Size> labels, std::uint32_t rank, Rational coefficient,
                        std::vector<Operand> operands, std::vector<Guard> guards) {
  return Draft(*this, std::move(labels), rank, std::move(coefficient), std::move(operands), std::move(guards)).build();
}

}  // namespace gradus
