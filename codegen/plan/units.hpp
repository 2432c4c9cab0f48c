// Units of code: groups of elementwise nodes that share loops, and single reductions; their order and their stages.
#pragma once

#include <vector>

#include "codegen/plan/roles.hpp"

namespace gradus::planning {

/// What one set of loops computes.
struct Unit {
  Form form = Form::grouped;
  std::vector<Expr> members;  // ascending; reductions that are fused into a group among them
  std::vector<Size> space;    // a group's labels
  std::optional<Label> stream;
  std::uint32_t depth = 0;  // a unit needs only units of smaller depth, and earlier ones of its own
  std::size_t cost = 0;
};

/// Units that run together: before pass `level`, or in it, a tile at a time.
struct Stage {
  std::uint32_t level = 0;
  bool blocked = false;
  std::vector<Unit> units;  // in order
};

/// How the value of a node outlives the loops that compute it.
enum class Storage : std::uint8_t { none, tile, kept };

struct Units {
  std::vector<Stage> stages;     // in order
  std::vector<Storage> storage;  // by Expr::id
};

Units form_units(const Graph& graph, const Roles& roles, const std::vector<Expr>& roots);

}  // namespace gradus::planning
