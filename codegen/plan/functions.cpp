// Elementwise functions as operations of the loop form; what has none is a function call.
#include <cmath>
#include <limits>
#include <numbers>

#include "codegen/plan/emit.hpp"

namespace gradus::planning {
namespace {

constexpr std::uint32_t key_function = 1002;
/// Integer powers up to this are repeated multiplications.
constexpr std::int64_t most_multiplied = 16;

}  // namespace

Register Emitter::number(double value) {
  std::uint64_t bits = 0;
  static_assert(sizeof bits == sizeof value);
  __builtin_memcpy(&bits, &value, sizeof bits);
  Key key{static_cast<std::uint32_t>(Op::constant), static_cast<std::uint32_t>(bits),
          static_cast<std::uint32_t>(bits >> 32)};
  if (const Register r = find(key); r.valid()) return r;
  return remember(std::move(key), builder_.number(value));
}

Register Emitter::to_number(Register r) {
  switch (builder_.type(r)) {
    case Type::truth:
      return pure(Op::truth_to_number, Type::number, r);
    case Type::truths:
      return pure(Op::truth_to_number, Type::numbers, r);
    default:
      return r;
  }
}

Register Emitter::to_truth(Register r) {
  const Type type = builder_.type(r);
  if (type == Type::truth || type == Type::truths) return r;
  return truth_not(number_op(Op::equal, r, number(0)));
}

Register Emitter::truth_and(Register a, Register b) {
  if (!a.valid() || !b.valid()) return a.valid() ? a : b;
  if (a.id == b.id) return a;
  if (is_vector(a) != is_vector(b)) (is_vector(a) ? b : a) = widen(is_vector(a) ? b : a);
  return pure(Op::truth_and, builder_.type(a), a, b);
}

Register Emitter::number_op(Op op, Register a, Register b, Register c) {
  Register* const operands[] = {&a, &b, &c};
  bool lanes = false;
  for (Register* r : operands)
    if (r->valid()) {
      *r = to_number(*r);
      lanes |= is_vector(*r);
    }
  if (lanes)
    for (Register* r : operands)
      if (r->valid()) *r = widen(*r);
  const bool truth = op == Op::less || op == Op::less_equal || op == Op::equal;
  const Type type = truth ? Type::truth : Type::number;
  return pure(op, lanes ? loops::vector_of(type) : type, a, b, c);
}

Register Emitter::select(Register condition, Register a, Register b) {
  condition = to_truth(condition);
  if (builder_.type(a) != builder_.type(b)) {
    if (loops::scalar_of(builder_.type(a)) != loops::scalar_of(builder_.type(b))) a = to_number(a), b = to_number(b);
  }
  if (is_vector(condition) || is_vector(a) || is_vector(b)) a = widen(a), b = widen(b);
  return pure(Op::select, builder_.type(a), condition, a, b);
}

namespace {

/// x^n by squaring.
Register integer_power(Emitter& m, Register x, std::int64_t n) {
  Register result, square = x;
  for (; n > 0; n >>= 1) {
    if (n & 1) result = result.valid() ? m.number_op(Op::multiply, result, square) : square;
    if (n > 1) square = m.number_op(Op::multiply, square, square);
  }
  return result;
}

}  // namespace

Register Emitter::power(Register x, const Rational& exponent) {
  x = to_number(x);
  const Rational size = exponent.sign() < 0 ? -exponent : exponent;
  Register result;
  const auto whole = size.as_int64();
  const auto twice = (size + size).as_int64();
  if (whole == 0) return number(1);
  if (whole && *whole <= most_multiplied) {
    result = integer_power(*this, x, *whole);
  } else if (twice && *twice <= 7) {
    // x^(k + 1/2); the square root of -0 would be -0.
    result = number_op(Op::square_root, *twice == 1 ? number_op(Op::add, x, number(0)) : x);
    if (*twice > 1) result = number_op(Op::multiply, integer_power(*this, x, *twice / 2), result);
  } else {
    return apply(Function::power, {x, number(exponent.to_double())});
  }
  return exponent.sign() < 0 ? number_op(Op::divide, number(1), result) : result;
}

Register Emitter::apply(Function f, const std::vector<Register>& x) {
  switch (f) {
    case Function::pi:
      return number(std::numbers::pi);
    case Function::infinity:
      return number(std::numeric_limits<double>::infinity());
    case Function::not_a_number:
      return number(std::numeric_limits<double>::quiet_NaN());
    case Function::less:
      return number_op(Op::less, x[0], x[1]);
    case Function::less_equal:
      return number_op(Op::less_equal, x[0], x[1]);
    case Function::equal:
      return number_op(Op::equal, x[0], x[1]);
    case Function::not_equal:
      return truth_not(number_op(Op::equal, x[0], x[1]));
    case Function::logical_and:
      return truth_and(to_truth(x[0]), to_truth(x[1]));
    case Function::logical_or:
      return truth_not(truth_and(truth_not(to_truth(x[0])), truth_not(to_truth(x[1]))));
    case Function::logical_not:
      return truth_not(to_truth(x[0]));
    case Function::select:
      return select(x[0], x[1], x[2]);
    case Function::sqrt:
      return number_op(Op::square_root, x[0]);
    case Function::abs:
      return number_op(Op::absolute, x[0]);
    case Function::maximum:
      return number_op(Op::maximum, x[0], x[1]);
    case Function::minimum:
      return number_op(Op::minimum, x[0], x[1]);
    case Function::clip:
      return number_op(Op::minimum, number_op(Op::maximum, x[0], x[1]), x[2]);
    case Function::floor:
      return number_op(Op::floor, x[0]);
    case Function::ceil:
      return number_op(Op::ceil, x[0]);
    case Function::round:
      return number_op(Op::round_even, x[0]);
    case Function::sign: {
      // NaN and both zeros stay what they are.
      const Register zero = number(0);
      const Register negative = select(number_op(Op::less, x[0], zero), number(-1), to_number(x[0]));
      return select(number_op(Op::less, zero, x[0]), number(1), negative);
    }
    default:
      break;
  }
  Register r[3];
  bool lanes = false;
  for (std::size_t k = 0; k < x.size(); ++k) {
    r[k] = to_number(x[k]);
    lanes |= is_vector(r[k]);
  }
  if (lanes)
    for (std::size_t k = 0; k < x.size(); ++k) r[k] = widen(r[k]);
  Key key{key_function, static_cast<std::uint32_t>(f), r[0].id, r[1].id, r[2].id};
  if (const Register known = find(key); known.valid()) return known;
  return remember(std::move(key), builder_.function(f, lanes ? Type::numbers : Type::number, r[0], r[1], r[2]));
}

}  // namespace gradus::planning
