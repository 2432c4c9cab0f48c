// Quotients by what a function is of, written factor by factor.
#include "symbolic/rules/quotients.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "symbolic/rules/algebra.hpp"

namespace gradus::rules {
namespace {

/// Products with more factors are left alone.
constexpr std::size_t most_factors = 16;

struct Power {
  Operand base;
  std::int64_t exponent = 1;
};

/// number × Π base^exponent, each base once.
struct Monomial {
  Rational number = 1;
  std::vector<Power> powers;

  void multiply(const Operand& base, std::int64_t exponent) {
    const auto same = std::ranges::find_if(powers, [&](const Power& p) { return p.base == base; });
    if (same == powers.end())
      powers.push_back({base, exponent});
    else
      same->exponent += exponent;
  }
  std::int64_t exponent_of(const Operand& base) const {
    const auto same = std::ranges::find_if(powers, [&](const Power& p) { return p.base == base; });
    return same == powers.end() ? 0 : same->exponent;
  }
};

bool is_call(const Node& n, Function f) { return n.kind == Kind::elementwise && n.function == f; }

/// Multiplies a monomial by an operand's power, with products and powers in it taken apart; false when it is too wide.
bool multiply(Graph& graph, Monomial& into, const Operand& operand, std::int64_t exponent) {
  std::vector<Power> open{{operand, exponent}};
  while (!open.empty()) {
    const Power p = std::move(open.back());
    open.pop_back();
    const Node& n = graph[p.base.expr];
    if (is_product(n)) {
      const auto number = n.coefficients[0].power(p.exponent);
      if (!number || open.size() + n.operands.size() > most_factors) return false;
      into.number = into.number * *number;
      for (const auto& o : n.operands) open.push_back({graph.substitute(o, p.base.subscripts), p.exponent});
      continue;
    }
    const Rational* q = is_call(n, Function::power) ? graph.constant_value(n.operands[1].expr) : nullptr;
    const auto k = q != nullptr ? q->as_int64() : std::nullopt;
    if (k && *k >= -8 && *k <= 8)
      open.push_back({graph.substitute(n.operands[0], p.base.subscripts), p.exponent * *k});
    else
      into.multiply(p.base, p.exponent);
    if (into.powers.size() > most_factors) return false;
  }
  return true;
}

/// The factors of a product as operands in its labels.
std::vector<Operand> operands_of(Graph& graph, const Monomial& m) {
  std::vector<Operand> out;
  for (const auto& p : m.powers) {
    if (p.exponent == 0) continue;
    if (p.exponent == 1) {
      out.push_back(p.base);
      continue;
    }
    const Node& n = graph[p.base.expr];
    const std::vector<Size> shape(n.labels.begin(), n.labels.begin() + n.rank);
    out.push_back(
        {graph.elementwise(Function::power, shape, {graph.whole(p.base.expr), {graph.constant(p.exponent), {}}}),
         p.base.subscripts});
  }
  return out;
}

/// f(u) = number · u^power · to(scale·u)^times.
struct Form {
  Function function;
  std::int64_t exponent;  // of f(u) in the product
  std::int64_t power;
  Function to;
  Rational scale;
  std::int64_t times;
  Rational number;
};

const std::vector<Form>& forms() {
  static const std::vector<Form> list = {
      {Function::sin, 1, 1, Function::sinc, 1, 1, 1},
      {Function::expm1, 1, 1, Function::exprel, 1, 1, 1},
      {Function::expm1, -1, -1, Function::bernoulli, 1, 1, 1},
      {Function::versine, 1, 2, Function::sinc, Rational::ratio(1, 2), 2, Rational::ratio(1, 2)},
  };
  return list;
}

/// Whether dividing by (or multiplying with) a factor of the argument is what the product does.
bool applies(const Graph& graph, const Form& form, const Monomial& argument, const Monomial& product) {
  return std::ranges::any_of(argument.powers, [&](const Power& p) {
    if (is_size_power(graph, p.base.expr) || graph[p.base.expr].kind == Kind::constant) return false;
    if (graph[p.base.expr].kind == Kind::elementwise && graph[p.base.expr].operands.empty()) return false;  // pi
    return p.exponent * form.power * product.exponent_of(p.base) < 0;
  });
}

}  // namespace

std::optional<Expr> removable_quotient(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  const auto interesting = [&](const Operand& o) {
    const Node* f = &graph[o.expr];
    if (is_call(*f, Function::power)) f = &graph[f->operands[0].expr];
    return is_product(*f) || std::ranges::any_of(forms(), [&](const Form& form) { return is_call(*f, form.function); });
  };
  if (std::ranges::none_of(n.operands, interesting)) return std::nullopt;
  Monomial product;
  for (const auto& o : n.operands)
    if (!multiply(graph, product, o, 1)) return std::nullopt;
  for (std::size_t k = 0; k < product.powers.size(); ++k)
    for (const Form& form : forms()) {
      const Power found = product.powers[k];
      const Node& f = graph[found.base.expr];
      if (!is_call(f, form.function) || found.exponent != form.exponent) continue;
      const Operand u = graph.substitute(f.operands[0], found.base.subscripts);
      Monomial argument;
      if (!multiply(graph, argument, u, 1) || !applies(graph, form, argument, product)) continue;
      const auto number = argument.number.power(form.power);
      if (!number) continue;
      Monomial left = product;
      left.powers[k].exponent = 0;
      for (const auto& p : argument.powers) left.multiply(p.base, p.exponent * form.power);
      Operand inside = u;
      if (!form.scale.is_one()) inside = {graph.scale(u.expr, form.scale), u.subscripts};
      const Node& shape = graph[inside.expr];
      const std::vector<Size> axes(shape.labels.begin(), shape.labels.begin() + shape.rank);
      const Operand limit{graph.elementwise(form.to, axes, {graph.whole(inside.expr)}), inside.subscripts};
      left.multiply(limit, form.times);
      return graph.contraction(n.labels, n.rank, n.coefficients[0] * product.number * *number * form.number,
                               operands_of(graph, left), n.guards);
    }
  return std::nullopt;
}

std::optional<Expr> log1p_of_square(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (!is_call(n, Function::log1p) || !is_product(graph[n.operands[0].expr])) return std::nullopt;
  Monomial m;
  if (!multiply(graph, m, n.operands[0], 1)) return std::nullopt;
  const auto even = [](const Power& p) { return p.exponent % 2 == 0; };
  const auto root = [&](std::int64_t x) {
    std::int64_t r = 0;
    while (r * r < x && r < 4096) ++r;
    return r * r == x ? std::optional(r) : std::nullopt;
  };
  const auto top = Rational(m.number.numerator()).as_int64(), under = Rational(m.number.denominator()).as_int64();
  if (m.number.sign() <= 0 || !top || !under || !std::ranges::all_of(m.powers, even)) return std::nullopt;
  const auto a = root(*top), b = root(*under);
  if (!a || !b) return std::nullopt;
  for (auto& p : m.powers) p.exponent /= 2;
  const auto rank = static_cast<std::uint32_t>(n.labels.size());
  const Expr x = graph.contraction(n.labels, rank, Rational::ratio(*a, *b), operands_of(graph, m));
  return graph.elementwise(Function::log1p_square, n.labels, {{x, graph.identity(rank)}});
}

namespace {

/// A product over all labels, as an operand.
Operand whole_product(Graph& graph, const std::vector<Size>& labels, const Monomial& m) {
  const auto rank = static_cast<std::uint32_t>(labels.size());
  return {graph.contraction(labels, rank, m.number, operands_of(graph, m)), graph.identity(rank)};
}

}  // namespace

std::optional<Expr> compound_by_reciprocal(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (!is_call(n, Function::compound)) return std::nullopt;
  Monomial rate, periods;
  if (!multiply(graph, rate, n.operands[0], 1) || !multiply(graph, periods, n.operands[1], 1)) return std::nullopt;
  const bool cancels = std::ranges::any_of(rate.powers, [&](const Power& p) {
    return graph[p.base.expr].kind != Kind::constant && p.exponent * periods.exponent_of(p.base) < 0;
  });
  if (!cancels) return std::nullopt;
  Monomial all = rate;
  all.number = rate.number * periods.number;
  for (const auto& p : periods.powers) all.multiply(p.base, p.exponent);
  return graph.elementwise(Function::compound_interest, n.labels, {whole_product(graph, n.labels, all), n.operands[1]});
}

}  // namespace gradus::rules
