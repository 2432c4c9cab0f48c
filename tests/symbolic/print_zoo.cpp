// Every zoo formula that is supported: the printed program parses, checks, and has the same values.
#include <doctest/doctest.h>

#include <algorithm>

#include "../close.hpp"
#include "../zoo_case.hpp"
#include "frontend/parse.hpp"
#include "latex_check.hpp"
#include "symbolic/derive.hpp"
#include "symbolic/elaborate.hpp"
#include "symbolic/interpret.hpp"
#include "symbolic/print.hpp"
#include "symbolic/simplify.hpp"

using namespace gradus;

namespace {

struct Checked {
  std::optional<Model> model;
  std::string errors;
};

Checked check(const std::string& text) {
  const Source source("printed.loss", text);
  Diagnostics diagnostics;
  const auto program = parse(source, diagnostics);
  Checked out;
  if (!diagnostics.has_errors()) out.model = elaborate(program, diagnostics);
  if (!out.model || !diagnostics.all().empty()) out.errors = render(diagnostics, &source, DiagnosticForm::text, false);
  return out;
}

Bindings bind(const Model& model, const testing::ZooCase& zoo) {
  Bindings out = testing::bind(model, zoo.data["args"]);
  for (std::uint32_t k = 0; k < model.inputs.size(); ++k)
    if (!out.inputs.contains(k) && model.inputs[k].role == Input::Role::constant)
      out.inputs[k] = evaluate_reference(model.graph, {model.inputs[k].default_value}, out)[0];
  return out;
}

std::string difference(const Array& got, const Array& want) {
  if (got.shape != want.shape) return "another shape";
  double scale = 0;
  for (const double x : want.values)
    if (std::isfinite(x)) scale = std::max(scale, std::fabs(x));
  for (std::size_t k = 0; k < want.values.size(); ++k) {
    const double a = got.values[k], b = want.values[k];
    const bool fine = testing::close_relative(a, b, 1e-12) || std::fabs(a - b) <= 1e-13 * scale;
    if (!fine) return "element " + std::to_string(k) + " is " + std::to_string(a) + ", not " + std::to_string(b);
  }
  return "";
}

/// What is wrong with the printed form of a case, or nothing.
std::string round_trip(const testing::ZooCase& zoo, std::string& text) {
  Checked raw = check(testing::file_text(zoo.path));
  if (!raw.model) return "refused: " + raw.errors;
  DeriveOptions options;
  if (zoo.data.contains("wrt"))
    for (const auto& w : zoo.data["wrt"]) options.wrt.push_back(name_key(w.get<std::string>()));
  const Derived derived = derive(*raw.model, options);
  const Derived to_print = derive_to_print(*raw.model, options);
  text = print(*raw.model, to_print, Form::text);
  const std::string latex = print(*raw.model, to_print, Form::latex);
  if (const auto bad = testing::latex_problem(latex); !bad.empty()) return "LaTeX: " + bad;
  Checked again = check(text);
  if (!again.model) return "printed text: " + again.errors;
  std::vector<std::string> names;
  std::vector<Expr> wanted;
  const auto want = [&](const std::string& name, Expr e) {
    names.push_back(name);
    wanted.push_back(e);
  };
  for (const auto& loss : derived.losses) {
    want(loss.name, loss.value);
    const std::string prefix = derived.losses.size() > 1 ? "grad_" + loss.name + "_" : "grad_";
    for (const auto& d : loss.derivatives) want(prefix + raw.model->inputs[d.input].name, d.expr);
  }
  for (const auto& o : derived.outputs) want(o.name, o.value);
  std::vector<Expr> read;
  for (const auto& name : names) {
    const auto& values = again.model->values;
    const auto v = std::find_if(values.begin(), values.end(), [&](const NamedValue& x) { return x.name == name; });
    if (v == values.end()) return name + " is missing";
    read.push_back(v->expr);
  }
  const auto before = evaluate_reference(raw.model->graph, wanted, bind(*raw.model, zoo));
  // Written-out forms (1 - cos(x) at 1e-100) need more digits than the reference has: they are recognised again first.
  read = stabilise(again.model->graph, read);
  const auto after = evaluate_reference(again.model->graph, read, bind(*again.model, zoo));
  for (std::size_t k = 0; k < names.size(); ++k)
    if (const auto bad = difference(after[k], before[k]); !bad.empty()) return names[k] + ": " + bad;
  return again.errors.empty() ? "" : "warnings: " + again.errors;
}

}  // namespace

TEST_CASE("every supported zoo formula reads back from its printed form") {
  std::size_t read_back = 0;
  for (const auto& zoo : testing::zoo_cases()) {
    std::string text;
    const std::string trouble = round_trip(zoo, text);
    if (trouble.starts_with("refused")) continue;  // what is refused is listed, and the ladder watches the list
    ++read_back;
    CHECK_MESSAGE(trouble.empty(), zoo.name << ": " << trouble << "\n" << text);
  }
  CHECK(read_back > 100);
}
