// The loop form of logistic loss and gradient: one pass over X in tiles of eight rows.
#include "bench/logistic_form.hpp"

#include <vector>

namespace gradus::bench {
namespace {

using namespace loops;

// Names for the arithmetic of one phase.
struct Writer {
  Builder b;
  explicit Writer(Phase& phase) : b(phase) {}
  Register i(std::int64_t v) { return b.integer(v); }
  Register add(Register x, Register y) { return b.emit(Op::integer_add, Type::integer, x, y); }
  Register add(Register x, std::int64_t y) { return add(x, i(y)); }
  Register sub(Register x, Register y) { return b.emit(Op::integer_subtract, Type::integer, x, y); }
  Register mul(Register x, Register y) { return b.emit(Op::integer_multiply, Type::integer, x, y); }
  Register div(Register x, std::int64_t y) { return b.emit(Op::integer_divide, Type::integer, x, i(y)); }
  Register min(Register x, Register y) { return b.emit(Op::integer_min, Type::integer, x, y); }
  Register less(Register x, Register y) { return b.emit(Op::integer_less, Type::truth, x, y); }
  Register below(Register count) {  // lanes k < count
    return b.emit(Op::integer_less, Type::truths, b.emit(Op::lane_index, Type::integers), b.broadcast(count));
  }
  Register num(Op op, Register x, Register y = {}, Register z = {}) { return b.emit(op, Type::numbers, x, y, z); }
  Register zeros() { return b.broadcast(b.number(0)); }
  Register variable(Register initial) {
    const Register r = b.fresh(b.type(initial));
    b.assign(r, initial);
    return r;
  }
};

struct Buffers {
  BufferId x, y, w, b, loss, grad_w, grad_b, part_loss, part_w, part_b;
};

// The pass over one block of rows.
class Pass {
 public:
  Pass(Phase& phase, const Buffers& buffers, const Shape& shape, Size n, Size d)
      : w_(phase), b_(w_.b), at_(buffers), shape_(shape), n_size_(n), d_size_(d) {
    phase.blocked = true;
    phase.block = b_.fresh(Type::integer);
    b_.in_count_body();
    phase.count = w_.div(w_.add(b_.size(n), shape.block_rows - 1), shape.block_rows);
    b_.in_body();
    block_ = phase.block;
  }

  void write() {
    n_ = b_.size(n_size_);
    d_ = b_.size(d_size_);
    whole_ = w_.mul(w_.div(d_, 8), w_.i(8));  // columns in whole vectors
    rest_ = w_.below(w_.sub(d_, whole_));
    has_rest_ = w_.less(whole_, d_);
    bias_ = b_.broadcast(b_.load(at_.b, w_.i(0), Type::number));
    base_ = w_.mul(block_, d_);  // of this block's gradient
    const Register first = w_.mul(block_, w_.i(shape_.block_rows));
    const Register last = w_.min(n_, w_.add(first, shape_.block_rows));
    const Register tiled = w_.add(first, w_.mul(w_.div(w_.sub(last, first), 8), w_.i(8)));
    loss_ = w_.variable(w_.zeros());
    bias_sum_ = w_.variable(w_.zeros());
    b_.loop(w_.i(0), d_, 1, [&](Register j) { b_.store(at_.part_w, w_.add(base_, j), b_.number(0)); });
    b_.loop(first, tiled, 8, [&](Register row) { tile(row); });
    b_.branch(w_.less(tiled, last), [&] { tail(tiled, w_.sub(last, tiled)); });
    b_.store(at_.part_loss, block_, b_.emit(Op::fold_add, Type::number, loss_));
    b_.store(at_.part_b, block_, b_.emit(Op::fold_add, Type::number, bias_sum_));
  }

 private:
  // Dot products of `count` rows with w, each in 8 lanes along the columns.
  std::vector<Register> dots(Register start, int count) {
    std::vector<Register> sums, rows;
    for (int r = 0; r < count; ++r) {
      sums.push_back(w_.variable(w_.zeros()));
      rows.push_back(r == 0 ? start : w_.add(rows.back(), d_));
    }
    const auto step = [&](Register j, Register mask) {
      const Register weights = b_.load_lanes(at_.w, j, Type::numbers, mask);
      for (int r = 0; r < count; ++r) {
        const auto k = static_cast<std::size_t>(r);
        const Register x = b_.load_lanes(at_.x, w_.add(rows[k], j), Type::numbers, mask);
        b_.assign(sums[k], w_.num(Op::fma, x, weights, sums[k]));
      }
    };
    Register from = w_.i(0);
    if (shape_.unroll > 1) {
      const std::int64_t width = 8 * shape_.unroll;
      from = w_.mul(w_.div(d_, width), w_.i(width));
      b_.loop(w_.i(0), from, width, [&](Register j) {
        for (int u = 0; u < shape_.unroll; ++u) step(w_.add(j, 8 * u), {});
      });
    }
    b_.loop(from, whole_, 8, [&](Register j) { step(j, {}); });
    b_.branch(has_rest_, [&] { step(whole_, rest_); });
    std::vector<Register> results;
    for (const Register s : sums) results.push_back(b_.emit(Op::fold_add, Type::number, s));
    return results;
  }

  // Loss and residual of 8 rows.
  Register elementwise(Register dots, Register y, Register mask) {
    const Register z = w_.num(Op::add, dots, bias_);
    const Register loss =
        w_.num(Op::subtract, b_.function(Function::softplus, Type::numbers, z), w_.num(Op::multiply, y, z));
    const Register r = w_.num(Op::subtract, b_.function(Function::sigmoid, Type::numbers, z), y);
    const auto counted = [&](Register v) { return mask.valid() ? w_.num(Op::select, mask, v, w_.zeros()) : v; };
    b_.assign(loss_, w_.num(Op::add, loss_, counted(loss)));
    b_.assign(bias_sum_, w_.num(Op::add, bias_sum_, counted(r)));
    return r;
  }

  // grad += r_t x_t for the rows of a tile, in their order.
  void update(Register start, const std::vector<Register>& residuals) {
    std::vector<Register> rows;
    for (std::size_t r = 0; r < residuals.size(); ++r) rows.push_back(r == 0 ? start : w_.add(rows.back(), d_));
    const auto step = [&](Register j, int vectors, Register mask) {
      std::vector<Register> g, places;
      for (int v = 0; v < vectors; ++v) {
        places.push_back(w_.add(j, 8 * v));
        g.push_back(b_.load_lanes(at_.part_w, w_.add(base_, places.back()), Type::numbers, mask));
      }
      for (std::size_t r = 0; r < rows.size(); ++r)
        for (std::size_t v = 0; v < g.size(); ++v)
          g[v] = w_.num(Op::fma, residuals[r], b_.load_lanes(at_.x, w_.add(rows[r], places[v]), Type::numbers, mask),
                        g[v]);
      for (std::size_t v = 0; v < g.size(); ++v) b_.store_lanes(at_.part_w, w_.add(base_, places[v]), g[v], mask);
    };
    const std::int64_t width = 8 * shape_.columns;
    const Register wide = w_.mul(w_.div(d_, width), w_.i(width));
    b_.loop(w_.i(0), wide, width, [&](Register j) { step(j, shape_.columns, {}); });
    if (shape_.columns > 1) b_.loop(wide, whole_, 8, [&](Register j) { step(j, 1, {}); });
    b_.branch(has_rest_, [&] { step(whole_, 1, rest_); });
  }

  void tile(Register row) {
    const Register start = w_.mul(row, d_), half = w_.mul(w_.i(shape_.rows), d_);
    Register all = w_.zeros(), place = start;
    for (int r = 0; r < 8; r += shape_.rows) {
      const std::vector<Register> z = dots(place, shape_.rows);
      for (int k = 0; k < shape_.rows; ++k) all = b_.insert(all, r + k, z[static_cast<std::size_t>(k)]);
      place = w_.add(place, half);
    }
    const Register next = w_.add(start, w_.mul(w_.i(8), d_));
    for (std::int64_t p = 0; p < shape_.prefetch / 8; p += 8) b_.prefetch(at_.x, w_.add(next, p));
    const Register r = elementwise(all, b_.load_lanes(at_.y, row, Type::numbers), {});
    std::vector<Register> residuals;
    for (int k = 0; k < 8; ++k) residuals.push_back(b_.broadcast(b_.extract(r, k)));
    update(start, residuals);
  }

  // Fewer than 8 rows: the same sums, row by row.
  void tail(Register row, Register count) {
    const Register all = w_.variable(w_.zeros());
    const Register lane = b_.emit(Op::lane_index, Type::integers);
    b_.loop(w_.i(0), count, 1, [&](Register k) {
      const Register z = dots(w_.mul(w_.add(row, k), d_), 1)[0];
      const Register here = b_.emit(Op::integer_equal, Type::truths, lane, b_.broadcast(k));
      b_.assign(all, w_.num(Op::select, here, b_.broadcast(z), all));
    });
    const Register mask = w_.below(count);
    const Register r = elementwise(all, b_.load_lanes(at_.y, row, Type::numbers, mask), mask);
    b_.loop(w_.i(0), count, 1, [&](Register k) {
      const Register here = b_.emit(Op::integer_equal, Type::truths, lane, b_.broadcast(k));
      const Register one = b_.emit(Op::fold_add, Type::number, w_.num(Op::select, here, r, w_.zeros()));
      update(w_.mul(w_.add(row, k), d_), {b_.broadcast(one)});
    });
  }

  Writer w_;
  Builder& b_;
  const Buffers& at_;
  const Shape& shape_;
  Size n_size_, d_size_;
  Register block_, n_, d_, whole_, rest_, has_rest_, bias_, base_, loss_, bias_sum_;
};

// Blocks in a binary tree; here simply in sequence, since their number is small.
void combine(Phase& phase, const Buffers& at, const Shape& shape, Size n_size, Size d_size) {
  Writer w(phase);
  Builder& b = w.b;
  const Register n = b.size(n_size), d = b.size(d_size);
  const Register blocks = w.div(w.add(n, shape.block_rows - 1), shape.block_rows);
  const Register count = b.emit(Op::to_number, Type::number, n);
  const auto finish = [&](BufferId parts, Register first, Register stride, BufferId out, Register place) {
    const Register sum = w.variable(b.number(0));
    b.loop(w.i(0), blocks, 1, [&](Register k) {
      const Register part = b.load(parts, w.add(first, w.mul(k, stride)), Type::number);
      b.assign(sum, b.emit(Op::add, Type::number, sum, part));
    });
    b.store(out, place, b.emit(Op::divide, Type::number, sum, count));
  };
  finish(at.part_loss, w.i(0), w.i(1), at.loss, w.i(0));
  finish(at.part_b, w.i(0), w.i(1), at.grad_b, w.i(0));
  b.loop(w.i(0), d, 1, [&](Register j) { finish(at.part_w, j, d, at.grad_w, j); });
}

}  // namespace

std::unique_ptr<Logistic> logistic_form(const Shape& shape) {
  auto form = std::make_unique<Logistic>();
  Sizes& s = form->sizes;
  Program& p = form->program;
  const Size n = s.symbol("n"), d = s.symbol("d"), one = s.constant(1);
  p.sizes = &s;
  p.size_names = {"n", "d"};
  p.outputs = 3;
  const auto add = [&](const char* name, Buffer::Scope scope, Size elements, std::uint32_t number = 0) {
    p.buffers.push_back({name, scope, false, elements, number});
    return BufferId{static_cast<std::uint32_t>(p.buffers.size() - 1)};
  };
  using Scope = Buffer::Scope;
  // Sizes are polynomials: n + 1 bounds the number of blocks well enough for a bench.
  const Size blocks = s.add(n, one);
  const Buffers at = {add("X", Scope::input, s.multiply(n, d), 0),
                      add("y", Scope::input, n, 1),
                      add("w", Scope::input, d, 2),
                      add("b", Scope::input, one, 3),
                      add("loss", Scope::output, one, 0),
                      add("grad_w", Scope::output, d, 1),
                      add("grad_b", Scope::output, one, 2),
                      add("part_loss", Scope::workspace, blocks),
                      add("part_w", Scope::workspace, s.multiply(s.constant(256), d)),
                      add("part_b", Scope::workspace, blocks)};
  p.phases.resize(2);
  Pass(p.phases[0], at, shape, n, d).write();
  combine(p.phases[1], at, shape, n, d);
  return form;
}

}  // namespace gradus::bench
