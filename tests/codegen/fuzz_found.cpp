// Inputs that the fuzz targets found, and the examples, go through every target again.
#include <doctest/doctest.h>

#include "../fuzz/targets.hpp"
#include "../zoo_case.hpp"

using namespace gradus;

namespace {

/// What a target says about the files of a folder: the first failures, by name.
std::string replay(const std::filesystem::path& folder, void (*target)(const std::string&), std::size_t& count) {
  std::string bad;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() != ".loss") continue;
    ++count;
    try {
      target(testing::file_text(entry.path()));
    } catch (const std::exception& failure) {
      bad += entry.path().filename().string() + ": " + failure.what() + "\n";
    }
  }
  return bad;
}

}  // namespace

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
