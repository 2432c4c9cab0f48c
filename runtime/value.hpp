// The values that a user gives on the command line: numbers, lists, fills and files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "symbolic/array.hpp"

namespace gradus {

/// What stands behind `name=`.
struct GivenValue {
  enum class Kind : std::uint8_t { literal, zeros, ones, normal, uniform, file } kind = Kind::literal;
  Array array;          // literal
  std::string path;     // file
  std::string columns;  // file: what follows `.csv:`, or empty
};

/// Reads `1.5`, `[1, 2; 3, 4]`, `[[1, 2], [3, 4]]`, `zeros`, `ones`, `normal`, `uniform`, `@file.npy`,
/// `@file.csv:column,first..last`. On failure false, and `error` says why.
bool parse_value(std::string_view text, GivenValue& value, std::string& error);

}  // namespace gradus
