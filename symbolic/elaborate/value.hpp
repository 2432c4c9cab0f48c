// Values during elaboration: operands over the labels of a frame, so that subscripting and broadcasting only relabel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "symbolic/graph.hpp"

namespace gradus::elaboration {

/// A label of a frame: an index name's instance, or an axis of some array value.
struct FrameLabel {
  Size size;
  bool known = true;  // false in a dry run for an index whose range is still to be inferred
  Label root = 0;     // an axis of unknown size: the index label whose range it has
  std::string name;   // of an index, for messages
  Size begin;         // of an index: its value where the label is 0
};

/// The labels of one equation. In a dry run no nodes are made: values have labels only, and subscripts leave their
/// constraints behind, from which the ranges of all indices follow together.
struct Frame {
  std::vector<FrameLabel> labels;
  bool dry = false;

  Label add(FrameLabel label) {
    labels.push_back(std::move(label));
    return static_cast<Label>(labels.size() - 1);
  }
};

/// The value of an expression: an operand read at frame labels. Its array axes are some of them, in order; the others
/// that occur are its free indices.
struct Value {
  Operand operand;  // `expr` is invalid in a dry run and while `lazy`
  std::vector<Label> axes;
  std::optional<Subscript> affine;           // integer-valued: affine in labels, sizes and index data
  std::optional<std::vector<Guard>> guards;  // a condition that is a conjunction of guards
  bool lazy = false;                         // only `affine` is there yet; the operand is built when needed
  bool condition = false;
  bool poisoned = false;       // an error was reported: silent from here on
  std::uint64_t identity = 0;  // equal for reads of one function argument

  static Value poison() {
    Value v;
    v.poisoned = true;
    return v;
  }
};

/// Makes nodes of values. All operands of one node must be read at the frame's labels.
class Build {
 public:
  Build(Graph& graph, Frame& frame) : graph(graph), frame(frame) {}

  Graph& graph;
  Frame& frame;

  Sizes& sizes() { return graph.sizes(); }
  Size size(Label l) const { return frame.labels[l].size; }
  Label axis(Size size) { return frame.add({size, true, 0, {}, {}}); }
  /// A fresh label of the same extent.
  Label like(Label l) {
    FrameLabel copy = frame.labels[l];
    if (!copy.known && !copy.name.empty()) copy.root = l;
    copy.name.clear();
    return frame.add(std::move(copy));
  }
  Subscript bare(Label l) { return graph.label(l); }

  /// An expression read whole, each of its axes at a new label.
  Value read(Expr e);
  Value constant(const Rational& value);
  /// The integer value of an affine form.
  Value integer(Subscript affine, std::vector<Label> axes = {});
  /// The value with new labels for its axes, so that it may be combined with another reading of itself.
  Value fresh(Value v);
  /// The operand, built from the affine form where it is not there yet.
  const Operand& operand(Value& v);
  /// Replaces a label by an affine form.
  void substitute(Value& v, Label l, const Subscript& by);
  Subscript substitute(const Subscript& s, Label l, const Subscript& by);
  Guard substitute(const Guard& g, Label l, const Subscript& by);
  Operand substitute(const Operand& o, Label l, const Subscript& by);

  // Nodes over values that are broadcast already; `axes` are the axes of the result.
  Value elementwise(Function f, std::vector<Value> operands, std::vector<Label> axes);
  Value sum(std::vector<Value> terms, const std::vector<Rational>& coefficients, std::vector<Label> axes);
  /// Σ over `bound` where the guards hold of the product of the factors.
  Value product(std::vector<Value> factors, std::vector<Label> axes, const std::vector<Label>& bound = {},
                const std::vector<Guard>& guards = {});
  Value reduce(Reduction r, Value v, std::vector<Label> axes, const std::vector<Label>& bound,
               const std::vector<Guard>& guards = {});
  /// The position along a label of what is at a place in ascending order.
  Subscript order(Value v, Label along, const Subscript& place, const std::vector<Guard>& guards = {});
  Value softmax(SoftmaxKind kind, std::vector<Value> operands, std::vector<Label> axes, const std::vector<Label>& bound,
                const std::vector<Guard>& guards = {});
  /// A value with the differential Σ partial · d argument, and its own where the arguments do not matter.
  Value given(Value v, const std::vector<Value>& arguments, const std::vector<Value>& partials, std::vector<Label> axes,
              const std::vector<Label>& bound);
  /// The value with no derivative.
  Value stopped(Value v);
  /// The value as an expression whose axes are `leading` and then the value's axes; invalid in a dry run.
  Expr expression(Value& v, const std::vector<Label>& leading);
  /// Row-major with other axes; the counts must agree.
  Value reshape(Value v, const std::vector<Size>& shape);

  /// Smallest and largest value over all labels; nothing when a sign or a data bound is unknown.
  std::optional<Graph::Range> range(const Subscript& s);
  bool is_constant(const Value& v, const Rational& value) const;
  /// The sign of a number that is written as an infinite one (inf, -2*inf, 1/0); 0 of any other value.
  int sign_of_infinity(const Value& v) const;
  /// NaN, as what `inf - inf` and `0*inf` are.
  Value not_a_number(std::vector<Label> axes);
  const Rational* constant_value(const Value& v) const;
  /// The labels that occur in a value.
  std::vector<Label> labels_of(const Value& v) const;

 private:
  struct Layout;
  Layout layout(std::vector<Value>& operands, const std::vector<Guard>& guards, const std::vector<Label>& axes,
                const std::vector<Label>& bound);
  Value finish(const Layout& layout, Expr expr, std::vector<Label> axes);
  Subscript renumber(const Subscript& s, const Layout& layout);
  Operand renumber(const Operand& o, const Layout& layout);
  std::vector<Guard> renumber(const std::vector<Guard>& guards, const Layout& layout);
};

}  // namespace gradus::elaboration
