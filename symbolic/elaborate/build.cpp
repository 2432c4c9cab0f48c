// Nodes from values: which labels a node gets, and the translation of frame labels to positions.
#include <algorithm>

#include "symbolic/elaborate/value.hpp"

namespace gradus::elaboration {

/// The labels of a node to be: free indices in order of their binders, the axes that occur, the bound labels.
struct Build::Layout {
  std::vector<Label> labels;
  std::uint32_t rank = 0;
  std::vector<Size> sizes;
  bool dry = false;

  Label position(Label l) const { return static_cast<Label>(std::ranges::find(labels, l) - labels.begin()); }
};

namespace {

/// No label of the frame.
constexpr Label none = UINT32_MAX;

bool contains(const std::vector<Label>& labels, Label l) { return std::ranges::find(labels, l) != labels.end(); }

void collect(std::vector<Label>& into, const Operand& o) {
  Graph::each_label(o, [&](Label l) { into.push_back(l); });
}

void sort_unique(std::vector<Label>& labels) {
  std::ranges::sort(labels);
  const auto repeated = std::ranges::unique(labels);
  labels.erase(repeated.begin(), repeated.end());
}

bool mentions(const Subscript& s, Label l) {
  bool found = false;
  Graph::each_label(s, [&](Label other) { found |= other == l; });
  return found;
}

}  // namespace

Build::Layout Build::layout(std::vector<Value>& operands, const std::vector<Guard>& guards,
                            const std::vector<Label>& axes, const std::vector<Label>& bound) {
  Layout out;
  out.dry = false;
  std::vector<Label> used;
  bool all_constant = true;
  for (auto& v : operands) {
    collect(used, operand(v));
    if (!v.operand.expr.valid()) out.dry = true;
    all_constant = all_constant && constant_value(v) != nullptr;
  }
  for (const auto& g : guards) Graph::each_label(g, [&](Label l) { used.push_back(l); });
  if (frame.dry && !(all_constant && !out.dry && used.empty() && bound.empty())) out.dry = true;
  sort_unique(used);
  for (const Label l : used)
    if (!contains(axes, l) && !contains(bound, l)) out.labels.push_back(l);
  for (const Label l : axes)
    if (std::ranges::binary_search(used, l)) out.labels.push_back(l);
  out.rank = static_cast<std::uint32_t>(out.labels.size());
  out.labels.insert(out.labels.end(), bound.begin(), bound.end());
  for (const Label l : out.labels) out.sizes.push_back(size(l));
  return out;
}

Subscript Build::renumber(const Subscript& s, const Layout& layout) {
  Subscript out{s.offset, {}, {}};
  for (const auto& t : s.labels) out.labels.push_back({layout.position(t.label), t.coefficient});
  std::ranges::sort(out.labels, [](LabelTerm a, LabelTerm b) { return a.label < b.label; });
  for (const auto& d : s.data) {
    DataTerm term{d.coefficient, d.data, {}};
    for (const auto& inner : d.subscripts) term.subscripts.push_back(renumber(inner, layout));
    out.data.push_back(std::move(term));
  }
  return out;
}

Operand Build::renumber(const Operand& o, const Layout& layout) {
  Operand out{o.expr, {}};
  for (const auto& s : o.subscripts) out.subscripts.push_back(renumber(s, layout));
  return out;
}

std::vector<Guard> Build::renumber(const std::vector<Guard>& guards, const Layout& layout) {
  std::vector<Guard> out;
  for (const auto& g : guards) {
    if (g.kind == Guard::Kind::condition)
      out.push_back({g.kind, {}, renumber(g.condition, layout)});
    else
      out.push_back({g.kind, renumber(g.affine, layout), {}});
  }
  return out;
}

Value Build::finish(const Layout& layout, Expr expr, std::vector<Label> axes) {
  Value v;
  v.operand.expr = expr;
  for (std::uint32_t k = 0; k < layout.rank; ++k) v.operand.subscripts.push_back(bare(layout.labels[k]));
  v.axes = std::move(axes);
  if (expr.valid() && layout.rank == 0)
    if (const Rational* c = graph.constant_value(expr))
      if (const auto whole = c->as_int64();
          whole && *whole > -(std::int64_t{1} << 31) && *whole < (std::int64_t{1} << 31))
        v.affine = graph.offset(sizes().constant(*whole));
  return v;
}

Value Build::read(Expr e) {
  Value v;
  v.operand.expr = e;
  for (std::uint32_t k = 0; k < graph.rank(e); ++k) {
    v.axes.push_back(axis(graph.axis(e, k)));
    v.operand.subscripts.push_back(bare(v.axes.back()));
  }
  return v;
}

Value Build::constant(const Rational& value) {
  Value v;
  v.operand.expr = graph.constant(value);
  if (const auto whole = value.as_int64();
      whole && *whole > -(std::int64_t{1} << 31) && *whole < (std::int64_t{1} << 31))
    v.affine = graph.offset(sizes().constant(*whole));
  return v;
}

Value Build::integer(Subscript affine, std::vector<Label> axes) {
  Value v;
  v.axes = std::move(axes);
  v.affine = std::move(affine);
  v.lazy = true;
  return v;
}

Value Build::fresh(Value v) {
  std::vector<Label> axes = v.axes;
  for (auto& l : axes) {
    const Label old = l;
    l = like(old);
    substitute(v, old, bare(l));
  }
  v.axes = std::move(axes);
  return v;
}

const Operand& Build::operand(Value& v) {
  if (!v.lazy) return v.operand;
  v.lazy = false;
  const Subscript& s = *v.affine;
  // Index data alone are the data themselves.
  if (s.labels.empty() && s.data.size() == 1 && sizes().is_zero(s.offset) && sizes().is_one(s.data[0].coefficient)) {
    v.operand = {s.data[0].data, s.data[0].subscripts};
    return v.operand;
  }
  std::vector<Label> labels;
  Graph::each_label(s, [&](Label l) { labels.push_back(l); });
  sort_unique(labels);
  Layout layout;
  layout.labels = labels;
  for (const Label l : labels) layout.sizes.push_back(size(l));
  layout.rank = static_cast<std::uint32_t>(labels.size());
  v.operand = {};
  if (!frame.dry || labels.empty()) v.operand.expr = graph.index(layout.sizes, renumber(s, layout));
  for (const Label l : labels) v.operand.subscripts.push_back(bare(l));
  return v.operand;
}

Subscript Build::substitute(const Subscript& s, Label l, const Subscript& by) {
  if (!mentions(s, l)) return s;
  Subscript out = graph.offset(s.offset);
  for (const auto& t : s.labels) {
    if (t.label == l)
      out = graph.add(out, graph.scale(by, t.coefficient));
    else
      out = graph.add(out, Subscript{Size{}, {t}, {}});
  }
  for (const auto& d : s.data) {
    DataTerm term{d.coefficient, d.data, {}};
    for (const auto& inner : d.subscripts) term.subscripts.push_back(substitute(inner, l, by));
    out = graph.add(out, Subscript{Size{}, {}, {std::move(term)}});
  }
  return out;
}

Operand Build::substitute(const Operand& o, Label l, const Subscript& by) {
  Operand out{o.expr, {}};
  for (const auto& s : o.subscripts) out.subscripts.push_back(substitute(s, l, by));
  return out;
}

Guard Build::substitute(const Guard& g, Label l, const Subscript& by) {
  if (g.kind == Guard::Kind::condition) return {g.kind, {}, substitute(g.condition, l, by)};
  return {g.kind, substitute(g.affine, l, by), {}};
}

void Build::substitute(Value& v, Label l, const Subscript& by) {
  if (!v.lazy) v.operand = substitute(v.operand, l, by);
  if (v.affine) v.affine = substitute(*v.affine, l, by);
  if (v.guards)
    for (auto& g : *v.guards) g = substitute(g, l, by);
}

Value Build::elementwise(Function f, std::vector<Value> operands, std::vector<Label> axes) {
  const Layout l = layout(operands, {}, axes, {});
  Expr e;
  if (!l.dry) {
    std::vector<Operand> read;
    for (const auto& v : operands) read.push_back(renumber(v.operand, l));
    e = graph.elementwise(f, l.sizes, std::move(read));
  }
  Value out = finish(l, e, std::move(axes));
  out.condition = row(f).condition || (f == Function::select && operands[1].condition && operands[2].condition);
  return out;
}

Value Build::sum(std::vector<Value> terms, const std::vector<Rational>& coefficients, std::vector<Label> axes) {
  const Layout l = layout(terms, {}, axes, {});
  Expr e;
  if (!l.dry) {
    std::vector<Term> read;
    for (std::size_t k = 0; k < terms.size(); ++k) read.push_back({coefficients[k], renumber(terms[k].operand, l)});
    e = graph.sum(l.sizes, std::move(read));
  }
  return finish(l, e, std::move(axes));
}

Value Build::product(std::vector<Value> factors, std::vector<Label> axes, const std::vector<Label>& bound,
                     const std::vector<Guard>& guards) {
  const Layout l = layout(factors, guards, axes, bound);
  Expr e;
  if (!l.dry) {
    std::vector<Operand> read;
    for (const auto& v : factors) read.push_back(renumber(v.operand, l));
    e = graph.contraction(l.sizes, l.rank, 1, std::move(read), renumber(guards, l));
  }
  return finish(l, e, std::move(axes));
}

Value Build::reduce(Reduction r, Value v, std::vector<Label> axes, const std::vector<Label>& bound,
                    const std::vector<Guard>& guards) {
  std::vector<Value> operands{std::move(v)};
  const Layout l = layout(operands, guards, axes, bound);
  Expr e;
  if (!l.dry) e = graph.reduce(r, l.sizes, l.rank, renumber(operands[0].operand, l), renumber(guards, l));
  Value out = finish(l, e, std::move(axes));
  out.condition = r == Reduction::any || r == Reduction::all;
  return out;
}

Value Build::softmax(SoftmaxKind kind, std::vector<Value> operands, std::vector<Label> axes,
                     const std::vector<Label>& bound, const std::vector<Guard>& guards) {
  const Layout l = layout(operands, guards, axes, bound);
  Expr e;
  if (!l.dry) {
    std::vector<Operand> read;
    for (const auto& v : operands) read.push_back(renumber(v.operand, l));
    e = graph.softmax(kind, l.sizes, l.rank, std::move(read), renumber(guards, l));
  }
  return finish(l, e, std::move(axes));
}

Subscript Build::order(Value v, Label along, const Subscript& place, const std::vector<Guard>& guards) {
  std::vector<Value> operands{std::move(v)};
  Layout l = layout(operands, guards, {}, {along});
  DataTerm term{sizes().constant(1), {}, {}};
  for (std::uint32_t k = 0; k < l.rank; ++k) term.subscripts.push_back(bare(l.labels[k]));
  term.subscripts.push_back(place);
  if (!l.dry) {
    // The place stands between the axes and the bound label.
    l.labels.insert(l.labels.end() - 1, none);
    l.sizes.insert(l.sizes.end() - 1, size(along));
    term.data = graph.order(l.sizes, renumber(operands[0].operand, l), renumber(guards, l));
  }
  return {Size{}, {}, {std::move(term)}};
}

Value Build::given(Value v, const std::vector<Value>& arguments, const std::vector<Value>& partials,
                   std::vector<Label> axes, const std::vector<Label>& bound) {
  std::vector<Value> operands{std::move(v)};
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    operands.push_back(arguments[k]);
    operands.push_back(partials[k]);
  }
  const Layout l = layout(operands, {}, axes, bound);
  Expr e;
  if (!l.dry) {
    std::vector<Operand> read;
    for (const auto& o : operands) read.push_back(renumber(o.operand, l));
    e = graph.given(true, l.sizes, l.rank, std::move(read));
  }
  return finish(l, e, std::move(axes));
}

Value Build::stopped(Value v) {
  if (!v.lazy && v.operand.expr.valid()) v.operand.expr = graph.stopped(v.operand.expr);
  return v;
}

Expr Build::expression(Value& v, const std::vector<Label>& leading) {
  operand(v);
  if (!v.operand.expr.valid()) return {};
  Layout l;
  l.labels = leading;
  l.labels.insert(l.labels.end(), v.axes.begin(), v.axes.end());
  l.rank = static_cast<std::uint32_t>(l.labels.size());
  for (const Label label : l.labels) l.sizes.push_back(size(label));
  return graph.view(l.sizes, renumber(v.operand, l));
}

Value Build::reshape(Value v, const std::vector<Size>& shape) {
  std::vector<Label> leading;
  for (const Label l : labels_of(v))
    if (!contains(v.axes, l)) leading.push_back(l);
  Value out;
  const Expr whole = expression(v, leading);
  std::vector<Size> full;
  for (const Label l : leading) {
    full.push_back(size(l));
    out.operand.subscripts.push_back(bare(l));
  }
  for (const Size s : shape) {
    full.push_back(s);
    out.axes.push_back(axis(s));
    out.operand.subscripts.push_back(bare(out.axes.back()));
  }
  if (whole.valid() && !frame.dry) out.operand.expr = graph.reshape(full, whole);
  out.condition = v.condition;
  return out;
}

std::optional<Graph::Range> Build::range(const Subscript& s) {
  Sizes& z = sizes();
  Graph::Range out{s.offset, s.offset};
  const auto widen = [&](Size coefficient, Size count) {
    const Size reach = z.multiply(coefficient, z.subtract(count, z.constant(1)));
    if (z.is_nonnegative(coefficient))
      out.high = z.add(out.high, reach);
    else if (z.is_nonnegative(z.scale(coefficient, -1)))
      out.low = z.add(out.low, reach);
    else
      return false;
    return true;
  };
  for (const auto& t : s.labels)
    if (!frame.labels[t.label].known || !widen(t.coefficient, size(t.label))) return std::nullopt;
  for (const auto& d : s.data) {
    const auto bound = graph.index_bound(d.data);
    if (!bound || !widen(d.coefficient, *bound)) return std::nullopt;
  }
  return out;
}

const Rational* Build::constant_value(const Value& v) const {
  return !v.lazy && v.operand.expr.valid() ? graph.constant_value(v.operand.expr) : nullptr;
}

bool Build::is_constant(const Value& v, const Rational& value) const {
  const Rational* c = constant_value(v);
  return c != nullptr && *c == value;
}

int Build::sign_of_infinity(const Value& v) const {
  if (v.lazy || !v.operand.expr.valid()) return 0;
  const auto sign = [&](Expr e) {
    const Node& n = graph[e];
    if (n.kind != Kind::elementwise) return 0;
    if (n.function == Function::infinity) return 1;
    if (n.function != Function::power || !graph.is_zero(n.operands[0].expr)) return 0;
    const Rational* exponent = graph.constant_value(n.operands[1].expr);
    return exponent != nullptr && exponent->sign() < 0 ? 1 : 0;
  };
  const Node& n = graph[v.operand.expr];
  const bool scaled = n.kind == Kind::contraction && n.labels.empty() && n.guards.empty() && n.operands.size() == 1;
  return scaled ? n.coefficients[0].sign() * sign(n.operands[0].expr) : sign(v.operand.expr);
}

Value Build::not_a_number(std::vector<Label> axes) {
  Value v;
  v.operand.expr = graph.named_constant(Function::not_a_number);
  v.axes = std::move(axes);
  return v;
}

std::vector<Label> Build::labels_of(const Value& v) const {
  std::vector<Label> out;
  if (v.lazy)
    Graph::each_label(*v.affine, [&](Label l) { out.push_back(l); });
  else
    collect(out, v.operand);
  sort_unique(out);
  return out;
}

}  // namespace gradus::elaboration
