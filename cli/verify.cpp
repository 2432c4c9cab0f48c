// gradus verify: checks the compiled gradient against an independent derivative in higher precision.
#include <fmt/format.h>

#include "cli/session.hpp"

namespace gradus::cli {
namespace {

struct Options {
  Selection selection;
  BindOptions bind;
  std::optional<std::string> threads;
  std::string points, seed = "0", tolerance = "1e-9", limit = "600";
  bool all = false;
};

std::string row_text(const VerifyRow& row, std::size_t width) {
  std::string what =
      fmt::format("{} {}", row.compared - row.directions, row.compared - row.directions == 1 ? "number" : "numbers");
  if (row.directions > 0) what += fmt::format(" and {} random directions", row.directions);
  if (row.sampled) what += ", a sample (--all compares every one)";
  if (row.without > 0) what += fmt::format("; {} have no finite reference", row.without);
  return fmt::format("{:<{}}  {:<9.2g} {}\n", row.name, width, row.error, what);
}

std::string report_text(const VerifyReport& report, double tolerance) {
  std::size_t width = 0;
  for (const VerifyRow& row : report.rows) width = std::max(width, row.name.size());
  std::string out = fmt::format("{:<{}}  relative error\n", "", width);
  for (const VerifyRow& row : report.rows) out += row_text(row, width);
  out += fmt::format("{}: worst relative error {:.2g} at {} {}{}, tolerance {:g}\n",
                     report.nothing  ? "nothing to compare"
                     : report.passed ? "passed"
                                     : "FAILED",
                     report.worst, report.points, report.made_up ? "random " : "",
                     report.points == 1 ? "point" : "points", tolerance);
  return out;
}

int run(Settings& settings, Options& options) {
  Session session(settings);
  constexpr int most_points = 1000000;
  VerifyOptions verify_by;
  if (!options.points.empty()) {
    verify_by.points = static_cast<int>(whole_number("--points", options.points, 1, most_points));
  }
  verify_by.threads = thread_count(options.threads);
  verify_by.all = options.all;
  const auto tolerance = parse_number(options.tolerance);
  if (!tolerance || !(*tolerance >= 0)) {
    throw UsageError{fmt::format("--tolerance {}: a number that is not negative is expected", options.tolerance), ""};
  }
  verify_by.tolerance = *tolerance;
  verify_by.limit = positive_number("--limit", options.limit);
  options.bind.seed = static_cast<std::uint64_t>(whole_number("--seed", options.seed, 0, INT64_MAX));
  Formula* const formula = session.formula();
  if (formula == nullptr) return session.finish();
  DeriveOptions derive_by = derive_options(formula->model, options.selection);
  derive_by.jacobians = true;
  const std::vector<Given> given = session.given(formula->model);
  if (session.diagnostics().has_errors() || !has_something_to_differentiate(formula->model, session.diagnostics())) {
    return session.finish();
  }
  const auto report = verify(formula->model, derive_by, given, options.bind, verify_by, session.diagnostics());
  if (!report) return session.finish();
  if (!report->notes.empty())
    session.diagnostics().warning(Span::none(), report->notes.substr(0, report->notes.size() - 1));
  if (report->nothing) {
    session.diagnostics().warning(Span::none(),
                                  "nothing was checked: no value is finite here; give values at which the formula is");
  }
  session.write(report_text(*report, verify_by.tolerance));
  return session.finish(report->passed ? done : failed);
}

}  // namespace

Run add_verify(CLI::App& command, Settings& settings) {
  auto options = std::make_shared<Options>();
  add_selection(command, options->selection);
  command.add_option("--points", options->points,
                     "number of random points where values are made up (3, fewer where one takes seconds)");
  command.add_option("--seed", options->seed, "seed of random values");
  command.add_option("--tolerance", options->tolerance, "largest relative error that passes (1e-9)");
  command.add_option("--limit", options->limit, "seconds; what would take longer by an estimate is refused (600)");
  command.add_flag("--all", options->all, "compare every coordinate, however long it takes");
  command.add_option("--table", options->bind.table, "a CSV file that gives data by the names of its columns");
  command.add_option("--threads", options->threads, "number of threads (all cores)");
  return [options, &settings] { return run(settings, *options); };
}

}  // namespace gradus::cli
