// Putting printing trees together: signs, coefficients and denominators where people write them.
#include "symbolic/print/formula.hpp"

#include <algorithm>
#include <utility>

namespace gradus::printing {

Formula name(std::string text, bool scalar) {
  Formula f;
  f.op = Op::name;
  f.scalar = scalar;
  f.text = std::move(text);
  return f;
}

Formula number(const Rational& value) {
  Formula f;
  f.op = Op::number;
  f.number = value;
  if (value.sign() >= 0) return f;
  f.number = -value;
  return make(Op::negate, {std::move(f)});
}

Formula make(Op op, std::vector<Formula> parts) {
  Formula f;
  f.op = op;
  f.parts = std::move(parts);
  return f;
}

Formula call(std::string function, std::vector<Formula> arguments, int axis) {
  Formula f = make(Op::call, std::move(arguments));
  f.text = std::move(function);
  f.axis = axis;
  return f;
}

Formula compare(std::string sign, Formula a, Formula b) {
  Formula f;
  f.op = Op::compare;
  f.text = std::move(sign);
  f.parts.push_back(std::move(a));
  f.parts.push_back(std::move(b));
  return f;
}

Formula over(std::string function, std::vector<Binder> binders, Formula body, std::vector<Formula> filters) {
  Formula f;
  f.op = Op::over;
  f.text = std::move(function);
  f.binders = std::move(binders);
  f.parts.push_back(std::move(body));
  if (!filters.empty()) f.parts.push_back(conjunction(std::move(filters)));
  return f;
}

Formula conditional(Formula condition, Formula chosen, Formula otherwise) {
  if (condition.op == Op::logical_not) {
    Formula opposite = std::move(condition.parts[0]);
    return conditional(std::move(opposite), std::move(otherwise), std::move(chosen));
  }
  Formula f;
  f.op = Op::conditional;
  f.parts.push_back(std::move(condition));
  f.parts.push_back(std::move(chosen));
  f.parts.push_back(std::move(otherwise));
  return f;
}

/// `not x == 0` is `x != 0`, also of NaN; the other comparisons have no such opposite.
Formula negation(Formula condition) {
  const bool equality = condition.op == Op::compare && (condition.text == "==" || condition.text == "!=");
  if (!equality) return make(Op::logical_not, {std::move(condition)});
  condition.text = condition.text == "==" ? "!=" : "==";
  return condition;
}

Formula conjunction(std::vector<Formula> conditions) {
  if (conditions.size() == 1) return std::move(conditions[0]);
  return make(Op::logical_and, std::move(conditions));
}

Formula power(Formula base, const Rational& exponent) {
  if (exponent.is_one()) return base;
  if (exponent == Rational::ratio(1, 2)) {
    std::vector<Formula> operand;
    operand.push_back(std::move(base));
    return apply(Function::sqrt, std::move(operand));
  }
  Formula f;
  f.op = Op::power;
  f.parts.push_back(std::move(base));
  f.parts.push_back(number(exponent));
  return f;
}

Formula transpose(Formula a) {
  if (a.op == Op::transpose) return Formula(std::move(a.parts[0]));
  if (a.op == Op::name && a.symmetric) return a;
  if (a.op == Op::call && a.text == "outer") {
    std::swap(a.parts[0], a.parts[1]);
    return a;
  }
  const auto turned = static_cast<std::size_t>(std::ranges::count(a.parts, Op::transpose, &Formula::op));
  if (a.op == Op::matmul && a.parts.size() <= 2 * turned + 1) {  // (A.T @ B).T is B.T @ A
    std::ranges::reverse(a.parts);
    for (auto& p : a.parts) p = transpose(std::move(p));
    return a;
  }
  const bool elementwise = a.op == Op::product || a.op == Op::quotient;
  const auto is_transposed = [](const Formula& f) { return f.op == Op::transpose || f.op == Op::number; };
  if (elementwise && std::ranges::all_of(a.parts, is_transposed)) {  // (A.T/B.T).T
    for (auto& p : a.parts)
      if (p.op == Op::transpose) p = Formula(std::move(p.parts[0]));
    return a;
  }
  Formula f;
  f.op = Op::transpose;
  f.parts.push_back(std::move(a));
  return f;
}

Formula negated(Formula a) {
  if (a.op == Op::negate) return std::move(a.parts[0]);
  if (a.op == Op::number && a.number.is_zero()) return a;
  Formula f;
  f.op = Op::negate;
  f.parts.push_back(std::move(a));
  return f;
}

Formula log_of_one_plus(Formula x) {
  const auto is_number = [](const Formula& f) {
    return f.op == Op::number || (f.op == Op::negate && f.parts[0].op == Op::number);
  };
  if (is_number(x) || (x.op == Op::add && std::ranges::any_of(x.parts, is_number)))
    return apply(Function::log1p, {std::move(x)});
  return apply(Function::log, {add({number(1), std::move(x)})});
}

Formula apply(Function f, std::vector<Formula> arguments) {
  switch (f) {
    case Function::less:
    case Function::less_equal:
    case Function::equal:
    case Function::not_equal:
      return compare(std::string(row(f).name), std::move(arguments[0]), std::move(arguments[1]));
    case Function::logical_and:
      return make(Op::logical_and, std::move(arguments));
    case Function::logical_or:
      return make(Op::logical_or, std::move(arguments));
    case Function::logical_not:
      return negation(std::move(arguments[0]));
    case Function::select:
      return conditional(std::move(arguments[0]), std::move(arguments[1]), std::move(arguments[2]));
    case Function::power:
      return make(Op::power, std::move(arguments));
    default:
      break;
  }
  Formula out = make(Op::function, std::move(arguments));
  out.function = f;
  return out;
}

namespace {

/// Several numbers of a sum as one: (i + 1) - 1.
void fold_numbers(Formula& f) {
  Rational total;
  std::size_t count = 0;
  for (std::size_t k = 0; k < f.parts.size(); ++k)
    if (f.parts[k].op == Op::number) {
      total = f.negative[k] != 0 ? total - f.parts[k].number : total + f.parts[k].number;
      ++count;
    }
  if (count < 2) return;
  Formula out;
  out.op = Op::add;
  for (std::size_t k = 0; k < f.parts.size(); ++k)
    if (f.parts[k].op != Op::number) {
      out.parts.push_back(std::move(f.parts[k]));
      out.negative.push_back(f.negative[k]);
    }
  if (!total.is_zero() || out.parts.empty()) {
    out.parts.push_back(number(total.sign() < 0 ? -total : total));
    out.negative.push_back(total.sign() < 0 ? 1 : 0);
  }
  f = std::move(out);
}

}  // namespace

Formula add(std::vector<Formula> terms) {
  if (terms.size() == 1) return std::move(terms[0]);
  Formula f;
  f.op = Op::add;
  std::vector<Formula> subtracted;
  const auto put = [&](Formula t, bool minus) {
    if (t.op == Op::negate) {
      minus = !minus;
      t = Formula(std::move(t.parts[0]));
    }
    (minus ? subtracted : f.parts).push_back(std::move(t));
  };
  for (auto& t : terms) {
    const bool minus = t.op == Op::negate;
    Formula& inner = minus ? t.parts[0] : t;
    if (inner.op != Op::add) {
      put(std::move(t), false);
      continue;
    }
    for (std::size_t k = 0; k < inner.parts.size(); ++k)  // a + (b - c)
      put(std::move(inner.parts[k]), minus != (inner.negative[k] != 0));
  }
  f.negative.assign(f.parts.size(), 0);
  for (auto& t : subtracted) f.parts.push_back(std::move(t));
  f.negative.resize(f.parts.size(), 1);
  fold_numbers(f);
  if (f.parts.size() == 1) return f.negative[0] != 0 ? negated(std::move(f.parts[0])) : Formula(std::move(f.parts[0]));
  return f;
}

namespace {

/// The terms of short sums in another order.
bool same_terms(const Formula& a, const Formula& b) {
  if (a.parts.size() != b.parts.size()) return false;
  std::vector<char> taken(b.parts.size(), 0);
  for (std::size_t i = 0; i < a.parts.size(); ++i) {
    std::size_t k = 0;
    while (k < b.parts.size() && (taken[k] != 0 || a.negative[i] != b.negative[k] || !same(a.parts[i], b.parts[k])))
      ++k;
    if (k == b.parts.size()) return false;
    taken[k] = 1;
  }
  return true;
}

}  // namespace

bool same(const Formula& a, const Formula& b) {
  if (a.op == Op::add && b.op == Op::add && a.parts.size() <= 8) return same_terms(a, b);
  if (a.op != b.op || a.text != b.text || a.function != b.function || a.axis != b.axis || a.number != b.number ||
      a.negative != b.negative || a.parts.size() != b.parts.size() || a.binders.size() != b.binders.size())
    return false;
  for (std::size_t k = 0; k < a.parts.size(); ++k)
    if (!same(a.parts[k], b.parts[k])) return false;
  for (std::size_t k = 0; k < a.binders.size(); ++k)
    if (a.binders[k].name != b.binders[k].name) return false;
  return true;
}

namespace {

/// Whether a factor is made of numbers and names without axes.
bool leads(const Formula& f) {
  switch (f.op) {
    case Op::number:
      return true;
    case Op::name:
      return f.scalar;
    case Op::product:
    case Op::quotient:
    case Op::power:
    case Op::function:
    case Op::add:
      return std::ranges::all_of(f.parts, leads);
    default:
      return false;
  }
}

}  // namespace

void Product::multiply(Formula f) {
  switch (f.op) {
    case Op::number:
      coefficient = coefficient * f.number;
      return;
    case Op::negate:
      coefficient = -coefficient;
      multiply(std::move(f.parts[0]));
      return;
    case Op::product:
      for (auto& p : f.parts) multiply(std::move(p));
      return;
    case Op::quotient:
      multiply(std::move(f.parts[0]));
      divide(std::move(f.parts[1]));
      return;
    case Op::power:
      if (f.parts[1].op == Op::negate && f.parts[1].parts[0].op == Op::number) {
        const Rational exponent = f.parts[1].parts[0].number;
        divide(power(std::move(f.parts[0]), exponent));
        return;
      }
      break;
    default:
      break;
  }
  auto& list = leads(f) ? scalars : factors;
  list.push_back(std::move(f));
}

void Product::divide(Formula f) {
  switch (f.op) {
    case Op::number:
      if (f.number.is_zero()) break;  // 1/0 is no number: it stays where it stands, inside a sum that may be empty
      coefficient = coefficient / f.number;
      return;
    case Op::negate:
      coefficient = -coefficient;
      divide(std::move(f.parts[0]));
      return;
    case Op::product:
      for (auto& p : f.parts) divide(std::move(p));
      return;
    default:
      break;
  }
  denominators.push_back(std::move(f));
}

namespace {

/// Equal factors become powers: x*x is x^2.
void collect_powers(std::vector<Formula>& factors) {
  if (factors.size() > 16) return;  // a long product is no power; comparing all pairs would be slow
  const auto split = [](const Formula& f) -> std::pair<const Formula*, Rational> {
    if (f.op == Op::power && f.parts[1].op == Op::number) return {&f.parts[0], f.parts[1].number};
    return {&f, 1};
  };
  for (std::size_t i = 0; i < factors.size(); ++i) {
    Rational exponent = split(factors[i]).second;
    bool found = false;
    for (std::size_t k = i + 1; k < factors.size();) {
      const auto [base, e] = split(factors[k]);
      if (e.is_integer() && exponent.is_integer() && same(*base, *split(factors[i]).first)) {
        exponent = exponent + e;
        found = true;
        factors.erase(factors.begin() + static_cast<std::ptrdiff_t>(k));
      } else {
        ++k;
      }
    }
    if (!found) continue;
    Formula base = *split(factors[i]).first;
    factors[i] = power(std::move(base), exponent);
  }
}

/// pi before names, and those before what functions give: 2*pi*f, n*log(s).
void order_scalars(std::vector<Formula>& scalars) {
  const auto place = [](const Formula& f) {
    const Formula& base = f.op == Op::power ? f.parts[0] : f;
    if (base.op == Op::function && base.parts.empty()) return 0;
    return base.op == Op::name ? 1 : 2;
  };
  std::ranges::stable_sort(scalars, {}, place);
}

Formula product_of(std::vector<Formula> parts, bool arrays) {
  if (parts.size() == 1) return std::move(parts[0]);
  Formula f = make(Op::product, std::move(parts));
  f.arrays = arrays;
  return f;
}

Formula quotient_of(Formula a, Formula b) {
  Formula f;
  f.op = Op::quotient;
  f.parts.push_back(std::move(a));
  f.parts.push_back(std::move(b));
  return f;
}

/// A sum that is divided by the number of its elements is a mean.
void find_means(std::vector<Formula>& factors, std::vector<Formula>& denominators) {
  for (Formula& f : factors) {
    if (f.count.empty()) continue;
    std::vector<char> taken(denominators.size(), 0);
    const bool all = std::ranges::all_of(f.count, [&](const Formula& c) {
      for (std::size_t k = 0; k < denominators.size(); ++k)
        if (taken[k] == 0 && same(denominators[k], c)) return taken[k] = 1, true;
      return false;
    });
    if (!all) continue;
    std::vector<Formula> kept;
    for (std::size_t k = 0; k < denominators.size(); ++k)
      if (taken[k] == 0) kept.push_back(std::move(denominators[k]));
    denominators = std::move(kept);
    f.text = "mean";
    f.count.clear();
  }
}

/// Whether a coefficient reads better below the line (`x/2`) than in front (`0.36*x`).
bool reads_as_division(const Rational& c) {
  if (c.is_integer()) return false;
  const auto below = c.denominator().as_int64();
  if (c.numerator().is_one() && below && *below <= 16 && *below != 10) return true;
  return c.to_string().find('/') != std::string::npos;
}

}  // namespace

namespace {

/// x - y, whose negative reads y - x; 1 - p stays as it is.
bool is_gap(const Formula& f) {
  return f.op == Op::add && f.parts.size() == 2 && f.negative[0] == 0 && f.negative[1] != 0 &&
         f.parts[0].op != Op::number;
}

Formula negated_terms(Formula f) {
  std::vector<Formula> terms;
  terms.push_back(std::move(f.parts[1]));
  terms.push_back(negated(std::move(f.parts[0])));
  return add(std::move(terms));
}

}  // namespace

Formula Product::build() && {
  if (coefficient.is_zero() && scalars.empty() && factors.empty() && denominators.empty()) return number(0);
  collect_powers(scalars);
  order_scalars(scalars);
  collect_powers(factors);
  find_means(factors, denominators);
  collect_powers(denominators);
  for (std::vector<Formula>* list : {&factors, &scalars, &denominators}) {
    const auto f = std::ranges::find_if(*list, is_gap);
    if (coefficient.sign() >= 0 || f == list->end()) continue;
    *f = negated_terms(std::move(*f));
    coefficient = -coefficient;
  }
  const bool minus = coefficient.sign() < 0;
  const Rational size = minus ? -coefficient : coefficient;
  Rational front = size;
  if (reads_as_division(size)) {
    front = size.numerator();
    Formula below = number(size.denominator());
    if (denominators.empty() && !scalars.empty() && !factors.empty()) {  // lambda/2*w
      std::vector<Formula> lead;
      if (!front.is_one()) lead.push_back(number(front));
      for (auto& s : scalars) lead.push_back(std::move(s));
      scalars.clear();
      scalars.push_back(quotient_of(product_of(std::move(lead), false), std::move(below)));
      front = 1;
    } else {
      denominators.insert(denominators.begin(), std::move(below));
    }
  }
  std::vector<Formula> above;
  if (!front.is_one()) above.push_back(number(front));
  for (auto& s : scalars) above.push_back(std::move(s));
  if (!factors.empty() && arrays && factors.size() > 1) {
    above.push_back(product_of(std::move(factors), true));
  } else {
    for (auto& f : factors) above.push_back(std::move(f));
  }
  if (above.empty()) above.push_back(number(1));
  Formula out = product_of(std::move(above), false);
  if (!denominators.empty()) {
    const bool scalar = std::ranges::all_of(denominators, leads);
    out = quotient_of(std::move(out), product_of(std::move(denominators), arrays && !scalar));
  }
  return minus ? negated(std::move(out)) : std::move(out);
}

}  // namespace gradus::printing
