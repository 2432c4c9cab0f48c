// Values of symbolic sizes as IR, each computed once at the entry of a function.
#pragma once

#include <map>
#include <string>
#include <utility>
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
  /// Bytes of the buffers of the same scope that stand before this one.
  llvm::Value* offset(loops::BufferId id);

 private:
  llvm::Value* atom(SizeAtom atom);
  llvm::Value* bytes(Size elements);
  llvm::Value* sum_before(loops::Buffer::Scope scope, std::uint32_t end);

  IrBuilder& entry_;
  const loops::Program& program_;
  llvm::Value* sizes_;
  std::map<std::uint32_t, llvm::Value*> values_;  // by Size::id
  std::map<std::uint32_t, llvm::Value*> atoms_;
  std::map<std::uint32_t, llvm::Value*> bytes_;
  // Buffers of a scope by their size: programs have many buffers but few sizes.
  std::map<std::pair<loops::Buffer::Scope, std::uint32_t>, std::vector<std::uint32_t>> alike_;
  std::map<std::string, std::uint32_t> positions_;  // of size names
};

}  // namespace gradus::lowering
