// Choosing new names, and how the forms spell a name.
#include "symbolic/print/names.hpp"

#include <array>
#include <string_view>

#include "frontend/characters.hpp"
#include "frontend/parse.hpp"
#include "symbolic/print/formula.hpp"

namespace gradus::printing {

bool Names::take(const std::string& name) { return keys_.insert(name_key(name)).second; }

bool Names::is_taken(const std::string& name) const { return keys_.contains(name_key(name)); }

std::string Names::with_underscores(std::string name) {
  while (!take(name)) name += '_';
  return name;
}

std::string Names::numbered(char letter) {
  std::size_t& next = next_[static_cast<std::size_t>(letter - 'a')];
  for (;;) {
    ++next;
    std::string name(1, letter);
    if (next > 1 || letter == 't') name += std::to_string(next);
    if (take(name)) return name;
  }
}

const std::string& Names::index(std::size_t k) {
  static constexpr std::string_view letters = "ijklmabcuvpqsxyz";
  while (indices_.size() <= k) {
    const std::size_t n = next_index_++;
    std::string name(1, letters[n % letters.size()]);
    if (n >= letters.size()) name += std::to_string(n / letters.size());
    if (!is_taken(name)) indices_.push_back(std::move(name));
  }
  return indices_[k];
}

namespace {

bool has_macro(std::string_view greek) {
  static constexpr std::array<std::string_view, 13> without = {
      "omicron", "Alpha", "Beta", "Epsilon", "Zeta", "Eta", "Iota", "Kappa", "Mu", "Nu", "Omicron", "Rho", "Tau"};
  for (const auto w : without)
    if (w == greek) return false;
  return greek != "Chi";
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A part of a name without underscores in math mode.
std::string latex_word(const std::string& word) {
  if (greek_letter(word) != 0 && has_macro(word)) return "\\" + word;
  std::vector<CodePoint> points;
  for (std::size_t at = 0; at < word.size(); at += points.back().length) points.push_back(decode(word, at));
  std::string accent;
  std::size_t letters = 0;
  std::string first;
  std::string plain;
  bool ascii = true;
  for (std::size_t at = 0, k = 0; k < points.size(); at += points[k].length, ++k) {
    const char32_t c = points[k].value;
    if (is_mark(c)) {
      accent = c == 0x302 ? "\\hat" : c == 0x304 ? "\\bar" : c == 0x303 ? "\\tilde" : c == 0x307 ? "\\dot" : "\\check";
      continue;
    }
    ++letters;
    const std::string_view greek = greek_name(c);
    if (letters == 1) first = greek.empty() ? word.substr(at, points[k].length) : std::string(greek);
    plain += greek.empty() ? word.substr(at, points[k].length) : std::string(greek);
    ascii = ascii && (c < 0x80 || !greek.empty());
  }
  std::string base;
  if (letters == 1 && greek_letter(first) != 0 && has_macro(first))
    base = "\\" + first;
  else if (letters == 1 && ascii && first.size() == 1)
    base = first;
  else
    base = (ascii ? "\\mathrm{" : "\\text{") + plain + "}";
  return accent.empty() ? base : accent + "{" + base + "}";
}

std::string latex_name(const std::string& name) {
  std::size_t cut = name.find('_', 1);
  std::string below;
  std::string base = name;
  if (cut != std::string::npos && cut > 0) {
    base = name.substr(0, cut);
    below = name.substr(cut + 1);
  } else {
    cut = name.size();
    while (cut > 1 && is_digit(name[cut - 1])) --cut;
    base = name.substr(0, cut);
    below = name.substr(cut);
  }
  while (!below.empty() && below.back() == '_') {
    below.pop_back();
    base += '\'';
  }
  std::string primes;
  while (!base.empty() && base.back() == '\'') {
    base.pop_back();
    primes += '\'';
  }
  std::string out = latex_word(base) + primes;
  if (below.empty()) return out;
  std::string lower;
  std::string word;
  bool digits = true;
  for (const char c : below) digits = digits && is_digit(c);
  if (digits) {
    lower = below;
  } else {
    for (const char c : below + "_") {
      if (c != '_') {
        word += c;
        continue;
      }
      if (word.empty()) continue;
      bool number = true;
      for (const char d : word) number = number && is_digit(d);
      lower += (lower.empty() ? "" : "\\,") + (number ? word : latex_word(word));
      word.clear();
    }
  }
  return out + "_{" + lower + "}";
}

std::string unicode_name(const std::string& name) {
  std::size_t cut = 0;
  while (cut < name.size() && name[cut] != '_' && !is_digit(name[cut])) ++cut;
  std::string out;
  if (const char32_t letter = greek_letter(name.substr(0, cut)); letter != 0)
    encode(letter, out);
  else
    out = name.substr(0, cut);
  return out + name.substr(cut);
}

}  // namespace

std::string spell_name(const std::string& name, Form form) {
  switch (form) {
    case Form::text:
      return name;
    case Form::unicode:
      return unicode_name(name);
    case Form::latex:
      return latex_name(name);
  }
  return name;
}

}  // namespace gradus::printing
