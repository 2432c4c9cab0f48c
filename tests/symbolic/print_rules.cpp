// The form that each rule yields, its derivative and products with both, between arrays and scalars: the printed
// program has the same values. Forms that print as written must keep every factor whatever stands beside them.
#include <doctest/doctest.h>

#include <random>

#include "frontend/parse.hpp"
#include "rule_instance.hpp"
#include "symbolic/derive.hpp"
#include "symbolic/elaborate.hpp"
#include "symbolic/interpret.hpp"
#include "symbolic/print.hpp"
#include "tests/close.hpp"

using namespace gradus;
using namespace gradus::testing;

namespace {

constexpr std::int64_t length = 3;

bool reduces(const Pattern& p) { return p.kind == Pattern::Kind::reduction || std::ranges::any_of(p.parts, reduces); }

/// A pattern over given values: those with an axis and those without.
class Filled {
 public:
  Filled(Graph& graph, const std::vector<Expr>& variables) : g_(graph), variables_(variables) {}

  Expr operator()(const Pattern& p) const {
    std::vector<Expr> parts;
    for (const auto& part : p.parts) parts.push_back((*this)(part));
    switch (p.kind) {
      case Pattern::Kind::number:
        return g_.constant(p.number);
      case Pattern::Kind::variable:
      case Pattern::Kind::rest:
        return variables_[p.variable];
      case Pattern::Kind::call:
        return g_.apply(p.function, parts);
      case Pattern::Kind::sum: {
        Expr sum = g_.constant(0);
        for (std::size_t k = 0; k < parts.size(); ++k) sum = g_.add(sum, g_.scale(parts[k], p.coefficients[k]));
        return sum;
      }
      case Pattern::Kind::product: {
        Expr product = g_.constant(p.coefficients[0]);
        for (const Expr part : parts) product = g_.multiply(product, part);
        return product;
      }
      case Pattern::Kind::reduction:
        break;
    }
    return {};
  }

 private:
  Graph& g_;
  const std::vector<Expr>& variables_;
};

/// The sum over an axis of c × (the left side of a rule) × z; the variables whose bit is set are arrays.
Model model_of(const Rule& rule, unsigned arrays) {
  Model model;
  Graph& g = model.graph;
  const Size n = g.sizes().symbol("n");
  model.size_names = {"n"};
  const auto input = [&](const std::string& name, std::vector<Size> shape) {
    Input i;
    i.role = Input::Role::param;
    i.name = i.key = name;
    i.shape = shape;
    i.expr = g.input(static_cast<std::uint32_t>(model.inputs.size()), std::move(shape));
    model.inputs.push_back(i);
    return i.expr;
  };
  std::vector<Expr> variables;
  for (std::size_t v = 0; v < rule.variables.size(); ++v)
    variables.push_back(
        input("x" + std::to_string(v), (arrays >> v & 1u) != 0 ? std::vector<Size>{n} : std::vector<Size>{}));
  const Expr c = input("c", {}), z = input("z", {n});
  const Expr form = g.multiply(g.multiply(c, Filled(g, variables)(rule.before)), z);
  NamedValue loss;
  loss.role = NamedValue::Role::loss;
  loss.name = loss.key = "loss";
  loss.expr = g.contraction({n}, 0, 1, {g.whole(form)});
  model.values.push_back(loss);
  return model;
}

Bindings bindings_of(const Model& model, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> some(0.2, 0.9);
  Bindings b;
  b.sizes = {{"n", length}};
  for (std::uint32_t k = 0; k < model.inputs.size(); ++k) {
    Array a{model.inputs[k].shape.empty() ? std::vector<std::int64_t>{} : std::vector<std::int64_t>{length}, {}};
    a.values.resize(model.inputs[k].shape.empty() ? 1 : length);
    for (auto& x : a.values) x = some(random);
    b.inputs[k] = std::move(a);
  }
  return b;
}

std::string round_trip(const Rule& rule, unsigned arrays, std::string& text) {
  Model model = model_of(rule, arrays);
  const Derived derived = derive(model, {});
  text = print(model, derived, Form::text);
  const Source source("printed.loss", text);
  Diagnostics diagnostics;
  const auto program = parse(source, diagnostics);
  const auto again = diagnostics.has_errors() ? std::nullopt : elaborate(program, diagnostics);
  if (!again) return render(diagnostics, &source, DiagnosticForm::text, false);
  const Bindings bindings = bindings_of(model, 5);
  std::vector<std::pair<std::string, Expr>> wanted;
  for (const auto& d : derived.losses.at(0).derivatives)
    wanted.emplace_back("grad_" + model.inputs[d.input].name, d.expr);
  for (const auto& [name, expr] : wanted) {
    Expr read;
    for (const auto& v : again->values)
      if (v.name == name) read = v.expr;
    if (!read.valid()) return name + " is missing";
    const Array want = evaluate_reference(model.graph, {expr}, bindings)[0];
    const Array got = evaluate_reference(again->graph, {read}, bindings)[0];
    if (got.shape != want.shape) return name + " has another shape";
    for (std::size_t i = 0; i < want.values.size(); ++i)
      if (!close_relative(got.values[i], want.values[i], 1e-11) && !(std::fabs(got.values[i] - want.values[i]) < 1e-14))
        return name + ": element " + std::to_string(i) + " is " + std::to_string(got.values[i]) + ", not " +
               std::to_string(want.values[i]);
  }
  return "";
}

}  // namespace

TEST_CASE("the form of each rule and its gradient read back from print, arrays beside scalars") {
  for (const Rule& rule : all_rules()) {
    if (reduces(rule.before)) continue;
    CAPTURE(rule.name);
    const unsigned all = 1u << rule.variables.size();
    for (unsigned arrays = 0; arrays < all; ++arrays) {
      std::string text;
      const std::string trouble = round_trip(rule, arrays, text);
      CHECK_MESSAGE(trouble.empty(), trouble << "\n" << text);
    }
  }
}
