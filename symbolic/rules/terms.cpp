// Sums taken apart into terms.
#include "symbolic/rules/terms.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/monomial.hpp"

namespace gradus::rules {

std::vector<Term> terms_of(Graph& graph, const Operand& operand) {
  std::vector<Term> out, open{{1, operand}};
  while (!open.empty()) {
    Term t = std::move(open.back());
    open.pop_back();
    const Node* n = &graph[t.operand.expr];
    if (is_product(*n) && n->operands.size() == 1)
      t = {t.coefficient * n->coefficients[0], graph.substitute(n->operands[0], t.operand.subscripts)};
    n = &graph[t.operand.expr];
    if (n->kind != Kind::sum || open.size() + out.size() + n->operands.size() > most_factors) {
      out.push_back(std::move(t));
      continue;
    }
    for (std::size_t k = n->operands.size(); k-- > 0;)
      open.push_back({t.coefficient * n->coefficients[k], graph.substitute(n->operands[k], t.operand.subscripts)});
  }
  return out;
}

std::optional<std::size_t> terms_between(Graph& graph, const Operand& x, const Operand& y) {
  std::vector<Term> a = terms_of(graph, x), b = terms_of(graph, y);
  const std::size_t all = a.size() + b.size();
  std::size_t left = all;
  for (const auto& t : a) {
    const bool constant = graph.is_constant(t.operand.expr);
    const auto same = std::ranges::find_if(
        b, [&](const Term& u) { return t.operand == u.operand || (constant && graph.is_constant(u.operand.expr)); });
    if (same == b.end()) continue;
    const auto value = [&](const Term& u) {
      const Rational* q = graph.constant_value(u.operand.expr);
      return q == nullptr ? u.coefficient : u.coefficient * *q;
    };
    left -= value(t) == value(*same) ? 2 : 1;
    b.erase(same);
  }
  if (left == 0 || left + 2 > all) return std::nullopt;
  return left;
}

}  // namespace gradus::rules
