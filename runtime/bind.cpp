// Taking values, filling what is left, checking what was given. Sizes are inferred in infer_sizes.cpp.
#include "runtime/bind.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "runtime/files.hpp"
#include "runtime/formula.hpp"
#include "runtime/number_text.hpp"
#include "runtime/random.hpp"
#include "symbolic/interpret.hpp"

namespace gradus {
namespace {

constexpr double largest_whole = 9007199254740992.0;  // 2^53: beyond, not every whole number is a double

/// `4`, or `1, 2` for the place of an element in an array.
std::string place_text(std::size_t element, const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> place(shape.size());
  auto rest = static_cast<std::int64_t>(element);
  for (std::size_t k = shape.size(); k-- > 0;) {
    place[k] = rest % shape[k];
    rest /= shape[k];
  }
  return fmt::format("{}", fmt::join(place, ", "));
}

std::string element_text(const std::string& name, std::size_t element, const std::vector<std::int64_t>& shape) {
  return shape.empty() ? name : fmt::format("{}[{}]", name, place_text(element, shape));
}

}  // namespace

void InputBinder::error(std::uint32_t number, std::string text) {
  diagnostics_.error(model_.inputs[number].span, std::move(text));
}

void InputBinder::error_of_element(std::uint32_t number, std::size_t element, std::string text) {
  const Input& input = model_.inputs[number];
  const auto table = tables_.find(number);
  const auto place =
      table == tables_.end() ? std::nullopt : place_in_csv(table->second.first, table->second.second, element);
  if (!place) {
    error(number, std::move(text));
    return;
  }
  Diagnostic placed{{Severity::error, fmt::format("{} (column '{}')", text, place->column), Span::none(), {}},
                    {},
                    ForeignPlace{table->second.first, place->position}};
  placed.note(fmt::format("{} is declared here", input.name), input.span);
  diagnostics_.add(std::move(placed));
}

bool InputBinder::take(const std::vector<Given>& given) {
  bool good = true;
  for (const Given& one : given) {
    const auto number = find_input(model_, one.name);
    if (!number) {
      good = take_size(find_size(model_, one.name).value_or(one.name), one) && good;
      continue;
    }
    switch (one.value.kind) {
      case GivenValue::Kind::literal:
        good = fit_rank(*number, one.value.array, false) && good;
        break;
      case GivenValue::Kind::file:
        good = take_file(*number, one.value) && good;
        break;
      default:
        fills_[*number] = one.value.kind;
        break;
    }
  }
  if (!options_.table.empty()) good = take_table() && good;
  return good;
}

bool InputBinder::take_size(const std::string& name, const Given& given) {
  const Array& array = given.value.array;
  const bool is_number = given.value.kind == GivenValue::Kind::literal && array.shape.empty();
  const double value = is_number ? array.values[0] : -1;
  if (is_number && value > largest_whole) {
    diagnostics_.error(Span::none(), fmt::format("the size {} = {} is too large", name, number_text(value)));
    return false;
  }
  if (!is_number || value != std::floor(value) || value < 0) {
    diagnostics_.error(Span::none(), fmt::format("{} is a size: a whole number that is not negative is expected{}",
                                                 name, is_number ? fmt::format(", not {}", number_text(value)) : ""));
    return false;
  }
  bindings_.sizes[name] = static_cast<std::int64_t>(value);
  facts_[name] = {fmt::format("{} is given as {}", name, number_text(value)), Span::none()};
  return true;
}

bool InputBinder::fit_rank(std::uint32_t number, Array array, bool one_column) {
  const Input& input = model_.inputs[number];
  if (one_column && input.shape.size() == 1 && array.shape.size() == 2) array.shape.pop_back();
  if (array.shape.size() != input.shape.size()) {
    // A list without entries may stand for any shape without entries.
    const std::string declared = input.role == Input::Role::constant ? "a const is a scalar"
                                 : input.shape.empty()               ? "it is declared as a scalar"
                                                                     : fmt::format("it is declared as {}{}", input.name,
                                                                                   shape_text(model_.graph.sizes(), input.shape));
    error(number, fmt::format("the value of {} is {}, but {}", input.name, shape_text(array.shape), declared));
    return false;
  }
  bindings_.inputs[number] = std::move(array);
  return true;
}

bool InputBinder::take_file(std::uint32_t number, const GivenValue& value) {
  const bool is_table = value.path.size() > 4 && (value.path.ends_with(".csv") || value.path.ends_with(".CSV"));
  if (is_table) return take_csv(number, value);
  const Input& input = model_.inputs[number];
  std::string why;
  const auto bytes = read_file(value.path, why);
  if (!bytes) {
    error(number, fmt::format("the value of {} cannot be read: '{}' {}", input.name, value.path, why));
    return false;
  }
  Array array;
  if (!bytes->starts_with("\x93NUMPY")) {
    error(number, fmt::format("'{}', the value of {}, is neither a .npy nor a .csv file", value.path, input.name));
    return false;
  }
  if (!read_npy(*bytes, array, why)) {
    error(number, fmt::format("'{}', the value of {}, {}", value.path, input.name, why));
    return false;
  }
  return fit_rank(number, std::move(array), false);
}

bool InputBinder::take_csv(std::uint32_t number, const GivenValue& value) {
  const Input& input = model_.inputs[number];
  TableError wrong;
  Array array;
  const bool good = read_csv(value.path, value.columns, array, wrong, diagnostics_);
  if (!good) {
    if (!wrong.whole_file || wrong_files_.insert(value.path).second)
      report_table_error(value.path, input, wrong, diagnostics_);
    return false;
  }
  const bool one_column = array.shape[1] == 1;
  tables_[number] = {value.path, value.columns};
  return fit_rank(number, std::move(array), one_column);
}

bool InputBinder::take_table() {
  TableError wrong;
  const auto table = open_table(options_.table, wrong);
  if (!table) {
    diagnostics_.error(Span::none(), fmt::format("the table '{}' {}", options_.table, wrong.message));
    return false;
  }
  table_columns_ = table->columns();
  if (const auto whole = table->without_names(); whole && wants_columns()) {
    Diagnostic& d = diagnostics_.error(Span::none(), fmt::format("the table '{}' {}", options_.table, whole->message));
    d.help(whole->help);
    return false;
  }
  bool good = true;
  for (std::uint32_t k = 0; k < model_.inputs.size(); ++k) {
    const Input& input = model_.inputs[k];
    bool ambiguous = false;
    auto column = table->find(input.name, ambiguous);
    if (!column) column = table->find(input.key, ambiguous);
    if (!column || input.role != Input::Role::data || input.shape.size() != 1) continue;
    if (bindings_.inputs.contains(k) || fills_.contains(k)) continue;
    if (ambiguous) {
      error(k, fmt::format("'{}' has several columns named '{}'", options_.table, input.name));
      good = false;
      continue;
    }
    Array array;
    if (!table->read({*column}, false, array, wrong)) {
      if (!wrong.whole_file || wrong_files_.insert(options_.table).second)
        report_table_error(options_.table, input, wrong, diagnostics_);
      good = false;
      continue;
    }
    tables_[k] = {options_.table, "\"" + table->columns()[*column] + "\""};
    good = fit_rank(k, std::move(array), true) && good;
  }
  return good;
}

/// Whether an input has no value yet that a table could give.
bool InputBinder::wants_columns() const {
  for (const std::uint32_t k : missing_inputs())
    if (model_.inputs[k].role == Input::Role::data && model_.inputs[k].shape.size() == 1) return true;
  return false;
}

bool InputBinder::explain_missing_column(std::uint32_t number, Diagnostic& d) const {
  constexpr std::size_t most_shown = 10;
  const Input& input = model_.inputs[number];
  if (table_columns_.empty() || input.role != Input::Role::data || input.shape.size() != 1) return false;
  std::vector<std::string> shown(
      table_columns_.begin(),
      table_columns_.begin() + static_cast<std::ptrdiff_t>(std::min(table_columns_.size(), most_shown)));
  if (shown.size() < table_columns_.size()) shown.emplace_back("…");
  d.note(fmt::format("'{}' has no column {}; its columns are {}", options_.table, input.name, fmt::join(shown, ", ")));
  const std::string near = did_you_mean(input.name, table_columns_);
  if (!near.empty()) d.help(fmt::format("give it as {}=@{}:{}", input.name, options_.table, near));
  return !near.empty();
}

std::vector<std::uint32_t> InputBinder::missing_inputs() const {
  std::vector<std::uint32_t> out;
  for (std::uint32_t k = 0; k < model_.inputs.size(); ++k) {
    const bool has_default = model_.inputs[k].default_value.valid();
    if (!bindings_.inputs.contains(k) && !fills_.contains(k) && !has_default) out.push_back(k);
  }
  return out;
}

void InputBinder::set_size(const std::string& name, std::int64_t value) {
  bindings_.sizes[name] = value;
  facts_[name] = {fmt::format("{} is {}", name, value), Span::none()};
}

void InputBinder::set_input(std::uint32_t number, Array array) { bindings_.inputs[number] = std::move(array); }

std::vector<std::int64_t> InputBinder::shape_of(std::uint32_t number) const {
  std::vector<std::int64_t> out;
  for (const Size size : model_.inputs[number].shape) {
    out.push_back(model_.graph.sizes().evaluate(size, bindings_.sizes).value_or(-1));
  }
  return out;
}

bool InputBinder::finish() {
  if (!enough_memory()) return false;
  bool good = true;
  for (const auto& [number, kind] : fills_) good = fill(number, kind) && good;
  good = good && fill_defaults();
  for (std::uint32_t k = 0; k < model_.inputs.size(); ++k) {
    if (model_.inputs[k].index_bound || model_.inputs[k].integer) {
      if (bindings_.inputs.contains(k)) good = check_index(k) && good;
    }
  }
  return check_requirements() && good;
}

bool InputBinder::fill(std::uint32_t number, GivenValue::Kind kind) {
  const Input& input = model_.inputs[number];
  Array array{shape_of(number), {}};
  std::int64_t count = 1;
  for (std::size_t k = 0; k < array.shape.size(); ++k) {
    if (array.shape[k] < 0) {
      error(number, fmt::format("the shape of {} would be {}", input.name, shape_text(array.shape)));
      return false;
    }
    count *= array.shape[k];
  }
  Random random(options_.seed, number);
  const std::optional<std::int64_t> bound =
      input.index_bound ? model_.graph.sizes().evaluate(*input.index_bound, bindings_.sizes) : std::nullopt;
  if (input.index_bound && kind == GivenValue::Kind::normal) {
    error(number, fmt::format("{} holds indices; 'uniform' gives whole numbers in its range", input.name));
    return false;
  }
  array.values.assign(static_cast<std::size_t>(count), kind == GivenValue::Kind::ones ? 1.0 : 0.0);
  if (kind == GivenValue::Kind::normal) {
    for (double& value : array.values) value = random.normal();
  } else if (kind == GivenValue::Kind::uniform) {
    for (double& value : array.values) {
      value = bound ? static_cast<double>(random.below(std::max<std::int64_t>(*bound, 1))) : random.uniform();
    }
  }
  bindings_.inputs[number] = std::move(array);
  return true;
}

bool InputBinder::fill_defaults() {
  for (std::uint32_t k = 0; k < model_.inputs.size(); ++k) {
    const Input& input = model_.inputs[k];
    if (!input.default_value.valid() || bindings_.inputs.contains(k)) continue;
    bindings_.inputs[k] = evaluate_reference(model_.graph, {input.default_value}, bindings_).at(0);
  }
  return true;
}

bool InputBinder::check_index(std::uint32_t number) {
  const Input& input = model_.inputs[number];
  const Array& array = bindings_.inputs.at(number);
  if (!input.index_bound) return true;  // `integer` is an assumption: `verify` checks it
  const std::int64_t bound = model_.graph.sizes()
                                 .evaluate(*input.index_bound, bindings_.sizes)
                                 .value_or(std::numeric_limits<std::int64_t>::max());
  const std::string bound_name = model_.graph.sizes().to_string(*input.index_bound);
  for (std::size_t k = 0; k < array.values.size(); ++k) {
    const double value = array.values[k];
    const std::string element = element_text(input.name, k, array.shape);
    if (value != std::floor(value) || std::isinf(value)) {
      error_of_element(number, k,
                       fmt::format("{} is {}, but index data are whole numbers", element, number_text(value)));
      return false;
    }
    if (value < 0 || value >= static_cast<double>(bound)) {
      const std::string range = bound_name == std::to_string(bound)
                                    ? fmt::format("0 <= {} < {}", input.name, bound)
                                    : fmt::format("0 <= {} < {} = {}", input.name, bound_name, bound);
      error_of_element(number, k, fmt::format("{} is {}, outside its range {}", element, number_text(value), range));
      return false;
    }
  }
  return true;
}

bool InputBinder::check_requirements() {
  bool good = true;
  for (const SizeRequirement& requirement : model_.requirements) {
    const auto value = model_.graph.sizes().evaluate(requirement.size, bindings_.sizes);
    if (!value || (requirement.must_be_zero ? *value == 0 : *value >= 0)) continue;
    std::vector<std::string> given;
    for (const std::string& name : model_.graph.sizes().names(requirement.size)) {
      given.push_back(fmt::format("{} = {}", name, bindings_.sizes.at(name)));
    }
    diagnostics_.error(requirement.span, requirement.message).note(fmt::format("here {}", fmt::join(given, ", ")));
    good = false;
  }
  return good;
}

bool InputBinder::enough_memory() {
  double bytes = 0;
  std::string largest;
  double most = 0;
  for (const auto& [number, kind] : fills_) {
    double count = 8;
    for (const std::int64_t size : shape_of(number)) count *= static_cast<double>(size);
    bytes += count;
    if (count > most) {
      most = count;
      largest = model_.inputs[number].name;
    }
  }
  const auto available = static_cast<double>(available_memory());
  if (bytes <= available) return true;
  diagnostics_.error(
      Span::none(),
      fmt::format("the inputs would take {:.3g} GB (most of it {}), but only {:.3g} GB of memory are free: "
                  "give smaller sizes",
                  bytes / 1e9, largest, available / 1e9));
  return false;
}

std::optional<Bindings> bind_inputs(const Model& model, const std::vector<Given>& given, const BindOptions& options,
                                    Diagnostics& diagnostics) {
  InputBinder binder(model, options, diagnostics);
  if (!binder.take(given)) return std::nullopt;
  const std::vector<std::uint32_t> missing = binder.missing_inputs();
  for (const std::uint32_t number : missing) {
    const Input& input = model.inputs[number];
    const std::string shape = input.shape.empty() ? "" : shape_text(model.graph.sizes(), input.shape);
    Diagnostic& d = diagnostics.error(input.span, fmt::format("no value is given for {}{}", input.name, shape));
    if (!binder.explain_missing_column(number, d))
      d.help(fmt::format("give it as {}=… ({})", input.name,
                         input.shape.empty()       ? "a number"
                         : input.shape.size() == 1 ? "a list such as [1, 2, 3], @file.npy, @file.csv, normal"
                                                   : "a list such as [1, 2; 3, 4], @file.npy, @file.csv, normal"));
  }
  if (!binder.infer_sizes() || !missing.empty()) return std::nullopt;
  const std::vector<std::string> unknown = binder.unknown_sizes();
  for (const std::string& name : unknown) {
    bool in_index = false;
    for (const Input& input : model.inputs) {
      if (!input.index_bound) continue;
      for (const std::string& used : model.graph.sizes().names(*input.index_bound)) in_index = in_index || used == name;
    }
    diagnostics
        .error(Span::none(), fmt::format("the size {} is fixed by no input{}", name,
                                         in_index ? fmt::format(": it stands only in index({})", name) : ""))
        .help(in_index ? fmt::format("give it as {}=… or declare dim {} = …", name, name)
                       : fmt::format("give it as {}=…", name));
  }
  if (!unknown.empty() || !binder.finish()) return std::nullopt;
  return std::move(binder.bindings());
}

}  // namespace gradus
