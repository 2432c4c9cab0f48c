// Machines to compile for, the optimisation of a module, and its bytes.
#pragma once

#include <llvm/IR/Module.h>
#include <llvm/Support/Error.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>

#include "codegen/backend.hpp"

namespace gradus::lowering {

/// A machine for the options; an error in the user's terms when there is none.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine_for(const TargetOptions& options);

/// Sets triple, layout and the attributes every function needs, and optimises.
void optimise(llvm::Module& module, llvm::TargetMachine& machine);

/// Object or assembly bytes of an optimised module.
llvm::Expected<llvm::SmallVector<char, 0>> generate(llvm::Module& module, llvm::TargetMachine& machine, bool assembly);

}  // namespace gradus::lowering
