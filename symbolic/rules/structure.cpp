// Flattening and grouping by use counts: two plain loops, one down (who is dissolved), one up (building).
#include "symbolic/rules/structure.hpp"

#include <algorithm>
#include <map>

#include "symbolic/rules/algebra.hpp"

namespace gradus::rules {
namespace {

class Regroup {
 public:
  Regroup(Graph& graph, const std::vector<Expr>& roots) : graph_(graph), roots_(roots) {}

  std::vector<Expr> run() {
    order_ = graph_.reachable(roots_);
    if (order_.empty()) return {};
    const std::size_t count = order_.back().id + 1;
    uses_.assign(count, 0);
    dissolved_.assign(count, 0);
    seen_.assign(count, 0);
    to_.assign(count, Expr{});
    into_.assign(count, Expr{});
    for (const Expr r : roots_) uses_[r.id] += 2;
    for (const Expr e : order_) graph_.each_child(e, [&](Expr child) { ++uses_[child.id]; });
    for (std::size_t k = order_.size(); k-- > 0;) decide(order_[k]);
    for (const Expr e : order_)
      if (dissolved_[e.id] == 0) to_[e.id] = rebuilt(e);
    std::vector<Expr> out;
    for (const Expr r : roots_) out.push_back(to_[r.id]);
    return out;
  }

 private:
  bool alone(Expr e) const { return uses_[e.id] == 1; }

  void decide(Expr e) {
    const Node& n = graph_[e];
    if (n.kind == Kind::contraction) {
      for (const auto& o : n.operands)
        if (alone(o.expr) && is_product(graph_[o.expr])) dissolve(e, o.expr);
    } else if (n.kind == Kind::sum && seen_[e.id] == 0) {
      decide_sum(e);
    }
  }

  /// Puts a factor's factors into the product that e is, or was put into, while their numbers stay moderate together.
  void dissolve(Expr e, Expr factor) {
    const Expr into = dissolved_[e.id] != 0 ? into_[e.id] : e;
    const auto [number, first] = numbers_.try_emplace(into.id, graph_[into].coefficients[0]);
    const Rational& inner = graph_[factor].coefficients[0];
    if (!inner.is_one() && !(inner.is_moderate() && number->second.is_moderate())) return;
    number->second = number->second * inner;
    dissolved_[factor.id] = 1;
    into_[factor.id] = into;
  }

  /// The terms of a sum with the sums that it alone uses dissolved.
  std::vector<Term> terms_of(Expr e, std::vector<Expr>* inner) {
    std::vector<Term> out;
    std::vector<Term> open{{1, graph_.whole(e)}};
    while (!open.empty()) {
      const Term t = std::move(open.back());
      open.pop_back();
      const Expr x = t.operand.expr;
      const Node& n = graph_[x];
      if (x != e && !(n.kind == Kind::sum && alone(x) && (inner != nullptr || dissolved_[x.id] != 0))) {
        out.push_back(t);
        continue;
      }
      if (x != e && inner != nullptr) inner->push_back(x);
      for (std::size_t k = n.operands.size(); k-- > 0;)
        open.push_back({t.coefficient * n.coefficients[k], graph_.substitute(n.operands[k], t.operand.subscripts)});
    }
    return out;
  }

  /// The user's grouping of a sum says in which order it is added; it is given up only where like terms meet.
  void decide_sum(Expr e) {
    std::vector<Expr> inner;
    std::vector<Term> terms = terms_of(e, &inner);
    for (const Expr x : inner) seen_[x.id] = 1;
    if (inner.empty()) return;
    std::ranges::stable_sort(terms, [](const Term& a, const Term& b) { return a.operand.expr < b.operand.expr; });
    bool meet = false;
    for (std::size_t k = 1; k < terms.size() && !meet; ++k)
      for (std::size_t m = k; m > 0 && k - m < 8 && terms[m - 1].operand.expr == terms[k].operand.expr; --m)
        meet = meet || terms[m - 1].operand == terms[k].operand;
    if (meet)
      for (const Expr x : inner) dissolved_[x.id] = 1;
  }

  Operand moved(const Operand& o) {
    return map_operand(o, [&](Expr child) { return to_[child.id]; });
  }

  Expr rebuilt(Expr e) {
    const Node& n = graph_[e];
    if (n.kind == Kind::contraction && !n.operands.empty()) return contraction(n);
    if (n.kind == Kind::sum &&
        std::ranges::any_of(n.operands, [&](const Operand& o) { return dissolved_[o.expr.id] != 0; })) {
      std::vector<Term> terms = terms_of(e, nullptr);
      for (auto& t : terms) t.operand = moved(t.operand);
      return graph_.sum(n.labels, std::move(terms));
    }
    return map_children(graph_, e, [&](Expr child) { return to_[child.id]; });
  }

  Expr contraction(const Node& n) {
    Rational coefficient = n.coefficients[0];
    std::vector<Operand> factors;
    std::vector<Operand> open(n.operands.rbegin(), n.operands.rend());
    while (!open.empty()) {
      const Operand o = std::move(open.back());
      open.pop_back();
      const Node& f = graph_[o.expr];
      if (dissolved_[o.expr.id] == 0) {
        factors.push_back(moved(o));
        continue;
      }
      coefficient = coefficient * f.coefficients[0];
      for (std::size_t k = f.operands.size(); k-- > 0;) open.push_back(graph_.substitute(f.operands[k], o.subscripts));
    }
    std::vector<Guard> guards;
    for (const auto& g : n.guards) guards.push_back(map_guard(g, [&](Expr child) { return to_[child.id]; }));
    return graph_.contraction(n.labels, n.rank, std::move(coefficient), grouped(n, std::move(factors)),
                              std::move(guards));
  }

  /// Factors that need the same few of a node's labels become one factor.
  std::vector<Operand> grouped(const Node& n, std::vector<Operand> factors) {
    using Labels = std::vector<Label>;
    std::map<Labels, std::vector<Operand>> groups;
    for (auto& f : factors) {
      Labels l;
      Graph::each_label(f, [&](Label x) { l.push_back(x); });
      std::ranges::sort(l);
      const auto repeated = std::ranges::unique(l);
      l.erase(repeated.begin(), repeated.end());
      groups[std::move(l)].push_back(std::move(f));
    }
    std::vector<Operand> out;
    for (auto& [labels, group] : groups) {
      if (group.size() == 1 || labels.size() == n.labels.size() || groups.size() == 1) {
        for (auto& f : group) out.push_back(std::move(f));
        continue;
      }
      out.push_back(product(n, labels, group));
    }
    return out;
  }

  Operand product(const Node& n, const std::vector<Label>& labels, const std::vector<Operand>& group) {
    std::vector<Subscript> map(n.labels.size());
    std::vector<Size> sizes;
    Operand out;
    for (const Label l : labels) {
      map[l] = graph_.label(static_cast<Label>(sizes.size()));
      sizes.push_back(n.labels[l]);
      out.subscripts.push_back(graph_.label(l));
    }
    std::vector<Operand> read;
    for (const auto& f : group) read.push_back(graph_.substitute(f, map));
    const auto rank = static_cast<std::uint32_t>(sizes.size());
    out.expr = graph_.contraction(std::move(sizes), rank, 1, std::move(read));
    return out;
  }

  Graph& graph_;
  const std::vector<Expr>& roots_;
  std::vector<Expr> order_;
  std::vector<std::uint32_t> uses_;
  std::vector<char> dissolved_, seen_;
  std::vector<Expr> to_, into_;
  std::map<std::uint32_t, Rational> numbers_;  // of the products that factors are put into, with theirs
};

}  // namespace

std::vector<Expr> regroup(Graph& graph, const std::vector<Expr>& roots) { return Regroup(graph, roots).run(); }

}  // namespace gradus::rules
