// Weighted logarithms and compound interest.
#include "symbolic/rules/forms.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"

namespace gradus::rules {
namespace {

/// Products with more factors are left alone.
constexpr std::size_t most_factors = 16;

bool uses_all(const Operand& o, const std::vector<char>& labels, std::size_t count) {
  std::vector<char> seen(labels.size(), 0);
  std::size_t found = 0;
  Graph::each_label(o, [&](Label l) {
    if (labels[l] != 0 && std::exchange(seen[l], 1) == 0) ++found;
  });
  return found == count;
}

/// The exponents for which rounding 1 + x costs no more than the power itself.
constexpr int small_exponent = 8;

}  // namespace

std::optional<Expr> times_logarithm(Graph& graph, Facts& facts, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Node& log = graph[n.operands[k].expr];
    if (log.kind != Kind::elementwise || (log.function != Function::log && log.function != Function::log1p)) continue;
    std::vector<char> labels(n.labels.size(), 0);
    std::size_t count = 0;
    Graph::each_label(n.operands[k], [&](Label l) { count += std::exchange(labels[l], 1) == 0 ? 1 : 0; });
    // Reading a table at the place of another one is no product element by element.
    std::vector<Operand> weights, others;
    for (std::size_t m = 0; m < n.operands.size(); ++m) {
      if (m == k) continue;
      const bool weight = uses_all(n.operands[m], labels, count) && !facts.positive(n.operands[m].expr);
      (weight ? weights : others).push_back(n.operands[m]);
    }
    if (weights.empty()) continue;
    const auto all = static_cast<std::uint32_t>(n.labels.size());
    std::vector<Label> used;
    for (const auto& w : weights)
      Graph::each_label(w, [&](Label l) {
        if (std::ranges::find(used, l) == used.end()) used.push_back(l);
      });
    std::vector<Subscript> map(all), read;
    std::vector<Size> sizes;
    for (const Label l : used) {
      map[l] = graph.label(static_cast<Label>(sizes.size()));
      sizes.push_back(n.labels[l]);
      read.push_back(graph.label(l));
    }
    std::vector<Operand> moved;
    for (const auto& w : weights) moved.push_back(graph.substitute(w, map));
    const auto rank = static_cast<std::uint32_t>(sizes.size());
    const Operand weight =
        moved.size() == 1 ? moved[0] : graph.whole(graph.contraction(sizes, rank, 1, std::move(moved)));
    const Operand inside = graph.substitute(log.operands[0], graph.substitute(n.operands[k], map).subscripts);
    const Function f = log.function == Function::log ? Function::xlogy : Function::xlog1py;
    others.push_back({graph.elementwise(f, sizes, {weight, inside}), read});
    return graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(others), n.guards);
  }
  return std::nullopt;
}

std::optional<Expr> compound_power(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::elementwise || n.function != Function::power) return std::nullopt;
  if (const Rational* q = graph.constant_value(n.operands[1].expr))
    if (q->sign() <= 0 || !(Rational(small_exponent) < *q)) return std::nullopt;
  const Node& base = graph[n.operands[0].expr];
  if (base.kind != Kind::sum || base.operands.size() > most_factors) return std::nullopt;
  std::vector<Term> rest;
  bool one = false;
  for (std::size_t k = 0; k < base.operands.size(); ++k) {
    if (graph.is_constant(base.operands[k].expr, 1) && base.coefficients[k].is_one() && !one)
      one = true;
    else
      rest.push_back({base.coefficients[k], base.operands[k]});
  }
  if (!one || rest.empty()) return std::nullopt;
  const Operand x{graph.sum(base.labels, std::move(rest)), n.operands[0].subscripts};
  return graph.view(n.labels,
                    {graph.elementwise(Function::compound, n.labels, {x, n.operands[1]}), graph.identity(n.rank)});
}

}  // namespace gradus::rules
