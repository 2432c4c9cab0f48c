// The matcher: one function a kind of pattern; sums and products try their operands in every order.
#include "symbolic/rules/match.hpp"

#include <algorithm>
#include <cassert>

namespace gradus::rules {
namespace {

using PatternKind = Pattern::Kind;

/// Sums and products with more operands than this are not searched for parts that match (the search is quadratic).
constexpr std::size_t widest = 48;
/// How deep two expressions are compared when one is the other at one place.
constexpr int deepest = 24;

bool plain_product(const Node& n) {
  return n.kind == Kind::contraction && n.labels.size() == n.rank && n.guards.empty();
}

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
  const Rational q = a[0] / b[0];
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
  if (n.coefficients[0].is_zero()) return std::nullopt;
  const auto q = ratio(m.coefficients, n.coefficients);
  if (!q) return std::nullopt;
  return *q * x.factor / y.factor;
}

namespace {

class Matcher {
 public:
  Matcher(Graph& graph, std::size_t variables) : graph_(graph) { m_.variables.resize(variables); }

  std::optional<Match> at(const Pattern& p, Expr root) {
    const Node& n = graph_[root];
    m_.labels = n.labels;
    bool found = false;
    switch (p.kind) {
      case PatternKind::sum:
        found = n.kind == Kind::sum && n.operands.size() <= widest && sum_part(p, n);
        break;
      case PatternKind::product:
        found = n.kind == Kind::contraction && n.operands.size() <= widest && product_part(p, n);
        break;
      default: {
        m_.labels.resize(n.rank);
        const Operand whole{root, graph_.identity(n.rank)};
        found = matches(p, whole, 0);
      }
    }
    if (!found) return std::nullopt;
    return std::move(m_);
  }

 private:
  /// Operands of a node, read in the labels of the match.
  std::vector<Operand> read(const Node& n, const std::vector<Subscript>& map) {
    std::vector<Operand> out;
    out.reserve(n.operands.size());
    for (const auto& o : n.operands) out.push_back(graph_.substitute(o, map));
    return out;
  }

  bool matches(const Pattern& p, const Operand& o, std::uint32_t scope) {
    const Node& n = graph_[o.expr];
    switch (p.kind) {
      case PatternKind::number:
        return graph_.is_constant(o.expr, p.number);
      case PatternKind::variable:
      case PatternKind::rest:
        return variable(p.variable, o, scope);
      case PatternKind::call:
        return n.kind == Kind::elementwise && n.function == p.function && call(p, read(n, o.subscripts), scope);
      case PatternKind::sum:
        return n.kind == Kind::sum && whole_sum(p, n, read(n, o.subscripts), scope);
      case PatternKind::product:
        return product(p, o, scope);
      case PatternKind::reduction:
        return scope == 0 && reduction(p, o);
    }
    return false;
  }

  bool call(const Pattern& p, const std::vector<Operand>& operands, std::uint32_t scope) {
    const Match saved = m_;
    bool found = true;
    for (std::size_t k = 0; found && k < operands.size(); ++k) found = matches(p.parts[k], operands[k], scope);
    if (found || p.parts.size() != 2) return found;
    const bool commutes = p.function == Function::logaddexp || p.function == Function::hypot ||
                          p.function == Function::maximum || p.function == Function::minimum;
    if (!commutes) return false;
    m_ = saved;
    return matches(p.parts[0], operands[1], scope) && matches(p.parts[1], operands[0], scope);
  }

  bool variable(std::uint32_t v, const Operand& o, std::uint32_t scope) {
    auto& bound = m_.variables[v];
    if (!bound) {
      bound = Binding{o, scope, std::nullopt};
      return true;
    }
    if (bound->scope == scope) return bound->operand == o;
    if (scope == 0) {
      if (bound->element) return *bound->element == o;
      if (!place(bound->operand, o, bound->scope)) return false;
      bound->element = o;
      return true;
    }
    if (bound->scope != 0) return same_scopes(*bound, o, scope);
    if (!place(o, bound->operand, scope)) return false;
    bound = Binding{o, scope, bound->operand};
    return true;
  }

  /// Whether `outer` is `inner` at one place of the labels of a scope.
  bool place(const Operand& inner, const Operand& outer, std::uint32_t scope) {
    std::vector<std::optional<Subscript>> at(m_.labels.size());
    return same_at(inner, outer, m_.scopes[scope - 1], at, 0);
  }

  bool same_at(const Operand& inner, const Operand& outer, const Scope& s, std::vector<std::optional<Subscript>>& at,
               int depth) {
    if (inner.expr == outer.expr && subscripts_at(inner.subscripts, outer.subscripts, s, at)) return true;
    const Node& m = graph_[inner.expr];
    const Node& n = graph_[outer.expr];
    if (depth > deepest || m.kind != n.kind || m.function != n.function || m.operands.size() != n.operands.size() ||
        m.operands.empty() || !(m.coefficients == n.coefficients) || m.labels.size() != m.rank ||
        n.labels.size() != n.rank || !m.guards.empty() || !n.guards.empty() || m.kind == Kind::reshape)
      return false;
    for (std::size_t k = 0; k < m.operands.size(); ++k)
      if (!same_at(graph_.substitute(m.operands[k], inner.subscripts),
                   graph_.substitute(n.operands[k], outer.subscripts), s, at, depth + 1))
        return false;
    return true;
  }

  bool subscripts_at(const std::vector<Subscript>& inner, const std::vector<Subscript>& outer, const Scope& s,
                     std::vector<std::optional<Subscript>>& at) {
    const auto saved = at;
    for (std::size_t k = 0; k < inner.size(); ++k) {
      const auto l = graph_.as_label(inner[k]);
      if (l && *l >= s.first && *l < s.first + s.count && !at[*l]) at[*l] = outer[k];
    }
    std::vector<Subscript> map = graph_.identity(static_cast<std::uint32_t>(at.size()));
    for (Label l = 0; l < at.size(); ++l)
      if (at[l]) map[l] = *at[l];
    for (std::size_t k = 0; k < inner.size(); ++k)
      if (!(graph_.substitute(inner[k], map) == outer[k])) {
        at = saved;
        return false;
      }
    return true;
  }

  /// Whether a variable bound in one reduction stands in another of the same labels and guards.
  bool same_scopes(const Binding& bound, const Operand& o, std::uint32_t scope) {
    const Scope& a = m_.scopes[bound.scope - 1];
    const Scope& b = m_.scopes[scope - 1];
    if (a.count != b.count || a.guards.size() != b.guards.size()) return false;
    std::vector<std::optional<Subscript>> at(m_.labels.size());
    if (!same_at(bound.operand, o, a, at, 0)) return false;
    std::vector<Subscript> map = graph_.identity(static_cast<std::uint32_t>(at.size()));
    std::vector<char> taken(at.size(), 0);
    for (Label l = a.first; l < a.first + a.count; ++l) {
      if (!at[l]) return false;
      const auto to = graph_.as_label(*at[l]);
      if (!to || *to < b.first || *to >= b.first + b.count || taken[*to] != 0 || m_.labels[l] != m_.labels[*to])
        return false;
      taken[*to] = 1;
      map[l] = *at[l];
    }
    return std::all_of(a.guards.begin(), a.guards.end(), [&](const Guard& g) {
      const Guard moved = graph_.substitute(g, map);
      return std::find(b.guards.begin(), b.guards.end(), moved) != b.guards.end();
    });
  }

  /// The operands not used, as one sum or product.
  Operand remaining_sum(const std::vector<Rational>& coefficients, const std::vector<Operand>& operands,
                        const std::vector<char>& used) {
    std::vector<Term> terms;
    for (std::size_t k = 0; k < operands.size(); ++k)
      if (used[k] == 0) terms.push_back({coefficients[k], operands[k]});
    return {graph_.sum(m_.labels, std::move(terms)), graph_.identity(static_cast<std::uint32_t>(m_.labels.size()))};
  }

  Operand remaining_product(const Rational& coefficient, const std::vector<Operand>& operands,
                            const std::vector<char>& used) {
    std::vector<Operand> factors;
    for (std::size_t k = 0; k < operands.size(); ++k)
      if (used[k] == 0) factors.push_back(operands[k]);
    const auto rank = static_cast<std::uint32_t>(m_.labels.size());
    return {graph_.contraction(m_.labels, rank, coefficient, std::move(factors)), graph_.identity(rank)};
  }

  /// A term of a pattern against a term of a node, at a scale of the node's terms.
  bool term(const Pattern& part, const Rational& wanted, const Operand& o, const Rational& has, std::uint32_t scope) {
    if (has == wanted && matches(part, o, scope)) return true;
    if (part.kind != PatternKind::variable) return false;
    const auto& bound = m_.variables[part.variable];
    if (!bound || bound->scope != scope) return false;
    const auto q = rules::ratio(graph_, o, bound->operand);
    return q && has * *q == wanted;
  }

  /// Assigns the parts of a sum from `part` on to terms not used yet.
  bool terms(const Pattern& p, std::size_t part, const std::vector<Rational>& coefficients,
             const std::vector<Operand>& operands, std::vector<char>& used, std::uint32_t scope) {
    while (part < p.parts.size() && p.parts[part].kind == PatternKind::rest) ++part;
    if (part == p.parts.size()) return true;
    for (std::size_t k = 0; k < operands.size(); ++k) {
      if (used[k] != 0) continue;
      const auto saved = m_;
      if (term(p.parts[part], p.coefficients[part] * m_.factor, operands[k], coefficients[k], scope)) {
        used[k] = 1;
        if (terms(p, part + 1, coefficients, operands, used, scope)) return true;
        used[k] = 0;
      }
      m_ = saved;
    }
    return false;
  }

  static const Pattern* rest_of(const Pattern& p) {
    for (const auto& part : p.parts)
      if (part.kind == PatternKind::rest) return &part;
    return nullptr;
  }

  static bool all_used(const std::vector<char>& used) { return std::find(used.begin(), used.end(), 0) == used.end(); }

  bool whole_sum(const Pattern& p, const Node& n, const std::vector<Operand>& operands, std::uint32_t scope) {
    const Pattern* rest = rest_of(p);
    const std::size_t fixed = p.parts.size() - (rest != nullptr ? 1 : 0);
    if (rest == nullptr ? operands.size() != fixed : operands.size() <= fixed) return false;
    if (fixed > 1 && operands.size() > widest) return false;
    std::vector<char> used(operands.size(), 0);
    const Rational outer = std::exchange(m_.factor, 1);
    const bool found =
        terms(p, 0, n.coefficients, operands, used, scope) &&
        (rest == nullptr || variable(rest->variable, remaining_sum(n.coefficients, operands, used), scope));
    m_.factor = outer;
    return found;
  }

  bool sum_part(const Pattern& p, const Node& n) {
    const std::vector<Operand> operands = n.operands;
    for (std::size_t k = 0; k < operands.size(); ++k) {
      const auto saved = m_;
      m_.factor = n.coefficients[k] / p.coefficients[0];
      std::vector<char> used(operands.size(), 0);
      used[k] = 1;
      if (matches(p.parts[0], operands[k], 0) && terms(p, 1, n.coefficients, operands, used, 0)) {
        m_.used = std::move(used);
        return true;
      }
      m_ = saved;
    }
    return false;
  }

  /// Assigns the parts of a product from `part` on to factors not used yet.
  bool factors(const Pattern& p, std::size_t part, const std::vector<Operand>& operands, std::vector<char>& used,
               std::uint32_t scope) {
    while (part < p.parts.size() && p.parts[part].kind == PatternKind::rest) ++part;
    if (part == p.parts.size()) return true;
    for (std::size_t k = 0; k < operands.size(); ++k) {
      if (used[k] != 0) continue;
      const auto saved = m_;
      if (matches(p.parts[part], operands[k], scope)) {
        used[k] = 1;
        if (factors(p, part + 1, operands, used, scope)) return true;
        used[k] = 0;
      }
      m_ = saved;
    }
    return false;
  }

  bool whole_product(const Pattern& p, const Rational& coefficient, const std::vector<Operand>& operands,
                     std::uint32_t scope) {
    const Pattern* rest = rest_of(p);
    if (operands.size() > widest) return false;
    std::vector<char> used(operands.size(), 0);
    if (!factors(p, 0, operands, used, scope)) return false;
    const Rational left = coefficient / p.coefficients[0];
    if (rest == nullptr) return left.is_one() && all_used(used);
    return (!left.is_one() || !all_used(used)) &&
           variable(rest->variable, remaining_product(left, operands, used), scope);
  }

  bool product(const Pattern& p, const Operand& o, std::uint32_t scope) {
    // A scaled variable that is known already: whatever differs from it in scale only.
    if (p.parts.size() == 1 && p.parts[0].kind == PatternKind::variable) {
      const auto& bound = m_.variables[p.parts[0].variable];
      if (!bound || bound->scope != scope) return false;
      const auto q = rules::ratio(graph_, o, bound->operand);
      return q && *q == p.coefficients[0];
    }
    const Node& n = graph_[o.expr];
    return plain_product(n) && whole_product(p, n.coefficients[0], read(n, o.subscripts), scope);
  }

  bool product_part(const Pattern& p, const Node& n) {
    const std::vector<Operand> operands = n.operands;
    std::vector<char> used(operands.size(), 0);
    if (!factors(p, 0, operands, used, 0)) return false;
    m_.used = std::move(used);
    m_.factor = n.coefficients[0] / p.coefficients[0];
    return true;
  }

  std::uint32_t open(const Node& n, const Operand& o, std::vector<Subscript>& map) {
    Scope s;
    s.first = static_cast<Label>(m_.labels.size());
    s.count = static_cast<std::uint32_t>(n.labels.size() - n.rank);
    map = o.subscripts;
    for (Label l = n.rank; l < n.labels.size(); ++l) {
      map.push_back(graph_.label(static_cast<Label>(m_.labels.size())));
      m_.labels.push_back(n.labels[l]);
    }
    for (const auto& g : n.guards) s.guards.push_back(graph_.substitute(g, map));
    m_.scopes.push_back(std::move(s));
    return static_cast<std::uint32_t>(m_.scopes.size());
  }

  static bool is_reduction(const Node& n, Pattern::Reduction r) {
    switch (r) {
      case Pattern::Reduction::sum:
        return n.kind == Kind::contraction && n.labels.size() > n.rank;
      case Pattern::Reduction::norm:
        return n.kind == Kind::reduce && n.reduction == gradus::Reduction::norm;
      case Pattern::Reduction::logsumexp:
        return n.kind == Kind::softmax && n.softmax == SoftmaxKind::logsumexp;
      case Pattern::Reduction::softmax:
        return n.kind == Kind::softmax && n.softmax == SoftmaxKind::softmax;
      case Pattern::Reduction::log_softmax:
        return n.kind == Kind::softmax && n.softmax == SoftmaxKind::log_softmax;
    }
    return false;
  }

  bool reduction(const Pattern& p, const Operand& o) {
    const Node& n = graph_[o.expr];
    if (!is_reduction(n, p.reduction)) return false;
    std::vector<Subscript> map;
    const std::uint32_t scope = open(n, o, map);
    const std::vector<Operand> operands = read(n, map);
    const Pattern& body = p.parts[0];
    if (n.kind == Kind::softmax && operands.size() == 2) {
      // operands: the element, and what the reduction runs over
      if (body.kind != PatternKind::variable || m_.variables[body.variable]) return false;
      m_.variables[body.variable] = Binding{operands[1], scope, operands[0]};
      return true;
    }
    if (n.kind != Kind::contraction) return matches(body, operands[0], scope);
    if (body.kind == PatternKind::product) return whole_product(body, n.coefficients[0], operands, scope);
    return operands.size() == 1 && n.coefficients[0].is_one() && matches(body, operands[0], scope);
  }

  Graph& graph_;
  Match m_;
};

}  // namespace

std::optional<Match> match(Graph& graph, const Pattern& pattern, std::size_t variables, Expr root) {
  return Matcher(graph, variables).at(pattern, root);
}

}  // namespace gradus::rules
