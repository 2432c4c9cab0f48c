// How a reduction's loops run: the label in lanes and the rows side by side, from its access patterns.
#include <algorithm>
#include <unordered_map>

#include "codegen/plan/nest.hpp"

namespace gradus::planning {
namespace {

/// One load of an element, with subscripts composed down to where the values are.
struct Access {
  std::vector<char> contiguous;  // labels along which neighbours are neighbours in memory
  std::vector<char> strided;     // labels that move the address in another way
};

class Accesses {
 public:
  Accesses(Graph& graph, const Places& places, const Node& n)
      : graph_(graph), places_(places), labels_(n.labels.size()) {
    for (const auto& o : n.operands) visit(o, 0);
    for (const auto& g : n.guards)
      if (g.kind == Guard::Kind::condition) visit(g.condition, 0);
  }

  std::vector<Access> all;
  int work = 0;  // elementwise operations, functions counted many times

 private:
  void visit(const Operand& o, int depth) {
    const Node& n = graph_[o.expr];
    if (places_.contains(o.expr.id) || n.kind == Kind::input || depth > 32) return leaf(o);
    ++work;
    if (n.kind == Kind::elementwise) work += function_work(n);
    for (const auto& inner : n.operands) {
      if (n.kind == Kind::reshape) return leaf(o);
      visit(graph_.substitute(inner, o.subscripts), depth + 1);
    }
    if (n.kind == Kind::index) leaf({});
  }

  static int function_work(const Node& n) {
    switch (n.function) {
      case Function::power:
      case Function::select:
      case Function::abs:
      case Function::maximum:
      case Function::minimum:
      case Function::sqrt:
        return 1;
      default:
        return row(n.function).condition || n.operands.empty() ? 0 : 20;
    }
  }

  void leaf(const Operand& o) {
    Access a{std::vector<char>(labels_, 0), std::vector<char>(labels_, 0)};
    for (std::size_t k = 0; k < o.subscripts.size(); ++k) {
      const Subscript& s = o.subscripts[k];
      for (const auto& t : s.labels) {
        const bool neighbour = k + 1 == o.subscripts.size() && graph_.sizes().is_one(t.coefficient);
        (neighbour ? a.contiguous : a.strided)[t.label] = 1;
      }
      for (const auto& d : s.data)
        for (const auto& inner : d.subscripts) Graph::each_label(inner, [&](Label l) { a.strided[l] = 1; });
    }
    for (std::size_t l = 0; l < labels_; ++l)
      if (a.strided[l] != 0) a.contiguous[l] = 0;
    all.push_back(std::move(a));
  }

  Graph& graph_;
  const Places& places_;
  std::size_t labels_;
};

/// A body with more elementwise work than this is emitted once only.
constexpr int long_body = 12;

}  // namespace

Shape choose_shape(Graph& graph, const Places& places, Expr e, std::optional<Label> stream) {
  const Node n = graph[e];
  const Accesses accesses(graph, places, n);
  Shape shape;
  const auto constant = [&](Label l) { return graph.sizes().as_constant(n.labels[l]); };
  double best = 0;
  for (Label l = 0; l < n.labels.size(); ++l) {
    double score = 0.5 + (l >= n.rank && stream != l ? 0.1 : 0);
    for (const Access& a : accesses.all) score += a.strided[l] != 0 ? -3 : (a.contiguous[l] != 0 ? 2 : 0);
    if (l < n.rank) score += l + 1 == n.rank ? 2 : -3;
    if (const auto c = constant(l); c && *c < 4) score -= 4;
    if (score > best) best = score, shape.lane = l;
  }
  if (!shape.lane) return shape;
  const Label lane = *shape.lane;
  shape.lane_bound = lane >= n.rank;
  shape.short_code = accesses.work > long_body;
  if (shape.short_code) return shape;
  const auto short_lane = constant(lane);
  // A tile is a multiple of 8 rows: more vectors would make the order of the sum depend on its length.
  shape.vectors = shape.lane_bound && stream == lane ? 1 : 4;
  if (short_lane && *short_lane <= std::int64_t{2} * loops::lanes) shape.vectors = *short_lane <= loops::lanes ? 1 : 2;

  // Rows side by side: where the lanes are summed they hide its latency; elsewhere they use each vector loaded again.
  double most = 0;
  for (Label l = 0; l < n.rank; ++l) {
    if (l == lane) continue;
    if (const auto c = constant(l); c && *c < (shape.lane_bound ? loops::lanes : 4)) continue;
    double gain = stream == l ? 0.5 : 0;
    for (const Access& a : accesses.all)
      if (a.contiguous[lane] != 0 && a.contiguous[l] == 0 && a.strided[l] == 0) gain += 1;
    if (shape.lane_bound) gain += 0.25;
    if (gain > most && (gain >= 1 || shape.lane_bound)) most = gain, shape.row = l;
  }
  if (shape.row) {
    shape.rows = 4;
    shape.vectors = std::min(shape.vectors, shape.lane_bound ? 1 : 2);
  }
  return shape;
}

}  // namespace gradus::planning
