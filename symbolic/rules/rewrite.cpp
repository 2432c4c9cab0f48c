// The driver of rewriting: an explicit stack over nodes that wait for their operands.
#include "symbolic/rules/rewrite.hpp"

#include <algorithm>

#include "symbolic/rules/sorts.hpp"
#include "symbolic/rules/terms.hpp"

namespace gradus::rules {
namespace {

void map_data(Subscript& s, const std::function<Expr(Expr)>& map) {
  for (auto& d : s.data) {
    d.data = map(d.data);
    for (auto& inner : d.subscripts) map_data(inner, map);
  }
}

}  // namespace

Operand map_operand(Operand o, const std::function<Expr(Expr)>& map) {
  o.expr = map(o.expr);
  for (auto& s : o.subscripts) map_data(s, map);
  return o;
}

Guard map_guard(Guard g, const std::function<Expr(Expr)>& map) {
  if (g.kind == Guard::Kind::condition)
    g.condition = map_operand(std::move(g.condition), map);
  else
    map_data(g.affine, map);
  return g;
}

Expr map_children(Graph& graph, Expr e, const std::function<Expr(Expr)>& map) {
  bool same = true;
  graph.each_child(e, [&](Expr child) { same = same && map(child) == child; });
  if (same) return e;
  Node n = graph[e];
  for (auto& o : n.operands) o = map_operand(std::move(o), map);
  for (auto& g : n.guards) g = map_guard(std::move(g), map);
  if (n.kind == Kind::index) map_data(n.affine, map);
  return graph.rebuild(n);
}

Rewriter::Rewriter(Graph& graph, const std::function<bool(Group)>& uses, std::vector<Step> steps, Trace trace)
    : graph_(graph), facts_(graph), steps_(std::move(steps)), trace_(std::move(trace)), by_function_(function_count()) {
  for (const Rule& r : all_rules()) {
    if (!uses(r.group)) continue;
    switch (r.before.kind) {
      case Pattern::Kind::call:
        by_function_[static_cast<std::size_t>(r.before.function)].push_back(&r);
        break;
      case Pattern::Kind::sum:
        for_sums_.push_back(&r);
        break;
      case Pattern::Kind::product:
        for_products_.push_back(&r);
        break;
      default: {
        const bool sum = r.before.kind == Pattern::Kind::reduction && r.before.reduction == Pattern::Reduction::sum;
        (sum ? for_products_ : for_reductions_).push_back(&r);
      }
    }
  }
}

const std::vector<const Rule*>& Rewriter::candidates(Expr e) const {
  const Node& n = graph_[e];
  switch (n.kind) {
    case Kind::elementwise:
      return by_function_[static_cast<std::size_t>(n.function)];
    case Kind::sum:
      return for_sums_;
    case Kind::contraction:
      return for_products_;
    case Kind::reduce:
    case Kind::softmax:
      return for_reductions_;
    case Kind::input:
    case Kind::constant:
    case Kind::index:
    case Kind::reshape:
    case Kind::order:
    case Kind::given:
      break;
  }
  return none_;
}

bool Rewriter::holds(const Condition& c, const Match& match) {
  if (c.fact == Condition::Fact::near || c.fact == Condition::Fact::number) return true;
  const Expr value = match.variables[c.variable]->operand.expr;
  switch (c.fact) {
    case Condition::Fact::positive:
      return facts_.positive(value);
    case Condition::Fact::nonnegative:
      return facts_.nonnegative(value);
    case Condition::Fact::not_even: {
      const Rational* q = graph_.constant_value(value);
      return q != nullptr && !(*q / Rational(2)).is_integer();
    }
    case Condition::Fact::beyond_square: {
      const Rational* q = graph_.constant_value(value);
      return q == nullptr || *q < Rational(-2) || Rational(2) < *q;
    }
    case Condition::Fact::number:
    case Condition::Fact::near:
    case Condition::Fact::reciprocal_count:
      break;
  }
  const Scope& scope = match.scopes[0];
  if (std::ranges::any_of(match.scopes, [](const Scope& s) { return !s.guards.empty(); })) return false;
  Size count = graph_.sizes().constant(1);
  for (Label l = scope.first; l < scope.first + scope.count; ++l)
    count = graph_.sizes().multiply(count, match.labels[l]);
  return value == graph_.power(graph_.size_value(count), -1);
}

/// Of near values the nearest are wanted: a match costs one for each term that they differ by, after the first.
std::optional<std::size_t> Rewriter::cost(const Rule& rule, const Match& match) {
  std::size_t all = 0;
  for (const auto& c : rule.when) {
    if (!holds(c, match)) return std::nullopt;
    if (c.fact != Condition::Fact::near) continue;
    const auto terms = terms_between(graph_, build(graph_, c.values[0], match), build(graph_, c.values[1], match));
    if (!terms) return std::nullopt;
    all += *terms - 1;
  }
  return all;
}

std::optional<Expr> Rewriter::apply(const Rule& rule, Expr e) {
  auto found = match(graph_, rule.before, rule.variables.size(), e, [&](const Match& m) { return cost(rule, m); });
  if (!found) return std::nullopt;
  found->expand = std::ranges::any_of(rule.when, [](const Condition& c) { return c.fact == Condition::Fact::near; });
  const Expr to = replace(graph_, e, *found, build(graph_, rule.after, *found));
  if (to == e) return std::nullopt;
  if (trace_) trace_(rule, e);
  return to;
}

std::optional<Expr> Rewriter::step(Expr e) {
  for (const auto& s : steps_)
    if (const auto to = s(e); to && *to != e) return to;
  if (left_ && left_(e)) return std::nullopt;
  if (const auto to = by_rule(e)) return to;
  for (const auto& s : last_)
    if (const auto to = s(e); to && *to != e) return to;
  return std::nullopt;
}

std::optional<Expr> Rewriter::by_rule(Expr e) {
  const std::vector<const Rule*>& rules = candidates(e);
  if (rules.empty()) return std::nullopt;
  const Anchors anchors(graph_, e);
  for (const Rule* r : rules) {
    if (!anchors.plausible(r->before)) continue;
    if (const auto to = apply(*r, e)) return to;
  }
  return std::nullopt;
}

Expr Rewriter::with_normal_children(Expr e) {
  return map_children(graph_, e, [&](Expr child) { return normal_[child.id]; });
}

/// A kept value in another form is kept, and what is left of it when its number goes into the product that it is in.
void Rewriter::keep_value(Expr e) {
  kept_->add(e);
  const Node n = graph_[e];
  if (n.kind == Kind::contraction && !n.operands.empty() && !n.coefficients[0].is_one())
    kept_->add(graph_.contraction(n.labels, n.rank, 1, n.operands, n.guards));
}

Expr Rewriter::operator()(Expr root) {
  // The order of the rules makes rewriting end. The fuel is a second line of defence: without it a mistake in a local
  // step would hang the compiler; with it the value stays right and is only less simple.
  fuel_ += 64 * (static_cast<std::uint64_t>(graph_.node_count()) + 64);
  std::vector<Frame> stack{{root, root}};
  const auto known = [&](Expr e) { return e.id < normal_.size() && normal_[e.id].valid(); };
  const auto set = [&](Expr e, Expr to) {
    if (e.id >= normal_.size()) normal_.resize(std::max<std::size_t>(graph_.node_count(), e.id + 1));
    normal_[e.id] = to;
    if (kept_ != nullptr && kept_->contains(e)) keep_value(to);
  };
  while (!stack.empty()) {
    const Frame frame = stack.back();
    if (known(frame.now)) {
      set(frame.original, normal_[frame.now.id]);
      stack.pop_back();
      continue;
    }
    const std::size_t waiting = stack.size();
    graph_.each_child(frame.now, [&](Expr child) {
      if (!known(child)) stack.push_back({child, child});
    });
    if (stack.size() > waiting) continue;
    Expr next = with_normal_children(frame.now);
    if (next == frame.now && fuel_ > 0) {
      --fuel_;
      if (const auto to = step(next)) next = *to;
    }
    if (next == frame.now) {
      set(frame.now, frame.now);
    } else {
      stack.back().now = next;
    }
  }
  return normal_[root.id];
}

}  // namespace gradus::rules
