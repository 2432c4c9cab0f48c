// Comparison of operands up to scale and up to the place they are read at.
#include "symbolic/rules/place.hpp"

namespace gradus::rules {
namespace {

/// An operand without its scale.
struct Scaled {
  Rational factor = 1;
  Operand operand;
};

Scaled split(Graph& graph, const Operand& o) {
  const Node& n = graph[o.expr];
  if (!plain_product(n) || n.operands.size() != 1) return {1, o};
  return {n.coefficients[0], graph.substitute(n.operands[0], o.subscripts)};
}

/// The ratio of two lists of coefficients, when it is one.
std::optional<Rational> ratio(const std::vector<Rational>& a, const std::vector<Rational>& b) {
  if (b[0].is_zero()) return std::nullopt;
  Rational q = a[0] / b[0];
  for (std::size_t k = 1; k < a.size(); ++k)
    if (!(a[k] == q * b[k])) return std::nullopt;
  return q;
}

}  // namespace

std::optional<Rational> ratio(Graph& graph, const Operand& a, const Operand& b) {
  if (a == b) return Rational(1);
  const Scaled x = split(graph, a), y = split(graph, b);
  if (y.factor.is_zero()) return std::nullopt;
  if (x.operand == y.operand) return x.factor / y.factor;
  const Node& m = graph[x.operand.expr];
  const Node& n = graph[y.operand.expr];
  const bool sums = m.kind == Kind::sum && n.kind == Kind::sum;
  const bool products = plain_product(m) && plain_product(n);
  if (!(sums || products) || m.operands.size() != n.operands.size() || m.operands.empty()) return std::nullopt;
  for (std::size_t k = 0; k < m.operands.size(); ++k)
    if (!(graph.substitute(m.operands[k], x.operand.subscripts) ==
          graph.substitute(n.operands[k], y.operand.subscripts)))
      return std::nullopt;
  const auto q = ratio(m.coefficients, n.coefficients);
  if (!q) return std::nullopt;
  return *q * x.factor / y.factor;
}

namespace {

class PlaceMatcher {
 public:
  PlaceMatcher(Graph& graph, LabelRange range, std::vector<std::optional<Subscript>>& at)
      : graph_(graph), range_(range), at_(at) {}

  bool same(const Operand& inner, const Operand& outer) {
    if (inner.expr == outer.expr) return same_subscripts(inner.subscripts, outer.subscripts);
    const Node& m = graph_[inner.expr];
    const Node& n = graph_[outer.expr];
    const bool comparable = m.kind == n.kind && m.function == n.function && m.operands.size() == n.operands.size() &&
                            !m.operands.empty() && m.coefficients == n.coefficients && m.kind != Kind::reshape;
    const bool plain = m.labels.size() == m.rank && n.labels.size() == n.rank && m.guards.empty() && n.guards.empty();
    if (!comparable || !plain || budget_ == 0) return false;
    --budget_;
    for (std::size_t k = 0; k < m.operands.size(); ++k)
      if (!same(graph_.substitute(m.operands[k], inner.subscripts), graph_.substitute(n.operands[k], outer.subscripts)))
        return false;
    return true;
  }

 private:
  bool same_subscripts(const std::vector<Subscript>& inner, const std::vector<Subscript>& outer) {
    for (std::size_t k = 0; k < inner.size(); ++k) {
      const auto l = graph_.as_label(inner[k]);
      if (l && *l >= range_.first && *l < range_.first + range_.count && !at_[*l]) at_[*l] = outer[k];
    }
    std::vector<Subscript> map = graph_.identity(static_cast<std::uint32_t>(at_.size()));
    for (Label l = 0; l < at_.size(); ++l)
      if (at_[l]) map[l] = *at_[l];
    for (std::size_t k = 0; k < inner.size(); ++k)
      if (!(graph_.substitute(inner[k], map) == outer[k])) return false;
    return true;
  }

  Graph& graph_;
  LabelRange range_;
  std::vector<std::optional<Subscript>>& at_;
  int budget_ = 32;  // nodes looked into: enough for what people write, little
                     // enough for recursion
};

}  // namespace

bool same_at_place(Graph& graph, const Operand& inner, const Operand& outer, LabelRange range,
                   std::vector<std::optional<Subscript>>& at) {
  return PlaceMatcher(graph, range, at).same(inner, outer);
}

}  // namespace gradus::rules
