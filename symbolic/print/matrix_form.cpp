// Contractions as matrix notation: products, transposes, outer and inner products, sums over axes, norms, means.
//
// The factors are kept as groups, each an array over some labels. Bound labels are eliminated one after the other by
// the operation that fits (a matrix product where two groups share the label, a sum where one has it), until groups
// over the axes alone are left, which multiply elementwise or as an outer product.
#include <algorithm>

#include "symbolic/print/writer.hpp"

namespace gradus::printing {

/// One contraction on its way to matrix notation.
class MatrixForm {
 public:
  MatrixForm(Writer& writer, const Node& node) : w_(writer), n_(node) { outside_.coefficient = node.coefficients[0]; }

  std::optional<Formula> build() {
    if (!collect()) return std::nullopt;
    if (!n_.guards.empty() && !take_triangles()) return guarded();
    if (n_.rank > 0 && groups_.empty()) return constant();
    for (Label l = n_.rank; l < n_.labels.size(); ++l)  // a label of a constant array only: its count must not get lost
      if (holders(l).empty()) return std::nullopt;
    merge_equal_axes();
    while (bound_label_left())
      if (!eliminate_one()) return std::nullopt;
    return finish();
  }

 private:
  /// An array over `axes`: a chain of matrix products, or an elementwise product.
  struct Group {
    std::vector<Label> axes;
    std::vector<Formula> chain;  // when not empty: chain[0] @ chain[1] @ …
    Product product;

    bool has(Label l) const { return std::ranges::find(axes, l) != axes.end(); }
    std::size_t rank() const { return axes.size(); }
  };

  bool collect() {
    for (const auto& o : n_.operands) {
      if (o.subscripts.empty()) {
        if (const auto size = w_.inverse_size(o.expr); size && !w_.is_leaf(o.expr)) {
          inverse_sizes_.push_back(*size);
          continue;
        }
        auto f = w_.array(o.expr);
        if (!f) return false;
        outside_.multiply(std::move(*f));
        continue;
      }
      auto f = w_.array_operand(o, n_.labels);
      if (!f) return false;
      if (f->axes.empty()) {
        outside_.multiply(std::move(f->formula));
        continue;
      }
      Group g;
      g.axes = std::move(f->axes);
      g.product.arrays = true;
      multiply(g, std::move(f->formula));
      groups_.push_back(std::move(g));
    }
    return true;
  }

  /// Multiplies a group by an array over its axes. A matrix stays whole: its factors are transposed with it.
  void multiply(Group& g, Formula f) {
    if (f.op == Op::negate) {
      g.product.coefficient = -g.product.coefficient;
      f = Formula(std::move(f.parts[0]));
    }
    if (g.rank() == 1) {
      g.product.multiply(std::move(f));
    } else if (f.op == Op::quotient && f.parts[0].op == Op::number) {
      g.product.coefficient = g.product.coefficient * f.parts[0].number;
      g.product.denominators.push_back(std::move(f.parts[1]));
    } else {
      g.product.factors.push_back(std::move(f));
    }
  }

  /// Guards of a sum that choose a triangle of one factor: sum[l : l <= k](A[k, l]*B[l, j]) is tril(A) @ B.
  bool take_triangles() {
    if (n_.labels.size() == n_.rank) return false;
    std::vector<std::pair<std::size_t, bool>> triangles;  // of which group, and whether the lower one
    merge_equal_axes();
    for (const Guard& g : n_.guards) {
      const auto rows = row_sign(g);
      if (!rows) return false;
      const auto has_both = [&](const Group& m) { return m.rank() == 2 && m.has(rows->label) && m.has(rows->other); };
      const auto found = std::ranges::find_if(groups_, has_both);
      if (found == groups_.end()) return false;
      triangles.emplace_back(static_cast<std::size_t>(found - groups_.begin()),
                             (found->axes[0] == rows->label) == rows->positive);
    }
    for (const auto& [k, lower] : triangles) {
      Group triangle;
      triangle.axes = groups_[k].axes;
      triangle.product.arrays = true;
      triangle.product.factors.push_back(call(lower ? "tril" : "triu", {text(std::move(groups_[k]))}));
      groups_[k] = std::move(triangle);
    }
    return true;
  }

  struct RowSign {
    Label label, other;
    bool positive;  // label - other >= 0
  };
  /// Of a guard that compares two labels of one size.
  std::optional<RowSign> row_sign(const Guard& g) const {
    if (g.kind != Guard::Kind::nonnegative || !g.affine.data.empty() || g.affine.labels.size() != 2)
      return std::nullopt;
    const LabelTerm &a = g.affine.labels[0], &b = g.affine.labels[1];
    const auto first = w_.sizes_.as_constant(a.coefficient), second = w_.sizes_.as_constant(b.coefficient);
    if (!first || !second || *first * *second != -1 || !w_.sizes_.is_zero(g.affine.offset) ||
        n_.labels[a.label] != n_.labels[b.label])
      return std::nullopt;
    return RowSign{a.label, b.label, *first > 0};
  }

  // ---- groups ----

  Formula text(Group g) {
    outside_.coefficient = outside_.coefficient * g.product.coefficient;
    g.product.coefficient = 1;
    if (g.chain.empty()) return std::move(g.product).build();
    return chain_text(std::move(g.chain));
  }

  static Formula chain_text(std::vector<Formula> chain) {
    if (chain.size() == 1) return std::move(chain[0]);
    return make(Op::matmul, std::move(chain));
  }

  std::vector<Formula> as_chain(Group g) {
    if (!g.chain.empty()) return std::move(g.chain);
    std::vector<Formula> out;
    out.push_back(text(std::move(g)));
    return out;
  }

  /// The chain of a matrix read the other way round.
  static std::vector<Formula> transposed(std::vector<Formula> chain) {
    std::ranges::reverse(chain);
    for (auto& f : chain) f = transpose(std::move(f));
    return chain;
  }

  /// A matrix group with its axes in the other order.
  Group flipped(Group g) {
    std::swap(g.axes[0], g.axes[1]);
    if (!g.chain.empty()) {
      g.chain = transposed(std::move(g.chain));
      return g;
    }
    for (auto* list : {&g.product.factors, &g.product.denominators})
      for (auto& f : *list) f = transpose(std::move(f));
    return g;
  }

  /// Elementwise product of two groups over the same axes.
  void merge(Group& a, Group b) {
    if (a.axes != b.axes) b = flipped(std::move(b));
    fold_chain(a);
    fold_chain(b);
    a.product.coefficient = a.product.coefficient * b.product.coefficient;
    for (auto& f : b.product.scalars) a.product.scalars.push_back(std::move(f));
    for (auto& f : b.product.factors) a.product.factors.push_back(std::move(f));
    for (auto& f : b.product.denominators) a.product.denominators.push_back(std::move(f));
  }

  /// A chain as one factor of an elementwise product.
  static void fold_chain(Group& g) {
    if (g.chain.empty()) return;
    g.product.factors.push_back(chain_text(std::move(g.chain)));
    g.product.arrays = true;
    g.chain.clear();
  }

  bool same_axes(const Group& a, const Group& b) const {
    if (a.axes == b.axes) return true;
    return a.rank() == 2 && b.rank() == 2 && a.axes[0] == b.axes[1] && a.axes[1] == b.axes[0];
  }

  /// Groups over the same axes multiply elementwise; two vectors that meet in an inner product stay apart.
  void merge_equal_axes() {
    for (std::size_t i = 0; i < groups_.size(); ++i)
      for (std::size_t k = groups_.size(); k-- > i + 1;) {
        if (!same_axes(groups_[i], groups_[k])) continue;
        const Label l = groups_[i].axes[0];
        const bool inner = groups_[i].rank() == 1 && l >= n_.rank && holders(l).size() == 2 && !is_square(i, k);
        if (inner) continue;
        Group b = std::move(groups_[k]);
        groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(k));
        merge(groups_[i], std::move(b));
      }
  }

  /// Whether two groups are the same single factor.
  bool is_square(std::size_t i, std::size_t k) const {
    const auto single = [](const Group& g) {
      return g.chain.empty() && g.product.scalars.empty() && g.product.factors.size() == 1 &&
             g.product.denominators.empty();
    };
    const Group& a = groups_[i];
    const Group& b = groups_[k];
    return single(a) && single(b) && a.axes == b.axes && same(a.product.factors[0], b.product.factors[0]);
  }

  std::vector<std::size_t> holders(Label l) const {
    std::vector<std::size_t> out;
    for (std::size_t k = 0; k < groups_.size(); ++k)
      if (groups_[k].has(l)) out.push_back(k);
    return out;
  }

  Group take(std::size_t k) {
    Group g = std::move(groups_[k]);
    groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(k));
    return g;
  }

  // ---- elimination of bound labels ----

  bool bound_label_left() const {
    return std::ranges::any_of(
        groups_, [&](const Group& g) { return std::ranges::any_of(g.axes, [&](Label l) { return l >= n_.rank; }); });
  }

  bool eliminate_one() {
    const auto count = static_cast<Label>(n_.labels.size());
    using Step = bool (MatrixForm::*)(Label);
    // cheapest and most readable first
    for (const Step step :
         {&MatrixForm::inner_product, &MatrixForm::rows_times_vector, &MatrixForm::matrix_times_vector,
          &MatrixForm::total, &MatrixForm::matrix_product, &MatrixForm::weigh, &MatrixForm::sum_axis})
      for (Label l = n_.rank; l < count; ++l)
        if ((this->*step)(l)) {
          merge_equal_axes();
          return true;
        }
    return false;
  }

  bool inner_product(Label l) {
    const auto at = holders(l);
    if (at.size() != 2 || groups_[at[0]].rank() != 1 || groups_[at[1]].rank() != 1) return false;
    Group b = take(at[1]);
    Group a = take(at[0]);
    if (!a.chain.empty() && b.chain.empty()) std::swap(a, b);  // r @ X @ v
    std::vector<Formula> chain = as_chain(std::move(a));
    for (auto& f : as_chain(std::move(b))) chain.push_back(std::move(f));
    outside_.multiply(chain_text(bilinear(std::move(chain))));
    return true;
  }

  /// y @ (A @ x) is y @ A @ x, and y @ (A.T @ x) is x @ A @ y; all of them vectors times matrices.
  static std::vector<Formula> bilinear(std::vector<Formula> chain) {
    if (chain.size() != 2 || chain[0].op == Op::matmul || chain[1].op != Op::matmul) return chain;
    std::vector<Formula> parts = std::move(chain[1].parts);
    const bool turned = parts[0].op == Op::transpose;
    if (!turned) {
      parts.insert(parts.begin(), std::move(chain[0]));
      return parts;
    }
    std::ranges::reverse(parts);
    for (std::size_t k = 1; k < parts.size(); ++k) parts[k] = transpose(std::move(parts[k]));
    parts.push_back(std::move(chain[0]));
    return parts;
  }

  /// A product that needs no transpose.
  bool rows_times_vector(Label l) {
    const auto at = holders(l);
    if (at.size() != 2 || groups_[at[0]].rank() + groups_[at[1]].rank() != 3) return false;
    const Group& matrix = groups_[groups_[at[0]].rank() == 2 ? at[0] : at[1]];
    return matrix.axes[1] == l && multiply(l, at[0], at[1]);
  }

  bool matrix_times_vector(Label l) {
    const auto at = holders(l);
    if (at.size() != 2 || groups_[at[0]].rank() + groups_[at[1]].rank() != 3) return false;
    return multiply(l, at[0], at[1]);
  }

  bool matrix_product(Label l) {
    const auto at = holders(l);
    if (at.size() != 2 || groups_[at[0]].rank() != 2 || groups_[at[1]].rank() != 2) return false;
    return multiply(l, at[0], at[1]);
  }

  bool multiply(Label l, std::size_t i, std::size_t k) {
    Group b = take(std::max(i, k));
    Group a = take(std::min(i, k));
    const auto other = [&](const Group& g) { return g.axes[g.axes[0] == l ? 1 : 0]; };
    // a vector stands on the right; of two matrices the one whose axis comes first in the result on the left
    if (a.rank() == 1 || (b.rank() == 2 && other(b) < other(a))) std::swap(a, b);
    if (a.axes[0] == l) a = flipped(std::move(a));
    if (b.rank() == 2 && b.axes[1] == l) b = flipped(std::move(b));
    Group out;
    out.axes.push_back(a.axes[0]);
    if (b.rank() == 2) out.axes.push_back(b.axes[1]);
    out.chain = as_chain(std::move(a));
    for (auto& f : as_chain(std::move(b))) out.chain.push_back(std::move(f));
    groups_.push_back(std::move(out));
    return true;
  }

  /// A group all of whose labels are summed and stand nowhere else.
  bool total(Label l) {
    const auto at = holders(l);
    if (at.size() != 1) return false;
    for (const Label other : groups_[at[0]].axes)
      if (other < n_.rank || holders(other).size() != 1) return false;
    Group g = take(at[0]);
    Size count = w_.sizes_.constant(1);
    for (const Label other : g.axes) count = w_.sizes_.multiply(count, n_.labels[other]);
    std::vector<Size> labels;
    for (const Label other : g.axes) labels.push_back(n_.labels[other]);
    Formula body = text(std::move(g));
    if (w_.have_elements(labels) && take_inverse(count)) {
      outside_.multiply(call("mean", {std::move(body)}));
    } else if (is_square_of_plain(body)) {
      outside_.multiply(power(make(Op::norm, {std::move(body.parts[0])}), 2));
    } else {
      const bool diagonal = body.op == Op::call && body.text == "diag" && body.parts.size() == 1;
      Formula f = diagonal ? call("tr", std::move(body.parts)) : call("sum", {std::move(body)});
      if (!diagonal) f.count = w_.count(labels);
      outside_.multiply(std::move(f));
    }
    return true;
  }

  static bool has_bars(const Formula& f) {
    return f.op == Op::norm || (f.op == Op::function && f.function == Function::abs) ||
           std::ranges::any_of(f.parts, has_bars);
  }

  static bool is_square_of_plain(const Formula& f) {
    return f.op == Op::power && f.parts[1].op == Op::number && f.parts[1].number == Rational(2) &&
           !has_bars(f.parts[0]);
  }

  bool take_inverse(Size count) {
    const auto found = std::ranges::find(inverse_sizes_, count);
    if (found != inverse_sizes_.end()) {
      inverse_sizes_.erase(found);
      return true;
    }
    for (std::size_t i = 0; i < inverse_sizes_.size(); ++i)  // 1/n * 1/d
      for (std::size_t k = i + 1; k < inverse_sizes_.size(); ++k)
        if (w_.sizes_.multiply(inverse_sizes_[i], inverse_sizes_[k]) == count) {
          inverse_sizes_.erase(inverse_sizes_.begin() + static_cast<std::ptrdiff_t>(k));
          inverse_sizes_.erase(inverse_sizes_.begin() + static_cast<std::ptrdiff_t>(i));
          return true;
        }
    return false;
  }

  /// Three groups share a label, one of them a vector: it scales a vector or the columns of a matrix.
  bool weigh(Label l) {
    const auto at = holders(l);
    if (at.size() < 2) return false;
    const auto vector = std::ranges::find_if(at, [&](std::size_t k) { return groups_[k].rank() == 1; });
    const auto matrix = std::ranges::find_if(at, [&](std::size_t k) { return groups_[k].rank() == 2; });
    if (vector == at.end() || matrix == at.end()) return false;
    Group scale = std::move(groups_[*vector]);
    Group& m = groups_[*matrix];
    if (m.axes[0] == l) m = flipped(std::move(m));
    fold_chain(m);
    m.product.multiply(text(std::move(scale)));
    outside_.coefficient = outside_.coefficient * m.product.coefficient;
    m.product.coefficient = 1;
    Formula scaled = std::move(m.product).build();
    m.product = Product{};
    m.product.arrays = true;
    m.product.factors.push_back(std::move(scaled));
    groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(*vector));
    return true;
  }

  bool sum_axis(Label l) {
    const auto at = holders(l);
    if (at.size() != 1) return false;
    Group g = take(at[0]);
    const auto axis = static_cast<int>(std::ranges::find(g.axes, l) - g.axes.begin());
    Group out;
    out.axes = g.axes;
    out.axes.erase(out.axes.begin() + axis);
    Formula body = text(std::move(g));
    const bool mean = w_.have_elements({n_.labels[l]}) && take_inverse(n_.labels[l]);
    out.product.arrays = true;
    Formula f = call(mean ? "mean" : "sum", {std::move(body)}, axis);
    if (!mean) f.count = w_.count({n_.labels[l]});
    out.product.multiply(std::move(f));
    groups_.push_back(std::move(out));
    return true;
  }

  // ---- what is left ----

  bool is_suffix(const Group& g) const {
    for (std::size_t k = 0; k < g.rank(); ++k)
      if (g.axes[k] != n_.rank - g.rank() + k) return false;
    return true;
  }

  std::optional<Formula> finish() {
    if (n_.rank > 0) {
      auto f = combine();
      if (!f) return std::nullopt;
      outside_.arrays = true;
      outside_.multiply(std::move(*f));
    }
    for (const Size s : inverse_sizes_) outside_.divide(w_.size(s));
    return std::move(outside_).build();
  }

  /// The groups over the axes as one array.
  std::optional<Formula> combine() {
    if (n_.rank == 2 && groups_.size() == 2 && groups_[0].rank() == 1 && groups_[1].rank() == 1 &&
        groups_[0].axes != groups_[1].axes) {
      if (groups_[0].axes[0] > groups_[1].axes[0]) std::swap(groups_[0], groups_[1]);
      std::vector<Formula> parts;
      parts.push_back(text(std::move(groups_[0])));
      parts.push_back(text(std::move(groups_[1])));
      return call("outer", std::move(parts));
    }
    bool full = false;
    for (auto& g : groups_) {
      if (n_.rank == 2 && g.axes == std::vector<Label>{1, 0}) g = flipped(std::move(g));
      if (!is_suffix(g)) return std::nullopt;
      full = full || g.rank() == n_.rank;
    }
    if (!full) return std::nullopt;
    std::ranges::stable_sort(groups_, [](const Group& a, const Group& b) { return a.rank() < b.rank(); });
    if (groups_.size() == 1) return text(std::move(groups_[0]));
    Product p;
    p.arrays = true;
    for (auto& g : groups_) p.multiply(text(std::move(g)));
    return std::move(p).build();
  }

  /// An array of one value: zeros(n), ones(n)/2.
  std::optional<Formula> constant() {
    std::vector<Formula> shape;
    for (std::uint32_t k = 0; k < n_.rank; ++k) shape.push_back(w_.size(n_.labels[k]));
    if (outside_.coefficient.is_zero() && outside_.scalars.empty()) return call("zeros", std::move(shape));
    outside_.multiply(call("ones", std::move(shape)));
    for (const Size s : inverse_sizes_) outside_.divide(w_.size(s));
    return std::move(outside_).build();
  }

  // ---- guards where nothing is summed ----

  std::optional<Formula> guarded() {
    if (n_.labels.size() > n_.rank) return std::nullopt;  // a filter: index notation says it best
    if (n_.guards.size() == 1 && n_.guards[0].kind != Guard::Kind::condition) return by_position();
    std::vector<Formula> conditions;
    bool full = false;
    for (const auto& g : n_.guards) {
      if (g.kind != Guard::Kind::condition) return std::nullopt;
      auto f = w_.array_operand(g.condition, n_.labels);
      if (!f) return std::nullopt;
      Group c;
      c.axes = std::move(f->axes);
      if (n_.rank == 2 && c.axes == std::vector<Label>{1, 0}) {
        c.axes = {0, 1};
        f->formula = transpose(std::move(f->formula));
      }
      if (!is_suffix(c)) return std::nullopt;
      full = full || c.rank() == n_.rank;
      conditions.push_back(std::move(f->formula));
    }
    if (!groups_.empty()) merge_equal_axes();
    const auto is_vector = [](const Group& g) { return g.rank() == 1; };
    const bool outer = n_.rank == 2 && groups_.size() == 2 && std::ranges::all_of(groups_, is_vector) &&
                       groups_[0].axes != groups_[1].axes;
    std::optional<Formula> body = groups_.empty() ? std::nullopt : outer ? combine() : combine_suffix(full);
    full = full || outer;
    if (!groups_.empty() && !body) return std::nullopt;
    if (!full) return std::nullopt;
    if (body) {
      outside_.arrays = true;
      outside_.multiply(std::move(*body));
    }
    for (const Size s : inverse_sizes_) outside_.divide(w_.size(s));
    return conditional(conjunction(std::move(conditions)), std::move(outside_).build(), number(0));
  }

  /// As combine(), but groups need not cover all axes where the condition does (then `full` stays).
  std::optional<Formula> combine_suffix(bool& full) {
    Product p;
    p.arrays = true;
    for (auto& g : groups_) {
      if (n_.rank == 2 && g.axes == std::vector<Label>{1, 0}) g = flipped(std::move(g));
      if (!is_suffix(g)) return std::nullopt;
      full = full || g.rank() == n_.rank;
      p.multiply(text(std::move(g)));
    }
    return std::move(p).build();
  }

  /// Guards on two axes that have names: eye, diag, tril, triu.
  std::optional<Formula> by_position() {
    const Guard& g = n_.guards[0];
    if (n_.rank != 2 || n_.labels[0] != n_.labels[1] || !g.affine.data.empty() || !w_.sizes_.is_zero(g.affine.offset) ||
        g.affine.labels.size() != 2)
      return std::nullopt;
    const auto first = w_.sizes_.as_constant(g.affine.labels[0].coefficient);
    const auto second = w_.sizes_.as_constant(g.affine.labels[1].coefficient);
    if (!first || !second || *first * *second != -1) return std::nullopt;
    if (g.kind == Guard::Kind::nonzero) return std::nullopt;
    std::optional<Formula> f;
    if (g.kind == Guard::Kind::zero) {
      if (groups_.empty()) {
        f = call("eye", {w_.size(n_.labels[0])});
      } else {
        for (auto& group : groups_) {
          if (group.rank() != 1) return std::nullopt;
          group.axes = {0};
        }
        merge_equal_axes();
        f = call("diag", {text(std::move(groups_[0]))});
      }
    } else {
      if (groups_.empty()) return std::nullopt;
      merge_equal_axes();
      auto body = combine();
      if (!body) return std::nullopt;
      f = call(*first > 0 ? "tril" : "triu", {std::move(*body)});
    }
    outside_.arrays = true;
    outside_.multiply(std::move(*f));
    for (const Size s : inverse_sizes_) outside_.divide(w_.size(s));
    return std::move(outside_).build();
  }

  Writer& w_;
  const Node& n_;
  Product outside_;
  std::vector<Size> inverse_sizes_;  // scalar factors 1/size, until a mean takes one
  std::vector<Group> groups_;
};

std::optional<Formula> Writer::array_contraction(const Node& n) { return MatrixForm(*this, n).build(); }

}  // namespace gradus::printing
