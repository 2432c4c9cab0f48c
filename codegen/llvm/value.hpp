// The operations kernels are written in, for values of the IR builder: one double or any number of lanes.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include "codegen/kernels/scalar.hpp"
#include "symbolic/function.hpp"

namespace gradus::lowering {

using IrBuilder = llvm::IRBuilder<>;

struct Truth {
  IrBuilder* b;
  llvm::Value* v;
};
struct Bits {
  IrBuilder* b;
  llvm::Value* v;
};
struct Number {
  IrBuilder* b;
  llvm::Value* v;
};

inline Number operator+(Number x, Number y) { return {x.b, x.b->CreateFAdd(x.v, y.v)}; }
inline Number operator-(Number x, Number y) { return {x.b, x.b->CreateFSub(x.v, y.v)}; }
inline Number operator*(Number x, Number y) { return {x.b, x.b->CreateFMul(x.v, y.v)}; }
inline Number operator/(Number x, Number y) { return {x.b, x.b->CreateFDiv(x.v, y.v)}; }
inline Number operator-(Number x) { return {x.b, x.b->CreateFNeg(x.v)}; }

inline Bits operator+(Bits x, Bits y) { return {x.b, x.b->CreateAdd(x.v, y.v)}; }
inline Bits operator-(Bits x, Bits y) { return {x.b, x.b->CreateSub(x.v, y.v)}; }
inline Bits operator&(Bits x, Bits y) { return {x.b, x.b->CreateAnd(x.v, y.v)}; }
inline Bits operator|(Bits x, Bits y) { return {x.b, x.b->CreateOr(x.v, y.v)}; }
inline Bits operator^(Bits x, Bits y) { return {x.b, x.b->CreateXor(x.v, y.v)}; }
inline Bits operator<<(Bits x, unsigned by) { return {x.b, x.b->CreateShl(x.v, by)}; }
inline Bits operator>>(Bits x, unsigned by) { return {x.b, x.b->CreateLShr(x.v, by)}; }

inline Number splat(Number like, double value) { return {like.b, llvm::ConstantFP::get(like.v->getType(), value)}; }
inline llvm::Type* bits_type(Number like) { return like.v->getType()->getWithNewType(like.b->getInt64Ty()); }
inline Bits splat_bits(Number like, std::uint64_t value) {
  return {like.b, llvm::ConstantInt::get(bits_type(like), value)};
}
inline Bits to_bits(Number x) { return {x.b, x.b->CreateBitCast(x.v, bits_type(x))}; }
inline Number from_bits(Bits x) {
  return {x.b, x.b->CreateBitCast(x.v, x.v->getType()->getWithNewType(x.b->getDoubleTy()))};
}

inline Number unary(llvm::Intrinsic::ID f, Number x) { return {x.b, x.b->CreateUnaryIntrinsic(f, x.v)}; }
inline Number fma(Number x, Number y, Number z) {
  return {x.b, x.b->CreateIntrinsic(llvm::Intrinsic::fma, {x.v->getType()}, {x.v, y.v, z.v})};
}
inline Number absolute(Number x) { return unary(llvm::Intrinsic::fabs, x); }
inline Number square_root(Number x) { return unary(llvm::Intrinsic::sqrt, x); }
inline Number floor(Number x) { return unary(llvm::Intrinsic::floor, x); }
inline Number ceil(Number x) { return unary(llvm::Intrinsic::ceil, x); }
inline Number round_even(Number x) { return unary(llvm::Intrinsic::roundeven, x); }

inline Truth less(Number x, Number y) { return {x.b, x.b->CreateFCmpOLT(x.v, y.v)}; }
inline Truth less_equal(Number x, Number y) { return {x.b, x.b->CreateFCmpOLE(x.v, y.v)}; }
inline Truth equal(Number x, Number y) { return {x.b, x.b->CreateFCmpOEQ(x.v, y.v)}; }
inline Truth is_nan(Number x) { return {x.b, x.b->CreateFCmpUNO(x.v, x.v)}; }
inline Truth both(Truth x, Truth y) { return {x.b, x.b->CreateAnd(x.v, y.v)}; }
inline Truth either(Truth x, Truth y) { return {x.b, x.b->CreateOr(x.v, y.v)}; }
inline Truth opposite(Truth x) { return {x.b, x.b->CreateNot(x.v)}; }
inline Number select(Truth c, Number x, Number y) { return {x.b, x.b->CreateSelect(c.v, x.v, y.v)}; }

/// A function of libm, lane by lane; of one argument, `b` is not looked at.
Number libm(kernels::Libm f, Number a, Number b);

/// `usual`, but the function of libm of x where `rare` holds; a branch, so libm costs nothing where no lane is rare.
Number rarely(Truth rare, kernels::Libm f, Number x, Number usual);

/// The function of an elementwise operation: created in the module on first use. Arguments are doubles or 8 lanes.
llvm::Function* kernel(llvm::Module& module, gradus::Function f, bool lanes8);

}  // namespace gradus::lowering
