// Code points: UTF-8, what is a letter, how wide a character is shown, NFC, and the English names of Greek letters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gradus {

/// One code point decoded from UTF-8; an invalid byte is a code point of its own with `valid` false.
struct CodePoint {
  char32_t value = 0;
  std::uint32_t length = 1;  // bytes
  bool valid = true;
};

/// The code point that begins at `offset`, which must be inside the text.
CodePoint decode(std::string_view text, std::size_t offset);
/// Appends a code point as UTF-8.
void encode(char32_t code, std::string& out);
/// The offset of the first byte that is not UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text);

bool is_letter(char32_t code);
bool is_mark(char32_t code);
bool is_decimal_digit(char32_t code);
/// Blank, control, format, private and unassigned characters beyond ASCII: nothing that a reader sees.
bool is_invisible(char32_t code);
/// Columns that a terminal gives a character: 0, 1 or 2 (a tab is the caller's matter).
unsigned display_width(char32_t code);

/// Unicode normalization form C.
std::string nfc(std::string_view text);
/// The English name of a Greek letter (`lambda`, `Gamma`), or empty.
std::string_view greek_name(char32_t code);
/// The Greek letter of an English name, or 0.
char32_t greek_letter(std::string_view name);

/// `U+200B`.
std::string code_point_name(char32_t code);

}  // namespace gradus
