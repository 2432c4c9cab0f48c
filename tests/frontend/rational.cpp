// Exact numbers: literals, arithmetic across the 64-bit border, rounding to double, printing.
#include "frontend/rational.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace gradus;

TEST_CASE("literals are exact") {
  CHECK(*Rational::parse("3") == Rational(3));
  CHECK(*Rational::parse("0.5") == Rational::ratio(1, 2));
  CHECK(*Rational::parse("1e-3") == Rational::ratio(1, 1000));
  CHECK(*Rational::parse(".5") == Rational::ratio(1, 2));
  CHECK(*Rational::parse("2.") == Rational(2));
  CHECK(*Rational::parse("1.50E+2") == Rational(150));
  CHECK(*Rational::parse("000") == Rational(0));
  CHECK(*Rational::parse("0e999999999999") == Rational(0));
  for (const char* bad : {"", ".", "e5", "1e", "1e+", "1.2.3", "-1", "0x1", "inf", " 1"})
    CHECK_FALSE(Rational::parse(bad));
}

TEST_CASE("numbers with too many bits are refused before they are built") {
  CHECK(Rational::parse("1e19000"));
  CHECK_FALSE(Rational::parse("1e20000"));
  CHECK_FALSE(Rational::parse("1e-999999999999999999999"));
  CHECK_FALSE(Rational::parse(std::string(30000, '9')));
  CHECK_FALSE(Rational(9).power(387420489));
  CHECK_FALSE(Rational::ratio(1, 3).power(-1'000'000));
  CHECK_FALSE(Rational(0).power(-1));
  CHECK(*Rational(-1).power(1'000'000'001) == Rational(-1));
  CHECK(*Rational(2).power(-2) == Rational::ratio(1, 4));
}

TEST_CASE("arithmetic is exact on both sides of 64 bits") {
  const Rational big = *Rational::parse("9223372036854775807");
  CHECK(big + 1 - 1 == big);
  CHECK((big + 1).as_int64() == std::nullopt);
  CHECK((big * big) / big == big);
  CHECK(-(Rational(INT64_MIN)) == big + 1);
  CHECK(Rational(INT64_MIN) - 1 + 1 == Rational(INT64_MIN));
  CHECK(Rational::ratio(INT64_MIN, -1) == big + 1);
  CHECK(Rational::ratio(1, INT64_MIN).sign() == -1);
  CHECK(big + 1 > big);
  CHECK(Rational::ratio(1, 3) + Rational::ratio(1, 6) == Rational::ratio(1, 2));
  CHECK(Rational::ratio(1, 3) < Rational::ratio(334, 1000));
  CHECK((big * big).hash() == (big * big).hash());
}

TEST_CASE("to_double rounds to nearest even, like strtod") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string text = std::to_string(random());
    text += "." + std::to_string(random()) + "e" + std::to_string(static_cast<int>(random() % 700) - 350);
    CAPTURE(text);
    CHECK(Rational::parse(text)->to_double() == std::strtod(text.c_str(), nullptr));
  }
  for (const char* text :
       {"9007199254740993", "9007199254740995", "4.9e-324", "2.4e-324", "2.5e-324", "1e-400", "1e400",
        "1.7976931348623158e308", "1.7976931348623159e308", "2.2250738585072011e-308", "0.1"}) {
    CAPTURE(text);
    CHECK(Rational::parse(text)->to_double() == std::strtod(text, nullptr));
  }
}

TEST_CASE("from_double is exact") {
  for (const double x : {0.1, -2.5, 5e-324, 1.7976931348623157e308, 0.0, 1.0 / 3}) {
    CHECK(Rational::from_double(x).to_double() == x);
  }
  CHECK(Rational::from_double(0.75) == Rational::ratio(3, 4));
}

TEST_CASE("numbers print as literals that read back, else as fractions") {
  for (const char* text :
       {"0", "12", "0.5", "-0.001", "1.25", "9223372036854775808", "1e300", "3e-30", "1e-4002", "125e-9000"}) {
    const std::string_view digits = text;
    const bool negative = digits.starts_with("-");
    Rational value = *Rational::parse(negative ? digits.substr(1) : digits);
    CHECK((negative ? -value : value).to_string() == text);
  }
  CHECK(Rational::ratio(-1, 3).to_string() == "-1/3");
}
