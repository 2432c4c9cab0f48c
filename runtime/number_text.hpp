// Numbers as text: the shortest that reads back to the same bits, and strict reading.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gradus {

/// The shortest decimal that reads back to the same double; `-0.0`, `nan`, `inf`, `-inf` as such.
std::string number_text(double value);

/// The double of a whole text: a decimal with an optional sign, or `nan`, `inf`, `infinity` (any case). Surrounding
/// blanks are no error. Nothing for anything else, and for decimals beyond the range of a double.
std::optional<double> parse_number(std::string_view text);

/// Why `parse_number` gives nothing: "not a number" or "no number that a double can hold".
std::string_view why_no_number(std::string_view text);

/// The text without blanks (space, tab, U+00A0) at both ends.
std::string_view trim(std::string_view text);

}  // namespace gradus
