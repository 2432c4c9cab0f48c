// Symmetry is seen by exchanging two labels of a node and comparing.
#include "symbolic/rules/symmetry.hpp"

#include <algorithm>
#include <utility>

namespace gradus::rules {
namespace {

constexpr int deepest = 6;

bool is_made_of_elements(const Node& n) {
  return n.kind == Kind::sum || n.kind == Kind::contraction || n.kind == Kind::elementwise;
}

/// The two axes of an operand that read two labels, when nothing else of it depends on them.
std::optional<std::pair<std::uint32_t, std::uint32_t>> axes_of(Graph& graph, const Operand& o, Label first,
                                                               Label second) {
  std::optional<std::uint32_t> a, b;
  int uses = 0;
  Graph::each_label(o, [&](Label l) { uses += l == first || l == second ? 1 : 0; });
  for (std::uint32_t k = 0; k < o.subscripts.size(); ++k) {
    const auto l = graph.as_label(o.subscripts[k]);
    if (l == first) a = k;
    if (l == second) b = k;
  }
  if (!a || !b || uses != 2) return std::nullopt;
  return std::pair{*a, *b};
}

Expr transposed(Graph& graph, Node n, std::uint32_t first, std::uint32_t second, int depth);

bool is_symmetric(Graph& graph, Expr e, std::uint32_t first, std::uint32_t second, int depth) {
  Node n = graph[e];
  if (depth > deepest || n.labels[first] != n.labels[second]) return false;
  const auto exchanged = std::minmax(first, second);
  if (n.kind == Kind::input)
    return graph.is_symmetric(e) && exchanged.first + 2 == n.rank && exchanged.second + 1 == n.rank;
  if (!is_made_of_elements(n)) return false;
  return transposed(graph, std::move(n), first, second, depth) == e;
}

/// A node with two labels of one size exchanged.
Expr transposed(Graph& graph, Node n, std::uint32_t first, std::uint32_t second, int depth) {
  std::vector<Subscript> map = graph.identity(static_cast<std::uint32_t>(n.labels.size()));
  std::swap(map[first], map[second]);
  std::swap(n.labels[first], n.labels[second]);
  for (Operand& o : n.operands) {
    const auto axes = axes_of(graph, o, first, second);
    if (!axes || !is_symmetric(graph, o.expr, axes->first, axes->second, depth + 1)) o = graph.substitute(o, map);
  }
  for (Guard& g : n.guards) g = graph.substitute(g, map);
  return graph.rebuild(n);
}

/// The two axes in which the subscripts of one operand are exchanged in the other, or nothing.
std::optional<std::pair<std::uint32_t, std::uint32_t>> exchanged_axes(const Operand& a, const Operand& b) {
  std::vector<std::uint32_t> differ;
  for (std::uint32_t k = 0; k < a.subscripts.size(); ++k)
    if (!(a.subscripts[k] == b.subscripts[k])) differ.push_back(k);
  if (differ.size() != 2 || !(a.subscripts[differ[0]] == b.subscripts[differ[1]]) ||
      !(a.subscripts[differ[1]] == b.subscripts[differ[0]]))
    return std::nullopt;
  return std::pair{differ[0], differ[1]};
}

/// Whether two operands read one value, at places that differ by a transpose.
bool are_transposed(Graph& graph, const Operand& a, const Operand& b) {
  if (a.subscripts.size() != b.subscripts.size()) return false;
  const auto axes = exchanged_axes(a, b);
  if (!axes) return false;
  if (a.expr == b.expr) return is_symmetric(graph, a.expr, axes->first, axes->second, 0);
  const Node& n = graph[b.expr];
  return n.kind == Kind::contraction && n.labels.size() > n.rank &&
         transposed(graph, n, axes->first, axes->second, 0) == a.expr;
}

}  // namespace

bool is_symmetric(Graph& graph, Expr e, std::uint32_t first, std::uint32_t second) {
  return is_symmetric(graph, e, first, second, 0);
}

std::optional<Expr> merge_transposed_terms(Graph& graph, Expr e) {
  constexpr std::size_t most_terms = 16;
  const Node& n = graph[e];
  if (n.kind != Kind::sum || n.rank < 2 || n.operands.size() > most_terms) return std::nullopt;
  for (std::size_t k = 0; k < n.operands.size(); ++k)
    for (std::size_t m = k + 1; m < n.operands.size(); ++m) {
      if (!are_transposed(graph, n.operands[k], n.operands[m])) continue;
      std::vector<Term> terms;
      for (std::size_t t = 0; t < n.operands.size(); ++t)
        terms.push_back({n.coefficients[t], n.operands[t == m ? k : t]});
      return graph.sum(n.labels, std::move(terms));
    }
  return std::nullopt;
}

}  // namespace gradus::rules
