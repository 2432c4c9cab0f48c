// Positions in ascending order: a stable merge sort, row by row.
#include "codegen/plan/nest.hpp"

namespace gradus::planning {
namespace {

/// Widths double so often at most.
constexpr std::int64_t most_levels = 62;

/// The sort of one node. Registers that change are written past the emitter's memory of values.
class Order {
 public:
  Order(Emitter& m, const Node& n, const Place& place, BufferId keys, BufferId merged, BufferId merged_keys)
      : m_(m),
        b_(m.builder()),
        n_(n),
        place_(place),
        keys_(keys),
        merged_(merged),
        merged_keys_(merged_keys),
        at_(n.labels.size()) {}

  void run(Label axis = 0) {
    if (axis + 1 == n_.rank) return row();
    m_.loop(m_.integer(0), m_.size(n_.labels[axis]), 1, [&](Register v) {
      at_[axis] = m_.scalar(v);
      run(axis + 1);
    });
  }

 private:
  Register integer_op(Op op, Register a, Register b) { return b_.emit(op, Type::integer, a, b); }
  Register truth(Op op, Register a, Register b = {}) { return b_.emit(op, Type::truth, a, b); }
  Register fresh(Register value) {
    const Register r = b_.fresh(b_.type(value));
    b_.assign(r, value);
    return r;
  }

  void row() {
    at_[n_.rank - 1] = m_.scalar(m_.integer(0));
    const Coordinates axes(at_.begin(), at_.begin() + n_.rank);
    base_ = m_.to_register(m_.address(place_, axes));
    zero_ = m_.integer(0);
    one_ = m_.integer(1);
    count_ = fresh(zero_);
    fill();
    const Register width = fresh(one_);
    b_.loop(zero_, m_.integer(most_levels), 1, [&](Register) {
      b_.branch(truth(Op::integer_less, width, count_), [&] {
        level(width);
        b_.assign(width, integer_op(Op::integer_add, width, width));
      });
    });
  }

  /// What passes the guards comes first, in the order of positions; then what does not.
  void fill() {
    const auto append = [&](Register position) {
      b_.store(place_.buffer, integer_op(Op::integer_add, base_, count_), position);
      b_.assign(count_, integer_op(Op::integer_add, count_, one_));
    };
    each_position(
        [&](Register position) {
          b_.store(keys_, count_, m_.to_number(m_.operand(n_, n_.operands[0], at_)));
          append(position);
        },
        true);
    if (n_.guards.empty()) return;
    const Register passing = fresh(count_);
    each_position(append, false);
    b_.assign(count_, passing);
  }

  template <class Body>
  void each_position(Body&& body, bool passing) {
    m_.loop(zero_, m_.size(n_.labels[n_.rank]), 1, [&](Register v) {
      at_[n_.rank] = m_.scalar(v);
      const Register on = m_.guards(n_, at_);
      if (on.valid())
        m_.branch(passing ? on : m_.truth_not(on), [&] { body(v); });
      else
        body(v);
    });
  }

  /// Merges neighbouring runs of this width.
  void level(Register width) {
    const Register twice = integer_op(Op::integer_add, width, width);
    const Register up = integer_op(Op::integer_subtract, integer_op(Op::integer_add, count_, twice), one_);
    b_.loop(zero_, integer_op(Op::integer_divide, up, twice), 1, [&](Register pair) {
      const Register first = integer_op(Op::integer_multiply, pair, twice);
      const auto before_end = [&](Register by) {
        return integer_op(Op::integer_min, integer_op(Op::integer_add, first, by), count_);
      };
      merge(first, before_end(width), before_end(twice));
    });
    b_.loop(zero_, count_, 1, [&](Register k) {
      b_.store(place_.buffer, integer_op(Op::integer_add, base_, k), b_.load(merged_, k, Type::integer));
      b_.store(keys_, k, b_.load(merged_keys_, k, Type::number));
    });
  }

  void merge(Register first, Register middle, Register end) {
    const Register left = fresh(first), right = fresh(middle);
    const Register last = integer_op(Op::integer_subtract, count_, one_);
    b_.loop(first, end, 1, [&](Register k) {
      // A run that is used up is read at a safe place.
      const Register from_left = integer_op(Op::integer_min, left, last);
      const Register from_right = integer_op(Op::integer_min, right, last);
      const auto position = [&](Register r) {
        return b_.load(place_.buffer, integer_op(Op::integer_add, base_, r), Type::integer);
      };
      const Register a = position(from_left), b = position(from_right);
      const Register x = b_.load(keys_, from_left, Type::number), y = b_.load(keys_, from_right, Type::number);
      const Register only_x_is_nan =
          truth(Op::truth_and, truth(Op::truth_not, truth(Op::equal, x, x)), truth(Op::equal, y, y));
      const Register y_first = truth(Op::truth_or, truth(Op::less, y, x), only_x_is_nan);
      const Register left_is_used_up = truth(Op::integer_less_equal, middle, left);
      const Register take_right =
          truth(Op::truth_and, truth(Op::integer_less, right, end), truth(Op::truth_or, left_is_used_up, y_first));
      b_.store(merged_, k, b_.emit(Op::select, Type::integer, take_right, b, a));
      b_.store(merged_keys_, k, b_.emit(Op::select, Type::number, take_right, y, x));
      const Register next_left = integer_op(Op::integer_add, left, one_);
      const Register next_right = integer_op(Op::integer_add, right, one_);
      b_.assign(left, b_.emit(Op::select, Type::integer, take_right, left, next_left));
      b_.assign(right, b_.emit(Op::select, Type::integer, take_right, next_right, right));
    });
  }

  Emitter& m_;
  loops::Builder& b_;
  const Node& n_;
  const Place& place_;
  BufferId keys_, merged_, merged_keys_;
  Coordinates at_;
  Register base_, zero_, one_, count_;
};

}  // namespace

void emit_order(Emitter& m, Expr e, const Place& place, BufferId keys, BufferId merged, BufferId merged_keys) {
  const Node n = m.graph()[e];
  Order(m, n, place, keys, merged, merged_keys).run();
}

}  // namespace gradus::planning
