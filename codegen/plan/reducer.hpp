// One step of a reduction, how partial results combine, and what is left to do with the finished sum.
#pragma once

#include <vector>

#include "codegen/plan/emit.hpp"

namespace gradus::planning {

/// Emits the arithmetic of one reduction or contraction. Its accumulators are numbers; factors that do not depend on a
/// bound label are applied once, to the finished sum.
class Reducer {
 public:
  Reducer(Emitter& emitter, Expr e);

  double neutral() const;
  /// The accumulator after the element at `labels`; unchanged where `mask` is off.
  Register step(Register accumulator, const Coordinates& labels, Register mask);
  Register merge(Register a, Register b);
  /// The 8 lanes of an accumulator as one.
  Register fold(Register lanes);
  /// The value of the node from its finished accumulator.
  Register finish(Register accumulator, const Coordinates& axes);
  /// Operands under the reduction (the others are factors of the finished sum).
  const std::vector<std::size_t>& inner() const { return inner_; }

 private:
  Register contracted(Register accumulator, const Coordinates& labels);
  bool depends_on_sizes_only(Expr e, int depth) const;

  Emitter& m_;
  const Node& n_;
  std::vector<std::size_t> inner_, outer_;
};

}  // namespace gradus::planning
