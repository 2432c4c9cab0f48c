// Arrays as JSON and as lists.
#include "runtime/json.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace gradus;

namespace {

std::string json(std::vector<std::int64_t> shape, std::vector<double> values) {
  std::string out;
  append_json(out, Array{std::move(shape), std::move(values)});
  return out;
}

}  // namespace

TEST_CASE("arrays are nested lists, also where an axis is empty") {
  CHECK(json({}, {0.1}) == "0.1");
  CHECK(json({2}, {1, 2}) == "[1, 2]");
  CHECK(json({2, 2}, {1, 2, 3, 4}) == "[[1, 2], [3, 4]]");
  CHECK(json({2, 1, 2}, {1, 2, 3, 4}) == "[[[1, 2]], [[3, 4]]]");
  CHECK(json({0}, {}) == "[]");
  CHECK(json({2, 0}, {}) == "[[], []]");
  CHECK(json({0, 2}, {}) == "[]");
  CHECK(json({3}, {std::numeric_limits<double>::quiet_NaN(), HUGE_VAL, -0.0}) == R"(["nan", "inf", -0.0])");
}

TEST_CASE("text has a matrix row a line") {
  std::string out;
  append_text(out, Array{{2, 2}, {1, 2, 3, 4}}, 4);
  CHECK(out == "[[1, 2],\n     [3, 4]]");
}

TEST_CASE("strings are escaped") { CHECK(json_string("a\"b\\c\n") == R"("a\"b\\c\u000a")"); }
