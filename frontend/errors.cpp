// Syntax errors: what stands where something else should.
#include <fmt/format.h>

#include "frontend/foreign_functions.hpp"
#include "frontend/format.hpp"
#include "frontend/parser.hpp"

namespace gradus {
namespace {

bool is_closing(Tok kind) {
  return kind == Tok::close_paren || kind == Tok::close_bracket || kind == Tok::close_bar || kind == Tok::close_norm;
}

bool ends_statement(Tok kind) { return kind == Tok::separator || kind == Tok::end; }

bool is_keyword(Tok kind) { return kind >= Tok::kw_data && kind <= Tok::kw_in; }

}  // namespace

Diagnostic& Parser::report(Span mark, std::string text, std::vector<Span> context) {
  if (broken_) return scratch_ = Diagnostic{};
  broken_ = true;
  return diagnostics_.error(mark, std::move(text), std::move(context));
}

void Parser::fail(Span mark, std::string text, std::string help) {
  Diagnostic& d = report(mark, std::move(text));
  if (!help.empty()) d.help(std::move(help));
  throw StatementFailed{};
}

void Parser::unclosed(const Token& opening) {
  const std::string sign = spelt(opening);
  std::string text;
  switch (opening.kind) {
    case Tok::open_bar:
      text = "the bar '|' opens an absolute value that is not closed";
      break;
    case Tok::open_norm:
      text = fmt::format("'{}' opens a norm that is not closed", sign);
      break;
    default:
      text = fmt::format("'{}' is not closed", sign);
      break;
  }
  if (opening.kind == Tok::open_paren || opening.kind == Tok::open_bracket) {
    const char* partner = opening.kind == Tok::open_paren ? ")" : "]";
    text += ends_statement(at_->kind) || at(Tok::comma)
                ? fmt::format(": a '{}' is missing", partner)
                : fmt::format(": a '{}' is missing before '{}'", partner, spelt(*at_));
  }
  const bool bars = at(Tok::raw_bar) || at(Tok::raw_norm);
  fail(opening.span, std::move(text),
       bars ? "'||' opens or closes a norm; write abs(…) for an absolute value beside another bar" : "");
}

void Parser::unexpected(const std::string& wanted) {
  const Token& token = *at_;
  if (statement_.kind == ast::Statement::Kind::declaration) unexpected_in_declaration(wanted);
  if (token.kind == Tok::bad && at_ != tokens_.all.data() && (at_ - 1)->kind == Tok::close_bar &&
      spelt(token)[0] == '_')
    fail(token.span, "an absolute value has no order", fmt::format("write ‖x‖{} for a norm", spelt(token)));
  if (token.kind == Tok::bad && at_ != tokens_.all.data() && (at_ - 1)->kind == Tok::close_paren &&
      spelt(token)[0] == '_' && !token.blank_before)
    fail(token.span, "an order follows the bars of a norm", fmt::format("write ‖x‖{}, or norm(x, 2)", spelt(token)));
  const bool power = at_ - tokens_.all.data() > 3 && at_[-1].kind == Tok::number && at_[-2].kind == Tok::caret &&
                     at_[-3].kind == Tok::close_norm;
  if (token.kind == Tok::bad && power && spelt(token)[0] == '_') {  // ||x||^2_2
    const Span norm = join(partner(at_[-3]).span, at_[-3].span);
    fail(token.span, "the order of a norm stands before its power",
         fmt::format("write {}{}^{}", shown(norm), spelt(token), spelt(at_[-1])));
  }
  if (token.kind == Tok::bad) no_operand();
  if (!open_.empty() && (wanted == "'|'" || wanted == "'||'")) unclosed(*open_.back());
  if (token.kind == Tok::semicolon && !open_.empty() && open_.back()->value != Token::no_partner &&
      (open_.back()->kind == Tok::open_paren || wanted == "']'"))
    semicolon_in_list();
  const bool may_end_here = ends_statement(token.kind) || is_closing(token.kind) || token.kind == Tok::equals ||
                            token.kind == Tok::semicolon || token.newline_before;
  if (!open_.empty() && open_.back()->value == Token::no_partner && may_end_here) unclosed(*open_.back());
  if (token.kind == Tok::close_bracket && open_.empty() && statement_.kind == ast::Statement::Kind::declaration)
    fail(token.span, "']' closes nothing: a '[' is missing before it");
  if (is_closing(token.kind) && open_.empty()) {
    fail(token.span, fmt::format("'{}' closes nothing", spelt(token)), "delete it or write what it should close");
  }
  if (token.kind == Tok::equals && wanted.ends_with("name"))
    fail(token.span, fmt::format("{} is missing before '='", wanted));
  if (token.kind == Tok::equals) {
    const std::string help = "'=' defines a name at the start of a statement; to compare write '=='";
    fail(token.span, fmt::format("'=' cannot stand here, {} is expected", wanted), help);
  }
  if (ends_statement(token.kind)) {
    const Span end{token.span.begin, token.span.begin};
    fail(end, at_ == tokens_.all.data() ? fmt::format("expected {}", wanted)
                                        : fmt::format("expected {} after '{}'", wanted, spelt(*(at_ - 1))));
  }
  if (is_keyword(token.kind) && wanted.ends_with("name")) {
    fail(token.span, fmt::format("'{}' is a keyword and cannot be a name", spelt(token)));
  }
  if (token.kind == Tok::kw_else) fail(token.span, "'else' has no 'if'", "write a if condition else b");
  if (token.kind == Tok::kw_in && wanted == "')'")
    fail(token.span, "an index stands in [ ]", "as in sum[i in 0..n](x[i])");
  if (token.kind == Tok::colon && wanted == "')'") fail(token.span, "a slice stands in [ ]", "as in x[1:3]");
  if (token.kind == Tok::name && spelt(token) == "for")
    fail(token.span, "there is no 'for'", "an index runs inside sum[i](…) or on the left side, as in y[i] = x[i]^2");
  if (at_ != tokens_.all.data() && (at_ - 1)->kind == Tok::kw_loss && token.kind == Tok::colon) {
    ++at_;
    missing_equals();
  }
  if (wanted == "'='" && at_ - tokens_.all.data() > 1 && (at_ - 2)->kind == Tok::kw_loss) {
    --at_;
    missing_equals();
  }
  if (token.kind == Tok::range && wanted != "'..'") dots();
  fail(token.span, fmt::format("expected {}, but found '{}'", wanted, spelt(token)));
}

/// `mean(x; axis=0)` and `sum[i; j](x[i, j])`, at the `;`.
void Parser::semicolon_in_list() {
  constexpr std::uint32_t longest = 120;
  const Token& opening = *open_.back();
  const Token& closing = partner(opening);
  const bool call = &opening != tokens_.all.data() && (&opening)[-1].kind == Tok::name;
  const bool first = at_[-1].kind != Tok::semicolon;
  std::string help;
  if (call && first && &closing != at_ + 1 && closing.span.end - opening.span.begin < longest) {
    const std::uint32_t begin = (&opening)[-1].span.begin;
    std::string list(source_.slice({begin, closing.span.end}));
    for (const Token* t = at_; t < &closing; ++t) {
      if (t->kind == Tok::semicolon) list[t->span.begin - begin] = ',';
      if ((t->kind == Tok::open_paren || t->kind == Tok::open_bracket) && t->value != Token::no_partner)
        t = &partner(*t);
    }
    help = "write " + list;
  }
  const bool subscripts = opening.kind == Tok::open_bracket;
  const Span mark = at_->span;
  if (definition_begins((&closing)[1])) {  // `q = exp(p;)  r = 2`
    at_ = &closing + 1;
    resume_here_ = true;
  }
  if (subscripts && !help.empty()) help += body_after(opening) == "(…)" ? "" : body_after(opening);
  fail(mark,
       subscripts ? "indices and subscripts are separated by ','"
                  : "';' ends a statement, but a parenthesis is open; a list is separated by ','",
       help);
}

/// `...` and a `..` that belongs to no range of an index.
void Parser::dots() {
  const Token& token = *at_;
  const Token& next = at_[1];
  const bool three = (next.kind == Tok::bad && spelt(next) == ".") || spelt(token).size() > 2;
  const bool in_brackets = !open_.empty() && open_.back()->kind == Tok::open_bracket;
  if (three)
    fail(token.span, "there is no '...'",
         in_brackets ? "an axis that stays whole is ':', and what is left out at the end stays whole: X[i] is a row"
                     : "a sum of many terms is sum[i](x[i])");
  const bool shape = in_brackets && statement_.kind == ast::Statement::Kind::declaration;
  fail(token.span, "'..' gives the range of an index",
       shape            ? "a shape lists sizes, as in x[3], whose elements are x[0], x[1] and x[2]"
       : in_brackets    ? "write i in 0..n in the brackets of sum[…](…), and x[0:n] for a slice"
       : !open_.empty() ? "an index runs in the brackets of a sum, as in sum[i in 0..n](x[i])"
                        : "the numbers from 0 to n - 1 are range(n)");
}

/// Goes over a text, which was part of what is reported already.
bool Parser::skip_text() {
  const std::string quote = spelt(*at_);
  if (quote != "'" && quote != "\"") return false;
  const Token* closing = at_ + 1;
  while (closing->kind != Tok::separator && closing->kind != Tok::end && spelt(*closing) != quote) ++closing;
  if (spelt(*closing) != quote) return false;
  at_ = closing + 1;
  return true;
}

/// `"fro"` and `'fro'`, at the opening quote: texts of other languages.
void Parser::text_literal() {
  const std::string quote = spelt(*at_);
  const Token* closing = at_ + 1;
  while (closing->kind != Tok::separator && closing->kind != Tok::end && spelt(*closing) != quote) ++closing;
  if (spelt(*closing) != quote) return;
  const std::string_view text = source_.slice({at_->span.end, closing->span.begin});
  if (text.empty() && spelt(closing[1]) == quote && open_.empty())
    fail(join(at_->span, closing[1].span), "there are no texts", "a comment begins with '#'");
  const Token* opening = open_.empty() ? nullptr : open_.back();
  const Token* name = opening == nullptr || opening == tokens_.all.data() ? nullptr : opening - 1;
  const std::string function = name != nullptr && name->kind == Tok::name ? spelt(*name) : "";
  if (function == "einsum") einsum(name->span);
  std::string help = "there are no texts, only numbers";
  if (function == "norm" && at_[-1].kind == Tok::comma) {
    const std::string of = "norm(" + std::string(source_.slice({opening->span.end, at_[-1].span.begin}));
    if (text == "fro" || text == "f" || text == "F") help = fmt::format("the norm of all entries is {})", of);
    if (text == "inf" || text == "Inf") help = fmt::format("write {}, inf)", of);
    if (text == "l1" || text == "L1" || text == "l2" || text == "L2") help = fmt::format("write {}, {})", of, text[1]);
    if (text == "nuc") help = fmt::format("the sum of singular values is sum(svdvals({})", of.substr(5));
  }
  const bool axis = at_ - tokens_.all.data() > 1 && at_[-1].kind == Tok::equals && spelt(at_[-2]) == "axis";
  if (axis)
    fail(join(at_->span, closing->span), fmt::format("{} is a text", shown(join(at_->span, closing->span))),
         "an axis is a number: axis=0 for the first, axis=-1 for the last");
  const bool keyword = opening != nullptr && at_ - opening > 2 && at_[-1].kind == Tok::equals;
  if (keyword) help = fmt::format("leave {} out", shown(join(at_[-2].span, closing->span)));
  if (keyword && spelt(at_[-2]) == "reduction" && (text == "sum" || text == "none"))
    help = "the losses are means over all entries; others are written out, as in sum((p - y)^2)";
  fail(join(at_->span, closing->span), fmt::format("{} is a text", shown(join(at_->span, closing->span))), help);
}

/// The expression that follows, for a help line; `…` where it is broken.
std::string Parser::next_expression() {
  try {
    return text_of(expression());
  } catch (const StatementFailed&) {
    return "…";
  }
}

/// `x -> x^2` and `@(x) x^2`, at the body.
void Parser::anonymous_function(Span mark, const std::string& parameters) {
  Diagnostic& d = report(mark, "there are no anonymous functions");
  d.help(fmt::format("define it on a line of its own: f({}) = {}", parameters, next_expression()));
  throw StatementFailed{};
}

/// `if c then a else b`, at the first word.
void Parser::choice_first() {
  const Token& word = advance();
  Diagnostic& d = report(word.span, "what is chosen stands before 'if'");
  std::string text;
  then_ends_ = true;
  try {
    const Operand condition = inner(Level::logical_or);
    if (spelt(*at_) == "then" || at(Tok::colon) || at(Tok::comma)) advance();
    const Operand chosen = inner(Level::logical_or);
    if (at(Tok::kw_else)) {
      advance();
      text = fmt::format("{} if {} else {}", text_of(chosen), text_of(condition), text_of(inner(Level::logical_or)));
    } else {
      text = fmt::format("{} if {} else 0", text_of(chosen), text_of(condition));
    }
  } catch (const StatementFailed&) {
    text = "a if c else b";
  }
  then_ends_ = false;
  d.help(fmt::format("write {}", text));
  throw StatementFailed{};
}

/// `max{a, b}` and `1{x > a}`, at the brace; nothing is said of other braces.
void Parser::braces() {
  constexpr std::uint32_t longest = 100;
  const Token* closing = at_ + 1;
  while (closing->kind != Tok::separator && closing->kind != Tok::end && spelt(*closing) != "}") ++closing;
  if (at_ == tokens_.all.data() || spelt(*closing) != "}" || closing->span.end - at_->span.begin > longest) return;
  const std::string_view inside = source_.slice({at_->span.end, closing->span.begin});
  if (inside.find('{') != std::string_view::npos || at_->blank_before) return;
  const Token& before = at_[-1];
  if (before.kind == Tok::name && (is_function_name(spelt(before)) || is_reduction(before)))
    fail(at_->span, "arguments stand in ( )", fmt::format("write {}({})", spelt(before), inside));
  if (before.kind == Tok::number && spelt(before) == "1")
    fail(join(before.span, closing->span), "a condition is 1 or 0 itself", fmt::format("write ({})", inside));
}

/// The cursor stands where an operand should.
void Parser::no_operand() {
  const Token& token = *at_;
  if (spelt(token) == "\"" || spelt(token) == "'") text_literal();
  if (token.kind == Tok::bad && spelt(token) == "{") braces();
  if (token.kind == Tok::bad) {
    if (!broken_) diagnostics_.add(tokens_.complaints[token.value]);
    broken_ = true;
    throw StatementFailed{};
  }
  const Token* before = at_ == tokens_.all.data() || (at_ - 1)->kind == Tok::separator ? nullptr : at_ - 1;
  const bool ends = ends_statement(token.kind);
  if (!open_.empty() && open_.back()->value == Token::no_partner && (ends || is_closing(token.kind)))
    unclosed(*open_.back());
  if (ends && before != nullptr) {
    if (before->kind == Tok::bad) throw StatementFailed{};
    fail(before->span, fmt::format("nothing follows '{}'", spelt(*before)));
  }
  if (ends) fail(token.span, "an expression is missing");
  if (token.kind >= Tok::kw_data && token.kind <= Tok::kw_output) {
    fail(token.span, fmt::format("'{}' is a keyword and cannot stand in an expression", spelt(token)));
  }
  if (token.kind == Tok::range) dots();
  if (is(token, Foreign::member) && before != nullptr && before->kind == Tok::range)
    fail(join(before->span, token.span), "a range is written with two dots",
         fmt::format("write ..{}", spelt(token).substr(1)));
  if (token.kind == Tok::colon && !open_.empty() && open_.back()->kind == Tok::open_paren)
    fail(token.span, "a slice stands in [ ]", "as in x[1:3], or x[:] for a whole axis");
  if (token.kind == Tok::greater && before != nullptr && before->kind == Tok::minus && !token.blank_before) {
    const bool named = before - tokens_.all.data() > 0 && before[-1].kind == Tok::name;
    ++at_;
    anonymous_function(join(before->span, token.span), named ? spelt(before[-1]) : "x");
  }
  if (token.kind == Tok::at && at_[1].kind == Tok::open_paren && at_[1].value != Token::no_partner) {
    const Token& closing = partner(at_[1]);
    const std::string parameters = shown({at_[1].span.end, closing.span.begin});
    at_ = &closing + 1;
    anonymous_function(join(token.span, closing.span), parameters);
  }
  if (token.kind == Tok::kw_if && before != nullptr) choice_first();
  if (token.kind == Tok::less && before != nullptr)
    fail(token.span, fmt::format("an operand is missing between '{}' and '<'", spelt(*before)),
         "an inner product is written dot(x, y)");
  const bool shape = statement_.kind == ast::Statement::Kind::declaration && !open_.empty();
  if (shape && (token.kind == Tok::colon || token.kind == Tok::foreign))
    fail(token.span, fmt::format("'{}' is no size", spelt(token)), "a size that may be any number has a name: x[n]");
  const std::string help = token.kind == Tok::kw_if ? "a choice is written a if c else b" : "";
  if (before != nullptr && before->kind == Tok::comma && is_closing(token.kind))
    fail(before->span, "nothing follows ','", "delete the comma");
  if (before == nullptr) fail(token.span, fmt::format("a statement cannot begin with '{}'", spelt(token)), help);
  if (before->kind == Tok::open_paren || before->kind == Tok::open_bracket || is_closing(before->kind)) {
    fail(token.span, fmt::format("an operand is missing before '{}'", spelt(token)), help);
  }
  fail(token.span, fmt::format("an operand is missing between '{}' and '{}'", spelt(*before), spelt(token)), help);
}

/// Whether a new statement begins at the cursor, outside all brackets.
bool Parser::statement_begins_here() const { return definition_begins(*at_); }

bool Parser::definition_begins(const Token& token) const {
  const auto assigns = [](const Token& t) { return t.kind == Tok::equals || is(t, Foreign::assign); };
  const Token& after = (&token)[1];
  if (token.kind >= Tok::kw_data && token.kind <= Tok::kw_output && token.kind != Tok::kw_loss) return true;
  if (token.kind == Tok::kw_loss) return assigns(after) || (after.kind == Tok::name && assigns((&token)[2]));
  if (token.kind != Tok::name) return false;
  if (assigns(after)) return true;
  const bool bracket = after.kind == Tok::open_paren || after.kind == Tok::open_bracket;
  return bracket && after.value != Token::no_partner && assigns(*(&partner(after) + 1));
}

std::string Parser::spelt(const Token& token) const {
  if (token.kind == Tok::end) return "the end of the text";
  if (token.kind == Tok::separator) return "the end of the statement";
  return shown(token.span);
}

/// A part of the source for a message, cut where it is too long for a line.
std::string Parser::shown(Span span) const {
  constexpr std::size_t longest = 120;
  const std::string_view text = source_.slice(span);
  if (text.size() <= longest) return std::string(text);
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

/// The operand in canonical spelling, cut where it is too long for a line.
std::string Parser::text_of(Operand operand) const {
  constexpr std::uint32_t longest = 200;
  const Span span = program_.at(operand.id).span;
  return span.end - span.begin > longest ? "…" : format(program_, operand.id);
}

}  // namespace gradus
