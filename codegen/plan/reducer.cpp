// One step of a reduction, how partial results combine, and what is left to do with the finished sum.
#include "codegen/plan/reducer.hpp"

#include <algorithm>
#include <limits>

namespace gradus::planning {

Reducer::Reducer(Emitter& emitter, Expr e) : m_(emitter), n_(emitter.graph()[e]) {
  for (std::size_t k = 0; k < n_.operands.size(); ++k) {
    bool bound = n_.kind != Kind::contraction;
    Graph::each_label(n_.operands[k], [&](Label l) { bound |= l >= n_.rank; });
    // Under guards the sum may be empty where the factor is not finite: only what sizes determine may leave the sum.
    if (!bound && !n_.guards.empty()) bound = !depends_on_sizes_only(n_.operands[k].expr, 4);
    (bound ? inner_ : outer_).push_back(k);
  }
}

bool Reducer::depends_on_sizes_only(Expr e, int depth) const {
  const Node& n = m_.graph()[e];
  if (depth == 0 || n.rank > 0 || n.labels.size() > n.rank) return false;
  if (n.kind == Kind::constant || n.kind == Kind::index) return true;
  if (n.kind != Kind::elementwise && n.kind != Kind::contraction && n.kind != Kind::sum) return false;
  return n.guards.empty() &&
         std::ranges::all_of(n.operands, [&](const Operand& o) { return depends_on_sizes_only(o.expr, depth - 1); });
}

double Reducer::neutral() const {
  if (n_.kind == Kind::contraction) return 0;
  switch (n_.reduction) {
    case Reduction::maximum:
      return -std::numeric_limits<double>::infinity();
    case Reduction::minimum:
      return std::numeric_limits<double>::infinity();
    case Reduction::product:
    case Reduction::all:
      return 1;
    default:
      return 0;
  }
}

Register Reducer::contracted(Register accumulator, const Coordinates& labels) {
  std::vector<Register> top, bottom;
  for (const std::size_t k : inner_) {
    const Emitter::Factor f = m_.factor(n_, n_.operands[k], labels);
    (f.divide ? bottom : top).push_back(m_.to_number(f.value));
  }
  // What all lanes share is multiplied first: one scalar multiplication.
  std::ranges::stable_partition(top, [&](Register r) { return !m_.is_vector(r); });
  if (top.empty()) top.push_back(m_.number(1));
  Register product = top[0];
  for (std::size_t k = 1; k + 1 < top.size(); ++k) product = m_.number_op(Op::multiply, product, top[k]);
  if (top.size() > 1) {
    if (bottom.empty()) return m_.number_op(Op::fma, product, top.back(), accumulator);
    product = m_.number_op(Op::multiply, product, top.back());
  }
  for (const Register b : bottom) product = m_.number_op(Op::divide, product, b);
  return m_.number_op(Op::add, accumulator, product);
}

Register Reducer::step(Register accumulator, const Coordinates& labels, Register mask) {
  const Register next = n_.kind == Kind::contraction ? contracted(accumulator, labels)
                                                     : merge(accumulator, m_.operand(n_, n_.operands[0], labels));
  return mask.valid() ? m_.select(mask, next, accumulator) : next;
}

Register Reducer::merge(Register a, Register b) {
  if (n_.kind == Kind::contraction) return m_.number_op(Op::add, a, b);
  switch (n_.reduction) {
    case Reduction::maximum:
    case Reduction::any:
      return m_.number_op(Op::maximum, a, b);
    case Reduction::minimum:
    case Reduction::all:
      return m_.number_op(Op::minimum, a, b);
    default:
      return m_.number_op(Op::multiply, a, b);
  }
}

Register Reducer::fold(Register lanes) {
  if (!m_.is_vector(lanes)) return lanes;
  if (n_.kind == Kind::contraction) return m_.pure(Op::fold_add, Type::number, lanes);
  switch (n_.reduction) {
    case Reduction::maximum:
    case Reduction::any:
      return m_.pure(Op::fold_maximum, Type::number, lanes);
    case Reduction::minimum:
    case Reduction::all:
      return m_.pure(Op::fold_minimum, Type::number, lanes);
    default:
      break;
  }
  Register x[loops::lanes];
  for (int l = 0; l < loops::lanes; ++l) x[l] = m_.builder().extract(lanes, l);
  for (int width = loops::lanes / 2; width > 0; width /= 2)
    for (int l = 0; l < width; ++l) x[l] = merge(x[l], x[l + width]);
  return x[0];
}

Register Reducer::finish(Register accumulator, const Coordinates& axes) {
  if (n_.kind != Kind::contraction) return accumulator;
  Coordinates labels = axes;
  labels.resize(n_.labels.size());
  const Rational& c = n_.coefficients[0];
  Register r = accumulator;
  if (c == Rational(-1))
    r = m_.number_op(Op::negate, r);
  else if (!c.is_one())
    r = m_.number_op(Op::multiply, m_.number(c.to_double()), r);
  if (outer_.empty()) return r;
  for (const std::size_t k : outer_) {
    const Emitter::Factor f = m_.factor(n_, n_.operands[k], labels);
    r = m_.number_op(f.divide ? Op::divide : Op::multiply, r, f.value);
  }
  // The sum of nothing is 0, whatever the factor.
  Register count = m_.integer(1);
  for (Label l = n_.rank; l < n_.labels.size(); ++l)
    count = m_.multiply(count, m_.size(m_.graph().sizes().maximum(n_.labels[l], {})));
  return m_.select(m_.compare(Op::integer_less_equal, count, m_.integer(0)), m_.number(0), r);
}

}  // namespace gradus::planning
