// Syntax trees as text in canonical form, and their comparison. Both go over trees with a stack of their own.
#include "frontend/format.hpp"

#include <algorithm>
#include <ranges>
#include <string_view>

namespace gradus {

using ast::Binary;
using ast::Comparison;
using ast::Expression;
using ast::Id;
using ast::Kind;
using ast::Program;

namespace {

/// How tightly a form holds together, loosest first: what is looser than its place needs parentheses.
enum Strength : int {
  conditional,
  logical_or,
  logical_and,
  logical_not,
  comparison,
  sum,
  product,
  sign,
  power,
  postfix,
  primary
};

struct Sign {
  std::string_view text;
  Strength strength;
  Strength left, right;  // what the operands need
};

Sign sign_of(const Expression& e) {
  switch (e.op) {
    case Binary::add:
      return {" + ", sum, sum, product};
    case Binary::subtract:
      return {" - ", sum, sum, product};
    case Binary::multiply:
      return {e.dotted ? " .* " : "*", product, product, sign};
    case Binary::divide:
      return {e.dotted ? " ./ " : "/", product, product, sign};
    case Binary::matmul:
      return {" @ ", product, product, sign};
    case Binary::power:
      return {e.dotted ? ".^" : "^", power, postfix, sign};
    case Binary::logical_and:
      return {" and ", logical_and, logical_and, logical_not};
    case Binary::logical_or:
      return {" or ", logical_or, logical_or, logical_and};
  }
  return {};
}

std::string_view sign_of(Comparison c) {
  switch (c) {
    case Comparison::less:
      return " < ";
    case Comparison::less_equal:
      return " <= ";
    case Comparison::greater:
      return " > ";
    case Comparison::greater_equal:
      return " >= ";
    case Comparison::equal:
      return " == ";
    case Comparison::not_equal:
      return " != ";
  }
  return {};
}

Strength strength_of(const Expression& e) {
  switch (e.kind) {
    case Kind::conditional:
      return conditional;
    case Kind::binary:
      return sign_of(e).strength;
    case Kind::logical_not:
      return logical_not;
    case Kind::comparison:
      return comparison;
    case Kind::negate:
    case Kind::plus:
      return sign;
    case Kind::transpose:
    case Kind::subscript:
      return postfix;
    default:
      return primary;
  }
}

class Formatter {
 public:
  explicit Formatter(const Program& program) : program_(program) {}

  std::string take() { return std::move(out_); }

  void text(std::string_view piece) {
    if (!out_.empty() && out_.back() == '|' && piece.starts_with('|')) out_ += ' ';  // two bars are not a norm's
    out_ += piece;
  }

  void expression(Id id, Strength needed = conditional) {
    const std::size_t bottom = todo_.size();
    todo_.push_back({{}, id, needed});
    while (todo_.size() > bottom) {
      const Work work = std::move(todo_.back());
      todo_.pop_back();
      if (work.id.valid()) {
        expand(work);
      } else {
        text(work.text);
      }
    }
  }

  void binder(const ast::Binder& b) {
    text(b.name.text);
    if (!b.begin.valid()) return;
    text(" in ");
    expression(b.begin, sum);
    text("..");
    expression(b.end, sum);
  }

  void statement(const ast::Statement& s, bool first);

 private:
  struct Work {
    std::string text;
    Id id;
    Strength needed = conditional;
  };

  // The parts of one node, in order; pushed in reverse at the end.
  void say(std::string_view piece) { parts_.push_back({std::string(piece), {}, conditional}); }
  void child(Id id, Strength needed = conditional) { parts_.push_back({{}, id, needed}); }

  void expand(const Work& work) {
    const Expression& e = program_.at(work.id);
    const bool parentheses = strength_of(e) < work.needed;
    parts_.clear();
    if (parentheses) say("(");
    inside(e);
    if (parentheses) say(")");
    std::ranges::move(std::ranges::reverse_view(parts_), std::back_inserter(todo_));
  }

  void inside(const Expression& e);
  void list(const Expression& e);
  void brackets(const Expression& e);

  void declaration(const ast::Declaration& d);
  void equation(const ast::Equation& e, bool first);
  void names(const std::vector<ast::Name>& list);

  const Program& program_;
  std::string out_;
  std::vector<Work> todo_;
  std::vector<Work> parts_;
};

void Formatter::inside(const Expression& e) {
  switch (e.kind) {
    case Kind::number:
      say(e.value.to_string());
      return;
    case Kind::name:
      say(e.name.text);
      return;
    case Kind::negate:
    case Kind::plus:
      say(e.kind == Kind::plus ? "+" : "-");
      child(e.children[0], sign);
      return;
    case Kind::logical_not:
      say("not ");
      child(e.children[0], logical_not);
      return;
    case Kind::binary: {
      const Sign s = sign_of(e);
      child(e.children[0], s.left);
      say(s.text);
      child(e.children[1], s.right);
      return;
    }
    case Kind::comparison:
      for (std::size_t i = 0; i < e.children.size(); ++i) {
        if (i > 0) say(sign_of(e.comparisons[i - 1]));
        child(e.children[i], sum);
      }
      return;
    case Kind::conditional:
      child(e.children[0], logical_or);
      say(" if ");
      child(e.children[1], logical_or);
      say(" else ");
      child(e.children[2], conditional);
      return;
    case Kind::transpose:
      child(e.children[0], postfix);
      say(e.quote ? "'" : ".T");
      return;
    case Kind::absolute:
      say("|");
      child(e.children[0]);
      say("|");
      return;
    case Kind::norm:
      say("||");
      child(e.children[0]);
      say("||");
      if (e.order == ast::NormOrder::one) say("_1");
      if (e.order == ast::NormOrder::infinity) say("_inf");
      if (e.order == ast::NormOrder::frobenius) say("_F");
      if (e.order_value.valid()) {
        say("_");
        child(e.order_value);
      }
      return;
    case Kind::call:
    case Kind::vector:
    case Kind::matrix:
      list(e);
      return;
    case Kind::index_form:
    case Kind::subscript:
      brackets(e);
      return;
  }
}

/// f(a, b, k=c), [a, b], [a, b; c, d]
void Formatter::list(const Expression& e) {
  if (e.kind == Kind::call) say(e.name.text);
  say(e.kind == Kind::call ? "(" : "[");
  const std::size_t width = e.rows > 0 ? e.children.size() / e.rows : e.children.size();
  for (std::size_t i = 0; i < e.children.size(); ++i) {
    if (i > 0) say(i % width == 0 ? "; " : ", ");
    // A vector of vectors would be read as a matrix.
    const bool vector_of_vectors = e.kind == Kind::vector && program_.at(e.children[i]).kind == Kind::vector;
    if (vector_of_vectors) say("(");
    child(e.children[i]);
    if (vector_of_vectors) say(")");
  }
  for (std::size_t i = 0; i < e.keywords.size(); ++i) {
    if (i > 0 || !e.children.empty()) say(", ");
    say(e.keywords[i].name.text);
    say("=");
    child(e.keywords[i].value);
  }
  if (e.kind == Kind::matrix && e.rows == 1) say(";");
  say(e.kind == Kind::call ? ")" : "]");
}

/// sum[i in 0..n : c](x), x[a, b:c]
void Formatter::brackets(const Expression& e) {
  if (e.kind == Kind::index_form) {
    say(e.name.text);
  } else {
    child(e.children[0], postfix);
  }
  say("[");
  for (std::size_t i = 0; i < e.binders.size(); ++i) {
    if (i > 0) say(", ");
    say(e.binders[i].name.text);
    if (!e.binders[i].begin.valid()) continue;
    say(" in ");
    child(e.binders[i].begin, sum);
    say("..");
    child(e.binders[i].end, sum);
  }
  if (e.kind == Kind::index_form && e.children.size() > 1 && e.children[1].valid()) {
    say(" : ");
    child(e.children[1]);
  }
  for (std::size_t i = 0; i < e.subscripts.size(); ++i) {
    if (i > 0 || !e.binders.empty()) say(", ");
    const ast::Subscript& s = e.subscripts[i];
    if (s.first.valid()) child(s.first);
    if (s.kind == ast::Subscript::Kind::slice) say(":");
    if (s.last.valid()) child(s.last);
  }
  say("]");
  if (e.kind != Kind::index_form) return;
  say("(");
  child(e.children[0]);
  for (std::size_t i = 2; i < e.children.size(); ++i) {
    say(", ");
    child(e.children[i]);
  }
  say(")");
}

void Formatter::names(const std::vector<ast::Name>& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) text(", ");
    text(list[i].text);
  }
}

void Formatter::declaration(const ast::Declaration& d) {
  constexpr std::string_view words[] = {"data ", "param ", "const ", "dim "};
  text(words[static_cast<std::size_t>(d.role)]);
  for (std::size_t i = 0; i < d.names.size(); ++i) {
    if (i > 0) text(", ");
    const ast::Declared& declared = d.names[i];
    text(declared.name.text);
    if (declared.has_brackets) text("[");
    for (std::size_t k = 0; k < declared.shape.size(); ++k) {
      if (k > 0) text(", ");
      expression(declared.shape[k]);
    }
    if (declared.has_brackets) text("]");
    if (!declared.value.valid()) continue;
    text(" = ");
    expression(declared.value);
  }
  for (std::size_t i = 0; i < d.assumptions.size(); ++i) {
    text(i == 0 ? " : " : ", ");
    text(d.assumptions[i].name.text);
    if (!d.assumptions[i].argument.valid()) continue;
    text("(");
    expression(d.assumptions[i].argument);
    text(")");
  }
}

void Formatter::equation(const ast::Equation& e, bool first) {
  if (e.bare) {
    const std::size_t begin = out_.size();
    expression(e.body);
    const bool signed_first = out_[begin] == '-' || out_[begin] == '+';
    // After a line end a sign would go on with the statement before.
    if (signed_first && !first) out_ = out_.substr(0, begin) + "(" + out_.substr(begin) + ")";
    return;
  }
  if (e.role == ast::Equation::Role::loss) text(e.name.text.empty() ? "loss" : "loss ");
  if (e.role == ast::Equation::Role::output) text("output ");
  text(e.name.text);
  if (e.has_brackets) text("[");
  for (std::size_t i = 0; i < e.left.size(); ++i) {
    if (i > 0) text(", ");
    const ast::Equation::Left& left = e.left[i];
    const bool name = left.expression.valid() && program_.at(left.expression).kind == Kind::name;
    if (!left.expression.valid()) {
      binder(left.binder);
    } else {
      if (name) text("(");  // a bare name would be a new index
      expression(left.expression);
      if (name) text(")");
    }
  }
  if (e.has_brackets) text("]");
  text(" = ");
  expression(e.body);
}

void Formatter::statement(const ast::Statement& s, bool first) {
  switch (s.kind) {
    case ast::Statement::Kind::declaration:
      return declaration(s.declaration);
    case ast::Statement::Kind::equation:
      return equation(s.equation, first);
    case ast::Statement::Kind::output_list:
      text("output ");
      return names(s.outputs.names);
    case ast::Statement::Kind::function:
      text(s.function.name.text);
      text("(");
      names(s.function.parameters);
      text(") = ");
      return expression(s.function.body);
    case ast::Statement::Kind::gradient:
      text("grad ");
      text(s.gradient.name.text);
      text("(");
      names(s.gradient.parameters);
      text(s.gradient.partials.size() == 1 ? ") = " : ") = (");
      for (std::size_t i = 0; i < s.gradient.partials.size(); ++i) {
        if (i > 0) text(", ");
        expression(s.gradient.partials[i]);
      }
      if (s.gradient.partials.size() != 1) text(")");
      return;
  }
}

}  // namespace

std::string format(const Program& program) {
  Formatter formatter(program);
  bool first = true;
  for (const ast::Statement& statement : program.statements) {
    if (statement.broken) continue;
    if (!first) formatter.text("\n");
    formatter.statement(statement, first);
    first = false;
  }
  if (!first) formatter.text("\n");
  return formatter.take();
}

std::string format(const Program& program, const ast::Statement& statement, bool first) {
  Formatter formatter(program);
  formatter.statement(statement, first);
  return formatter.take();
}

std::string format(const Program& program, Id expression) {
  Formatter formatter(program);
  formatter.expression(expression);
  return formatter.take();
}

}  // namespace gradus
