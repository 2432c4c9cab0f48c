// Equations as they should be, for help lines: with matrix products, or counted from 0.
#include <algorithm>

#include "frontend/format.hpp"
#include "frontend/parse.hpp"
#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {
namespace {

constexpr std::size_t most_errors = 100;           // that are shown; each costs a copy of the program
constexpr std::size_t most_expressions = 100'000;  // that are copied

/// Replaces an index by itself plus a number in an expression of a program: `x[i - 1]` becomes `x[i]` for 1.
class Shift {
 public:
  Shift(ast::Program& program, std::string key, std::int64_t by) : program_(program), key_(std::move(key)), by_(by) {}

  /// False where the name is bound anew inside, so that not all of its uses are this index.
  bool run(ast::Id root) {
    std::vector<ast::Id> todo = {root};
    while (!todo.empty()) {
      const ast::Id id = todo.back();
      todo.pop_back();
      if (!id.valid() || absorbed(id)) continue;
      if (is_index(id)) {
        set(id, by_);
        continue;
      }
      const ast::Expression& e = program_.at(id);
      for (const ast::Binder& b : e.binders)
        if (b.name.key == key_) return false;
      todo.insert(todo.end(), e.children.begin(), e.children.end());
      todo.push_back(e.order_value);
      for (const ast::Binder& b : e.binders) todo.insert(todo.end(), {b.begin, b.end});
      for (const ast::Keyword& k : e.keywords) todo.push_back(k.value);
      for (const ast::Subscript& s : e.subscripts) todo.insert(todo.end(), {s.first, s.last});
    }
    return true;
  }

 private:
  bool is_index(ast::Id id) const {
    const ast::Expression& e = program_.at(id);
    return e.kind == ast::Kind::name && e.name.key == key_;
  }

  /// `i + 1`, `i - 2`: the numbers are added.
  bool absorbed(ast::Id id) {
    const ast::Expression& e = program_.at(id);
    const bool plus = e.kind == ast::Kind::binary && e.op == ast::Binary::add;
    const bool minus = e.kind == ast::Kind::binary && e.op == ast::Binary::subtract;
    if ((!plus && !minus) || !is_index(e.children[0]) || program_.at(e.children[1]).kind != ast::Kind::number)
      return false;
    const auto number = program_.at(e.children[1]).value.as_int64();
    if (!number) return false;
    set(id, plus ? *number + by_ : by_ - *number);
    return true;
  }

  /// Makes a node the index plus a number.
  void set(ast::Id id, std::int64_t number) {
    ast::Expression name;
    name.kind = ast::Kind::name;
    name.name.text = name.name.key = key_;
    if (number == 0) {
      program_.at(id) = std::move(name);
      return;
    }
    ast::Expression constant;
    constant.value = Rational(number > 0 ? number : -number);
    ast::Expression sum;
    sum.kind = ast::Kind::binary;
    sum.op = number > 0 ? ast::Binary::add : ast::Binary::subtract;
    const ast::Id left = program_.add(std::move(name));
    sum.children = {left, program_.add(std::move(constant))};
    program_.at(id) = std::move(sum);
  }

  ast::Program& program_;
  std::string key_;
  std::int64_t by_;
};

const ast::Statement* statement_of(const ast::Program& program, const EquationInfo& info) {
  const auto found = std::ranges::find_if(
      program.statements, [&](const ast::Statement& s) { return s.span == info.span && s.equation.body.valid(); });
  return found == program.statements.end() ? nullptr : &*found;
}

}  // namespace

std::string Evaluator::with_matrix_products(const EquationInfo& info, bool of_matrices_only) const {
  if (!context_.program.matlab || context_.program.expressions.size() > most_expressions) return {};
  if (context_.diagnostics.error_count() > most_errors) return {};
  ast::Program copy = context_.program;
  const std::size_t count = copy.expressions.size();
  // Children come first, so the rank of a node is known when it is reached: as elaborated, or as it would be with the
  // products changed so far. A transposed vector is the vector.
  std::vector<std::size_t> ranks(count, 0);
  std::vector<char> transposed(count, 0);
  std::vector<ast::Id> stands_for(count);
  bool changed = false;
  for (std::uint32_t k = 0; k <= info.equation->body.index; ++k) {
    ast::Expression& e = copy.expressions[k];
    stands_for[k] = {k};
    for (auto& child : e.children)
      if (child.valid()) child = stands_for[child.index];
    const auto rank_of = [&](std::size_t child) { return ranks[e.children[child].index]; };
    const auto known = ranks_.find(k);
    if (known != ranks_.end()) ranks[k] = known->second;
    if (e.kind == ast::Kind::negate) ranks[k] = rank_of(0);
    if (e.kind == ast::Kind::transpose && rank_of(0) > 0) {
      ranks[k] = rank_of(0);
      if (ranks[k] == 1) stands_for[k] = e.children[0];
      transposed[stands_for[k].index] = 1;
    }
    if (e.kind != ast::Kind::binary) continue;
    const std::size_t left = rank_of(0), right = rank_of(1);
    const bool both = left > 0 && right > 0;
    const bool matrices = left == 2 || right == 2 || transposed[e.children[0].index] != 0;
    if (e.op == ast::Binary::multiply && !e.dotted && both && (matrices || !of_matrices_only)) {
      e.op = ast::Binary::matmul;
      transposed[k] = 1;  // what it is multiplied with next is meant so too
      changed = true;
    }
    ranks[k] = e.op == ast::Binary::matmul && both ? left + right - 2 : std::max(left, right);
  }
  if (!changed || (!of_matrices_only && ranks[info.equation->body.index] != 0)) return {};
  const ast::Statement* statement = statement_of(copy, info);
  return statement == nullptr ? std::string{} : format(copy, *statement, false);
}

/// `f[x] = x^2` of a value x: a function or another index is meant; empty where the index hides nothing.
std::string Evaluator::function_of(const EquationInfo& info, const std::string& index) const {
  constexpr std::uint32_t longest = 200;
  const Symbol* hidden = context_.find(name_key(index));
  if (hidden == nullptr || info.equation->left.size() != 1 || info.span.end - info.span.begin > longest) return {};
  const std::string& name = info.equation->name.text;
  const bool array = hidden->kind == Symbol::Kind::input && !context_.model.inputs[hidden->number].shape.empty();
  if (array)
    return "without an index it is the whole array: " + name + " = " + format(context_.program, info.equation->body);
  return "a function is written with parentheses: " + name + "(" + index +
         ") = " + format(context_.program, info.equation->body);
}

/// `z[i] = x[i] - x[i - 1]` as `z[i in 0..n - 1] = x[i + 1] - x[i]`; empty where it cannot be said shortly.
std::string Evaluator::counted_from_zero(const EquationInfo& info, const std::string& index, const IndexRange& range) {
  constexpr std::uint32_t longest = 200;
  const auto shift = sizes_.as_constant(range.begin);
  const bool is_short = info.span.end - info.span.begin <= longest;
  if (!shift || !is_short || context_.program.expressions.size() > most_expressions ||
      context_.diagnostics.error_count() > most_errors)
    return {};
  ast::Program copy = context_.program;
  const ast::Statement* found = statement_of(copy, info);
  if (found == nullptr) return {};
  ast::Statement statement = *found;
  const std::string key = name_key(index);
  if (!Shift(copy, key, *shift).run(statement.equation.body)) return {};
  for (ast::Equation::Left& left : statement.equation.left) {
    if (left.binder.name.key != key) continue;
    ast::Expression zero, end;
    end.kind = ast::Kind::name;
    end.name.text = end.name.key = sizes_.to_string(range.size);
    left.binder.begin = copy.add(std::move(zero));
    left.binder.end = copy.add(std::move(end));
  }
  return format(copy, statement, false);
}

}  // namespace gradus::elaboration
