// The assumptions of declarations: whether values meet them, and random values that do.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/number_text.hpp"
#include "runtime/verify.hpp"

namespace gradus {
namespace {

/// The square matrices on the last two axes of an array.
class Matrices {
 public:
  explicit Matrices(const Array& array)
      : n_(array.shape.size() < 2 ? 0 : static_cast<std::size_t>(array.shape.back())),
        square_(array.shape.size() >= 2 && array.shape[array.shape.size() - 2] == array.shape.back()),
        count_(n_ == 0 ? 0 : array.values.size() / (n_ * n_)) {}

  bool square() const { return square_; }
  std::size_t size() const { return n_; }
  std::size_t count() const { return count_; }
  std::size_t at(std::size_t matrix, std::size_t i, std::size_t j) const { return (matrix * n_ + i) * n_ + j; }

 private:
  std::size_t n_;
  bool square_;
  std::size_t count_;
};

bool is_symmetric(const Array& array) {
  constexpr double rounding = 1e-12;
  const Matrices m(array);
  double largest = 0;
  for (const double value : array.values) largest = std::max(largest, std::fabs(value));
  for (std::size_t k = 0; k < m.count(); ++k) {
    for (std::size_t i = 0; i < m.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const double a = array.values[m.at(k, i, j)], b = array.values[m.at(k, j, i)];
        if (!(std::fabs(a - b) <= rounding * largest)) return false;
      }
    }
  }
  return m.square();
}

/// Whether Cholesky's factorisation succeeds.
bool is_positive_definite(const Array& array) {
  const Matrices m(array);
  std::vector<double> l = array.values;
  for (std::size_t k = 0; k < m.count(); ++k) {
    for (std::size_t j = 0; j < m.size(); ++j) {
      for (std::size_t i = j; i < m.size(); ++i) {
        double sum = l[m.at(k, i, j)];
        for (std::size_t p = 0; p < j; ++p) sum -= l[m.at(k, i, p)] * l[m.at(k, j, p)];
        if (i == j && !(sum > 0)) return false;
        l[m.at(k, i, j)] = i == j ? std::sqrt(sum) : sum / l[m.at(k, j, j)];
      }
    }
  }
  return true;
}

bool is_lower(const Array& array) {
  const Matrices m(array);
  for (std::size_t k = 0; k < m.count(); ++k) {
    for (std::size_t i = 0; i < m.size(); ++i) {
      for (std::size_t j = i + 1; j < m.size(); ++j) {
        if (array.values[m.at(k, i, j)] != 0) return false;
      }
    }
  }
  return m.square();
}

/// The first value for which the test fails, as text; empty when there is none.
template <class Test>
std::string first_not(const Array& array, Test&& test) {
  for (const double value : array.values) {
    if (!test(value)) return number_text(value);
  }
  return "";
}

std::string broken_assumption(const Input& input, const Array& array) {
  if (input.positive) {
    const std::string value = first_not(array, [](double x) { return x > 0; });
    if (!value.empty()) return fmt::format("positive, but holds {}", value);
  }
  if (input.nonnegative) {
    const std::string value = first_not(array, [](double x) { return x >= 0; });
    if (!value.empty()) return fmt::format("nonnegative, but holds {}", value);
  }
  if (input.integer) {
    const std::string value = first_not(array, [](double x) { return x == std::floor(x); });
    if (!value.empty()) return fmt::format("integer, but holds {}", value);
  }
  if (input.symmetric && !is_symmetric(array)) return "symmetric, but its value is not";
  if (input.spd && !is_symmetric(array)) return "spd (symmetric positive definite), but its value is not symmetric";
  if (input.spd && !is_positive_definite(array)) {
    return "spd (symmetric positive definite), but its value is not positive definite";
  }
  if (input.lower && !is_lower(array)) return "lower (triangular), but its value has entries above the diagonal";
  return "";
}

double random_number(const Input& input, int attempt, Random& random) {
  // Ranges to try in turn: plain numbers, probabilities, positive numbers, bits; then any of them for each input.
  const int kind = attempt < 4 ? attempt : static_cast<int>(random.below(4));
  double value = random.normal();
  if (kind == 1) value = 0.1 + 0.8 * random.uniform();
  if (kind == 2) value = 1 + 2 * random.uniform();
  if (kind == 3) value = input.role == Input::Role::data ? static_cast<double>(random.below(2)) : 0.5 * value;
  if (input.positive || input.nonnegative) value = std::fabs(value) + (kind == 0 ? 0.1 : 0);
  if (input.integer) value = std::round(2 * value);
  if (input.positive && value <= 0) value = 1;
  return value;
}

void impose_structure(const Input& input, Array& array) {
  const Matrices m(array);
  if (!m.square()) return;
  const std::vector<double> raw = array.values;
  for (std::size_t k = 0; k < m.count(); ++k) {
    for (std::size_t i = 0; i < m.size(); ++i) {
      for (std::size_t j = 0; j < m.size(); ++j) {
        double& value = array.values[m.at(k, i, j)];
        if (input.lower && j > i) value = 0;
        if (input.symmetric && !input.spd) value = 0.5 * (raw[m.at(k, i, j)] + raw[m.at(k, j, i)]);
        if (!input.spd) continue;
        value = i == j ? 1 : 0;  // R·Rᵀ/n + I
        for (std::size_t p = 0; p < m.size(); ++p) {
          value += raw[m.at(k, i, p)] * raw[m.at(k, j, p)] / static_cast<double>(m.size());
        }
      }
    }
  }
}

}  // namespace

bool check_assumptions(const Model& model, const Bindings& bindings, Diagnostics& diagnostics) {
  bool good = true;
  for (const auto& [number, array] : bindings.inputs) {
    if (number >= model.inputs.size()) continue;
    const std::string broken = broken_assumption(model.inputs[number], array);
    if (broken.empty()) continue;
    diagnostics.error(model.inputs[number].span,
                      fmt::format("{} is declared as {}", model.inputs[number].name, broken));
    good = false;
  }
  return good;
}

Array random_value(const Model& model, std::uint32_t number, const std::vector<std::int64_t>& shape,
                   const std::map<std::string, std::int64_t>& sizes, int attempt, Random& random) {
  const Input& input = model.inputs[number];
  Array array{shape, {}};
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  array.values.resize(static_cast<std::size_t>(std::max<std::int64_t>(count, 0)));
  if (input.index_bound) {
    const std::int64_t bound = model.graph.sizes().evaluate(*input.index_bound, sizes).value_or(1);
    for (double& value : array.values) value = static_cast<double>(random.below(std::max<std::int64_t>(bound, 1)));
    return array;
  }
  // One range for a whole array, so that the fifth attempt and later ones mix ranges between inputs.
  const int kind = attempt < 4 ? attempt : static_cast<int>(random.below(4));
  for (double& value : array.values) value = random_number(input, kind, random);
  impose_structure(input, array);
  return array;
}

}  // namespace gradus
