// What the commands share: options, loading a formula, diagnostics, writing results, exit statuses.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/gradus.hpp"

namespace gradus::cli {

/// Exit statuses (LANGUAGE section 8).
enum Status : int { done = 0, wrong = 1, usage = 2, failed = 3, internal = 4 };

/// An error of the command line: ends the command with status 2.
struct UsageError {
  std::string text;
  std::string help;
};

/// Options that every command takes.
struct Settings {
  std::vector<std::string> words;  // FILE and name=value…
  std::string expression;          // -e
  bool has_expression = false;
  bool prelude = false;  // check prints the prelude instead
  std::string let;
  std::string diagnostics = "text";
  std::string color = "auto";
};

/// One run of a command: collects diagnostics and shows them once, at the end.
class Session {
 public:
  explicit Session(const Settings& settings) : settings_(settings) {}

  const Settings& settings() const { return settings_; }
  Diagnostics& diagnostics() { return diagnostics_; }

  /// Reads FILE, `-` or the expression, parses and checks. Null after an error (see `finish`); throws UsageError. It is
  /// left to the end of the process: freeing a large graph node by node would take a tenth of the time.
  Formula* formula();
  /// Refuses words beside FILE or -e; throws UsageError.
  void only_a_formula(const std::string& command) const;
  /// Reads the text only.
  Source source();
  /// The name=value words, checked against the formula's names; throws UsageError for unknown or repeated names,
  /// reports bad values.
  std::vector<Given> given(const Model& model);
  /// A name for functions made of the formula: the file's, or `loss_and_grad`.
  std::string function_name() const;

  /// Writes a result to standard output.
  void write(const std::string& text);
  /// An error without a place that starts with "not supported yet: ".
  void not_supported(const std::string& what);
  /// Shows the diagnostics; the exit status: `status`, or 1 when there was an error.
  int finish(int status = done);

 private:
  const Settings& settings_;
  Diagnostics diagnostics_;
  std::unique_ptr<Source> source_;
  std::size_t shown_ = 0;
};

/// Adds the options that every command takes.
void add_common(CLI::App& command, Settings& settings);

/// Whether diagnostics to standard error are coloured.
bool colours(const Settings& settings);

/// `--wrt` and `--loss`: names separated by commas.
struct Selection {
  std::optional<std::string> losses, wrt;
};
void add_selection(CLI::App& command, Selection& selection);
/// The options of a derivation for a selection; throws UsageError for a name that is not there.
DeriveOptions derive_options(const Model& model, const Selection& selection);

/// A whole number of an option within limits; throws UsageError.
std::int64_t whole_number(const std::string& option, const std::string& text, std::int64_t least, std::int64_t most);

/// The number of threads of `--threads`, all cores where it is not given; throws UsageError.
unsigned thread_count(const std::optional<std::string>& given);

/// A positive number of an option; throws UsageError.
double positive_number(const std::string& option, const std::string& text);

/// A command: its options are added to `command`; the result runs it.
using Run = std::function<int()>;
Run add_check(CLI::App& command, Settings& settings);
Run add_grad(CLI::App& command, Settings& settings);
Run add_eval(CLI::App& command, Settings& settings);
Run add_verify(CLI::App& command, Settings& settings);
Run add_build(CLI::App& command, Settings& settings);
Run add_bench(CLI::App& command, Settings& settings);
Run add_fmt(CLI::App& command, Settings& settings);

}  // namespace gradus::cli
