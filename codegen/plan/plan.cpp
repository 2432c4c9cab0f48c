// The plan as a whole: stages become phases, values get places, blocks are combined, outputs are written last.
#include "codegen/plan.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "codegen/plan/expand.hpp"
#include "codegen/plan/group.hpp"
#include "codegen/plan/nest.hpp"
#include "codegen/plan/reducer.hpp"
#include "codegen/plan/roles.hpp"
#include "codegen/plan/units.hpp"

namespace gradus {
namespace planning {
namespace {

/// Rows of a tile at most and at least. Where a tile ends changes no bit, as long as it is a multiple of 8 rows (the
/// lanes), so their number may follow the sizes: about 8 kB of rows.
constexpr std::int64_t most_tile_rows = 64, fewest_tile_rows = 16, tile_elements = 1024, long_row = 256;
/// Bytes of the next tile that are asked for before the elementwise work.
constexpr std::int64_t prefetch_bytes = 4096;
/// Blocks of a pass at most (a power of two), and rows of a block at least.
constexpr std::int64_t most_blocks = 256, tree_levels = 8;
constexpr std::int64_t fewest_rows = 128;
/// A block's accumulators are at most this many numbers for each of its rows.
constexpr std::int64_t accumulators_a_row = 16;
/// A serial phase that is longer than this many instructions ends at its next unit.
constexpr std::size_t longest_phase = 4000;

class Planner {
 public:
  Planner(Model& model, const std::vector<Expr>& roots, const std::vector<Expr>& checks)
      : model_(model), graph_(model.graph) {
    std::vector<Expr> all = roots;
    all.insert(all.end(), checks.begin(), checks.end());
    all = expand(graph_, all);
    roots_.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(roots.size()));
    checks_.assign(all.begin() + static_cast<std::ptrdiff_t>(roots.size()), all.end());
    std::vector<char> data(graph_.node_count(), 0);
    for (const Input& i : model.inputs)
      if (i.role == Input::Role::data) data[i.expr.id] = 1;
    roles_ = assign_roles(graph_, all, data);
    units_ = form_units(graph_, roles_, all);
  }

  loops::Program run() {
    program_.sizes = &graph_.sizes();
    program_.size_names = model_.size_names;
    program_.outputs = static_cast<std::uint32_t>(roots_.size());
    place_inputs();
    for (const Stage& stage : units_.stages)
      for (const Unit& unit : stage.units)
        for (const Expr e : unit.members) place(e);
    start_serial();
    verify_arguments();
    std::uint32_t level = 0;
    for (const Stage& stage : units_.stages) {
      if (stage.level != level) finish();
      level = stage.level;
      if (stage.blocked) {
        blocked(stage);
      } else {
        for (const Unit& unit : stage.units) {
          serial_room();
          emit(*emitter_, unit, {}, {});
        }
      }
    }
    finish();
    write_outputs();
    end_serial();
    return std::move(program_);
  }

 private:
  // Buffers -------------------------------------------------------------------------------------------------------

  BufferId buffer(std::string name, loops::Buffer::Scope scope, Size elements, std::uint32_t number = 0,
                  bool integer = false) {
    program_.buffers.push_back({std::move(name), scope, integer, elements, number});
    return {static_cast<std::uint32_t>(program_.buffers.size() - 1)};
  }

  /// A row-major place for these axes; `tile_axis` has the rows of a tile only.
  Place row_major(const std::vector<Size>& axes, Size& elements, std::uint32_t tile_axis = no_label) {
    Sizes& sizes = graph_.sizes();
    Place p;
    p.tile_axis = tile_axis;
    p.strides.resize(axes.size());
    elements = sizes.constant(1);
    for (std::size_t k = axes.size(); k-- > 0;) {
      p.strides[k] = elements;
      // A size that could be negative (n - 4 of the range 4..n) stands for nothing then.
      elements = sizes.multiply(elements, k == tile_axis ? sizes.constant(most_tile_rows) : sizes.maximum(axes[k], {}));
    }
    return p;
  }

  void place_inputs() {
    for (const Expr e : roles_.order) {
      const Node& n = graph_[e];
      if (n.kind != Kind::input) continue;
      const Input& input = model_.inputs[n.payload];
      Size elements;
      Place p = row_major(graph_.shape(e), elements);
      p.integer = input.index_bound.has_value();
      p.buffer = buffer(input.key, loops::Buffer::Scope::input, elements, n.payload, p.integer);
      places_.emplace(e.id, std::move(p));
    }
  }

  void place(Expr e) {
    const Role& r = roles_.of[e.id];
    const Storage s = units_.storage[e.id];
    if (s == Storage::none || is_running_scatter(e)) return;
    Size elements;
    const bool tile = s == Storage::tile && r.streamed;
    Place p = row_major(graph_.shape(e), elements, tile ? *r.stream : no_label);
    p.truth = graph_.is_condition(e);
    p.integer = r.form == Form::order;
    p.buffer = buffer("t" + std::to_string(e.id),
                      tile ? loops::Buffer::Scope::scratch : loops::Buffer::Scope::workspace, elements, 0, p.integer);
    places_.emplace(e.id, std::move(p));
  }

  /// A scatter over the rows of a pass: its combined record is its place, for it may be as large as a vocabulary.
  bool is_running_scatter(Expr e) const { return roles_.of[e.id].reduced && roles_.of[e.id].form == Form::scatter; }

  // Serial phases -------------------------------------------------------------------------------------------------

  void start_serial() {
    phase_ = std::make_unique<loops::Phase>();
    emitter_ = std::make_unique<Emitter>(graph_, places_, *phase_);
  }
  void end_serial() {
    if (!phase_->body.empty()) program_.phases.push_back(std::move(*phase_));
    start_serial();
  }
  void serial_room() {
    if (emitter_->written() > longest_phase) end_serial();
  }

  void emit(Emitter& m, const Unit& unit, Rows rows, const Running& running) {
    if (unit.form == Form::grouped) return emit_group(m, unit, places_, running, rows);
    const Expr e = unit.members[0];
    if (unit.form == Form::order) return order(m, e);
    const auto found = sinks_.find(e.id);
    const Sink sink = found != sinks_.end() ? found->second : Sink{places_.at(e.id), {}, false};
    switch (unit.form) {
      case Form::nest:
        return emit_nest(m, e, choose_shape(graph_, places_, e, unit.stream), unit.stream, rows, sink);
      case Form::scatter:
        return emit_scatter(m, e, unit.stream, rows, sink);
      case Form::scan:
        return emit_scan(m, e, *scan_of(graph_, graph_[e]), unit.stream, rows, sink);
      case Form::search:
        return emit_search(m, e, unit.stream, rows, sink);
      default:
        break;
    }
  }

  void order(Emitter& m, Expr e) {
    const Size count = graph_[e].labels.back();
    const auto room = [&](const char* name, bool integer) {
      return buffer(name + std::to_string(e.id), loops::Buffer::Scope::workspace, graph_.sizes().maximum(count, {}), 0,
                    integer);
    };
    const BufferId keys = room("keys", false), merged = room("merged", true);
    emit_order(m, e, places_.at(e.id), keys, merged, room("merged_keys", false));
  }

  /// Sizes that are not negative, and index data that is in range, before anything is read.
  void verify_arguments() {
    Emitter& m = *emitter_;
    const auto fail_where_negative = [&](Size size, bool or_positive, std::size_t detail) {
      Register bad = m.compare(Op::integer_less, m.size(size), m.integer(0));
      if (or_positive) bad = m.truth_not(m.compare(Op::integer_equal, m.size(size), m.integer(0)));
      m.builder().fail(bad, loops::Code::bad_size, m.integer(static_cast<std::int64_t>(detail)));
    };
    for (std::size_t k = 0; k < model_.requirements.size(); ++k)
      fail_where_negative(model_.requirements[k].size, model_.requirements[k].must_be_zero, k);
    for (std::size_t k = 0; k < model_.size_names.size(); ++k)
      fail_where_negative(graph_.sizes().symbol(model_.size_names[k]), false, model_.requirements.size() + k);
    for (const Expr e : roles_.order) {
      const auto place = places_.find(e.id);
      if (graph_[e].kind != Kind::input || place == places_.end() || !place->second.integer) continue;
      verify_index_data(m, e, place->second);
    }
  }

  void verify_index_data(Emitter& m, Expr e, const Place& place) {
    const Input& input = model_.inputs[graph_[e].payload];
    const Register bound = m.size(*input.index_bound), zero = m.integer(0);
    const Register detail = m.integer(static_cast<std::int64_t>(model_.checks.size() + graph_[e].payload));
    loops::Builder& b = m.builder();
    if (graph_.rank(e) == 0) {
      const Register c = b.load(place.buffer, zero, Type::integer);
      const Register good =
          m.truth_and(m.compare(Op::integer_less_equal, zero, c), m.compare(Op::integer_less, c, bound));
      return b.fail(m.truth_not(good), loops::Code::subscript_outside, detail);
    }
    const Register end = m.size(program_.buffers[place.buffer.id].elements);
    m.loop(zero, end, loops::lanes, [&](Register v) {
      m.masked(v, end, [&] {
        const Register c = b.load_lanes(place.buffer, v, Type::integers, m.lane_mask());
        const Register good =
            m.truth_and(m.compare(Op::integer_less_equal, zero, c), m.compare(Op::integer_less, c, bound));
        const Register bad = m.truth_and(m.truth_not(good), m.lane_mask());
        b.fail(m.pure(Op::fold_or, Type::truth, bad), loops::Code::subscript_outside, detail);
      });
    });
  }

  loops::Code code_of(std::size_t check) const {
    if (check >= model_.checks.size()) return loops::Code::subscript_outside;
    switch (model_.checks[check].code) {
      case ValueCheck::Code::empty_reduction:
        return loops::Code::empty_reduction;
      case ValueCheck::Code::bad_size:
        return loops::Code::bad_size;
      case ValueCheck::Code::bad_argument:
        return loops::Code::bad_argument;
      case ValueCheck::Code::subscript_outside:
        break;
    }
    return loops::Code::subscript_outside;
  }

  void write_outputs() {
    Emitter* m = emitter_.get();
    for (std::size_t k = 0; k < checks_.size(); ++k) {
      m->builder().fail(m->truth_not(m->to_truth(m->value(checks_[k], {}))), code_of(k),
                        m->integer(static_cast<std::int64_t>(k)));
    }
    for (std::size_t k = 0; k < roots_.size(); ++k) {
      serial_room();
      m = emitter_.get();
      Size elements;
      const auto shape = graph_.shape(roots_[k]);
      Place p = row_major(shape, elements);
      p.buffer =
          buffer("output" + std::to_string(k), loops::Buffer::Scope::output, elements, static_cast<std::uint32_t>(k));
      emit_axes(*m, shape, {}, {}, [&](const Coordinates& at) { m->store(p, at, m->value(roots_[k], at)); });
    }
  }

  // Blocked phases ------------------------------------------------------------------------------------------------

  Size elements_of(Expr e) {
    Size elements = graph_.sizes().constant(1);
    for (const Size s : graph_.shape(e)) elements = graph_.sizes().multiply(elements, graph_.sizes().maximum(s, {}));
    return elements;
  }

  /// How a pass is cut into blocks: by shapes only. Emitted wherever it is needed.
  struct Cut {
    Register count, rows;
  };
  Cut cut(Emitter& m, Size accumulators) {
    const Register n = m.size(graph_.sizes().maximum(*roles_.stream, {}));
    const auto ceil_divide = [&](Register a, Register b) { return m.divide(m.add(a, m.subtract(b, m.integer(1))), b); };
    const Register most =
        m.divide(m.multiply(n, m.integer(accumulators_a_row)), m.add(m.size(accumulators), m.integer(1)));
    Register count = m.minimum(m.minimum(ceil_divide(n, m.integer(fewest_rows)), m.integer(most_blocks)), most);
    count = m.maximum(count, m.integer(1));
    const Register tiles = ceil_divide(ceil_divide(n, count), m.integer(most_tile_rows));
    const Register rows = m.maximum(m.multiply(tiles, m.integer(most_tile_rows)), m.integer(most_tile_rows));
    return {m.maximum(ceil_divide(n, rows), m.integer(1)), rows};
  }

  /// The results that the blocks of one pass combine in the same way: one record a block.
  struct Record {
    Size elements;
    Size accumulators;  // of the whole stage: decides the number of blocks
    BufferId buffer;
    std::vector<Expr> members;
  };

  /// A reduction over the stream: where its blocks' results are, and its running accumulators within a block.
  struct Partial {
    Place place;  // in the record, from `offset` on
    Size offset;
    std::size_t record = 0;
    Shape shape;
    Place state;  // running accumulators of 8 lanes, where the lanes are summed
  };

  /// Sums are combined by adding, others by their own operation.
  static std::uint32_t combined_by(const Node& n) {
    return n.kind == Kind::contraction ? 0 : 1 + static_cast<std::uint32_t>(n.reduction);
  }

  /// Lays out the records of a stage. Returns the number of accumulators.
  Size lay_out(const Stage& stage) {
    Sizes& sizes = graph_.sizes();
    const std::size_t first_of_stage = records_.size();
    std::map<std::pair<bool, std::uint32_t>, std::size_t> by_operation;
    Size all;
    for (const Unit& unit : stage.units)
      for (const Expr e : unit.members) {
        if (!roles_.of[e.id].reduced) continue;
        const bool alone = is_running_scatter(e);
        const auto [found, fresh] = by_operation.try_emplace(
            alone ? std::pair(true, e.id) : std::pair(false, combined_by(graph_[e])), records_.size());
        if (fresh) records_.emplace_back();
        Record& record = records_[found->second];
        Partial p;
        Size elements;
        p.place = row_major(graph_.shape(e), elements);
        p.offset = record.elements;
        p.record = found->second;
        record.elements = sizes.add(record.elements, elements);
        record.members.push_back(e);
        all = sizes.add(all, elements);
        partials_.emplace(e.id, std::move(p));
      }
    for (std::size_t k = first_of_stage; k < records_.size(); ++k) {
      Record& record = records_[k];
      unfinished_.push_back(k);
      record.accumulators = all;
      const Size most = sizes.minimum(sizes.scale(record.elements, most_blocks),
                                      sizes.add(record.elements, sizes.scale(*roles_.stream, accumulators_a_row)));
      record.buffer = buffer("partial" + std::to_string(k), loops::Buffer::Scope::workspace, most);
      for (const Expr e : record.members) {
        partials_.at(e.id).place.buffer = record.buffer;
        if (is_running_scatter(e)) places_.emplace(e.id, partials_.at(e.id).place);
      }
    }
    return all;
  }

  /// Where a reduction's result begins in the record of a block.
  Register record_offset(Emitter& m, const Partial& p, Register block) {
    return m.add(m.multiply(block, m.size(records_[p.record].elements)), m.size(p.offset));
  }

  /// Rows of a tile: the more, the smaller the rows of what the stage reads and keeps.
  Register rows_of_tile(Emitter& m, const Stage& stage) {
    Sizes& sizes = graph_.sizes();
    std::set<std::uint32_t> seen;
    Size row = sizes.constant(1);
    const auto add = [&](Expr e, std::uint32_t axis) {
      if (!seen.insert(e.id).second) return;
      Size elements = sizes.constant(1);
      for (std::uint32_t k = 0; k < graph_.rank(e); ++k)
        if (k != axis) elements = sizes.multiply(elements, sizes.maximum(graph_.axis(e, k), {}));
      row = sizes.add(row, elements);
    };
    for (const Unit& unit : stage.units)
      for (const Expr e : unit.members) {
        const Role& r = roles_.of[e.id];
        if (r.streamed && units_.storage[e.id] != Storage::none && graph_.rank(e) > 1) add(e, *r.stream);
        for (const Expr input : r.rows)
          if (graph_.rank(input) > 1) add(input, 0);
      }
    const Register fit = m.divide(m.integer(tile_elements), m.size(row));
    const Register few = m.integer(fewest_tile_rows);
    const Register rows = m.maximum(m.minimum(m.multiply(m.divide(fit, few), few), m.integer(most_tile_rows)), few);
    // Long rows: half as many, so that the second walk finds them in the first cache.
    const Register is_long = m.minimum(m.divide(m.size(row), m.integer(long_row)), m.integer(1));
    return m.subtract(rows, m.multiply(is_long, m.integer(fewest_tile_rows / 2)));
  }

  /// Asks for the first bytes of the next tile before the elementwise work: the memory is idle meanwhile, and the
  /// processor's own prefetcher stops at pages.
  void prefetch_rows(Emitter& m, const Stage& stage, Register next) {
    std::set<std::uint32_t> seen;
    for (const Unit& unit : stage.units)
      for (const Expr e : unit.members)
        for (const Expr input : roles_.of[e.id].rows) {
          if (graph_.rank(input) < 2 || !seen.insert(input.id).second) continue;
          const Place& place = places_.at(input.id);
          const Register first = m.multiply(next, m.size(place.strides[0]));
          m.loop(m.integer(0), m.integer(prefetch_bytes / 8), 64, [&](Register k) {
            const Register from = m.add(first, k);
            for (std::int64_t line = 0; line < 64; line += 8)
              m.builder().prefetch(place.buffer, m.add(from, m.integer(line)));
          });
        }
  }

  void blocked(const Stage& stage) {
    const Size accumulators = lay_out(stage);
    loops::Phase phase;
    phase.blocked = true;
    {
      Emitter counter(graph_, places_, phase);
      counter.builder().in_count_body();
      phase.count = cut(counter, accumulators).count;
    }
    Emitter m(graph_, places_, phase);
    phase.block = m.builder().fresh(Type::integer);
    const Register rows = cut(m, accumulators).rows;
    const Register begin = m.multiply(phase.block, rows);
    const Register end = m.minimum(m.add(begin, rows), m.size(*roles_.stream));
    Running running;
    for (const Unit& unit : stage.units)
      for (const Expr e : unit.members)
        if (roles_.of[e.id].reduced) start_partial(m, e, phase.block, running);
    const Register tile = rows_of_tile(m, stage);
    const Register tiles = m.divide(m.add(m.subtract(end, begin), m.subtract(tile, m.integer(1))), tile);
    m.loop(m.integer(0), tiles, 1, [&](Register k) {
      const Register first = m.add(begin, m.multiply(k, tile));
      m.tile_base = first;
      const Register last = m.minimum(m.add(first, tile), end);
      bool asked = false;
      for (const Unit& unit : stage.units) {
        if (!asked && unit.form == Form::grouped && unit.depth > 0) {
          asked = true;
          prefetch_rows(m, stage, last);
        }
        emit(m, unit, {first, last}, running);
      }
    });
    for (const Unit& unit : stage.units)
      for (const Expr e : unit.members)
        if (roles_.of[e.id].reduced) end_partial(m, e, phase.block, running);
    end_serial();
    program_.phases.push_back(std::move(phase));
  }

  void start_partial(Emitter& m, Expr e, Register block, Running& running) {
    Partial& p = partials_.at(e.id);
    Sizes& sizes = graph_.sizes();
    const Register neutral = m.number(Reducer(m, e).neutral());
    const Role& r = roles_.of[e.id];
    if (r.fused) {
      const Register accumulator = m.builder().fresh(Type::numbers);
      m.builder().assign(accumulator, m.widen(neutral));
      running.emplace(e.id, accumulator);
      return;
    }
    p.shape = r.form == Form::nest ? choose_shape(graph_, places_, e, r.stream) : Shape{};
    Sink sink{p.place, record_offset(m, p, block), true};
    Size count = elements_of(e);
    if (p.shape.lane_bound) {
      count = sizes.scale(count, p.shape.state());
      p.state = p.place;
      p.state.buffer = buffer("state" + std::to_string(e.id), loops::Buffer::Scope::scratch, count);
      sink = {p.state, {}, true};
    }
    const Register to = m.size(count);
    m.loop(m.integer(0), to, loops::lanes, [&](Register v) {
      m.masked(v, to, [&] {
        const Register where = sink.offset.valid() ? m.add(sink.offset, v) : v;
        m.builder().store_lanes(sink.place.buffer, where, m.widen(neutral), m.lane_mask());
      });
    });
    sinks_[e.id] = sink;
  }

  void end_partial(Emitter& m, Expr e, Register block, const Running& running) {
    const Partial& p = partials_.at(e.id);
    const Register offset = record_offset(m, p, block);
    if (const auto found = running.find(e.id); found != running.end()) {
      Reducer reducer(m, e);
      m.store(p.place, {}, reducer.fold(found->second), offset);
    } else if (p.shape.lane_bound) {
      emit_fold(m, e, p.shape, p.state, p.place, offset);
    }
    sinks_.erase(e.id);
  }

  /// Combines the blocks of the passes before and writes the finished values.
  void finish() {
    for (const std::size_t k : unfinished_) {
      serial_room();
      combine(*emitter_, records_[k]);
      for (const Expr e : records_[k].members) {
        if (is_running_scatter(e)) continue;  // it adds whole terms: nothing is left to do with its sum
        Emitter& m = *emitter_;
        const Partial& p = partials_.at(e.id);
        Reducer reducer(m, e);
        emit_axes(m, graph_.shape(e), {}, {}, [&](const Coordinates& at) {
          m.store(places_.at(e.id), at, reducer.finish(m.load(p.place, at, m.size(p.offset)), at));
        });
      }
    }
    unfinished_.clear();
  }

  /// Neighbours are combined until one record is left: a binary tree that the number of blocks alone determines.
  void combine(Emitter& m, const Record& record) {
    Reducer reducer(m, record.members[0]);
    loops::Builder& b = m.builder();
    const Register elements = m.size(record.elements);
    const Register count = b.fresh(Type::integer);
    b.assign(count, cut(m, record.accumulators).count);
    const auto each = [&](Register to, Register from, const std::function<Register(Register)>& value) {
      m.loop(m.integer(0), elements, loops::lanes, [&](Register v) {
        m.masked(v, elements, [&] {
          const Register x = b.load_lanes(record.buffer, m.add(from, v), Type::numbers, m.lane_mask());
          b.store_lanes(record.buffer, m.add(to, v), value ? reducer.merge(x, value(v)) : x, m.lane_mask());
        });
      });
    };
    m.loop(m.integer(0), m.integer(tree_levels), 1, [&](Register) {
      const Register half = b.emit(Op::integer_divide, Type::integer, count, m.integer(2));
      const Register twice = m.add(half, half);
      m.loop(m.integer(0), half, 1, [&](Register pair) {
        const Register from = m.multiply(m.add(pair, pair), elements), next = m.add(from, elements);
        each(m.multiply(pair, elements), from,
             [&](Register v) { return b.load_lanes(record.buffer, m.add(next, v), Type::numbers, m.lane_mask()); });
      });
      const Register odd = b.emit(Op::integer_less, Type::truth, twice, count);
      m.branch(odd, [&] { each(m.multiply(half, elements), m.multiply(twice, elements), {}); });
      b.assign(count, b.emit(Op::integer_subtract, Type::integer, count, half));
    });
  }

  Model& model_;
  Graph& graph_;
  std::vector<Expr> roots_, checks_;
  Roles roles_;
  Units units_;
  Places places_;
  std::unordered_map<std::uint32_t, Sink> sinks_;        // running reductions of the block being emitted
  std::unordered_map<std::uint32_t, Partial> partials_;  // by Expr::id
  std::vector<Record> records_;
  std::vector<std::size_t> unfinished_;  // records whose blocks are not combined yet
  loops::Program program_;
  std::unique_ptr<loops::Phase> phase_;
  std::unique_ptr<Emitter> emitter_;
};

}  // namespace
}  // namespace planning

loops::Program plan(Model& model, const std::vector<Expr>& roots, const std::vector<Expr>& checks) {
  return planning::Planner(model, roots, checks).run();
}

}  // namespace gradus
