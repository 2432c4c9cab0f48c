// Elaboration of one equation: the two runs, dispatch on the kinds of expressions, names, placing of errors.
#include "symbolic/elaborate/evaluate.hpp"

#include <algorithm>

#include "frontend/format.hpp"
#include "frontend/parse.hpp"
#include "symbolic/graph_internal.hpp"

namespace gradus::elaboration {
namespace {

/// Levels of expressions within expressions (inlined functions included); keeps the stack bounded.
constexpr unsigned most_levels = 1200;

}  // namespace

Evaluator::Evaluator(Context& context)
    : context_(context), graph_(context.model.graph), sizes_(context.model.graph.sizes()), build_(graph_, frame_) {}

Diagnostic& Evaluator::error(Span mark, std::string text, std::vector<Span> context) {
  sink_ = {};
  if (silent_) return sink_;
  for (std::size_t k = 1; k < activations_.size(); ++k)
    if (activations_[k].prelude) return error_in_prelude(k, text);
  if (!context_.reported_places.insert({mark.begin, mark.end}).second) return sink_;
  Diagnostic& d = context_.diagnostics.error(mark, std::move(text), std::move(context));
  for (std::size_t k = activations_.size(); k-- > 1;)
    if (!activations_[k].prelude && !activations_[k].call.is_none() && !activations_[k - 1].prelude) {
      d.note("in this call of " + activations_[k].name, activations_[k].call);
      break;
    }
  return d;
}

Diagnostic& Evaluator::error_in_prelude(std::size_t activation, const std::string& text) {
  // Prelude code is the language's own: its errors belong to the user's call, in terms of its arguments.
  const Activation& call = activations_[activation];
  if (!context_.reported_places.insert({call.call.begin, call.call.end}).second) return sink_;
  std::string words = text;
  const auto begins = [&](const char* start) { return text.starts_with(start); };
  if (!user_words_ && !begins("not supported yet") && !begins("the formula is nested") && !begins("too many")) {
    const ast::Program& caller = *activations_[activation - 1].program;
    const std::vector<ast::Id>& arguments = caller.at(call.call_expression).children;
    words = "the arguments of " + call.name + " do not fit together: ";
    for (std::size_t k = 0; k < arguments.size(); ++k) {
      const ast::Expression& e = caller.at(arguments[k]);
      const bool is_short = e.span.end - e.span.begin <= 40;
      words += (k == 0 ? "" : ", ") + (is_short ? format(caller, arguments[k]) : "argument " + std::to_string(k + 1)) +
               " is " + shape_of(bindings_[call.first_binding + k].value);
    }
  }
  Diagnostic& d = context_.diagnostics.error(call.call, std::move(words));
  if (activation == 1)  // the call stands in the user's text, not in a function's body
    for (const ast::Id argument : activations_[0].program->at(call.call_expression).children)
      note_declared(d, activations_[0].program->at(argument));
  return sink_;  // what is added in terms of the prelude's code is not shown
}

Diagnostic& Evaluator::warning(Span mark, std::string text, std::vector<Span> context) {
  sink_ = {};
  if (silent_) return sink_;
  for (std::size_t k = 1; k < activations_.size(); ++k) {
    if (!activations_[k].prelude) continue;
    mark = activations_[k].call;  // the prelude's code is the language's own: the warning belongs to the user's call
    context.clear();
    break;
  }
  if (!context_.warned_places.insert({mark.begin, mark.end}).second) return sink_;
  return context_.diagnostics.warning(mark, std::move(text), std::move(context));
}

std::string Evaluator::text_of(ast::Id id) const { return format(*activation().program, id); }

std::string Evaluator::named(ast::Id id) const {
  const Span span = at(id).span;
  if (span.end - span.begin > longest_shown) return "this value";
  std::string text = text_of(id);
  return text.size() <= 60 ? text : "this value";
}

std::string Evaluator::shape_of(const Value& v) {
  std::vector<Size> shape;
  for (const Label l : v.axes) shape.push_back(build_.size(l));
  return shape.empty() ? "a scalar" : shape_text(sizes_, shape);
}

void Evaluator::note_declaration(Diagnostic& d, ast::Id id) {
  const auto* e = &at(id);
  while (e->kind == ast::Kind::subscript || e->kind == ast::Kind::transpose) e = &at(e->children[0]);
  if (e->kind == ast::Kind::name && find_binding(e->name.key) == nullptr) note_declared(d, *e);
}

void Evaluator::note_declared(Diagnostic& d, const ast::Expression& name) {
  const auto* e = &name;
  if (e->kind != ast::Kind::name) return;
  const Symbol* s = context_.find(e->name.key);
  if (s == nullptr || s->span.is_none()) return;
  const bool known = std::ranges::any_of(d.more, [&](const Message& m) { return m.mark == s->span; });
  if (!known) d.note(s->text + (s->kind == Symbol::Kind::equation ? " is defined here" : " is declared here"), s->span);
}

Value Evaluator::eval(ast::Id id) {
  if (!id.valid()) return Value::poison();
  if (depth_ >= most_levels)
    return fail(at(id).span, "the formula is nested too deeply (more than " + std::to_string(most_levels) +
                                 " levels, inlined functions included)");
  ++depth_;
  Value v = eval_inner(id);
  --depth_;
  if (v.identity == 0) v.identity = next_id_++;
  if (context_.program.matlab && activation().program == &context_.program && !v.poisoned)
    ranks_[id.index] = v.axes.size();
  return v;
}

Value Evaluator::eval_inner(ast::Id id) {
  const ast::Expression& e = at(id);
  switch (e.kind) {
    case ast::Kind::number:
      return build_.constant(e.value);
    case ast::Kind::name:
      return eval_name(id);
    case ast::Kind::negate: {
      Value v = eval(e.children[0]);
      if (v.poisoned) return v;
      if (v.affine && (v.lazy || v.axes.empty())) {
        const Subscript s = graph_.scale(*v.affine, sizes_.constant(-1));
        if (const Rational* c = build_.constant_value(v)) return build_.constant(-*c);
        return build_.integer(s, v.axes);
      }
      const auto axes = v.axes;
      return build_.sum({std::move(v)}, {-1}, axes);
    }
    case ast::Kind::plus: {
      Value v = eval(e.children[0]);
      v.identity = 0;
      return v;
    }
    case ast::Kind::logical_not:
      return eval_not(id);
    case ast::Kind::binary:
      switch (e.op) {
        case ast::Binary::add:
        case ast::Binary::subtract:
          return eval_sum(id);
        case ast::Binary::multiply:
        case ast::Binary::divide:
        case ast::Binary::matmul:
          return eval_product(id);
        case ast::Binary::power:
          return eval_power(id);
        case ast::Binary::logical_and:
        case ast::Binary::logical_or:
          return eval_logic(id);
      }
      break;
    case ast::Kind::comparison:
      return eval_comparison(id);
    case ast::Kind::conditional:
      return choose(e.children[1], e.children[0], e.children[2], e.span);
    case ast::Kind::call:
      return eval_call(id);
    case ast::Kind::index_form:
      return eval_index_form(id);
    case ast::Kind::subscript:
      return eval_subscript(id);
    case ast::Kind::transpose:
      return transposed(id);
    case ast::Kind::absolute: {
      Value v = eval(e.children[0]);
      if (v.poisoned) return v;
      const auto axes = v.axes;
      return build_.elementwise(Function::abs, {std::move(v)}, axes);
    }
    case ast::Kind::norm:
      return norm(id);
    case ast::Kind::matrix:
    case ast::Kind::vector:
      return literal(id);
  }
  return Value::poison();
}

const Evaluator::Binding* Evaluator::find_binding(const std::string& key) const {
  for (std::size_t k = bindings_.size(); k-- > activation().first_binding;)
    if (bindings_[k].key == key) return &bindings_[k];
  return nullptr;
}

Value Evaluator::eval_name(ast::Id id) {
  const ast::Expression& e = at(id);
  const std::string& key = e.name.key;
  if (const Binding* b = find_binding(key)) {
    if (b->value.poisoned) return Value::poison();
    Value v = build_.fresh(b->value);
    v.identity = b->value.identity;
    return v;
  }
  const Symbol* s = activation().prelude ? nullptr : context_.find(key);
  if (s == nullptr) {
    if (key == "pi" || key == "inf") {
      Value v;
      v.operand.expr = graph_.named_constant(key == "pi" ? Function::pi : Function::infinity);
      return v;
    }
    return undeclared(id);
  }
  if (s->poisoned) return Value::poison();
  if (const_limit_ != SIZE_MAX) {
    const bool earlier = s->kind == Symbol::Kind::input && s->number < const_limit_ &&
                         context_.model.inputs[s->number].role == Input::Role::constant;
    if (!earlier) {
      const Input& self = context_.model.inputs[const_limit_];
      error(self.span,
            "the const " + self.name + " is a number: its default may use numbers and earlier consts, not " + s->text)
          .help("name the value by an equation instead: " + self.name + " = …");
      return Value::poison();
    }
  }
  switch (s->kind) {
    case Symbol::Kind::size:
    case Symbol::Kind::dimension:
      return build_.integer(graph_.offset(s->size));
    case Symbol::Kind::input: {
      const Input& input = context_.model.inputs[s->number];
      Value v = build_.read(input.expr);
      if (input.index_bound)
        v.affine = Subscript{Size{}, {}, {{sizes_.constant(1), v.operand.expr, v.operand.subscripts}}};
      return v;
    }
    case Symbol::Kind::equation: {
      const EquationInfo& info = context_.equations[s->number];
      if (info.poisoned || !info.done) return Value::poison();
      Value v = build_.read(info.expr);
      v.condition = info.condition;
      const Operand data = detail::resolve(graph_, v.operand);
      if (graph_.index_bound(data.expr)) v.affine = {Size{}, {}, {{sizes_.constant(1), data.expr, data.subscripts}}};
      if (v.axes.empty() && info.affine) v.affine = info.affine;
      return v;
    }
  }
  return Value::poison();
}

/// `A_ij` of an input A[n, m] as `A[i, j]`, `x_1` as `x[1]`; else empty.
std::string Evaluator::part_of_name(const std::string& name) const {
  const std::size_t bar = name.find('_');
  if (bar == std::string::npos) return {};
  const std::string base = name.substr(0, bar), indices = name.substr(bar + 1);
  const Symbol* s = context_.find(name_key(base));
  if (s == nullptr || s->kind != Symbol::Kind::input || s->number >= context_.model.inputs.size()) return {};
  const std::size_t rank = context_.model.inputs[s->number].shape.size();
  const bool letters = std::ranges::all_of(indices, [](char c) { return c >= 'a' && c <= 'z'; });
  const bool digits = std::ranges::all_of(indices, [](char c) { return c >= '0' && c <= '9'; });
  if (indices.empty() || (letters ? indices.size() != rank : !digits || rank != 1)) return {};
  if (digits) return base + "[" + indices + "]";
  std::string out = base;
  for (std::size_t k = 0; k < indices.size(); ++k) out += std::string(k == 0 ? "[" : ", ") + indices[k];
  return out + "]";
}

Value Evaluator::undeclared(ast::Id id) {
  const ast::Expression& e = at(id);
  const std::string& name = e.name.text;
  if (silent_) return Value::poison();
  const bool function =
      !activation().prelude && (is_language_function(e.name.key) || context_.functions.count(e.name.key) != 0);
  if (!context_.reported_names.insert(e.name.key).second) return Value::poison();
  if (function) {
    Diagnostic& d = error(e.span, name + " is a function and needs its arguments in parentheses: " + name + "(…)");
    const auto own = context_.functions.find(e.name.key);
    if (own == context_.functions.end()) return Value::poison();
    d.note(name + " is defined here", own->second.span);
    const ast::FunctionDefinition& f = *own->second.definition;
    std::string indices;
    for (const ast::Name& p : f.parameters) indices += (indices.empty() ? "" : ", ") + p.text;
    const std::string body = own->second.poisoned ? "…" : format(*own->second.program, f.body);
    d.help("a value with indices is defined with brackets: " + name + "[" + indices +
           "] = " + (body.size() > 80 ? "…" : body));
    return Value::poison();
  }
  std::vector<std::string> candidates;
  for (std::size_t k = activation().first_binding; k < bindings_.size(); ++k) candidates.push_back(bindings_[k].key);
  const std::string near = near_value(context_, name, std::move(candidates));
  // A proposal says little for a short name, and nothing where it is a name of the mistake itself.
  const bool of_mistake = name.size() <= 2 || context_.mentioned.count(name_key(near)) != 0;
  if ((near.empty() || of_mistake) && context_.lost_names > 0) {
    --context_.lost_names;
    return Value::poison();
  }
  if (name == "end" && near.empty()) {
    error(e.span, "there is no 'end'").help("the last element of x[n] is x[n-1], and x[1:] goes to the last one");
    return Value::poison();
  }
  if (size_position_ && near.empty()) {
    error(e.span, name + " is no size: no declared input has it").help("declare it: dim " + name + " = 3");
    return Value::poison();
  }
  const bool few_errors = context_.diagnostics.error_count() < 100;  // each costs a look at every declaration
  for (const auto& statement : context_.program.statements) {
    if (!few_errors) break;
    if (statement.kind != ast::Statement::Kind::declaration || activation().prelude) continue;
    for (const auto& one : statement.declaration.names)
      if (one.name.key == e.name.key && one.name.span.begin > e.span.begin) {
        error(e.span, name + " is declared later; a default uses numbers and earlier consts")
            .note(name + " is declared here", one.name.span);
        return Value::poison();
      }
  }
  if (e.name.key == "loss") {
    error(e.span, "there is no loss to read here").help("the unnamed loss is defined by loss = …");
    return Value::poison();
  }
  Diagnostic& d = error(e.span, name + " is not declared");
  if (const std::string product = product_of_names(context_, name); !product.empty() && !size_position_) {
    d.help("a product is written with '*': " + product);
    return Value::poison();
  }
  if (const std::string part = part_of_name(name); !part.empty() && !size_position_) {
    d.help("subscripts stand in brackets: " + part);
    return Value::poison();
  }
  if (size_position_) d.help("a size that no input fixes is declared: dim " + name + " = 3");
  if (!near.empty()) d.help("did you mean " + near + "?");
  if (name == "e" && near.empty()) d.help("the number e is exp(1)");
  const bool index = name == "i" || name == "j" || (in_subscript_ && name >= "i" && name <= "t");
  const bool expected = name == "E" || name == "𝔼" || name == "Var" || name == "Cov";
  if (!size_position_ && near.empty() && name.size() == 1 && index)
    d.help("an index is bound on the left side, or by sum[" + name + "](…) and its kin");
  else if (subscripts_after_ > 0 && expected)
    d.help("a mean is written mean(x), a variance var(x)");
  else if (!size_position_ && near.empty() && name != "e" && !in_subscript_ && activations_.size() == 1)
    d.help("declare it: param " + name + sizes_for(subscripts_after_) + " where it is learnt, data " + name +
           sizes_for(subscripts_after_) + " where it is given");
  return Value::poison();
}

std::string Evaluator::sizes_for(std::size_t rank) const {
  constexpr std::string_view names[] = {"n", "d", "k", "m"};
  std::string out;
  std::size_t axis = 0;
  for (const std::string_view name : names) {
    if (axis == rank) break;
    const Symbol* s = context_.find(std::string(name));
    if (s != nullptr && s->kind != Symbol::Kind::size && s->kind != Symbol::Kind::dimension) continue;
    out += (axis++ == 0 ? "[" : ", ") + std::string(name);
  }
  return axis == rank && rank > 0 ? out + "]" : "";
}

std::optional<std::vector<Label>> Evaluator::begin_run(const ast::Equation& eq, bool dry) {
  frame_ = {};
  frame_.dry = dry;
  constraints_.clear();
  unknown_.clear();
  bindings_.clear();
  conditions_.clear();
  condition_ids_.clear();
  memo_.clear();
  next_id_ = 1;
  depth_ = 0;
  activations_.assign(1, Activation{&context_.program, false, 0, 0, {}, Span::none(), {}});
  std::vector<Label> left;
  if (eq.left.size() > most_axes) {
    error(eq.left[most_axes].binder.name.span, "more than " + std::to_string(most_axes) + " indices on the left side");
    return std::nullopt;
  }
  for (std::size_t k = 0; k < eq.left.size(); ++k) {
    const ast::Binder& binder = eq.left[k].binder;
    for (std::size_t j = 0; j < k; ++j)
      if (eq.left[j].binder.name.key == binder.name.key) {
        error(binder.name.span, "the index " + binder.name.text + " stands twice on the left side");
        return std::nullopt;
      }
    auto index = make_index(binder, {0, UINT32_MAX, static_cast<std::uint32_t>(k)}, true);
    if (!index) return std::nullopt;
    left.push_back(index->label);
    bindings_.push_back({binder.name.key, true, build_.integer(graph_.add(index->begin, build_.bare(index->label)))});
    bindings_.back().value.identity = next_id_++;
  }
  return left;
}

bool Evaluator::find_ranges(const EquationInfo& info) {
  const ast::Equation& eq = *info.equation;
  silent_ = true;
  const auto left = begin_run(eq, true);
  const Value v = left ? eval(eq.body) : Value::poison();
  silent_ = false;
  const auto unknown = unknown_;
  const auto solutions = infer_ranges(build_, unknown, constraints_);
  bool good = !v.poisoned;
  for (std::size_t k = 0; k < unknown.size(); ++k) {
    ranges_[unknown[k].key] = solutions[k].range;
    good = good && solutions[k].solved;
  }
  if (!good) {
    // Other errors explain an open range: report them first, and ranges only when there are none.
    const std::size_t before = context_.diagnostics.error_count();
    const bool known_error = v.poisoned;
    if (begin_run(eq, true)) eval(eq.body);
    if (context_.diagnostics.error_count() != before || known_error) return false;
  }
  std::set<std::pair<std::string, std::string>> clashes;
  for (std::size_t k = 0; k < unknown.size(); ++k) {
    const Solution& s = solutions[k];
    if (!s.warning.empty()) warning(s.warning_span, s.warning);
    if (s.solved || s.error.empty()) continue;
    if (!s.between.first.empty() && !clashes.insert(s.between).second) continue;
    Diagnostic& d = error(unknown[k].span, s.error);
    const std::string text = s.shifted ? counted_from_zero(info, unknown[k].name, *s.shifted) : "";
    const std::string function = unknown[k].left_side ? function_of(info, unknown[k].name) : "";
    if (!text.empty())
      d.help("count from 0: " + text);
    else if (!function.empty())
      d.help(function);
    else
      for (const auto& h : s.help) d.help(h);
  }
  return good;
}

bool Evaluator::make_value(EquationInfo& info) {
  const ast::Equation& eq = *info.equation;
  const auto left = begin_run(eq, false);
  if (!left) return false;
  Value v = eval(eq.body);
  if (v.poisoned) return false;
  info.expr = build_.expression(v, *left);
  info.condition = v.condition;
  if (left->empty() && v.axes.empty() && v.affine && v.affine->is_constant()) info.affine = v.affine;
  return true;
}

void Evaluator::equation(EquationInfo& info) {
  ranges_.clear();
  paths_.clear();
  const bool dry = !info.equation->left.empty() || context_.has_index_forms;
  info.done = (!dry || find_ranges(info)) && make_value(info);
  info.poisoned = !info.done;
}

std::optional<Expr> Evaluator::const_default(const ast::Program& program, const ast::Declared& declared,
                                             std::size_t number) {
  frame_ = {};
  bindings_.clear();
  conditions_.clear();
  memo_.clear();
  activations_.assign(1, Activation{&program, false, 0, 0, {}, Span::none(), {}});
  const_limit_ = number;
  Value v = eval(declared.value);
  const_limit_ = SIZE_MAX;
  if (v.poisoned) return std::nullopt;
  const Input& self = context_.model.inputs[number];
  if (!v.axes.empty()) {
    const ast::Expression& e = program.at(declared.value);
    const bool is_short = e.span.end - e.span.begin <= longest_shown;
    error(self.span, "the const " + self.name + " is one number, but its default is " + shape_of(v))
        .help("name the value by an equation instead: " + self.name + " = " +
              (is_short ? format(program, declared.value) : "…"));
    return std::nullopt;
  }
  build_.operand(v);
  return build_.expression(v, {});
}

}  // namespace gradus::elaboration
