// Naming shared values, cutting long and deep expressions, ordering lines.
#include "symbolic/print/layout.hpp"

#include <algorithm>
#include <unordered_set>

#include "frontend/parse.hpp"
#include "symbolic/print/formula.hpp"

namespace gradus::printing {
namespace {

constexpr std::size_t longest_line = 90;       // estimated characters of an expression before parts get names
constexpr std::size_t worth_a_name = 20;       // parts shorter than this are never cut out for length
constexpr std::size_t cheap = 12;              // shared parts up to this length are repeated
constexpr std::size_t longest_repeated = 400;  // a part that cannot stand alone is repeated up to this length
constexpr std::uint32_t deepest = 30;          // nested constructs in one line (the parser takes 256)

class Planner {
 public:
  Planner(const Model& model, Names& names, std::vector<PlannedLine> roots)
      : graph_(model.graph), sizes_(model.graph.sizes()), model_(model), names_(names), roots_(std::move(roots)) {
    std::vector<Expr> exprs;
    for (const auto& r : roots_) exprs.push_back(r.expr);
    nodes_ = graph_.reachable(exprs);
    const std::size_t count = graph_.node_count();
    layout_.labels.resize(count);
    uses_.resize(count);
    measures_.resize(count);
    exposed_.resize(count, 0);
    named_.resize(count, no_line);
    for (const auto& input : model.inputs) layout_.labels[input.expr.id] = input.name;
  }

  /// Values that have a name whatever their use.
  void name_value(Expr e, const PlannedLine& line) {
    if (!worth_a_line(e) || named_[e.id] != no_line) return;
    named_[e.id] = static_cast<std::uint32_t>(named_lines_.size());
    named_lines_.push_back(line);
  }

  /// Derivatives lend their names to each other, not to values that the losses and outputs need too.
  void name_derivatives() {
    std::vector<Expr> values;
    for (const auto& r : roots_)
      if (r.role != PlannedLine::Role::derivative) values.push_back(r.expr);
    const std::vector<Expr> needed = graph_.reachable(values);
    for (const auto& r : roots_)
      if (r.role == PlannedLine::Role::derivative && !std::ranges::binary_search(needed, r.expr)) name_value(r.expr, r);
  }

  Layout run() {
    count_uses();
    measure();
    arrange();
    return std::move(layout_);
  }

 private:
  struct Measure {
    std::size_t array = 0;    // estimated characters in array notation
    std::size_t indexed = 0;  // and in index notation
    bool is_array = true;     // whether array notation seems to reach it
    std::uint32_t depth = 0;
    bool heavy = false;  // sums or reduces: not to be written twice

    std::size_t length() const { return is_array ? array : indexed; }
  };

  bool is_leaf_kind(Expr e) const {
    const Node& n = graph_[e];
    return n.kind == Kind::input || n.kind == Kind::constant || (n.kind == Kind::index && n.rank == 0) ||
           (n.kind == Kind::elementwise && n.operands.empty());
  }
  bool worth_a_line(Expr e) const { return !is_leaf_kind(e); }

  void count_uses() {
    for (const Expr e : nodes_) {
      const Node& n = graph_[e];
      std::vector<Expr> children;
      graph_.each_child(e, [&](Expr c) { children.push_back(c); });
      std::ranges::sort(children);
      // x*x is one use (it prints as x^2), and so are the two readings of a softmax
      for (std::size_t k = 0; k < children.size(); ++k)
        if (k == 0 || children[k] != children[k - 1]) ++uses_[children[k].id];
      if (n.kind == Kind::reshape && !is_leaf_kind(n.operands[0].expr) && graph_.rank(n.operands[0].expr) > 0)
        must_name(n.operands[0].expr);
      if (n.kind == Kind::order) must_name(e);
    }
    for (const auto& r : roots_) {
      ++uses_[r.expr.id];
      roots_at_.insert(r.expr.id);
    }
  }

  void must_name(Expr e) {
    if (layout_.labels[e.id].empty()) name_value(e, {});
  }

  /// Whether a subscript certainly leaves its axis for some of its labels.
  bool leaves(const Subscript& s, const std::vector<Size>& labels, Size axis) {
    for (const auto& d : s.data)
      for (std::uint32_t k = 0; k < d.subscripts.size(); ++k)
        if (leaves(d.subscripts[k], labels, graph_.axis(d.data, k))) return true;
    if (!s.data.empty() || s.labels.empty()) return false;
    Size low = s.offset, high = s.offset;
    for (const auto& t : s.labels) {
      const Size reach = sizes_.multiply(t.coefficient, sizes_.subtract(labels[t.label], sizes_.constant(1)));
      if (!sizes_.is_nonnegative(t.coefficient)) low = sizes_.add(low, reach);
      if (sizes_.is_nonnegative(t.coefficient)) high = sizes_.add(high, reach);
    }
    return sizes_.is_negative(low) ||
           sizes_.is_negative(sizes_.subtract(sizes_.subtract(axis, sizes_.constant(1)), high));
  }

  /// Whether the value reads outside an axis where nothing of its own protects it: a condition around it does, so it
  /// has no line of its own.
  bool is_exposed(Expr e) {
    const Node& n = graph_[e];
    if (!n.guards.empty() || (n.kind == Kind::elementwise && n.function == Function::select)) return false;
    return std::ranges::any_of(n.operands, [&](const Operand& o) {
      if (!has_name(o.expr) && exposed_[o.expr.id] != 0) return true;
      for (std::uint32_t k = 0; k < o.subscripts.size(); ++k)
        if (leaves(o.subscripts[k], n.labels, graph_.axis(o.expr, k))) return true;
      return false;
    });
  }

  /// Gives a part a line, unless it cannot stand alone and is short enough to be repeated.
  void cut_out(Expr e) {
    if (exposed_[e.id] == 0 || measures_[e.id].length() > longest_repeated) must_name(e);
  }

  bool has_name(Expr e) const { return !layout_.labels[e.id].empty() || named_[e.id] != no_line; }

  Measure inline_measure(Expr e) const {
    const auto leaf = [&](std::size_t name) {
      return Measure{name, name + std::size_t{3} * graph_.rank(e), true, 0, false};
    };
    if (const std::string& label = layout_.labels[e.id]; !label.empty()) return leaf(label.size());
    if (const auto n = named_[e.id]; n != no_line) return leaf(std::max<std::size_t>(2, named_lines_[n].name.size()));
    Measure m = measures_[e.id];
    if (graph_.rank(e) == 0) {  // a scalar chooses its notation by itself
      m.array = m.indexed = m.length();
      m.is_array = true;
    }
    return m;
  }

  void measure() {
    for (const Expr e : nodes_) {
      if (!layout_.labels[e.id].empty()) continue;
      measures_[e.id] = measure_one(e);
      if (name_factors(e)) measures_[e.id] = measure_one(e);
      exposed_[e.id] = is_exposed(e) ? 1 : 0;
      if (has_name(e) || is_leaf_kind(e)) continue;
      const Node& n = graph_[e];
      const Measure& m = measures_[e.id];
      const bool probability = n.rank > 0 && ((n.kind == Kind::elementwise && n.function == Function::sigmoid) ||
                                              (n.kind == Kind::softmax && n.softmax == SoftmaxKind::softmax));
      const bool view = n.kind == Kind::contraction && n.operands.size() == 1 && n.guards.empty() &&
                        n.labels.size() == n.rank && n.coefficients[0].is_one();
      if (view && inline_measure(n.operands[0].expr).length() <= cheap) continue;
      const bool whole_line = roots_at_.contains(e.id) && uses_[e.id] == 1;
      if (whole_line) continue;
      if (!probability && (uses_[e.id] <= 1 || (!m.heavy && m.length() <= cheap) || is_short_product(e))) continue;
      if (const auto base = below_the_line(e)) {
        if (!has_name(*base) && !is_leaf_kind(*base)) cut_out(*base);
        measures_[e.id] = measure_one(e);
        continue;
      }
      cut_out(e);
    }
  }

  /// Gives lines to factors without an array form of what is a matrix product with them; false where there are none.
  bool name_factors(Expr e) {
    const Node& n = graph_[e];
    const bool product = n.kind == Kind::contraction && n.rank > 0 && n.labels.size() > n.rank && n.guards.empty() &&
                         n.operands.size() >= 2 && !measures_[e.id].is_array && seems_array(n);
    if (!product) return false;
    bool some = false;
    for (const Operand& o : n.operands) {
      if (has_name(o.expr) || is_leaf_kind(o.expr) || graph_.rank(o.expr) == 0 || inline_measure(o.expr).is_array)
        continue;
      cut_out(o.expr);
      some = some || has_name(o.expr);
    }
    return some;
  }

  /// A named matrix times a named vector that two lines hold, `A @ x`: as easily read as a name for it.
  bool is_short_product(Expr e) const {
    constexpr std::size_t short_enough = 6;
    const Node& n = graph_[e];
    return uses_[e.id] == 2 && n.kind == Kind::contraction && n.rank == 1 && n.labels.size() == 2 && n.guards.empty() &&
           n.operands.size() == 2 && n.coefficients[0].is_one() && measures_[e.id].is_array &&
           measures_[e.id].array <= short_enough + own_length(n) &&
           std::ranges::all_of(n.operands, [&](const Operand& o) { return has_name(o.expr); });
  }

  /// The base of 1/x^k: that is what gets a name, so that quotients stay quotients.
  std::optional<Expr> below_the_line(Expr e) const {
    const Node& n = graph_[e];
    if (n.kind != Kind::elementwise || n.function != Function::power) return std::nullopt;
    const Rational* exponent = graph_.constant_value(n.operands[1].expr);
    const Operand& base = n.operands[0];
    if (exponent == nullptr || exponent->sign() >= 0 || !graph_.is_identity(base, n.labels, n.rank))
      return std::nullopt;
    return base.expr;
  }

  Measure measure_one(Expr e) {
    const Node& n = graph_[e];
    Measure m = combined(e);
    // Cut where the line would be too long or too deep: the largest parts first. Sums may be broken into lines instead.
    const bool breaks = n.kind == Kind::sum;
    if ((m.length() > longest_line && !breaks) || m.depth > deepest) {
      std::vector<std::pair<std::size_t, Expr>> parts;
      graph_.each_child(e, [&](Expr c) {
        if (!has_name(c) && !is_leaf_kind(c)) parts.emplace_back(inline_measure(c).length(), c);
      });
      std::ranges::sort(parts, [](const auto& a, const auto& b) { return a.first > b.first; });
      std::size_t total = m.length();
      for (const auto& [length, part] : parts) {
        const bool deep = m.depth > deepest && measures_[part.id].depth >= deepest;
        const bool wide = !breaks && total > longest_line && length > worth_a_name;
        if (has_name(part) || (!deep && !wide)) continue;
        cut_out(part);
        if (has_name(part)) total -= length - 2;
      }
      m = combined(e);
    }
    return m;
  }

  /// The labels that an operand is read by, when each is the whole of a subscript.
  static std::optional<std::vector<Label>> plain_labels(const Operand& o) {
    std::vector<Label> out;
    for (const auto& s : o.subscripts) {
      if (s.is_constant()) continue;
      if (s.labels.size() != 1 || !s.data.empty()) return std::nullopt;
      out.push_back(s.labels[0].label);
    }
    return out;
  }

  /// Whether array notation is likely to reach a node (the writer decides; this only estimates its length).
  static bool seems_array(const Node& n) {
    if (n.kind == Kind::index) return false;
    const bool binds = n.labels.size() > n.rank;
    for (const auto& g : n.guards) {
      const bool triangle = g.kind == Guard::Kind::nonnegative && g.affine.labels.size() == 2 && g.affine.data.empty();
      if (binds ? !triangle : g.kind != Guard::Kind::condition) return false;
    }
    std::size_t tables = 0;
    const bool vectors = n.rank == 2 && n.kind == Kind::contraction && n.operands.size() == 2 &&  // outer(x, y)
                         std::ranges::all_of(n.operands, [](const Operand& o) { return o.subscripts.size() == 1; });
    for (const auto& o : n.operands) {
      const auto labels = plain_labels(o);
      if (!labels) return false;
      if (labels->size() > 2) ++tables;
      if (binds || (n.rank == 2 && labels->size() == 2) || vectors) continue;
      for (std::size_t k = 0; k < labels->size(); ++k)
        if ((*labels)[k] != n.rank - labels->size() + k) return false;
    }
    return !binds || tables == 0 || n.operands.size() == 1;
  }

  Measure combined(Expr e) const {
    const Node& n = graph_[e];
    Measure m;
    m.heavy = n.kind == Kind::softmax || n.kind == Kind::reduce || n.kind == Kind::order ||
              (n.kind == Kind::contraction && n.labels.size() > n.rank);
    m.array = m.indexed = own_length(n);
    m.is_array = n.rank == 0 || seems_array(n);
    graph_.each_child(e, [&](Expr c) {
      const Measure child = inline_measure(c);
      m.array += child.array;
      m.indexed += child.indexed;
      m.is_array = m.is_array && child.is_array;
      m.depth = std::max(m.depth, child.depth + 1);
      m.heavy = m.heavy || child.heavy;
    });
    return m;
  }

  /// Characters that a node adds to its operands, roughly.
  std::size_t own_length(const Node& n) const {
    switch (n.kind) {
      case Kind::input:
        return 1;
      case Kind::constant:
        return n.coefficients[0].to_string().size();
      case Kind::index:
        return graph_.sizes().to_string(n.affine.offset).size();
      case Kind::elementwise: {
        const FunctionRow& r = row(n.function);
        if (r.spelling == Spelling::call && n.function != Function::power) return r.name.size() + 2 * n.operands.size();
        return n.function == Function::select ? 11 : 3;
      }
      case Kind::sum: {
        std::size_t length = 0;
        for (const auto& c : n.coefficients)
          length += 3 + (c == Rational(1) || c == Rational(-1) ? 0 : c.to_string().size() + 1);
        return length;
      }
      case Kind::contraction:
      case Kind::reduce: {
        std::size_t length = 2 * n.operands.size() + 8 * n.guards.size();
        if (n.labels.size() > n.rank) length += 5;
        if (!n.coefficients.empty() && !n.coefficients[0].is_one()) length += n.coefficients[0].to_string().size() + 1;
        return length;
      }
      case Kind::softmax:
        return 12;
      case Kind::reshape:
        return 9 + 3 * n.rank;
      case Kind::order:
        return 12;
      case Kind::given:
        break;
    }
    return 1;
  }

  /// Lines in dependency order: what a root needs stands right before it.
  void arrange() {
    std::vector<char> seen(graph_.node_count(), 0);
    for (const auto& root : roots_) {
      std::vector<Expr> needed;
      std::vector<Expr> open{root.expr};
      while (!open.empty()) {
        const Expr e = open.back();
        open.pop_back();
        if (seen[e.id] != 0) continue;
        seen[e.id] = 1;
        if (named_[e.id] != no_line) needed.push_back(e);
        graph_.each_child(e, [&](Expr c) { open.push_back(c); });
      }
      std::ranges::sort(needed);
      for (const Expr e : needed) {
        PlannedLine line = std::move(named_lines_[named_[e.id]]);
        if (line.name.empty() && line.role == PlannedLine::Role::value) line.name = new_name(e);
        line.expr = e;
        layout_.labels[e.id] = line.role == PlannedLine::Role::loss && line.name.empty() ? "loss" : line.name;
        written_names_.insert(layout_.labels[e.id]);
        layout_.lines.push_back(std::move(line));
      }
      const std::string own = root.role == PlannedLine::Role::loss && root.name.empty() ? "loss" : root.name;
      if (written_names_.contains(own)) continue;
      PlannedLine line = root;
      line.defines = layout_.labels[root.expr.id].empty() || graph_[root.expr].kind == Kind::input;
      written_names_.insert(own);
      layout_.lines.push_back(std::move(line));
    }
  }

  /// p for probabilities, r for residuals, t1, t2, … else.
  std::string new_name(Expr e) {
    const Node& n = graph_[e];
    if (n.kind == Kind::order) return names_.numbered('o');
    if (n.kind == Kind::softmax && n.softmax == SoftmaxKind::softmax) return names_.numbered('p');
    if (n.kind == Kind::elementwise && n.function == Function::sigmoid) return names_.numbered('p');
    if (n.kind == Kind::sum && n.rank > 0) {
      bool data = false;
      bool minus = false;
      for (std::size_t k = 0; k < n.operands.size(); ++k) {
        const Node& o = graph_[n.operands[k].expr];
        data = data || (o.kind == Kind::input && model_.inputs[o.payload].role == Input::Role::data);
        minus = minus || n.coefficients[k].sign() < 0;
      }
      if (data && minus) return names_.numbered('r');
    }
    return names_.numbered('t');
  }

  const Graph& graph_;
  Sizes sizes_;  // a copy: ranges need sizes that the graph does not have
  const Model& model_;
  Names& names_;
  std::vector<PlannedLine> roots_;
  std::vector<Expr> nodes_;
  static constexpr std::uint32_t no_line = UINT32_MAX;
  std::vector<std::uint32_t> uses_;  // by Expr::id, as the next two
  std::vector<Measure> measures_;
  std::vector<char> exposed_;
  std::vector<std::uint32_t> named_;  // position in named_lines_, or no_line
  std::vector<PlannedLine> named_lines_;
  std::unordered_set<std::uint32_t> roots_at_;
  std::unordered_set<std::string> written_names_;
  Layout layout_;
};

void take_names(const Model& model, const Derived* derived, Names& names) {
  for (const auto& i : model.inputs) names.take(i.name);
  for (const auto& d : model.dimensions) names.take(d.name);
  for (const auto& s : model.size_names) names.take(s);
  if (derived == nullptr) return;
  for (const auto& v : derived->values) names.take(v.name);
  names.take("loss");
}

/// The user's values by name and by key.
class Values {
 public:
  explicit Values(const Derived& derived) {
    for (const auto& v : derived.values) by_name_.try_emplace(v.name, &v);
    for (const auto& v : derived.values) by_name_.try_emplace(v.key, &v);
  }
  const NamedValue* operator[](const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }

 private:
  std::unordered_map<std::string, const NamedValue*> by_name_;
};

bool is_unnamed_loss(const DerivedValue& loss) { return loss.name.empty() || loss.name == "loss"; }

std::vector<PlannedLine> roots_of(const Model& model, const Derived& derived, Names& names) {
  using Role = PlannedLine::Role;
  std::vector<PlannedLine> roots;
  const Values values(derived);
  const auto value_line = [&](const DerivedValue& d, Role role) {
    PlannedLine line;
    line.role = role;
    line.expr = d.value;
    const NamedValue* v = values[d.name];
    line.name = v != nullptr ? v->name : d.name;
    if (v != nullptr) line.indices = v->indices;
    if (role == Role::loss && is_unnamed_loss(d)) line.name.clear();
    roots.push_back(std::move(line));
  };
  for (const auto& d : derived.losses) value_line(d, Role::loss);
  for (const auto& d : derived.outputs) value_line(d, Role::output);
  const auto derivative_lines = [&](const DerivedValue& d, const std::string& prefix) {
    const NamedValue* v = values[d.name];
    for (const auto& one : d.derivatives) {
      PlannedLine line;
      line.role = Role::derivative;
      line.expr = one.expr;
      line.by = model.inputs[one.input].name;
      line.of = v != nullptr ? v->name : (d.name.empty() ? "loss" : d.name);
      line.name = names.with_underscores(prefix + line.by);
      roots.push_back(std::move(line));
    }
  };
  for (const auto& d : derived.losses) {
    const bool several = derived.losses.size() > 1;
    derivative_lines(d, several ? "grad_" + (d.name.empty() ? "loss" : d.name) + "_" : "grad_");
  }
  for (const auto& d : derived.outputs) derivative_lines(d, "jac_" + d.name + "_");
  return roots;
}

}  // namespace

Layout plan(const Model& model, const Derived& derived, Names& names, bool derivatives_have_names) {
  take_names(model, &derived, names);
  const std::vector<PlannedLine> roots = roots_of(model, derived, names);
  Planner planner(model, names, roots);
  std::unordered_map<std::string, const PlannedLine*> by_name;
  for (const auto& r : roots) by_name.emplace(r.name.empty() ? "loss" : r.name, &r);
  for (const auto& v : derived.values) {
    const auto root = by_name.find(v.name);
    PlannedLine line;
    if (root != by_name.end()) line = *root->second;
    const bool other_loss = v.role == NamedValue::Role::loss && root == by_name.end() && v.name == "loss";
    if (other_loss) continue;  // `loss` means a loss; as a mere value it needs a new name
    if (root == by_name.end()) line.name = v.name;
    line.indices = v.indices;
    planner.name_value(v.expr, line);
  }
  if (derivatives_have_names) planner.name_derivatives();
  return planner.run();
}

Layout plan_expression(const Model& model, Expr e, Names& names) {
  take_names(model, nullptr, names);
  PlannedLine root;
  root.expr = e;
  Planner planner(model, names, {root});
  return planner.run();
}

}  // namespace gradus::printing
