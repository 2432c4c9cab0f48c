// Reproducible random numbers: the same seed gives the same values on every machine.
#pragma once

#include <cmath>
#include <cstdint>

namespace gradus {

/// SplitMix64 (Steele, Lea, Flood 2014): small, and every seed is a good one.
class Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) : state_(seed * 0x9E3779B97F4A7C15u + stream) {
    for (int k = 0; k < 4; ++k) next();
  }

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  /// In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// A whole number in 0 … count - 1; `count` must be positive.
  std::int64_t below(std::int64_t count) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(count));
  }
  /// Normal with mean 0 and standard deviation 1 (Marsaglia's polar method).
  double normal() {
    if (have_spare_) {
      have_spare_ = false;
      return spare_;
    }
    for (;;) {
      const double x = 2 * uniform() - 1, y = 2 * uniform() - 1, s = x * x + y * y;
      if (s >= 1 || s == 0) continue;
      const double factor = std::sqrt(-2 * std::log(s) / s);
      spare_ = y * factor;
      have_spare_ = true;
      return x * factor;
    }
  }

 private:
  std::uint64_t state_;
  double spare_ = 0;
  bool have_spare_ = false;
};

}  // namespace gradus
