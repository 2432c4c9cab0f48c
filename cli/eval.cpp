// gradus eval: compiles the formula, evaluates it on data, and prints loss, gradient and outputs.
#include <fmt/format.h>

#include "cli/session.hpp"

namespace gradus::cli {
namespace {

struct Options {
  Selection selection;
  BindOptions bind;
  bool grad = false, hessian = false, json = false;
  std::optional<std::string> threads;
  std::string seed = "0", limit = "600";
};

/// What is evaluated, and where its numbers are among the roots.
class Results {
 public:
  Results(const Model& model, const Derived& derived, bool derivatives)
      : model_(model), derived_(derived), derivatives_(derivatives) {
    for (const DerivedValue& loss : derived.losses) add(loss);
    for (const DerivedValue& output : derived.outputs) add(output);
  }

  const std::vector<Expr>& roots() const { return roots_; }
  std::string json(const std::vector<Array>& values, const Bindings& bindings) const;
  std::string text(const std::vector<Array>& values) const;

 private:
  void add(const DerivedValue& value) {
    roots_.push_back(value.value);
    for (const Derivative& derivative : value.derivatives) roots_.push_back(derivative.expr);
  }
  const std::string& input_name(const Derivative& derivative) const { return model_.inputs[derivative.input].name; }

  const Model& model_;
  const Derived& derived_;
  bool derivatives_;
  std::vector<Expr> roots_;
};

/// A JSON object written entry by entry.
class Object {
 public:
  std::string& entry(const std::string& name) {
    text_ += (text_.size() > 1 ? ", " : "") + json_string(name) + ": ";
    return text_;
  }
  std::string close() { return text_ + "}"; }

 private:
  std::string text_ = "{";
};

std::string Results::json(const std::vector<Array>& values, const Bindings& bindings) const {
  std::size_t next = 0;
  Object all, losses, gradients, outputs, jacobians, dims;
  const bool one = derived_.losses.size() == 1;
  for (const DerivedValue& loss : derived_.losses) {
    append_json(one ? all.entry("loss") : losses.entry(loss.name), values[next++]);
    Object gradient;
    for (const Derivative& derivative : loss.derivatives)
      append_json(gradient.entry(input_name(derivative)), values[next++]);
    if (!derivatives_) continue;
    (one ? all.entry("grad") : gradients.entry(loss.name)) += gradient.close();
  }
  if (derived_.losses.size() > 1) {
    all.entry("losses") += losses.close();
    if (derivatives_) all.entry("grad") += gradients.close();
  }
  for (const DerivedValue& output : derived_.outputs) {
    append_json(outputs.entry(output.name), values[next++]);
    Object jacobian;
    for (const Derivative& derivative : output.derivatives)
      append_json(jacobian.entry(input_name(derivative)), values[next++]);
    jacobians.entry(output.name) += jacobian.close();
  }
  if (!derived_.outputs.empty()) {
    all.entry("outputs") += outputs.close();
    if (derivatives_) all.entry("jacobians") += jacobians.close();
  }
  for (const std::string& name : model_.size_names) dims.entry(name) += std::to_string(bindings.sizes.at(name));
  all.entry("dims") += dims.close();
  return all.close() + "\n";
}

std::string Results::text(const std::vector<Array>& values) const {
  std::size_t next = 0;
  std::string out;
  const auto line = [&](const std::string& name) {
    out += name + " = ";
    append_text(out, values[next++], name.size() + 3);
    out += '\n';
  };
  for (const DerivedValue& loss : derived_.losses) {
    line(loss.name);
    const std::string stem = derived_.losses.size() == 1 ? "grad_" : "grad_" + loss.name + "_";
    for (const Derivative& derivative : loss.derivatives) line(stem + input_name(derivative));
  }
  for (const DerivedValue& output : derived_.outputs) {
    line(output.name);
    for (const Derivative& derivative : output.derivatives) line("jac_" + output.name + "_" + input_name(derivative));
  }
  return out;
}

int run(Settings& settings, Options& options) {
  Session session(settings);
  const unsigned threads = thread_count(options.threads);
  options.bind.seed = static_cast<std::uint64_t>(whole_number("--seed", options.seed, 0, INT64_MAX));
  const double most_seconds = positive_number("--limit", options.limit);
  Formula* const formula = session.formula();
  if (formula == nullptr) return session.finish();
  Model& model = formula->model;
  DeriveOptions derive_by = derive_options(model, options.selection);
  derive_by.gradients = derive_by.jacobians = options.grad;
  const std::vector<Given> given = session.given(model);
  if (options.hessian) session.not_supported("--hessian");
  if (session.diagnostics().has_errors() || !has_something_to_differentiate(model, session.diagnostics())) {
    return session.finish();
  }
  const auto bindings = bind_inputs(model, given, options.bind, session.diagnostics());
  if (!bindings) return session.finish();
  const Derived derived = derive(model, derive_by);
  const Results results(model, derived, options.grad);
  ThreadPool pool(threads);
  std::string notes;
  const auto values =
      evaluate(model, results.roots(), derived.checks, *bindings, pool, session.diagnostics(), notes, most_seconds);
  if (!notes.empty()) session.diagnostics().warning(Span::none(), notes.substr(0, notes.size() - 1));
  if (values) session.write(options.json ? results.json(*values, *bindings) : results.text(*values));
  return session.finish();
}

}  // namespace

Run add_eval(CLI::App& command, Settings& settings) {
  auto options = std::make_shared<Options>();
  add_selection(command, options->selection);
  command.add_flag("--grad", options->grad, "the gradient as well (for outputs the Jacobian)");
  command.add_flag("--hessian", options->hessian, "the Hessian as well");
  command.add_flag("--json", options->json, "print one JSON object");
  command.add_option("--table", options->bind.table, "a CSV file that gives data by the names of its columns");
  command.add_option("--seed", options->seed, "seed of normal and uniform values");
  command.add_option("--limit", options->limit, "seconds; what would take longer by an estimate is refused (600)");
  command.add_option("--threads", options->threads, "number of threads (all cores); never changes a bit of the result");
  return [options, &settings] { return run(settings, *options); };
}

}  // namespace gradus::cli
