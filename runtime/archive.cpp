// A System V archive (.a) with one member: what `ar rcs` would write, without a date.
#include <fmt/format.h>

#include "runtime/build.hpp"

namespace gradus {
namespace {

std::string header(const std::string& name, std::size_t size, const char* mode) {
  return fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 0, 0, 0, mode, size);
}

std::string big_endian(std::size_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
  return out;
}

std::string padded(std::string text) {
  if (text.size() % 2 != 0) text += '\n';
  return text;
}

}  // namespace

std::string archive(const std::string& member_name, const std::string& object,
                    const std::vector<std::string>& symbols) {
  constexpr std::size_t longest_short_name = 15, header_size = 60;
  const bool is_long = member_name.size() > longest_short_name;
  std::string names;
  for (const std::string& symbol : symbols) names += symbol + '\0';
  const std::size_t index_size = 4 + 4 * symbols.size() + names.size();
  const std::string long_names = is_long ? padded(member_name + "/\n") : "";
  std::size_t member_at = 8 + header_size + index_size + index_size % 2;
  if (is_long) member_at += header_size + long_names.size();
  std::string out = "!<arch>\n" + header("/", index_size, "0");
  std::string index = big_endian(symbols.size());
  for (std::size_t k = 0; k < symbols.size(); ++k) index += big_endian(member_at);
  out += padded(index + names);
  if (is_long) out += header("//", long_names.size(), "") + long_names;
  out += header(is_long ? "/0" : member_name + "/", object.size(), "644") + padded(object);
  return out;
}

}  // namespace gradus
