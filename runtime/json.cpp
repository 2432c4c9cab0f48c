// Writing nested lists without recursion over their elements.
#include "runtime/json.hpp"

#include <fmt/format.h>

#include <cmath>

#include "runtime/number_text.hpp"

namespace gradus {
namespace {

/// Writes nested lists; `number` spells an element, `separator` what stands between the entries of the axis at `depth`.
template <class Number, class Separator>
void append_nested(std::string& out, const Array& array, Number&& number, Separator&& separator) {
  const std::size_t rank = array.shape.size();
  if (rank == 0) {
    out += number(array.values.at(0));
    return;
  }
  std::vector<std::int64_t> index(rank, 0);
  std::size_t element = 0, depth = 0;
  out += '[';
  for (;;) {
    if (index[depth] == array.shape[depth]) {
      out += ']';
      if (depth == 0) return;
      ++index[--depth];
      continue;
    }
    if (index[depth] > 0) out += separator(depth);
    if (depth + 1 < rank) {
      out += '[';
      index[++depth] = 0;
    } else {
      out += number(array.values[element++]);
      ++index[depth];
    }
  }
}

}  // namespace

std::string json_number(double value) {
  return std::isfinite(value) ? number_text(value) : '"' + number_text(value) + '"';
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

void append_json(std::string& out, const Array& array) {
  append_nested(out, array, json_number, [](std::size_t) { return ", "; });
}

void append_text(std::string& out, const Array& array, std::size_t indent) {
  const std::size_t rank = array.shape.size();
  append_nested(out, array, number_text, [&](std::size_t depth) {
    return depth + 1 == rank ? ", " : ",\n" + std::string(indent + depth + 1, ' ');
  });
}

}  // namespace gradus
