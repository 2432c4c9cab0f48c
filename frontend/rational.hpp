// Exact rational numbers: literals stay exact until code is generated.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gradus {

/// An exact rational in lowest terms with a positive denominator; small values need no allocation. Immutable.
class Rational {
 public:
  Rational() = default;
  Rational(std::int64_t integer)
      : numerator_(integer) {}  // NOLINT(google-explicit-constructor): reads like mathematics
  /// `numerator / denominator`; the denominator must not be 0.
  static Rational ratio(std::int64_t numerator, std::int64_t denominator);
  /// The value of a decimal literal (`3`, `0.5`, `1e-3`, `.5`, `2.`); nothing when it is malformed or needs more than
  /// `max_bits` bits.
  static std::optional<Rational> parse(std::string_view literal);
  /// The exact value of a finite double.
  static Rational from_double(double value);

  static constexpr std::uint32_t max_bits = 65536;

  bool is_zero() const;
  bool is_one() const;
  bool is_integer() const;
  /// Whether its magnitude is between 2^-128 and 2^128, far from the ends of doubles, and its parts have at most 300
  /// bits: numbers that products inside products may be multiplied by, together.
  bool is_moderate() const;
  /// -1, 0 or 1.
  int sign() const;
  /// The value when it is an integer that fits.
  std::optional<std::int64_t> as_int64() const;
  Rational numerator() const;
  Rational denominator() const;
  /// The nearest double (infinite when out of range).
  double to_double() const;
  /// As an exact literal: an integer, a decimal where it is finite and short, else `p/q`.
  std::string to_string() const;
  std::size_t hash() const;

  Rational operator-() const;
  friend Rational operator+(const Rational& a, const Rational& b);
  friend Rational operator-(const Rational& a, const Rational& b);
  friend Rational operator*(const Rational& a, const Rational& b);
  /// The divisor must not be 0.
  friend Rational operator/(const Rational& a, const Rational& b);
  /// Integer power; nothing when the result needs more than `max_bits` bits or is 0 to a negative power.
  std::optional<Rational> power(std::int64_t exponent) const;
  friend bool operator==(const Rational& a, const Rational& b);
  friend std::strong_ordering operator<=>(const Rational& a, const Rational& b);

 private:
  struct Big;  // holds a cpp_rational; used only when a part does not fit 64 bits
  static Rational normalise(Big big);
  Big to_big() const;

  std::int64_t numerator_ = 0;
  std::int64_t denominator_ = 1;
  std::shared_ptr<const Big> big_;
};

}  // namespace gradus
