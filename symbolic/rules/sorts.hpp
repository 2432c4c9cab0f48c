// What kind of value something is: tells in one look which of many patterns cannot match at a node.
#pragma once

#include <bitset>
#include <optional>

#include "symbolic/graph.hpp"
#include "symbolic/rules/pattern.hpp"

namespace gradus::rules {

/// Sums inside a sum, products inside a product are taken apart up to this many terms: a chain of sums would cost the
/// square of its length.
constexpr std::size_t widest_nested = 10;

/// A function, a number, a sum, a reduction. Values of different sorts never match.
using Sort = std::uint32_t;
/// Nothing where a pattern matches any sort.
std::optional<Sort> sort_of(const Pattern& p);
Sort sort_of(const Node& n);
Sort sort_of(Pattern::Reduction r);

/// The exponent of a power of a variable with a whole exponent.
std::optional<std::int64_t> power_of_variable(const Pattern& p);

/// The exponent where a pattern is a power of a number that the pattern leaves open.
std::optional<std::int64_t> power_of_number(const Pattern& p);

/// Whether a node can match a pattern at all: cheap, before anything is tried.
bool plausible(const Pattern& p, const Node& n);

/// What stands among the operands of a sum or a product, nested sums and products included.
class Anchors {
 public:
  Anchors(const Graph& graph, Expr root);
  /// False where the part that a sum or a product looks for first is not there.
  bool plausible(const Pattern& pattern) const;

 private:
  std::bitset<512> sorts_;
};

}  // namespace gradus::rules
