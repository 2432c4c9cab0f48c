// What becomes of sums of weighted exponentials under logarithms, and which they were.
#pragma once

#include <cstdint>
#include <unordered_set>

#include "symbolic/graph.hpp"

namespace gradus::rules {

/// Sums Σ w·exp(x) whose weights may have any sign, under a logarithm. Code shifts them by their largest exponent. A
/// reader sees them as they were written, and the quotients exp(y)/Σ w·exp(x) of their slopes too, which are shifted
/// when the text is read; where that would not be seen, he reads exp(y - log(Σ w·exp(x))).
class Shifts {
 public:
  enum class Form : std::uint8_t { shifted, quotients, logarithms };

  explicit Shifts(Form form) : form_(form) {}
  Form form() const { return form_; }
  bool are_made() const { return form_ == Form::shifted; }
  /// A sum that was left as it is.
  void remember(Expr sum) { left_.insert(sum.id); }
  bool remembers(Expr sum) const { return left_.contains(sum.id); }
  bool empty() const { return left_.empty(); }

 private:
  Form form_;
  std::unordered_set<std::uint32_t> left_;
};

}  // namespace gradus::rules
