// Expressions by precedence climbing over tokens: loops over chains, recursion over brackets only.
#include <fmt/format.h>

#include "frontend/format.hpp"
#include "frontend/parser.hpp"

namespace gradus {

using ast::Binary;
using ast::Comparison;
using ast::Expression;
using ast::Id;
using ast::Kind;

namespace {

struct Infix {
  Level level;
  Binary op = Binary::add;
  bool dotted = false;
  bool foreign = false;
};

std::optional<Infix> infix(const Token& token) {
  switch (token.kind) {
    case Tok::kw_or:
      return Infix{Level::logical_or, Binary::logical_or};
    case Tok::kw_and:
      return Infix{Level::logical_and, Binary::logical_and};
    case Tok::plus:
      return Infix{Level::sum, Binary::add};
    case Tok::minus:
      return Infix{Level::sum, Binary::subtract};
    case Tok::star:
      return Infix{Level::product, Binary::multiply};
    case Tok::slash:
      return Infix{Level::product, Binary::divide};
    case Tok::at:
      return Infix{Level::product, Binary::matmul};
    case Tok::dot_star:
      return Infix{Level::product, Binary::multiply, true};
    case Tok::dot_slash:
      return Infix{Level::product, Binary::divide, true};
    case Tok::raw_bar:
    case Tok::raw_norm:
      return Infix{Level::logical_or, Binary::logical_or, false, true};
    default:
      break;
  }
  if (token.kind != Tok::foreign) return std::nullopt;
  switch (static_cast<Foreign>(token.value)) {
    case Foreign::logical_or:
      return Infix{Level::logical_or, Binary::logical_or, false, true};
    case Foreign::logical_and:
      return Infix{Level::logical_and, Binary::logical_and, false, true};
    case Foreign::equal:
    case Foreign::not_equal:
    case Foreign::greater_equal:
    case Foreign::less_equal:
      return Infix{Level::comparison, Binary::add, false, true};
    case Foreign::dotted_plus:
      return Infix{Level::sum, Binary::add, false, true};
    case Foreign::dotted_minus:
      return Infix{Level::sum, Binary::subtract, false, true};
    case Foreign::modulo:
    case Foreign::backslash:
    case Foreign::floor_divide:
      return Infix{Level::product, Binary::divide, false, true};
    case Foreign::divide:
      return Infix{Level::product, Binary::divide, false, true};
    default:
      return std::nullopt;
  }
}

std::optional<Comparison> comparison(Tok kind) {
  switch (kind) {
    case Tok::less:
      return Comparison::less;
    case Tok::less_equal:
      return Comparison::less_equal;
    case Tok::greater:
      return Comparison::greater;
    case Tok::greater_equal:
      return Comparison::greater_equal;
    case Tok::equal:
      return Comparison::equal;
    case Tok::not_equal:
      return Comparison::not_equal;
    default:
      return std::nullopt;
  }
}

Level next(Level level) { return static_cast<Level>(static_cast<int>(level) + 1); }

bool is_power(Tok kind) { return kind == Tok::caret || kind == Tok::dot_caret; }

}  // namespace

Parser::Operand Parser::add(Expression expression) {
  if (program_.expressions.size() >= limits_.expressions) {
    stopped_ = true;
    fail(expression.span,
         fmt::format("the program is too large: it has more than {} expressions", limits_.expressions));
  }
  const Span span = expression.span;
  return {program_.add(std::move(expression)), span};
}

/// One level of nesting more; what ends it takes one from `depth_`.
void Parser::nest() {
  if (depth_ >= limits_.nesting) {
    fail(at_->span, fmt::format("brackets are nested more than {} deep", limits_.nesting),
         "give an inner part a name of its own");
  }
  ++depth_;
}

Parser::Operand Parser::expression() {
  nest();
  const Operand result = conditional();
  --depth_;
  return result;
}

Parser::Operand Parser::inner(Level lowest) {
  nest();
  const Operand result = climb(lowest);
  --depth_;
  return result;
}

Parser::Operand Parser::inner_powers() {
  nest();
  const Operand result = powers();
  --depth_;
  return result;
}

/// `a if c else b if d else e`: the choices are collected and put together from the right.
Parser::Operand Parser::conditional() {
  struct Choice {
    Operand value, condition;
    Span mark;
  };
  std::vector<Choice> choices;
  Operand result = climb(Level::logical_or);
  while (at(Tok::kw_if)) {
    const Token& mark = advance();
    const Operand condition = climb(Level::logical_or);
    if (!at(Tok::kw_else)) {
      if (at(Tok::equals)) equals_in_brackets(condition);
      if (!open_.empty() && open_.back()->value == Token::no_partner) unclosed(*open_.back());
      fail(mark.span, "'if' has no 'else'",
           filters(result)
               ? filter_form(result, condition)
               : fmt::format("write what holds otherwise: {} if {} else 0", text_of(result), text_of(condition)));
    }
    advance();
    choices.push_back({result, condition, mark.span});
    result = climb(Level::logical_or);
  }
  if (at(Foreign::question)) ternary(result);
  for (; !choices.empty(); choices.pop_back()) {
    const Choice& choice = choices.back();
    Expression e;
    e.kind = Kind::conditional;
    e.span = join(choice.value.span, result.span);
    e.mark = choice.mark;
    e.children = {choice.value.id, choice.condition.id, result.id};
    result = add(std::move(e));
  }
  return result;
}

Parser::Operand Parser::climb(Level lowest) {
  Operand left = prefixed(lowest);
  for (;;) {
    if (comparison(at_->kind)) {
      if (lowest > Level::comparison) return left;
      left = compared(left);
      continue;
    }
    const std::optional<Infix> op = infix(*at_);
    if (!op || op->level < lowest) return left;
    if (op->foreign) {
      left = foreign_infix(left);
      continue;
    }
    const Token& mark = advance();
    left = binary(left, climb(next(op->level)), op->op, mark.span, op->dotted);
  }
}

/// `a < b <= c`: one node for the chain.
Parser::Operand Parser::compared(Operand left) {
  Expression e;
  e.kind = Kind::comparison;
  e.span = left.span;
  e.mark = at_->span;
  e.children.push_back(left.id);
  while (const auto op = comparison(at_->kind)) {
    e.comparisons.push_back(*op);
    e.comparison_marks.push_back(advance().span);
    const Operand right = climb(Level::sum);
    e.children.push_back(right.id);
    e.span = join(e.span, right.span);
  }
  return add(std::move(e));
}

Parser::Operand Parser::prefixed(Level lowest) {
  if (!at(Tok::kw_not)) return signs();
  const Token* first = at_;
  if (lowest > Level::logical_not) {
    fail(first->span, "'not' needs parentheses here", "write (not …)");
  }
  while (at(Tok::kw_not)) advance();
  const Token* last = at_;
  Operand result = climb(Level::comparison);
  for (const Token* token = last; token != first;) result = unary(Kind::logical_not, result, (--token)->span);
  return result;
}

/// `-x`, `+x` and chains of them, over a power.
Parser::Operand Parser::signs() {
  const Token* first = at_;
  while (at(Tok::minus) || at(Tok::plus)) advance();
  const Token* last = at_;
  Operand result = power();
  for (const Token* token = last; token != first;) {
    --token;
    result = unary(token->kind == Tok::minus ? Kind::negate : Kind::plus, result, token->span);
  }
  return result;
}

/// A power, and the notice of a product by juxtaposition.
Parser::Operand Parser::power() {
  const Operand result = powers();
  const bool stray_bar = (at(Tok::raw_bar) || at(Tok::raw_norm)) && stray_bar_is_product();
  if (then_ends_ && at(Tok::name) && source_.slice(at_->span) == "then") return result;
  const bool generator_follows = at(Tok::name) && source_.slice(at_->span) == "for";
  if (at(Foreign::logical_not) && spelt(*at_) == "~")
    fail(at_->span, "'~' is not read: a loss is written out",
         "a normal density gives loss = sum((x - mu)^2/(2*sigma^2) + log(sigma))");
  if (at(Foreign::logical_not)) {
    fail(at_->span, "'!' is no operator after an operand",
         fmt::format("'!=' compares; a factorial is gamma({} + 1)", text_of(result)));
  }
  return (begins_operand(*at_) && !generator_follows) || stray_bar ? juxtaposed(result) : result;
}

/// `a^-b^c`: collected, then put together from the right.
Parser::Operand Parser::powers() {
  struct Step {
    Operand base;
    const Token* op;
    const Token* after_signs;
  };
  std::vector<Step> steps;
  Operand result = raised();
  while (is_power(at_->kind)) {
    const Token* op = &advance();
    if (at(Foreign::top)) {
      result = foreign_transpose(result, join(op->span, at_->span));
      continue;
    }
    while (at(Tok::minus) || at(Tok::plus)) advance();
    steps.push_back({result, op, at_});
    power_base_ = result.span;
    result = raised();
    power_base_ = Span::none();
  }
  for (; !steps.empty(); steps.pop_back()) {
    const Step& step = steps.back();
    for (const Token* token = step.after_signs - 1; token != step.op; --token) {
      result = unary(token->kind == Tok::minus ? Kind::negate : Kind::plus, result, token->span);
    }
    result = binary(step.base, result, Binary::power, step.op->span, step.op->kind == Tok::dot_caret);
  }
  return result;
}

/// `x²`, `x³`.
Parser::Operand Parser::raised() {
  Operand result = postfix();
  if (!at(Tok::squared) && !at(Tok::cubed)) return result;
  const Token& mark = advance();
  const Operand exponent = literal_number(mark.kind == Tok::squared ? 2 : 3, mark.span);
  result = binary(result, exponent, Binary::power, mark.span);
  if (is_power(at_->kind) || at(Tok::squared) || at(Tok::cubed) || at(Foreign::superscripts)) {
    fail(at_->span, fmt::format("a power follows '{}'", source_.slice(mark.span)),
         fmt::format("write ({}) and the second power after it, or one exponent", text_of(result)));
  }
  if (at(Tok::transpose) || at(Tok::open_bracket)) {
    fail(at_->span, fmt::format("'{}' follows a power", source_.slice(at_->span)),
         fmt::format("write ({}){}", text_of(result),
                     at(Tok::transpose) ? std::string(source_.slice(at_->span)) : "[…]"));
  }
  return result;
}

Parser::Operand Parser::transposed(Operand base, const Token& mark) {
  Expression e;
  e.kind = Kind::transpose;
  e.children = {base.id};
  e.span = join(base.span, mark.span);
  e.mark = mark.span;
  e.quote = source_.slice(mark.span) == "'";
  return add(std::move(e));
}

Parser::Operand Parser::binary(Operand left, Operand right, Binary op, Span mark, bool dotted) {
  Expression e;
  e.kind = Kind::binary;
  e.op = op;
  e.dotted = dotted;
  e.children = {left.id, right.id};
  e.span = join(left.span, right.span);
  e.mark = mark;
  return add(std::move(e));
}

Parser::Operand Parser::unary(Kind kind, Operand operand, Span mark) {
  Expression e;
  e.kind = kind;
  e.children = {operand.id};
  e.span = join(mark, operand.span);
  e.mark = mark;
  return add(std::move(e));
}

Parser::Operand Parser::literal_number(std::int64_t value, Span span) {
  Expression e;
  e.kind = Kind::number;
  e.span = e.mark = span;
  e.value = Rational(value);
  return add(std::move(e));
}

void Parser::open(const Token& opening) {
  open_.push_back(&opening);
  at_ = &opening + 1;
}

void Parser::close(Tok closing) {
  if (!at(closing)) {
    const char* wanted = closing == Tok::close_paren     ? "')'"
                         : closing == Tok::close_bracket ? "']'"
                         : closing == Tok::close_bar     ? "'|'"
                                                         : "'||'";
    unexpected(wanted);
  }
  open_.pop_back();
  ++at_;
}

}  // namespace gradus
