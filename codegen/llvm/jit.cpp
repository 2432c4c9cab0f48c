// One linker for the process; a program's object is added to it and taken out when its Executable goes.
#include "codegen/llvm/jit.hpp"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>

#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "codegen/llvm/lower.hpp"
#include "codegen/llvm/target.hpp"

namespace gradus::lowering {
namespace {

// What the linker reported to the side: the cause, where a look-up only says that there is no code.
std::string& last_failure() {
  thread_local std::string text;
  return text;
}

llvm::Error with_cause(llvm::Error error) {
  if (last_failure().empty()) return error;
  llvm::consumeError(std::move(error));
  return llvm::createStringError("native code cannot be loaded: %s", std::exchange(last_failure(), {}).c_str());
}

llvm::Expected<llvm::orc::LLJIT*> linker() {
  static std::mutex mutex;
  static std::unique_ptr<llvm::orc::LLJIT> jit;
  const std::lock_guard lock(mutex);
  if (jit) return jit.get();
  auto created = llvm::orc::LLJITBuilder().create();
  if (!created) return created.takeError();
  auto process =
      llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess((*created)->getDataLayout().getGlobalPrefix());
  if (!process) return process.takeError();
  (*created)->getExecutionSession().setErrorReporter(
      [](llvm::Error error) { last_failure() = llvm::toString(std::move(error)); });
  (*created)->getMainJITDylib().addGenerator(std::move(*process));
  jit = std::move(*created);
  return jit.get();
}

using PhaseFunction = std::int32_t (*)(std::int64_t, const std::int64_t*, const void* const*, double* const*, void*,
                                       void*, std::int64_t*);
using CountFunction = std::int64_t (*)(const std::int64_t*);

class Compiled final : public Executable {
 public:
  explicit Compiled(llvm::orc::ResourceTrackerSP tracker) : tracker_(std::move(tracker)) {}
  ~Compiled() override { llvm::consumeError(tracker_->remove()); }

  std::int64_t block_count(std::size_t phase, const std::int64_t* sizes) const override {
    return counts[phase] ? counts[phase](sizes) : 1;
  }
  loops::Result run(std::size_t phase, std::int64_t block, const std::int64_t* sizes, const void* const* inputs,
                    double* const* outputs, void* workspace, void* scratch) const override {
    loops::Result result;
    result.code =
        static_cast<loops::Code>(phases[phase](block, sizes, inputs, outputs, workspace, scratch, &result.detail));
    return result;
  }

  std::vector<PhaseFunction> phases;
  std::vector<CountFunction> counts;

 private:
  llvm::orc::ResourceTrackerSP tracker_;
};

}  // namespace

llvm::Expected<std::unique_ptr<Executable>> compile_in_memory(const loops::Program& program,
                                                              const TargetOptions& target) {
  static std::atomic<std::uint64_t> serial{0};
  const std::string prefix = "program" + std::to_string(serial++) + ".";
  auto machine = machine_for(target);
  if (!machine) return machine.takeError();
  llvm::LLVMContext context;
  llvm::Module module("gradus", context);
  for (std::size_t k = 0; k < program.phases.size(); ++k) {
    lower_phase(module, program, k, prefix + "phase" + std::to_string(k));
    if (program.phases[k].blocked) lower_count(module, program, k, prefix + "count" + std::to_string(k));
  }
  optimise(module, **machine);
  auto bytes = generate(module, **machine, false);
  if (!bytes) return bytes.takeError();

  auto jit = linker();
  if (!jit) return jit.takeError();
  auto tracker = (*jit)->getMainJITDylib().createResourceTracker();
  auto result = std::make_unique<Compiled>(tracker);
  auto buffer = std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(*bytes), prefix, false);
  if (auto error = (*jit)->addObjectFile(tracker, std::move(buffer))) return with_cause(std::move(error));
  for (std::size_t k = 0; k < program.phases.size(); ++k) {
    auto phase = (*jit)->lookup(prefix + "phase" + std::to_string(k));
    if (!phase) return with_cause(phase.takeError());
    result->phases.push_back(phase->toPtr<PhaseFunction>());
    result->counts.push_back(nullptr);
    if (!program.phases[k].blocked) continue;
    auto count = (*jit)->lookup(prefix + "count" + std::to_string(k));
    if (!count) return with_cause(count.takeError());
    result->counts.back() = count->toPtr<CountFunction>();
  }
  return result;
}

}  // namespace gradus::lowering
