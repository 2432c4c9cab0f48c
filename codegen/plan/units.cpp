// Units of code: groups of elementwise nodes that share loops, and single reductions; their order and their stages.
#include "codegen/plan/units.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace gradus::planning {
namespace {

/// Straight-line code longer than this goes to another unit, and a stage with more to another function: code
/// generation of one function is not linear in its length.
constexpr std::size_t longest_unit = 600;
constexpr std::size_t longest_stage = 2500;

class Former {
 public:
  Former(const Graph& graph, const Roles& roles, const std::vector<Expr>& roots)
      : graph_(graph), roles_(roles), roots_(roots), unit_of_(roles.of.size(), none), depth_(roles.of.size(), 0) {}

  Units run() {
    for (const Expr e : roles_.order)
      if (roles_.of[e.id].form != Form::inlined) place(e);
    stages();
    storage();
    return std::move(out_);
  }

 private:
  static constexpr std::uint32_t none = UINT32_MAX;

  struct Open {
    Unit unit;
    std::uint32_t level = 0;
    bool blocked = false;
  };
  // stage, depth, space, stream label
  using Key = std::tuple<std::uint32_t, bool, std::uint32_t, std::vector<Size>, std::uint32_t>;

  static bool joins_group(const Role& r) { return r.form == Form::grouped || r.fused; }

  void place(Expr e) {
    const Node& n = graph_[e];
    const Role& r = roles_.of[e.id];
    const bool blocked = r.stream.has_value();
    std::uint32_t depth = 0;
    for (const Read& read : r.reads) {
      const Role& other = roles_.of[read.expr.id];
      if (other.level != r.level || other.stream.has_value() != blocked) continue;
      const bool together = joins_group(r) && other.form == Form::grouped && read.identity && other.stream == r.stream;
      depth = std::max(depth, depth_[read.expr.id] + (together ? 0u : 1u));
    }
    depth_[e.id] = depth;
    const std::size_t cost = 1 + n.operands.size() + n.guards.size();
    if (!joins_group(r)) {
      open_.push_back({{r.form, {e}, {}, r.stream, depth, 60 + 4 * cost}, r.level, blocked});
      unit_of_[e.id] = static_cast<std::uint32_t>(open_.size() - 1);
      return;
    }
    Key key{r.level, blocked, depth, n.labels, r.stream.value_or(UINT32_MAX)};
    auto [found, fresh] = groups_.try_emplace(std::move(key), 0u);
    if (fresh || open_[found->second].unit.cost > longest_unit) {
      open_.push_back({{Form::grouped, {}, n.labels, r.stream, depth, 0}, r.level, blocked});
      found->second = static_cast<std::uint32_t>(open_.size() - 1);
    }
    Unit& unit = open_[found->second].unit;
    unit.members.push_back(e);
    unit.cost += cost;
    unit_of_[e.id] = found->second;
  }

  void stages() {
    std::vector<std::uint32_t> order(open_.size());
    for (std::uint32_t k = 0; k < order.size(); ++k) order[k] = k;
    std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) {
      const Open &x = open_[a], &y = open_[b];
      return std::tuple(x.level, x.blocked, x.unit.depth) < std::tuple(y.level, y.blocked, y.unit.depth);
    });
    stage_of_.resize(open_.size(), 0);
    std::size_t cost = 0;
    for (const std::uint32_t k : order) {
      Open& o = open_[k];
      const bool fits = !out_.stages.empty() && out_.stages.back().level == o.level &&
                        out_.stages.back().blocked == o.blocked && cost + o.unit.cost <= longest_stage;
      if (!fits) {
        out_.stages.push_back({o.level, o.blocked, {}});
        cost = 0;
      }
      cost += o.unit.cost;
      stage_of_[k] = static_cast<std::uint32_t>(out_.stages.size() - 1);
      out_.stages.back().units.push_back(std::move(o.unit));
    }
  }

  void storage() {
    out_.storage.resize(roles_.of.size(), Storage::none);
    const auto keep = [&](Expr e) { out_.storage[e.id] = Storage::kept; };
    const auto want = [&](Expr root) {
      const Role& r = roles_.of[root.id];
      if (r.form != Form::inlined)
        keep(root);
      else
        for (const Read& read : r.reads) keep(read.expr);
    };
    for (const Expr root : roots_) want(root);
    for (const Expr e : roles_.order) {
      const Role& r = roles_.of[e.id];
      if (r.form == Form::inlined) continue;
      if (r.form != Form::grouped && out_.storage[e.id] == Storage::none)
        out_.storage[e.id] = r.streamed ? Storage::tile : Storage::kept;
      for (const Read& read : r.reads) {
        const Role& other = roles_.of[read.expr.id];
        Storage& s = out_.storage[read.expr.id];
        const std::uint32_t mine = unit_of_[e.id], theirs = unit_of_[read.expr.id];
        if (mine == theirs && read.identity) continue;
        const bool same_tile = other.streamed && read.aligned && stage_of_[mine] == stage_of_[theirs];
        if (!same_tile)
          s = Storage::kept;
        else if (s == Storage::none)
          s = Storage::tile;
      }
    }
  }

  const Graph& graph_;
  const Roles& roles_;
  const std::vector<Expr>& roots_;
  std::vector<std::uint32_t> unit_of_;   // by Expr::id
  std::vector<std::uint32_t> depth_;     // by Expr::id
  std::vector<std::uint32_t> stage_of_;  // by unit
  std::vector<Open> open_;
  std::map<Key, std::uint32_t> groups_;
  Units out_;
};

}  // namespace

Units form_units(const Graph& graph, const Roles& roles, const std::vector<Expr>& roots) {
  return Former(graph, roles, roots).run();
}

}  // namespace gradus::planning
