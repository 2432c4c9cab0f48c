// Variances and covariances written as differences of sums.
#include "symbolic/rules/covariances.hpp"

#include <algorithm>
#include <utility>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/monomial.hpp"

namespace gradus::rules {
namespace {

/// Sums of more terms are left alone.
constexpr std::size_t most_terms = 6;

/// Σ over bound labels of a product, in the labels of a reader and the bound labels after them.
struct Total {
  std::vector<Size> bound;
  Monomial inside;
  std::int64_t exponent = 1;
};

/// A term of a sum: what does not depend on what is summed, and the sums.
struct Split {
  Monomial outside;
  std::vector<Total> totals;
};

class Reader {
 public:
  Reader(Graph& graph, const Node& sum) : graph_(graph), labels_(sum.labels) {}

  std::optional<Split> split(const Operand& term, const Rational& coefficient) {
    Monomial all;
    all.number = coefficient;
    if (!multiply(graph_, all, term, 1)) return std::nullopt;
    Split out;
    out.outside.number = all.number;
    for (const Power& p : all.powers) {
      const Node& n = graph_[p.base.expr];
      const bool sum = n.kind == Kind::contraction && n.labels.size() > n.rank && n.guards.empty() &&
                       n.operands.size() <= most_factors && p.exponent != 0;
      if (!sum)
        out.outside.multiply(p.base, p.exponent);
      else if (!add_total(n, p, out))
        return std::nullopt;
    }
    return out;
  }

  /// Σ w·u·v, the sum at that place of `raw`, and -(Σ w·u)·(Σ w·v)/Σ w as one.
  std::optional<Expr> joined(const Split& raw, std::size_t place, const Split& means) {
    const Total& all = raw.totals[place];
    if (all.exponent != 1 || raw.outside.number.is_zero()) return std::nullopt;
    Split ratio = means;  // over what stands before the sum of products
    ratio.outside.number = ratio.outside.number / raw.outside.number;
    for (const Power& p : raw.outside.powers) ratio.outside.multiply(p.base, -p.exponent);
    for (std::size_t k = 0; k < raw.totals.size(); ++k)
      if (k != place) add_total(raw.totals[k], -raw.totals[k].exponent, ratio);
    std::vector<const Total*> pair;
    const Total* weights = nullptr;
    for (const Total& t : ratio.totals) {
      if (t.exponent == 0) continue;
      if (t.bound != all.bound) return std::nullopt;
      if (t.exponent == 2) pair.push_back(&t);
      if (t.exponent == 2 || t.exponent == 1)
        pair.push_back(&t);
      else if (t.exponent == -1 && weights == nullptr)
        weights = &t;
      else
        return std::nullopt;
    }
    if (pair.size() != 2) return std::nullopt;
    // w = (w·u)·(w·v)/(w·u·v)
    const Monomial w = quotient(product(pair[0]->inside, pair[1]->inside), all.inside);
    const Monomial u = quotient(pair[0]->inside, w), v = quotient(pair[1]->inside, w);
    const auto is_whole = [](const Monomial& m) {
      return std::ranges::all_of(m.powers, [](const Power& p) { return p.exponent >= 0; });
    };
    const auto is_one = [](const Monomial& m) {
      return std::ranges::all_of(m.powers, [](const Power& p) { return p.exponent == 0; });
    };
    if (!is_whole(w) || is_one(u) || is_one(v)) return std::nullopt;
    are_shares_ = !is_one(w) && weights == nullptr && sum_to_one(w, all.bound);
    if (is_one(w) ? weights != nullptr || !is_share(ratio.outside, all.bound)
                  : (!are_shares_ && (weights == nullptr || !same(weights->inside, w))) || !is_one(ratio.outside) ||
                        ratio.outside.number != Rational(-1))
      return std::nullopt;
    return build(raw, place, w, u, v);
  }

 private:
  bool add_total(const Node& n, const Power& p, Split& out) {
    std::vector<Subscript> map = p.base.subscripts;
    Total total;
    for (Label l = n.rank; l < n.labels.size(); ++l) {
      map.push_back(graph_.label(static_cast<Label>(labels_.size() + total.bound.size())));
      total.bound.push_back(n.labels[l]);
    }
    Monomial factors;
    factors.number = n.coefficients[0];
    for (const Operand& o : n.operands)
      if (!multiply(graph_, factors, graph_.substitute(o, map), 1)) return false;
    const auto number = factors.number.power(p.exponent);
    if (!number) return false;
    out.outside.number = out.outside.number * *number;
    for (const Power& f : factors.powers) {
      if (f.exponent == 0) continue;
      if (depends_on_bound(f.base))
        total.inside.powers.push_back(f);
      else
        out.outside.multiply(f.base, f.exponent * p.exponent);
    }
    add_total(total, p.exponent, out);
    return true;
  }

  /// The same total may be read through two names.
  static void add_total(Total total, std::int64_t exponent, Split& out) {
    total.exponent = exponent;
    for (Total& t : out.totals)
      if (t.bound == total.bound && same(t.inside, total.inside)) {
        t.exponent += exponent;
        return;
      }
    out.totals.push_back(std::move(total));
  }

  bool depends_on_bound(const Operand& o) const {
    bool found = false;
    Graph::each_label(o, [&](Label l) { found = found || l >= labels_.size(); });
    return found;
  }

  static Monomial product(Monomial a, const Monomial& b) {
    for (const Power& p : b.powers) a.multiply(p.base, p.exponent);
    return a;
  }
  static Monomial quotient(Monomial a, const Monomial& b) {
    for (const Power& p : b.powers) a.multiply(p.base, -p.exponent);
    return a;
  }

  Expr count(const std::vector<Size>& bound) {
    Size all = graph_.sizes().constant(1);
    for (const Size s : bound) all = graph_.sizes().multiply(all, s);
    return graph_.size_value(all);
  }

  /// Whether a product is -1 over the number of values.
  bool is_share(Monomial ratio, const std::vector<Size>& bound) {
    if (!multiply(graph_, ratio, {count(bound), {}}, 1)) return false;
    const Rational* number = graph_.constant_value(count(bound));
    if (number != nullptr) ratio = with_number(std::move(ratio), *number);
    return ratio.number == Rational(-1) &&
           std::ranges::all_of(ratio.powers, [](const Power& p) { return p.exponent == 0; });
  }
  /// A constant base as a part of the number.
  static Monomial with_number(Monomial m, const Rational& number) {
    m.number = m.number * number;
    for (Power& p : m.powers)
      if (p.exponent == 1) p.exponent = 0;
    return m;
  }

  /// Whether weights are a softmax over all of what is summed.
  bool sum_to_one(const Monomial& w, const std::vector<Size>& bound) {
    const Operand sum = total(bound, operands_of(graph_, w));
    const auto one = sum_of_softmax(graph_, sum.expr, Empty::is_no_matter);
    if (!one) return false;
    const Node& n = graph_[*one];
    return graph_.is_constant(*one, 1) ||
           (n.kind == Kind::contraction && n.operands.empty() && n.coefficients[0].is_one());
  }

  /// The labels that a product uses, bound ones last but where one operand shows an order of its own.
  std::vector<Label> labels_of(const Monomial& m) {
    std::vector<Label> out;
    for (const Power& p : m.powers)
      if (p.exponent != 0)
        Graph::each_label(p.base, [&](Label l) {
          if (std::ranges::find(out, l) == out.end()) out.push_back(l);
        });
    return out;
  }

  Size size_of(Label l, const std::vector<Size>& bound) const {
    return l < labels_.size() ? labels_[l] : bound[l - labels_.size()];
  }

  /// u - Σ w·u/Σ w, over just the labels that it uses.
  Operand centred(const Monomial& u, const Monomial& w, const std::vector<Size>& bound) {
    const std::vector<Label> used = labels_of(product(u, w));
    std::vector<Subscript> map(labels_.size() + bound.size());
    std::vector<Size> axes;
    Operand mean;
    for (const Label l : used)
      if (l < labels_.size()) {
        map[l] = graph_.label(static_cast<Label>(axes.size()));
        axes.push_back(labels_[l]);
        mean.subscripts.push_back(graph_.label(l));
      }
    const auto rank = static_cast<std::uint32_t>(axes.size());
    std::vector<Size> all = axes;
    for (std::size_t k = 0; k < bound.size(); ++k) {
      map[labels_.size() + k] = graph_.label(static_cast<Label>(all.size()));
      all.push_back(bound[k]);
    }
    const auto sum_of = [&](const Monomial& m) {
      std::vector<Operand> operands;
      for (const Operand& o : operands_of(graph_, m)) operands.push_back(graph_.substitute(o, map));
      return graph_.contraction(all, rank, 1, std::move(operands));
    };
    const bool weighted = std::ranges::any_of(w.powers, [](const Power& p) { return p.exponent != 0; });
    const Expr weight = are_shares_ ? graph_.constant(1) : weighted ? sum_of(w) : count(bound);
    const Expr sum = sum_of(product(u, w));
    const Expr share = graph_.power(weight, -1);
    mean.expr = graph_.contraction(axes, rank, 1, {graph_.whole(sum), {share, graph_.identity(graph_.rank(share))}});

    const std::vector<Label> own = labels_of(u);
    std::vector<Label> order = own;
    for (const Subscript& s : mean.subscripts)
      if (const Label l = *graph_.as_label(s); std::ranges::find(order, l) == order.end()) order.push_back(l);
    std::vector<Subscript> place(labels_.size() + bound.size());
    std::vector<Size> sizes;
    Operand out;
    for (const Label l : order) {
      place[l] = graph_.label(static_cast<Label>(sizes.size()));
      sizes.push_back(size_of(l, bound));
      out.subscripts.push_back(graph_.label(l));
    }
    const Expr value = graph_.contraction(sizes, static_cast<std::uint32_t>(sizes.size()), 1, placed(u, place));
    out.expr = graph_.sum(sizes, {{1, graph_.whole(value)}, {-1, graph_.substitute(mean, place)}});
    return out;
  }

  std::vector<Operand> placed(const Monomial& m, const std::vector<Subscript>& map) {
    std::vector<Operand> out;
    for (const Operand& o : operands_of(graph_, m)) out.push_back(graph_.substitute(o, map));
    return out;
  }

  /// Σ over bound labels of a product, over all labels of the reader.
  Operand total(const std::vector<Size>& bound, std::vector<Operand> operands) {
    std::vector<Size> labels = labels_;
    labels.insert(labels.end(), bound.begin(), bound.end());
    const auto rank = static_cast<std::uint32_t>(labels_.size());
    return graph_.whole(graph_.contraction(std::move(labels), rank, 1, std::move(operands)));
  }

  Expr build(const Split& raw, std::size_t place, const Monomial& w, const Monomial& u, const Monomial& v) {
    const std::vector<Size>& bound = raw.totals[place].bound;
    std::vector<Operand> operands = operands_of(graph_, w);
    operands.push_back(centred(u, w, bound));
    operands.push_back(centred(v, w, bound));
    Monomial all = raw.outside;
    all.multiply(total(bound, std::move(operands)), 1);
    for (std::size_t k = 0; k < raw.totals.size(); ++k)
      if (k != place)
        all.multiply(total(raw.totals[k].bound, operands_of(graph_, raw.totals[k].inside)), raw.totals[k].exponent);
    return graph_.contraction(labels_, static_cast<std::uint32_t>(labels_.size()), all.number,
                              operands_of(graph_, all));
  }

  Graph& graph_;
  std::vector<Size> labels_;
  bool are_shares_ = false;  // the weights sum to 1
};

}  // namespace

std::optional<Expr> centred_products(Graph& graph, Expr e) {
  const Node n = graph[e];
  if (n.kind != Kind::sum || n.operands.size() < 2 || n.operands.size() > most_terms) return std::nullopt;
  Reader reader(graph, n);
  std::vector<std::optional<Split>> terms;
  for (std::size_t k = 0; k < n.operands.size(); ++k) terms.push_back(reader.split(n.operands[k], n.coefficients[k]));
  for (std::size_t a = 0; a < terms.size(); ++a)
    for (std::size_t b = 0; b < terms.size(); ++b) {
      if (a == b || !terms[a] || !terms[b]) continue;
      std::optional<Expr> one;
      for (std::size_t place = 0; place < terms[a]->totals.size() && !one; ++place)
        one = reader.joined(*terms[a], place, *terms[b]);
      if (!one) continue;
      std::vector<Term> left{{1, graph.whole(*one)}};
      for (std::size_t k = 0; k < n.operands.size(); ++k)
        if (k != a && k != b) left.push_back({n.coefficients[k], n.operands[k]});
      return graph.sum(n.labels, std::move(left));
    }
  return std::nullopt;
}

}  // namespace gradus::rules
