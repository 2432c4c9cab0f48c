// Values of symbolic sizes as IR, each computed once at the entry of a function.
#pragma once

#include <map>
#include <vector>

#include "codegen/llvm/value.hpp"
#include "codegen/loops.hpp"

namespace gradus::lowering {

class SizeValues {
 public:
  /// `entry` stands at the end of the entry block; `sizes` points to the values of the program's size names.
  SizeValues(IrBuilder& entry, const loops::Program& program, llvm::Value* sizes);
  llvm::Value* operator()(Size size);
  /// Bytes of a buffer, rounded up to a cache line.
  llvm::Value* bytes(const loops::Buffer& buffer);
  /// Bytes of all buffers of a scope.
  llvm::Value* total(loops::Buffer::Scope scope);

 private:
  llvm::Value* atom(SizeAtom atom);

  IrBuilder& entry_;
  const loops::Program& program_;
  llvm::Value* sizes_;
  std::map<std::uint32_t, llvm::Value*> values_;  // by Size::id
  std::map<std::uint32_t, llvm::Value*> atoms_;
  std::map<std::string, std::uint32_t> positions_;  // of size names
};

}  // namespace gradus::lowering
