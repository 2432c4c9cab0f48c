// The Unicode tables that characters.cpp searches (above ASCII; sorted by code point).
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradus::unicode {

struct Range {
  std::uint32_t first, last;
};

struct CombiningClass {
  std::uint32_t first, last;
  std::uint8_t value;
};

/// Canonical decomposition into one (second = 0) or two code points; `composes` when NFC puts it together again.
struct Decomposition {
  std::uint32_t code, first, second;
  bool composes;
};

extern const Range letters[], marks[], digits[], invisible[], wide[];
extern const std::size_t letters_count, marks_count, digits_count, invisible_count, wide_count;
extern const CombiningClass combining_classes[];
extern const std::size_t combining_classes_count;
extern const Decomposition decompositions[];
extern const std::size_t decompositions_count;

}  // namespace gradus::unicode
