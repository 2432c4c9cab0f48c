// Index notation: a node's element at places, binders with their ranges.
#include <algorithm>
#include <utility>

#include "symbolic/print/writer.hpp"

namespace gradus::printing {

// ---- index names ----

std::uint32_t Writer::open_index(Size count, const std::string& wanted) {
  const auto is_open = [&](const std::string& text) {
    return std::ranges::any_of(open_, [&](std::uint32_t i) { return indices_[i].name == text; });
  };
  std::string chosen = wanted;
  if (chosen.empty() || names_.is_taken(chosen) || is_open(chosen))
    for (std::size_t k = 0; chosen = names_.index(k), is_open(chosen); ++k) {
    }
  indices_.push_back({chosen, {}, false});
  full_range_.push_back(count);
  const auto index = static_cast<std::uint32_t>(indices_.size() - 1);
  open_.push_back(index);
  return index;
}

void Writer::note_reading(const Place& p, Size axis) {
  if (p.terms.size() != 1) return;  // with several indices it is only checked, once their ranges are known
  Index& index = indices_[p.terms[0].first];
  if (!p.data.empty() || !sizes_.is_one(p.terms[0].second))
    index.irregular = true;
  else
    index.readings.push_back({p.offset, axis, conditions_ > 0});
}

/// Whether inference gives an index exactly 0..count: one reading fixes the begin, one the end, and no other cuts the
/// range or has a bound of another size. Readings under a condition count only where there are no others.
bool Writer::is_inferred(const Index& i, Size count) {
  bool begin = false, end = false, all = true, free = false;
  for (const auto& r : i.readings) {
    const Size beyond = sizes_.subtract(sizes_.subtract(r.axis, r.offset), count);  // axis - offset - count
    const auto low = sizes_.as_constant(r.offset);
    const auto high = sizes_.as_constant(beyond);
    if (!low || !high || *low < 0 || *high < 0) return false;
    all = all && *low == 0 && *high == 0;
    if (r.guarded) continue;
    free = true;
    begin = begin || *low == 0;
    end = end || *high == 0;
  }
  // Axes of different sizes that are all read at the index itself: said, so that nothing seems forgotten.
  const Size axis = i.readings.empty() ? Size{} : i.readings[0].axis;
  const auto bare = [&](const auto& r) { return sizes_.is_zero(r.offset); };
  const auto other = [&](const auto& r) { return r.axis != axis; };
  if (std::ranges::all_of(i.readings, bare) && std::ranges::any_of(i.readings, other)) return false;
  return !i.irregular && !i.readings.empty() && (free ? begin && end : all);
}

/// Closes an index name; its range is left to inference only where that gives it exactly.
Binder Writer::close_index(std::uint32_t index, Size count) {
  open_.erase(std::ranges::find(open_, index));
  return binder(index, count);
}

Binder Writer::binder(std::uint32_t index, Size count) {
  Binder out;
  out.name = indices_[index].name;
  out.range.push_back(number(0));
  out.range.push_back(size(count));
  out.shown = !is_inferred(indices_[index], count);
  return out;
}

Places Writer::open_bound(const Node& n, const Places& at) {
  Places all = at;
  for (std::size_t l = n.rank; l < n.labels.size(); ++l)
    all.push_back({{}, {{open_index(n.labels[l]), sizes_.constant(1)}}, {}});
  return all;
}

std::vector<Binder> Writer::close_bound(const Node& n, const Places& at) {
  std::vector<Binder> out;
  for (std::size_t l = n.rank; l < n.labels.size(); ++l) {
    out.push_back(close_index(at[l].terms[0].first, n.labels[l]));
    const auto end = data_end(n, l);
    if (!end) continue;
    const DataTerm& d = n.guards[*end].affine.data[0];
    out.back().range[1] = element({d.data, d.subscripts}, at);
    out.back().shown = true;
  }
  return out;
}

namespace {

Formula chosen(std::vector<Formula> conditions, Formula value) {
  if (conditions.empty()) return value;
  return conditional(conjunction(std::move(conditions)), std::move(value), number(0));
}

}  // namespace

// ---- nodes ----

Formula Writer::element(const Operand& o, const Places& at) { return element(o.expr, places(o.subscripts, at)); }

Formula Writer::element(Expr e, const Places& at) {
  if (is_leaf(e)) return read(name(labels_[e.id], graph_.rank(e) == 0), e, at);
  if (at.empty()) return *array(e);
  return element_body(e, at);
}

Formula Writer::element_body(Expr e, const Places& at) {
  const Node& n = graph_[e];
  switch (n.kind) {
    case Kind::input:
      return read(name(labels_[e.id], graph_.rank(e) == 0), e, at);
    case Kind::constant:
      return number(n.coefficients[0]);
    case Kind::index: {
      const Place p = place(n.affine, at);
      return where_they_hold(where_readable(p), formula(p), false);
    }
    case Kind::elementwise: {
      std::vector<Formula> operands;
      for (std::size_t k = 0; k < n.operands.size(); ++k) {
        const Protected branch(*this, n.function == Function::select && k > 0);
        operands.push_back(element(n.operands[k], at));
      }
      return function_value(n, std::move(operands));
    }
    case Kind::sum: {
      std::vector<Formula> terms;
      for (std::size_t k = 0; k < n.operands.size(); ++k) {
        Product p;
        p.coefficient = n.coefficients[k];
        p.multiply(element(n.operands[k], at));
        terms.push_back(std::move(p).build());
      }
      return add(by_weight(std::move(terms)));
    }
    case Kind::contraction:
      return element_contraction(n, at);
    case Kind::reduce:
      return element_reduce(n, at);
    case Kind::softmax:
      return element_softmax(n, at);
    case Kind::order:
      return element_order(n, at);
    case Kind::reshape: {
      std::vector<Formula> arguments;
      arguments.push_back(*array(n.operands[0].expr));  // the layout gives what has no array form a name
      for (const Size s : n.labels) arguments.push_back(size(s));
      return read(call("reshape", std::move(arguments)), e, at);
    }
    case Kind::given:
      return element(n.operands[0], at);
  }
  return {};
}

Formula Writer::element_contraction(const Node& n, const Places& at) {
  const bool binds = n.labels.size() > n.rank;
  Product outside;
  outside.coefficient = n.coefficients[0];
  Product inside;
  std::vector<std::size_t> bound;
  std::vector<std::size_t> free;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    bool depends = false;
    Graph::each_label(n.operands[k], [&](Label l) { depends = depends || l >= n.rank; });
    // Under a guard a factor stays inside: where nothing passes, it must not count.
    (binds && (depends || !n.guards.empty()) ? bound : free).push_back(k);
  }
  if (!binds) {
    {
      const Protected branch(*this, !n.guards.empty(), bounds_places(n));
      for (const std::size_t k : free) outside.multiply(element(n.operands[k], at));
    }
    Conditions conditions = guards(n, at);
    Formula value = chosen(std::move(conditions.inner), std::move(outside).build());
    return chosen(std::move(conditions.outer), std::move(value));
  }
  for (const std::size_t k : free) outside.multiply(element(n.operands[k], at));
  if (auto rows = row_product(n, at, bound)) {
    outside.multiply(std::move(*rows));
    return std::move(outside).build();
  }
  const Places all = open_bound(n, at);
  {
    const Protected body(*this, !n.guards.empty(), bounds_places(n));
    for (const std::size_t k : bound) inside.multiply(element(n.operands[k], all));
  }
  Conditions conditions = guards(n, all);
  std::vector<Binder> binders = close_bound(n, all);
  if (conditions.inner.empty()) {
    outside.coefficient = outside.coefficient * inside.coefficient;
    inside.coefficient = 1;
  }
  Formula body = chosen(std::move(conditions.inner), std::move(inside).build());
  const bool filtered = !conditions.outer.empty();
  Formula f = over("sum", std::move(binders), std::move(body), std::move(conditions.outer));
  if (!filtered) f.count = count({n.labels.begin() + n.rank, n.labels.end()});
  outside.multiply(std::move(f));
  return std::move(outside).build();
}

/// Σ over the last axis of two arrays: `X[i] @ w`.
std::optional<Formula> Writer::row_product(const Node& n, const Places& at, const std::vector<std::size_t>& factors) {
  if (n.labels.size() != n.rank + 1 || !n.guards.empty() || factors.size() != 2) return std::nullopt;
  for (const std::size_t k : factors) {
    const Operand& o = n.operands[k];
    if (!is_leaf(o.expr) || graph_.as_label(o.subscripts.back()) != n.rank) return std::nullopt;
    if (graph_.axis(o.expr, graph_.rank(o.expr) - 1) != n.labels[n.rank]) return std::nullopt;
    for (std::size_t a = 0; a + 1 < o.subscripts.size(); ++a) {
      bool depends = false;
      Graph::each_label(o.subscripts[a], [&](Label l) { depends = depends || l >= n.rank; });
      if (depends) return std::nullopt;
    }
  }
  if (n.operands[factors[0]] == n.operands[factors[1]]) return std::nullopt;  // a sum of squares
  std::vector<Formula> parts;
  for (const std::size_t k : factors) {
    const Operand& o = n.operands[k];
    std::vector<Subscript> leading(o.subscripts.begin(), o.subscripts.end() - 1);
    parts.push_back(read(name(labels_[o.expr.id]), o.expr, places(leading, at)));
  }
  return make(Op::matmul, std::move(parts));
}

/// What stands under the guards of a node.
Formula Writer::protected_element(const Node& n, const Operand& o, const Places& at) {
  const Protected body(*this, !n.guards.empty(), bounds_places(n));
  return element(o, at);
}

Formula Writer::element_reduce(const Node& n, const Places& at) {
  const bool position = is_position(n.reduction);
  if (position && n.labels.size() == n.rank) return number(0);
  std::optional<Formula> some;
  if (may_lack_elements(n)) some = some_element(n, at);
  const Protected condition(*this, some.has_value(), false);
  const Places all = open_bound(n, at);
  Formula body = protected_element(n, n.operands[0], all);
  std::vector<Formula> filters = all_guards(n, all);
  std::vector<Binder> binders = close_bound(n, all);
  if (binders.empty()) return guarded_element(n.reduction, std::move(body), std::move(filters));
  Formula value =
      over(std::string(reduction_name(n.reduction)), std::move(binders), std::move(body), std::move(filters));
  return some ? conditional(std::move(*some), std::move(value), number(0)) : value;
}

/// Whether a largest or smallest element stands where nothing protects it from being one of nothing, which is an error:
/// a part that was given a line of its own has lost the condition that protects it. What the program checks anyway is
/// the user's.
bool Writer::may_lack_elements(const Node& n) const {
  if ((n.reduction != Reduction::maximum && n.reduction != Reduction::minimum) || n.guards.empty() ||
      n.labels.size() == n.rank || conditions_ > 0 || !checks_known_)
    return false;
  return std::ranges::none_of(counted_, [&](const Expr count) {
    const Node& c = graph_[count];
    return c.labels == n.labels && c.rank == n.rank && c.guards == n.guards;
  });
}

/// `sum[k : i == t[k]](1) > 0`: whether a reduction with guards has elements.
Formula Writer::some_element(const Node& n, const Places& at) {
  const Places all = open_bound(n, at);
  std::vector<Formula> filters = all_guards(n, all);
  std::vector<Binder> binders = close_bound(n, all);
  return compare(">", over("sum", std::move(binders), number(1), std::move(filters)), number(0));
}

/// A reduction over nothing but its guards: the neutral element where they do not hold.
Formula Writer::guarded_element(Reduction reduction, Formula body, std::vector<Formula> conditions) {
  if (reduction == Reduction::norm) body = apply(Function::abs, {std::move(body)});
  if (conditions.empty()) return body;
  Formula condition = conjunction(std::move(conditions));
  switch (reduction) {
    case Reduction::any:
      return make(Op::logical_and, {std::move(condition), std::move(body)});
    case Reduction::all:
      return make(Op::logical_or, {negation(std::move(condition)), std::move(body)});
    case Reduction::product:
      return conditional(std::move(condition), std::move(body), number(1));
    case Reduction::norm:
      return conditional(std::move(condition), std::move(body), number(0));
    default:
      return conditional(std::move(condition), std::move(body), apply(Function::log, {number(-1)}));  // NaN
  }
}

/// `softmax[k](x)` where k is an index at hand: the element at k. The operand may hold k only as what softmax runs
/// over.
std::optional<Formula> Writer::softmax_here(const Node& n, const Places& at, const Subscript& element_place) {
  const auto axis = graph_.as_label(element_place);
  if (!axis || !n.guards.empty() || n.labels[*axis] != n.labels[n.rank]) return std::nullopt;
  const Place& p = at[*axis];
  if (p.terms.size() != 1 || !p.data.empty() || !sizes_.is_zero(p.offset) || !sizes_.is_one(p.terms[0].second))
    return std::nullopt;
  const std::uint32_t index = p.terms[0].first;
  if (full_range_.size() <= index || full_range_[index] != n.labels[n.rank]) return std::nullopt;
  bool elsewhere = false;
  Graph::each_label(n.operands[1], [&](Label l) {
    if (l >= n.rank) return;
    for (const auto& t : at[l].terms) elsewhere = elsewhere || t.first == index;
    elsewhere = elsewhere || !at[l].data.empty();
  });
  if (elsewhere) return std::nullopt;
  Places all = at;
  all.push_back(p);
  // The name is bound anew: what the operand reads decides whether its range is written.
  Index outer = std::exchange(indices_[index], {indices_[index].name, {}, false});
  Formula body = element(n.operands[1], all);
  std::vector<Binder> binders;
  binders.push_back(binder(index, n.labels[n.rank]));
  indices_[index].irregular = indices_[index].irregular || outer.irregular;
  for (const auto& r : outer.readings) indices_[index].readings.push_back(r);
  return over(std::string(softmax_name(n.softmax)), std::move(binders), std::move(body), {});
}

/// `softmax[k](x)` is the whole array over k where k is a new name, and its element where k is an index at hand; so
/// the element is read from the array by a subscript, or k is the name of the index at that place.
Formula Writer::element_softmax(const Node& n, const Places& at) {
  const std::string function(softmax_name(n.softmax));
  if (n.softmax == SoftmaxKind::logsumexp) {
    const Places all = open_bound(n, at);
    Formula body = protected_element(n, n.operands[0], all);
    std::vector<Formula> filters = all_guards(n, all);
    std::vector<Binder> binders = close_bound(n, all);
    return over(function, std::move(binders), std::move(body), std::move(filters));
  }
  const Operand& e = n.operands[0];
  const Operand& x = n.operands[1];
  std::vector<std::optional<Subscript>> elements(n.labels.size() - n.rank);
  bool matches = e.expr == x.expr;
  for (std::size_t k = 0; matches && k < x.subscripts.size(); ++k) {
    const auto l = graph_.as_label(x.subscripts[k]);
    if (!l || *l < n.rank) {
      matches = x.subscripts[k] == e.subscripts[k];
    } else {
      auto& place = elements[*l - n.rank];
      matches = !place || *place == e.subscripts[k];
      place = e.subscripts[k];
    }
  }
  matches = matches && std::ranges::all_of(elements, [](const auto& s) { return s.has_value(); });
  if (matches && elements.size() == 1)
    if (auto here = softmax_here(n, at, *elements[0])) return std::move(*here);
  const Places all = open_bound(n, at);
  Formula body = protected_element(n, x, all);
  std::vector<Formula> filters = all_guards(n, all);
  std::vector<Binder> binders = close_bound(n, all);
  if (matches && (filters.empty() || n.softmax == SoftmaxKind::softmax)) {  // log_softmax takes no filter
    std::vector<Formula> parts;
    parts.push_back(over(function, std::move(binders), std::move(body), std::move(filters)));
    for (std::size_t b = 0; b < elements.size(); ++b) {
      const Place p = place(*elements[b], at);
      note_reading(p, n.labels[n.rank + b]);
      parts.push_back(formula(p));
    }
    return make(Op::subscript, std::move(parts));
  }
  Formula total = over("logsumexp", std::move(binders), std::move(body), std::move(filters));
  std::vector<Formula> terms;
  terms.push_back(element(e, at));
  terms.push_back(negated(std::move(total)));
  Formula logarithm = add(std::move(terms));
  return n.softmax == SoftmaxKind::softmax ? apply(Function::exp, {std::move(logarithm)}) : logarithm;
}

/// `argsort[m](x)` with a new name m is an array along the places.
Formula Writer::element_order(const Node& n, const Places& at) {
  const Places all = open_bound(n, at);
  Formula body = protected_element(n, n.operands[0], all);
  std::vector<Formula> filters = all_guards(n, all);
  std::vector<Binder> binders = close_bound(n, all);
  std::vector<Formula> parts;
  parts.push_back(over("argsort", std::move(binders), std::move(body), std::move(filters)));
  note_reading(at.back(), n.labels[n.rank]);
  parts.push_back(formula(at.back()));
  return make(Op::subscript, std::move(parts));
}

}  // namespace gradus::printing
