// `verify`: compiled values and gradients beside the reference, coordinate by coordinate or along random directions.
#include "runtime/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "runtime/comparison.hpp"
#include "runtime/evaluate.hpp"
#include "runtime/formula.hpp"
#include "symbolic/differentiate.hpp"
#include "symbolic/function.hpp"
#include "symbolic/interpret.hpp"
#include "symbolic/magnitude.hpp"

namespace gradus {
namespace {

constexpr double nothing =
    1e-25;  // beside the largest number of a run; far below what doubles tell apart, far above the reference's error
constexpr std::size_t sampled_coordinates = 8, sampled_directions = 8;

constexpr std::size_t batch = 16;           // directions in one reference evaluation: they share what they all need
constexpr std::size_t large_graph = 20000;  // nodes beyond which a batch is one direction
constexpr unsigned verify_bits = 128;       // binary digits of the reference
constexpr unsigned most_bits = 8192;        // … where the result differs: what cancels may need more
constexpr double rounding = 0x1p-46;        // of a derivative, beside the magnitude of what it adds up
constexpr double bytes_per_number = 64;     // of the reference, about, and its digits

/// A loss or output by one input: where the compiled numbers are, and the forward derivatives on the raw graph along
/// the tangents of a batch.
struct Check {
  std::size_t root = 0;  // among the compiled roots
  std::uint32_t input = 0;
  Expr raw;
  bool stops = false;  // the formula treats a part as a constant, which difference quotients do not see
  bool given = false;  // it holds derivatives of the user's, who may choose at a kink
  std::vector<Expr> forward;
  std::size_t row = 0;
};

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void compare(VerifyRow& row, double got, double expected, double scale) {
  ++row.compared;
  if (!std::isfinite(expected)) {
    ++row.without;
  } else {
    row.error = std::max(row.error, relative(got, expected, scale));
  }
}

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
  using Directions = std::map<std::uint32_t, Array>;  // by input

  enum class Trial { good, again, error };
  void add(const DerivedValue& value, const char* kind, bool several);
  /// The number of an input that stands for a direction.
  std::uint32_t tangent(std::uint32_t input, std::size_t slot) const {
    return static_cast<std::uint32_t>(model_.inputs.size() * (1 + slot) + input);
  }
  Trial make_point(InputBinder& binder, const std::vector<Given>& given, int attempt, Random& random);
  Trial compare_point(Bindings& bindings, bool made_up, bool last_attempt, Random& random);
  void compare_values(const std::vector<Array>& compiled, std::vector<Array> reference, const Bindings& bindings);
  void compare_check(const Check& check, const Array& compiled, Bindings& bindings, Random& random);
  void compare_differences(const Check& check, const Array& compiled, Bindings& bindings, double scale, unsigned bits,
                           Random& random);
  bool has_sides(const Check& check, const Array& direction, std::size_t element, const Bindings& bindings,
                 unsigned bits) const;
  bool is_smooth(const Check& check, const Bindings& bindings, Random& random);
  bool condition_changes(const Check& check, const Bindings& bindings, const Directions& direction) const;
  Directions directions_of_all(const Bindings& bindings, Random& random) const;
  Array random_direction(const Check& check, const Bindings& bindings, Random& random) const;
  bool fits_memory(const Bindings& bindings);
  bool is_affordable(unsigned bits) const {
    return numbers_ * (bytes_per_number + bits / 8.0) <= static_cast<double>(available_memory());
  }
  std::vector<std::size_t> coordinates(const Check& check, const Array& input, Bindings& bindings, Random& random);
  std::vector<Array> reference_along(const Check& check, const std::vector<Array>& directions, Bindings& bindings,
                                     unsigned bits = verify_bits);
  std::vector<Array> magnitudes_along(const Check& check, const std::vector<Array>& directions, Bindings& bindings);
  /// What an error is relative to where a derivative adds up terms of this magnitude, which may cancel.
  double against(double scale, double added) const {
    const bool counts = std::isfinite(added) && options_.tolerance > 0;
    return counts ? std::max(scale, rounding / options_.tolerance * added) : scale;
  }
  double scale_of(const std::vector<Array>& expected, std::size_t coordinates, const Array* compiled) const;

  Model& model_;
  const VerifyOptions& options_;
  Diagnostics& diagnostics_;
  ThreadPool pool_;
  std::vector<Expr> roots_, checks_;
  std::vector<Check> comparisons_;
  std::vector<ValueComparison> values_;
  Compiled compiled_;
  VerifyReport report_;
  double numbers_ = 0;  // in the reference
  double largest_ = 0;  // number among the compiled results of a trial
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
  const auto raw = std::ranges::find_if(model_.values, [&](const NamedValue& one) {
    return one.name == value.name && one.role != NamedValue::Role::value;
  });
  if (raw == model_.values.end()) return;
  values_.push_back({roots_.size(), raw->expr, report_.rows.size()});
  roots_.push_back(value.value);
  report_.rows.push_back({value.name});
  // A derivative given by the user is checked against the differentiated body.
  const Expr body = without_given(model_.graph, {raw->expr})[0];
  for (const Derivative& derivative : value.derivatives) {
    const Input& input = model_.inputs[derivative.input];
    Check check{roots_.size(),      derivative.input,
                raw->expr,          stops_gradients(model_.graph, raw->expr),
                body != raw->expr,  {},
                report_.rows.size()};
    const std::size_t slots = model_.graph.node_count() > large_graph ? 1 : batch;
    for (std::size_t slot = 0; slot < slots; ++slot) {
      const Expr direction = model_.graph.input(tangent(derivative.input, slot), input.shape);
      check.forward.push_back(directional_derivative(model_.graph, body, {{input.expr, direction}}));
    }
    comparisons_.push_back(std::move(check));
    roots_.push_back(derivative.expr);
    const std::string of = several ? " " + value.name : "";
    report_.rows.push_back({fmt::format("{}{} {}", kind, of, input.name)});
  }
}

bool Verifier::run(const std::vector<Given>& given, const BindOptions& bind_options) {
  constexpr int most_attempts = 24, usual_points = 3;
  Random random(bind_options.seed);
  const auto begin = std::chrono::steady_clock::now();
  int points = 1;
  for (int point = 0; point < points; ++point) {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      Diagnostics quiet;
      const bool last = attempt + 1 == most_attempts;
      InputBinder binder(model_, bind_options, quiet);
      Trial trial = make_point(binder, given, attempt, random);
      if (report_.made_up) points = options_.points > 0 ? options_.points : usual_points;
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
    if (options_.points == 0 && seconds_since(begin) > options_.seconds) break;
  }
  for (const VerifyRow& row : report_.rows) report_.worst = std::max(report_.worst, row.error);
  report_.passed = report_.worst <= options_.tolerance;
  report_.nothing = std::ranges::all_of(report_.rows, [](const VerifyRow& row) { return row.without == row.compared; });
  return true;
}

/// Takes the given values and makes up the rest.
Verifier::Trial Verifier::make_point(InputBinder& binder, const std::vector<Given>& given, int attempt,
                                     Random& random) {
  // Arrays of many axes would be too large with sizes from 3 to 7.
  std::size_t rank = 0;
  for (const Input& input : model_.inputs) rank = std::max(rank, input.shape.size());
  const std::int64_t smallest = rank <= 5 ? 3 : rank <= 10 ? 2 : 1, different = rank <= 5 ? 5 : 1;
  if (!binder.take(given) || !binder.infer_sizes()) return Trial::error;
  if (!check_assumptions(model_, binder.bindings(), diagnostics_)) return Trial::error;
  for (const std::string& name : binder.unknown_sizes()) {
    binder.set_size(name, smallest + random.below(different));
    report_.made_up = true;
  }
  for (const std::uint32_t number : binder.missing_inputs()) {
    const std::vector<std::int64_t> shape = binder.shape_of(number);
    report_.made_up = true;
    if (std::ranges::any_of(shape, [](std::int64_t size) { return size < 0; })) return Trial::again;
    binder.set_input(number, random_value(model_, number, shape, binder.sizes(), attempt, random));
  }
  return binder.finish() ? Trial::good : Trial::again;
}

/// Whether the reference, which keeps every intermediate value in high precision, fits into memory.
bool Verifier::fits_memory(const Bindings& bindings) {
  std::vector<Expr> roots;
  for (const ValueComparison& value : values_) roots.push_back(value.raw);
  for (const Check& check : comparisons_) roots.push_back(check.forward.front());
  numbers_ = numbers_of(model_.graph, roots, bindings);
  if (is_affordable(verify_bits)) return true;
  const auto available = static_cast<double>(available_memory());
  const double bytes = numbers_ * (bytes_per_number + verify_bits / 8.0);
  diagnostics_.error(Span::none(),
                     fmt::format("the reference in high precision would take {:.3g} GB, but only {:.3g} GB of "
                                 "memory are free: verify with fewer rows",
                                 bytes / 1e9, available / 1e9));
  return false;
}

Verifier::Trial Verifier::compare_point(Bindings& bindings, bool made_up, bool last_attempt, Random& random) {
  if (!fits_memory(bindings)) return Trial::error;
  std::vector<Expr> raw;
  for (const ValueComparison& value : values_) raw.push_back(value.raw);
  constexpr double slowness = 50;  // of the reference, at the least
  if (!is_quick_enough(model_, raw, bindings, options_.limit, slowness, diagnostics_)) return Trial::error;
  const std::vector<Array> reference = evaluate_reference(model_.graph, raw, bindings, verify_bits);
  const bool finite = std::ranges::all_of(reference, [](const Array& array) {
    return std::ranges::all_of(array.values, [](double x) { return std::isfinite(x); });
  });
  if (!finite && made_up && !last_attempt) return Trial::again;
  Call call(compiled_, model_, roots_, bindings, pool_.size(), diagnostics_);
  if (!call.good()) return Trial::error;
  const loops::Result result = call.run(pool_);
  if (result.code != loops::Code::ok) {
    if (made_up && !last_attempt) return Trial::again;
    report_failure(model_, result, bindings, diagnostics_);
    return Trial::error;
  }
  compare_values(call.outputs(), reference, bindings);
  largest_ = 0;
  for (const Array& output : call.outputs()) largest_ = std::max(largest_, largest_magnitude(output));
  for (const Check& check : comparisons_) compare_check(check, call.outputs()[check.root], bindings, random);
  return Trial::good;
}

void Verifier::compare_values(const std::vector<Array>& compiled, std::vector<Array> reference,
                              const Bindings& bindings) {
  const auto suspicious = [&](std::size_t k) {
    const Array& got = compiled[values_[k].root];
    const double scale = largest_magnitude(reference[k]);
    for (std::size_t i = 0; i < got.values.size(); ++i)
      if (is_suspicious(got.values[i], reference[k].values[i], scale, options_.tolerance)) return true;
    return false;
  };
  for (std::size_t k = 0; k < values_.size(); ++k) {
    const auto begin = std::chrono::steady_clock::now();
    for (unsigned bits = 4 * verify_bits; bits <= most_bits && is_affordable(bits) && suspicious(k); bits *= 4) {
      if (seconds_since(begin) > options_.seconds) break;
      reference[k] = evaluate_reference(model_.graph, {values_[k].raw}, bindings, bits)[0];
    }
    const Array& got = compiled[values_[k].root];
    VerifyRow& row = report_.rows[values_[k].row];
    const double scale = largest_magnitude(reference[k]);
    for (std::size_t i = 0; i < got.values.size(); ++i) compare(row, got.values[i], reference[k].values[i], scale);
  }
}

std::vector<Array> Verifier::reference_along(const Check& check, const std::vector<Array>& directions,
                                             Bindings& bindings, unsigned bits) {
  std::vector<Array> out;
  for (std::size_t first = 0; first < directions.size(); first += check.forward.size()) {
    const std::size_t count = std::min(check.forward.size(), directions.size() - first);
    for (std::size_t k = 0; k < count; ++k) {
      bindings.inputs[tangent(check.input, k)] = directions[first + k];
    }
    const std::vector<Expr> roots(check.forward.begin(), check.forward.begin() + static_cast<std::ptrdiff_t>(count));
    std::vector<Array> values = evaluate_reference(model_.graph, roots, bindings, bits);
    std::ranges::move(values, std::back_inserter(out));
    for (std::size_t k = 0; k < count; ++k) bindings.inputs.erase(tangent(check.input, k));
  }
  return out;
}

/// The magnitude of what the derivative adds up along each direction.
std::vector<Array> Verifier::magnitudes_along(const Check& check, const std::vector<Array>& directions,
                                              Bindings& bindings) {
  const std::uint32_t slot = tangent(check.input, 0);
  const Expr direction = model_.graph.input(slot, model_.inputs[check.input].shape);
  const Expr magnitude = derivative_magnitude(model_.graph, check.forward[0], direction);
  std::vector<Array> out;
  for (const Array& d : directions) {
    bindings.inputs[slot] = d;
    out.push_back(evaluate_reference(model_.graph, {magnitude}, bindings, verify_bits)[0]);
  }
  bindings.inputs.erase(slot);
  return out;
}

/// The coordinates to compare: all where that takes seconds, else a few.
std::vector<std::size_t> Verifier::coordinates(const Check& check, const Array& input, Bindings& bindings,
                                               Random& random) {
  const std::size_t count = input.values.size();
  std::vector<std::size_t> all(count);
  for (std::size_t k = 0; k < count; ++k) all[k] = k;
  if (options_.all || count <= batch) return all;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<Array> some;
  for (std::size_t k = 0; k < batch; ++k)
    some.push_back(along_coordinate(model_.inputs[check.input], input.shape, k, count));
  reference_along(check, some, bindings);
  const double budget = options_.seconds / static_cast<double>(comparisons_.size());
  if (seconds_since(begin) * static_cast<double>(count) / batch <= budget) return all;
  for (std::size_t k = 0; k < sampled_coordinates; ++k) {
    std::swap(all[k], all[k + static_cast<std::size_t>(random.below(static_cast<std::int64_t>(count - k)))]);
  }
  all.resize(sampled_coordinates);
  report_.rows[check.row].sampled = true;
  return all;
}

/// What errors of a derivative are relative to.
double Verifier::scale_of(const std::vector<Array>& expected, std::size_t coordinates, const Array* compiled) const {
  double scale = compiled != nullptr ? largest_magnitude(*compiled) : 0;
  for (std::size_t k = 0; k < coordinates; ++k) scale = std::max(scale, largest_magnitude(expected[k]));
  // Exactly 0 by cancellation (a shift of all logits): what is left of it is measured by what cancelled.
  return scale < nothing * largest_ ? largest_ : scale;
}

void Verifier::compare_check(const Check& check, const Array& compiled, Bindings& bindings, Random& random) {
  const Array& input = bindings.inputs.at(check.input);
  const std::size_t count = input.values.size();
  if (count == 0) return;
  const std::vector<std::size_t> chosen = coordinates(check, input, bindings, random);
  std::vector<Array> directions;
  for (const std::size_t coordinate : chosen) {
    directions.push_back(along_coordinate(model_.inputs[check.input], input.shape, coordinate, count));
  }
  if (chosen.size() < count) {
    for (std::size_t k = 0; k < sampled_directions; ++k)
      directions.push_back(random_direction(check, bindings, random));
  }
  std::vector<Array> expected = reference_along(check, directions, bindings);
  std::vector<Array> got = expected;
  for (std::size_t k = 0; k < directions.size(); ++k)
    for (std::size_t e = 0; e < expected[k].values.size(); ++e)
      got[k].values[e] =
          k < chosen.size() ? compiled.values[e * count + chosen[k]] : along(compiled, e * count, directions[k]);
  const Array* const all = chosen.size() < count ? &compiled : nullptr;
  double scale = scale_of(expected, chosen.size(), all);
  const auto suspicious = [&] {
    for (std::size_t k = 0; k < directions.size(); ++k)
      for (std::size_t e = 0; e < expected[k].values.size(); ++e)
        if (is_suspicious(got[k].values[e], expected[k].values[e], scale, options_.tolerance)) return true;
    return false;
  };
  unsigned bits = verify_bits;
  const auto begin = std::chrono::steady_clock::now();
  while (bits < most_bits && is_affordable(4 * bits) && suspicious() && seconds_since(begin) <= options_.seconds) {
    bits *= 4;
    expected = reference_along(check, directions, bindings, bits);
    scale = scale_of(expected, chosen.size(), all);
  }
  std::vector<Array> added;  // the magnitude of what cancels, where that may be why they differ
  if (suspicious()) added = magnitudes_along(check, directions, bindings);
  VerifyRow& row = report_.rows[check.row];
  row.directions += static_cast<std::int64_t>(directions.size() - chosen.size());
  bool certain = !check.given;  // that an element which differs is wrong
  for (std::size_t k = 0; k < directions.size(); ++k) {
    for (std::size_t e = 0; e < expected[k].values.size(); ++e) {
      const double by = added.empty() ? scale : against(scale, added[k].values[e]);
      double reference = expected[k].values[e];
      if (!certain && is_suspicious(got[k].values[e], reference, by, options_.tolerance)) {
        certain = seconds_since(begin) > options_.seconds || !has_sides(check, directions[k], e, bindings, bits);
        if (!certain) reference = std::numeric_limits<double>::quiet_NaN();
      }
      compare(row, got[k].values[e], reference, by);
    }
  }
  if (!check.stops) compare_differences(check, compiled, bindings, scale, std::max(bits, reference_bits), random);
}

/// Along one direction, difference quotients of the formula itself: they know no rule of differentiation, so they find
/// an error that forward and reverse derivatives share. At a kink or jump they say nothing: the sides differ there, or
/// (where a kink is symmetric) the slopes along two directions do not add up, or a condition changes.
void Verifier::compare_differences(const Check& check, const Array& compiled, Bindings& bindings, double scale,
                                   unsigned bits, Random& random) {
  const Array direction = random_direction(check, bindings, random);
  Differences sides = differences(model_.graph, check.raw, bindings, {{check.input, direction}}, bits);
  const std::size_t count = direction.values.size();
  const auto counts = [&](std::size_t e) { return is_steady(sides, e) && std::isfinite(sides.central.values[e]); };
  const auto differs = [&] {
    for (std::size_t e = 0; e < sides.central.values.size(); ++e) {
      const double slope = sides.central.values[e];
      const double by = std::max(scale, std::fabs(slope));
      if (counts(e) && relative(along(compiled, e * count, direction), slope, by) > options_.tolerance) return true;
    }
    return false;
  };
  const auto begin = std::chrono::steady_clock::now();
  while (bits < most_bits && is_affordable(4 * bits) && differs() && seconds_since(begin) <= options_.seconds) {
    bits *= 4;
    sides = differences(model_.graph, check.raw, bindings, {{check.input, direction}}, bits);
  }
  VerifyRow& row = report_.rows[check.row];
  std::optional<bool> smooth;  // found out where something differs
  std::vector<Array> added;    // and the magnitude of what is added up
  for (std::size_t e = 0; e < sides.central.values.size(); ++e) {
    if (!counts(e)) continue;
    const double slope = sides.central.values[e];
    const double got = along(compiled, e * count, direction);
    double error = relative(got, slope, std::max(scale, std::fabs(slope)));
    if (error > options_.tolerance && added.empty()) added = magnitudes_along(check, {direction}, bindings);
    if (error > options_.tolerance)
      error = relative(got, slope, against(std::max(scale, std::fabs(slope)), added[0].values[e]));
    if (error > options_.tolerance && !smooth) smooth = is_smooth(check, bindings, random);
    if (smooth.value_or(true)) row.error = std::max(row.error, error);
  }
}

/// Whether an element has another slope on either side along a direction: the point is a kink.
bool Verifier::has_sides(const Check& check, const Array& direction, std::size_t element, const Bindings& bindings,
                         unsigned bits) const {
  return !is_steady(differences(model_.graph, check.raw, bindings, {{check.input, direction}}, bits), element);
}

/// Whether the formula is smooth at the point, as far as random directions of all inputs show: no condition changes
/// along one, and the slopes along two add up to the one along their sum.
bool Verifier::is_smooth(const Check& check, const Bindings& bindings, Random& random) {
  constexpr int attempts = 8;  // two directions can lie on the same side of a kink
  const auto slopes = [&](const Directions& direction) {
    return differences(model_.graph, check.raw, bindings, direction).central.values;
  };
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const Directions one = directions_of_all(bindings, random);
    if (attempt == 0 && condition_changes(check, bindings, one)) return false;
    Directions other = directions_of_all(bindings, random);
    const std::vector<double> first = slopes(one), second = slopes(other);
    for (auto& [input, array] : other)
      for (std::size_t k = 0; k < array.values.size(); ++k) array.values[k] += one.at(input).values[k];
    const std::vector<double> sum = slopes(other);
    for (std::size_t e = 0; e < sum.size(); ++e) {
      const double size = std::max(std::fabs(first[e]), std::fabs(second[e]));
      if (!(std::fabs(first[e] + second[e] - sum[e]) <= same_slope * size)) return false;
    }
  }
  return true;
}

bool Verifier::condition_changes(const Check& check, const Bindings& bindings, const Directions& direction) const {
  const auto is_zero = [](double x) { return x == 0; };
  return std::ranges::any_of(model_.graph.reachable({check.raw}), [&](Expr e) {
    const Node& n = model_.graph[e];
    if (n.kind != Kind::elementwise || !row(n.function).condition) return false;
    const Differences change = differences(model_.graph, e, bindings, direction);
    return !std::ranges::all_of(change.left.values, is_zero) || !std::ranges::all_of(change.right.values, is_zero);
  });
}

/// A random direction of each input that is compared, of different lengths (those of scalars have no other difference).
Verifier::Directions Verifier::directions_of_all(const Bindings& bindings, Random& random) const {
  Directions all;
  for (const Check& check : comparisons_) {
    if (all.contains(check.input)) continue;
    Array& direction = all[check.input] = random_direction(check, bindings, random);
    const double length = 0.5 + random.uniform();
    for (double& value : direction.values) value *= length;
  }
  return all;
}

/// A random direction of length 1 that keeps the structure which the input's assumptions ask for.
Array Verifier::random_direction(const Check& check, const Bindings& bindings, Random& random) const {
  const Array& input = bindings.inputs.at(check.input);
  Array direction = random_value(model_, check.input, input.shape, bindings.sizes, 0, random);
  double squares = 0;
  for (const double value : direction.values) squares += value * value;
  for (double& value : direction.values) value /= std::sqrt(squares);
  return direction;
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
