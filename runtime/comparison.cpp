// Relative errors and directions of `verify`.
#include "runtime/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gradus {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

}  // namespace

double largest_magnitude(const Array& array) {
  double out = 0;
  for (const double value : array.values) {
    if (std::isfinite(value)) out = std::max(out, std::fabs(value));
  }
  return out;
}

double relative(double a, double b, double scale) {
  if (a == b) return 0;
  if (!std::isfinite(a) || !std::isfinite(b)) return infinite;
  return scale > 0 ? std::fabs(a - b) / scale : infinite;
}

double along(const Array& compiled, std::size_t first, const Array& direction) {
  long double sum = 0;
  for (std::size_t k = 0; k < direction.values.size(); ++k) {
    if (direction.values[k] != 0) sum += static_cast<long double>(compiled.values[first + k]) * direction.values[k];
  }
  return static_cast<double>(sum);
}

bool is_suspicious(double got, double expected, double scale, double tolerance) {
  if (!std::isfinite(expected)) return std::isfinite(got);
  return !(relative(got, expected, scale) <= tolerance);
}

bool is_steady(const Differences& sides, std::size_t element) {
  const double left = sides.left.values[element], right = sides.right.values[element];
  return std::fabs(left - right) <= same_slope * std::max(std::fabs(left), std::fabs(right));
}

bool stops_gradients(const Graph& graph, Expr e) {
  return std::ranges::any_of(graph.reachable({e}), [&](Expr part) {
    return graph[part].kind == Kind::elementwise && graph[part].function == Function::stop_gradient;
  });
}

double numbers_of(const Graph& graph, const std::vector<Expr>& roots, const Bindings& bindings) {
  double out = 0;
  for (const Expr e : graph.reachable(roots)) {
    double count = 1;
    for (const Size size : graph.shape(e))
      count *= static_cast<double>(graph.sizes().evaluate(size, bindings.sizes).value_or(0));
    out += count;
  }
  return out;
}

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

}  // namespace gradus
