// Target machines and the pass pipeline: no fast-math anywhere, vectors as wide as the machine has, lean passes.
#include "codegen/llvm/target.hpp"

#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/SubtargetFeature.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/ADCE.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/IndVarSimplify.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Utils/LCSSA.h>
#include <llvm/Transforms/Utils/LoopSimplify.h>

#include <mutex>

namespace gradus::lowering {
namespace {

void initialise(bool all) {
  static std::once_flag native, every;
  if (all)
    std::call_once(every, [] {
      llvm::InitializeAllTargetInfos();
      llvm::InitializeAllTargets();
      llvm::InitializeAllTargetMCs();
      llvm::InitializeAllAsmPrinters();
    });
  else
    std::call_once(native, [] {
      llvm::InitializeNativeTarget();
      llvm::InitializeNativeTargetAsmPrinter();
    });
}

std::string host_features(llvm::StringRef cpu) {
  llvm::SubtargetFeatures features;
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) features.AddFeature(feature.first(), feature.second);
  if (cpu.starts_with("znver")) {  // gathers lose against single loads there
    features.AddFeature("prefer-no-gather");
    features.AddFeature("prefer-no-scatter");
  }
  return features.getString();
}

}  // namespace

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine_for(const TargetOptions& options) {
  initialise(!options.triple.empty());
  const std::string host = llvm::sys::getProcessTriple();
  const std::string triple = options.triple.empty() ? host : llvm::Triple::normalize(options.triple);
  std::string message;
  const llvm::Target* const target = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target) return llvm::createStringError("no target '%s'", options.triple.c_str());
  const bool native = options.cpu == "native";
  if (native && llvm::Triple(triple).getArch() != llvm::Triple(host).getArch())
    return llvm::createStringError("--cpu native needs this machine's target; name a CPU of '%s'", triple.c_str());
  const std::string cpu = native ? llvm::sys::getHostCPUName().str() : options.cpu;
  const std::unique_ptr<llvm::MCSubtargetInfo> known(target->createMCSubtargetInfo(triple, "", ""));
  if (!known || !known->isCPUStringValid(cpu))
    return llvm::createStringError("no CPU '%s' for target '%s'", cpu.c_str(), triple.c_str());
  llvm::TargetOptions machine;
  machine.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  std::unique_ptr<llvm::TargetMachine> result(
      target->createTargetMachine(triple, cpu, native ? host_features(cpu) : "", machine, llvm::Reloc::PIC_,
                                  llvm::CodeModel::Small, llvm::CodeGenOptLevel::Aggressive));
  if (!result) return llvm::createStringError("no code generator for target '%s'", triple.c_str());
  return result;
}

namespace {

// A kernel used a few times is written out at each place, where it shares work with its neighbours and overlaps with
// them; more than that would swell the code.
void choose_inlining(llvm::Module& module) {
  constexpr std::size_t most = 3000;  // instructions
  for (llvm::Function& f : module) {
    if (!f.hasFnAttribute("gradus-kernel")) continue;
    const std::size_t copies = f.getNumUses();
    f.addFnAttr(copies * f.getInstructionCount() <= most || f.getInstructionCount() < 12 ? llvm::Attribute::AlwaysInline
                                                                                         : llvm::Attribute::NoInline);
    f.setDoesNotThrow();
  }
}

void set_attributes(llvm::Module& module, llvm::TargetMachine& machine) {
  module.setTargetTriple(machine.getTargetTriple().str());
  module.setDataLayout(machine.createDataLayout());
  for (llvm::Function& f : module) {
    if (f.isDeclaration()) continue;
    f.addFnAttr("target-cpu", machine.getTargetCPU());
    if (!machine.getTargetFeatureString().empty()) f.addFnAttr("target-features", machine.getTargetFeatureString());
    f.addFnAttr("prefer-vector-width", "512");
    f.addFnAttr("no-builtins");
    f.setDoesNotThrow();
  }
}

}  // namespace

void optimise(llvm::Module& module, llvm::TargetMachine& machine) {
  set_attributes(module, machine);
  choose_inlining(module);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  // Nothing is known about libm: its calls stay as they are.
  llvm::TargetLibraryInfoImpl library(machine.getTargetTriple());
  library.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);

  llvm::FunctionPassManager clean;
  clean.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  clean.addPass(llvm::EarlyCSEPass(true));
  clean.addPass(llvm::InstCombinePass());
  clean.addPass(llvm::SimplifyCFGPass());
  llvm::LoopPassManager loop;
  loop.addPass(llvm::LICMPass(llvm::LICMOptions()));
  clean.addPass(llvm::createFunctionToLoopPassAdaptor(std::move(loop), /*UseMemorySSA=*/true));
  clean.addPass(llvm::EarlyCSEPass(true));
  clean.addPass(llvm::ADCEPass());
  llvm::ModulePassManager all;
  all.addPass(llvm::AlwaysInlinerPass(/*InsertLifetime=*/false));
  all.addPass(llvm::GlobalDCEPass());
  all.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(clean)));
  all.run(module, modules);
}

llvm::Expected<llvm::SmallVector<char, 0>> generate(llvm::Module& module, llvm::TargetMachine& machine, bool assembly) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  llvm::TargetLibraryInfoImpl library(machine.getTargetTriple());
  library.disableAllFunctions();
  passes.add(new llvm::TargetLibraryInfoWrapperPass(library));
  const auto kind = assembly ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, kind))
    return llvm::createStringError("this target has no code generator for files");
  passes.run(module);
  return bytes;
}

}  // namespace gradus::lowering
