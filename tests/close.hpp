// Comparison of numbers in tests, by distance in units of the last place or relative error.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace gradus::testing {

/// Distance of two doubles in representable steps; huge when exactly one is NaN or the signs differ (0 equals -0).
inline std::uint64_t ulp_distance(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b) ? 0 : UINT64_MAX;
  if (a == b) return 0;
  const auto ordered = [](double x) {
    const auto bits = std::bit_cast<std::int64_t>(x);
    return bits < 0 ? INT64_MIN - bits : bits;
  };
  const std::int64_t x = ordered(a), y = ordered(b);
  return x > y ? static_cast<std::uint64_t>(x) - static_cast<std::uint64_t>(y)
               : static_cast<std::uint64_t>(y) - static_cast<std::uint64_t>(x);
}

/// Whether two doubles differ by at most `ulp` steps.
inline bool close(double a, double b, std::uint64_t ulp) { return ulp_distance(a, b) <= ulp; }

/// Whether a is within `tolerance` of b, relative to b (both NaN or equal infinities count as close).
inline bool close_relative(double a, double b, double tolerance) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == b) return true;
  if (!std::isfinite(a) || !std::isfinite(b)) return false;
  return std::fabs(a - b) <= tolerance * std::fabs(b);
}

}  // namespace gradus::testing
