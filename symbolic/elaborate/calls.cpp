// Calls: the user's functions, the prelude's, rows of the function table; arguments, keywords, unknown names.
#include <algorithm>

#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {
namespace {

/// Calls inlined in one program; functions that call functions can grow without bound.
constexpr std::size_t most_inlined_calls = 200'000;

}  // namespace

std::string Evaluator::canonical_function(const std::string& key) {
  static const std::unordered_map<std::string, std::string> synonyms = {
      {"arcsin", "asin"}, {"arccos", "acos"}, {"arctan", "atan"}, {"ln", "log"}, {"trace", "tr"}};
  const auto found = synonyms.find(key);
  return found == synonyms.end() ? key : found->second;
}

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

std::optional<Evaluator::ReducedAxes> Evaluator::reduced_axes(const ast::Expression& call, const Value& v) {
  if (call.keywords.empty()) return ReducedAxes{{}, v.axes};
  if (at(call.keywords[0].value).kind == ast::Kind::vector) {
    several_axes(call, at(call.keywords[0].value), v.axes.size());
    return std::nullopt;
  }
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
  const std::string name = canonical_function(e.name.key);
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
  if (!e.keywords.empty() && e.children.size() + e.keywords.size() == f.definition->parameters.size())
    return named_arguments(id, *f.definition);
  if (!keywords(id, false)) return Value::poison();
  const auto& parameters = f.definition->parameters;
  if (e.children.size() != parameters.size()) {
    Diagnostic& d = error(e.span, e.name.text + " takes " + counted(parameters.size(), "argument") + ", not " +
                                      std::to_string(e.children.size()));
    if (!f.prelude) d.note(e.name.text + " is defined here", f.definition->name.span);
    if (!f.prelude) return Value::poison();
    const std::string here = right_arguments(e);
    d.help(here.empty() ? "it is " + signature(*f.definition) : here);
    return Value::poison();
  }
  auto values = arguments(id);
  if (!values) return Value::poison();
  const FunctionInfo* chosen = &f;
  if (f.prelude && (e.name.key == "cross_entropy" || e.name.key == "nll") && (*values)[0].affine &&
      (*values)[1].axes.size() == (*values)[0].axes.size() + 1) {
    error(e.span, e.name.text + " takes the scores first, then the classes")
        .help("write " + e.name.text + "(" + text_of(e.children[1]) + ", " + text_of(e.children[0]) + ")");
    return Value::poison();
  }
  // Class indices are told from a distribution by what they are.
  if (f.prelude && e.name.key == "cross_entropy" && (*values)[1].affine)
    chosen = &prelude_functions().at("cross_entropy_of_classes");
  else if (f.prelude && (e.name.key == "cross_entropy" || e.name.key == "nll") && !(*values)[1].affine &&
           (*values)[0].axes.size() == (*values)[1].axes.size() + 1)
    return no_classes(id, (*values)[0], (*values)[1]);
  return inline_call(*chosen, id, std::move(*values));
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
  if (++context_.inlined_calls > most_inlined_calls && !context_.reported_names.insert("calls!").second)
    return Value::poison();
  if (context_.inlined_calls > most_inlined_calls)
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

}  // namespace gradus::elaboration
