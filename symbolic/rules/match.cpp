// The matcher: one function a kind of pattern; sums and products try their
// operands in every order.
#include "symbolic/rules/match.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "symbolic/rules/monomial.hpp"
#include "symbolic/rules/sorts.hpp"

namespace gradus::rules {
namespace {

using PatternKind = Pattern::Kind;

/// Sums and products with more operands than this are not searched for parts
/// that match (the search is quadratic).
constexpr std::size_t widest = 48;
class Matcher {
 public:
  Matcher(Graph& graph, std::size_t variables, const Accept& accept) : graph_(graph), accept_(accept) {
    m_.variables.resize(variables);
  }

  std::optional<Match> at(const Pattern& p, Expr root) {
    const Node& n = graph_[root];
    m_.labels = n.labels;
    bool found = false;
    switch (p.kind) {
      case PatternKind::sum:
        found = n.kind == Kind::sum && sum_part(p, n);
        break;
      case PatternKind::product:
        found = n.kind == Kind::contraction && product_part(p, n);
        break;
      default: {
        m_.labels.resize(n.rank);
        const Operand whole{root, graph_.identity(n.rank)};
        found = matches(p, whole, 0) && accepted();
      }
    }
    if (found) return std::move(m_);
    return std::move(best_);
  }

 private:
  /// Whether this match will do; one that costs something is kept while cheaper ones are looked for.
  bool accepted() {
    const auto cost = accept_(m_);
    if (cost && *cost > 0 && (!best_ || *cost < best_cost_)) {
      best_ = m_;
      best_cost_ = *cost;
    }
    return cost == 0u;
  }

  /// Operands of a node, read in the labels of the match.
  std::vector<Operand> read(const Node& n, const std::vector<Subscript>& map) {
    std::vector<Operand> out;
    out.reserve(n.operands.size());
    for (const auto& o : n.operands) out.push_back(graph_.substitute(o, map));
    return out;
  }

  bool matches(const Pattern& p, const Operand& o, std::uint32_t scope) {
    const Node& n = graph_[o.expr];
    if (const auto k = power_of_number(p)) {
      const Rational* value = graph_.constant_value(o.expr);
      return value != nullptr && number(p, *k, *value, scope);
    }
    switch (p.kind) {
      case PatternKind::number:
        return graph_.is_constant(o.expr, p.number);
      case PatternKind::variable:
      case PatternKind::rest:
        return variable(p.variable, o, scope);
      case PatternKind::call:
        return n.kind == Kind::elementwise && n.function == p.function && call(p, read(n, o.subscripts), scope);
      case PatternKind::sum:
        return n.kind == Kind::sum && whole_sum(p, o, scope);
      case PatternKind::product:
        return product(p, o, scope);
      case PatternKind::reduction:
        return reduction(p, o);
    }
    return false;
  }

  bool call(const Pattern& p, const std::vector<Operand>& operands, std::uint32_t scope) {
    const Match saved = m_;
    bool found = true;
    // Plain variables first: what is bound decides which term of x + rest is meant.
    for (const bool plain : {true, false})
      for (std::size_t k = 0; found && k < operands.size(); ++k)
        if ((p.parts[k].kind == PatternKind::variable) == plain) found = matches(p.parts[k], operands[k], scope);
    if (found || p.parts.size() != 2) return found;
    const bool commutes = p.function == Function::logaddexp || p.function == Function::hypot ||
                          p.function == Function::maximum || p.function == Function::minimum;
    if (!commutes) return false;
    m_ = saved;
    return matches(p.parts[0], operands[1], scope) && matches(p.parts[1], operands[0], scope);
  }

  /// Whether such a power can be this value.
  bool number(const Pattern& p, std::int64_t k, const Rational& value, std::uint32_t scope) {
    const Pattern& base = k == 1 ? p : p.parts[0];
    auto root = k == 2 ? square_root(value) : k < 0 && !value.is_zero() ? value.power(-1) : std::optional(value);
    if (!root || root->sign() <= 0) return false;
    return variable(base.variable, {graph_.constant(*root), {}}, scope);
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

  static LabelRange range_of(const Scope& s) { return {s.first, s.count}; }

  /// Whether `outer` is `inner` at one place of the labels of a scope.
  bool place(const Operand& inner, const Operand& outer, std::uint32_t scope) {
    std::vector<std::optional<Subscript>> at(m_.labels.size());
    return same_at_place(graph_, inner, outer, range_of(m_.scopes[scope - 1]), at);
  }

  /// Whether a variable bound in one reduction stands in another of the same
  /// labels and guards.
  bool same_scopes(const Binding& bound, const Operand& o, std::uint32_t scope) {
    const Scope& a = m_.scopes[bound.scope - 1];
    const Scope& b = m_.scopes[scope - 1];
    if (a.count != b.count || a.guards.size() != b.guards.size()) return false;
    std::vector<std::optional<Subscript>> at(m_.labels.size());
    if (!same_at_place(graph_, bound.operand, o, range_of(a), at)) return false;
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
    return std::ranges::all_of(a.guards, [&](const Guard& g) {
      const Guard moved = graph_.substitute(g, map);
      return std::ranges::find(b.guards, moved) != b.guards.end();
    });
  }

  /// A node over just the labels that the operands use, read at them: the same
  /// however many labels the match has.
  template <class Make>
  Operand on_used_labels(std::vector<Operand> operands, Make&& make) {
    std::vector<Subscript> map(m_.labels.size());
    std::vector<char> seen(m_.labels.size(), 0);
    std::vector<Size> sizes;
    Operand out;
    for (const auto& o : operands)
      Graph::each_label(o, [&](Label l) {
        if (std::exchange(seen[l], 1) != 0) return;
        map[l] = graph_.label(static_cast<Label>(sizes.size()));
        sizes.push_back(m_.labels[l]);
        out.subscripts.push_back(graph_.label(l));
      });
    for (auto& o : operands) o = graph_.substitute(o, map);
    out.expr = make(std::move(sizes), std::move(operands));
    return out;
  }

  using Terms = std::vector<Term>;

  /// The terms of a sum or the factors of a product, read in the labels of the
  /// match.
  Terms read_terms(const Node& n, const std::vector<Subscript>& map) {
    Terms out;
    for (std::size_t k = 0; k < n.operands.size(); ++k)
      out.push_back({n.kind == Kind::sum ? n.coefficients[k] : Rational(1), graph_.substitute(n.operands[k], map)});
    return out;
  }

  /// The same with sums inside a sum and products inside a product taken apart;
  /// empty when there are none or too many.
  Terms taken_apart(const Terms& terms, bool sum, Rational& coefficient) {
    const auto nested = [&](const Term& t) {
      const Node& n = graph_[t.operand.expr];
      return sum ? n.kind == Kind::sum : plain_product(n) && !n.operands.empty();
    };
    if (std::ranges::none_of(terms, nested)) return {};
    Terms out;
    Terms open(terms.rbegin(), terms.rend());
    std::vector<Rational> numbers;  // multiplied in the end: most products turn out to be too long
    while (!open.empty()) {
      const Term t = std::move(open.back());
      open.pop_back();
      if (!nested(t)) {
        out.push_back(t);
        if (out.size() > widest_nested) return {};
        continue;
      }
      const Node& n = graph_[t.operand.expr];
      if (!sum) numbers.push_back(n.coefficients[0]);
      if (open.size() + n.operands.size() > widest_nested) return {};
      for (std::size_t k = n.operands.size(); k-- > 0;)
        open.push_back({sum ? t.coefficient * n.coefficients[k] : Rational(1),
                        graph_.substitute(n.operands[k], t.operand.subscripts)});
    }
    for (const Rational& number : numbers) coefficient = coefficient * number;
    return out;
  }

  static Terms unused(const Terms& terms, const std::vector<char>& used) {
    Terms out;
    for (std::size_t k = 0; k < terms.size(); ++k)
      if (used[k] == 0) out.push_back(terms[k]);
    return out;
  }

  static std::vector<Operand> operands_of(const Terms& terms) {
    std::vector<Operand> out;
    for (const auto& t : terms) out.push_back(t.operand);
    return out;
  }

  /// What is left of a sum or a product, as one operand.
  Operand one_sum(const Terms& left) {
    return on_used_labels(operands_of(left), [&](auto labels, auto read) {
      Terms terms;
      for (std::size_t k = 0; k < read.size(); ++k) terms.push_back({left[k].coefficient, std::move(read[k])});
      return graph_.sum(std::move(labels), std::move(terms));
    });
  }
  Operand one_product(const Rational& coefficient, const Terms& left) {
    if (left.size() == 1 && coefficient.is_one()) return left[0].operand;
    return on_used_labels(operands_of(left), [&](auto labels, auto read) {
      const auto rank = static_cast<std::uint32_t>(labels.size());
      return graph_.contraction(std::move(labels), rank, coefficient, std::move(read));
    });
  }

  /// q where an operand is q times the part under what is bound: of variables that are known, their powers, and
  /// products of them.
  std::optional<Rational> up_to_scale(const Pattern& part, const Operand& o, std::uint32_t scope) {
    const Match saved = m_;
    if (matches(part, o, scope)) return Rational(1);
    m_ = saved;
    const auto bound_ratio = [&](const Pattern& variable, const Operand& other) -> std::optional<Rational> {
      const auto& bound = m_.variables[variable.variable];
      if (!bound || bound->scope != scope) return std::nullopt;
      return rules::ratio(graph_, other, bound->operand);
    };
    if (part.kind == PatternKind::variable) return bound_ratio(part, o);
    const Node& n = graph_[o.expr];
    if (const auto k = power_of_variable(part)) {
      const auto& bound = m_.variables[part.parts[0].variable];
      const bool power = n.kind == Kind::elementwise && n.function == Function::power;
      if (!bound || bound->scope != scope || (!power && !plain_product(n))) return std::nullopt;
      if (power && graph_.is_constant(n.operands[1].expr, part.parts[1].number))
        if (const auto q = bound_ratio(part.parts[0], graph_.substitute(n.operands[0], o.subscripts)))
          return q->power(*k);
      return ratio_to_power(graph_, o, bound->operand, *k);
    }
    if (part.kind != PatternKind::product || !plain_product(n) || part.parts.size() < 2) return std::nullopt;
    Rational left = 1;
    if (any_product(part, n.coefficients[0], read_terms(n, o.subscripts), scope, &left)) return left;
    m_ = saved;
    return std::nullopt;
  }

  /// Whether a part is the square of a variable that is not known yet.
  bool is_open_square(const Pattern& part) const {
    return power_of_variable(part) == 2 && !m_.variables[part.parts[0].variable];
  }

  /// Such a square is whatever is one: 4*a^2*b^2 is that of 2*a*b.
  bool square(const Pattern& part, const Operand& o, const Rational& number, std::uint32_t scope) {
    const auto root = square_root(graph_, o, number);
    return root && variable(part.parts[0].variable, rules::whole_product(graph_, m_.labels, *root), scope);
  }

  /// A term of a pattern against a term of a node; in products both
  /// coefficients are 1, and the scale is kept.
  bool term(const Pattern& part, const Rational& wanted, const Term& t, std::uint32_t scope, bool sum) {
    if (sum && power_of_number(part)) {
      const Rational* value = graph_.constant_value(t.operand.expr);
      return value != nullptr && number(part, *power_of_number(part), t.coefficient * *value / wanted, scope);
    }
    if (sum && is_open_square(part)) return square(part, t.operand, t.coefficient / wanted, scope);
    const auto q = up_to_scale(part, t.operand, scope);
    if (!q) return false;
    if (sum) return t.coefficient * *q == wanted;
    m_.scale = m_.scale * *q;
    return true;
  }

  /// Assigns the parts of a sum or product, from the given place of its search order on, to terms not used yet, until
  /// `done` agrees.
  template <class Done>
  bool assign(const Pattern& p, std::size_t place, const Terms& terms, std::vector<char>& used, std::uint32_t scope,
              const Done& done) {
    if (place == p.search.size()) return done();
    const Pattern& part = p.parts[p.search[place]];
    for (std::size_t k = 0; k < terms.size(); ++k) {
      if (used[k] != 0 || !plausible(part, graph_[terms[k].operand.expr])) continue;
      const auto saved = m_;
      const Rational wanted = p.kind == PatternKind::sum ? p.coefficients[p.search[place]] * m_.factor : Rational(1);
      if (term(part, wanted, terms[k], scope, p.kind == PatternKind::sum)) {
        used[k] = 1;
        if (assign(p, place + 1, terms, used, scope, done)) return true;
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

  static const Pattern* open_number_of(const Pattern& p) {
    for (const auto& part : p.parts)
      if (power_of_number(part)) return &part;
    return nullptr;
  }

  static bool all_used(const std::vector<char>& used) { return std::ranges::find(used, 0) == used.end(); }

  bool whole_sum(const Pattern& p, const Terms& terms, std::uint32_t scope) {
    const Pattern* rest = rest_of(p);
    const std::size_t fixed = p.search.size();
    if (rest == nullptr ? terms.size() != fixed : terms.size() <= fixed) return false;
    if (fixed > 1 && terms.size() > widest) return false;
    std::vector<char> used(terms.size(), 0);
    const Rational outer = std::exchange(m_.factor, 1);
    const bool found = assign(p, 0, terms, used, scope, [&] {
      return rest == nullptr || variable(rest->variable, one_sum(unused(terms, used)), scope);
    });
    m_.factor = outer;
    return found;
  }

  bool whole_sum(const Pattern& p, const Operand& o, std::uint32_t scope) {
    const Terms terms = read_terms(graph_[o.expr], o.subscripts);
    const Match saved = m_;
    if (whole_sum(p, terms, scope)) return true;
    m_ = saved;
    Rational one = 1;
    const Terms apart = taken_apart(terms, true, one);
    return !apart.empty() && whole_sum(p, apart, scope);
  }

  bool sum_part(const Pattern& p, const Terms& terms) {
    const std::uint32_t anchor = p.search[0];
    for (const bool turned : {false, true})  // a form as it is before its negative
      for (std::size_t k = 0; k < terms.size(); ++k)
        if ((terms[k].coefficient.sign() != p.coefficients[anchor].sign()) == turned && anchored(p, terms, k))
          return true;
    return false;
  }

  /// A match whose first part is that term.
  bool anchored(const Pattern& p, const Terms& terms, std::size_t k) {
    const std::uint32_t anchor = p.search[0];
    const Pattern& part = p.parts[anchor];
    if (!plausible(part, graph_[terms[k].operand.expr])) return false;
    const auto saved = m_;
    std::vector<char> used(terms.size(), 0);
    used[k] = 1;
    auto q = up_to_scale(part, terms[k].operand, 0);
    if (!q && is_open_square(part) && square(part, terms[k].operand, 1, 0)) q = 1;
    if (q) {
      m_.factor = terms[k].coefficient * *q / p.coefficients[anchor];
      if (assign(p, 1, terms, used, 0, [&] { return leave(p, terms, used) && accepted(); })) return true;
    }
    m_ = saved;
    return false;
  }

  /// Notes what a match of a part leaves; a `rest` of the pattern takes it all.
  bool leave(const Pattern& p, const Terms& terms, const std::vector<char>& used) {
    m_.part = true;
    m_.left = unused(terms, used);
    const Pattern* rest = rest_of(p);
    if (rest == nullptr) return true;
    if (m_.left.empty()) return false;
    for (auto& t : m_.left) t.coefficient = t.coefficient / m_.factor;
    const Operand all = one_sum(m_.left);
    m_.left.clear();
    return variable(rest->variable, all, 0);
  }

  bool sum_part(const Pattern& p, const Node& n) {
    if (n.operands.size() > widest) return false;
    const Terms terms = read_terms(n, graph_.identity(static_cast<std::uint32_t>(n.labels.size())));
    if (sum_part(p, terms)) return true;
    Rational one = 1;
    const Terms apart = taken_apart(terms, true, one);
    return !apart.empty() && sum_part(p, apart);
  }

  /// `scale`, where it is wanted, gets what numbers and scaled variables leave; else they must leave 1.
  bool whole_product(const Pattern& p, const Rational& coefficient, const Terms& factors, std::uint32_t scope,
                     Rational* scale) {
    const Pattern* rest = rest_of(p);
    if (factors.size() > widest) return false;
    std::vector<char> used(factors.size(), 0);
    const Rational outer = std::exchange(m_.scale, 1);
    const Pattern* open = open_number_of(p);
    const bool found = assign(p, 0, factors, used, scope, [&] {
      const Rational left = coefficient * m_.scale / p.coefficients[0];
      if (open != nullptr) return all_used(used) && number(*open, *power_of_number(*open), left, scope);
      if (rest == nullptr) {
        if (scale != nullptr) *scale = left;
        return (scale != nullptr || left.is_one()) && all_used(used);
      }
      return (!left.is_one() || !all_used(used)) &&
             variable(rest->variable, one_product(left, unused(factors, used)), scope);
    });
    m_.scale = outer;
    return found;
  }

  /// The same with nested products as they are, then taken apart.
  bool any_product(const Pattern& p, Rational coefficient, const Terms& factors, std::uint32_t scope,
                   Rational* scale = nullptr) {
    const Match saved = m_;
    if (whole_product(p, coefficient, factors, scope, scale)) return true;
    m_ = saved;
    const Terms apart = taken_apart(factors, false, coefficient);
    return !apart.empty() && whole_product(p, coefficient, apart, scope, scale);
  }

  bool product_part(const Pattern& p, const Rational& coefficient, const Terms& factors) {
    std::vector<char> used(factors.size(), 0);
    m_.scale = 1;
    return assign(p, 0, factors, used, 0, [&] {
      m_.part = true;
      m_.left = unused(factors, used);
      m_.factor = coefficient * m_.scale / p.coefficients[0];
      return accepted();
    });
  }

  bool product_part(const Pattern& p, const Node& n) {
    if (n.operands.size() > widest) return false;
    const Terms factors = read_terms(n, graph_.identity(static_cast<std::uint32_t>(n.labels.size())));
    if (product_part(p, n.coefficients[0], factors)) return true;
    Rational coefficient = n.coefficients[0];
    const Terms apart = taken_apart(factors, false, coefficient);
    return !apart.empty() && product_part(p, coefficient, apart);
  }

  bool product(const Pattern& p, const Operand& o, std::uint32_t scope) {
    // A scaled variable that is known already, or its power: whatever differs from it in scale only.
    if (p.parts.size() == 1) {
      const auto k = power_of_variable(p.parts[0]);
      const Pattern& base = k ? p.parts[0].parts[0] : p.parts[0];
      if (base.kind == PatternKind::variable && m_.variables[base.variable]) {
        const auto q = up_to_scale(p.parts[0], o, scope);
        return q && *q == p.coefficients[0];
      }
      if (base.kind == PatternKind::variable && !k) return false;
    }
    const Node& n = graph_[o.expr];
    if (!plain_product(n)) return false;
    return any_product(p, n.coefficients[0], read_terms(n, o.subscripts), scope);
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

  bool reduction(const Pattern& p, const Operand& o) {
    const Node& n = graph_[o.expr];
    if (sort_of(n) != sort_of(p)) return false;
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
    if (body.kind == PatternKind::product) return any_product(body, n.coefficients[0], read_terms(n, map), scope);
    return operands.size() == 1 && n.coefficients[0].is_one() && matches(body, operands[0], scope);
  }

  Graph& graph_;
  const Accept& accept_;
  Match m_;
  std::optional<Match> best_;
  std::size_t best_cost_ = 0;
};

}  // namespace

std::optional<Match> match(Graph& graph, const Pattern& pattern, std::size_t variables, Expr root,
                           const Accept& accept) {
  return Matcher(graph, variables, accept).at(pattern, root);
}

}  // namespace gradus::rules
