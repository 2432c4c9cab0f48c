// Reductions over labels, whether they were named by an index, an axis or not at all; softmax and running sums.
#include <algorithm>

#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {

void Evaluator::require(Size size, bool zero, std::string message, Span span) {
  auto& all = context_.model.requirements;
  const bool known = std::ranges::any_of(
      all, [&](const SizeRequirement& r) { return r.size == size && r.must_be_zero == zero && r.message == message; });
  if (!known) all.push_back({size, zero, std::move(message), place_of(span)});
}

Value Evaluator::count_of(const std::vector<Label>& bound, const std::vector<Guard>& guards) {
  Subscript count = graph_.offset(sizes_.constant(1));
  for (const Label l : bound) count = graph_.scale(count, build_.size(l));
  if (guards.empty() && small(count) && !frame_.dry) return build_.integer(count);
  return build_.product({build_.constant(1)}, {}, bound, guards);
}

void Evaluator::require_nonempty(const std::string& name, const std::vector<Label>& bound,
                                 const std::vector<Guard>& guards, Span mark) {
  if (frame_.dry) return;
  const std::string message = name + " of nothing";
  if (guards.empty() && conditions_.empty()) {
    for (const Label l : bound) {
      const Size spare = sizes_.subtract(build_.size(l), sizes_.constant(1));
      if (!sizes_.is_nonnegative(spare))
        require(spare, false, message + ": the size " + sizes_.to_string(build_.size(l)) + " must be at least 1", mark);
    }
    return;
  }
  Value some = build_.elementwise(Function::less, {build_.constant(0), count_of(bound, guards)}, {});
  add_check(ValueCheck::Code::empty_reduction, std::move(some),
            guards.empty() ? message : message + ": no element passes the filter", mark);
}

Value Evaluator::divided(Value v, Value by, const Rational& exponent, const std::vector<Label>& axes) {
  Value inverse = build_.elementwise(Function::power, {std::move(by), build_.constant(exponent)}, {});
  return build_.product({std::move(v), std::move(inverse)}, axes);
}

Value Evaluator::norm_over(Value v, const std::vector<Label>& axes, const std::vector<Label>& bound,
                           const std::vector<Guard>& guards, const Value& order, Span mark) {
  const Rational* p = build_.constant_value(order);
  if (p != nullptr && *p == Rational(2)) return build_.reduce(Reduction::norm, std::move(v), axes, bound, guards);
  std::vector<Label> inner = v.axes;
  Value magnitude = build_.elementwise(Function::abs, {std::move(v)}, inner);
  if (p != nullptr && p->is_one()) return build_.product({std::move(magnitude)}, axes, bound, guards);
  const bool infinite = !order.lazy && order.operand.expr.valid() &&
                        graph_[order.operand.expr].kind == Kind::elementwise &&
                        graph_[order.operand.expr].function == Function::infinity;
  if (infinite) {
    require_nonempty("the largest magnitude", bound, guards, mark);
    return build_.reduce(Reduction::maximum, std::move(magnitude), axes, bound, guards);
  }
  if (p != nullptr && p->sign() <= 0) return fail(mark, "the order of a norm is positive");
  if (p == nullptr)
    add_check(ValueCheck::Code::bad_argument, build_.elementwise(Function::less, {build_.constant(0), order}, {}),
              "the order of a norm is positive", mark);
  // (Σ|x|^p)^(1/p), with derivative 0 where all x are 0.
  Value powers = build_.elementwise(Function::power, {std::move(magnitude), order}, inner);
  Value total = build_.product({std::move(powers)}, axes, bound, guards);
  Value inverse = p != nullptr ? build_.constant(Rational(1) / *p)
                               : build_.elementwise(Function::power, {order, build_.constant(-1)}, {});
  Value root = build_.elementwise(Function::power, {total, std::move(inverse)}, axes);
  Value some = build_.elementwise(Function::less, {build_.constant(0), total}, axes);
  return build_.elementwise(Function::select, {std::move(some), std::move(root), build_.constant(0)}, axes);
}

Value Evaluator::reduce_over(const std::string& name, Value v, const std::vector<Label>& axes,
                             const std::vector<Label>& bound, const std::vector<Guard>& guards, Span mark, ast::Id id) {
  if (name == "any" || name == "all") {
    if (!is_condition(v, at(id).children[0], name.c_str())) return Value::poison();
    return build_.reduce(name == "any" ? Reduction::any : Reduction::all, std::move(v), axes, bound, guards);
  }
  if (name == "sum") return build_.product({std::move(v)}, axes, bound, guards);
  if (name == "prod") return build_.reduce(Reduction::product, std::move(v), axes, bound, guards);
  if (name == "logsumexp") return build_.softmax(SoftmaxKind::logsumexp, {std::move(v)}, axes, bound, guards);
  if (name == "norm") return norm_over(std::move(v), axes, bound, guards, build_.constant(2), mark);
  require_nonempty(name, bound, guards, mark);
  if (name == "max") return build_.reduce(Reduction::maximum, std::move(v), axes, bound, guards);
  if (name == "min") return build_.reduce(Reduction::minimum, std::move(v), axes, bound, guards);
  if (name == "argmax") return build_.reduce(Reduction::argmax, std::move(v), axes, bound, guards);
  if (name == "argmin") return build_.reduce(Reduction::argmin, std::move(v), axes, bound, guards);
  const Value count = count_of(bound, guards);
  Value mean = divided(build_.product({v}, axes, bound, guards), count, -1, axes);
  if (name == "mean") return mean;
  // Two passes: the centred values first.
  const std::vector<Label> all = v.axes;
  Value centred = build_.sum({std::move(v), std::move(mean)}, {1, -1}, all);
  if (name == "std") {
    Value size = build_.reduce(Reduction::norm, std::move(centred), axes, bound, guards);
    return divided(std::move(size), count, Rational::ratio(-1, 2), axes);
  }
  Value squares = build_.elementwise(Function::power, {std::move(centred), build_.constant(2)}, all);
  return divided(build_.product({std::move(squares)}, axes, bound, guards), count, -1, axes);
}

Value Evaluator::scaled_softmax(SoftmaxKind kind, Value v, std::size_t axis) {
  build_.operand(v);
  const Label here = v.axes[axis];
  const Label inner = build_.like(here);
  Value under = v;
  build_.substitute(under, here, build_.bare(inner));
  const std::vector<Label> axes = v.axes;
  return build_.softmax(kind, {std::move(v), std::move(under)}, axes, {inner});
}

Value Evaluator::running(Value v, std::size_t axis, bool product) {
  build_.operand(v);
  const Label here = v.axes[axis];
  const Label inner = build_.like(here);
  build_.substitute(v, here, build_.bare(inner));
  const std::vector<Label> axes = v.axes;
  const Guard upto{Guard::Kind::nonnegative, graph_.subtract(build_.bare(here), build_.bare(inner)), {}};
  if (product) return build_.reduce(Reduction::product, std::move(v), axes, {inner}, {upto});
  return build_.product({std::move(v)}, axes, {inner}, {upto});
}

}  // namespace gradus::elaboration
