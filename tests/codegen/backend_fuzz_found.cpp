// Inputs that the fuzz targets found, and the examples, go through native code again.
#include <doctest/doctest.h>

#include "tests/fuzz/replay.hpp"

using namespace gradus;

TEST_CASE("found inputs and examples: compiled = interpreted, at sizes that are no multiple of a vector") {
  const std::filesystem::path root = GRADUS_SOURCE_DIR;
  std::size_t count = 0;
  for (const auto& folder : {root / "tests" / "fuzz" / "found", root / "examples"})
    CHECK(fuzz::replay(folder, fuzz::native_text, count) == "");
  CHECK(count > 3);
}
