// Operands: names, calls, index forms, subscripts, parentheses, bars and literals.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/foreign_functions.hpp"
#include "frontend/parser.hpp"

namespace gradus {

using ast::Expression;
using ast::Id;
using ast::Kind;

namespace {

std::string counted(std::size_t elements) { return fmt::format("{} element{}", elements, elements == 1 ? "" : "s"); }

}  // namespace

Parser::Operand Parser::postfix() {
  Operand result = primary();
  for (;;) {
    if (at(Tok::transpose)) {
      if (program_.at(result.id).kind == Kind::number) {
        const Span whole = join(power_base_, result.span);
        fail(join(result.span, at_->span), "a number has no transpose",
             power_base_.is_none() ? "" : fmt::format("write ({}){}", shown(whole), source_.slice(at_->span)));
      }
      result = transposed(result, advance());
    } else if (at(Tok::open_bracket)) {
      result = subscripted(result, entries());
    } else if (at_->kind == Tok::foreign && ends_operand(*at_)) {
      result = foreign_postfix(result);
    } else {
      return result;
    }
  }
}

Parser::Operand Parser::primary() {
  if (broken_ && skip_text()) return literal_number(0, at_[-1].span);
  switch (at_->kind) {
    case Tok::number:
      return number();
    case Tok::name:
    case Tok::kw_loss:
      return named();
    case Tok::open_paren:
      return parenthesised();
    case Tok::open_bracket:
      return bracket_literal();
    case Tok::open_bar:
    case Tok::open_norm:
      return bars();
    case Tok::foreign:
      return foreign_prefix();
    default:
      no_operand();
  }
}

Parser::Operand Parser::number() {
  const Token& token = advance();
  std::optional<Rational> value = Rational::parse(source_.slice(token.span));
  if (!value) fail(token.span, fmt::format("the number needs more than {} bits", Rational::max_bits));
  Expression e;
  e.kind = Kind::number;
  e.span = e.mark = token.span;
  e.value = std::move(*value);
  return add(std::move(e));
}

Parser::Operand Parser::named() {
  const Token& token = advance();
  if (token.kind == Tok::name && at(Tok::open_paren)) {
    const std::string text = spelt(token);
    if (text.starts_with("Σ_") || text.starts_with("∑_") || text.starts_with("Π_")) {
      const auto [function, index] = sum_and_index(text);
      Diagnostic& d = report(token.span, fmt::format("the index of {} stands in brackets", function));
      d.help(fmt::format("write {}", sum_over(function, index)));
      throw StatementFailed{};
    }
    if (is(at_[1], Foreign::quote) || at_[1].kind == Tok::transpose)
      if (spelt(token) == "einsum") einsum(token.span);
    return call(token);
  }
  if (token.kind == Tok::name && at(Tok::open_bracket)) return bracketed(token);
  Expression e;
  e.kind = Kind::name;
  e.span = e.mark = token.span;
  e.name = name_of(token);
  return add(std::move(e));
}

Parser::Operand Parser::call(const Token& name) {
  Expression e;
  e.kind = Kind::call;
  e.mark = name.span;
  e.name = name_of(name);
  if (!joined_list(e)) arguments(e);
  e.span = join(name.span, (at_ - 1)->span);
  return add(std::move(e));
}

/// `concatenate((a, b), axis=1)` and, in a call of NumPy, `([a, b])`, at the parenthesis: the arrays as arguments.
/// False, with nothing read, for anything else.
bool Parser::joined_list(Expression& call) {
  constexpr std::string_view functions[] = {"concat", "concatenate", "cat", "stack", "hstack", "vstack"};
  const Token& list = at_[1];
  const bool is_list = list.kind == Tok::open_paren || (broken_ && list.kind == Tok::open_bracket);
  if (!is_list || list.value == Token::no_partner ||
      std::ranges::find(functions, call.name.text) == std::end(functions))
    return false;
  const Token& end = partner(list);
  const Tok after = (&end)[1].kind;
  const bool several = std::any_of(&list + 1, &end, [](const Token& t) { return t.kind == Tok::comma; });
  if (!several || (after != Tok::comma && after != Tok::close_paren)) return false;
  Diagnostic& d = report(join(list.span, end.span), "arrays are joined as arguments, not as a list");
  open(*at_);
  open(list);
  for (bool more = true; more; more = at(Tok::comma)) {
    if (at(Tok::comma)) advance();
    if (!at(end.kind)) call.children.push_back(expression().id);
  }
  close(end.kind);
  while (at(Tok::comma)) {
    advance();
    if ((at(Tok::name) || at(Tok::kw_dim)) && at_[1].kind == Tok::equals) {
      call.keywords.push_back({name_of(*at_), {}});
      at_ += 2;
      call.keywords.back().value = expression().id;
    }
  }
  close(Tok::close_paren);
  call.span = join(call.mark, (at_ - 1)->span);
  const Operand here = written_here(call);
  const Expression& made = program_.at(here.id);
  std::string text = made.keywords.empty() ? foreign_call(made.name.text, texts_of(made.children)) : "";
  d.help(fmt::format("write {}", text.empty() ? text_of(here) : text));
  return true;
}

/// `name[…]` and `name[…](…)`.
Parser::Operand Parser::bracketed(const Token& name) {
  std::vector<Entry> list = entries();
  // `x[i] (y)` is a product without its operator, but `sum[i] (y)` can only be meant as a sum.
  if (at(Tok::open_paren) && (!at_->blank_before || is_reduction(name))) return index_form(name, std::move(list));
  Expression base;
  base.kind = Kind::name;
  base.span = base.mark = name.span;
  base.name = name_of(name);
  return subscripted(add(std::move(base)), std::move(list));
}

/// The names that a condition is about, or those that stand before it: the binders it would filter.
std::string Parser::binders_of(const Expression& form, Operand condition) const {
  std::string out;
  for (const ast::Binder& b : form.binders) out += (out.empty() ? "" : ", ") + b.name.text;
  if (!out.empty()) return out;
  std::vector<std::string> found;
  std::vector<Id> todo = {condition.id};
  while (!todo.empty()) {
    const Id id = todo.back();
    todo.pop_back();
    if (!id.valid()) continue;
    const Expression& e = program_.at(id);
    const bool is_new = e.kind == Kind::name && e.name.text.size() == 1 && !is_known(e.name.key) &&
                        !is_size(e.name.key) && std::ranges::find(found, e.name.text) == found.end();
    if (is_new) found.push_back(e.name.text);
    todo.insert(todo.end(), e.children.rbegin(), e.children.rend());
    for (const ast::Subscript& s : e.subscripts)
      if (s.first.valid()) todo.push_back(s.first);
  }
  for (const std::string& name : found) out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "i" : out;
}

/// The opening bracket whose closing one stands before a token.
const Token* Parser::partner_before(const Token& token) const { return &partner((&token)[-1]); }

/// `sum[](x)` and `x[]`, at the bracket.
void Parser::empty_brackets() {
  const Token& closing = at_[1];
  const bool sum = at_ != tokens_.all.data() && at_[-1].kind == Tok::name && is_reduction(at_[-1]);
  if (!sum) {
    fail(closing.span, fmt::format("an operand is missing before '{}'", spelt(closing)));
  }
  const std::string body = body_after(*at_);
  fail(join(at_->span, closing.span), "nothing stands in the brackets",
       body == "(…)" ? fmt::format("as in {}[i](x[i])", spelt(at_[-1]))
                     : fmt::format("write {}{}", spelt(at_[-1]), body));
}

Parser::Operand Parser::index_form(const Token& name, std::vector<Entry> list) {
  Expression e;
  e.kind = Kind::index_form;
  e.mark = name.span;
  e.name = name_of(name);
  Operand filter;
  for (Entry& entry : list) {
    if (entry.colon) {
      if (&entry != &list.back())
        fail(entry.span, "a filter stands last in the brackets",
             "names come before it, conditions are joined with 'and'");
      if (!entry.last.id.valid()) fail(entry.span, "the condition after ':' is missing");
      filter = entry.last;
    }
    const bool ranged = entry.binder.begin.valid();
    const bool plain = !ranged && entry.first.id.valid() && program_.at(entry.first.id).kind == Kind::name &&
                       !program_.at(entry.first.id).parenthesised;
    if (!ranged && !plain) {
      const Span mark = entry.first.id.valid() ? entry.first.span : entry.span;
      if (is_condition(entry.first))
        fail(mark, fmt::format("the brackets of {}[…](…) bind names, but this is a condition", e.name.text),
             fmt::format("a filter follows a colon: {}[{} : {}]{}", e.name.text, binders_of(e, entry.first),
                         text_of(entry.first), body_after(*partner_before(*at_))));
      fail(mark, fmt::format("the brackets of {}[…](…) bind names, but this is none", e.name.text),
           fmt::format("as in {0}[i](…) or {0}[i in 0..n](…); a product is written with '*'", e.name.text));
    }
    if (plain) {
      entry.binder.name = program_.at(entry.first.id).name;
      entry.binder.span = entry.first.span;
    }
    e.binders.push_back(std::move(entry.binder));
  }
  const Token& opening = *at_;
  open(opening);
  const Operand body = expression();
  if (at(Tok::name) && source_.slice(at_->span) == "for") generator(e.name.text, body);
  e.children = {body.id, filter.id};
  const bool takes_argument = e.name.key == "quantile" || e.name.key == "norm";
  if (takes_argument && at(Tok::comma)) {
    ++at_;
    e.children.push_back(expression().id);
  }
  if (at(Tok::comma) && opening.value != Token::no_partner) further_argument(e);
  close(Tok::close_paren);
  e.span = join(name.span, (at_ - 1)->span);
  check_reduction_sign(e);
  return add(std::move(e));
}

/// `sum[i](x[i], axis=0)` and `min[i](x[i], 0)`, at the comma.
void Parser::further_argument(const Expression& form) {
  const Token& comma = advance();
  Expression alone = form;
  alone.span = join(form.mark, comma.span);
  if (at(Tok::close_paren)) fail(comma.span, "nothing follows ','", "write " + text_of(add(std::move(alone))));
  const bool keyword = (at(Tok::name) || at(Tok::kw_dim)) && at_[1].kind == Tok::equals;
  if (keyword) {
    const std::string word = spelt(*at_);
    const bool axis = word == "axis" || word == "dim";
    fail(join(at_->span, at_[1].span),
         axis ? fmt::format("{}[…](…) takes no axis: its index says along what it runs", form.name.text)
              : fmt::format("{}[…](…) takes no argument named {}", form.name.text, word),
         "write " + text_of(add(std::move(alone))));
  }
  Diagnostic& d = report(comma.span, fmt::format("{}[…](…) takes one value", form.name.text));
  const Operand second = expression();
  if (form.name.key == "max" || form.name.key == "min") {
    const Operand both = make_call(form.name.text, {{form.children[0]}, second}, form.mark);
    alone.children[0] = both.id;
    d.help("two values are compared inside: " + text_of(add(std::move(alone))));
  }
  throw StatementFailed{};
}

Parser::Operand Parser::subscripted(Operand base, std::vector<Entry> list) {
  const auto none = std::ranges::find_if(list, [&](const Entry& entry) { return is_new_axis(entry); });
  if (none != list.end()) new_axis(base, list, none->span);
  Expression e;
  e.kind = Kind::subscript;
  e.children = {base.id};
  const Span closing = (at_ - 1)->span;
  e.span = join(base.span, closing);
  e.mark = base.span;
  for (const Entry& entry : list) {
    if (entry.binder.begin.valid()) {
      // Not yet an error where `name[i in …] x` forgot parentheses: that has a better hint.
      if (begins_operand(*at_)) {
        e.binders.push_back(entry.binder);
        continue;
      }
      fail(entry.span, "an 'in' range binds a name: it stands on the left of '=' or in sum[i in 0..n](…)");
    }
    ast::Subscript subscript;
    subscript.kind = entry.colon ? ast::Subscript::Kind::slice : ast::Subscript::Kind::expression;
    subscript.first = entry.first.id;
    subscript.last = entry.last.id;
    subscript.span = entry.span;
    e.subscripts.push_back(subscript);
  }
  return add(std::move(e));
}

/// What to write instead of `(a, b)`: shapes are arguments, `zeros(n, m)`; a reduction has one axis.
std::string Parser::without_tuple(const Token& opening) const {
  const std::string_view inside = source_.slice({opening.span.end, partner(opening).span.begin});
  if (open_.size() > 1 && (&opening)[-1].kind == Tok::equals)
    return "reduce along one axis after the other, as in sum(sum(X, axis=1), axis=0)";
  const Token* call = open_.size() < 2 ? nullptr : open_[open_.size() - 2];
  constexpr std::string_view shaped[] = {"zeros", "ones", "reshape", "transpose"};
  const bool in_call = call != nullptr && call != tokens_.all.data() && call[-1].kind == Tok::name &&
                       std::ranges::find(shaped, source_.slice(call[-1].span)) != std::end(shaped);
  const Token* last_inside = &partner(opening) - 1;
  if (last_inside->kind == Tok::comma)
    return fmt::format("write {}", shown({opening.span.end, last_inside->span.begin}));
  if (!in_call) return fmt::format("write [{}]", shown({opening.span.end, partner(opening).span.begin}));
  const bool last = (&partner(opening))[1].kind == Tok::close_paren;
  return fmt::format("write {}{}{}", source_.slice({call[-1].span.begin, opening.span.begin}), inside,
                     last ? ")" : ", …)");
}

/// `(a, b)`, at the comma.
void Parser::comma_in_parentheses(const Token& opening) {
  for (const Token* outer : open_)  // `mse((p + b, y)`: one parenthesis is too much
    if (outer->value == Token::no_partner) unclosed(*outer);
  if (at_[1].kind == Tok::name && at_[2].kind == Tok::equals)
    fail(at_->span, fmt::format("{}=… is an argument, but no function is called here", spelt(at_[1])));
  const bool inside =
      at_[-1].kind == Tok::name && at_ - &opening == 2 && at_[1].kind == Tok::name && &at_[2] == &partner(opening);
  if (inside && rank_of(at_[-1]) == 1 && rank_of(at_[1]) == 1)
    fail(at_->span, "a list is written with [ ]",
         fmt::format("an inner product is dot({0}, {1}); arrays are joined by stack({0}, {1})", spelt(at_[-1]),
                     spelt(at_[1])));
  fail(at_->span, "a list is written with [ ]", without_tuple(opening));
}

/// The rank of a declared name; 0 for others.
std::size_t Parser::rank_of(const Token& name) const {
  const ast::Declared* input = declared(name_of(name).key);
  return input == nullptr ? 0 : input->shape.size();
}

Parser::Operand Parser::parenthesised() {
  const Token& opening = *at_;
  open(opening);
  if (at(Tok::close_paren)) fail(join(opening.span, at_->span), "nothing stands in the parentheses");
  const Operand inner = expression();
  if (at(Tok::comma)) comma_in_parentheses(opening);
  if (at(Tok::equals)) equals_in_brackets(inner);
  close(Tok::close_paren);
  program_.at(inner.id).parenthesised = true;
  return {inner.id, join(opening.span, (at_ - 1)->span)};
}

/// `|x|`, `‖x‖_p`.
Parser::Operand Parser::bars() {
  const Token& opening = *at_;
  const bool norm = opening.kind == Tok::open_norm;
  open(opening);
  const Operand inner = expression();
  const bool doubled = at_->doubled;
  const Span closing = at_->span;
  close(norm ? Tok::close_norm : Tok::close_bar);
  Expression e;
  e.kind = norm ? Kind::norm : Kind::absolute;
  e.children = {inner.id};
  e.span = join(opening.span, closing);
  e.mark = opening.span;
  if (doubled) {
    report(closing, "'||' opens or closes a norm, not two absolute values")
        .help(fmt::format("write abs({})", text_of(inner)));
  }
  if (norm && at(Tok::norm_order)) {
    const Token& order = advance();
    const std::string_view text = source_.slice({order.span.begin + 1, order.span.end});
    e.span = join(e.span, order.span);
    const bool lp = text.size() == 2 && (text[0] == 'l' || text[0] == 'L') && (text[1] == '1' || text[1] == '2');
    if (lp && !is_known(name_key(text)))
      fail(order.span, "the order of a norm is its number", fmt::format("write ‖{}‖_{}", text_of(inner), text[1]));
    if (text == "1") {
      e.order = ast::NormOrder::one;
    } else if (text == "F" || text == "fro") {
      e.order = ast::NormOrder::frobenius;
    } else if (text == "inf" || text == "∞") {
      e.order = ast::NormOrder::infinity;
    } else {
      e.order = text == "2" ? ast::NormOrder::two : ast::NormOrder::other;
      Expression value;
      value.span = value.mark = {order.span.begin + 1, order.span.end};
      const bool is_number = text[0] == '.' || (text[0] >= '0' && text[0] <= '9');
      value.kind = is_number ? Kind::number : Kind::name;
      if (is_number) value.value = Rational::parse(text).value_or(Rational(2));
      if (!is_number) value.name = {std::string(text), name_key(text), value.span};
      e.order_value = add(std::move(value)).id;
    }
  }
  return add(std::move(e));
}

Parser::Operand Parser::literal_of(const Token& opening, const std::vector<std::vector<Operand>>& rows,
                                   bool separated) {
  Expression e;
  e.span = join(opening.span, (at_ - 1)->span);
  e.mark = e.span;
  e.kind = separated ? Kind::matrix : Kind::vector;
  bool nested = !separated;  // [[a, b], [c, d]]
  for (const std::vector<Operand>& row : rows) {
    for (const Operand& element : row) {
      e.children.push_back(element.id);
      nested = nested && program_.at(element.id).kind == Kind::vector && !program_.at(element.id).parenthesised;
    }
    if (row.size() != rows[0].size()) {
      fail(join(row.front().span, row.back().span),
           fmt::format("this row has {}, the first one {}", counted(row.size()), rows[0].size()));
    }
  }
  e.rows = static_cast<std::uint32_t>(rows.size());
  if (nested) {
    e.kind = Kind::matrix;
    e.rows = static_cast<std::uint32_t>(e.children.size());
    std::vector<Id> elements;
    const std::size_t width = program_.at(e.children[0]).children.size();
    for (const Id row : e.children) {
      const Expression& r = program_.at(row);
      if (r.children.size() != width)
        fail(r.span, fmt::format("this row has {}, the first one {}", counted(r.children.size()), width));
      elements.insert(elements.end(), r.children.begin(), r.children.end());
    }
    e.children = std::move(elements);
  }
  if (e.kind == Kind::vector) e.rows = 0;
  return add(std::move(e));
}

}  // namespace gradus
