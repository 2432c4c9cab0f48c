// What statements need beside the grammar: checks of their parts, the end of a statement, going on after an error.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/format.hpp"
#include "frontend/parser.hpp"

namespace gradus {

using ast::Binary;
using ast::Expression;
using ast::Id;
using ast::Kind;

namespace {

constexpr std::size_t most_errors = 10'000;  // of which 100 are shown
constexpr std::size_t most_explained = 100;  // each costs a look at every declaration

bool asks_for_gradient(const Expression& e) {
  constexpr std::string_view words[] = {"backward", "gradient", "autograd", "minimize", "minimise",   "optimize",
                                        "optimise", "fit",      "fmin",     "fminunc",  "fminsearch", "derivative"};
  return e.kind == Kind::call && std::ranges::find(words, e.name.text) != std::end(words);
}

bool prints(const Expression& e) {
  constexpr std::string_view words[] = {"print", "println", "display", "disp", "show", "printf"};
  return e.kind == Kind::call && e.children.size() == 1 && std::ranges::find(words, e.name.text) != std::end(words);
}

}  // namespace

Parser::Parser(const Source& source, Tokens tokens, Diagnostics& diagnostics, const FrontendLimits& limits)
    : source_(source), tokens_(std::move(tokens)), diagnostics_(diagnostics), limits_(limits) {
  at_ = tokens_.all.data();
  program_.matlab = tokens_.matlab;
}

ast::Name Parser::name_of(const Token& token) const {
  const std::string text(source_.slice(token.span));
  if (text == "∑") return {"sum", "sum", token.span};
  if (text == "∏") return {"prod", "prod", token.span};
  return {text, name_key(text), token.span};
}

ast::Program Parser::program() {
  const std::size_t errors_before = diagnostics_.error_count();
  while (!stopped_ && diagnostics_.error_count() - errors_before < most_errors) {
    while (at(Tok::separator)) advance();
    if (at(Tok::end)) break;
    const Token* first = at_;
    statement_ = ast::Statement{};
    open_.clear();
    depth_ = 0;
    broken_ = resume_here_ = false;
    power_base_ = Span::none();
    try {
      statement();
      statement_end();
    } catch (const StatementFailed&) {
      recover(first);
    }
    statement_.broken = broken_;
    statement_.span = {first->span.begin, at_ == first ? first->span.end : (at_ - 1)->span.end};
    program_.statements.push_back(std::move(statement_));
  }
  check_bare_expressions();
  return std::move(program_);
}

void Parser::statement_end() {
  if (at(Tok::separator) || at(Tok::end)) return;
  if (statement_begins_here()) {
    resume_here_ = true;
    fail(at_->span, "two statements stand on one line", "end the first one with a line end or ';'");
  }
  if (at(Tok::equals) && statement_.equation.bare) {
    fail(join(program_.at(statement_.equation.body).span, at_->span),
         "only a name can be defined: the left side is z, z[i, j] or f(a, b)", "to compare write '=='");
  }
  if (at(Foreign::assign))
    fail(at_->span, fmt::format("'{}' cannot stand here", spelt(*at_)), "a value is defined with '='");
  if (at(Tok::equals) && statement_.equation.body.valid()) equals_in_brackets({statement_.equation.body, Span::none()});
  if (at(Tok::comma)) {
    const bool bare = statement_.kind == ast::Statement::Kind::equation && statement_.equation.bare;
    if (bare && statement_.equation.body.valid()) declaration_without_word();
    const std::string digits = at_[-1].kind == Tok::number && at_[1].kind == Tok::number ? spelt(at_[1]) : "";
    if (digits.size() >= 3 && !at_[1].blank_before && digits.find_first_not_of("0123456789") >= 3)
      fail(at_->span, "the digits of a number stand together", fmt::format("write {}{}", spelt(at_[-1]), digits));
    fail(at_->span, "a comma cannot stand here",
         bare ? "one statement defines one name" : "a list is written with [ ]");
  }
  if (at(Tok::kw_if) && at_->newline_before) if_statement();
  if (at(Tok::colon) && statement_.equation.bare && statement_.equation.body.valid()) colon_after_name();
  if (statement_.kind == ast::Statement::Kind::output_list)
    fail(at_->span, "what is put out is a list of names, or a name with a value", "write output name = …");
  if (statement_.kind == ast::Statement::Kind::declaration) unexpected("a comma or the end of the declaration");
  unexpected("an operator or the end of the statement");
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
  std::string body = "…";
  try {
    body = text_of(expression());
  } catch (const StatementFailed&) {
  }
  d.help(fmt::format("a value is defined with '=': {} = {}", name, body));
  throw StatementFailed{};
}

/// Goes to the next statement; the name that a broken definition would have given is kept.
void Parser::recover(const Token* first) {
  const bool unnamed = statement_.kind == ast::Statement::Kind::equation && statement_.equation.name.key.empty();
  if (unnamed && statement_.equation.role == ast::Equation::Role::value && first->kind == Tok::name) {
    const auto* token = first;
    while (token->kind != Tok::separator && token->kind != Tok::end && token->kind != Tok::equals) ++token;
    if (token->kind == Tok::equals && token != first) {
      statement_.equation.name = name_of(*first);
      statement_.equation.bare = false;
    }
  }
  if (resume_here_ && at_ != first) return;
  if (statement_.kind == ast::Statement::Kind::declaration) names_after_error();
  while (!at(Tok::separator) && !at(Tok::end)) advance();
}

/// A size is an affine combination of names with whole coefficients. Its nodes stand in the arena from `first` on.
void Parser::check_size(Id size, std::size_t first) {
  std::vector<bool> has_name(size.index + 1 - first);
  const auto named = [&](Id id) { return has_name[id.index - first]; };
  for (std::size_t i = first; i <= size.index; ++i) {
    const Expression& e = program_.expressions[i];
    bool result = false;
    bool good = true;
    switch (e.kind) {
      case Kind::number:
        good = e.value.is_integer();
        break;
      case Kind::name:
        result = true;
        break;
      case Kind::negate:
      case Kind::plus:
        result = named(e.children[0]);
        break;
      case Kind::binary: {
        const bool left = named(e.children[0]);
        const bool right = named(e.children[1]);
        result = left || right;
        good = e.op == Binary::add || e.op == Binary::subtract || (e.op == Binary::multiply && !(left && right));
        break;
      }
      default:
        good = false;
        break;
    }
    if (!good) {
      fail(e.span, fmt::format("{} is no size", text_of({{static_cast<std::uint32_t>(i)}, e.span})),
           "a size is a name, a whole number, or a sum of multiples of names, as n - 1 or 2*k");
    }
    has_name[i - first] = result;
  }
}

/// Whether a default can be one number: no list and no call that makes an array.
bool Parser::has_number(Id value) const {
  const Expression& e = program_.at(value);
  const bool array = e.kind == Kind::call && (e.name.key == "zeros" || e.name.key == "ones" || e.name.key == "eye" ||
                                              e.name.key == "range" || e.name.key == "normal");
  return e.kind != Kind::vector && e.kind != Kind::matrix && !array;
}

void Parser::check_declared(ast::Role role, const ast::Declared& declared) {
  const std::string& name = declared.name.text;
  const bool has_default = role == ast::Role::constant || role == ast::Role::dim;
  const char* word = role == ast::Role::constant ? "const" : "dim";
  if (has_default && declared.has_brackets)
    fail(declared.span, fmt::format("a {} is one number, so {} has no shape", word, name));
  if (has_default && !declared.value.valid())
    fail(declared.span, fmt::format("{} {} has no value", word, name), fmt::format("write {} {} = 1", word, name));
  if (!has_default && declared.value.valid()) {
    fail(
        declared.span, fmt::format("{} is an input: its value is given when the formula is evaluated", name),
        has_number(declared.value) && !declared.has_brackets
            ? fmt::format("a number with a default is declared with const {} = {}", name, text_of({declared.value, {}}))
            : fmt::format("declare {}{}, and give {}=… when it is evaluated", name, declared.has_brackets ? "" : "[n]",
                          name));
  }
}

/// `z == 3` and `z <- 3` as statements: the help that writes them as equations, or nothing.
std::string Parser::meant_as_equation(const Expression& e) const {
  if (e.kind != Kind::comparison || e.children.size() != 2 || program_.at(e.children[0]).kind != Kind::name) return {};
  const Expression& right = program_.at(e.children[1]);
  const std::string name = program_.at(e.children[0]).name.text;
  if (e.comparisons[0] == ast::Comparison::equal) {
    return fmt::format("a value is defined with '=': {} = {}", name, format(program_, e.children[1]));
  }
  // The sign stands at the beginning of the right side, perhaps inside a sum or product.
  const Span sign = {e.comparison_marks[0].end, e.comparison_marks[0].end + 1};
  const bool arrow =
      e.comparisons[0] == ast::Comparison::less && right.span.begin == sign.begin && source_.slice(sign) == "-";
  if (!arrow) return {};
  std::string body = shown({sign.end, right.span.end});
  body.erase(0, body.find_first_not_of(' '));
  return fmt::format("a value is defined with '=': {} = {}", name, body);
}

/// A bare expression is the last statement of a program without a loss.
void Parser::check_bare_expressions() {
  const auto is_loss = [](const ast::Statement& s) {
    return s.kind == ast::Statement::Kind::equation && s.equation.role == ast::Equation::Role::loss;
  };
  const auto loss = std::ranges::find_if(program_.statements, is_loss);
  const bool has_loss = loss != program_.statements.end();
  for (ast::Statement& s : program_.statements) {
    const bool last = &s == &program_.statements.back();
    if (s.broken || s.kind != ast::Statement::Kind::equation || !s.equation.bare) continue;
    const Expression& e = program_.at(s.equation.body);
    const std::string equation = meant_as_equation(e);
    const bool compares_loss = !equation.empty() && program_.at(e.children[0]).name.text == "loss";
    if (last && !has_loss && !compares_loss) continue;
    s.broken = true;
    const bool few = diagnostics_.error_count() < most_explained;
    if (few && declares_nothing(s)) continue;
    const bool function = few && !prints(e) && is_left_side(e);
    if (compares_loss) s.equation.role = ast::Equation::Role::loss;
    if (diagnostics_.error_count() >= most_errors) continue;
    const Span mark = equation.empty() ? e.span : e.comparison_marks[0];
    const char* text = !equation.empty()  ? "this compares and defines nothing"
                       : last && has_loss ? "the file has a loss, so this expression needs a name"
                                          : "this expression has no name";
    const Id value = prints(e) ? e.children[0] : s.equation.body;
    const std::string here = format(program_, value);
    const bool is_short = here.size() < 100;
    diagnostics_.error(mark, text)
        .help(!equation.empty()      ? equation
              : asks_for_gradient(e) ? "the gradient is printed by gradus grad and computed by gradus eval --grad"
              : function             ? fmt::format("a function is defined with '=': {} = …", here)
              : prints(e) && program_.at(value).kind == Kind::name ? "a value is put out by a line: output " + here
              : is_short ? fmt::format("write output p = {} for a value to evaluate, or z = {} to use it", here, here)
                         : "write output p = … for a value to evaluate, or z = … to use it");
    if (!function) continue;
    s.kind = ast::Statement::Kind::function;  // its calls are no further errors
    s.function.name = e.name;
    s.equation = {};
  }
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

/// Whether an expression looks like the left side of a definition: `f(x, y)` of names that nothing declares.
bool Parser::is_left_side(const Expression& e) const {
  return e.kind == Kind::call && !e.children.empty() && e.keywords.empty() &&
         std::ranges::all_of(e.children, [&](Id id) {
           const Expression& argument = program_.at(id);
           return argument.kind == Kind::name && !is_known(argument.name.key);
         });
}

void Parser::left_side(ast::Equation& equation, std::vector<Entry> list) {
  equation.has_brackets = true;
  for (Entry& entry : list) {
    ast::Equation::Left left;
    if (entry.colon)
      fail(entry.span, "a slice cannot stand on the left side", "name the index, as in y[i in 0..n] = …");
    const bool plain = entry.first.id.valid() && program_.at(entry.first.id).kind == Kind::name &&
                       !program_.at(entry.first.id).parenthesised;
    if (entry.binder.begin.valid()) {
      left.binder = std::move(entry.binder);
    } else if (plain) {
      left.binder.name = program_.at(entry.first.id).name;
      left.binder.span = entry.first.span;
    } else {
      left.expression = entry.first.id;
      left.binder.span = entry.first.span;
    }
    equation.left.push_back(std::move(left));
  }
}

/// The right side of `grad f(a, b) = (…, …)`.
void Parser::partials(ast::GradientDefinition& gradient) {
  const Token& opening = *at_;
  const bool closed = opening.kind == Tok::open_paren && opening.value != Token::no_partner;
  const Tok after = closed ? (&partner(opening) + 1)->kind : Tok::end;
  if (opening.kind == Tok::open_paren && (!closed || after == Tok::separator || after == Tok::end)) {
    open(opening);
    gradient.partials.push_back(expression().id);
    while (at(Tok::comma)) {
      advance();
      gradient.partials.push_back(expression().id);
    }
    close(Tok::close_paren);
  } else {
    gradient.partials.push_back(expression().id);
  }
  if (gradient.partials.size() != gradient.parameters.size()) {
    std::string wanted;
    for (const ast::Name& name : gradient.parameters) wanted += (wanted.empty() ? "d/d" : ", d/d") + name.text;
    const std::size_t given = gradient.partials.size();
    fail(gradient.name.span,
         fmt::format("{} has {} parameter{}, but {} partial derivative{} given", gradient.name.text,
                     gradient.parameters.size(), gradient.parameters.size() == 1 ? "" : "s", given,
                     given == 1 ? " is" : "s are"),
         fmt::format("write one for each parameter: ({})", wanted));
  }
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
  const bool indices = opening.kind == Tok::open_bracket && std::all_of(&opening + 1, &closing, [](const Token& t) {
                         return t.kind == Tok::name || t.kind == Tok::comma;
                       });
  fail(join(at_->span, opening.span), "a loss is one number: it has no subscripts or arguments",
       !is_short  ? std::string("write loss = …, and what has axes as output name = …")
       : !indices ? fmt::format("write loss = {}", body)
                  : fmt::format("write loss = sum[{}]({}), or output p[{}] = {}", inside, body, inside, body));
}

/// `x += 1`, at the sign.
void Parser::update() {
  const std::string name = spelt(*(at_ - 1));
  const std::string sign = spelt(*at_);
  fail(at_->span, fmt::format("there is no '{}': a name has one value", sign),
       name == "loss" ? fmt::format("the whole loss is one equation: loss = a {} b", sign[0])
                      : fmt::format("give the new value a new name, as in {0}2 = {0} {1} …", name, sign[0]));
}

}  // namespace gradus
