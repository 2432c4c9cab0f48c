// The abstract syntax tree of a program: one arena of expressions, one list of statements. Every node has its span.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "frontend/rational.hpp"
#include "frontend/source.hpp"

namespace gradus::ast {

/// A handle to an Expression of a Program's arena. Children come before their parents.
struct Id {
  std::uint32_t index = UINT32_MAX;
  bool valid() const { return index != UINT32_MAX; }
  friend bool operator==(Id, Id) = default;
};

/// A name: `text` as written (for messages), `key` normalised (NFC, Greek letters spelt in English) for comparison.
struct Name {
  std::string text;
  std::string key;
  Span span = Span::none();
};

enum class Kind : std::uint8_t {
  number,       // value
  name,         // name; constants pi and inf are names as well (elaboration resolves them)
  negate,       // -a
  plus,         // +a
  logical_not,  // not a
  binary,       // op, a, b
  comparison,   // a0 op0 a1 op1 a2 …: children a_i, comparisons op_i
  conditional,  // children: value, condition, otherwise        (a if c else b)
  call,         // name(children…; keywords)
  index_form,   // name[binders : filter](child)                 children: [body, filter or invalid, argument…]
  subscript,    // children: [base]; subscripts
  transpose,    // a.T, a', aᵀ: child; `mark` is the postfix
  absolute,     // |a|
  norm,         // ‖a‖_order: child; `order`
  matrix,       // [[a, b], [c, d]] or [a, b; c, d]: rows × columns in row-major children
  vector,       // [a, b, c]
};

enum class Binary : std::uint8_t { add, subtract, multiply, divide, matmul, power, logical_and, logical_or };
enum class Comparison : std::uint8_t { less, less_equal, greater, greater_equal, equal, not_equal };
enum class NormOrder : std::uint8_t { two, one, infinity, frobenius, other };

/// One binder of an index form or a left side: `i` or `i in begin..end`.
struct Binder {
  Name name;
  Id begin;  // invalid without `in`
  Id end;
  Span span = Span::none();
};

/// One entry of a subscript list: an expression, a slice `a:b` (either end may be missing), or an `in` range (only on
/// the left side of an equation).
struct Subscript {
  enum class Kind : std::uint8_t { expression, slice } kind = Kind::expression;
  Id first;  // the expression, or the slice's begin (invalid when missing)
  Id last;   // the slice's end (invalid when missing)
  Span span = Span::none();
};

struct Keyword {
  Name name;
  Id value;
};

struct Expression {
  Kind kind = Kind::number;
  Span span = Span::none();  // the whole expression, without enclosing parentheses
  Span mark = Span::none();  // the operator, the function's name, the opening bar …: what a message points at
  Binary op = Binary::add;
  NormOrder order = NormOrder::two;
  bool dotted = false;         // written as .* ./ .^
  bool quote = false;          // a transpose written as '
  bool parenthesised = false;  // stood in parentheses of its own (for hints only)
  Rational value;              // number
  Name name;                   // name, call, index_form
  std::vector<Id> children;
  std::vector<Comparison> comparisons;
  std::vector<Span> comparison_marks;
  std::vector<Binder> binders;
  std::vector<Subscript> subscripts;
  std::vector<Keyword> keywords;
  Id order_value;          // norm with NormOrder::other: its number or name
  std::uint32_t rows = 0;  // matrix
};

enum class Role : std::uint8_t { data, param, constant, dim };

/// One declared name: `X[n, d]`, `lambda = 0.1`, `h = 16`.
struct Declared {
  Name name;
  std::vector<Id> shape;  // expressions over size names and integers
  bool has_brackets = false;
  Id value;  // const and dim
  Span span = Span::none();
};

/// `: positive, index(k)`
struct Assumption {
  Name name;
  Id argument;  // index(k)
  Span span = Span::none();
};

struct Declaration {
  Role role = Role::data;
  std::vector<Declared> names;
  std::vector<Assumption> assumptions;
};

/// `z = …`, `K[i, j] = …`, `P[0, k] = …`: one left side with a body.
struct Equation {
  enum class Role : std::uint8_t { value, loss, output } role = Role::value;
  Name name;  // empty for the unnamed loss and for a bare expression
  /// The left side's subscripts: a Binder where it is a plain (new) name with or without `in`; otherwise an expression
  /// such as `0`, `t+1`, `n` (base cases and shifted recurrences), with `binder.name` empty.
  struct Left {
    Binder binder;
    Id expression;
  };
  std::vector<Left> left;
  bool has_brackets = false;
  Id body;
  bool bare = false;  // a last bare expression
};

/// `output z, p` without `=`.
struct OutputList {
  std::vector<Name> names;
};

/// `huber(r, t) = …`
struct FunctionDefinition {
  Name name;
  std::vector<Name> parameters;
  Id body;
};

/// `grad huber(r, t) = (…, …)`
struct GradientDefinition {
  Name name;
  std::vector<Name> parameters;
  std::vector<Id> partials;
};

struct Statement {
  enum class Kind : std::uint8_t { declaration, equation, output_list, function, gradient } kind = Kind::equation;
  Span span = Span::none();
  /// A syntax error in it was reported. What could be read is there (names above all, so that their uses are no further
  /// errors); everything else, the body too, may be missing or invalid and must not be looked at.
  bool broken = false;
  /// Of a broken statement: names that it may have declared, so that their uses are no further errors, and how many
  /// names are missing.
  std::vector<std::string> mentioned;
  std::uint32_t lost_names = 0;
  Declaration declaration;
  Equation equation;
  OutputList outputs;
  FunctionDefinition function;
  GradientDefinition gradient;
};

struct Program {
  std::vector<Expression> expressions;
  std::vector<Statement> statements;
  bool matlab = false;  // the file uses ' or a dotted operator (LANGUAGE section 4: warnings)

  const Expression& at(Id id) const { return expressions[id.index]; }
  Expression& at(Id id) { return expressions[id.index]; }
  Id add(Expression e) {
    expressions.push_back(std::move(e));
    return {static_cast<std::uint32_t>(expressions.size() - 1)};
  }
};

}  // namespace gradus::ast
