// Where values are read: places in index names, what keeps them inside their axes, guards as conditions.
#include <algorithm>
#include <utility>

#include "symbolic/print/writer.hpp"

namespace gradus::printing {

// ---- places ----

Place Writer::place(const Subscript& s, const Places& at) {
  Place out;
  out.offset = s.offset;
  for (const auto& t : s.labels) {
    const Place& p = at[t.label];
    out.offset = sizes_.add(out.offset, sizes_.multiply(t.coefficient, p.offset));
    for (const auto& [index, coefficient] : p.terms) {
      const Size scaled = sizes_.multiply(t.coefficient, coefficient);
      const auto found = std::ranges::find_if(out.terms, [&](const auto& x) { return x.first == index; });
      if (found == out.terms.end())
        out.terms.emplace_back(index, scaled);
      else
        found->second = sizes_.add(found->second, scaled);
    }
    for (const auto& d : p.data)
      out.data.push_back({sizes_.multiply(t.coefficient, d.coefficient), d.formula, d.bound, d.inside});
  }
  std::erase_if(out.terms, [&](const auto& t) { return sizes_.is_zero(t.second); });
  for (const auto& d : s.data) {
    std::vector<Formula> inside;
    auto* const outer = std::exchange(lifted_, &inside);
    Formula value = element({d.data, d.subscripts}, at);
    lifted_ = outer;
    out.data.push_back({d.coefficient, std::move(value), graph_.index_bound(d.data), std::move(inside)});
  }
  return out;
}

Places Writer::places(const std::vector<Subscript>& subscripts, const Places& at) {
  Places out;
  for (const auto& s : subscripts) out.push_back(place(s, at));
  return out;
}

Formula Writer::formula(const Place& p) const {
  std::vector<Formula> sum;
  const auto term = [&](Size coefficient, Formula f) {
    Product product;
    product.multiply(size(coefficient));
    product.multiply(std::move(f));
    sum.push_back(std::move(product).build());
  };
  for (const auto& [index, coefficient] : p.terms) term(coefficient, name(indices_[index].name));
  for (const auto& d : p.data) term(d.coefficient, d.formula);
  if (!sizes_.is_zero(p.offset) || sum.empty()) sum.push_back(size(p.offset));
  return add(std::move(sum));
}

/// A named value or input at places; what is read where decides which ranges must be written.
Formula Writer::read(Formula base, Expr e, const Places& at) {
  if (at.empty()) return base;
  if (bounding_ == 0)
    if (auto inside = where_inside(e, at); !inside.empty())
      return read_inside(std::move(base), e, at, std::move(inside));
  for (std::uint32_t k = 0; k < at.size(); ++k)
    if (is_foreign(at[k], graph_.axis(e, k))) return read_foreign(std::move(base), e, at, k);
  std::vector<Formula> parts;
  parts.push_back(std::move(base));
  for (std::uint32_t k = 0; k < at.size(); ++k) {
    note_reading(at[k], graph_.axis(e, k));
    parts.push_back(formula(at[k]));
  }
  return make(Op::subscript, std::move(parts));
}

/// Whether a place is index data made for an axis of another size: legal only under a guard, never as a subscript.
bool Writer::is_foreign(const Place& p, Size axis) const {
  return p.data.size() == 1 && p.terms.empty() && sizes_.is_zero(p.offset) && sizes_.is_one(p.data[0].coefficient) &&
         p.data[0].bound && *p.data[0].bound != axis;
}

/// What must hold for places without data to be inside their axes, where the ranges of the index names alone do not say
/// so: a part that was given a line of its own has lost the condition that protects it.
std::vector<Formula> Writer::where_inside(Expr e, const Places& at) {
  std::vector<Formula> out;
  for (std::uint32_t k = 0; k < at.size(); ++k) {
    const Place& p = at[k];
    for (auto& f : where_readable(p)) out.push_back(std::move(f));
    if (!p.data.empty() || p.terms.empty()) continue;
    Size low = p.offset, high = p.offset;
    bool known = true;
    for (const auto& [index, coefficient] : p.terms) {
      const Size reach = sizes_.multiply(coefficient, sizes_.subtract(full_range_[index], sizes_.constant(1)));
      if (sizes_.is_nonnegative(coefficient))
        high = sizes_.add(high, reach);
      else if (sizes_.is_nonnegative(sizes_.scale(coefficient, -1)))
        low = sizes_.add(low, reach);
      else
        known = false;
    }
    const Size axis = graph_.axis(e, k);
    const Size room = sizes_.subtract(sizes_.subtract(axis, sizes_.constant(1)), high);
    // Only what certainly leaves the axis (by n elements, say): elsewhere the graph has proofs that sizes alone do not
    // give.
    const auto leaves = [&](Size s) { return !sizes_.is_zero(s) && sizes_.is_nonnegative(sizes_.scale(s, -1)); };
    if (known && leaves(low)) out.push_back(compare(">=", formula(p), number(0)));
    if (known && leaves(room)) out.push_back(compare("<", formula(p), size(axis)));
  }
  return out;
}

/// What must hold for the data in a place to be read inside their axes; nothing where conditions around it say so.
std::vector<Formula> Writer::where_readable(const Place& p) const {
  std::vector<Formula> out;
  if (bounding_ > 0) return out;
  for (const auto& d : p.data) out.insert(out.end(), d.inside.begin(), d.inside.end());
  return out;
}

Formula Writer::read_inside(Formula base, Expr e, const Places& at, std::vector<Formula> inside) {
  const Protected branch(*this, true);
  Formula element = read(std::move(base), e, at);
  return where_they_hold(std::move(inside), std::move(element), graph_.is_condition(e));
}

/// A value where the conditions hold, and nowhere else; of a condition false there.
Formula Writer::where_they_hold(std::vector<Formula> inside, Formula value, bool is_condition) {
  if (inside.empty()) return value;
  if (lifted_ != nullptr) {  // a subscript holds no condition: what it stands in says it
    for (auto& f : inside) lifted_->push_back(std::move(f));
    return value;
  }
  if (is_condition) {
    inside.push_back(std::move(value));
    return conjunction(std::move(inside));
  }
  return conditional(conjunction(std::move(inside)), std::move(value), apply(Function::log, {number(-1)}));  // NaN
}

/// X[c[i]] as sum[j : j == c[i]](X[j]): 0 where the data are outside, and there a guard chooses otherwise.
Formula Writer::read_foreign(Formula base, Expr e, const Places& at, std::uint32_t axis) {
  const Size count = graph_.axis(e, axis);
  const std::uint32_t index = open_index(count);
  Places inside = at;
  inside[axis] = {{}, {{index, sizes_.constant(1)}}, {}};
  std::vector<Formula> filter;
  filter.push_back(compare("==", formula(inside[axis]), formula(at[axis])));
  const Protected filtered(*this, true);
  Formula body = read(std::move(base), e, inside);
  std::vector<Binder> binders;
  binders.push_back(close_index(index, count));
  return over("sum", std::move(binders), std::move(body), std::move(filter));
}

// ---- guards ----

namespace {

/// Whether a guard reads something at other places than bare labels, which another guard may have to protect.
bool is_exposed(const Graph& graph, const Guard& g) {
  const auto bare = [&](const Subscript& s) { return s.is_constant() || graph.as_label(s).has_value(); };
  if (g.kind == Guard::Kind::condition) return !std::ranges::all_of(g.condition.subscripts, bare);
  for (const auto& d : g.affine.data)
    if (!std::ranges::all_of(d.subscripts, bare)) return true;
  return false;
}

}  // namespace

std::optional<std::size_t> Writer::data_end(const Node& n, std::size_t label) {
  for (std::size_t k = 0; k < n.guards.size(); ++k) {
    const Subscript& s = n.guards[k].affine;
    if (n.guards[k].kind != Guard::Kind::nonnegative || s.labels.size() != 1 || s.data.size() != 1) continue;
    const DataTerm& d = s.data[0];
    const auto bound = graph_.index_bound(d.data);
    const bool ends = s.labels[0].label == label && sizes_.as_constant(s.labels[0].coefficient) == -1 &&
                      sizes_.is_one(d.coefficient) && sizes_.as_constant(s.offset) == -1;
    // What the data may reach is inside the range: l < len[i] alone says how far it goes.
    if (!ends || !bound || !is_leaf(d.data) ||
        !sizes_.is_nonnegative(sizes_.subtract(n.labels[label], sizes_.subtract(*bound, sizes_.constant(1)))))
      continue;
    bool earlier = true;
    for (std::uint32_t axis = 0; axis < d.subscripts.size(); ++axis) {
      const auto l = graph_.as_label(d.subscripts[axis]);
      earlier = earlier && l && *l < label && n.labels[*l] == graph_.axis(d.data, axis);
    }
    if (earlier) return k;
  }
  return std::nullopt;
}

bool Writer::is_data_end(const Node& n, std::size_t guard) {
  for (std::size_t l = n.rank; l < n.labels.size(); ++l)
    if (data_end(n, l) == guard) return true;
  return false;
}

/// The guards as conditions: positions first, then index data, then values. What reads at places that the positions
/// protect is an inner condition.
Writer::Conditions Writer::guards(const Node& n, const Places& at) {
  const auto order = [](const Guard& g) {
    return g.kind == Guard::Kind::condition ? 2 : (g.affine.data.empty() ? 0 : 1);
  };
  Conditions out;
  bool positions = false;
  for (const int turn : {0, 1, 2})
    for (std::size_t k = 0; k < n.guards.size(); ++k) {
      const Guard& g = n.guards[k];
      if (order(g) != turn || is_data_end(n, k)) continue;
      positions = positions || turn == 0;
      const bool inner = positions && turn > 0 && is_exposed(graph_, g);
      const Protected condition(*this, inner);
      (inner ? out.inner : out.outer).push_back(guard(g, at));
    }
  return out;
}

/// Whether the guards may keep subscripts inside: those that say where, not those that say which values.
bool Writer::bounds_places(const Node& n) const {
  constexpr int deepest = 4;
  return std::ranges::any_of(n.guards, [&](const Guard& g) {
    if (g.kind == Guard::Kind::condition) return mentions_position(g.condition.expr, deepest);
    return g.kind != Guard::Kind::nonzero;
  });
}

bool Writer::mentions_position(Expr e, int depth) const {
  const Node& n = graph_[e];
  if (n.kind == Kind::index) return n.rank > 0;
  if (is_leaf(e)) return false;
  return depth == 0 ||
         std::ranges::any_of(n.operands, [&](const Operand& o) { return mentions_position(o.expr, depth - 1); });
}

std::vector<Formula> Writer::all_guards(const Node& n, const Places& at) {
  Conditions conditions = guards(n, at);
  for (auto& f : conditions.inner) conditions.outer.push_back(std::move(f));
  return std::move(conditions.outer);
}

Formula Writer::guard(const Guard& g, const Places& at) {
  if (g.kind == Guard::Kind::condition) {
    if (const Rational* c = graph_.constant_value(g.condition.expr)) return compare("==", number(*c), number(1));
    return element(g.condition, at);
  }
  const Place p = place(g.affine, at);
  return where_they_hold(where_readable(p), comparison(g.kind, p), true);
}

/// `p - a >= 0` as `a <= p`: what is added stands on one side, what is subtracted on the other.
Formula Writer::comparison(Guard::Kind kind, const Place& p) {
  Place left;   // subtracted terms, negated
  Place right;  // added terms
  const Size minus = sizes_.constant(-1);
  for (const auto& t : p.terms) {
    if (sizes_.is_negative(t.second))
      left.terms.emplace_back(t.first, sizes_.multiply(minus, t.second));
    else
      right.terms.push_back(t);
  }
  for (const auto& d : p.data) {
    if (sizes_.is_negative(d.coefficient))
      left.data.push_back({sizes_.multiply(minus, d.coefficient), d.formula, d.bound, {}});
    else
      right.data.push_back(d);
  }
  // The offset stands where it is added; the 1 of a strict comparison belongs to its sign.
  const auto terms = sizes_.terms(p.offset);
  const bool added = terms.empty() || terms[0].coefficient > 0;
  bool strict = false;
  for (const auto& t : terms)
    strict = strict || (kind == Guard::Kind::nonnegative && t.atoms.empty() && t.coefficient < 0);
  const Size offset = strict ? sizes_.add(p.offset, sizes_.constant(1)) : p.offset;
  if (added)
    right.offset = offset;
  else
    left.offset = sizes_.multiply(minus, offset);
  const bool left_empty = left.terms.empty() && left.data.empty() && sizes_.is_zero(left.offset);
  if (kind != Guard::Kind::nonnegative) {
    if (right.terms.empty() && right.data.empty()) std::swap(left, right);  // i != 2
    return compare(kind == Guard::Kind::zero ? "==" : "!=", formula(right), formula(left));
  }
  if (left_empty) return compare(strict ? ">" : ">=", formula(right), number(0));
  return compare(strict ? "<" : "<=", formula(left), formula(right));
}

}  // namespace gradus::printing
