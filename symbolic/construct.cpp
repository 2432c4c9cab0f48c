// The canonicalising constructors of elementwise nodes, sums, reductions, softmax and reshape.
#include <algorithm>
#include <unordered_map>

#include "symbolic/graph_internal.hpp"

namespace gradus {
namespace detail {

Expr full(Graph& graph, std::vector<Size> shape, const Rational& value) {
  if (shape.empty()) return graph.constant(value);
  Node n;
  n.kind = Kind::contraction;
  n.rank = static_cast<std::uint32_t>(shape.size());
  n.labels = std::move(shape);
  n.coefficients = {value};
  return graph.intern(std::move(n));
}

namespace {

int compare(const Subscript& a, const Subscript& b) {
  const auto three_way = [](auto x, auto y) { return x < y ? -1 : (y < x ? 1 : 0); };
  if (const int c = three_way(a.labels.size(), b.labels.size())) return c;
  for (std::size_t i = 0; i < a.labels.size(); ++i) {
    if (const int c = three_way(a.labels[i].label, b.labels[i].label)) return c;
    if (const int c = three_way(a.labels[i].coefficient, b.labels[i].coefficient)) return c;
  }
  if (const int c = three_way(a.offset, b.offset)) return c;
  if (const int c = three_way(a.data.size(), b.data.size())) return c;
  for (std::size_t i = 0; i < a.data.size(); ++i) {
    if (const int c = three_way(a.data[i].data, b.data[i].data)) return c;
    if (const int c = three_way(a.data[i].coefficient, b.data[i].coefficient)) return c;
    for (std::size_t k = 0; k < a.data[i].subscripts.size() && k < b.data[i].subscripts.size(); ++k)
      if (const int c = compare(a.data[i].subscripts[k], b.data[i].subscripts[k])) return c;
  }
  return 0;
}

}  // namespace

void order_symmetric(const Graph& graph, Operand& operand) {
  const std::size_t rank = operand.subscripts.size();
  if (rank < 2 || !graph.is_symmetric(operand.expr)) return;
  Subscript &row = operand.subscripts[rank - 2], &column = operand.subscripts[rank - 1];
  if (compare(row, column) > 0) std::swap(row, column);
}

Operand resolve(Graph& graph, Operand operand) {
  while (is_view(graph[operand.expr])) {
    const Operand inner = graph[operand.expr].operands[0];
    operand = graph.substitute(inner, operand.subscripts);
  }
  order_symmetric(graph, operand);
  return operand;
}

bool before(const Operand& a, const Operand& b) {
  if (a.expr != b.expr) return a.expr < b.expr;
  for (std::size_t k = 0; k < a.subscripts.size(); ++k)
    if (const int c = compare(a.subscripts[k], b.subscripts[k])) return c < 0;
  return false;
}

std::optional<Rational> exact_power(const Rational& base, const Rational& exponent) {
  if (!exponent.is_integer()) return std::nullopt;
  const auto e = exponent.as_int64();
  if (!e) return base.is_one() ? std::optional<Rational>(1) : std::nullopt;
  return base.power(*e);
}

namespace {

/// The value of a function of exact constants, where it is an exact rational.
std::optional<Rational> fold(Function f, const std::vector<const Rational*>& x) {
  switch (f) {
    case Function::less:
      return *x[0] < *x[1] ? 1 : 0;
    case Function::less_equal:
      return *x[0] <= *x[1] ? 1 : 0;
    case Function::equal:
      return *x[0] == *x[1] ? 1 : 0;
    case Function::not_equal:
      return *x[0] == *x[1] ? 0 : 1;
    case Function::logical_and:
      return !x[0]->is_zero() && !x[1]->is_zero() ? 1 : 0;
    case Function::logical_or:
      return !x[0]->is_zero() || !x[1]->is_zero() ? 1 : 0;
    case Function::logical_not:
      return x[0]->is_zero() ? 1 : 0;
    case Function::power:
      return exact_power(*x[0], *x[1]);
    case Function::abs:
      return x[0]->sign() < 0 ? -*x[0] : *x[0];
    case Function::sign:
      return x[0]->sign();
    case Function::maximum:
      return std::max(*x[0], *x[1]);
    case Function::minimum:
      return std::min(*x[0], *x[1]);
    case Function::exp:
      return x[0]->is_zero() ? std::optional<Rational>(1) : std::nullopt;
    case Function::log:
      return x[0]->is_one() ? std::optional<Rational>(0) : std::nullopt;
    case Function::sqrt:
      return x[0]->is_zero() || x[0]->is_one() ? std::optional<Rational>(*x[0]) : std::nullopt;
    case Function::sin:
    case Function::tanh:
    case Function::expm1:
    case Function::log1p:
      return x[0]->is_zero() ? std::optional<Rational>(0) : std::nullopt;
    case Function::cos:
    case Function::cosh:
      return x[0]->is_zero() ? std::optional<Rational>(1) : std::nullopt;
    default:
      return std::nullopt;  // stays a node: its value is no rational we can write
  }
}

/// An operand that stands for the whole node (x^1, where(true, a, b)), or nothing.
std::optional<Operand> identity_of(const Graph& graph, Function f, const std::vector<Operand>& operands) {
  if (f == Function::power && graph.is_constant(operands[1].expr, 1)) return operands[0];
  if (f == Function::select) {
    if (const Rational* c = graph.constant_value(operands[0].expr)) return operands[c->is_zero() ? 2 : 1];
    if (operands[1] == operands[2]) return operands[1];
  }
  if (f == Function::logical_and || f == Function::logical_or) {
    for (const std::size_t k : {0u, 1u}) {
      const Rational* c = graph.constant_value(operands[k].expr);
      if (c != nullptr) return operands[c->is_zero() == (f == Function::logical_and) ? k : 1 - k];
    }
    if (operands[0] == operands[1]) return operands[0];
  }
  return std::nullopt;
}

bool is_commutative(Function f) {
  return f == Function::equal || f == Function::not_equal || f == Function::logical_and || f == Function::logical_or ||
         f == Function::maximum || f == Function::minimum || f == Function::logaddexp || f == Function::hypot;
}

std::vector<char> used_labels(std::size_t count, const std::vector<Operand>& operands,
                              const std::vector<Guard>& guards) {
  std::vector<char> used(count, 0);
  const auto mark = [&](Label l) { used[l] = 1; };
  for (const auto& o : operands) Graph::each_label(o, mark);
  for (const auto& g : guards) Graph::each_label(g, mark);
  return used;
}

/// Guards that hold everywhere say nothing.
void drop_certain(const Graph& graph, std::vector<Guard>& guards) {
  std::erase_if(guards, [&](const Guard& g) {
    if (g.kind != Guard::Kind::condition) return false;
    const Rational* c = graph.constant_value(g.condition.expr);
    return c != nullptr && !c->is_zero();
  });
}

template <class T>
std::vector<T> substituted(Graph& graph, const std::vector<T>& items, const std::vector<Subscript>& map) {
  std::vector<T> out;
  out.reserve(items.size());
  for (const auto& i : items) out.push_back(graph.substitute(i, map));
  return out;
}

}  // namespace
}  // namespace detail

Expr Graph::elementwise(Function f, std::vector<Size> labels, std::vector<Operand> operands) {
  for (auto& o : operands) o = detail::resolve(*this, std::move(o));
  std::vector<const Rational*> constants;
  for (const auto& o : operands)
    if (const Rational* c = constant_value(o.expr)) constants.push_back(c);
  if (!operands.empty() && constants.size() == operands.size())
    if (const auto value = detail::fold(f, constants)) return detail::full(*this, std::move(labels), *value);
  if (f == Function::power && is_constant(operands[1].expr, 0)) return detail::full(*this, std::move(labels), 1);
  if (const auto same = detail::identity_of(*this, f, operands)) return view(std::move(labels), *same);
  if (f == Function::logical_not && nodes_[operands[0].expr.id].kind == Kind::elementwise &&
      nodes_[operands[0].expr.id].function == Function::logical_not)
    return view(std::move(labels), substitute(nodes_[operands[0].expr.id].operands[0], operands[0].subscripts));
  if (detail::is_commutative(f)) std::ranges::stable_sort(operands, detail::before);
  const auto used = detail::used_labels(labels.size(), operands, {});
  const auto rank = static_cast<std::uint32_t>(labels.size());
  return detail::on_used_labels(*this, labels, rank, used, [&](const auto& kept, const auto& map) {
    Node n;
    n.kind = Kind::elementwise;
    n.function = f;
    n.rank = static_cast<std::uint32_t>(kept.size());
    n.labels = kept;
    n.operands = detail::substituted(*this, operands, map);
    return intern(std::move(n));
  });
}

Expr Graph::sum(std::vector<Size> labels, std::vector<Term> terms) {
  Rational constant_part = 0;
  std::vector<Term> kept;
  for (auto& t : terms) {
    t.operand = detail::resolve(*this, std::move(t.operand));
    if (const Rational* c = constant_value(t.operand.expr))
      constant_part = constant_part + t.coefficient * *c;
    else if (!t.coefficient.is_zero())
      kept.push_back(std::move(t));
  }
  std::ranges::stable_sort(kept, [](const Term& a, const Term& b) { return detail::before(a.operand, b.operand); });
  std::vector<Term> merged;
  for (auto& t : kept) {
    if (!merged.empty() && merged.back().operand == t.operand)
      merged.back().coefficient = merged.back().coefficient + t.coefficient;
    else
      merged.push_back(std::move(t));
    if (merged.back().coefficient.is_zero()) merged.pop_back();
  }
  const auto rank = static_cast<std::uint32_t>(labels.size());
  if (merged.empty()) return detail::full(*this, std::move(labels), constant_part);
  if (merged.size() == 1 && constant_part.is_zero())
    return contraction(std::move(labels), rank, merged[0].coefficient, {merged[0].operand});
  if (!constant_part.is_zero()) merged.push_back({constant_part, {constant(1), {}}});
  std::vector<char> used(labels.size(), 0);
  for (const auto& t : merged) each_label(t.operand, [&](Label l) { used[l] = 1; });
  return detail::on_used_labels(*this, labels, rank, used, [&](const auto& axes, const auto& map) {
    Node n;
    n.kind = Kind::sum;
    n.rank = static_cast<std::uint32_t>(axes.size());
    n.labels = axes;
    for (const auto& t : merged) {
      n.operands.push_back(substitute(t.operand, map));
      n.coefficients.push_back(t.coefficient);
    }
    return intern(std::move(n));
  });
}

Expr Graph::reduce(Reduction reduction, std::vector<Size> labels, std::uint32_t rank, Operand operand,
                   std::vector<Guard> guards) {
  operand = detail::resolve(*this, std::move(operand));
  detail::drop_certain(*this, guards);
  if (labels.size() == rank && guards.empty()) {
    if (reduction == Reduction::norm) return elementwise(Function::abs, std::move(labels), {operand});
    if (is_position(reduction)) return detail::full(*this, std::move(labels), 0);
    return view(std::move(labels), std::move(operand));
  }
  const auto used = detail::used_labels(labels.size(), {operand}, guards);
  return detail::on_used_labels(*this, labels, rank, used, [&](const auto& kept, const auto& map) {
    Node n;
    n.kind = Kind::reduce;
    n.reduction = reduction;
    n.rank = static_cast<std::uint32_t>(kept.size() - (labels.size() - rank));
    n.labels = kept;
    n.operands = {substitute(operand, map)};
    n.guards = detail::substituted(*this, guards, map);
    return intern(std::move(n));
  });
}

Expr Graph::softmax(SoftmaxKind kind, std::vector<Size> labels, std::uint32_t rank, std::vector<Operand> operands,
                    std::vector<Guard> guards) {
  for (auto& o : operands) o = detail::resolve(*this, std::move(o));
  detail::drop_certain(*this, guards);
  const auto used = detail::used_labels(labels.size(), operands, guards);
  return detail::on_used_labels(*this, labels, rank, used, [&](const auto& kept, const auto& map) {
    Node n;
    n.kind = Kind::softmax;
    n.softmax = kind;
    n.rank = static_cast<std::uint32_t>(kept.size() - (labels.size() - rank));
    n.labels = kept;
    n.operands = detail::substituted(*this, operands, map);
    n.guards = detail::substituted(*this, guards, map);
    return intern(std::move(n));
  });
}

Expr Graph::reshape(std::vector<Size> shape, Expr operand) {
  while (nodes_[operand.id].kind == Kind::reshape) operand = nodes_[operand.id].operands[0].expr;
  if (this->shape(operand) == shape) return operand;
  if (auto subscripts = across_unit_axes(shape, operand)) return view(std::move(shape), {operand, *subscripts});
  if (const Rational* c = constant_value(operand)) return detail::full(*this, std::move(shape), *c);
  Node n;
  n.kind = Kind::reshape;
  n.rank = static_cast<std::uint32_t>(shape.size());
  n.labels = std::move(shape);
  n.operands = {{operand, {}}};
  return intern(std::move(n));
}

Expr Graph::order(std::vector<Size> labels, Operand operand, std::vector<Guard> guards) {
  operand = detail::resolve(*this, std::move(operand));
  const auto rank = static_cast<std::uint32_t>(labels.size() - 1);
  auto used = detail::used_labels(labels.size(), {operand}, guards);
  used[rank - 1] = 1;
  const auto bounded = [&](Expr e) {
    set_index_bound(e, labels.back());
    return e;
  };
  return bounded(detail::on_used_labels(*this, labels, rank, used, [&](const auto& kept, const auto& map) {
    Node n;
    n.kind = Kind::order;
    n.rank = static_cast<std::uint32_t>(kept.size() - 1);
    n.labels = kept;
    n.operands = {substitute(operand, map)};
    n.guards = detail::substituted(*this, guards, map);
    return bounded(intern(std::move(n)));
  }));
}

Expr Graph::given(bool own_differential, std::vector<Size> labels, std::uint32_t rank, std::vector<Operand> operands) {
  for (auto& o : operands) o = detail::resolve(*this, std::move(o));
  const Kind kind = nodes_[operands[0].expr.id].kind;
  if (operands.size() == 1 && (own_differential || kind == Kind::constant || kind == Kind::index))
    return view(std::move(labels), std::move(operands[0]));
  Node n;
  n.kind = Kind::given;
  n.rank = rank;
  n.payload = own_differential ? 1 : 0;
  n.labels = std::move(labels);
  n.operands = std::move(operands);
  return intern(std::move(n));
}

std::optional<std::vector<Subscript>> Graph::across_unit_axes(const std::vector<Size>& shape, Expr operand) {
  const Size one = sizes_.constant(1);
  std::vector<Subscript> subscripts;
  Label next = 0;
  const auto skip_ones = [&] {
    while (next < shape.size() && shape[next] == one) ++next;
  };
  for (const Size s : this->shape(operand)) {
    if (s == one) {
      subscripts.push_back(offset(sizes_.constant(0)));
      continue;
    }
    skip_ones();
    if (next == shape.size() || shape[next] != s) return std::nullopt;
    subscripts.push_back(label(next++));
  }
  skip_ones();
  if (next != shape.size()) return std::nullopt;
  return subscripts;
}

Expr Graph::view(std::vector<Size> labels, Operand operand) {
  const auto rank = static_cast<std::uint32_t>(labels.size());
  return contraction(std::move(labels), rank, 1, {std::move(operand)});
}

Expr Graph::rebuild(const Node& n) {
  switch (n.kind) {
    case Kind::input:
    case Kind::constant:
      return intern(n);
    case Kind::index:
      return index(n.labels, n.affine);
    case Kind::elementwise:
      return elementwise(n.function, n.labels, n.operands);
    case Kind::sum: {
      std::vector<Term> terms;
      for (std::size_t i = 0; i < n.operands.size(); ++i) terms.push_back({n.coefficients[i], n.operands[i]});
      return sum(n.labels, std::move(terms));
    }
    case Kind::contraction:
      return contraction(n.labels, n.rank, n.coefficients[0], n.operands, n.guards);
    case Kind::reduce:
      if (n.reduction == Reduction::exponentials) return intern(n);
      return reduce(n.reduction, n.labels, n.rank, n.operands[0], n.guards);
    case Kind::softmax:
      return softmax(n.softmax, n.labels, n.rank, n.operands, n.guards);
    case Kind::reshape:
      return reshape(n.labels, n.operands[0].expr);
    case Kind::order:
      return order(n.labels, n.operands[0], n.guards);
    case Kind::given:
      return given(n.payload != 0, n.labels, n.rank, n.operands);
  }
  return intern(n);
}

}  // namespace gradus
