// Array notation: operands as slices and transposes, elementwise operations that broadcast, reductions along an axis.
#include <algorithm>
#include <numeric>

#include "symbolic/print/writer.hpp"

namespace gradus::printing {

/// A whole value by its name.
Formula Writer::named(Expr e) const {
  Formula f = name(labels_[e.id], graph_.rank(e) == 0);
  f.symmetric = graph_.rank(e) == 2 && graph_.is_symmetric(e);
  return f;
}

/// A scalar has always a text; of other nodes those that broadcasting, matrix products and reductions reach.
std::optional<Formula> Writer::array(Expr e) {
  if (is_leaf(e)) return named(e);
  const Node& n = graph_[e];
  const bool reduces = n.kind == Kind::contraction || n.kind == Kind::reduce || n.kind == Kind::softmax;
  if (n.rank == 0 && !reduces && n.kind != Kind::reshape) return element_body(e, {});
  if (no_array_[e.id] == 0) {
    if (auto body = array_body(e)) return body;
    no_array_[e.id] = 1;
  }
  if (n.rank == 0) return element_body(e, {});
  return std::nullopt;
}

std::optional<Formula> Writer::array_body(Expr e) {
  const Node& n = graph_[e];
  switch (n.kind) {
    case Kind::input:
      return named(e);
    case Kind::constant:
      return number(n.coefficients[0]);
    case Kind::index:
    case Kind::given:
      return std::nullopt;
    case Kind::elementwise: {
      auto operands = aligned(n.operands, n);
      if (!operands) return std::nullopt;
      return function_value(n, std::move(*operands));
    }
    case Kind::sum: {
      auto operands = aligned(n.operands, n);
      if (!operands) return std::nullopt;
      std::vector<Formula> terms;
      for (std::size_t k = 0; k < operands->size(); ++k) {
        Product p;
        p.coefficient = n.coefficients[k];
        p.arrays = true;
        p.multiply(std::move((*operands)[k]));
        terms.push_back(std::move(p).build());
      }
      return add(by_weight(std::move(terms)));
    }
    case Kind::contraction:
      return array_contraction(n);
    case Kind::reduce:
      return array_reduce(n);
    case Kind::softmax:
      return array_softmax(n);
    case Kind::order:
      return array_order(n);
    case Kind::reshape: {
      auto operand = array(n.operands[0].expr);
      if (!operand) return std::nullopt;
      std::vector<Formula> arguments;
      arguments.push_back(std::move(*operand));
      for (const Size s : n.labels) arguments.push_back(size(s));
      return call("reshape", std::move(arguments));
    }
  }
  return std::nullopt;
}

/// One subscript as it stands in brackets: a slice (then `label` is the axis it gives), a gather, or a fixed place.
/// Nothing where there is no such text.
std::optional<Formula> Writer::array_subscript(const Subscript& s, Size axis, const std::vector<Size>& labels,
                                               std::optional<Label>& label, bool& whole) {
  label.reset();
  whole = false;
  const auto end = [](Formula f) { return f.op == Op::number && f.number.is_zero() ? Formula{} : std::move(f); };
  if (s.is_constant()) return size(s.offset);
  if (s.data.empty() && s.labels.size() == 1 && sizes_.is_one(s.labels[0].coefficient)) {
    label = s.labels[0].label;
    const Size last = sizes_.add(s.offset, labels[*label]);
    whole = sizes_.is_zero(s.offset) && last == axis;
    if (!sizes_.is_nonnegative(s.offset) || !sizes_.is_nonnegative(sizes_.subtract(axis, last))) return std::nullopt;
    // x[1:] of nothing is an error, where a sum over 0..n-1 is empty.
    if (!whole && !sizes_.is_nonnegative(labels[*label])) return std::nullopt;
    std::vector<Formula> ends;
    ends.push_back(end(size(s.offset)));
    ends.push_back(last == axis ? Formula{} : size(last));
    return make(Op::slice, std::move(ends));
  }
  if (s.labels.empty() && s.data.size() == 1 && sizes_.is_zero(s.offset) && sizes_.is_one(s.data[0].coefficient)) {
    const DataTerm& d = s.data[0];
    if (!is_leaf(d.data) || d.subscripts.size() != 1 || graph_.index_bound(d.data) != axis) return std::nullopt;
    const auto l = graph_.as_label(d.subscripts[0]);
    if (!l || graph_.axis(d.data, 0) != labels[*l]) return std::nullopt;
    label = l;
    return name(labels_[d.data.id]);
  }
  return std::nullopt;
}

std::optional<Writer::Factor> Writer::array_operand(const Operand& o, const std::vector<Size>& labels) {
  const Node& read = graph_[o.expr];
  const bool one_value =
      read.kind == Kind::contraction && read.rank > 0 && read.operands.empty() && read.guards.empty();
  if (one_value && !is_leaf(o.expr)) return Factor{{}, number(read.coefficients[0])};  // broadcasts
  auto base = array(o.expr);
  if (!base) return std::nullopt;
  Factor out{{}, std::move(*base)};
  std::vector<Formula> brackets;
  std::size_t needed = 0;  // brackets after the last that is not the whole axis are left out
  std::size_t gathers = 0;
  bool all_whole = true;
  for (std::uint32_t k = 0; k < o.subscripts.size(); ++k) {
    std::optional<Label> label;
    bool whole = false;
    auto text = array_subscript(o.subscripts[k], graph_.axis(o.expr, k), labels, label, whole);
    if (!text) return std::nullopt;
    if (label && text->op != Op::slice) ++gathers;
    if (label) out.axes.push_back(*label);
    brackets.push_back(std::move(*text));
    if (!whole) needed = brackets.size();
    all_whole = all_whole && whole;
  }
  if (gathers > 1) return std::nullopt;
  if (out.axes.size() == 2 && out.axes[0] == out.axes[1]) {  // the diagonal of a square matrix
    if (!all_whole || o.subscripts.size() != 2) return std::nullopt;
    out.axes.pop_back();
    out.formula = call("diag", {std::move(out.formula)});
    return out;
  }
  for (std::size_t k = 0; k < out.axes.size(); ++k)
    for (std::size_t j = 0; j < k; ++j)
      if (out.axes[j] == out.axes[k]) return std::nullopt;
  if (needed == 0) return out;
  std::vector<Formula> parts;
  parts.push_back(std::move(out.formula));
  for (std::size_t k = 0; k < needed; ++k) parts.push_back(std::move(brackets[k]));
  out.formula = make(Op::subscript, std::move(parts));
  return out;
}

/// The operands of an elementwise operation where broadcasting from the last axis lines them up.
std::optional<std::vector<Formula>> Writer::aligned(const std::vector<Operand>& operands, const Node& n) {
  std::vector<Formula> out;
  bool full = n.rank == 0;
  for (const auto& o : operands) {
    auto f = array_operand(o, n.labels);
    if (!f) return std::nullopt;
    if (n.rank == 2 && f->axes == std::vector<Label>{1, 0}) {
      f->axes = {0, 1};
      f->formula = transpose(std::move(f->formula));
    }
    const auto missing = n.rank - f->axes.size();
    for (std::size_t k = 0; k < f->axes.size(); ++k)
      if (f->axes[k] != missing + k) return std::nullopt;
    full = full || missing == 0;
    out.push_back(std::move(f->formula));
  }
  if (!full) return std::nullopt;
  return out;
}

/// f(x) over all axes, or f(x, axis=k).
std::optional<Formula> Writer::array_along(const Node& n, const Operand& o, const std::string& function) {
  if (!n.guards.empty()) return std::nullopt;
  auto x = array_operand(o, n.labels);
  if (!x || x->axes.size() != n.labels.size()) return std::nullopt;
  std::vector<Label> kept;
  int axis = Formula::no_axis;
  for (std::size_t k = 0; k < x->axes.size(); ++k) {
    if (x->axes[k] < n.rank)
      kept.push_back(x->axes[k]);
    else
      axis = static_cast<int>(k);
  }
  for (std::size_t k = 0; k < kept.size(); ++k)
    if (kept[k] != k) return std::nullopt;
  if (n.rank == 0) axis = Formula::no_axis;
  if (n.rank > 0 && n.labels.size() != n.rank + 1) return std::nullopt;
  if (function == "norm" && n.rank == 0) return make(Op::norm, {std::move(x->formula)});
  return call(function, {std::move(x->formula)}, axis);
}

std::optional<Formula> Writer::array_reduce(const Node& n) {
  const bool position = is_position(n.reduction);
  if (n.labels.size() == n.rank || (position && n.labels.size() != n.rank + 1)) return std::nullopt;
  return array_along(n, n.operands[0], std::string(reduction_name(n.reduction)));
}

/// argsort(x, axis=k): the place stands where the bound label stood.
std::optional<Formula> Writer::array_order(const Node& n) {
  if (!n.guards.empty()) return std::nullopt;
  auto x = array_operand(n.operands[0], n.labels);
  if (!x || x->axes.size() != n.rank) return std::nullopt;
  for (std::uint32_t k = 0; k + 1 < n.rank; ++k)
    if (x->axes[k] != k) return std::nullopt;
  if (x->axes.back() != n.rank) return std::nullopt;
  return call("argsort", {std::move(x->formula)});
}

std::optional<Formula> Writer::array_softmax(const Node& n) {
  const std::string function(softmax_name(n.softmax));
  if (n.softmax == SoftmaxKind::logsumexp) return array_along(n, n.operands[0], function);
  const Operand& e = n.operands[0];
  const Operand& x = n.operands[1];
  if (!n.guards.empty() || n.labels.size() != n.rank + 1 || e.expr != x.expr) return std::nullopt;
  std::optional<Label> along;
  Operand shared{e.expr, {}};
  for (std::size_t k = 0; k < e.subscripts.size(); ++k) {
    if (x.subscripts[k] == e.subscripts[k]) {
      shared.subscripts.push_back(e.subscripts[k]);
      continue;
    }
    if (graph_.as_label(x.subscripts[k]) != n.rank || along) return std::nullopt;
    along = graph_.as_label(e.subscripts[k]);
    if (!along || n.labels[*along] != n.labels[n.rank]) return std::nullopt;
  }
  if (!along) return std::nullopt;
  bool diagonal = false;  // softmax(S)[i, i] runs through a row of S, not through diag(S)
  Graph::each_label(shared, [&](Label l) { diagonal = diagonal || l == *along; });
  if (diagonal) return std::nullopt;
  auto value = array_operand(e, n.labels);
  if (!value || value->axes.size() != n.rank) return std::nullopt;
  for (std::size_t k = 0; k < value->axes.size(); ++k)
    if (value->axes[k] != k) return std::nullopt;
  const bool last = *along + 1 == n.rank;
  return call(function, {std::move(value->formula)}, last ? Formula::no_axis : static_cast<int>(*along));
}

}  // namespace gradus::printing
