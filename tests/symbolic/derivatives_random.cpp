// Random graphs of every kind of node: forward derivatives against differences, reverse against forward.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "symbolic/differentiate.hpp"
#include "symbolic/interpret.hpp"
#include "symbolic/simplify.hpp"

using namespace gradus;

namespace {

/// Grows a graph over x[n], y[n], z[m], A[n, m], s (inputs 0 to 4) with index data c[n] < m (input 5).
class Grower {
 public:
  explicit Grower(unsigned seed) : random_(seed) {
    g.sizes().assume_nonnegative(n1);
    vectors = {g.input(0, {n}), g.input(1, {n})};
    others = {g.input(2, {m})};
    tables = {g.input(3, {n, m})};
    scalars = {g.input(4, {})};
    c = g.input(5, {n});
    g.set_index_bound(c, m);
    inputs = {vectors[0], vectors[1], others[0], tables[0], scalars[0]};
    for (std::uint32_t k = 0; k < 5; ++k) at.inputs[k] = array(g.shape(inputs[k]));
    at.inputs[5] = {{5}, {0, 2, 1, 2, 0}};
    at.sizes = {{"n", 5}, {"m", 3}};
  }

  Graph g;
  Size n = g.sizes().symbol("n"), m = g.sizes().symbol("m");
  Size n1 = g.sizes().subtract(n, g.sizes().constant(1));
  std::vector<Expr> scalars, vectors, others, tables, inputs;  // [], [n], [m], [n, m]
  Expr c;
  Bindings at;

  Array array(const std::vector<Size>& shape) {
    Array a;
    std::size_t count = 1;
    const std::map<std::string, std::int64_t> sizes = {{"n", 5}, {"m", 3}};
    for (const Size s : shape)
      a.shape.push_back(*g.sizes().evaluate(s, sizes)), count *= static_cast<std::size_t>(a.shape.back());
    for (std::size_t k = 0; k < count; ++k) a.values.push_back(std::uniform_real_distribution(-2.0, 2.0)(random_));
    return a;
  }

  void grow() {
    switch (pick(14)) {
      case 0:
        return vectors.push_back(unary(any(vectors)));
      case 1:
        return tables.push_back(unary(any(tables)));
      case 2:
        return vectors.push_back(binary(any(vectors), any(vectors)));
      case 3:
        return tables.push_back(mixed());
      case 4:
        return vectors.push_back(choice());
      case 5:
        return vectors.push_back(product());
      case 6:
        return others.push_back(column_product());
      case 7:
        return tables.push_back(outer());
      case 8:
        return vectors.push_back(windowed());
      case 9:
        return vectors.push_back(row_reduction());
      case 10:
        return tables.push_back(softmax());
      case 11:
        return others.push_back(scattered());
      case 12:
        return scalars.push_back(total());
      default:
        return tables.push_back(reshaped());
    }
  }

  Expr any(const std::vector<Expr>& list) {  // the later ones more often, so that graphs grow deep
    const std::size_t a = pick(list.size()), b = pick(list.size());
    return list[std::max(a, b)];
  }
  std::size_t pick(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }

 private:
  Subscript l(Label k) { return g.label(k); }
  Subscript plus(const Subscript& s, Size k) { return g.add(s, g.offset(k)); }
  Size number(std::int64_t k) { return g.sizes().constant(k); }
  Guard at_least_zero(Subscript s) { return {Guard::Kind::nonnegative, std::move(s), {}}; }

  /// Keeps values tame, so that differences keep their digits.
  Expr unary(Expr x) {
    static constexpr Function smooth[] = {
        Function::tanh,  Function::sin,  Function::cos,         Function::sigmoid,    Function::softplus, Function::erf,
        Function::asinh, Function::atan, Function::log_sigmoid, Function::normal_cdf, Function::abs};
    const Expr y = g.apply(smooth[pick(std::size(smooth))], {x});
    switch (pick(4)) {
      case 0:
        return g.apply(Function::exp, {g.apply(Function::sin, {y})});
      case 1:
        return g.apply(Function::log, {g.add(g.power(y, 2), g.constant(1))});
      case 2:
        return g.apply(Function::sqrt, {g.add(g.power(y, 2), g.constant(2))});
      default:
        return y;
    }
  }

  Expr binary(Expr x, Expr y) {
    switch (pick(6)) {
      case 0:
        return g.apply(Function::maximum, {x, y});
      case 1:
        return g.apply(Function::minimum, {x, g.apply(Function::minimum, {y, any(vectors)})});
      case 2:
        return g.apply(Function::hypot, {x, y});
      case 3:
        return g.apply(Function::logaddexp, {x, y});
      case 4:
        return g.apply(Function::power, {g.apply(Function::softplus, {x}), g.apply(Function::tanh, {y})});
      default:
        return g.sum(
            {n},
            {{2, g.whole(x)}, {Rational::ratio(-1, 3), g.whole(y)}, {1, {any(scalars), {}}}, {1, {g.constant(1), {}}}});
    }
  }

  Expr mixed() {
    const Operand v{any(vectors), {l(0)}}, u{any(others), {l(1)}}, t = g.whole(any(tables)), s{any(scalars), {}};
    switch (pick(3)) {
      case 0:
        return g.sum({n, m}, {{1, v}, {-2, u}, {1, t}});
      case 1:
        return g.contraction({n, m}, 2, Rational::ratio(1, 2), {v, u, t, s, v});
      default: {  // of something new: clipping twice by the same bounds sits on the kink
        const Expr moved = g.sum({n, m}, {{1, t}, {Rational::ratio(1, 7), v}, {1, u}});
        return g.elementwise(Function::clip, {n, m}, {g.whole(moved), {g.constant(-1), {}}, s});
      }
    }
  }

  /// A choice by data: its other branch may have no value.
  Expr choice() {
    const Expr x = any(vectors), y = any(vectors);
    const Expr condition = g.apply(Function::less, {g.constant(0), x});
    const Expr branch = pick(2) == 0 ? g.apply(Function::log, {x}) : g.apply(Function::sqrt, {x});
    const Expr a = g.apply(Function::sin, {branch});
    switch (pick(3)) {
      case 0:
        return g.apply(Function::select, {condition, a, y});
      case 1:
        return g.apply(Function::select, {condition, g.multiply(a, y), g.constant(0)});
      default:
        return g.apply(Function::select, {condition, a, g.apply(Function::log, {g.subtract(g.constant(1), x)})});
    }
  }

  std::vector<Guard> table_guards() {  // over labels 0 (of size n) and 1 (of size m)
    const Expr t = any(tables);
    switch (pick(5)) {
      case 0:
        return {at_least_zero(g.subtract(l(0), l(1)))};
      case 1:
        return {{Guard::Kind::nonzero, g.subtract(l(0), l(1)), {}}};
      case 2:
        return {
            {Guard::Kind::condition, {}, g.whole(g.apply(Function::less, {g.constant(Rational::ratio(1, 10)), t}))}};
      default:
        return {};
    }
  }

  Expr product() {  // Σ over m
    return g.contraction({n, m}, 1, 1, {g.whole(any(tables)), {any(others), {l(1)}}}, table_guards());
  }
  Expr column_product() {  // Σ over n; the table is read at [j, i]
    auto guards = table_guards();
    for (Guard& guard : guards) guard = g.substitute(guard, {l(1), l(0)});
    const Operand t{any(tables), {l(1), l(0)}};
    return g.contraction({m, n}, 1, Rational::ratio(1, 3), {t, {any(vectors), {l(1)}}}, guards);
  }
  Expr outer() {
    if (pick(2) == 0)
      return g.contraction({n, m}, 2, 1, {{any(vectors), {l(0)}}, {any(others), {l(1)}}}, table_guards());
    // a diagonal of A B', read at [i, i], times a gathered column
    const Expr square = g.contraction({n, n, m}, 2, 1, {{any(tables), {l(0), l(2)}}, {any(tables), {l(1), l(2)}}});
    Subscript data;
    data.data.push_back({number(1), c, {l(0)}});
    return g.contraction({n, m}, 2, 1, {{square, {l(0), l(0)}}, {any(others), {data}}, {any(others), {l(1)}}});
  }
  Expr windowed() {
    const Expr v = any(vectors);
    switch (pick(3)) {
      case 0:  // v[i+1] - v[i], then a padded 0
        return g.contraction(
            {n, n1}, 1, 1,
            {{g.apply(Function::sin, {g.sum({n1}, {{1, {v, {plus(l(0), number(1))}}}, {-1, {v, {l(0)}}}})}), {l(1)}}},
            {{Guard::Kind::zero, g.subtract(l(0), l(1)), {}}});
      case 1:  // Σ_j u[j] v[i - j] where inside: a convolution
        return g.contraction({n, m}, 1, 1, {{any(others), {l(1)}}, {v, {g.subtract(l(0), l(1))}}},
                             {at_least_zero(g.subtract(l(0), l(1)))});
      default: {  // Σ_j v[2 j] at the even places
        const Subscript twice = g.scale(l(1), number(2));
        return g.contraction({n, m}, 1, 1, {{v, {twice}}, {any(others), {l(1)}}},
                             {at_least_zero(g.subtract(l(0), l(1)))});
      }
    }
  }
  Expr row_reduction() {
    static constexpr Reduction kinds[] = {Reduction::maximum, Reduction::minimum, Reduction::product, Reduction::norm};
    const Reduction kind = kinds[pick(std::size(kinds))];
    auto guards = table_guards();
    if (kind == Reduction::maximum || kind == Reduction::minimum) guards.clear();
    return g.reduce(kind, {n, m}, 1, g.whole(any(tables)), guards);
  }
  Expr softmax() {
    const Expr t = any(tables);
    const Operand element{t, {l(0), l(1)}}, under{t, {l(0), l(2)}};
    const Guard lower = at_least_zero(g.subtract(l(0), l(2)));
    switch (pick(4)) {
      case 0:
        return g.softmax(SoftmaxKind::softmax, {n, m, m}, 2, {element, under});
      case 1:
        return g.softmax(SoftmaxKind::softmax, {n, m, m}, 2, {element, under}, {lower});
      case 2:
        return g.softmax(SoftmaxKind::log_softmax, {n, m, m}, 2, {element, under});
      default: {
        const Expr lse =
            g.softmax(SoftmaxKind::logsumexp, {n, m}, 1, {{t, {l(0), l(1)}}}, {at_least_zero(g.subtract(l(0), l(1)))});
        return g.sum({n, m}, {{1, {lse, {l(0)}}}, {1, g.whole(t)}});
      }
    }
  }
  Expr scattered() {  // Σ_i [c[i] == j] v[i]
    Subscript data;
    data.data.push_back({number(1), c, {l(1)}});
    const Expr groups =
        g.contraction({m, n}, 1, 1, {{any(vectors), {l(1)}}}, {{Guard::Kind::zero, g.subtract(l(0), data), {}}});
    return pick(2) == 0 ? groups : g.apply(Function::sqrt, {g.add(g.power(groups, 2), g.constant(1))});
  }
  Expr total() {
    switch (pick(3)) {
      case 0:
        return g.contraction({n, m}, 0, Rational::ratio(1, 4), {g.whole(any(tables)), g.whole(any(tables))},
                             table_guards());
      case 1:
        return g.reduce(Reduction::norm, {n}, 0, g.whole(any(vectors)));
      default:
        return g.softmax(SoftmaxKind::logsumexp, {m}, 0, {g.whole(any(others))});
    }
  }
  Expr reshaped() {
    const Expr flat = g.reshape({g.sizes().multiply(n, m)}, any(tables));
    return g.reshape({n, m}, g.apply(Function::tanh, {flat}));
  }

  std::mt19937 random_;
};

bool all_finite(const Array& a) {
  return std::all_of(a.values.begin(), a.values.end(), [](double x) { return std::isfinite(x); });
}

/// Whether all is finite and equal relative to the largest magnitude.
bool agree(const Array& got, const Array& want, double tolerance) {
  double scale = 1;
  for (const double x : want.values) scale = std::max(scale, std::fabs(x));
  for (std::size_t k = 0; k < want.values.size(); ++k)
    if (!(std::fabs(got.values[k] - want.values[k]) <= tolerance * scale)) return false;
  return got.values.size() == want.values.size();
}

/// derivative[*root, *input] · direction[*input]
Expr along(Graph& g, Expr root, Expr derivative, Expr direction) {
  const std::uint32_t rank = g.rank(root);
  return g.contraction(g.shape(derivative), rank, 1,
                       {g.whole(derivative), {direction, g.identity(g.rank(direction), rank)}});
}

/// What is wrong with the derivatives of a root, or nothing.
std::string wrong(Grower& grown, Expr root) {
  Graph& g = grown.g;
  std::vector<std::pair<Expr, Expr>> tangents;
  std::map<std::uint32_t, Array> direction;
  Bindings at = grown.at;
  for (std::uint32_t k = 0; k < grown.inputs.size(); ++k) {
    const auto shape = g.shape(grown.inputs[k]);
    tangents.push_back({grown.inputs[k], g.input(10 + k, shape)});
    direction[k] = at.inputs[10 + k] = grown.array(shape);
  }
  const Expr forward = directional_derivative(g, root, tangents);
  const std::vector<Expr> reverse = derivatives(g, root, grown.inputs);
  std::vector<Expr> all = reverse;
  all.push_back(forward);
  if (const std::string illegal = verify_graph(g, all); !illegal.empty()) return illegal;
  std::vector<Term> parts;
  for (std::size_t k = 0; k < reverse.size(); ++k)
    parts.push_back({1, g.whole(along(g, root, reverse[k], tangents[k].second))});
  const Expr backward = g.sum(g.shape(root), parts);
  const std::vector<Array> values = evaluate_reference(g, {forward, backward}, at);
  const Array differences = central_difference(g, root, at, direction);
  if (!agree(values[0], differences, 1e-11)) return "forward is not the difference";
  if (!agree(values[1], values[0], 1e-14)) return "reverse is not forward";
  return "";
}

/// The first node below a root whose derivatives are wrong, as text.
std::string smallest_wrong(Grower& grown, Expr root) {
  for (const Expr e : grown.g.reachable({root}))
    if (const std::string what = wrong(grown, e); !what.empty()) {
      std::string text = what + ": " + debug_text(grown.g, e);
      for (const Operand& o : grown.g[e].operands) text += "\n  " + debug_text(grown.g, o.expr);
      return text;
    }
  return "none of the nodes below";
}

void check_derivatives(Grower& grown, Expr root) {
  REQUIRE(verify_graph(grown.g, {root}) == "");
  const std::string what = wrong(grown, root);
  CHECK(what == "");
  if (!what.empty()) MESSAGE(smallest_wrong(grown, root));
}

}  // namespace

TEST_CASE("random graphs: forward derivatives are differences, reverse ones are forward ones") {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Grower grown(seed);
    const std::size_t steps = 3 + grown.pick(20);
    for (std::size_t k = 0; k < steps; ++k) grown.grow();
    check_derivatives(grown, grown.any(grown.scalars));
    check_derivatives(grown, grown.any(grown.vectors));
    check_derivatives(grown, grown.any(grown.tables));
  }
}

TEST_CASE("random graphs: a missing value that the root does not notice leaves all gradients finite") {
  std::size_t unnoticed = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    Grower grown(seed + 70'000);
    const std::size_t steps = 4 + grown.pick(16);
    for (std::size_t k = 0; k < steps; ++k) grown.grow();
    const Expr root = grown.any(grown.scalars);
    std::vector<Expr> all = derivatives(grown.g, root, grown.inputs);
    const std::vector<Expr> simple = simplify(grown.g, all);
    all.insert(all.end(), simple.begin(), simple.end());
    all.push_back(root);
    for (int trial = 0; trial < 6; ++trial) {
      Bindings at = grown.at;
      const auto input = static_cast<std::uint32_t>(grown.pick(4));
      auto& values = at.inputs[input].values;
      const std::size_t element = grown.pick(values.size());
      values[element] = std::nan("");
      CAPTURE(input);
      CAPTURE(element);
      const std::vector<Array> got = evaluate_reference(grown.g, all, at);
      if (!std::isfinite(got.back().values[0])) continue;
      ++unnoticed;
      for (std::size_t k = 0; k < all.size() - 1; ++k) {
        const bool before = k < grown.inputs.size();
        INFO((before ? "derived: " : "simplified: ") << debug_text(grown.g, all[k]));
        CHECK(all_finite(got[k]));
        if (k % grown.inputs.size() == input) CHECK(got[k].values[element] == 0);
      }
    }
  }
  CHECK(unnoticed > 100);
}
