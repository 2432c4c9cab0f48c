// Programs compiled into this process.
#pragma once

#include <llvm/Support/Error.h>

#include <memory>

#include "codegen/backend.hpp"

namespace gradus::lowering {

llvm::Expected<std::unique_ptr<Executable>> compile_in_memory(const loops::Program& program,
                                                              const TargetOptions& target);

}  // namespace gradus::lowering
