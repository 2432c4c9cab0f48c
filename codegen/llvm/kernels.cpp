// Elementwise functions as IR: the kernels' templates run on values of the IR builder; libm is called lane by lane.
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>

#include <string>
#include <vector>

#include "codegen/llvm/value.hpp"
// The templates find the operations of value.hpp by their arguments.
#include "codegen/kernels/apply.hpp"

namespace gradus::lowering {
namespace {

struct LibraryFunction {
  const char* name;
  std::size_t arity;
};

constexpr LibraryFunction library[] = {
#define GRADUS_LIBM(name, arity) {#name, arity},
#include "codegen/kernels/libm.def"
#undef GRADUS_LIBM
};

// Neither folded nor replaced by LLVM's own knowledge of libm: the bits are libm's.
llvm::Value* call(IrBuilder& b, const char* name, llvm::ArrayRef<llvm::Value*> arguments) {
  llvm::Module& module = *b.GetInsertBlock()->getModule();
  const std::vector<llvm::Type*> types(arguments.size(), b.getDoubleTy());
  const llvm::FunctionCallee callee =
      module.getOrInsertFunction(name, llvm::FunctionType::get(b.getDoubleTy(), types, false));
  llvm::CallInst* const result = b.CreateCall(callee, arguments);
  result->addFnAttr(llvm::Attribute::NoBuiltin);
  result->addFnAttr(llvm::Attribute::NoUnwind);
  result->addFnAttr(llvm::Attribute::WillReturn);
  result->setDoesNotAccessMemory();
  return result;
}

// lgamma itself writes a global variable, which threads would share.
llvm::Value* call_lgamma(IrBuilder& b, llvm::Value* x) {
  llvm::Module& module = *b.GetInsertBlock()->getModule();
  llvm::Function& function = *b.GetInsertBlock()->getParent();
  IrBuilder entry(&function.getEntryBlock(), function.getEntryBlock().begin());
  llvm::Value* const sign = entry.CreateAlloca(b.getInt32Ty());
  const llvm::FunctionCallee callee = module.getOrInsertFunction(
      "lgamma_r", llvm::FunctionType::get(b.getDoubleTy(), {b.getDoubleTy(), b.getPtrTy()}, false));
  llvm::CallInst* const result = b.CreateCall(callee, {x, sign});
  result->addFnAttr(llvm::Attribute::NoBuiltin);
  result->addFnAttr(llvm::Attribute::NoUnwind);
  result->addFnAttr(llvm::Attribute::WillReturn);
  result->setOnlyAccessesArgMemory();
  return result;
}

llvm::Value* call(IrBuilder& b, kernels::Libm f, llvm::ArrayRef<llvm::Value*> arguments) {
  if (f == kernels::Libm::lgamma) return call_lgamma(b, arguments[0]);
  return call(b, library[static_cast<std::size_t>(f)].name, arguments);
}

}  // namespace

Number libm(kernels::Libm f, Number a, Number second) {
  const LibraryFunction& function = library[static_cast<std::size_t>(f)];
  IrBuilder& b = *a.b;
  llvm::SmallVector<llvm::Value*, 2> arguments = {a.v, second.v};
  arguments.resize(function.arity);
  llvm::Type* const type = a.v->getType();
  const auto* const vector = llvm::dyn_cast<llvm::FixedVectorType>(type);
  if (!vector) return {&b, call(b, f, arguments)};
  llvm::Value* result = llvm::PoisonValue::get(type);
  for (unsigned lane = 0; lane < vector->getNumElements(); ++lane) {
    llvm::SmallVector<llvm::Value*, 2> scalars;
    for (llvm::Value* const v : arguments) scalars.push_back(b.CreateExtractElement(v, lane));
    result = b.CreateInsertElement(result, call(b, f, scalars), lane);
  }
  return {&b, result};
}

Number rarely(Truth rare, kernels::Libm f, Number x, Number usual) {
  IrBuilder& b = *x.b;
  llvm::Function* const function = b.GetInsertBlock()->getParent();
  llvm::BasicBlock *const before = b.GetInsertBlock(),
                          *const slow = llvm::BasicBlock::Create(b.getContext(), "rare", function),
                          *const after = llvm::BasicBlock::Create(b.getContext(), "after", function);
  llvm::Value* const any = rare.v->getType()->isVectorTy() ? b.CreateOrReduce(rare.v) : rare.v;
  b.CreateCondBr(any, slow, after, llvm::MDBuilder(b.getContext()).createBranchWeights(1, 1 << 20));
  b.SetInsertPoint(slow);
  const Number chosen = select(rare, libm(f, x, x), usual);
  llvm::BasicBlock* const end = b.GetInsertBlock();
  b.CreateBr(after);
  b.SetInsertPoint(after);
  llvm::PHINode* const result = b.CreatePHI(usual.v->getType(), 2);
  result->addIncoming(usual.v, before);
  result->addIncoming(chosen.v, end);
  return {&b, result};
}

llvm::Function* kernel(llvm::Module& module, gradus::Function f, bool lanes8) {
  const std::string number = std::to_string(static_cast<int>(f));
  const std::string name = "kernel." + std::string(row(f).name) + "." + number + (lanes8 ? ".lanes" : ".one");
  if (llvm::Function* const known = module.getFunction(name)) return known;
  llvm::LLVMContext& context = module.getContext();
  llvm::Type* type = llvm::Type::getDoubleTy(context);
  if (lanes8) type = llvm::FixedVectorType::get(type, 8);
  const std::vector<llvm::Type*> types(row(f).arity, type);
  llvm::Function* const function = llvm::Function::Create(llvm::FunctionType::get(type, types, false),
                                                          llvm::Function::InternalLinkage, name, module);
  function->addFnAttr("gradus-kernel");
  IrBuilder b(llvm::BasicBlock::Create(context, "", function));
  const auto argument = [&](unsigned k) {
    llvm::Value* const value =
        k < function->arg_size() ? static_cast<llvm::Value*>(function->getArg(k)) : llvm::ConstantFP::get(type, 0);
    return Number{&b, value};
  };
  b.CreateRet(kernels::apply<Number>(f, argument(0), argument(1), argument(2)).v);
  return function;
}

}  // namespace gradus::lowering
