// One line of a printed program: the choice between array and index notation, and what both share.
#include "symbolic/print/writer.hpp"

#include <algorithm>

namespace gradus::printing {

namespace {

/// The count that a check `all(0 < count)` is about, everywhere; invalid for other checks.
Expr checked_count(const Graph& graph, Expr check) {
  const Node* n = &graph[check];
  if (n->kind == Kind::reduce && n->reduction == Reduction::all && n->guards.empty()) n = &graph[n->operands[0].expr];
  const bool positive = n->kind == Kind::elementwise && n->function == Function::less;
  return positive && graph.is_zero(n->operands[0].expr) ? n->operands[1].expr : Expr{};
}

}  // namespace

Writer::Writer(const Graph& graph, Names& names, const std::vector<std::string>& labels)
    : graph_(graph), sizes_(graph.sizes()), names_(names), labels_(labels), no_array_(graph.node_count(), 0) {}

void Writer::set_checks(const std::vector<Expr>& conditions, const std::vector<SizeRequirement>& sizes) {
  checks_known_ = true;
  for (const Expr check : conditions)
    if (const Expr count = checked_count(graph_, check); count.valid()) counted_.push_back(count);
  for (const SizeRequirement& r : sizes)
    if (!r.must_be_zero) checked_sizes_.push_back(r.size);
}

bool Writer::have_elements(const std::vector<Size>& axes) const {
  Sizes sizes = sizes_;
  return !checks_known_ || std::ranges::all_of(axes, [&](Size s) {
    const Size spare = sizes.subtract(s, sizes.constant(1));
    return sizes.is_nonnegative(spare) || std::ranges::find(checked_sizes_, spare) != checked_sizes_.end();
  });
}

Line Writer::define(Expr e, const std::vector<std::string>& indices) {
  root_ = graph_[e].kind == Kind::input ? Expr{} : e;
  return line(e, indices);
}

Line Writer::mention(Expr e) {
  root_ = {};
  return line(e, {});
}

Line Writer::line(Expr e, const std::vector<std::string>& indices) {
  indices_.clear();
  full_range_.clear();
  open_.clear();
  if (auto whole = array(e)) return {{}, std::move(*whole)};
  Places at;
  for (std::uint32_t k = 0; k < graph_.rank(e); ++k) {
    const std::uint32_t index = open_index(graph_.axis(e, k), k < indices.size() ? indices[k] : "");
    at.push_back({{}, {{index, sizes_.constant(1)}}, {}});
  }
  Line out;
  out.right = element_body(e, at);
  for (std::uint32_t k = 0; k < graph_.rank(e); ++k)
    out.left.push_back(close_index(at[k].terms[0].first, graph_.axis(e, k)));
  return out;
}

/// A multiplied-out count as the product of two axes: (n - 2)*(m - 2).
std::optional<std::pair<Size, Size>> Writer::size_factors(Size s) const {
  const auto terms = sizes_.terms(s);
  const bool product = terms.size() > 2 && std::ranges::any_of(terms, [](const auto& t) { return t.atoms.size() > 1; });
  if (!product) return std::nullopt;
  std::vector<Size> axes;
  for (std::uint32_t id = 0; id < graph_.node_count(); ++id)
    for (const Size l : graph_[Expr{id}].labels)
      if (std::ranges::find(axes, l) == axes.end()) axes.push_back(l);
  Sizes sizes = sizes_;
  for (std::size_t i = 0; i < axes.size(); ++i)
    for (std::size_t k = i; k < axes.size(); ++k)
      if (axes[i] != s && axes[k] != s && sizes.multiply(axes[i], axes[k]) == s) return std::pair{axes[i], axes[k]};
  return std::nullopt;
}

Formula Writer::size(Size s) const {
  const auto terms = sizes_.terms(s);
  if (terms.empty()) return number(0);
  if (const auto factors = size_factors(s)) return make(Op::product, {size(factors->first), size(factors->second)});
  std::vector<Formula> sum;
  for (const auto& t : terms) {
    const bool minus = t.coefficient < 0;
    std::vector<Formula> factors;
    if (t.atoms.empty() || (t.coefficient != 1 && t.coefficient != -1))
      factors.push_back(number(minus ? -Rational(t.coefficient) : Rational(t.coefficient)));
    for (const SizeAtom id : t.atoms) {  // n*n: a size knows no powers
      const Sizes::Atom& a = sizes_.atom(id);
      if (a.kind == Sizes::AtomKind::name)
        factors.push_back(name(a.name, true));
      else
        factors.push_back(call(a.kind == Sizes::AtomKind::minimum ? "min" : "max", {size(a.a), size(a.b)}));
    }
    Formula f = factors.size() == 1 ? std::move(factors[0]) : make(Op::product, std::move(factors));
    sum.push_back(minus ? negated(std::move(f)) : std::move(f));
  }
  return add(std::move(sum));
}

/// The factors of the number of elements of these axes.
std::vector<Formula> Writer::count(const std::vector<Size>& axes) const {
  if (!have_elements(axes)) return {};
  std::vector<Formula> out;
  for (const Size s : axes) {
    Formula f = size(s);
    if (f.op == Op::number) return {};  // a literal count dissolves into the coefficient
    if (f.op == Op::product)
      for (auto& p : f.parts) out.push_back(std::move(p));
    else
      out.push_back(std::move(f));
  }
  return out;
}

namespace {

/// Roughly the characters of a formula, whatever its names are.
std::size_t weight(const Formula& f) {
  std::size_t w = 2;
  if (f.op == Op::function) w = row(f.function).name.size() + 2;
  if (f.op == Op::call || f.op == Op::over) w = f.text.size() + 2 + 3 * f.binders.size();
  if (f.op == Op::conditional) w = 11;
  for (const auto& p : f.parts) w += weight(p);
  return w;
}

bool is_number(const Formula& f) { return f.op == Op::number || (f.op == Op::negate && f.parts[0].op == Op::number); }

}  // namespace

/// Heavier terms first, numbers last: `X @ w + b`, `x^2 + 1`.
std::vector<Formula> Writer::by_weight(std::vector<Formula> terms) {
  std::vector<std::pair<std::size_t, std::size_t>> order;
  for (std::size_t k = 0; k < terms.size(); ++k) order.emplace_back(is_number(terms[k]) ? 0 : weight(terms[k]), k);
  std::ranges::stable_sort(order, [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Formula> out;
  for (const auto& o : order) out.push_back(std::move(terms[o.second]));
  return out;
}

namespace {

/// Whether a weight depends on all that its logarithm depends on: y*log(x) is read as one function then, 0 where y is.
bool uses_all_labels(const Operand& weight, const Operand& x) {
  bool all = true;
  Graph::each_label(x, [&](Label l) {
    bool found = false;
    Graph::each_label(weight, [&](Label other) { found = found || other == l; });
    all = all && found;
  });
  return all;
}

}  // namespace

/// 0 if x <= 0 else x, the prelude's relu(x).
bool Writer::is_rectifier(const Node& n) const {
  if (!graph_.is_zero(n.operands[1].expr)) return false;
  const Node& c = graph_[n.operands[0].expr];
  return c.kind == Kind::elementwise && c.function == Function::less_equal && graph_.is_zero(c.operands[1].expr) &&
         c.operands[0] == n.operands[2] && graph_.is_identity(n.operands[0], n.labels, n.rank);
}

Formula Writer::function_value(const Node& n, std::vector<Formula> operands) {
  switch (n.function) {
    case Function::not_a_number:  // has no name in the language
      return apply(Function::log, {number(-1)});
    case Function::pi:  // a user's value may have taken the name
      if (names_.is_taken("pi")) return apply(Function::acos, {number(-1)});
      break;
    case Function::infinity:
      if (names_.is_taken("inf")) return negated(apply(Function::log, {number(0)}));
      break;
    case Function::less:
    case Function::less_equal:
      if (is_number(operands[0]) && !is_number(operands[1]))
        return compare(n.function == Function::less ? ">" : ">=", std::move(operands[1]), std::move(operands[0]));
      break;
    case Function::equal:
    case Function::not_equal:
      if (is_number(operands[0])) std::swap(operands[0], operands[1]);
      break;
    case Function::select:
      if (is_rectifier(n)) {
        std::vector<Formula> argument;
        argument.push_back(std::move(operands[2]));
        return call("relu", std::move(argument));
      }
      break;
    case Function::log1p:  // seen again when it is read
      return log_of_one_plus(std::move(operands[0]));
    case Function::xlogy:
    case Function::xlog1py:
      if (uses_all_labels(n.operands[0], n.operands[1]))
        if (auto written = written_out(n.function, operands)) return std::move(*written);
      break;
    case Function::power:
      if (operands[1].op == Op::number) return power(std::move(operands[0]), operands[1].number);
      if (operands[1].op == Op::negate && is_number(operands[1])) {
        Product p;
        p.divide(power(std::move(operands[0]), operands[1].parts[0].number));
        p.arrays = n.rank > 0;
        return std::move(p).build();
      }
      break;
    default:
      if (row(n.function).spelling == Spelling::internal)
        if (auto written = written_out(n.function, operands)) return std::move(*written);
      break;
  }
  return apply(n.function, std::move(operands));
}

std::optional<Size> Writer::inverse_size(Expr e) {
  const Node& n = graph_[e];
  if (n.kind != Kind::elementwise || n.function != Function::power || n.rank != 0) return std::nullopt;
  if (!graph_.is_constant(n.operands[1].expr, -1)) return std::nullopt;
  const Node& base = graph_[n.operands[0].expr];
  if (base.kind == Kind::index && base.affine.is_constant()) return base.affine.offset;
  // the count of several axes is a product of sizes
  if (base.kind != Kind::contraction || !base.labels.empty() || !base.guards.empty()) return std::nullopt;
  const auto factor = base.coefficients[0].as_int64();
  if (!factor) return std::nullopt;
  Size out = sizes_.constant(*factor);
  for (const auto& o : base.operands) {
    const Node& size = graph_[o.expr];
    if (size.kind != Kind::index || !size.affine.is_constant()) return std::nullopt;
    out = sizes_.multiply(out, size.affine.offset);
  }
  return out;
}

std::string_view Writer::reduction_name(Reduction r) {
  switch (r) {
    case Reduction::maximum:
      return "max";
    case Reduction::minimum:
      return "min";
    case Reduction::product:
      return "prod";
    case Reduction::any:
      return "any";
    case Reduction::all:
      return "all";
    case Reduction::argmax:
      return "argmax";
    case Reduction::argmin:
      return "argmin";
    case Reduction::norm:
      return "norm";
    case Reduction::exponentials:
      break;
  }
  return "";
}

std::string_view Writer::softmax_name(SoftmaxKind k) {
  switch (k) {
    case SoftmaxKind::logsumexp:
      return "logsumexp";
    case SoftmaxKind::softmax:
      return "softmax";
    case SoftmaxKind::log_softmax:
      return "log_softmax";
  }
  return "";
}

}  // namespace gradus::printing
