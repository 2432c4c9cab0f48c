// Arithmetic operators: broadcasting, sums, products, matrix products, powers.
#include <algorithm>

#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {
namespace {

constexpr std::uint32_t most_spelled = 200;  // bytes of an expression that a message spells out

}  // namespace

bool Broadcast::add(Build& build, Value& value) {
  const std::size_t a = axes.size(), b = value.axes.size();
  for (std::size_t k = 1; k <= std::min(a, b); ++k) {
    Label& here = axes[a - k];
    const Label there = value.axes[b - k];
    if (here == there) continue;
    const FrameLabel& x = build.frame.labels[here];
    const FrameLabel& y = build.frame.labels[there];
    const Subscript first = build.graph.offset(Size{});
    const bool x_one = x.known && build.sizes().is_one(x.size), y_one = y.known && build.sizes().is_one(y.size);
    if (!x.known || !y.known || x.size == y.size) {
      const bool take = !x.known && y.known;  // the known extent is the better one to remember
      if (take) {
        for (Value* m : members) build.substitute(*m, here, build.bare(there));
        here = there;
      } else {
        build.substitute(value, there, build.bare(here));
      }
    } else if (y_one) {
      build.substitute(value, there, first);
    } else if (x_one) {
      for (Value* m : members) build.substitute(*m, here, first);
      here = there;
    } else {
      return false;
    }
  }
  if (b > a) axes.insert(axes.begin(), value.axes.begin(), value.axes.end() - static_cast<std::ptrdiff_t>(a));
  members.push_back(&value);
  return true;
}

bool Evaluator::small(const Subscript& s) const {
  constexpr std::int64_t limit = std::int64_t{1} << 31;
  const auto fine = [&](Size x) {
    const auto terms = sizes_.terms(x);
    return terms.size() <= 32 && std::ranges::all_of(terms, [&](const Sizes::Term& t) {
             return t.coefficient < limit && t.coefficient > -limit && t.atoms.size() <= 8;
           });
  };
  return s.labels.size() + s.data.size() <= 32 && fine(s.offset) &&
         std::ranges::all_of(s.labels, [&](const LabelTerm& t) { return fine(t.coefficient); }) &&
         std::ranges::all_of(s.data, [&](const DataTerm& t) { return fine(t.coefficient); });
}

Value Evaluator::shape_error(const ast::Expression& e, ast::Id left, ast::Id right, const Value& a, const Value& b) {
  const std::string sign = e.kind == ast::Kind::comparison ? "this comparison"
                           : e.op == ast::Binary::add      ? "'+'"
                           : e.op == ast::Binary::subtract ? "'-'"
                           : e.op == ast::Binary::divide   ? "'/'"
                           : e.op == ast::Binary::power    ? "'^'"
                                                           : "'*'";
  Diagnostic& d = error(e.mark.is_none() ? e.span : e.mark,
                        sign + " cannot align the shapes of " + named(left) + ", which is " + shape_of(a) + ", and " +
                            named(right) + ", which is " + shape_of(b),
                        {at(left).span, at(right).span});
  note_declaration(d, left);
  note_declaration(d, right);
  for (const bool first : {true, false}) {
    const std::string product = matrix_product(first ? left : right, first ? b : a);
    if (product.empty()) continue;
    d.help("a matrix product is written with '@': " + product);
    return Value::poison();
  }
  const auto is_name = [&](ast::Id id) { return at(id).kind == ast::Kind::name; };
  const auto indexed = [&](ast::Id id, std::size_t count) {
    const ast::Expression& x = at(id);
    const std::string base = is_name(id) ? x.name.text : "(" + text_of(id) + ")";
    return base + (count == 1 ? "[i]" : "[i, j]");
  };
  // A vector along the first axis of a matrix: the index form says so.
  if (e.kind == ast::Kind::binary && a.axes.size() == 2 && b.axes.size() == 1 &&
      build_.size(a.axes[0]) == build_.size(b.axes[0]))
    d.help("index notation says which axes meet: z[i, j] = " + indexed(left, 2) + " " +
           sign.substr(1, sign.size() - 2) + " " + indexed(right, 1));
  else if (e.kind == ast::Kind::binary && a.axes.size() == 1 && b.axes.size() == 2 &&
           build_.size(a.axes[0]) == build_.size(b.axes[0]))
    d.help("index notation says which axes meet: z[i, j] = " + indexed(left, 1) + " " +
           sign.substr(1, sign.size() - 2) + " " + indexed(right, 2));
  else if (e.kind == ast::Kind::binary && a.axes.size() == 1 && b.axes.size() == 1)
    d.help("a table of all pairs is an index form: z[i, j] = " + indexed(left, 1) + " " +
           sign.substr(1, sign.size() - 2) + " " + (is_name(right) ? at(right).name.text : "(" + text_of(right) + ")") +
           "[j]");
  else if (e.kind == ast::Kind::binary && a.axes.size() == 2 && b.axes.size() == 2 &&
           build_.size(a.axes[0]) == build_.size(b.axes[1]) && build_.size(a.axes[1]) == build_.size(b.axes[0]))
    d.help("transpose the second: " + (is_name(right) ? at(right).name.text : "(" + text_of(right) + ")") + ".T");
  return Value::poison();
}

/// `X*w` as `X @ w` where that has the shape of the other side of an operator; else empty.
std::string Evaluator::matrix_product(ast::Id id, const Value& other) {
  const ast::Expression& e = at(id);
  if (e.kind != ast::Kind::binary || e.op != ast::Binary::multiply || e.dotted) return {};
  const Value x = eval(e.children[0]), y = eval(e.children[1]);
  if (x.poisoned || y.poisoned || x.axes.empty() || y.axes.empty() || x.axes.size() + y.axes.size() < 3) return {};
  if (x.axes.size() > 2 || y.axes.size() > 2 || build_.size(x.axes.back()) != build_.size(y.axes[0])) return {};
  std::vector<Size> shape;
  if (x.axes.size() == 2) shape.push_back(build_.size(x.axes[0]));
  if (y.axes.size() == 2) shape.push_back(build_.size(y.axes[1]));
  if (shape.size() != other.axes.size()) return {};
  for (std::size_t k = 0; k < shape.size(); ++k)
    if (shape[k] != build_.size(other.axes[k])) return {};
  return text_of(e.children[0]) + " @ " + text_of(e.children[1]);
}

Value Evaluator::eval_sum(ast::Id id) {
  // The left spine, so that a long sum is one node and no recursion.
  std::vector<ast::Id> nodes;
  ast::Id first = id;
  while (at(first).kind == ast::Kind::binary &&
         (at(first).op == ast::Binary::add || at(first).op == ast::Binary::subtract)) {
    nodes.push_back(first);
    first = at(first).children[0];
  }
  std::ranges::reverse(nodes);
  std::vector<Value> terms;
  terms.reserve(nodes.size() + 1);
  std::vector<Rational> coefficients{1};
  terms.push_back(eval(first));
  Broadcast shape;
  bool poisoned = terms[0].poisoned;
  if (!poisoned) shape.add(build_, terms[0]);
  bool integers = terms[0].affine.has_value();
  Subscript total = integers ? *terms[0].affine : Subscript{};
  for (const ast::Id node : nodes) {
    const ast::Expression& e = at(node);
    terms.push_back(eval(e.children[1]));
    Value& next = terms.back();
    if (poisoned || next.poisoned) {
      poisoned = true;
      continue;
    }
    const bool minus = e.op == ast::Binary::subtract;
    coefficients.emplace_back(minus ? -1 : 1);
    Value before;  // for the message only
    before.axes = shape.axes;
    const Value read = next;
    if (!shape.add(build_, next)) {
      shape_error(e, e.children[0], e.children[1], before, read);
      poisoned = true;
      continue;
    }
    warn_table(e, before, read);
    integers = integers && next.affine.has_value();
    if (integers) {
      total = minus ? graph_.subtract(total, *next.affine) : graph_.add(total, *next.affine);
      integers = small(total);
    }
  }
  if (poisoned) return Value::poison();
  if (integers) {
    // Broadcasting may have renamed labels of earlier terms.
    total = *terms[0].affine;
    for (std::size_t k = 1; k < terms.size(); ++k)
      total =
          coefficients[k].sign() < 0 ? graph_.subtract(total, *terms[k].affine) : graph_.add(total, *terms[k].affine);
    return build_.integer(total, shape.axes);
  }
  // What cancels is gone, but inf - inf is no 0.
  bool above = false, below = false;
  for (std::size_t k = 0; k < terms.size(); ++k) {
    const int sign = coefficients[k].sign() * build_.sign_of_infinity(terms[k]);
    above = above || sign > 0;
    below = below || sign < 0;
  }
  if (above && below) return build_.not_a_number(shape.axes);
  return build_.sum(std::move(terms), coefficients, shape.axes);
}

/// `A^T (B)`: the exponent reads as a call of T.
bool Evaluator::is_call_of_t(ast::Id id) const {
  const ast::Expression& e = at(id);
  return e.kind == ast::Kind::call && e.name.text == "T" && e.children.size() == 1 && !silent_ &&
         context_.find("T") == nullptr && context_.functions.count("T") == 0 && find_binding("T") == nullptr;
}

/// A text that can stand before '@'.
std::string Evaluator::factor_text(ast::Id id) const {
  const ast::Expression& e = at(id);
  const bool product = e.kind == ast::Kind::binary && (e.op == ast::Binary::matmul || e.op == ast::Binary::multiply);
  return product && !e.parenthesised ? text_of(id) : operand_text(id);
}

/// The transpose of an operand as it is written: of a transpose what it transposes.
std::string Evaluator::transposed_text(ast::Id id) const {
  if (at(id).kind == ast::Kind::transpose) return operand_text(at(id).children[0]);
  return operand_text(id) + ".T";
}

/// `x^1/2`, which is half of x.
void Evaluator::warn_root(const ast::Expression& e) {
  const ast::Expression& power = at(e.children[0]);
  const ast::Expression& divisor = at(e.children[1]);
  if (e.op != ast::Binary::divide || power.kind != ast::Kind::binary || power.op != ast::Binary::power ||
      power.parenthesised || divisor.kind != ast::Kind::number)
    return;
  const ast::Expression& exponent = at(power.children[1]);
  const bool minus = exponent.kind == ast::Kind::negate;
  const ast::Expression& number = minus ? at(exponent.children[0]) : exponent;
  if (number.kind != ast::Kind::number || number.value != Rational(1) || exponent.parenthesised) return;
  const std::string base = text_of(power.children[0]), sign = minus ? "-" : "", n = text_of(e.children[1]);
  warning(e.mark, "'^' binds tighter than '/'; a root is " + base + "^(" + sign + "1/" + n + ")",
          {power.span, divisor.span});
}

void Evaluator::warn_table(const ast::Expression& e, const Value& a, const Value& b) {
  // [n, 1] meets [n]: the table nobody meant.
  const auto column = [&](const Value& x, const Value& y) {
    return x.axes.size() == 2 && y.axes.size() == 1 && frame_.labels[x.axes[1]].known &&
           frame_.labels[x.axes[0]].known && frame_.labels[y.axes[0]].known && sizes_.is_one(build_.size(x.axes[1])) &&
           build_.size(x.axes[0]) == build_.size(y.axes[0]) && !sizes_.is_one(build_.size(x.axes[0]));
  };
  if (!column(a, b) && !column(b, a)) return;
  const bool first = column(a, b);
  const std::string n = sizes_.to_string(build_.size(first ? b.axes[0] : a.axes[0]));
  const ast::Id side = e.children.size() == 2 ? e.children[first ? 0 : 1] : ast::Id{};
  const std::string text = side.valid() && named(side) != "this value" ? operand_text(side) : "X";
  warning(e.mark.is_none() ? e.span : e.mark, "[" + n + ", 1] and [" + n + "] make a table of shape [" + n + ", " + n +
                                                  "]; take " + text + "[:, 0] for the column");
}

std::optional<Value> Evaluator::affine_product(const Value& a, const Value& b, const std::vector<Label>& axes) {
  if (!a.affine || !b.affine) return std::nullopt;
  const bool left = a.affine->is_constant(), right = b.affine->is_constant();
  if (!left && !right) return std::nullopt;
  const Subscript& s = left ? *b.affine : *a.affine;
  const Subscript out = graph_.scale(s, left ? a.affine->offset : b.affine->offset);
  if (!small(out)) return std::nullopt;
  return build_.integer(out, axes);
}

Value Evaluator::eval_product(ast::Id id) {
  std::vector<ast::Id> nodes;
  ast::Id first = id;
  const auto is_product = [&](ast::Id x) {
    const ast::Expression& e = at(x);
    return e.kind == ast::Kind::binary &&
           (e.op == ast::Binary::multiply || e.op == ast::Binary::divide || e.op == ast::Binary::matmul);
  };
  while (is_product(first)) {
    nodes.push_back(first);
    first = at(first).children[0];
  }
  std::ranges::reverse(nodes);
  // Factors of the product so far; a matrix product or an integer form closes it into one value.
  std::deque<Value> factors;
  Broadcast shape;
  const auto restart = [&](Value v) {
    factors.clear();
    shape = {};
    factors.push_back(std::move(v));
    shape.add(build_, factors.back());
  };
  const auto close = [&]() -> Value {
    if (factors.size() == 1) return factors[0];
    const auto is_zero = [&](const Value& v) { return build_.is_constant(v, 0); };
    const auto is_infinite = [&](const Value& v) { return build_.sign_of_infinity(v) != 0; };
    if (std::ranges::any_of(factors, is_zero) && std::ranges::any_of(factors, is_infinite))
      return build_.not_a_number(shape.axes);
    Value v = build_.product({factors.begin(), factors.end()}, shape.axes);
    const bool number = !v.lazy && v.operand.expr.valid() && !graph_[v.operand.expr].coefficients.empty();
    if (number && !graph_[v.operand.expr].coefficients[0].as_int64() &&
        !graph_[v.operand.expr].coefficients[0].power(1))  // more than max_bits bits
      return fail(at(id).span,
                  "the exact number in this product needs more than " + std::to_string(Rational::max_bits) + " bits");
    return v;
  };
  Value start = eval(first);
  bool poisoned = start.poisoned;
  if (!poisoned) restart(std::move(start));
  // The product so far as it is meant, for the warnings of files in MATLAB's manner.
  const bool is_matlab = context_.program.matlab && at(id).span.end - at(id).span.begin <= most_spelled;
  std::string spelled = is_matlab ? text_of(first) : "";
  for (const ast::Id node : nodes) {
    const ast::Expression& e = at(node);
    Value next = eval(e.children[1]);
    if (poisoned || next.poisoned) {
      poisoned = true;
      continue;
    }
    if (e.op == ast::Binary::matmul) {
      Value v = matmul(close(), std::move(next), e.children[0], e);
      poisoned = v.poisoned;
      if (!poisoned) restart(std::move(v));
      if (is_matlab) spelled += " @ " + text_of(e.children[1]);
      continue;
    }
    Value before;
    before.axes = shape.axes;
    const Value read = next;
    if (matlab_warning(e, spelled, before, read))
      spelled += " @ " + text_of(e.children[1]);
    else if (is_matlab)
      spelled += std::string(e.dotted ? " ." : "") + (e.op == ast::Binary::divide ? "/" : "*") + (e.dotted ? " " : "") +
                 text_of(e.children[1]);
    warn_root(e);
    if (e.op == ast::Binary::divide) {
      const auto axes = next.axes;
      next = build_.elementwise(Function::power, {std::move(next), build_.constant(-1)}, axes);
    }
    factors.push_back(std::move(next));
    if (!shape.add(build_, factors.back())) {
      shape_error(e, e.children[0], e.children[1], before, read);
      poisoned = true;
      continue;
    }
    warn_table(e, before, read);
    if (factors.size() == 2 && e.op == ast::Binary::multiply)
      if (auto integer = affine_product(factors[0], factors[1], shape.axes)) restart(std::move(*integer));
  }
  return poisoned ? Value::poison() : close();
}

Value Evaluator::matmul(Value a, Value b, ast::Id left, const ast::Expression& e) {
  const ast::Id right = e.children[1];
  if (a.axes.empty() || b.axes.empty()) {
    Diagnostic& d = error(e.mark, "'@' needs two arrays, but " + named(a.axes.empty() ? left : right) + " is a scalar",
                          {at(left).span, at(right).span});
    d.help("multiply by a scalar with '*': " + text_of(left) + " * " + text_of(right));
    return Value::poison();
  }
  b = build_.fresh(std::move(b));
  const std::size_t row = b.axes.size() == 1 ? 0 : b.axes.size() - 2;
  const Label inner = a.axes.back(), other = b.axes[row];
  const FrameLabel x = frame_.labels[inner], y = frame_.labels[other];
  if (x.known && y.known && x.size != y.size) {
    Diagnostic& d = error(e.mark,
                          "'@' needs matching inner sizes, but " + named(left) + " is " + shape_of(a) + " and " +
                              named(right) + " is " + shape_of(b),
                          {at(left).span, at(right).span});
    note_declaration(d, left);
    note_declaration(d, right);
    const ast::Expression& r = at(right);
    const Symbol* s =
        r.kind == ast::Kind::name && find_binding(r.name.key) == nullptr ? context_.find(r.name.key) : nullptr;
    const bool input = s != nullptr && s->kind == Symbol::Kind::input && b.axes.size() == 1;
    if (input) d.help("declare " + s->text + "[" + sizes_.to_string(x.size) + "]");
    if (b.axes.size() == 2 && frame_.labels[b.axes[1]].known && build_.size(b.axes[1]) == x.size)
      d.help(
          std::string(at(right).kind == ast::Kind::transpose ? "without the transpose: " : "transpose the second: ") +
          factor_text(left) + " @ " + transposed_text(right));
    else if (a.axes.size() == 2 && frame_.labels[a.axes[0]].known && build_.size(a.axes[0]) == y.size)
      d.help(std::string(input ? "or " : "") +
             (at(left).kind == ast::Kind::transpose ? "without the transpose: " : "transpose the first: ") +
             transposed_text(left) + " @ " + operand_text(right));
    return Value::poison();
  }
  Label shared = inner;
  if (!x.known && y.known) {
    build_.substitute(a, inner, build_.bare(other));
    shared = other;
  } else {
    build_.substitute(b, other, build_.bare(inner));
  }
  std::vector<Label> rows, columns;
  if (a.axes.size() > 1) rows = {a.axes[a.axes.size() - 2]};
  if (b.axes.size() > 1) columns = {b.axes.back()};
  a.axes.resize(a.axes.size() > 1 ? a.axes.size() - 2 : 0);
  b.axes.resize(b.axes.size() > 1 ? b.axes.size() - 2 : 0);
  Broadcast batch;
  batch.add(build_, a);
  Value batch_a;
  batch_a.axes = a.axes;
  const Value batch_b = b;
  if (!batch.add(build_, b))
    return fail(e.mark, "'@' cannot align the leading axes " + shape_of(batch_a) + " and " + shape_of(batch_b),
                {at(left).span, at(right).span});
  std::vector<Label> axes = batch.axes;
  axes.insert(axes.end(), rows.begin(), rows.end());
  axes.insert(axes.end(), columns.begin(), columns.end());
  std::vector<Value> factors;
  factors.push_back(std::move(a));
  factors.push_back(std::move(b));
  return build_.product(std::move(factors), std::move(axes), {shared});
}

Value Evaluator::eval_power(ast::Id id) {
  const ast::Expression& e = at(id);
  const ast::Id left = e.children[0], right = e.children[1];
  const ast::Expression& base = at(left);
  if (base.kind == ast::Kind::name && base.name.text == "e" && !silent_ && context_.find("e") == nullptr &&
      find_binding("e") == nullptr && context_.reported_names.insert("e").second) {
    error(base.span, "e is not declared").help("a power of the number e is written exp(" + text_of(right) + ")");
    return Value::poison();
  }
  if (base.kind == ast::Kind::name && base.name.key == "exp" && !silent_ && context_.find("exp") == nullptr &&
      find_binding("exp") == nullptr && context_.functions.count("exp") == 0) {
    error(base.span, "exp is a function").help("write exp(" + text_of(right) + ")");
    return Value::poison();
  }
  if (is_call_of_t(right)) {
    error(e.mark, "'^T' is no transpose", {base.span, at(right).span})
        .help("write " + operand_text(left) + ".T @ " + operand_text(at(right).children[0]));
    return Value::poison();
  }
  Value a = eval(left);
  const ast::Expression& exponent = at(right);
  if (exponent.kind == ast::Kind::name && exponent.name.text == "T" && !exponent.parenthesised && !a.poisoned &&
      !a.axes.empty()) {
    error(e.mark.is_none() ? e.span : e.mark, "'^T' is no transpose: " + named(left) + " is " + shape_of(a), {e.span})
        .help("write " + text_of(left) + ".T; a power by a value T is " + text_of(left) + "^(T)");
    return Value::poison();
  }
  Value b = eval(right);
  if (a.poisoned || b.poisoned) return Value::poison();
  const bool square = a.axes.size() == 2 && build_.size(a.axes[0]) == build_.size(a.axes[1]);
  if (a.axes.size() == 2 && exponent.kind == ast::Kind::negate && !e.dotted && build_.is_constant(b, -1)) {
    error(e.mark.is_none() ? e.span : e.mark,
          "'^-1' is elementwise, but " + named(left) + " is a matrix " + shape_of(a), {e.span})
        .help("write inv(" + text_of(left) + ") for the inverse, or 1/" + text_of(left) + " for the elementwise one");
    return Value::poison();
  }
  if (square && !e.dotted && activation().program->matlab && !activation().prelude)
    warning(e.mark.is_none() ? e.span : e.mark,
            "'^' is elementwise; a power of the matrix is matrix_power(" + text_of(left) + ", " + text_of(right) + ")");
  if (const Rational *base = build_.constant_value(a), *power = build_.constant_value(b);
      base != nullptr && power != nullptr)
    if (power->is_integer() && !base->is_zero() && (!power->as_int64() || !base->power(*power->as_int64())) &&
        *base != Rational(1) && *base != Rational(-1))
      return fail(e.span, "this power has too many digits for an exact number (the limit is " +
                              std::to_string(Rational::max_bits) +
                              " bits); exp(y*log(x)) is computed in floating point");
  Broadcast shape;
  const Value read_a = a, read_b = b;
  shape.add(build_, a);
  if (!shape.add(build_, b)) return shape_error(e, left, right, read_a, read_b);
  const auto axes = shape.axes;
  return build_.elementwise(Function::power, {std::move(a), std::move(b)}, axes);
}

bool Evaluator::matlab_warning(const ast::Expression& e, const std::string& left, const Value& a, const Value& b) {
  if (!activation().program->matlab || activation().prelude || e.dotted) return false;
  const std::size_t x = a.axes.size(), y = b.axes.size();
  if (!(x == 2 && y >= 1 && y <= 2) && !(x == 1 && y == 2)) return false;
  const std::vector<Span> sides = {at(e.children[0]).span, at(e.children[1]).span};
  const bool product = e.op == ast::Binary::multiply;
  if (product)
    warning(e.mark,
            "'*' is elementwise here; the matrix product is " +
                (left.empty() ? "written with '@'" : left + " @ " + text_of(e.children[1])),
            sides);
  else
    warning(e.mark, "'/' is elementwise here; a system of equations is solved by solve(A, b)", sides);
  return product;
}

}  // namespace gradus::elaboration
