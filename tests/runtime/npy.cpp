// Reading .npy: what is converted, and what is refused.
#include "runtime/npy.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "runtime/random.hpp"

using namespace gradus;

namespace {

std::string file(const std::string& dict, const std::string& data, char version = 1) {
  std::string header = dict;
  header += '\n';
  std::string out = "\x93NUMPY";
  out += version;
  out += '\0';
  out += static_cast<char>(header.size() & 255);
  out += static_cast<char>(header.size() >> 8);
  if (version > 1) out += std::string(2, '\0');
  return out + header + data;
}

std::string dict(const std::string& descr, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
}

template <class T>
std::string bytes(std::vector<T> values, bool swap = false) {
  std::string out(values.size() * sizeof(T), '\0');
  std::memcpy(out.data(), values.data(), out.size());
  if (swap) {
    for (std::size_t k = 0; k < values.size(); ++k) {
      for (std::size_t i = 0; i < sizeof(T) / 2; ++i)
        std::swap(out[k * sizeof(T) + i], out[(k + 1) * sizeof(T) - 1 - i]);
    }
  }
  return out;
}

std::vector<double> values(const std::string& text) {
  Array array;
  std::string error;
  const bool good = read_npy(text, array, error);
  INFO(error);
  REQUIRE(good);
  return array.values;
}

std::string refusal(const std::string& text) {
  Array array;
  std::string error;
  return read_npy(text, array, error) ? "" : error;
}

using V = std::vector<double>;

}  // namespace

TEST_CASE("types, byte orders and Fortran order are converted") {
  CHECK(values(file(dict("<f8", "(3,)"), bytes<double>({1, -2.5, 1e300}))) == V{1, -2.5, 1e300});
  CHECK(values(file(dict(">f8", "(2,)"), bytes<double>({1, -2.5}, true))) == V{1, -2.5});
  CHECK(values(file(dict("<f4", "(2,)"), bytes<float>({1.5f, -0.25f}))) == V{1.5, -0.25});
  CHECK(values(file(dict("<f2", "(4,)"), bytes<std::uint16_t>({0x3C00, 0xC100, 0x0001, 0x7C00}))) ==
        V{1, -2.5, 0x1p-24, HUGE_VAL});
  CHECK(values(file(dict("<i8", "(2,)"), bytes<std::int64_t>({-5, 7}))) == V{-5, 7});
  CHECK(values(file(dict(">i2", "(2,)"), bytes<std::int16_t>({-300, 7}, true))) == V{-300, 7});
  CHECK(values(file(dict("|u1", "(2,)"), bytes<std::uint8_t>({255, 7}))) == V{255, 7});
  CHECK(values(file(dict("<u4", "(1,)"), bytes<std::uint32_t>({4000000000u}))) == V{4e9});
  CHECK(values(file(dict("|b1", "(2,)"), bytes<std::uint8_t>({0, 1}))) == V{0, 1});
  CHECK(values(file(dict("<f8", "()"), bytes<double>({4}))) == V{4});
  CHECK(values(file(dict("<f8", "(0, 3)"), "")).empty());
  CHECK(values(file(dict("<f8", "(2, 3)", true), bytes<double>({1, 4, 2, 5, 3, 6}))) == V{1, 2, 3, 4, 5, 6});
  CHECK(values(file(dict("<f8", "(2, 2, 2)", true), bytes<double>({1, 5, 3, 7, 2, 6, 4, 8}))) ==
        V{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(values(file(dict("<f8", "(1,)"), bytes<double>({3}), 2)) == V{3});
}

TEST_CASE("what is not plain numbers, or not whole, is refused") {
  CHECK(refusal(file(dict("<c16", "(1,)"), std::string(16, '\0'))).find("complex") != std::string::npos);
  CHECK(refusal(file(dict("<U4", "(1,)"), std::string(16, '\0'))).find("text") != std::string::npos);
  CHECK(refusal(file(dict("|O", "(1,)"), "x")).find("objects") != std::string::npos);
  CHECK(refusal(file("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", std::string(8, '\0')))
            .find("structured") != std::string::npos);
  CHECK(refusal(file(dict("<M8[D]", "(1,)"), std::string(8, '\0'))) != "");
  CHECK(refusal(file(dict("<f16", "(1,)"), std::string(16, '\0'))) != "");
  CHECK(refusal(file(dict("<f8", "(2,)"), std::string(8, '\0'))) != "");
  CHECK(refusal(file(dict("<f8", "(1,)"), std::string(9, '\0'))) != "");
  CHECK(refusal(file(dict("<f8", "(4294967296, 4294967296)"), "")) != "");
  CHECK(refusal(file(dict("<f8", "(99999999999999999999,)"), "")) != "");
  CHECK(refusal(file(dict("<f8", "(-1,)"), "")) != "");
  CHECK(refusal(file("{'descr': '<f8', 'shape': (1,)}", std::string(8, '\0'))) != "");
  CHECK(refusal(file(dict("<f8", "(1,)"), std::string(8, '\0'), 9)) != "");
  CHECK(refusal("\x93NUMPY") != "");
  CHECK(refusal("x,y\n1,2\n") != "");
}

TEST_CASE("no damage to a file makes the reader crash") {
  const std::string good = file(dict("<f8", "(2, 3)", true), bytes<double>({1, 4, 2, 5, 3, 6}));
  Random random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string broken = good;
    for (int k = 0; k < 3; ++k) {
      broken[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(broken.size())))] =
          static_cast<char>(random.next());
    }
    if (random.below(3) == 0)
      broken.resize(static_cast<std::size_t>(random.below(static_cast<std::int64_t>(broken.size()))));
    Array array;
    std::string error;
    if (!read_npy(broken, array, error)) CHECK(!error.empty());
  }
}
