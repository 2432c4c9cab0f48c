// gradus fmt: prints the formula in canonical form, writes it back, or says whether it has that form.
#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>

#include "cli/session.hpp"

namespace gradus::cli {
namespace {

struct Options {
  bool check = false, in_place = false;
};

/// Replaces a file's text in one step, so that no failure leaves half of it. False when it cannot be written.
bool replace_file(const std::string& path, const std::string& text) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path file = fs::weakly_canonical(path, error);
  const fs::path fresh = file.string() + ".new";
  std::FILE* out = std::fopen(fresh.c_str(), "wb");
  if (out == nullptr) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size();
  const bool closed = std::fclose(out) == 0;
  if (written && closed) {
    const fs::file_status status = fs::status(file, error);
    if (!error) fs::permissions(fresh, status.permissions(), error);
    fs::rename(fresh, file, error);
    if (!error) return true;
  }
  fs::remove(fresh, error);
  return false;
}

int run(Settings& settings, const Options& options) {
  Session session(settings);
  session.only_a_formula("fmt");
  if (options.check && options.in_place) throw UsageError{"--check and --in-place exclude each other", ""};
  const bool is_file = !settings.has_expression && !settings.words.empty() && settings.words.front() != "-";
  if (options.in_place && !is_file) throw UsageError{"--in-place needs a FILE", ""};
  const Source source = session.source();
  const ast::Program program = parse(source, session.diagnostics());
  if (session.diagnostics().has_errors()) return session.finish();
  const std::string text = format_file(program, source);
  Diagnostics quiet;
  if (!same_tree(program, parse(Source(source.file(), text), quiet)) || quiet.has_errors())
    throw std::logic_error("the canonical form is another program");
  const bool canonical = text == source.text();
  if (options.check) {
    if (canonical) return session.finish();
    Diagnostic& d = session.diagnostics().warning(Span::none(), source.file() + " is not in canonical form");
    if (is_file) d.help("gradus fmt --in-place " + source.file());
    return session.finish(failed);
  }
  if (!options.in_place) {
    session.write(text);
  } else if (!canonical && !replace_file(source.file(), text)) {
    session.diagnostics().error(Span::none(), fmt::format("'{}' cannot be written", source.file()));
  }
  return session.finish();
}

}  // namespace

Run add_fmt(CLI::App& command, Settings& settings) {
  auto options = std::make_shared<Options>();
  command.add_flag("--check", options->check, "print nothing; status 3 when the file is not in canonical form");
  command.add_flag("--in-place", options->in_place, "write the canonical form back to the file");
  return [options, &settings] { return run(settings, *options); };
}

}  // namespace gradus::cli
