// Values for a formula's inputs and sizes: from what a user gives to what evaluation takes.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "frontend/diagnostic.hpp"
#include "runtime/value.hpp"
#include "symbolic/array.hpp"
#include "symbolic/model.hpp"

namespace gradus {

/// One `name=value`.
struct Given {
  std::string name;
  GivenValue value;
};

struct BindOptions {
  std::string table;       // a CSV file whose columns give data by name; empty: none
  std::uint64_t seed = 0;  // of `normal` and `uniform`
};

/// Reads files, infers sizes, checks shapes, whole and in-range index data, size requirements and memory. All inputs
/// and sizes of the model have a value in the result. Nothing when there was an error, placed at the input's
/// declaration or in the data file. Names in `given` must be names of inputs or sizes.
std::optional<Bindings> bind_inputs(const Model& model, const std::vector<Given>& given, const BindOptions& options,
                                    Diagnostics& diagnostics);

/// The parts of `bind_inputs`, for callers that make up missing values themselves.
class InputBinder {
 public:
  InputBinder(const Model& model, const BindOptions& options, Diagnostics& diagnostics)
      : model_(model), options_(options), diagnostics_(diagnostics) {}

  /// Takes values and reads files; false after an error.
  bool take(const std::vector<Given>& given);
  /// Infers sizes from arrays, explicit sizes and dims; false after a contradiction.
  bool infer_sizes();
  /// Size names without a value.
  std::vector<std::string> unknown_sizes() const;
  /// Gives a size a value (must be unknown).
  void set_size(const std::string& name, std::int64_t value);
  /// Inputs without a value (fills and consts with a default count as given).
  std::vector<std::uint32_t> missing_inputs() const;
  /// Says that a table is given and has no column for this input; whether that gave a help line.
  bool explain_missing_column(std::uint32_t number, Diagnostic& d) const;
  /// Gives an input a value of the right shape.
  void set_input(std::uint32_t number, Array array);
  /// The shape of an input; all its sizes must be known.
  std::vector<std::int64_t> shape_of(std::uint32_t number) const;
  /// Fills, defaults of consts, checks of index data and of size requirements; false after an error.
  bool finish();

  const std::map<std::string, std::int64_t>& sizes() const { return bindings_.sizes; }
  Bindings& bindings() { return bindings_; }

 private:
  struct Fact {
    std::string reason;  // "X is [3, 2]"
    Span span = Span::none();
  };
  bool take_size(const std::string& name, const Given& given);
  bool take_file(std::uint32_t number, const GivenValue& value);
  bool take_csv(std::uint32_t number, const GivenValue& value);
  bool take_table();
  bool wants_columns() const;
  bool fit_rank(std::uint32_t number, Array array, bool one_column);
  bool infer_axis(std::uint32_t number, std::size_t axis, bool& changed);
  bool solve(const std::string& name, std::uint32_t number, std::size_t axis, bool& changed);
  bool check_axis(std::uint32_t number, std::size_t axis);
  bool fill(std::uint32_t number, GivenValue::Kind kind);
  bool fill_defaults();
  bool check_index(std::uint32_t number);
  bool check_requirements();
  bool enough_memory();
  void error(std::uint32_t number, std::string text);
  /// An error about one element: in the table that gives it, else at the input's declaration.
  void error_of_element(std::uint32_t number, std::size_t element, std::string text);

  const Model& model_;
  const BindOptions& options_;
  Diagnostics& diagnostics_;
  Bindings bindings_;
  std::map<std::string, Fact> facts_;
  std::map<std::uint32_t, GivenValue::Kind> fills_;
  std::map<std::uint32_t, std::pair<std::string, std::string>> tables_;  // path and selection
  std::set<std::string> wrong_files_;                                    // tables of which an error was reported
  std::vector<std::string> table_columns_;                               // of `--table`
};

/// Reads a whole file. On failure nothing, and `error` says why.
std::optional<std::string> read_file(const std::string& path, std::string& error);

/// Bytes of memory that this machine could give now.
std::int64_t available_memory();

}  // namespace gradus
