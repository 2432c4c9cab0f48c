// From phases of the loop form to LLVM functions.
#pragma once

#include <llvm/IR/Module.h>

#include <string>

#include "codegen/loops.hpp"

namespace gradus::lowering {

/// The signature of a phase's function:
/// i32 (i64 block, ptr sizes, ptr inputs, ptr outputs, ptr workspace, ptr scratch, ptr detail); 0 or a loops::Code.
llvm::FunctionType* phase_type(llvm::LLVMContext& context);

/// Adds the function of a phase.
llvm::Function* lower_phase(llvm::Module& module, const loops::Program& program, std::size_t phase,
                            const std::string& name);

/// Adds `i64 (ptr sizes)`, the number of blocks of a blocked phase.
llvm::Function* lower_count(llvm::Module& module, const loops::Program& program, std::size_t phase,
                            const std::string& name);

}  // namespace gradus::lowering
