// Arrays as JSON and as text that Gradus reads.
#pragma once

#include <string>
#include <string_view>

#include "symbolic/array.hpp"

namespace gradus {

/// A number as JSON: reads back to the same bits; NaN and infinities are the strings "nan", "inf", "-inf".
std::string json_number(double value);
/// A text as a JSON string with its quotes.
std::string json_string(std::string_view text);
/// Appends an array as nested JSON lists (a scalar as a number).
void append_json(std::string& out, const Array& array);
/// Appends an array as nested lists `[[1, 2], [3, 4]]`, a matrix a line a row, indented by `indent` after the first
/// line.
void append_text(std::string& out, const Array& array, std::size_t indent = 0);

}  // namespace gradus
