// Sorts of nodes and of patterns.
#include "symbolic/rules/sorts.hpp"

#include <vector>

#include "symbolic/rules/place.hpp"

namespace gradus::rules {
namespace {

using PatternKind = Pattern::Kind;

constexpr Sort number_sort = 8, sum_sort = 9, other_sort = 10, first_function_sort = 11;

Sort sort_of(SoftmaxKind kind) {
  switch (kind) {
    case SoftmaxKind::logsumexp:
      return sort_of(Pattern::Reduction::logsumexp);
    case SoftmaxKind::softmax:
      return sort_of(Pattern::Reduction::softmax);
    case SoftmaxKind::log_softmax:
      return sort_of(Pattern::Reduction::log_softmax);
  }
  return other_sort;
}

}  // namespace

Sort sort_of(Pattern::Reduction r) { return static_cast<Sort>(r); }

/// Nothing where a pattern matches any sort.
std::optional<Sort> sort_of(const Pattern& p) {
  switch (p.kind) {
    case PatternKind::number:
      return number_sort;
    case PatternKind::call:
      return first_function_sort + static_cast<Sort>(p.function);
    case PatternKind::sum:
      return sum_sort;
    case PatternKind::reduction:
      return sort_of(p.reduction);
    case PatternKind::variable:
    case PatternKind::rest:
    case PatternKind::product:
      break;
  }
  return std::nullopt;
}

Sort sort_of(const Node& n) {
  switch (n.kind) {
    case Kind::elementwise:
      return first_function_sort + static_cast<Sort>(n.function);
    case Kind::constant:
      return number_sort;
    case Kind::sum:
      return sum_sort;
    case Kind::contraction:
      return n.labels.size() > n.rank ? sort_of(Pattern::Reduction::sum) : other_sort;
    case Kind::reduce:
      return n.reduction == Reduction::norm ? sort_of(Pattern::Reduction::norm) : other_sort;
    case Kind::softmax:
      return sort_of(n.softmax);
    case Kind::input:
    case Kind::index:
    case Kind::reshape:
    case Kind::order:
    case Kind::given:
      break;
  }
  return other_sort;
}

std::optional<std::int64_t> power_of_variable(const Pattern& p) {
  if (p.kind != PatternKind::call || p.function != Function::power || p.parts[0].kind != PatternKind::variable ||
      p.parts[1].kind != PatternKind::number)
    return std::nullopt;
  return p.parts[1].number.as_int64();
}

std::optional<std::int64_t> power_of_number(const Pattern& p) {
  if (p.is_number) return 1;
  if (p.kind != PatternKind::call || p.parts.empty() || !p.parts[0].is_number) return std::nullopt;
  return power_of_variable(p);
}

bool plausible(const Pattern& p, const Node& n) {
  if (power_of_number(p)) return n.kind == Kind::constant;
  const auto wanted = sort_of(p);
  return !wanted || sort_of(n) == wanted || (plain_product(n) && power_of_variable(p));
}

Anchors::Anchors(const Graph& graph, Expr root) {
  const Node& n = graph[root];
  std::vector<const Node*> open{&n};
  std::size_t looked = 0;
  // More nested parts than this are not taken apart: at most widest_nested leaves, and fewer nodes between.
  const std::size_t most = n.operands.size() + 2 * widest_nested;
  while (!open.empty() && looked <= most) {
    const Node& here = *open.back();
    open.pop_back();
    for (const auto& o : here.operands) {
      ++looked;
      const Node& inner = graph[o.expr];
      sorts_.set(sort_of(inner));
      const bool nested = n.kind == Kind::sum ? inner.kind == Kind::sum : plain_product(inner);
      if (nested && inner.operands.size() <= widest_nested) open.push_back(&inner);
    }
  }
}

bool Anchors::plausible(const Pattern& p) const {
  if (p.kind != PatternKind::sum && p.kind != PatternKind::product) return true;
  const Pattern& first = p.parts[p.search[0]];
  const auto wanted = sort_of(first);
  return !wanted || sorts_.test(*wanted) || (sorts_.test(other_sort) && power_of_variable(first));
}

}  // namespace gradus::rules
