// What the reference interpreter runs over: arrays of high-precision numbers, subscripts with their sizes put in, and
// the loops over a node's labels with its guards.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "symbolic/graph.hpp"
#include "symbolic/real.hpp"

namespace gradus::reference {

constexpr std::int64_t no_integer = INT64_MIN;  // what a value that is no integer counts as in a subscript

/// A node's values, row-major.
struct Tensor {
  std::vector<std::int64_t> shape;
  std::vector<Real> values;
  std::vector<std::int64_t> integers;  // of index data, filled when first read as subscripts
};

inline std::int64_t count(const std::vector<std::int64_t>& shape, std::size_t rank) {
  std::int64_t product = 1;
  for (std::size_t k = 0; k < rank; ++k) product *= shape[k];
  return product;
}

inline void read_as_integers(Tensor& t) {
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
inline std::int64_t position(const Tensor& t, const std::vector<Place>& subscripts, const std::int64_t* label_values) {
  std::int64_t result = 0;
  for (std::size_t k = 0; k < subscripts.size(); ++k) {
    const std::int64_t s = subscripts[k].at(label_values);
    if (s < 0 || s >= t.shape[k]) return -1;
    result = result * t.shape[k] + s;
  }
  return result;
}

inline std::int64_t Place::at(const std::int64_t* label_values) const {
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

}  // namespace gradus::reference
