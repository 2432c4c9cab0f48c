// The arena: interning, leaves, shorthands, facts.
#include "symbolic/graph.hpp"

#include <algorithm>

#include "symbolic/graph_internal.hpp"

namespace gradus {
namespace {

struct Hash {
  std::size_t value = 0x9e3779b97f4a7c15ull;
  void mix(std::size_t x) { value = (value ^ x) * 0x100000001b3ull ^ (value >> 29); }
  void mix(const Subscript& s) {
    mix(s.offset.id);
    for (const auto& t : s.labels) mix(t.label * 31ull + t.coefficient.id);
    mix(s.data.size());
    for (const auto& d : s.data) {
      mix(d.coefficient.id * 7919ull + d.data.id);
      for (const auto& inner : d.subscripts) mix(inner);
    }
  }
  void mix(const Operand& o) {
    mix(o.expr.id);
    for (const auto& s : o.subscripts) mix(s);
  }
};

std::uint32_t hash_of(const Node& n) {
  Hash h;
  h.mix(static_cast<std::size_t>(n.kind) * 1009 + static_cast<std::size_t>(n.function) * 31 +
        static_cast<std::size_t>(n.reduction) * 7 + static_cast<std::size_t>(n.softmax));
  h.mix(n.rank * 65537ull + n.payload);
  for (const Size s : n.labels) h.mix(s.id);
  for (const auto& o : n.operands) h.mix(o);
  for (const auto& g : n.guards) {
    h.mix(static_cast<std::size_t>(g.kind));
    h.mix(g.affine);
    h.mix(g.condition);
  }
  for (const auto& c : n.coefficients) h.mix(c.hash());
  h.mix(n.affine);
  return static_cast<std::uint32_t>(h.value ^ (h.value >> 32));
}

}  // namespace

std::size_t Graph::slot_of(const Node& node, std::uint32_t hash) const {
  std::size_t k = hash & (index_.size() - 1);
  while (index_[k].node.valid() && (index_[k].hash != hash || nodes_[index_[k].node.id] != node))
    k = (k + 1) & (index_.size() - 1);
  return k;
}

void Graph::grow_index() {
  std::vector<Slot> old(std::max<std::size_t>(64, 2 * index_.size()));
  old.swap(index_);
  for (const Slot& s : old) {
    if (!s.node.valid()) continue;
    std::size_t k = s.hash & (index_.size() - 1);
    while (index_[k].node.valid()) k = (k + 1) & (index_.size() - 1);
    index_[k] = s;
  }
}

Expr Graph::intern(Node node) {
  if (2 * nodes_.size() >= index_.size()) grow_index();
  const std::uint32_t hash = hash_of(node);
  Slot& slot = index_[slot_of(node, hash)];
  if (!slot.node.valid()) {
    slot = {hash, {static_cast<std::uint32_t>(nodes_.size())}};
    nodes_.push_back(std::move(node));
  }
  return slot.node;
}

std::vector<Size> Graph::shape(Expr e) const {
  const Node& n = nodes_[e.id];
  return {n.labels.begin(), n.labels.begin() + n.rank};
}

Expr Graph::input(std::uint32_t number, std::vector<Size> shape) {
  Node n;
  n.kind = Kind::input;
  n.rank = static_cast<std::uint32_t>(shape.size());
  n.payload = number;
  n.labels = std::move(shape);
  return intern(std::move(n));
}

Expr Graph::constant(const Rational& value) {
  Node n;
  n.kind = Kind::constant;
  n.coefficients = {value};
  return intern(std::move(n));
}

Expr Graph::size_value(Size size) { return index({}, offset(size)); }

Expr Graph::index(std::vector<Size> labels, Subscript affine) {
  if (affine.is_constant())
    if (const auto value = sizes_.as_constant(affine.offset)) return detail::full(*this, std::move(labels), *value);
  std::vector<char> used(labels.size(), 0);
  each_label(affine, [&](Label l) { used[l] = 1; });
  return detail::on_used_labels(*this, labels, static_cast<std::uint32_t>(labels.size()), used,
                                [&](const std::vector<Size>& kept, const std::vector<Subscript>& map) {
                                  Node n;
                                  n.kind = Kind::index;
                                  n.rank = static_cast<std::uint32_t>(kept.size());
                                  n.labels = kept;
                                  n.affine = substitute(affine, map);
                                  return intern(std::move(n));
                                });
}

Expr Graph::named_constant(Function f) { return elementwise(f, {}, {}); }

Expr Graph::add(Expr a, Expr b) {
  const auto labels = shape(rank(a) >= rank(b) ? a : b);
  return sum(labels, {{1, whole(a)}, {1, whole(b)}});
}

Expr Graph::subtract(Expr a, Expr b) {
  const auto labels = shape(rank(a) >= rank(b) ? a : b);
  return sum(labels, {{1, whole(a)}, {-1, whole(b)}});
}

Expr Graph::multiply(Expr a, Expr b) {
  const auto labels = shape(rank(a) >= rank(b) ? a : b);
  return contraction(labels, static_cast<std::uint32_t>(labels.size()), 1, {whole(a), whole(b)});
}

Expr Graph::divide(Expr a, Expr b) { return multiply(a, power(b, -1)); }

Expr Graph::scale(Expr a, const Rational& factor) { return contraction(shape(a), rank(a), factor, {whole(a)}); }

Expr Graph::apply(Function f, const std::vector<Expr>& operands) {
  std::vector<Size> labels;
  std::vector<Operand> read;
  for (const Expr e : operands) {
    if (rank(e) > labels.size()) labels = shape(e);
    read.push_back(whole(e));
  }
  return elementwise(f, std::move(labels), std::move(read));
}

Expr Graph::power(Expr a, const Rational& exponent) { return apply(Function::power, {a, constant(exponent)}); }

const Rational* Graph::constant_value(Expr e) const {
  const Node& n = nodes_[e.id];
  const bool full = n.kind == Kind::contraction && n.operands.empty() && n.guards.empty() && n.labels.size() == n.rank;
  return n.kind == Kind::constant || full ? &n.coefficients[0] : nullptr;
}

bool Graph::is_constant(Expr e, const Rational& value) const {
  const Rational* c = constant_value(e);
  return c != nullptr && *c == value;
}

bool Graph::is_condition(Expr e) const {
  if (const Rational* c = constant_value(e)) return *c == Rational(0) || *c == Rational(1);
  const Node& n = nodes_[e.id];
  switch (n.kind) {
    case Kind::elementwise:
      if (n.function == Function::select) return is_condition(n.operands[1].expr) && is_condition(n.operands[2].expr);
      return row(n.function).condition;
    case Kind::reduce:
      return n.reduction == Reduction::any || n.reduction == Reduction::all;
    case Kind::contraction:
      return detail::is_view(n) && is_condition(n.operands[0].expr);
    case Kind::reshape:
      return is_condition(n.operands[0].expr);
    case Kind::constant:
    case Kind::input:
    case Kind::index:
    case Kind::sum:
    case Kind::softmax:
    case Kind::order:
    case Kind::given:
      return false;
  }
  return false;
}

std::vector<Expr> Graph::reachable(const std::vector<Expr>& roots) const {
  std::uint32_t last = 0;
  for (const Expr r : roots) last = std::max(last, r.id);
  std::vector<char> mark(roots.empty() ? 0 : last + 1, 0);
  for (const Expr r : roots) mark[r.id] = 1;
  for (std::size_t id = mark.size(); id-- > 0;)
    if (mark[id] != 0) each_child(Expr{static_cast<std::uint32_t>(id)}, [&](Expr child) { mark[child.id] = 1; });
  std::vector<Expr> out;
  for (std::uint32_t id = 0; id < mark.size(); ++id)
    if (mark[id] != 0) out.push_back({id});
  return out;
}

}  // namespace gradus
