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
      return add(std::move(parts));
    case Pattern::Kind::product: {
      Product out;
      out.coefficient = p.coefficients[0];
      for (auto& part : parts) out.multiply(std::move(part));
      return std::move(out).build();
    }
    case Pattern::Kind::call:
      if (p.function == Function::power && p.parts[1].kind == Pattern::Kind::number)
        return power(std::move(parts[0]), p.parts[1].number);
      return apply(p.function, std::move(parts));
    case Pattern::Kind::reduction:
      break;  // no internal function of elements reduces
  }
  return {};
}

}  // namespace

std::optional<Formula> written_out(Function f, const std::vector<Formula>& operands) {
  const rules::Rule* rule = rules::recognised_by(f);
  if (rule == nullptr) return std::nullopt;
  std::vector<const Formula*> variables(rule->variables.size(), nullptr);
  for (std::size_t k = 0; k < operands.size(); ++k) variables[rule->after.parts[k].variable] = &operands[k];
  return written(rule->before, variables);
}

}  // namespace gradus::printing
