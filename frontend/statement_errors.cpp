// Statements that other languages have, or that forgot a sign: what was meant, and what counts as defined all the same.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/foreign_functions.hpp"
#include "frontend/format.hpp"
#include "frontend/parser.hpp"

namespace gradus {

using ast::Expression;
using ast::Id;
using ast::Kind;

namespace {

constexpr std::size_t longest = 120;  // bytes of the program that a help line repeats

}  // namespace

/// The text from a token to the end of the statement; empty where it is too long for a help line.
std::string Parser::rest_of_statement(const Token* first) const {
  const Token* end = first;
  for (; end->kind != Tok::separator && end->kind != Tok::end; ++end) {
    const bool bracket = end->kind == Tok::open_paren || end->kind == Tok::open_bracket ||
                         end->kind == Tok::close_paren || end->kind == Tok::close_bracket;
    if (end->kind == Tok::bad || (bracket && end->value == Token::no_partner)) return {};  // a mistake of its own
  }
  if (end == first || end[-1].span.end - first->span.begin > longest) return {};
  return std::string(source_.slice({first->span.begin, end[-1].span.end}));
}

/// The statement with '=' for the sign here, after a colon; empty where it is too long for a help line.
std::string Parser::with_equals_sign() const {
  const Token* first = at_;
  while (first != tokens_.all.data() && first[-1].kind != Tok::separator) --first;
  const std::string body = rest_of_statement(at_ + 1);
  const std::string left = first == at_ ? "" : std::string(source_.slice({first->span.begin, at_[-1].span.end}));
  const bool input = first->kind == Tok::kw_data || first->kind == Tok::kw_param;
  if (body.empty() || left.empty() || input || left.size() > longest || left.find('\n') != std::string::npos) return {};
  return fmt::format(": {} = {}", left, body);
}

/// `2*y = x`, `[y, z] = f`, `(y) = x`, at the sign: the names on the left count as defined.
void Parser::no_left_side() {
  const Id left = statement_.equation.body;
  const Span mark = join(program_.at(left).span, at_->span);
  const std::string body = rest_of_statement(at_ + 1);
  const bool name = program_.at(left).kind == Kind::name;
  const bool list = program_.at(left).kind == Kind::vector;
  const bool subscripts = !body.empty() && program_.at(left).kind == Kind::subscript &&
                          program_.at(program_.at(left).children[0]).kind == Kind::subscript;
  std::vector<Id> todo = {left};
  while (!todo.empty()) {
    const Id id = todo.back();
    todo.pop_back();
    if (!id.valid()) continue;
    const Expression& e = program_.at(id);
    if (e.kind == Kind::name && !is_known(e.name.key)) define(e.name);
    todo.insert(todo.end(), e.children.begin(), e.children.end());
  }
  const std::string value = at(Tok::equals) && !list ? name_on_the_right(at_ + 1) : "";
  fail(mark,
       list ? "one statement defines one name" : "only a name can be defined: the left side is z, z[i, j] or f(a, b)",
       name && !body.empty() ? fmt::format("write {} = {}", format(program_, left), body)
       : subscripts          ? fmt::format("write {} = {}", one_bracket(left), body)
       : list                ? ""
       : !value.empty()      ? fmt::format("the name stands on the left: {} = {}", value, format(program_, left))
                             : "to compare write '=='");
}

/// The name that is all that stands to the end of the statement, if none has it yet; else nothing.
std::string Parser::name_on_the_right(const Token* first) const {
  if ((first->kind != Tok::name && first->kind != Tok::kw_loss) || !ends_line(first[1])) return {};
  if (first->kind == Tok::name && is_known(name_of(*first).key)) return {};
  return spelt(*first);
}

/// `sum(w^2) = loss`, at the bracket: what stands there are no parameters.
void Parser::call_on_the_left() {
  const Token& name = at_[-1];
  const Token& closing = partner(*at_);
  if (!is_function_name(spelt(name))) return;
  const std::string value = name_on_the_right(&closing + 2);
  if (value.empty()) return;
  fail(join(name.span, closing.span), "only a name can be defined: the left side is z, z[i, j] or f(a, b)",
       fmt::format("the name stands on the left: {} = {}", value, shown(join(name.span, closing.span))));
}

/// `x[i][j]` as `x[i, j]`.
std::string Parser::one_bracket(Id id) const {
  std::string list;
  while (program_.at(id).kind == Kind::subscript) {
    const Expression& e = program_.at(id);
    std::string here;
    for (const ast::Subscript& s : e.subscripts)
      if (s.first.valid()) here += (here.empty() ? "" : ", ") + format(program_, s.first);
    list = list.empty() ? here : here + ", " + list;
    id = e.children[0];
  }
  return format(program_, id) + "[" + list + "]";
}

/// A name that a wrong statement would define counts as defined.
void Parser::define(const ast::Name& name) {
  ast::Statement s;
  s.broken = true;
  s.span = name.span;
  s.equation.name = name;
  program_.statements.push_back(std::move(s));
}

/// `y = 1, z = 2`, `y, z = 1, 2`, `loss = x, 2`, at the comma.
void Parser::comma_in_statement() {
  const bool bare = statement_.kind == ast::Statement::Kind::equation && statement_.equation.bare;
  if (bare && statement_.equation.body.valid()) declaration_without_word();
  if (bare && statement_.equation.body.valid() && program_.at(statement_.equation.body).kind == Kind::name) {
    const Token* end = at_;
    while (end->kind == Tok::comma && end[1].kind == Tok::name) end += 2;
    if (end->kind == Tok::equals) {
      define(program_.at(statement_.equation.body).name);
      for (const Token* t = at_; t != end; t += 2) define(name_of(t[1]));
    }
  }
  const bool numbers = at_ != tokens_.all.data() && at_[-1].kind == Tok::number && at_[1].kind == Tok::number;
  const std::string digits = numbers ? spelt(at_[1]) : "";
  if (!digits.empty() && digits.size() < 3 && !at_[1].blank_before && spelt(at_[-1]).find('.') == std::string::npos)
    fail(at_->span, "the sign before decimals is a point", fmt::format("write {}.{}", spelt(at_[-1]), digits));
  if (digits.size() >= 3 && !at_[1].blank_before && digits.find_first_not_of("0123456789") >= 3)
    fail(at_->span, "the digits of a number stand together", fmt::format("write {}{}", spelt(at_[-1]), digits));
  const Token* lost = at_;  // a bracket that closes nothing: what is left is no statement
  while (lost->kind != Tok::separator && lost->kind != Tok::end &&
         (lost->kind != Tok::close_paren || lost->value != Token::no_partner))
    ++lost;
  if (lost->kind == Tok::close_paren) fail(lost->span, "')' closes nothing", "delete it or write what it should close");
  if (!bare && at_[1].kind == Tok::name && at_[2].kind == Tok::equals) {
    const Span mark = at_->span;
    advance();
    resume_here_ = true;
    fail(mark, "one statement defines one name", "write ';' for the comma, or begin a new line");
  }
  if (at_[1].kind == Tok::separator || at_[1].kind == Tok::end)
    fail(at_->span, "a comma cannot stand here", "delete it");
  fail(at_->span, "a comma cannot stand here", bare ? "one statement defines one name" : "a list is written with [ ]");
}

/// `output x^2`, at what follows the first name.
void Parser::unnamed_output() {
  const Token* first = at_;
  while (first->kind != Tok::kw_output) --first;
  const std::string body = rest_of_statement(first + 1);
  fail(at_->span, "what is put out is a list of names, or a name with a value",
       body.empty() ? "write output name = …" : fmt::format("write output p = {}", body));
}

/// `output p q = b`, at the first name.
void Parser::output_of_two_names() {
  const std::string first = spelt(*at_), second = spelt(at_[1]);
  const std::string body = at_[2].kind == Tok::equals ? rest_of_statement(at_ + 3) : "";
  fail(at_[1].span, fmt::format("an output has one name, but '{}' follows '{}'", second, first),
       body.empty() ? fmt::format("several existing values are a list: output {}, {}", first, second)
                    : fmt::format("write output {} = {}", first, body));
}

/// `grad f(a, b) = (b)`: the number of partial derivatives is another than that of the parameters.
void Parser::wrong_partials(const ast::GradientDefinition& gradient) {
  std::string wanted;
  for (const ast::Name& name : gradient.parameters) wanted += (wanted.empty() ? "d/d" : ", d/d") + name.text;
  const std::size_t given = gradient.partials.size(), count = gradient.parameters.size();
  const Expression& first = program_.at(gradient.partials[0]);
  const bool list = given == 1 && first.kind == Kind::vector && first.children.size() == count;
  const std::string rest = given == 1 && at(Tok::comma) ? ", " + rest_of_statement(at_ + 1) : "";
  std::string help = fmt::format("write one for each parameter: ({})", wanted);
  if (list || !rest.empty()) {
    std::string text =
        list ? format(program_, gradient.partials[0]) : "[" + format(program_, gradient.partials[0]) + rest + "]";
    help = fmt::format("they stand in parentheses: ({})", text.substr(1, text.size() - 2));
  }
  fail(gradient.name.span,
       fmt::format("{} has {} parameter{}, but {} partial derivative{} given", gradient.name.text, count,
                   count == 1 ? "" : "s", given, given == 1 ? " is" : "s are"),
       help);
}

/// `grad f = (b, a)`, at the sign: the derivative names the parameters.
void Parser::gradient_without_parameters() {
  const ast::Name& name = statement_.gradient.name;
  const auto known = std::ranges::find_if(program_.statements, [&](const ast::Statement& s) {
    return s.kind == ast::Statement::Kind::function && s.function.name.key == name.key;
  });
  std::string parameters;
  if (known != program_.statements.end())
    for (const ast::Name& p : known->function.parameters) parameters += (parameters.empty() ? "" : ", ") + p.text;
  const std::string body = rest_of_statement(at_ + 1);
  fail(at_->span, fmt::format("the derivative of {} names its parameters", name.text),
       fmt::format("write grad {}({}) = {}", name.text, parameters.empty() ? "x" : parameters,
                   body.empty() ? "…" : body));
}

/// `h[:] = x`, `h[i : i > 0] = x[i]`, `h[i < n] = x[i]`, after the brackets.
void Parser::wrong_left_side(const ast::Equation& equation, const Entry& entry, std::size_t count) {
  const std::string name = equation.name.text;
  const std::string body = at(Tok::equals) ? rest_of_statement(at_ + 1) : "";
  const bool filter = is_condition(entry.colon ? entry.last : entry.first);
  const bool whole = entry.colon && !entry.first.id.valid() && !entry.last.id.valid() && count == 1;
  const std::string condition = filter ? text_of(entry.colon ? entry.last : entry.first) : "";
  if (filter && entry.colon && entry.first.id.valid() && count == 1 && !body.empty())
    fail(entry.span, "a filter cannot stand on the left side",
         fmt::format("write a choice: {}[{}] = {} if {} else 0", name, text_of(entry.first), body, condition));
  if (filter)
    fail(entry.span, "a condition cannot stand on the left side",
         fmt::format("name the index, as in {}[i in 0..n] = …", name));
  fail(entry.span, "a slice cannot stand on the left side",
       whole && !body.empty() ? fmt::format("a whole array is {} = {}", name, body)
                              : fmt::format("name the index, as in {}[i in 0..n] = …", name));
}

/// `f x = x^2`, at the second name.
void Parser::function_without_parentheses(Operand first) {
  const std::string name = program_.at(first.id).name.text, parameter = spelt(*at_);
  const std::string body = rest_of_statement(at_ + 2);
  statement_.equation.name = program_.at(first.id).name;
  statement_.equation.bare = false;
  if (name == parameter) fail(join(first.span, at_->span), fmt::format("the name {} stands twice", name));
  fail(join(first.span, at_->span), "two names stand before '='",
       body.empty() ? "" : fmt::format("a function is written {}({}) = {}", name, parameter, body));
}

/// `a = 1 b = 2`, at the second name.
void Parser::two_statements() {
  const Token* first = at_ - 1;
  while (first != tokens_.all.data() && first[-1].kind != Tok::separator) --first;
  if (first + 1 == at_ && first->kind == Tok::name) word_after_name(*first);
  const bool bracket = first[1].kind == Tok::open_paren || first[1].kind == Tok::open_bracket;
  const bool left =
      first->kind == Tok::name && bracket && first[1].value != Token::no_partner && &partner(first[1]) + 1 == at_;
  if (left) {  // `r[i] exp = …`: a left side, and a name that is too much
    define(name_of(*first));
    if (at(Tok::name)) define(name_of(*at_));
    const bool declares =
        first[1].kind == Tok::open_bracket && (at(Tok::kw_data) || at(Tok::kw_param)) && ends_line(at_[1]);
    fail(at_->span, fmt::format("'{}' cannot stand here: '=' is expected", spelt(*at_)),
         declares ? fmt::format("write {} {}", spelt(*at_), shown(join(first->span, at_[-1].span))) : "");
  }
  resume_here_ = true;
  fail(at_->span, "two statements stand on one line", "end the first one with a line end or ';'");
}

/// `X data[n, d]` and `p output = x`, at the second word: it stands first.
void Parser::word_after_name(const Token& first) {
  if (at_->newline_before || at_->kind < Tok::kw_data || at_->kind > Tok::kw_output) return;
  const Tok after = at_[1].kind;
  if (after != Tok::open_bracket && after != Tok::equals && after != Tok::comma && after != Tok::separator) return;
  const std::string name = spelt(first), word = spelt(*at_);
  const std::string rest = after == Tok::separator ? "" : rest_of_statement(at_ + 1);
  const Span mark = join(first.span, at_->span);
  if (at(Tok::kw_output) || at(Tok::kw_loss)) {
    statement_.equation.name = name_of(first);
    statement_.equation.bare = false;
  } else {
    ast::Declared one;
    one.name = name_of(first);
    one.span = first.span;
    statement_.kind = ast::Statement::Kind::declaration;
    statement_.declaration.names.push_back(std::move(one));
    advance();
  }
  fail(mark, fmt::format("'{}' stands before the name", word),
       fmt::format("write {} {}{}{}", word, name, after == Tok::equals ? " " : "", rest));
}

/// `z: 3*x` and `minimize: f(x)`, at the colon.
void Parser::colon_after_name() {
  const Operand word{statement_.equation.body, program_.at(statement_.equation.body).span};
  if (program_.at(word.id).kind != Kind::name) return;
  const std::string name = program_.at(word.id).name.text;
  if (optimum(name) != 0) optimised(word);
  statement_.equation.name = program_.at(word.id).name;
  statement_.equation.bare = false;
  Diagnostic& d = report(at_->span, "':' defines nothing");
  advance();
  d.help(fmt::format("a value is defined with '=': {} = {}", name, next_expression()));
  throw StatementFailed{};
}

/// Whether a name is declared or defined anywhere in the program.
bool Parser::is_known(const std::string& key) const {
  return declared(key) != nullptr || std::ranges::any_of(program_.statements, [&](const ast::Statement& s) {
           return s.kind == ast::Statement::Kind::equation && !s.equation.bare &&
                  (s.equation.name.key == key || (key == "loss" && s.equation.role == ast::Equation::Role::loss));
         });
}

/// `x[n]` or `w` alone on a line, which nothing declares: reported, and the name counts as declared.
bool Parser::declares_nothing(ast::Statement& s) {
  const Expression e = program_.at(s.equation.body);
  const Expression base = e.kind == Kind::subscript ? program_.at(e.children[0]) : e;
  if (base.kind != Kind::name || is_known(base.name.key) || base.name.text == "end") return false;
  ast::Declared one;
  one.name = base.name;
  one.span = e.span;
  for (const ast::Subscript& size : e.subscripts) {
    const bool plain = size.kind == ast::Subscript::Kind::expression && size.first.valid();
    if (!plain || (program_.at(size.first).kind != Kind::name && program_.at(size.first).kind != Kind::number))
      return false;
    if (program_.at(size.first).kind == Kind::name) one.shape.push_back(size.first);
  }
  const std::string text = format(program_, s.equation.body);
  diagnostics_.error(base.span, "a declaration begins with data or param")
      .help(fmt::format("write data {0} for what is given, param {0} for what is learnt", text));
  s.kind = ast::Statement::Kind::declaration;
  s.equation = {};
  s.declaration.names.push_back(std::move(one));
  return true;
}

/// `loss sum(x)`, at what follows `loss`.
void Parser::missing_equals() {
  const Token* end = at_;
  while (end->kind != Tok::separator && end->kind != Tok::end) ++end;
  const Span rest = {at_->span.begin, (end - 1)->span.end};
  const bool short_enough = rest.end - rest.begin < 200;
  fail(at_->span, "'=' is missing after 'loss'",
       short_enough ? fmt::format("write loss = {}", source_.slice(rest)) : "");
}

/// `if x > 0:` as a statement, at the word.
void Parser::if_statement() {
  const Token& word = *at_;
  if (at_[1].kind == Tok::equals) fail(word.span, "'if' is a keyword and cannot be a name");
  while (!at(Tok::separator) && !at(Tok::end)) advance();
  skip_block();
  fail(word.span, "there is no 'if' statement", "a choice is an expression: loss = a if c else b");
}

/// What a block that is not read defines counts as defined.
void Parser::defined_in_block(const Token& name, bool loss) {
  ast::Statement s;
  s.broken = true;
  s.span = name.span;
  s.equation.role = loss ? ast::Equation::Role::loss : ast::Equation::Role::value;
  if (name.kind == Tok::name) s.equation.name = name_of(name);
  program_.statements.push_back(std::move(s));
}

/// Goes over the indented lines that follow, and the `else` of a choice: they belong to what was reported. What they
/// define counts as defined.
void Parser::skip_block() {
  const auto at_margin = [&](const Token& t) { return t.span.begin == 0 || source_.text()[t.span.begin - 1] == '\n'; };
  const auto belongs = [&](const Token& t) { return t.kind == Tok::kw_else || source_.slice(t.span) == "elif"; };
  while (at(Tok::separator) && at_[1].kind != Tok::end && (!at_margin(at_[1]) || belongs(at_[1]))) {
    advance();
    const Token *word = at_, *sign = at_ + 1;
    const bool loss = word->kind == Tok::kw_loss;
    if (loss && sign->kind == Tok::name) word = sign++;
    const bool bracket = sign->kind == Tok::open_paren || sign->kind == Tok::open_bracket;
    if (bracket && sign->value != Token::no_partner) sign = &partner(*sign) + 1;  // `r(i) = …`
    const bool defines = sign->kind == Tok::equals ||
                         (sign->kind == Tok::foreign && static_cast<Foreign>(sign->value) == Foreign::update);
    if (defines && (loss || word->kind == Tok::name)) defined_in_block(*word, loss);
    while (!at(Tok::separator) && !at(Tok::end)) advance();
  }
  if (at(Tok::separator) && source_.slice(at_[1].span) == "end") {  // of a block of MATLAB
    advance();
    while (!at(Tok::separator) && !at(Tok::end)) advance();
  }
  resume_here_ = true;
}

/// `data { … }` and `model { … }` of Stan, at the first word: reported once, and what they declare is known.
void Parser::block() {
  const Token* const first = at_;
  while (!at(Tok::separator) && !at(Tok::end)) {
    const Tok before = at_ == first ? Tok::end : at_[-1].kind, after = at_[1].kind;
    const bool follows =
        before == Tok::name || before == Tok::close_bracket || before == Tok::greater || before == Tok::semicolon;
    const bool ends = after == Tok::semicolon || after == Tok::equals;
    if (at(Tok::name) && follows && ends) defined_in_block(*at_);
    advance();
  }
  resume_here_ = true;
  if (!blocks_reported_) {
    blocks_reported_ = true;
    fail(first->span, "there are no blocks in { }",
         "inputs stand on lines of their own, as in data x[n] and param mu, and what is made small is loss = …");
  }
  broken_ = true;
  throw StatementFailed{};
}

/// `loss q[i] = x[i]`, at the name.
void Parser::loss_with_subscripts() {
  const Token* end = at_;
  while (end->kind != Tok::separator && end->kind != Tok::end) ++end;
  constexpr std::uint32_t longest = 120;
  const Span rest = {at_->span.begin, end[-1].span.end};
  fail(join(at_->span, at_[1].span), "a loss is a number, so it has no subscripts",
       rest.end - rest.begin <= longest ? fmt::format("write output {}", source_.slice(rest))
                                        : "give a value with axes by output name = …");
}

/// `loss(w) = sum(w)` and `loss[i] = w[i]`, at the word.
void Parser::loss_of() {
  statement_.equation.role = ast::Equation::Role::loss;
  const Token& opening = at_[1];
  const Token& closing = partner(opening);
  const Token* end = &closing + 2;
  while (end->kind != Tok::separator && end->kind != Tok::end) ++end;
  const std::string_view inside = source_.slice({opening.span.end, closing.span.begin});
  const std::string_view body = source_.slice({(&closing)[2].span.begin, (end - 1)->span.end});
  constexpr std::size_t longest = 80;
  const bool is_short = end > &closing + 2 && inside.size() + body.size() < longest;
  bool indices = opening.kind == Tok::open_bracket && std::all_of(&opening + 1, &closing, [](const Token& t) {
                   return t.kind == Tok::name || t.kind == Tok::comma;
                 });
  for (const Token* t = &opening + 1; indices && t != &closing; ++t)
    indices = t->kind == Tok::comma || !is_known(name_of(*t).key);  // loss[w] = sum(w^2)
  fail(join(at_->span, opening.span), "a loss is one number: it has no subscripts or arguments",
       !is_short  ? std::string("write loss = …, and what has axes as output name = …")
       : !indices ? fmt::format("write loss = {}", body)
                  : fmt::format("write loss = sum[{}]({}), or output p[{}] = {}", inside, body, inside, body));
}

/// `x += 1`, at the sign.
void Parser::update() {
  const Token& word = *(at_ - 1);
  const std::string name = spelt(word), sign = spelt(*at_);
  const std::string change = rest_of_statement(at_ + 1);
  std::string help = name == "loss" ? fmt::format("the whole loss is one equation: loss = a {} b", sign[0])
                                    : fmt::format("give the new value a new name, as in {0}2 = {0} {1} {2}", name,
                                                  sign[0], change.empty() ? "…" : change);
  const auto before = std::ranges::find_if(program_.statements, [](const ast::Statement& s) {
    return s.kind == ast::Statement::Kind::equation && s.equation.role == ast::Equation::Role::loss && !s.broken &&
           s.equation.name.text.empty();
  });
  if (name == "loss" && before != program_.statements.end() && (sign[0] == '+' || sign[0] == '-') && !change.empty()) {
    const std::string value = text_of({before->equation.body, {}});
    help = fmt::format("the whole loss is one equation: loss = {} {} {}", value, sign[0],
                       sign[0] == '-' ? "(" + change + ")" : change);
  }
  fail(at_->span, fmt::format("there is no '{}': a name has one value", sign), help);
}

}  // namespace gradus
