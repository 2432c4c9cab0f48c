// Like terms and common factors of sums.
#include <algorithm>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/monomial.hpp"

namespace gradus::rules {

bool is_product(const Node& n) {
  return n.kind == Kind::contraction && n.labels.size() == n.rank && n.guards.empty() && !n.operands.empty();
}

Factors factors_of(Graph& graph, const Operand& operand) {
  const Node& n = graph[operand.expr];
  if (!is_product(n)) return {1, {operand}};
  Factors out{n.coefficients[0], {}};
  for (const auto& o : n.operands) out.operands.push_back(graph.substitute(o, operand.subscripts));
  return out;
}

bool is_size_power(const Graph& graph, Expr e) {
  const Node* n = &graph[e];
  if (n->kind == Kind::elementwise && n->function == Function::power && graph.is_constant(n->operands[1].expr))
    n = &graph[n->operands[0].expr];
  return n->kind == Kind::index && n->labels.empty() && n->affine.is_constant();
}

namespace {

/// An operand without its number: any contraction's coefficient comes out.
std::pair<Rational, Operand> without_number(Graph& graph, const Operand& o) {
  const Node& n = graph[o.expr];
  const bool full = n.operands.empty() && n.guards.empty();
  if (n.kind != Kind::contraction || n.coefficients[0].is_one() || full) return {1, o};
  const Rational number = n.coefficients[0];
  return {number, {graph.contraction(n.labels, n.rank, 1, n.operands, n.guards), o.subscripts}};
}

Rational magnitude(const Rational& q) { return q.sign() < 0 ? -q : q; }

}  // namespace

std::optional<Expr> normalise_sum(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::sum) return std::nullopt;
  bool changed = false;
  std::vector<Term> terms;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    auto [number, rest] = without_number(graph, n.operands[k]);
    changed = changed || !number.is_one();
    terms.push_back({n.coefficients[k] * number, std::move(rest)});
  }
  if (changed) return graph.sum(n.labels, std::move(terms));
  const Rational size = magnitude(n.coefficients[0]);
  const bool equal = std::ranges::all_of(n.coefficients, [&](const Rational& q) { return magnitude(q) == size; });
  const bool negative = std::ranges::all_of(n.coefficients, [](const Rational& q) { return q.sign() < 0; });
  if (!equal || (size.is_one() && !negative)) return std::nullopt;
  const Rational out = negative ? -size : size;
  for (auto& t : terms) t.coefficient = t.coefficient / out;
  return graph.contraction(n.labels, n.rank, out, {{graph.sum(n.labels, std::move(terms)), graph.identity(n.rank)}});
}

std::optional<Expr> merge_nested_terms(Graph& graph, const Kept& kept, Expr e) {
  constexpr std::size_t most_terms = 8;
  const Node& n = graph[e];
  if (n.kind != Kind::sum || n.operands.size() > most_terms) return std::nullopt;
  std::vector<Term> terms;
  bool named = false;  // a user's r - q stays, also where both hold the same term
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Node& inner = graph[n.operands[k].expr];
    named = named || (inner.kind == Kind::sum && kept.contains(n.operands[k].expr));
    if (inner.kind != Kind::sum) {
      terms.push_back({n.coefficients[k], n.operands[k]});
      continue;
    }
    if (terms.size() + inner.operands.size() > 2 * most_terms) return std::nullopt;
    for (std::size_t m = 0; m < inner.operands.size(); ++m)
      terms.push_back(
          {n.coefficients[k] * inner.coefficients[m], graph.substitute(inner.operands[m], n.operands[k].subscripts)});
  }
  const std::size_t leaves = terms.size();
  if (leaves == n.operands.size()) return std::nullopt;
  // Whether anything meets is seen before a node is made of it.
  std::vector<Term> distinct;
  for (const auto& t : terms) {
    const auto same = std::ranges::find_if(distinct, [&](const Term& d) { return d.operand == t.operand; });
    if (same == distinct.end())
      distinct.push_back(t);
    else
      same->coefficient = same->coefficient + t.coefficient;
  }
  if (distinct.size() == leaves) return std::nullopt;
  if (!named) std::erase_if(distinct, [](const Term& t) { return t.coefficient.is_zero(); });
  if (distinct.size() > n.operands.size()) return std::nullopt;
  return graph.sum(n.labels, std::move(terms));
}

namespace {

/// The factors of a term that may be taken out of it, and what is left.
struct SplitTerm {
  std::vector<Operand> loose;   // factors
  std::optional<Operand> rest;  // what a guard or a sum encloses
};

SplitTerm split_term(Graph& graph, const Operand& o) {
  const Node& n = graph[o.expr];
  if (n.kind != Kind::contraction || n.guards.empty() || n.labels.size() != n.rank)
    return {factors_of(graph, o).operands, std::nullopt};
  SplitTerm out;
  std::vector<Operand> kept;
  for (const auto& f : n.operands) {
    if (is_size_power(graph, f.expr))
      out.loose.push_back(graph.substitute(f, o.subscripts));
    else
      kept.push_back(f);
  }
  out.rest =
      out.loose.empty()
          ? o
          : Operand{graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(kept), n.guards), o.subscripts};
  return out;
}

/// Wider products are not searched (the search is quadratic).
constexpr std::size_t widest = 64;

void keep_shared(std::vector<Operand>& common, std::vector<Operand> factors) {
  std::vector<Operand> both;
  for (auto& c : common) {
    const auto found = std::ranges::find(factors, c);
    if (found == factors.end()) continue;
    both.push_back(c);
    factors.erase(found);
  }
  common = std::move(both);
}

}  // namespace

std::optional<Expr> common_factors(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::sum || graph.is_constant(n.operands.back().expr)) return std::nullopt;
  std::vector<SplitTerm> split;
  std::vector<Operand> common;
  for (const auto& o : n.operands) {
    split.push_back(split_term(graph, o));
    if (split.size() == 1)
      common = split[0].loose;
    else
      keep_shared(common, split.back().loose);
    if (common.empty() || common.size() > widest) return std::nullopt;
  }
  const auto whole = graph.identity(n.rank);
  std::vector<Term> terms;
  for (std::size_t k = 0; k < split.size(); ++k) {
    std::vector<Operand>& left = split[k].loose;
    for (const auto& c : common) left.erase(std::ranges::find(left, c));
    if (split[k].rest) left.push_back(*split[k].rest);
    terms.push_back({n.coefficients[k], {graph.contraction(n.labels, n.rank, 1, left), whole}});
  }
  common.push_back({graph.sum(n.labels, std::move(terms)), whole});
  return graph.contraction(n.labels, n.rank, 1, std::move(common));
}

namespace {

/// Whether a sum scatters: its guards say where data point to.
bool is_scatter(const Node& n) {
  return n.kind == Kind::contraction && n.labels.size() > n.rank && std::ranges::any_of(n.guards, [](const Guard& g) {
           return g.kind == Guard::Kind::zero && !g.affine.data.empty();
         });
}

/// b - a of a - b; an operand that is no sum itself.
Operand turned(Graph& graph, const Operand& o) {
  const Node& n = graph[o.expr];
  if (n.kind != Kind::sum) return o;
  std::vector<Term> terms;
  for (std::size_t k = 0; k < n.operands.size(); ++k) terms.push_back({-n.coefficients[k], n.operands[k]});
  return {graph.sum(n.labels, std::move(terms)), o.subscripts};
}

/// Two lists of factors as what they share, up to a sign, and one factor more of each, or nothing.
struct Sides {
  std::vector<Operand> shared;
  Operand first, second;
  Rational sign = 1;  // of the second
};

std::optional<Sides> sides(Graph& graph, std::vector<Operand> a, std::vector<Operand> b) {
  Sides out;
  if (a.size() != b.size()) return std::nullopt;
  for (auto o = a.begin(); o != a.end();) {
    auto found = std::ranges::find(b, *o);
    if (found == b.end() && graph[o->expr].kind == Kind::sum) {
      found = std::ranges::find(b, turned(graph, *o));
      if (found != b.end()) out.sign = -out.sign;
    }
    if (found == b.end()) {
      ++o;
      continue;
    }
    out.shared.push_back(*o);
    b.erase(found);
    o = a.erase(o);
  }
  if (a.size() != 1 || b.size() != 1) return std::nullopt;
  out.first = a[0];
  out.second = b[0];
  return out;
}

}  // namespace

std::optional<Expr> merge_scatters(Graph& graph, Expr e) {
  constexpr std::size_t most_terms = 8;
  const Node& n = graph[e];
  if (n.kind != Kind::sum || n.operands.size() > most_terms) return std::nullopt;
  for (std::size_t k = 0; k < n.operands.size(); ++k)
    for (std::size_t m = k + 1; m < n.operands.size(); ++m) {
      const Node &a = graph[n.operands[k].expr], &b = graph[n.operands[m].expr];
      if (!is_scatter(a) || !is_scatter(b) || a.labels != b.labels || a.rank != b.rank || a.guards != b.guards ||
          n.operands[k].subscripts != n.operands[m].subscripts)
        continue;
      auto parts = sides(graph, a.operands, b.operands);
      if (!parts) continue;
      const Expr both = graph.sum(a.labels, {{n.coefficients[k] * a.coefficients[0], parts->first},
                                             {parts->sign * n.coefficients[m] * b.coefficients[0], parts->second}});
      parts->shared.push_back(narrowed(graph, both));
      const Expr scatter = graph.contraction(a.labels, a.rank, 1, std::move(parts->shared), a.guards);
      std::vector<Term> terms{{1, {scatter, n.operands[k].subscripts}}};
      for (std::size_t t = 0; t < n.operands.size(); ++t)
        if (t != k && t != m) terms.push_back({n.coefficients[t], n.operands[t]});
      return graph.sum(n.labels, std::move(terms));
    }
  return std::nullopt;
}

namespace {

/// A term that counts where one condition holds: the condition, and the value there.
struct Guarded {
  Operand condition, value;
};

std::optional<Guarded> guarded(Graph& graph, const Node& sum, const Operand& o) {
  const Node& n = graph[o.expr];
  if (n.kind == Kind::elementwise && row(n.function).condition) return Guarded{o, {graph.constant(1), {}}};
  const bool one = n.kind == Kind::contraction && n.labels.size() == n.rank && n.guards.size() == 1 &&
                   n.guards[0].kind == Guard::Kind::condition;
  if (!one) return std::nullopt;
  const auto rank = static_cast<std::uint32_t>(sum.labels.size());
  Guarded out;
  out.condition = graph.substitute(n.guards[0].condition, o.subscripts);
  std::vector<Operand> factors;
  for (const Operand& f : n.operands) factors.push_back(graph.substitute(f, o.subscripts));
  out.value = {graph.contraction(sum.labels, rank, n.coefficients[0], std::move(factors)), graph.identity(rank)};
  return out;
}

}  // namespace

std::optional<Expr> merge_guarded_terms(Graph& graph, Expr e) {
  constexpr std::size_t most_terms = 16;
  const Node& n = graph[e];
  if (n.kind != Kind::sum || n.operands.size() > most_terms) return std::nullopt;
  const auto rank = static_cast<std::uint32_t>(n.labels.size());
  std::vector<std::optional<Guarded>> parts;
  for (const Operand& o : n.operands) parts.push_back(guarded(graph, n, o));
  for (std::size_t first = 0; first < parts.size(); ++first) {
    if (!parts[first]) continue;
    std::vector<Term> inside, left;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      if (parts[k] && parts[k]->condition == parts[first]->condition)
        inside.push_back({n.coefficients[k], parts[k]->value});
      else
        left.push_back({n.coefficients[k], n.operands[k]});
    }
    if (inside.size() < 2) continue;
    const Guard guard{Guard::Kind::condition, {}, parts[first]->condition};
    const Expr value = graph.sum(n.labels, std::move(inside));
    left.push_back({1, graph.whole(graph.contraction(n.labels, rank, 1, {graph.whole(value)}, {guard}))});
    return graph.sum(n.labels, std::move(left));
  }
  return std::nullopt;
}

}  // namespace gradus::rules
