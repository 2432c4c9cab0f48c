// Numbers beside their references: how far they are from each other, and along which directions they are compared.
#pragma once

#include "symbolic/array.hpp"
#include "symbolic/interpret.hpp"
#include "symbolic/model.hpp"

namespace gradus {

/// Of the numbers that are finite.
double largest_magnitude(const Array& array);

/// |a - b| relative to a scale; infinite when one of them is no number.
double relative(double a, double b, double scale);

/// Whether a result is far from its reference, or a number where the reference has none: a reason to look closer.
bool is_suspicious(double got, double expected, double scale, double tolerance);

/// A relative difference that difference quotients stay far below.
constexpr double same_slope = 1e-12;  // relative difference; a step of 2^-85 leaves far less

/// Whether an element's slope is the same on both sides.
bool is_steady(const Differences& sides, std::size_t element);

/// Whether an expression holds a part that is differentiated as a constant.
bool stops_gradients(const Graph& graph, Expr e);

/// How many numbers an evaluation keeps.
double numbers_of(const Graph& graph, const std::vector<Expr>& roots, const Bindings& bindings);

/// The compiled derivative from `first` on, along a direction.
double along(const Array& compiled, std::size_t first, const Array& direction);

/// A direction along one coordinate, in the space of values that the input's assumptions allow. Empty where there is
/// none.
Array along_coordinate(const Input& input, const std::vector<std::int64_t>& shape, std::size_t coordinate,
                       std::size_t count);

}  // namespace gradus
