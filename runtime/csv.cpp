// A CSV reader that looks at every cell's quotes but converts only the columns that are used.
#include "runtime/csv.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/diagnostic.hpp"
#include "runtime/number_text.hpp"

namespace gradus {
namespace {

struct Cell {
  std::string_view raw;  // without the quotes; doubled quotes are still doubled
  std::size_t begin = 0;
  std::uint32_t line = 1;
  bool quoted = false;
};

std::string unquoted(const Cell& cell) {
  std::string out;
  for (std::size_t k = 0; k < cell.raw.size(); ++k) {
    out += cell.raw[k];
    if (cell.quoted && cell.raw[k] == '"') ++k;
  }
  return out;
}

/// Walks over the cells of a text.
class Scanner {
 public:
  Scanner(std::string_view text, std::size_t at, std::uint32_t line) : text_(text), at_(at), line_(line) {}

  std::size_t at() const { return at_; }
  std::uint32_t line() const { return line_; }
  /// Whether nothing but blank lines follows.
  bool at_end() const { return text_.find_first_not_of("\r\n", at_) == std::string_view::npos; }
  bool at_blank_line() const { return at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r'); }

  /// The next cell; `last` when it ends its row (the scanner stands at the next row then).
  bool next(Cell& cell, bool& last, TableError& error) {
    cell = Cell{{}, at_, line_, false};
    return at_ < text_.size() && text_[at_] == '"' ? quoted(cell, last, error) : plain(cell, last);
  }

  void skip_line_end() {
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
  }

  /// Line and column (in code points) of an offset on that line.
  Position place(std::size_t offset, std::uint32_t line) const {
    std::size_t begin = offset;
    while (begin > 0 && text_[begin - 1] != '\n' && text_[begin - 1] != '\r') --begin;
    if (begin == 0 && text_.starts_with("\xEF\xBB\xBF")) begin = std::min<std::size_t>(3, offset);
    const auto points = std::count_if(text_.begin() + static_cast<std::ptrdiff_t>(begin),
                                      text_.begin() + static_cast<std::ptrdiff_t>(offset),
                                      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    return {line, static_cast<std::uint32_t>(points) + 1};
  }

 private:
  bool plain(Cell& cell, bool& last) {
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    cell.raw = text_.substr(at_, end - at_);
    at_ = end;
    return separator(last);
  }

  bool quoted(Cell& cell, bool& last, TableError& error) {
    cell.quoted = true;
    std::size_t end = at_ + 1;
    for (; end < text_.size(); ++end) {
      if (text_[end] == '\n' || (text_[end] == '\r' && !text_.substr(end + 1).starts_with('\n'))) ++line_;
      if (text_[end] != '"') continue;
      if (!text_.substr(end + 1).starts_with('"')) break;
      ++end;
    }
    if (end >= text_.size()) {
      error = {"the quote that opens here is not closed", place(cell.begin, cell.line), {}, true};
      return false;
    }
    cell.raw = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\r' && text_[at_] != '\n') {
      error = {"after a closing quote a ',' or the end of the line is expected", place(at_, line_), {}, true};
      return false;
    }
    return separator(last);
  }

  bool separator(bool& last) {
    last = at_ >= text_.size() || text_[at_] != ',';
    if (!last) {
      ++at_;
    } else {
      skip_line_end();
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_;
  std::uint32_t line_;
};

std::string names(const std::vector<std::string>& columns) {
  constexpr std::size_t most = 20;
  std::string out;
  for (std::size_t k = 0; k < columns.size() && k < most; ++k) out += (k > 0 ? ", " : "") + columns[k];
  if (columns.size() > most) out += fmt::format(", … ({} columns)", columns.size());
  return out;
}

std::string_view without_quotes(std::string_view name) {
  name = trim(name);
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"') return name.substr(1, name.size() - 2);
  return name;
}

/// Where `separator` stands first outside double quotes, or npos.
std::size_t find_outside_quotes(std::string_view text, std::string_view separator) {
  bool inside = false;
  for (std::size_t k = 0; k < text.size(); ++k) {
    if (text[k] == '"') inside = !inside;
    if (!inside && text.substr(k).starts_with(separator)) return k;
  }
  return std::string_view::npos;
}

/// Fills an array row by row.
class Rows {
 public:
  Rows(const Table& table, const std::vector<std::size_t>& columns, Array& array)
      : table_(table), columns_(columns), array_(array), row_(table.columns().size()) {
    used_.assign(row_.size(), 0);
    for (const std::size_t c : columns) used_[c] = 1;
  }

  bool read(Scanner& scanner, TableError& error) {
    while (!scanner.at_end()) {
      if (scanner.at_blank_line() && row_.size() > 1) {
        scanner.skip_line_end();
      } else if (!read_row(scanner, error)) {
        return false;
      }
    }
    return true;
  }

 private:
  bool read_row(Scanner& scanner, TableError& error) {
    const std::uint32_t line = scanner.line();
    bool last = false;
    for (std::size_t c = 0; !last; ++c) {
      Cell cell;
      if (!scanner.next(cell, last, error)) return false;
      if (c >= row_.size() || (last && c + 1 < row_.size())) {
        error = ragged(scanner, cell, c, line);
        return false;
      }
      if (used_[c] != 0 && !number(scanner, cell, c, error)) return false;
    }
    for (const std::size_t c : columns_) array_.values.push_back(row_[c]);
    ++array_.shape[0];
    return true;
  }

  TableError ragged(Scanner& scanner, const Cell& cell, std::size_t c, std::uint32_t line) const {
    if (c >= row_.size()) {
      return {fmt::format("line {} has more cells than the first line, which has {}", line, row_.size()),
              scanner.place(cell.begin, cell.line),
              {},
              true};
    }
    return {fmt::format("line {} has {} {}, but the first line has {}", line, c + 1, c == 0 ? "cell" : "cells",
                        row_.size()),
            scanner.place(cell.begin, cell.line),
            {},
            true};
  }

  bool number(const Scanner& scanner, const Cell& cell, std::size_t c, TableError& error) {
    const std::optional<double> value = parse_number(cell.raw);
    if (value) {
      row_[c] = *value;
      return true;
    }
    const std::string text = unquoted(cell);
    const std::string column = fmt::format("column '{}'", table_.columns()[c]);
    const bool empty = trim(text).empty();
    error = {empty ? column + " has an empty cell here"
                   : fmt::format("'{}' in {} is {}", text.size() > 60 ? text.substr(0, 57) + "…" : text, column,
                                 why_no_number(text)),
             scanner.place(cell.begin, cell.line), ""};
    if (columns_.size() > 1) error.help = "columns that are not asked for may hold anything: @file.csv:first..last";
    return false;
  }

  const Table& table_;
  const std::vector<std::size_t>& columns_;
  Array& array_;
  std::vector<double> row_;
  std::vector<char> used_;
};

}  // namespace

std::optional<Table> Table::open(std::string text, TableError& error) {
  Table table;
  table.text_ = std::move(text);
  Scanner scanner(table.text_, table.text_.starts_with("\xEF\xBB\xBF") ? 3 : 0, 1);
  if (scanner.at_end()) {
    error = {"is empty; a first line with the names of the columns is expected", {}, {}};
    return std::nullopt;
  }
  while (scanner.at_blank_line()) scanner.skip_line_end();
  table.numeric_first_line_ = true;
  for (bool last = false; !last;) {
    Cell cell;
    if (!scanner.next(cell, last, error)) return std::nullopt;
    table.columns_.emplace_back(trim(unquoted(cell)));
    table.numeric_first_line_ = table.numeric_first_line_ && parse_number(cell.raw).has_value();
  }
  table.second_line_ = std::min(scanner.at(), table.text_.size());
  table.second_line_number_ = scanner.line();
  return table;
}

std::optional<std::size_t> Table::find(std::string_view name, bool& ambiguous) const {
  const auto first = std::ranges::find(columns_, name);
  ambiguous = first != columns_.end() && std::find(first + 1, columns_.end(), name) != columns_.end();
  if (first == columns_.end()) return std::nullopt;
  return static_cast<std::size_t>(first - columns_.begin());
}

std::optional<TableError> Table::without_names() const {
  const std::string& first = columns_.front();
  const std::size_t sign = columns_.size() == 1 ? first.find_first_of(";\t|") : std::string::npos;
  if (sign != std::string::npos)
    return TableError{
        fmt::format("separates its columns by {}", first[sign] == '\t' ? "tabs" : fmt::format("'{}'", first[sign])),
        {},
        "the columns of a table are separated by commas",
        true};
  if (!numeric_first_line_) return std::nullopt;
  return TableError{fmt::format("has no names of columns: its first line is {}", names(columns_)),
                    {},
                    "write the names above, as in a,b,c; without :column it is read whole",
                    true};
}

std::optional<std::size_t> Table::wanted(std::string_view name, TableError& error) const {
  bool ambiguous = false;
  const std::string wanted_name(without_quotes(name));
  const std::optional<std::size_t> found = find(wanted_name, ambiguous);
  if (found && !ambiguous) return found;
  if (ambiguous) {
    error = {fmt::format("has several columns named '{}'", wanted_name), {}, {}};
    return std::nullopt;
  }
  if (auto whole = without_names()) {
    error = std::move(*whole);
    return std::nullopt;
  }
  error = {fmt::format("has no column '{}'; its columns are {}", wanted_name, names(columns_)), {}, {}};
  const std::string near = did_you_mean(wanted_name, columns_);
  if (!near.empty()) error.help = fmt::format("did you mean '{}'?", near);
  return std::nullopt;
}

std::optional<std::vector<std::size_t>> Table::select(std::string_view selection, TableError& error) const {
  std::vector<std::size_t> out;
  bool ambiguous = false;
  for (bool more = true; more;) {
    const std::size_t comma = find_outside_quotes(selection, ",");
    more = comma != std::string_view::npos;
    const std::string_view item = trim(selection.substr(0, comma));
    if (more) selection.remove_prefix(comma + 1);
    if (item.empty()) {
      error = {"needs the name of a column beside each ','", {}, {}};
      return std::nullopt;
    }
    const std::size_t dots = find(item, ambiguous) ? std::string_view::npos : find_outside_quotes(item, "..");
    const auto first = wanted(item.substr(0, dots), error);
    if (!first) return std::nullopt;
    if (dots == std::string_view::npos) {
      out.push_back(*first);
      continue;
    }
    const auto last = wanted(item.substr(dots + 2), error);
    if (!last) return std::nullopt;
    if (*last < *first) {
      error = {fmt::format("has column '{}' before '{}'", columns_[*last], columns_[*first]), {}, {}};
      error.help = fmt::format("write {}..{}", columns_[*last], columns_[*first]);
      return std::nullopt;
    }
    for (std::size_t c = *first; c <= *last; ++c) out.push_back(c);
  }
  return out;
}

std::optional<Position> Table::place_of(bool first_line, std::size_t row, std::size_t column) const {
  Scanner scanner = first_line ? Scanner(text_, text_.starts_with("\xEF\xBB\xBF") ? 3 : 0, 1)
                               : Scanner(text_, second_line_, second_line_number_);
  TableError error;
  for (std::size_t r = 0; !scanner.at_end();) {
    if (scanner.at_blank_line() && columns_.size() > 1) {
      scanner.skip_line_end();
      continue;
    }
    bool last = false;
    for (std::size_t c = 0; !last; ++c) {
      Cell cell;
      if (!scanner.next(cell, last, error)) return std::nullopt;
      if (r == row && c == column) return scanner.place(cell.begin, cell.line);
    }
    ++r;
  }
  return std::nullopt;
}

bool Table::read(const std::vector<std::size_t>& columns, bool first_line, Array& array, TableError& error) const {
  array = Array{{0, static_cast<std::int64_t>(columns.size())}, {}};
  Rows rows(*this, columns, array);
  Scanner scanner = first_line ? Scanner(text_, text_.starts_with("\xEF\xBB\xBF") ? 3 : 0, 1)
                               : Scanner(text_, second_line_, second_line_number_);
  return rows.read(scanner, error);
}

}  // namespace gradus
