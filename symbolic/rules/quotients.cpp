// Quotients by what a function is of, written factor by factor.
#include "symbolic/rules/quotients.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/monomial.hpp"
#include "symbolic/rules/rules.hpp"

namespace gradus::rules {
namespace {

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

/// A pattern as number × Π base^exponent.
struct Factor {
  const Pattern* base;
  std::int64_t exponent;
};
std::vector<Factor> factors_of(const Pattern& p, Rational& number) {
  std::vector<Factor> out;
  const bool product = p.kind == Pattern::Kind::product;
  number = product ? p.coefficients[0] : Rational(1);
  const std::size_t count = product ? p.parts.size() : 1;
  for (std::size_t k = 0; k < count; ++k) {
    const Pattern& f = product ? p.parts[k] : p;
    const bool power = f.kind == Pattern::Kind::call && f.function == Function::power;
    const bool whole = power && f.parts[1].kind == Pattern::Kind::number;
    const auto q = whole ? f.parts[1].number.as_int64() : std::nullopt;
    out.push_back(q ? Factor{&f.parts[0], *q} : Factor{&f, 1});
  }
  return out;
}

/// `sin(x)/x is sinc(x)` of the table, read as such a form; nothing when it is none.
std::optional<Form> form_of(const Rule& rule) {
  using Kind = Pattern::Kind;
  const auto is_call_of_one = [](const Pattern& p) { return p.kind == Kind::call && p.parts.size() == 1; };
  Rational number;
  Form form{Function::pi, 0, 0, Function::pi, 1, 0, 1};
  for (const Factor& f : factors_of(rule.before, number)) {
    if (f.base->kind == Kind::variable)
      form.power -= f.exponent;
    else if (form.exponent == 0 && is_call_of_one(*f.base) && f.base->parts[0].kind == Kind::variable)
      form.function = f.base->function, form.exponent = f.exponent;
    else
      return std::nullopt;
  }
  if (!number.is_one() || !rule.when.empty() || form.exponent * form.power <= 0) return std::nullopt;
  for (const Factor& f : factors_of(rule.after, form.number)) {
    if (f.base->kind == Kind::variable) {
      form.power += f.exponent;
    } else if (form.times == 0 && is_call_of_one(*f.base)) {
      Rational scale;
      const auto argument = factors_of(f.base->parts[0], scale);
      if (argument.size() != 1 || argument[0].base->kind != Kind::variable || argument[0].exponent != 1)
        return std::nullopt;
      form.to = f.base->function, form.times = f.exponent, form.scale = scale;
    } else {
      return std::nullopt;
    }
  }
  if (form.times == 0) return std::nullopt;
  return form;
}

const std::vector<Form>& forms() {
  static const auto list = [] {
    std::vector<Form> out;
    for (const Rule& r : all_rules())
      if (const auto form = form_of(r)) out.push_back(*form);
    return out;
  }();
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
      if (!is_call(f, form.function) || found.exponent % form.exponent != 0) continue;
      const std::int64_t times = found.exponent / form.exponent;  // sin(x)^2/x^2 is sinc(x)^2
      if (times < 1 || times > 4) continue;
      const Operand u = graph.substitute(f.operands[0], found.base.subscripts);
      Monomial argument;
      if (!multiply(graph, argument, u, 1) || !applies(graph, form, argument, product)) continue;
      const auto number = argument.number.power(form.power * times), own = form.number.power(times);
      if (!number || !own) continue;
      Monomial left = product;
      left.powers[k].exponent = 0;
      for (const auto& p : argument.powers) left.multiply(p.base, p.exponent * form.power * times);
      Operand inside = u;
      if (!form.scale.is_one()) inside = {graph.scale(u.expr, form.scale), u.subscripts};
      const Node& shape = graph[inside.expr];
      const std::vector<Size> axes(shape.labels.begin(), shape.labels.begin() + shape.rank);
      const Operand limit{graph.elementwise(form.to, axes, {graph.whole(inside.expr)}), inside.subscripts};
      left.multiply(limit, form.times * times);
      return graph.contraction(n.labels, n.rank, n.coefficients[0] * product.number * *number * *own,
                               operands_of(graph, left), n.guards);
    }
  return std::nullopt;
}

std::optional<Expr> quotient_by_exponent(Graph& graph, Expr e) {
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.operands.size() < 2 || n.operands.size() > most_factors) return std::nullopt;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Node& f = graph[n.operands[k].expr];
    const bool compound = is_call(f, Function::compound_minus_one);
    if (!compound && !is_call(f, Function::power_minus_one)) continue;
    const Operand x = graph.substitute(f.operands[0], n.operands[k].subscripts);
    const Operand y = graph.substitute(f.operands[1], n.operands[k].subscripts);
    Monomial exponent, product;
    bool narrow = multiply(graph, exponent, y, 1);
    for (std::size_t m = 0; m < n.operands.size() && narrow; ++m) narrow = multiply(graph, product, n.operands[m], 1);
    const auto divides = [&](const Power& p) {
      return graph[p.base.expr].kind != Kind::constant && !is_size_power(graph, p.base.expr) &&
             p.exponent * product.exponent_of(p.base) < 0;
    };
    if (!narrow || std::ranges::none_of(exponent.powers, divides)) continue;
    product.multiply(n.operands[k], -1);
    for (const auto& p : exponent.powers) product.multiply(p.base, p.exponent);
    if (compound) {  // log1p(x) * (exp(y*log1p(x)) - 1)/(y*log1p(x))
      const Operand log = call_on_used(graph, n.labels, Function::log1p, {x});
      Monomial inside = exponent;
      inside.multiply(log, 1);
      product.multiply(log, 1);
      const Operand u = whole_product(graph, n.labels, inside);
      product.multiply(call_on_used(graph, n.labels, Function::exprel, {u}), 1);
    } else {
      product.multiply(call_on_used(graph, n.labels, Function::box_cox, {x, y}), 1);
    }
    return graph.contraction(n.labels, n.rank, n.coefficients[0] * product.number * exponent.number,
                             operands_of(graph, product), n.guards);
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
