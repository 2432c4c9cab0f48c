// The reference interpreter: the meaning of the graph in high-precision arithmetic (MPFR). Slow and plain on purpose;
// tests and `verify` compare everything else with it.
#pragma once

#include <vector>

#include "symbolic/array.hpp"
#include "symbolic/graph.hpp"

namespace gradus {

/// Binary digits used unless told otherwise (at least 100 by contract).
constexpr unsigned reference_bits = 256;

/// The values of the roots, computed with `bits` binary digits and rounded once to double. Bindings must give every
/// input and size that the roots depend on.
std::vector<Array> evaluate_reference(const Graph& graph, const std::vector<Expr>& roots, const Bindings& bindings,
                                      unsigned bits = reference_bits);

/// (f(x + h·v) - f(x - h·v)) / 2h in high precision, h = 2^-(bits/3), rounded to double: what tests compare the
/// directional derivative with. `direction` gives v by input number (missing inputs stay).
Array central_difference(const Graph& graph, Expr root, const Bindings& bindings,
                         const std::map<std::uint32_t, Array>& direction, unsigned bits = reference_bits);

/// Difference quotients to the left, (f(x) - f(x - h·v)) / h, to the right, and the central one. Where the first two
/// differ by more than a few h, f has a kink or a jump there.
struct Differences {
  Array left, right, central;
};
Differences differences(const Graph& graph, Expr root, const Bindings& bindings,
                        const std::map<std::uint32_t, Array>& direction, unsigned bits = reference_bits);

}  // namespace gradus
