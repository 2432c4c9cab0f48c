// Compiled code against the interpreter: every operation and function on nasty arguments, bit for bit.
#include "codegen/backend.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include "codegen/interpret.hpp"
#include "codegen/print_c.hpp"
#include "symbolic/function.hpp"
#include "tests/codegen/shared_library.hpp"

using namespace gradus;
using namespace gradus::loops;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const double no_number = std::numeric_limits<double>::quiet_NaN();

// Inputs x[n], c[n] (integers) and one output of numbers.
struct Fixture {
  Sizes sizes;
  Program program;
  Size n = sizes.symbol("n");
  BufferId x, c, out;
  explicit Fixture(std::int64_t outputs) {
    program.sizes = &sizes;
    program.size_names = {"n"};
    program.outputs = 1;
    program.phases.emplace_back();
    x = add("x", Buffer::Scope::input, n, false, 0);
    c = add("c", Buffer::Scope::input, n, true, 1);
    out = add("out", Buffer::Scope::output, sizes.constant(outputs), false, 0);
  }
  BufferId add(const char* name, Buffer::Scope scope, Size elements, bool integer, std::uint32_t number) {
    program.buffers.push_back({name, scope, integer, elements, number});
    return BufferId{static_cast<std::uint32_t>(program.buffers.size() - 1)};
  }
};

const std::vector<double> nasty = {0.0,    -0.0,    1,    -1,   0.5,    -2.5,   3.5,    1e300,     -1e300,
                                   5e-324, -5e-324, inf,  -inf, 1e-300, 709.9,  -745.5, no_number, 0x1p-1022,
                                   37.5,   -37.5,   1e16, 2,    -0.75,  4.25e9, 0x1p63, -0x1p63};
const std::vector<std::int64_t> nasty_integers = {0, 1, -1, 7, -7, 8, INT64_MAX, INT64_MIN, 1 << 20, -3, 2, 5};

Result run(const Executable& code, const Program& program, const std::vector<double>& x,
           const std::vector<std::int64_t>& c, double* out) {
  const std::vector<std::int64_t> sizes = {static_cast<std::int64_t>(x.size())};
  const void* inputs[] = {x.data(), c.data()};
  double* outputs[] = {out};
  Memory memory;
  CHECK(memory_needed(program, sizes, memory));
  std::vector<char> workspace(static_cast<std::size_t>(memory.workspace) + 64),
      scratch(static_cast<std::size_t>(memory.scratch) + 64);
  for (std::size_t p = 0; p < program.phases.size(); ++p)
    for (std::int64_t k = 0; k < code.block_count(p, sizes.data()); ++k)
      if (const Result r = code.run(p, k, sizes.data(), inputs, outputs, workspace.data(), scratch.data());
          r.code != Code::ok)
        return r;
  return {};
}

bool same_bits(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// The C printer's text as an Executable.
class Printed final : public Executable {
 public:
  explicit Printed(const Program& program) : program_(program), library_("f.c", print_c(program, "f")) {}
  std::int64_t block_count(std::size_t phase, const std::int64_t* sizes) const override {
    if (!program_.phases[phase].blocked) return 1;
    return library_.function<std::int64_t(const std::int64_t*)>(("f_count" + std::to_string(phase)).c_str())(sizes);
  }
  Result run(std::size_t phase, std::int64_t block, const std::int64_t* sizes, const void* const* inputs,
             double* const* outputs, void* workspace, void* scratch) const override {
    using F = int(std::int64_t, const std::int64_t*, const void* const*, double* const*, void*, void*, std::int64_t*);
    Result result;
    F* const f = library_.function<F>(("f_phase" + std::to_string(phase)).c_str());
    result.code = static_cast<Code>(f(block, sizes, inputs, outputs, workspace, scratch, &result.detail));
    return result;
  }

 private:
  const Program& program_;
  testing::Library library_;
};

bool calls_functions(const Body& body) {
  return std::any_of(body.begin(), body.end(), [](const Instruction& i) {
    return i.op == Op::function || calls_functions(i.body) || calls_functions(i.otherwise);
  });
}

// Runs a program interpreted, compiled for two machines and printed as C; all must agree.
void agree(Fixture& f, const std::vector<double>& x, const std::vector<std::int64_t>& c) {
  REQUIRE(check(f.program) == "");
  std::string error;
  Backend* const backend = open_backend(error);
  REQUIRE_MESSAGE(backend, error);
  const auto count = static_cast<std::size_t>(*f.sizes.as_constant(f.program.buffers[f.out.id].elements));
  std::vector<double> expected(count, -7);
  const Result wanted = run(*interpreted(f.program), f.program, x, c, expected.data());
  std::vector<const char*> ways = {"native", "x86-64-v3"};
  // Printed as C, functions are libm's.
  if (!calls_functions(f.program.phases[0].body)) ways.push_back("C");
  for (const char* const cpu : ways) {
    CAPTURE(std::string(cpu));
    std::unique_ptr<Executable> code;
    if (std::string(cpu) == "C")
      code = std::make_unique<Printed>(f.program);
    else
      code = backend->compile(f.program, {"", cpu}, error);
    REQUIRE_MESSAGE(code, error);
    std::vector<double> got(count, -7);
    const Result result = run(*code, f.program, x, c, got.data());
    CHECK(result.code == wanted.code);
    CHECK(result.detail == wanted.detail);
    for (std::size_t k = 0; k < count; ++k) {
      CAPTURE(k);
      CAPTURE(expected[k]);
      CAPTURE(got[k]);
      CHECK(same_bits(expected[k], got[k]));
    }
    CHECK(run(*code, f.program, x, c, nullptr).code == wanted.code);
  }
}

std::vector<double> rotated(const std::vector<double>& v, std::size_t by) {
  std::vector<double> r;
  for (std::size_t k = 0; k < v.size(); ++k) r.push_back(v[(k + by) % v.size()]);
  return r;
}

// out[k] = f(x[k], x[k + d], x[k + d + 2]) for all nasty values and d = 0, 1, 4, as scalars and then in lanes.
void on_nasty_numbers(const std::function<Register(Builder&, bool, Register, Register, Register)>& f) {
  const std::size_t m = nasty.size() / 8 * 8;
  Fixture fixture(static_cast<std::int64_t>(6 * m));
  Builder b(fixture.program.phases[0]);
  const Register size = b.integer(static_cast<std::int64_t>(m)), zero = b.integer(0);
  const auto plus = [&](Register i, Register by) { return b.emit(Op::integer_add, Type::integer, i, by); };
  const auto times = [&](Register i, Register by) { return b.emit(Op::integer_multiply, Type::integer, i, by); };
  b.loop(zero, b.integer(3), 1, [&](Register part) {
    const Register offset = times(part, part), scalars = times(part, size),
                   lanes = times(plus(part, b.integer(3)), size);
    b.loop(zero, size, 1, [&](Register i) {
      const Register j = plus(i, offset);
      b.store(fixture.out, plus(scalars, i),
              f(b, false, b.load(fixture.x, i, Type::number), b.load(fixture.x, j, Type::number),
                b.load(fixture.x, plus(j, b.integer(2)), Type::number)));
    });
    b.loop(zero, size, 8, [&](Register i) {
      const Register j = plus(i, offset);
      b.store_lanes(fixture.out, plus(lanes, i),
                    f(b, true, b.load_lanes(fixture.x, i, Type::numbers), b.load_lanes(fixture.x, j, Type::numbers),
                      b.load_lanes(fixture.x, plus(j, b.integer(2)), Type::numbers)));
    });
  });
  std::vector<double> x = nasty;
  for (const double v : rotated(nasty, 3)) x.push_back(v);
  agree(fixture, x, nasty_integers);
}

Type as_number(bool lanes8) { return lanes8 ? Type::numbers : Type::number; }
Type as_truth(bool lanes8) { return lanes8 ? Type::truths : Type::truth; }
Type as_integer(bool lanes8) { return lanes8 ? Type::integers : Type::integer; }

}  // namespace

TEST_CASE("operations on numbers: compiled = interpreted") {
  for (const Op op : {Op::add, Op::subtract, Op::multiply, Op::divide, Op::minimum, Op::maximum}) {
    CAPTURE(std::string(to_string(op)));
    on_nasty_numbers(
        [&](Builder& b, bool v, Register x, Register y, Register) { return b.emit(op, as_number(v), x, y); });
  }
  for (const Op op : {Op::negate, Op::absolute, Op::square_root, Op::floor, Op::ceil, Op::round_even}) {
    CAPTURE(std::string(to_string(op)));
    on_nasty_numbers([&](Builder& b, bool v, Register x, Register, Register) { return b.emit(op, as_number(v), x); });
  }
  for (const Op op : {Op::less, Op::less_equal, Op::equal}) {
    CAPTURE(std::string(to_string(op)));
    on_nasty_numbers([&](Builder& b, bool v, Register x, Register y, Register z) {
      const Register t = b.emit(op, as_truth(v), x, y), u = b.emit(op, as_truth(v), y, z);
      const Register both = b.emit(Op::truth_and, as_truth(v), t, b.emit(Op::truth_not, as_truth(v), u));
      return b.emit(Op::select, as_number(v), b.emit(Op::truth_or, as_truth(v), both, t), z,
                    b.emit(Op::truth_to_number, as_number(v), both));
    });
  }
  on_nasty_numbers(
      [&](Builder& b, bool v, Register x, Register y, Register z) { return b.emit(Op::fma, as_number(v), x, y, z); });
  on_nasty_numbers([&](Builder& b, bool v, Register x, Register, Register) {
    return b.emit(Op::to_number, as_number(v), b.emit(Op::to_integer, as_integer(v), x));
  });
}

TEST_CASE("functions: compiled = interpreted, in a scalar and in a lane") {
  for (std::size_t k = 0; k < function_count(); ++k) {
    const auto f = static_cast<Function>(k);
    const auto arity = row(f).arity;
    CAPTURE(std::string(row(f).name));
    on_nasty_numbers([&](Builder& b, bool v, Register x, Register y, Register z) {
      return b.function(f, as_number(v), arity > 0 ? x : Register{}, arity > 1 ? y : Register{},
                        arity > 2 ? z : Register{});
    });
  }
}

TEST_CASE("operations on integers, lanes and folds: compiled = interpreted") {
  const std::size_t m = nasty_integers.size();
  Fixture f(static_cast<std::int64_t>(12 * m * m) + 64);
  Builder b(f.program.phases[0]);
  const Register end = b.integer(static_cast<std::int64_t>(m)), zero = b.integer(0);
  const Register next = b.fresh(Type::integer);
  b.assign(next, zero);
  const auto put = [&](Register v) {
    b.store(f.out, next, v);
    b.assign(next, b.emit(Op::integer_add, Type::integer, next, b.integer(1)));
  };
  const auto put_integer = [&](Register v) { put(b.emit(Op::to_number, Type::number, v)); };
  b.loop(zero, end, 1, [&](Register i) {
    b.loop(zero, end, 1, [&](Register j) {
      const Register p = b.load(f.c, i, Type::integer), q = b.load(f.c, j, Type::integer);
      for (const Op op : {Op::integer_add, Op::integer_subtract, Op::integer_multiply, Op::integer_min, Op::integer_max,
                          Op::integer_divide})
        put_integer(b.emit(op, Type::integer, p, q));
      for (const Op op : {Op::integer_less, Op::integer_less_equal, Op::integer_equal})
        put(b.emit(Op::truth_to_number, Type::number, b.emit(op, Type::truth, p, q)));
    });
  });
  const Register lane = b.emit(Op::lane_index, Type::integers);
  for (const int start : {0, 8, 13}) {
    const Register v = b.load_lanes(f.x, b.integer(start), Type::numbers);
    for (const Op op : {Op::fold_add, Op::fold_maximum, Op::fold_minimum}) put(b.emit(op, Type::number, v));
    const Register small = b.emit(Op::less, Type::truths, v, b.broadcast(b.number(1e299)));
    for (const Op op : {Op::fold_or, Op::fold_and})
      put(b.emit(Op::truth_to_number, Type::number, b.emit(op, Type::truth, small)));
    put(b.extract(b.insert(v, 3, b.number(42)), 3));
    put(b.extract(v, 7));
    const Register masked = b.gather(f.x, b.emit(Op::integer_multiply, Type::integers, lane, b.broadcast(b.integer(2))),
                                     Type::numbers, small);
    put(b.emit(Op::fold_maximum, Type::number, masked));
    const Register scalar_choice = b.emit(Op::less, Type::truth, b.extract(v, 0), b.extract(v, 1));
    put(b.extract(b.emit(Op::select, Type::numbers, scalar_choice, v, masked), 2));
  }
  std::vector<double> x = nasty;
  agree(f, x, nasty_integers);
}

TEST_CASE("eight sums put into lanes: compiled = interpreted") {
  Fixture f(24);
  Builder b(f.program.phases[0]);
  std::vector<Register> sums;
  const Register running = b.fresh(Type::numbers);
  b.assign(running, b.load_lanes(f.x, b.integer(16), Type::numbers));
  for (int k = 0; k < 9; ++k) {
    b.assign(running, b.emit(Op::fma, Type::numbers, running, b.broadcast(b.number(0.3)),
                             b.load_lanes(f.x, b.integer(k), Type::numbers)));
    sums.push_back(b.emit(Op::fold_add, Type::number, running));
  }
  Register all = b.broadcast(b.number(0)), shuffled = all, most = all;
  for (int k = 0; k < 8; ++k) all = b.insert(all, k, sums[static_cast<std::size_t>(k)]);
  for (int k = 0; k < 8; ++k) shuffled = b.insert(shuffled, (5 * k) % 8, sums[static_cast<std::size_t>(k)]);
  shuffled = b.insert(shuffled, 3, sums[8]);
  for (int k = 0; k < 7; ++k) most = b.insert(most, k, sums[static_cast<std::size_t>(k)]);
  b.store_lanes(f.out, b.integer(0), all);
  b.store_lanes(f.out, b.integer(8), shuffled);
  b.store_lanes(f.out, b.integer(16), most);
  agree(f, {1, 0.1, 1e5, -3, 7e-3, 11, 0.7, 1e-9, 5, -0.3, 1e7, 2, 3.3, -9, 1.25, 8, 1, 2, 3, 4, 5, 6, 7, 8.5},
        nasty_integers);
}

TEST_CASE("masked tails touch nothing outside; scatter writes lanes in order") {
  Fixture f(21);
  Builder b(f.program.phases[0]);
  const Register lane = b.emit(Op::lane_index, Type::integers), n = b.size(f.n);
  b.loop(b.integer(0), n, 8, [&](Register i) {
    const Register at = b.emit(Op::integer_add, Type::integers, b.broadcast(i), lane);
    const Register mask = b.emit(Op::integer_less, Type::truths, at, b.broadcast(n));
    b.store_lanes(f.out, i, b.load_lanes(f.x, i, Type::numbers, mask), mask);
  });
  const Register twice = b.emit(Op::integer_divide, Type::integers, lane, b.broadcast(b.integer(4)));
  b.scatter(f.out, b.emit(Op::integer_add, Type::integers, twice, b.broadcast(n)),
            b.emit(Op::to_number, Type::numbers, lane));
  agree(f, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, nasty_integers);
}

TEST_CASE("failure, branches, loop-carried registers and blocks: compiled = interpreted") {
  for (const double bad : {3.0, -1.0}) {
    Fixture f(2);
    const BufferId parts = f.add("parts", Buffer::Scope::workspace, f.n, false, 0);
    const BufferId local = f.add("local", Buffer::Scope::scratch, f.sizes.constant(3), false, 0);
    Phase& first = f.program.phases[0];
    first.blocked = true;
    {
      Builder b(first);
      first.block = b.fresh(Type::integer);
      b.in_count_body();
      first.count = b.fresh(Type::integer);
      b.branch(b.emit(Op::integer_less, Type::truth, b.integer(0), b.size(f.n)),
               [&] { b.assign(first.count, b.size(f.n)); });
      b.in_body();
      const Register v = b.load(f.x, first.block, Type::number);
      b.fail(b.emit(Op::less, Type::truth, v, b.number(0)), Code::subscript_outside, first.block);
      b.store(local, b.integer(2), v);
      const Register fibonacci = b.fresh(Type::number), last = b.fresh(Type::number);
      b.assign(fibonacci, b.number(1));
      b.assign(last, b.number(0));
      b.loop(b.integer(0), b.emit(Op::to_integer, Type::integer, b.load(local, b.integer(2), Type::number)), 1,
             [&](Register) {
               const Register sum = b.emit(Op::add, Type::number, fibonacci, last);
               b.assign(last, fibonacci);
               b.branch(
                   b.emit(Op::less, Type::truth, b.number(1000), sum), [&] { b.assign(fibonacci, b.number(0)); },
                   [&] { b.assign(fibonacci, sum); });
             });
      b.store(parts, first.block, fibonacci);
    }
    f.program.phases.emplace_back();
    Builder b(f.program.phases[1]);
    const Register total = b.fresh(Type::number);
    b.assign(total, b.number(0));
    b.loop(b.integer(0), b.size(f.n), 1,
           [&](Register i) { b.assign(total, b.emit(Op::add, Type::number, total, b.load(parts, i, Type::number))); });
    b.store(f.out, b.integer(1), total);
    b.store(f.out, b.integer(0), b.number(1));
    agree(f, {5, 20, 1, bad, 2}, nasty_integers);
  }
}

TEST_CASE("an unknown machine is an error") {
  std::string error;
  Backend* const backend = open_backend(error);
  REQUIRE(backend);
  Fixture f(1);
  CHECK(!backend->compile(f.program, {"", "pentium-11"}, error));
  CHECK(error.find("pentium-11") != std::string::npos);
  CHECK(backend->emit("f", {}, EmitKind::object, {"no-such-triple", "native"}, error).empty());
  CHECK(error.find("no-such-triple") != std::string::npos);
}
