// The order in which every rule makes its root smaller, so that rewriting ends: a recursive path order.
#pragma once

#include "symbolic/rules/pattern.hpp"

namespace gradus::rules {

/// Whether `after` is smaller than `before`: some part of `before` is at least as large, or the head of `before` ranks
/// higher than that of `after` and all parts of `after` are smaller, or the heads are equal and the parts of `after`
/// are a smaller multiset. Scales and signs do not count, values without variables count as numbers. Ranks: see
/// order.cpp.
bool smaller(const Pattern& after, const Pattern& before);

}  // namespace gradus::rules
