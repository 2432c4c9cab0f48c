// Index notation: binders and their ranges, index forms, subscripts, parts and slices, and whether they stay inside.
#include <algorithm>
#include <array>

#include "frontend/format.hpp"
#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {
namespace {

constexpr std::array reduction_names = {"sum", "prod",      "mean", "var",    "std",    "max",    "min",     "any",
                                        "all", "logsumexp", "norm", "argmax", "argmin", "median", "quantile"};
constexpr std::array along_names = {"softmax", "log_softmax", "cumsum", "cumprod", "sort", "argsort"};

template <class Names>
bool is_one_of(const Names& names, const std::string& key) {
  return std::find(names.begin(), names.end(), key) != names.end();
}

}  // namespace

bool Evaluator::range_bound(ast::Id id, const ast::Binder& binder, Value& out) {
  const ast::Expression& bound = at(id);
  const std::string& key = binder.name.key;
  if (bound.kind == ast::Kind::name && bound.name.key == key && find_binding(key) == nullptr &&
      context_.find(key) == nullptr) {
    error(bound.span, "the range of " + binder.name.text + " ends with " + binder.name.text + " itself")
        .help("a range ends with a size: " + binder.name.text + " in 0..n");
    return false;
  }
  size_position_ = true;
  out = eval(id);
  size_position_ = false;
  if (out.poisoned) return false;
  if (out.affine && out.axes.empty()) return true;
  Diagnostic& d =
      error(at(id).span, "a bound of " + binder.name.text + " must be affine in sizes, indices and index data, but " +
                             named(id) + " is not");
  explain_number(d, id);
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
      const Label l = frame_.add({Size{}, false, 0, name, {}});
      frame_.labels[l].root = l;
      unknown_.push_back(
          {l, key, name, binder.span.is_none() ? binder.name.span : binder.span, left_side, false, {}, {}});
      return BoundIndex{l, {}, {}};
    }
    const auto found = ranges_.find(key);
    if (found == ranges_.end()) return std::nullopt;
    return BoundIndex{
        frame_.add({found->second.size, true, 0, name, found->second.begin}), graph_.offset(found->second.begin), {}};
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
    if (sizes_.is_nonnegative(sizes_.scale(size, -1))) size = Size{};  // empty
    return BoundIndex{frame_.add({size, true, 0, name, begin.offset}), begin, {}};
  }
  return hull_index(binder, key, begin, end);
}

std::optional<Evaluator::BoundIndex> Evaluator::hull_index(const ast::Binder& binder, BinderKey key,
                                                           const Subscript& begin, const Subscript& end) {
  const std::string& name = binder.name.text;
  BoundIndex out;
  if (frame_.dry) {
    out.label = frame_.add({Size{}, false, 0, name, {}});
    frame_.labels[out.label].root = out.label;
    unknown_.push_back({out.label, key, name, binder.span, false, true, begin, end});
  } else {
    const auto low = build_.range(begin), high = build_.range(end);
    if (!low || !high) {
      error(binder.span, "the bounds of " + name + " have no smallest and largest value that are sizes");
      return std::nullopt;
    }
    out.begin = graph_.offset(low->low);
    out.label = frame_.add({sizes_.subtract(high->high, low->low), true, 0, name, low->low});
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
  if (binders.size() > most_axes) {
    error(binders[most_axes].name.span, "more than " + std::to_string(most_axes) + " indices in one list");
    return false;
  }
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
  if (at(id).kind == ast::Kind::number && !bindings_.empty()) {
    error(at(id).span, "a range has no step, and " + text_of(id) + " is no filter")
        .help("a filter chooses: mod(" + bindings_.back().key + ", " + text_of(id) + ") == 0");
    return std::nullopt;
  }
  Value c = eval(id);
  if (c.poisoned || !is_condition(c, id, "a filter")) return std::nullopt;
  if (!c.axes.empty()) {
    std::size_t rank = 0;
    const std::string text = elementwise_text(id, rank);
    error(at(id).span, "a filter is one condition for each index, but this one is " + shape_of(c))
        .help(text.empty() ? "subscript the arrays in it" : "subscript the arrays in it, as in " + text);
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
  const Span mark = e.mark.is_none() ? e.span : e.mark;
  if (name == "median" || name == "quantile" || e.children.size() > 2)
    return with_argument(id, std::move(v), axes, labels, std::move(guards), mark);
  Value out = reduce_over(name, std::move(v), axes, labels, guards, mark, id);
  if (!position || out.poisoned || bound[0].begin == Subscript{}) return out;
  return build_.sum({std::move(out), build_.integer(bound[0].begin)}, {1, 1}, axes);
}

/// median[i](x), quantile[i](x, q), norm[i](x, p): the argument is the same for all that is bound.
Value Evaluator::with_argument(ast::Id id, Value v, const std::vector<Label>& axes, const std::vector<Label>& bound,
                               std::vector<Guard> guards, Span mark) {
  const ast::Expression& e = at(id);
  const bool quantile = e.name.key == "quantile";
  if (quantile && e.children.size() < 3) {
    error(e.span, "quantile takes 2 arguments, not 1").help("as in quantile[i](x[i], 0.9)");
    return Value::poison();
  }
  Value argument = e.children.size() > 2 ? eval(e.children[2]) : build_.constant(Rational::ratio(1, 2));
  if (argument.poisoned) return argument;
  build_.operand(argument);
  if (e.name.key == "norm") {
    if (!argument.axes.empty())
      return fail(at(e.children[2]).span, "the order of a norm is a scalar, not " + shape_of(argument));
    return norm_over(std::move(v), axes, bound, guards, argument, mark);
  }
  if (quantile && !is_fraction(argument, mark, e.children[2])) return Value::poison();
  return quantile_over(e.name.key, std::move(v), argument, axes, bound, std::move(guards), mark);
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
  const bool soft = name == "softmax" || name == "log_softmax";
  if (e.binders.size() != 1 && !soft)
    return fail(e.mark.is_none() ? e.span : e.mark,
                e.name.text + " runs along one index, not " + std::to_string(e.binders.size()));
  const bool filtered = e.children.size() > 1 && e.children[1].valid();
  if (filtered && name != "softmax" && name != "argsort")
    return fail(at(e.children[1]).span, e.name.text + " takes no filter");
  // The enclosing index of that name is the place at which the value is taken.
  std::vector<std::optional<Subscript>> outer(e.binders.size());
  for (std::size_t k = 0; k < e.binders.size(); ++k)
    if (const Binding* b = find_binding(e.binders[k].name.key); b != nullptr && b->is_index) outer[k] = b->value.affine;
  const std::size_t first = bindings_.size();
  std::vector<BoundIndex> bound;
  if (!bind(e.binders, id.index, bound)) {
    bindings_.resize(first);
    return Value::poison();
  }
  std::vector<Guard> guards;
  for (const auto& b : bound) guards.insert(guards.end(), b.guards.begin(), b.guards.end());
  const std::size_t outer_conditions = conditions_.size();
  bool good = true;
  if (!guards.empty()) push_guards(guards);
  if (!guards.empty() && name != "softmax" && name != "argsort") good = false;
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
  if (!good && !filtered)
    return not_supported(e.mark.is_none() ? e.span : e.mark,
                         e.name.text + " over a range that depends on another index");
  if (!good || x.poisoned) return Value::poison();
  return along_labels(id, std::move(x), bound, outer, std::move(guards));
}

Value Evaluator::along_labels(ast::Id id, Value x, const std::vector<BoundIndex>& bound,
                              const std::vector<std::optional<Subscript>>& outer, std::vector<Guard> guards) {
  const ast::Expression& e = at(id);
  const std::string& name = e.name.key;
  std::vector<Label> axes, labels;
  std::vector<Subscript> places;
  for (std::size_t k = 0; k < bound.size(); ++k) {
    labels.push_back(bound[k].label);
    if (outer[k]) {
      places.push_back(graph_.subtract(*outer[k], bound[k].begin));
      check_inside(places[k], bound[k].label, e.span, {e.name.text, e.binders[k].name.text, named(id)}, false);
    } else {
      axes.push_back(build_.like(bound[k].label));
      places.push_back(build_.bare(axes.back()));
    }
  }
  axes.insert(axes.end(), x.axes.begin(), x.axes.end());
  if (name == "cumsum" || name == "cumprod") {
    guards.push_back({Guard::Kind::nonnegative, graph_.subtract(places[0], build_.bare(labels[0])), {}});
    if (name == "cumsum") return build_.product({std::move(x)}, axes, labels, guards);
    return build_.reduce(Reduction::product, std::move(x), axes, labels, guards);
  }
  if (name == "sort" || name == "argsort") {
    x = in_order(name, std::move(x), labels[0], places[0], bound[0].begin, guards);
    x.axes = std::move(axes);
    return x;
  }
  Value place = x;
  build_.operand(place);
  for (std::size_t k = 0; k < labels.size(); ++k) build_.substitute(place, labels[k], places[k]);
  const SoftmaxKind kind = name == "softmax" ? SoftmaxKind::softmax : SoftmaxKind::log_softmax;
  Value out = build_.softmax(kind, {std::move(place), std::move(x)}, axes, labels, guards);
  if (guards.empty()) return out;
  // What the filter leaves out is 0.
  for (auto& g : guards)
    for (std::size_t k = 0; k < labels.size(); ++k) g = build_.substitute(g, labels[k], places[k]);
  return build_.product({std::move(out)}, axes, {}, guards);
}

}  // namespace gradus::elaboration
