// gradus grad: prints the loss and its gradient as formulas.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "cli/session.hpp"

namespace gradus::cli {
namespace {

constexpr std::array forms = {"text", "unicode", "latex", "json", "dot", "numpy", "torch", "jax", "julia", "r", "c"};

struct Options {
  Selection selection;
  std::string form = "text";
  std::string order = "1";
  bool steps = false;
};

/// The form of that name; nothing when it is a form that comes later. Throws UsageError for an unknown one.
std::optional<Form> form_named(const std::string& name) {
  if (std::ranges::find(forms, name) == forms.end()) {
    throw UsageError{fmt::format("--as {}: there is no such form", name),
                     fmt::format("the forms are {}", fmt::join(forms, ", "))};
  }
  if (name == "text") return Form::text;
  if (name == "unicode") return Form::unicode;
  if (name == "latex") return Form::latex;
  return std::nullopt;
}

int run(Settings& settings, const Options& options) {
  Session session(settings);
  session.only_a_formula("grad");
  constexpr int highest_order = 16;
  const std::optional<Form> form = form_named(options.form);
  const std::int64_t order = whole_number("--order", options.order, 1, highest_order);
  Formula* const formula = session.formula();
  if (formula == nullptr) return session.finish();
  DeriveOptions derive_by = derive_options(formula->model, options.selection);
  derive_by.jacobians = !options.selection.losses;
  if (!form) session.not_supported("--as " + options.form);
  if (order > 1) session.not_supported(fmt::format("--order {}", order));
  if (options.steps) session.not_supported("--steps");
  if (session.diagnostics().has_errors()) return session.finish();
  if (!has_something_to_differentiate(formula->model, session.diagnostics())) return session.finish();
  session.write(print(formula->model, derive_to_print(formula->model, derive_by), *form));
  return session.finish();
}

}  // namespace

Run add_grad(CLI::App& command, Settings& settings) {
  auto options = std::make_shared<Options>();
  add_selection(command, options->selection);
  command.add_option("--as", options->form, fmt::format("the form: {}", fmt::join(forms, ", ")));
  command.add_option("--order", options->order, "order of the derivative");
  command.add_flag("--steps", options->steps, "show the derivation, a rule a line");
  return [options, &settings] { return run(settings, *options); };
}

}  // namespace gradus::cli
