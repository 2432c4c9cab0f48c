// A small parser for values; lists nest at most as deep as arrays have axes.
#include "runtime/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/number_text.hpp"

namespace gradus {
namespace {

constexpr int most_axes = 32;

/// Arrays of one shape put along a new first axis.
class Stack {
 public:
  bool add(Array element) {
    if (count_ == 0) {
      out_.shape = element.shape;
      out_.values = std::move(element.values);
    } else {
      if (element.shape != out_.shape) return false;
      out_.values.insert(out_.values.end(), element.values.begin(), element.values.end());
    }
    ++count_;
    return true;
  }
  std::int64_t count() const { return count_; }
  const std::vector<std::int64_t>& element_shape() const { return out_.shape; }
  Array take() {
    out_.shape.insert(out_.shape.begin(), count_);
    count_ = 0;
    return std::exchange(out_, {});
  }

 private:
  Array out_;
  std::int64_t count_ = 0;
};

class ListParser {
 public:
  explicit ListParser(std::string_view text) : text_(text) {}

  bool read(Array& array, std::string& error) {
    if (!list(array, 0)) {
      error = error_;
      return false;
    }
    blanks();
    if (at_ < text_.size()) {
      error = fmt::format("unexpected '{}' after the list", text_.substr(at_, 20));
      return false;
    }
    return true;
  }

 private:
  void blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  bool fail(std::string why) {
    error_ = std::move(why);
    return false;
  }
  char peek() {
    blanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  /// `[`, elements separated by `,`, rows by `;`, `]`.
  bool list(Array& out, int depth) {
    if (depth == most_axes) return fail(fmt::format("lists nest deeper than {}", most_axes));
    ++at_;  // the '['
    Stack row, rows;
    bool has_rows = false;
    if (peek() == ']') {
      ++at_;
      out = Array{{0}, {}};
      return true;
    }
    for (;;) {
      Array element;
      if (!entry(element, depth)) return false;
      if (!row.add(std::move(element))) {
        return fail("the entries of a list have different shapes: rows must be equally long");
      }
      const char c = peek();
      if (c == '\0') return fail("a '[' is not closed");
      ++at_;
      if (c == ',') continue;
      if (c != ';' && c != ']')
        return fail(fmt::format("',' expected between entries, not '{}'", text_.substr(at_ - 1, 20)));
      has_rows = has_rows || c == ';';
      if (has_rows) {
        const std::int64_t width = row.count();
        if (!rows.add(row.take())) {
          return fail(fmt::format("row {} has {} {}, row 1 has {}: rows must be equally long", rows.count() + 1, width,
                                  width == 1 ? "entry" : "entries", rows.element_shape().front()));
        }
        if (c == ';' && peek() == ']') {  // a `;` before the end: a matrix of the rows so far
          ++at_;
          out = rows.take();
          return true;
        }
      }
      if (c == ']') {
        out = has_rows ? rows.take() : row.take();
        return true;
      }
    }
  }

  bool entry(Array& out, int depth) {
    const char c = peek();
    if (c == '[') return list(out, depth + 1);
    const std::size_t end = std::min(text_.find_first_of(",;[]", at_), text_.size());
    const std::string_view word = trim(text_.substr(at_, end - at_));
    const std::optional<double> value = parse_number(word);
    if (!value) {
      if (word.empty()) return fail("an entry is missing beside a ',' or ';'");
      const bool several = word.find(' ') != std::string_view::npos;
      return fail(fmt::format("'{}' is {}{}", word.substr(0, 40), why_no_number(word),
                              several ? "; entries are separated by ','" : ""));
    }
    at_ = end;
    out = Array{{}, {*value}};
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string error_;
};

bool is_csv(std::string_view path) {
  if (path.size() < 4) return false;
  const std::string_view end = path.substr(path.size() - 4);
  return end == ".csv" || end == ".CSV";
}

/// Splits `table.csv:columns` at the colon after `.csv`.
void split_file(std::string_view text, GivenValue& value) {
  value.kind = GivenValue::Kind::file;
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
    if (is_csv(text.substr(0, colon))) {
      value.path = text.substr(0, colon);
      value.columns = text.substr(colon + 1);
      return;
    }
  }
  value.path = text;
}

}  // namespace

bool parse_value(std::string_view text, GivenValue& value, std::string& error) {
  text = trim(text);
  value = GivenValue{};
  if (text.starts_with('@')) {
    split_file(text.substr(1), value);
    if (value.path.empty()) error = "the name of a file is missing after '@'";
    return !value.path.empty();
  }
  if (text.starts_with('[')) return ListParser(text).read(value.array, error);
  using Kind = GivenValue::Kind;
  constexpr std::pair<std::string_view, Kind> fills[] = {
      {"zeros", Kind::zeros}, {"ones", Kind::ones}, {"normal", Kind::normal}, {"uniform", Kind::uniform}};
  for (const auto& [word, kind] : fills) {
    if (text == word) {
      value.kind = kind;
      return true;
    }
  }
  const std::optional<double> number = parse_number(text);
  if (!number) {
    error = text.empty() ? "a value is missing after '='"
            : why_no_number(text) != "not a number"
                ? fmt::format("'{}' is {}", text.substr(0, 60), why_no_number(text))
                : fmt::format(
                      "'{}' is no number, no list such as [1, 2; 3, 4], no @file and none of zeros, ones, normal, "
                      "uniform",
                      text.substr(0, 60));
    return false;
  }
  value.array = Array{{}, {*number}};
  return true;
}

}  // namespace gradus
