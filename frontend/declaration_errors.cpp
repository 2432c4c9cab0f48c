// Declarations with a mistake: what was meant, and the names that count as declared all the same.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/characters.hpp"
#include "frontend/format.hpp"
#include "frontend/parser.hpp"

namespace gradus {

using ast::Expression;
using ast::Id;
using ast::Kind;

namespace {

constexpr std::string_view roles[] = {"data", "param", "const", "dim"};
constexpr std::size_t longest = 80;  // bytes of the program that a help line repeats

/// `₁₂` as `12`.
std::string plain_digits(const std::string& raw) {
  std::string out;
  for (std::size_t i = 0; i < raw.size(); i += 3) out += static_cast<char>('0' + (decode(raw, i).value - U'₀'));
  return out;
}

}  // namespace

std::string Parser::role_word() const {
  return std::string(roles[static_cast<std::size_t>(statement_.declaration.role)]);
}

/// What other languages write in a declaration, at the sign that does not fit.
void Parser::unexpected_in_declaration(const std::string& wanted) {
  const Token& token = *at_;
  if (!open_.empty()) return unexpected_in_shape();
  const bool wants_name = wanted.ends_with("name");
  if (statement_.declaration.names.empty()) return unexpected_first(wants_name);
  const ast::Name& name = statement_.declaration.names.back().name;
  const Token* before = at_ - 1;
  if (is(token, Foreign::subscripts)) {
    subscripted_names_.insert(name.text + plain_digits(spelt(token)));
    fail(join(name.span, token.span), "subscript digits are not read",
         fmt::format("write {}{} for a name", name.text, plain_digits(spelt(token))));
  }
  const bool brace = spelt(token) == "{";
  if ((token.kind == Tok::open_paren && token.value != Token::no_partner) || brace) {
    const Token* end = brace ? at_ : &partner(token);
    while (brace && end->kind != Tok::separator && end->kind != Tok::end && spelt(*end) != "}") ++end;
    const std::string_view inside = source_.slice({token.span.end, end->span.begin});
    fail(token.span, "a shape stands in [ ]",
         inside.size() > longest ? "" : fmt::format("write {}[{}]", name.text, inside));
  }
  if (token.newline_before && token.kind == Tok::minus && at_[1].kind == Tok::minus && !at_[1].blank_before)
    fail(join(token.span, at_[1].span), "'--' is no comment sign", "a comment begins with '#'");
  real_numbers(name);
  const bool bounds = token.kind == Tok::less || token.kind == Tok::less_equal || token.kind == Tok::greater ||
                      token.kind == Tok::greater_equal || token.kind == Tok::kw_in || is(token, Foreign::element);
  if (bounds && statement_.declaration.names.size() == 1 && is_type(name.text)) {
    statement_.declaration.names.clear();  // `param real<lower=0> s`: the name follows
    fail(token.span, "a declaration has no bounds in < >",
         fmt::format("what is known of a value follows a colon, as in {} s : positive", role_word()));
  }
  if (bounds) {
    const bool zero = at_[1].kind == Tok::number && spelt(at_[1]) == "0";
    const char* word = token.kind == Tok::greater_equal && zero ? "nonnegative" : "positive";
    fail(token.span, fmt::format("a declaration has no conditions, but '{}' stands here", spelt(token)),
         fmt::format("what is known of a value follows a colon, as in {} {} : {}", role_word(),
                     shown(join(name.span, before->kind == Tok::close_bracket ? before->span : name.span)), word));
  }
  if (token.kind == Tok::open_bracket && before->kind == Tok::close_bracket)
    fail(token.span, "all sizes of a shape stand in one pair of brackets", fmt::format("as in {}[n, d]", name.text));
  if (token.kind == Tok::open_bracket && before->kind == Tok::colon)
    fail(token.span, "a shape follows the name without a colon", fmt::format("as in {}[n]", name.text));
  if (token.kind == Tok::kw_and) fail(token.span, "the names of a declaration are separated by ','");
  const bool part = is(token, Foreign::member) || (token.kind == Tok::minus && at_[1].kind == Tok::name);
  if (part && before->kind == Tok::name && !token.blank_before) {
    const std::string rest = token.kind == Tok::minus ? spelt(at_[1]) : spelt(token).substr(1);
    fail(join(name.span, at_[token.kind == Tok::minus ? 1 : 0].span), "a name is made of letters, digits and '_'",
         fmt::format("write {}_{}", name.text, rest));
  }
  const bool role = definition_begins(token) && token.kind != Tok::name;
  if (before->kind != Tok::comma || !wants_name) return;
  if (role || token.kind == Tok::separator || token.kind == Tok::end) {
    resume_here_ = role;  // the next statement
    if (token.newline_before || !role)
      fail(before->span, "no name follows this comma" + (role ? fmt::format(", but '{}'", spelt(token)) : ""),
           "end the line without it");
    fail(token.span, fmt::format("'{}' begins a declaration of its own", spelt(token)),
         "write ';' for the comma before it");
  }
}

/// `x ∈ ℝ^n` and `x : R^n`, at the sign: a shape.
void Parser::real_numbers(const ast::Name& name) {
  const auto is_real = [&](const Token& t) { return t.kind == Tok::name && (spelt(t) == "R" || spelt(t) == "ℝ"); };
  const bool element = (at(Tok::kw_in) || at(Foreign::element)) && is_real(at_[1]);
  const bool power = at(Tok::caret) && is_real(at_[-1]);
  if (!element && !power) return;
  const Token* caret = element ? at_ + 2 : at_;
  const bool plain = caret->kind == Tok::caret && (caret[1].kind == Tok::name || caret[1].kind == Tok::number);
  const Token* first = element ? at_ : at_ - 1;
  fail(join(first->span, plain ? caret[1].span : caret[-1].span), "every value is real, and a shape stands in [ ]",
       plain && !statement_.declaration.names.back().has_brackets
           ? fmt::format("write {} {}[{}]", role_word(), name.text, spelt(caret[1]))
           : fmt::format("as in {0} {1} or {0} {1}[n]", role_word(), name.text));
}

/// Inside the brackets of a shape.
void Parser::unexpected_in_shape() {
  const Token& token = *at_;
  const Token& opening = *open_.back();
  if (opening.value == Token::no_partner || opening.kind != Tok::open_bracket || token.kind != Tok::semicolon) return;
  std::string inside(source_.slice({opening.span.begin, partner(opening).span.end}));
  for (char& c : inside)
    if (c == ';') c = ',';
  fail(token.span, "the sizes of a shape are separated by ','",
       inside.size() > longest ? "" : fmt::format("write {}{}", statement_.declaration.names.back().name.text, inside));
}

/// Where the first name of a declaration is expected.
void Parser::unexpected_first(bool wants_name) {
  const Token& token = *at_;
  if (token.kind == Tok::less && wants_name)
    fail(token.span, "a declaration has no bounds in < >",
         "what is known of a value follows a colon, as in param s : positive");
  if (token.kind == Tok::equals) fail(at_[-1].span, fmt::format("'{}' is a keyword and cannot be a name", role_word()));
  if (token.kind == Tok::colon) {
    const Token* end = at_;
    while (end->kind != Tok::separator && end->kind != Tok::end) ++end;
    const std::string_view rest = source_.slice({token.span.end, (end - 1)->span.end});
    fail(token.span, fmt::format("no colon follows '{}'", role_word()),
         rest.empty() || rest.size() > longest
             ? ""
             : fmt::format("write {}{}{}", role_word(), rest[0] == ' ' ? "" : " ", rest));
  }
  if (token.kind == Tok::number && at_[1].kind == Tok::name && !at_[1].blank_before) {
    ast::Declared one;
    one.name = name_of(at_[1]);
    one.span = at_[1].span;
    statement_.declaration.names.push_back(one);
    fail(join(token.span, at_[1].span), "a name begins with a letter");
  }
}

/// `data x[n] y[n]` and `param w float`, at the second name.
void Parser::missing_comma() {
  const ast::Declared first = statement_.declaration.names.back();
  if (statement_.declaration.names.size() == 1 && !first.has_brackets && is_type(first.name.text)) {
    statement_.declaration.names.clear();
    report(first.name.span, "a declaration has no types: every value is a real number")
        .help(fmt::format("leave '{}' out", first.name.text));
    return;
  }
  if (is_type(spelt(*at_)))
    fail(at_->span, "a declaration has no types: every value is a real number",
         fmt::format("leave '{}' out", spelt(*at_)));
  const std::string key = name_of(*at_).key;
  const bool twice =
      std::ranges::any_of(statement_.declaration.names, [&](const ast::Declared& one) { return one.name.key == key; });
  if (twice) {  // `data b b[n]`
    if (!first.has_brackets) statement_.declaration.names.pop_back();
    report(at_->span, fmt::format("the name {} stands twice", spelt(*at_)));
    if (first.has_brackets) throw StatementFailed{};
    return;
  }
  report(at_->span, fmt::format("a comma is missing before '{}'", spelt(*at_)));
}

/// `data x[]`, at the closing bracket.
void Parser::empty_shape() {
  const std::string& name = statement_.declaration.names.back().name.text;
  fail(join(at_[-1].span, at_->span), "nothing stands in the brackets",
       fmt::format("a scalar is declared as {0}, a vector as {0}[n]", name));
}

/// A name in the brackets of a broken declaration is a size.
void Parser::size_after_error(const Token& token) {
  if (token.kind != Tok::name || statement_.declaration.names.empty()) return;
  Expression e;
  e.kind = Kind::name;
  e.name = name_of(token);
  e.span = e.mark = token.span;
  statement_.declaration.names.back().shape.push_back(add(std::move(e)).id);
}

/// Whether a `]` that closes nothing follows: `C@h, d, m]`.
bool Parser::in_lost_bracket(const Token& name) const {
  const Token* token = &name + 1;
  while (token->kind == Tok::name || token->kind == Tok::comma || token->kind == Tok::number) ++token;
  return token->kind == Tok::close_bracket && token->value == Token::no_partner;
}

/// The names that a broken declaration would have declared after the error. The names in brackets are sizes.
void Parser::names_after_error() {
  auto& names = statement_.declaration.names;
  const bool none = names.empty();  // `data (x[n], y[n])`, `data: x[n]`
  const Token* unclosed = nullptr;
  if (!open_.empty() && open_.back()->kind == Tok::open_bracket) {
    const Token* opening = open_.back();
    if (opening->value == Token::no_partner) unclosed = opening;
    at_ = unclosed != nullptr ? opening + 1 : opening;
  }
  if (unclosed != nullptr && at(Tok::name)) size_after_error(*at_);
  const Token* last_named = nullptr;
  while (!at(Tok::separator) && !at(Tok::end)) {
    const Token& token = *at_;
    const bool grouping = token.kind == Tok::open_paren && none;
    const bool before_name = token.kind == Tok::comma || token.kind == Tok::kw_and || grouping ||
                             (none && (token.kind == Tok::colon || token.kind == Tok::greater));
    if ((token.kind == Tok::open_bracket || token.kind == Tok::open_paren) && token.value != Token::no_partner &&
        !grouping) {
      for (; at_ != &partner(token); ++at_)
        if (token.kind == Tok::open_bracket) size_after_error(*at_);
    } else if (before_name && at_[1].kind == Tok::name && at_[2].kind != Tok::equals) {
      // Where a bracket is not closed, `d` in `X[n, d, y[n]` is a size.
      const Token* before = at_ - 1;
      if (in_lost_bracket(at_[1])) {
        size_after_error(at_[1]);
      } else if (unclosed == nullptr || at_[2].kind == Tok::open_bracket || before->kind == Tok::close_bracket ||
                 before == last_named) {
        ast::Declared one;
        one.name = name_of(at_[1]);
        one.span = at_[1].span;
        names.push_back(one);
        last_named = at_ + 1;
      } else {
        size_after_error(at_[1]);
      }
    }
    advance();
  }
}

/// `x[n], y[n]` at the beginning of a statement: the word that begins a declaration is missing.
void Parser::declaration_without_word() {
  const Expression& first = program_.at(statement_.equation.body);
  const Expression& base = first.kind == Kind::subscript ? program_.at(first.children[0]) : first;
  if (base.kind != Kind::name || at_[1].kind != Tok::name || declared(base.name.key) != nullptr) return;
  if (first.kind != Kind::subscript && at_[2].kind != Tok::open_bracket) return;
  for (const Token* t = at_; t->kind != Tok::separator && t->kind != Tok::end; ++t)
    if (t->kind == Tok::equals) return;
  ast::Declared one;
  one.name = base.name;
  one.span = first.span;
  for (const ast::Subscript& s : first.subscripts)
    if (s.kind == ast::Subscript::Kind::expression && program_.at(s.first).kind == Kind::name)
      one.shape.push_back(s.first);
  const std::string text = format(program_, statement_.equation.body);
  const Span place = base.span;
  statement_.kind = ast::Statement::Kind::declaration;
  statement_.equation = {};
  statement_.declaration.names.push_back(std::move(one));
  fail(place, "a declaration begins with data or param",
       fmt::format("write data {0}, … for what is given, param {0}, … for what is learnt", text));
}

/// `data c[n] : index(k), y[n]`, at the bracket: the name counts as declared, so that its uses are no further errors.
void Parser::name_after_assumptions(const ast::Name& word) {
  statement_.declaration.names.push_back({word, {}, true, {}, word.span});
  const bool closed = at_->value != Token::no_partner;
  const Span whole = closed ? Span{word.span.begin, partner(*at_).span.end} : word.span;
  const Token* after = closed ? &partner(*at_) + 1 : at_;
  const Token* end = after;
  while (after->kind == Tok::colon && end->kind != Tok::comma && end->kind != Tok::separator && end->kind != Tok::end)
    ++end;
  const std::string_view own = end == after ? "" : source_.slice({after->span.begin, end[-1].span.end});
  fail(word.span, fmt::format("assumptions end a declaration: {} needs a line of its own", word.text),
       fmt::format("write {} {}{}{}", role_word(), closed ? source_.slice(whole) : word.text + "[n]",
                   own.empty() ? "" : " ", own));
}

}  // namespace gradus
