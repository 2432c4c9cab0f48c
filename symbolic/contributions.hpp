// Adding up what a value's users contribute to its adjoint, without losing which elements were chosen.
#pragma once

#include <vector>

#include "symbolic/graph.hpp"

namespace gradus {

/// How an adjoint came to be exactly 0 at elements that no user chose. Products with what may be infinite or NaN there
/// must not be built blindly.
enum class Choice : std::uint8_t {
  none,     // there are no such elements
  guarded,  // the adjoint is a product under guards: constructors hoist them over whatever it is multiplied with
  hidden,   // it is a sum, so the zeros cannot be told from the outside
};

struct Contribution {
  Expr adjoint;
  Choice choice = Choice::none;
};

/// Whether a value is a product without a sum under guards.
bool is_guarded_product(const Graph& graph, Expr e);

/// The sum of contributions to one adjoint. Guards that all share are kept outside; what stands under a condition and
/// under its opposite becomes one `where`.
Contribution add_up(Graph& graph, const std::vector<Size>& axes, std::vector<Contribution> parts);

}  // namespace gradus
