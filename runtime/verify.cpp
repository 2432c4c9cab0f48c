// `verify`: compiled values and gradients beside the reference, coordinate by coordinate or along random directions.
#include "runtime/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "runtime/evaluate.hpp"
#include "runtime/formula.hpp"
#include "symbolic/differentiate.hpp"
#include "symbolic/interpret.hpp"

namespace gradus {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr std::size_t sampled_coordinates = 8, sampled_directions = 8;

double largest_magnitude(const Array& array) {
  double out = 0;
  for (const double value : array.values) {
    if (std::isfinite(value)) out = std::max(out, std::fabs(value));
  }
  return out;
}

/// |a - b| relative to a scale; infinite when one of them is no number.
double relative(double a, double b, double scale) {
  if (a == b) return 0;
  if (!std::isfinite(a) || !std::isfinite(b)) return infinite;
  return scale > 0 ? std::fabs(a - b) / scale : infinite;
}

/// A loss or output by one input: where the compiled numbers are, and the forward derivative on the raw graph.
struct Check {
  std::size_t root = 0;  // among the compiled roots
  std::uint32_t input = 0;
  Expr forward;  // depends on the tangent
  std::size_t row = 0;
};

/// A loss or output itself.
struct ValueComparison {
  std::size_t root = 0;
  Expr raw;
  std::size_t row = 0;
};

class Verifier {
 public:
  Verifier(Model& model, const VerifyOptions& options, Diagnostics& diagnostics)
      : model_(model), options_(options), diagnostics_(diagnostics), pool_(options.threads) {}

  bool prepare(const DeriveOptions& derive_by);
  bool run(const std::vector<Given>& given, const BindOptions& bind_options);
  VerifyReport& report() { return report_; }

 private:
  enum class Trial { good, again, error };
  void add(const DerivedValue& value, const char* kind, bool several);
  std::uint32_t tangent(std::uint32_t input) const { return static_cast<std::uint32_t>(model_.inputs.size()) + input; }
  Trial make_point(InputBinder& binder, const std::vector<Given>& given, int attempt, Random& random);
  Trial compare_point(Bindings& bindings, bool made_up, bool last_attempt, Random& random);
  void compare_values(const std::vector<Array>& compiled, const std::vector<Array>& reference);
  void compare_check(const Check& check, const Array& compiled, Bindings& bindings, Random& random);
  void compare_direction(const Check& check, const Array& compiled, double scale, Bindings& bindings, Random& random);
  std::vector<std::size_t> coordinates(const Check& check, const Array& input, Bindings& bindings, Random& random);
  Array reference_along(const Check& check, const Array& direction, Bindings& bindings);

  Model& model_;
  const VerifyOptions& options_;
  Diagnostics& diagnostics_;
  ThreadPool pool_;
  std::vector<Expr> roots_, checks_;
  std::vector<Check> comparisons_;
  std::vector<ValueComparison> values_;
  Compiled compiled_;
  VerifyReport report_;
};

bool Verifier::prepare(const DeriveOptions& derive_by) {
  const Derived derived = derive(model_, derive_by);
  checks_ = derived.checks;
  for (const DerivedValue& loss : derived.losses) add(loss, "grad", derived.losses.size() > 1);
  for (const DerivedValue& output : derived.outputs) add(output, "jac", true);
  compiled_ = compile(model_, roots_, checks_);
  if (!compiled_.note.empty()) report_.notes += compiled_.note + "\n";
  return !roots_.empty();
}

void Verifier::add(const DerivedValue& value, const char* kind, bool several) {
  const auto raw = std::find_if(model_.values.begin(), model_.values.end(), [&](const NamedValue& one) {
    return one.name == value.name && one.role != NamedValue::Role::value;
  });
  if (raw == model_.values.end()) return;
  values_.push_back({roots_.size(), raw->expr, report_.rows.size()});
  roots_.push_back(value.value);
  report_.rows.push_back({value.name});
  for (const Derivative& derivative : value.derivatives) {
    const Input& input = model_.inputs[derivative.input];
    const Expr direction = model_.graph.input(tangent(derivative.input), input.shape);
    const Expr forward = directional_derivative(model_.graph, raw->expr, {{input.expr, direction}});
    comparisons_.push_back({roots_.size(), derivative.input, forward, report_.rows.size()});
    roots_.push_back(derivative.expr);
    const std::string of = several ? " " + value.name : "";
    report_.rows.push_back({fmt::format("{}{} {}", kind, of, input.name)});
  }
}

bool Verifier::run(const std::vector<Given>& given, const BindOptions& bind_options) {
  constexpr int most_attempts = 24;
  Random random(bind_options.seed);
  int points = 1;
  for (int point = 0; point < points; ++point) {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      Diagnostics quiet;
      const bool last = attempt + 1 == most_attempts;
      InputBinder binder(model_, bind_options, quiet);
      Trial trial = make_point(binder, given, attempt, random);
      if (report_.made_up) points = options_.points;
      if (trial == Trial::good) trial = compare_point(binder.bindings(), report_.made_up, last, random);
      if (trial == Trial::good) break;
      if (trial == Trial::error || last || !report_.made_up) {
        for (const Diagnostic& one : quiet.all()) diagnostics_.add(one);
        if (!diagnostics_.has_errors()) {
          diagnostics_.error(Span::none(),
                             "no random values were found that the formula can be evaluated at: give values");
        }
        return false;
      }
    }
    ++report_.points;
  }
  for (const VerifyRow& row : report_.rows) report_.worst = std::max(report_.worst, row.error);
  report_.passed = report_.worst <= options_.tolerance;
  return true;
}

/// Takes the given values and makes up the rest.
Verifier::Trial Verifier::make_point(InputBinder& binder, const std::vector<Given>& given, int attempt,
                                     Random& random) {
  constexpr std::int64_t smallest = 3, different = 5;
  if (!binder.take(given) || !binder.infer_sizes()) return Trial::error;
  if (!check_assumptions(model_, binder.bindings(), diagnostics_)) return Trial::error;
  for (const std::string& name : binder.unknown_sizes()) {
    binder.set_size(name, smallest + random.below(different));
    report_.made_up = true;
  }
  for (const std::uint32_t number : binder.missing_inputs()) {
    const std::vector<std::int64_t> shape = binder.shape_of(number);
    report_.made_up = true;
    if (std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; })) return Trial::again;
    binder.set_input(number, random_value(model_, number, shape, binder.sizes(), attempt, random));
  }
  return binder.finish() ? Trial::good : Trial::again;
}

Verifier::Trial Verifier::compare_point(Bindings& bindings, bool made_up, bool last_attempt, Random& random) {
  std::vector<Expr> raw;
  for (const ValueComparison& value : values_) raw.push_back(value.raw);
  const std::vector<Array> reference = evaluate_reference(model_.graph, raw, bindings);
  const bool finite = std::all_of(reference.begin(), reference.end(), [](const Array& array) {
    return std::all_of(array.values.begin(), array.values.end(), [](double x) { return std::isfinite(x); });
  });
  if (!finite && made_up && !last_attempt) return Trial::again;
  Call call(compiled_, model_, roots_, bindings, pool_.size(), diagnostics_);
  if (!call.good()) return Trial::error;
  const loops::Result result = call.run(pool_);
  if (result.code != loops::Code::ok) {
    if (made_up && !last_attempt) return Trial::again;
    report_failure(model_, result, diagnostics_);
    return Trial::error;
  }
  compare_values(call.outputs(), reference);
  for (const Check& check : comparisons_) compare_check(check, call.outputs()[check.root], bindings, random);
  return Trial::good;
}

void Verifier::compare_values(const std::vector<Array>& compiled, const std::vector<Array>& reference) {
  for (std::size_t k = 0; k < values_.size(); ++k) {
    const Array& got = compiled[values_[k].root];
    VerifyRow& row = report_.rows[values_[k].row];
    const double scale = largest_magnitude(reference[k]);
    for (std::size_t i = 0; i < got.values.size(); ++i) {
      const double expected = reference[k].values[i];
      ++row.compared;
      if (!std::isfinite(expected)) {
        ++row.without;
      } else {
        row.error = std::max(row.error, relative(got.values[i], expected, scale));
      }
    }
  }
}

Array Verifier::reference_along(const Check& check, const Array& direction, Bindings& bindings) {
  bindings.inputs[tangent(check.input)] = direction;
  Array out = evaluate_reference(model_.graph, {check.forward}, bindings).at(0);
  bindings.inputs.erase(tangent(check.input));
  return out;
}

/// A direction along one coordinate, in the space of values that the input's assumptions allow. Empty where there is
/// none.
Array along_coordinate(const Input& input, const std::vector<std::int64_t>& shape, std::size_t coordinate,
                       std::size_t count) {
  Array out{shape, std::vector<double>(count, 0.0)};
  out.values[coordinate] = 1;
  if (shape.size() < 2 || !(input.symmetric || input.spd || input.lower)) return out;
  const auto n = static_cast<std::size_t>(shape.back());
  const std::size_t j = coordinate % n, i = coordinate / n % n;
  if (input.lower) {
    if (j > i) out.values[coordinate] = 0;
  } else if (i != j) {
    out.values[coordinate] = 0.5;
    out.values[coordinate - i * n - j + j * n + i] = 0.5;
  }
  return out;
}

/// The coordinates to compare: all where that takes seconds, else a few.
std::vector<std::size_t> Verifier::coordinates(const Check& check, const Array& input, Bindings& bindings,
                                               Random& random) {
  const std::size_t count = input.values.size();
  std::vector<std::size_t> all(count);
  for (std::size_t k = 0; k < count; ++k) all[k] = k;
  if (options_.all || count <= sampled_coordinates) return all;
  const auto begin = std::chrono::steady_clock::now();
  reference_along(check, along_coordinate(model_.inputs[check.input], input.shape, 0, count), bindings);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double budget = options_.seconds / static_cast<double>(comparisons_.size() *
                                                               static_cast<std::size_t>(std::max(1, options_.points)));
  if (seconds * static_cast<double>(count) <= budget) return all;
  for (std::size_t k = 0; k < sampled_coordinates; ++k) {
    std::swap(all[k], all[k + static_cast<std::size_t>(random.below(static_cast<std::int64_t>(count - k)))]);
  }
  all.resize(sampled_coordinates);
  report_.rows[check.row].sampled = true;
  return all;
}

void Verifier::compare_check(const Check& check, const Array& compiled, Bindings& bindings, Random& random) {
  VerifyRow& row = report_.rows[check.row];
  const Array& input = bindings.inputs.at(check.input);
  const std::size_t count = input.values.size();
  if (count == 0) return;
  const std::size_t elements = compiled.values.size() / count;  // of the value that is differentiated
  struct Pair {
    double got, expected;
  };
  std::vector<Pair> pairs;
  double scale = 0;
  const std::vector<std::size_t> chosen = coordinates(check, input, bindings, random);
  for (const std::size_t coordinate : chosen) {
    const Array direction = along_coordinate(model_.inputs[check.input], input.shape, coordinate, count);
    const Array expected = reference_along(check, direction, bindings);
    for (std::size_t e = 0; e < elements; ++e) {
      pairs.push_back({compiled.values[e * count + coordinate], expected.values[e]});
      if (std::isfinite(expected.values[e])) scale = std::max(scale, std::fabs(expected.values[e]));
    }
  }
  if (chosen.size() < count) scale = std::max(scale, largest_magnitude(compiled));
  for (const Pair& pair : pairs) {
    ++row.compared;
    if (!std::isfinite(pair.expected)) {
      ++row.without;
    } else {
      row.error = std::max(row.error, relative(pair.got, pair.expected, scale));
    }
  }
  if (chosen.size() == count) return;
  for (std::size_t k = 0; k < sampled_directions; ++k) compare_direction(check, compiled, scale, bindings, random);
}

/// Compares along a random direction of length 1.
void Verifier::compare_direction(const Check& check, const Array& compiled, double scale, Bindings& bindings,
                                 Random& random) {
  VerifyRow& row = report_.rows[check.row];
  const Array& input = bindings.inputs.at(check.input);
  const std::size_t count = input.values.size();
  Array direction = random_value(model_, check.input, input.shape, bindings.sizes, 0, random);
  double squares = 0;
  for (double& value : direction.values) squares += value * value;
  for (double& value : direction.values) value /= std::sqrt(squares);
  const Array expected = reference_along(check, direction, bindings);
  for (std::size_t e = 0; e < expected.values.size(); ++e) {
    long double sum = 0;
    for (std::size_t k = 0; k < count; ++k) {
      sum += static_cast<long double>(compiled.values[e * count + k]) * direction.values[k];
    }
    ++row.compared;
    ++row.directions;
    if (!std::isfinite(expected.values[e])) {
      ++row.without;
    } else {
      row.error = std::max(row.error, relative(static_cast<double>(sum), expected.values[e], scale));
    }
  }
}

}  // namespace

std::optional<VerifyReport> verify(Model& model, const DeriveOptions& derive_by, const std::vector<Given>& given,
                                   const BindOptions& bind_options, const VerifyOptions& options,
                                   Diagnostics& diagnostics) {
  Verifier verifier(model, options, diagnostics);
  verifier.prepare(derive_by);
  if (!verifier.run(given, bind_options)) return std::nullopt;
  return std::move(verifier.report());
}

}  // namespace gradus
