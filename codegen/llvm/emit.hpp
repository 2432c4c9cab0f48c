// Modules with the C functions of a built formula.
#pragma once

#include <llvm/IR/Module.h>

#include <string>
#include <vector>

#include "codegen/backend.hpp"

namespace gradus::lowering {

/// Adds `int NAME(…)` of every function and `size_t NAME_workspace(SIZES)`.
void add_c_functions(llvm::Module& module, const std::string& name, const std::vector<CFunction>& functions);

}  // namespace gradus::lowering
