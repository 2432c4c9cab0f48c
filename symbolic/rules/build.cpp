// Builds the right side of a rule under a match.
#include <algorithm>
#include <cassert>

#include "symbolic/rules/match.hpp"
#include "symbolic/rules/terms.hpp"

namespace gradus::rules {
namespace {

using PatternKind = Pattern::Kind;

class Builder {
 public:
  Builder(Graph& graph, const Match& match) : graph_(graph), m_(match) {}

  /// `inside`: whether a reduction of the pattern is open around it.
  Operand operator()(const Pattern& p, bool inside) {
    switch (p.kind) {
      case PatternKind::number:
        return {graph_.constant(p.number), {}};
      case PatternKind::variable:
      case PatternKind::rest: {
        const Binding& b = *m_.variables[p.variable];
        return !inside && b.element ? *b.element : b.operand;
      }
      case PatternKind::call:
        return on_labels_of(parts(p, inside), [&](const auto& labels, const auto& read) {
          return graph_.elementwise(p.function, labels, read);
        });
      case PatternKind::sum:
        return sum(p, parts(p, inside));
      case PatternKind::product:
        return on_labels_of(parts(p, inside), [&](const auto& labels, const auto& read) {
          return product(p.coefficients[0], labels, read);
        });
      case PatternKind::reduction:
        return reduction(p);
    }
    return {};
  }

 private:
  std::vector<Operand> parts(const Pattern& p, bool inside) {
    std::vector<Operand> out;
    for (const auto& part : p.parts) out.push_back((*this)(part, inside));
    return out;
  }

  Operand sum(const Pattern& p, const std::vector<Operand>& parts) {
    std::vector<Operand> operands;
    std::vector<Rational> coefficients;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      const std::vector<Term> terms = m_.expand ? terms_of(graph_, parts[k]) : std::vector<Term>{{1, parts[k]}};
      for (const auto& t : terms) {
        operands.push_back(t.operand);
        coefficients.push_back(p.coefficients[k] * t.coefficient);
      }
    }
    return on_labels_of(operands, [&](const auto& labels, const auto& read) {
      std::vector<Term> terms;
      for (std::size_t k = 0; k < read.size(); ++k) terms.push_back({coefficients[k], read[k]});
      return graph_.sum(labels, std::move(terms));
    });
  }

  /// A number times a sum of numbers times …: the number goes into the sum, so that -(a - b) is b - a.
  Expr product(const Rational& coefficient, const std::vector<Size>& labels, const std::vector<Operand>& factors) {
    const auto rank = static_cast<std::uint32_t>(labels.size());
    if (factors.size() == 1 && coefficient == Rational(-1) && graph_[factors[0].expr].kind == Kind::sum) {
      const Node& n = graph_[factors[0].expr];
      std::vector<Term> terms;
      for (std::size_t k = 0; k < n.operands.size(); ++k)
        terms.push_back({-n.coefficients[k], graph_.substitute(n.operands[k], factors[0].subscripts)});
      return graph_.sum(labels, std::move(terms));
    }
    return graph_.contraction(labels, rank, coefficient, factors);
  }

  /// Builds a node over just the labels that its operands use, in the order of their first use.
  template <class Make>
  Operand on_labels_of(const std::vector<Operand>& operands, Make&& make) {
    std::vector<Label> order;
    collect(operands, order);
    return renumbered(order, order.size(), operands, {},
                      [&](const auto& labels, const auto& read, const auto&) { return make(labels, read); });
  }

  void collect(const std::vector<Operand>& operands, std::vector<Label>& order) const {
    for (const auto& o : operands)
      Graph::each_label(o, [&](Label l) {
        if (std::ranges::find(order, l) == order.end()) order.push_back(l);
      });
  }

  template <class Make>
  Operand renumbered(const std::vector<Label>& order, std::size_t rank, const std::vector<Operand>& operands,
                     const std::vector<Guard>& guards, Make&& make) {
    std::vector<Subscript> map(m_.labels.size());
    std::vector<Size> labels;
    Operand out;
    for (const Label l : order) {
      if (labels.size() < rank) out.subscripts.push_back(graph_.label(l));
      map[l] = graph_.label(static_cast<Label>(labels.size()));
      labels.push_back(m_.labels[l]);
    }
    std::vector<Operand> read;
    for (const auto& o : operands) read.push_back(graph_.substitute(o, map));
    std::vector<Guard> moved;
    for (const auto& g : guards) moved.push_back(graph_.substitute(g, map));
    out.expr = make(labels, read, moved);
    return out;
  }

  /// The scope of the variables of a pattern.
  std::uint32_t scope_of(const Pattern& p) const {
    if (p.kind == PatternKind::variable || p.kind == PatternKind::rest) return m_.variables[p.variable]->scope;
    std::uint32_t scope = 0;
    for (const auto& part : p.parts) scope = std::max(scope, scope_of(part));
    return scope;
  }

  Operand reduction(const Pattern& p) {
    const std::uint32_t number = scope_of(p);
    assert(number > 0);
    const Scope& scope = m_.scopes[number - 1];
    Rational coefficient = 1;
    std::vector<Operand> operands;
    if (p.reduction == Pattern::Reduction::softmax || p.reduction == Pattern::Reduction::log_softmax)
      operands.push_back((*this)(p.parts[0], false));
    if (p.reduction == Pattern::Reduction::sum && p.parts[0].kind == PatternKind::product) {
      coefficient = p.parts[0].coefficients[0];
      for (const auto& part : p.parts[0].parts) operands.push_back((*this)(part, true));
    } else {
      operands.push_back((*this)(p.parts[0], true));
    }
    std::vector<Label> used;
    collect(operands, used);
    for (const auto& g : scope.guards)
      Graph::each_label(g, [&](Label l) {
        if (std::ranges::find(used, l) == used.end()) used.push_back(l);
      });
    const auto bound = [&](Label l) { return l >= scope.first && l < scope.first + scope.count; };
    std::vector<Label> order;
    std::ranges::copy_if(used, std::back_inserter(order), [&](Label l) { return !bound(l); });
    const auto rank = static_cast<std::uint32_t>(order.size());
    for (Label l = scope.first; l < scope.first + scope.count; ++l) order.push_back(l);
    return renumbered(order, rank, operands, scope.guards, [&](const auto& labels, auto read, auto guards) {
      switch (p.reduction) {
        case Pattern::Reduction::sum:
          return graph_.contraction(labels, rank, coefficient, std::move(read), std::move(guards));
        case Pattern::Reduction::norm:
          return graph_.reduce(gradus::Reduction::norm, labels, rank, read[0], std::move(guards));
        case Pattern::Reduction::logsumexp:
          return graph_.softmax(SoftmaxKind::logsumexp, labels, rank, std::move(read), std::move(guards));
        case Pattern::Reduction::softmax:
          return graph_.softmax(SoftmaxKind::softmax, labels, rank, std::move(read), std::move(guards));
        case Pattern::Reduction::log_softmax:
          return graph_.softmax(SoftmaxKind::log_softmax, labels, rank, std::move(read), std::move(guards));
      }
      return Expr{};
    });
  }

  Graph& graph_;
  const Match& m_;
};

}  // namespace

Operand build(Graph& graph, const Pattern& pattern, const Match& match) {
  return Builder(graph, match)(pattern, false);
}

Expr replace(Graph& graph, Expr root, const Match& match, Operand by) {
  const Node& n = graph[root];
  if (!match.part) return graph.view(graph.shape(root), std::move(by));
  if (n.kind == Kind::sum) {
    std::vector<Term> terms = match.left;
    terms.push_back({match.factor, std::move(by)});
    return graph.sum(n.labels, std::move(terms));
  }
  std::vector<Operand> factors;
  for (const auto& t : match.left) factors.push_back(t.operand);
  factors.push_back(std::move(by));
  return graph.contraction(n.labels, n.rank, match.factor, std::move(factors), n.guards);
}

}  // namespace gradus::rules
