// gradus bench: times loss and loss with gradient beside a pure read of the same data.
#include <fmt/format.h>

#include "cli/session.hpp"

namespace gradus::cli {
namespace {

struct Options {
  Selection selection;
  BindOptions bind;
  std::optional<std::string> threads;
  std::string seconds = "1", seed = "0", limit = "600";
  bool json = false;
};

std::string time_text(double seconds) {
  if (seconds < 1e-6) return fmt::format("{:.3g} ns", seconds * 1e9);
  if (seconds < 1e-3) return fmt::format("{:.3g} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.3g} ms", seconds * 1e3);
  return fmt::format("{:.3g} s", seconds);
}

std::string json_text(const BenchReport& report, unsigned threads) {
  return fmt::format(
      R"({{"loss_s": {}, "grad_s": {}, "compile_s": {}, "threads": {}, "input_bytes": {}, "flops": {}, "read_s": {}, "rows": {}, "calls": {}}})"
      "\n",
      json_number(report.loss_seconds), json_number(report.grad_seconds), json_number(report.compile_seconds), threads,
      report.input_bytes, json_number(report.flops), json_number(report.read_seconds), report.rows, report.calls);
}

std::string report_text(const BenchReport& report, unsigned threads) {
  const auto bytes = static_cast<double>(report.input_bytes);
  const auto rate = [&](double seconds) {
    std::string out = fmt::format("{:>10}", time_text(seconds));
    if (report.rows > 0) out += fmt::format("  {:>10.3g} rows/s", static_cast<double>(report.rows) / seconds);
    return out + fmt::format("  {:>7.3g} GB/s", bytes / seconds / 1e9);
  };
  std::string out = fmt::format("loss and gradient  {}  {:.3g} GFLOP/s\n", rate(report.grad_seconds),
                                report.flops / report.grad_seconds / 1e9);
  out += fmt::format("loss               {}\n", rate(report.loss_seconds));
  out += fmt::format("pure read          {}\n", rate(report.read_seconds));
  out += fmt::format("compile            {:>10}\n", time_text(report.compile_seconds));
  out += fmt::format("{} {}, {:.3g} MB of inputs, medians of {} calls\n", threads, threads == 1 ? "thread" : "threads",
                     bytes / 1e6, report.calls);
  return out;
}

int run(Settings& settings, Options& options) {
  Session session(settings);
  BenchOptions bench_by;
  bench_by.threads = thread_count(options.threads);
  bench_by.seconds = positive_number("--seconds", options.seconds);
  bench_by.limit = positive_number("--limit", options.limit);
  options.bind.seed = static_cast<std::uint64_t>(whole_number("--seed", options.seed, 0, INT64_MAX));
  Formula* const formula = session.formula();
  if (formula == nullptr) return session.finish();
  const DeriveOptions derive_by = derive_options(formula->model, options.selection);
  const std::vector<Given> given = session.given(formula->model);
  if (session.diagnostics().has_errors() || !has_something_to_differentiate(formula->model, session.diagnostics())) {
    return session.finish();
  }
  auto bindings = bind_inputs(formula->model, given, options.bind, session.diagnostics());
  if (!bindings) return session.finish();
  const auto report = bench(formula->model, derive_by, *bindings, bench_by, session.diagnostics());
  if (!report) return session.finish();
  if (!report->notes.empty())
    session.diagnostics().warning(Span::none(), report->notes.substr(0, report->notes.size() - 1));
  session.write(options.json ? json_text(*report, bench_by.threads) : report_text(*report, bench_by.threads));
  return session.finish();
}

}  // namespace

Run add_bench(CLI::App& command, Settings& settings) {
  auto options = std::make_shared<Options>();
  add_selection(command, options->selection);
  command.add_option("--threads", options->threads, "number of threads (all cores)");
  command.add_option("--seconds", options->seconds, "about how long to measure (1)");
  command.add_option("--limit", options->limit, "seconds; what would take longer by an estimate is refused (600)");
  command.add_option("--seed", options->seed, "seed of normal and uniform values");
  command.add_option("--table", options->bind.table, "a CSV file that gives data by the names of its columns");
  command.add_flag("--json", options->json, "print one JSON object");
  return [options, &settings] { return run(settings, *options); };
}

}  // namespace gradus::cli
