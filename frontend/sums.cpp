// Sums and other forms over indices in the manner of mathematics, Python and others, and how they are written here.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/format.hpp"
#include "frontend/parser.hpp"

namespace gradus {

using ast::Expression;
using ast::Id;
using ast::Kind;

namespace {

constexpr std::string_view reductions[] = {"sum",    "prod",   "mean",    "var",         "std",    "max",    "min",
                                           "median", "any",    "all",     "logsumexp",   "argmax", "argmin", "softmax",
                                           "norm",   "cumsum", "cumprod", "log_softmax", "Sigma",  "Pi"};

}  // namespace

bool Parser::is_reduction(const std::string& key) { return std::ranges::find(reductions, key) != std::end(reductions); }

bool Parser::is_reduction(const Token& name) const { return is_reduction(name_of(name).key); }

/// `sum[i] x[i]*w`: the brackets were read as subscripts.
Parser::Operand Parser::unbracketed_reduction(Operand left) {
  const Expression subscript = program_.at(left.id);
  Expression form;
  form.kind = Kind::index_form;
  form.name = program_.at(subscript.children[0]).name;
  if (form.name.key == "Sigma" || form.name.key == "Pi")
    form.name.key = form.name.text = form.name.key == "Sigma" ? "sum" : "prod";
  form.mark = form.name.span;
  form.binders = subscript.binders;
  Id filter;
  for (const ast::Subscript& one : subscript.subscripts) {
    if (!one.first.valid() || program_.at(one.first).kind != Kind::name) continue;
    form.binders.push_back({program_.at(one.first).name, {}, {}, one.span});
    if (one.kind == ast::Subscript::Kind::slice) filter = one.last;
  }
  Diagnostic& d =
      report(join(left.span, at_->span), fmt::format("what {}[…] runs over stands in parentheses", form.name.text));
  const Operand body = inner(Level::product);
  form.children = {body.id, filter};
  form.span = join(left.span, body.span);
  const Operand result = add(std::move(form));
  d.help(fmt::format("write {}", text_of(result)));
  return result;
}

/// `Σ_i x_i` and `sum_i x[i]`: the index of a sum stands in brackets.
void Parser::index_in_name(Operand left) {
  const auto [function, index] = sum_and_index(program_.at(left.id).name.text);
  if (function.empty()) return;
  Diagnostic& d = report(join(left.span, at_->span), fmt::format("the index of {} stands in brackets", function));
  d.help(fmt::format("write {}", sum_over(function, index)));
  throw StatementFailed{};
}

/// `Σ_i` as sum and i; nothing for other names.
std::pair<std::string, std::string> Parser::sum_and_index(const std::string& text) {
  const std::size_t bar = text.find('_');
  if (bar == std::string::npos || bar + 1 == text.size()) return {};
  const std::string sign = text.substr(0, bar);
  if (sign == "Π" || sign == "∏") return {"prod", text.substr(bar + 1)};
  const bool sigma = sign == "Σ" || sign == "∑";
  if (!sigma && !is_reduction(sign)) return {};
  return {sigma ? "sum" : sign, text.substr(bar + 1)};
}

/// What follows as the body of a sum: `x_i` in it is `x[i]`.
std::string Parser::sum_over(const std::string& function, const std::string& index) {
  const std::size_t first = program_.expressions.size();
  const Operand body = inner(Level::product);
  for (std::size_t k = first; k < program_.expressions.size(); ++k) {
    Expression& e = program_.expressions[k];
    const std::size_t length = e.name.text.size();
    if (e.kind == Kind::name && length > index.size() + 1 && e.name.text.ends_with("_" + index))
      e.name.text = e.name.text.substr(0, length - index.size() - 1) + "[" + index + "]";
  }
  return fmt::format("{}[{}]({})", function, index, text_of(body));
}

/// `1/n Σ_i (x_i - w)^2`: a product with a sum that has its index at the sign.
void Parser::product_with_sum(Operand left, Span mark) {
  const auto [function, index] = sum_and_index(spelt(*at_));
  if (function.empty() || !begins_operand(at_[1])) return;
  Diagnostic& d = report(mark, fmt::format("a product is written with '*', and the index of {} in brackets", function));
  advance();
  const std::string before = factors_before(left) + text_of(left);
  d.help(fmt::format("write {}*{}", before, sum_over(function, index)));
  throw StatementFailed{};
}

/// `sum i (y[i])` and `sum i y[i]`: the index of a sum stands in brackets.
void Parser::index_beside_name(Operand left) {
  const ast::Name function = program_.at(left.id).name;
  const std::string index = spelt(*at_);
  const bool index_like = index.size() == 1 && declared(name_key(index)) == nullptr;
  if (!is_reduction(function.key) || !index_like || !begins_operand(at_[1])) return;
  if (at_[1].kind == Tok::open_paren && !at_[1].blank_before) return;
  Diagnostic& d = report(join(left.span, at_->span), fmt::format("the index of {} stands in brackets", function.text));
  advance();
  d.help(fmt::format("write {}[{}]({})", function.key == "Sigma" ? "sum" : function.text, index,
                     text_of(inner(Level::product))));
  throw StatementFailed{};
}

/// `sum[i][j](x[i, j])`, at the parenthesis.
void Parser::two_brackets(Operand left) {
  const Expression& outer = program_.at(left.id);
  const Expression& inner = program_.at(outer.children[0]);
  if (inner.kind != Kind::subscript || inner.children.empty()) return;
  const Expression& base = program_.at(inner.children[0]);
  if (base.kind != Kind::name || !is_reduction(base.name.key)) return;
  std::string list;
  for (const auto* part : {&inner, &outer})
    for (const ast::Subscript& s : part->subscripts)
      if (s.first.valid()) list += (list.empty() ? "" : ", ") + text_of({s.first, {}});
  const Token& closing = at_[-1];
  fail(left.span, "the indices of one form stand in one pair of brackets",
       fmt::format("write {}[{}]{}", base.name.text, list,
                   closing.kind == Tok::close_bracket ? body_after(partner(closing)) : "(…)"));
}

/// Whether what was read stands where a sum binds its index: `sum[i | …`, `sum[i if …`.
bool Parser::filters(Operand left) const {
  return !open_.empty() && open_.back()->kind == Tok::open_bracket && open_.back() != tokens_.all.data() &&
         open_.back()[-1].kind == Tok::name && is_reduction(open_.back()[-1]) &&
         program_.at(left.id).kind == Kind::name;
}

std::string Parser::filter_form(Operand index, Operand condition) const {
  const Token& opening = *open_.back();
  const std::string_view binders = source_.slice({opening.span.end, index.span.end});
  return fmt::format("a filter follows a colon: {}[{} : {}]{}", spelt((&opening)[-1]), binders, text_of(condition),
                     body_after(opening));
}

/// What follows brackets in parentheses, for a help line: `(x[i])`, or `(…)`.
std::string Parser::body_after(const Token& opening) const {
  constexpr std::uint32_t longest = 80;
  if (opening.value == Token::no_partner) return "(…)";
  const Token& next = (&partner(opening))[1];
  if (next.kind != Tok::open_paren || next.value == Token::no_partner) return "(…)";
  const Span body = {next.span.begin, partner(next).span.end};
  return body.end - body.begin > longest ? "(…)" : std::string(source_.slice(body));
}

/// `sum(body for i in range(n))` and `sum(f(a, b) for a, b in zip(x, y))`, at the `for`.
void Parser::generator(const std::string& function, Operand body) {
  const Token& word = advance();
  Diagnostic& d = report(word.span, "there is no 'for'");
  std::vector<std::string> names;
  while (at(Tok::name)) {
    names.push_back(spelt(advance()));
    if (at(Tok::comma)) advance();
  }
  if (names.empty() || !at(Tok::kw_in)) throw StatementFailed{};
  advance();
  const Operand range = inner(Level::sum);
  const Expression e = program_.at(range.id);
  std::string binder = names[0];
  if (e.kind == Kind::call && e.name.key == "range" && !e.children.empty()) {
    const bool both = e.children.size() > 1;
    const bool read_in_subscript = subscripts_use(body.id, name_key(names[0]));
    if (both || !read_in_subscript) {
      binder = fmt::format("{} in {}..{}", names[0], both ? format(program_, e.children[0]) : "0",
                           format(program_, e.children[both ? 1 : 0]));
    }
  } else {  // over the elements of arrays: they get an index
    const bool zip = e.kind == Kind::call && e.name.text == "zip" && e.children.size() == names.size();
    const bool numbered =
        e.kind == Kind::call && e.name.text == "enumerate" && e.children.size() == 1 && names.size() == 2;
    binder = numbered ? names[0] : subscripts_use(body.id, "i") ? "j" : "i";
    for (std::size_t k = numbered ? 1 : 0; k < names.size(); ++k) {
      const std::string array = format(program_, numbered ? e.children[0] : zip ? e.children[k] : range.id);
      rename(body.id, name_key(names[k]), array + "[" + binder + "]");
    }
  }
  if (function.empty()) {
    const bool alone = open_.size() == 1 && open_.back() != tokens_.all.data() && open_.back()[-1].kind == Tok::equals;
    const std::string& given = statement_.equation.name.text;
    d.help(fmt::format("a value with an index is an equation of its own: {}[{}] = {}",
                       alone && !given.empty() ? given : "v", binder, text_of(body)));
  } else {
    d.help(fmt::format("write {}[{}]({})", function, binder, text_of(body)));
  }
  throw StatementFailed{};
}

/// Writes a name of an expression otherwise, for a help line.
void Parser::rename(Id root, const std::string& key, const std::string& text) {
  std::vector<Id> todo = {root};
  while (!todo.empty()) {
    const Id id = todo.back();
    todo.pop_back();
    if (!id.valid()) continue;
    Expression& e = program_.at(id);
    if (e.kind == Kind::name && e.name.key == key) e.name.text = text;
    todo.insert(todo.end(), e.children.begin(), e.children.end());
    for (const ast::Keyword& keyword : e.keywords) todo.push_back(keyword.value);
    for (const ast::Subscript& subscript : e.subscripts) todo.insert(todo.end(), {subscript.first, subscript.last});
  }
}

}  // namespace gradus
