// Size polynomials as integer arithmetic.
#include "codegen/llvm/sizes.hpp"

#include <algorithm>

namespace gradus::lowering {

SizeValues::SizeValues(IrBuilder& entry, const loops::Program& program, llvm::Value* sizes)
    : entry_(entry), program_(program), sizes_(sizes) {
  for (std::uint32_t k = 0; k < program.size_names.size(); ++k) positions_[program.size_names[k]] = k;
  for (std::uint32_t k = 0; k < program.buffers.size(); ++k)
    alike_[{program.buffers[k].scope, program.buffers[k].elements.id}].push_back(k);
}

llvm::Value* SizeValues::operator()(Size size) {
  if (const auto known = values_.find(size.id); known != values_.end()) return known->second;
  llvm::Value* sum = entry_.getInt64(0);
  for (const Sizes::Term& term : program_.sizes->terms(size)) {
    llvm::Value* product = entry_.getInt64(static_cast<std::uint64_t>(term.coefficient));
    for (const SizeAtom a : term.atoms) product = entry_.CreateMul(product, atom(a));
    sum = entry_.CreateAdd(sum, product);
  }
  return values_[size.id] = sum;
}

llvm::Value* SizeValues::atom(SizeAtom a) {
  if (const auto known = atoms_.find(a.id); known != atoms_.end()) return known->second;
  const Sizes::Atom& atom = program_.sizes->atom(a);
  llvm::Value* value = nullptr;
  if (atom.kind == Sizes::AtomKind::name) {
    const auto position = positions_.find(atom.name);
    if (position == positions_.end()) return entry_.getInt64(0);
    value = entry_.CreateAlignedLoad(entry_.getInt64Ty(),
                                     entry_.CreateConstInBoundsGEP1_64(entry_.getInt64Ty(), sizes_, position->second),
                                     llvm::Align(8), atom.name);
  } else {
    const auto f = atom.kind == Sizes::AtomKind::minimum ? llvm::Intrinsic::smin : llvm::Intrinsic::smax;
    llvm::Value *x = (*this)(atom.a), *y = (*this)(atom.b);
    value = entry_.CreateBinaryIntrinsic(f, x, y);
  }
  return atoms_[a.id] = value;
}

llvm::Value* SizeValues::bytes(Size elements) {
  llvm::Value*& known = bytes_[elements.id];
  if (known) return known;
  llvm::Value* const exact = entry_.CreateShl((*this)(elements), 3);
  return known = entry_.CreateAnd(entry_.CreateAdd(exact, entry_.getInt64(63)), entry_.getInt64(~std::uint64_t{63}));
}

llvm::Value* SizeValues::bytes(const loops::Buffer& buffer) { return bytes(buffer.elements); }

llvm::Value* SizeValues::sum_before(loops::Buffer::Scope scope, std::uint32_t end) {
  llvm::Value* sum = entry_.getInt64(0);
  for (const auto& [kind, members] : alike_) {
    if (kind.first != scope) continue;
    const auto count = std::ranges::lower_bound(members, end) - members.begin();
    if (count == 0) continue;
    llvm::Value* const factor = entry_.getInt64(static_cast<std::uint64_t>(count));
    sum = entry_.CreateAdd(sum, entry_.CreateMul(bytes(Size{kind.second}), factor));
  }
  return sum;
}

llvm::Value* SizeValues::total(loops::Buffer::Scope scope) { return sum_before(scope, UINT32_MAX); }

llvm::Value* SizeValues::offset(loops::BufferId id) { return sum_before(program_.buffers[id.id].scope, id.id); }

}  // namespace gradus::lowering
