// A multiset path order on patterns.
#include "symbolic/rules/order.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace gradus::rules {
namespace {

/// Ranks from low to high; functions that are not here rank below all of them. Sums and products stand in the middle:
/// what recognises a form in a sum yields functions below, what takes a function apart into sums stands above.
constexpr std::string_view ladder[] = {"sinh",          "cosh",
                                       "gamma",         "gamma_ratio",
                                       "sin",           "atan",
                                       "asin",          "asinh",
                                       "erfc",          "sigmoid",
                                       "exp",           "expm1",
                                       "softmax()",     "norm()",
                                       "abs",           "log_sigmoid",
                                       "log_softmax()", "softplus",
                                       "logsumexp()",   "product",
                                       "sum()",         "power",
                                       "versine",       "cosh_minus_one",
                                       "wlog_share",    "xlog_difference",
                                       "xlog_ratio",    "log_ratio",
                                       "sum",           "compound",
                                       "beta",          "log_power",
                                       "hypot",         "logaddexp",
                                       "log1p",         "sqrt",
                                       "acosh",         "log",
                                       "acos",          "xlogy",
                                       "xlog1py",       "log2",
                                       "log10"};

std::string_view head(const Pattern& p) {
  if (p.is_gap) return "gap";  // terms vanish from it
  switch (p.kind) {
    case Pattern::Kind::number:
      return "number";
    case Pattern::Kind::variable:
    case Pattern::Kind::rest:
      return "variable";
    case Pattern::Kind::sum:
      return "sum";
    case Pattern::Kind::product:
      return "product";
    case Pattern::Kind::reduction:
      switch (p.reduction) {
        case Pattern::Reduction::sum:
          return "sum()";
        case Pattern::Reduction::norm:
          return "norm()";
        case Pattern::Reduction::logsumexp:
          return "logsumexp()";
        case Pattern::Reduction::softmax:
          return "softmax()";
        case Pattern::Reduction::log_softmax:
          return "log_softmax()";
      }
      return "";
    case Pattern::Kind::call:
      break;
  }
  static constexpr std::array ids = {
#define GRADUS_FUNCTION(id, ...) std::string_view{#id},
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
  };
  return ids[static_cast<std::size_t>(p.function)];
}

std::ptrdiff_t rank(std::string_view head) {
  if (head == "number") return -2;
  const auto* const found = std::ranges::find(ladder, head);
  return found == std::end(ladder) ? -1 : found - std::begin(ladder);
}

bool is_variable(const Pattern& p) { return p.kind == Pattern::Kind::variable || p.kind == Pattern::Kind::rest; }

/// What a pattern is a multiple of.
const Pattern& unscaled(const Pattern& p) {
  return p.kind == Pattern::Kind::product && p.parts.size() == 1 ? unscaled(p.parts[0]) : p;
}

/// A value without variables counts as a number.
bool is_number(const Pattern& p) {
  return p.kind == Pattern::Kind::number || (!is_variable(p) && std::ranges::all_of(p.parts, is_number));
}

bool equal(const Pattern& scaled_a, const Pattern& scaled_b) {
  const Pattern &a = unscaled(scaled_a), &b = unscaled(scaled_b);
  if (is_variable(a) || is_variable(b)) return is_variable(a) && is_variable(b) && a.variable == b.variable;
  if (head(a) != head(b) || a.parts.size() != b.parts.size()) return false;
  return std::is_permutation(a.parts.begin(), a.parts.end(), b.parts.begin(), equal);
}

/// The multiset extension: what is left after equal parts are struck out is dominated part by part.
bool smaller_parts(std::vector<Pattern> after, std::vector<Pattern> before) {
  for (std::size_t k = 0; k < after.size();) {
    const auto same = std::ranges::find_if(before, [&](const Pattern& b) { return equal(after[k], b); });
    if (same == before.end()) {
      ++k;
    } else {
      before.erase(same);
      after.erase(after.begin() + static_cast<std::ptrdiff_t>(k));
    }
  }
  return !before.empty() && std::ranges::all_of(after, [&](const Pattern& a) {
    return std::ranges::any_of(before, [&](const Pattern& b) { return smaller(a, b); });
  });
}

}  // namespace

bool smaller(const Pattern& scaled_after, const Pattern& scaled_before) {
  const Pattern &after = unscaled(scaled_after), &before = unscaled(scaled_before);
  if (is_variable(before) || is_number(before)) return false;
  if (is_number(after)) return true;
  for (const auto& part : before.parts)
    if (equal(after, part) || smaller(after, part)) return true;
  if (is_variable(after)) return false;
  const std::string_view a = head(after), b = head(before);
  if (a == b) return smaller_parts(after.parts, before.parts);
  return rank(a) < rank(b) && std::ranges::all_of(after.parts, [&](const Pattern& p) { return smaller(p, before); });
}

}  // namespace gradus::rules
