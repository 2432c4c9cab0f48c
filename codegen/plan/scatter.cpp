// Sums that add to computed places, running sums, argmax and argmin, and loops over axes.
#include <algorithm>

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
  Reducer reducer(m, e);
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
  loops::Builder& b = m.builder();
  labels.run(order, lane, [&] {
    const auto wide = [&](Register r) { return lane ? m.widen(r) : r; };
    const Register sum = b.fresh(lane ? Type::numbers : Type::number);
    b.assign(sum, wide(m.number(reducer.neutral())));
    const Register end = m.size(n.labels[scan.bound]);
    m.loop(m.integer(0), end, 1, [&](Register v) {
      const Register place = scan.descending ? m.subtract(m.subtract(end, m.integer(1)), v) : v;
      labels.at[scan.axis] = labels.at[scan.bound] = m.scalar(place);
      const auto write = [&] {
        const Coordinates axes(labels.at.begin(), labels.at.begin() + n.rank);
        m.store(sink.place, axes, reducer.finish(sum, axes), sink.offset);
      };
      if (scan.exclusive) write();
      labels.run(bound, std::nullopt, [&] {
        where_chosen(m, n, skip, labels.at, {},
                     [&](Register mask) { b.assign(sum, wide(reducer.step(sum, labels.at, mask))); });
      });
      if (!scan.exclusive) write();
    });
  });
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
