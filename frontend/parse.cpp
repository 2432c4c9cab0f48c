// The grammar of the language in Spirit X3, over tokens.
#include "frontend/parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/spirit/home/x3.hpp>

#include "frontend/characters.hpp"
#include "frontend/parser.hpp"

namespace x3 = boost::spirit::x3;

namespace gradus {
namespace {

using Cursor = const Token*;

/// One token. With `wanted` it must stand here: its absence is the statement's error.
struct Sign : x3::parser<Sign> {
  using attribute_type = Cursor;
  static constexpr bool has_attribute = true;

  Sign(Tok kind_of_token, Parser* owner = nullptr, std::string what_is_wanted = {})
      : kind(kind_of_token), parser(owner), wanted(std::move(what_is_wanted)) {}

  template <class Iterator, class Context, class RContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const Context&, RContext&, Attribute& attribute) const;

  Tok kind;
  Parser* parser;
  std::string wanted;
};

/// What the parser reads by itself: expressions, brackets, and what hints need. Unwinds on an error.
template <class Read>
struct Part : x3::parser<Part<Read>> {
  using attribute_type = x3::unused_type;
  static constexpr bool has_attribute = false;

  Part(Parser* owner, Read reader) : parser(owner), read(std::move(reader)) {}

  template <class Iterator, class Context, class RContext, class Attribute>
  bool parse(Iterator& first, const Iterator&, const Context&, RContext&, Attribute&) const {
    parser->go_to(first);
    read();
    first = parser->here();
    return true;
  }

  Parser* parser;
  Read read;
};

/// Succeeds without reading when the token here, or one after it, fulfils a condition.
template <class Condition>
struct Ahead : x3::parser<Ahead<Condition>> {
  using attribute_type = x3::unused_type;
  static constexpr bool has_attribute = false;

  explicit Ahead(Condition test) : condition(std::move(test)) {}

  template <class Iterator, class Context, class RContext, class Attribute>
  bool parse(Iterator& first, const Iterator&, const Context&, RContext&, Attribute&) const {
    return condition(first);
  }

  Condition condition;
};

}  // namespace

/// The grammar's access to the parser, and the rules. They are built where they are used: what recurses goes through
/// Parser::expression, so no rule refers to itself.
class Grammar {
 public:
  explicit Grammar(Parser& parser) : p(parser) {}

  void statement();
  std::vector<Parser::Entry> entries();
  void arguments(ast::Expression& call);
  Parser::Operand literal();

 private:
  using Entry = Parser::Entry;
  using Operand = Parser::Operand;

  Sign must(Tok kind, std::string wanted) const { return Sign(kind, &p, std::move(wanted)); }

  template <class Read>
  Part<Read> part(Read read) const {
    return {&p, std::move(read)};
  }

  auto expression(Operand& into) const {
    return part([this, &into] { into = p.expression(); });
  }
  auto sum(Operand& into) const {
    return part([this, &into] { into = p.inner(Level::sum); });
  }
  auto open(Tok kind) const {
    return must(kind, kind == Tok::open_paren ? "'('" : "'['")[([this](auto& ctx) { p.open_.push_back(_attr(ctx)); })];
  }
  auto close(Tok kind) const {
    return part([this, kind] { p.close(kind); });
  }

  /// A name into `into`.
  auto name(ast::Name& into) const {
    return must(Tok::name, "a name")[([this, &into](auto& ctx) { into = p.name_of(*_attr(ctx)); })];
  }

  /// `=`, or the `:=` of other languages with its hint.
  auto equals() const {
    return part([this] {
      if (p.at(Foreign::assign)) {
        p.report(p.at_->span, fmt::format("'{}' is not a sign of the language", p.spelt(*p.at_)))
            .help("a value is defined with '='" + p.with_equals_sign());
      } else if (!p.at(Tok::equals)) {
        p.unexpected("'='");
      }
      p.advance();
    });
  }

  static bool assigns(Cursor token) { return token->kind == Tok::equals || Parser::is(*token, Foreign::assign); }

  void declaration();
  void loss();
  void output();
  void gradient();
  void function();
  void equation();

  Parser& p;
};

namespace {

template <class Iterator, class Context, class RContext, class Attribute>
bool Sign::parse(Iterator& first, const Iterator&, const Context&, RContext&, Attribute& attribute) const {
  if (first->kind != kind) {
    if (wanted.empty()) return false;
    parser->go_to(first);
    parser->unexpected(wanted);
  }
  x3::traits::move_to(Cursor(first), attribute);
  ++first;
  return true;
}

}  // namespace

// --- brackets after a name, arguments, literals

/// entries = '[' entry % ',' ']'
/// entry   = name 'in' sum '..' sum [':' expression] | ':' [expression] | expression [':' [expression]]
std::vector<Parser::Entry> Grammar::entries() {
  std::vector<Entry> list;
  Entry entry;
  const auto begin = part([&] {
    entry = Entry{};
    entry.span = p.at_->span;
  });
  const auto finish = part([&] {
    entry.span = {entry.span.begin, (p.at_ - 1)->span.end};
    if (p.at(Tok::colon) && p.is_condition(entry.last))
      p.fail(p.at_->span, "one filter stands in the brackets", "conditions are joined with 'and'");
    if (p.at(Tok::colon)) p.stepped_slice(entry, list.size());
    if (p.at(Tok::equals)) p.equals_in_brackets(entry.colon ? entry.last : entry.first);
    list.push_back(std::move(entry));
  });
  const auto in_sign =
      Sign(Tok::kw_in) | (Ahead([](Cursor t) { return Parser::is(*t, Foreign::element); }) >> part([&] {
                            p.report(p.at_->span, "'∈' is not a sign of the language").help("write 'in'");
                            p.advance();
                          }));
  Operand low;
  const auto binder = Sign(Tok::name)[([&](auto& ctx) { entry.binder.name = p.name_of(*_attr(ctx)); })] >> in_sign >>
                      sum(low) >> part([&] {
                        entry.binder.end = p.range_end(entry.binder.name, low).id;
                        entry.binder.begin = low.id;
                        entry.binder.span = {entry.span.begin, (p.at_ - 1)->span.end};
                      });
  const auto ends = Sign(Tok::comma) | Sign(Tok::close_bracket) | Sign(Tok::colon);
  const auto colon = Sign(Tok::colon)[([&](auto&) { entry.colon = true; })];
  const auto tail = colon >> (&ends | expression(entry.last));
  const auto one = begin >> (binder >> -tail | tail | expression(entry.first) >> -tail) >> finish;
  const auto rule = open(Tok::open_bracket) >> one % Sign(Tok::comma) >> close(Tok::close_bracket);
  Cursor first = p.at_;
  if (first[1].kind == Tok::close_bracket) p.empty_brackets();
  x3::parse(first, p.last(), rule);
  p.at_ = first;
  return list;
}

/// arguments = '(' [argument % ','] ')' ;  argument = name '=' expression | expression
void Grammar::arguments(ast::Expression& call) {
  Operand value;
  Cursor word = nullptr;
  const auto dim = Ahead([](Cursor t) { return t->kind == Tok::kw_dim && t[1].kind == Tok::equals; });  // torch
  const auto set_word = [&](auto& ctx) { word = _attr(ctx); };
  const auto keyword = (Sign(Tok::name)[set_word] | (dim >> Sign(Tok::kw_dim)[set_word])) >> Sign(Tok::equals) >>
                       expression(value) >> part([&] {
                         call.keywords.push_back({p.name_of(*word), value.id});
                         if (word->kind == Tok::kw_dim) p.axis_named_dim(call, *word);
                       });
  const auto positional = expression(value) >> part([&] {
                            if (!call.keywords.empty()) {
                              const ast::Keyword& before = call.keywords.back();
                              if (before.name.key == "axis")
                                p.fail(value.span, "an argument without a name stands before axis=…");
                              p.fail(join(before.name.span, p.program_.at(before.value).span), "'=' does not compare",
                                     fmt::format("write {} == {}", before.name.text, p.text_of({before.value, {}})));
                            }
                            if (p.at(Tok::name) && p.spelt(*p.at_) == "for") p.generator(call.name.text, value);
                            if (p.at(Tok::equals) && p.open_.back()->value != Token::no_partner)
                              p.equals_in_brackets(value);
                            call.children.push_back(value.id);
                          });
  const auto rule = open(Tok::open_paren) >> -(!Sign(Tok::close_paren) >> (keyword | positional) % Sign(Tok::comma)) >>
                    close(Tok::close_paren);
  Cursor first = p.at_;
  x3::parse(first, p.last(), rule);
  p.at_ = first;
}

/// literal = '[' row % ';' [';'] ']' ;  row = expression % ','
Parser::Operand Grammar::literal() {
  const Token& opening = *p.at_;
  std::vector<std::vector<Operand>> rows(1);
  bool separated = false;
  Operand value;
  const auto element = expression(value) >> part([&] {
                         if (p.at(Tok::name) && p.spelt(*p.at_) == "for") p.generator("", value);
                         rows.back().push_back(value);
                       });
  const auto next_row = Sign(Tok::semicolon)[([&](auto&) { separated = true; })] >> !Sign(Tok::close_bracket);
  const auto row = element % Sign(Tok::comma);
  const auto rule = open(Tok::open_bracket) >> row % (next_row >> part([&] { rows.emplace_back(); })) >>
                    -Sign(Tok::semicolon) >> close(Tok::close_bracket);
  Cursor first = p.at_;
  if (first[1].kind == Tok::close_bracket) p.fail(join(first->span, first[1].span), "nothing stands in the brackets");
  x3::parse(first, p.last(), rule);
  p.at_ = first;
  return p.literal_of(opening, rows, separated);
}

// --- statements

/// declaration = role declared % ',' [':' assumption % ','] ;  declared = name ['[' size % ',' ']'] ['=' expression]
void Grammar::declaration() {
  ast::Statement& s = p.statement_;
  s.kind = ast::Statement::Kind::declaration;
  const auto role = [&](Tok kind, ast::Role value) {
    return Sign(kind)[([&s, value](auto&) { s.declaration.role = value; })];
  };
  const auto roles = role(Tok::kw_data, ast::Role::data) | role(Tok::kw_param, ast::Role::param) |
                     role(Tok::kw_const, ast::Role::constant) | role(Tok::kw_dim, ast::Role::dim);
  ast::Name word;
  Operand value;
  std::size_t arena = 0;
  const auto declared = [&]() -> ast::Declared& { return s.declaration.names.back(); };
  const auto begin = name(word) >> part([&] {
                       s.declaration.names.emplace_back();
                       declared().name = word;
                       declared().span = word.span;
                     });
  const auto size = part([&] { arena = p.program_.expressions.size(); }) >> expression(value) >> part([&] {
                      p.check_size(value.id, arena);
                      declared().shape.push_back(value.id);
                    });
  const auto shape = open(Tok::open_bracket) >> part([&] {
                       declared().has_brackets = true;
                       if (p.at(Tok::close_bracket)) p.empty_shape();
                     }) >>
                     size % Sign(Tok::comma) >> close(Tok::close_bracket);
  const auto initial = Ahead(assigns) >> equals() >> expression(value) >> part([&] { declared().value = value.id; });
  const auto one = begin >> -(&Sign(Tok::open_bracket) >> shape) >> -initial >> part([&] {
                     declared().span = {declared().span.begin, (p.at_ - 1)->span.end};
                     p.check_declared(s.declaration.role, declared());
                   });
  const auto assumption =
      name(word) >> part([&] {
        if (p.at(Tok::open_bracket)) p.name_after_assumptions(word);
        s.declaration.assumptions.push_back({word, {}, word.span});
      }) >>
      -(&Sign(Tok::open_paren) >> open(Tok::open_paren) >> expression(value) >> close(Tok::close_paren) >> part([&] {
        s.declaration.assumptions.back().argument = value.id;
        s.declaration.assumptions.back().span = {word.span.begin, (p.at_ - 1)->span.end};
      }));
  // `data x[n] y[n]`: reported, and y is known.
  const auto missing_comma = Ahead([](Cursor t) { return t->kind == Tok::name; }) >> part([&] { p.missing_comma(); });
  const auto rule =
      roles >> one % (Sign(Tok::comma) | missing_comma) >> -(Sign(Tok::colon) >> assumption % Sign(Tok::comma));
  Cursor first = p.at_;
  x3::parse(first, p.last(), rule);
  p.at_ = first;
}

/// loss = 'loss' [name] '=' expression
void Grammar::loss() {
  ast::Equation& e = p.statement_.equation;
  e.role = ast::Equation::Role::loss;
  Operand body;
  const auto missing = Ahead([](Cursor t) { return t[1].kind == Tok::open_paren || t[1].kind == Tok::open_norm; }) >>
                       part([&] { p.missing_equals(); });
  const auto bracket =
      Ahead([](Cursor t) { return t[1].kind == Tok::open_bracket; }) >> part([&] { p.loss_with_subscripts(); });
  const auto rule = Sign(Tok::kw_loss) >> -(!Ahead(assigns) >> -(missing | bracket) >> name(e.name)) >> equals() >>
                    expression(body) >> part([&] { e.body = body.id; });
  Cursor first = p.at_;
  x3::parse(first, p.last(), rule);
  p.at_ = first;
}

/// output = 'output' (name [left] '=' expression | name % ',')
void Grammar::output() {
  ast::Statement& s = p.statement_;
  ast::Equation& e = s.equation;
  e.role = ast::Equation::Role::output;
  Operand body;
  ast::Name word;
  const auto defines =
      Ahead([](Cursor t) { return assigns(t + 1) || t[1].kind == Tok::open_bracket || t[1].kind == Tok::name; });
  const auto left = -(&Sign(Tok::open_bracket) >> part([&] { p.left_side(e, p.entries()); }));
  const auto two_names = part([&] {
    if (p.at(Tok::name) && p.at_[1].kind == Tok::name) p.output_of_two_names();
  });
  const auto definition =
      defines >> two_names >> name(e.name) >> left >> equals() >> expression(body) >> part([&] { e.body = body.id; });
  const auto existing =
      (Sign(Tok::kw_loss)[([&](auto& ctx) { word = p.name_of(*_attr(ctx)); })] | name(word)) >> part([&] {
        s.kind = ast::Statement::Kind::output_list;
        s.outputs.names.push_back(word);
      });
  const auto rule = Sign(Tok::kw_output) >> (definition | existing % Sign(Tok::comma));
  Cursor first = p.at_;
  x3::parse(first, p.last(), rule);
  p.at_ = first;
}

/// gradient = 'grad' name '(' name % ',' ')' '=' partials
void Grammar::gradient() {
  ast::Statement& s = p.statement_;
  s.kind = ast::Statement::Kind::gradient;
  ast::Name word;
  const auto parameter = name(word) >> part([&] { s.gradient.parameters.push_back(word); });
  const auto no_list = part([&] {
    if (p.at(Tok::equals)) p.gradient_without_parameters();
  });
  const auto rule = Sign(Tok::name) >> name(s.gradient.name) >> no_list >> open(Tok::open_paren) >>
                    parameter % Sign(Tok::comma) >> close(Tok::close_paren) >> equals() >>
                    part([&] { p.partials(s.gradient); });
  Cursor first = p.at_;
  x3::parse(first, p.last(), rule);
  p.at_ = first;
}

/// function = name '(' [name % ','] ')' '=' expression
void Grammar::function() {
  ast::Statement& s = p.statement_;
  s.kind = ast::Statement::Kind::function;
  ast::Name word;
  Operand body;
  const auto parameter = name(word) >> part([&] { s.function.parameters.push_back(word); });
  const auto call = part([&] { p.call_on_the_left(); });
  const auto rule = name(s.function.name) >> call >> open(Tok::open_paren) >>
                    -(!Sign(Tok::close_paren) >> parameter % Sign(Tok::comma)) >> close(Tok::close_paren) >> equals() >>
                    expression(body) >> part([&] { s.function.body = body.id; });
  Cursor first = p.at_;
  x3::parse(first, p.last(), rule);
  p.at_ = first;
}

/// equation = name ['[' entry % ',' ']'] '=' expression
void Grammar::equation() {
  ast::Equation& e = p.statement_.equation;
  Operand body;
  const auto rule = name(e.name) >> -(&Sign(Tok::open_bracket) >> part([&] { p.left_side(e, p.entries()); })) >>
                    equals() >> expression(body) >> part([&] { e.body = body.id; });
  Cursor first = p.at_;
  x3::parse(first, p.last(), rule);
  p.at_ = first;
}

/// statement = declaration | loss | output | gradient | function | equation | expression
/// Which one it is shows in the first tokens and behind the partner of the first bracket.
void Grammar::statement() {
  const auto bracketed = [this](Cursor t, Tok kind) {
    return t->kind == Tok::name && t[1].kind == kind && t[1].value != Token::no_partner &&
           assigns(&p.partner(t[1]) + 1);
  };
  const auto is_declaration = Ahead([](Cursor t) { return t->kind >= Tok::kw_data && t->kind <= Tok::kw_dim; });
  const auto is_loss_of = Ahead([this](Cursor t) {
    const bool bracket = t[1].kind == Tok::open_paren || t[1].kind == Tok::open_bracket;
    return t->kind == Tok::kw_loss && bracket && t[1].value != Token::no_partner && assigns(&p.partner(t[1]) + 1);
  });
  const auto loss_of = part([&] { p.loss_of(); });
  const auto is_loss = Ahead([](Cursor t) {
    const Tok after = t[1].kind;
    return t->kind == Tok::kw_loss &&
           (assigns(t + 1) || after == Tok::name || (after >= Tok::kw_data && after <= Tok::kw_output) ||
            after == Tok::kw_else || after == Tok::kw_not || after == Tok::kw_in);
  });
  const auto is_output = Ahead([](Cursor t) { return t->kind == Tok::kw_output; });
  const auto is_gradient =
      Ahead([this](Cursor t) { return t->kind == Tok::name && t[1].kind == Tok::name && p.spelt(*t) == "grad"; });
  const auto is_function = Ahead([=](Cursor t) { return bracketed(t, Tok::open_paren); });
  const auto is_equation =
      Ahead([=](Cursor t) { return (t->kind == Tok::name && assigns(t + 1)) || bracketed(t, Tok::open_bracket); });
  const auto is_update = Ahead(
      [](Cursor t) { return (t->kind == Tok::name || t->kind == Tok::kw_loss) && Parser::is(t[1], Foreign::update); });
  const auto updated = part([&] {
    p.advance();
    p.update();
  });
  Operand body;
  const auto bare = part([&] { p.statement_.equation.bare = true; }) >> expression(body) >>
                    part([&] { p.statement_.equation.body = body.id; });
  const auto is_block = Ahead([this](Cursor t) {
    constexpr std::string_view words[] = {"data", "parameters", "model", "functions"};
    const std::string word = p.spelt(*t);
    const bool two = word == "transformed" || word == "generated";
    return p.spelt(t[two ? 2 : 1]) == "{" && (two || std::ranges::find(words, word) != std::end(words));
  });
  const auto block = part([&] { p.block(); });
  const auto rule = is_block >> block | is_declaration >> part([&] { declaration(); }) | is_update >> updated |
                    is_loss >> part([&] { loss(); }) | is_loss_of >> loss_of | is_output >> part([&] { output(); }) |
                    is_gradient >> part([&] { gradient(); }) | is_function >> part([&] { function(); }) |
                    is_equation >> part([&] { equation(); }) | bare;
  Cursor first = p.at_;
  x3::parse(first, p.last(), rule);
  p.at_ = first;
}

void Parser::statement() { Grammar(*this).statement(); }
std::vector<Parser::Entry> Parser::entries() { return Grammar(*this).entries(); }
void Parser::arguments(ast::Expression& call) { Grammar(*this).arguments(call); }
Parser::Operand Parser::bracket_literal() { return Grammar(*this).literal(); }

ast::Program parse(const Source& source, Diagnostics& diagnostics, const FrontendLimits& limits,
                   const ast::Program* let) {
  if (source.text().size() > limits.source_bytes) {
    diagnostics.error({0, 1}, fmt::format("the program is too large: it has more than {} bytes", limits.source_bytes));
    return {};
  }
  if (const std::size_t bad = find_invalid_utf8(source.text()); bad != std::string_view::npos) {
    const auto at = static_cast<std::uint32_t>(bad);
    diagnostics
        .error({at, at + 1}, fmt::format("the text is not UTF-8: byte {:#04x} at offset {}",
                                         static_cast<unsigned char>(source.text()[bad]), bad))
        .help("save the file as UTF-8");
    return {};
  }
  const std::size_t most_tokens = 4 * std::size_t{limits.expressions};
  Tokens tokens = lex(source, most_tokens);
  lay_out(tokens);
  Parser parser(source, std::move(tokens), diagnostics, limits);
  if (let != nullptr) parser.know(*let);
  return parser.program();
}

/// A list as `A[n, n], data x[n]` becomes declarations: a role holds until the next one, params come first.
ast::Program parse_let(const Source& source, Diagnostics& diagnostics) {
  if (find_invalid_utf8(source.text()) != std::string_view::npos) {
    diagnostics.error(Span::none(), "the declarations are not UTF-8");
    return {};
  }
  const auto is_role = [](const Token& token) { return token.kind >= Tok::kw_data && token.kind <= Tok::kw_dim; };
  Tokens tokens = lex(source, 100'000);
  for (std::size_t i = 0; i + 1 < tokens.all.size(); ++i) {
    if (tokens.all[i].kind == Tok::comma && is_role(tokens.all[i + 1])) tokens.all[i].kind = Tok::semicolon;
  }
  std::vector<Token> with_roles;
  for (const Token& token : tokens.all) {  // what begins without a role is a param
    const bool begins = with_roles.empty() || with_roles.back().kind == Tok::semicolon;
    if (begins && !is_role(token) && token.kind != Tok::end && token.kind != Tok::semicolon) {
      Token role;
      role.kind = Tok::kw_param;
      role.span = {token.span.begin, token.span.begin};
      with_roles.push_back(role);
    }
    with_roles.push_back(token);
  }
  tokens.all = std::move(with_roles);
  lay_out(tokens);
  ast::Program program = Parser(source, std::move(tokens), diagnostics, {}).program();
  for (ast::Statement& statement : program.statements) {
    if (statement.broken || statement.kind == ast::Statement::Kind::declaration) continue;
    if (!diagnostics.has_errors())
      diagnostics.error(statement.span, "only declarations stand here").help("as in A[n, n], data x[n]");
    statement.broken = true;
  }
  return program;
}

}  // namespace gradus
