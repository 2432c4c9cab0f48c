// What each equation needs, the order in which equations are elaborated, and cycles.
#include <algorithm>
#include <functional>

#include "frontend/format.hpp"
#include "symbolic/elaborate/context.hpp"

namespace gradus::elaboration {
namespace {

/// A use of a name of the value or of the function name space that nothing around it binds.
struct Use {
  const ast::Expression* expression = nullptr;
  bool function = false;
};

/// The free names of an expression, in order of the text as far as the tree tells. No recursion: chains are long.
class FreeNames {
 public:
  FreeNames(const ast::Program& program, const std::vector<ast::Name>& bound) : program_(program) {
    for (const auto& name : bound) bind(name.key);
  }

  std::vector<Use> collect(ast::Id root) {
    push(root);
    while (!open_.empty()) {
      const Step step = open_.back();
      open_.pop_back();
      switch (step.kind) {
        case Step::Kind::visit:
          visit(step.id);
          break;
        case Step::Kind::bind:
          bind(*step.name);
          break;
        case Step::Kind::release:
          --bound_[*step.name];
          break;
      }
    }
    return std::move(uses_);
  }

  void bind(const std::string& key) { ++bound_[key]; }

 private:
  struct Step {
    enum class Kind : std::uint8_t { visit, bind, release } kind = Kind::visit;
    ast::Id id;
    const std::string* name = nullptr;
  };

  void push(ast::Id id) {
    if (id.valid()) open_.push_back({Step::Kind::visit, id, nullptr});
  }

  void visit(ast::Id id) {
    const ast::Expression& e = program_.at(id);
    if (e.kind == ast::Kind::name) {
      const auto found = bound_.find(e.name.key);
      if (found == bound_.end() || found->second == 0) uses_.push_back({&e, false});
      return;
    }
    if (e.kind == ast::Kind::call) uses_.push_back({&e, true});
    if (e.kind == ast::Kind::index_form) {
      // Steps are taken from the end: ranges bind one after the other, then filter and body, then all are released.
      for (const auto& b : e.binders) open_.push_back({Step::Kind::release, {}, &b.name.key});
      for (auto child = e.children.rbegin(); child != e.children.rend(); ++child) push(*child);
      for (auto b = e.binders.rbegin(); b != e.binders.rend(); ++b) {
        open_.push_back({Step::Kind::bind, {}, &b->name.key});
        push(b->end);
        push(b->begin);
      }
      return;
    }
    push(e.order_value);
    for (const auto& k : e.keywords) push(k.value);
    for (auto s = e.subscripts.rbegin(); s != e.subscripts.rend(); ++s) {
      push(s->last);
      push(s->first);
    }
    for (auto child = e.children.rbegin(); child != e.children.rend(); ++child) push(*child);
  }

  const ast::Program& program_;
  std::unordered_map<std::string, int> bound_;
  std::vector<Step> open_;
  std::vector<Use> uses_;
};

std::vector<Use> uses_of(const Context& context, const EquationInfo& info) {
  const ast::Equation& eq = *info.equation;
  std::vector<Use> out;
  std::vector<ast::Name> bound;
  for (const auto& l : eq.left) {
    for (const ast::Id id : {l.binder.begin, l.binder.end, l.expression})
      if (id.valid() && !l.expression.valid()) {
        auto part = FreeNames(context.program, bound).collect(id);
        out.insert(out.end(), part.begin(), part.end());
      }
    bound.push_back(l.binder.name);
    if (l.expression.valid())  // a shifted index, `t + 1`
      for (const Use& u : FreeNames(context.program, {}).collect(l.expression))
        if (!u.function && context.find(u.expression->name.key) == nullptr) bound.push_back(u.expression->name);
  }
  if (eq.body.valid()) {
    auto part = FreeNames(context.program, bound).collect(eq.body);
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

std::vector<Use> uses_of(const FunctionInfo& f) {
  std::vector<Use> out = FreeNames(*f.program, f.definition->parameters).collect(f.definition->body);
  if (f.gradient == nullptr) return out;
  for (const ast::Id partial : f.gradient->partials)
    for (const Use& u : FreeNames(*f.program, f.gradient->parameters).collect(partial)) {
      const bool itself = u.function && u.expression->name.key == f.definition->name.key;
      if (!itself) out.push_back(u);  // there the function stands for its body
    }
  return out;
}

/// The dependency graph: equations first, then functions.
class Dependencies {
 public:
  explicit Dependencies(Context& context) : context_(context) {
    for (auto& [key, f] : context.functions) {
      function_number_[key] = context.equations.size() + functions_.size();
      functions_.push_back(&f);
    }
  }

  std::size_t count() const { return context_.equations.size() + functions_.size(); }

  struct Edge {
    std::size_t to = 0;
    const ast::Expression* use = nullptr;
  };

  std::vector<Edge> edges(std::size_t node) const {
    std::vector<Use> uses;
    if (node >= context_.equations.size()) {
      const FunctionInfo& f = *functions_[node - context_.equations.size()];
      if (!f.poisoned) uses = uses_of(f);
    } else if (const EquationInfo& info = context_.equations[node]; !info.equation->body.valid() || broken(info)) {
      return {};
    } else {
      uses = uses_of(context_, info);
    }
    std::vector<Edge> out;
    for (const Use& u : uses) {
      if (u.function) {
        if (const auto f = function_number_.find(u.expression->name.key); f != function_number_.end())
          out.push_back({f->second, u.expression});
      } else if (const Symbol* s = context_.find(u.expression->name.key);
                 s != nullptr && s->kind == Symbol::Kind::equation) {
        out.push_back({s->number, u.expression});
      }
    }
    return out;
  }

  bool is_function(std::size_t node) const { return node >= context_.equations.size(); }
  FunctionInfo& function(std::size_t node) const { return *functions_[node - context_.equations.size()]; }
  std::string name(std::size_t node) const {
    if (is_function(node)) return function(node).definition->name.text;
    const std::string& text = context_.equations[node].equation->name.text;
    return text.empty() ? "loss" : text;
  }

 private:
  /// A statement with a syntax error: nothing behind its name may be looked at.
  bool broken(const EquationInfo& info) const { return info.broken; }

  Context& context_;
  std::unordered_map<std::string, std::size_t> function_number_;
  std::vector<FunctionInfo*> functions_;
};

/// Members of a cycle that a message names.
constexpr std::size_t most_named = 8;

/// Depth-first order with an explicit stack.
class Order {
 public:
  explicit Order(Context& context) : context_(context), graph_(context), state_(graph_.count(), State::fresh) {}

  std::vector<std::size_t> run() {
    for (std::size_t root = 0; root < graph_.count(); ++root) visit(root);
    return std::move(order_);
  }

 private:
  enum class State : std::uint8_t { fresh, open, done };

  void visit(std::size_t root) {
    if (state_[root] != State::fresh) return;
    enter(root);
    while (!stack_.empty()) {
      Frame& top = stack_.back();
      if (top.next == top.edges.size()) {
        state_[top.node] = State::done;
        if (!graph_.is_function(top.node)) order_.push_back(top.node);
        stack_.pop_back();
        continue;
      }
      const Dependencies::Edge edge = top.edges[top.next++];
      if (state_[edge.to] == State::open)
        cycle(edge);
      else if (state_[edge.to] == State::fresh)
        enter(edge.to);
    }
  }

  void enter(std::size_t node) {
    state_[node] = State::open;
    stack_.push_back({node, graph_.edges(node), 0});
  }

  /// The part of the stack from the edge's target on, closed by the edge.
  void cycle(const Dependencies::Edge& edge) {
    std::size_t first = stack_.size();
    while (stack_[first - 1].node != edge.to) --first;
    --first;
    bool function = false, recurrence = false;
    std::string names;
    for (std::size_t k = first; k < stack_.size(); ++k) {
      const std::size_t node = stack_[k].node;
      if (k - first < most_named) names += graph_.name(node) + " → ";
      if (k - first == most_named) names += "… → ";
      function = function || graph_.is_function(node);
      if (!graph_.is_function(node)) {
        const EquationInfo& info = context_.equations[node];
        recurrence = recurrence || info.equation->has_brackets;
      }
    }
    names += graph_.name(edge.to);
    const bool reported = std::any_of(stack_.begin() + static_cast<std::ptrdiff_t>(first), stack_.end(),
                                      [&](const Frame& f) { return poisoned(f.node); });
    for (std::size_t k = first; k < stack_.size(); ++k) poison(stack_[k].node);
    if (reported) return;
    if (function && graph_.is_function(edge.to)) {
      const std::string& name = graph_.name(edge.to);
      Diagnostic& d = context_.diagnostics.error(
          edge.use->name.span,
          stack_.size() - first == 1
              ? name + " calls itself: functions are inlined, so they cannot be recursive"
              : "the functions call each other: " + names + "; functions are inlined, so they cannot be recursive");
      d.note(name + " is defined here", graph_.function(edge.to).definition->name.span);
    } else if (recurrence) {
      const EquationInfo& info = context_.equations[edge.to < context_.equations.size() ? edge.to : stack_[first].node];
      context_.diagnostics.error(info.span, "not supported yet: recurrences (" + names + ")");
    } else {
      const std::size_t node = graph_.is_function(edge.to) ? stack_.back().node : edge.to;
      const EquationInfo& info = context_.equations[node];
      const bool self = stack_.size() - first == 1;
      Diagnostic& d = context_.diagnostics.error(
          info.equation->name.text.empty() ? info.span : info.equation->name.span,
          self ? graph_.name(node) + " is defined by itself; an equation is no update of a variable"
               : "the equations define each other in a circle: " + names);
      for (std::size_t k = first + 1; k < std::min(stack_.size(), first + most_named); ++k)
        if (!graph_.is_function(stack_[k].node) && !context_.equations[stack_[k].node].equation->name.span.is_none())
          d.note(graph_.name(stack_[k].node) + " is defined here",
                 context_.equations[stack_[k].node].equation->name.span);
    }
  }

  bool poisoned(std::size_t node) const {
    return graph_.is_function(node) ? graph_.function(node).poisoned : context_.equations[node].poisoned;
  }
  void poison(std::size_t node) {
    if (graph_.is_function(node))
      graph_.function(node).poisoned = true;
    else
      context_.equations[node].poisoned = true;
  }

  struct Frame {
    std::size_t node = 0;
    std::vector<Dependencies::Edge> edges;
    std::size_t next = 0;
  };

  Context& context_;
  Dependencies graph_;
  std::vector<State> state_;
  std::vector<Frame> stack_;
  std::vector<std::size_t> order_;
};

}  // namespace

namespace {

/// Whether the first subscript of a left side is an index, perhaps shifted: no number and no size.
bool is_general(const Context& context, const ast::Equation::Left& first) {
  const auto is_size = [&](const std::string& key) {
    const Symbol* s = context.find(key);
    return s != nullptr && (s->kind == Symbol::Kind::size || s->kind == Symbol::Kind::dimension);
  };
  if (!first.expression.valid()) return !is_size(first.binder.name.key);
  const std::vector<Use> uses = FreeNames(context.program, {}).collect(first.expression);
  return std::ranges::any_of(uses, [&](const Use& u) { return !is_size(u.expression->name.key); });
}

/// `i + 1` as the first subscript of a left side: the name, or nothing.
const ast::Expression* counted_up(const ast::Program& program, ast::Id id) {
  const ast::Expression& e = program.at(id);
  if (e.kind != ast::Kind::binary || e.op != ast::Binary::add) return nullptr;
  const ast::Expression &x = program.at(e.children[0]), &y = program.at(e.children[1]);
  return x.kind == ast::Kind::name && y.kind == ast::Kind::number ? &x : nullptr;
}

/// The equations of one name that has base cases or shifted left sides, all in order of the text.
using Parts = std::vector<const EquationInfo*>;

/// Base cases alone define no value. False when nothing is wrong.
bool only_base_cases(Context& context, const Parts& parts) {
  const auto general = [&](const EquationInfo* info) { return is_general(context, info->equation->left[0]); };
  if (std::ranges::any_of(parts, general)) return false;
  const std::string& name = parts[0]->equation->name.text;
  const ast::Equation& first = *parts[0]->equation;
  const auto text = [&](ast::Id id) { return format(context.program, id); };
  const auto& left = first.left[0];
  const std::string at = left.expression.valid() ? text(left.expression) : left.binder.name.text;
  Diagnostic& d = context.diagnostics.error(parts[0]->span, name + "[" + at + (first.left.size() > 1 ? ", …" : "") +
                                                                "] = … is a base case, but no equation defines " +
                                                                name + " in general");
  std::string list;
  bool elements = true;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const auto& l = parts[k]->equation->left;
    elements = elements && l.size() == 1 && l[0].expression.valid() && parts[k]->equation->body.valid() &&
               text(l[0].expression) == std::to_string(k);
    if (elements) list += (k == 0 ? "" : ", ") + text(parts[k]->equation->body);
  }
  if (elements && list.size() <= 80) d.help("given elements are a list: " + name + " = [" + list + "]");
  d.help("a recurrence has a general equation too, as in " + name + "[t] = 2*" + name + "[t - 1]");
  return true;
}

/// `h[2*t] = …`: a left side that is neither an index, perhaps shifted, nor a number or size. Reported.
bool no_left_side(Context& context, const Parts& parts) {
  for (const EquationInfo* info : parts)
    for (const ast::Equation::Left& l : info->equation->left) {
      if (!l.expression.valid() || !is_general(context, l)) continue;
      const ast::Expression& e = context.program.at(l.expression);
      const bool shift = e.kind == ast::Kind::binary && (e.op == ast::Binary::add || e.op == ast::Binary::subtract);
      if (shift) continue;
      const std::string& name = info->equation->name.text;
      context.diagnostics.error(e.span, format(context.program, l.expression) + " cannot stand on the left side")
          .help("there an index stands alone or shifted by a number, as in " + name + "[t] or " + name + "[t + 1]");
      return true;
    }
  return false;
}

/// `Z[i + 1] = y[i]` without a base case and without a use of Z: an equation that does not count from 0.
bool counts_from_elsewhere(Context& context, const Parts& parts) {
  if (parts.size() != 1) return false;
  const EquationInfo& info = *parts[0];
  const ast::Equation& eq = *info.equation;
  const ast::Expression* index =
      eq.left[0].expression.valid() ? counted_up(context.program, eq.left[0].expression) : nullptr;
  if (index == nullptr || !eq.body.valid()) return false;
  const std::vector<Use> uses = FreeNames(context.program, {}).collect(eq.body);
  const auto is_value = [&](const Use& u) {
    const Symbol* s = u.function ? nullptr : context.find(u.expression->name.key);
    return u.function ? context.functions.count(u.expression->name.key) != 0
                      : s != nullptr && s->kind == Symbol::Kind::equation;
  };
  if (std::ranges::any_of(uses, is_value)) return false;  // perhaps a recurrence
  const std::string left = format(context.program, eq.left[0].expression), body = format(context.program, eq.body);
  Diagnostic& d = context.diagnostics.error(
      info.span, eq.name.text + "[" + left + "] = … says nothing about " + eq.name.text + "[0]");
  if (eq.left.size() == 1 && body.size() <= 80)
    d.help("count from 0: " + eq.name.text + "[" + index->name.text + "] = " + body);
  return true;
}

}  // namespace

std::vector<std::size_t> dependency_order(Context& context) {
  // Base cases and steps that are written with a shift belong to recurrences.
  std::unordered_map<std::string, Parts> parts;
  const bool broken = std::ranges::any_of(context.program.statements, [](const ast::Statement& s) { return s.broken; });
  for (const auto& info : context.equations)
    if (!info.broken && !info.equation->left.empty()) parts[info.key].push_back(&info);
  for (auto& info : context.equations) {
    if (info.broken || info.poisoned || info.main != SIZE_MAX) continue;
    bool recurrence = info.part_of_recurrence;
    for (const auto& l : info.equation->left) recurrence = recurrence || l.expression.valid();
    recurrence = recurrence || (!info.equation->left.empty() && !is_general(context, info.equation->left[0]));
    if (!recurrence) continue;
    const Parts& all = parts.at(info.key);
    if (!broken && !no_left_side(context, all) && !only_base_cases(context, all) &&
        !counts_from_elsewhere(context, all))
      context.diagnostics.error(info.span, "not supported yet: recurrences (" + info.equation->name.text + ")");
    info.poisoned = true;
    const auto found = context.symbols.find(info.key);
    if (found != context.symbols.end()) found->second.poisoned = true;
  }
  return Order(context).run();
}

void check_uncalled_functions(Context& context) {
  for (const auto& [key, f] : context.functions) {
    if (f.poisoned || context.inlined.count(f.definition) != 0) continue;
    for (const Use& u : uses_of(f)) {
      const ast::Name& name = u.expression->name;
      const bool known = u.function ? is_language_function(name.key) || context.functions.count(name.key) != 0
                                    : context.find(name.key) != nullptr || is_constant_name(name.key);
      if (known || !context.reported_names.insert(u.function ? name.key + "(" : name.key).second) continue;
      std::vector<std::string> parameters;
      for (const auto& p : f.definition->parameters) parameters.push_back(p.text);
      Diagnostic& d = context.diagnostics.error(
          name.span, u.function ? "there is no function " + name.text : name.text + " is not declared");
      const std::string near =
          u.function ? near_function(context, name.text) : near_value(context, name.text, std::move(parameters));
      if (!near.empty()) d.help("did you mean " + near + "?");
    }
  }
}

void declare_undeclared(Context& context) {
  std::vector<const ast::Expression*> found;
  const auto consider = [&](const std::vector<Use>& uses) {
    for (const Use& u : uses)
      if (!u.function && context.find(u.expression->name.key) == nullptr && !is_constant_name(u.expression->name.key))
        found.push_back(u.expression);
  };
  for (const auto& info : context.equations)
    if (!info.broken) consider(uses_of(context, info));
  for (const auto& [key, f] : context.functions)
    if (!f.poisoned) consider(uses_of(f));
  std::ranges::stable_sort(found, [](const auto* a, const auto* b) { return a->span.begin < b->span.begin; });
  std::string names;
  for (const ast::Expression* e : found) {
    if (context.find(e->name.key) != nullptr) continue;
    if (is_language_function(e->name.key)) continue;  // a function without its argument: reported where it stands
    Input in;
    in.role = Input::Role::param;
    in.name = e->name.text;
    in.key = e->name.key;
    in.span = e->span;
    Symbol symbol;
    symbol.kind = Symbol::Kind::input;
    symbol.text = e->name.text;
    symbol.span = e->span;
    symbol.number = context.model.inputs.size();
    in.expr = context.model.graph.input(static_cast<std::uint32_t>(symbol.number), {});
    context.model.inputs.push_back(std::move(in));
    context.symbols.emplace(e->name.key, symbol);
    context.symbol_order.push_back(e->name.key);
    context.assumed.insert(e->name.key);
    const std::string near = near_function(context, e->name.text);
    if (e->name.text == "e")
      context.diagnostics.warning(e->span, "e is taken for a scalar parameter; the number e is exp(1)");
    else if (e->name.text == "None" || e->name.text == "True" || e->name.text == "False")
      context.diagnostics.warning(e->span, e->name.text + " is taken for a scalar parameter");
    else if (e->name.text == "T")
      context.diagnostics.warning(e->span, "T is taken for a scalar parameter; a transpose is X.T");
    else if (!near.empty() && e->name.text.size() > 2)
      context.diagnostics.warning(
          e->span, e->name.text + " is taken for a scalar parameter; did you mean the function " + near + "?");
    else
      names += (names.empty() ? "" : ", ") + e->name.text;
  }
  if (names.empty()) return;
  Diagnostic d;
  d.main.severity = Severity::note;
  d.main.text = "taken as scalar parameters: " + names;
  context.diagnostics.add(std::move(d));
}

}  // namespace gradus::elaboration
