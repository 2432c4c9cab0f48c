// One libFuzzer program for each target (GRADUS_FUZZ_TARGET), with a mutator that knows words.
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/targets.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (in_word(text[at]))
      while (end < text.size() && in_word(text[end])) ++end;
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

/// Leaves out, repeats, exchanges or replaces words.
std::string mutated(const std::string& text, std::mt19937& random) {
  static const std::vector<std::string> more = {
      "+",         "-",    "*",     "/",      "@",         "^2",      "(",    ")",      "[i]",     "sum",
      "sum[i]",    "mean", "max",   "min",    "exp",       "log",     "sqrt", "abs",    "softmax", "cumsum",
      "sigmoid",   "0",    "1",     "2",      "-1",        "1/2",     ".T",   "axis=0", " if ",    " else ",
      " > ",       " == ", "where", "concat", "stack",     "tril",    "norm", "||",     "x[i]",    "[0, 1]",
      "softplus",  "diag", "outer", "prod",   "i in 0..n", ": i < j", "\n",   "grad",   "reshape", "var",
      "logsumexp", "clip", "0..2",  "[1:]",   "[:, 0]"};
  std::vector<std::string> words = words_of(text);
  if (words.empty()) return "loss = 1";
  const auto any = [&](std::size_t count) { return static_cast<std::ptrdiff_t>(random() % count); };
  for (unsigned changes = 1 + random() % 3; changes > 0 && !words.empty(); --changes) {
    const auto at = words.begin() + any(words.size());
    switch (random() % 5) {
      case 0:
        words.erase(at);
        break;
      case 1:
        words.insert(at, std::string(words[static_cast<std::size_t>(any(words.size()))]));
        break;
      case 2:
        std::swap(*at, words[static_cast<std::size_t>(any(words.size()))]);
        break;
      case 3:
        *at = more[static_cast<std::size_t>(any(more.size()))];
        break;
      default:
        words.insert(at, more[static_cast<std::size_t>(any(more.size()))]);
        break;
    }
  }
  std::string out;
  for (const auto& word : words) out += word;
  return out;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  std::mt19937 random(seed);
  if (random() % 4 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string text = mutated({reinterpret_cast<const char*>(data), size}, random);
  const std::size_t kept = std::min(text.size(), max_size);
  std::copy_n(text.begin(), kept, data);
  return kept;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gradus::fuzz::GRADUS_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
