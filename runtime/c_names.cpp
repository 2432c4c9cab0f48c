// Spelling names so that C99 and C++ take them.
#include "runtime/c_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frontend/characters.hpp"

namespace gradus {
namespace {

// Keywords of C (to C23) and C++ (to C++20), types and macros of the headers that users include first.
constexpr std::array reserved = {"EOF",
                                 "FILE",
                                 "INFINITY",
                                 "NAN",
                                 "NULL",
                                 "alignas",
                                 "alignof",
                                 "and",
                                 "and_eq",
                                 "asm",
                                 "assert",
                                 "auto",
                                 "bitand",
                                 "bitor",
                                 "bool",
                                 "break",
                                 "case",
                                 "catch",
                                 "char",
                                 "char16_t",
                                 "char32_t",
                                 "char8_t",
                                 "class",
                                 "co_await",
                                 "co_return",
                                 "co_yield",
                                 "compl",
                                 "complex",
                                 "concept",
                                 "const",
                                 "const_cast",
                                 "consteval",
                                 "constexpr",
                                 "constinit",
                                 "continue",
                                 "decltype",
                                 "default",
                                 "delete",
                                 "do",
                                 "double",
                                 "dynamic_cast",
                                 "else",
                                 "enum",
                                 "errno",
                                 "explicit",
                                 "export",
                                 "extern",
                                 "false",
                                 "float",
                                 "for",
                                 "friend",
                                 "goto",
                                 "if",
                                 "imaginary",
                                 "inline",
                                 "int",
                                 "int16_t",
                                 "int32_t",
                                 "int64_t",
                                 "int8_t",
                                 "intptr_t",
                                 "lambda",
                                 "linux",
                                 "long",
                                 "mutable",
                                 "namespace",
                                 "new",
                                 "noexcept",
                                 "not",
                                 "not_eq",
                                 "nullptr",
                                 "offsetof",
                                 "operator",
                                 "or",
                                 "or_eq",
                                 "private",
                                 "protected",
                                 "ptrdiff_t",
                                 "public",
                                 "register",
                                 "reinterpret_cast",
                                 "requires",
                                 "restrict",
                                 "return",
                                 "short",
                                 "signed",
                                 "size_t",
                                 "sizeof",
                                 "static",
                                 "static_assert",
                                 "static_cast",
                                 "stderr",
                                 "stdin",
                                 "stdout",
                                 "struct",
                                 "switch",
                                 "template",
                                 "this",
                                 "thread_local",
                                 "throw",
                                 "true",
                                 "try",
                                 "typedef",
                                 "typeid",
                                 "typename",
                                 "typeof",
                                 "typeof_unqual",
                                 "uint16_t",
                                 "uint32_t",
                                 "uint64_t",
                                 "uint8_t",
                                 "uintptr_t",
                                 "union",
                                 "unix",
                                 "unsigned",
                                 "using",
                                 "virtual",
                                 "void",
                                 "volatile",
                                 "wchar_t",
                                 "while",
                                 "xor",
                                 "xor_eq"};

bool is_plain(char32_t c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string spelt(std::string_view name) {
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    const CodePoint point = decode(name, at);
    if (is_plain(point.value)) {
      out += static_cast<char>(point.value);
    } else {
      out +=
          point.value < 0x80 || !point.valid ? "_" : fmt::format("_u{:04X}", static_cast<std::uint32_t>(point.value));
    }
    at += point.length;
  }
  return out;
}

}  // namespace

std::string c_identifier(std::string_view key) {
  std::string out = spelt(key);
  if (out.empty() || (out[0] >= '0' && out[0] <= '9')) out.insert(0, "_");
  if (std::ranges::find(reserved, out) != reserved.end()) out += '_';
  return out;
}

std::string c_prefix(std::string_view file_name) {
  std::string out = spelt(file_name);
  if (out.empty() || (out[0] >= '0' && out[0] <= '9')) out.insert(0, "formula_");
  return out;
}

}  // namespace gradus
