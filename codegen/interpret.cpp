// The loop form interpreter: one switch over the operations, values in slots of 8 lanes.
#include "codegen/interpret.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include "codegen/kernels/functions.hpp"

namespace gradus::loops {
namespace {

using Bits = std::uint64_t;
constexpr std::int64_t no_value = INT64_MIN;

// What a register holds: lanes of integers, doubles (by their bits) or truth values. A scalar has the first lane only.
struct alignas(64) Slot {
  Bits lane[lanes];
};

double number(Bits b) { return std::bit_cast<double>(b); }
Bits bits(double x) { return std::bit_cast<Bits>(x); }
std::int64_t integer(Bits b) { return static_cast<std::int64_t>(b); }
Bits bits(std::int64_t x) { return static_cast<Bits>(x); }

double smaller(double a, double b) { return std::isnan(a) ? a : a < b ? a : b; }
double greater(double a, double b) { return std::isnan(a) ? a : a > b ? a : b; }

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  if (b < 1) b = 1;
  return a / b - (a % b < 0 ? 1 : 0);
}

std::int64_t truncate(double x) {
  if (std::isnan(x)) return 0;
  if (x >= 0x1p63) return INT64_MAX;
  if (x < -0x1p63) return INT64_MIN;
  return static_cast<std::int64_t>(x);
}

template <class Combine>
Bits fold(const Slot& s, Combine&& f) {
  const Bits* a = s.lane;
  return f(f(f(a[0], a[4]), f(a[2], a[6])), f(f(a[1], a[5]), f(a[3], a[7])));
}

}  // namespace

// Where the buffers of a call are, and the values of its sizes.
class Machine {
 public:
  Machine(const Program& program, const std::int64_t* sizes) : program_(program), size_values_() {
    for (std::size_t k = 0; k < program.size_names.size(); ++k) names_[program.size_names[k]] = sizes[k];
  }

  std::int64_t size(Size s) {
    if (s.id >= size_values_.size()) size_values_.resize(s.id + 1, no_value);
    std::int64_t& value = size_values_[s.id];
    if (value == no_value) value = program_.sizes->evaluate(s, names_).value_or(0);
    return value;
  }

  bool place(const void* const* inputs, double* const* outputs, char* workspace, char* scratch) {
    base_.clear();
    for (const Buffer& b : program_.buffers) {
      switch (b.scope) {
        case Buffer::Scope::input:
          base_.push_back(const_cast<char*>(static_cast<const char*>(inputs[b.number])));
          break;
        case Buffer::Scope::output:
          base_.push_back(reinterpret_cast<char*>(outputs[b.number]));
          break;
        case Buffer::Scope::workspace:
          base_.push_back(std::exchange(workspace, workspace + rounded(b)));
          break;
        case Buffer::Scope::scratch:
          base_.push_back(std::exchange(scratch, scratch + rounded(b)));
          break;
      }
    }
    return true;
  }

  std::int64_t rounded(const Buffer& b) { return (size(b.elements) * 8 + 63) / 64 * 64; }

  std::int64_t count(const Phase& phase) {
    if (!phase.blocked) return 1;
    slots_.assign(phase.registers.size(), Slot{});
    phase_ = &phase;
    run(phase.count_body);
    return integer(slots_[phase.count.id].lane[0]);
  }

  Result run(const Phase& phase, std::int64_t block) {
    slots_.assign(phase.registers.size(), Slot{});
    phase_ = &phase;
    result_ = {};
    if (phase.block.valid()) slots_[phase.block.id].lane[0] = bits(block);
    run(phase.body);
    return result_;
  }

 private:
  // False when the call has failed.
  bool run(const Body& body) {
    for (const Instruction& i : body) {
      switch (i.op) {
        case Op::loop: {
          const std::int64_t end = integer(one(i.b));
          for (std::int64_t v = integer(one(i.a)); v < end; v += i.integer) {
            slot(i.dst).lane[0] = bits(v);
            if (!run(i.body)) return false;
          }
          break;
        }
        case Op::branch:
          if (!run(one(i.a) ? i.body : i.otherwise)) return false;
          break;
        case Op::fail:
          if (one(i.a)) {
            result_ = {static_cast<Code>(i.integer), i.b.valid() ? integer(one(i.b)) : 0};
            return false;
          }
          break;
        case Op::load:
        case Op::load_lanes:
        case Op::gather:
        case Op::store:
        case Op::store_lanes:
        case Op::scatter:
          memory(i);
          break;
        case Op::prefetch:
          break;
        default:
          compute(i);
      }
    }
    return true;
  }

  void memory(const Instruction& i) {
    char* const base = base_[i.buffer.id];
    Bits* const data = reinterpret_cast<Bits*>(base);
    const bool writes = i.op == Op::store || i.op == Op::store_lanes || i.op == Op::scatter;
    if (writes && !base) return;  // an output that is not wanted
    const Register mask_register = writes ? i.c : i.b;
    const Slot* mask = mask_register.valid() ? &slot(mask_register) : nullptr;
    const bool separate = i.op == Op::gather || i.op == Op::scatter;
    const int n = i.op == Op::load || i.op == Op::store ? 1 : lanes;
    const Slot address = slot(i.a);
    for (int l = 0; l < n; ++l) {
      const bool on = !mask || mask->lane[l];
      const std::int64_t at = separate ? integer(address.lane[l]) : integer(address.lane[0]) + l;
      if (on && (at < 0 || at >= size(program_.buffers[i.buffer.id].elements))) outside(i, at);
      if (writes) {
        if (on) data[at] = slot(i.b).lane[l];
      } else {
        slot(i.dst).lane[l] = on ? data[at] : 0;
      }
    }
  }

  [[noreturn]] void outside(const Instruction& i, std::int64_t at) {
    const Buffer& b = program_.buffers[i.buffer.id];
    throw std::logic_error(
        fmt::format("loop form: {} at {} of {}, which has {} elements", to_string(i.op), at, b.name, size(b.elements)));
  }

  template <class F>
  void each(const Instruction& i, F&& f) {
    Slot& out = slot(i.dst);
    const int n = is_vector(phase_->registers[i.dst.id]) ? lanes : 1;
    for (int l = 0; l < n; ++l) out.lane[l] = f(l);
  }
  template <class F>
  void integers(const Instruction& i, F&& f) {
    const Slot &a = slot(i.a), &b = slot(i.b);
    each(i, [&](int l) { return static_cast<Bits>(f(integer(a.lane[l]), integer(b.lane[l]))); });
  }
  template <class F>
  void number1(const Instruction& i, F&& f) {
    const Slot& a = slot(i.a);
    each(i, [&](int l) { return bits(f(number(a.lane[l]))); });
  }
  template <class F>
  void number2(const Instruction& i, F&& f) {
    const Slot &a = slot(i.a), &b = slot(i.b);
    each(i, [&](int l) { return bits(f(number(a.lane[l]), number(b.lane[l]))); });
  }
  template <class F>
  void compare(const Instruction& i, F&& f) {
    const Slot &a = slot(i.a), &b = slot(i.b);
    each(i, [&](int l) { return static_cast<Bits>(f(number(a.lane[l]), number(b.lane[l]))); });
  }

  void compute(const Instruction& i) {
    // Integers wrap as the machine's do.
    switch (i.op) {
      case Op::integer_constant:
      case Op::truth_constant:
        each(i, [&](int) { return bits(i.integer); });
        break;
      case Op::size_value:
        slot(i.dst).lane[0] = bits(size(i.size));
        break;
      case Op::integer_add:
        integers(i, [](auto a, auto b) { return static_cast<Bits>(a) + static_cast<Bits>(b); });
        break;
      case Op::integer_subtract:
        integers(i, [](auto a, auto b) { return static_cast<Bits>(a) - static_cast<Bits>(b); });
        break;
      case Op::integer_multiply:
        integers(i, [](auto a, auto b) { return static_cast<Bits>(a) * static_cast<Bits>(b); });
        break;
      case Op::integer_min:
        integers(i, [](auto a, auto b) { return std::min(a, b); });
        break;
      case Op::integer_max:
        integers(i, [](auto a, auto b) { return std::max(a, b); });
        break;
      case Op::integer_divide:
        integers(i, floor_divide);
        break;
      case Op::lane_index:
        each(i, [](int l) { return static_cast<Bits>(l); });
        break;
      case Op::integer_less:
        integers(i, [](auto a, auto b) { return a < b; });
        break;
      case Op::integer_less_equal:
        integers(i, [](auto a, auto b) { return a <= b; });
        break;
      case Op::integer_equal:
        integers(i, [](auto a, auto b) { return a == b; });
        break;
      case Op::constant:
        each(i, [&](int) { return bits(i.number); });
        break;
      case Op::add:
        number2(i, [](double a, double b) { return a + b; });
        break;
      case Op::subtract:
        number2(i, [](double a, double b) { return a - b; });
        break;
      case Op::multiply:
        number2(i, [](double a, double b) { return a * b; });
        break;
      case Op::divide:
        number2(i, [](double a, double b) { return a / b; });
        break;
      case Op::negate:
        number1(i, [](double a) { return -a; });
        break;
      case Op::absolute:
        number1(i, [](double a) { return std::fabs(a); });
        break;
      case Op::square_root:
        number1(i, [](double a) { return std::sqrt(a); });
        break;
      case Op::floor:
        number1(i, [](double a) { return std::floor(a); });
        break;
      case Op::ceil:
        number1(i, [](double a) { return std::ceil(a); });
        break;
      case Op::round_even:
        number1(i, [](double a) { return std::nearbyint(a); });
        break;
      case Op::minimum:
        number2(i, smaller);
        break;
      case Op::maximum:
        number2(i, greater);
        break;
      case Op::less:
        compare(i, [](double a, double b) { return a < b; });
        break;
      case Op::less_equal:
        compare(i, [](double a, double b) { return a <= b; });
        break;
      case Op::equal:
        compare(i, [](double a, double b) { return a == b; });
        break;
      case Op::fma:
        three(i, [](double a, double b, double c) { return std::fma(a, b, c); });
        break;
      case Op::function:
        three(i, [&](double a, double b, double c) { return kernels::evaluate(i.function, a, b, c); });
        break;
      default:
        convert(i);
    }
  }

  template <class F>
  void three(const Instruction& i, F&& f) {
    static constexpr Slot none{};
    const Slot &a = i.a.valid() ? slot(i.a) : none, &b = i.b.valid() ? slot(i.b) : none,
               &c = i.c.valid() ? slot(i.c) : none;
    each(i, [&](int l) { return bits(f(number(a.lane[l]), number(b.lane[l]), number(c.lane[l]))); });
  }

  void convert(const Instruction& i) {
    const auto sum = [](Bits a, Bits b) { return bits(number(a) + number(b)); };
    switch (i.op) {
      case Op::to_number:
        each(i, [&, &a = slot(i.a)](int l) { return bits(static_cast<double>(integer(a.lane[l]))); });
        break;
      case Op::to_integer:
        each(i, [&, &a = slot(i.a)](int l) { return bits(truncate(number(a.lane[l]))); });
        break;
      case Op::truth_to_number:
        each(i, [&, &a = slot(i.a)](int l) { return bits(a.lane[l] ? 1.0 : 0.0); });
        break;
      case Op::truth_and:
        integers(i, [](auto a, auto b) { return a & b; });
        break;
      case Op::truth_or:
        integers(i, [](auto a, auto b) { return a | b; });
        break;
      case Op::truth_not:
        each(i, [&, &a = slot(i.a)](int l) { return a.lane[l] ^ 1; });
        break;
      case Op::select: {
        const Slot &c = slot(i.a), &a = slot(i.b), &b = slot(i.c);
        const bool each_lane = is_vector(phase_->registers[i.a.id]);
        each(i, [&](int l) { return c.lane[each_lane ? l : 0] ? a.lane[l] : b.lane[l]; });
        break;
      }
      case Op::broadcast:
        each(i, [value = one(i.a)](int) { return value; });
        break;
      case Op::extract:
        slot(i.dst).lane[0] = slot(i.a).lane[i.integer];
        break;
      case Op::insert: {
        const Bits value = one(i.b);
        slot(i.dst) = slot(i.a);
        slot(i.dst).lane[i.integer] = value;
        break;
      }
      case Op::fold_add:
        slot(i.dst).lane[0] = fold(slot(i.a), sum);
        break;
      case Op::fold_maximum:
        slot(i.dst).lane[0] = fold(slot(i.a), [](Bits a, Bits b) { return bits(greater(number(a), number(b))); });
        break;
      case Op::fold_minimum:
        slot(i.dst).lane[0] = fold(slot(i.a), [](Bits a, Bits b) { return bits(smaller(number(a), number(b))); });
        break;
      case Op::fold_or:
        slot(i.dst).lane[0] = fold(slot(i.a), [](Bits a, Bits b) { return a | b; });
        break;
      case Op::fold_and:
        slot(i.dst).lane[0] = fold(slot(i.a), [](Bits a, Bits b) { return a & b; });
        break;
      case Op::assign:
        slot(i.dst) = slot(i.a);
        break;
      default:
        break;
    }
  }

  Slot& slot(Register r) { return slots_[r.id]; }
  Bits one(Register r) const { return slots_[r.id].lane[0]; }

  const Program& program_;
  std::map<std::string, std::int64_t> names_;
  std::vector<std::int64_t> size_values_;  // by Size::id, `no_value` where not computed yet
  std::vector<char*> base_;                // by BufferId
  std::vector<Slot> slots_;                // by Register
  const Phase* phase_ = nullptr;
  Result result_;
};

bool memory_needed(const Program& program, const std::vector<std::int64_t>& sizes, Memory& memory) {
  if (std::ranges::any_of(sizes, [](std::int64_t s) { return s < 0; })) return false;
  std::map<std::string, std::int64_t> names;
  for (std::size_t k = 0; k < program.size_names.size(); ++k) names[program.size_names[k]] = sizes[k];
  constexpr std::int64_t most = std::int64_t{1} << 60;
  memory = {};
  for (const Buffer& b : program.buffers) {
    if (b.scope != Buffer::Scope::workspace && b.scope != Buffer::Scope::scratch) continue;
    const auto elements = program.sizes->evaluate(b.elements, names);
    if (!elements || *elements < 0 || *elements > most / 8) return false;
    std::int64_t& total = b.scope == Buffer::Scope::workspace ? memory.workspace : memory.scratch;
    total += (*elements * 8 + 63) / 64 * 64;
    if (total > most) return false;
  }
  return true;
}

namespace {

struct alignas(64) Line {
  char bytes[64];
};
std::unique_ptr<Line[]> allocate(std::int64_t bytes) {
  return std::make_unique<Line[]>(static_cast<std::size_t>(bytes / 64) + 1);
}
char* start(const std::unique_ptr<Line[]>& memory) { return memory[0].bytes; }

}  // namespace

Interpreter::Interpreter(const Program& program) : program_(program) {}

std::int64_t Interpreter::block_count(std::size_t phase, const std::int64_t* sizes) const {
  return Machine(program_, sizes).count(program_.phases[phase]);
}

Result Interpreter::run(std::size_t phase, std::int64_t block, const std::int64_t* sizes, const void* const* inputs,
                        double* const* outputs, void* workspace, void* scratch) const {
  Machine machine(program_, sizes);
  machine.place(inputs, outputs, static_cast<char*>(workspace), static_cast<char*>(scratch));
  return machine.run(program_.phases[phase], block);
}

Result interpret(const Program& program, const Arguments& arguments) {
  Memory memory;
  if (!memory_needed(program, arguments.sizes, memory)) return {Code::bad_size, 0};
  std::unique_ptr<Line[]> workspace, scratch;
  try {
    workspace = allocate(memory.workspace);
    scratch = allocate(memory.scratch);
  } catch (const std::bad_alloc&) {
    return {Code::out_of_memory, 0};
  }
  Machine machine(program, arguments.sizes.data());
  machine.place(arguments.inputs.data(), arguments.outputs.data(), start(workspace), start(scratch));
  for (const Phase& phase : program.phases) {
    const std::int64_t count = machine.count(phase);
    for (std::int64_t block = 0; block < count; ++block)
      if (const Result result = machine.run(phase, block); result.code != Code::ok) return result;
  }
  return {};
}

}  // namespace gradus::loops
