// Subscripts: elements, parts and slices, what may be one, and whether it stays inside its axis.
#include <algorithm>
#include <utility>

#include "frontend/format.hpp"
#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {
namespace {

/// What stands before the colon of a slice.
std::string entry_begin(const ast::Program& program, const ast::Subscript& s) {
  return s.first.valid() ? format(program, s.first) : std::string();
}

/// The text of one entry of a subscript list.
std::string entry_text(const ast::Program& program, const ast::Subscript& s) {
  if (s.kind != ast::Subscript::Kind::slice) return format(program, s.first);
  return entry_begin(program, s) + ":" + (s.last.valid() ? format(program, s.last) : "");
}

}  // namespace

/// One entry of a subscript list while it is elaborated.
struct Evaluator::Entry {
  const ast::Expression& list;  // the whole subscript expression
  std::size_t position;
  const Words& words;
  const ast::Program& program;

  const ast::Subscript& subscript() const { return list.subscripts[position]; }
  /// The whole subscript with another text for this entry.
  std::string rewritten(const std::string& text) const {
    std::string out = words.base;
    for (std::size_t k = 0; k < list.subscripts.size(); ++k)
      out += (k == 0 ? "[" : ", ") + (k == position ? text : entry_text(program, list.subscripts[k]));
    return out + "]";
  }
};

Value Evaluator::eval_subscript(ast::Id id) {
  const ast::Expression& e = at(id);
  if (is_called_with_brackets(e)) return Value::poison();
  if (at(e.children[0]).kind == ast::Kind::name) subscripts_after_ = e.subscripts.size();
  Value v = eval(e.children[0]);
  subscripts_after_ = 0;
  if (v.poisoned) return v;
  Words words{named(e.children[0]), {}, named(id)};
  if (makes_axis(e)) return new_axis(e, v, words.base);
  if (e.subscripts.size() > v.axes.size()) {
    Diagnostic& d = v.axes.empty() ? error(e.span, words.base + " is a scalar and takes no subscript")
                                   : error(e.span, words.base + " is " + shape_of(v) + " and takes at most " +
                                                       counted(v.axes.size(), "subscript") + ", not " +
                                                       std::to_string(e.subscripts.size()));
    const bool indicator = at(e.children[0]).kind == ast::Kind::number && e.subscripts.size() == 1 &&
                           e.subscripts[0].first.valid() && at(e.subscripts[0].first).kind == ast::Kind::comparison;
    if (indicator) d.help("a condition is 1 or 0 itself: (" + text_of(e.subscripts[0].first) + ")");
    const Input* input = input_of(e.children[0]);
    if (input != nullptr && context_.assumed.count(input->key) != 0) {
      const bool mean = input->name == "E" || input->name == "𝔼";
      d.help(mean ? "a mean is written mean(x)"
                  : "declare it: --let '" + input->name + sizes_for(e.subscripts.size()) + "'");
    } else {
      note_declaration(d, e.children[0]);
    }
    return Value::poison();
  }
  std::vector<Label> axes;
  bool failed = false, with_axes = false;
  const std::vector<Label> old = v.axes;
  for (std::size_t k = 0; k < e.subscripts.size(); ++k) {
    const std::size_t before = axes.size();
    words.text = e.span.end - e.span.begin > longest_shown ? "…" : entry_text(*activation().program, e.subscripts[k]);
    const Entry entry{e, k, words, *activation().program};
    if (e.subscripts[k].kind == ast::Subscript::Kind::slice) {
      failed = !slice_axis(entry, v, old[k], axes) || failed;
      continue;
    }
    failed = !subscript_axis(entry, v, old[k], axes) || failed;
    if (!failed && axes.size() > before && with_axes) {
      error(e.span, "only one subscript may be a whole index vector")
          .help("use index notation, as in z[i] = E[a[i], b[i]]");
      failed = true;
    }
    with_axes = with_axes || axes.size() > before;
  }
  if (failed) return Value::poison();
  axes.insert(axes.end(), old.begin() + static_cast<std::ptrdiff_t>(e.subscripts.size()), old.end());
  v.axes = std::move(axes);
  v.identity = 0;
  return v;
}

/// `sum[x]` for `sum(x)`: reported.
bool Evaluator::is_called_with_brackets(const ast::Expression& e) {
  const ast::Expression& base = at(e.children[0]);
  if (base.kind != ast::Kind::name || activation().prelude || find_binding(base.name.key) != nullptr ||
      context_.find(base.name.key) != nullptr)
    return false;
  const bool own = context_.functions.count(base.name.key) != 0;
  if (!own && !is_language_function(base.name.key)) return false;
  std::string list;
  bool names = true;  // that nothing declares: meant as indices
  for (const ast::Subscript& s : e.subscripts) {
    list += (list.empty() ? "" : ", ") + entry_text(*activation().program, s);
    const bool name = s.kind == ast::Subscript::Kind::expression && at(s.first).kind == ast::Kind::name &&
                      context_.find(at(s.first).name.key) == nullptr && find_binding(at(s.first).name.key) == nullptr;
    names = names && name;
    if (name && !silent_) context_.reported_names.insert(at(s.first).name.key);
  }
  if (names && !own) {
    error(e.span, "what " + base.name.text + "[…] runs over stands in parentheses right after the brackets")
        .help("as in " + base.name.text + "[" + list + "](x[" + list + "])");
    return true;
  }
  Diagnostic& d = error(base.span, base.name.text + " is a function and needs its arguments in parentheses");
  if (own) d.note(base.name.text + " is defined here", context_.functions.at(base.name.key).span);
  if (list.size() <= longest_shown) d.help("write " + base.name.text + "(" + list + ")");
  return true;
}

bool Evaluator::makes_axis(const ast::Expression& e) const {
  return std::ranges::any_of(e.subscripts, [&](const ast::Subscript& s) {
    return s.kind == ast::Subscript::Kind::expression && s.first.valid() && at(s.first).kind == ast::Kind::name &&
           (at(s.first).name.text == "None" || at(s.first).name.text == "newaxis") &&
           context_.find(at(s.first).name.key) == nullptr;
  });
}

Value Evaluator::new_axis(const ast::Expression& e, const Value& v, const std::string& base) {
  std::string shape;
  std::size_t axis = 0;
  bool whole = true;
  for (const auto& s : e.subscripts) {
    const bool none = s.kind == ast::Subscript::Kind::expression;
    whole = whole && (none || (!s.first.valid() && !s.last.valid() && axis < v.axes.size()));
    if (whole) shape += ", " + (none ? "1" : sizes_.to_string(build_.size(v.axes[axis++])));
  }
  Diagnostic& d = error(e.span, "None makes no axis");
  for (; whole && axis < v.axes.size(); ++axis) shape += ", " + sizes_.to_string(build_.size(v.axes[axis]));
  d.help(whole ? "write reshape(" + base + shape + ")" : "name the axes by indices, as in z[i, j] = x[i] - y[j]");
  return Value::poison();
}

bool Evaluator::slice_bound(const Entry& entry, bool is_end, Label axis, Subscript& out) {
  const ast::Subscript& s = entry.subscript();
  const ast::Id id = is_end ? s.last : s.first;
  if (is_end && at(id).kind == ast::Kind::name && at(id).name.text == "end" && find_binding("end") == nullptr &&
      context_.find("end") == nullptr) {
    error(s.span, "there is no 'end'")
        .help("to the end goes " + entry.rewritten(entry_begin(*activation().program, s) + ":"));
    return false;
  }
  size_position_ = true;
  const Value bound = eval(id);
  size_position_ = false;
  if (bound.poisoned) return false;
  if (!bound.affine || !bound.axes.empty()) {
    Diagnostic& d =
        error(at(id).span, "the ends of a slice are affine in sizes and indices, but " + named(id) + " is not");
    explain_number(d, id);
    return false;
  }
  out = *bound.affine;
  if (!out.is_constant() || !sizes_.is_negative(out.offset)) return true;
  const std::string from_end =
      sizes_.to_string(build_.size(axis)) + " - " + sizes_.to_string(sizes_.scale(out.offset, -1));
  const std::string text = is_end ? (s.first.valid() ? text_of(s.first) : "") + ":" + from_end
                                  : from_end + ":" + (s.last.valid() ? text_of(s.last) : "");
  error(s.span, entry.words.whole + ": there are no negative subscripts that count from the end")
      .help("write " + entry.rewritten(text));
  return false;
}

bool Evaluator::slice_axis(const Entry& entry, Value& v, Label axis, std::vector<Label>& axes) {
  const ast::Subscript& s = entry.subscript();
  if (!s.first.valid() && !s.last.valid()) {
    axes.push_back(axis);
    return true;
  }
  Subscript begin, end = graph_.offset(build_.size(axis));
  if (s.first.valid() && !slice_bound(entry, false, axis, begin)) return false;
  if (s.last.valid() && !slice_bound(entry, true, axis, end)) return false;
  if (!frame_.labels[axis].known && !s.last.valid()) {
    // The axis is as long as a range that is still open: so is the slice, for all that is asked in a dry run.
    axes.push_back(build_.like(axis));
    return true;
  }
  const Subscript length = graph_.subtract(end, begin);
  const std::string text = "the slice " + entry.words.text + " of " + entry.words.base;
  if (!length.is_constant()) {
    error(s.span, text + " has not the same length everywhere");
    return false;
  }
  if (sizes_.is_negative(length.offset)) {
    error(s.span, text + " ends before it begins");
    return false;
  }
  const Label fresh = build_.axis(length.offset);
  axes.push_back(fresh);
  const Subscript place = graph_.add(begin, build_.bare(fresh));
  check_inside(place, axis, s.span, entry.words, false);
  if (!frame_.dry && !sizes_.is_nonnegative(length.offset))
    require(length.offset, false, text + " ends before it begins", s.span);
  build_.substitute(v, axis, place);
  return true;
}

bool Evaluator::subscript_axis(const Entry& entry, Value& v, Label axis, std::vector<Label>& axes) {
  const ast::Subscript& s = entry.subscript();
  if (is_end(entry, axis)) return false;
  const bool outer = std::exchange(in_subscript_, true);
  const Value index = eval(s.first);
  in_subscript_ = outer;
  if (index.poisoned) return false;
  if (!index.affine) return bad_subscript(entry, index, axis);
  const Subscript& place = *index.affine;
  if (place.is_constant() && sizes_.is_negative(place.offset)) {
    error(s.span, entry.words.whole + ": subscripts count from 0, and there is no " + entry.words.text)
        .help("counted from the end it is " +
              entry.rewritten(sizes_.to_string(sizes_.add(build_.size(axis), place.offset))));
    return false;
  }
  const bool bare_data = place.labels.empty() && place.data.size() == 1 && sizes_.is_zero(place.offset) &&
                         sizes_.is_one(place.data[0].coefficient);
  if (bare_data && frame_.labels[axis].known) {
    const auto bound = graph_.index_bound(place.data[0].data);
    if (bound && *bound != build_.size(axis)) {
      Diagnostic& d =
          error(s.span, entry.words.text + " is index(" + sizes_.to_string(*bound) + ") data, but this axis of " +
                            entry.words.base + " has size " + sizes_.to_string(build_.size(axis)));
      note_declaration(d, s.first);
      other_axis(d, entry, *bound, v, axis);
      return false;
    }
  }
  const bool bare = index.lazy && place.labels.size() == 1 && place.data.empty() && at(s.first).kind == ast::Kind::name;
  check_inside(place, axis, s.span, entry.words, bare);
  build_.substitute(v, axis, place);
  axes.insert(axes.end(), index.axes.begin(), index.axes.end());
  return true;
}

/// `x[end]`, `x[end - 1]`: reported.
bool Evaluator::is_end(const Entry& entry, Label axis) {
  const ast::Expression& e = at(entry.subscript().first);
  const bool less = e.kind == ast::Kind::binary && e.op == ast::Binary::subtract;
  const ast::Expression& word = less ? at(e.children[0]) : e;
  if (word.kind != ast::Kind::name || word.name.text != "end" || find_binding("end") != nullptr) return false;
  const Symbol* s = context_.find("end");
  if (s != nullptr && context_.assumed.count("end") == 0) return false;
  const auto back = less && at(e.children[1]).kind == ast::Kind::number ? at(e.children[1]).value.as_int64()
                                                                        : std::optional<std::int64_t>(0);
  if (!back || !frame_.labels[axis].known) return false;
  error(entry.subscript().span, "there is no 'end'")
      .help(std::string(less ? "counted from the end it is " : "the last element is ") +
            entry.rewritten(sizes_.to_string(sizes_.subtract(build_.size(axis), sizes_.constant(*back + 1)))));
  return true;
}

/// Where index data has the size of another axis, or belongs to this one: how that is written.
void Evaluator::other_axis(Diagnostic& d, const Entry& entry, Size bound, const Value& v, Label axis) {
  const ast::Subscript& s = entry.subscript();
  if (entry.list.subscripts.size() == 1 && entry.position == 0 && v.axes.size() == 2 && build_.size(v.axes[1]) == bound)
    d.help("the second axis has that size: write " + entry.words.base + "[:, " + text_of(s.first) + "]");
  const std::vector<ast::Subscript>& list = entry.list.subscripts;
  if (list.size() == 2 && v.axes.size() == 2 && build_.size(v.axes[1 - entry.position]) == bound)
    d.help("the other axis has that size: write " + entry.words.base + "[" + entry_text(entry.program, list[1]) + ", " +
           entry_text(entry.program, list[0]) + "]");
  const Input* input = input_of(s.first);
  if (input == nullptr || !input->index_bound) return;
  d.help("if it belongs to this axis, declare data " + input->name +
         (input->shape.empty() ? "" : shape_text(sizes_, input->shape)) + " : index(" +
         sizes_.to_string(build_.size(axis)) + ")");
}

const Input* Evaluator::input_of(ast::Id id) const {
  const ast::Expression* e = &at(id);
  while (e->kind == ast::Kind::subscript) e = &at(e->children[0]);
  if (e->kind != ast::Kind::name || find_binding(e->name.key) != nullptr || activation().prelude) return nullptr;
  const Symbol* s = context_.find(e->name.key);
  return s != nullptr && s->kind == Symbol::Kind::input ? &context_.model.inputs[s->number] : nullptr;
}

void Evaluator::explain_number(Diagnostic& d, ast::Id id) {
  const Input* input = input_of(id);
  if (input == nullptr) return;
  d.note(input->name + " is declared here", input->span);
  if (input->role == Input::Role::constant)
    d.help("a const is no size; a whole number that is fixed is a dim: dim " + input->name + " = " +
           whole_default(graph_, *input));
  else if (input->shape.empty())
    d.help("a number of elements is a size: dim " + input->name + " = 3");
}

bool Evaluator::bad_subscript(const Entry& entry, const Value& index, Label axis) {
  const ast::Subscript& s = entry.subscript();
  const std::string& text = entry.words.text;
  const ast::Expression& e = at(s.first);
  const Input* input = input_of(s.first);
  if (const Rational* c = build_.constant_value(index)) {
    error(s.span, c->is_integer() ? entry.words.base + " has no element " + text
                                  : "a subscript is a whole number, but " + text + " is not");
  } else if (input != nullptr && input->role == Input::Role::constant) {
    Diagnostic& d = error(s.span, input->name + " is a const, and a const is no subscript");
    d.note(input->name + " is declared here", input->span);
    d.help("a whole number that is fixed is a dim: dim " + input->name + " = " + whole_default(graph_, *input));
  } else if (input != nullptr && context_.assumed.count(input->key) != 0) {
    return unbound_subscript(entry, *input);
  } else if (input != nullptr) {
    Diagnostic& d = error(s.span, text + " is no subscript: only index data are");
    d.note(input->name + " is declared here", input->span);
    const std::string shape = input->shape.empty() ? "" : shape_text(sizes_, input->shape);
    d.help("declare it so: data " + input->name + shape + " : index(" + sizes_.to_string(build_.size(axis)) + ")");
  } else if (index.condition) {
    const std::string filter = filter_of(s.first, entry.words.base);
    error(s.span, "a condition is no subscript")
        .help("a filter selects: " + (filter.empty() ? "sum[i : x[i] > 0](x[i])" : filter));
  } else if (e.name.key == "argmax" || e.name.key == "argmin") {
    const bool largest = e.name.key == "argmax";
    const bool itself = e.children.size() == 1 && e.keywords.empty() && text_of(e.children[0]) == entry.words.base;
    Diagnostic& d = error(s.span, e.name.text + " gives a number, not a subscript");
    if (itself)
      d.help("the element itself is " + std::string(largest ? "max(" : "min(") + entry.words.base + ")");
    else if (entry.list.subscripts.size() == 1 && index.axes.empty())
      d.help("a filter finds the element: sum[i : i == " + text + "](" + entry.words.base + "[i])");
  } else if (e.kind == ast::Kind::vector && entry.list.subscripts.size() == 1 && e.children.size() <= 8) {
    std::string list;
    for (const ast::Id child : e.children)
      list += (list.empty() ? "" : ", ") + entry.words.base + "[" + text_of(child) + "]";
    error(s.span, "a list is no subscript").help("write stack(" + list + ")");
  } else {
    error(s.span, "a subscript is affine in indices, sizes and index data, but " + text + " in " + entry.words.whole +
                      " is not");
  }
  return false;
}

/// A name that nothing declares or binds, in a program (`-e`) that takes such names as scalar parameters.
bool Evaluator::unbound_subscript(const Entry& entry, const Input& input) {
  const ast::Subscript& s = entry.subscript();
  error(s.span, input.name + " is no subscript: nothing binds it as an index")
      .help("an index is bound on the left side, or by sum[" + input.name + "](…) and its kin");
  return false;
}

Span Evaluator::place_of(Span span) const {
  for (std::size_t k = 1; k < activations_.size(); ++k)
    if (activations_[k].prelude) return activations_[k].call;
  return span;
}

void Evaluator::check_inside(const Subscript& s, Label axis, Span span, const Words& words, bool bare) {
  const FrameLabel& extent = frame_.labels[axis];
  if (frame_.dry) {
    Constraint c;
    c.subscript = s;
    c.size = extent.size;
    c.same_as = !extent.known;
    c.like = extent.root;
    c.shifted = extent.root == axis;
    c.bare = bare;
    c.span = span;
    c.base = words.base;
    c.text = words.whole;
    Graph::each_label(s, [&](Label l) {
      for (const auto& condition : conditions_)
        c.guarded = c.guarded || std::ranges::find(condition.labels, l) != condition.labels.end();
    });
    constraints_.push_back(std::move(c));
    return;
  }
  const Subscript last = graph_.offset(sizes_.subtract(extent.size, sizes_.constant(1)));
  const Subscript room = graph_.subtract(last, s);
  const auto reach = build_.range(s);
  bool low = reach && sizes_.is_nonnegative(reach->low);
  bool high = reach && sizes_.is_nonnegative(sizes_.subtract(last.offset, reach->high));
  if (low && high) return;
  const bool chosen = conditions_.empty();
  if (reach && s.data.empty() && (chosen || s.is_constant())) {
    if (!low && sizes_.is_negative(reach->low)) return outside(s, span, words, reach->low, extent.size);
    if (!high && sizes_.is_negative(sizes_.subtract(last.offset, reach->high)))
      return outside(s, span, words, reach->high, extent.size);
  }
  low = low || proven(s);
  high = high || proven(room);
  if (low && high) return;
  const std::string message = words.whole + " is outside an axis of size " + sizes_.to_string(extent.size);
  if (reach && chosen && s.data.empty()) {
    if (!low) require(reach->low, false, message, span);
    if (!high) require(sizes_.subtract(last.offset, reach->high), false, message, span);
    return;
  }
  const auto at_least_zero = [&](const Subscript& x) {
    Value v = build_.elementwise(Function::less_equal, {build_.constant(0), build_.integer(x)}, {});
    return v;
  };
  Value inside = low ? at_least_zero(room) : at_least_zero(s);
  if (!low && !high) inside = build_.elementwise(Function::logical_and, {inside, at_least_zero(room)}, {});
  add_check(ValueCheck::Code::subscript_outside, std::move(inside), message, span, &s, extent.size);
}

void Evaluator::outside(const Subscript& s, Span span, const Words& words, Size value, Size size) {
  const std::string reached = sizes_.to_string(value), count = sizes_.to_string(size);
  if (s.is_constant()) {
    error(span, words.base + " has no element " + words.text + ": this axis has size " + count +
                    ", its last subscript is " + sizes_.to_string(sizes_.subtract(size, sizes_.constant(1))));
    return;
  }
  Diagnostic& d =
      error(span, sizes_.is_negative(value)
                      ? words.whole + " reaches " + reached + ", but subscripts begin at 0"
                      : words.whole + " reaches " + reached + ", but the axis of " + words.base + " has size " + count);
  // With one index that counts up the range that fits can be said.
  if (s.labels.size() != 1 || !sizes_.is_one(s.labels[0].coefficient)) return;
  const FrameLabel& index = frame_.labels[s.labels[0].label];
  if (index.name.empty()) return;
  const Size shift = sizes_.subtract(s.offset, index.begin), first = sizes_.scale(shift, -1);
  const Size begin = sizes_.is_nonnegative(sizes_.subtract(index.begin, first)) ? index.begin : first;
  const Size end = sizes_.add(index.begin, index.size), most = sizes_.subtract(size, shift);
  d.help("the subscript is inside for " + index.name + " in " + sizes_.to_string(begin) + ".." +
         sizes_.to_string(sizes_.is_nonnegative(sizes_.subtract(most, end)) ? end : most));
}

bool Evaluator::proven(const Subscript& nonnegative) {
  const auto follows = [&](const Subscript& fact) {
    const auto rest = build_.range(graph_.subtract(nonnegative, fact));
    return rest && sizes_.is_nonnegative(rest->low);
  };
  for (const auto& c : conditions_) {
    for (const auto& g : c.guards) {
      if (g.kind == Guard::Kind::nonnegative && follows(g.affine)) return true;
      if (g.kind == Guard::Kind::zero && (follows(g.affine) || follows(graph_.scale(g.affine, sizes_.constant(-1)))))
        return true;
    }
  }
  return false;
}

ValueCheck::Elements Evaluator::elements_of(const Value& condition, const Subscript& s, const std::vector<Label>& bound,
                                            const std::vector<Guard>& guards) {
  ValueCheck::Elements out;
  for (const Label l : bound) out.indices.push_back(frame_.labels[l].name);
  Value bad = build_.product({build_.elementwise(Function::logical_not, {condition}, {})}, {}, {}, guards);
  out.bad = build_.expression(bad, bound);
  Value subscript = build_.integer(s);
  out.subscript = build_.expression(subscript, bound);
  return out;
}

void Evaluator::add_check(ValueCheck::Code code, Value condition, std::string message, Span span,
                          const Subscript* subscript, Size axis) {
  if (frame_.dry) return;
  std::vector<Guard> guards;
  for (const auto& c : conditions_)
    for (const auto& g : c.guards)
      if (std::ranges::find(guards, g) == guards.end()) guards.push_back(g);
  std::vector<Label> bound = build_.labels_of(condition);
  for (const auto& g : guards) Graph::each_label(g, [&](Label l) { bound.push_back(l); });
  std::ranges::sort(bound);
  const auto repeated = std::ranges::unique(bound);
  bound.erase(repeated.begin(), repeated.end());
  std::optional<ValueCheck::Elements> elements;
  if (subscript != nullptr) {
    elements = elements_of(condition, *subscript, bound, guards);
    elements->axis = axis;
  }
  Value all = bound.empty() && guards.empty() ? std::move(condition)
                                              : build_.reduce(Reduction::all, std::move(condition), {}, bound, guards);
  const Expr e = build_.expression(all, {});
  if (graph_.is_constant(e, 1)) return;
  for (const auto& known : context_.model.checks)
    if (known.condition == e) return;
  context_.model.checks.push_back({code, e, std::move(message), place_of(span), std::move(elements)});
}

}  // namespace gradus::elaboration
