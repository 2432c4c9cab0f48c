// What each node is to the plan: computed where it is used, in a group, or by a loop nest; in which pass; kept where.
#pragma once

#include <optional>
#include <vector>

#include "symbolic/graph.hpp"

namespace gradus::planning {

/// How a node is computed.
enum class Form : std::uint8_t {
  absent,   // not reached
  inlined,  // at each use: leaves and what is cheap
  grouped,  // once an element, in the loops of a group
  nest,     // a reduction with loops of its own
  scatter,  // a sum that adds to computed places
  scan,     // a sum or product up to (or from) the place of an axis: running, one step an element
  search,   // argmax, argmin
  order,    // positions in ascending order
};

/// A node that has a place of its own and is read by another, possibly through inlined ones.
struct Read {
  Expr expr;
  bool identity = false;  // at exactly the reader's labels 0, 1, …
  bool aligned = false;   // its stream axis by the reader's stream label: row by row
};

struct Role {
  Form form = Form::absent;
  std::optional<Label> stream;  // the label that walks the stream
  bool streamed = false;        // … is an axis: row i is made in the tile of row i
  bool reduced = false;         // … is bound: finished after the pass
  bool fused = false;           // a reduction computed in the loops of the group of its operand
  std::uint32_t level = 0;      // pass, or for what has no stream label: before which pass
  double cost = 0;              // operations to compute one element where it is used
  std::vector<Read> reads;
  std::vector<Expr> rows;  // inputs read row by row along the stream, through inlined nodes too
};

struct Roles {
  std::optional<Size> stream;  // the size of the stream; nothing: one tile, no passes
  std::vector<Role> of;        // by Expr::id
  std::vector<Expr> order;     // the reached nodes, ascending
  std::uint32_t last_level = 0;
};

/// `data` flags the inputs (by Expr::id) whose role is data. `roots` are wanted whole.
Roles assign_roles(Graph& graph, const std::vector<Expr>& roots, const std::vector<char>& data);

/// The label of an output that an equality guard determines (`affine == 0` with coefficient 1 or -1, not inside data).
struct Solved {
  std::size_t guard = 0;
  Label label = 0;
  bool negative = false;  // the coefficient is -1
};
/// The labels that make a contraction a scatter; empty when it is none.
std::vector<Solved> solved_outputs(const Graph& graph, const Node& n);

/// A reduction over a bound label up to the place of an axis (`sum[j : j <= i](x[j])`), which nothing else depends on.
struct Scan {
  std::size_t guard = 0;  // the one that compares them
  Label axis = 0, bound = 0;
  bool descending = false;  // from the axis' place on
  bool exclusive = false;   // without the element at the place itself
};
/// The scan that a guard of a reduction would make of it, were the axis nowhere else; nothing where another guard
/// depends on the axis.
std::optional<Scan> scan_by_guard(const Graph& graph, const Node& n, std::size_t guard);
/// What makes a reduction a scan, or nothing.
std::optional<Scan> scan_of(const Graph& graph, const Node& n);

}  // namespace gradus::planning
