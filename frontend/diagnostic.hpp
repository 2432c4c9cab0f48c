// Errors, warnings, notes and help as values, and the two forms in which they are shown.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "frontend/source.hpp"

namespace gradus {

enum class Severity { error, warning, note, help };

/// One message about one place. `mark` is the part under `^` and the place that is reported; `context` are further
/// parts of the same line that are shown with `~` (for instance the operands of a marked operator).
struct Message {
  Severity severity = Severity::error;
  std::string text;
  Span mark = Span::none();
  std::vector<Span> context;
};

/// A place in another file than the program (a cell of a CSV file): shown without the line.
struct ForeignPlace {
  std::string file;
  Position position;
};

/// A user error or warning with the notes and help lines that follow it.
struct Diagnostic {
  Message main;
  std::vector<Message> more;  // notes and help, in the order in which they are shown
  std::optional<ForeignPlace> foreign;

  Diagnostic& note(std::string text, Span mark = Span::none());
  Diagnostic& help(std::string text);
};

/// Collects the diagnostics of a compilation. What follows from an error must not be reported: callers give up on a
/// value that depends on one. The same message at the same place is kept once.
class Diagnostics {
 public:
  /// Adds an error and returns it, so that notes and help can follow: `errors.error(span, "…").help("…")`.
  Diagnostic& error(Span mark, std::string text, std::vector<Span> context = {});
  Diagnostic& warning(Span mark, std::string text, std::vector<Span> context = {});
  Diagnostic& add(Diagnostic diagnostic);

  bool has_errors() const { return error_count_ > 0; }
  std::size_t error_count() const { return error_count_; }
  const std::vector<Diagnostic>& all() const { return all_; }
  Diagnostic& at(std::size_t number) { return all_.at(number); }
  void clear();

 private:
  std::vector<Diagnostic> all_;
  std::size_t error_count_ = 0;
};

enum class DiagnosticForm { text, json };

/// All diagnostics in the form of LANGUAGE section 7, sorted by place, after 100 errors "and N more".
/// `source` may be null where there is no program (a wrong command line).
std::string render(const Diagnostics& diagnostics, const Source* source, DiagnosticForm form, bool color);

/// The candidate nearest to `word` by edit distance with transpositions (case-insensitive matches first), or empty
/// when none is near enough to be meant.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace gradus
