// The printing tree: what a line says, before it is decided how a form (text, Unicode, LaTeX) spells it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "frontend/rational.hpp"
#include "symbolic/function.hpp"
#include "symbolic/print.hpp"

namespace gradus::printing {

/// What a Formula is; `parts` are its operands.
enum class Op : std::uint8_t {
  name,         // text
  number,       // number
  add,          // Σ ± parts; `negative` says which are subtracted
  product,      // Π parts, elementwise
  quotient,     // parts[0] / parts[1]
  matmul,       // parts[0] @ parts[1] @ …
  negate,       // -parts[0]
  power,        // parts[0] ^ parts[1]
  transpose,    // parts[0].T
  norm,         // ‖parts[0]‖
  conditional,  // where(parts[0], parts[1], parts[2])
  compare,      // parts[0] `text` parts[1]
  logical_and,  // parts
  logical_or,
  logical_not,
  subscript,  // parts[0][parts[1], …]
  slice,      // parts[0]:parts[1]; a Formula of Op::none is a missing end
  function,   // a row of the function table: function(parts)
  call,       // text(parts, axis=…)
  over,       // text[binders : parts[1]](parts[0]); parts[1] is there when a filter is
  none,
};

struct Formula;

/// One index name of an index form with its range.
struct Binder {
  std::string name;
  std::vector<Formula> range;  // begin and end
  bool shown = true;           // whether the text form must write the range
};

struct Formula {
  Op op = Op::none;
  bool arrays = false;     // product: of arrays, elementwise
  bool scalar = false;     // name: of a value without axes
  bool symmetric = false;  // name: of a symmetric matrix
  Function function = Function::pi;
  int axis = no_axis;  // call
  std::string text;
  Rational number;
  std::vector<Formula> parts;
  std::vector<char> negative;
  std::vector<Binder> binders;
  std::vector<Formula> count;  // a sum: how many elements it adds, one factor each; divided by it, it is a mean

  static constexpr int no_axis = -1000;
};

Formula name(std::string text, bool scalar = false);
Formula number(const Rational& value);
Formula call(std::string function, std::vector<Formula> arguments, int axis = Formula::no_axis);
Formula make(Op op, std::vector<Formula> parts);
Formula apply(Function f, std::vector<Formula> arguments);
Formula compare(std::string sign, Formula a, Formula b);
/// function[binders : filters](body)
Formula over(std::string function, std::vector<Binder> binders, Formula body, std::vector<Formula> filters);
Formula conditional(Formula condition, Formula chosen, Formula otherwise);
Formula negation(Formula condition);
Formula conjunction(std::vector<Formula> conditions);
Formula power(Formula base, const Rational& exponent);
Formula transpose(Formula a);
/// Σ coefficient × term, with subtraction and a positive term first where there is one.
Formula add(std::vector<Formula> terms);
Formula negated(Formula a);
/// log(1 + x); log1p(x) where x holds a number that the 1 would be added to.
Formula log_of_one_plus(Formula x);

/// A product of scalars and arrays with its denominators, put together as people write it: `lambda/2*w`, `r/(2*n)`.
struct Product {
  Rational coefficient = 1;
  std::vector<Formula> scalars;       // names without axes and what is made of them: they lead
  std::vector<Formula> factors;       // the others
  std::vector<Formula> denominators;  // divided by
  bool arrays = false;                // whether factors are arrays

  /// Multiplies by a formula: its sign, coefficient and denominators go where they belong.
  void multiply(Formula f);
  /// Divides by a formula.
  void divide(Formula f);
  Formula build() &&;
};

/// An internal function as its users wrote it, `1 - cos(x)`; nothing for the others.
std::optional<Formula> written_out(Function f, const std::vector<Formula>& operands);

/// Quotients by a number as the user wrote the factor: x/5 is 0.2*x where 0.2 is among the decimals (ascending).
Formula with_decimals(Formula f, const std::vector<Rational>& decimals);

bool same(const Formula& a, const Formula& b);

/// The text of a formula in a form.
std::string spell(const Formula& formula, Form form);
/// The same, cut where a long line may be broken: before the signs of an outermost sum.
std::vector<std::string> spell_pieces(const Formula& formula, Form form);
/// A name as a form spells it (LaTeX: Greek macros, subscripts; Unicode: Greek letters).
std::string spell_name(const std::string& name, Form form);

}  // namespace gradus::printing
