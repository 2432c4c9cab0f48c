// Calls of functions whose derivatives the user gave: the value of the body with the differential of the partials.
#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {

Value Evaluator::call_with_gradient(const FunctionInfo& f, ast::Id id, const std::vector<Value>& values) {
  // The body sees its arguments as constants: what it has of other values is differentiated as ever.
  std::vector<Value> fixed;
  for (const Value& v : values) {
    fixed.push_back(build_.stopped(v));
    fixed.back().identity = next_id_++;
  }
  Value value = inline_body(f, id, f.definition->parameters, f.definition->body, std::move(fixed));
  if (value.poisoned) return value;
  build_.operand(value);
  std::vector<Value> arguments, partials;
  std::vector<Label> bound;
  for (std::size_t k = 0; k < values.size(); ++k) {
    f.in_partials = true;
    Value partial = inline_body(f, id, f.gradient->parameters, f.gradient->partials[k], values);
    f.in_partials = false;
    if (partial.poisoned) return Value::poison();
    Value argument = build_.fresh(values[k]);
    const Value given = partial;
    build_.operand(argument);
    build_.operand(partial);
    if (build_.is_constant(partial, 0)) continue;
    if (align_whole(partial, value, argument)) {
      bound.insert(bound.end(), argument.axes.begin(), argument.axes.end());
    } else if (!align(partial, value.axes) || !align(argument, value.axes)) {
      const std::string& by = f.gradient->parameters[k].text;
      std::string wanted = "[*value, *" + by + "] = ";
      std::vector<Size> shape;
      for (const Label l : value.axes) shape.push_back(build_.size(l));
      for (const Label l : argument.axes) shape.push_back(build_.size(l));
      wanted += shape_text(sizes_, shape);
      if (align(argument, value.axes))
        wanted += ", or those of the value, " + shape_of(value) + ", where it is elementwise in " + by;
      const Span mark = f.program->at(f.gradient->partials[k]).span;
      error(mark, "the derivative of " + f.definition->name.text + " by " + by + " is " + shape_of(given) +
                      ", but needs the axes " + wanted)
          .note("in this call of " + f.definition->name.text, at(id).span);
      return Value::poison();
    }
    arguments.push_back(std::move(argument));
    partials.push_back(std::move(partial));
  }
  const std::vector<Label> axes = value.axes;
  return build_.given(std::move(value), arguments, partials, axes, bound);
}

/// Reads a value at the last of these axes, NumPy's way; false where it does not fit.
bool Evaluator::align(Value& v, const std::vector<Label>& axes) {
  if (v.axes.size() > axes.size()) return false;
  for (std::size_t k = 1; k <= v.axes.size(); ++k) {
    const Label from = v.axes[v.axes.size() - k], to = axes[axes.size() - k];
    const FrameLabel &x = frame_.labels[from], &y = frame_.labels[to];
    const bool same = !x.known || !y.known || x.size == y.size;
    if (!same && !sizes_.is_one(x.size)) return false;
    if (from != to) build_.substitute(v, from, same ? build_.bare(to) : Subscript{});
  }
  return true;
}

/// Reads a partial derivative with axes [*value, *argument] at the labels of both; false where it has other axes.
bool Evaluator::align_whole(Value& partial, const Value& value, const Value& argument) {
  std::vector<Label> axes = value.axes;
  axes.insert(axes.end(), argument.axes.begin(), argument.axes.end());
  if (argument.axes.empty() || partial.axes.size() != axes.size()) return false;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const FrameLabel &x = frame_.labels[partial.axes[k]], &y = frame_.labels[axes[k]];
    if (x.known && y.known && x.size != y.size) return false;
  }
  for (std::size_t k = 0; k < axes.size(); ++k)
    if (partial.axes[k] != axes[k]) build_.substitute(partial, partial.axes[k], build_.bare(axes[k]));
  return true;
}

}  // namespace gradus::elaboration
