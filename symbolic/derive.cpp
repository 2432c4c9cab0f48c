// Recognise, differentiate, simplify: a model's losses and outputs with their derivatives.
#include "symbolic/derive.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/differentiate.hpp"
#include "symbolic/simplify.hpp"

namespace gradus {
namespace {

bool is_listed(const std::vector<std::string>& names, const std::string& key) {
  return std::ranges::find(names, key) != names.end();
}

/// The inputs to differentiate by, as numbers: those that are named, else all params.
std::vector<std::uint32_t> chosen_inputs(const Model& model, const DeriveOptions& options) {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t k = 0; k < model.inputs.size(); ++k) {
    const Input& input = model.inputs[k];
    const bool chosen = options.wrt.empty() ? input.role == Input::Role::param : is_listed(options.wrt, input.key);
    if (chosen) numbers.push_back(k);
  }
  return numbers;
}

/// The derivative as the assumptions of its input define it: symmetric matrices have a symmetric gradient, lower
/// triangular ones a lower triangular one (LANGUAGE section 6). `input_rank` axes come last.
Expr projected(Graph& graph, Expr derivative, const Input& input) {
  const std::uint32_t rank = graph.rank(derivative);
  if (input.shape.size() < 2 || !(input.symmetric || input.spd || input.lower)) return derivative;
  const std::vector<Size> labels = graph.shape(derivative);
  if (input.lower) {
    const Subscript below = graph.subtract(graph.label(rank - 2), graph.label(rank - 1));
    return graph.contraction(labels, rank, 1, {graph.whole(derivative)}, {{Guard::Kind::nonnegative, below, {}}});
  }
  Operand transposed = graph.whole(derivative);
  std::swap(transposed.subscripts[rank - 2], transposed.subscripts[rank - 1]);
  const Rational half = Rational::ratio(1, 2);
  return graph.sum(labels, {{half, graph.whole(derivative)}, {half, transposed}});
}

/// Calls visit(Expr&) for every root of a result.
template <class Visit>
void each_root(Derived& result, Visit&& visit) {
  for (NamedValue& v : result.values) visit(v.expr);
  for (Expr& e : result.checks) visit(e);
  for (auto* list : {&result.losses, &result.outputs})
    for (DerivedValue& v : *list) {
      visit(v.value);
      for (Derivative& d : v.derivatives) visit(d.expr);
    }
}

class Deriver {
 public:
  Deriver(Model& model, const DeriveOptions& options, rules::Shifts& shifts)
      : model_(model), options_(options), shifts_(shifts) {}

  Derived run() {
    result_.values = model_.values;
    for (const ValueCheck& check : model_.checks) result_.checks.push_back(check.condition);
    remap([&](const std::vector<Expr>& roots) { return stabilise(model_.graph, roots, shifts_); });
    const std::vector<std::uint32_t> inputs = chosen_inputs(model_, options_);
    for (const NamedValue& v : result_.values) {
      const bool wanted = options_.losses.empty() || is_listed(options_.losses, v.key);
      if (v.role == NamedValue::Role::loss && wanted) result_.losses.push_back(derived(v, options_.gradients, inputs));
      if (v.role == NamedValue::Role::output) result_.outputs.push_back(derived(v, options_.jacobians, inputs));
    }
    remap([&](const std::vector<Expr>& roots) { return without_given(model_.graph, roots); });
    remap([&](const std::vector<Expr>& roots) { return simplify(model_.graph, roots, shifts_); });
    return std::move(result_);
  }

 private:
  DerivedValue derived(const NamedValue& v, bool differentiate, const std::vector<std::uint32_t>& inputs) {
    DerivedValue out{v.name, v.expr, {}};
    if (!differentiate || inputs.empty()) return out;
    std::vector<Expr> by;
    for (const std::uint32_t k : inputs) by.push_back(model_.inputs[k].expr);
    const std::vector<Expr> found = derivatives(model_.graph, v.expr, by);
    for (std::size_t k = 0; k < inputs.size(); ++k)
      out.derivatives.push_back({inputs[k], projected(model_.graph, found[k], model_.inputs[inputs[k]])});
    return out;
  }

  /// Sends all roots through a pass at once.
  template <class Pass>
  void remap(Pass&& pass) {
    std::vector<Expr> roots;
    each_root(result_, [&](Expr& e) { roots.push_back(e); });
    const std::vector<Expr> after = pass(roots);
    std::size_t next = 0;
    each_root(result_, [&](Expr& e) { e = after[next++]; });
  }

  Model& model_;
  const DeriveOptions& options_;
  rules::Shifts& shifts_;
  Derived result_;
};

/// Whether each quotient by one of the sums is seen to be one of exponentials when the text is read.
bool are_read_shifted(Graph& graph, Derived& result, const rules::Shifts& sums) {
  std::vector<Expr> roots;
  each_root(result, [&](Expr& e) { roots.push_back(e); });
  for (const Expr e : graph.reachable(stabilise(graph, roots))) {
    const Node& n = graph[e];
    const auto is_left = [&](const Operand& o) { return sums.remembers(o.expr); };
    if (n.kind == Kind::elementwise && std::ranges::any_of(n.operands, is_left)) return false;
  }
  return true;
}

}  // namespace

Derived derive(Model& model, const DeriveOptions& options) {
  using Form = rules::Shifts::Form;
  rules::Shifts shifts(options.for_people ? Form::quotients : Form::shifted);
  Derived result = Deriver(model, options, shifts).run();
  if (shifts.empty() || are_read_shifted(model.graph, result, shifts)) return result;
  rules::Shifts logarithms(Form::logarithms);
  return Deriver(model, options, logarithms).run();
}

}  // namespace gradus
