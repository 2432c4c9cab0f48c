// Random legal graphs of every kind of node, for planned programs and the reference to agree on.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "tests/codegen/plan_case.hpp"

namespace gradus::testing {

/// Builds a few dozen nodes over the sizes n, m and constants; values stay moderate.
class RandomGraph {
 public:
  explicit RandomGraph(std::uint32_t seed) : random_(seed) {
    n_ = c.size("n"), m_ = c.size("m");
    c.size("k");
    const auto some = [&] { return pick(sizes()); };
    for (int i = 0; i < 3; ++i) leaf(c.data("X" + std::to_string(i), {n_, some()}));
    leaf(c.data("y", {n_}));
    for (int i = 0; i < 2; ++i) leaf(c.input("w" + std::to_string(i), {some()}));
    leaf(c.input("A", {some(), some()}));
    leaf(c.input("s", {}));
    labels_.push_back(c.input("c", {n_}, Input::Role::data, k()));
    labels_.push_back(c.input("e", {m_}, Input::Role::data, n_));
    const int count = 8 + below(30);
    for (int i = 0; i < count; ++i) step();
  }

  PlanCase c;
  /// The last values and some others.
  std::vector<Expr> roots() {
    std::vector<Expr> out(pool_.end() - 3, pool_.end());
    for (int i = 0; i < 3; ++i) out.push_back(pick(pool_));
    return out;
  }

 private:
  Graph& g() { return c.g; }
  Size k() { return g().sizes().symbol("k"); }
  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint32_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  template <class T>
  T pick(const std::vector<T>& v) {
    return v[static_cast<std::size_t>(below(static_cast<int>(v.size())))];
  }
  std::vector<Size> sizes() { return {n_, n_, m_, m_, k(), g().sizes().constant(2), g().sizes().constant(3)}; }
  void leaf(Expr e) {
    pool_.push_back(e);
    inputs_.push_back(e);
  }

  /// The expression read at labels of its axes' sizes, permuted and repeated at random; labels that it needs are added.
  Operand read(Expr e, std::vector<Size>& labels, std::size_t fixed) {
    Operand o{e, {}};
    for (const Size axis : g().shape(e)) {
      std::vector<Label> fit;
      for (Label l = 0; l < labels.size(); ++l)
        if (labels[l] == axis) fit.push_back(l);
      if (fit.empty() || (labels.size() < fixed && chance(30))) {
        labels.push_back(axis);
        fit.assign(1, static_cast<Label>(labels.size() - 1));
      }
      Subscript s = g().label(pick(fit));
      if (chance(5)) s = g().subtract(g().offset(g().sizes().subtract(axis, g().sizes().constant(1))), s);
      o.subscripts.push_back(s);
    }
    return o;
  }

  Expr any() { return chance(60) ? pool_[pool_.size() - 1 - static_cast<std::size_t>(below(5))] : pick(pool_); }

  Guard guard(const std::vector<Size>& labels) {
    const auto label = [&] { return g().label(static_cast<Label>(below(static_cast<int>(labels.size())))); };
    switch (below(4)) {
      case 0: {
        std::vector<Size> copy = labels;
        const Expr x = pick(inputs_);
        Operand o = read(x, copy, 0);
        if (copy.size() == labels.size()) {
          const Expr condition = g().elementwise(Function::less, g().shape(x), {{g().constant(0), {}}, g().whole(x)});
          return {Guard::Kind::condition, {}, {condition, o.subscripts}};
        }
        break;
      }
      case 1:
        return {Guard::Kind::nonzero, g().subtract(label(), label()), {}};
      case 2:
        return {
            Guard::Kind::zero, g().subtract(label(), g().add(label(), g().offset(g().sizes().constant(below(2))))), {}};
      default:
        break;
    }
    return {Guard::Kind::nonnegative,
            g().add(g().subtract(label(), label()), g().offset(g().sizes().constant(below(3) - 1))),
            {}};
  }

  /// Bound labels last: the first `rank` of a shuffled list stay axes.
  static constexpr std::size_t most_rank = 3;

  void step() {
    std::vector<Size> labels;
    const auto finish = [&](Expr e) {
      if (g().rank(e) <= most_rank) pool_.push_back(e);
    };
    switch (below(12)) {
      case 0:
      case 1: {
        static const Function unary[] = {Function::tanh, Function::sin, Function::sigmoid, Function::abs,
                                         Function::softplus};
        const Operand o = read(any(), labels, 0);
        finish(g().elementwise(unary[below(5)], labels, {o}));
        return;
      }
      case 2: {
        const Operand a = read(any(), labels, 3), b = read(any(), labels, 3);
        if (labels.size() > most_rank) return;
        static const Function binary[] = {Function::maximum, Function::minimum, Function::logaddexp};
        finish(g().elementwise(binary[below(3)], labels, {a, b}));
        return;
      }
      case 3: {
        const Operand x = read(pick(inputs_), labels, 2), a = read(any(), labels, 3), b = read(any(), labels, 3);
        if (labels.size() > most_rank) return;
        const Expr condition = g().elementwise(Function::less, labels, {{g().constant(0), {}}, x});
        std::vector<Subscript> identity = g().identity(static_cast<std::uint32_t>(labels.size()));
        finish(g().elementwise(Function::select, labels, {{condition, identity}, a, b}));
        return;
      }
      case 4:
      case 5: {
        std::vector<Term> terms;
        for (int t = 0; t < 2 + below(2); ++t)
          terms.push_back(
              {Rational::ratio(1 + below(3), chance(50) ? -2 : 2).is_zero() ? Rational(1) : Rational(below(5) - 2),
               read(any(), labels, 2)});
        if (labels.size() <= most_rank) finish(g().sum(labels, terms));
        return;
      }
      case 6:
      case 7:
      case 8: {
        std::vector<Operand> operands;
        for (int t = 0; t < 1 + below(3); ++t) operands.push_back(read(any(), labels, 4));
        if (chance(20)) {  // a gather
          const int which = below(2);
          const Size length = which == 0 ? n_ : m_, bound = which == 0 ? k() : n_;
          std::vector<Expr> fit;
          for (const Expr e : pool_)
            if (g().rank(e) >= 1 && g().axis(e, 0) == bound) fit.push_back(e);
          if (!fit.empty()) {
            const Expr e = pick(fit);
            std::vector<Label> at;
            for (Label l = 0; l < labels.size(); ++l)
              if (labels[l] == length) at.push_back(l);
            if (at.empty()) labels.push_back(length), at.push_back(static_cast<Label>(labels.size() - 1));
            Operand o = read(e, labels, 0);
            o.subscripts[0] =
                Subscript{Size{},
                          {},
                          {{g().sizes().constant(1), labels_[static_cast<std::size_t>(which)], {g().label(pick(at))}}}};
            operands.push_back(o);
          }
        }
        contraction(labels, operands);
        return;
      }
      case 9: {
        static const Reduction kinds[] = {Reduction::maximum, Reduction::minimum, Reduction::norm, Reduction::product};
        const Operand o = read(any(), labels, 0);
        const Reduction kind = kinds[below(4)];
        if (labels.empty()) return;
        const auto rank = static_cast<std::uint32_t>(below(static_cast<int>(labels.size())));
        std::vector<Guard> guards;
        if (chance(30) && kind != Reduction::maximum && kind != Reduction::minimum) guards.push_back(guard(labels));
        Expr e = g().reduce(kind, labels, rank, o, guards);
        // Of nothing the value is NaN: kept away from the rest.
        e = g().apply(Function::select,
                      {g().apply(Function::less, {g().apply(Function::abs, {e}), spread(g().constant(1000), e)}), e,
                       spread(g().constant(0), e)});
        finish(e);
        return;
      }
      case 10: {
        const Operand x = read(any(), labels, 0);
        if (labels.empty()) return;
        const auto rank = static_cast<std::uint32_t>(labels.size()) - 1;
        std::vector<Guard> guards;
        if (chance(30))
          guards.push_back(
              {Guard::Kind::nonnegative, g().subtract(g().offset(g().sizes().constant(5)), g().label(rank)), {}});
        if (chance(50)) {
          const Expr e = g().softmax(SoftmaxKind::logsumexp, labels, rank, {x}, guards);
          finish(g().apply(Function::maximum, {e, spread(g().constant(-100), e)}));
          return;
        }
        if (!guards.empty() || labels.size() > most_rank) return;
        Operand element = x;
        labels.push_back(labels.back());
        Operand under = x;
        std::vector<Subscript> map = g().identity(rank + 1);
        map[rank] = g().label(rank + 1);
        for (auto& s : under.subscripts) s = g().substitute(s, map);
        finish(g().softmax(chance(50) ? SoftmaxKind::softmax : SoftmaxKind::log_softmax, labels, rank + 1,
                           {element, under}));
        return;
      }
      default: {
        const Expr e = any();
        const auto shape = g().shape(e);
        if (shape.size() == 2)
          finish(chance(50) ? g().reshape({shape[1], shape[0]}, e)
                            : g().reshape({g().sizes().multiply(shape[0], shape[1])}, e));
        return;
      }
    }
  }

  Expr spread(Expr scalar, Expr like) { return g().view(g().shape(like), {scalar, {}}); }

  void contraction(std::vector<Size> labels, std::vector<Operand> operands) {
    if (labels.empty()) {
      pool_.push_back(g().contraction({}, 0, Rational::ratio(1, 2), operands));
      return;
    }
    // A scatter: an output that index data choose.
    std::vector<Guard> guards;
    if (chance(15)) {
      const int which = below(2);
      const Size length = which == 0 ? n_ : m_, bound = which == 0 ? k() : n_;
      for (Label l = 0; l < labels.size(); ++l) {
        if (labels[l] != length) continue;
        labels.push_back(bound);
        const Subscript data{
            Size{}, {}, {{g().sizes().constant(1), labels_[static_cast<std::size_t>(which)], {g().label(l)}}}};
        guards.push_back({Guard::Kind::zero, g().subtract(g().label(static_cast<Label>(labels.size() - 1)), data), {}});
        break;
      }
    }
    const std::size_t count = labels.size();
    if (count > 5 || std::count(labels.begin(), labels.end(), n_) > 2) return;  // the reference would take long
    if (chance(30)) guards.push_back(guard(labels));
    // Shuffle the labels, so that axes are any of them.
    std::vector<Label> order(count);
    for (Label l = 0; l < count; ++l) order[l] = l;
    std::shuffle(order.begin(), order.end(), random_);
    std::vector<Subscript> map(count);
    std::vector<Size> shuffled(count);
    for (Label l = 0; l < count; ++l) {
      map[l] = g().label(order[l]);
      shuffled[order[l]] = labels[l];
    }
    for (auto& o : operands) o = g().substitute(o, map);
    for (auto& x : guards) x = g().substitute(x, map);
    const auto rank = static_cast<std::uint32_t>(
        std::min<std::size_t>(most_rank, static_cast<std::size_t>(below(static_cast<int>(count) + 1))));
    pool_.push_back(
        g().apply(Function::tanh, {g().contraction(shuffled, rank, Rational::ratio(1, 2), operands, guards)}));
  }

  std::mt19937 random_;
  Size n_, m_;
  std::vector<Expr> pool_, inputs_, labels_;
};

}  // namespace gradus::testing
