// Which values have slope 0 where they are 0: even powers, their positive sums, products in which a factor stands
// twice.
#include "symbolic/flatness.hpp"

#include <algorithm>

namespace gradus {
namespace {

/// Products with more factors are not looked at.
constexpr std::size_t most_factors = 12;

/// A product with the products among its factors, as they stand in `x @ A @ x`.
struct Product {
  std::vector<Expr> factors;
  Rational coefficient = 1;
  bool summed = false;
};

void collect_factors(const Graph& graph, const Node& n, int depth, Product& product) {
  product.coefficient = product.coefficient * n.coefficients[0];
  product.summed = product.summed || n.labels.size() > n.rank;
  for (const Operand& o : n.operands) {
    const Node& f = graph[o.expr];
    if (f.kind == Kind::contraction && depth > 0)
      collect_factors(graph, f, depth - 1, product);
    else
      product.factors.push_back(o.expr);
    if (product.factors.size() > most_factors) return;
  }
}

Product product_of(const Graph& graph, const Node& n, int depth) {
  Product out;
  collect_factors(graph, n, depth, out);
  return out;
}

}  // namespace

bool Flatness::is_even_power(const Node& n) const {
  if (n.kind != Kind::elementwise || n.function != Function::power) return false;
  const Rational* p = graph_.constant_value(n.operands[1].expr);
  if (p == nullptr || *p <= Rational(1)) return false;
  const Node& base = graph_[n.operands[0].expr];
  const bool is_size = base.kind == Kind::elementwise && base.function == Function::abs;
  return is_size || (*p / Rational(2)).is_integer();
}

/// What no derivative is taken by may be added to squares where it is at least 0; of what is always larger than 0 the
/// root never vanishes.
bool Flatness::may_be_added(Expr e) const {
  const Node& n = graph_[e];
  if (n.kind == Kind::input) return graph_.input_sign(e) == InputSign::nonnegative;
  return is_even_power(n) || (n.kind == Kind::elementwise && n.function == Function::abs);
}

bool Flatness::is_flat(Expr e, int depth) const {
  const Node& n = graph_[e];
  if (!is_active(e)) return may_be_added(e);
  if (is_even_power(n)) return true;
  if (depth == 0) return false;
  if (n.kind == Kind::sum) return is_flat_sum(n, depth - 1);
  return n.kind == Kind::contraction && is_flat_product(n, depth - 1);
}

/// Squares, and products of two of what is squared, each at most twice: `x^2 + y^2 - 2*x*y`.
bool Flatness::is_flat_sum(const Node& n, int depth) const {
  std::vector<Expr> squared;
  Rational least = 0;
  std::vector<std::size_t> mixed;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const Expr e = n.operands[k].expr;
    if (n.coefficients[k].sign() < 0 || !is_flat(e, depth)) {
      mixed.push_back(k);
      continue;
    }
    if (!is_active(e)) continue;
    for (const Expr f : squares_of(e, depth)) squared.push_back(f);
    if (least.is_zero() || n.coefficients[k] < least) least = n.coefficients[k];
  }
  return std::ranges::all_of(mixed, [&](std::size_t k) {
    const Node& term = graph_[n.operands[k].expr];
    if (term.kind != Kind::contraction || depth == 0) return false;
    const Product product = product_of(graph_, term, depth);
    const Rational weight = n.coefficients[k] * product.coefficient;
    return product.factors.size() == 2 && (weight.sign() < 0 ? -weight : weight) <= least * Rational(2) &&
           std::ranges::all_of(product.factors, [&](Expr f) { return std::ranges::find(squared, f) != squared.end(); });
  });
}

/// What stands squared in a term.
std::vector<Expr> Flatness::squares_of(Expr e, int depth) const {
  const Node& n = graph_[e];
  if (n.kind == Kind::elementwise) return {n.operands[0].expr};
  if (n.kind != Kind::contraction) return {};
  std::vector<Expr> out;
  const Product product = product_of(graph_, n, depth);
  for (const Expr f : product.factors) {
    if (is_even_power(graph_[f])) out.push_back(graph_[f].operands[0].expr);
    if (std::ranges::count(product.factors, f) > 1) out.push_back(f);
  }
  return out;
}

/// A factor that stands twice makes a product flat; in a sum of products also beside weights that a derivative is taken
/// by (of a single product, as `w*x^2`, such a weight has an infinite slope).
bool Flatness::is_flat_product(const Node& n, int depth) const {
  const Product product = product_of(graph_, n, depth);
  const std::vector<Expr>& factors = product.factors;
  if (product.coefficient.sign() <= 0 || factors.size() > most_factors) return false;
  if (factors.size() == 1) return is_flat(factors[0], depth);
  bool twice = false;
  for (const Expr f : factors) {
    if (!is_active(f)) continue;
    if (is_even_power(graph_[f]) || std::ranges::count(factors, f) > 1)
      twice = true;
    else if (!product.summed)
      return false;
  }
  return twice;
}

}  // namespace gradus
