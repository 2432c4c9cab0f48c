// Sums that add to computed places, running sums, argmax and argmin, and loops over axes.
#include <algorithm>
#include <limits>

#include "codegen/plan/nest.hpp"
#include "codegen/plan/reducer.hpp"
#include "codegen/plan/roles.hpp"

namespace gradus::planning {
namespace {

class Axes {
 public:
  Axes(Emitter& m, const std::vector<Size>& axes, std::optional<Label> stream, Rows rows,
       const std::function<void(const Coordinates&)>& body)
      : m_(m), axes_(axes), stream_(stream), rows_(rows), body_(body), at_(axes.size()) {}

  void run(std::size_t k = 0) {
    if (k == axes_.size()) return body_(at_);
    const bool rows = stream_ == static_cast<Label>(k);
    const Register begin = rows ? rows_.begin : m_.integer(0), end = rows ? rows_.end : m_.size(axes_[k]);
    const bool lanes = k + 1 == axes_.size();
    m_.loop(begin, end, lanes ? loops::lanes : 1, [&](Register v) {
      at_[k] = lanes ? m_.lanes_from(v) : m_.scalar(v);
      if (lanes)
        m_.masked(v, end, [&] { run(k + 1); });
      else
        run(k + 1);
    });
  }

 private:
  Emitter& m_;
  const std::vector<Size>& axes_;
  std::optional<Label> stream_;
  Rows rows_;
  const std::function<void(const Coordinates&)>& body_;
  Coordinates at_;
};

/// Loops over a list of labels in order; the last in lanes if asked for.
class Labels {
 public:
  Labels(Emitter& m, const Node& n, std::optional<Label> stream, Rows rows)
      : m_(m), n_(n), stream_(stream), rows_(rows) {
    at.resize(n.labels.size());
  }
  void run(const std::vector<Label>& order, std::optional<Label> lane, const std::function<void()>& body,
           std::size_t k = 0) {
    if (k == order.size()) return body();
    const Label l = order[k];
    const bool rows = stream_ == l;
    const Register begin = rows ? rows_.begin : m_.integer(0), end = rows ? rows_.end : m_.size(n_.labels[l]);
    m_.loop(begin, end, lane == l ? loops::lanes : 1, [&](Register v) {
      at[l] = lane == l ? m_.lanes_from(v) : m_.scalar(v);
      if (lane == l)
        m_.masked(v, end, [&] { run(order, lane, body, k + 1); });
      else
        run(order, lane, body, k + 1);
    });
  }
  Coordinates at;

 private:
  Emitter& m_;
  const Node& n_;
  std::optional<Label> stream_;
  Rows rows_;
};

/// A sum, product or other reduction of what a scan has passed.
class RunningReduction {
 public:
  RunningReduction(Emitter& m, Expr e) : m_(m), reducer_(m, e) {}

  void start(bool lanes) {
    sum_ = m_.builder().fresh(lanes ? Type::numbers : Type::number);
    const Register neutral = m_.number(reducer_.neutral());
    m_.builder().assign(sum_, lanes ? m_.widen(neutral) : neutral);
  }
  void step(const Coordinates& labels, Register mask) {
    const Register next = reducer_.step(sum_, labels, mask);
    m_.builder().assign(sum_, m_.is_vector(sum_) ? m_.widen(next) : next);
  }
  Register value(const Coordinates& axes) { return reducer_.finish(sum_, axes); }

 private:
  Emitter& m_;
  Reducer reducer_;
  Register sum_;
};

/// Σ w·exp(x) of what a scan has passed, as sum·exp(shift): where x rises far above the shift, the shift follows it and
/// the sum shrinks (the running form of the maximum that a logsumexp subtracts).
class RunningExponentials {
 public:
  RunningExponentials(Emitter& m, const Node& n) : m_(m), n_(n) {}

  void start(bool lanes) {
    const auto begin = [&](double value) {
      const Register r = m_.builder().fresh(lanes ? Type::numbers : Type::number);
      m_.builder().assign(r, lanes ? m_.widen(m_.number(value)) : m_.number(value));
      return r;
    };
    sum_ = begin(0);
    shift_ = begin(-std::numeric_limits<double>::infinity());
  }

  void step(const Coordinates& labels, Register mask) {
    const Register w = m_.to_number(m_.operand(n_, n_.operands[0], labels));
    const Register x = m_.to_number(m_.operand(n_, n_.operands[1], labels));
    // exp(12) times what fits: terms above the shift neither overflow nor make it follow each small rise.
    const Register rises = m_.apply(Function::less, {m_.number_op(Op::add, shift_, m_.number(12)), x});
    const Register distance = m_.number_op(Op::subtract, x, shift_);
    const Register away = m_.number_op(Op::negate, m_.apply(Function::abs, {distance}));
    // Two infinities of one sign are no distance apart.
    const Register exponent =
        m_.select(m_.apply(Function::equal, {x, shift_}), m_.number(0), m_.select(rises, away, distance));
    const Register factor = m_.apply(Function::exp, {exponent});
    const Register shrunk = m_.number_op(Op::fma, sum_, factor, w), grown = m_.number_op(Op::fma, w, factor, sum_);
    assign(sum_, m_.select(rises, shrunk, grown), mask);
    assign(shift_, m_.select(rises, x, shift_), mask);
  }

  /// v·sum·exp(shift - y); 0 where nothing but exp(-inf) was summed.
  Register value(const Coordinates& axes) {
    Coordinates labels = axes;
    labels.resize(n_.labels.size());
    const Register y = m_.to_number(m_.operand(n_, n_.operands[2], labels));
    const Register v = m_.to_number(m_.operand(n_, n_.operands[3], labels));
    const Register scale = m_.apply(Function::exp, {m_.number_op(Op::subtract, shift_, y)});
    const Register sum = m_.number_op(Op::multiply, m_.number_op(Op::multiply, sum_, scale), v);
    const Register least = m_.number(-std::numeric_limits<double>::infinity());
    return m_.select(m_.apply(Function::equal, {shift_, least}), m_.number(0), sum);
  }

 private:
  void assign(Register to, Register value, Register mask) {
    if (mask.valid()) value = m_.select(mask, value, to);
    m_.builder().assign(to, m_.is_vector(to) ? m_.widen(value) : value);
  }

  Emitter& m_;
  const Node& n_;
  Register sum_, shift_;
};

/// One step an element along the axis of a scan, the running value written before it or after it.
template <class Running>
void scan_with(Running& running, Emitter& m, const Node& n, const Scan& scan, std::optional<Label> stream, Rows rows,
               const Sink& sink) {
  std::vector<Label> order, bound;
  if (stream) order.push_back(*stream);
  for (Label l = 0; l < n.rank; ++l)
    if (l != scan.axis && stream != l) order.push_back(l);
  for (Label l = n.rank; l < n.labels.size(); ++l)
    if (l != scan.bound) bound.push_back(l);
  std::optional<Label> lane;
  if (!order.empty() && order.back() + 1 == n.rank && stream != order.back()) lane = order.back();
  std::vector<char> skip(n.guards.size(), 0);
  skip[scan.guard] = 1;
  Labels labels(m, n, stream, rows);
  labels.run(order, lane, [&] {
    running.start(lane.has_value());
    const Register end = m.size(n.labels[scan.bound]);
    m.loop(m.integer(0), end, 1, [&](Register v) {
      const Register place = scan.descending ? m.subtract(m.subtract(end, m.integer(1)), v) : v;
      labels.at[scan.axis] = labels.at[scan.bound] = m.scalar(place);
      const auto write = [&] {
        const Coordinates axes(labels.at.begin(), labels.at.begin() + n.rank);
        m.store(sink.place, axes, running.value(axes), sink.offset);
      };
      if (scan.exclusive) write();
      labels.run(bound, std::nullopt, [&] {
        where_chosen(m, n, skip, labels.at, {}, [&](Register mask) { running.step(labels.at, mask); });
      });
      if (!scan.exclusive) write();
    });
  });
}

}  // namespace

void emit_axes(Emitter& m, const std::vector<Size>& axes, std::optional<Label> stream, Rows rows,
               const std::function<void(const Coordinates&)>& body) {
  Axes(m, axes, stream, rows, body).run();
}

namespace {

/// Runs `add` where `on` (if it is there) and the guards that are not skipped hold, with the lanes for which they do:
/// where nothing is chosen nothing is read.
template <class Add>
void where_chosen(Emitter& m, const Node& n, const std::vector<char>& skip, const Coordinates& at, Register on,
                  const Add& add) {
  Register scalar_guards, lane_guards;
  const auto need = [&](Register condition) {
    Register& all = m.is_vector(condition) ? lane_guards : scalar_guards;
    all = m.truth_and(all, condition);
  };
  for (std::size_t k = 0; k < n.guards.size(); ++k)
    if (skip[k] == 0) need(m.guard(n, n.guards[k], at));
  if (on.valid()) need(on);
  if (scalar_guards.valid())
    m.branch(scalar_guards, [&] { add(lane_guards); });
  else
    add(lane_guards);
}

}  // namespace

void emit_scatter(Emitter& m, Expr e, std::optional<Label> stream, Rows rows, const Sink& sink) {
  const Node n = m.graph()[e];
  const auto solved = solved_outputs(m.graph(), n);
  if (!sink.running) {
    const std::vector<Size> axes(n.labels.begin(), n.labels.begin() + n.rank);
    const auto streamed = stream && *stream < n.rank ? stream : std::nullopt;
    emit_axes(m, axes, streamed, rows,
              [&](const Coordinates& at) { m.store(sink.place, at, m.number(0), sink.offset); });
  }
  std::vector<char> is_solved(n.labels.size(), 0), skip(n.guards.size(), 0), in_solution(n.labels.size(), 0);
  for (const auto& s : solved) {
    is_solved[s.label] = 1;
    skip[s.guard] = 1;
    Graph::each_label(n.guards[s.guard].affine, [&](Label l) { in_solution[l] = 1; });
  }
  // The stream first, then what is summed, then the axes: within one row the sum runs in the order of its labels.
  std::vector<Label> order;
  if (stream) order.push_back(*stream);
  for (Label l = n.rank; l < n.labels.size(); ++l)
    if (stream != l) order.push_back(l);
  std::optional<Label> lane;
  for (Label l = 0; l < n.rank; ++l) {
    if (stream == l || is_solved[l] != 0) continue;
    order.push_back(l);
    // Lanes write different places only along an axis that no solution moves.
    if (l + 1 == n.rank && in_solution[l] == 0) lane = l;
  }
  Labels labels(m, n, stream, rows);
  labels.run(order, lane, [&] {
    Register on;
    for (const auto& s : solved) {
      Subscript rest = n.guards[s.guard].affine;
      std::erase_if(rest.labels, [&](const LabelTerm& t) { return t.label == s.label; });
      const Coordinate c = m.subscript(rest, labels.at, n.labels);
      const Register r = m.to_register(c);
      const Register value = s.negative ? r : m.subtract(m.integer(0), r);
      labels.at[s.label] = m.is_vector(value) ? Coordinate{{}, {}, value} : m.scalar(value);
      on = m.truth_and(on, m.compare(Op::integer_less_equal, m.integer(0), value));
      on = m.truth_and(on, m.compare(Op::integer_less, value, m.size(n.labels[s.label])));
    }
    const auto add = [&](Register mask) {
      std::vector<std::size_t> all(n.operands.size());
      for (std::size_t k = 0; k < all.size(); ++k) all[k] = k;
      const Register term = m.product(n, all, n.coefficients[0], labels.at);
      const Coordinates axes(labels.at.begin(), labels.at.begin() + n.rank);
      const Coordinate flat = m.address(sink.place, axes, sink.offset);
      loops::Builder& b = m.builder();
      if (flat.uniform()) {
        b.store(sink.place.buffer, flat.base,
                m.number_op(Op::add, b.load(sink.place.buffer, flat.base, Type::number), term));
        return;
      }
      if (m.lane_mask().valid()) mask = m.truth_and(mask, m.lane_mask());
      if (mask.valid()) mask = m.widen(mask);
      if (flat.step.valid() && m.known(flat.step) == 1) {
        const Register old = b.load_lanes(sink.place.buffer, flat.base, Type::numbers, mask);
        b.store_lanes(sink.place.buffer, flat.base, m.widen(m.number_op(Op::add, old, term)), mask);
      } else {
        const Register where = m.to_register(flat);
        const Register old = b.gather(sink.place.buffer, where, Type::numbers, mask);
        b.scatter(sink.place.buffer, where, m.widen(m.number_op(Op::add, old, term)), mask);
      }
    };
    where_chosen(m, n, skip, labels.at, on, add);
  });
}

void emit_scan(Emitter& m, Expr e, const Scan& scan, std::optional<Label> stream, Rows rows, const Sink& sink) {
  const Node n = m.graph()[e];
  if (n.kind == Kind::reduce && n.reduction == Reduction::exponentials) {
    RunningExponentials running(m, n);
    return scan_with(running, m, n, scan, stream, rows, sink);
  }
  RunningReduction running(m, e);
  scan_with(running, m, n, scan, stream, rows, sink);
}

void emit_search(Emitter& m, Expr e, std::optional<Label> stream, Rows rows, const Sink& sink) {
  const Node n = m.graph()[e];
  std::vector<Label> order, bound;
  for (Label l = 0; l < n.rank; ++l) order.push_back(l);
  for (Label l = n.rank; l < n.labels.size(); ++l) bound.push_back(l);
  Labels labels(m, n, stream, rows);
  loops::Builder& b = m.builder();
  labels.run(order, std::nullopt, [&] {
    const Register best = b.fresh(Type::number), position = b.fresh(Type::number), seen = b.fresh(Type::truth);
    b.assign(best, m.number(0));
    b.assign(position, m.apply(Function::not_a_number, {}));
    b.assign(seen, b.emit(Op::truth_constant, Type::truth));
    labels.run(bound, std::nullopt, [&] {
      const Register x = m.to_number(m.operand(n, n.operands[0], labels.at));
      const Register beats = n.reduction == Reduction::argmax ? b.emit(Op::less, Type::truth, best, x)
                                                              : b.emit(Op::less, Type::truth, x, best);
      Register take = b.emit(Op::truth_or, Type::truth, b.emit(Op::truth_not, Type::truth, seen), beats);
      take = m.truth_and(take, m.guards(n, labels.at));
      b.assign(best, b.emit(Op::select, Type::number, take, x, best));
      b.assign(position, b.emit(Op::select, Type::number, take,
                                m.pure(Op::to_number, Type::number, labels.at[n.rank].base), position));
      b.assign(seen, b.emit(Op::truth_or, Type::truth, seen, take));
    });
    m.store(sink.place, {labels.at.begin(), labels.at.begin() + n.rank}, position, sink.offset);
  });
}

}  // namespace gradus::planning
