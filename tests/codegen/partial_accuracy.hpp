// The partials column of the function table read with numbers: doubles by our kernels, and high precision beside them.
#pragma once

#include "tests/codegen/accuracy.hpp"

namespace gradus::testing::partials {

/// A number that is computed both ways, each from its own operands only.
struct Pair {
  double fast = 0;
  Real exact = 0;
  Pair() = default;
  Pair(int n) : fast(n), exact(n) {}  // NOLINT(google-explicit-constructor): reads like mathematics
  Pair(double f, Real e) : fast(f), exact(std::move(e)) {}
};

inline Pair operator-(const Pair& a) { return {-a.fast, -a.exact}; }
inline Pair operator+(const Pair& a, const Pair& b) { return {a.fast + b.fast, a.exact + b.exact}; }
inline Pair operator-(const Pair& a, const Pair& b) { return {a.fast - b.fast, a.exact - b.exact}; }
inline Pair operator*(const Pair& a, const Pair& b) { return {a.fast * b.fast, a.exact * b.exact}; }
inline Pair operator/(const Pair& a, const Pair& b) { return {a.fast / b.fast, a.exact / b.exact}; }
inline Pair truth(bool fast, bool exact) { return {fast ? 1.0 : 0.0, exact ? 1 : 0}; }
inline Pair operator<(const Pair& a, const Pair& b) { return truth(a.fast < b.fast, a.exact < b.exact); }
inline Pair operator<=(const Pair& a, const Pair& b) { return truth(a.fast <= b.fast, a.exact <= b.exact); }
inline Pair operator==(const Pair& a, const Pair& b) { return truth(a.fast == b.fast, a.exact == b.exact); }
inline Pair operator!=(const Pair& a, const Pair& b) { return truth(a.fast != b.fast, a.exact != b.exact); }
inline Pair operator&&(const Pair& a, const Pair& b) { return a * b; }
inline Pair operator||(const Pair& a, const Pair& b) { return truth(a.fast + b.fast != 0, a.exact + b.exact != 0); }

inline Pair apply(Function f, const Pair& x, const Pair& y = 0, const Pair& z = 0) {
  return {kernels::evaluate(f, x.fast, y.fast, z.fast), exact_value(f, x.exact, y.exact, z.exact)};
}

// Each function of the table by its enumerator's name.
#define GRADUS_FUNCTION(id, name, arity, spelling, condition, total, latex, value, partials, domain, kinks, selects, \
                        lowering, doc)                                                                               \
  template <class... More>                                                                                           \
  [[maybe_unused]] Pair id(const Pair& first, const More&... more) {                                                 \
    return apply(Function::id, first, Pair(more)...);                                                                \
  }
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION

inline Pair number(const Pair&, int value) { return value; }
inline Pair pi(const Pair&) { return {3.141592653589793, Real::pi()}; }
inline Pair square(const Pair& x) { return x * x; }
inline Pair none() { return 0; }
inline Pair by(const Pair& p) { return p; }
inline Pair when(const Pair& c, const Pair& p) { return {c.fast != 0 ? p.fast : 0, c.exact != 0 ? p.exact : Real(0)}; }
inline Pair holds(const Pair& c) { return c; }
inline Pair fails(const Pair& c) { return truth(c.fast == 0, c.exact == 0); }
inline Pair shared(const Pair& tie) { return {tie.fast != 0 ? 0.5 : 1.0, tie.exact != 0 ? Real(0.5) : Real(1)}; }

inline std::vector<Pair> of(Function function, const Point& p) {
  [[maybe_unused]] const Pair x{p[0], p[0]}, y{p[1], p[1]}, z{p[2], p[2]}, f = apply(function, x, y, z);
  const auto list = [](auto... values) { return std::vector<Pair>{values...}; };
  switch (function) {
#define GRADUS_FUNCTION(id, name, arity, spelling, condition, total, latex, value, partials, domain, kinks, selects, \
                        lowering, doc)                                                                               \
  case Function::id:                                                                                                 \
    return list partials;
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
  }
  return {};
}

}  // namespace gradus::testing::partials
