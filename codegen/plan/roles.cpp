// What each node is to the plan: computed where it is used, in a group, or by a loop nest; in which pass; kept where.
#include "codegen/plan/roles.hpp"

#include <algorithm>
#include <map>

namespace gradus::planning {
namespace {

/// Pointwise nodes up to this cost are computed at each use.
constexpr double cheap = 6;
/// More reads of stored values than this are not repeated at each use.
constexpr std::size_t most_inlined_reads = 8;

double function_cost(const Node& n, const Graph& graph) {
  switch (n.function) {
    case Function::pi:
    case Function::infinity:
    case Function::not_a_number:
      return 0;
    case Function::less:
    case Function::less_equal:
    case Function::equal:
    case Function::not_equal:
    case Function::logical_and:
    case Function::logical_or:
    case Function::logical_not:
    case Function::select:
    case Function::abs:
    case Function::maximum:
    case Function::minimum:
    case Function::floor:
    case Function::ceil:
    case Function::round:
      return 1;
    case Function::clip:
    case Function::sign:
      return 2;
    case Function::sqrt:
      return 6;
    case Function::power: {
      const Rational* e = graph.constant_value(n.operands[1].expr);
      const auto whole = e != nullptr ? e->as_int64() : std::nullopt;
      if (!whole || *whole < -16 || *whole > 16) return 30;
      return (*whole < 0 ? 4.0 : 0.0) + (std::abs(*whole) > 2 ? 2.0 : 1.0);
    }
    default:
      return 20;
  }
}

class Assigner {
 public:
  Assigner(Graph& graph, const std::vector<Expr>& roots, const std::vector<char>& data)
      : graph_(graph), roots_(roots), data_(data) {}

  Roles run() {
    roles_.order = graph_.reachable(roots_);
    roles_.of.resize(graph_.node_count());
    reshaped_.resize(graph_.node_count(), 0);
    for (const Expr e : roles_.order)
      if (graph_[e].kind == Kind::reshape) reshaped_[graph_[e].operands[0].expr.id] = 1;
    broadcast_.resize(graph_.node_count(), 0);
    repeated_.resize(graph_.node_count(), 0);
    for (const Expr e : roles_.order) note_broadcasts(graph_[e]);
    choose_stream();
    for (const Expr e : roles_.order) assign(e);
    return std::move(roles_);
  }

 private:
  Role& role(Expr e) { return roles_.of[e.id]; }

  /// The size most of the data's bytes share as their first axis; a guess by typical lengths, never by those of a run.
  void choose_stream() {
    constexpr double typical = 32;
    std::map<Size, double> weight;
    for (const bool from_data : {true, false}) {
      for (const Expr e : roles_.order) {
        const Node& n = graph_[e];
        if (n.kind != Kind::input || (data_[e.id] != 0) != from_data) continue;
        for (std::uint32_t k = 0; k < n.rank; ++k) {
          if (graph_.sizes().as_constant(n.labels[k])) continue;
          double elements = k == 0 ? 2 : 1;  // an axis that is not the first is walked with strides
          for (std::uint32_t j = 0; j < n.rank; ++j)
            if (j != k) {
              const auto fixed = graph_.sizes().as_constant(n.labels[j]);
              elements *= fixed ? static_cast<double>(*fixed) : typical;
            }
          weight[n.labels[k]] += elements;
        }
      }
      if (!weight.empty()) break;
    }
    if (weight.empty()) weigh_labels(weight);
    double best = 0;
    for (const auto& [size, w] : weight)
      if (w > best) best = w, roles_.stream = size;
  }

  /// Without an input that has an axis (`range(n)`): the sizes of what is computed.
  void weigh_labels(std::map<Size, double>& weight) const {
    for (const Expr e : roles_.order)
      for (const Size s : graph_[e].labels)
        if (!graph_.sizes().as_constant(s)) weight[s] += 1;
  }

  void note_broadcasts(const Node& n) {
    for (const auto& o : n.operands)
      if (graph_.rank(o.expr) < n.labels.size()) {
        broadcast_[o.expr.id] = 1;
        if (n.labels.size() > n.rank) repeated_[o.expr.id] = 1;
      }
  }

  /// Calls `visit(operand)` for everything a node reads, data in subscripts included.
  template <class Visit>
  static void each_read(const Node& n, Visit&& visit) {
    for (const auto& o : n.operands) visit(o), each_data_read(o, visit);
    for (const auto& g : n.guards) {
      if (g.kind == Guard::Kind::condition)
        visit(g.condition), each_data_read(g.condition, visit);
      else
        each_data_read(g.affine, visit);
    }
    if (n.kind == Kind::index) each_data_read(n.affine, visit);
  }
  template <class Visit>
  static void each_data_read(const Operand& o, Visit&& visit) {
    for (const auto& s : o.subscripts) each_data_read(s, visit);
  }
  template <class Visit>
  static void each_data_read(const Subscript& s, Visit&& visit) {
    for (const auto& d : s.data) {
      const Operand o{d.data, d.subscripts};
      visit(o);
      each_data_read(o, visit);
    }
  }

  bool is_identity(const Node& n, const Operand& o) const {
    return graph_.is_identity(o, n.labels, static_cast<std::uint32_t>(n.labels.size()));
  }

  void assign(Expr e) {
    const Node& n = graph_[e];
    Role& r = role(e);
    if (n.kind == Kind::input) {
      r.form = Form::inlined;
      r.cost = 1;
      return;
    }
    choose_stream_label(e);
    collect_reads(e);
    choose_form(e);
    choose_level(e);
  }

  /// The label of the stream's size that most streamed operands are read by; an axis rather than a bound label.
  void choose_stream_label(Expr e) {
    const Node& n = graph_[e];
    Role& r = role(e);
    if (!roles_.stream || n.kind == Kind::reshape || n.kind == Kind::order) return;
    if (n.kind == Kind::reduce && is_position(n.reduction)) {
      choose_among(e, n.rank);
    } else {
      choose_among(e, static_cast<Label>(n.labels.size()));
    }
    r.streamed = r.stream && *r.stream < n.rank;
    r.reduced = r.stream && *r.stream >= n.rank;
  }

  void choose_among(Expr e, Label count) {
    const Node& n = graph_[e];
    Role& r = role(e);
    std::vector<char> solved(n.labels.size(), 0);
    if (const auto scan = scan_of(graph_, n)) {
      solved[scan->axis] = 1;
      count = n.rank;
    }
    for (const auto& s : solved_outputs(graph_, n)) solved[s.label] = 1;
    double best = -1;
    for (Label l = 0; l < count; ++l) {
      if (n.labels[l] != *roles_.stream || solved[l] != 0) continue;
      double votes = 0;
      each_read(n, [&](const Operand& o) {
        const Role& other = role(o.expr);
        if (other.streamed && graph_.as_label(o.subscripts[*other.stream]) == l)
          votes += other.form == Form::inlined ? 0.01 : static_cast<double>(graph_.rank(o.expr));
      });
      if (votes > best) best = votes, r.stream = l;
    }
  }

  static void add_row(Role& r, Expr input) {
    if (std::ranges::find(r.rows, input) == r.rows.end()) r.rows.push_back(input);
  }

  void add_read(Role& r, Read read) {
    for (auto& known : r.reads)
      if (known.expr == read.expr && known.identity == read.identity && known.aligned == read.aligned) return;
    r.reads.push_back(read);
  }

  void collect_reads(Expr e) {
    const Node& n = graph_[e];
    Role& r = role(e);
    each_read(n, [&](const Operand& o) {
      const Role& other = role(o.expr);
      if (graph_[o.expr].kind == Kind::input && r.stream && !o.subscripts.empty() &&
          graph_.as_label(o.subscripts[0]) == r.stream)
        add_row(r, o.expr);
      if (other.form == Form::inlined)
        for (const Expr input : other.rows) add_row(r, input);
      const bool identity = is_identity(n, o);
      const bool aligned =
          other.streamed && r.stream &&
          graph_.as_label(o.subscripts.empty() ? Subscript{} : o.subscripts[*other.stream]) == r.stream;
      if (other.form != Form::inlined) {
        add_read(r, {o.expr, identity, aligned});
        return;
      }
      for (const Read& inner : other.reads)
        add_read(r, {inner.expr, identity && inner.identity, aligned && inner.aligned});
    });
  }

  void choose_form(Expr e) {
    const Node& n = graph_[e];
    Role& r = role(e);
    switch (n.kind) {
      case Kind::input:
      case Kind::constant:
        r.form = Form::inlined;
        return;
      case Kind::index:
        r.form = reshaped_[e.id] != 0 ? Form::grouped : Form::inlined;
        r.cost = 1;
        return;
      case Kind::reduce:
      case Kind::softmax:
        r.form = Form::nest;
        if (is_position(n.reduction)) r.form = Form::search;
        if (scan_of(graph_, n)) r.form = Form::scan;
        fuse(e);
        return;
      case Kind::contraction:
        if (scan_of(graph_, n)) {
          r.form = Form::scan;
          return;
        }
        if (n.labels.size() > n.rank) {
          r.form = solved_outputs(graph_, n).empty() ? Form::nest : Form::scatter;
          if (r.form == Form::nest) fuse(e);
          return;
        }
        break;
      case Kind::order:
        r.form = Form::order;
        return;
      case Kind::elementwise:
      case Kind::sum:
      case Kind::reshape:
      case Kind::given:
        break;
    }
    r.cost = pointwise_cost(n);
    r.form = r.cost <= limit(e, n) && r.reads.size() <= most_inlined_reads ? Form::inlined : Form::grouped;
    if (r.form == Form::grouped) r.cost = 1;
  }

  /// What may be repeated at each use: little, and less where the use has more elements (a reciprocal of a column's
  /// deviation is computed once a column).
  double limit(Expr e, const Node& n) const {
    if (reshaped_[e.id] != 0) return -1;
    if (repeated_[e.id] != 0 && n.rank > 0) return 1;
    const bool divides = n.kind == Kind::elementwise && n.function == Function::power;
    return divides && broadcast_[e.id] != 0 ? 2 : cheap;
  }

  double pointwise_cost(const Node& n) {
    double cost = n.kind == Kind::elementwise ? function_cost(n, graph_) : 0;
    if (n.kind == Kind::reshape) return 1;
    if (n.kind == Kind::sum) cost = static_cast<double>(n.operands.size());
    if (n.kind == Kind::contraction) {
      const bool view = n.operands.size() == 1 && n.coefficients[0].is_one();
      cost = view ? 0 : static_cast<double>(n.operands.size());
      cost += static_cast<double>(n.guards.size());
    }
    each_read(n, [&](const Operand& o) {
      const Role& other = role(o.expr);
      if (other.form == Form::inlined && graph_[o.expr].kind != Kind::input) cost += other.cost;
    });
    return cost;
  }

  /// A reduction runs in the loops of the group that computes its operand where it reads it at all its labels in order.
  void fuse(Expr e) {
    const Node& n = graph_[e];
    Role& r = role(e);
    if (r.form != Form::nest) return;
    for (const auto& o : n.operands) {
      const Role& other = role(o.expr);
      if (other.form != Form::grouped || !is_identity(n, o)) continue;
      if (other.stream != r.stream) continue;
      r.fused = true;
    }
    // Where the stream is bound, its accumulators have one vector an element: they must not be many.
    if (r.fused && r.reduced && n.rank > 0) r.fused = false;
  }

  void choose_level(Expr e) {
    Role& r = role(e);
    std::uint32_t level = 0;
    for (const Read& read : r.reads) {
      const Role& other = role(read.expr);
      std::uint32_t ready = other.level;
      if (other.reduced || (other.streamed && !read.aligned)) ++ready;
      level = std::max(level, ready);
    }
    r.level = level;
    roles_.last_level = std::max(roles_.last_level, level + (r.stream ? 1u : 0u));
  }

  Graph& graph_;
  const std::vector<Expr>& roots_;
  const std::vector<char>& data_;
  std::vector<char> reshaped_;   // read by a reshape: needs a place
  std::vector<char> broadcast_;  // read by a node with more labels
  std::vector<char> repeated_;   // … by a reduction: each element many times
  Roles roles_;
};

}  // namespace

Roles assign_roles(Graph& graph, const std::vector<Expr>& roots, const std::vector<char>& data) {
  return Assigner(graph, roots, data).run();
}

std::vector<Solved> solved_outputs(const Graph& graph, const Node& n) {
  std::vector<Solved> out;
  if (n.kind != Kind::contraction || n.labels.size() == n.rank) return out;
  std::vector<char> taken(n.labels.size(), 0);
  for (std::size_t k = 0; k < n.guards.size(); ++k) {
    const Guard& g = n.guards[k];
    if (g.kind != Guard::Kind::zero) continue;
    std::vector<int> occurrences(n.labels.size(), 0);
    Graph::each_label(g.affine, [&](Label l) { ++occurrences[l]; });
    bool other_solved = false;
    for (Label l = 0; l < n.labels.size(); ++l) other_solved |= occurrences[l] > 0 && taken[l] != 0;
    if (other_solved) continue;
    for (const auto& t : g.affine.labels) {
      const auto c = graph.sizes().as_constant(t.coefficient);
      if (t.label >= n.rank || occurrences[t.label] != 1 || !c || (*c != 1 && *c != -1)) continue;
      // A label of this guard must not be solved by another one that this one's solution would need.
      out.push_back({k, t.label, *c == -1});
      for (Label l = 0; l < n.labels.size(); ++l)
        if (occurrences[l] > 0 && l < n.rank) taken[l] = 1;
      break;
    }
  }
  return out;
}

std::optional<Scan> scan_by_guard(const Graph& graph, const Node& n, std::size_t guard) {
  const Guard& g = n.guards[guard];
  if (g.kind != Guard::Kind::nonnegative || !g.affine.data.empty() || g.affine.labels.size() != 2) return std::nullopt;
  const LabelTerm &axis = g.affine.labels[0], &bound = g.affine.labels[1];  // sorted: axes come first
  const auto a = graph.sizes().as_constant(axis.coefficient), b = graph.sizes().as_constant(bound.coefficient);
  const auto offset = graph.sizes().as_constant(g.affine.offset);
  if (axis.label >= n.rank || bound.label < n.rank || n.labels[axis.label] != n.labels[bound.label])
    return std::nullopt;
  if (!a || !b || !offset || *a != -*b || (*a != 1 && *a != -1) || (*offset != 0 && *offset != -1)) return std::nullopt;
  bool alone = true;
  for (std::size_t other = 0; other < n.guards.size(); ++other)
    if (other != guard) Graph::each_label(n.guards[other], [&](Label l) { alone = alone && l != axis.label; });
  if (!alone) return std::nullopt;
  return Scan{guard, axis.label, bound.label, *a < 0, *offset < 0};
}

std::optional<Scan> scan_of(const Graph& graph, const Node& n) {
  const bool runs = n.kind == Kind::contraction || n.kind == Kind::reduce;
  if (!runs || n.labels.size() == n.rank || is_position(n.reduction)) return std::nullopt;
  // Of running exponentials w and x run, y and v stand at the axis.
  const std::size_t running = n.reduction == Reduction::exponentials ? 2 : n.operands.size();
  for (std::size_t k = 0; k < n.guards.size(); ++k) {
    const auto scan = scan_by_guard(graph, n, k);
    if (!scan) continue;
    bool alone = true;
    for (std::size_t o = 0; o < running; ++o)
      Graph::each_label(n.operands[o], [&](Label l) { alone = alone && l != scan->axis; });
    if (alone) return scan;
  }
  return std::nullopt;
}

}  // namespace gradus::planning
