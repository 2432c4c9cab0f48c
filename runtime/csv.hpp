// Reading numeric columns of CSV files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/source.hpp"
#include "symbolic/array.hpp"

namespace gradus {

/// What is wrong with a table; `place` is the cell's line and column where there is one.
struct TableError {
  std::string message;
  std::optional<Position> place;
  std::string help;
  bool whole_file = false;  // not of one column: one mistake however many inputs it gives
};

/// A CSV file (RFC 4180: quotes, a byte order mark, any line ends) with its text in memory. The first line names the
/// columns; where it holds nothing but numbers and no column is asked for by name, it is data.
class Table {
 public:
  /// Reads the first line. On failure nothing, and `error` says why.
  static std::optional<Table> open(std::string text, TableError& error);

  const std::vector<std::string>& columns() const { return columns_; }
  /// Whether the first line holds nothing but numbers, so that it may well be data.
  bool first_line_is_numeric() const { return numeric_first_line_; }
  /// The number of the column of that name, or nothing; `ambiguous` when several have it.
  std::optional<std::size_t> find(std::string_view name, bool& ambiguous) const;
  /// Why no column has the name that is asked for, where that lies in the whole file: its columns are not separated by
  /// commas, or its first line holds numbers.
  std::optional<TableError> without_names() const;
  /// The columns of a selection `a,first..last`; a name may stand in double quotes. Nothing and `error` on failure.
  std::optional<std::vector<std::size_t>> select(std::string_view selection, TableError& error) const;
  /// The numbers of these columns, [rows, columns]; with `first_line` the first line is a row as well. Cells of other
  /// columns may hold anything. On failure false and `error`.
  bool read(const std::vector<std::size_t>& columns, bool first_line, Array& array, TableError& error) const;
  /// Where a cell stands; rows and columns count from 0.
  std::optional<Position> place_of(bool first_line, std::size_t row, std::size_t column) const;

 private:
  std::optional<std::size_t> wanted(std::string_view name, TableError& error) const;

  std::string text_;
  std::vector<std::string> columns_;
  bool numeric_first_line_ = false;
  std::size_t second_line_ = 0;  // offset of what follows the first line
  std::uint32_t second_line_number_ = 2;
};

}  // namespace gradus
