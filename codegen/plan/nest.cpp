// Loop nests of single reductions.
#include "codegen/plan/nest.hpp"

#include <algorithm>

#include "codegen/plan/reducer.hpp"

namespace gradus::planning {
namespace {

class Nest {
 public:
  Nest(Emitter& m, Expr e, const Shape& shape, std::optional<Label> stream, Rows rows, const Sink& sink)
      : m_(m), n_(m.graph()[e]), reducer_(m, e), shape_(shape), stream_(stream), tile_(rows), sink_(sink) {
    at_.resize(n_.labels.size());
    set_.resize(n_.labels.size(), 0);
    skip_.resize(n_.guards.size(), 0);
    for (Label l = 0; l < n_.labels.size(); ++l) {
      if (shape_.lane == l || shape_.row == l) continue;
      (l < n_.rank ? outer_ : bound_).push_back(l);
    }
    // The stream is the outermost loop of its kind: memory is walked in its order.
    for (auto* list : {&outer_, &bound_}) std::ranges::stable_partition(*list, [&](Label l) { return stream_ == l; });
  }

  void run() { outer(0); }

 private:
  struct Bounds {
    Register begin, end;
  };

  /// The range of a label: affine guards that only need what is known already become its bounds.
  Bounds bounds(Label l, std::vector<std::size_t>& used) {
    if (stream_ == l) return {tile_.begin, tile_.end};
    Bounds b{m_.integer(0), m_.size(n_.labels[l])};
    if (l < n_.rank) return b;  // what the guards leave out is 0, and is written
    for (std::size_t k = 0; k < n_.guards.size(); ++k) {
      const Guard& g = n_.guards[k];
      if (g.kind != Guard::Kind::nonnegative || skip_[k] != 0 || !g.affine.data.empty()) continue;
      Subscript rest = g.affine;
      std::int64_t sign = 0;
      bool ready = true;
      for (std::size_t t = rest.labels.size(); t-- > 0;) {
        const Label other = rest.labels[t].label;
        if (other == l) {
          sign = m_.graph().sizes().as_constant(rest.labels[t].coefficient).value_or(0);
          rest.labels.erase(rest.labels.begin() + static_cast<std::ptrdiff_t>(t));
        } else {
          ready &= set_[other] != 0 && at_[other].uniform() && (shape_.rows == 1 || shape_.row != other);
        }
      }
      if (!ready || (sign != 1 && sign != -1)) continue;
      const Register r = m_.subscript(rest, at_, n_.labels).base;
      if (sign == 1)  // l >= -rest
        b.begin = m_.maximum(b.begin, m_.subtract(m_.integer(0), r));
      else  // l <= rest
        b.end = m_.minimum(b.end, m_.add(r, m_.integer(1)));
      skip_[k] = 1;
      used.push_back(k);
    }
    return b;
  }

  /// Runs `body` with the label's bounds known and the guards that they stand for left out.
  template <class F>
  void with_bounds(Label l, F&& body) {
    std::vector<std::size_t> used;
    const Bounds b = bounds(l, used);
    body(b);
    for (const std::size_t k : used) skip_[k] = 0;
  }

  /// Computes operands that are now fully determined, outside the loops further in.
  void hoist(Label just_set) {
    for (const std::size_t k : reducer_.inner()) {
      bool ready = false, all = true;
      Graph::each_label(n_.operands[k], [&](Label l) {
        ready |= l == just_set;
        all &= set_[l] != 0;
      });
      if (ready && all) m_.factor(n_, n_.operands[k], at_);
    }
  }

  void outer(std::size_t k) {
    if (k == outer_.size()) return row();
    const Label l = outer_[k];
    with_bounds(l, [&](Bounds b) {
      m_.loop(b.begin, b.end, 1, [&](Register v) {
        at_[l] = m_.scalar(v);
        set_[l] = 1;
        hoist(l);
        outer(k + 1);
        set_[l] = 0;
      });
    });
  }

  /// The end of the last full step from `begin`.
  Register full(Bounds b, int step) {
    const Register s = m_.integer(step);
    return m_.add(b.begin, m_.multiply(m_.divide(m_.maximum(m_.subtract(b.end, b.begin), m_.integer(0)), s), s));
  }

  void row() {
    if (!shape_.row) {
      count_ = 1;
      return lanes();
    }
    const Label l = *shape_.row;
    with_bounds(l, [&](Bounds b) {
      const auto rows = [&](Register from, Register to, int count) {
        m_.loop(from, to, count, [&](Register v) {
          count_ = count;
          row_ = v;
          set_row(0);
          set_[l] = 1;
          if (count == 1) hoist(l);
          lanes();
          set_[l] = 0;
        });
      };
      if (shape_.rows == 1) return rows(b.begin, b.end, 1);
      const bool eight = shape_.lane_bound && !sink_.running;
      const Register middle = full(b, eight ? loops::lanes : shape_.rows);
      if (eight)
        m_.loop(b.begin, middle, loops::lanes, [&](Register v) { eight_rows(v); });
      else
        rows(b.begin, middle, shape_.rows);
      rows(middle, b.end, 1);
    });
  }

  /// Sums in lanes of eight rows, a few side by side; their results become the lanes of one vector.
  void eight_rows(Register first) {
    const Label l = *shape_.row;
    sums_.clear();
    set_[l] = 1;
    for (int r = 0; r < loops::lanes; r += shape_.rows) {
      count_ = shape_.rows;
      row_ = m_.add(first, m_.integer(r));
      lanes();
    }
    set_[l] = 0;
    Register all = m_.widen(m_.number(0));
    for (int r = 0; r < loops::lanes; ++r) all = m_.builder().insert(all, r, sums_[static_cast<std::size_t>(r)]);
    at_[l] = m_.lanes_from(first);
    m_.store(sink_.place, axes(), reducer_.finish(all, axes()), sink_.offset);
  }

  void set_row(int u) {
    if (shape_.row) at_[*shape_.row] = m_.scalar(m_.add(row_, m_.integer(u)));
  }

  void lanes() {
    if (!shape_.lane || shape_.lane_bound) return accumulate(1);
    const Label l = *shape_.lane;
    set_[l] = 1;
    with_bounds(l, [&](Bounds b) {
      each_lanes(b, [&](Register v) {
        lane_ = v;
        accumulate(shape_.vectors);
      });
    });
    set_[l] = 0;
  }

  /// Loops over a range in lanes, several vectors side by side; what does not fill them all is masked. Rows left over
  /// and long bodies have the masked form only. Which vector an element belongs to is the same in all of them.
  template <class F>
  void each_lanes(Bounds b, F&& body) {
    const int step = shape_.vectors * loops::lanes;
    const auto masked = [&](Register v) {
      for (int k = 0; k < shape_.vectors; ++k)
        masks_.push_back(m_.lanes_before(m_.add(v, m_.integer(std::int64_t{k} * loops::lanes)), b.end));
      body(v);
      masks_.clear();
      m_.set_lane_mask({});
    };
    if (shape_.short_code || (shape_.row && count_ < shape_.rows)) {
      m_.loop(b.begin, b.end, step, masked);
      return;
    }
    const Register rest = full(b, step);
    m_.loop(b.begin, rest, step, body);
    m_.branch(m_.compare(Op::integer_less, rest, b.end), [&] { masked(rest); });
  }

  Register& accumulator(int u, int v) {
    return accumulators_[static_cast<std::size_t>(u) * static_cast<std::size_t>(stride_) + static_cast<std::size_t>(v)];
  }

  /// Address of the running accumulator of the current result, vector `v` of it.
  Coordinate state_address(int v) {
    Coordinate c = m_.address(sink_.place, axes(), {});
    if (shape_.lane_bound) {
      c = m_.scale(c, m_.graph().sizes().constant(shape_.state()));
      c = m_.add(c, m_.lanes_from(m_.integer(std::int64_t{v} * loops::lanes)));
    }
    if (sink_.offset.valid()) c = m_.add(c, m_.scalar(sink_.offset));
    return c;
  }
  Coordinates axes() const { return {at_.begin(), at_.begin() + n_.rank}; }

  void set_lane(int v) {
    at_[*shape_.lane] = m_.lanes_from(m_.add(lane_, m_.integer(std::int64_t{v} * loops::lanes)));
    m_.set_lane_mask(masks_.empty() ? Register{} : masks_[static_cast<std::size_t>(v)]);
  }
  void set_output_lane(int v) {
    if (shape_.lane && !shape_.lane_bound) set_lane(v);
  }

  void accumulate(int vectors) {
    const bool lanes = shape_.lane.has_value();
    const int per_row = shape_.lane_bound ? shape_.vectors : vectors;
    stride_ = per_row;
    vectors_ = vectors;
    accumulators_.assign(static_cast<std::size_t>(count_) * static_cast<std::size_t>(per_row), Register{});
    loops::Builder& b = m_.builder();
    for (int u = 0; u < count_; ++u)
      for (int v = 0; v < per_row; ++v) {
        set_row(u);
        set_output_lane(v);
        Register start = m_.number(reducer_.neutral());
        if (lanes) start = m_.widen(start);
        if (sink_.running) start = load_state(v);
        accumulator(u, v) = b.fresh(lanes ? Type::numbers : Type::number);
        b.assign(accumulator(u, v), start);
      }
    inner(0);
    for (int u = 0; u < count_; ++u) {
      set_row(u);
      finish(u, per_row);
    }
  }

  Register load_state(int v) {
    const Coordinate c = state_address(v);
    if (c.uniform()) return m_.builder().load(sink_.place.buffer, c.base, Type::number);
    const Register mask = shape_.lane_bound ? Register{} : m_.lane_mask();
    if (m_.known(c.step) == 1) return m_.builder().load_lanes(sink_.place.buffer, c.base, Type::numbers, mask);
    return m_.builder().gather(sink_.place.buffer, m_.to_register(c), Type::numbers, mask);
  }

  void store_state(int v, Register value) {
    const Coordinate c = state_address(v);
    if (c.uniform()) return m_.builder().store(sink_.place.buffer, c.base, value);
    const Register mask = shape_.lane_bound ? Register{} : m_.lane_mask();
    if (m_.known(c.step) == 1) return m_.builder().store_lanes(sink_.place.buffer, c.base, value, mask);
    m_.builder().scatter(sink_.place.buffer, m_.to_register(c), value, mask);
  }

  void inner(std::size_t k) {
    if (k == bound_.size()) {
      if (shape_.lane_bound) return lanes_summed();
      for (int u = 0; u < count_; ++u)
        for (int v = 0; v < vectors_; ++v) {
          set_row(u);
          set_output_lane(v);
          step(u, v, {});
        }
      return;
    }
    const Label l = bound_[k];
    with_bounds(l, [&](Bounds b) {
      m_.loop(b.begin, b.end, 1, [&](Register v) {
        at_[l] = m_.scalar(v);
        set_[l] = 1;
        if (count_ == 1 && vectors_ == 1) hoist(l);
        inner(k + 1);
        set_[l] = 0;
      });
    });
  }

  void lanes_summed() {
    const Label l = *shape_.lane;
    set_[l] = 1;
    with_bounds(l, [&](Bounds b) {
      each_lanes(b, [&](Register first) {
        lane_ = first;
        for (int v = 0; v < shape_.vectors; ++v)
          for (int u = 0; u < count_; ++u) {
            set_row(u);
            set_lane(v);
            step(u, v, m_.lane_mask());
          }
      });
    });
    set_[l] = 0;
  }

  void step(int u, int v, Register mask) {
    const Register on = m_.truth_and(mask, m_.guards(n_, at_, skip_));
    Register& a = accumulator(u, v);
    m_.builder().assign(a, reducer_.step(a, at_, on));
  }

  void finish(int u, int per_row) {
    if (sink_.running) {
      for (int v = 0; v < per_row; ++v) set_output_lane(v), store_state(v, accumulator(u, v));
      return;
    }
    if (shape_.lane_bound) {
      Register sum = accumulator(u, 0);
      for (int v = 1; v < per_row; ++v) sum = reducer_.merge(sum, accumulator(u, v));
      const Register result = reducer_.fold(sum);
      if (count_ > 1)
        sums_.push_back(result);
      else
        m_.store(sink_.place, axes(), reducer_.finish(result, axes()), sink_.offset);
      return;
    }
    for (int v = 0; v < per_row; ++v) {
      set_output_lane(v);
      m_.store(sink_.place, axes(), reducer_.finish(accumulator(u, v), axes()), sink_.offset);
    }
  }

  Emitter& m_;
  const Node& n_;
  Reducer reducer_;
  const Shape& shape_;
  std::optional<Label> stream_;
  Rows tile_;
  const Sink& sink_;
  std::vector<Label> outer_, bound_;
  Coordinates at_;
  std::vector<char> set_;   // labels whose coordinate is known
  std::vector<char> skip_;  // guards that loop bounds stand for
  std::vector<Register> accumulators_;
  std::vector<Register> sums_;   // of the rows of a vector of results so far
  std::vector<Register> masks_;  // of the vectors side by side; none: all lanes are on
  Register row_, lane_;
  int count_ = 1, vectors_ = 1, stride_ = 1;
};

}  // namespace

void emit_nest(Emitter& m, Expr e, const Shape& shape, std::optional<Label> stream, Rows rows, const Sink& sink) {
  Nest(m, e, shape, stream, rows, sink).run();
}

void emit_fold(Emitter& m, Expr e, const Shape& shape, const Place& from, const Place& to, Register to_offset) {
  const Node& n = m.graph()[e];
  Reducer reducer(m, e);
  const std::vector<Size> axes(n.labels.begin(), n.labels.begin() + n.rank);
  Coordinates at(axes.size());
  const std::function<void(std::size_t)> walk = [&](std::size_t k) {
    if (k < axes.size()) {
      m.loop(m.integer(0), m.size(axes[k]), 1, [&](Register v) {
        at[k] = m.scalar(v);
        walk(k + 1);
      });
      return;
    }
    const Register base = m.multiply(m.address(from, at).base, m.integer(shape.state()));
    Register sum;
    for (int v = 0; v < shape.vectors; ++v) {
      const Register part =
          m.builder().load_lanes(from.buffer, m.add(base, m.integer(std::int64_t{v} * loops::lanes)), Type::numbers);
      sum = sum.valid() ? reducer.merge(sum, part) : part;
    }
    m.store(to, at, reducer.fold(sum), to_offset);
  };
  walk(0);
}

}  // namespace gradus::planning
