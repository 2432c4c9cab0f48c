// Factors with decimals as the user wrote them: 0.2*x, not x/5.
#include <algorithm>

#include "symbolic/print/formula.hpp"

namespace gradus::printing {
namespace {

/// Takes the leading number off a factor or a product; 1 where there is none.
Rational take_number(Formula& f) {
  if (f.op == Op::number) {
    const Rational out = f.number;
    f = Formula{};
    return out;
  }
  if (f.op != Op::product || f.parts[0].op != Op::number) return 1;
  const Rational out = f.parts[0].number;
  f.parts.erase(f.parts.begin());
  if (f.parts.size() == 1) f = Formula(std::move(f.parts[0]));
  return out;
}

/// c*a/(d*b) is (c/d)*a/b.
Formula as_written(const Formula& f, const std::vector<Rational>& decimals) {
  Formula above = f.parts[0], below = f.parts[1];
  const Rational over = take_number(above), under = take_number(below);
  if (under.is_one() || under.is_zero() || !std::ranges::binary_search(decimals, over / under)) return f;
  Formula out = number(over / under);
  if (above.op == Op::product && !above.arrays) {
    above.parts.insert(above.parts.begin(), std::move(out));
    out = std::move(above);
  } else if (above.op != Op::none) {
    out = make(Op::product, {std::move(out), std::move(above)});
  }
  return below.op == Op::none ? out : make(Op::quotient, {std::move(out), std::move(below)});
}

}  // namespace

Formula with_decimals(Formula f, const std::vector<Rational>& decimals) {
  if (decimals.empty()) return f;
  for (auto& p : f.parts) p = with_decimals(std::move(p), decimals);
  if (f.op == Op::quotient) return as_written(f, decimals);
  if (f.op != Op::product || f.arrays) return f;
  std::vector<Formula> parts;
  for (auto& p : f.parts) {
    if (p.op != Op::product || p.arrays) {
      parts.push_back(std::move(p));
      continue;
    }
    for (auto& inner : p.parts) parts.push_back(std::move(inner));  // lambda/2*w became 0.5*lambda*w
  }
  f.parts = std::move(parts);
  return f;
}

}  // namespace gradus::printing
