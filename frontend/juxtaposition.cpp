// Two operands without an operator between them: what was meant, and how it is written.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "frontend/parser.hpp"

namespace gradus {

using ast::Expression;
using ast::Id;
using ast::Kind;

namespace {

// Only for hints: what people write without parentheses.
constexpr std::string_view functions[] = {
    "sin",  "cos",     "tan",      "exp",  "log",  "ln",  "sqrt", "tanh",    "sinh",  "cosh",  "asin", "acos",
    "atan", "sigmoid", "softplus", "relu", "abs",  "sum", "mean", "max",     "min",   "prod",  "norm", "tr",
    "det",  "inv",     "logdet",   "erf",  "sign", "var", "std",  "softmax", "log1p", "expm1", "log2", "log10"};

constexpr std::string_view statement_words[] = {
    "for",    "while",  "def",     "function", "import",   "from",       "return",    "let",        "var",
    "val",    "auto",   "double",  "float",    "int",      "set",        "parameter", "parameters", "params",
    "Param",  "Data",   "input",   "inputs",   "variable", "using",      "include",   "library",    "require",
    "assert", "size",   "sizes",   "DATA",     "PARAM",    "datum",      "real",      "vector",     "matrix",
    "tensor", "Tensor", "integer", "array",    "scalar",   "row_vector", "with",      "class",      "try",
    "raise",  "yield",  "del",     "global",   "struct"};
constexpr std::string_view declaring_words[] = {"parameter", "parameters", "params",   "Param", "Data",
                                                "input",     "inputs",     "variable", "DATA",  "PARAM",
                                                "datum",     "tensor",     "Tensor"};
constexpr std::string_view types[] = {"real",    "vector", "matrix", "row_vector", "array",   "scalar",  "int",
                                      "integer", "double", "float",  "float32",    "float64", "complex", "bool"};

template <std::size_t N>
bool among(const std::string_view (&list)[N], std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

}  // namespace

bool Parser::is_type(const std::string& word) { return among(types, word); }

/// `parameter w[n], b`: reported, and the names are known.
void Parser::foreign_declaration(Operand word, const std::string& meant) {
  const std::string text = program_.at(word.id).name.text;
  const bool given = text == "Data" || text == "input" || text == "inputs";
  statement_.kind = ast::Statement::Kind::declaration;
  report(word.span, fmt::format("there is no '{}'", text))
      .help(!meant.empty() ? fmt::format("did you mean {}?", meant)
            : given        ? "what is given is declared with data"
                           : "what is learnt is declared with param, what is given with data");
  for (bool more = at(Tok::name); more;) {
    ast::Declared one;
    one.name = name_of(*at_);
    one.span = advance().span;
    statement_.declaration.names.push_back(one);
    if (at(Tok::open_bracket) && at_->value != Token::no_partner)
      for (const Token* end = &partner(*at_) + 1; at_ != end; ++at_) size_after_error(*at_);
    more = at(Tok::comma) && at_[1].kind == Tok::name;
    if (more) advance();
  }
  throw StatementFailed{};
}

/// Whether a statement that begins with this word asks for an optimum: 1 for the smallest, -1 for the largest value.
int Parser::optimum(const std::string& word) {
  constexpr std::string_view smallest[] = {"minimize", "minimise", "min", "argmin", "Minimize"};
  constexpr std::string_view largest[] = {"maximize", "maximise", "max", "argmax", "Maximize"};
  const std::string base = word.substr(0, word.find('_'));
  return among(smallest, base) ? 1 : among(largest, base) ? -1 : 0;
}

/// `minimize sum(x)`, `argmin_w f(w)`, `maximize: p`, at what follows the word.
void Parser::optimised(Operand word) {
  const std::string text = program_.at(word.id).name.text;
  if (at(Tok::colon)) advance();
  Diagnostic& d = report(word.span, fmt::format("there is no '{}'", text));
  const bool small = optimum(text) > 0;
  const std::string open = small ? "…" : "-(…)";
  std::string body = open;
  try {
    const Operand value = expression();
    if (at(Tok::separator) || at(Tok::end)) body = text_of(small ? value : unary(Kind::negate, value, word.span));
  } catch (const StatementFailed&) {
    body = open;
  }
  d.help(fmt::format("{}: loss = {}", small ? "what is differentiated is the loss" : "a loss is what becomes small",
                     body));
  throw StatementFailed{};
}

/// `f(t): return t^2` after `def`, on this line or the next, as it is written here; empty for anything longer.
std::string Parser::function_here() const {
  constexpr std::uint32_t longest = 80;
  if (at_[1].kind != Tok::open_paren || at_[1].value == Token::no_partner) return {};
  const Token* body = &partner(at_[1]) + 1;
  const Span left = {at_->span.begin, body[-1].span.end};
  while (body->kind == Tok::colon || body->kind == Tok::separator || source_.slice(body->span) == "return") ++body;
  const Token* end = body;
  while (end->kind != Tok::separator && end->kind != Tok::end) ++end;
  if (end == body || body[-1].kind == Tok::colon || source_.slice(body[-1].span) != "return") return {};
  const Span right = {body->span.begin, end[-1].span.end};
  if (left.end - left.begin + right.end - right.begin > longest) return {};
  return fmt::format("{} = {}", source_.slice(left), source_.slice(right));
}

void Parser::foreign_statement(Operand word) {
  const std::string text = program_.at(word.id).name.text;
  std::string help = "write name = …";
  const bool block = text == "with" || text == "class" || text == "try" || text == "struct";
  if (block) help = "a formula has no blocks: its equations stand alone";
  if (text == "raise" || text == "yield" || text == "del" || text == "global")
    help = "a formula has declarations and equations only";
  if (text == "for" || text == "while")
    help = "an index runs inside sum[i](…) or on the left side, as in y[i] = x[i]^2";
  if (text == "def" || text == "function") help = "a function is written f(x) = x^2";
  if (text == "using" || text == "include" || text == "library" || text == "require" || text == "import" ||
      text == "from")
    help = "all functions are there without an import";
  if (text == "return") help = "a function is its right side: f(x) = x^2";
  if (text == "assert") help = "what is known of a value follows its declaration, as in param s : positive";
  if (text == "size" || text == "sizes") {
    help = "a size is a name in a shape; one that no input fixes is dim n = 10";
    fail(word.span, fmt::format("there is no '{}'", text), help);
  }
  const bool defines = at(Tok::name) && at_[1].kind == Tok::equals;
  if (defines && (text == "let" || text == "var" || text == "val" || text == "auto" || text == "set"))
    help = fmt::format("write {} = …", spelt(*at_));
  if (!defines && text == "var") foreign_declaration(word);
  if (among(declaring_words, text) || (among(types, text) && !statement_begins_here())) foreign_declaration(word);
  const Token& next = *at_;
  if ((text == "def" || text == "function") && at(Tok::name)) {
    statement_.kind = ast::Statement::Kind::function;
    statement_.function.name = name_of(next);
    if (const std::string here = function_here(); !here.empty()) help = "a function is written " + here;
  }
  if (block || text == "for" || text == "while" || text == "def" || text == "function") {
    while (!at(Tok::separator) && !at(Tok::end)) {
      const bool body = at(Tok::colon) && at_[1].kind == Tok::name && at_[2].kind == Tok::equals;
      if (body) defined_in_block(at_[1]);
      advance();
    }
    skip_block();
    fail(word.span, fmt::format("there is no '{}'", text), help);
  }
  resume_here_ = statement_begins_here();
  fail(word.span, fmt::format("there is no '{}'", text), help);
}

Parser::Operand Parser::juxtaposed(Operand left) {
  const Token& token = *at_;
  const Kind kind = program_.at(left.id).kind;
  const bool first = at_ - 1 == tokens_.all.data() || (at_ - 2)->kind == Tok::separator;
  if (kind == Kind::name && first && optimum(program_.at(left.id).name.text) != 0) optimised(left);
  if (kind == Kind::name && first && among(statement_words, program_.at(left.id).name.text)) foreign_statement(left);
  if (kind == Kind::name && first && token.kind == Tok::name) misspelt_keyword(left);
  if (kind == Kind::name && first && token.kind == Tok::name && at_[1].kind == Tok::equals && !token.newline_before)
    function_without_parentheses(left);
  if (first && (at_ - 1)->kind == Tok::kw_loss) missing_equals();
  if (kind == Kind::subscript && open_.empty()) typed_declaration(left);
  if (open_.empty() && statement_begins_here()) two_statements();
  if (!open_.empty() && open_.back()->value == Token::no_partner && token.newline_before) unclosed(*open_.back());
  if (kind == Kind::name && source_.slice(left.span) == "lambda") lambda(left);
  if (kind == Kind::subscript) {
    const Expression& base = program_.at(program_.at(left.id).children[0]);
    if (base.kind == Kind::name && !base.parenthesised && is_reduction(base.name.key))
      return unbracketed_reduction(left);
  }
  const Span mark = token.newline_before ? token.span : join(left.span, token.span);
  if (at(Tok::raw_bar) || at(Tok::raw_norm)) {
    const Token* other = at_ + 1;
    while (other->kind != at_->kind) ++other;
    if (other[1].kind == Tok::caret && (other[2].kind == Tok::number || other[2].kind == Tok::name)) other += 2;
    if (other[1].kind == Tok::squared || other[1].kind == Tok::cubed) ++other;
    fail(mark, "a product is written with '*'",
         fmt::format("write {}{}*{}", factors_before(left), text_of(left), shown({token.span.begin, other->span.end})));
  }
  if (statement_.kind == ast::Statement::Kind::declaration && !open_.empty() && open_.back()->kind == Tok::open_bracket)
    fail(token.span,
         kind == Kind::number ? std::string("a product is written with '*'")
                              : fmt::format("a comma is missing before '{}'", spelt(token)),
         kind == Kind::number ? fmt::format("write {}*{}", text_of(left), spelt(token))
                              : "the sizes of a shape are a list: [n, d]");
  if (kind == Kind::transpose && at(Tok::open_paren) && !token.blank_before && source_.slice(at_[-1].span) == "'") {
    const Expression& base = program_.at(program_.at(left.id).children[0]);
    if (base.kind == Kind::name)
      fail(at_[-1].span, fmt::format("{0}' is no derivative of {0}: ' is the transpose", base.name.text),
           fmt::format("write grad({}({}), x)", base.name.text, "x"));
  }
  const std::string_view word = source_.slice(token.span);
  if (word == "elif" || word == "elseif" || word == "elsif" || word == "then") {
    fail(token.span, fmt::format("there is no '{}'", word), "write a if c else b, or a if c else b if d else e");
  }
  if (word == "where" && statement_.kind != ast::Statement::Kind::declaration)
    fail(token.span, "there is no 'where' after an expression",
         "a named value is an equation of its own, a choice is written a if c else b");
  const bool in_brackets = !open_.empty() && open_.back()->kind == Tok::open_bracket;
  if (in_brackets && (word == "step" || word == "by") && at_[1].kind == Tok::number)
    fail(token.span, "a range has no step",
         fmt::format("a filter chooses, as in sum[i in 0..n : mod(i, {}) == 0](x[i])", spelt(at_[1])));
  if (in_brackets && kind == Kind::name && token.kind == Tok::name && word.size() == 1 &&
      open_.back() != tokens_.all.data() && is_reduction(open_.back()[-1])) {
    const Token* opening = open_.back();
    fail(token.span, fmt::format("a comma is missing before '{}'", word),
         fmt::format("write {}[{}, {}]{}", spelt(opening[-1]), source_.slice({opening->span.end, left.span.end}), word,
                     body_after(*opening)));
  }
  if (kind == Kind::norm && !token.blank_before &&
      (word == "F" || word == "fro" || word == "inf" || token.kind == Tok::number))
    fail(token.span, "the order of a norm follows '_'", fmt::format("write {}_{}", text_of(left), word));
  if (kind == Kind::subscript && at(Tok::open_paren) && !token.blank_before) two_brackets(left);
  if (word == "from" && !open_.empty() && open_.back()->kind == Tok::open_bracket)
    fail(token.span, "there is no 'from'", "a range is written i in 0..n");
  if (word == "is") fail(token.span, "there is no 'is'", "to compare write a == b or a != b");
  if (at(Tok::open_paren) || at(Tok::name)) function_to_power(left, mark);
  if (kind == Kind::number && token.kind == Tok::number) {
    fail(mark, fmt::format("two numbers stand side by side: {} and {}", spelt(*(at_ - 1)), spelt(token)),
         "write an operator or a comma between them");
  }
  if (kind == Kind::name && program_.at(left.id).name.text == "return") foreign_statement(left);
  const std::string name = kind == Kind::name ? program_.at(left.id).name.key : "";
  if (kind == Kind::name && token.kind == Tok::name) index_in_name(left);
  if (kind == Kind::name && token.kind == Tok::name) index_beside_name(left);
  if (kind == Kind::number && token.kind == Tok::name && !token.blank_before) number_with_letters(left, mark);
  const bool sigma = name == "Sigma" && source_.slice(left.span) == "Σ";
  if (among(functions, name) || sigma) {
    Diagnostic& d = report(mark, fmt::format("the argument of {} stands in parentheses", sigma ? "Σ" : name));
    const bool reduces = sigma || name == "sum" || name == "mean" || name == "prod";  // sum x*w is the sum of x*w
    std::vector<const Token*> inner_functions;                                        // log det A
    while (at(Tok::name) && among(functions, spelt(*at_)) && at_[1].kind == Tok::name && !at_[1].newline_before)
      inner_functions.push_back(&advance());
    Operand argument = reduces && inner_functions.empty() ? inner(Level::product) : powers();
    for (; !inner_functions.empty(); inner_functions.pop_back())
      argument =
          make_call(spelt(*inner_functions.back()), {argument}, join(inner_functions.back()->span, argument.span));
    const Operand call = make_call(sigma ? "sum" : name, {argument}, join(left.span, argument.span));
    d.help(fmt::format("write {}", text_of(call)));
    return call;
  }
  if (word == "mod" || word == "div" || word == "xor" || word == "dot") infix_word(left);
  if (token.kind == Tok::name) product_with_sum(left, mark);
  if (first_of_statement(left)) missing_equals_sign(left);
  Diagnostic& d = report(
      mark, fmt::format("an operator{} is missing before '{}'", open_.empty() ? "" : " or a comma", spelt(token)));
  bool matrices = false;
  const Operand product = product_of(left, token.span, matrices);
  d.help(fmt::format("a {} is written with '{}': {}{}", matrices ? "matrix product" : "product", matrices ? '@' : '*',
                     factors_before(left), text_of(product)));
  const std::string before = factors_before(left);
  if (before.ends_with('/')) d.help(fmt::format("for a denominator write {}({})", before, text_of(product)));
  return product;
}

/// What stands before an operand in its product, as it is written: `1/` in `1/2 x`, of which `2 x` was read.
std::string Parser::factors_before(Operand operand) const {
  constexpr int most_tokens = 64;
  const auto belongs = [](Tok kind) {
    switch (kind) {
      case Tok::star:
      case Tok::slash:
      case Tok::at:
      case Tok::dot_star:
      case Tok::dot_slash:
      case Tok::caret:
      case Tok::dot_caret:
      case Tok::number:
      case Tok::name:
      case Tok::squared:
      case Tok::cubed:
      case Tok::transpose:
      case Tok::norm_order:
        return true;
      default:
        return false;
    }
  };
  const Token* first = at_;
  while (first != tokens_.all.data() && first->span.begin > operand.span.begin) --first;
  const std::uint32_t end = first->span.begin;
  for (int k = 0; k < most_tokens && first != tokens_.all.data(); ++k) {
    const Token* before = first - 1;
    const bool closes = before->kind == Tok::close_paren || before->kind == Tok::close_bracket ||
                        before->kind == Tok::close_bar || before->kind == Tok::close_norm;
    if (closes ? before->value == Token::no_partner : !belongs(before->kind)) break;
    first = closes ? &partner(*before) : before;
  }
  return shown({first->span.begin, end});
}

/// `x mod 2`, at the word.
void Parser::infix_word(Operand left) {
  const Token& word = advance();
  const std::string text = spelt(word);
  Diagnostic& d = report(word.span, fmt::format("'{}' is not an operator", text));
  if (!begins_operand(*at_)) throw StatementFailed{};
  const Operand right = powers();
  const Span span = join(left.span, right.span);
  if (text == "mod" || text == "dot") d.help(fmt::format("write {}", text_of(make_call(text, {left, right}, span))));
  if (text == "div")
    d.help(
        fmt::format("write {}", text_of(make_call("floor", {binary(left, right, ast::Binary::divide, span)}, span))));
  throw StatementFailed{};
}

/// Whether a name or its subscripts begin the statement.
bool Parser::first_of_statement(Operand left) const {
  const Token* first = at_ - 1;
  while (first != tokens_.all.data() && first[-1].kind != Tok::separator) --first;
  return open_.empty() && first->span.begin == program_.at(left.id).span.begin && first->kind == Tok::name;
}

/// `z  X @ w` and `y[i in 0..n]  x[i]` where nothing declares z: perhaps a sign is missing.
void Parser::missing_equals_sign(Operand left) {
  const Expression e = program_.at(left.id);
  const Expression base = e.kind == Kind::subscript ? program_.at(e.children[0]) : e;
  if (base.kind != Kind::name || is_known(base.name.key) || is_reduction(base.name.key)) return;
  const Token* end = at_;
  while (end->kind != Tok::separator && end->kind != Tok::end) ++end;
  const bool last = end->kind == Tok::end || end[1].kind == Tok::end;
  if (last && e.binders.empty()) return;  // `a x^2` as the whole formula is a product
  const Token* first = at_ - 1;
  while (first != tokens_.all.data() && first[-1].kind != Tok::separator) --first;
  const std::string body = rest_of_statement(at_);
  const std::string name(source_.slice({first->span.begin, at_[-1].span.end}));
  statement_.equation.name = base.name;
  statement_.equation.bare = false;
  fail(at_->span, fmt::format("'=' or an operator is missing before '{}'", spelt(*at_)),
       body.empty() || name.size() > 80 ? "" : fmt::format("a value is defined with '=': {} = {}", name, body));
}

/// `a b c` as a product: of matrices where the declarations say so, `x^T` before one is the transpose.
Parser::Operand Parser::product_of(Operand left, Span mark, bool& matrices) {
  Operand product = left;
  const auto transposes = [&](Operand& one) {
    const Expression& e = program_.at(one.id);
    if (e.kind != Kind::binary || e.op != ast::Binary::power || e.parenthesised) return;
    const Expression& exponent = program_.at(e.children[1]);
    if (exponent.kind != Kind::name || exponent.name.text != "T" || declared_rank(e.children[0]) == 0) return;
    Expression transposed;
    transposed.kind = Kind::transpose;
    transposed.children = {e.children[0]};
    transposed.span = transposed.mark = one.span;
    const Span span = one.span;
    one = add(std::move(transposed));
    one.span = span;
  };
  transposes(product);
  while (begins_operand(*at_) && !(at(Tok::name) && source_.slice(at_->span) == "for")) {
    Operand right = powers();
    transposes(right);
    const std::size_t x = declared_rank(product.id), y = declared_rank(right.id);
    const bool transposed = program_.at(product.id).kind == Kind::transpose;
    const bool matrix = x > 0 && y > 0 && (x > 1 || y > 1 || transposed || matrices);
    matrices = matrices || matrix;
    product = binary(product, right, matrix ? ast::Binary::matmul : ast::Binary::multiply, mark);
  }
  return product;
}

/// The rank of a product of declared names and their transposes; 0 where it is not known.
std::size_t Parser::declared_rank(Id id, int depth) const {
  constexpr int deepest = 8;
  const Expression& e = program_.at(id);
  if (depth > deepest) return 0;
  if (e.kind == Kind::name) {
    const ast::Declared* input = declared(e.name.key);
    return input == nullptr ? 0 : input->shape.size();
  }
  if (e.kind == Kind::transpose) return declared_rank(e.children[0], depth + 1);
  if (e.kind != Kind::binary) return 0;
  const std::size_t x = declared_rank(e.children[0], depth + 1), y = declared_rank(e.children[1], depth + 1);
  if (e.op == ast::Binary::matmul) return x > 0 && y > 0 ? x + y - 2 : 0;
  return std::max(x, y);
}

/// `parm w[n]`, `ouput p = w`, at the name: what is declared counts as declared.
void Parser::misspelt_keyword(Operand word) {
  static const std::vector<std::string> keywords = {"data", "param", "const", "dim", "loss", "output"};
  const std::string text = program_.at(word.id).name.text;
  const std::string near = text.size() < 3 || text.size() > 12 ? "" : did_you_mean(text, keywords);
  if (near.empty()) return;
  const bool value = near == "loss" || near == "output";
  if (!value) foreign_declaration(word, near);
  resume_here_ = statement_begins_here();
  fail(word.span, fmt::format("there is no '{}'", text), fmt::format("did you mean {}?", near));
}

/// `vector[n] x`, at the name: a declaration of Stan.
void Parser::typed_declaration(Operand left) {
  const Expression base = program_.at(program_.at(left.id).children[0]);
  if (base.kind != Kind::name || !at(Tok::name) || !among(types, base.name.text)) return;
  Expression word = base;
  foreign_declaration(add(std::move(word)));
}

/// `sin^2(x)`, at the bracket: the power of a function follows its argument here.
void Parser::function_to_power(Operand left, Span mark) {
  const Expression power = program_.at(left.id);
  if (power.kind != Kind::binary || power.op != ast::Binary::power || power.parenthesised) return;
  const Expression base = program_.at(power.children[0]);
  if (base.kind != Kind::name || !among(functions, base.name.key)) return;
  Diagnostic& d = report(mark, fmt::format("a power of {} stands after its argument", base.name.text));
  const std::string exponent = text_of(Operand{power.children[1]});
  const Operand argument = powers();
  const std::string call = text_of(make_call(base.name.text, {argument}, mark));
  d.help(exponent == "-1" ? fmt::format("write 1/{}; inverse functions have names of their own, as asin", call)
                          : fmt::format("write {}^{}", call, exponent));
  throw StatementFailed{};
}

/// `0x1F` and `1e`: numbers of other languages, or cut short.
void Parser::number_with_letters(Operand left, Span mark) {
  std::string digits = shown(left.span);
  const std::string letters = spelt(*at_);
  if (digits == "0" && letters.size() > 1 && (letters[0] == 'x' || letters[0] == 'X')) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(letters.data() + 1, letters.data() + letters.size(), value, 16);
    if (error == std::errc() && end == letters.data() + letters.size())
      fail(mark, "hexadecimal numbers are not read", fmt::format("write {}", value));
  }
  if (digits.ends_with('.')) digits.pop_back();
  if (letters == "e" || letters == "E")
    fail(mark, "the exponent of this number has no digits",
         fmt::format("write {0}e0, or {0}*{1} for a product", digits, letters));
}

/// `lambda x: x^2`.
void Parser::lambda(Operand word) {
  const Token* first = at_;
  std::string parameters;
  while (at(Tok::name) || at(Tok::comma)) {
    if (at(Tok::name)) parameters += (parameters.empty() ? "" : ", ") + spelt(*at_);
    ++at_;
  }
  const Span mark = join(word.span, first->span);
  if (!at(Tok::colon))
    fail(mark, "there are no anonymous functions",
         fmt::format("define it on a line of its own: f({}) = …", parameters));
  ++at_;
  anonymous_function(mark, parameters);
}

/// At a bar that closes nothing: whether it begins an operand of a product (`2|x|`), or means `or` (`a || b`).
bool Parser::stray_bar_is_product() const {
  if (!open_.empty() && open_.back()->value == Token::no_partner) return false;
  for (const Token* token = at_ + 1;; ++token) {
    switch (token->kind) {
      case Tok::open_paren:
      case Tok::open_bracket:
      case Tok::open_bar:
      case Tok::open_norm:
        if (token->value == Token::no_partner) return false;
        token = &partner(*token);
        break;
      case Tok::raw_bar:
      case Tok::raw_norm:
        if (token->kind == at_->kind) return !begins_operand(token[1]) && token != at_ + 1;
        break;
      case Tok::close_paren:
      case Tok::close_bracket:
      case Tok::close_bar:
      case Tok::close_norm:
      case Tok::comma:
      case Tok::semicolon:
      case Tok::separator:
      case Tok::end:
        return false;
      default:
        break;
    }
  }
}

}  // namespace gradus
