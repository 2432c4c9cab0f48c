// Data files: whole reads, tables that are opened once, and errors in them as diagnostics.
#pragma once

#include <optional>
#include <string>

#include "frontend/diagnostic.hpp"
#include "runtime/csv.hpp"
#include "runtime/npy.hpp"
#include "symbolic/model.hpp"

namespace gradus {

/// Opens a CSV file by its path.
std::optional<Table> open_table(const std::string& path, TableError& error);

/// Reads the selected columns (all for an empty selection) of a CSV file as [rows, columns]. Warns where a first line
/// of numbers is read as data.
bool read_csv(const std::string& path, const std::string& selection, Array& array, TableError& error,
              Diagnostics& diagnostics);

/// Where an element of what `read_csv` gave stands, and the name of its column.
struct CellPlace {
  Position position;
  std::string column;
};
std::optional<CellPlace> place_in_csv(const std::string& path, const std::string& selection, std::size_t element);

/// Reports what is wrong with the table that gives an input: in the table where there is a place, else at the input.
void report_table_error(const std::string& path, const Input& input, const TableError& error, Diagnostics& diagnostics);

}  // namespace gradus
