// The parser's state and its parts: expressions, hints, errors, and the grammar in X3 (parse.cpp).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "frontend/ast.hpp"
#include "frontend/parse.hpp"
#include "frontend/tokens.hpp"

namespace gradus {

/// Unwinds to the statement after its error was reported (as Spirit's own expectation failures do).
struct StatementFailed {};

/// Levels of precedence, loosest first.
enum class Level : std::uint8_t { logical_or, logical_and, logical_not, comparison, sum, product, sign, power };

class Parser {
 public:
  /// An expression with the span that includes its parentheses.
  struct Operand {
    ast::Id id;
    Span span = Span::none();
  };

  /// One entry in the brackets after a name: `expression`, `first : last`, `name in begin..end`.
  struct Entry {
    Operand first;  // invalid where nothing stands before the colon
    Operand last;
    bool colon = false;
    ast::Binder binder;  // of an `in` range, with a valid begin
    Span span = Span::none();
  };

  Parser(const Source& source, Tokens tokens, Diagnostics& diagnostics, const FrontendLimits& limits);

  /// All statements (parse.cpp).
  ast::Program program();
  /// Declarations that stand elsewhere, for help lines.
  void know(const ast::Program& declarations);

  // --- expressions.cpp -------------------------------------------------------------------------------------------
  /// A whole expression. Reports and unwinds when there is none.
  Operand expression();
  /// An expression of at least this level.
  Operand climb(Level lowest);
  /// The same for what a help line reads: it counts as a level of nesting.
  Operand inner(Level lowest);
  Operand inner_powers();

  // --- what the grammar needs of the state --------------------------------------------------------------------------
  const Token* here() const { return at_; }
  const Token* last() const { return tokens_.all.data() + tokens_.all.size(); }
  void go_to(const Token* token) { at_ = token; }
  /// Reports what stands here where `wanted` should, and unwinds.
  [[noreturn]] void unexpected(const std::string& wanted);
  ast::Name name_of(const Token& token) const;

 private:
  friend class Grammar;

  // --- expressions.cpp
  void nest();
  Operand conditional();
  Operand prefixed(Level lowest);
  Operand signs();
  Operand power();
  Operand powers();
  Operand raised();
  Operand postfix();
  Operand primary();
  Operand number();
  Operand named();
  Operand parenthesised();
  [[noreturn]] void comma_in_parentheses(const Token& opening);
  std::size_t rank_of(const Token& name) const;
  Operand bars();
  Operand call(const Token& name);
  bool joined_list(ast::Expression& call);
  bool skip_text();
  Operand bracketed(const Token& name);
  std::string binders_of(const ast::Expression& form, Operand condition) const;
  const Token* partner_before(const Token& token) const;
  std::string body_after(const Token& opening) const;
  [[noreturn]] void empty_brackets();
  bool is_size(const std::string& key) const;
  Operand index_form(const Token& name, std::vector<Entry> entries);
  Operand subscripted(Operand base, std::vector<Entry> entries);
  [[noreturn]] void further_argument(const ast::Expression& form);
  Operand transposed(Operand base, const Token& mark);
  Operand binary(Operand left, Operand right, ast::Binary op, Span mark, bool dotted = false);
  Operand compared(Operand left);
  Operand unary(ast::Kind kind, Operand operand, Span mark);
  Operand literal_number(std::int64_t value, Span span);
  Operand add(ast::Expression expression);

  // --- statements.cpp
  void statement_end();
  void colon_after_name();
  void recover(const Token* first);
  void mention(const Token* first, bool continues);
  void mention_leftmost(ast::Statement& s) const;
  bool definition_begins(const Token& token) const;
  [[noreturn]] void two_statements();
  void check_size(ast::Id size, std::size_t first);
  void check_declared(ast::Role role, const ast::Declared& declared);
  void check_bare_expressions();
  bool is_left_side(const ast::Expression& e) const;
  bool is_known(const std::string& key) const;
  bool declares_nothing(ast::Statement& s);
  [[noreturn]] void block();
  // --- statement_errors.cpp
  std::string rest_of_statement(const Token* first) const;
  std::string with_equals_sign() const;
  std::string one_bracket(ast::Id id) const;
  [[noreturn]] void no_left_side();
  std::string name_on_the_right(const Token* first) const;
  void call_on_the_left();
  void define(const ast::Name& name);
  [[noreturn]] void comma_in_statement();
  [[noreturn]] void unnamed_output();
  [[noreturn]] void output_of_two_names();
  [[noreturn]] void wrong_partials(const ast::GradientDefinition& gradient);
  [[noreturn]] void gradient_without_parameters();
  [[noreturn]] void wrong_left_side(const ast::Equation& equation, const Entry& entry, std::size_t count);
  void word_after_name(const Token& first);
  [[noreturn]] void function_without_parentheses(Operand first);
  [[noreturn]] void loss_of();
  [[noreturn]] void loss_with_subscripts();
  std::string meant_as_equation(const ast::Expression& e) const;
  void left_side(ast::Equation& equation, std::vector<Entry> list);
  void partials(ast::GradientDefinition& gradient);
  [[noreturn]] void name_after_assumptions(const ast::Name& word);
  [[noreturn]] void missing_equals();
  [[noreturn]] void update();
  [[noreturn]] void if_statement();
  void skip_block();
  std::string without_tuple(const Token& opening) const;
  // --- declaration_errors.cpp
  void unexpected_in_declaration(const std::string& wanted);
  void unexpected_in_shape();
  void real_numbers(const ast::Name& name);
  void unexpected_first(bool wants_name);
  void missing_comma();
  [[noreturn]] void empty_shape();
  std::string role_word() const;
  static bool is_type(const std::string& word);
  void names_after_error();
  bool in_lost_bracket(const Token& name) const;
  void size_after_error(const Token& token);
  void declaration_without_word();
  bool has_number(ast::Id value) const;

  // --- parse.cpp, with X3
  void statement();
  std::vector<Entry> entries();
  void arguments(ast::Expression& call);
  Operand bracket_literal();
  /// The literal of rows of elements (expressions.cpp); `separated` when a `;` was written.
  Operand literal_of(const Token& opening, const std::vector<std::vector<Operand>>& rows, bool separated);

  // --- hints.cpp: signs and habits of other languages, read as what is meant after their error was reported
  bool filters(Operand left) const;
  std::string filter_form(Operand index, Operand condition) const;
  Operand foreign_infix(Operand left);
  Operand foreign_comparison(Operand left);
  Operand foreign_postfix(Operand left);
  Operand foreign_prefix();
  Operand foreign_transpose(Operand base, Span mark);
  Operand member(Operand left);
  [[noreturn]] void latex(const Token& backslash);
  std::string fraction(const Token* opening) const;
  void conditional_density(Operand left, const Token& bar);
  void rename(ast::Id root, const std::string& key, const std::string& text);
  bool counted_from_one(Operand begin) const;
  Operand method(Operand base, const Token& name);
  void axis_named_dim(ast::Expression& call, const Token& word);
  std::string reshaped(Operand base, const std::string& word, const std::vector<ast::Id>& arguments) const;
  static std::string density_of(const std::string& owner, const std::string& word);
  std::string no_such_method(const std::string& word, bool in_module, Operand left) const;
  Operand written_here(ast::Expression call);
  std::vector<std::string> texts_of(const std::vector<ast::Id>& list) const;
  Operand make_call(const std::string& function, const std::vector<Operand>& arguments, Span span);
  bool is_new_axis(const Entry& entry) const;
  void new_axis(Operand base, const std::vector<Entry>& list, Span mark);
  const ast::Declared* declared(const std::string& key) const;
  [[noreturn]] void size_of(Operand base, Span mark);
  [[noreturn]] void generator(const std::string& function, Operand body);
  [[noreturn]] void ternary(Operand condition);
  void check_reduction_sign(const ast::Expression& form);
  bool subscripts_use(ast::Id root, const std::string& key) const;
  static bool comparison_sign(const Token& token);
  static bool ends_line(const Token& token);
  /// The end of `name in begin..end`, at the sign between them.
  Operand range_end(const ast::Name& name, Operand begin);
  /// `x[::2]`, at the second colon, in the entry of that place.
  [[noreturn]] void stepped_slice(const Entry& entry, std::size_t place);
  /// `i = 0..n` or `c = 1` in brackets, at the `=`.
  [[noreturn]] void equals_in_brackets(Operand left);
  // --- juxtaposition.cpp: two operands without an operator
  Operand juxtaposed(Operand left);
  Operand unbracketed_reduction(Operand left);
  void function_to_power(Operand left, Span mark);
  Operand product_of(Operand left, Span mark, bool& matrices);
  std::size_t declared_rank(ast::Id id, int depth = 0) const;
  void typed_declaration(Operand left);
  void misspelt_keyword(Operand word);
  void defined_in_block(const Token& name, bool loss = false);
  [[noreturn]] void lambda(Operand word);
  [[noreturn]] void foreign_declaration(Operand word, const std::string& meant = {});
  static int optimum(const std::string& word);
  [[noreturn]] void optimised(Operand word);
  void index_in_name(Operand left);
  static std::pair<std::string, std::string> sum_and_index(const std::string& text);
  std::string sum_over(const std::string& function, const std::string& index);
  void product_with_sum(Operand left, Span mark);
  void infix_word(Operand left);
  bool first_of_statement(Operand left) const;
  void missing_equals_sign(Operand left);
  void two_brackets(Operand left);
  std::string function_here() const;
  void index_beside_name(Operand left);
  std::string factors_before(Operand operand) const;
  void number_with_letters(Operand left, Span mark);
  bool stray_bar_is_product() const;
  static bool is_reduction(const std::string& key);
  bool is_reduction(const Token& name) const;
  /// A statement of other languages (`for`, `def`, `import`, `let`).
  [[noreturn]] void foreign_statement(Operand word);

  // --- errors (errors.cpp)
  /// The statement's error; only the first of a statement is kept.
  Diagnostic& report(Span mark, std::string text, std::vector<Span> context = {});
  [[noreturn]] void fail(Span mark, std::string text, std::string help = {});
  [[noreturn]] void unclosed(const Token& opening);
  [[noreturn]] void no_operand();
  [[noreturn]] void dots();
  void text_literal();
  void braces();
  [[noreturn]] void anonymous_function(Span mark, const std::string& parameters);
  std::string next_expression();
  [[noreturn]] void choice_first();
  [[noreturn]] void semicolon_in_list();
  [[noreturn]] void einsum(Span name);
  /// Whether an expression compares or joins conditions.
  bool is_condition(Operand operand) const;
  bool statement_begins_here() const;
  std::string spelt(const Token& token) const;
  std::string shown(Span span) const;
  std::string text_of(Operand operand) const;

  // --- state
  bool at(Tok kind) const { return at_->kind == kind; }
  bool at(Foreign sign) const { return is(*at_, sign); }
  static bool is(const Token& token, Foreign sign) {
    return token.kind == Tok::foreign && static_cast<Foreign>(token.value) == sign;
  }
  const Token& advance() { return *at_++; }
  const Token& partner(const Token& token) const { return tokens_.all[token.value]; }
  void open(const Token& opening);
  void close(Tok closing);

  const Source& source_;
  Tokens tokens_;
  Diagnostics& diagnostics_;
  FrontendLimits limits_;
  ast::Program program_;
  const Token* at_ = nullptr;
  std::vector<const Token*> open_;  // brackets around the cursor
  std::uint32_t depth_ = 0;         // open expressions
  Span power_base_ = Span::none();  // of the exponent that is being read
  bool broken_ = false;             // the statement has its error
  bool resume_here_ = false;        // the next statement begins where the last one failed
  bool then_ends_ = false;          // the word `then` ends the expression that is read
  bool blocks_reported_ = false;
  bool stopped_ = false;                     // a limit was met
  std::vector<ast::Declared> known_;         // declared elsewhere
  ast::Statement statement_;                 // the one that is being read
  std::set<std::string> subscripted_names_;  // with subscript digits, reported already
  Diagnostic scratch_;                       // takes what follows from an error
};

}  // namespace gradus
