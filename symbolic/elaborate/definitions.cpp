// The names of equations and functions, and what is defined twice.
#include <algorithm>

#include "frontend/format.hpp"
#include "symbolic/elaborate/context.hpp"
#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {

namespace {

Diagnostic& defined_twice(Context& context, const ast::Name& name, const std::string& what, Span earlier,
                          const std::string& text) {
  Diagnostic& d = context.diagnostics.error(name.span, text.empty() ? name.text + " is defined twice" : text);
  if (!earlier.is_none()) d.note(what, earlier);
  return d;
}

/// Whether an equation is a base case or a shifted step of a recurrence.
bool has_left_expression(const Context& context, const ast::Equation& eq) {
  return std::ranges::any_of(eq.left, [&](const ast::Equation::Left& l) {
    if (l.expression.valid()) return true;
    const Symbol* s = context.find(l.binder.name.key);
    return s != nullptr && (s->kind == Symbol::Kind::size || s->kind == Symbol::Kind::dimension);
  });
}

void enter_equation(Context& context, const ast::Statement& s) {
  const ast::Equation& eq = s.equation;
  EquationInfo info;
  info.equation = &eq;
  info.span = s.span;
  info.poisoned = info.broken = s.broken;
  ast::Name name = eq.name;
  if (name.text.empty()) {
    name.text = name.key = "loss";
    name.span = eq.body.valid() && !s.broken ? context.program.at(eq.body).span : s.span;
    if (!eq.bare) name.span = s.span;
    if (!eq.bare && eq.role == ast::Equation::Role::loss) name.span.end = name.span.begin + 4;
  }
  info.key = name.key;
  const std::size_t number = context.equations.size();
  const auto found = context.symbols.find(name.key);
  if (found == context.symbols.end()) {
    Symbol symbol;
    symbol.kind = Symbol::Kind::equation;
    symbol.text = name.text;
    symbol.span = name.span;
    symbol.number = number;
    context.symbols.emplace(name.key, symbol);
    context.symbol_order.push_back(name.key);
    context.equations.push_back(std::move(info));
    return;
  }
  const Symbol& other = found->second;
  if (other.kind == Symbol::Kind::equation) {
    EquationInfo& first = context.equations[other.number];
    const bool recurrence = eq.has_brackets && first.equation->has_brackets &&
                            (has_left_expression(context, eq) || has_left_expression(context, *first.equation));
    info.part_of_recurrence = first.part_of_recurrence = recurrence;
    if (!recurrence && !s.broken && !first.broken) {
      Diagnostic& d = defined_twice(
          context, name, other.text + " is defined here", other.span,
          name.text == other.text ? "" : name.text + " and " + other.text + " are the same name, defined twice");
      const std::string body = context.diagnostics.error_count() < 100 ? format(context.program, eq.body) : "";
      const std::string shown = body.empty() || body.size() > 80 ? "…" : body;
      if (name.text == "loss")
        d.help("several losses have names, as in loss second = " + shown);
      else if (eq.role == ast::Equation::Role::value && eq.left.empty() && name.text == other.text)
        d.help("a name has one value: give this one another name, as in " + name.text + "2 = " + shown);
    }
    info.poisoned = true;
    info.main = other.number;
    // The general equation speaks for all of a name's.
    if (recurrence && has_left_expression(context, *first.equation) && !has_left_expression(context, eq)) {
      found->second.number = number;
      found->second.span = name.span;
    }
    context.equations.push_back(std::move(info));
    return;
  }
  const std::string what = other.kind == Symbol::Kind::size ? " is a size here" : " is declared here";
  const bool constant = other.kind == Symbol::Kind::input && context.model.inputs.size() > other.number &&
                        context.model.inputs[other.number].role == Input::Role::constant;
  if (!s.broken)
    defined_twice(context, name, other.text + what, other.span,
                  name.text + " is " +
                      (constant                            ? "a const"
                       : other.kind == Symbol::Kind::input ? "an input"
                                                           : "a size") +
                      " and cannot be defined again");
  info.poisoned = true;
  context.equations.push_back(std::move(info));
}

/// `grad f(…) = …` belongs to the function of that name.
void enter_gradient(Context& context, const ast::Statement& s) {
  const ast::GradientDefinition& g = s.gradient;
  const auto found = context.functions.find(g.name.key);
  if (found == context.functions.end()) {
    if (s.broken || !context.reported_names.insert(g.name.key + "(").second) return;
    const bool known = is_language_function(g.name.key);
    if (!known && context.lost_names > 0) {
      --context.lost_names;
      return;
    }
    Diagnostic& d = context.diagnostics.error(
        g.name.span, known ? g.name.text + " is a function of the language, which knows its derivative"
                           : "there is no function " + g.name.text + " whose derivative this could be");
    if (known) return void(d.help("for a derivative of your own define a function: my_" + g.name.text + "(…) = …"));
    std::vector<std::string> names;
    for (const auto& [key, f] : context.functions) names.push_back(f.definition->name.text);
    const std::string near = did_you_mean(g.name.text, names);
    if (!near.empty()) d.help("did you mean " + near + "?");
    return;
  }
  FunctionInfo& f = found->second;
  if (s.broken) {
    f.poisoned = true;
    return;
  }
  const auto fail = [&](Span span, std::string text) {
    f.poisoned = true;
    context.diagnostics.error(span, std::move(text)).note(f.definition->name.text + " is defined here", f.span);
  };
  if (f.gradient != nullptr) {
    context.diagnostics.error(g.name.span, "the derivative of " + g.name.text + " is given twice")
        .note("it is given here", f.gradient->name.span);
    return;
  }
  f.gradient = &g;
  if (g.parameters.size() != f.definition->parameters.size())
    return fail(g.name.span, g.name.text + " takes " + counted(f.definition->parameters.size(), "argument") +
                                 ", but its derivative " + std::to_string(g.parameters.size()));
  for (std::size_t k = 0; k < g.parameters.size(); ++k)
    for (std::size_t j = 0; j < k; ++j)
      if (g.parameters[j].key == g.parameters[k].key)
        return fail(g.parameters[k].span, "the parameter " + g.parameters[k].text + " stands twice");
}

}  // namespace

void collect_definitions(Context& context) {
  for (const auto& s : context.program.statements) {
    for (const std::string& key : s.mentioned) context.reported_names.insert({key, key + "("});
    context.mentioned.insert(s.mentioned.begin(), s.mentioned.end());
    context.lost_names += s.lost_names;
    if (s.kind == ast::Statement::Kind::equation) {
      if (s.broken && s.equation.name.text.empty() && s.equation.role != ast::Equation::Role::loss) continue;
      enter_equation(context, s);
    } else if (s.kind == ast::Statement::Kind::function) {
      const ast::FunctionDefinition& f = s.function;
      if (s.broken && f.parameters.empty() && is_language_function(f.name.key)) continue;  // a stray call of it
      FunctionInfo info{&context.program, &f, f.name.span, false, s.broken};
      const auto [found, is_new] = context.functions.try_emplace(f.name.key, info);
      if (!is_new && !s.broken && !found->second.poisoned) {
        found->second.poisoned = true;
        defined_twice(context, f.name, f.name.text + " is defined here", found->second.span,
                      "the function " + f.name.text + " is defined twice");
      }
      for (std::size_t k = 0; k < f.parameters.size(); ++k)
        for (std::size_t j = 0; j < k; ++j)
          if (f.parameters[j].key == f.parameters[k].key)
            context.diagnostics.error(f.parameters[k].span, "the parameter " + f.parameters[k].text + " stands twice");
    }
  }
  for (const auto& s : context.program.statements)
    if (s.kind == ast::Statement::Kind::gradient) enter_gradient(context, s);
}

}  // namespace gradus::elaboration
