// Signs from forms.
#include "symbolic/rules/facts.hpp"

#include <algorithm>

namespace gradus::rules {

Facts::Sign Facts::sign_of(Expr e) {
  // Operands have smaller ids: a loop in order of ids knows them already.
  while (known_.size() <= e.id) known_.push_back(find(Expr{static_cast<std::uint32_t>(known_.size())}));
  return known_[e.id];
}

/// Labels count from 0, index data too.
Facts::Sign Facts::of_affine(const Subscript& affine) const {
  const Sizes& sizes = graph_.sizes();
  const auto grows = [&](const auto& term) { return sizes.is_nonnegative(term.coefficient); };
  const auto starts = [&](const DataTerm& d) { return known_[d.data.id] != Sign::unknown; };
  if (!sizes.is_nonnegative(affine.offset) || !std::ranges::all_of(affine.labels, grows) ||
      !std::ranges::all_of(affine.data, grows) || !std::ranges::all_of(affine.data, starts))
    return Sign::unknown;
  // A bare size: where it divides or is averaged over, it is at least 1.
  const auto offset = sizes.as_constant(affine.offset);
  return affine.is_constant() || (offset && *offset > 0) ? Sign::positive : Sign::nonnegative;
}

Facts::Sign Facts::find(Expr e) const {
  const Node& n = graph_[e];
  const auto of = [&](const Operand& o) { return known_[o.expr.id]; };
  const auto of_number = [](const Rational& q) {
    return q.sign() > 0 ? Sign::positive : (q.sign() == 0 ? Sign::nonnegative : Sign::unknown);
  };
  switch (n.kind) {
    case Kind::input:
      return graph_.input_sign(e);
    case Kind::reshape:
      return of(n.operands[0]);
    case Kind::constant:
      return of_number(n.coefficients[0]);
    case Kind::index:
      return of_affine(n.affine);
    case Kind::elementwise:
      return elementwise(n);
    case Kind::sum: {
      Sign all = Sign::nonnegative;
      for (std::size_t k = 0; k < n.operands.size(); ++k) {
        const Sign s = of(n.operands[k]);
        if (n.coefficients[k].sign() < 0 || s == Sign::unknown) return Sign::unknown;
        all = std::max(all, s);
      }
      return all;
    }
    case Kind::contraction: {
      // An empty sum is 0, and so is a guarded value that is not chosen.
      Sign all = n.labels.size() > n.rank || !n.guards.empty() ? Sign::nonnegative : Sign::positive;
      all = std::min(all, of_number(n.coefficients[0]));
      for (std::size_t k = 0; k < n.operands.size(); ++k) {
        const bool square = k + 1 < n.operands.size() && n.operands[k] == n.operands[k + 1];
        all = std::min(all, square ? std::max(Sign::nonnegative, of(n.operands[k])) : of(n.operands[k]));
        if (square) ++k;
      }
      return all;
    }
    case Kind::reduce:
      switch (n.reduction) {
        case Reduction::maximum:
        case Reduction::minimum:
        case Reduction::product:
          return of(n.operands[0]);
        case Reduction::any:
        case Reduction::all:
        case Reduction::argmax:
        case Reduction::argmin:
        case Reduction::norm:
          return Sign::nonnegative;
        case Reduction::exponentials:
          break;
      }
      return Sign::unknown;
    case Kind::order:
      return Sign::nonnegative;
    case Kind::given:
      return of(n.operands[0]);
    case Kind::softmax:
      return n.softmax == SoftmaxKind::softmax ? Sign::nonnegative : Sign::unknown;
  }
  return Sign::unknown;
}

Facts::Sign Facts::elementwise(const Node& n) const {
  const auto of = [&](std::size_t k) { return known_[n.operands[k].expr.id]; };
  switch (n.function) {
    case Function::pi:
    case Function::infinity:
    case Function::exp:
    case Function::exp2:
    case Function::exp_saturated:
    case Function::cosh:
    case Function::sigmoid:
    case Function::softplus:
    case Function::normal_cdf:
    case Function::exprel:
    case Function::bernoulli:
    case Function::sinhc:
    case Function::tanhc:
    case Function::x_over_sinh:
    case Function::x_over_tanh:
    case Function::exprel2:
    case Function::sech:
    case Function::sqrt1pm1rel:
    case Function::sigmoid_square_complement:
    case Function::improvement:
      return Sign::positive;
    case Function::log_cosh:
    case Function::log_sinhc:
    case Function::versine:
    case Function::cosh_minus_one:
    case Function::log1p_square:
    case Function::sqrt1pm1_square:
    case Function::sech_squared:
    case Function::exp_log:
      return Sign::nonnegative;
    case Function::abs:
    case Function::hypot:
      return n.function == Function::abs && of(0) == Sign::positive ? Sign::positive : Sign::nonnegative;
    case Function::sqrt_square_plus:
      return std::max(Sign::nonnegative, of(1));
    case Function::sqrt:
      return std::max(Sign::nonnegative, of(0));
    case Function::cbrt:
    case Function::expm1:
    case Function::log1p:
    case Function::sinh:
    case Function::tanh:
    case Function::asinh:
    case Function::atan:
    case Function::erf:
    case Function::softsign:
    case Function::stop_gradient:
      return of(0);
    case Function::power: {
      if (of(0) == Sign::positive) return Sign::positive;
      const Rational* e = graph_.constant_value(n.operands[1].expr);
      const bool even = e != nullptr && e->is_integer() && (*e / Rational(2)).is_integer();
      return even || of(0) == Sign::nonnegative ? Sign::nonnegative : Sign::unknown;
    }
    case Function::gamma:
      return of(0) == Sign::positive ? Sign::positive : Sign::unknown;
    case Function::beta:
      return std::min(of(0), of(1)) == Sign::positive ? Sign::positive : Sign::unknown;
    case Function::maximum:
      return std::max(of(0), of(1));
    case Function::minimum:
      return std::min(of(0), of(1));
    case Function::select:
      return std::min(of(1), of(2));
    default:
      return row(n.function).condition ? Sign::nonnegative : Sign::unknown;
  }
}

}  // namespace gradus::rules
