// Reverse accumulation: adjoints from the root down, each term of a differential transposed.
#include <algorithm>
#include <utility>

#include "symbolic/contributions.hpp"
#include "symbolic/differentiate.hpp"
#include "symbolic/graph_internal.hpp"
#include "symbolic/linearise.hpp"

namespace gradus {
namespace {

/// An adjoint under more guards than this is read as a value, so that chains of choices stay linear in size.
constexpr std::size_t most_hoisted_guards = 12;

/// One reverse sweep. An adjoint has axes [*root, *value]: the root's axes are its prefix.
class Reverse {
 public:
  Reverse(Graph& graph, Expr root, const std::vector<Expr>& inputs)
      : graph_(graph), root_(root), active_(active_nodes(graph, root, inputs)), finiteness_(graph) {
    prefix_ = graph.shape(root);
    contributions_.resize(active_.size());
    keep_.resize(active_.size(), 0);
    for (const Expr x : inputs)
      if (x.id < keep_.size()) keep_[x.id] = 1;
  }

  std::vector<Expr> run(const std::vector<Expr>& inputs) {
    if (active_[root_.id] != 0) contributions_[root_.id].push_back({seed(), Choice::none});
    std::vector<Expr> results(active_.size());
    for (std::uint32_t id = root_.id + 1; id-- > 0;) {
      std::vector<Contribution> parts = std::exchange(contributions_[id], {});
      if (parts.empty()) continue;
      const Contribution total = add_up(graph_, axes_of({id}), std::move(parts));
      if (keep_[id] != 0) results[id] = total.adjoint;
      push({id}, total);
    }
    std::vector<Expr> out;
    for (const Expr x : inputs) {
      const bool reached = x.id < results.size() && results[x.id].valid();
      out.push_back(reached ? results[x.id] : graph_.view(axes_of(x), {graph_.constant(0), {}}));
    }
    return out;
  }

 private:
  std::uint32_t prefix() const { return static_cast<std::uint32_t>(prefix_.size()); }

  std::vector<Size> axes_of(Expr e) const {
    std::vector<Size> labels = prefix_;
    const auto shape = graph_.shape(e);
    labels.insert(labels.end(), shape.begin(), shape.end());
    return labels;
  }

  /// d root / d root: 1 where all axes agree.
  Expr seed() {
    std::vector<Guard> guards;
    for (Label l = 0; l < prefix(); ++l)
      guards.push_back({Guard::Kind::zero, graph_.subtract(graph_.label(l), graph_.label(prefix() + l)), {}});
    return graph_.contraction(axes_of(root_), 2 * prefix(), 1, {}, std::move(guards));
  }

  void push(Expr e, Contribution total) {
    const Node& node = graph_[e];
    if (node.kind == Kind::reshape) return push_reshape(node, total);
    const std::vector<LinearTerm> terms = differential(graph_, e, active_);
    if (terms.empty()) return;
    total = read_as_value(total, e);
    if (push_whole_softmax(e, terms, total)) return;
    for (const LinearTerm& t : terms) contributions_[t.target.expr.id].push_back(transpose(node, t, total));
  }

  Contribution read_as_value(Contribution total, Expr e) {
    if (total.choice != Choice::guarded || graph_[total.adjoint].guards.size() <= most_hoisted_guards) return total;
    const Expr nonzero = graph_.apply(Function::not_equal, {total.adjoint, graph_.constant(0)});
    const Expr value = graph_.elementwise(
        Function::select, axes_of(e), {graph_.whole(nonzero), graph_.whole(total.adjoint), {graph_.constant(0), {}}});
    return {value, Choice::hidden};
  }

  void push_reshape(const Node& node, const Contribution& total) {
    const Expr operand = node.operands[0].expr;
    if (active_[operand.id] == 0) return;
    const Choice choice = total.choice == Choice::none ? Choice::none : Choice::hidden;
    contributions_[operand.id].push_back({graph_.reshape(axes_of(operand), total.adjoint), choice});
  }

  /// softmax whose elements are what it runs over: p·(g - Σ p g), one product.
  bool push_whole_softmax(Expr e, const std::vector<LinearTerm>& terms, const Contribution& total) {
    const Node& node = graph_[e];
    if (node.kind != Kind::softmax || node.softmax != SoftmaxKind::softmax || !node.guards.empty() || terms.size() != 2)
      return false;
    // Each bound label of the reduction stands where the element has one of the axes, which is as long.
    std::vector<char> placed(node.labels.size(), 0);
    std::vector<Subscript> map = graph_.identity(static_cast<std::uint32_t>(node.labels.size()));
    const Operand &element = node.operands[0], &under = node.operands[1];
    if (element.expr != under.expr) return false;
    for (std::size_t k = 0; k < under.subscripts.size(); ++k)
      if (const auto l = graph_.as_label(under.subscripts[k]); l && *l >= node.rank) {
        const auto axis = graph_.as_label(element.subscripts[k]);
        if (!axis || node.labels[*axis] != node.labels[*l] || placed[*axis] != 0) return false;
        placed[*l] = placed[*axis] = 1;
        map[*l] = element.subscripts[k];
      }
    for (Label l = node.rank; l < node.labels.size(); ++l)
      if (placed[l] == 0) return false;
    if (graph_.substitute(under, map) != element) return false;
    const Contribution sum = sum_over_idle_axes(node, terms[1], total);
    const Expr difference = graph_.sum(axes_of(e), {{1, graph_.whole(total.adjoint)}, {-1, read(sum)}});
    const LinearTerm& t = terms[0];
    contributions_[t.target.expr.id].push_back(transpose(node, t, {difference, sum.choice}));
    return true;
  }

  /// Which axes a term uses apart from its outer factors.
  static std::vector<char> used_labels(const LinearTerm& t) {
    std::vector<char> used(t.labels.size(), 0);
    const auto mark = [&](Label l) { used[l] = 1; };
    Graph::each_label(t.target, mark);
    for (const Operand& o : t.inner) Graph::each_label(o, mark);
    for (const Guard& g : t.guards) Graph::each_label(g, mark);
    return used;
  }

  /// The adjoint times the outer factors, summed over the axes that nothing else of the term uses. Its axes: the
  /// prefix, then the axes that are used.
  Contribution sum_over_idle_axes(const Node& node, const LinearTerm& t, const Contribution& total) {
    const auto used = used_labels(t);
    std::vector<Size> labels = prefix_;
    std::vector<Subscript> map(node.labels.size());
    kept_.clear();
    for (const bool keep : {true, false})
      for (Label l = 0; l < node.rank; ++l)
        if ((used[l] != 0) == keep) {
          map[l] = graph_.label(static_cast<Label>(labels.size()));
          labels.push_back(node.labels[l]);
          if (keep) kept_.push_back(l);
        }
    std::vector<Operand> factors = {at(total.adjoint, node, map)};
    for (const Operand& o : t.outer) factors.push_back(graph_.substitute(o, map));
    std::vector<Guard> guards;
    if (must_guard(t.outer, t.total, node, total.choice, false)) guard_nonzero(factors[0], guards);
    const auto rank = prefix() + static_cast<std::uint32_t>(kept_.size());
    const Expr sum = graph_.contraction(std::move(labels), rank, 1, std::move(factors), std::move(guards));
    // A choice of one element that the sum runs over is no choice any more: Σ_j [j == c[i]] g is g at c[i].
    const bool shown = total.choice == Choice::none || (total.choice == Choice::guarded && always_chosen(sum));
    return {sum, shown ? Choice::none : Choice::hidden};
  }

  /// A sum over idle axes as an operand over [prefix, the node's axes].
  Operand read(const Contribution& sum) {
    Operand o{sum.adjoint, graph_.identity(prefix())};
    for (const Label l : kept_) o.subscripts.push_back(graph_.label(prefix() + l));
    return o;
  }

  /// An adjoint of the node as an operand, with the node's labels mapped.
  Operand at(Expr adjoint, const Node& node, const std::vector<Subscript>& map) {
    Operand o{adjoint, graph_.identity(prefix())};
    for (Label l = 0; l < node.rank; ++l) o.subscripts.push_back(map[l]);
    return o;
  }

  /// A size, or 1 over anything: never 0 (of an infinite value the product has no slope anyway).
  bool is_size(const Operand& o) const {
    const Node& n = graph_[o.expr];
    if (n.kind == Kind::elementwise && n.function == Function::power) {
      const Rational* exponent = graph_.constant_value(n.operands[1].expr);
      return (exponent != nullptr && exponent->sign() < 0) || is_size(n.operands[0]);
    }
    return n.kind == Kind::index && n.rank == 0;
  }

  /// The one factor that decides whether an elementwise product under conditions is 0, apart from these.
  std::optional<Operand> telling_factor(const Node& n) const {
    if (n.kind != Kind::contraction || n.labels.size() != n.rank) return std::nullopt;
    std::optional<Operand> out;
    for (const Operand& o : n.operands) {
      if (is_size(o)) continue;
      if (out) return std::nullopt;
      out = o;
    }
    return out;
  }

  /// Whether nothing but the conditions of a product decides whether it is 0.
  bool only_sizes(const Node& n, const Operand& read) const {
    const auto size = [&](const Operand& o) { return is_size(o); };
    if (n.kind != Kind::contraction) return is_size(read);
    return n.labels.size() == n.rank && !n.operands.empty() && std::ranges::all_of(n.operands, size);
  }

  /// Where an adjoint is not 0. A factor under conditions is named by itself, so that these are said once.
  void guard_nonzero(const Operand& adjoint, std::vector<Guard>& guards) {
    constexpr int deepest = 4;  // products within products: a bound keeps long chains linear
    Operand read = adjoint;
    for (int depth = 0; depth < deepest; ++depth) {
      const Node n = graph_[read.expr];
      const std::optional<Operand> factor = telling_factor(n);
      if (!factor && !only_sizes(n, read)) break;
      for (const Guard& g : n.guards) guards.push_back(graph_.substitute(g, read.subscripts));
      if (!factor) return;
      read = graph_.substitute(*factor, read.subscripts);
    }
    const Expr condition = graph_.apply(Function::not_equal, {read.expr, graph_.constant(0)});
    guards.push_back({Guard::Kind::condition, {}, {condition, read.subscripts}});
  }

  /// Whether a product of factors with a hidden zero needs a guard of its own. Inputs count as finite where the product
  /// stands under a choice anyway (a rectifier before a matrix product); else they may be missing values.
  bool must_guard(const std::vector<Operand>& factors, bool total, const Node& node, Choice choice, bool under_choice) {
    if (choice != Choice::hidden) return false;
    const auto inputs = under_choice ? Finiteness::finite_inputs : Finiteness::any_inputs;
    const auto fails = [&](const std::vector<Operand>& list) {
      return std::ranges::any_of(list, [&](const Operand& o) { return finiteness_.may_fail(o.expr, inputs); });
    };
    return fails(factors) && !(total && !fails(node.operands));
  }

  /// The term's transpose: adjoint of the target at a = Σ over the node's labels, where a is the target's place.
  Contribution transpose(const Node& node, const LinearTerm& t, const Contribution& total) {
    const auto used = used_labels(t);
    const bool idle = !t.outer.empty() || !t.inner.empty()
                          ? std::any_of(used.begin(), used.begin() + node.rank, [](char u) { return u == 0; })
                          : false;
    const bool summed_first = idle && t.labels.size() > node.rank;
    Contribution source = total;
    if (summed_first) source = sum_over_idle_axes(node, t, total);

    Placement p = place(t, summed_first ? used : std::vector<char>(used.size(), 1));
    Operand adjoint =
        summed_first ? Operand{source.adjoint, graph_.identity(prefix())} : at(source.adjoint, node, p.map);
    if (summed_first)
      for (const Label l : kept_) adjoint.subscripts.push_back(p.map[l]);
    std::vector<Operand> factors = {adjoint};
    if (!summed_first)
      for (const Operand& o : t.outer) factors.push_back(graph_.substitute(o, p.map));
    for (const Operand& o : t.inner) factors.push_back(graph_.substitute(o, p.map));
    for (const Guard& g : t.guards) p.guards.push_back(graph_.substitute(g, p.map));

    const bool under_choice = t.chosen;
    std::vector<Operand> others = t.inner;
    if (!summed_first) others.insert(others.end(), t.outer.begin(), t.outer.end());
    Choice choice = source.choice;
    if (must_guard(others, t.total, node, choice, under_choice)) {
      guard_nonzero(adjoint, p.guards);
      choice = Choice::guarded;
    }
    const bool plain = choice == Choice::none && !t.chosen && node.guards.empty() && p.covers;
    const auto rank = prefix() + graph_.rank(t.target.expr);
    const Expr result =
        graph_.contraction(std::move(p.labels), rank, t.coefficient, std::move(factors), std::move(p.guards));
    if (choice != Choice::hidden && (plain || always_chosen(result))) return {result, Choice::none};
    if (choice == Choice::hidden) return {result, Choice::hidden};
    return with_guards_outside(result);
  }

  /// Guards of a sum that depend on its axes only are put around it, where constructors can hoist them further.
  Contribution with_guards_outside(Expr e) {
    if (is_guarded_product(graph_, e)) return {e, Choice::guarded};
    const Node& n = graph_[e];
    if (n.kind != Kind::contraction || n.guards.empty()) return {e, Choice::hidden};
    std::vector<Guard> inside, outside;
    for (const Guard& g : n.guards) {
      bool bound = false;
      Graph::each_label(g, [&](Label l) { bound |= l >= n.rank; });
      (bound ? inside : outside).push_back(g);
    }
    if (outside.empty()) return {e, Choice::hidden};
    const Expr sum = graph_.contraction(n.labels, n.rank, n.coefficients[0], n.operands, std::move(inside));
    const bool shown = always_chosen(sum);
    const Expr guarded = graph_.contraction(graph_.shape(e), n.rank, 1, {graph_.whole(sum)}, std::move(outside));
    return {guarded, shown && is_guarded_product(graph_, guarded) ? Choice::guarded : Choice::hidden};
  }

  /// Whether each element of a sum has a term whose guards hold, shown by putting every bound label where all guards
  /// like it best: a causal mask leaves each key its own query. (Guards of factors have been hoisted into it.)
  bool always_chosen(Expr e) {
    const Node& n = graph_[detail::resolve(graph_, graph_.whole(e)).expr];  // a broadcast hides the sum it reads
    if (n.kind != Kind::contraction || n.guards.empty()) return true;
    const Sizes& sizes = graph_.sizes();
    std::vector<Subscript> best = graph_.identity(static_cast<std::uint32_t>(n.labels.size()));
    std::vector<int> direction(n.labels.size(), 0);
    for (const Guard& g : n.guards) {
      if (g.kind != Guard::Kind::nonnegative || !g.affine.data.empty()) return false;
      for (const LabelTerm& t : g.affine.labels) {
        if (t.label < n.rank) continue;
        const int wish = sizes.is_nonnegative(t.coefficient) ? 1 : sizes.is_negative(t.coefficient) ? -1 : 0;
        if (wish == 0 || direction[t.label] == -wish) return false;
        direction[t.label] = wish;
      }
    }
    for (Label l = n.rank; l < n.labels.size(); ++l) {
      const Size last = graph_.sizes().subtract(n.labels[l], graph_.sizes().constant(1));
      best[l] = graph_.offset(direction[l] > 0 ? last : Size{});
    }
    return std::ranges::all_of(n.guards, [&](const Guard& g) {
      const auto range = graph_.range(graph_.substitute(g.affine, best), n.labels);
      return range && sizes.is_nonnegative(range->low);
    });
  }

  /// Where the term's labels go when the target's axes become the labels: bare labels are renamed, every other
  /// subscript becomes an equality, which the constructor solves where it can. Labels that are not needed have no
  /// place.
  struct Placement {
    std::vector<Size> labels;
    std::vector<Subscript> map;
    std::vector<Guard> guards;
    bool covers = true;  // each element of the target is read by some label values
  };

  Placement place(const LinearTerm& t, const std::vector<char>& needed) {
    Placement p;
    p.labels = axes_of(t.target.expr);
    p.map.resize(t.labels.size());
    std::vector<char> placed(t.labels.size(), 0);
    std::vector<std::uint32_t> open;
    for (std::uint32_t k = 0; k < t.target.subscripts.size(); ++k) {
      const auto l = graph_.as_label(t.target.subscripts[k]);
      if (l && placed[*l] == 0 && t.labels[*l] == graph_.axis(t.target.expr, k)) {
        placed[*l] = 1;
        p.map[*l] = graph_.label(prefix() + k);
      } else {
        open.push_back(k);
      }
    }
    p.covers = covers(t, open, placed);
    for (Label l = 0; l < t.labels.size(); ++l)
      if (placed[l] == 0 && needed[l] != 0) {
        p.map[l] = graph_.label(static_cast<Label>(p.labels.size()));
        p.labels.push_back(t.labels[l]);
      }
    for (const std::uint32_t k : open) {
      const Subscript place = graph_.substitute(t.target.subscripts[k], p.map);
      p.guards.push_back({Guard::Kind::zero, graph_.subtract(graph_.label(prefix() + k), place), {}});
    }
    return p;
  }

  /// Whether the subscripts that are no bare labels reach all of their axes: sums of labels of their own, with
  /// coefficient 1, from the first element to the last.
  bool covers(const LinearTerm& t, const std::vector<std::uint32_t>& open, std::vector<char> taken) {
    for (const std::uint32_t k : open) {
      const Subscript& s = t.target.subscripts[k];
      if (!s.data.empty()) return false;
      for (const LabelTerm& l : s.labels) {
        if (!graph_.sizes().is_one(l.coefficient) || taken[l.label] != 0) return false;
        taken[l.label] = 1;
      }
      const auto range = graph_.range(s, t.labels);
      Sizes& sizes = graph_.sizes();
      const Size last = sizes.subtract(graph_.axis(t.target.expr, k), sizes.constant(1));
      if (!range || !sizes.is_zero(range->low) || range->high != last) return false;
    }
    return true;
  }

  Graph& graph_;
  Expr root_;
  std::vector<Size> prefix_;
  std::vector<char> active_;  // by Expr::id, like the two below
  std::vector<std::vector<Contribution>> contributions_;
  std::vector<char> keep_;
  std::vector<Label> kept_;  // axes of the last sum_over_idle_axes
  Finiteness finiteness_;
};

}  // namespace

std::vector<Expr> derivatives(Graph& graph, Expr root, const std::vector<Expr>& inputs) {
  return Reverse(graph, root, inputs).run(inputs);
}

}  // namespace gradus
