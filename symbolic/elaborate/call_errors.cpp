// Calls that do not fit: too many arguments, arguments with names, functions that do not exist.
#include <algorithm>

#include "frontend/foreign_functions.hpp"
#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {

bool Evaluator::arity(ast::Id id, std::size_t least, std::size_t most) {
  const ast::Expression& e = at(id);
  const std::size_t given = e.children.size();
  if (given >= least && given <= most) return true;
  std::string wanted = counted(least, "argument");
  if (most == SIZE_MAX)
    wanted = "at least " + wanted;
  else if (most != least)
    wanted = std::to_string(least) + (most == least + 1 ? " or " : " to ") + counted(most, "argument");
  Diagnostic& d = error(e.span, e.name.text + " takes " + wanted + ", not " + std::to_string(given));
  const std::string help = right_arguments(e);
  if (!help.empty()) d.help(help);
  return false;
}

std::optional<std::size_t> Evaluator::axis_number(ast::Id value, std::size_t rank, Span mark,
                                                  const std::string& shape) {
  const ast::Expression& e = at(value);
  const Symbol* none = e.kind == ast::Kind::name && e.name.text == "None" ? context_.find("None") : nullptr;
  if (e.kind == ast::Kind::name && e.name.text == "None" && (none == nullptr || context_.assumed.count("None") != 0)) {
    error(e.span, "an axis is a whole number").help("without axis=… the function runs over all of them");
    return std::nullopt;
  }
  if (e.kind == ast::Kind::vector) {
    error(e.span, "one axis is named at a time");
    return std::nullopt;
  }
  const Value v = eval(value);
  if (v.poisoned) return std::nullopt;
  const auto number = v.affine && v.affine->is_constant() ? sizes_.as_constant(v.affine->offset) : std::nullopt;
  if (!number) {
    error(at(value).span, "an axis is a whole number, 0 for the first or -1 for the last");
    return std::nullopt;
  }
  const auto count = static_cast<std::int64_t>(rank);
  if (*number >= count || *number < -count) {
    error(mark, "there is no axis " + std::to_string(*number) + ": " + shape +
                    (rank == 0   ? " has no axes"
                     : rank == 1 ? " has the axis 0 only"
                                 : " has the axes 0 to " + std::to_string(count - 1)));
    return std::nullopt;
  }
  return static_cast<std::size_t>(*number < 0 ? *number + count : *number);
}

/// Numbers where class indices are meant.
Value Evaluator::no_classes(ast::Id id, const Value& scores, const Value& classes) {
  const ast::Expression& e = at(id);
  Diagnostic& d = error(e.span, e.name.text + " takes class indices, but " + named(e.children[1]) +
                                    " is no index data (" + named(e.children[0]) + " is " + shape_of(scores) + ", " +
                                    named(e.children[1]) + " is " + shape_of(classes) + ")");
  note_declaration(d, e.children[1]);
  const ast::Expression& c = at(e.children[1]);
  if (c.kind == ast::Kind::name && !classes.axes.empty())
    d.help("declare it so: data " + c.name.text + shape_of(classes) + " : index(" +
           sizes_.to_string(build_.size(scores.axes.back())) + ")");
  return Value::poison();
}

/// `x(i)` and MATLAB's `x(1)`, `x(end)`.
void Evaluator::subscripts_in_brackets(Diagnostic& d, const ast::Expression& call, const Input& input) {
  std::string list, given;
  bool shifted = false;
  for (std::size_t k = 0; k < call.children.size(); ++k) {
    const ast::Expression& e = at(call.children[k]);
    std::string text = text_of(call.children[k]);
    given += (k == 0 ? "" : ", ") + text;
    const auto number = e.kind == ast::Kind::number ? e.value.as_int64() : std::nullopt;
    if (number && *number > 0) {
      text = std::to_string(*number - 1);
      shifted = true;
    } else if (e.kind == ast::Kind::name && e.name.text == "end") {
      text = sizes_.to_string(sizes_.subtract(input.shape[k], sizes_.constant(1)));
      shifted = true;
    }
    list += (k == 0 ? "" : ", ") + text;
  }
  const std::string& name = call.name.text;
  if (shifted)
    d.help("subscripts stand in brackets and count from 0: " + name + "(" + given + ") is " + name + "[" + list + "]");
  else
    d.help("subscripts stand in brackets: " + name + "[" + list + "]");
}

Value Evaluator::unknown_function(ast::Id id) {
  const ast::Expression& e = at(id);
  const std::string& name = e.name.text;
  if (silent_) return Value::poison();
  if (is_function_to_come(e.name.key)) return not_supported(e.name.span, name);
  const Symbol* s = activation().prelude ? nullptr : context_.find(e.name.key);
  if (s != nullptr || find_binding(e.name.key) != nullptr) {
    if (s != nullptr && s->kind == Symbol::Kind::equation && context_.equations[s->number].broken)
      return Value::poison();  // perhaps it was meant as a function
    std::size_t rank = 0;
    if (s != nullptr && s->kind == Symbol::Kind::input) rank = context_.model.inputs[s->number].shape.size();
    Diagnostic& d = error(e.name.span, name + " is a value, not a function");
    if (s != nullptr && !s->span.is_none())
      d.note(name + (s->kind == Symbol::Kind::equation ? " is defined here" : " is declared here"), s->span);
    if (s != nullptr && !e.children.empty() && e.children.size() <= rank)
      subscripts_in_brackets(d, e, context_.model.inputs[s->number]);
    else if (e.children.size() == 1)
      d.help("for a product write " + name + "*(" + text_of(e.children[0]) + ")");
    return Value::poison();
  }
  if (!context_.reported_names.insert(e.name.key + "(").second) return Value::poison();
  if (context_.lost_names > 0 && near_function(context_, name).empty()) {
    --context_.lost_names;
    return Value::poison();
  }
  Diagnostic& d = error(e.name.span, "there is no function " + name);
  if ((name == "len" || name == "length" || name == "size" || name == "numel") && e.children.size() == 1) {
    const Value v = eval(e.children[0]);
    if (!v.poisoned && v.axes.size() > 1 && name != "len")
      d.help("sizes have names: " + named(e.children[0]) + " is " + shape_of(v));
    else if (!v.poisoned && !v.axes.empty())
      d.help("the length of " + named(e.children[0]) + " is the size " + sizes_.to_string(build_.size(v.axes[0])));
    return Value::poison();
  }
  std::vector<std::string> texts;
  for (const ast::Id child : e.children) texts.push_back(text_of(child));
  std::string here = with_keywords(e, name);
  if (here.empty())
    if (const std::string_view function = foreign_function(name, e.children.size()); is_function_name(function))
      here = with_keywords(e, std::string(function));  // clamp(x, min=0)
  if (here.empty() && name == "clamp") here = with_keywords(e, "clip");
  if (here.empty() && name == "clamp" && texts.size() == 2 && e.keywords.empty()) {
    d.help("a bound on one side is max(" + texts[0] + ", " + texts[1] + ") or min(" + texts[0] + ", " + texts[1] + ")");
    return Value::poison();
  }
  if (!here.empty()) {
    d.help("write " + here);
    return Value::poison();
  }
  const bool density = name.find("_lpdf") != name.npos || name.find("_lpmf") != name.npos;
  if (density || name == "logpdf" || name == "log_prob" || name == "pdf" || name == "lpdf") {
    d.help("a log density is written out, as in -((x - mu)/s)^2/2 - log(s) - log(2*pi)/2");
    return Value::poison();
  }
  if ((name == "I" || name == "indicator" || name == "𝟙" || name == "ind") && texts.size() == 1) {
    const bool condition = at(e.children[0]).kind == ast::Kind::comparison;
    d.help(condition ? "a condition is 1 or 0 itself: (" + texts[0] + ")"
                     : "the identity matrix is eye(" + texts[0] + ")");
    return Value::poison();
  }
  if (name == "einsum") {
    d.help("index notation says it, as in C[i, k] = sum[j](A[i, j]*B[j, k])");
    return Value::poison();
  }
  if (const std::size_t bar = name.find('_'); bar != std::string::npos && texts.size() == 1) {
    const std::string sign = name.substr(0, bar), index = name.substr(bar + 1);
    const bool reduces = sign == "sum" || sign == "prod" || sign == "mean" || sign == "max" || sign == "min";
    if (reduces && index.size() == 1) {
      d.help("the index stands in brackets: " + sign + "[" + index + "](" + texts[0] + ")");
      return Value::poison();
    }
  }
  if ((name == "Σ" || name == "Π") && texts.size() == 1) {
    d.help("write " + std::string(name == "Σ" ? "sum(" : "prod(") + texts[0] + ")");
    return Value::poison();
  }
  const std::string near = near_function(context_, name);
  if (!near.empty()) d.help("did you mean " + near + "?");
  return Value::poison();
}

}  // namespace gradus::elaboration
