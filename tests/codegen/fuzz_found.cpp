// Inputs that the fuzz targets found, and the examples, go through every target again.
#include <doctest/doctest.h>

#include "tests/fuzz/replay.hpp"

using namespace gradus;
using fuzz::replay;

TEST_CASE("found inputs and examples hold in every fuzz target") {
  const std::filesystem::path root = GRADUS_SOURCE_DIR;
  std::size_t count = 0;
  for (const auto& folder : {root / "tests" / "fuzz" / "found", root / "examples"}) {
    CHECK(replay(folder, fuzz::parse_text, count) == "");
    CHECK(replay(folder, fuzz::print_text, count) == "");
    CHECK(replay(folder, fuzz::loops_text, count) == "");
  }
  CHECK(count > 10);
}

TEST_CASE("a fuzz target rejects what does not hold") {
  CHECK_THROWS_AS(fuzz::require(false, "a property", "loss = 1"), fuzz::Failed);
  CHECK_NOTHROW(fuzz::require(true, "a property", "loss = 1"));
}
