// The loop form: a register machine with structured loops, the last stage before LLVM.
//
// A Program is a list of phases run in order. A serial phase runs once; a blocked phase runs once a block, in any order
// and from any thread, and its blocks write disjoint parts of buffers (their accumulators are combined by a later
// phase in a fixed tree). The meaning of every instruction is exact: floating-point operations round to nearest in the
// order written, nothing is reassociated or contracted, `fma` rounds once. A vector has 8 lanes on every machine
// (two registers of 4 on AVX2), so bits do not depend on the CPU. Three readers share this meaning: the interpreter
// (interpret.hpp), the C printer (print_c.hpp), the LLVM lowering (llvm/lower.cpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "symbolic/function.hpp"
#include "symbolic/size.hpp"

namespace gradus::loops {

/// Lanes of the logical vector.
constexpr int lanes = 8;

enum class Type : std::uint8_t { integer, number, truth, integers, numbers, truths };  // plural: 8 lanes

/// A typed, mutable virtual register of a phase. Reading one that was never written is a bug.
struct Register {
  std::uint32_t id = UINT32_MAX;
  bool valid() const { return id != UINT32_MAX; }
};

struct BufferId {
  std::uint32_t id = UINT32_MAX;
  bool valid() const { return id != UINT32_MAX; }
};

/// Memory. Elements are doubles, or 64-bit integers for index data.
struct Buffer {
  enum class Scope : std::uint8_t {
    input,      // the caller's array (or a scalar passed by value: one element)
    output,     // the caller's array; only written; may be absent (NULL): then nothing is stored to it
    workspace,  // one for the whole call; kept between phases
    scratch,    // one for each thread; contents do not survive a block
  };
  std::string name;
  Scope scope = Scope::workspace;
  bool integer = false;      // elements are int64
  Size elements;             // over the program's sizes
  std::uint32_t number = 0;  // input: number in Model::inputs; output: position in the program's outputs
};

/// Operations; their meaning is written beside each in ops.def.
enum class Op : std::uint8_t {
#define GRADUS_OP(name, signature) name,
#include "codegen/ops.def"
#undef GRADUS_OP
};

struct Instruction;
using Body = std::vector<Instruction>;

struct Instruction {
  Op op = Op::constant;
  Register dst, a, b, c;
  std::int64_t integer = 0;
  double number = 0;
  Size size;
  Function function = Function::exp;
  BufferId buffer;
  Body body;       // loop, branch
  Body otherwise;  // branch
};

struct Phase {
  std::vector<Type> registers;  // types, by Register::id
  bool blocked = false;
  Body count_body;  // blocked: computes `count` from sizes (its own instructions share `registers`)
  Register count;   // number of blocks; depends on sizes only
  Register block;   // set to the block's number before `body` runs
  Body body;
};

/// Shapes of types: whether it has 8 lanes; one lane of it; 8 lanes of it.
bool is_vector(Type t);
Type scalar_of(Type t);
Type vector_of(Type t);

/// Why a call ended early; 0 is success. The numbers are those of the C header's enum.
enum class Code : int {
  ok = 0,
  bad_size = 1,
  subscript_outside = 2,
  empty_reduction = 3,
  out_of_memory = 4,
  bad_argument = 5,
};

struct Program {
  const Sizes* sizes = nullptr;         // of the graph it was planned from; must outlive the program
  std::vector<std::string> size_names;  // order in which values of sizes are passed
  std::vector<Buffer> buffers;
  std::vector<Phase> phases;
  std::uint32_t outputs = 0;  // number of outputs
};

/// The name of an operation.
const char* to_string(Op op);

/// Whether a program is legal: operands have the types their operation wants, buffers exist, inputs are not written and
/// outputs not read. Empty when it is; otherwise what is wrong.
std::string check(const Program& program);

/// Writes bodies: each method appends one instruction and returns its result in a fresh register.
class Builder {
 public:
  explicit Builder(Phase& phase) : phase_(phase) { stack_.push_back(&phase.body); }

  Register fresh(Type type);
  Type type(Register r) const { return phase_.registers[r.id]; }
  Register emit(Op op, Type type, Register a = {}, Register b = {}, Register c = {});
  Register integer(std::int64_t value);
  Register number(double value);
  Register size(Size value);
  Register load(BufferId buffer, Register index, Type type);
  Register load_lanes(BufferId buffer, Register index, Type type, Register mask = {});
  Register gather(BufferId buffer, Register indices, Type type, Register mask = {});
  void store(BufferId buffer, Register index, Register value);
  void store_lanes(BufferId buffer, Register index, Register value, Register mask = {});
  void scatter(BufferId buffer, Register indices, Register value, Register mask = {});
  void prefetch(BufferId buffer, Register index);
  Register function(Function f, Type type, Register a, Register b = {}, Register c = {});
  Register broadcast(Register scalar);
  Register extract(Register vector, int lane);
  Register insert(Register vector, int lane, Register scalar);
  void assign(Register dst, Register value);
  void fail(Register condition, Code code, Register detail = {});
  /// for (v = begin; v < end; v += step) { body(v) }
  template <class Body>
  void loop(Register begin, Register end, std::int64_t step, Body&& body) {
    const Register variable = open_loop(begin, end, step);
    body(variable);
    close();
  }
  template <class Then>
  void branch(Register condition, Then&& then) {
    open_branch(condition);
    then();
    close();
  }
  template <class Then, class Else>
  void branch(Register condition, Then&& then, Else&& otherwise) {
    open_branch(condition);
    then();
    close();
    open_otherwise();
    otherwise();
    close();
  }
  /// Directs the instructions that follow into `count_body` / back to `body`.
  void in_count_body() { stack_.assign(1, &phase_.count_body); }
  void in_body() { stack_.assign(1, &phase_.body); }

 private:
  Instruction& append(Instruction i);
  Register open_loop(Register begin, Register end, std::int64_t step);
  void open_branch(Register condition);
  void open_otherwise();
  void emit_store(Op op, BufferId buffer, Register index, Register value, Register mask);
  void close() { stack_.pop_back(); }

  Phase& phase_;
  std::vector<Body*> stack_;
};

}  // namespace gradus::loops
