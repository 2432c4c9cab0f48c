// Loop nests of single reductions: which label runs in lanes, which rows are interleaved, where sums run in sequence.
#pragma once

#include <functional>
#include <optional>

#include "codegen/plan/emit.hpp"
#include "codegen/plan/roles.hpp"

namespace gradus::planning {

/// Rows of the tile that is being walked.
struct Rows {
  Register begin, end;
};

/// Where a reduction's accumulators or results go.
struct Sink {
  Place place;
  Register offset;       // added to the element index where it is valid
  bool running = false;  // the stream is summed: accumulators are read from the place and written back unfinished
};

/// How a reduction's loops run; a property of the graph only.
struct Shape {
  std::optional<Label> lane;  // 8 neighbours along it at once
  std::optional<Label> row;   // this many neighbours along it side by side
  int rows = 1;
  int vectors = 1;          // vectors of lanes side by side
  bool lane_bound = false;  // the lanes are summed: an accumulator is `vectors` × 8 numbers
  bool short_code = false;  // the body is long: one masked loop instead of a main loop and a tail
  /// Numbers of a running accumulator for one result.
  int state() const { return lane_bound ? vectors * loops::lanes : 1; }
};

Shape choose_shape(Graph& graph, const Places& places, Expr e, std::optional<Label> stream);

/// Emits a reduction; its stream label, if any, runs over `rows`.
void emit_nest(Emitter& m, Expr e, const Shape& shape, std::optional<Label> stream, Rows rows, const Sink& sink);
/// Emits a contraction that adds to computed places: clears them first unless the sink is running.
void emit_scatter(Emitter& m, Expr e, std::optional<Label> stream, Rows rows, const Sink& sink);
/// Emits a running sum or product: one step for each element.
void emit_scan(Emitter& m, Expr e, const Scan& scan, std::optional<Label> stream, Rows rows, const Sink& sink);
/// Emits positions in ascending order by merging; the buffers have room for one row.
void emit_order(Emitter& m, Expr e, const Place& place, BufferId keys, BufferId merged, BufferId merged_keys);
/// Emits an argmax or argmin.
void emit_search(Emitter& m, Expr e, std::optional<Label> stream, Rows rows, const Sink& sink);
/// Loops over some axes of a node, the last in lanes, with `body(coordinates)`.
void emit_axes(Emitter& m, const std::vector<Size>& axes, std::optional<Label> stream, Rows rows,
               const std::function<void(const Coordinates&)>& body);
/// Turns running accumulators into one number a result: from `shape.state()` numbers each in `from` to `to`.
void emit_fold(Emitter& m, Expr e, const Shape& shape, const Place& from, const Place& to, Register to_offset);

}  // namespace gradus::planning
