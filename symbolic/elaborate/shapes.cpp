// Functions that rearrange or join arrays: transpose, reshape, concat, stack, literals.
#include <algorithm>
#include <cstdlib>
#include <map>

#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {

Value Evaluator::transposed(ast::Id id) {
  const ast::Expression& e = at(id);
  Value v = eval(e.children[0]);
  if (v.poisoned) return v;
  const std::size_t rank = v.axes.size();
  const ast::Kind kind = at(e.children[0]).kind;
  if (kind == ast::Kind::vector) return fail(e.span, "a literal is written as it is meant, not transposed");
  if (rank == 0) return fail(e.span, named(e.children[0]) + " is a scalar and has no transpose");
  if (rank >= 2) std::swap(v.axes[rank - 1], v.axes[rank - 2]);
  v.identity = 0;
  return v;
}

Value Evaluator::transpose(ast::Id id) {
  const ast::Expression& e = at(id);
  Value v = eval(e.children[0]);
  if (v.poisoned) return v;
  const std::size_t rank = v.axes.size();
  v.identity = 0;
  if (e.children.size() == 1) {
    if (rank == 0) return fail(e.span, "a scalar has no transpose");
    if (rank >= 2) std::swap(v.axes[rank - 1], v.axes[rank - 2]);
    return v;
  }
  if (e.children.size() - 1 != rank)
    return fail(e.span, "transpose names each axis once: " + named(e.children[0]) + " has " + counted(rank, "axis") +
                            ", and " + std::to_string(e.children.size() - 1) +
                            (e.children.size() == 2 ? " is named" : " are named"));
  std::vector<Label> axes;
  std::vector<bool> seen(rank, false);
  for (std::size_t k = 1; k < e.children.size(); ++k) {
    const auto axis = axis_number(e.children[k], rank, at(e.children[k]).span,
                                  named(e.children[0]) + ", which is " + shape_of(v) + ",");
    if (!axis) return Value::poison();
    if (seen[*axis]) return fail(at(e.children[k]).span, "the axis " + std::to_string(*axis) + " stands twice");
    seen[*axis] = true;
    axes.push_back(v.axes[*axis]);
  }
  v.axes = std::move(axes);
  return v;
}

namespace {

/// Whether a polynomial is not 0 wherever all sizes are at least 2: written in sizes less 2, its coefficients have one
/// sign and the constant one is not 0.
bool never_zero(const Sizes& sizes, Size s) {
  constexpr std::size_t most_factors = 8;
  std::map<std::vector<SizeAtom>, std::int64_t> shifted;
  for (const Sizes::Term& term : sizes.terms(s)) {
    if (term.atoms.size() > most_factors || std::abs(term.coefficient) > (std::int64_t{1} << 40)) return false;
    for (const SizeAtom atom : term.atoms)
      if (sizes.atom(atom).kind != Sizes::AtomKind::name) return false;
    for (std::size_t kept = 0; kept < (std::size_t{1} << term.atoms.size()); ++kept) {
      std::vector<SizeAtom> atoms;
      std::int64_t coefficient = term.coefficient;
      for (std::size_t k = 0; k < term.atoms.size(); ++k) {
        if ((kept >> k & 1) != 0)
          atoms.push_back(term.atoms[k]);
        else
          coefficient *= 2;
      }
      shifted[atoms] += coefficient;
    }
  }
  const std::int64_t constant = shifted[{}];
  return constant != 0 && std::ranges::all_of(shifted, [&](const auto& entry) {
           return entry.second == 0 || (entry.second > 0) == (constant > 0);
         });
}

}  // namespace

/// `reshape(X, -1, d)` with the size that is meant, where it is one.
std::string Evaluator::with_all_sizes(const ast::Expression& call, std::size_t open, Size count) {
  std::vector<std::string> list;
  Size others = sizes_.constant(1);
  for (std::size_t k = 1; k < call.children.size(); ++k) {
    list.push_back(text_of(call.children[k]));
    if (k == open) continue;
    const Value v = eval(call.children[k]);
    if (v.poisoned || !v.affine || !v.affine->is_constant()) return {};
    others = sizes_.multiply(others, v.affine->offset);
  }
  const auto size = sizes_.is_one(others) ? std::optional<Size>(count) : sizes_.divide(count, others);
  if (!size) return {};
  list[open - 1] = sizes_.to_string(*size);
  std::string out = "reshape(" + text_of(call.children[0]);
  for (const std::string& one : list) out += ", " + one;
  return out + ")";
}

Value Evaluator::reshape(ast::Id id) {
  const ast::Expression& e = at(id);
  Value v = eval(e.children[0]);
  if (v.poisoned) return v;
  std::vector<Size> shape;
  Size count = sizes_.constant(1), given = sizes_.constant(1);
  bool known = true;
  for (std::size_t k = 0; k < v.axes.size(); ++k) {
    known = known && frame_.labels[v.axes[k]].known;
    given = sizes_.multiply(given, build_.size(v.axes[k]));
    require_extent(v, k, e.children[0]);
  }
  for (std::size_t k = 1; k < e.children.size(); ++k) {
    const ast::Expression& entry = at(e.children[k]);
    if (entry.kind == ast::Kind::negate && at(entry.children[0]).kind == ast::Kind::number) {
      Diagnostic& d = error(entry.span, "the sizes of reshape are written out: -1 finds none");
      if (const std::string text = known ? with_all_sizes(e, k, given) : ""; !text.empty()) d.help("write " + text);
      return Value::poison();
    }
    const auto size = size_argument(e.children[k]);
    if (!size) return Value::poison();
    shape.push_back(*size);
    count = sizes_.multiply(count, *size);
  }
  const Size difference = sizes_.subtract(count, given);
  if (known && !frame_.dry && !sizes_.is_zero(difference)) {
    // Terms of one sign never cancel while all sizes are positive.
    const auto terms = sizes_.terms(difference);
    const auto one_sign = [&](bool positive) {
      return std::ranges::all_of(terms, [&](const auto& t) { return (t.coefficient > 0) == positive; });
    };
    const std::string from = shape_of(v), to = shape_text(sizes_, shape);
    if (one_sign(true) || one_sign(false) || never_zero(sizes_, difference))
      return fail(e.span, "reshape keeps the number of elements, but " + named(e.children[0]) + " is " + from +
                              " and has " + sizes_.to_string(given) + ", and " + to + " has " +
                              sizes_.to_string(count));
    require(difference, true, "reshape from " + from + " to " + to + " keeps the number of elements", e.span);
  }
  return build_.reshape(std::move(v), shape);
}

Value Evaluator::join(const std::vector<Value>& pieces, const std::vector<Size>& offsets, std::size_t first,
                      std::size_t end, Label along, const std::vector<Label>& axes) {
  if (end - first == 1) return pieces[first];
  const std::size_t middle = first + (end - first) / 2;
  Value left = join(pieces, offsets, first, middle, along, axes);
  Value right = join(pieces, offsets, middle, end, along, axes);
  Value before = build_.elementwise(
      Function::less, {build_.integer(build_.bare(along)), build_.integer(graph_.offset(offsets[middle]))}, axes);
  return build_.elementwise(Function::select, {std::move(before), std::move(left), std::move(right)}, axes);
}

/// `concat([x, y])`: arrays in a list, reported.
bool Evaluator::joins_list(ast::Id id) {
  const ast::Expression& e = at(id);
  const ast::Expression& list = at(e.children[0]);
  if (e.children.size() != 1 || list.kind != ast::Kind::vector || list.children.empty()) return false;
  const Value first = eval(list.children[0]);
  if (first.poisoned || first.axes.empty()) return false;
  std::string text;
  for (const ast::Id child : list.children) text += (text.empty() ? "" : ", ") + text_of(child);
  if (!e.keywords.empty()) text += ", axis=" + text_of(e.keywords[0].value);
  Diagnostic& d = error(list.span, "arrays are joined as arguments, not as a list");
  if (text.size() <= longest_shown) d.help("write " + e.name.text + "(" + text + ")");
  return true;
}

/// A range may end before it begins, and is empty then; where the size of an axis counts, it must not.
void Evaluator::require_extent(const Value& v, std::size_t axis, ast::Id id) {
  const Size size = build_.size(v.axes[axis]);
  if (frame_.dry || sizes_.is_nonnegative(size)) return;
  require(size, false,
          named(id) + " has an axis of size " + sizes_.to_string(size) + ", which must not be negative here",
          at(id).span);
}

Value Evaluator::concat(ast::Id id) {
  const ast::Expression& e = at(id);
  if (joins_list(id)) return Value::poison();
  auto values = arguments(id);
  if (!values) return Value::poison();
  Value& first = values->front();
  const std::size_t rank = first.axes.size();
  if (rank == 0) {
    error(e.span, "concat joins arrays, but " + named(e.children[0]) + " is a scalar; stack makes an axis of scalars")
        .help("as an array of one element: [" + text_of(e.children[0]) + "]");
    return Value::poison();
  }
  std::size_t axis = 0;
  if (!e.keywords.empty()) {
    const auto given =
        axis_number(e.keywords[0].value, rank, e.span, named(e.children[0]) + ", which is " + shape_of(first) + ",");
    if (!given) return Value::poison();
    axis = *given;
  }
  for (auto& v : *values) build_.operand(v);
  Size total;
  std::vector<Size> offsets;
  for (std::size_t k = 0; k < values->size(); ++k) {
    const Value& v = (*values)[k];
    bool fits = v.axes.size() == rank;
    for (std::size_t a = 0; fits && a < rank; ++a)
      fits = a == axis || !frame_.labels[v.axes[a]].known || !frame_.labels[first.axes[a]].known ||
             build_.size(v.axes[a]) == build_.size(first.axes[a]);
    if (!fits) {
      Diagnostic& d = error(e.span, "concat along axis " + std::to_string(axis) +
                                        " needs the other axes to agree, but " + named(e.children[0]) + " is " +
                                        shape_of(first) + " and " + named(e.children[k]) + " is " + shape_of(v));
      note_declaration(d, e.children[0]);
      note_declaration(d, e.children[k]);
      if (v.axes.empty() && rank == 1) d.help("as an array of one element: [" + text_of(e.children[k]) + "]");
      return Value::poison();
    }
    require_extent(v, axis, e.children[k]);
    offsets.push_back(total);
    total = sizes_.add(total, build_.size(v.axes[axis]));
  }
  const Label along = build_.axis(total);
  std::vector<Label> axes = first.axes;
  axes[axis] = along;
  for (std::size_t k = 0; k < values->size(); ++k) {
    Value& v = (*values)[k];
    for (std::size_t a = 0; a < rank; ++a) {
      const Subscript place =
          a == axis ? graph_.subtract(build_.bare(along), graph_.offset(offsets[k])) : build_.bare(axes[a]);
      build_.substitute(v, v.axes[a], place);
    }
    v.axes = axes;
  }
  Value out = join(*values, offsets, 0, values->size(), along, axes);
  out.affine.reset();
  out.guards.reset();
  return out;
}

Value Evaluator::stack(ast::Id id) {
  const ast::Expression& e = at(id);
  if (joins_list(id)) return Value::poison();
  auto values = arguments(id);
  if (!values) return Value::poison();
  Value& first = values->front();
  const std::size_t rank = first.axes.size();
  std::size_t axis = 0;
  if (!e.keywords.empty()) {
    const auto given = axis_number(e.keywords[0].value, rank + 1, e.span, "the stacked value");
    if (!given) return Value::poison();
    axis = *given;
  }
  std::vector<Size> offsets;
  const std::vector<Label> inner = first.axes;
  for (std::size_t k = 0; k < values->size(); ++k) {
    Value& v = (*values)[k];
    build_.operand(v);
    bool fits = v.axes.size() == rank;
    for (std::size_t a = 0; fits && a < rank; ++a)
      fits = !frame_.labels[v.axes[a]].known || !frame_.labels[inner[a]].known ||
             build_.size(v.axes[a]) == build_.size(inner[a]);
    if (!fits) {
      Diagnostic& d = error(e.span, "stack needs values of one shape, but " + named(e.children[0]) + " is " +
                                        shape_of(first) + " and " + named(e.children[k]) + " is " + shape_of(v));
      note_declaration(d, e.children[0]);
      note_declaration(d, e.children[k]);
      return Value::poison();
    }
    for (std::size_t a = 0; a < rank; ++a)
      if (v.axes[a] != inner[a]) build_.substitute(v, v.axes[a], build_.bare(inner[a]));
    v.axes = inner;
    offsets.push_back(sizes_.constant(static_cast<std::int64_t>(k)));
  }
  const Label along = build_.axis(sizes_.constant(static_cast<std::int64_t>(values->size())));
  std::vector<Label> axes = inner;
  axes.insert(axes.begin() + static_cast<std::ptrdiff_t>(axis), along);
  Value out = join(*values, offsets, 0, values->size(), along, axes);
  out.axes = axes;
  out.affine.reset();
  out.guards.reset();
  out.identity = 0;
  return out;
}

Value Evaluator::literal(ast::Id id) {
  const ast::Expression& e = at(id);
  auto values = arguments(id);
  if (!values) return Value::poison();
  for (std::size_t k = 0; k < values->size(); ++k) {
    if ((*values)[k].axes.empty()) continue;
    std::string list;
    for (const ast::Id child : e.children) list += (list.empty() ? "" : ", ") + text_of(child);
    const bool is_short = list.size() <= 80 && e.kind == ast::Kind::vector;
    error(at(e.children[k]).span,
          "the elements of a literal are scalars, but " + named(e.children[k]) + " is " + shape_of((*values)[k]))
        .help(is_short ? "one array after the other is concat(" + list + "), one above the other stack(" + list + ")"
                       : "join arrays with concat or stack");
    return Value::poison();
  }
  const std::size_t rows = e.kind == ast::Kind::matrix ? e.rows : 1;
  const std::size_t columns = values->size() / rows;
  for (auto& v : *values) build_.operand(v);
  const auto offsets = [&](std::size_t count) {
    std::vector<Size> out;
    for (std::size_t k = 0; k < count; ++k) out.push_back(sizes_.constant(static_cast<std::int64_t>(k)));
    return out;
  };
  const Label row = build_.axis(sizes_.constant(static_cast<std::int64_t>(rows)));
  const Label column = build_.axis(sizes_.constant(static_cast<std::int64_t>(columns)));
  std::vector<Value> lines;
  for (std::size_t r = 0; r < rows; ++r) {
    const std::vector<Value> line(values->begin() + static_cast<std::ptrdiff_t>(r * columns),
                                  values->begin() + static_cast<std::ptrdiff_t>((r + 1) * columns));
    lines.push_back(join(line, offsets(columns), 0, columns, column, {column}));
  }
  Value out = lines[0];
  std::vector<Label> axes{column};
  if (e.kind == ast::Kind::matrix) {
    axes = {row, column};
    out = join(lines, offsets(rows), 0, rows, row, axes);
  }
  out.axes = axes;
  out.affine.reset();
  out.guards.reset();
  out.identity = 0;
  return out;
}

}  // namespace gradus::elaboration
