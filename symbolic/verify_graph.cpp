// Whether a graph is legal, and how a node looks in the notation of graph.hpp.
#include <fmt/format.h>

#include "symbolic/graph.hpp"

namespace gradus {
namespace {

class Verifier {
 public:
  Verifier(const Graph& graph, Expr e) : graph_(graph), node_(graph[e]), id_(e.id) {}

  std::string check() {
    if (node_.rank > node_.labels.size()) return "more axes than labels";
    const bool binds = node_.kind == Kind::contraction || node_.kind == Kind::reduce || node_.kind == Kind::softmax ||
                       node_.kind == Kind::order || node_.kind == Kind::given;
    if (!binds && node_.labels.size() != node_.rank) return "bound labels where nothing is reduced";
    if (!binds && !node_.guards.empty()) return "guards where nothing is reduced";
    if (const auto problem = check_arity(); !problem.empty()) return problem;
    for (const auto& o : node_.operands)
      if (const auto problem = operand(o, node_.kind == Kind::reshape); !problem.empty()) return problem;
    for (const auto& g : node_.guards) {
      if (g.kind != Guard::Kind::condition) {
        if (const auto problem = subscript(g.affine); !problem.empty()) return problem;
      } else {
        if (const auto problem = operand(g.condition, false); !problem.empty()) return problem;
        if (!graph_.is_condition(g.condition.expr)) return "a guard that is no truth value";
      }
    }
    return node_.kind == Kind::index ? subscript(node_.affine) : "";
  }

 private:
  std::string check_arity() const {
    const std::size_t n = node_.operands.size();
    switch (node_.kind) {
      case Kind::input:
      case Kind::index:
        return n == 0 ? "" : "a leaf with operands";
      case Kind::constant:
        return n == 0 && node_.coefficients.size() == 1 && node_.rank == 0 ? "" : "a malformed constant";
      case Kind::elementwise:
        return elementwise_arity();
      case Kind::sum:
        return n == node_.coefficients.size() && n > 0 ? "" : "coefficients and terms differ in number";
      case Kind::contraction:
        return node_.coefficients.size() == 1 ? "" : "a contraction has one coefficient";
      case Kind::reduce:
        return n == (node_.reduction == Reduction::exponentials ? 4u : 1u) ? ""
                                                                           : "wrong number of operands of a reduction";
      case Kind::reshape:
        return n == 1 ? "" : "one operand expected";
      case Kind::softmax:
        return n == (node_.softmax == SoftmaxKind::logsumexp ? 1u : 2u) ? "" : "wrong number of operands of softmax";
      case Kind::order:
        return n == 1 && node_.rank > 0 && node_.labels.size() == node_.rank + 1 ? "" : "an order has one bound label";
      case Kind::given:
        return n % 2 == 1 ? "" : "a value and pairs of arguments and partial derivatives expected";
    }
    return "unknown kind";
  }

  std::string elementwise_arity() const {
    const FunctionRow& r = row(node_.function);
    if (node_.operands.size() != r.arity) return "wrong number of operands";
    const bool takes_truths = node_.function == Function::logical_and || node_.function == Function::logical_or ||
                              node_.function == Function::logical_not;
    const std::size_t truths = takes_truths ? r.arity : (node_.function == Function::select ? 1 : 0);
    for (std::size_t k = 0; k < truths; ++k)
      if (!graph_.is_condition(node_.operands[k].expr)) return "a truth value is needed";
    return "";
  }

  std::string operand(const Operand& o, bool whole) const {
    if (o.expr.id >= id_) return "an operand that does not come before its user";
    if (whole) return o.subscripts.empty() ? "" : "reshape reads its operand whole";
    if (o.subscripts.size() != graph_.rank(o.expr)) return "subscripts and axes differ in number";
    for (const auto& s : o.subscripts)
      if (const auto problem = subscript(s); !problem.empty()) return problem;
    return "";
  }

  std::string subscript(const Subscript& s) const {
    for (std::size_t k = 0; k < s.labels.size(); ++k) {
      if (s.labels[k].label >= node_.labels.size()) return "a label that the node does not have";
      if (k > 0 && s.labels[k - 1].label >= s.labels[k].label) return "label terms out of order";
      if (graph_.sizes().is_zero(s.labels[k].coefficient)) return "a zero coefficient";
    }
    for (const auto& d : s.data) {
      if (d.data.id >= id_) return "index data that do not come before their user";
      if (d.subscripts.size() != graph_.rank(d.data)) return "subscripts and axes of index data differ in number";
      for (const auto& inner : d.subscripts)
        if (const auto problem = subscript(inner); !problem.empty()) return problem;
    }
    return "";
  }

  const Graph& graph_;
  const Node& node_;
  std::uint32_t id_;
};

std::string text(const Graph& graph, const Subscript& s) {
  const Sizes& sizes = graph.sizes();
  std::string out;
  const auto term = [&](Size coefficient, const std::string& what) {
    if (!out.empty()) out += " + ";
    out += sizes.is_one(coefficient) ? what : fmt::format("({})*{}", sizes.to_string(coefficient), what);
  };
  for (const auto& t : s.labels) term(t.coefficient, fmt::format("l{}", t.label));
  for (const auto& d : s.data) {
    std::string inner = fmt::format("%{}[", d.data.id);
    for (const auto& sub : d.subscripts) inner += text(graph, sub) + ",";
    term(d.coefficient, inner + "]");
  }
  if (out.empty() || !sizes.is_zero(s.offset)) out += (out.empty() ? "" : " + ") + sizes.to_string(s.offset);
  return out;
}

std::string text(const Graph& graph, const Operand& o) {
  std::string out = fmt::format("%{}", o.expr.id);
  if (o.subscripts.empty()) return out;
  out += "[";
  for (std::size_t k = 0; k < o.subscripts.size(); ++k) out += (k > 0 ? ", " : "") + text(graph, o.subscripts[k]);
  return out + "]";
}

std::string text(const Graph& graph, const Guard& g) {
  switch (g.kind) {
    case Guard::Kind::nonnegative:
      return text(graph, g.affine) + " >= 0";
    case Guard::Kind::zero:
      return text(graph, g.affine) + " == 0";
    case Guard::Kind::nonzero:
      return text(graph, g.affine) + " != 0";
    case Guard::Kind::condition:
      return text(graph, g.condition);
  }
  return "";
}

}  // namespace

std::string verify_graph(const Graph& graph, const std::vector<Expr>& roots) {
  for (const Expr e : graph.reachable(roots))
    if (const auto problem = Verifier(graph, e).check(); !problem.empty()) return problem + ": " + debug_text(graph, e);
  return "";
}

std::string debug_text(const Graph& graph, Expr e) {
  static constexpr const char* kinds[] = {"input",  "constant", "index",   "elementwise", "sum",  "contraction",
                                          "reduce", "softmax",  "reshape", "order",       "given"};
  const Node& n = graph[e];
  std::string out = fmt::format("%{} = {}", e.id, kinds[static_cast<int>(n.kind)]);
  if (n.kind == Kind::elementwise) out += fmt::format(" {}", row(n.function).name);
  if (n.kind == Kind::reduce) out += fmt::format(" #{}", static_cast<int>(n.reduction));
  if (n.kind == Kind::input) out += fmt::format(" {}", n.payload);
  if (n.kind == Kind::index) out += " " + text(graph, n.affine);
  out += " [";
  for (std::size_t k = 0; k < n.labels.size(); ++k)
    out += (k == n.rank ? "; " : (k > 0 ? ", " : "")) + graph.sizes().to_string(n.labels[k]);
  out += "]";
  for (const auto& c : n.coefficients) out += " " + c.to_string();
  for (const auto& o : n.operands) out += " " + text(graph, o);
  for (const auto& g : n.guards) out += " : " + text(graph, g);
  return out;
}

}  // namespace gradus
