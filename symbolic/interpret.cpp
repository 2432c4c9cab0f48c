// The reference interpreter: each reachable node in order, one array at a time, by the definitions in graph.hpp.
#include "symbolic/interpret.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include "symbolic/real.hpp"

namespace gradus {
namespace {

constexpr std::int64_t no_integer = INT64_MIN;  // what a value that is no integer counts as in a subscript

/// A node's values, row-major.
struct Tensor {
  std::vector<std::int64_t> shape;
  std::vector<Real> values;
  std::vector<std::int64_t> integers;  // of index data, filled when first read as subscripts
};

std::int64_t count(const std::vector<std::int64_t>& shape, std::size_t rank) {
  std::int64_t product = 1;
  for (std::size_t k = 0; k < rank; ++k) product *= shape[k];
  return product;
}

void read_as_integers(Tensor& t) {
  if (t.integers.size() == t.values.size()) return;
  t.integers.clear();
  for (const Real& x : t.values) {
    const bool whole = mpfr_integer_p(x.raw()) && mpfr_fits_slong_p(x.raw(), MPFR_RNDN);
    t.integers.push_back(whole ? mpfr_get_si(x.raw(), MPFR_RNDN) : no_integer);
  }
}

/// A subscript with the sizes put in.
struct Place {
  struct Data;
  std::int64_t offset = 0;
  std::vector<std::pair<Label, std::int64_t>> labels;
  std::vector<Data> data;

  std::int64_t at(const std::int64_t* label_values) const;
};

struct Place::Data {
  std::int64_t coefficient = 0;
  const Tensor* tensor = nullptr;
  std::vector<Place> subscripts;
};

/// The position of an element, or -1 outside.
std::int64_t position(const Tensor& t, const std::vector<Place>& subscripts, const std::int64_t* label_values) {
  std::int64_t result = 0;
  for (std::size_t k = 0; k < subscripts.size(); ++k) {
    const std::int64_t s = subscripts[k].at(label_values);
    if (s < 0 || s >= t.shape[k]) return -1;
    result = result * t.shape[k] + s;
  }
  return result;
}

std::int64_t Place::at(const std::int64_t* label_values) const {
  std::int64_t result = offset;
  for (const auto& [label, coefficient] : labels) result += coefficient * label_values[label];
  for (const Data& d : data) {
    const std::int64_t where = position(*d.tensor, d.subscripts, label_values);
    const std::int64_t value = where < 0 ? no_integer : d.tensor->integers[static_cast<std::size_t>(where)];
    if (value == no_integer) return no_integer;
    result += d.coefficient * value;
  }
  return result;
}

struct Access {
  const Tensor* tensor = nullptr;
  std::vector<Place> subscripts;

  /// The element, or null outside.
  const Real* at(const std::int64_t* label_values) const {
    const std::int64_t where = position(*tensor, subscripts, label_values);
    return where < 0 ? nullptr : &tensor->values[static_cast<std::size_t>(where)];
  }
};

struct Test {
  Guard::Kind kind = Guard::Kind::nonnegative;
  Place affine;
  Access condition;
  Label last = 0;          // one more than the last label it depends on
  std::int64_t slope = 0;  // of label `last - 1`, when the test bounds that label's loop (no data)

  bool holds(const std::int64_t* label_values) const {
    if (kind == Guard::Kind::condition) {
      const Real* c = condition.at(label_values);
      return c != nullptr && !c->is_nan() && !c->is_zero();
    }
    const std::int64_t value = affine.at(label_values);
    if (value == no_integer) return false;
    return kind == Guard::Kind::nonnegative ? value >= 0 : (value == 0) == (kind == Guard::Kind::zero);
  }
};

/// The loops over a node's labels with its guards.
class Nest {
 public:
  std::vector<std::int64_t> sizes;
  std::vector<std::vector<Test>> tests;  // by Test::last

  /// Calls body(label values) where all guards hold.
  template <class Body>
  void run(Body&& body) const {
    std::vector<std::int64_t> values(sizes.size() + 1);
    for (const Test& t : tests[0])
      if (!t.holds(values.data())) return;
    loop(0, values.data(), body);
  }

 private:
  template <class Body>
  void loop(std::size_t depth, std::int64_t* values, Body& body) const {
    if (depth == sizes.size()) return body(values);
    auto [low, high] = bounds(depth, values);
    for (; low < high; ++low) {
      values[depth] = low;
      if (std::all_of(tests[depth + 1].begin(), tests[depth + 1].end(), [&](const Test& t) { return t.holds(values); }))
        loop(depth + 1, values, body);
    }
  }

  /// Where the guards that bound this label leave it a chance; the guards are tested again all the same.
  std::pair<std::int64_t, std::int64_t> bounds(std::size_t depth, std::int64_t* values) const {
    std::int64_t low = 0, high = sizes[depth];
    values[depth] = 0;
    for (const Test& t : tests[depth + 1]) {
      if (t.slope == 0 || t.kind == Guard::Kind::nonzero) continue;
      const std::int64_t rest = t.affine.at(values), step = t.slope < 0 ? -t.slope : t.slope;
      // slope × label + rest: the last label where it is at most 0, seen from the side where it grows.
      const std::int64_t quotient = rest >= 0 ? rest / step : -((-rest + step - 1) / step);  // floor(rest / step)
      if (t.slope < 0) high = std::min(high, quotient + 1);
      if (t.slope > 0) low = std::max(low, -quotient);
      if (t.kind == Guard::Kind::zero && t.slope < 0) low = std::max(low, quotient);
      if (t.kind == Guard::Kind::zero && t.slope > 0) high = std::min(high, -quotient + 1);
    }
    return {low, high};
  }
};

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
    for (Expr root : roots) results.push_back(tensors_[root.id]);
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
    nest(node).run([&](const std::int64_t* l) {
      Real total;
      for (std::size_t k = 0; k < operands.size(); ++k) {
        const Real* x = operands[k].at(l);
        total += x != nullptr ? coefficients[k] * *x : Real::not_a_number();
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
    const Real one = 1;
    accumulate(node, result, [&](std::size_t where, const std::int64_t* l) {
      const Real* first = operands.empty() ? &one : operands[0].at(l);
      if (operands.size() <= 1) {
        result.values[where] += first != nullptr ? *first : Real::not_a_number();
        return;
      }
      Real product = first != nullptr ? *first : Real::not_a_number();
      for (std::size_t k = 1; k < operands.size(); ++k) {
        const Real* x = operands[k].at(l);
        product *= x != nullptr ? *x : Real::not_a_number();
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
      }
    });
    return result;
  }

  static bool is_position(Reduction r) { return r == Reduction::argmax || r == Reduction::argmin; }

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
  const Real h = exp2(Real(-static_cast<int>(bits / 3)));
  const auto shifted = [&](const Real& step) {
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
  };
  Tensor high = shifted(h);
  const Tensor low = shifted(-h);
  for (std::size_t k = 0; k < high.values.size(); ++k) high.values[k] = (high.values[k] - low.values[k]) / (h + h);
  return rounded(high);
}

}  // namespace gradus
