// The middle of the compiler in one call: recognise, differentiate, stabilise, simplify.
#pragma once

#include <string>
#include <vector>

#include "frontend/diagnostic.hpp"
#include "symbolic/model.hpp"

namespace gradus {

/// A derivative by one input: axes [*value, *input].
struct Derivative {
  std::uint32_t input = 0;  // number in Model::inputs
  Expr expr;
};

/// A loss or an output with its derivatives.
struct DerivedValue {
  std::string name;
  Expr value;
  std::vector<Derivative> derivatives;
};

/// Simplified roots of a model. `values` are Model::values with their expressions remapped (same order).
struct Derived {
  std::vector<NamedValue> values;
  std::vector<DerivedValue> losses;
  std::vector<DerivedValue> outputs;
  std::vector<Expr> checks;  // conditions of Model::checks, remapped
};

struct DeriveOptions {
  std::vector<std::string> losses;  // names (keys); empty: all
  std::vector<std::string> wrt;     // names (keys); empty: all params
  bool gradients = true;            // derivatives of losses
  bool jacobians = false;           // derivatives of outputs
  bool for_people = false;          // forms to be read, not to be compiled
};

/// Derives what the options ask for. Names in the options must exist (the command line checks them).
Derived derive(Model& model, const DeriveOptions& options = {});

}  // namespace gradus
