// The programs of a folder through a fuzz target, for unit tests.
#pragma once

#include <filesystem>
#include <string>

#include "tests/fuzz/targets.hpp"
#include "tests/zoo_case.hpp"

namespace gradus::fuzz {

/// What a target says about the files of a folder: the first failures, by name.
inline std::string replay(const std::filesystem::path& folder, void (*target)(const std::string&), std::size_t& count) {
  std::string bad;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() != ".loss") continue;
    ++count;
    try {
      target(gradus::testing::file_text(entry.path()));
    } catch (const std::exception& failure) {
      bad += entry.path().filename().string() + ": " + failure.what() + "\n";
    }
  }
  return bad;
}

}  // namespace gradus::fuzz
