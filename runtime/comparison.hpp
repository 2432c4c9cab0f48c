// Numbers beside their references: how far they are from each other, and along which directions they are compared.
#pragma once

#include "symbolic/array.hpp"
#include "symbolic/model.hpp"

namespace gradus {

/// Of the numbers that are finite.
double largest_magnitude(const Array& array);

/// |a - b| relative to a scale; infinite when one of them is no number.
double relative(double a, double b, double scale);

/// Whether a result is far from its reference, or a number where the reference has none: a reason to look closer.
bool is_suspicious(double got, double expected, double scale, double tolerance);

/// The compiled derivative from `first` on, along a direction.
double along(const Array& compiled, std::size_t first, const Array& direction);

/// A direction along one coordinate, in the space of values that the input's assumptions allow. Empty where there is
/// none.
Array along_coordinate(const Input& input, const std::vector<std::int64_t>& shape, std::size_t coordinate,
                       std::size_t count);

}  // namespace gradus
