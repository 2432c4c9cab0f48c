// The text of one program, and places in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

/// A half-open range of bytes in a Source. `none()` marks "no place".
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  static constexpr Span none() { return {UINT32_MAX, UINT32_MAX}; }
  constexpr bool is_none() const { return begin == UINT32_MAX; }
  friend constexpr bool operator==(Span, Span) = default;
};

/// The smallest span that covers both; a `none` span is ignored.
constexpr Span join(Span a, Span b) {
  if (a.is_none()) return b;
  if (b.is_none()) return a;
  return {a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

/// A line and a column, both from 1; columns count code points (a tab is one, a byte order mark none).
struct Position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  friend constexpr bool operator==(Position, Position) = default;
};

/// A program's text with its file name, as it stands in the file (bytes, not yet checked for UTF-8).
class Source {
 public:
  Source(std::string file, std::string text);

  const std::string& file() const { return file_; }
  std::string_view text() const { return text_; }
  /// Line and column of a byte offset (at most the length of the text).
  Position position(std::uint32_t offset) const;
  /// The line (from 1) without its line end.
  std::string_view line(std::uint32_t number) const;
  std::uint32_t line_count() const { return static_cast<std::uint32_t>(line_starts_.size()); }
  std::string_view slice(Span span) const;

 private:
  /// A byte that is not UTF-8 counts as one code point.
  std::uint32_t code_points_before(std::uint32_t offset) const;

  std::string file_;
  std::string text_;
  std::vector<std::uint32_t> line_starts_;

  // Code points counted up to places that lie at least this many bytes apart, so that a column in a long line is found
  // without going over the line.
  static constexpr std::uint32_t milestone_distance = 4096;
  struct Milestone {
    std::uint32_t offset, count;
  };
  std::vector<Milestone> milestones_;
};

}  // namespace gradus
