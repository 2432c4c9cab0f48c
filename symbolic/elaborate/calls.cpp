// Calls: the user's functions, the prelude's, rows of the function table; arguments, keywords, unknown names.
#include <algorithm>

#include "frontend/foreign_functions.hpp"
#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {
namespace {

/// Calls inlined in one program; functions that call functions can grow without bound.
constexpr std::size_t most_inlined_calls = 200'000;

/// MATLAB's and everybody's other names.
std::string canonical(const std::string& key) {
  static const std::unordered_map<std::string, std::string> synonyms = {
      {"arcsin", "asin"}, {"arccos", "acos"}, {"arctan", "atan"}, {"ln", "log"}, {"trace", "tr"}};
  const auto found = synonyms.find(key);
  return found == synonyms.end() ? key : found->second;
}

}  // namespace

std::optional<std::vector<Value>> Evaluator::arguments(ast::Id id) {
  std::vector<Value> out;
  bool poisoned = false;
  const std::vector<ast::Id> children = at(id).children;
  for (const ast::Id child : children) {
    out.push_back(eval(child));
    poisoned = poisoned || out.back().poisoned;
  }
  if (poisoned) return std::nullopt;
  return out;
}

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
  constexpr std::size_t most_nested = 8;
  if ((e.name.key == "max" || e.name.key == "min") && given > 2 && given <= most_nested) {
    std::string nested = text_of(e.children.back());
    for (std::size_t k = given - 1; k-- > 0;) nested = e.name.text + "(" + text_of(e.children[k]) + ", " + nested + ")";
    d.help("write " + nested);
  }
  if (e.name.key == "log" && given == 2) {
    const std::string base = text_of(e.children[1]), x = text_of(e.children[0]);
    d.help(base == "10" || base == "2" ? "write log" + base + "(" + x + ")" : "write log(" + x + ")/log(" + base + ")");
  }
  return false;
}

bool Evaluator::keywords(ast::Id id, bool allowed) {
  const ast::Expression& e = at(id);
  for (std::size_t k = 0; k < e.keywords.size(); ++k) {
    const ast::Keyword& word = e.keywords[k];
    if (allowed && word.name.text == "axis" && k == 0) continue;
    if (word.name.text == "axis") {
      error(word.name.span, allowed ? "axis is given twice" : e.name.text + " takes no axis");
      return false;
    }
    Diagnostic& d = error(word.name.span, e.name.text + " takes no argument named " + word.name.text);
    if (word.name.text == "keepdims")
      d.help("index notation keeps the axis: Z[i, j] = X[i, j] - sum[k](X[i, k])");
    else if (e.name.key == "norm" && (word.name.text == "ord" || word.name.text == "p") && !e.children.empty())
      d.help("the order is the second argument: norm(" + text_of(e.children[0]) + ", " + text_of(word.value) + ")");
    else if (allowed)
      d.help("did you mean axis?");
    return false;
  }
  return true;
}

std::optional<std::size_t> Evaluator::axis_number(ast::Id value, std::size_t rank, Span mark,
                                                  const std::string& shape) {
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
                    (rank == 0 ? " has no axes" : " has the axes 0 to " + std::to_string(count - 1)));
    return std::nullopt;
  }
  return static_cast<std::size_t>(*number < 0 ? *number + count : *number);
}

std::optional<Evaluator::ReducedAxes> Evaluator::reduced_axes(const ast::Expression& call, const Value& v) {
  if (call.keywords.empty()) return ReducedAxes{{}, v.axes};
  const auto axis = axis_number(call.keywords[0].value, v.axes.size(), call.span,
                                named(call.children[0]) + ", which is " + shape_of(v) + ",");
  if (!axis) return std::nullopt;
  ReducedAxes out{v.axes, {v.axes[*axis]}};
  out.kept.erase(out.kept.begin() + static_cast<std::ptrdiff_t>(*axis));
  return out;
}

Value Evaluator::eval_call(ast::Id id) {
  const ast::Expression& e = at(id);
  if (!activation().prelude) {
    const auto own = context_.functions.find(e.name.key);
    if (own != context_.functions.end()) return call_user(own->second, id);
  }
  const std::string name = canonical(e.name.key);
  if (const ArrayFunction* f = array_function(name)) return call_array(*f, id);
  if (name == "max" || name == "min") return reduction_call(id);
  if (const auto f = function_named(name)) return call_elementwise(*f, id);
  const auto& prelude = prelude_functions();
  if (const auto f = prelude.find(name); f != prelude.end()) return call_user(f->second, id);
  return unknown_function(id);
}

/// Whether the first argument of polygamma is what it may be: it has no derivative by it.
bool Evaluator::is_order(const Value& k, ast::Id argument) {
  const auto number = k.affine && k.affine->is_constant() ? sizes_.as_constant(k.affine->offset) : std::nullopt;
  if (k.affine && (!number || (*number >= 0 && *number <= 126))) return true;
  error(at(argument).span,
        "the order of polygamma is a whole number from 0 to 126: a number, a size, an index name or "
        "index data");
  return false;
}

Value Evaluator::call_elementwise(Function f, ast::Id id) {
  const ast::Expression& e = at(id);
  if (!keywords(id, false) || !arity(id, row(f).arity, row(f).arity)) return Value::poison();
  auto values = arguments(id);
  if (!values) return Value::poison();
  if (f == Function::polygamma && !is_order((*values)[0], e.children[0])) return Value::poison();
  Broadcast shape;
  for (std::size_t k = 0; k < values->size(); ++k) {
    Value before;
    before.axes = shape.axes;
    const Value read = (*values)[k];
    if (!shape.add(build_, (*values)[k])) {
      Diagnostic& d = error(e.span, "the arguments of " + e.name.text +
                                        " have shapes that do not align: " + named(e.children[k - 1]) + " is " +
                                        shape_of(before) + ", " + named(e.children[k]) + " is " + shape_of(read));
      note_declaration(d, e.children[k - 1]);
      note_declaration(d, e.children[k]);
      return Value::poison();
    }
  }
  return build_.elementwise(f, std::move(*values), shape.axes);
}

Value Evaluator::call_user(const FunctionInfo& f, ast::Id id) {
  const ast::Expression& e = at(id);
  if (f.poisoned) return Value::poison();
  if (!keywords(id, false)) return Value::poison();
  const auto& parameters = f.definition->parameters;
  if (e.children.size() != parameters.size()) {
    Diagnostic& d = error(e.span, e.name.text + " takes " + counted(parameters.size(), "argument") + ", not " +
                                      std::to_string(e.children.size()));
    if (!f.prelude) d.note(e.name.text + " is defined here", f.definition->name.span);
    return Value::poison();
  }
  auto values = arguments(id);
  if (!values) return Value::poison();
  const FunctionInfo* chosen = &f;
  // Class indices are told from a distribution by what they are.
  if (f.prelude && e.name.key == "cross_entropy" && (*values)[1].affine)
    chosen = &prelude_functions().at("cross_entropy_of_classes");
  else if (f.prelude && (e.name.key == "cross_entropy" || e.name.key == "nll") && !(*values)[1].affine &&
           (*values)[0].axes.size() == (*values)[1].axes.size() + 1)
    return no_classes(id, (*values)[0], (*values)[1]);
  return inline_call(*chosen, id, std::move(*values));
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

Value Evaluator::inline_call(const FunctionInfo& f, ast::Id id, std::vector<Value> values) {
  const ast::Expression& e = at(id);
  context_.inlined.insert(f.definition);
  // The same function of the same arguments under the same conditions is the same value.
  const bool given = f.gradient != nullptr && !f.in_partials;
  const void* const meaning = given ? static_cast<const void*>(f.gradient) : f.definition;
  const auto number =
      function_ids_.try_emplace(meaning, static_cast<std::uint32_t>(function_ids_.size())).first->second;
  std::vector<std::uint64_t> key{number, condition_ids_.empty() ? 0 : condition_ids_.back()};
  for (const auto& v : values) key.push_back(v.identity);
  if (const auto known = memo_.find(key); known != memo_.end()) {
    Value v = known->second.poisoned ? known->second : build_.fresh(known->second);
    v.identity = known->second.identity;
    return v;
  }
  if (++context_.inlined_calls > most_inlined_calls)
    return fail(e.span, "too many function calls: inlining stops after " + std::to_string(most_inlined_calls));
  Value v = given ? call_with_gradient(f, id, values)
                  : inline_body(f, id, f.definition->parameters, f.definition->body, std::move(values));
  memo_.emplace(std::move(key), v);
  return v;
}

Value Evaluator::inline_body(const FunctionInfo& f, ast::Id id, const std::vector<ast::Name>& parameters, ast::Id body,
                             std::vector<Value> values) {
  const ast::Expression& e = at(id);
  const auto path = paths_.try_emplace({activation().path, id.index, activation().program},
                                       static_cast<std::uint32_t>(paths_.size() + 1));
  Activation inner{f.program, f.prelude, bindings_.size(), path.first->second, id, e.span, e.name.text};
  for (std::size_t k = 0; k < parameters.size(); ++k)
    bindings_.push_back({parameters[k].key, false, std::move(values[k])});
  activations_.push_back(std::move(inner));
  const bool sizes_only = std::exchange(size_position_, false);
  Value v = eval(body);
  size_position_ = sizes_only;
  bindings_.resize(activation().first_binding);
  activations_.pop_back();
  return v;
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
    if (!e.children.empty() && e.children.size() <= rank)
      subscripts_in_brackets(d, e, context_.model.inputs[s->number]);
    else if (e.children.size() == 1)
      d.help("for a product write " + name + "*(" + text_of(e.children[0]) + ")");
    return Value::poison();
  }
  if (!context_.reported_names.insert(e.name.key + "(").second) return Value::poison();
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
  if (std::string here = foreign_call(name, texts); !here.empty()) {
    for (const ast::Keyword& word : e.keywords)
      if (here.ends_with(')') && (word.name.text == "axis" || word.name.text == "dim"))
        here.insert(here.size() - 1, ", axis=" + text_of(word.value));
    d.help("write " + here);
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
