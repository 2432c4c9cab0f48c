// Patterns: the two sides of a rewrite rule, read from text that looks like mathematics.
//
//   log(1 + exp(x))            functions of elementwise.def by their names, + - * / ^ and numbers
//   x, y, …                    variables: any operand; the same operand wherever they stand
//   rest                       in a sum all terms that are left, in a product all factors that are left (and the number
//                              before them); at least one
//   c                          a positive number, 1 where it is the only one that fits; it may be wanted as c, c^2 or
//   1/c sum(p) norm(p)             reductions over whatever labels the graph has there, guards included logsumexp(p)
//   softmax(x) log_softmax(x)
//
// A variable that stands both inside and outside a reduction is read outside at one place of what is reduced.
// The square of a variable is whatever product is one: 4*a^2*b^2 is that of 2*a*b. Powers of what is known need not be
// written as such: where x is a*b, x^2 is a^2*b^2, and 1/x is 1/a/b.
// Sums and products need no order, and at the top of a pattern they may be a part of a longer one, at any scale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/rational.hpp"
#include "symbolic/function.hpp"

namespace gradus::rules {

/// One node of a pattern.
struct Pattern {
  enum class Kind : std::uint8_t { number, variable, rest, call, sum, product, reduction };
  enum class Reduction : std::uint8_t { sum, norm, logsumexp, softmax, log_softmax };
  Kind kind = Kind::number;
  bool is_gap = false;                   // sum: the difference of near values, shorter than they are
  bool is_number = false;                // variable: stands for a positive number
  Rational number;                       // number
  std::uint32_t variable = 0;            // variable: its position in the names of the rule
  Function function = Function::pi;      // call
  Reduction reduction = Reduction::sum;  // reduction
  std::vector<Pattern> parts;            // operands, terms, factors
  std::vector<std::uint32_t> search;     // sum, product: in which order parts are looked for, the telling ones first
  std::vector<Rational> coefficients;    // sum: one a term (a number is coefficient × 1); product: one
};

/// Reads a pattern; `names` collects the variables. A mistake in the text is a bug of the rule table: it aborts with
/// the text and the place.
Pattern read_pattern(std::string_view text, std::vector<std::string>& names);

/// The function of that row (`softplus`, `power`); nothing when there is none.
std::optional<Function> function_of_row(std::string_view id);

}  // namespace gradus::rules
