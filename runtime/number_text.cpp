// Shortest decimals by std::to_chars, strict reading by std::from_chars.
#include "runtime/number_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace gradus {
namespace {

bool same_word(std::string_view text, std::string_view word) {
  return std::ranges::equal(text, word, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

/// Whether a decimal that is out of range is too small (and not too large): the first digit that counts stands so far
/// right that the exponent cannot make up for it.
bool underflows(std::string_view digits) {
  const std::size_t e = digits.find_first_of("eE");
  if (e != std::string_view::npos) return digits.substr(e + 1).starts_with('-');
  return digits.starts_with("0") || digits.starts_with(".");
}

}  // namespace

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0";
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view no_break = "\xC2\xA0";
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  for (;;) {
    if (!text.empty() && blank(text.front())) {
      text.remove_prefix(1);
    } else if (!text.empty() && blank(text.back())) {
      text.remove_suffix(1);
    } else if (text.starts_with(no_break)) {
      text.remove_prefix(no_break.size());
    } else if (text.ends_with(no_break)) {
      text.remove_suffix(no_break.size());
    } else {
      return text;
    }
  }
}

std::string_view why_no_number(std::string_view text) {
  text = trim(text);
  const std::size_t e = text.find_first_of("eE");
  const std::string_view exponent = e == text.npos ? "0" : text.substr(std::min(e + 1, text.size()));
  const std::string_view sign = "+-", digits = "0123456789";
  const auto after_sign = [&](std::string_view part) {
    return !part.empty() && sign.find(part.front()) != sign.npos ? part.substr(1) : part;
  };
  const std::string_view front = after_sign(text.substr(0, e)), back = after_sign(exponent);
  const std::size_t dot = front.find('.');
  const bool number = front.find_first_not_of("0123456789.") == front.npos &&
                      front.find_first_of(digits) != front.npos && back.find_first_not_of(digits) == back.npos &&
                      !back.empty() && (dot == front.npos || front.find('.', dot + 1) == front.npos);
  return number ? "no number that a double can hold" : "not a number";
}

std::optional<double> parse_number(std::string_view text) {
  text = trim(text);
  constexpr std::string_view minus_sign = "\xE2\x88\x92";  // U+2212
  bool negative = false;
  if (text.starts_with(minus_sign)) {
    negative = true;
    text.remove_prefix(minus_sign.size());
  } else if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;
  if (same_word(text, "nan")) return std::numeric_limits<double>::quiet_NaN();
  if (same_word(text, "inf") || same_word(text, "infinity") || text == "∞") {
    return negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  }
  if (text.front() != '.' && (text.front() < '0' || text.front() > '9')) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    if (!underflows(text)) return std::nullopt;
    value = 0;
  } else if (error != std::errc()) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

}  // namespace gradus
