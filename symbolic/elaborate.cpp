// Elaboration of a whole program: declarations, definitions, equations in order of need, losses and outputs.
#include "symbolic/elaborate.hpp"

#include <algorithm>

#include "frontend/format.hpp"
#include "frontend/parse.hpp"
#include "symbolic/elaborate/context.hpp"
#include "symbolic/elaborate/evaluate.hpp"

namespace gradus {
namespace elaboration {
namespace {

bool is_loss(const EquationInfo& info) {
  return info.equation->role == ast::Equation::Role::loss || info.equation->bare;
}

/// What to write for a loss with axes.
std::string scalar_of(const Context& context, const ast::Equation& eq) {
  constexpr std::size_t longest = 60;
  const std::string body = format(context.program, eq.body);
  if (body.size() > longest) return "sum or average it: loss = mean(…), or make it an output: output p = …";
  const std::string name = eq.name.text.empty() ? "" : " " + eq.name.text;
  return "sum or average it, as in loss" + name + " = sum(" + body + "), or make it an output: output p = " + body;
}

/// A loss is a scalar.
bool check_loss(Context& context, EquationInfo& info, const Evaluator& evaluator) {
  const auto shape = context.model.graph.shape(info.expr);
  const ast::Equation& eq = *info.equation;
  const std::string name = eq.name.text.empty() ? "the loss" : "the loss " + eq.name.text;
  if (shape.empty()) return true;
  const Span body = context.program.at(eq.body).span;
  const std::string repaired = evaluator.with_matrix_products(info, false);
  Diagnostic& d =
      context.diagnostics.error(body, name + " must be a scalar, but it is " + shape_text(context.sizes(), shape));
  if (!repaired.empty())
    d.help("with matrix products: " + repaired);
  else
    d.help(scalar_of(context, eq));
  return false;
}

/// Where shapes do not align because of a '*' that means '@', the help is the line as it should be.
void show_matrix_products(Context& context, std::size_t first, const std::string& repaired) {
  if (repaired.empty()) return;
  bool shown = false;
  for (std::size_t k = first; k < context.diagnostics.all().size(); ++k) {
    Diagnostic& d = context.diagnostics.at(k);
    if (d.main.severity != Severity::error || d.main.text.find("cannot align the shapes") == std::string::npos)
      continue;
    std::erase_if(d.more, [](const Message& m) { return m.severity == Severity::help; });
    if (!shown) d.help("with matrix products: " + repaired);
    shown = true;
  }
}

void add_value(Context& context, const EquationInfo& info) {
  const ast::Equation& eq = *info.equation;
  NamedValue v;
  const bool vector_expression = eq.bare && !context.model.graph.shape(info.expr).empty();
  v.role = vector_expression                        ? NamedValue::Role::output
           : is_loss(info)                          ? NamedValue::Role::loss
           : eq.role == ast::Equation::Role::output ? NamedValue::Role::output
                                                    : NamedValue::Role::value;
  v.name = !eq.name.text.empty() ? eq.name.text : vector_expression ? "value" : "loss";
  v.key = !eq.name.text.empty() ? eq.name.key : v.name;
  v.expr = info.expr;
  for (const auto& l : eq.left) v.indices.push_back(l.binder.name.text);
  v.span = eq.name.text.empty() ? info.span : eq.name.span;
  if (eq.bare && !vector_expression) context.model.from_expression = true;
  context.model.values.push_back(std::move(v));
}

/// `output z, p` marks existing values.
void mark_outputs(Context& context) {
  for (const auto& s : context.program.statements) {
    if (s.kind != ast::Statement::Kind::output_list || s.broken) continue;
    for (const auto& name : s.outputs.names) {
      const Symbol* symbol = context.find(name.key);
      if (symbol == nullptr) {
        if (!context.reported_names.insert(name.key).second) continue;
        Diagnostic& d = context.diagnostics.error(name.span, name.text + " is not declared");
        const std::string near = near_value(context, name.text);
        if (!near.empty()) d.help("did you mean " + near + "?");
        continue;
      }
      if (symbol->kind == Symbol::Kind::size || symbol->kind == Symbol::Kind::dimension) {
        context.diagnostics.error(name.span, name.text + " is a size; an output is a value")
            .help("name it: output " + name.text + "_out = " + name.text + " + 0");
        continue;
      }
      auto& values = context.model.values;
      const auto known = std::ranges::find_if(values, [&](const NamedValue& v) { return v.key == name.key; });
      if (known != values.end()) {
        if (known->role == NamedValue::Role::value) known->role = NamedValue::Role::output;
      } else if (symbol->kind == Symbol::Kind::input) {
        const Input& in = context.model.inputs[symbol->number];
        values.push_back({NamedValue::Role::output, in.name, in.key, in.expr, {}, name.span});
      }
    }
  }
}

void collect_decimals(Context& context) {
  auto& decimals = context.model.decimals;
  for (const auto& e : context.program.expressions)
    if (e.kind == ast::Kind::number && !e.value.is_integer()) decimals.push_back(e.value);
  std::ranges::sort(decimals);
  const auto repeated = std::ranges::unique(decimals);
  decimals.erase(repeated.begin(), repeated.end());
}

void run(Context& context, const ElaborateOptions& options) {
  collect_decimals(context);
  if (options.let != nullptr) declare(context, *options.let);
  declare(context, context.program);
  collect_definitions(context);
  if (options.undeclared_are_params) declare_undeclared(context);
  context.has_index_forms = std::ranges::any_of(
      context.program.expressions, [](const ast::Expression& e) { return e.kind == ast::Kind::index_form; });
  Evaluator evaluator(context);
  for (const std::size_t number : dependency_order(context)) {
    EquationInfo& info = context.equations[number];
    if (info.poisoned) continue;
    const std::size_t before = context.diagnostics.all().size();
    evaluator.equation(info);
    if (!info.done) {
      show_matrix_products(context, before, evaluator.with_matrix_products(info, true));
      continue;
    }
    const bool scalar_needed = is_loss(info) && !info.equation->bare;
    if (scalar_needed && !check_loss(context, info, evaluator)) {
      info.done = false;
      info.poisoned = true;
    }
  }
  for (const auto& info : context.equations)
    if (info.done) add_value(context, info);
  mark_outputs(context);
  check_uncalled_functions(context);
}

}  // namespace
}  // namespace elaboration

std::optional<Model> elaborate(const ast::Program& program, Diagnostics& diagnostics, const ElaborateOptions& options) {
  Model model;
  elaboration::Context context(program, model, diagnostics);
  elaboration::run(context, options);
  if (diagnostics.has_errors()) return std::nullopt;
  return model;
}

}  // namespace gradus
