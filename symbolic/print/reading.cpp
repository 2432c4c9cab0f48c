// Guards, ties and masks of derivatives as people write them.
#include "symbolic/print/reading.hpp"

#include <algorithm>
#include <optional>

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/monomial.hpp"

namespace gradus::printing {
namespace {

using rules::is_call;

constexpr std::size_t most_factors = 16;
constexpr std::size_t most_looked_at = 2000;  // values beyond this count as any

}  // namespace

bool Finite::operator()(Expr e) {
  const auto known = known_.find(e.id);
  if (known != known_.end()) return known->second;
  if (known_.size() > most_looked_at) return false;
  known_[e.id] = false;
  return known_[e.id] = find(e);
}

bool Finite::find(Expr e) {
  const Node& n = graph_[e];
  const auto all = [&](std::size_t first) {
    return std::all_of(n.operands.begin() + static_cast<std::ptrdiff_t>(first), n.operands.end(),
                       [&](const Operand& o) { return (*this)(o.expr); });
  };
  switch (n.kind) {
    case Kind::input:
    case Kind::constant:
    case Kind::index:
      return true;
    case Kind::sum:
    case Kind::contraction:
      return all(0);
    case Kind::softmax:
      return n.softmax == SoftmaxKind::softmax && all(0);
    case Kind::elementwise:
      break;
    default:
      return false;
  }
  switch (n.function) {
    case Function::pi:
      return true;
    case Function::select:
      return all(1);
    case Function::tanh:
    case Function::sigmoid:
    case Function::sin:
    case Function::cos:
    case Function::abs:
    case Function::sign:
    case Function::maximum:
    case Function::minimum:
    case Function::softplus:
    case Function::log_sigmoid:
    case Function::erf:
    case Function::normal_cdf:
    case Function::atan:
    case Function::sech_squared:
      return all(0);
    case Function::power: {
      const Rational* q = graph_.constant_value(n.operands[1].expr);
      if (q == nullptr) return false;
      if (q->sign() < 0) return is_away_from_zero(n.operands[0].expr);
      return q->is_integer() && (*this)(n.operands[0].expr);
    }
    case Function::sqrt:
      return facts_.nonnegative(n.operands[0].expr) && all(0);
    default:
      return row(n.function).condition;
  }
}

/// At least a positive number: sizes, and sums of one with what is not negative.
bool Finite::is_away_from_zero(Expr e) {
  const Node& n = graph_[e];
  if (std::ranges::find(constants_, e) != constants_.end()) return true;
  if (n.kind == Kind::index) return n.affine.is_constant() && facts_.positive(e);
  if (is_call(n, Function::sqrt)) return is_away_from_zero(n.operands[0].expr);
  if (n.kind != Kind::sum || !facts_.positive(e)) return false;
  return std::ranges::any_of(n.operands, [&](const Operand& o) {
    const Rational* q = graph_.constant_value(o.expr);
    return q != nullptr && q->sign() > 0;
  });
}

bool Reading::is_value(Expr e) const { return std::ranges::binary_search(values_, e); }

void Reading::run(const Form& form, bool values_too) {
  if (order_.empty()) return;
  to_.resize(order_.back().id + 1);
  for (const Expr e : order_) {
    const Expr out = rules::map_children(graph_, e, [this](Expr child) { return (*this)[child]; });
    to_[e.id] = values_too || !is_value(e) ? form(out) : out;
  }
}

namespace {

/// The factors of an operand, those of powers that are whole and positive by their bases.
std::vector<Operand> bases_of(Graph& graph, const Operand& o) {
  std::vector<Operand> out;
  for (Operand& f : rules::factors_of(graph, o).operands) {
    const Node& n = graph[f.expr];
    const Rational* q = is_call(n, Function::power) ? graph.constant_value(n.operands[1].expr) : nullptr;
    if (q != nullptr && q->is_integer() && q->sign() > 0)
      out.push_back(graph.substitute(n.operands[0], f.subscripts));
    else
      out.push_back(std::move(f));
  }
  return out;
}

/// The x of a guard `x != 0`, in the labels of the node that holds it.
std::optional<Operand> kept_from_zero(Graph& graph, const Guard& g) {
  if (g.kind != Guard::Kind::condition) return std::nullopt;
  const Node& c = graph[g.condition.expr];
  if (!is_call(c, Function::not_equal)) return std::nullopt;
  for (const std::size_t k : {std::size_t{0}, std::size_t{1}})
    if (graph.is_zero(c.operands[k].expr)) return graph.substitute(c.operands[1 - k], g.condition.subscripts);
  return std::nullopt;
}

/// Whether a product is 0 where x is.
bool vanishes(Graph& graph, Finite& finite, const std::vector<Operand>& factors, const Operand& x) {
  const std::vector<Operand> wanted = bases_of(graph, x);
  std::vector<Operand> bases, others;
  for (const Operand& f : factors) {
    const std::vector<Operand> own = bases_of(graph, f);
    bases.insert(bases.end(), own.begin(), own.end());
    if (own.size() != 1 || std::ranges::find(wanted, own[0]) == wanted.end()) others.push_back(f);
  }
  const auto is_there = [&](const Operand& part) { return std::ranges::find(bases, part) != bases.end(); };
  if (!std::ranges::all_of(wanted, is_there)) return false;
  return std::ranges::all_of(others, [&](const Operand& f) {
    const Node& n = graph[f.expr];  // y^x is 1 there
    if (is_call(n, Function::power) && graph.substitute(n.operands[1], f.subscripts) == x)
      return finite(n.operands[0].expr);
    return finite(f.expr);
  });
}

/// `c*x != 0` without the positive factors; the condition itself where it has none.
Expr without_positive_factors(Graph& graph, rules::Facts& facts, Expr e) {
  const Node& n = graph[e];
  if (!is_call(n, Function::not_equal) && !is_call(n, Function::equal)) return e;
  for (const std::size_t k : {std::size_t{0}, std::size_t{1}}) {
    if (!graph.is_zero(n.operands[k].expr)) continue;
    std::vector<Operand> left;
    const rules::Factors f = rules::factors_of(graph, n.operands[1 - k]);
    for (const Operand& o : f.operands)
      if (!facts.positive(o.expr)) left.push_back(o);
    if (left.empty() || left.size() == f.operands.size()) return e;
    const auto rank = static_cast<std::uint32_t>(n.labels.size());
    const Expr rest = graph.contraction(n.labels, rank, 1, std::move(left));
    return graph.elementwise(n.function, n.labels, {{rest, graph.identity(rank)}, n.operands[k]});
  }
  return e;
}

}  // namespace

Expr without_needless_guards(Graph& graph, rules::Facts& facts, Finite& finite, Expr e) {
  const Node& n = graph[e];
  if (n.kind == Kind::elementwise) return without_positive_factors(graph, facts, e);
  if (n.kind != Kind::contraction || n.guards.empty() || n.operands.size() > most_factors) return e;
  std::vector<Guard> left;
  for (const Guard& g : n.guards) {
    const auto x = kept_from_zero(graph, g);
    if (!x || !(facts.positive(x->expr) || vanishes(graph, finite, n.operands, *x))) left.push_back(g);
  }
  if (left.size() == n.guards.size()) return e;
  return graph.contraction(n.labels, n.rank, n.coefficients[0], n.operands, std::move(left));
}

namespace {

/// The value -x as a program holds it.
Expr negative(Graph& graph, Expr x) {
  const Node n = graph[x];
  if (n.kind == Kind::contraction) return graph.contraction(n.labels, n.rank, -n.coefficients[0], n.operands, n.guards);
  if (n.kind != Kind::sum) return graph.scale(x, -1);
  std::vector<Term> terms;
  for (std::size_t k = 0; k < n.operands.size(); ++k) terms.push_back({-n.coefficients[k], n.operands[k]});
  return graph.sum(n.labels, std::move(terms));
}

/// log_sigmoid(x) as log(p) where p, which is sigmoid(x), has a name; as log(1 - p) where p is sigmoid(-x).
Expr log_of_named_sigmoid(Graph& graph, const Present& present, Expr e) {
  const Node n = graph[e];
  const Operand minus{negative(graph, n.operands[0].expr), n.operands[0].subscripts};
  const Operand shared{graph.scale(n.operands[0].expr, -1), n.operands[0].subscripts};
  for (const Operand& x : {n.operands[0], minus, shared}) {
    const Expr p = graph.elementwise(Function::sigmoid, n.labels, {x});
    if (!present.named.contains(p.id)) continue;
    const bool turned = !(x == n.operands[0]);
    const Expr of = turned ? graph.sum(n.labels, {{1, {graph.constant(1), {}}}, {-1, graph.whole(p)}}) : p;
    return graph.apply(Function::log, {of});
  }
  return e;
}

}  // namespace

Expr by_present_value(Graph& graph, const Present& present, Expr e) {
  const Node& n = graph[e];
  if (is_call(n, Function::sech_squared)) {
    const Expr value = graph.elementwise(Function::tanh, n.labels, n.operands);
    if (!present.nodes.contains(value.id)) return e;
    const std::vector<Size> shape = n.labels;
    const Expr square = graph.power(value, 2);
    return graph.sum(shape, {{1, {graph.constant(1), {}}}, {-1, graph.whole(square)}});
  }
  if (n.kind == Kind::sum && !present.named.contains(e.id)) {  // y - z of a named z - y
    const Expr minus = negative(graph, e);
    return present.named.contains(minus.id) ? graph.scale(minus, -1) : e;
  }
  if (is_call(n, Function::log_sigmoid)) return log_of_named_sigmoid(graph, present, e);
  if (n.kind == Kind::softmax && n.softmax == SoftmaxKind::log_softmax && n.guards.empty()) {
    Node probability = n;
    probability.softmax = SoftmaxKind::softmax;
    const Expr value = graph.rebuild(probability);
    return present.named.contains(value.id) ? graph.apply(Function::log, {value}) : e;
  }
  if (!is_call(n, Function::expm1) || present.beside_number.contains(e.id)) return e;
  const std::vector<Size> shape = n.labels;
  const Expr value = graph.elementwise(Function::exp, shape, n.operands);
  return graph.sum(shape, {{1, graph.whole(value)}, {-1, {graph.constant(1), {}}}});
}

Expr with_sums_reduced(Graph& graph, Finite& finite, Expr e) {
  if (const auto one = rules::sum_of_softmax(graph, e, rules::Empty::is_no_matter)) return *one;
  const Node& n = graph[e];
  if (n.kind != Kind::contraction || n.labels.size() == n.rank || n.guards.empty()) return e;
  std::vector<Operand> inside, outside;
  for (const Operand& o : n.operands) {
    bool free = true;
    Graph::each_label(o, [&](Label) { free = false; });
    (free && finite(o.expr) ? outside : inside).push_back(o);
  }
  if (outside.empty() || inside.empty()) return e;
  const std::vector<Size> axes(n.labels.begin(), n.labels.begin() + n.rank);
  const std::uint32_t rank = n.rank;
  const Expr sum = graph.contraction(n.labels, rank, n.coefficients[0], std::move(inside), n.guards);
  outside.push_back(graph.whole(sum));
  return graph.contraction(axes, rank, 1, std::move(outside));
}

namespace {

/// A term that counts where one value is not above another one, half of it where they tie.
struct Tied {
  Operand low, high;  // counts where low <= high
  std::size_t guard = 0;
  std::vector<Operand> others;  // factors
};

/// Whether a factor is 1/2 where two values are equal, else 1.
bool is_tie(Graph& graph, const Operand& o, const Operand& a, const Operand& b) {
  const Node& n = graph[o.expr];
  if (!is_call(n, Function::select) || !graph.is_constant(n.operands[1].expr, Rational::ratio(1, 2)) ||
      !graph.is_constant(n.operands[2].expr, 1))
    return false;
  const Operand condition = graph.substitute(n.operands[0], o.subscripts);
  const Node& c = graph[condition.expr];
  if (!is_call(c, Function::equal)) return false;
  const Operand x = graph.substitute(c.operands[0], condition.subscripts);
  const Operand y = graph.substitute(c.operands[1], condition.subscripts);
  return (x == a && y == b) || (x == b && y == a);
}

std::optional<Tied> tied(Graph& graph, const Node& n) {
  if (n.kind != Kind::contraction || n.operands.size() > most_factors) return std::nullopt;
  for (std::size_t g = 0; g < n.guards.size(); ++g) {
    if (n.guards[g].kind != Guard::Kind::condition) continue;
    const Operand& condition = n.guards[g].condition;
    const Node& c = graph[condition.expr];
    if (!is_call(c, Function::less_equal)) continue;
    Tied out{graph.substitute(c.operands[0], condition.subscripts),
             graph.substitute(c.operands[1], condition.subscripts),
             g,
             {}};
    for (const Operand& o : n.operands) {
      const rules::Factors f = rules::factors_of(graph, o);
      if (f.coefficient.is_one())
        out.others.insert(out.others.end(), f.operands.begin(), f.operands.end());
      else
        out.others.push_back(o);
    }
    const auto tie =
        std::ranges::find_if(out.others, [&](const Operand& o) { return is_tie(graph, o, out.low, out.high); });
    if (tie == out.others.end()) continue;
    out.others.erase(tie);
    return out;
  }
  return std::nullopt;
}

/// Whether a factor is max(0, x), or a power of it, for the two values that tie.
bool is_largest(Graph& graph, const Operand& o, const Tied& t) {
  if (!graph.is_zero(t.low.expr) && !graph.is_zero(t.high.expr)) return false;
  return std::ranges::any_of(bases_of(graph, o), [&](const Operand& base) {
    const Node& n = graph[base.expr];
    if (!is_call(n, Function::maximum) && !is_call(n, Function::minimum)) return false;
    const Operand x = graph.substitute(n.operands[0], base.subscripts);
    const Operand y = graph.substitute(n.operands[1], base.subscripts);
    return (x == t.low && y == t.high) || (x == t.high && y == t.low);
  });
}

}  // namespace

Expr slopes_of_largest(Graph& graph, Expr e) {
  const Node n = graph[e];
  if (n.kind != Kind::sum || n.operands.size() > most_factors) return e;
  const auto rank = static_cast<std::uint32_t>(n.labels.size());
  const auto whole = graph.identity(rank);
  for (std::size_t k = 0; k < n.operands.size(); ++k)
    for (std::size_t m = 0; m < n.operands.size(); ++m) {
      const Node &a = graph[n.operands[k].expr], &b = graph[n.operands[m].expr];
      const bool plain = k != m && a.labels.size() == a.rank && b.labels.size() == b.rank && a.guards.size() == 1 &&
                         b.guards.size() == 1 && graph.is_identity(n.operands[k], n.labels, rank) &&
                         graph.is_identity(n.operands[m], n.labels, rank);
      if (!plain) continue;
      const auto x = tied(graph, a), y = tied(graph, b);
      if (!x || !y || !(x->low == y->high) || !(x->high == y->low)) continue;
      const Operand first{graph.contraction(n.labels, rank, n.coefficients[k] * a.coefficients[0], x->others), whole};
      const Operand second{graph.contraction(n.labels, rank, n.coefficients[m] * b.coefficients[0], y->others), whole};
      const Rational half = Rational::ratio(1, 2);
      std::vector<Term> mean;
      for (const Operand& o : {first, second}) {
        const Node& sum = graph[o.expr];
        if (sum.kind != Kind::sum) mean.push_back({half, o});
        for (std::size_t t = 0; sum.kind == Kind::sum && t < sum.operands.size(); ++t)
          mean.push_back({half * sum.coefficients[t], sum.operands[t]});
      }
      const Operand both{graph.sum(n.labels, std::move(mean)), whole};
      const auto less = [&](const Operand& p, const Operand& q) {
        return Operand{graph.elementwise(Function::less, n.labels, {p, q}), whole};
      };
      const Operand otherwise{graph.elementwise(Function::select, n.labels, {less(x->high, x->low), second, both}),
                              whole};
      const Expr slope = graph.elementwise(Function::select, n.labels, {less(x->low, x->high), first, otherwise});
      std::vector<Term> terms{{1, {slope, whole}}};
      for (std::size_t t = 0; t < n.operands.size(); ++t)
        if (t != k && t != m) terms.push_back({n.coefficients[t], n.operands[t]});
      return graph.sum(n.labels, std::move(terms));
    }
  return e;
}

Expr slope_of_largest(Graph& graph, Finite& finite, Expr e) {
  const Node n = graph[e];
  auto t = tied(graph, n);
  if (!t) return e;
  std::vector<Guard> guards = n.guards;
  std::vector<Operand> not_zero;
  for (std::size_t g = 0; g < guards.size(); ++g)
    if (const auto x = kept_from_zero(graph, guards[g])) not_zero.push_back(*x);
  const bool all_finite = std::ranges::all_of(t->others, [&](const Operand& o) {
    const Node& f = graph[o.expr];
    const bool guarded = is_call(f, Function::power) &&
                         std::ranges::find(not_zero, graph.substitute(f.operands[0], o.subscripts)) != not_zero.end();
    return guarded || finite(o.expr);
  });
  const bool zero = std::ranges::any_of(t->others, [&](const Operand& o) { return is_largest(graph, o, *t); });
  if (!zero && !all_finite) return e;
  if (all_finite) guards.erase(guards.begin() + static_cast<std::ptrdiff_t>(t->guard));
  if (!zero) {
    const Operand half{graph.constant(Rational::ratio(1, 2)), {}}, none{graph.constant(0), {}};
    const auto over = [&](Function f, std::vector<Operand> operands) {
      return rules::call_on_used(graph, n.labels, f, std::move(operands));
    };
    const Operand tie = over(Function::select, {over(Function::equal, {t->low, t->high}), half, none});
    t->others.push_back(
        over(Function::select, {over(Function::less, {t->low, t->high}), {graph.constant(1), {}}, tie}));
  }
  return graph.contraction(n.labels, n.rank, n.coefficients[0], std::move(t->others), std::move(guards));
}

}  // namespace gradus::printing
