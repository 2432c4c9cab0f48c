// Random formulas keep their values under stabilise and simplify, and settle in
// a fixed point.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "symbolic/interpret.hpp"
#include "symbolic/simplify.hpp"
#include "tests/close.hpp"

using namespace gradus;

namespace {

/// Grows random values of the shapes [], [n], [d], [n, d].
class Grower {
 public:
  Grower(Graph& g, unsigned seed) : g_(g), random_(seed) {
    for (const auto& shape : std::vector<std::vector<Size>>{{}, {}, {n_}, {n_}, {d_}, {n_, d_}, {n_, d_}}) {
      const auto number = static_cast<std::uint32_t>(pool_.size());
      pool_.push_back(g_.input(number, shape));
      Array a;
      for (const Size s : shape) a.shape.push_back(s == n_ ? 3 : 2);
      std::int64_t count = 1;
      for (const auto s : a.shape) count *= s;
      for (std::int64_t k = 0; k < count; ++k)
        a.values.push_back(std::uniform_real_distribution<double>(-2, 2)(random_));
      at.inputs[number] = a;
    }
    pool_.push_back(g_.constant(1));
    at.sizes = {{"n", 3}, {"d", 2}};
  }

  Expr grow(int steps) {
    for (int k = 0; k < steps; ++k) pool_.push_back(step());
    Expr last = pool_.back();
    for (int k = 0; k < 3; ++k) last = combine(last, any(), Kind::sum);
    return last;
  }

  Bindings at;

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  /// Later values more often, so that formulas get deep.
  Expr any() { return pool_[std::max(below(pool_.size()), below(pool_.size()))]; }

  /// Both read at the axes of their union.
  Expr combine(Expr a, Expr b, Kind kind) {
    std::vector<Size> labels;
    const auto read = [&](Expr e) {
      Operand o{e, {}};
      for (const Size s : g_.shape(e)) {
        std::size_t l = 0;
        while (l < labels.size() && labels[l] != s) ++l;
        if (l == labels.size()) labels.push_back(s);
        o.subscripts.push_back(g_.label(static_cast<Label>(l)));
      }
      return o;
    };
    std::vector<Operand> operands{read(a), read(b)};
    static constexpr int numbers[] = {1, 1, 1, -1, -1, 2, -3};
    if (kind == Kind::sum) return g_.sum(labels, {{numbers[below(7)], operands[0]}, {numbers[below(7)], operands[1]}});
    return g_.contraction(labels, static_cast<std::uint32_t>(labels.size()), numbers[below(7)], operands,
                          guard(labels));
  }

  std::vector<Guard> guard(const std::vector<Size>& labels) {
    if (labels.empty() || below(6) != 0) return {};
    const Expr x = pool_[2 + below(3)];  // an input over one axis
    std::size_t l = 0;
    while (l < labels.size() && labels[l] != g_.axis(x, 0)) ++l;
    if (l == labels.size()) return {};
    const Expr positive = g_.elementwise(Function::less, g_.shape(x), {{g_.constant(0), {}}, g_.whole(x)});
    return {{Guard::Kind::condition, {}, {positive, {g_.label(static_cast<Label>(l))}}}};
  }

  Expr reduced(Expr e) {
    const std::uint32_t rank = g_.rank(e);
    if (rank == 0) return g_.apply(Function::tanh, {e});
    const std::uint32_t kept = static_cast<std::uint32_t>(below(rank));
    const auto shape = g_.shape(e);
    switch (below(5)) {
      case 0:
        return g_.softmax(SoftmaxKind::logsumexp, shape, kept, {g_.whole(e)});
      case 1:
        return g_.reduce(Reduction::norm, shape, kept, g_.whole(e));
      case 2:
        return g_.contraction(shape, kept, 1, {g_.whole(e), {g_.power(g_.size_value(shape.back()), -1), {}}});
      case 3: {
        std::vector<Size> labels = shape;
        labels.push_back(shape.back());
        Operand inner = g_.whole(e);
        inner.subscripts.back() = g_.label(rank);
        const auto kind = below(2) == 0 ? SoftmaxKind::softmax : SoftmaxKind::log_softmax;
        return g_.softmax(kind, labels, rank, {g_.whole(e), inner});
      }
      default:
        return g_.contraction(shape, kept, 1, {g_.whole(e)}, guard(shape));
    }
  }

  Expr step() {
    static constexpr Function functions[] = {
        Function::exp, Function::log,         Function::sigmoid, Function::tanh,  Function::softplus, Function::sqrt,
        Function::abs, Function::log_sigmoid, Function::expm1,   Function::log1p, Function::cosh,     Function::cos};
    const Expr a = any();
    switch (below(8)) {
      case 0:
      case 1:
        return g_.apply(functions[below(std::size(functions))], {a});
      case 2:
        return g_.power(a, below(3) == 0 ? 2 : -1);
      case 3:
        return combine(a, any(), Kind::sum);
      case 4:
        return reduced(a);
      case 5:
        return g_.apply(Function::log, {combine(g_.constant(1), g_.apply(Function::exp, {a}), Kind::contraction)});
      case 6:
        return g_.sum(g_.shape(a), {{1, {g_.constant(1), {}}}, {below(2) == 0 ? 1 : -1, g_.whole(a)}});
      default:
        return combine(a, any(), Kind::contraction);
    }
  }

  Graph& g_;
  std::mt19937 random_;
  Size n_ = g_.sizes().symbol("n"), d_ = g_.sizes().symbol("d");
  std::vector<Expr> pool_;
};

/// Whether two values agree as far as their condition lets them: values that
/// cancelled to almost nothing may differ.
bool agree(double a, double b) {
  return !std::isfinite(b) || std::fabs(b) > 1e60 || testing::close_relative(a, b, 1e-13) || std::fabs(a - b) < 1e-40;
}

}  // namespace

TEST_CASE("random formulas keep their values") {
  int finite = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Graph g;
    Grower grower(g, seed);
    const Expr e = grower.grow(24);
    const Expr stable = stabilise(g, {e})[0];
    const Expr simple = simplify(g, {e})[0];
    CHECK(verify_graph(g, {stable, simple}) == "");
    CHECK(g.shape(stable) == g.shape(e));
    CHECK(g.shape(simple) == g.shape(e));
    CHECK(simplify(g, {simple})[0] == simple);
    CHECK(stabilise(g, {stable})[0] == stable);
    const auto values = evaluate_reference(g, {e, stable, simple}, grower.at);
    for (std::size_t k = 0; k < values[0].values.size(); ++k) {
      CAPTURE(values[0].values[k]);
      CAPTURE(values[1].values[k]);
      CAPTURE(values[2].values[k]);
      finite += std::isfinite(values[0].values[k]) ? 1 : 0;
      CHECK(agree(values[1].values[k], values[0].values[k]));
      CHECK(agree(values[2].values[k], values[0].values[k]));
    }
  }
  CHECK(finite > 300);
}
