// Sums of adjoints: common guards outside, opposite conditions as one `where`.
#include "symbolic/contributions.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace gradus {
namespace {

/// Looking for pairs is quadratic in the number of contributions; beyond this many it is left.
constexpr std::size_t most_paired = 24;

/// A contribution taken apart: coefficient × Π operands where the guards hold.
struct Part {
  Rational coefficient = 1;
  std::vector<Operand> operands;
  std::vector<Guard> guards;
  Choice choice = Choice::none;  // of what stands under the guards
};

template <class T>
bool contains(const std::vector<T>& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

template <class T>
void remove(std::vector<T>& list, const T& item) {
  const auto found = std::find(list.begin(), list.end(), item);
  if (found != list.end()) list.erase(found);
}

class Adder {
 public:
  Adder(Graph& graph, const std::vector<Size>& axes) : graph_(graph), axes_(axes) {}

  Contribution add_up(std::vector<Contribution> parts) {
    if (parts.size() == 1) return parts[0];
    const bool all_chosen = std::ranges::all_of(parts, [](const Contribution& c) { return c.choice != Choice::none; });
    if (!all_chosen || parts.size() > most_paired)
      return {plain_sum(parts), all_chosen ? Choice::hidden : Choice::none};
    std::vector<Part> open;
    for (const Contribution& c : parts) open.push_back(taken_apart(c));
    std::vector<Guard> common = open[0].guards;
    for (const Part& p : open) std::erase_if(common, [&](const Guard& g) { return !contains(p.guards, g); });
    for (Part& p : open)
      for (const Guard& g : common) remove(p.guards, g);
    while (join_opposites(open)) {
    }
    return closed(std::move(open), std::move(common));
  }

 private:
  std::uint32_t rank() const { return static_cast<std::uint32_t>(axes_.size()); }

  Expr plain_sum(const std::vector<Contribution>& parts) {
    std::vector<Term> terms;
    for (const Contribution& c : parts) terms.push_back(term(c.adjoint));
    return graph_.sum(axes_, std::move(terms));
  }

  /// A multiple of a value is a term with a coefficient.
  Term term(Expr e) {
    const Node& n = graph_[e];
    if (n.kind == Kind::contraction && n.labels.size() == n.rank && n.guards.empty() && n.operands.size() == 1)
      return {n.coefficients[0], n.operands[0]};
    return {1, graph_.whole(e)};
  }

  Part taken_apart(const Contribution& c) {
    const Node& n = graph_[c.adjoint];
    if (c.choice != Choice::guarded) return {1, {graph_.whole(c.adjoint)}, {}, c.choice};
    return {n.coefficients[0], n.operands, n.guards, Choice::none};
  }

  Operand product(const Part& p) { return graph_.whole(graph_.contraction(axes_, rank(), p.coefficient, p.operands)); }

  /// Joins one pair that differs in a condition and its opposite only; false when there is none.
  bool join_opposites(std::vector<Part>& open) {
    for (std::size_t a = 0; a < open.size(); ++a)
      for (std::size_t b = a + 1; b < open.size(); ++b)
        if (const auto guard = opposite_guard(open[a], open[b])) {
          open[a] = joined(open[a], open[b], *guard);
          open.erase(open.begin() + static_cast<std::ptrdiff_t>(b));
          return true;
        }
    return false;
  }

  /// The guard of `a` whose opposite stands in `b`, when all other guards are the same.
  std::optional<Guard> opposite_guard(const Part& a, const Part& b) {
    if (a.guards.size() != b.guards.size()) return std::nullopt;
    std::optional<Guard> own, others;
    for (const Guard& g : a.guards)
      if (!contains(b.guards, g)) {
        if (own) return std::nullopt;
        own = g;
      }
    for (const Guard& g : b.guards)
      if (!contains(a.guards, g)) {
        if (others) return std::nullopt;
        others = g;
      }
    if (!own || !others || own->kind != Guard::Kind::condition || others->kind != Guard::Kind::condition)
      return std::nullopt;
    const bool opposite = negates(others->condition, own->condition) || negates(own->condition, others->condition);
    return opposite ? own : std::nullopt;
  }

  /// Whether `a` is `not b`.
  bool negates(const Operand& a, const Operand& b) {
    const Node& n = graph_[a.expr];
    if (n.kind != Kind::elementwise || n.function != Function::logical_not) return false;
    return graph_.substitute(n.operands[0], a.subscripts) == b;
  }

  /// [c]·a + [not c]·b as common factors × where(c, rest of a, rest of b).
  Part joined(Part a, Part b, const Guard& condition) {
    Part result;
    result.guards = a.guards;
    remove(result.guards, condition);
    result.choice = a.choice == Choice::hidden || b.choice == Choice::hidden ? Choice::hidden : Choice::none;
    const std::vector<Operand> factors = a.operands;
    for (const Operand& o : factors)
      if (contains(b.operands, o)) {
        result.operands.push_back(o);
        remove(a.operands, o);
        remove(b.operands, o);
      }
    if (a.coefficient == b.coefficient) {
      result.coefficient = a.coefficient;
      a.coefficient = b.coefficient = 1;
    }
    const Expr chosen = graph_.elementwise(Function::select, axes_, {condition.condition, product(a), product(b)});
    result.operands.push_back(graph_.whole(chosen));
    return result;
  }

  Contribution closed(std::vector<Part> open, std::vector<Guard> common) {
    std::vector<Term> terms;
    bool all_chosen = true;
    for (Part& p : open) {
      all_chosen &= !p.guards.empty() || p.choice != Choice::none;
      terms.push_back(term(graph_.contraction(axes_, rank(), p.coefficient, p.operands, p.guards)));
    }
    if (open.size() == 1) {
      Part& p = open[0];
      p.guards.insert(p.guards.end(), common.begin(), common.end());
      const Expr product = graph_.contraction(axes_, rank(), p.coefficient, p.operands, p.guards);
      return {product, choice_of(product, p.choice, p.guards.empty())};
    }
    const bool covered = all_chosen && covers(open);
    const Choice inside = all_chosen && !covered ? Choice::hidden : Choice::none;
    const Expr sum = graph_.sum(axes_, std::move(terms));
    if (common.empty()) return {sum, inside};
    const Expr guarded = graph_.contraction(axes_, rank(), 1, {graph_.whole(sum)}, std::move(common));
    return {guarded, choice_of(guarded, inside, false)};
  }

  Choice choice_of(Expr e, Choice inside, bool unguarded) const {
    if (inside == Choice::hidden) return Choice::hidden;
    if (unguarded) return Choice::none;
    return is_guarded_product(graph_, e) ? Choice::guarded : Choice::hidden;
  }

  /// Whether two of the parts together choose everywhere: x <= y and y <= x.
  bool covers(const std::vector<Part>& open) {
    for (const Part& a : open)
      for (const Part& b : open)
        if (a.guards.size() == 1 && b.guards.size() == 1 && faces(a.guards[0], b.guards[0])) return true;
    return false;
  }

  bool faces(const Guard& a, const Guard& b) {
    if (a.kind != Guard::Kind::condition || b.kind != Guard::Kind::condition) return false;
    const Node &x = graph_[a.condition.expr], &y = graph_[b.condition.expr];
    if (x.kind != Kind::elementwise || y.kind != Kind::elementwise || x.function != Function::less_equal) return false;
    if (y.function != Function::less_equal && y.function != Function::less) return false;
    const auto operand = [&](const Node& n, const Guard& g, std::size_t k) {
      return graph_.substitute(n.operands[k], g.condition.subscripts);
    };
    return operand(x, a, 0) == operand(y, b, 1) && operand(x, a, 1) == operand(y, b, 0);
  }

  Graph& graph_;
  const std::vector<Size>& axes_;
};

}  // namespace

bool is_guarded_product(const Graph& graph, Expr e) {
  const Node& n = graph[e];
  return n.kind == Kind::contraction && n.labels.size() == n.rank && !n.guards.empty();
}

Contribution add_up(Graph& graph, const std::vector<Size>& axes, std::vector<Contribution> parts) {
  return Adder(graph, axes).add_up(std::move(parts));
}

}  // namespace gradus
