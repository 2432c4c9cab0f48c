// Graph to loop form: which values are kept, in which pass over the data they are computed, in what order sums run.
#pragma once

#include <string>
#include <vector>

#include "codegen/loops.hpp"
#include "symbolic/graph.hpp"
#include "symbolic/model.hpp"

namespace gradus {

/// Plans a program that computes the roots into outputs 0, 1, … (row-major) from the model's inputs. `checks` are
/// conditions (rank 0) that end the call with their code when they do not hold.
loops::Program plan(const Model& model, const std::vector<Expr>& roots, const std::vector<Expr>& checks = {});

}  // namespace gradus
