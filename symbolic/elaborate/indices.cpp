// Index notation: binders and their ranges, index forms, subscripts, parts and slices, and whether they stay inside.
#include <algorithm>
#include <array>

#include "frontend/format.hpp"
#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {
namespace {

constexpr std::array reduction_names = {"sum", "prod", "mean",      "var",  "std",    "max",   "min",
                                        "any", "all",  "logsumexp", "norm", "argmax", "argmin"};
constexpr std::array along_names = {"softmax", "log_softmax", "cumsum", "cumprod"};

template <class Names>
bool is_one_of(const Names& names, const std::string& key) {
  return std::find(names.begin(), names.end(), key) != names.end();
}

}  // namespace

bool Evaluator::range_bound(ast::Id id, const ast::Binder& binder, Value& out) {
  size_position_ = true;
  out = eval(id);
  size_position_ = false;
  if (out.poisoned) return false;
  if (out.affine && out.axes.empty()) return true;
  error(at(id).span, "a bound of " + binder.name.text + " must be affine in sizes, indices and index data, but " +
                         named(id) + " is not");
  return false;
}

std::optional<Evaluator::BoundIndex> Evaluator::make_index(const ast::Binder& binder, BinderKey key, bool left_side) {
  const std::string& name = binder.name.text;
  if (!activation().prelude)
    if (const Symbol* s = context_.find(binder.name.key)) {
      if (s->kind == Symbol::Kind::size || s->kind == Symbol::Kind::dimension) {
        Diagnostic& d = error(binder.name.span, name + " is a size, so it cannot name an index");
        if (!s->span.is_none()) d.note(name + " is a size here", s->span);
        d.help("name the index otherwise, for instance " + std::string(name == "i" ? "j" : "i"));
        return std::nullopt;
      }
      warning(binder.name.span, "the index " + name + " hides the value " + name + " here");
    }
  if (!binder.begin.valid()) {
    if (frame_.dry) {
      const Label l = frame_.add({Size{}, false, 0, name});
      frame_.labels[l].root = l;
      unknown_.push_back(
          {l, key, name, binder.span.is_none() ? binder.name.span : binder.span, left_side, false, {}, {}});
      return BoundIndex{l, {}, {}};
    }
    const auto found = ranges_.find(key);
    if (found == ranges_.end()) return std::nullopt;
    return BoundIndex{frame_.add({found->second.size, true, 0, name}), graph_.offset(found->second.begin), {}};
  }
  Value first, last;
  if (!range_bound(binder.begin, binder, first) || !range_bound(binder.end, binder, last)) return std::nullopt;
  const Subscript& begin = *first.affine;
  const Subscript& end = *last.affine;
  if (left_side && !(begin.is_constant() && end.is_constant())) {
    error(binder.span, "the range of " + name + " on a left side is affine in sizes");
    return std::nullopt;
  }
  if (left_side && !sizes_.is_zero(begin.offset)) {
    error(binder.span, "the range of " + name + " on the left side begins at " + sizes_.to_string(begin.offset) +
                           "; outside recurrences it begins at 0")
        .help("shift the index: " + name + " in 0.." + sizes_.to_string(sizes_.subtract(end.offset, begin.offset)));
    return std::nullopt;
  }
  if (begin.is_constant() && end.is_constant()) {
    Size size = sizes_.subtract(end.offset, begin.offset);
    if (sizes_.is_negative(size)) size = Size{};
    return BoundIndex{frame_.add({size, true, 0, name}), begin, {}};
  }
  return hull_index(binder, key, begin, end);
}

std::optional<Evaluator::BoundIndex> Evaluator::hull_index(const ast::Binder& binder, BinderKey key,
                                                           const Subscript& begin, const Subscript& end) {
  const std::string& name = binder.name.text;
  BoundIndex out;
  if (frame_.dry) {
    out.label = frame_.add({Size{}, false, 0, name});
    frame_.labels[out.label].root = out.label;
    unknown_.push_back({out.label, key, name, binder.span, false, true, begin, end});
  } else {
    const auto low = build_.range(begin), high = build_.range(end);
    if (!low || !high) {
      error(binder.span, "the bounds of " + name + " have no smallest and largest value that are sizes");
      return std::nullopt;
    }
    out.begin = graph_.offset(low->low);
    out.label = frame_.add({sizes_.subtract(high->high, low->low), true, 0, name});
  }
  const Subscript value = graph_.add(out.begin, build_.bare(out.label));
  if (!begin.is_constant()) out.guards.push_back({Guard::Kind::nonnegative, graph_.subtract(value, begin), {}});
  const Subscript one = graph_.offset(sizes_.constant(1));
  if (!end.is_constant())
    out.guards.push_back({Guard::Kind::nonnegative, graph_.subtract(graph_.subtract(end, one), value), {}});
  return out;
}

bool Evaluator::bind(const std::vector<ast::Binder>& binders, std::uint32_t expression,
                     std::vector<BoundIndex>& bound) {
  for (std::size_t k = 0; k < binders.size(); ++k) {
    const ast::Binder& binder = binders[k];
    for (std::size_t j = 0; j < k; ++j)
      if (binders[j].name.key == binder.name.key) {
        error(binder.name.span, "the index " + binder.name.text + " is bound twice in this list");
        return false;
      }
    auto index = make_index(binder, {activation().path, expression, static_cast<std::uint32_t>(k)}, false);
    if (!index) return false;
    Value value = build_.integer(graph_.add(index->begin, build_.bare(index->label)));
    value.identity = next_id_++;
    bindings_.push_back({binder.name.key, true, std::move(value)});
    bound.push_back(std::move(*index));
  }
  return true;
}

std::optional<std::vector<Guard>> Evaluator::filter_guards(ast::Id id) {
  Value c = eval(id);
  if (c.poisoned || !is_condition(c, id, "a filter")) return std::nullopt;
  if (!c.axes.empty()) {
    error(at(id).span, "a filter is one condition for each index, but this one is " + shape_of(c))
        .help("subscript the arrays in it");
    return std::nullopt;
  }
  if (c.guards) return c.guards;
  return std::vector<Guard>{{Guard::Kind::condition, {}, build_.operand(c)}};
}

void Evaluator::push_guards(const std::vector<Guard>& guards) {
  Condition c;
  c.guards = guards;
  for (const auto& g : guards) Graph::each_label(g, [&](Label l) { c.labels.push_back(l); });
  conditions_.push_back(std::move(c));
  condition_ids_.push_back(next_id_++);
}

Value Evaluator::eval_index_form(ast::Id id) {
  const ast::Expression& e = at(id);
  const std::string& name = e.name.key;
  const bool own = !activation().prelude && context_.functions.count(name) != 0;
  if (own) return fail(e.name.span, e.name.text + " is a function of this file: it has no index form");
  if (name == "softmax") return along_index(id);
  if (is_one_of(along_names, name)) return along_index(id);
  if (!is_one_of(reduction_names, name)) {
    if (name == "sort" || name == "median" || name == "quantile")
      return not_supported(e.name.span, e.name.text + " in index form");
    return unknown_index_form(id);
  }
  const std::size_t first = bindings_.size();
  std::vector<BoundIndex> bound;
  if (!bind(e.binders, id.index, bound)) {
    bindings_.resize(first);
    return Value::poison();
  }
  std::vector<Label> labels;
  std::vector<Guard> guards;
  for (const auto& b : bound) {
    labels.push_back(b.label);
    guards.insert(guards.end(), b.guards.begin(), b.guards.end());
  }
  const std::size_t outer_conditions = conditions_.size();
  bool good = true;
  if (!guards.empty()) push_guards(guards);
  if (e.children.size() > 1 && e.children[1].valid()) {
    const auto filter = filter_guards(e.children[1]);
    good = filter.has_value();
    if (good) {
      push_guards(*filter);
      guards.insert(guards.end(), filter->begin(), filter->end());
    }
  }
  Value v = eval(e.children[0]);
  while (conditions_.size() > outer_conditions) pop_condition();
  bindings_.resize(first);
  if (!good || v.poisoned) return Value::poison();
  const bool position = name == "argmax" || name == "argmin";
  if (position && labels.size() != 1)
    return fail(e.mark,
                e.name.text + " gives the position along one index, not along " + std::to_string(labels.size()));
  const std::vector<Label> axes = v.axes;
  Value out = reduce_over(name, std::move(v), axes, labels, guards, e.mark.is_none() ? e.span : e.mark, id);
  if (!position || out.poisoned || bound[0].begin == Subscript{}) return out;
  return build_.sum({std::move(out), build_.integer(bound[0].begin)}, {1, 1}, axes);
}

Value Evaluator::unknown_index_form(ast::Id id) {
  const ast::Expression& e = at(id);
  if (silent_) return Value::poison();
  std::vector<std::string> names(reduction_names.begin(), reduction_names.end());
  names.insert(names.end(), along_names.begin(), along_names.end());
  if (is_language_function(e.name.key))
    return fail(e.name.span, e.name.text + " has no index form: it takes its arguments in parentheses");
  Diagnostic& d = error(e.name.span, e.name.text + " is no function with an index form");
  const std::string near = did_you_mean(e.name.text, names);
  if (!near.empty()) d.help("did you mean " + near + "?");
  return Value::poison();
}

Value Evaluator::along_index(ast::Id id) {
  const ast::Expression& e = at(id);
  const std::string& name = e.name.key;
  if (e.binders.size() != 1)
    return fail(e.mark.is_none() ? e.span : e.mark,
                e.name.text + " runs along one index, not " + std::to_string(e.binders.size()));
  const bool filtered = e.children.size() > 1 && e.children[1].valid();
  if (filtered && name != "softmax") return fail(at(e.children[1]).span, e.name.text + " takes no filter");
  // The enclosing index of that name is the place at which the value is taken.
  std::optional<Subscript> outer;
  if (const Binding* b = find_binding(e.binders[0].name.key); b != nullptr && b->is_index) outer = b->value.affine;
  const std::size_t first = bindings_.size();
  std::vector<BoundIndex> bound;
  if (!bind(e.binders, id.index, bound)) {
    bindings_.resize(first);
    return Value::poison();
  }
  const BoundIndex& inner = bound[0];
  std::vector<Guard> guards = inner.guards;
  const std::size_t outer_conditions = conditions_.size();
  bool good = true;
  if (!guards.empty()) push_guards(guards);
  if (filtered) {
    const auto filter = filter_guards(e.children[1]);
    good = filter.has_value();
    if (good) {
      push_guards(*filter);
      guards.insert(guards.end(), filter->begin(), filter->end());
    }
  }
  Value x = eval(e.children[0]);
  while (conditions_.size() > outer_conditions) pop_condition();
  bindings_.resize(first);
  if (!good || x.poisoned) return Value::poison();
  std::vector<Label> axes = x.axes;
  Subscript at_place;
  if (outer) {
    at_place = graph_.subtract(*outer, inner.begin);
    check_inside(at_place, inner.label, e.span, {e.name.text, e.binders[0].name.text, named(id)}, false);
  } else {
    const Label axis = build_.like(inner.label);
    axes.insert(axes.begin(), axis);
    at_place = build_.bare(axis);
  }
  if (name == "cumsum" || name == "cumprod") {
    guards.push_back({Guard::Kind::nonnegative, graph_.subtract(at_place, build_.bare(inner.label)), {}});
    if (name == "cumsum") return build_.product({std::move(x)}, axes, {inner.label}, guards);
    return build_.reduce(Reduction::product, std::move(x), axes, {inner.label}, guards);
  }
  Value place = x;
  build_.operand(place);
  build_.substitute(place, inner.label, at_place);
  const SoftmaxKind kind = name == "softmax" ? SoftmaxKind::softmax : SoftmaxKind::log_softmax;
  Value out = build_.softmax(kind, {std::move(place), std::move(x)}, axes, {inner.label}, guards);
  if (guards.empty()) return out;
  // What the filter leaves out is 0.
  std::vector<Guard> here;
  for (const auto& g : guards) here.push_back(build_.substitute(g, inner.label, at_place));
  return build_.product({std::move(out)}, axes, {}, here);
}

namespace {

/// The text of a slice as written.
std::string slice_text(const ast::Program& program, const ast::Subscript& s) {
  if (s.kind != ast::Subscript::Kind::slice) return format(program, s.first);
  return (s.first.valid() ? format(program, s.first) : "") + ":" + (s.last.valid() ? format(program, s.last) : "");
}

}  // namespace

Value Evaluator::eval_subscript(ast::Id id) {
  const ast::Expression& e = at(id);
  Value v = eval(e.children[0]);
  if (v.poisoned) return v;
  const std::string name = named(e.children[0]);
  if (e.subscripts.size() > v.axes.size()) {
    Diagnostic& d = v.axes.empty() ? error(e.span, name + " is a scalar and takes no subscript")
                                   : error(e.span, name + " is " + shape_of(v) + " and takes at most " +
                                                       counted(v.axes.size(), "subscript") + ", not " +
                                                       std::to_string(e.subscripts.size()));
    note_declaration(d, e.children[0]);
    return Value::poison();
  }
  std::string whole = text_of(id);
  if (whole.size() > 40) whole = name + "[…]";
  std::vector<Label> axes;
  bool failed = false, with_axes = false;
  const std::vector<Label> old = v.axes;
  for (std::size_t k = 0; k < e.subscripts.size(); ++k) {
    const ast::Subscript& s = e.subscripts[k];
    const std::size_t before = axes.size();
    if (s.kind == ast::Subscript::Kind::slice) {
      failed = !slice_axis(s, v, old[k], name, whole, axes) || failed;
    } else {
      failed = !subscript_axis(s, v, old[k], name, whole, axes) || failed;
      if (!failed && axes.size() > before && with_axes) {
        error(e.span, "only one subscript may be a whole index vector")
            .help("use index notation: z[i] = " + name + "[a[i], b[i]]");
        failed = true;
      }
      with_axes = with_axes || axes.size() > before;
    }
  }
  if (failed) return Value::poison();
  axes.insert(axes.end(), old.begin() + static_cast<std::ptrdiff_t>(e.subscripts.size()), old.end());
  v.axes = std::move(axes);
  v.identity = 0;
  return v;
}

bool Evaluator::slice_axis(const ast::Subscript& s, Value& v, Label axis, const std::string& name,
                           const std::string& whole, std::vector<Label>& axes) {
  const std::string text = slice_text(*activation().program, s);
  if (!s.first.valid() && !s.last.valid()) {
    axes.push_back(axis);
    return true;
  }
  Subscript begin, end;
  const bool known = frame_.labels[axis].known;
  if (s.last.valid() || known) end = graph_.offset(build_.size(axis));
  for (const bool is_end : {false, true}) {
    const ast::Id id = is_end ? s.last : s.first;
    if (!id.valid()) continue;
    size_position_ = true;
    const Value bound = eval(id);
    size_position_ = false;
    if (bound.poisoned) return false;
    if (!bound.affine || !bound.axes.empty()) {
      error(at(id).span, "the ends of a slice are affine in sizes and indices, but " + named(id) + " is not");
      return false;
    }
    if (bound.affine->is_constant() && sizes_.is_negative(bound.affine->offset)) {
      const std::string size = sizes_.to_string(build_.size(axis));
      const std::string from_end = size + " - " + sizes_.to_string(sizes_.scale(bound.affine->offset, -1));
      error(s.span, name + "[" + text + "]: there are no negative subscripts that count from the end")
          .help("write " + name + "[" +
                (is_end ? (s.first.valid() ? text_of(s.first) : "") + ":" + from_end
                        : from_end + ":" + (s.last.valid() ? text_of(s.last) : "")) +
                "]");
      return false;
    }
    (is_end ? end : begin) = *bound.affine;
  }
  const Subscript length = graph_.subtract(end, begin);
  if (!length.is_constant()) {
    error(s.span, "the slice " + text + " has not the same length everywhere");
    return false;
  }
  if (sizes_.is_negative(length.offset)) {
    error(s.span, "the slice " + text + " of " + name + " ends before it begins");
    return false;
  }
  if (!known && !s.last.valid()) {
    // The axis is as long as a range that is still open: so is the slice, for all that is asked in a dry run.
    axes.push_back(build_.like(axis));
    return true;
  }
  const Label fresh = build_.axis(length.offset);
  axes.push_back(fresh);
  const Subscript place = graph_.add(begin, build_.bare(fresh));
  check_inside(place, axis, s.span, {name, text, whole}, false);
  if (!frame_.dry && !sizes_.is_nonnegative(length.offset))
    require(length.offset, false, "the slice " + name + "[" + text + "] ends before it begins", s.span);
  build_.substitute(v, axis, place);
  return true;
}

bool Evaluator::subscript_axis(const ast::Subscript& s, Value& v, Label axis, const std::string& name,
                               const std::string& whole, std::vector<Label>& axes) {
  const Value index = eval(s.first);
  if (index.poisoned) return false;
  const std::string text = text_of(s.first);
  if (!index.affine) return bad_subscript(s, index, axis, name);
  const Subscript& place = *index.affine;
  const std::string size = sizes_.to_string(build_.size(axis));
  if (place.is_constant() && sizes_.is_negative(place.offset)) {
    error(s.span, name + "[" + text + "]: subscripts count from 0, and there are no negative ones")
        .help("an element from the end is " + name + "[" +
              sizes_.to_string(sizes_.add(build_.size(axis), place.offset)) + "]");
    return false;
  }
  const bool bare_data = place.labels.empty() && place.data.size() == 1 && sizes_.is_zero(place.offset) &&
                         sizes_.is_one(place.data[0].coefficient);
  if (bare_data && frame_.labels[axis].known) {
    const auto bound = graph_.index_bound(place.data[0].data);
    if (bound && *bound != build_.size(axis)) {
      Diagnostic& d = error(s.span, text + " is index(" + sizes_.to_string(*bound) + ") data, but this axis of " +
                                        name + " has size " + size);
      note_declaration(d, s.first);
      return false;
    }
  }
  const bool bare = index.lazy && place.labels.size() == 1 && place.data.empty() && at(s.first).kind == ast::Kind::name;
  check_inside(place, axis, s.span, {name, text, whole}, bare);
  build_.substitute(v, axis, place);
  axes.insert(axes.end(), index.axes.begin(), index.axes.end());
  return true;
}

bool Evaluator::bad_subscript(const ast::Subscript& s, const Value& index, Label axis, const std::string& name) {
  const std::string text = text_of(s.first);
  const ast::Expression& e = at(s.first);
  const ast::Expression* base = &e;
  while (base->kind == ast::Kind::subscript) base = &at(base->children[0]);
  const Symbol* symbol =
      base->kind == ast::Kind::name && find_binding(base->name.key) == nullptr && !activation().prelude
          ? context_.find(base->name.key)
          : nullptr;
  if (const Rational* c = build_.constant_value(index)) {
    error(s.span, c->is_integer() ? name + " has no element " + text
                                  : "a subscript is a whole number, but " + text + " is not");
  } else if (symbol != nullptr && symbol->kind == Symbol::Kind::input) {
    const Input& input = context_.model.inputs[symbol->number];
    if (input.role == Input::Role::constant) {
      Diagnostic& d = error(s.span, input.name + " is a const, and a const is no subscript");
      d.note(input.name + " is declared here", input.span);
      d.help("a whole number that is fixed is a dim: dim " + input.name + " = 2");
    } else {
      Diagnostic& d = error(s.span, text + " is no subscript: only index data are");
      d.note(input.name + " is declared here", input.span);
      std::string shape = input.shape.empty() ? "" : shape_text(sizes_, input.shape);
      d.help("declare it so: data " + input.name + shape + " : index(" + sizes_.to_string(build_.size(axis)) + ")");
    }
  } else {
    error(s.span, "a subscript is affine in indices, sizes and index data, but " + text + " in " + name + "[…] is not");
  }
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
        c.guarded =
            c.guarded || std::find(condition.labels.begin(), condition.labels.end(), l) != condition.labels.end();
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
    if (!low && sizes_.is_negative(reach->low)) return outside(span, words, reach->low, extent.size, s.is_constant());
    if (!high && sizes_.is_negative(sizes_.subtract(last.offset, reach->high)))
      return outside(span, words, reach->high, extent.size, s.is_constant());
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
  add_check(ValueCheck::Code::subscript_outside, std::move(inside), message, span);
}

void Evaluator::outside(Span span, const Words& words, Size value, Size size, bool constant) {
  const std::string reached = sizes_.to_string(value), count = sizes_.to_string(size);
  const std::string last = sizes_.to_string(sizes_.subtract(size, sizes_.constant(1)));
  if (constant)
    error(span, words.base + " has no element " + words.text + ": this axis has size " + count +
                    ", its last subscript is " + last);
  else
    error(span, words.whole + " reaches " + reached + ", but the axis of " + words.base + " has size " + count)
        .help("shorten the range, or let it be found: leave out 'in'");
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

void Evaluator::add_check(ValueCheck::Code code, Value condition, std::string message, Span span) {
  if (frame_.dry) return;
  std::vector<Guard> guards;
  for (const auto& c : conditions_)
    for (const auto& g : c.guards)
      if (std::find(guards.begin(), guards.end(), g) == guards.end()) guards.push_back(g);
  std::vector<Label> bound = build_.labels_of(condition);
  for (const auto& g : guards) Graph::each_label(g, [&](Label l) { bound.push_back(l); });
  std::sort(bound.begin(), bound.end());
  bound.erase(std::unique(bound.begin(), bound.end()), bound.end());
  Value all = bound.empty() && guards.empty() ? std::move(condition)
                                              : build_.reduce(Reduction::all, std::move(condition), {}, bound, guards);
  const Expr e = build_.expression(all, {});
  if (graph_.is_constant(e, 1)) return;
  for (const auto& known : context_.model.checks)
    if (known.condition == e) return;
  context_.model.checks.push_back({code, e, std::move(message), place_of(span)});
}

}  // namespace gradus::elaboration
