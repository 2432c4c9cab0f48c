// The nearest of some names to a misspelt one.
#include <algorithm>

#include "frontend/characters.hpp"
#include "frontend/diagnostic.hpp"

namespace gradus {
namespace {

std::u32string code_points(const std::string& text) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint point = decode(text, i);
    out += point.value;
    i += point.length;
  }
  return out;
}

std::u32string lower(std::u32string text) {
  for (char32_t& c : text) {
    if (c >= U'A' && c <= U'Z') c += U'a' - U'A';
  }
  return text;
}

/// Damerau-Levenshtein distance (an exchange of neighbours is one edit), or more than `most` when it is larger.
std::size_t distance(const std::u32string& a, const std::u32string& b, std::size_t most) {
  if (a.size() > b.size() + most || b.size() > a.size() + most) return most + 1;
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(above);
    above.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates) {
  constexpr std::size_t longest = 80;
  if (word.empty() || word.size() > longest) return {};
  const std::u32string wanted = code_points(word);
  const std::u32string wanted_lower = lower(wanted);
  const std::size_t most = wanted.size() == 1 ? 0 : std::max<std::size_t>(1, (wanted.size() + 1) / 3);
  const std::string* best = nullptr;
  // Fewest edits first, then a spelling that differs in case only, the same first letter,
  // one that begins as the other, the nearest length.
  std::vector<std::size_t> best_rank;
  for (const std::string& candidate : candidates) {
    if (candidate == word || candidate.empty() || candidate.size() > longest) continue;
    const std::u32string other = code_points(candidate);
    const std::u32string other_lower = lower(other);
    std::size_t edits = distance(wanted_lower, other_lower, most);
    // A short name of which nothing is left is not meant.
    if (edits > most || edits >= std::max(wanted.size(), other.size())) continue;
    if (wanted.size() <= 3 && edits > 0 && wanted_lower[0] != other_lower[0]) continue;
    const std::size_t longer =
        wanted.size() > other.size() ? wanted.size() - other.size() : other.size() - wanted.size();
    const bool prefix = wanted_lower.starts_with(other_lower) || other_lower.starts_with(wanted_lower);
    std::vector<std::size_t> rank = {edits, distance(wanted, other, wanted.size()), wanted_lower[0] != other_lower[0],
                                     prefix ? 0U : 1U, longer};
    if (best == nullptr || rank < best_rank) {
      best = &candidate;
      best_rank = std::move(rank);
    }
  }
  return best == nullptr ? std::string() : *best;
}

}  // namespace gradus
