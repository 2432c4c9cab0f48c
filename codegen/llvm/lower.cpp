// Structured loops and registers of the loop form become blocks and values; the rest is one instruction for one.
#include "codegen/llvm/lower.hpp"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/MDBuilder.h>

#include <algorithm>
#include <vector>

#include "codegen/llvm/single_values.hpp"
#include "codegen/llvm/sizes.hpp"
#include "codegen/llvm/value.hpp"

namespace gradus::lowering {
namespace {

using llvm::Value;
using loops::Body;
using loops::Buffer;
using loops::Instruction;
using loops::Op;
using loops::Register;
using loops::Type;

class Lowering {
 public:
  Lowering(llvm::Function* function, const loops::Program& program, const loops::Phase& phase, const Body& body,
           Value* sizes, Register result = {})
      : function_(function),
        module_(*function->getParent()),
        context_(function->getContext()),
        program_(program),
        phase_(phase),
        entry_(llvm::BasicBlock::Create(context_, "entry", function)),
        b_(llvm::BasicBlock::Create(context_, "body", function)),
        sizes_(entry_, program, sizes),
        single_(phase, body, result),
        values_(phase.registers.size()),
        slots_(phase.registers.size()),
        inserts_(phase.registers.size()),
        summed_(phase.registers.size()),
        bases_(program.buffers.size()),
        first_(b_.GetInsertBlock()) {}

  void block_argument(Register r, Value* value) { write(r, value); }
  void run(const Body& body) {
    for (const Instruction& i : body) lower(i);
  }
  Value* read(Register r) {
    if (single_(r)) return values_[r.id];
    return b_.CreateLoad(type(r), slot(r));
  }
  void finish(Value* result) {
    b_.CreateRet(result);
    entry_.CreateBr(first_);
  }
  IrBuilder& builder() { return b_; }

 private:
  llvm::Type* scalar_type(Type t) {
    switch (loops::scalar_of(t)) {
      case Type::integer:
        return b_.getInt64Ty();
      case Type::number:
        return b_.getDoubleTy();
      default:
        return b_.getInt1Ty();
    }
  }
  llvm::Type* type(Type t) {
    llvm::Type* const scalar = scalar_type(t);
    return loops::is_vector(t) ? llvm::FixedVectorType::get(scalar, loops::lanes) : scalar;
  }
  llvm::Type* type(Register r) { return type(phase_.registers[r.id]); }

  Value* slot(Register r) {
    if (!slots_[r.id]) {
      slots_[r.id] = entry_.CreateAlloca(type(r));
      entry_.CreateStore(llvm::Constant::getNullValue(type(r)), slots_[r.id]);
    }
    return slots_[r.id];
  }
  void write(Register r, Value* value) {
    if (single_(r))
      values_[r.id] = value;
    else
      b_.CreateStore(value, slot(r));
  }

  void lower(const Instruction& i) {
    switch (i.op) {
      case Op::loop:
        return loop(i);
      case Op::branch:
        return branch(i);
      case Op::fail:
        return fail(i);
      case Op::store:
      case Op::store_lanes:
      case Op::scatter:
        return store(i);
      case Op::prefetch:
        b_.CreateIntrinsic(llvm::Intrinsic::prefetch, {b_.getPtrTy()},
                           {b_.CreateGEP(b_.getDoubleTy(), base(i.buffer), read(i.a)), b_.getInt32(0), b_.getInt32(3),
                            b_.getInt32(1)});
        return;
      default:
        write(i.dst, compute(i));
    }
  }

  // Guarded and turned round at once, as LLVM's loop passes like it.
  void loop(const Instruction& i) {
    Value *begin = read(i.a), *end = read(i.b);
    llvm::BasicBlock *before = b_.GetInsertBlock(), *body = block("loop"), *after = block("after");
    b_.CreateCondBr(b_.CreateICmpSLT(begin, end), body, after);
    b_.SetInsertPoint(body);
    llvm::PHINode* const variable = b_.CreatePHI(b_.getInt64Ty(), 2);
    variable->addIncoming(begin, before);
    write(i.dst, variable);
    run(i.body);
    Value* const next = b_.CreateNSWAdd(variable, b_.getInt64(static_cast<std::uint64_t>(i.integer)));
    variable->addIncoming(next, b_.GetInsertBlock());
    b_.CreateCondBr(b_.CreateICmpSLT(next, end), body, after);
    b_.SetInsertPoint(after);
  }

  void branch(const Instruction& i) {
    llvm::BasicBlock *then = block("then"), *otherwise = i.otherwise.empty() ? nullptr : block("else"),
                     *after = block("after");
    b_.CreateCondBr(read(i.a), then, otherwise ? otherwise : after);
    b_.SetInsertPoint(then);
    run(i.body);
    b_.CreateBr(after);
    if (otherwise) {
      b_.SetInsertPoint(otherwise);
      run(i.otherwise);
      b_.CreateBr(after);
    }
    b_.SetInsertPoint(after);
  }

  void fail(const Instruction& i) {
    llvm::BasicBlock *failed = block("fail"), *after = block("after");
    llvm::MDNode* const unlikely = llvm::MDBuilder(context_).createBranchWeights(1, 1 << 20);
    b_.CreateCondBr(read(i.a), failed, after, unlikely);
    b_.SetInsertPoint(failed);
    b_.CreateStore(i.b.valid() ? read(i.b) : b_.getInt64(0), function_->getArg(6));
    b_.CreateRet(b_.getInt32(static_cast<std::uint32_t>(i.integer)));
    b_.SetInsertPoint(after);
  }

  llvm::BasicBlock* block(const char* name) { return llvm::BasicBlock::Create(context_, name, function_); }

  // Memory.

  Value* base(loops::BufferId id) {
    Value*& known = bases_[id.id];
    if (known) return known;
    const Buffer& buffer = program_.buffers[id.id];
    switch (buffer.scope) {
      case Buffer::Scope::input:
        return known = pointer(2, buffer.number);
      case Buffer::Scope::output:
        return known = pointer(3, buffer.number);
      case Buffer::Scope::workspace:
        return known = part(id, 4);
      case Buffer::Scope::scratch:
        return known = part(id, 5);
    }
    return known;
  }
  Value* pointer(unsigned argument, std::uint32_t number) {
    Value* const at = entry_.CreateConstInBoundsGEP1_64(entry_.getPtrTy(), function_->getArg(argument), number);
    return entry_.CreateAlignedLoad(entry_.getPtrTy(), at, llvm::Align(8));
  }
  Value* part(loops::BufferId id, unsigned argument) {
    return entry_.CreateInBoundsGEP(entry_.getInt8Ty(), function_->getArg(argument), sizes_.offset(id));
  }

  // Lanes that are off may point anywhere, so nothing is claimed about bounds.
  Value* address(const Instruction& i) { return b_.CreateGEP(b_.getDoubleTy(), base(i.buffer), read(i.a)); }

  // Buffers do not overlap: each is an alias scope of its own (up to a number where the lists stay short).
  template <class T>
  T* placed(T* access, loops::BufferId buffer) {
    constexpr std::size_t most = 64;
    if (program_.buffers.size() > most) return access;
    if (scopes_.empty()) make_scopes();
    access->setMetadata(llvm::LLVMContext::MD_alias_scope, scopes_[buffer.id].own);
    access->setMetadata(llvm::LLVMContext::MD_noalias, scopes_[buffer.id].others);
    return access;
  }

  struct Scopes {
    llvm::MDNode *own, *others;
  };
  void make_scopes() {
    llvm::MDBuilder metadata(context_);
    llvm::MDNode* const domain = metadata.createAnonymousAliasScopeDomain();
    std::vector<llvm::Metadata*> all;
    for (std::size_t k = 0; k < program_.buffers.size(); ++k) all.push_back(metadata.createAnonymousAliasScope(domain));
    for (std::size_t k = 0; k < all.size(); ++k) {
      std::vector<llvm::Metadata*> others = all;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(k));
      scopes_.push_back({llvm::MDNode::get(context_, {all[k]}), llvm::MDNode::get(context_, others)});
    }
  }

  const llvm::Align element = llvm::Align(8);

  Value* load(const Instruction& i) {
    llvm::Type* const t = type(i.dst);
    llvm::Constant* const zero = llvm::Constant::getNullValue(t);
    if (i.op == Op::gather) {
      Value* const mask = i.b.valid() ? read(i.b) : nullptr;
      return placed(b_.CreateMaskedGather(t, address(i), element, mask, zero), i.buffer);
    }
    if (!i.b.valid()) return placed(b_.CreateAlignedLoad(t, address(i), element), i.buffer);
    return placed(b_.CreateMaskedLoad(t, address(i), element, read(i.b), zero), i.buffer);
  }

  void store(const Instruction& i) {
    const bool optional = program_.buffers[i.buffer.id].scope == Buffer::Scope::output;
    llvm::BasicBlock* after = nullptr;
    if (optional) {
      llvm::BasicBlock* const wanted = block("wanted");
      after = block("after");
      b_.CreateCondBr(b_.CreateIsNotNull(base(i.buffer)), wanted, after);
      b_.SetInsertPoint(wanted);
    }
    if (i.op == Op::scatter)
      placed(b_.CreateMaskedScatter(read(i.b), address(i), element, i.c.valid() ? read(i.c) : nullptr), i.buffer);
    else if (i.c.valid())
      placed(b_.CreateMaskedStore(read(i.b), address(i), element, read(i.c)), i.buffer);
    else
      placed(b_.CreateAlignedStore(read(i.b), address(i), element), i.buffer);
    if (after) {
      b_.CreateBr(after);
      b_.SetInsertPoint(after);
    }
  }

  // Values.

  Number number(Register r) { return {&b_, read(r)}; }

  Value* compute(const Instruction& i) {
    using llvm::Intrinsic::smax, llvm::Intrinsic::smin;
    const auto a = [&] { return read(i.a); };
    const auto b = [&] { return read(i.b); };
    switch (i.op) {
      case Op::integer_constant:
      case Op::truth_constant:
        return llvm::ConstantInt::get(type(i.dst), static_cast<std::uint64_t>(i.integer));
      case Op::size_value:
        return sizes_(i.size);
      case Op::integer_add:
        return b_.CreateAdd(a(), b());
      case Op::integer_subtract:
        return b_.CreateSub(a(), b());
      case Op::integer_multiply:
        return b_.CreateMul(a(), b());
      case Op::integer_min:
        return b_.CreateBinaryIntrinsic(smin, a(), b());
      case Op::integer_max:
        return b_.CreateBinaryIntrinsic(smax, a(), b());
      case Op::integer_divide:
        return floor_divide(a(), b());
      case Op::lane_index:
        return lane_index();
      case Op::integer_less:
        return b_.CreateICmpSLT(a(), b());
      case Op::integer_less_equal:
        return b_.CreateICmpSLE(a(), b());
      case Op::integer_equal:
        return b_.CreateICmpEQ(a(), b());
      case Op::constant:
        return llvm::ConstantFP::get(type(i.dst), i.number);
      case Op::add:
        return b_.CreateFAdd(a(), b());
      case Op::subtract:
        return b_.CreateFSub(a(), b());
      case Op::multiply:
        return b_.CreateFMul(a(), b());
      case Op::divide:
        return b_.CreateFDiv(a(), b());
      case Op::negate:
        return b_.CreateFNeg(a());
      case Op::fma:
        return fma(number(i.a), number(i.b), number(i.c)).v;
      case Op::absolute:
        return absolute(number(i.a)).v;
      case Op::square_root:
        return square_root(number(i.a)).v;
      case Op::floor:
        return lowering::floor(number(i.a)).v;
      case Op::ceil:
        return lowering::ceil(number(i.a)).v;
      case Op::round_even:
        return round_even(number(i.a)).v;
      case Op::minimum:
        return extreme(a(), b(), false);
      case Op::maximum:
        return extreme(a(), b(), true);
      case Op::less:
        return b_.CreateFCmpOLT(a(), b());
      case Op::less_equal:
        return b_.CreateFCmpOLE(a(), b());
      case Op::equal:
        return b_.CreateFCmpOEQ(a(), b());
      case Op::to_number:
        return b_.CreateSIToFP(a(), type(i.dst));
      case Op::to_integer:
        return b_.CreateIntrinsic(llvm::Intrinsic::fptosi_sat, {type(i.dst), type(i.a)}, {a()});
      case Op::truth_to_number:
        return b_.CreateUIToFP(a(), type(i.dst));
      case Op::function:
        return call(i);
      case Op::truth_and:
        return b_.CreateAnd(a(), b());
      case Op::truth_or:
        return b_.CreateOr(a(), b());
      case Op::truth_not:
        return b_.CreateNot(a());
      case Op::select:
        return b_.CreateSelect(a(), b(), read(i.c));
      case Op::broadcast:
        return b_.CreateVectorSplat(loops::lanes, a());
      case Op::extract:
        return b_.CreateExtractElement(a(), static_cast<std::uint64_t>(i.integer));
      case Op::insert:
        return b_.CreateInsertElement(a(), b(), static_cast<std::uint64_t>(i.integer));
      case Op::fold_add:
      case Op::fold_maximum:
      case Op::fold_minimum:
      case Op::fold_or:
      case Op::fold_and:
        return fold(i.op, a());
      case Op::load:
      case Op::load_lanes:
      case Op::gather:
        return load(i);
      case Op::assign:
        return a();
      case Op::store:
      case Op::store_lanes:
      case Op::scatter:
      case Op::prefetch:
      case Op::loop:
      case Op::branch:
      case Op::fail:
        break;
    }
    return nullptr;
  }

  Value* floor_divide(Value* a, Value* b) {
    llvm::Constant *const one = llvm::ConstantInt::get(a->getType(), 1), *const zero =
                                                                             llvm::ConstantInt::get(a->getType(), 0);
    b = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, b, one);
    Value* const below = b_.CreateICmpSLT(b_.CreateSRem(a, b), zero);
    return b_.CreateSub(b_.CreateSDiv(a, b), b_.CreateZExt(below, a->getType()));
  }

  Value* lane_index() {
    llvm::SmallVector<llvm::Constant*, 8> numbers;
    for (std::uint64_t k = 0; k < loops::lanes; ++k) numbers.push_back(b_.getInt64(k));
    return llvm::ConstantVector::get(numbers);
  }

  Value* extreme(Value* a, Value* b, bool greater) {
    Value* const better = greater ? b_.CreateFCmpOGT(a, b) : b_.CreateFCmpOLT(a, b);
    return b_.CreateSelect(b_.CreateFCmpUNO(a, a), a, b_.CreateSelect(better, a, b));
  }

  Value* call(const Instruction& i) {
    llvm::Function* const f = kernel(module_, i.function, loops::is_vector(phase_.registers[i.dst.id]));
    llvm::SmallVector<Value*, 3> arguments;
    for (const Register r : {i.a, i.b, i.c})
      if (r.valid() && arguments.size() < f->arg_size()) arguments.push_back(read(r));
    return b_.CreateCall(f, arguments);
  }

  Value* combine(Op op, Value* a, Value* b) {
    switch (op) {
      case Op::fold_add:
        return b_.CreateFAdd(a, b);
      case Op::fold_maximum:
        return extreme(a, b, true);
      case Op::fold_minimum:
        return extreme(a, b, false);
      case Op::fold_or:
        return b_.CreateOr(a, b);
      default:
        return b_.CreateAnd(a, b);
    }
  }
  // Lane k with lane k + half, three times: the tree of ops.def.
  Value* fold(Op op, Value* v) {
    for (int half = loops::lanes / 2; half > 0; half /= 2) {
      llvm::SmallVector<int, 4> low, high;
      for (int k = 0; k < half; ++k) low.push_back(k), high.push_back(k + half);
      v = combine(op, b_.CreateShuffleVector(v, low), b_.CreateShuffleVector(v, high));
    }
    return b_.CreateExtractElement(v, std::uint64_t{0});
  }

  // The last insert of eight sums, one a lane, as in the dot products of eight rows: all are folded at once, in the
  // same tree, with a third of the instructions. Nothing when `i` is not that.
  Value* eight_sums(const Instruction& last) {
    std::vector<Value*> vectors(loops::lanes);
    for (const Instruction* i = &last; i && i->op == Op::insert; i = inserts_[i->a.id]) {
      Value*& vector = vectors[static_cast<std::size_t>(i->integer)];
      if (!vector) vector = summed_[i->b.id];
      if (!vector) return nullptr;
      if (std::ranges::none_of(vectors, [](Value* v) { return v == nullptr; })) break;
    }
    if (std::ranges::any_of(vectors, [](Value* v) { return v == nullptr; })) return nullptr;
    constexpr int first[3][8] = {{0, 1, 2, 3, 8, 9, 10, 11}, {0, 1, 4, 5, 8, 9, 12, 13}, {0, 2, 4, 6, 8, 10, 12, 14}};
    constexpr int second[3] = {4, 2, 1};  // how far the other half is
    for (std::size_t level = 0; level < 3; ++level) {
      llvm::SmallVector<int, 8> low(std::begin(first[level]), std::end(first[level])), high;
      for (const int k : low) high.push_back(k + second[level]);
      std::vector<Value*> halved;
      for (std::size_t k = 0; k < vectors.size(); k += 2)
        halved.push_back(b_.CreateFAdd(b_.CreateShuffleVector(vectors[k], vectors[k + 1], low),
                                       b_.CreateShuffleVector(vectors[k], vectors[k + 1], high)));
      vectors = halved;
    }
    return vectors[0];
  }

  llvm::Function* function_;
  llvm::Module& module_;
  llvm::LLVMContext& context_;
  const loops::Program& program_;
  const loops::Phase& phase_;
  IrBuilder entry_, b_;
  SizeValues sizes_;
  SingleValues single_;
  std::vector<Value*> values_;               // of single registers
  std::vector<Value*> slots_;                // of others
  std::vector<const Instruction*> inserts_;  // of single registers
  std::vector<Value*> summed_;               // the vector whose lanes a single register sums
  std::vector<Value*> bases_;                // by BufferId
  std::vector<Scopes> scopes_;               // by BufferId
  llvm::BasicBlock* first_;
};

}  // namespace

llvm::FunctionType* phase_type(llvm::LLVMContext& context) {
  llvm::Type *const i32 = llvm::Type::getInt32Ty(context), *const i64 = llvm::Type::getInt64Ty(context);
  llvm::Type* const pointer = llvm::PointerType::get(context, 0);
  return llvm::FunctionType::get(i32, {i64, pointer, pointer, pointer, pointer, pointer, pointer}, false);
}

llvm::Function* lower_phase(llvm::Module& module, const loops::Program& program, std::size_t number,
                            const std::string& name) {
  const loops::Phase& phase = program.phases[number];
  llvm::Function* const function =
      llvm::Function::Create(phase_type(module.getContext()), llvm::Function::ExternalLinkage, name, module);
  Lowering lowering(function, program, phase, phase.body, function->getArg(1));
  if (phase.block.valid()) lowering.block_argument(phase.block, function->getArg(0));
  lowering.run(phase.body);
  lowering.finish(lowering.builder().getInt32(0));
  return function;
}

llvm::Function* lower_count(llvm::Module& module, const loops::Program& program, std::size_t number,
                            const std::string& name) {
  const loops::Phase& phase = program.phases[number];
  llvm::LLVMContext& context = module.getContext();
  llvm::FunctionType* const type =
      llvm::FunctionType::get(llvm::Type::getInt64Ty(context), {llvm::PointerType::get(context, 0)}, false);
  llvm::Function* const function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module);
  Lowering lowering(function, program, phase, phase.count_body, function->getArg(0), phase.count);
  lowering.run(phase.count_body);
  lowering.finish(lowering.read(phase.count));
  return function;
}

}  // namespace gradus::lowering
