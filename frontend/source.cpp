// Line starts of a program's text, and the way from a byte offset to a line and a column.
#include "frontend/source.hpp"

#include <algorithm>

#include "frontend/characters.hpp"

namespace gradus {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

Source::Source(std::string file, std::string text) : file_(std::move(file)), text_(std::move(text)) {
  line_starts_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    const bool lone_return = text_[i] == '\r' && (i + 1 == text_.size() || text_[i + 1] != '\n');
    if (text_[i] == '\n' || lone_return) line_starts_.push_back(static_cast<std::uint32_t>(i + 1));
  }
  std::uint32_t count = 0;
  for (std::uint32_t at = 0; at < text_.size(); ++count) {
    if (at >= milestones_.size() * milestone_distance) milestones_.push_back({at, count});
    at += decode(text_, at).length;
  }
}

std::uint32_t Source::code_points_before(std::uint32_t offset) const {
  if (milestones_.empty()) return 0;
  std::size_t block = std::min<std::size_t>(offset / milestone_distance, milestones_.size() - 1);
  if (milestones_[block].offset > offset) --block;
  auto [next, count] = milestones_[block];
  while (next < offset) {
    next += decode(text_, next).length;
    if (next > offset) break;  // an offset inside a code point belongs to that code point
    ++count;
  }
  return count;
}

Position Source::position(std::uint32_t offset) const {
  offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
  const auto after = std::ranges::upper_bound(line_starts_, offset);
  const auto line = static_cast<std::uint32_t>(after - line_starts_.begin());
  std::uint32_t begin = line_starts_[line - 1];
  if (line == 1 && text().starts_with(byte_order_mark)) begin = std::min<std::uint32_t>(3, offset);
  return {line, 1 + code_points_before(offset) - code_points_before(begin)};
}

std::string_view Source::line(std::uint32_t number) const {
  if (number == 0 || number > line_count()) return {};
  const std::uint32_t begin = line_starts_[number - 1];
  std::size_t end = number < line_count() ? line_starts_[number] : text_.size();
  while (end > begin && (text_[end - 1] == '\n' || text_[end - 1] == '\r')) --end;
  std::string_view result = text().substr(begin, end - begin);
  if (number == 1 && result.starts_with(byte_order_mark)) result.remove_prefix(byte_order_mark.size());
  return result;
}

std::string_view Source::slice(Span span) const {
  if (span.is_none() || span.begin >= text_.size()) return {};
  const std::size_t end = std::min<std::size_t>(span.end, text_.size());
  return end <= span.begin ? std::string_view{} : text().substr(span.begin, end - span.begin);
}

}  // namespace gradus
