// Which registers of a phase are plain values: written once, and read only where that write is visible.
#pragma once

#include <vector>

#include "codegen/loops.hpp"

namespace gradus::lowering {

/// The other registers live on the stack until LLVM promotes them.
class SingleValues {
 public:
  /// For one body of a phase; `result` is read behind it (the count of a count body), if it is valid.
  SingleValues(const loops::Phase& phase, const loops::Body& body, loops::Register result);
  bool operator()(loops::Register r) const { return single_[r.id]; }

 private:
  void count(const loops::Body& body);
  void read(loops::Register r);
  void scan(const loops::Body& body, loops::Register result);

  std::vector<int> writes_;
  std::vector<bool> single_, visible_;
};

}  // namespace gradus::lowering
