// Signs and habits of other languages: each is read as what it means, and its error prints how it is written here.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/characters.hpp"
#include "frontend/foreign_functions.hpp"
#include "frontend/format.hpp"
#include "frontend/parser.hpp"

namespace gradus {

using ast::Binary;
using ast::Comparison;
using ast::Expression;
using ast::Id;
using ast::Kind;

namespace {

bool latex_operator(std::string_view word) {
  constexpr std::string_view words[] = {"cdot", "times", "odot", "le", "leq", "ge", "geq", "in", "sum", "prod", "frac"};
  return std::ranges::find(words, word) != std::end(words);
}

template <std::size_t N>
bool among(const std::string_view (&list)[N], std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

}  // namespace

Parser::Operand Parser::make_call(const std::string& function, const std::vector<Operand>& arguments, Span span) {
  Expression e;
  e.kind = Kind::call;
  e.name = {function, function, span};
  e.span = e.mark = span;
  for (const Operand& argument : arguments) e.children.push_back(argument.id);
  return add(std::move(e));
}

Parser::Operand Parser::foreign_infix(Operand left) {
  const Token& sign = *at_;
  const std::string text = spelt(sign);
  if (comparison_sign(sign)) return foreign_comparison(left);
  advance();
  if (is(sign, Foreign::backslash) && at(Tok::name) && !at_->blank_before && latex_operator(spelt(*at_))) latex(sign);
  const bool bar = sign.kind == Tok::raw_bar || sign.kind == Tok::raw_norm;
  if (bar && !open_.empty() && open_.back()->value == Token::no_partner) {
    --at_;
    unclosed(*open_.back());
  }
  if (bar && !open_.empty() && open_.back()->kind == Tok::open_paren) conditional_density(left, sign);
  const auto foreign = bar ? Foreign::logical_or : static_cast<Foreign>(sign.value);
  if (bar && filters(left)) {
    Diagnostic& d = report(sign.span, fmt::format("'{}' is a bar and closes nothing here", text));
    const Operand condition = inner(Level::logical_or);
    d.help(filter_form(left, condition));
    throw StatementFailed{};
  }
  const Expression& number = program_.at(left.id);
  if (foreign == Foreign::modulo && number.kind == Kind::number && !sign.blank_before && !begins_operand(*at_))
    fail(sign.span, "there are no percentages", fmt::format("write {}/100", text_of(left)));
  if (foreign == Foreign::modulo && (ends_line(*at_)))
    fail(sign.span, "'%' is no comment sign", "a comment begins with '#'");
  const auto simple = [&](Level level, Binary op, std::string_view here) {
    Diagnostic& d = report(sign.span, bar ? fmt::format("'{}' is a bar and closes nothing here", text)
                                          : fmt::format("'{}' is not an operator", text));
    const Operand right = climb(level);
    const Operand result = binary(left, right, op, sign.span);
    d.help(fmt::format("'{}' is written here: {}", here, text_of(result)));
    return result;
  };
  const auto function = [&](auto make, const char* more = "") {
    Diagnostic& d = report(sign.span, fmt::format("'{}' is not an operator", text));
    const Operand right = inner(Level::sign);
    const Operand result = make(right);
    if (*more != '\0') d.help(more);
    d.help(fmt::format("write {}", text_of(result)));
    return result;
  };
  switch (foreign) {
    case Foreign::logical_or:
      return simple(Level::logical_and, Binary::logical_or, "or");
    case Foreign::logical_and:
      return simple(Level::logical_not, Binary::logical_and, "and");
    case Foreign::dotted_plus:
      return simple(Level::product, Binary::add, "+");
    case Foreign::dotted_minus:
      return simple(Level::product, Binary::subtract, "-");
    case Foreign::divide:
      return simple(Level::sign, Binary::divide, "/");
    case Foreign::modulo:
      return function([&](Operand right) { return make_call("mod", {left, right}, join(left.span, right.span)); });
    case Foreign::backslash:
      return function([&](Operand right) { return make_call("solve", {left, right}, join(left.span, right.span)); });
    default:  // floor division
      return function(
          [&](Operand right) {
            return make_call("floor", {binary(left, right, Binary::divide, sign.span)}, join(left.span, right.span));
          },
          "a comment begins with '#'");
  }
}

/// `normal_lpdf(x | mu, sigma)`, after the bar.
void Parser::conditional_density(Operand left, const Token& bar) {
  const Token* opening = open_.back();
  if (opening == tokens_.all.data() || opening[-1].kind != Tok::name || opening->value == Token::no_partner) return;
  const std::string function = spelt(opening[-1]);
  const std::size_t ending = function.rfind("_lp");
  if (ending == std::string::npos && function.rfind("_lupd") == std::string::npos) return;
  Diagnostic& d = report(bar.span, "a bar separates no arguments");
  std::vector<std::string> list = {text_of(left)};
  for (bool more = true; more; more = at(Tok::comma)) {
    if (at(Tok::comma)) advance();
    list.push_back(text_of(expression()));
  }
  const std::string here = foreign_call(function, list);
  d.help(here.empty() ? "a density is written out, as in -((x - mu)/s)^2/2 - log(s)" : "write " + here);
  throw StatementFailed{};
}

bool Parser::comparison_sign(const Token& token) {
  return is(token, Foreign::equal) || is(token, Foreign::not_equal) || is(token, Foreign::greater_equal) ||
         is(token, Foreign::less_equal);
}

bool Parser::ends_line(const Token& token) {
  return token.kind == Tok::separator || token.kind == Tok::end || token.newline_before;
}

Parser::Operand Parser::foreign_comparison(Operand left) {
  const Token& sign = advance();
  Comparison op = Comparison::equal;
  std::string_view here = "==";
  if (is(sign, Foreign::not_equal)) op = Comparison::not_equal, here = "!=";
  if (is(sign, Foreign::greater_equal)) op = Comparison::greater_equal, here = ">=";
  if (is(sign, Foreign::less_equal)) op = Comparison::less_equal, here = "<=";
  Diagnostic& d = report(sign.span, fmt::format("'{}' is not a comparison", spelt(sign)));
  const Operand right = inner(Level::sum);
  Expression e;
  e.kind = Kind::comparison;
  e.children = {left.id, right.id};
  e.comparisons = {op};
  e.comparison_marks = {sign.span};
  e.span = join(left.span, right.span);
  e.mark = sign.span;
  const Operand result = add(std::move(e));
  d.help(fmt::format("'{}' is written here: {}", here, text_of(result)));
  return result;
}

Parser::Operand Parser::foreign_transpose(Operand base, Span mark) {
  Diagnostic& d = report(mark, fmt::format("'{}' is not the transpose", shown(mark)));
  const Operand result = transposed(base, advance());
  d.help(fmt::format("write {}", text_of(result)));
  return result;
}

Parser::Operand Parser::foreign_postfix(Operand left) {
  const Token& sign = *at_;
  switch (static_cast<Foreign>(sign.value)) {
    case Foreign::member:
      return member(left);
    case Foreign::quote: {
      Diagnostic& d = report(sign.span, fmt::format("'{}' ({}) is not the transpose", spelt(sign),
                                                    code_point_name(decode(source_.text(), sign.span.begin).value)));
      const Operand result = transposed(left, advance());
      d.help(fmt::format("write {}", text_of(result)));
      return result;
    }
    case Foreign::dotted_call: {
      if (program_.at(left.id).kind != Kind::name) fail(sign.span, "'.(' calls nothing here");
      Diagnostic& d = report(join(left.span, sign.span), "functions need no dot to work elementwise");
      Expression e;
      e.kind = Kind::call;
      e.name = program_.at(left.id).name;
      e.mark = left.span;
      advance();
      arguments(e);
      e.span = join(left.span, (at_ - 1)->span);
      const Operand result = add(std::move(e));
      d.help(fmt::format("write {}", text_of(result)));
      return result;
    }
    case Foreign::top:
      return foreign_transpose(left, sign.span);
    case Foreign::subscripts: {
      std::string digits;
      const std::string raw = spelt(sign);
      for (std::size_t i = 0; i < raw.size(); i += 3) digits += static_cast<char>('0' + (decode(raw, i).value - U'₀'));
      const std::string text = text_of(left);
      if (!subscripted_names_.insert(text + digits).second) broken_ = true;  // once a file
      fail(join(left.span, sign.span), "subscript digits are not read",
           fmt::format("write {0}{1} for a name, {0}[{1}] for a part", text, digits));
    }
    default:
      break;
  }
  constexpr std::u32string_view scripts = U"⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻";
  constexpr std::string_view plain = "0123456789+-";
  std::string exponent;
  const std::string raw = spelt(sign);
  for (std::size_t i = 0; i < raw.size(); i += decode(raw, i).length)
    exponent += plain[scripts.find(decode(raw, i).value)];
  const Kind kind = program_.at(left.id).kind;
  const bool whole = kind == Kind::name || kind == Kind::number || kind == Kind::call || kind == Kind::subscript;
  if (exponent == "-1" && declared_rank(left.id) == 2)
    fail(sign.span, "of the raised digits only one ² or ³ is read", fmt::format("write inv({})", text_of(left)));
  fail(sign.span, "of the raised digits only one ² or ³ is read",
       whole ? fmt::format("write {}^{}", text_of(left), exponent)
             : fmt::format("write ({})^{}", text_of(left), exponent));
}

Parser::Operand Parser::foreign_prefix() {
  const Token& sign = advance();
  switch (static_cast<Foreign>(sign.value)) {
    case Foreign::logical_not: {
      Diagnostic& d = report(sign.span, fmt::format("'{}' is not an operator", spelt(sign)));
      const Operand result = unary(Kind::logical_not, inner_powers(), sign.span);
      d.help(fmt::format("'not' is written here: {}", text_of(result)));
      return result;
    }
    case Foreign::root: {
      Diagnostic& d = report(sign.span, "the root sign is not read");
      const Operand argument = inner_powers();
      const Operand result = make_call("sqrt", {argument}, join(sign.span, argument.span));
      d.help(fmt::format("write {}", text_of(result)));
      return result;
    }
    case Foreign::sum_sign:
    case Foreign::product_sign: {
      const std::string name = is(sign, Foreign::sum_sign) ? "sum" : "prod";
      fail(sign.span, fmt::format("'{}' needs its index in brackets", spelt(sign)),
           fmt::format("as in {0}[i](x[i]) or {0}(x)", name));
    }
    case Foreign::backslash:
      if (at(Tok::name)) latex(sign);
      break;
    case Foreign::modulo:
      fail(sign.span, "'%' is no comment sign", "a comment begins with '#'");
    case Foreign::floor_divide:
      fail(sign.span, "'//' is no comment sign", "a comment begins with '#'");
    default:
      break;
  }
  --at_;
  no_operand();
}

/// `{a}{b}` of a fraction in LaTeX as a quotient, from its opening brace; `a/b` where it is anything else.
std::string Parser::fraction(const Token* opening) const {
  constexpr std::uint32_t longest = 80;
  std::string parts[2];
  const Token* token = opening;
  for (std::string& part : parts) {
    if (spelt(*token) != "{") return "a/b";
    const Token* first = token++;
    for (int depth = 1; depth > 0; ++token) {
      if (token->kind == Tok::separator || token->kind == Tok::end) return "a/b";
      depth += spelt(*token) == "{" ? 1 : spelt(*token) == "}" ? -1 : 0;
    }
    const Span inside = {first->span.end, token[-1].span.begin};
    if (inside.end - inside.begin > longest) return "a/b";
    part = source_.slice(inside);
    if (token - first > 3) part = "(" + part + ")";
  }
  return parts[0] + "/" + parts[1];
}

/// `\alpha`, `\frac`, `\cdot`, at the word after the backslash.
void Parser::latex(const Token& backslash) {
  std::string word = spelt(*at_);
  while (word.ends_with('_')) word.pop_back();  // `\sum_{i=1}`
  std::string help = "write the formula without LaTeX";
  if (greek_letter(word) != U'\0') help = fmt::format("write {}", word);
  if (word == "cdot" || word == "times" || word == "odot") help = word == "cdot" ? "write '*' or '@'" : "write '*'";
  if (word == "frac" || word == "dfrac" || word == "tfrac") help = "write " + fraction(at_ + 1);
  if (word.starts_with("sum") || word.starts_with("prod"))
    help = fmt::format("as in {0}[i](x[i]) or {0}(x)", word.substr(0, word[0] == 's' ? 3 : 4));
  constexpr std::string_view functions[] = {"exp",  "log",  "ln",  "sqrt", "sin", "cos",    "tan",    "sinh",
                                            "cosh", "tanh", "max", "min",  "det", "arcsin", "arccos", "arctan"};
  if (among(functions, word)) help = fmt::format("write {}(x)", word);
  constexpr std::string_view dressing[] = {"left",    "right", "big",    "Big",         "mathbf", "mathrm",
                                           "mathcal", "text",  "textbf", "boldsymbol",  "bm",     "vec",
                                           "hat",     "bar",   "tilde",  "operatorname"};
  if (among(dressing, word)) help = fmt::format("leave '\\{}' out", word);
  if (word == "infty") help = "write inf";
  if (word == "nabla" || word == "partial") help = "a derivative is written grad(e, x)";
  if (word == "top" || word == "intercal") help = "a transpose is written X.T";
  fail(join(backslash.span, at_->span), fmt::format("'\\{}' is LaTeX, which is not read", word), help);
}

/// Whether a name stands in a subscript of the expression.
bool Parser::subscripts_use(Id root, const std::string& key) const {
  std::vector<std::pair<Id, bool>> todo = {{root, false}};
  while (!todo.empty()) {
    const auto [id, inside] = todo.back();
    todo.pop_back();
    if (!id.valid()) continue;
    const Expression& e = program_.at(id);
    if (inside && e.kind == Kind::name && e.name.key == key) return true;
    for (const Id child : e.children) todo.emplace_back(child, inside);
    for (const ast::Keyword& keyword : e.keywords) todo.emplace_back(keyword.value, inside);
    for (const ast::Subscript& subscript : e.subscripts) {
      todo.emplace_back(subscript.first, true);
      todo.emplace_back(subscript.last, true);
    }
  }
  return false;
}

Parser::Operand Parser::range_end(const ast::Name& name, Operand begin) {
  if (at(Tok::range)) {
    advance();
    return inner(Level::sum);
  }
  const Expression& e = program_.at(begin.id);
  if (at(Tok::colon)) {
    advance();
    const Operand end = inner(Level::sum);
    report(join(begin.span, end.span), "a range is written with '..', a colon is a filter")
        .help(counted_from_one(begin)
                  ? fmt::format("subscripts count from 0 and a range stops before its end: {} in 0..{}", name.text,
                                text_of(end))
                  : fmt::format("write {} in {}..{}", name.text, text_of(begin), text_of(end)));
    return end;
  }
  if (e.kind == Kind::call && e.name.key == "range" && (e.children.size() == 1 || e.children.size() == 2)) {
    const Id last = e.children.back();
    report(begin.span, "a range is written with '..'")
        .help(fmt::format("write {} in {}..{}", name.text,
                          e.children.size() == 1 ? "0" : format(program_, e.children[0]), format(program_, last)));
    return {last, begin.span};
  }
  if (e.kind == Kind::vector && e.children.size() == 2) {
    fail(
        begin.span, "a range is written with '..'",
        fmt::format("write {} in {}..{}", name.text, format(program_, e.children[0]), format(program_, e.children[1])));
  }
  const std::string text = text_of(begin);
  if (at(Tok::comma) && text == "0" && begins_operand(at_[1]))
    fail(begin.span, "a range is written with '..'", fmt::format("write {} in 0..{}", name.text, spelt(at_[1])));
  if (at(Tok::comma) || at(Tok::close_bracket)) {
    if (e.kind == Kind::vector)
      fail(begin.span, "a range has two ends",
           fmt::format("write {0} in 0..n, and choose by a filter: {0} in 0..n : {0} != 1", name.text));
    fail(begin.span, "a range has two ends",
         fmt::format("write {0} in 0..{1} for {0} = 0, …, {1} - 1", name.text, text));
  }
  unexpected("'..'");
}

void Parser::stepped_slice(const Entry& entry, std::size_t place) {
  advance();
  Diagnostic& d = report(entry.span, "a slice has no step");
  const Token* name = open_.empty() || open_.back() == tokens_.all.data() ? nullptr : open_.back() - 1;
  const bool named = name != nullptr && name->kind == Tok::name;
  const std::string base = named ? spelt(*name) : "x";
  const ast::Declared* input = named ? declared(name_of(*name).key) : nullptr;
  const bool ends = at(Tok::close_bracket) || at(Tok::comma);
  const std::string step = ends ? "1" : text_of(inner(Level::sum));
  const bool vector = place == 0 && at(Tok::close_bracket) && input != nullptr && input->shape.size() == 1;
  const std::string size = vector ? format(program_, input->shape[0]) : "n";
  if (step == "-1" && !entry.first.id.valid() && !entry.last.id.valid()) {
    d.help(fmt::format("backwards an index form reads it: z[i] = {}[{} - 1 - i]", base, size));
    throw StatementFailed{};
  }
  const bool shifted = entry.first.id.valid() && text_of(entry.first) != "0";
  const std::string begin = shifted ? " + " + text_of(entry.first) : "";
  d.help(fmt::format("write an index form: z[i in 0..m] = {}[{}*i{}]", base, step, begin));
  if (vector && input->shape[0].valid() && program_.at(input->shape[0]).kind == Kind::name)
    d.help(fmt::format("a size that is a multiple is declared so: {}[{}*m]", base, step));
  throw StatementFailed{};
}

void Parser::equals_in_brackets(Operand left) {
  const Token& sign = *at_;
  if (!open_.empty() && open_.back()->value == Token::no_partner) unclosed(*open_.back());
  if (!left.id.valid()) unexpected("']'");
  advance();
  const bool range = at_[1].kind == Tok::range ||
                     (at_[1].kind == Tok::colon && !open_.empty() && open_.back()->kind == Tok::open_bracket);
  Diagnostic& d = report(sign.span, range ? "the range of an index follows 'in'" : "'=' does not compare");
  const Operand right = inner(Level::sum);
  if (at(Tok::range) || at(Tok::colon)) {
    advance();
    const std::string end = text_of(inner(Level::sum));
    d.help(
        counted_from_one(right)
            ? fmt::format("subscripts count from 0 and a range stops before its end: {} in 0..{}", text_of(left), end)
            : fmt::format("a range is written {} in {}..{}", text_of(left), text_of(right), end));
  } else {
    d.help(fmt::format("to compare write {} == {}", text_of(left), text_of(right)));
  }
  throw StatementFailed{};
}

/// Whether a range begins with 1, as in mathematics and MATLAB, where it is 0 here.
bool Parser::counted_from_one(Operand begin) const {
  const Expression& e = program_.at(begin.id);
  return e.kind == Kind::number && e.value == Rational(1);
}

bool Parser::is_condition(Operand operand) const {
  if (!operand.id.valid()) return false;
  const Expression& e = program_.at(operand.id);
  const bool joins = e.kind == Kind::binary && (e.op == Binary::logical_and || e.op == Binary::logical_or);
  return joins || e.kind == Kind::comparison || e.kind == Kind::logical_not;
}

/// `einsum('ij,jk->ik', A, B)`.
void Parser::einsum(Span name) {
  fail(name, "there is no einsum: index notation says it", "as in C[i, k] = sum[j](A[i, j]*B[j, k])");
}

/// `c ? a : b`, at the question mark.
void Parser::ternary(Operand condition) {
  const Token& sign = advance();
  Diagnostic& d = report(sign.span, "'?' is not an operator");
  const Operand chosen = inner(Level::logical_or);
  if (at(Tok::colon)) {
    advance();
    d.help(
        fmt::format("write {} if {} else {}", text_of(chosen), text_of(condition), text_of(inner(Level::logical_or))));
  }
  throw StatementFailed{};
}

/// `Σ[i](…)`: the letter Sigma is not the sum.
void Parser::check_reduction_sign(const Expression& form) {
  const bool sigma = form.name.text == "Σ";
  if (!sigma && form.name.text != "Π") return;
  Expression meant = form;
  meant.name.text = meant.name.key = sigma ? "sum" : "prod";
  const std::string sign = sigma ? "∑" : "∏";
  report(form.mark, fmt::format("'{}' is the letter {}, not the sign '{}'", form.name.text, form.name.key, sign))
      .help(fmt::format("write {}", text_of(add(std::move(meant)))));
}

}  // namespace gradus
