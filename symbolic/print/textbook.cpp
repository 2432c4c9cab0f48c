// Numerical forms as people write them: p and 1 - p for sigmoid(x) and sigmoid(-x), p - y for a residual, masks.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "symbolic/print.hpp"
#include "symbolic/print/reading.hpp"
#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/monomial.hpp"
#include "symbolic/rules/rewrite.hpp"
#include "symbolic/simplify.hpp"

namespace gradus {
namespace {

class Textbook {
 public:
  /// `values` are the roots that the user wrote: p is the one of a pair that they need.
  Textbook(Graph& graph, const std::vector<Expr>& values, const std::vector<Expr>& roots)
      : graph_(graph), values_(graph.reachable(values)), order_(graph.reachable(roots)) {}

  /// Whether there is anything to rewrite.
  bool find_pairs() {
    std::unordered_map<std::uint32_t, Expr> of;  // by operand
    for (const Expr e : order_)
      if (is_whole_sigmoid(e)) of[graph_[e].operands[0].expr.id] = e;
    for (const auto& [operand, e] : of) {
      const Expr x = graph_[e].operands[0].expr;
      if (!is_negated(x)) continue;
      const auto positive = of.find(graph_[x].operands[0].expr.id);
      if (positive == of.end()) continue;
      const bool turned = is_value(e) && !is_value(positive->second);
      complement_of_[(turned ? positive->second : e).id] = turned ? e : positive->second;
    }
    return !complement_of_.empty();
  }

  void run() {
    if (order_.empty()) return;
    to_.resize(order_.back().id + 1);
    for (const Expr e : order_) to_[e.id] = rewritten(e);
  }

  Expr operator[](Expr e) const { return e.id < to_.size() && to_[e.id].valid() ? to_[e.id] : e; }

 private:
  bool is_value(Expr e) const { return std::ranges::binary_search(values_, e); }

  bool is_whole_sigmoid(Expr e) const {
    const Node& n = graph_[e];
    return n.kind == Kind::elementwise && n.function == Function::sigmoid &&
           graph_.is_identity(n.operands[0], n.labels, n.rank);
  }

  /// Whether a node is -1 times another of the same axes.
  bool is_negated(Expr e) const {
    const Node& n = graph_[e];
    return n.kind == Kind::contraction && n.guards.empty() && n.labels.size() == n.rank && n.operands.size() == 1 &&
           n.coefficients[0] == Rational(-1) && graph_.is_identity(n.operands[0], n.labels, n.rank);
  }

  Expr rewritten(Expr e) {
    if (const auto pair = complement_of_.find(e.id); pair != complement_of_.end()) {
      // p itself may come later; what this one is of has been rewritten already.
      const Expr x = (*this)[graph_[e].operands[0].expr];
      const Operand opposite =
          is_negated(x) ? graph_[x].operands[0]
                        : graph_.whole(graph_.contraction(graph_.shape(x), graph_.rank(x), -1, {graph_.whole(x)}));
      const Expr probability = graph_.elementwise(Function::sigmoid, graph_.shape(e), {opposite});
      const Expr out = graph_.sum(graph_.shape(e), {{1, {graph_.constant(1), {}}}, {-1, graph_.whole(probability)}});
      complements_[out.id] = probability;
      return out;
    }
    const Expr out = rules::map_children(graph_, e, [this](Expr child) { return (*this)[child]; });
    if (const auto shorter = residual(out)) return *shorter;
    return out == e ? e : turned(rules::normalise_product(graph_, out).value_or(out));
  }

  /// -(a*(b - c)) is a*(c - b), also where that product is a factor of its own.
  Expr turned(Expr e) {
    const Node& n = graph_[e];
    if (n.kind != Kind::contraction || n.coefficients[0].sign() >= 0) return e;
    for (std::size_t k = 0; k < n.operands.size(); ++k) {
      const Node& f = graph_[n.operands[k].expr];
      if (f.kind != Kind::contraction || f.operands.empty()) continue;
      const Expr negative = graph_.contraction(f.labels, f.rank, -f.coefficients[0], f.operands, f.guards);
      const Expr other = rules::normalise_product(graph_, negative).value_or(negative);
      if (graph_[other].coefficients.empty() || graph_[other].coefficients[0] != f.coefficients[0]) continue;
      std::vector<Operand> operands = n.operands;
      operands[k].expr = other;
      return graph_.contraction(n.labels, n.rank, -n.coefficients[0], std::move(operands), n.guards);
    }
    return e;
  }

  /// p*(y - 1) + y*(1 - p) is y - p, and so is y*(1 - p) - p*(1 - y).
  std::optional<Expr> residual(Expr e) {
    const Node& n = graph_[e];
    if (n.kind != Kind::sum || n.operands.size() != 2) return std::nullopt;
    for (const std::size_t k : {std::size_t{0}, std::size_t{1}}) {
      if (n.coefficients[0] != n.coefficients[1] && n.coefficients[0] != -n.coefficients[1]) return std::nullopt;
      const auto a = two_factors(n.operands[k]), b = two_factors(n.operands[1 - k]);
      if (!a || !b) return std::nullopt;
      for (const auto& [y, q] : {*b, std::pair{b->second, b->first}}) {
        const auto p = complements_.find(q.expr.id);
        if (p == complements_.end()) continue;
        const Operand probability{p->second, q.subscripts};
        for (const auto& [first, rest] : {*a, std::pair{a->second, a->first}})
          if (first == probability && is_minus_one(rest, y, n.coefficients[k] == n.coefficients[1 - k]))
            return minus(n.coefficients[1 - k], graph_.sum(n.labels, {{1, probability}, {-1, y}}));
      }
    }
    return std::nullopt;
  }

  /// -q times a value.
  Expr minus(const Rational& q, Expr e) {
    return graph_.contraction(graph_.shape(e), graph_.rank(e), -q, {graph_.whole(e)});
  }

  std::optional<std::pair<Operand, Operand>> two_factors(const Operand& o) {
    const rules::Factors f = rules::factors_of(graph_, o);
    if (f.operands.size() != 2 || !f.coefficient.is_one()) return std::nullopt;
    return std::pair{f.operands[0], f.operands[1]};
  }

  /// Whether a value is y - 1, or else 1 - y; `same` says which is wanted.
  bool is_minus_one(const Operand& o, const Operand& y, bool same) {
    const Node& n = graph_[o.expr];
    if (n.kind != Kind::sum || n.operands.size() != 2) return false;
    const Rational wanted = same ? 1 : -1;
    return n.coefficients[0] == wanted && n.coefficients[1] == -wanted && graph_.is_constant(n.operands[1].expr, 1) &&
           graph_.substitute(n.operands[0], o.subscripts) == y;
  }

  Graph& graph_;
  std::vector<Expr> values_, order_;
  std::unordered_map<std::uint32_t, Expr> complement_of_;  // sigmoid(x) of sigmoid(-x), by Expr::id
  std::unordered_map<std::uint32_t, Expr> complements_;    // p of 1 - p, by Expr::id
  std::vector<Expr> to_;
};

/// sum[k : t[k, j] > 0](X[k, i]*r[k, j]) in a derivative is X.T @ where(t > 0, r, 0).
class Masks {
 public:
  /// `values` are the roots that the user wrote: a filter in them stays one.
  Masks(Graph& graph, const std::vector<Expr>& values, const std::vector<Expr>& roots)
      : graph_(graph), values_(graph.reachable(values)), order_(graph.reachable(roots)) {}

  bool any() const {
    return std::ranges::any_of(order_, [&](Expr e) { return is_filtered(e); });
  }

  void run() {
    for (const bool all : {false, true}) {  // the second time sums of a mask that products need, too
      sums_too_ = all;
      to_.assign(order_.back().id + 1, Expr{});
      for (const Expr e : order_) {
        const Expr out = rules::map_children(graph_, e, [this](Expr child) { return (*this)[child]; });
        to_[e.id] = is_filtered(e) ? masked(out).value_or(out) : out;
      }
    }
  }

  Expr operator[](Expr e) const { return e.id < to_.size() && to_[e.id].valid() ? to_[e.id] : e; }

 private:
  /// An array of sums that run over what conditions on values choose.
  bool is_filtered(Expr e) const {
    const Node& n = graph_[e];
    return n.kind == Kind::contraction && n.rank > 0 && n.labels.size() > n.rank && !n.guards.empty() &&
           std::ranges::all_of(n.guards, [](const Guard& g) { return g.kind == Guard::Kind::condition; }) &&
           !std::ranges::binary_search(values_, e);
  }

  /// The labels of the conditions, in the order in which they stand there.
  static std::vector<Label> labels_of(const std::vector<Guard>& guards) {
    std::vector<Label> out;
    for (const Guard& g : guards)
      Graph::each_label(g, [&](Label l) {
        if (std::ranges::find(out, l) == out.end()) out.push_back(l);
      });
    return out;
  }

  std::optional<Expr> masked(Expr e) {
    const Node n = graph_[e];
    if (n.kind != Kind::contraction || n.guards.empty()) return std::nullopt;
    const std::vector<Label> axes = labels_of(n.guards);
    std::vector<Subscript> map(n.labels.size());
    Operand mask;
    std::vector<Size> sizes;
    for (std::size_t k = 0; k < axes.size(); ++k) {
      map[axes[k]] = graph_.label(static_cast<Label>(k));
      mask.subscripts.push_back(graph_.label(axes[k]));
      sizes.push_back(n.labels[axes[k]]);
    }
    Rational number = 1;
    std::vector<Operand> inside, outside;
    for (const auto& o : n.operands) {
      bool within = true, certain = true;
      Graph::each_label(o, [&](Label l) { within = within && std::ranges::find(axes, l) != axes.end(); });
      for (std::uint32_t k = 0; k < o.subscripts.size(); ++k)
        certain = certain && graph_.certainly_inside(o.subscripts[k], n.labels, graph_.axis(o.expr, k));
      if (!within && (!certain || !finite_(o.expr))) return std::nullopt;
      if (!within) {
        outside.push_back(o);
        continue;
      }
      const rules::Factors f = rules::factors_of(graph_, graph_.substitute(o, map));
      number = number * f.coefficient;
      inside.insert(inside.end(), f.operands.begin(), f.operands.end());
    }
    std::vector<Guard> guards;
    const bool product = !outside.empty();
    if (!product && !sums_too_) return std::nullopt;  // a filtered sum says it
    for (const Guard& g : n.guards) guards.push_back(graph_.substitute(g, map));
    const auto rank = static_cast<std::uint32_t>(sizes.size());
    mask.expr = graph_.contraction(std::move(sizes), rank, number, std::move(inside), std::move(guards));
    if (graph_.rank(mask.expr) != rank) return std::nullopt;
    if (product) masks_.insert(mask.expr.id);
    if (!product && !masks_.contains(mask.expr.id)) return std::nullopt;
    outside.push_back(std::move(mask));
    Node out = n;
    out.operands = std::move(outside);
    out.guards.clear();
    return graph_.intern(std::move(out));  // as it is: the constructor would make it a filter again
  }

  Graph& graph_;
  std::vector<Expr> values_, order_;
  rules::Facts facts_{graph_};
  printing::Finite finite_{graph_, facts_, {}};
  std::unordered_set<std::uint32_t> masks_;  // of products, by Expr::id
  bool sums_too_ = false;
  std::vector<Expr> to_;
};

template <class Visit>
void each_root(Derived& derived, Visit&& visit) {
  for (auto& v : derived.values) visit(v.expr);
  for (auto* list : {&derived.losses, &derived.outputs})
    for (auto& d : *list) {
      visit(d.value);
      for (auto& partial : d.derivatives) visit(partial.expr);
    }
}

}  // namespace

namespace {

/// What the author wrote, and all roots.
struct Roots {
  std::vector<Expr> values, all;
};

Roots roots_of(Derived& derived) {
  Roots out;
  each_root(derived, [&](Expr e) { out.all.push_back(e); });
  for (const auto& v : derived.values) out.values.push_back(v.expr);
  for (const auto* list : {&derived.losses, &derived.outputs})
    for (const auto& d : *list) out.values.push_back(d.value);
  return out;
}

/// Rewrites a derived program by one of the classes above.
template <class Forms>
void rewrite(Model& model, Derived& derived, bool (*wanted)(Forms&)) {
  const Roots roots = roots_of(derived);
  Forms forms(model.graph, roots.values, roots.all);
  if (!wanted(forms)) return;
  forms.run();
  each_root(derived, [&](Expr& e) { e = forms[e]; });
}

void send(Model& model, Derived& derived, const printing::Reading::Form& form, bool values_too = false) {
  const Roots roots = roots_of(derived);
  printing::Reading reading(model.graph, roots.values, roots.all);
  reading.run(form, values_too);
  each_root(derived, [&](Expr& e) { e = reading[e]; });
}

/// Ties and guards of derivatives; whether any was rewritten.
bool read_slopes(Model& model, Derived& derived) {
  Graph& graph = model.graph;
  const std::vector<Expr> before = roots_of(derived).all;
  rules::Facts facts(graph);
  std::vector<Expr> constants;
  for (const Input& input : model.inputs)
    if (input.role == Input::Role::constant) constants.push_back(input.expr);
  printing::Finite finite(graph, facts, std::move(constants));
  send(model, derived, [&](Expr e) { return printing::slopes_of_largest(graph, e); });
  const rules::Kept kept;
  send(model, derived, [&](Expr e) {
    e = printing::slope_of_largest(graph, finite, e);
    e = printing::without_needless_guards(graph, facts, finite, e);
    e = printing::with_sums_reduced(graph, finite, e);
    return rules::merge_powers(graph, facts, kept, e, true).value_or(e);
  });
  return roots_of(derived).all != before;
}

/// Functions of values that are there.
void read_values(Model& model, Derived& derived) {
  Graph& graph = model.graph;
  printing::Present present;
  for (const auto& v : derived.values) present.named.insert(v.expr.id);
  for (const Expr e : graph.reachable(roots_of(derived).all)) {
    present.nodes.insert(e.id);
    const Node& n = graph[e];
    const auto may_hold_number = [&](const Operand& o) {
      const Node& f = graph[o.expr];
      return f.kind == Kind::constant ||
             (f.kind == Kind::elementwise && row(f.function).spelling == Spelling::internal);
    };
    const auto holders = std::ranges::count_if(n.operands, may_hold_number);
    const auto gaps = std::ranges::count_if(
        n.operands, [&](const Operand& o) { return rules::is_call(graph[o.expr], Function::expm1); });
    if (n.kind == Kind::sum && holders + gaps > 1)
      for (const Operand& o : n.operands) present.beside_number.insert(o.expr.id);
  }
  send(model, derived, [&](Expr e) { return printing::by_present_value(graph, present, e); }, true);
}

void simplify_again(Model& model, Derived& derived) {
  rules::Shifts shifts(rules::Shifts::Form::quotients);
  const std::vector<Expr> after = simplify(model.graph, roots_of(derived).all, shifts);
  std::size_t next = 0;
  each_root(derived, [&](Expr& e) { e = after[next++]; });
}

}  // namespace

Derived textbook_form(Model& model, Derived derived) {
  if (read_slopes(model, derived)) simplify_again(model, derived);
  read_values(model, derived);
  rewrite<Textbook>(model, derived, [](Textbook& forms) { return forms.find_pairs(); });
  rewrite<Masks>(model, derived, [](Masks& forms) { return forms.any(); });
  return derived;
}

Derived derive_to_print(Model& model, DeriveOptions options) {
  options.for_people = true;
  return textbook_form(model, derive(model, options));
}

}  // namespace gradus
