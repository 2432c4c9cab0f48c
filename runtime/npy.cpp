// A strict reader of .npy: the header is capped and read as the Python literal it is, the shape's product is checked
// against the bytes that are there, and nothing that is not plain numbers is taken.
#include "runtime/npy.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

namespace gradus {
namespace {

constexpr std::size_t longest_header = std::size_t{64} * 1024;
constexpr std::size_t most_axes = 32;

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

/// Reads `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}

  bool read(Header& header) {
    bool descr = false, order = false, shape = false;
    if (!take('{')) return false;
    while (!take('}')) {
      std::string key;
      if (!string(key) || !take(':')) return false;
      if (key == "descr" && !descr) {
        descr = value_of_descr(header.descr);
        if (!descr) return false;
      } else if (key == "fortran_order" && !order) {
        order = boolean(header.fortran_order);
        if (!order) return false;
      } else if (key == "shape" && !shape) {
        shape = tuple(header.shape);
        if (!shape) return false;
      } else {
        return false;
      }
      if (!take(',')) {
        if (!take('}')) return false;
        break;
      }
    }
    blanks();
    return at_ == text_.size() && descr && order && shape;
  }

 private:
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool take(char c) {
    blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool string(std::string& out) {
    blanks();
    if (at_ == text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return false;
    const std::size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) return false;
    out = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return true;
  }
  /// A type's code, or the list of fields of a structured type: then "[", and the rest is not looked at.
  bool value_of_descr(std::string& out) {
    blanks();
    if (at_ < text_.size() && text_[at_] == '[') {
      int depth = 0;
      do {
        if (at_ == text_.size()) return false;
        depth += text_[at_] == '[' ? 1 : text_[at_] == ']' ? -1 : 0;
        ++at_;
      } while (depth > 0);
      out = "[";
      return true;
    }
    return string(out);
  }
  bool word(std::string_view expected) {
    blanks();
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }
  bool boolean(bool& out) {
    out = word("True");
    return out || word("False");
  }
  bool tuple(std::vector<std::int64_t>& out) {
    if (!take('(')) return false;
    while (!take(')')) {
      blanks();
      std::int64_t value = 0;
      const std::size_t begin = at_;
      for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
        if (value > (std::numeric_limits<std::int64_t>::max() - 9) / 10) return false;
        value = 10 * value + (text_[at_] - '0');
      }
      if (at_ == begin) return false;
      out.push_back(value);
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // written by Python 2
      if (!take(',')) return take(')');
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::uint64_t bits_at(const char* at, std::size_t bytes, bool big_endian) {
  std::uint64_t bits = 0;
  for (std::size_t k = 0; k < bytes; ++k) {
    const auto byte = static_cast<unsigned char>(at[big_endian ? k : bytes - 1 - k]);
    bits = bits << 8 | byte;
  }
  return bits;
}

double half(std::uint64_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31);
  const auto fraction = static_cast<double>(bits & 1023);
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 31) {
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
  }
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

/// A type of numbers: its kind (`b`, `i`, `u`, `f`), bytes an element, byte order.
struct Type {
  char kind = 'f';
  std::size_t bytes = 8;
  bool big_endian = false;

  double value(const char* at) const {
    const std::uint64_t bits = bits_at(at, bytes, big_endian);
    switch (kind) {
      case 'b':
        return bits != 0 ? 1 : 0;
      case 'u':
        return static_cast<double>(bits);
      case 'i':
        return static_cast<double>(static_cast<std::int64_t>(bits << (64 - 8 * bytes)) >> (64 - 8 * bytes));
      default:
        break;
    }
    if (bytes == 2) return half(bits);
    if (bytes == 4) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    return std::bit_cast<double>(bits);
  }
  bool is_native_double() const { return kind == 'f' && bytes == 8 && !big_endian; }
};

std::optional<Type> type_of(const std::string& descr, std::string& error) {
  const auto fail = [&](std::string_view what) {
    error = fmt::format("holds {}, not real numbers", what);
    return std::nullopt;
  };
  if (descr == "[") return fail("a structured array");
  if (descr.size() < 2) return fail(fmt::format("the type '{}'", descr));
  const bool has_order = std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
  const char kind = descr[has_order ? 1 : 0];
  const std::string_view count = std::string_view(descr).substr(has_order ? 2 : 1);
  switch (kind) {
    case 'c':
      return fail("complex numbers");
    case 'U':
    case 'S':
    case 'a':
      return fail("text");
    case 'O':
      return fail("Python objects");
    case 'V':
      return fail("a structured array");
    case 'M':
    case 'm':
      return fail("dates or times");
    default:
      break;
  }
  const std::string_view allowed = kind == 'f'                  ? "2 4 8"
                                   : kind == 'b'                ? "1"
                                   : kind == 'i' || kind == 'u' ? "1 2 4 8"
                                                                : "";
  if (count.size() != 1 || allowed.find(count[0]) == std::string_view::npos || count[0] == ' ') {
    return fail(fmt::format("the type '{}'", descr));
  }
  const char order = has_order ? descr[0] : '|';
  return Type{kind, static_cast<std::size_t>(count[0] - '0'), order == '>'};
}

/// Copies Fortran-ordered elements into row-major places.
void copy_fortran(const Type& type, std::string_view data, Array& array) {
  const std::size_t rank = array.shape.size();
  std::vector<std::int64_t> stride(rank, 1), index(rank, 0);
  for (std::size_t k = rank; k-- > 1;) stride[k - 1] = stride[k] * array.shape[k];
  std::int64_t place = 0;
  for (std::size_t n = 0; n < array.values.size(); ++n) {
    array.values[static_cast<std::size_t>(place)] = type.value(&data[n * type.bytes]);
    for (std::size_t k = 0; k < rank; ++k) {  // the first axis runs fastest
      place += stride[k];
      if (++index[k] < array.shape[k]) break;
      place -= stride[k] * index[k];
      index[k] = 0;
    }
  }
}

}  // namespace

bool read_npy(std::string_view bytes, Array& array, std::string& error) {
  const auto fail = [&](std::string_view why) {
    error = why;
    return false;
  };
  constexpr std::string_view magic = "\x93NUMPY";
  if (!bytes.starts_with(magic) || bytes.size() < 10) return fail("is not a .npy file");
  const int version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3) return fail(fmt::format("is a .npy file of the unknown version {}", version));
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  if (bytes.size() < 8 + length_bytes) return fail("ends within its header");
  const std::uint64_t length = bits_at(bytes.data() + 8, length_bytes, false);
  if (length > longest_header) return fail("has a header that is too long");
  if (bytes.size() - 8 - length_bytes < length) return fail("ends within its header");
  Header header;
  if (!HeaderReader(bytes.substr(8 + length_bytes, length)).read(header)) return fail("has a broken header");
  const std::optional<Type> type = type_of(header.descr, error);
  if (!type) return false;
  if (header.shape.size() > most_axes) return fail(fmt::format("has more than {} axes", most_axes));
  const std::string_view data = bytes.substr(8 + length_bytes + length);
  std::uint64_t count = 1;
  for (const std::int64_t size : header.shape) {
    if (size != 0 && count > std::numeric_limits<std::int64_t>::max() / 8 / static_cast<std::uint64_t>(size)) {
      return fail("has a shape that is too large");
    }
    count *= static_cast<std::uint64_t>(size);
  }
  if (data.size() != count * type->bytes) {
    return fail(
        fmt::format("should hold {} bytes of numbers by its header, but holds {}", count * type->bytes, data.size()));
  }
  array.shape = header.shape;
  array.values.resize(count);
  if (header.fortran_order && header.shape.size() > 1) {
    copy_fortran(*type, data, array);
  } else if (type->is_native_double()) {
    if (count > 0) std::memcpy(array.values.data(), data.data(), data.size());
  } else {
    for (std::size_t n = 0; n < count; ++n) array.values[n] = type->value(&data[n * type->bytes]);
  }
  return true;
}

}  // namespace gradus
