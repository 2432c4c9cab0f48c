// C functions around phases: arguments into arrays, phases in sequence, blocks in a loop, memory from the caller.
#include "codegen/llvm/emit.hpp"

#include <algorithm>

#include "codegen/llvm/lower.hpp"
#include "codegen/llvm/sizes.hpp"

namespace gradus::lowering {
namespace {

using llvm::Value;
using loops::Body;
using loops::Buffer;
using loops::Op;
using Kind = CParameter::Kind;

bool any_of(const Body& body, auto&& test) {
  return std::any_of(body.begin(), body.end(), [&](const loops::Instruction& i) {
    return test(i) || any_of(i.body, test) || any_of(i.otherwise, test);
  });
}

// Whether a call may fail after it has written to an output: then outputs are written to the workspace first.
bool may_fail_after_writing(const loops::Program& program) {
  bool written = false;
  for (const loops::Phase& phase : program.phases) {
    written = written || any_of(phase.body, [&](const loops::Instruction& i) {
                const bool store = i.op == Op::store || i.op == Op::store_lanes || i.op == Op::scatter;
                return store && program.buffers[i.buffer.id].scope == Buffer::Scope::output;
              });
    if (written && any_of(phase.body, [](const loops::Instruction& i) { return i.op == Op::fail; })) return true;
  }
  return false;
}

const Buffer* output_buffer(const loops::Program& program, std::uint32_t number) {
  for (const Buffer& b : program.buffers)
    if (b.scope == Buffer::Scope::output && b.number == number) return &b;
  return nullptr;
}

llvm::Type* type_of(Kind kind, IrBuilder& b) {
  switch (kind) {
    case Kind::size:
    case Kind::index_scalar:
      return b.getInt64Ty();
    case Kind::scalar:
      return b.getDoubleTy();
    default:
      return b.getPtrTy();
  }
}

// A C function while it is written.
class Wrapper {
 public:
  Wrapper(llvm::Module& module, const std::string& name, const loops::Program& program, llvm::Type* result,
          const std::vector<CParameter>& parameters)
      : program_(program), parameters_(parameters), b_(module.getContext()) {
    std::vector<llvm::Type*> types;
    for (const CParameter& p : parameters) types.push_back(type_of(p.kind, b_));
    function_ = llvm::Function::Create(llvm::FunctionType::get(result, types, false), llvm::Function::ExternalLinkage,
                                       name, module);
    b_.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", function_));
    sizes_ = array(program.size_names.size());
    inputs_ = array(input_count());
    outputs_ = array(program.outputs);
    fill();
  }

  IrBuilder& builder() { return b_; }
  Value* sizes() { return sizes_; }

  // Returns `value` when a size is negative.
  void refuse_negative_sizes(Value* value) {
    Value* bad = b_.getFalse();
    for (std::size_t k = 0; k < parameters_.size(); ++k)
      if (parameters_[k].kind == Kind::size) bad = b_.CreateOr(bad, b_.CreateICmpSLT(argument(k), b_.getInt64(0)));
    leave_if(bad, value);
  }

  void leave_if(Value* condition, Value* value) {
    llvm::BasicBlock *leave = block("leave"), *go_on = block("");
    b_.CreateCondBr(condition, leave, go_on);
    b_.SetInsertPoint(leave);
    b_.CreateRet(value);
    b_.SetInsertPoint(go_on);
  }

  void run(const std::vector<llvm::Function*>& phases, const std::vector<llvm::Function*>& counts);

 private:
  Value* argument(std::size_t k) { return function_->getArg(static_cast<unsigned>(k)); }
  llvm::BasicBlock* block(const char* name) { return llvm::BasicBlock::Create(b_.getContext(), name, function_); }
  Value* array(std::size_t count) {
    return b_.CreateAlloca(b_.getInt64Ty(), b_.getInt64(std::max<std::size_t>(count, 1)));
  }
  Value* element(Value* array, std::uint32_t number) {
    return b_.CreateConstInBoundsGEP1_64(b_.getInt64Ty(), array, number);
  }
  std::size_t input_count() const {
    std::size_t count = 0;
    for (const Buffer& b : program_.buffers)
      if (b.scope == Buffer::Scope::input) count = std::max<std::size_t>(count, b.number + 1);
    for (const CParameter& p : parameters_)
      if (p.kind != Kind::size && p.kind != Kind::output && p.kind != Kind::workspace)
        count = std::max<std::size_t>(count, p.number + 1);
    return count;
  }
  void fill();
  Value* shadow_outputs(SizeValues& sizes, Value* memory);
  void copy_outputs(SizeValues& sizes, Value* shadows);
  void call(llvm::Function* phase, Value* number);

  const loops::Program& program_;
  const std::vector<CParameter>& parameters_;
  IrBuilder b_;
  llvm::Function* function_ = nullptr;
  Value *sizes_ = nullptr, *inputs_ = nullptr, *outputs_ = nullptr, *workspace_ = nullptr, *scratch_ = nullptr,
        *detail_ = nullptr, *written_ = nullptr;
};

// Arguments into the arrays that phases read.
void Wrapper::fill() {
  llvm::Constant* const none = llvm::ConstantPointerNull::get(b_.getPtrTy());
  for (std::uint32_t k = 0; k < program_.size_names.size(); ++k) b_.CreateStore(b_.getInt64(0), element(sizes_, k));
  for (std::uint32_t k = 0; k < program_.outputs; ++k) b_.CreateStore(none, element(outputs_, k));
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    const CParameter& p = parameters_[k];
    Value* const given = argument(k);
    given->setName(p.name);
    switch (p.kind) {
      case Kind::size:
        if (p.number < program_.size_names.size()) b_.CreateStore(given, element(sizes_, p.number));
        break;
      case Kind::scalar:
      case Kind::index_scalar: {
        Value* const place = b_.CreateAlloca(given->getType());
        b_.CreateStore(given, place);
        b_.CreateStore(place, element(inputs_, p.number));
        break;
      }
      case Kind::array:
      case Kind::index_array:
        b_.CreateStore(given, element(inputs_, p.number));
        break;
      case Kind::output:
        if (p.number < program_.outputs) b_.CreateStore(given, element(outputs_, p.number));
        break;
      case Kind::workspace:
        workspace_ = given;
        break;
    }
  }
  if (!workspace_) workspace_ = none;
}

// Places in `memory` for all outputs, as an array of pointers.
Value* Wrapper::shadow_outputs(SizeValues& sizes, Value* memory) {
  Value* const shadows = array(program_.outputs);
  for (std::uint32_t k = 0; k < program_.outputs; ++k) {
    b_.CreateStore(memory, element(shadows, k));
    if (const Buffer* const buffer = output_buffer(program_, k))
      memory = b_.CreateGEP(b_.getInt8Ty(), memory, sizes.bytes(*buffer));
  }
  return shadows;
}

void Wrapper::copy_outputs(SizeValues& sizes, Value* shadows) {
  for (std::uint32_t k = 0; k < program_.outputs; ++k) {
    const Buffer* const buffer = output_buffer(program_, k);
    if (!buffer) continue;
    Value *const to = b_.CreateLoad(b_.getPtrTy(), element(outputs_, k)), *const from = b_.CreateLoad(
                                                                              b_.getPtrTy(), element(shadows, k));
    Value* const bytes = b_.CreateShl(sizes(buffer->elements), 3);
    llvm::BasicBlock *wanted = block("wanted"), *after = block("after");
    b_.CreateCondBr(b_.CreateIsNotNull(to), wanted, after);
    b_.SetInsertPoint(wanted);
    b_.CreateMemCpy(to, llvm::Align(8), from, llvm::Align(8), bytes);
    b_.CreateBr(after);
    b_.SetInsertPoint(after);
  }
}

void Wrapper::call(llvm::Function* phase, Value* number) {
  Value* const code = b_.CreateCall(phase, {number, sizes_, inputs_, written_, workspace_, scratch_, detail_});
  leave_if(b_.CreateICmpNE(code, b_.getInt32(0)), code);
}

void Wrapper::run(const std::vector<llvm::Function*>& phases, const std::vector<llvm::Function*>& counts) {
  SizeValues sizes(b_, program_, sizes_);
  detail_ = array(1);
  scratch_ = b_.CreateGEP(b_.getInt8Ty(), workspace_, sizes.total(Buffer::Scope::workspace));
  written_ = outputs_;
  Value* shadows = nullptr;
  if (may_fail_after_writing(program_))
    written_ = shadows =
        shadow_outputs(sizes, b_.CreateGEP(b_.getInt8Ty(), scratch_, sizes.total(Buffer::Scope::scratch)));
  for (std::size_t k = 0; k < phases.size(); ++k) {
    if (!counts[k]) {
      call(phases[k], b_.getInt64(0));
      continue;
    }
    Value* const count = b_.CreateCall(counts[k], {sizes_});
    llvm::BasicBlock *before = b_.GetInsertBlock(), *body = block("block"), *after = block("after");
    b_.CreateCondBr(b_.CreateICmpSGT(count, b_.getInt64(0)), body, after);
    b_.SetInsertPoint(body);
    llvm::PHINode* const number = b_.CreatePHI(b_.getInt64Ty(), 2);
    number->addIncoming(b_.getInt64(0), before);
    call(phases[k], number);
    Value* const next = b_.CreateAdd(number, b_.getInt64(1));
    number->addIncoming(next, b_.GetInsertBlock());
    b_.CreateCondBr(b_.CreateICmpSLT(next, count), body, after);
    b_.SetInsertPoint(after);
  }
  if (shadows) copy_outputs(sizes, shadows);
  b_.CreateRet(b_.getInt32(0));
}

// Bytes a call of the program needs.
Value* memory_of(SizeValues& sizes, IrBuilder& b, const loops::Program& program) {
  Value* sum = b.CreateAdd(sizes.total(Buffer::Scope::workspace), sizes.total(Buffer::Scope::scratch));
  if (!may_fail_after_writing(program)) return sum;
  for (std::uint32_t k = 0; k < program.outputs; ++k)
    if (const Buffer* const buffer = output_buffer(program, k)) sum = b.CreateAdd(sum, sizes.bytes(*buffer));
  return sum;
}

void add_workspace_function(llvm::Module& module, const std::string& name, const std::vector<CFunction>& functions) {
  std::vector<CParameter> parameters;
  for (const CParameter& p : functions.front().parameters)
    if (p.kind == Kind::size) parameters.push_back(p);
  llvm::Type* const i64 = llvm::Type::getInt64Ty(module.getContext());
  Wrapper wrapper(module, name + "_workspace", *functions.front().program, i64, parameters);
  IrBuilder& b = wrapper.builder();
  wrapper.refuse_negative_sizes(b.getInt64(0));
  Value* most = b.getInt64(0);
  for (const CFunction& f : functions) {
    SizeValues sizes(b, *f.program, wrapper.sizes());
    most = b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, most, memory_of(sizes, b, *f.program));
  }
  b.CreateRet(most);
}

}  // namespace

void add_c_functions(llvm::Module& module, const std::string& name, const std::vector<CFunction>& functions) {
  if (functions.empty()) return;
  add_workspace_function(module, name, functions);
  for (const CFunction& f : functions) {
    std::vector<llvm::Function*> phases, counts;
    for (std::size_t k = 0; k < f.program->phases.size(); ++k) {
      const std::string number = std::to_string(k);
      phases.push_back(lower_phase(module, *f.program, k, f.name + ".phase" + number));
      counts.push_back(f.program->phases[k].blocked ? lower_count(module, *f.program, k, f.name + ".count" + number)
                                                    : nullptr);
    }
    for (const auto& list : {phases, counts})
      for (llvm::Function* const function : list)
        if (function) function->setLinkage(llvm::Function::InternalLinkage);
    Wrapper wrapper(module, f.name, *f.program, llvm::Type::getInt32Ty(module.getContext()), f.parameters);
    wrapper.refuse_negative_sizes(wrapper.builder().getInt32(static_cast<std::uint32_t>(loops::Code::bad_size)));
    wrapper.run(phases, counts);
  }
}

}  // namespace gradus::lowering
