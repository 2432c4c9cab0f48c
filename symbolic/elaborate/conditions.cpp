// Conditions: comparisons, logic, choices, and what they protect.
#include <algorithm>

#include "frontend/format.hpp"
#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {

namespace {

/// Longer chains of 'and' or 'or' protect nothing among themselves.
constexpr std::size_t most_protecting_parts = 64;

}  // namespace

bool Evaluator::is_condition(const Value& v, ast::Id id, const char* where) {
  if (v.condition) return true;
  error(at(id).span, std::string(where) + " needs a condition, but " + named(id) + " is a number")
      .help("compare it: " + text_of(id) + " != 0");
  return false;
}

/// `x == 1 or 2`: what stands beside a comparison is compared with the same. Reported.
bool Evaluator::compares_alternatives(ast::Id number, ast::Id before, const char* where) {
  const ast::Expression& comparison = at(before);
  if (comparison.kind != ast::Kind::comparison || comparison.children.size() != 2 ||
      at(comparison.children[0]).kind == ast::Kind::number)
    return false;
  const std::string text = format(*activation().program, before), last = text_of(comparison.children[1]);
  if (!text.ends_with(last)) return false;
  error(at(number).span, std::string(where) + " needs a condition, but " + named(number) + " is a number")
      .help("compare it too: " + text + " " + std::string(where).substr(1, std::string_view(where).size() - 2) + " " +
            text.substr(0, text.size() - last.size()) + text_of(number));
  return true;
}

bool Evaluator::reads_elements(ast::Id id) const {
  std::vector<ast::Id> open{id};
  while (!open.empty()) {
    const ast::Expression& e = at(open.back());
    open.pop_back();
    if (e.kind == ast::Kind::subscript) return true;
    for (const ast::Id child : e.children)
      if (child.valid()) open.push_back(child);
  }
  return false;
}

/// The sum that `base[condition]` means: `sum[i : x[i] > 0](y[i])`; empty where the condition is no plain comparison.
std::string Evaluator::filter_of(ast::Id condition, const std::string& base) {
  std::size_t rank = 0;
  const std::string text = elementwise_text(condition, rank);
  if (text.empty() || rank == 0) return {};
  const std::string indices = rank == 1 ? "i" : "i, j";
  return "sum[" + indices + " : " + text + "](" + base + "[" + indices + "])";
}

/// A comparison of names and numbers at an element, `x[i] > 0`, and the rank of its arrays; empty for anything else.
std::string Evaluator::elementwise_text(ast::Id condition, std::size_t& rank) {
  constexpr std::string_view signs[] = {" < ", " <= ", " > ", " >= ", " == ", " != "};
  const ast::Expression& e = at(condition);
  if (e.kind != ast::Kind::comparison) return element_of(condition, rank);
  std::string text;
  for (std::size_t k = 0; k < e.children.size(); ++k) {
    const std::string element = element_of(e.children[k], rank);
    if (element.empty()) return {};
    text += (k == 0 ? "" : std::string(signs[static_cast<std::size_t>(e.comparisons[k - 1])])) + element;
  }
  return text;
}

/// The element of a name or number at the index i (at i, j); empty for anything else.
std::string Evaluator::element_of(ast::Id id, std::size_t& rank) {
  const ast::Expression& e = at(id);
  if (e.kind != ast::Kind::name && e.kind != ast::Kind::number) return {};
  const Value v = eval(id);
  if (v.poisoned || v.axes.size() > 2 || (!v.axes.empty() && rank != 0 && rank != v.axes.size())) return {};
  if (!v.axes.empty()) rank = v.axes.size();
  return text_of(id) + (v.axes.empty() ? "" : v.axes.size() == 1 ? "[i]" : "[i, j]");
}

Value Evaluator::eval_logic(ast::Id id) {
  std::vector<ast::Id> nodes;
  ast::Id first = id;
  const ast::Binary op = at(id).op;
  while (at(first).kind == ast::Kind::binary && at(first).op == op) {
    nodes.push_back(first);
    first = at(first).children[0];
  }
  std::ranges::reverse(nodes);
  std::vector<ast::Id> parts{first};
  for (const ast::Id node : nodes) parts.push_back(at(node).children[1]);
  const bool conjunction = op == ast::Binary::logical_and;
  const char* where = conjunction ? "'and'" : "'or'";
  // Where a part on the indices alone decides, the others do not count: i > 0 and x[i - 1] > 0, i == 0 or x[i - 1] > 0.
  // Such parts come first, wherever they stand.
  std::vector<std::size_t> order(parts.size());
  for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
  const auto reading =
      std::ranges::stable_partition(order, [&](std::size_t k) { return !reads_elements(parts[k]); }).begin();
  std::vector<Value> values(parts.size());
  const std::size_t outer_conditions = conditions_.size();
  bool poisoned = false;
  for (auto k = order.begin(); k != order.end(); ++k) {
    values[*k] = eval(parts[*k]);
    const bool alternative = !values[*k].poisoned && !values[*k].condition && *k > 0 && !poisoned &&
                             compares_alternatives(parts[*k], parts[*k - 1], where);
    if (alternative || values[*k].poisoned || poisoned || !is_condition(values[*k], parts[*k], where))
      poisoned = true;  // one error for the operator
    else if (k < reading && parts.size() <= most_protecting_parts)
      push_condition(values[*k], conjunction);
  }
  while (conditions_.size() > outer_conditions) pop_condition();
  if (poisoned) return Value::poison();
  Value total = values[0];
  for (std::size_t k = 1; k < parts.size(); ++k) {
    Value& next = values[k];
    Broadcast shape;
    const Value a = total, b = next;
    shape.add(build_, total);
    if (!shape.add(build_, next)) {
      const ast::Expression& e = at(nodes[k - 1]);
      return shape_error(e, e.children[0], e.children[1], a, b);
    }
    std::optional<std::vector<Guard>> guards;
    if (conjunction && total.guards && next.guards && total.guards->size() + next.guards->size() <= 64) {
      guards = total.guards;
      guards->insert(guards->end(), next.guards->begin(), next.guards->end());
    }
    total = build_.elementwise(conjunction ? Function::logical_and : Function::logical_or,
                               {std::move(total), std::move(next)}, shape.axes);
    total.condition = true;
    total.guards = std::move(guards);
  }
  return total;
}

namespace {

/// The opposite of one affine guard.
Guard opposite(Graph& graph, const Guard& g) {
  switch (g.kind) {
    case Guard::Kind::nonnegative: {
      const Subscript one = graph.offset(graph.sizes().constant(-1));
      return {Guard::Kind::nonnegative, graph.add(graph.scale(g.affine, graph.sizes().constant(-1)), one), {}};
    }
    case Guard::Kind::zero:
      return {Guard::Kind::nonzero, g.affine, {}};
    case Guard::Kind::nonzero:
      return {Guard::Kind::zero, g.affine, {}};
    case Guard::Kind::condition:
      break;
  }
  return g;
}

bool is_one_affine(const Value& v) {
  return v.guards && v.guards->size() == 1 && v.guards->front().kind != Guard::Kind::condition;
}

}  // namespace

Value Evaluator::eval_not(ast::Id id) {
  const ast::Expression& e = at(id);
  Value v = eval(e.children[0]);
  if (v.poisoned || !is_condition(v, e.children[0], "'not'")) return Value::poison();
  std::optional<std::vector<Guard>> guards;
  if (is_one_affine(v)) guards = {opposite(graph_, v.guards->front())};
  const auto axes = v.axes;
  v = build_.elementwise(Function::logical_not, {std::move(v)}, axes);
  v.condition = true;
  v.guards = std::move(guards);
  return v;
}

Value Evaluator::compare(ast::Comparison op, Value a, Value b, Broadcast& shape) {
  using C = ast::Comparison;
  if (op == C::greater || op == C::greater_equal) {
    std::swap(a, b);
    op = op == C::greater ? C::less : C::less_equal;
  }
  std::optional<std::vector<Guard>> guards;
  if (a.affine && b.affine) {
    const Subscript difference = graph_.subtract(*b.affine, *a.affine);
    const Subscript one = graph_.offset(sizes_.constant(-1));
    switch (op) {
      case C::less:
        guards = {{Guard::Kind::nonnegative, graph_.add(difference, one), {}}};
        break;
      case C::less_equal:
        guards = {{Guard::Kind::nonnegative, difference, {}}};
        break;
      case C::equal:
        guards = {{Guard::Kind::zero, difference, {}}};
        break;
      default:
        guards = {{Guard::Kind::nonzero, difference, {}}};
    }
  }
  const Function f = op == C::less         ? Function::less
                     : op == C::less_equal ? Function::less_equal
                     : op == C::equal      ? Function::equal
                                           : Function::not_equal;
  Value out = build_.elementwise(f, {std::move(a), std::move(b)}, shape.axes);
  out.condition = true;
  out.affine.reset();
  if (!guards) guards = {{Guard::Kind::condition, {}, out.operand}};
  out.guards = std::move(guards);
  return out;
}

Value Evaluator::eval_comparison(ast::Id id) {
  const ast::Expression& e = at(id);
  std::vector<Value> values;
  bool poisoned = false;
  for (const ast::Id child : e.children) {
    values.push_back(eval(child));
    poisoned = poisoned || values.back().poisoned;
  }
  if (poisoned) return Value::poison();
  Broadcast all;
  for (std::size_t k = 0; k < values.size(); ++k) {
    Value before;
    before.axes = all.axes;
    const Value read = values[k];
    if (!all.add(build_, values[k])) {
      ast::Expression link = e;
      link.mark = k > 0 && k - 1 < e.comparison_marks.size() ? e.comparison_marks[k - 1] : e.mark;
      return shape_error(link, e.children[k == 0 ? 0 : k - 1], e.children[k], before, read);
    }
  }
  Value total = compare(e.comparisons[0], values[0], values[1], all);
  for (std::size_t k = 1; k + 1 < values.size(); ++k) {
    Value next = compare(e.comparisons[k], values[k], values[k + 1], all);
    std::optional<std::vector<Guard>> guards;
    if (total.guards && next.guards && total.guards->size() < 64) {
      guards = total.guards;
      guards->insert(guards->end(), next.guards->begin(), next.guards->end());
    }
    total = build_.elementwise(Function::logical_and, {std::move(total), std::move(next)}, all.axes);
    total.condition = true;
    total.guards = std::move(guards);
  }
  return total;
}

void Evaluator::push_condition(const Value& condition, bool holds) {
  Condition c;
  const Value& v = condition;
  if (v.guards && holds) {
    c.guards = *v.guards;
  } else if (is_one_affine(v)) {
    c.guards = {opposite(graph_, v.guards->front())};
  } else {
    Value chosen = v;
    if (!holds) chosen = build_.elementwise(Function::logical_not, {chosen}, chosen.axes);
    c.guards = {{Guard::Kind::condition, {}, build_.operand(chosen)}};
  }
  c.labels = build_.labels_of(condition);
  for (const auto& g : c.guards) Graph::each_label(g, [&](Label l) { c.labels.push_back(l); });
  conditions_.push_back(std::move(c));
  condition_ids_.push_back(next_id_++);
}

void Evaluator::pop_condition() {
  conditions_.pop_back();
  condition_ids_.pop_back();
}

Value Evaluator::choose(ast::Id condition, ast::Id then, ast::Id otherwise, Span mark) {
  Value c = eval(condition);
  const bool fine = !c.poisoned && is_condition(c, condition, "a choice");
  if (fine) push_condition(c, true);
  Value a = eval(then);
  if (fine) {
    pop_condition();
    push_condition(c, false);
  }
  Value b = eval(otherwise);
  if (fine) pop_condition();
  if (!fine || a.poisoned || b.poisoned) return Value::poison();
  Broadcast shape;
  const Value read_a = a, read_b = b, read_c = c;
  shape.add(build_, a);
  if (!shape.add(build_, b)) {
    Diagnostic& d = error(mark, "both branches need one shape, but " + named(then) + " is " + shape_of(read_a) +
                                    " and " + named(otherwise) + " is " + shape_of(read_b));
    note_declaration(d, then);
    note_declaration(d, otherwise);
    return Value::poison();
  }
  Value branches;
  branches.axes = shape.axes;
  if (!shape.add(build_, c)) {
    Diagnostic& d = error(mark, "the condition " + named(condition) + " is " + shape_of(read_c) +
                                    ", but the branches are " + shape_of(branches));
    note_declaration(d, then);
    note_declaration(d, otherwise);
    return Value::poison();
  }
  return build_.elementwise(Function::select, {std::move(c), std::move(a), std::move(b)}, shape.axes);
}

}  // namespace gradus::elaboration
