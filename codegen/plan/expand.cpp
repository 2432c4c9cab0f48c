// Rewriting to what the planner knows: softmax and norm become maxima, sums and elementwise nodes.
#include "codegen/plan/expand.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "codegen/plan/running.hpp"

namespace gradus::planning {
namespace {

/// More operands than this in one node would make one straight block of code too long.
constexpr std::size_t most_operands = 256;

class Expander {
 public:
  explicit Expander(Graph& graph) : graph_(graph) {}

  std::vector<Expr> run(const std::vector<Expr>& roots) {
    for (const Expr e : graph_.reachable(roots)) map_[e.id] = expanded(e);
    std::vector<Expr> out;
    for (const Expr r : roots) out.push_back(map_.at(r.id));
    return out;
  }

 private:
  Expr expanded(Expr e) {
    Node n = graph_[e];
    bool changed = false;
    for (auto& o : n.operands) changed |= renew(o);
    for (auto& g : n.guards) changed |= g.kind == Guard::Kind::condition ? renew(g.condition) : renew(g.affine);
    if (n.kind == Kind::index) changed |= renew(n.affine);
    if (n.kind == Kind::contraction && n.operands.size() > 1) changed |= divide_by_squares(n) || divide_in_turn(n);
    if (const auto scaled = function_of_squares(n)) return *scaled;
    if (n.kind == Kind::sum && n.operands.size() == 2) changed |= centre(n);
    if (n.kind == Kind::softmax) return softmax(n);
    if (n.kind == Kind::reduce && n.reduction == Reduction::norm) return norm(n);
    if (const auto running = running_exponentials(graph_, n)) return *running;
    const bool long_sum = n.kind == Kind::sum || (n.kind == Kind::contraction && n.labels.size() == n.rank);
    if (long_sum && n.operands.size() > most_operands) return cut(std::move(n));
    return changed ? graph_.intern(std::move(n)) : e;
  }

  /// A sum of squares that is one number, alone or as a term of a sum: where it leaves the range of numbers, its root,
  /// which is a norm, tells what it is.
  struct Squares {
    Node norm;             // as a reduction
    Expr sum;              // of the squares
    Expr all;              // sum, or what it is a term of
    Rational coefficient;  // of the sum in it
  };

  std::optional<Squares> squares_of(Expr e) {
    const Node& n = graph_[e];
    if (n.rank != 0) return std::nullopt;
    if (n.kind == Kind::sum) {
      for (std::size_t k = 0; k < n.operands.size(); ++k) {
        const Node& term = graph_[n.operands[k].expr];
        if (term.kind != Kind::contraction || n.coefficients[k].sign() <= 0) continue;
        auto inner = squares_of(n.operands[k].expr);
        if (!inner) continue;
        inner->all = e;
        inner->coefficient = n.coefficients[k];
        return inner;
      }
      return std::nullopt;
    }
    if (n.kind != Kind::contraction || n.labels.empty() || !n.coefficients[0].is_one()) return std::nullopt;
    std::optional<Operand> base;
    if (n.operands.size() == 2 && n.operands[0] == n.operands[1]) base = n.operands[0];
    if (n.operands.size() == 1) base = root_of(n.operands[0]);
    if (!base) return std::nullopt;
    Node norm;
    norm.kind = Kind::reduce;
    norm.reduction = Reduction::norm;
    norm.labels = n.labels;
    norm.operands = {*base};
    norm.guards = n.guards;
    return Squares{std::move(norm), e, e, 1};
  }

  /// x where an operand is x^2.
  std::optional<Operand> root_of(const Operand& o) {
    const Node& n = graph_[o.expr];
    if (n.kind != Kind::elementwise || n.function != Function::power || !graph_.is_constant(n.operands[1].expr, 2))
      return std::nullopt;
    return graph_.substitute(n.operands[0], o.subscripts);
  }

  Expr call(Function f, const std::vector<Expr>& operands) { return graph_.apply(f, operands); }

  /// Whether the squares and what they are added to are of a usual size.
  Expr in_range(const Squares& s) {
    const Expr finite = call(Function::less, {s.all, graph_.named_constant(Function::infinity)});
    if (s.all != s.sum) return finite;
    return call(Function::logical_and,
                {finite, call(Function::less, {graph_.constant(*Rational(2).power(-900)), s.sum})});
  }

  /// log(Σ x^2), log1p and sqrt of such, also of a product with a number.
  std::optional<Expr> function_of_squares(const Node& n) {
    if (n.kind != Kind::elementwise || n.operands.size() != 1 || !n.labels.empty()) return std::nullopt;
    if (n.function != Function::log && n.function != Function::log1p && n.function != Function::sqrt)
      return std::nullopt;
    const Expr whole = n.operands[0].expr;
    Expr of = whole, rest = graph_.constant(1);
    if (n.function == Function::log) std::tie(of, rest) = without_number(whole);
    auto s = squares_of(of);
    if (!s || (n.function == Function::sqrt && s->all == s->sum)) return std::nullopt;
    if (n.function == Function::log1p && s->all != s->sum) return std::nullopt;
    const Expr root = norm(s->norm), plain = call(n.function, {whole});
    const Expr log_of_all = graph_.add(graph_.scale(call(Function::log, {root}), 2),
                                       call(Function::log, {graph_.scale(rest, s->coefficient)}));
    if (n.function == Function::log) return call(Function::select, {in_range(*s), plain, log_of_all});
    const Expr finite = call(Function::less, {s->all, graph_.named_constant(Function::infinity)});
    if (n.function == Function::log1p) return call(Function::select, {finite, plain, log_of_all});
    const Expr scale = call(Function::sqrt, {graph_.constant(s->coefficient)});
    return call(Function::select, {finite, plain, graph_.multiply(scale, root)});
  }

  /// A product of a sum of squares and of factors that are numbers or powers of sizes, taken apart.
  std::pair<Expr, Expr> without_number(Expr e) {
    const Node& n = graph_[e];
    const std::pair<Expr, Expr> as_it_is{e, graph_.constant(1)};
    if (n.kind != Kind::contraction || !n.labels.empty() || !n.guards.empty() || n.coefficients[0].sign() <= 0)
      return as_it_is;
    std::optional<Expr> squares;
    std::vector<Operand> others;
    for (const Operand& o : n.operands) {
      if (!squares && squares_of(o.expr))
        squares = o.expr;
      else
        others.push_back(o);
    }
    if (!squares) return as_it_is;
    return {*squares, graph_.contraction({}, 0, n.coefficients[0], std::move(others))};
  }

  /// x/Σ x^2 as x times two factors, which are 1 over the norm where the sum leaves the range of numbers.
  bool divide_by_squares(Node& n) {
    constexpr std::int64_t most = 4;
    for (std::size_t k = 0; k < n.operands.size(); ++k) {
      const Node& power = graph_[n.operands[k].expr];
      if (power.kind != Kind::elementwise || power.function != Function::power || !power.labels.empty()) continue;
      const Rational* q = graph_.constant_value(power.operands[1].expr);
      const auto exponent = q != nullptr ? q->as_int64() : std::nullopt;
      if (!exponent || *exponent >= 0 || *exponent < -most) continue;
      const auto s = squares_of(power.operands[0].expr);
      if (!s) continue;
      const Expr good = in_range(*s), scale = call(Function::sqrt, {graph_.constant(s->coefficient)});
      const Expr inverse = graph_.power(graph_.multiply(scale, norm(s->norm)), -1);
      const Expr first = call(Function::select, {good, graph_.power(s->all, -1), inverse});
      const Expr second = call(Function::select, {good, graph_.constant(1), inverse});
      std::vector<Operand> above, ordered;
      for (std::size_t m = 0; m < n.operands.size(); ++m) {
        if (m == k) continue;
        const auto root = root_of(n.operands[m]);
        above.push_back(root ? *root : n.operands[m]);
        if (root) above.push_back(*root);
      }
      std::vector<Operand> below;
      for (std::int64_t times = 0; times < -*exponent; ++times) {
        below.push_back({first, {}});
        below.push_back({second, {}});
      }
      for (std::size_t m = 0; m < std::max(above.size(), below.size()); ++m) {
        if (m < above.size()) ordered.push_back(above[m]);
        if (m < below.size()) ordered.push_back(below[m]);
      }
      n.operands = std::move(ordered);
      return true;
    }
    return false;
  }

  /// x/y^2 as x/y/y: the square of y may leave the range of numbers where the quotient is in it.
  bool divide_in_turn(Node& n) {
    constexpr std::int64_t most = 4;
    bool changed = false;
    for (std::size_t k = 0, count = n.operands.size(); k < count; ++k) {
      const Node& power = graph_[n.operands[k].expr];
      if (power.kind != Kind::elementwise || power.function != Function::power) continue;
      const Rational* q = graph_.constant_value(power.operands[1].expr);
      const auto exponent = q != nullptr ? q->as_int64() : std::nullopt;
      if (!exponent || *exponent > -2 || *exponent < -most) continue;
      Node once = power;
      once.operands[1].expr = graph_.constant(-1);
      n.operands[k].expr = graph_.intern(std::move(once));
      for (std::int64_t more = *exponent; more < -1; ++more) n.operands.push_back(n.operands[k]);
      changed = true;
    }
    return changed;
  }

  /// x - mean(x) of an input as (x - p) - mean(x - p), where the first and the last element are near and p is the
  /// first: rounding the mean would lose what a variance by its elements is made of.
  bool centre(Node& n) {
    if (n.coefficients[0] != -n.coefficients[1]) return false;
    for (const std::size_t k : {std::size_t{0}, std::size_t{1}}) {
      const Operand x = n.operands[k];
      if (graph_[x.expr].kind != Kind::input) continue;
      const auto mean = mean_of(n.labels, x, n.operands[1 - k]);
      if (!mean) continue;
      n.operands[k] = graph_.whole(graph_.sum(n.labels, {{1, x}, {-1, mean->pivot}}));
      n.operands[1 - k] = mean->rest;
      return true;
    }
    return false;
  }

  struct Mean {
    Operand pivot, rest;  // over the labels of whoever centres
  };

  /// The mean of an input over one axis, also with weights: a product of a sum and 1 over the number of its terms, or
  /// over the sum of the weights.
  std::optional<Mean> mean_of(const std::vector<Size>& labels, const Operand& x, const Operand& mean) {
    const Node& product = graph_[mean.expr];
    if (product.kind != Kind::contraction || product.operands.size() != 2 || !product.coefficients[0].is_one() ||
        !product.guards.empty() || product.labels.size() != product.rank)
      return std::nullopt;
    for (const std::size_t k : {std::size_t{0}, std::size_t{1}}) {
      const Operand sum = graph_.substitute(product.operands[k], mean.subscripts);
      const Node& total = graph_[sum.expr];
      if (total.kind != Kind::contraction || total.labels.size() != total.rank + 1 || !total.guards.empty() ||
          total.operands.empty() || total.operands.size() > 2 || !total.coefficients[0].is_one())
        continue;
      const auto read = std::ranges::find(total.operands, x.expr, &Operand::expr);
      if (read == total.operands.end()) continue;
      if (graph_.substitute(product.operands[1 - k], mean.subscripts).expr != share(total, *read)) continue;
      // Where the sum stands at a label of the reader it must read what x is.
      for (Label l = 0; l < labels.size(); ++l) {
        std::vector<Subscript> at = sum.subscripts;
        at.push_back(graph_.label(l));
        if (labels[l] == total.labels[total.rank] && graph_.substitute(*read, at) == x)
          return centred_mean(total, *read, sum.subscripts);
      }
    }
    return std::nullopt;
  }

  /// 1 over the number of terms, or over the sum of the weights that stand beside x.
  Expr share(const Node& total, const Operand& x) {
    const Size count = total.labels[total.rank];
    if (total.operands.size() == 1) return graph_.power(graph_.size_value(count), -1);
    const Operand& weight = total.operands[total.operands[0] == x ? 1 : 0];
    if (weight.subscripts != std::vector<Subscript>{graph_.label(total.rank)}) return {};
    return graph_.power(graph_.contraction({count}, 0, 1, {{weight.expr, graph_.identity(1)}}), -1);
  }

  Mean centred_mean(const Node& total, const Operand& x, const std::vector<Subscript>& place) {
    Sizes& sizes = graph_.sizes();
    const std::vector<Size> axes(total.labels.begin(), total.labels.begin() + total.rank);
    const Subscript last = graph_.offset(sizes.subtract(total.labels[total.rank], sizes.constant(1)));
    const Guard some{Guard::Kind::nonnegative, last, {}};
    const auto element = [&](const Subscript& position) {
      std::vector<Subscript> at = graph_.identity(total.rank);
      at.push_back(position);
      return graph_.contraction(axes, total.rank, 1, {graph_.substitute(x, at)}, {some});
    };
    const Expr first = element({}), end = element(last);
    const auto size_of = [&](Expr e) { return graph_.apply(Function::abs, {e}); };
    const Expr near = graph_.apply(Function::less,
                                   {graph_.scale(size_of(graph_.subtract(first, end)), Rational(16)), size_of(first)});
    // Along rows there are many first elements: that choice would cost more than the mean.
    const bool along_rows = total.rank > 0 && x.subscripts.back() == graph_.label(total.rank);
    const Expr pivot = along_rows ? first : graph_.apply(Function::select, {near, first, spread_zero(first)});
    std::vector<Operand> factors = total.operands;
    *std::ranges::find(factors, x) = graph_.whole(graph_.sum(total.labels, {{1, x}, {-1, graph_.whole(pivot)}}));
    const Expr rest = graph_.contraction(total.labels, total.rank, 1, std::move(factors));
    const Expr mean = graph_.contraction(axes, total.rank, 1, {graph_.whole(rest), {share(total, x), {}}});
    return {{pivot, place}, {mean, place}};
  }

  bool renew(Expr& e) {
    const auto found = map_.find(e.id);
    if (found == map_.end() || found->second == e) return false;
    e = found->second;
    return true;
  }
  bool renew(Subscript& s) {
    bool changed = false;
    for (auto& d : s.data) {
      changed |= renew(d.data);
      for (auto& inner : d.subscripts) changed |= renew(inner);
    }
    return changed;
  }
  bool renew(Operand& o) {
    bool changed = renew(o.expr);
    for (auto& s : o.subscripts) changed |= renew(s);
    return changed;
  }

  /// A long sum or product as one of shorter ones over the same axes.
  Expr cut(Node n) {
    while (n.operands.size() > most_operands) {
      std::vector<Operand> operands;
      std::vector<Rational> coefficients;
      for (std::size_t k = 0; k < n.operands.size(); k += most_operands) {
        const std::size_t end = std::min(k + most_operands, n.operands.size());
        Node part;
        part.kind = n.kind;
        part.labels = n.labels;
        part.rank = n.rank;
        part.operands.assign(n.operands.begin() + static_cast<std::ptrdiff_t>(k),
                             n.operands.begin() + static_cast<std::ptrdiff_t>(end));
        if (n.kind == Kind::sum)
          part.coefficients.assign(n.coefficients.begin() + static_cast<std::ptrdiff_t>(k),
                                   n.coefficients.begin() + static_cast<std::ptrdiff_t>(end));
        else
          part.coefficients = {1};
        operands.push_back(graph_.whole(graph_.intern(std::move(part))));
        coefficients.emplace_back(1);
      }
      n.operands = std::move(operands);
      if (n.kind == Kind::sum) n.coefficients = std::move(coefficients);
    }
    return graph_.intern(std::move(n));
  }

  Expr softmax(const Node& n) {
    const Operand& x = n.operands.back();
    // The maximum and the sum have only the axes that x and the guards use.
    std::vector<char> used(n.labels.size(), 0);
    for (Label l = n.rank; l < n.labels.size(); ++l) used[l] = 1;
    Graph::each_label(x, [&](Label l) { used[l] = 1; });
    for (const auto& g : n.guards) Graph::each_label(g, [&](Label l) { used[l] = 1; });
    std::vector<Size> labels;
    std::vector<Subscript> map(n.labels.size()), axes;
    for (Label l = 0; l < n.labels.size(); ++l) {
      if (!used[l]) continue;
      map[l] = graph_.label(static_cast<Label>(labels.size()));
      if (l < n.rank) axes.push_back(graph_.label(l));
      labels.push_back(n.labels[l]);
    }
    const auto rank = static_cast<std::uint32_t>(axes.size());
    const Operand inner = graph_.substitute(x, map);
    std::vector<Guard> guards;
    for (const auto& g : n.guards) guards.push_back(graph_.substitute(g, map));

    const Expr largest = graph_.reduce(Reduction::maximum, labels, rank, inner, guards);
    // Where the maximum is infinite (nothing, or nothing but -inf, or +inf) x - 0 is what does not become NaN.
    const Expr infinite =
        graph_.apply(Function::equal, {graph_.apply(Function::abs, {largest}), spread(Function::infinity, largest)});
    const Expr shift = graph_.apply(Function::select, {infinite, spread_zero(largest), largest});
    const Expr shifted = graph_.sum(labels, {{1, inner}, {-1, at_axes(shift, rank)}});
    const Expr exponentials =
        graph_.elementwise(Function::exp, labels, {{shifted, graph_.identity(graph_.rank(shifted))}});
    const Expr sum = graph_.contraction(labels, rank, 1, {graph_.whole(exponentials)}, guards);
    const Expr total = running_exponentials(graph_, graph_[sum]).value_or(sum);

    const std::vector<Size> shape(n.labels.begin(), n.labels.begin() + n.rank);
    const std::vector<Size> kept(labels.begin(), labels.begin() + rank);
    if (n.softmax == SoftmaxKind::logsumexp) {
      const Expr sum =
          graph_.sum(kept, {{1, at_axes(shift, rank)}, {1, at_axes(graph_.apply(Function::log, {total}), rank)}});
      return graph_.view(shape, {sum, axes});
    }
    const Expr difference = graph_.sum(shape, {{1, n.operands[0]}, {-1, {shift, axes}}});
    if (n.softmax == SoftmaxKind::log_softmax)
      return graph_.sum(shape, {{1, graph_.whole(difference)}, {-1, {graph_.apply(Function::log, {total}), axes}}});
    const Expr numerator = graph_.elementwise(Function::exp, shape, {graph_.whole(difference)});
    // Of nothing but -inf every projection is 0.
    const Expr nothing = graph_.apply(Function::equal, {total, spread_zero(total)});
    const Expr reciprocal = graph_.apply(Function::select, {nothing, spread_zero(total), graph_.power(total, -1)});
    return graph_.contraction(shape, n.rank, 1, {graph_.whole(numerator), {reciprocal, axes}});
  }

  Operand at_axes(Expr e, std::uint32_t rank) { return {e, graph_.identity(std::min(rank, graph_.rank(e)))}; }
  Expr spread(Function f, Expr like) { return graph_.view(graph_.shape(like), {graph_.named_constant(f), {}}); }
  Expr spread_zero(Expr like) { return graph_.view(graph_.shape(like), {graph_.constant(0), {}}); }

  /// Three sums of squares, of x and of x scaled down and up by powers of two; the one that neither overflowed nor lost
  /// its terms to underflow gives the root. One pass, no division.
  Expr norm(const Node& n) {
    const Rational up = *Rational(2).power(600), down = *Rational(2).power(-600), least = *Rational(2).power(-900);
    const Expr plain = squares(n, 1), big = squares(n, down), small = squares(n, up);
    const auto f = [&](Function function, const std::vector<Expr>& operands) {
      return graph_.apply(function, operands);
    };
    const Expr infinity = spread(Function::infinity, plain);
    const Expr least_value = graph_.view(graph_.shape(plain), {graph_.constant(least), {}});
    const Expr good =
        f(Function::logical_and, {f(Function::less, {plain, infinity}), f(Function::less, {least_value, plain})});
    const Expr root_big = graph_.scale(f(Function::sqrt, {big}), up);
    const Expr root_small = graph_.scale(f(Function::sqrt, {small}), down);
    const Expr rest = f(Function::select, {f(Function::equal, {plain, infinity}), root_big, root_small});
    return f(Function::select, {good, f(Function::sqrt, {plain}), rest});
  }

  Expr squares(const Node& n, const Rational& scale) {
    Operand x = n.operands[0];
    if (!scale.is_one()) {
      // Interned as it is: the constructors would multiply the two scales into one that overflows.
      Node scaled;
      scaled.kind = Kind::sum;
      scaled.labels = graph_.shape(x.expr);
      scaled.rank = static_cast<std::uint32_t>(scaled.labels.size());
      scaled.operands = {graph_.whole(x.expr)};
      scaled.coefficients = {scale};
      x.expr = graph_.intern(std::move(scaled));
    }
    Node product;
    product.kind = Kind::contraction;
    product.labels = n.labels;
    product.rank = n.rank;
    product.operands = {x, x};
    product.guards = n.guards;
    product.coefficients = {1};
    return graph_.intern(std::move(product));
  }

  Graph& graph_;
  std::unordered_map<std::uint32_t, Expr> map_;
};

}  // namespace

std::vector<Expr> expand(Graph& graph, const std::vector<Expr>& roots) { return Expander(graph).run(roots); }

}  // namespace gradus::planning
