// The loop form interpreted: what operations, memory and control mean.
#include "codegen/loops.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>

#include "codegen/interpret.hpp"

using namespace gradus;
using namespace gradus::loops;

namespace {

// A program with one serial phase over a size n, an input x[n] and an output.
struct OnePhase {
  Sizes sizes;
  Program program;
  Size n = sizes.symbol("n");
  BufferId x, out;
  explicit OnePhase(Size out_size, bool integer_input = false) {
    program.sizes = &sizes;
    program.size_names = {"n"};
    program.outputs = 1;
    program.phases.emplace_back();
    x = add("x", Buffer::Scope::input, n, integer_input);
    out = add("out", Buffer::Scope::output, out_size, false);
  }
  BufferId add(const char* name, Buffer::Scope scope, Size elements, bool integer = false) {
    program.buffers.push_back({name, scope, integer, elements, 0});
    return BufferId{static_cast<std::uint32_t>(program.buffers.size() - 1)};
  }
  Result run(const std::vector<double>& input, std::vector<double>& output) {
    CHECK(check(program) == "");
    return interpret(program, {{static_cast<std::int64_t>(input.size())}, {input.data()}, {output.data()}});
  }
};

}  // namespace

TEST_CASE("a sum with masked tail lanes folds in the stated tree") {
  OnePhase p(Size{});
  p.program.buffers[p.out.id].elements = p.sizes.constant(1);
  Builder b(p.program.phases[0]);
  const Register n = b.size(p.n), zero = b.integer(0);
  const Register sum = b.fresh(Type::numbers);
  b.assign(sum, b.broadcast(b.number(0)));
  const Register lane = b.emit(Op::lane_index, Type::integers);
  b.loop(zero, n, 8, [&](Register i) {
    const Register at = b.emit(Op::integer_add, Type::integers, b.broadcast(i), lane);
    const Register mask = b.emit(Op::integer_less, Type::truths, at, b.broadcast(n));
    b.assign(sum, b.emit(Op::add, Type::numbers, sum, b.load_lanes(p.x, i, Type::numbers, mask)));
  });
  b.store(p.out, zero, b.emit(Op::fold_add, Type::number, sum));
  for (const std::size_t size : {0u, 1u, 7u, 8u, 9u, 30u}) {
    std::vector<double> x(size), out(1, -1);
    double lanes8[8] = {};
    for (std::size_t k = 0; k < size; ++k) {
      x[k] = 1.0 / static_cast<double>(3 * k + 1);
      lanes8[k % 8] += x[k];
    }
    CHECK(p.run(x, out).code == Code::ok);
    const double* a = lanes8;
    CHECK(out[0] == ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7])));
  }
}

TEST_CASE("branches, failure with its detail, and an absent output") {
  OnePhase p(Size{});
  p.program.buffers[p.out.id].elements = p.n;
  Builder b(p.program.phases[0]);
  const Register n = b.size(p.n), zero = b.integer(0);
  b.loop(zero, n, 1, [&](Register i) {
    const Register v = b.load(p.x, i, Type::number);
    b.fail(b.emit(Op::less, Type::truth, v, b.number(0)), Code::subscript_outside, i);
    const Register result = b.fresh(Type::number);
    b.branch(
        b.emit(Op::less, Type::truth, v, b.number(10)), [&] { b.assign(result, b.number(1)); },
        [&] { b.assign(result, b.function(Function::sqrt, Type::number, v)); });
    b.store(p.out, i, result);
  });
  std::vector<double> out(3);
  CHECK(p.run({5, 16, 25}, out).code == Code::ok);
  CHECK(out == std::vector<double>{1, 4, 5});
  const Result failed = p.run({5, 16, -1}, out);
  CHECK(failed.code == Code::subscript_outside);
  CHECK(failed.detail == 2);
  const std::vector<double> x = {1, 2};
  CHECK(interpret(p.program, {{2}, {x.data()}, {nullptr}}).code == Code::ok);
}

TEST_CASE("blocked phases write parts that a later phase combines") {
  OnePhase p(Size{});
  p.program.buffers[p.out.id].elements = p.sizes.constant(1);
  const BufferId parts = p.add("parts", Buffer::Scope::workspace, p.n);
  Phase& first = p.program.phases[0];
  first.blocked = true;
  {
    Builder b(first);
    first.block = b.fresh(Type::integer);
    b.in_count_body();
    first.count = b.size(p.n);
    b.in_body();
    b.store(parts, first.block,
            b.emit(Op::multiply, Type::number, b.load(p.x, first.block, Type::number), b.number(2)));
  }
  Phase second;
  {
    Builder b(second);
    const Register total = b.fresh(Type::number);
    b.assign(total, b.number(0));
    b.loop(b.integer(0), b.size(p.n), 1,
           [&](Register i) { b.assign(total, b.emit(Op::add, Type::number, total, b.load(parts, i, Type::number))); });
    b.store(p.out, b.integer(0), total);
  }
  p.program.phases.push_back(second);
  std::vector<double> out(1);
  CHECK(p.run({1, 2, 3}, out).code == Code::ok);
  CHECK(out[0] == 12);
  Memory memory;
  CHECK(memory_needed(p.program, {9}, memory));
  CHECK(memory.workspace == 128);
  CHECK(!memory_needed(p.program, {-1}, memory));
  CHECK(!memory_needed(p.program, {INT64_MAX / 4}, memory));
}

TEST_CASE("integers: floor division, conversions at the borders, gather and scatter") {
  OnePhase p(Size{});
  p.program.buffers[p.out.id].elements = p.sizes.constant(8);
  Builder b(p.program.phases[0]);
  const auto divide = [&](std::int64_t x, std::int64_t y) {
    return b.emit(Op::to_number, Type::number, b.emit(Op::integer_divide, Type::integer, b.integer(x), b.integer(y)));
  };
  const auto truncate = [&](double x) {
    return b.emit(Op::to_number, Type::number, b.emit(Op::to_integer, Type::integer, b.number(x)));
  };
  const Register values[] = {divide(7, 2),    divide(-7, 2), divide(-8, 2),   divide(5, 0),
                             truncate(-2.75), truncate(NAN), truncate(1e300), b.number(0)};
  Register all = b.broadcast(b.number(0));
  for (int k = 0; k < 8; ++k) all = b.insert(all, k, values[k]);
  const Register lane = b.emit(Op::lane_index, Type::integers);
  const Register reversed = b.emit(Op::integer_subtract, Type::integers, b.broadcast(b.integer(7)), lane);
  b.scatter(p.out, reversed, all);
  std::vector<double> out(8);
  CHECK(p.run({1}, out).code == Code::ok);
  CHECK(out == std::vector<double>{0, 0x1p63, 0, -2, 5, -4, -4, 3});
}

TEST_CASE("an illegal program is told apart") {
  OnePhase p(Size{});
  Builder b(p.program.phases[0]);
  b.emit(Op::add, Type::number, b.number(1), b.integer(1));
  CHECK(check(p.program) == "phase 0: add: operand 2 has the wrong type");
  p.program.phases[0] = {};
  b.load(p.out, b.integer(0), Type::number);
  CHECK(check(p.program) != "");
}

TEST_CASE("an element outside its buffer is a bug that is reported") {
  OnePhase p(Size{});
  p.program.buffers[p.out.id].elements = p.sizes.constant(1);
  Builder b(p.program.phases[0]);
  b.store(p.out, b.integer(1), b.number(1));
  std::vector<double> out(1);
  CHECK_THROWS_AS(p.run({1}, out), std::logic_error);
}
