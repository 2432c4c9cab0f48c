// Checking compiled derivatives against forward derivatives in high precision on the graph before simplification.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "frontend/diagnostic.hpp"
#include "runtime/bind.hpp"
#include "runtime/random.hpp"
#include "symbolic/derive.hpp"

namespace gradus {

struct VerifyOptions {
  int points = 0;           // random points, where values are made up; 0: a few, fewer where one takes seconds
  double tolerance = 1e-9;  // largest relative error that passes
  bool all = false;         // every coordinate, however long it takes
  unsigned threads = 1;
  double limit = 600;  // seconds: what would take longer by a low estimate is refused
  double seconds = 4;  // time for the reference; beyond, coordinates are sampled
};

/// The comparison of one array, over all points.
struct VerifyRow {
  std::string name;             // `loss`, `grad w`, `jac p w`
  double error = 0;             // worst error, relative to the array's largest magnitude
  std::int64_t compared = 0;    // numbers and directions compared
  std::int64_t without = 0;     // those whose reference is not finite
  std::int64_t directions = 0;  // random directions among them
  bool sampled = false;         // not every coordinate was compared
};

struct VerifyReport {
  std::vector<VerifyRow> rows;
  int points = 0;
  bool made_up = false;  // some values were made up
  double worst = 0;
  bool passed = false;
  bool nothing = false;  // no number has a finite reference: nothing was checked
  std::string notes;     // one a line
};

/// Verifies what `derive_by` asks for. Inputs without a value get random ones that meet their assumptions (sizes 3 to 7
/// where nothing fixes them). Nothing after an error: bad values, values that break an assumption.
std::optional<VerifyReport> verify(Model& model, const DeriveOptions& derive_by, const std::vector<Given>& given,
                                   const BindOptions& bind_options, const VerifyOptions& options,
                                   Diagnostics& diagnostics);

/// Reports given values that break an assumption of their input's declaration; false when there is one.
bool check_assumptions(const Model& model, const Bindings& bindings, Diagnostics& diagnostics);

/// A random value of an input that meets its assumptions. `attempt` varies the distribution: the first are plain normal
/// numbers, later ones lie in ranges where logarithms, roots and probabilities are defined.
Array random_value(const Model& model, std::uint32_t number, const std::vector<std::int64_t>& shape,
                   const std::map<std::string, std::int64_t>& sizes, int attempt, Random& random);

}  // namespace gradus
