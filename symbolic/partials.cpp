// Operators on graph expressions, so that the partials column of elementwise.def builds nodes.
#include "symbolic/partials.hpp"

#include <array>
#include <utility>

namespace gradus {
namespace partials {
namespace {

/// Where expressions are built: the graph and the labels of the node that is differentiated.
struct Scope {
  Graph& graph;
  const std::vector<Size>& labels;
};

/// coefficient × Π factors. Products stay open, so that they join the adjoint's product. Plain numbers have no scope.
struct Symbolic {
  Scope* scope = nullptr;
  Rational coefficient = 1;
  std::vector<Operand> factors;

  Symbolic(int number) : coefficient(number) {}  // NOLINT(google-explicit-constructor): reads like mathematics
  Symbolic(Scope* s, Rational c, std::vector<Operand> f) : scope(s), coefficient(std::move(c)), factors(std::move(f)) {}
  Symbolic(Scope* s, const Operand& operand) : scope(s) {
    if (const Rational* c = s->graph.constant_value(operand.expr))
      coefficient = *c;
    else
      factors = {operand};
  }

  Operand operand(Scope* s) const {
    if (factors.empty()) return {s->graph.constant(coefficient), {}};
    if (factors.size() == 1 && coefficient.is_one()) return factors[0];
    const auto rank = static_cast<std::uint32_t>(s->labels.size());
    return s->graph.whole(s->graph.contraction(s->labels, rank, coefficient, factors));
  }
};

using Partial = std::vector<PartialPiece>;

Scope* scope_of(const std::vector<Symbolic>& values) {
  for (const Symbolic& v : values)
    if (v.scope != nullptr) return v.scope;
  return nullptr;
}

Symbolic apply(Function f, const std::vector<Symbolic>& values) {
  Scope* s = scope_of(values);
  std::vector<Operand> operands;
  for (const Symbolic& v : values) operands.push_back(v.operand(s));
  return {s, s->graph.whole(s->graph.elementwise(f, s->labels, std::move(operands)))};
}

/// x^exponent; of a power with a constant exponent, one power.
Symbolic raised(Scope* s, const Operand& x, const Rational& exponent) {
  const Node& n = s->graph[x.expr];
  if (n.kind == Kind::elementwise && n.function == Function::power && exponent.is_integer())
    if (const Rational* inner = s->graph.constant_value(n.operands[1].expr))
      if (inner->is_integer()) {
        const Rational both = *inner * exponent;
        const Operand base = s->graph.substitute(n.operands[0], x.subscripts);
        return {
            s, s->graph.whole(s->graph.elementwise(Function::power, s->labels, {base, {s->graph.constant(both), {}}}))};
      }
  return {s, s->graph.whole(s->graph.elementwise(Function::power, s->labels, {x, {s->graph.constant(exponent), {}}}))};
}

Symbolic operator*(const Symbolic& a, const Symbolic& b) {
  std::vector<Operand> factors = a.factors;
  factors.insert(factors.end(), b.factors.begin(), b.factors.end());
  return {a.scope != nullptr ? a.scope : b.scope, a.coefficient * b.coefficient, std::move(factors)};
}

Symbolic operator/(const Symbolic& a, const Symbolic& b) {
  Symbolic result{a.scope != nullptr ? a.scope : b.scope, a.coefficient / b.coefficient, a.factors};
  for (const Operand& f : b.factors) result = result * raised(b.scope, f, -1);
  return result;
}

Symbolic combine(const Symbolic& a, const Symbolic& b, const Rational& sign) {
  Scope* s = scope_of({a, b});
  if (s == nullptr || (a.factors.empty() && b.factors.empty()))
    return {s, a.coefficient + sign * b.coefficient, std::vector<Operand>{}};
  const auto term = [&](const Symbolic& v, const Rational& c) {
    if (v.factors.size() == 1) return Term{c * v.coefficient, v.factors[0]};
    return Term{c, v.operand(s)};
  };
  return {s, s->graph.whole(s->graph.sum(s->labels, {term(a, 1), term(b, sign)}))};
}

Symbolic operator+(const Symbolic& a, const Symbolic& b) { return combine(a, b, 1); }
Symbolic operator-(const Symbolic& a, const Symbolic& b) { return combine(a, b, -1); }
Symbolic operator-(const Symbolic& a) { return {a.scope, -a.coefficient, a.factors}; }

Symbolic operator<(const Symbolic& a, const Symbolic& b) { return apply(Function::less, {a, b}); }
Symbolic operator<=(const Symbolic& a, const Symbolic& b) { return apply(Function::less_equal, {a, b}); }
Symbolic operator==(const Symbolic& a, const Symbolic& b) { return apply(Function::equal, {a, b}); }
Symbolic operator!=(const Symbolic& a, const Symbolic& b) { return apply(Function::not_equal, {a, b}); }
Symbolic operator&&(const Symbolic& a, const Symbolic& b) { return apply(Function::logical_and, {a, b}); }
Symbolic operator||(const Symbolic& a, const Symbolic& b) { return apply(Function::logical_or, {a, b}); }

// Each function of the table by its enumerator's name.
#define GRADUS_FUNCTION(id, name, arity, spelling, condition, total, latex, value, partials, domain, kinks, selects, \
                        lowering, doc)                                                                               \
  template <class... More>                                                                                           \
  [[maybe_unused]] Symbolic id(const Symbolic& first, const More&... more) {                                         \
    return apply(Function::id, {first, Symbolic(more)...});                                                          \
  }
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION

Symbolic number(const Symbolic& x, int value) { return {x.scope, value, std::vector<Operand>{}}; }
Symbolic pi(const Symbolic& x) { return {x.scope, Operand{x.scope->graph.named_constant(Function::pi), {}}}; }
Symbolic square(const Symbolic& x) {
  Symbolic result{x.scope, x.coefficient * x.coefficient, std::vector<Operand>{}};
  for (const Operand& f : x.factors) result = result * raised(x.scope, f, 2);
  return result;
}

Partial none() { return {}; }
Partial by(const Symbolic& factor) { return {{std::nullopt, factor.coefficient, factor.factors}}; }

Partial when(const Symbolic& condition, const Symbolic& factor) {
  if (condition.factors.empty()) return condition.coefficient.is_zero() ? none() : by(factor);
  return {{condition.factors[0], factor.coefficient, factor.factors}};
}

Symbolic holds(const Symbolic& condition) { return condition; }
Symbolic fails(const Symbolic& condition) { return apply(Function::logical_not, {condition}); }
Symbolic shared(const Symbolic& tie) {
  const Symbolic half{tie.scope, Rational::ratio(1, 2), std::vector<Operand>{}};
  return apply(Function::select, {tie, half, 1});
}

template <class... Partials>
std::vector<Partial> list(Partials... partials) {
  return {std::move(partials)...};
}

std::vector<Partial> of(Function function, const Symbolic& x, const Symbolic& y, const Symbolic& z, const Symbolic& f) {
  static_cast<void>(y), static_cast<void>(z), static_cast<void>(f), static_cast<void>(x);
  switch (function) {
#define GRADUS_FUNCTION(id, name, arity, spelling, condition, total, latex, value, partials, domain, kinks, selects, \
                        lowering, doc)                                                                               \
  case Function::id:                                                                                                 \
    return list partials;
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
  }
  return {};
}

}  // namespace
}  // namespace partials

std::vector<std::vector<PartialPiece>> elementwise_partials(Graph& graph, Expr node) {
  const Node& n = graph[node];
  partials::Scope scope{graph, n.labels};
  const auto operand = [&](std::size_t k) {
    return k < n.operands.size() ? partials::Symbolic{&scope, n.operands[k]} : partials::Symbolic{0};
  };
  return partials::of(n.function, operand(0), operand(1), operand(2), {&scope, graph.whole(node)});
}

bool is_differentiable(Function f, std::size_t operand) {
  // Asked of the table once, with three unknowns.
  static const auto table = [] {
    std::vector<std::array<bool, 3>> result(function_count());
    Graph graph;
    std::vector<Operand> unknowns;
    for (std::uint32_t k = 0; k < 3; ++k) unknowns.push_back({graph.input(k, {}), {}});
    for (std::size_t id = 0; id < result.size(); ++id) {
      const auto function = static_cast<Function>(id);
      const Expr node = graph.elementwise(function, {}, {unknowns.begin(), unknowns.begin() + row(function).arity});
      const auto partials = elementwise_partials(graph, node);
      for (std::size_t k = 0; k < partials.size(); ++k) result[id][k] = !partials[k].empty();
    }
    return result;
  }();
  return table[static_cast<std::size_t>(f)][operand];
}

}  // namespace gradus
