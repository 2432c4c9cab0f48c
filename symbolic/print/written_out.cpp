// Internal functions as their users wrote them: the left side of the rule that recognises the form.
#include "symbolic/print/formula.hpp"
#include "symbolic/rules/rules.hpp"

namespace gradus::printing {
namespace {

using rules::Pattern;

Formula scaled(const Rational& coefficient, Formula f) {
  if (coefficient.is_one()) return f;
  if (f.op == Op::number) return number(coefficient * f.number);
  Product p;
  p.coefficient = coefficient;
  p.multiply(std::move(f));
  return std::move(p).build();
}

/// A short sum of a rule's variables, with what they have in common struck out: (n - k) + k.
Formula without_common_terms(Formula f) {
  constexpr std::size_t most_terms = 8;
  if (f.op != Op::add || f.parts.size() > most_terms) return f;
  for (std::size_t i = 0; i < f.parts.size(); ++i)
    for (std::size_t k = i + 1; k < f.parts.size(); ++k) {
      if (f.negative[i] == f.negative[k] || !same(f.parts[i], f.parts[k])) continue;
      for (const std::size_t at : {k, i}) {
        f.parts.erase(f.parts.begin() + static_cast<std::ptrdiff_t>(at));
        f.negative.erase(f.negative.begin() + static_cast<std::ptrdiff_t>(at));
      }
      i = static_cast<std::size_t>(-1);
      break;
    }
  if (f.parts.size() > 1) return f;
  if (f.parts.empty()) return number(0);
  return f.negative[0] != 0 ? negated(std::move(f.parts[0])) : Formula(std::move(f.parts[0]));
}

Formula written(const Pattern& p, const std::vector<const Formula*>& variables) {
  std::vector<Formula> parts;
  for (const auto& part : p.parts) parts.push_back(written(part, variables));
  switch (p.kind) {
    case Pattern::Kind::number:
      return number(p.number);
    case Pattern::Kind::variable:
    case Pattern::Kind::rest:
      return *variables[p.variable];
    case Pattern::Kind::sum:
      for (std::size_t k = 0; k < parts.size(); ++k) parts[k] = scaled(p.coefficients[k], std::move(parts[k]));
      return without_common_terms(add(std::move(parts)));
    case Pattern::Kind::product: {
      Product out;
      out.coefficient = p.coefficients[0];
      for (std::size_t k = 0; k < parts.size(); ++k) {
        const Pattern& factor = p.parts[k];
        const bool under = factor.kind == Pattern::Kind::call && factor.function == Function::power &&
                           factor.parts[1].kind == Pattern::Kind::number && factor.parts[1].number.sign() < 0;
        if (under)
          out.divide(power(written(factor.parts[0], variables), -factor.parts[1].number));
        else
          out.multiply(std::move(parts[k]));
      }
      return std::move(out).build();
    }
    case Pattern::Kind::call:
      if (p.function == Function::log1p) return log_of_one_plus(std::move(parts[0]));
      if (p.function == Function::expm1) return add({apply(Function::exp, std::move(parts)), number(-1)});
      if (p.function == Function::power && p.parts[1].kind == Pattern::Kind::number)
        return power(std::move(parts[0]), p.parts[1].number);
      if (row(p.function).spelling == Spelling::internal)
        if (auto inner = written_out(p.function, parts)) return std::move(*inner);
      return apply(p.function, std::move(parts));
    case Pattern::Kind::reduction:
      break;  // no internal function of elements reduces
  }
  return {};
}

/// Logarithms of two values, with or without a weight.
Formula logarithms(Function f, const std::vector<Formula>& operands) {
  const bool weight = f == Function::xlog_ratio || f == Function::xlog_difference;
  const Formula &a = operands[weight ? 1 : 0], &b = operands[weight ? 2 : 1];
  Formula value;
  if (f == Function::log_ratio || f == Function::xlog_ratio) {
    Product quotient;
    quotient.multiply(a);
    quotient.divide(b);
    value = apply(Function::log, {std::move(quotient).build()});
  } else {
    value = add({apply(Function::log, {a}), scaled(-1, apply(Function::log, {b}))});
  }
  if (!weight) return value;
  Product p;
  p.multiply(operands[0]);
  p.multiply(std::move(value));
  return std::move(p).build();
}

/// log(z + y*exp(x)), log(1 + y*(exp(x) - 1)).
Formula log_of_exponential(Function f, const std::vector<Formula>& operands) {
  Product p;
  p.multiply(operands[1]);
  p.multiply(apply(f == Function::log_plus_exp ? Function::exp : Function::expm1, {operands[0]}));
  if (f == Function::log1p_expm1) return apply(Function::log1p, {std::move(p).build()});
  return apply(Function::log, {add({operands[2], std::move(p).build()})});
}

}  // namespace

std::optional<Formula> written_out(Function f, const std::vector<Formula>& operands) {
  switch (f) {  // those that a step recognises, or a rule with more around
    case Function::exp_saturated:
      return apply(Function::exp, operands);
    case Function::compound:
      return apply(Function::power, {add({number(1), operands[0]}), operands[1]});
    case Function::xlogy:
    case Function::xlog1py: {
      Product p;
      p.multiply(operands[0]);
      p.multiply(f == Function::xlogy ? apply(Function::log, {operands[1]}) : log_of_one_plus(operands[1]));
      return std::move(p).build();
    }
    case Function::log_power:
    case Function::log1p_power: {
      const Formula base = f == Function::log_power ? operands[0] : add({number(1), operands[0]});
      Product p;
      p.multiply(operands[1]);
      p.multiply(apply(Function::log, {apply(Function::abs, {base})}));
      return std::move(p).build();
    }
    case Function::compound_interest: {
      Product rate;
      rate.multiply(operands[0]);
      rate.divide(operands[1]);
      return apply(Function::power, {add({number(1), std::move(rate).build()}), operands[1]});
    }
    case Function::log_ratio:
    case Function::log_difference:
    case Function::xlog_ratio:
    case Function::xlog_difference:
      return logarithms(f, operands);
    case Function::log_plus_exp:
    case Function::log1p_expm1:
      return log_of_exponential(f, operands);
    case Function::exprel_gap: {
      Product p;
      p.multiply(apply(Function::expm1, operands));
      p.divide(operands[0]);
      return add({apply(Function::exp, operands), scaled(-1, std::move(p).build())});
    }
    case Function::sqrt_difference:
      return add({apply(Function::sqrt, {operands[0]}), scaled(-1, apply(Function::sqrt, {operands[1]}))});
    case Function::power_minus_one:
      return add({apply(Function::power, operands), number(-1)});
    case Function::compound_minus_one:
      return add({apply(Function::power, {add({number(1), operands[0]}), operands[1]}), number(-1)});
    case Function::sqrt_square_plus:
      return apply(Function::sqrt, {add({power(operands[0], 2), operands[1]})});
    case Function::hypot_minus:
      return add({apply(Function::hypot, operands), scaled(-1, operands[0])});
    case Function::unit: {
      Product p;
      p.multiply(operands[0]);
      p.divide(operands[1]);
      return std::move(p).build();
    }
    default:
      break;
  }
  const rules::Rule* rule = rules::recognised_by(f);
  if (rule == nullptr) return std::nullopt;
  std::vector<const Formula*> variables(rule->variables.size(), nullptr);
  for (std::size_t k = 0; k < operands.size(); ++k) variables[rule->after.parts[k].variable] = &operands[k];
  return written(rule->before, variables);
}

}  // namespace gradus::printing
