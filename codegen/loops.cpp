// Writing bodies of the loop form, and the check of a finished program.
#include "codegen/loops.hpp"

#include <fmt/format.h>

#include <array>

namespace gradus::loops {

bool is_vector(Type t) { return t >= Type::integers; }
Type scalar_of(Type t) { return is_vector(t) ? static_cast<Type>(static_cast<int>(t) - 3) : t; }
Type vector_of(Type t) { return is_vector(t) ? t : static_cast<Type>(static_cast<int>(t) + 3); }

Register Builder::fresh(Type type) {
  phase_.registers.push_back(type);
  return Register{static_cast<std::uint32_t>(phase_.registers.size() - 1)};
}

Instruction& Builder::append(Instruction i) {
  stack_.back()->push_back(std::move(i));
  return stack_.back()->back();
}

Register Builder::emit(Op op, Type type, Register a, Register b, Register c) {
  Instruction i;
  i.op = op;
  i.dst = fresh(type);
  i.a = a;
  i.b = b;
  i.c = c;
  return append(std::move(i)).dst;
}

Register Builder::integer(std::int64_t value) {
  const Register r = emit(Op::integer_constant, Type::integer);
  stack_.back()->back().integer = value;
  return r;
}

Register Builder::number(double value) {
  const Register r = emit(Op::constant, Type::number);
  stack_.back()->back().number = value;
  return r;
}

Register Builder::size(Size value) {
  const Register r = emit(Op::size_value, Type::integer);
  stack_.back()->back().size = value;
  return r;
}

Register Builder::load(BufferId buffer, Register index, Type type) {
  const Register r = emit(Op::load, type, index);
  stack_.back()->back().buffer = buffer;
  return r;
}

Register Builder::load_lanes(BufferId buffer, Register index, Type type, Register mask) {
  const Register r = emit(Op::load_lanes, type, index, mask);
  stack_.back()->back().buffer = buffer;
  return r;
}

Register Builder::gather(BufferId buffer, Register indices, Type type, Register mask) {
  const Register r = emit(Op::gather, type, indices, mask);
  stack_.back()->back().buffer = buffer;
  return r;
}

void Builder::emit_store(Op op, BufferId buffer, Register index, Register value, Register mask) {
  Instruction i;
  i.op = op;
  i.buffer = buffer;
  i.a = index;
  i.b = value;
  i.c = mask;
  append(std::move(i));
}

void Builder::store(BufferId buffer, Register index, Register value) {
  emit_store(Op::store, buffer, index, value, {});
}
void Builder::store_lanes(BufferId buffer, Register index, Register value, Register mask) {
  emit_store(Op::store_lanes, buffer, index, value, mask);
}
void Builder::scatter(BufferId buffer, Register indices, Register value, Register mask) {
  emit_store(Op::scatter, buffer, indices, value, mask);
}
void Builder::prefetch(BufferId buffer, Register index) { emit_store(Op::prefetch, buffer, index, {}, {}); }

Register Builder::function(Function f, Type type, Register a, Register b, Register c) {
  const Register r = emit(Op::function, type, a, b, c);
  stack_.back()->back().function = f;
  return r;
}

Register Builder::broadcast(Register scalar) { return emit(Op::broadcast, vector_of(type(scalar)), scalar); }

Register Builder::extract(Register vector, int lane) {
  const Register r = emit(Op::extract, scalar_of(type(vector)), vector);
  stack_.back()->back().integer = lane;
  return r;
}

Register Builder::insert(Register vector, int lane, Register scalar) {
  const Register r = emit(Op::insert, type(vector), vector, scalar);
  stack_.back()->back().integer = lane;
  return r;
}

void Builder::assign(Register dst, Register value) {
  Instruction i;
  i.op = Op::assign;
  i.dst = dst;
  i.a = value;
  append(std::move(i));
}

void Builder::fail(Register condition, Code code, Register detail) {
  Instruction i;
  i.op = Op::fail;
  i.a = condition;
  i.b = detail;
  i.integer = static_cast<std::int64_t>(code);
  append(std::move(i));
}

Register Builder::open_loop(Register begin, Register end, std::int64_t step) {
  Instruction i;
  i.op = Op::loop;
  i.dst = fresh(Type::integer);
  i.a = begin;
  i.b = end;
  i.integer = step;
  Instruction& loop = append(std::move(i));
  stack_.push_back(&loop.body);
  return loop.dst;
}

void Builder::open_branch(Register condition) {
  Instruction i;
  i.op = Op::branch;
  i.a = condition;
  stack_.push_back(&append(std::move(i)).body);
}

// The branch is the last instruction of the current body: nothing was appended to it since `close`.
void Builder::open_otherwise() { stack_.push_back(&stack_.back()->back().otherwise); }

namespace {

struct OpRow {
  const char* name;
  const char* signature;
};

constexpr std::array op_rows = {
#define GRADUS_OP(name, signature) OpRow{#name, signature},
#include "codegen/ops.def"
#undef GRADUS_OP
};

// What an operand must be; a row of ops.def has four: destination, a, b, c.
enum class Want : char {
  none = '-',
  integer = 'i',   // scalar integer
  number = 'x',    // scalar number
  truth = 't',     // scalar truth
  Integer = 'I',   // integer(s), same shape as the operation
  Number = 'N',    // number(s), same shape
  Truth = 'T',     // truth(s), same shape
  integers = 'j',  // 8 lanes
  numbers = 'v',
  truths = 'm',
  truths_or_none = 'o',
  integer_or_none = 'z',
  any = 'A',        // same type as the destination
  any_truth = 'c',  // truth or truths
  scalar_of_dst = 's',
  vector_of_dst = 'V',
  element = 'E',   // what the buffer holds
  elements = 'L',  // 8 of what the buffer holds
};

class Checker {
 public:
  Checker(const Program& program, const Phase& phase) : program_(program), phase_(phase) {}

  std::string check(const Body& body) {
    for (const Instruction& i : body)
      if (std::string wrong = check(i); !wrong.empty()) return fmt::format("{}: {}", to_string(i.op), wrong);
    return {};
  }

 private:
  std::string check(const Instruction& i) {
    const char* wants = op_rows[static_cast<std::size_t>(i.op)].signature;
    const std::array<Register, 4> operands = {i.dst, i.a, i.b, i.c};
    const bool memory = i.op >= Op::load && i.op <= Op::prefetch;
    if (memory && i.buffer.id >= program_.buffers.size()) return "no such buffer";
    const bool writes = i.op == Op::store || i.op == Op::store_lanes || i.op == Op::scatter;
    if (writes && program_.buffers[i.buffer.id].scope == Buffer::Scope::input) return "stores to an input";
    if (memory && !writes && i.op != Op::prefetch && program_.buffers[i.buffer.id].scope == Buffer::Scope::output)
      return "loads from an output, which may be absent";
    const bool lanes8 = shape(i);
    for (std::size_t k = 0; k < operands.size(); ++k) {
      const Register r = operands[k];
      if (r.valid() && r.id >= phase_.registers.size()) return "no such register";
      if (!fits(wants[k], r, i, lanes8)) return fmt::format("operand {} has the wrong type", k);
    }
    if (i.op == Op::function && row(i.function).arity > 3) return "more than three operands";
    if (i.op == Op::loop && i.integer <= 0) return "the step is not positive";
    if ((i.op == Op::extract || i.op == Op::insert) && (i.integer < 0 || i.integer >= lanes)) return "no such lane";
    if (std::string wrong = check(i.body); !wrong.empty()) return wrong;
    return check(i.otherwise);
  }

  bool shape(const Instruction& i) const {
    return i.dst.valid() && i.dst.id < phase_.registers.size() && is_vector(phase_.registers[i.dst.id]);
  }

  bool fits(char want, Register r, const Instruction& i, bool lanes8) const {
    if (want == '-') return !r.valid();
    if (want == 'o' || want == 'z') {
      if (!r.valid()) return true;
      return phase_.registers[r.id] == (want == 'o' ? Type::truths : Type::integer);
    }
    if (want == '?') return !r.valid() || phase_.registers[r.id] == phase_.registers[i.dst.id];
    if (!r.valid()) return false;
    const Type t = phase_.registers[r.id];
    const auto shaped = [&](Type s) { return t == (lanes8 ? vector_of(s) : s); };
    const bool integer = i.buffer.valid() && program_.buffers[i.buffer.id].integer;
    switch (static_cast<Want>(want)) {
      case Want::integer:
        return t == Type::integer;
      case Want::number:
        return t == Type::number;
      case Want::truth:
        return t == Type::truth;
      case Want::Integer:
        return shaped(Type::integer);
      case Want::Number:
        return shaped(Type::number);
      case Want::Truth:
        return shaped(Type::truth);
      case Want::integers:
        return t == Type::integers;
      case Want::numbers:
        return t == Type::numbers;
      case Want::truths:
        return t == Type::truths;
      case Want::any:
        return t == phase_.registers[i.dst.id];
      case Want::any_truth:
        return t == Type::truth || (t == Type::truths && lanes8);
      case Want::scalar_of_dst:
        return lanes8 && t == scalar_of(phase_.registers[i.dst.id]);
      case Want::vector_of_dst:
        return is_vector(t) && scalar_of(t) == phase_.registers[i.dst.id];
      case Want::element:
        return t == (integer ? Type::integer : Type::number);
      case Want::elements:
        return t == (integer ? Type::integers : Type::numbers);
      case Want::none:
      case Want::truths_or_none:
      case Want::integer_or_none:
        break;
    }
    return false;
  }

  const Program& program_;
  const Phase& phase_;
};

}  // namespace

const char* to_string(Op op) { return op_rows[static_cast<std::size_t>(op)].name; }

std::string check(const Program& program) {
  for (std::size_t k = 0; k < program.phases.size(); ++k) {
    const Phase& phase = program.phases[k];
    Checker checker(program, phase);
    std::string wrong = checker.check(phase.count_body);
    if (wrong.empty()) wrong = checker.check(phase.body);
    const auto integer = [&](Register r) {
      return r.id < phase.registers.size() && phase.registers[r.id] == Type::integer;
    };
    if (wrong.empty() && phase.blocked && (!integer(phase.count) || !integer(phase.block)))
      wrong = "a blocked phase needs `count` and `block`";
    if (!wrong.empty()) return fmt::format("phase {}: {}", k, wrong);
  }
  return {};
}

}  // namespace gradus::loops
