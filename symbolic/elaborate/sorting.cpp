// What rests on ascending order: sort, argsort, median, quantile. Each reads its argument at positions in order, so
// that derivatives go where the elements came from.
#include <algorithm>

#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {

/// The element of v along a label that is at a place in ascending order; of argsort its position.
Value Evaluator::in_order(const std::string& name, Value v, Label along, const Subscript& place, const Subscript& first,
                          const std::vector<Guard>& guards) {
  build_.operand(v);
  const Subscript position = build_.order(v, along, place, guards);
  if (name == "argsort") return build_.integer(graph_.add(first, position));
  build_.substitute(v, along, position);
  v.identity = 0;
  return v;
}

/// Several bound labels as one, row-major, with a guard that says what passes.
Label Evaluator::merged(Value& v, const std::vector<Label>& bound, std::vector<Guard>& guards) {
  Size count = sizes_.constant(1);
  for (const Label l : bound) count = sizes_.multiply(count, build_.size(l));
  v.axes = bound;
  v = build_.reshape(std::move(v), {count});
  const Label all = v.axes[0];
  v.axes.clear();
  if (guards.empty()) return all;
  Value passes = build_.product({build_.constant(1)}, bound, {}, guards);
  passes = build_.reshape(std::move(passes), {count});
  build_.substitute(passes, passes.axes[0], build_.bare(all));
  Value some = build_.elementwise(Function::less, {build_.constant(0), std::move(passes)}, {});
  guards = {{Guard::Kind::condition, {}, build_.operand(some)}};
  return all;
}

bool Evaluator::is_fraction(const Value& q, Span span, ast::Id id) {
  if (!q.axes.empty()) {
    error(at(id).span, "the fraction of a quantile is a scalar, not " + shape_of(q));
    return false;
  }
  const std::string text = "a quantile is asked for a fraction from 0 to 1";
  if (const Rational* c = build_.constant_value(q)) {
    if (!(*c < Rational(0)) && !(Rational(1) < *c)) return true;
    Diagnostic& d = error(at(id).span, text + ", not " + named(id));
    if (!(Rational(100) < *c) && Rational(2) < *c)
      d.help("per cent are hundredths: write " + (*c / Rational(100)).to_string());
    return false;
  }
  const std::string name = named(id);
  Value low = build_.elementwise(Function::less_equal, {build_.constant(0), q}, {});
  Value high = build_.elementwise(Function::less_equal, {q, build_.constant(1)}, {});
  add_check(ValueCheck::Code::bad_argument, build_.elementwise(Function::logical_and, {low, high}, {}),
            text + ", and " + name + " is none", span);
  return true;
}

/// Between the neighbours of rank q·(count - 1); NaN where an element is.
Value Evaluator::quantile_over(const std::string& name, Value v, const Value& q, const std::vector<Label>& axes,
                               const std::vector<Label>& bound, std::vector<Guard> guards, Span mark) {
  build_.operand(v);
  const Label all = bound.size() == 1 ? bound[0] : merged(v, bound, guards);
  require_nonempty(name, {all}, guards, mark);
  const Value last = build_.sum({count_of({all}, guards), build_.constant(1)}, {1, -1}, {});
  Value missing = build_.elementwise(Function::not_equal, {v, v}, axes);
  missing = build_.reduce(Reduction::any, std::move(missing), axes, {all}, guards);
  Value rank = build_.product({q, last}, {});
  rank = build_.elementwise(Function::select, {std::move(missing), last, std::move(rank)}, axes);
  const Label place = build_.like(all);
  Value distance = build_.sum({build_.integer(build_.bare(place)), std::move(rank)}, {1, -1}, axes);
  distance = build_.elementwise(Function::abs, {std::move(distance)}, axes);
  Value near = build_.elementwise(Function::less, {distance, build_.constant(1)}, axes);
  Value weight = build_.sum({build_.constant(1), std::move(distance)}, {1, -1}, axes);
  Value element = in_order(name, std::move(v), all, build_.bare(place), {}, guards);
  const Guard neighbour{Guard::Kind::condition, {}, build_.operand(near)};
  return build_.product({std::move(element), std::move(weight)}, axes, {place}, {neighbour});
}

Value Evaluator::quantile_call(ast::Id id) {
  const ast::Expression& e = at(id);
  const auto values = arguments(id);
  if (!values) return Value::poison();
  Value v = (*values)[0];
  build_.operand(v);
  auto reduced = reduced_axes(e, v);
  if (!reduced) return Value::poison();
  auto& [axes, bound] = *reduced;
  Value q = values->size() > 1 ? (*values)[1] : build_.constant(Rational::ratio(1, 2));
  build_.operand(q);
  if (values->size() > 1 && !is_fraction(q, e.span, e.children[1])) return Value::poison();
  if (bound.empty()) return v;
  return quantile_over(e.name.key, std::move(v), q, axes, bound, {}, e.span);
}

}  // namespace gradus::elaboration
