// Two walks over a body: count the writes of each register, then look for reads that its write does not reach.
#include "codegen/llvm/single_values.hpp"

namespace gradus::lowering {

using loops::Body;
using loops::Instruction;
using loops::Op;
using loops::Register;

SingleValues::SingleValues(const loops::Phase& phase, const Body& body, Register result)
    : writes_(phase.registers.size()), single_(writes_.size()), visible_(writes_.size()) {
  if (phase.block.valid()) {
    ++writes_[phase.block.id];
    visible_[phase.block.id] = true;
  }
  count(body);
  for (std::size_t k = 0; k < writes_.size(); ++k) single_[k] = writes_[k] == 1;
  scan(body, result);
}

void SingleValues::count(const Body& body) {
  for (const Instruction& i : body) {
    if (i.dst.valid()) ++writes_[i.dst.id];
    count(i.body);
    count(i.otherwise);
  }
}

void SingleValues::read(Register r) {
  if (r.valid() && !visible_[r.id]) single_[r.id] = false;
}

void SingleValues::scan(const Body& body, Register result) {
  std::vector<Register> here;
  for (const Instruction& i : body) {
    read(i.a);
    read(i.b);
    read(i.c);
    if (i.op == Op::loop) visible_[i.dst.id] = true;
    scan(i.body, {});
    scan(i.otherwise, {});
    if (!i.dst.valid()) continue;
    visible_[i.dst.id] = i.op != Op::loop;
    here.push_back(i.dst);
  }
  read(result);
  for (const Register r : here) visible_[r.id] = false;
}

}  // namespace gradus::lowering
