// The functions of arrays: reductions and along-axis functions as calls, constructors, joins, shapes, matrices.
#include <algorithm>

#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {

struct Evaluator::ArrayFunction {
  const char* name;
  std::size_t least, most;  // arguments
  bool axis;                // takes axis=
  Value (Evaluator::*handler)(ast::Id);
};

const Evaluator::ArrayFunction* Evaluator::array_function(const std::string& name) {
  constexpr std::size_t any = SIZE_MAX;
  using E = Evaluator;
  static const ArrayFunction table[] = {
      {"sum", 1, 1, true, &E::reduction_call},
      {"prod", 1, 1, true, &E::reduction_call},
      {"mean", 1, 1, true, &E::reduction_call},
      {"var", 1, 1, true, &E::reduction_call},
      {"std", 1, 1, true, &E::reduction_call},
      {"any", 1, 1, true, &E::reduction_call},
      {"all", 1, 1, true, &E::reduction_call},
      {"logsumexp", 1, 1, true, &E::reduction_call},
      {"argmax", 1, 1, true, &E::reduction_call},
      {"argmin", 1, 1, true, &E::reduction_call},
      {"median", 1, 1, true, &E::quantile_call},
      {"quantile", 2, 2, true, &E::quantile_call},
      {"norm", 1, 2, true, &E::norm_call},
      {"norm1", 1, 1, false, &E::norm_call},
      {"norm2", 1, 1, false, &E::norm_call},
      {"softmax", 1, 1, true, &E::along_axis},
      {"log_softmax", 1, 1, true, &E::along_axis},
      {"cumsum", 1, 1, true, &E::along_axis},
      {"cumprod", 1, 1, true, &E::along_axis},
      {"sort", 1, 1, true, &E::along_axis},
      {"argsort", 1, 1, true, &E::along_axis},
      {"zeros", 1, any, false, &E::filled},
      {"ones", 1, any, false, &E::filled},
      {"eye", 1, 1, false, &E::eye},
      {"range", 1, 1, false, &E::range_of},
      {"diag", 1, 1, false, &E::diag},
      {"outer", 2, 2, false, &E::outer},
      {"dot", 2, 2, false, &E::dot},
      {"reshape", 2, any, false, &E::reshape},
      {"concat", 1, any, true, &E::concat},
      {"stack", 1, any, true, &E::stack},
      {"tril", 1, 1, false, &E::triangle},
      {"triu", 1, 1, false, &E::triangle},
      {"transpose", 1, any, false, &E::transpose},
      {"tr", 1, 1, false, &E::trace},
      {"where", 3, 3, false, &E::where},
      {"pick", 2, 2, false, &E::pick},
      {"det", 1, 1, false, &E::matrix_function},
      {"logdet", 1, 1, false, &E::matrix_function},
      {"inv", 1, 1, false, &E::matrix_function},
      {"cholesky", 1, 1, false, &E::matrix_function},
      {"expm", 1, 1, false, &E::matrix_function},
      {"eigvalsh", 1, 1, false, &E::matrix_function},
      {"matrix_power", 2, 2, false, &E::matrix_function},
  };
  static const auto index = [] {
    std::unordered_map<std::string, const ArrayFunction*> out;
    for (const auto& f : table) out.emplace(f.name, &f);
    return out;
  }();
  const auto found = index.find(name);
  return found == index.end() ? nullptr : found->second;
}

bool Evaluator::takes_axis(const std::string& name) {
  const ArrayFunction* f = array_function(name);
  return (f != nullptr && f->axis) || name == "max" || name == "min";
}

bool Evaluator::is_array_function(const std::string& name) { return name != "pick" && array_function(name) != nullptr; }

std::vector<std::string> Evaluator::array_function_names() {
  std::vector<std::string> out;
  for (const char* name :
       {"sum",          "prod",   "mean",     "var",         "std",     "any",     "all",      "logsumexp", "argmax",
        "argmin",       "norm",   "softmax",  "log_softmax", "cumsum",  "cumprod", "zeros",    "ones",      "eye",
        "range",        "diag",   "outer",    "dot",         "reshape", "concat",  "stack",    "tril",      "triu",
        "transpose",    "tr",     "where",    "det",         "logdet",  "inv",     "cholesky", "expm",      "eigvalsh",
        "matrix_power", "median", "quantile", "sort",        "argsort"})
    out.emplace_back(name);
  return out;
}

Value Evaluator::call_array(const ArrayFunction& f, ast::Id id) {
  if (std::string_view(f.name) == "pick" && !activation().prelude) return unknown_function(id);
  if (!keywords(id, f.axis)) return Value::poison();
  if (f.axis && axis_without_name(id, f.most)) return Value::poison();
  if (f.handler == &Evaluator::filled || f.handler == &Evaluator::reshape) {
    if (at(id).children.size() > f.least - 1 + most_axes)
      return fail(at(id).span, "an array has at most " + std::to_string(most_axes) + " axes");
  }
  if (shape_in_list(id) || !arity(id, f.least, f.most)) return Value::poison();
  return (this->*f.handler)(id);
}

Value Evaluator::reduction_call(ast::Id id) {
  const ast::Expression& e = at(id);
  const std::string& name = e.name.key;
  if (name == "max" || name == "min") {
    if (e.children.size() == 2 && e.keywords.empty())
      return call_elementwise(name == "max" ? Function::maximum : Function::minimum, id);
    if (!keywords(id, true) || !arity(id, 1, 2)) return Value::poison();
    if (e.children.size() == 2) {
      error(e.keywords[0].name.span, name + " of two values is elementwise and takes no axis");
      return Value::poison();
    }
  }
  Value v = eval(e.children[0]);
  if (v.poisoned) return v;
  build_.operand(v);
  auto reduced = reduced_axes(e, v);
  if (!reduced) return Value::poison();
  auto& [axes, bound] = *reduced;
  const bool position = name == "argmax" || name == "argmin";
  if (position && bound.size() > 1) {
    // The position in row-major order.
    Size count = sizes_.constant(1);
    for (const Label l : bound) count = sizes_.multiply(count, build_.size(l));
    v = build_.reshape(std::move(v), {count});
    bound = v.axes;
  }
  return reduce_over(name, std::move(v), axes, bound, {}, e.span, id);
}

Value Evaluator::norm_call(ast::Id id) {
  const ast::Expression& e = at(id);
  Value v = eval(e.children[0]);
  Value order = build_.constant(e.name.key == "norm1" ? 1 : 2);
  if (e.children.size() > 1) order = eval(e.children[1]);
  if (v.poisoned || order.poisoned) return Value::poison();
  if (!order.axes.empty())
    return fail(at(e.children[1]).span, "the order of a norm is a scalar, not " + shape_of(order));
  if (const Rational* p = build_.constant_value(order); p != nullptr && p->is_zero()) {
    error(e.span, "the order of a norm is positive")
        .help("how many are not 0 is sum(" + operand_text(e.children[0]) + " != 0)");
    return Value::poison();
  }
  build_.operand(v);
  build_.operand(order);
  auto reduced = reduced_axes(e, v);
  if (!reduced) return Value::poison();
  auto& [axes, bound] = *reduced;
  return norm_over(std::move(v), axes, bound, {}, order, e.span);
}

Value Evaluator::along_axis(ast::Id id) {
  const ast::Expression& e = at(id);
  Value v = eval(e.children[0]);
  if (v.poisoned) return v;
  if (v.axes.empty())
    return fail(e.span, e.name.text + " runs along an axis, but " + named(e.children[0]) + " is a scalar");
  std::size_t axis = v.axes.size() - 1;
  if (!e.keywords.empty()) {
    const auto given = axis_number(e.keywords[0].value, v.axes.size(), e.span,
                                   named(e.children[0]) + ", which is " + shape_of(v) + ",");
    if (!given) return Value::poison();
    axis = *given;
  }
  if (e.name.key == "softmax") return scaled_softmax(SoftmaxKind::softmax, std::move(v), axis);
  if (e.name.key == "log_softmax") return scaled_softmax(SoftmaxKind::log_softmax, std::move(v), axis);
  if (e.name.key == "sort" || e.name.key == "argsort") {
    build_.operand(v);
    std::vector<Label> axes = v.axes;
    const Label along = axes[axis];
    axes[axis] = build_.like(along);
    v = in_order(e.name.key, std::move(v), along, build_.bare(axes[axis]), {}, {});
    v.axes = std::move(axes);
    return v;
  }
  return running(std::move(v), axis, e.name.key == "cumprod");
}

std::optional<Size> Evaluator::size_argument(ast::Id id) {
  size_position_ = true;
  const Value v = eval(id);
  size_position_ = false;
  if (v.poisoned) return std::nullopt;
  if (!v.affine || !v.axes.empty() || !v.affine->is_constant()) {
    Diagnostic& d = error(at(id).span, named(id) + " is no size: a size is affine in names of sizes");
    explain_number(d, id);
    return std::nullopt;
  }
  if (sizes_.is_negative(v.affine->offset)) {
    error(at(id).span, "a size is not negative: " + text_of(id));
    return std::nullopt;
  }
  if (!frame_.dry && !sizes_.is_nonnegative(v.affine->offset))
    require(v.affine->offset, false, "the size " + sizes_.to_string(v.affine->offset) + " must not be negative",
            at(id).span);
  return v.affine->offset;
}

Value Evaluator::filled(ast::Id id) {
  const ast::Expression& e = at(id);
  Value v = build_.constant(e.name.key == "ones" ? 1 : 0);
  v.affine.reset();
  for (const ast::Id child : e.children) {
    const auto size = size_argument(child);
    if (!size) return Value::poison();
    v.axes.push_back(build_.axis(*size));
  }
  return v;
}

Value Evaluator::eye(ast::Id id) {
  const auto size = size_argument(at(id).children[0]);
  if (!size) return Value::poison();
  const Label i = build_.axis(*size), j = build_.axis(*size);
  const Guard same{Guard::Kind::zero, graph_.subtract(build_.bare(i), build_.bare(j)), {}};
  return build_.product({build_.constant(1)}, {i, j}, {}, {same});
}

Value Evaluator::range_of(ast::Id id) {
  const auto size = size_argument(at(id).children[0]);
  if (!size) return Value::poison();
  const Label i = build_.axis(*size);
  return build_.integer(build_.bare(i), {i});
}

bool Evaluator::square(const Value& v, ast::Id id, const std::string& name) {
  const std::size_t rank = v.axes.size();
  if (rank >= 2) {
    const FrameLabel &x = frame_.labels[v.axes[rank - 2]], &y = frame_.labels[v.axes[rank - 1]];
    if (!x.known || !y.known || x.size == y.size) return true;
  }
  const ast::Expression& e = at(id);
  Diagnostic& d = error(e.span, name + " needs a square matrix, but " + named(e.children[0]) + " is " + shape_of(v));
  note_declaration(d, e.children[0]);
  return false;
}

Value Evaluator::diag(ast::Id id) {
  const ast::Expression& e = at(id);
  Value v = eval(e.children[0]);
  if (v.poisoned) return v;
  build_.operand(v);
  if (v.axes.size() == 1) {
    const Label i = v.axes[0], j = build_.like(i);
    const Guard same{Guard::Kind::zero, graph_.subtract(build_.bare(i), build_.bare(j)), {}};
    return build_.product({std::move(v)}, {i, j}, {}, {same});
  }
  if (v.axes.size() != 2)
    return fail(e.span, "diag takes a vector or a matrix, but " + named(e.children[0]) + " is " + shape_of(v));
  if (!square(v, id, "diag")) return Value::poison();
  build_.substitute(v, v.axes[1], build_.bare(v.axes[0]));
  v.axes.pop_back();
  v.affine.reset();
  v.identity = 0;
  return v;
}

/// `outer` and `dot` of something that is no vector.
Value Evaluator::not_two_vectors(ast::Id id, std::size_t argument, const Value& value) {
  const ast::Expression& e = at(id);
  Diagnostic& d =
      error(e.span, e.name.text + " takes two vectors, but " + named(e.children[argument]) + " is " + shape_of(value));
  note_declaration(d, e.children[argument]);
  if (e.name.text == "dot" && value.axes.size() == 2) d.help("a product of matrices is written with '@'");
  return Value::poison();
}

Value Evaluator::outer(ast::Id id) {
  auto values = arguments(id);
  if (!values) return Value::poison();
  for (std::size_t k = 0; k < 2; ++k)
    if ((*values)[k].axes.size() != 1) return not_two_vectors(id, k, (*values)[k]);
  const std::vector<Label> axes{(*values)[0].axes[0], (*values)[1].axes[0]};
  return build_.product(std::move(*values), axes);
}

Value Evaluator::dot(ast::Id id) {
  const ast::Expression& e = at(id);
  auto values = arguments(id);
  if (!values) return Value::poison();
  for (std::size_t k = 0; k < 2; ++k)
    if ((*values)[k].axes.size() != 1) return not_two_vectors(id, k, (*values)[k]);
  Value &a = (*values)[0], &b = (*values)[1];
  const FrameLabel x = frame_.labels[a.axes[0]], y = frame_.labels[b.axes[0]];
  if (x.known && y.known && x.size != y.size) {
    Diagnostic& d = error(e.span, "dot needs vectors of one size, but " + named(e.children[0]) + " is " + shape_of(a) +
                                      " and " + named(e.children[1]) + " is " + shape_of(b));
    note_declaration(d, e.children[0]);
    note_declaration(d, e.children[1]);
    return Value::poison();
  }
  const Label shared = a.axes[0];
  build_.substitute(b, b.axes[0], build_.bare(shared));
  return build_.product(std::move(*values), {}, {shared});
}

Value Evaluator::triangle(ast::Id id) {
  const ast::Expression& e = at(id);
  Value v = eval(e.children[0]);
  if (v.poisoned) return v;
  const std::size_t rank = v.axes.size();
  if (rank < 2)
    return fail(e.span, e.name.text + " takes a matrix, but " + named(e.children[0]) + " is " + shape_of(v));
  const Subscript row = build_.bare(v.axes[rank - 2]), column = build_.bare(v.axes[rank - 1]);
  const bool lower = e.name.key == "tril";
  const Guard kept{Guard::Kind::nonnegative, lower ? graph_.subtract(row, column) : graph_.subtract(column, row), {}};
  const std::vector<Label> axes = v.axes;
  return build_.product({std::move(v)}, axes, {}, {kept});
}

Value Evaluator::trace(ast::Id id) {
  Value v = eval(at(id).children[0]);
  if (v.poisoned) return v;
  if (!square(v, id, at(id).name.text)) return Value::poison();
  build_.operand(v);
  const Label column = v.axes.back();
  v.axes.pop_back();
  const Label row = v.axes.back();
  v.axes.pop_back();
  build_.substitute(v, column, build_.bare(row));
  const std::vector<Label> axes = v.axes;
  return build_.product({std::move(v)}, axes, {row});
}

Value Evaluator::where(ast::Id id) {
  const ast::Expression& e = at(id);
  return choose(e.children[0], e.children[1], e.children[2], e.span);
}

Value Evaluator::pick(ast::Id id) {
  const ast::Expression& e = at(id);
  auto values = arguments(id);
  if (!values) return Value::poison();
  user_words_ = true;
  Value out = picked(e, std::move((*values)[0]), std::move((*values)[1]));
  user_words_ = false;
  return out;
}

Value Evaluator::picked(const ast::Expression& e, Value v, Value c) {
  if (v.axes.empty()) return fail(e.span, "class scores need an axis of classes, but there is a scalar");
  if (!c.affine) return fail(e.span, "classes are index data: declare data c[n] : index(k)");
  build_.operand(v);
  const Label classes = v.axes.back();
  v.axes.pop_back();
  if (v.axes.size() != c.axes.size())
    return fail(e.span, "there is one class for each row, but the scores have " + counted(v.axes.size() + 1, "axis") +
                            " and the classes " + counted(c.axes.size(), "axis"));
  Broadcast shape;
  const Value read_v = v, read_c = c;
  shape.add(build_, v);
  if (!shape.add(build_, c))
    return fail(e.span, "there is one class for each row, but the rows are " + shape_of(read_v) + " and the classes " +
                            shape_of(read_c));
  const Subscript& place = *c.affine;
  if (place.data.size() == 1 && frame_.labels[classes].known) {
    const auto bound = graph_.index_bound(place.data[0].data);
    if (bound && *bound != build_.size(classes) && place.labels.empty())
      return fail(e.span, "the classes are index(" + sizes_.to_string(*bound) + ") data, but the scores have " +
                              sizes_.to_string(build_.size(classes)) + " classes");
  }
  check_inside(place, classes, e.span, {"the scores", "class", "the class"}, false);
  build_.substitute(v, classes, place);
  v.axes = shape.axes;
  v.affine.reset();
  v.identity = 0;
  return v;
}

Value Evaluator::matrix_function(ast::Id id) {
  const ast::Expression& e = at(id);
  auto values = arguments(id);
  if (!values || !square(values->front(), id, e.name.text)) return Value::poison();
  return not_supported(e.name.span, e.name.text);
}

Value Evaluator::norm(ast::Id id) {
  const ast::Expression& e = at(id);
  Value v = eval(e.children[0]);
  Value order = build_.constant(e.order == ast::NormOrder::one ? 1 : 2);
  if (e.order == ast::NormOrder::infinity) order = eval_infinity();
  if (e.order_value.valid()) order = eval(e.order_value);
  if (v.poisoned || order.poisoned) return Value::poison();
  build_.operand(v);
  build_.operand(order);
  if (!order.axes.empty())
    return fail(at(e.order_value).span, "the order of a norm is a scalar, not " + shape_of(order));
  if (e.order_value.valid() && build_.is_constant(order, 2) && v.axes.size() == 2) {
    const std::string inner = text_of(e.children[0]);
    error(e.span, "the 2-norm of a matrix: of its entries or of its singular values?")
        .help("the entries: ‖" + inner + "‖; the largest singular value: max(svdvals(" + inner + "))");
    return Value::poison();
  }
  const std::vector<Label> bound = v.axes;
  return norm_over(std::move(v), {}, bound, {}, order, e.span);
}

Value Evaluator::eval_infinity() {
  Value v;
  v.operand.expr = graph_.named_constant(Function::infinity);
  return v;
}

}  // namespace gradus::elaboration
