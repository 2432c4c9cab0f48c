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

constexpr std::size_t most_errors = 10'000;    // of which 100 are shown
constexpr std::size_t most_searched = 10'000;  // statements that are looked through for a name
constexpr std::size_t most_explained = 100;    // each costs a look at every declaration

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
    const std::size_t count = program_.statements.size();
    statement_ = ast::Statement{};
    open_.clear();
    depth_ = 0;
    // What follows a broken statement on its line, and begins no statement, belongs to it: `z = ; x + 1`.
    const bool continues = broken_ && !first->newline_before && !resume_here_ && !definition_begins(*first);
    broken_ = continues;
    resume_here_ = false;
    power_base_ = Span::none();
    try {
      statement();
      statement_end();
    } catch (const StatementFailed&) {
      recover(first);
    }
    statement_.broken = broken_;
    if (broken_) mention(first, continues);
    if (broken_ && !continues && !first->newline_before && count > 0 && !definition_begins(*first)) {
      program_.statements[count - 1].broken = true;  // `z = f; (x)) + 1`: what stands before the ';' belongs to it
      mention_leftmost(program_.statements[count - 1]);
    }
    statement_.span = {first->span.begin, at_ == first ? first->span.end : (at_ - 1)->span.end};
    program_.statements.push_back(std::move(statement_));
  }
  check_bare_expressions();
  return std::move(program_);
}

void Parser::statement_end() {
  if (at(Tok::separator) || at(Tok::end)) return;
  if (statement_begins_here()) two_statements();
  if (at(Tok::equals) && statement_.equation.bare) no_left_side();
  if (at(Foreign::assign))
    fail(at_->span, fmt::format("'{}' cannot stand here", spelt(*at_)), "a value is defined with '='");
  if (at(Tok::equals) && statement_.equation.body.valid()) equals_in_brackets({statement_.equation.body, Span::none()});
  if (at(Tok::comma)) comma_in_statement();
  if (at(Tok::kw_if) && at_->newline_before) if_statement();
  if (at(Tok::colon) && statement_.equation.bare && statement_.equation.body.valid()) colon_after_name();
  if (statement_.kind == ast::Statement::Kind::output_list) unnamed_output();
  if (statement_.kind == ast::Statement::Kind::declaration) unexpected("a comma or the end of the declaration");
  unexpected("an operator or the end of the statement");
}

/// The names that a broken statement may have declared: all of them where it is a declaration or none can be seen, else
/// the one it begins with.
void Parser::mention(const Token* first, bool continues) {
  constexpr std::ptrdiff_t most = 1000;  // tokens
  const bool declares = statement_.kind == ast::Statement::Kind::declaration;
  bool defines = false, lost = false;
  for (const Token* t = first; t < std::min(at_, first + most); ++t) {
    const bool closes = t->kind == Tok::close_bracket || t->kind == Tok::close_paren;
    defines = defines || t->kind == Tok::equals;
    lost = lost || (!defines && closes && t->value == Token::no_partner);  // `xi] = …` for `x[i] = …`
  }
  const bool all = continues || first->kind != Tok::name || declares || !defines;
  const Token* end = all ? std::min(at_, first + most) : first + 1;
  for (const Token* t = first; t < end; ++t)
    if (t->kind == Tok::name) statement_.mentioned.push_back(name_of(*t).key);
  if (declares || lost || (first->kind != Tok::name && !continues)) statement_.lost_names = declares && lost ? 2 : 1;
}

/// The name with which a statement begins that turned out to be part of a mistake.
void Parser::mention_leftmost(ast::Statement& s) const {
  if (s.kind != ast::Statement::Kind::equation || !s.equation.body.valid()) return;
  const Expression* e = &program_.at(s.equation.body);
  const auto named = [](const Expression& x) {
    return x.kind == Kind::name || x.kind == Kind::call || x.kind == Kind::index_form;
  };
  while (!named(*e) && !e->children.empty() && e->children[0].valid()) e = &program_.at(e->children[0]);
  if (s.equation.bare && named(*e)) s.mentioned.push_back(e->name.key);
}

/// Goes to the next statement; the name that a broken definition would have given is kept.
void Parser::recover(const Token* first) {
  const bool unnamed = statement_.kind == ast::Statement::Kind::equation && statement_.equation.name.key.empty();
  if (unnamed && statement_.equation.role == ast::Equation::Role::value && first->kind == Tok::name) {
    const auto* token = first;
    while (token->kind != Tok::separator && token->kind != Tok::end && token->kind != Tok::equals) ++token;
    if (token->kind == Tok::equals && token >= at_) statement_.lost_names = 1;  // the left side is wrong: `Qi[, j] = …`
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
    mention_leftmost(s);
    const bool few = diagnostics_.error_count() < most_explained && program_.statements.size() < most_searched;
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
    if (entry.colon || is_condition(entry.first)) wrong_left_side(equation, entry, list.size());
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
  if (gradient.partials.size() != gradient.parameters.size()) wrong_partials(gradient);
}

}  // namespace gradus
