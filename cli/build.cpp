// gradus build: writes an object or library and a C header.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "cli/session.hpp"

namespace gradus::cli {
namespace {

struct Options {
  Selection selection;
  BuildOptions build;
  std::string emit = "obj,header", number = "f64", order = "1";
  std::vector<std::string> fix;
};

constexpr std::array<std::pair<const char*, bool BuildOptions::*>, 7> kinds = {{
    {"obj", &BuildOptions::object},
    {"static", &BuildOptions::static_library},
    {"shared", &BuildOptions::shared_library},
    {"header", &BuildOptions::header},
    {"cmake", &BuildOptions::cmake},
    {"llvm", &BuildOptions::llvm},
    {"asm", &BuildOptions::assembly},
}};

void choose_kinds(const std::string& list, BuildOptions& build) {
  std::string names;
  for (const auto& kind : kinds) names += (names.empty() ? "" : ", ") + std::string(kind.first);
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    const std::string word = list.substr(at, end - at);
    const auto found = std::ranges::find_if(kinds, [&](const auto& kind) { return word == kind.first; });
    if (found == kinds.end())
      throw UsageError{fmt::format("--emit {}: '{}' cannot be emitted", list, word), "what can be: " + names};
    build.*found->second = true;
    at = end + 1;
  }
}

int run(Settings& settings, Options& options) {
  Session session(settings);
  session.only_a_formula("build");
  if (options.build.path.empty())
    throw UsageError{"gradus build needs -o PATH, for instance -o out/" + session.function_name(), ""};
  if (options.build.path.ends_with('/')) {
    throw UsageError{fmt::format("-o {}: the last part, which names the functions, is missing", options.build.path),
                     ""};
  }
  if (options.number != "f64" && options.number != "f32") {
    throw UsageError{fmt::format("--float {}: f64 or f32 is expected", options.number), ""};
  }
  choose_kinds(options.emit, options.build);
  constexpr int highest_order = 16;
  const std::int64_t order = whole_number("--order", options.order, 1, highest_order);
  if (const std::string problem = target_problem(options.build.target); !problem.empty()) throw UsageError{problem, ""};
  Formula* const formula = session.formula();
  if (formula == nullptr) return session.finish();
  DeriveOptions derive_by = derive_options(formula->model, options.selection);
  derive_by.jacobians = true;
  if (options.number == "f32") session.not_supported("--float f32");
  if (!options.fix.empty()) session.not_supported("--fix");
  if (order > 1) session.not_supported(fmt::format("--order {}", order));
  if (session.diagnostics().has_errors() || !has_something_to_differentiate(formula->model, session.diagnostics())) {
    return session.finish();
  }
  std::string name = formula->source.file();
  if (const std::size_t slash = name.rfind('/'); slash != std::string::npos) name.erase(0, slash + 1);
  options.build.source_name = name.starts_with('<') ? "" : name;
  build(formula->model, derive_by, options.build, session.diagnostics());
  return session.finish();
}

}  // namespace

Run add_build(CLI::App& command, Settings& settings) {
  auto options = std::make_shared<Options>();
  add_selection(command, options->selection);
  command.add_option("-o,--output", options->build.path, "where to: out/NAME gives out/NAME.o and out/NAME.h");
  command.add_option("--emit", options->emit, "obj, static, shared, header, cmake, llvm, asm (obj,header)");
  command.add_option("--float", options->number, "f64 or f32");
  command.add_option("--target", options->build.target.triple, "target triple (this machine's)");
  command.add_option("--cpu", options->build.target.cpu, "native, x86-64-v2, -v3, -v4 or a name that LLVM knows");
  command.add_option("--fix", options->fix, "a size that is fixed: d=3")->expected(1)->take_all();
  command.add_option("--order", options->order, "order of the derivatives");
  return [options, &settings] { return run(settings, *options); };
}

}  // namespace gradus::cli
