// Graph to loop form: which values are kept, in which pass over the data they are computed, in what order sums run.
#pragma once

#include <string>
#include <vector>

#include "codegen/loops.hpp"
#include "symbolic/graph.hpp"
#include "symbolic/model.hpp"

namespace gradus {

/// Plans a program that computes the roots into outputs 0, 1, … (row-major) from the model's inputs. `checks` are
/// conditions (rank 0), parallel to Model::checks, that end the call with their code when they do not hold; no output
/// is written then. The graph gains helper nodes and sizes; the program refers to its sizes. Codes: bad_size (detail:
/// number of the requirement), subscript_outside and empty_reduction (detail: number of the check, or for index data
/// that is out of range the number of checks plus the number of the input).
loops::Program plan(Model& model, const std::vector<Expr>& roots, const std::vector<Expr>& checks = {});

}  // namespace gradus
