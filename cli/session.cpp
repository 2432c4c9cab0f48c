// Reading the formula and the values of a command, and showing what went wrong.
#include "cli/session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <set>

namespace gradus::cli {
namespace {

std::string read_standard_input() {
  std::string text;
  char buffer[65536];
  std::size_t length = 0;
  while ((length = std::fread(buffer, 1, sizeof buffer, stdin)) > 0) {
    text.append(buffer, length);
    if (text.size() > FrontendLimits{}.source_bytes + 1) break;  // the parser says that it is too long
  }
  return text;
}

std::string hint(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string near = did_you_mean(word, candidates);
  return near.empty() ? "" : fmt::format("did you mean {}?", near);
}

/// The names of a list `w,b`; none when the option is not given.
std::vector<std::string> names_in(const std::string& option, const std::optional<std::string>& given) {
  std::vector<std::string> out;
  std::string_view list = given ? std::string_view(*given) : std::string_view();
  if (given && trim(list).empty()) throw UsageError{fmt::format("{} needs a value", option), ""};
  bool more = false;
  while (!list.empty() || more) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view name = trim(list.substr(0, comma));
    if (name.empty()) throw UsageError{fmt::format("{}: a name is missing beside a ','", option), ""};
    out.emplace_back(name);
    more = comma < list.size();
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return out;
}

}  // namespace

bool colours(const Settings& settings) {
  if (settings.color == "always") return true;
  if (settings.color == "never") return false;
  const char* no_color = std::getenv("NO_COLOR");
  return isatty(STDERR_FILENO) != 0 && (no_color == nullptr || *no_color == '\0');
}

void add_common(CLI::App& command, Settings& settings) {
  command.add_option("FILE", settings.words, "the formula's file, or - for standard input")->allow_extra_args();
  command.add_option_function<std::string>(
      "-e,--expression",
      [&settings](const std::string& text) {
        settings.expression = text;
        settings.has_expression = true;
      },
      "a program instead of a file; ';' separates statements");
  command.add_option("--let", settings.let, "declarations for -e: 'A[n,n], data x[n]'");
  command.add_option("--diagnostics", settings.diagnostics, "text or json")->check(CLI::IsMember({"text", "json"}));
  command.add_option("--color", settings.color, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}));
}

Source Session::source() {
  if (settings_.has_expression) {
    source_ = std::make_unique<Source>("<expression>", settings_.expression);
    return *source_;
  }
  if (settings_.words.empty()) {
    throw UsageError{"a formula is missing: the name of a file, - for standard input, or -e 'EXPRESSION'", ""};
  }
  const std::string& file = settings_.words.front();
  if (file == "-") {
    source_ = std::make_unique<Source>("<stdin>", read_standard_input());
    return *source_;
  }
  std::string why;
  auto text = read_file(file, why);
  if (!text) throw UsageError{fmt::format("'{}' {}", file, why), ""};
  source_ = std::make_unique<Source>(file, std::move(*text));
  return *source_;
}

void Session::only_a_formula(const std::string& command) const {
  const std::size_t allowed = settings_.has_expression ? 0 : 1;
  if (settings_.words.size() <= allowed) return;
  throw UsageError{fmt::format("gradus {} takes one FILE{}; '{}' is too much", command,
                               settings_.has_expression ? " or -e" : "", settings_.words[allowed]),
                   ""};
}

Formula* Session::formula() {
  const Source text = source();
  const LoadOptions options{settings_.has_expression, settings_.let};
  source_ = std::make_unique<Source>(shown_source(text, options));
  static Formula* left_to_the_end = nullptr;  // where leak checkers find it
  left_to_the_end = load(text, options, diagnostics_).release();
  return left_to_the_end;
}

std::vector<Given> Session::given(const Model& model) {
  std::vector<Given> out;
  std::set<std::string> seen;
  for (std::size_t k = settings_.has_expression ? 0 : 1; k < settings_.words.size(); ++k) {
    const std::string& word = settings_.words[k];
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw UsageError{fmt::format("'{}' is not of the form name=value", word), ""};
    }
    const std::string name = word.substr(0, equals);
    if (!find_input(model, name) && !find_size(model, name)) {
      const std::vector<std::string> names = settable_names(model);
      const std::string near = hint(name, names);
      throw UsageError{fmt::format("the formula declares no input and no size named {}", name),
                       near.empty() ? fmt::format("its names are {}", fmt::join(names, ", ")) : near};
    }
    if (!seen.insert(name_key(name)).second) throw UsageError{fmt::format("{} is given twice", name), ""};
    Given one{name, {}};
    std::string why;
    if (!parse_value(std::string_view(word).substr(equals + 1), one.value, why)) {
      const auto number = find_input(model, name);
      diagnostics_.error(number ? model.inputs[*number].span : Span::none(),
                         fmt::format("the value of {}: {}", name, why));
    }
    out.push_back(std::move(one));
  }
  return out;
}

std::string Session::function_name() const {
  if (settings_.has_expression || settings_.words.empty() || settings_.words.front() == "-") return "loss_and_grad";
  std::string name = settings_.words.front();
  if (const std::size_t slash = name.rfind('/'); slash != std::string::npos) name.erase(0, slash + 1);
  if (const std::size_t dot = name.find('.'); dot != std::string::npos && dot > 0) name.erase(dot);
  return name;
}

void Session::write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    diagnostics_.error(Span::none(), "the result cannot be written to standard output");
  }
}

void Session::not_supported(const std::string& what) { diagnostics_.error(Span::none(), "not supported yet: " + what); }

int Session::finish(int status) {
  const auto form = settings_.diagnostics == "json" ? DiagnosticForm::json : DiagnosticForm::text;
  // As objects a note follows what it belongs to, so one of its own is for people only.
  const auto is_note = [](const Diagnostic& d) { return d.main.severity == Severity::note; };
  if (form == DiagnosticForm::json && std::ranges::all_of(diagnostics_.all(), is_note)) return status;
  const std::string text = render(diagnostics_, source_.get(), form, colours(settings_));
  std::fwrite(text.data(), 1, text.size(), stderr);
  return diagnostics_.has_errors() ? static_cast<int>(wrong) : status;
}

void add_selection(CLI::App& command, Selection& selection) {
  command.add_option("--loss", selection.losses, "only these losses: L,M");
  command.add_option("--wrt", selection.wrt, "derivatives by these inputs (all params): w,b");
}

DeriveOptions derive_options(const Model& model, const Selection& selection) {
  DeriveOptions out;
  for (const std::string& name : names_in("--loss", selection.losses)) {
    const std::vector<const NamedValue*> losses = values_of(model, NamedValue::Role::loss);
    std::vector<std::string> names;
    const NamedValue* found = nullptr;
    for (const NamedValue* loss : losses) {
      names.push_back(loss->name);
      if (loss->key == name_key(name)) found = loss;
    }
    if (found == nullptr) {
      throw UsageError{fmt::format("--loss {}: there is no loss of that name", name),
                       names.empty() ? "" : fmt::format("the losses are {}", fmt::join(names, ", "))};
    }
    out.losses.push_back(found->key);
  }
  for (const std::string& name : names_in("--wrt", selection.wrt)) {
    const auto number = find_input(model, name);
    if (!number) {
      std::vector<std::string> names;
      for (const Input& input : model.inputs) {
        if (!input.index_bound) names.push_back(input.name);
      }
      const std::string near = hint(name, names);
      throw UsageError{fmt::format("--wrt {}: there is no input of that name", name),
                       near.empty() ? fmt::format("the inputs are {}", fmt::join(names, ", ")) : near};
    }
    if (model.inputs[*number].index_bound) {
      throw UsageError{fmt::format("--wrt {}: index data have no derivative", name), ""};
    }
    const std::string& key = model.inputs[*number].key;
    if (std::ranges::find(out.wrt, key) == out.wrt.end()) out.wrt.push_back(key);
  }
  return out;
}

std::int64_t whole_number(const std::string& option, const std::string& text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    throw UsageError{fmt::format("{} {}: a whole number from {} to {} is expected", option, text, least, most), ""};
  }
  return value;
}

unsigned thread_count(const std::optional<std::string>& given) {
  constexpr int most_threads = 4096;
  return given ? static_cast<unsigned>(whole_number("--threads", *given, 1, most_threads)) : available_cores();
}

double positive_number(const std::string& option, const std::string& text) {
  const auto value = parse_number(text);
  if (!value || !(*value > 0)) throw UsageError{fmt::format("{} {}: a positive number is expected", option, text), ""};
  return *value;
}

}  // namespace gradus::cli
