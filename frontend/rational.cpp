// Exact rationals: 64-bit parts with overflow checks, and arbitrary precision behind `Big` when they do not fit.
#include "frontend/rational.hpp"

#include <bit>
#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <limits>
#include <numeric>

namespace gradus {

using Integer = boost::multiprecision::cpp_int;
using Fraction = boost::multiprecision::cpp_rational;

struct Rational::Big {
  Fraction value;
};

namespace {

constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

/// Absolute value without overflow at the smallest integer.
std::uint64_t magnitude(std::int64_t x) {
  return x < 0 ? ~static_cast<std::uint64_t>(x) + 1 : static_cast<std::uint64_t>(x);
}

std::uint32_t bits(const Integer& x) {
  return x.is_zero() ? 0 : static_cast<std::uint32_t>(boost::multiprecision::msb(x < 0 ? Integer(-x) : x)) + 1;
}

bool fits(const Integer& x) { return x >= smallest && x <= largest; }

Integer power_of_ten(std::uint32_t exponent) { return boost::multiprecision::pow(Integer(10), exponent); }

/// Digits, fraction digits and exponent of a decimal literal.
struct Decimal {
  std::string digits;         // integer and fraction digits together
  std::int64_t exponent = 0;  // value = digits * 10^exponent
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<Decimal> scan(std::string_view text) {
  Decimal result;
  std::size_t i = 0;
  while (i < text.size() && is_digit(text[i])) result.digits += text[i++];
  if (i < text.size() && text[i] == '.') {
    for (++i; i < text.size() && is_digit(text[i]); ++i) {
      result.digits += text[i];
      --result.exponent;
    }
  }
  if (result.digits.empty()) return std::nullopt;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    const bool has_sign = i < text.size() && (text[i] == '+' || text[i] == '-');
    const bool negative = has_sign && text[i] == '-';
    if (has_sign) ++i;
    if (i == text.size()) return std::nullopt;
    std::int64_t exponent = 0;
    for (; i < text.size() && is_digit(text[i]); ++i) {
      if (exponent < 1'000'000'000) exponent = 10 * exponent + (text[i] - '0');
    }
    result.exponent += negative ? -exponent : exponent;
  }
  if (i != text.size()) return std::nullopt;
  const std::size_t nonzero = result.digits.find_first_not_of('0');
  result.digits.erase(0, nonzero == std::string::npos ? result.digits.size() : nonzero);
  while (!result.digits.empty() && result.digits.back() == '0') {
    result.digits.pop_back();
    ++result.exponent;
  }
  return result;
}

/// 2^exponent as an exact fraction.
Fraction power_of_two(int exponent) {
  const Integer p = Integer(1) << static_cast<unsigned>(std::abs(exponent));
  return exponent < 0 ? Fraction(Integer(1), p) : Fraction(p);
}

/// The double nearest to n/d (ties to even), n and d positive: 55 leading bits and a sticky bit, then one rounding.
double nearest(Integer n, Integer d) {
  const int shift = 66 - (static_cast<int>(bits(n)) - static_cast<int>(bits(d)));
  if (shift > 0) {
    n <<= static_cast<unsigned>(shift);
  } else {
    d <<= static_cast<unsigned>(-shift);
  }
  Integer quotient;
  Integer remainder;
  boost::multiprecision::divide_qr(n, d, quotient, remainder);
  // quotient has 66 or 67 bits, and the value is quotient * 2^-shift; subnormal results keep fewer bits.
  const int exponent = static_cast<int>(bits(quotient)) - 1 - shift;
  if (exponent > 1024) return std::numeric_limits<double>::infinity();
  const int kept = exponent >= -1022 ? 53 : 53 + (exponent + 1022);
  if (kept < 0) return 0.0;
  const unsigned dropped = bits(quotient) - static_cast<unsigned>(kept);
  Integer head = quotient >> dropped;
  const Integer tail = quotient - (head << dropped);
  const Integer half = Integer(1) << (dropped - 1);
  if (tail > half || (tail == half && (!remainder.is_zero() || boost::multiprecision::bit_test(head, 0)))) ++head;
  return std::ldexp(head.convert_to<double>(), static_cast<int>(dropped) - shift);
}

}  // namespace

Rational Rational::normalise(Big big) {
  const Integer n = boost::multiprecision::numerator(big.value);
  const Integer d = boost::multiprecision::denominator(big.value);
  Rational result;
  if (fits(n) && fits(d)) {
    result.numerator_ = n.convert_to<std::int64_t>();
    result.denominator_ = d.convert_to<std::int64_t>();
  } else {
    result.big_ = std::make_shared<const Big>(std::move(big));
  }
  return result;
}

Rational::Big Rational::to_big() const {
  return big_ ? *big_ : Big{Fraction(Integer(numerator_), Integer(denominator_))};
}

Rational Rational::ratio(std::int64_t numerator, std::int64_t denominator) {
  if (denominator == smallest || numerator == smallest) {
    return normalise({Fraction(Integer(numerator), Integer(denominator))});
  }
  if (denominator < 0) {
    numerator = -numerator;
    denominator = -denominator;
  }
  const std::int64_t common = std::gcd(numerator, denominator);
  Rational result;
  result.numerator_ = numerator / common;
  result.denominator_ = denominator / common;
  return result;
}

std::optional<Rational> Rational::parse(std::string_view literal) {
  const std::optional<Decimal> decimal = scan(literal);
  if (!decimal) return std::nullopt;
  if (decimal->digits.empty()) return Rational(0);
  // 3.32 bits a digit; refuse before anything big is built.
  const auto limit = static_cast<std::int64_t>(max_bits * 0.30103);
  const auto length = static_cast<std::int64_t>(decimal->digits.size());
  if (length > limit || std::abs(decimal->exponent) > limit || length + decimal->exponent > limit) return std::nullopt;
  if (length <= 18 && decimal->exponent <= 0 && decimal->exponent >= -18) {
    std::int64_t n = 0;
    for (const char c : decimal->digits) n = 10 * n + (c - '0');
    std::int64_t d = 1;
    for (std::int64_t e = 0; e > decimal->exponent; --e) d *= 10;
    return ratio(n, d);
  }
  const Integer digits(decimal->digits);
  const Integer scale = power_of_ten(static_cast<std::uint32_t>(std::abs(decimal->exponent)));
  return normalise({decimal->exponent < 0 ? Fraction(digits, scale) : Fraction(Integer(digits * scale))});
}

Rational Rational::from_double(double value) {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  const auto integer = static_cast<std::int64_t>(std::ldexp(mantissa, 53));
  return normalise({Fraction(Integer(integer)) * power_of_two(exponent - 53)});
}

bool Rational::is_zero() const { return !big_ && numerator_ == 0; }
bool Rational::is_one() const { return !big_ && numerator_ == 1 && denominator_ == 1; }
bool Rational::is_integer() const {
  return big_ ? boost::multiprecision::denominator(big_->value) == 1 : denominator_ == 1;
}
bool Rational::is_moderate() const {
  constexpr std::uint32_t most_bits = 300, range = 128;
  if (!big_) return true;
  const std::uint32_t n = bits(boost::multiprecision::numerator(big_->value));
  const std::uint32_t d = bits(boost::multiprecision::denominator(big_->value));
  return std::max(n, d) <= most_bits && std::max(n, d) - std::min(n, d) <= range;
}

int Rational::sign() const { return big_ ? big_->value.sign() : (numerator_ > 0) - (numerator_ < 0); }

std::optional<std::int64_t> Rational::as_int64() const {
  if (big_ || denominator_ != 1) return std::nullopt;
  return numerator_;
}

Rational Rational::numerator() const {
  return big_ ? normalise({Fraction(boost::multiprecision::numerator(big_->value))}) : Rational(numerator_);
}
Rational Rational::denominator() const {
  return big_ ? normalise({Fraction(boost::multiprecision::denominator(big_->value))}) : Rational(denominator_);
}

double Rational::to_double() const {
  constexpr std::int64_t exact = std::int64_t{1} << 53;
  if (!big_ && numerator_ >= -exact && numerator_ <= exact && denominator_ <= exact) {
    return static_cast<double>(numerator_) / static_cast<double>(denominator_);  // one correctly rounded division
  }
  const Fraction value = to_big().value;
  Integer n = boost::multiprecision::numerator(value);
  const bool negative = n < 0;
  if (negative) n = -n;
  const double result = nearest(std::move(n), boost::multiprecision::denominator(value));
  return negative ? -result : result;
}

std::string Rational::to_string() const {
  const Fraction value = to_big().value;
  const Integer n = boost::multiprecision::numerator(value);
  Integer d = boost::multiprecision::denominator(value);
  const std::string negative = n < 0 ? "-" : "";
  const Integer positive = n < 0 ? Integer(-n) : n;
  // A round big integer is shorter with an exponent: 1e300.
  if (d == 1) {
    std::string digits = positive.str();
    const std::size_t last = digits.find_last_not_of('0');
    const std::size_t zeros = last == std::string::npos ? 0 : digits.size() - 1 - last;
    if (zeros < 15) return negative + digits;
    return negative + digits.substr(0, last + 1) + "e" + std::to_string(zeros);
  }
  // Every literal is a finite decimal and stays one, whatever its exponent.
  const auto twos = static_cast<std::uint32_t>(boost::multiprecision::lsb(d));
  d >>= twos;
  const auto fives =
      static_cast<std::uint32_t>(static_cast<double>(boost::multiprecision::msb(d) + 1) / std::log2(5.0));
  constexpr std::uint32_t most_places = 40'000;
  const std::uint32_t places = std::max(twos, fives);
  if (places > most_places || boost::multiprecision::pow(Integer(5), fives) != d)
    return negative + positive.str() + "/" + Integer(boost::multiprecision::denominator(value)).str();
  std::string digits = Integer(positive * power_of_ten(places) / boost::multiprecision::denominator(value)).str();
  if (digits.size() + 4 < places) return negative + digits + "e-" + std::to_string(places);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  digits.insert(digits.size() - places, ".");
  return negative + digits;
}

std::size_t Rational::hash() const {
  const auto mix = [](std::size_t a, std::size_t b) { return a ^ (b + 0x9E3779B97F4A7C15ULL + (a << 6) + (a >> 2)); };
  if (!big_) return mix(std::hash<std::int64_t>{}(numerator_), std::hash<std::int64_t>{}(denominator_));
  return mix(hash_value(boost::multiprecision::numerator(big_->value)),
             hash_value(boost::multiprecision::denominator(big_->value)));
}

Rational Rational::operator-() const {
  if (big_ || numerator_ == smallest) return normalise({-to_big().value});
  Rational result = *this;
  result.numerator_ = -numerator_;
  return result;
}

Rational operator+(const Rational& a, const Rational& b) {
  if (!a.big_ && !b.big_) {
    std::int64_t left = 0;
    std::int64_t right = 0;
    std::int64_t sum = 0;
    std::int64_t scale = 0;
    if (!__builtin_mul_overflow(a.numerator_, b.denominator_, &left) &&
        !__builtin_mul_overflow(b.numerator_, a.denominator_, &right) && !__builtin_add_overflow(left, right, &sum) &&
        !__builtin_mul_overflow(a.denominator_, b.denominator_, &scale)) {
      return Rational::ratio(sum, scale);
    }
  }
  return Rational::normalise({a.to_big().value + b.to_big().value});
}

Rational operator-(const Rational& a, const Rational& b) { return a + (-b); }

Rational operator*(const Rational& a, const Rational& b) {
  if (!a.big_ && !b.big_) {
    std::int64_t numerator = 0;
    std::int64_t denominator = 0;
    if (!__builtin_mul_overflow(a.numerator_, b.numerator_, &numerator) &&
        !__builtin_mul_overflow(a.denominator_, b.denominator_, &denominator)) {
      return Rational::ratio(numerator, denominator);
    }
  }
  if (a.is_one()) return b;
  if (b.is_one()) return a;
  return Rational::normalise({a.to_big().value * b.to_big().value});
}

Rational operator/(const Rational& a, const Rational& b) {
  if (!a.big_ && !b.big_) {
    std::int64_t numerator = 0;
    std::int64_t denominator = 0;
    if (!__builtin_mul_overflow(a.numerator_, b.denominator_, &numerator) &&
        !__builtin_mul_overflow(a.denominator_, b.numerator_, &denominator)) {
      return Rational::ratio(numerator, denominator);
    }
  }
  return Rational::normalise({a.to_big().value / b.to_big().value});
}

std::optional<Rational> Rational::power(std::int64_t exponent) const {
  if (exponent == 0) return Rational(1);
  if (is_zero()) return exponent < 0 ? std::nullopt : std::optional<Rational>(Rational(0));
  const std::uint64_t count = magnitude(exponent);
  if (!big_ && denominator_ == 1 && (numerator_ == 1 || numerator_ == -1)) {
    return Rational(numerator_ == 1 || count % 2 == 0 ? 1 : -1);
  }
  const Fraction value = to_big().value;
  const Integer n = boost::multiprecision::numerator(value);
  const Integer d = boost::multiprecision::denominator(value);
  // (bits - 1) * count is a lower bound of the result's bits, and bits * count an upper one.
  const std::uint64_t each = std::max<std::uint64_t>(bits(n), bits(d)) - 1;
  if (count > max_bits || each * count > max_bits) return std::nullopt;
  const auto small = static_cast<unsigned>(count);
  const Integer pn = boost::multiprecision::pow(n, small);
  const Integer pd = boost::multiprecision::pow(d, small);
  if (bits(pn) > max_bits || bits(pd) > max_bits) return std::nullopt;
  return normalise({exponent > 0 ? Fraction(pn, pd) : Fraction(pd, pn)});
}

bool operator==(const Rational& a, const Rational& b) {
  if (!a.big_ && !b.big_) return a.numerator_ == b.numerator_ && a.denominator_ == b.denominator_;
  return a.big_ && b.big_ && (a.big_ == b.big_ || a.big_->value == b.big_->value);
}

std::strong_ordering operator<=>(const Rational& a, const Rational& b) {
  if (!a.big_ && !b.big_) {
    std::int64_t left = 0;
    std::int64_t right = 0;
    if (!__builtin_mul_overflow(a.numerator_, b.denominator_, &left) &&
        !__builtin_mul_overflow(b.numerator_, a.denominator_, &right)) {
      return left <=> right;
    }
  }
  const int order = a.to_big().value.compare(b.to_big().value);
  return order <=> 0;
}

}  // namespace gradus
