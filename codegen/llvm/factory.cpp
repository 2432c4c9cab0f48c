// What the program sees of the library that links LLVM: one function that makes a Backend.
#include <llvm/IR/LLVMContext.h>
#include <llvm/Support/raw_ostream.h>

#include "codegen/backend.hpp"
#include "codegen/llvm/emit.hpp"
#include "codegen/llvm/jit.hpp"
#include "codegen/llvm/target.hpp"

namespace gradus::lowering {
namespace {

// Bytes, or an empty string with the reason.
template <class T>
std::string bytes_or(llvm::Expected<T> result, std::string& error) {
  if (result) return std::string(result->begin(), result->end());
  error = llvm::toString(result.takeError());
  return {};
}

class LlvmBackend final : public Backend {
 public:
  std::string target_problem(const TargetOptions& target) override {
    auto machine = machine_for(target);
    return machine ? std::string() : llvm::toString(machine.takeError());
  }

  std::unique_ptr<Executable> compile(const loops::Program& program, const TargetOptions& target,
                                      std::string& error) override {
    auto result = compile_in_memory(program, target);
    if (result) return std::move(*result);
    error = llvm::toString(result.takeError());
    return nullptr;
  }

  std::string emit(const std::string& name, const std::vector<CFunction>& functions, EmitKind kind,
                   const TargetOptions& target, std::string& error) override {
    auto machine = machine_for(target);
    if (!machine) {
      error = llvm::toString(machine.takeError());
      return {};
    }
    llvm::LLVMContext context;
    llvm::Module module(name, context);
    module.setSourceFileName(name);
    module.setPICLevel(llvm::PICLevel::BigPIC);
    add_c_functions(module, name, functions);
    optimise(module, **machine);
    if (kind != EmitKind::llvm) return bytes_or(generate(module, **machine, kind == EmitKind::assembly), error);
    std::string text;
    llvm::raw_string_ostream stream(text);
    module.print(stream, nullptr);
    return text;
  }
};

}  // namespace
}  // namespace gradus::lowering

extern "C" __attribute__((visibility("default"))) const int gradus_backend_version = gradus::backend_version;

extern "C" __attribute__((visibility("default"))) gradus::Backend* gradus_create_backend() {
  static gradus::lowering::LlvmBackend backend;
  return &backend;
}
