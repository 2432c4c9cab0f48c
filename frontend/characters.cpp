// UTF-8, Unicode properties, NFC and Greek names.
#include "frontend/characters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <unordered_map>

#include "frontend/parse.hpp"
#include "frontend/unicode_tables.hpp"

namespace gradus {
namespace {

template <class Row>
const Row* find(const Row* rows, std::size_t count, char32_t code) {
  const Row* row = std::upper_bound(rows, rows + count, code, [](char32_t c, const Row& r) { return c < r.first; });
  return row != rows && code <= (row - 1)->last ? row - 1 : nullptr;
}

std::uint8_t combining_class(char32_t code) {
  const auto* row = find(unicode::combining_classes, unicode::combining_classes_count, code);
  return row ? row->value : std::uint8_t{0};
}

// Hangul syllables compose by arithmetic (Unicode standard, section 3.12).
constexpr char32_t hangul = 0xAC00, lead = 0x1100, vowel = 0x1161, trail = 0x11A7;
constexpr char32_t vowels = 21, trails = 28, leads = 19, syllables = leads * vowels * trails;

void decompose(char32_t code, std::u32string& out) {
  if (code >= hangul && code < hangul + syllables) {
    const char32_t s = code - hangul;
    out += static_cast<char32_t>(lead + s / (vowels * trails));
    out += static_cast<char32_t>(vowel + s % (vowels * trails) / trails);
    if (s % trails != 0) out += trail + s % trails;
    return;
  }
  std::u32string tail;  // the second parts, last first
  for (;;) {
    const auto* end = unicode::decompositions + unicode::decompositions_count;
    const auto* row =
        std::lower_bound(unicode::decompositions, end, code, [](const auto& r, char32_t c) { return r.code < c; });
    if (row == end || row->code != code) break;
    if (row->second != 0) tail += static_cast<char32_t>(row->second);
    code = row->first;
  }
  out += code;
  out.append(tail.rbegin(), tail.rend());
}

char32_t compose(char32_t a, char32_t b) {
  if (a >= lead && a < lead + leads && b >= vowel && b < vowel + vowels) {
    return hangul + ((a - lead) * vowels + (b - vowel)) * trails;
  }
  if (a >= hangul && a < hangul + syllables && (a - hangul) % trails == 0 && b > trail && b < trail + trails) {
    return a + (b - trail);
  }
  static const auto pairs = [] {
    std::unordered_map<std::uint64_t, char32_t> result;
    for (const auto& row : std::span(unicode::decompositions, unicode::decompositions_count)) {
      if (row.composes && row.second != 0) result[std::uint64_t{row.first} << 32 | row.second] = row.code;
    }
    return result;
  }();
  const auto found = pairs.find(std::uint64_t{a} << 32 | b);
  return found == pairs.end() ? 0 : found->second;
}

/// Puts marks in canonical order, then composes each with the last starter unless one of the same class stands between.
std::u32string composed(std::u32string text) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && combining_class(text[end]) != 0) ++end;
    std::stable_sort(text.begin() + static_cast<std::ptrdiff_t>(i), text.begin() + static_cast<std::ptrdiff_t>(end),
                     [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
    i = end + 1;
  }
  std::u32string out;
  std::size_t starter = std::u32string::npos;
  int last = -1;
  for (const char32_t code : text) {
    const int own = combining_class(code);
    const bool adjacent = starter != std::u32string::npos && out.size() == starter + 1;
    if (starter != std::u32string::npos && (adjacent || (own != 0 && last < own))) {
      if (const char32_t both = compose(out[starter], code)) {
        out[starter] = both;
        continue;
      }
    }
    if (own == 0) starter = out.size();
    last = own == 0 ? -1 : own;
    out += code;
  }
  return out;
}

struct Greek {
  char32_t code;
  std::string_view name;
};

// The first row of a name is the letter that stands for it; symbol variants follow.
constexpr Greek greek[] = {
    {U'α', "alpha"},   {U'β', "beta"},    {U'γ', "gamma"},   {U'δ', "delta"},     {U'ε', "epsilon"}, {U'ζ', "zeta"},
    {U'η', "eta"},     {U'θ', "theta"},   {U'ι', "iota"},    {U'κ', "kappa"},     {U'λ', "lambda"},  {U'μ', "mu"},
    {U'ν', "nu"},      {U'ξ', "xi"},      {U'ο', "omicron"}, {U'π', "pi"},        {U'ρ', "rho"},     {U'σ', "sigma"},
    {U'τ', "tau"},     {U'υ', "upsilon"}, {U'φ', "phi"},     {U'χ', "chi"},       {U'ψ', "psi"},     {U'ω', "omega"},
    {U'Α', "Alpha"},   {U'Β', "Beta"},    {U'Γ', "Gamma"},   {U'Δ', "Delta"},     {U'Ε', "Epsilon"}, {U'Ζ', "Zeta"},
    {U'Η', "Eta"},     {U'Θ', "Theta"},   {U'Ι', "Iota"},    {U'Κ', "Kappa"},     {U'Λ', "Lambda"},  {U'Μ', "Mu"},
    {U'Ν', "Nu"},      {U'Ξ', "Xi"},      {U'Ο', "Omicron"}, {U'Π', "Pi"},        {U'Ρ', "Rho"},     {U'Σ', "Sigma"},
    {U'Τ', "Tau"},     {U'Υ', "Upsilon"}, {U'Φ', "Phi"},     {U'Χ', "Chi"},       {U'Ψ', "Psi"},     {U'Ω', "Omega"},
    {U'\u00B5', "mu"}, {U'ϵ', "epsilon"}, {U'ϕ', "phi"},     {U'ϑ', "theta"},     {U'ϱ', "rho"},     {U'ϰ', "kappa"},
    {U'ς', "sigma"},   {U'ϒ', "Upsilon"}, {U'ϴ', "Theta"},   {U'\u2126', "Omega"}};

}  // namespace

CodePoint decode(std::string_view text, std::size_t offset) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return offset + i < text.size() ? static_cast<unsigned char>(text[offset + i]) : 0u;
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {static_cast<char32_t>(first), 1, true};
  const std::uint32_t length = first >= 0xF0 && first < 0xF5   ? 4
                               : first >= 0xE0 && first < 0xF0 ? 3
                               : first >= 0xC2 && first < 0xE0 ? 2
                                                               : 0;
  if (length == 0) return {static_cast<char32_t>(first), 1, false};
  std::uint32_t code = first & (0x7Fu >> length);
  for (std::uint32_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {static_cast<char32_t>(first), 1, false};
    code = code << 6 | (byte(i) & 0x3F);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < least[length] || code > 0x10FFFF || surrogate) return {static_cast<char32_t>(first), 1, false};
  return {static_cast<char32_t>(code), length, true};
}

void encode(char32_t code, std::string& out) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 0x3F)), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  }
}

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint point = decode(text, i);
    if (!point.valid) return i;
    i += point.length;
  }
  return std::string_view::npos;
}

bool is_letter(char32_t code) {
  if (code < 0x80) return (code | 0x20) >= 'a' && (code | 0x20) <= 'z';
  if (code == U'ᵀ') return false;  // the transpose
  return find(unicode::letters, unicode::letters_count, code) != nullptr;
}

bool is_mark(char32_t code) { return code >= 0x80 && find(unicode::marks, unicode::marks_count, code) != nullptr; }

bool is_decimal_digit(char32_t code) {
  if (code < 0x80) return code >= '0' && code <= '9';
  return find(unicode::digits, unicode::digits_count, code) != nullptr;
}

bool is_invisible(char32_t code) {
  if (code < 0x80) return code < 0x20 || code == 0x7F;
  return find(unicode::invisible, unicode::invisible_count, code) != nullptr;
}

unsigned display_width(char32_t code) {
  if (code < 0x20 || code == 0x7F) return 1;  // shown as a substitute
  if (code < 0x80) return 1;
  if (is_mark(code) || code == 0x200B || code == 0x200C || code == 0x200D || code == 0xFEFF || code == 0x2060) return 0;
  return find(unicode::wide, unicode::wide_count, code) != nullptr ? 2 : 1;
}

std::string nfc(std::string_view text) {
  if (std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    return std::string(text);
  }
  std::u32string points;
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint point = decode(text, i);
    decompose(point.value, points);
    i += point.length;
  }
  std::string out;
  for (const char32_t code : composed(std::move(points))) encode(code, out);
  return out;
}

std::string_view greek_name(char32_t code) {
  if (code < 0x80) return {};
  const auto* found = std::ranges::find_if(greek, [&](const Greek& g) { return g.code == code; });
  return found == std::end(greek) ? std::string_view{} : found->name;
}

char32_t greek_letter(std::string_view name) {
  const auto* found = std::ranges::find_if(greek, [&](const Greek& g) { return g.name == name; });
  return found == std::end(greek) ? U'\0' : found->code;
}

std::string code_point_name(char32_t code) { return fmt::format("U+{:04X}", static_cast<std::uint32_t>(code)); }

std::string name_key(std::string_view name) {
  if (name == "∞") return "inf";
  const std::string normal = nfc(name);
  std::string key;
  for (std::size_t i = 0; i < normal.size();) {
    const CodePoint point = decode(normal, i);
    const std::string_view greek = greek_name(point.value);
    key += greek.empty() ? std::string_view(normal).substr(i, point.length) : greek;
    i += point.length;
  }
  return key;
}

}  // namespace gradus
