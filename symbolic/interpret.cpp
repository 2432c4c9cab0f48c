// The reference interpreter: each reachable node in order, one array at a time, by the definitions in graph.hpp.
#include "symbolic/interpret.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "symbolic/reference_loops.hpp"

namespace gradus {
namespace {

using namespace reference;

class Interpreter {
 public:
  Interpreter(const Graph& graph, const Bindings& bindings) : graph_(graph), bindings_(bindings) {}

  /// Inputs that are used instead of the bindings'.
  std::map<std::uint32_t, Tensor> replaced;

  std::vector<Tensor> run(const std::vector<Expr>& roots) {
    const std::vector<Expr> order = graph_.reachable(roots);
    if (order.empty()) return {};
    tensors_.assign(order.back().id + 1u, {});
    // A tensor is dropped after its last reader, so that long programs need little memory.
    std::vector<std::uint32_t> last_reader(tensors_.size(), 0);
    for (Expr e : order) graph_.each_child(e, [&](Expr child) { last_reader[child.id] = e.id; });
    for (Expr root : roots) last_reader[root.id] = UINT32_MAX;
    for (Expr e : order) {
      tensors_[e.id] = evaluate(graph_[e]);
      graph_.each_child(e, [&](Expr child) {
        if (last_reader[child.id] == e.id) tensors_[child.id] = {};
      });
    }
    std::vector<Tensor> results;
    for (std::size_t k = 0; k < roots.size(); ++k) {
      const bool again =
          std::find(roots.begin() + static_cast<std::ptrdiff_t>(k) + 1, roots.end(), roots[k]) != roots.end();
      results.push_back(again ? tensors_[roots[k].id] : std::move(tensors_[roots[k].id]));
    }
    return results;
  }

  std::int64_t size(Size s) const {
    const auto value = graph_.sizes().evaluate(s, bindings_.sizes);
    if (!value) throw std::invalid_argument("evaluate_reference: no value for size " + graph_.sizes().to_string(s));
    return *value;
  }

 private:
  Tensor evaluate(const Node& node) {
    switch (node.kind) {
      case Kind::input:
        return input(node);
      case Kind::constant:
        return {{}, {Real(node.coefficients[0])}, {}};
      case Kind::index:
        return index(node);
      case Kind::elementwise:
        return elementwise(node);
      case Kind::sum:
        return sum(node);
      case Kind::contraction:
        return contraction(node);
      case Kind::reduce:
        return reduce(node);
      case Kind::softmax:
        return softmax(node);
      case Kind::reshape: {
        Tensor result = empty(node);
        result.values = tensors_[node.operands[0].expr.id].values;
        if (result.values.size() != static_cast<std::size_t>(count(result.shape, result.shape.size())))
          throw std::invalid_argument("evaluate_reference: reshape changes the number of elements");
        return result;
      }
      case Kind::order:
        return order(node);
      case Kind::given: {
        Node value = node;
        value.kind = Kind::contraction;
        value.labels.resize(node.rank);
        value.operands.resize(1);
        value.coefficients = {1};
        return contraction(value);
      }
    }
    throw std::logic_error("evaluate_reference: unknown kind of node");
  }

  Place place(const Subscript& s) {
    Place result;
    result.offset = size(s.offset);
    for (const LabelTerm& t : s.labels) result.labels.emplace_back(t.label, size(t.coefficient));
    for (const DataTerm& d : s.data) {
      read_as_integers(tensors_[d.data.id]);
      result.data.push_back({size(d.coefficient), &tensors_[d.data.id], places(d.subscripts)});
    }
    return result;
  }

  std::vector<Place> places(const std::vector<Subscript>& subscripts) {
    std::vector<Place> result;
    for (const Subscript& s : subscripts) result.push_back(place(s));
    return result;
  }

  Access access(const Operand& o) { return {&tensors_[o.expr.id], places(o.subscripts)}; }

  std::vector<Access> accesses(const Node& node) {
    std::vector<Access> result;
    for (const Operand& o : node.operands) result.push_back(access(o));
    return result;
  }

  Nest nest(const Node& node) {
    Nest result;
    for (Size s : node.labels) result.sizes.push_back(std::max<std::int64_t>(0, size(s)));
    result.tests.resize(node.labels.size() + 1);
    for (const Guard& g : node.guards) {
      Test test;
      test.kind = g.kind;
      Graph::each_label(g, [&](Label l) { test.last = std::max(test.last, l + 1); });
      if (g.kind == Guard::Kind::condition) {
        test.condition = access(g.condition);
      } else {
        test.affine = place(g.affine);
        if (test.affine.data.empty() && !test.affine.labels.empty()) test.slope = test.affine.labels.back().second;
      }
      result.tests[test.last].push_back(std::move(test));
    }
    return result;
  }

  /// A tensor of the node's shape without values.
  Tensor empty(const Node& node) const {
    Tensor result;
    for (std::uint32_t k = 0; k < node.rank; ++k)
      result.shape.push_back(std::max<std::int64_t>(0, size(node.labels[k])));
    result.values.reserve(static_cast<std::size_t>(count(result.shape, result.shape.size())));
    return result;
  }

  static void fill(Tensor& t, const Real& value) {
    t.values.assign(static_cast<std::size_t>(count(t.shape, t.shape.size())), value);
  }

  Tensor input(const Node& node) {
    if (const auto r = replaced.find(node.payload); r != replaced.end()) return r->second;
    const auto bound = bindings_.inputs.find(node.payload);
    if (bound == bindings_.inputs.end())
      throw std::invalid_argument("evaluate_reference: no value for input " + std::to_string(node.payload));
    Tensor result = empty(node);
    for (double x : bound->second.values) result.values.emplace_back(x);
    if (result.values.size() != static_cast<std::size_t>(count(result.shape, result.shape.size())))
      throw std::invalid_argument("evaluate_reference: input " + std::to_string(node.payload) + " has another shape");
    return result;
  }

  Tensor index(const Node& node) {
    Tensor result = empty(node);
    const Place affine = place(node.affine);
    nest(node).run([&](const std::int64_t* l) {
      const std::int64_t value = affine.at(l);
      result.values.push_back(value == no_integer ? Real::not_a_number() : Real(value));
    });
    return result;
  }

  Tensor elementwise(const Node& node) {
    Tensor result = empty(node);
    const std::vector<Access> operands = accesses(node);
    const Real outside = Real::not_a_number();
    nest(node).run([&](const std::int64_t* l) {
      const auto operand = [&](std::size_t k) -> const Real& {
        const Real* x = k < operands.size() ? operands[k].at(l) : nullptr;
        return x != nullptr ? *x : outside;
      };
      if (node.function == Function::select)
        result.values.push_back(operand(0).is_zero() || operand(0).is_nan() ? operand(2) : operand(1));
      else
        result.values.push_back(reference_value(node.function, operand(0), operand(1), operand(2)));
    });
    return result;
  }

  Tensor sum(const Node& node) {
    Tensor result = empty(node);
    const std::vector<Access> operands = accesses(node);
    std::vector<Real> coefficients;
    for (const Rational& c : node.coefficients) coefficients.emplace_back(c);
    const Real outside = Real::not_a_number();
    Real product;
    nest(node).run([&](const std::int64_t* l) {
      Real total;
      for (std::size_t k = 0; k < operands.size(); ++k) {
        const Real* x = operands[k].at(l);
        mpfr_mul(product.raw(), coefficients[k].raw(), (x != nullptr ? *x : outside).raw(), MPFR_RNDN);
        total += product;
      }
      result.values.push_back(std::move(total));
    });
    return result;
  }

  /// Runs body(element of the result, labels) over all labels.
  template <class Body>
  void accumulate(const Node& node, Tensor& result, Body&& body) {
    nest(node).run([&](const std::int64_t* l) {
      std::int64_t where = 0;
      for (std::size_t k = 0; k < result.shape.size(); ++k) where = where * result.shape[k] + l[k];
      body(static_cast<std::size_t>(where), l);
    });
  }

  Tensor contraction(const Node& node) {
    Tensor result = empty(node);
    fill(result, 0);
    const std::vector<Access> operands = accesses(node);
    const Real one = 1, outside = Real::not_a_number();
    Real product;
    accumulate(node, result, [&](std::size_t where, const std::int64_t* l) {
      const Real* first = operands.empty() ? &one : operands[0].at(l);
      if (operands.size() <= 1) {
        result.values[where] += first != nullptr ? *first : Real::not_a_number();
        return;
      }
      const Real* left = first != nullptr ? first : &outside;
      for (std::size_t k = 1; k < operands.size(); ++k) {
        const Real* right = operands[k].at(l);
        mpfr_mul(product.raw(), left->raw(), (right != nullptr ? *right : outside).raw(), MPFR_RNDN);
        left = &product;
      }
      result.values[where] += product;
    });
    if (!node.coefficients[0].is_one())
      for (Real& x : result.values) x *= Real(node.coefficients[0]);
    return result;
  }

  Tensor reduce(const Node& node) {
    Tensor result = empty(node);
    const Access operand = access(node.operands[0]);
    fill(result, initial(node.reduction));
    std::vector<Real> best(is_position(node.reduction) ? result.values.size() : 0, Real::not_a_number());
    std::vector<char> seen(result.values.size(), 0);
    accumulate(node, result, [&](std::size_t where, const std::int64_t* l) {
      const Real* read = operand.at(l);
      const Real x = read != nullptr ? *read : Real::not_a_number();
      Real& value = result.values[where];
      const bool first = !std::exchange(seen[where], 1);
      switch (node.reduction) {
        case Reduction::maximum:
          value = first ? x : max(value, x);
          break;
        case Reduction::minimum:
          value = first ? x : min(value, x);
          break;
        case Reduction::product:
          value *= x;
          break;
        case Reduction::any:
          value = max(value, x);
          break;
        case Reduction::all:
          value = min(value, x);
          break;
        case Reduction::norm:
          value = hypot(value, x);
          break;
        case Reduction::argmax:
        case Reduction::argmin:
          if (first || (node.reduction == Reduction::argmax ? best[where] < x : x < best[where])) {
            best[where] = x;
            value = Real(l[node.rank]);
          }
          break;
        case Reduction::exponentials:
          throw std::logic_error("evaluate_reference: a reduction of the planner");
      }
    });
    return result;
  }

  static Real initial(Reduction r) {
    switch (r) {
      case Reduction::maximum:
      case Reduction::minimum:
      case Reduction::argmax:
      case Reduction::argmin:
        return Real::not_a_number();
      case Reduction::product:
      case Reduction::all:
        return 1;
      case Reduction::any:
      case Reduction::norm:
      case Reduction::exponentials:
        return 0;
    }
    throw std::logic_error("evaluate_reference: unknown reduction");
  }

  /// (m, s) for each element of the result that differs in what the reduction reads.
  struct Softmax {
    std::vector<Label> kept;  // axes on which m and s depend
    Tensor maximum, sum;
  };

  /// Where the state of an element is.
  static std::size_t state(const Softmax& s, const std::int64_t* labels) {
    std::int64_t where = 0;
    for (std::size_t k = 0; k < s.kept.size(); ++k) where = where * s.maximum.shape[k] + labels[s.kept[k]];
    return static_cast<std::size_t>(where);
  }

  Softmax softmax_state(const Node& node, const Operand& under) {
    // Axes that only choose the element of a projection are pinned to 0, so the state costs no more than logsumexp.
    Softmax result;
    std::vector<char> used(node.labels.size(), 0);
    Graph::each_label(under, [&](Label l) { used[l] = 1; });
    for (const Guard& g : node.guards) Graph::each_label(g, [&](Label l) { used[l] = 1; });
    Nest loops = nest(node);
    for (Label l = 0; l < node.rank; ++l) {
      if (used[l]) {
        result.kept.push_back(l);
        result.maximum.shape.push_back(loops.sizes[l]);
      } else {
        loops.sizes[l] = std::min<std::int64_t>(1, loops.sizes[l]);
      }
    }
    result.sum.shape = result.maximum.shape;
    fill(result.maximum, -Real::infinity());
    fill(result.sum, 0);
    const Access x = access(under);
    const auto value = [&](const std::int64_t* l) {
      const Real* read = x.at(l);
      return read != nullptr ? *read : Real::not_a_number();
    };
    loops.run([&](const std::int64_t* l) {
      Real& m = result.maximum.values[state(result, l)];
      m = max(m, value(l));
    });
    loops.run([&](const std::int64_t* l) {
      const std::size_t where = state(result, l);
      const Real& m = result.maximum.values[where];
      const Real v = value(l);
      result.sum.values[where] += v == m ? Real(1) : exp(v - m);  // equal infinities included
    });
    return result;
  }

  Tensor softmax(const Node& node) {
    Tensor result = empty(node);
    const Softmax reduced = softmax_state(node, node.operands.back());
    const Access element = access(node.operands[0]);
    Nest axes;
    axes.sizes = result.shape;
    axes.tests.resize(result.shape.size() + 1);
    const Real lowest = -Real::infinity();
    axes.run([&](const std::int64_t* l) {
      const std::size_t where = state(reduced, l);
      const Real& m = reduced.maximum.values[where];
      const Real& s = reduced.sum.values[where];
      if (node.softmax == SoftmaxKind::logsumexp) {
        result.values.push_back(m == lowest ? lowest : m + log(s));
        return;
      }
      const Real* read = element.at(l);
      const Real e = read != nullptr ? *read : Real::not_a_number();
      if (node.softmax == SoftmaxKind::log_softmax)
        result.values.push_back((e - m) - log(s));
      else
        result.values.push_back(m == lowest ? Real(0) : exp(e - m) / s);
    });
    return result;
  }

  Tensor order(const Node& node) {
    Tensor result = empty(node);
    fill(result, 0);
    const std::int64_t count = result.shape.back();
    if (count == 0) return result;
    const Access operand = access(node.operands[0]);
    const std::size_t rows = result.values.size() / static_cast<std::size_t>(count);
    std::vector<std::vector<std::pair<Real, std::int64_t>>> chosen(rows);
    Nest loops = nest(node);
    loops.sizes[node.rank - 1] = 1;
    loops.run([&](const std::int64_t* l) {
      std::int64_t row = 0;
      for (std::uint32_t k = 0; k + 1 < node.rank; ++k) row = row * result.shape[k] + l[k];
      const Real* x = operand.at(l);
      chosen[static_cast<std::size_t>(row)].emplace_back(x != nullptr ? *x : Real::not_a_number(), l[node.rank]);
    });
    for (std::size_t row = 0; row < rows; ++row) {
      auto& list = chosen[row];
      std::ranges::stable_sort(list, [](const auto& a, const auto& b) {
        return a.first < b.first || (b.first.is_nan() && !a.first.is_nan());
      });
      std::vector<char> placed(static_cast<std::size_t>(count), 0);
      auto to = result.values.begin() + static_cast<std::ptrdiff_t>(row) * count;
      for (const auto& [value, position] : list) {
        *to++ = Real(position);
        placed[static_cast<std::size_t>(position)] = 1;
      }
      for (std::int64_t k = 0; k < count; ++k)
        if (placed[static_cast<std::size_t>(k)] == 0) *to++ = Real(k);
    }
    return result;
  }

  static Real reference_value(Function f, const Real& x, const Real& y, const Real& z);

  const Graph& graph_;
  const Bindings& bindings_;
  std::vector<Tensor> tensors_;  // by Expr::id
};

Real Interpreter::reference_value(Function f, [[maybe_unused]] const Real& x, [[maybe_unused]] const Real& y,
                                  [[maybe_unused]] const Real& z) {
  switch (f) {
#define GRADUS_FUNCTION(id, name, arity, spelling, condition, total, latex, value, partials, domain, kinks, selects, \
                        lowering, doc)                                                                               \
  case Function::id:                                                                                                 \
    return value;
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
  }
  throw std::logic_error("evaluate_reference: unknown function");
}

Array rounded(const Tensor& t) {
  Array result;
  result.shape = t.shape;
  for (const Real& x : t.values) result.values.push_back(x.to_double());
  return result;
}

/// The step of difference quotients: the error of a central one is about its square.
Real step_of(unsigned bits) { return exp2(Real(-static_cast<int>(bits / 3))); }

/// root at x + step·v.
Tensor shifted(const Graph& graph, Expr root, const Bindings& bindings, const std::map<std::uint32_t, Array>& direction,
               const Real& step) {
  Interpreter interpreter(graph, bindings);
  for (const auto& [number, v] : direction) {
    const Array& at = bindings.inputs.at(number);
    Tensor moved;
    moved.shape = at.shape;
    for (std::size_t k = 0; k < at.values.size(); ++k)
      moved.values.push_back(Real(at.values[k]) + step * Real(v.values[k]));
    interpreter.replaced.emplace(number, std::move(moved));
  }
  return std::move(interpreter.run({root})[0]);
}

}  // namespace

std::vector<Array> evaluate_reference(const Graph& graph, const std::vector<Expr>& roots, const Bindings& bindings,
                                      unsigned bits) {
  const PrecisionScope scope(bits);
  std::vector<Array> results;
  for (const Tensor& t : Interpreter(graph, bindings).run(roots)) results.push_back(rounded(t));
  return results;
}

Array central_difference(const Graph& graph, Expr root, const Bindings& bindings,
                         const std::map<std::uint32_t, Array>& direction, unsigned bits) {
  const PrecisionScope scope(bits);
  const Real h = step_of(bits);
  Tensor high = shifted(graph, root, bindings, direction, h);
  const Tensor low = shifted(graph, root, bindings, direction, -h);
  for (std::size_t k = 0; k < high.values.size(); ++k) high.values[k] = (high.values[k] - low.values[k]) / (h + h);
  return rounded(high);
}

Differences differences(const Graph& graph, Expr root, const Bindings& bindings,
                        const std::map<std::uint32_t, Array>& direction, unsigned bits) {
  const PrecisionScope scope(bits);
  const Real h = step_of(bits);
  Tensor high = shifted(graph, root, bindings, direction, h), low = shifted(graph, root, bindings, direction, -h);
  const Tensor middle = shifted(graph, root, bindings, direction, 0);
  Tensor central = high;
  for (std::size_t k = 0; k < middle.values.size(); ++k) {
    central.values[k] = (high.values[k] - low.values[k]) / (h + h);
    high.values[k] = (high.values[k] - middle.values[k]) / h;
    low.values[k] = (middle.values[k] - low.values[k]) / h;
  }
  return {rounded(low), rounded(high), rounded(central)};
}

}  // namespace gradus
