// Values as they are given on the command line.
#include "runtime/value.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>

#include "runtime/json.hpp"
#include "runtime/number_text.hpp"
#include "runtime/random.hpp"

using namespace gradus;

namespace {

std::string shown(std::string_view text) {
  GivenValue value;
  std::string error;
  if (!parse_value(text, value, error)) return "error: " + error;
  std::string out;
  append_json(out, value.array);
  return out;
}

std::string shape_shown(std::string_view text) {
  GivenValue value;
  std::string error;
  if (!parse_value(text, value, error)) return "error";
  std::string out;
  for (const std::int64_t size : value.array.shape) out += std::to_string(size) + ' ';
  return out;
}

bool wrong(std::string_view text) {
  GivenValue value;
  std::string error;
  return !parse_value(text, value, error) && !error.empty();
}

}  // namespace

TEST_CASE("a value is a number, a list, nested lists or rows separated by ;") {
  CHECK(shown("1.5") == "1.5");
  CHECK(shown(" -2e-3 ") == "-0.002");
  CHECK(shown("+.5") == "0.5");
  CHECK(shown("[1, 2, 3]") == "[1, 2, 3]");
  CHECK(shown("[1, 2; 3, 4]") == "[[1, 2], [3, 4]]");
  CHECK(shown("[[1, 2], [3, 4]]") == "[[1, 2], [3, 4]]");
  CHECK(shown("[1, 2, 3;]") == "[[1, 2, 3]]");
  CHECK(shown("[1; 2]") == "[[1], [2]]");
  CHECK(shown("[[[1], [2]], [[3], [4]]]") == "[[[1], [2]], [[3], [4]]]");
  CHECK(shown("[nan, inf, -inf, −1]") == R"(["nan", "inf", "-inf", -1])");
  CHECK(shape_shown("[]") == "0 ");
  CHECK(shape_shown("[[], []]") == "2 0 ");
  CHECK(shape_shown("7") == "");
}

TEST_CASE("what is no value is an error") {
  for (const std::string_view text :
       {"",    "[",    "[1",   "[1,",   "[1,]", "[1 2]", "[1, 2; 3]", "[1, [2]]", "[[1], [2, 3]]", "[1]]",
        "abc", "1.5x", "0x10", "1e999", "--1",  "@",     "[1;;2]",    "zero",     "1_000",         "[zeros]"}) {
    INFO(text);
    CHECK(wrong(text));
  }
  CHECK(wrong(std::string(100000, '[')));
  CHECK(shown("[1, 2; 3]").find("row 2 has 1 entry, row 1 has 2") != std::string::npos);
}

TEST_CASE("fills and files are recognised, columns stand after .csv:") {
  GivenValue value;
  std::string error;
  REQUIRE(parse_value("normal", value, error));
  CHECK(value.kind == GivenValue::Kind::normal);
  REQUIRE(parse_value("@a:b/data.csv:x,y..z", value, error));
  CHECK(value.kind == GivenValue::Kind::file);
  CHECK(value.path == "a:b/data.csv");
  CHECK(value.columns == "x,y..z");
  REQUIRE(parse_value("@data.npy", value, error));
  CHECK(value.path == "data.npy");
  CHECK(value.columns.empty());
}

TEST_CASE("numbers read back to the same bits") {
  Random random(7);
  for (int k = 0; k < 20000; ++k) {
    const double value = std::bit_cast<double>(random.next());
    const auto back = parse_number(number_text(value));
    REQUIRE(back);
    if (std::isnan(value)) {
      CHECK(std::isnan(*back));
    } else {
      CHECK(std::bit_cast<std::uint64_t>(*back) == std::bit_cast<std::uint64_t>(value));
    }
  }
  CHECK(number_text(-0.0) == "-0.0");
  CHECK(std::signbit(*parse_number("-0.0")));
  CHECK(*parse_number("1e-400") == 0);
  CHECK(*parse_number("0.000001e-330") == 0);
  CHECK(!parse_number("1e400"));
  CHECK(!parse_number("nanx"));
}

TEST_CASE("normal numbers have mean 0 and variance 1") {
  Random random(3);
  double sum = 0, squares = 0;
  constexpr int count = 100000;
  for (int k = 0; k < count; ++k) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
  }
  CHECK(std::fabs(sum / count) < 0.02);
  CHECK(std::fabs(squares / count - 1) < 0.03);
}
