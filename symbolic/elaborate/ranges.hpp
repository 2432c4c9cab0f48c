// Range inference (LANGUAGE section 5): from the subscripts an index stands in to its range.
#pragma once

#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "frontend/source.hpp"
#include "symbolic/elaborate/value.hpp"

namespace gradus::elaboration {

/// The range of an index: begin <= index < begin + size.
struct IndexRange {
  Size begin;
  Size size;
};

/// A subscript met in a dry run, in which an index of unknown range stands for its own value.
struct Constraint {
  Subscript subscript;
  Size size;             // of the axis
  bool same_as = false;  // the axis runs like the index `like` instead
  bool shifted = false;  // … from that index's begin, not from 0
  Label like = 0;
  bool guarded = false;  // a condition or filter mentions one of its indices
  bool bare = false;     // the subscript is the bare index
  Span span = Span::none();
  std::string base;  // what is subscripted, for messages
  std::string text;  // the subscript as written
};

/// An index whose range is open.
struct UnknownIndex {
  Label label = 0;
  std::tuple<std::uint32_t, std::uint32_t, std::uint32_t> key;
  std::string name;
  Span span = Span::none();  // what an error marks
  bool left_side = false;
  bool hull = false;  // `in` with bounds that depend on other indices: the smallest range that covers them
  Subscript hull_begin, hull_end;
};

/// What became of one index.
struct Solution {
  bool solved = false;
  IndexRange range;
  std::string error;  // empty when an earlier error explains it
  std::vector<std::string> help;
  std::optional<IndexRange> shifted;  // an index of a left side that does not begin at 0: the range it would have
  std::pair<std::string, std::string> between;  // two subscripted values that disagree: said once a pair
  std::string warning;
  Span warning_span = Span::none();
};

/// Solves all open indices of an equation together.
std::vector<Solution> infer_ranges(Build& build, const std::vector<UnknownIndex>& unknown,
                                   const std::vector<Constraint>& constraints);

}  // namespace gradus::elaboration
