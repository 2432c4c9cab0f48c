// Groups: elementwise nodes over the same labels in one set of loops, with the reductions over their values.
#pragma once

#include <unordered_map>

#include "codegen/plan/nest.hpp"
#include "codegen/plan/units.hpp"

namespace gradus::planning {

/// Accumulators of reductions over the stream that live in registers for a whole block, by Expr::id.
using Running = std::unordered_map<std::uint32_t, Register>;

/// Emits a group. Members that have a place are stored there.
void emit_group(Emitter& m, const Unit& unit, const Places& places, const Running& running, Rows rows);

}  // namespace gradus::planning
