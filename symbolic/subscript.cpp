// Affine subscripts: arithmetic, composition, ranges.
#include "symbolic/graph.hpp"

namespace gradus {

bool operator==(const DataTerm& a, const DataTerm& b) {
  return a.coefficient == b.coefficient && a.data == b.data && a.subscripts == b.subscripts;
}

bool operator==(const Subscript& a, const Subscript& b) {
  return a.offset == b.offset && a.labels == b.labels && a.data == b.data;
}

Subscript Graph::label(Label l) { return {Size{}, {{l, sizes_.constant(1)}}, {}}; }

std::vector<Subscript> Graph::identity(std::uint32_t rank, Label first) {
  std::vector<Subscript> out;
  out.reserve(rank);
  for (Label l = first; l < first + rank; ++l) out.push_back(label(l));
  return out;
}

std::optional<Label> Graph::as_label(const Subscript& s) const {
  if (!s.data.empty() || s.labels.size() != 1 || !sizes_.is_zero(s.offset) || !sizes_.is_one(s.labels[0].coefficient))
    return std::nullopt;
  return s.labels[0].label;
}

bool Graph::is_identity(const Operand& operand, const std::vector<Size>& labels, std::uint32_t rank) const {
  if (operand.subscripts.size() != rank || nodes_[operand.expr.id].rank != rank) return false;
  for (Label l = 0; l < rank; ++l)
    if (as_label(operand.subscripts[l]) != l || axis(operand.expr, l) != labels[l]) return false;
  return true;
}

Subscript Graph::add(const Subscript& a, const Subscript& b) {
  Subscript out{sizes_.add(a.offset, b.offset), {}, a.data};
  std::size_t i = 0, j = 0;
  while (i < a.labels.size() || j < b.labels.size()) {
    if (j == b.labels.size() || (i < a.labels.size() && a.labels[i].label < b.labels[j].label)) {
      out.labels.push_back(a.labels[i++]);
    } else if (i == a.labels.size() || b.labels[j].label < a.labels[i].label) {
      out.labels.push_back(b.labels[j++]);
    } else {
      const Size c = sizes_.add(a.labels[i].coefficient, b.labels[j].coefficient);
      if (!sizes_.is_zero(c)) out.labels.push_back({a.labels[i].label, c});
      ++i, ++j;
    }
  }
  for (const auto& d : b.data) {
    std::size_t k = 0;
    while (k < out.data.size() && !(out.data[k].data == d.data && out.data[k].subscripts == d.subscripts)) ++k;
    if (k == out.data.size()) {
      out.data.push_back(d);
    } else {
      out.data[k].coefficient = sizes_.add(out.data[k].coefficient, d.coefficient);
      if (sizes_.is_zero(out.data[k].coefficient)) out.data.erase(out.data.begin() + static_cast<std::ptrdiff_t>(k));
    }
  }
  return out;
}

Subscript Graph::scale(const Subscript& a, Size factor) {
  if (sizes_.is_one(factor)) return a;
  if (sizes_.is_zero(factor)) return {};
  Subscript out{sizes_.multiply(a.offset, factor), a.labels, a.data};
  for (auto& t : out.labels) t.coefficient = sizes_.multiply(t.coefficient, factor);
  for (auto& d : out.data) d.coefficient = sizes_.multiply(d.coefficient, factor);
  return out;
}

Subscript Graph::subtract(const Subscript& a, const Subscript& b) { return add(a, scale(b, sizes_.constant(-1))); }

Subscript Graph::substitute(const Subscript& s, const std::vector<Subscript>& map) {
  if (s.data.empty() && s.labels.size() == 1 && sizes_.is_zero(s.offset) && sizes_.is_one(s.labels[0].coefficient))
    return map[s.labels[0].label];
  Subscript out = offset(s.offset);
  for (const auto& t : s.labels) out = add(out, scale(map[t.label], t.coefficient));
  for (const auto& d : s.data) {
    DataTerm inner{d.coefficient, d.data, {}};
    for (const auto& sub : d.subscripts) inner.subscripts.push_back(substitute(sub, map));
    out = add(out, Subscript{Size{}, {}, {std::move(inner)}});
  }
  return out;
}

Operand Graph::substitute(const Operand& operand, const std::vector<Subscript>& map) {
  Operand out{operand.expr, {}};
  out.subscripts.reserve(operand.subscripts.size());
  for (const auto& s : operand.subscripts) out.subscripts.push_back(substitute(s, map));
  return out;
}

Guard Graph::substitute(const Guard& guard, const std::vector<Subscript>& map) {
  if (guard.kind == Guard::Kind::condition) return {guard.kind, {}, substitute(guard.condition, map)};
  return {guard.kind, substitute(guard.affine, map), {}};
}

InputSign Graph::input_sign(Expr input) const {
  if (index_bounds_.contains(input.id)) return InputSign::nonnegative;
  const auto found = input_signs_.find(input.id);
  return found == input_signs_.end() ? InputSign::unknown : found->second;
}

std::optional<Size> Graph::index_bound(Expr e) const {
  const auto found = index_bounds_.find(e.id);
  if (found == index_bounds_.end()) return std::nullopt;
  return found->second;
}

std::optional<Graph::Range> Graph::range(const Subscript& s, const std::vector<Size>& labels) {
  Range out{s.offset, s.offset};
  const auto widen = [&](Size coefficient, Size count) {
    const Size reach = sizes_.multiply(coefficient, sizes_.subtract(count, sizes_.constant(1)));
    if (sizes_.is_nonnegative(coefficient)) {
      out.high = sizes_.add(out.high, reach);
    } else if (sizes_.is_nonnegative(sizes_.scale(coefficient, -1))) {
      out.low = sizes_.add(out.low, reach);
    } else {
      return false;
    }
    return true;
  };
  for (const auto& t : s.labels)
    if (!widen(t.coefficient, labels[t.label])) return std::nullopt;
  for (const auto& d : s.data) {
    const auto bound = index_bound(d.data);
    if (!bound || !widen(d.coefficient, *bound)) return std::nullopt;
  }
  return out;
}

bool Graph::certainly_inside(const Subscript& s, const std::vector<Size>& labels, Size size) {
  const auto r = range(s, labels);
  return r && sizes_.is_nonnegative(r->low) &&
         sizes_.is_nonnegative(sizes_.subtract(sizes_.subtract(size, sizes_.constant(1)), r->high));
}

}  // namespace gradus
