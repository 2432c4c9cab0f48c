// Symbolic sizes: normal form, order, proofs.
#include "symbolic/size.hpp"

#include <doctest/doctest.h>

using gradus::Size;
using gradus::Sizes;

TEST_CASE("sizes are equal exactly when their polynomials are") {
  Sizes s;
  const Size n = s.symbol("n"), k = s.symbol("k"), one = s.constant(1);
  CHECK(s.add(n, k) == s.add(k, n));
  CHECK(s.subtract(s.add(n, one), one) == n);
  CHECK(s.multiply(s.add(n, one), s.subtract(n, one)) == s.subtract(s.multiply(n, n), one));
  CHECK(s.add(n, k) != s.add(n, n));
  CHECK(s.subtract(n, n) == s.constant(0));
}

TEST_CASE("sizes print as people write them") {
  Sizes s;
  const Size n = s.symbol("n"), k = s.symbol("k"), q = s.symbol("q");
  CHECK(s.to_string(s.subtract(n, s.constant(1))) == "n-1");
  CHECK(s.to_string(s.scale(k, 2)) == "2*k");
  CHECK(s.to_string(s.multiply(n, q)) == "n*q");
  CHECK(s.to_string(s.subtract(s.constant(0), n)) == "-n");
  CHECK(s.to_string(s.minimum(n, k)) == "min(n, k)");
}

TEST_CASE("signs are shown from assumptions only where they hold") {
  Sizes s;
  const Size n = s.symbol("n"), m = s.symbol("m"), one = s.constant(1);
  const Size n1 = s.subtract(n, one);
  CHECK(s.is_nonnegative(n));
  CHECK_FALSE(s.is_nonnegative(n1));
  s.assume_nonnegative(n1);
  CHECK(s.is_nonnegative(n1));
  CHECK(s.is_nonnegative(s.subtract(s.add(s.scale(n, 2), m), s.constant(2))));
  CHECK_FALSE(s.is_nonnegative(s.subtract(n, s.constant(2))));
  CHECK_FALSE(s.is_nonnegative(s.subtract(n, m)));
  CHECK(s.is_negative(s.constant(-1)));
  CHECK(s.is_negative(s.subtract(s.constant(-1), n)));
  CHECK_FALSE(s.is_negative(s.subtract(s.constant(0), m)));
}

TEST_CASE("sizes evaluate without overflow and divide exactly") {
  Sizes s;
  const Size n = s.symbol("n"), m = s.symbol("m");
  CHECK(s.evaluate(s.subtract(s.multiply(n, m), n), {{"n", 3}, {"m", 5}}) == 12);
  CHECK_FALSE(s.evaluate(n, {}).has_value());
  CHECK_FALSE(s.evaluate(s.multiply(n, s.multiply(n, n)), {{"n", std::int64_t{1} << 40}}).has_value());
  CHECK(s.divide(s.multiply(s.add(n, m), n), n) == s.add(n, m));
  CHECK(s.divide(s.multiply(s.add(n, m), s.add(n, s.constant(1))), s.add(n, m)) == s.add(n, s.constant(1)));
  CHECK_FALSE(s.divide(n, m).has_value());
  CHECK(s.divide(s.scale(n, 6), s.constant(3)) == s.scale(n, 2));
}

TEST_CASE("many facts about one size end in an answer") {
  Sizes s;
  const Size n = s.symbol("n");
  for (int k = 1; k <= 60; ++k) s.assume_nonnegative(s.subtract(n, s.constant(k)));
  CHECK(s.is_nonnegative(s.subtract(n, s.constant(60))));
  CHECK_FALSE(s.is_nonnegative(s.subtract(s.scale(n, 6), s.constant(1000))));
}
