// The gradus program: finds the command, reads its options, and turns every way of failing into an exit status.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string_view>
#include <vector>

#include "cli/session.hpp"

namespace gradus::cli {
namespace {

struct Command {
  const char* name;
  const char* about;
  Run (*add)(CLI::App&, Settings&);
  bool values;  // takes name=value
  const char* examples;
};

constexpr std::array<Command, 7> commands = {{
    {"check", "parse and check; print every name with its shape", add_check, false,
     "  gradus check model.loss\n"
     "  gradus check -e 'norm(A @ x - b)^2' --let 'data A[m, n], b[m], param x[n]'"},
    {"grad", "print the loss and its gradient as formulas", add_grad, false,
     "  gradus grad model.loss\n"
     "  gradus grad -e 'sin(x)^2*y' --wrt x --as latex"},
    {"eval", "compile and evaluate on data", add_eval, true,
     "  gradus eval -e 'sin(x)^2*y' x=0.5 y=2 --grad\n"
     "  gradus eval model.loss X=@table.csv:age..bmi y=@table.csv:score w=zeros --grad --json"},
    {"verify", "check the compiled gradient against a derivative in higher precision", add_verify, true,
     "  gradus verify model.loss\n"
     "  gradus verify model.loss n=1000 d=3"},
    {"build", "write an object or library and a C header", add_build, false,
     "  gradus build model.loss -o out/model --emit static,header"},
    {"bench", "time loss and gradient", add_bench, true,
     "  gradus bench model.loss X=normal y=uniform w=zeros n=100000 d=32"},
    {"fmt", "print the formula in canonical form", add_fmt, false, "  gradus fmt model.loss --in-place"},
}};

constexpr const char* values_help =
    "name=value gives an input or a size its value: a number, [1, 2; 3, 4], @file.npy, @file.csv,\n"
    "@file.csv:column,first..last, zeros, ones, normal or uniform.\n\n";

/// Help pages that say what a command takes.
class Help : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string) const override {
    const auto command = std::ranges::find(commands, app->get_name(), &Command::name);
    const bool one = command != commands.end();
    return fmt::format("Usage: gradus {} FILE | -e EXPRESSION | - {}[options]\n", one ? command->name : "COMMAND",
                       one && command->values ? "[name=value ...] " : "");
  }
};

/// Shows one error without a place, in the form asked for.
void show_error(const Settings& settings, const std::string& text, const std::string& help) {
  Diagnostics diagnostics;
  Diagnostic& error = diagnostics.error(Span::none(), text);
  if (!help.empty()) error.help(help);
  const auto form = settings.diagnostics == "json" ? DiagnosticForm::json : DiagnosticForm::text;
  const std::string shown = render(diagnostics, nullptr, form, colours(settings));
  std::fwrite(shown.data(), 1, shown.size(), stderr);
}

/// The form of errors must be known before the command line is understood.
void find_form(int argc, char** argv, Settings& settings) {
  for (int k = 1; k < argc; ++k) {
    const std::string word = argv[k];
    if (word == "--diagnostics=json" ||
        (word == "--diagnostics" && k + 1 < argc && std::string(argv[k + 1]) == "json")) {
      settings.diagnostics = "json";
    }
  }
}

/// The command's name: the first word that is no option.
std::string command_word(int argc, char** argv) {
  for (int k = 1; k < argc; ++k) {
    const std::string word = argv[k];
    if (word == "--color" || word == "--diagnostics") {
      ++k;
    } else if (!word.starts_with('-')) {
      return word;
    }
  }
  return "";
}

std::string command_list() {
  std::string out;
  for (const Command& command : commands) out += (out.empty() ? "" : ", ") + std::string(command.name);
  return out;
}

/// Words that look like options but are none of the command.
void refuse_unknown_options(const CLI::App& command) {
  const std::vector<std::string> extras = command.remaining();
  if (extras.empty()) return;
  const std::string word = extras.front().substr(0, extras.front().find('='));
  std::vector<std::string> known;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  const std::string near = did_you_mean(word, known);
  throw UsageError{
      fmt::format("gradus {} has no option {}", command.get_name(), word),
      near.empty() ? fmt::format("its options are {}", fmt::join(known, ", ")) : fmt::format("did you mean {}?", near)};
}

/// What the option parser says, in the words of the other messages.
std::string in_words(const std::string& message) {
  const std::size_t given = message.find(" was given a disallowed flag override");
  if (given != std::string::npos) {
    const std::string flag = message.substr(0, given);
    return fmt::format("{}{} takes no value", flag.starts_with('-') ? "" : "--", flag);
  }
  const std::size_t colon = message.find(": ");
  if (colon == std::string::npos) return message;
  const std::string option = message.substr(0, colon), rest = message.substr(colon + 2);
  const std::size_t received = rest.find("but received ");
  if (received != std::string::npos && rest.substr(received + 13) != "0")
    return fmt::format("{} is given twice", option);
  if (rest.find(" required ") != std::string::npos) return fmt::format("{} needs a value", option);
  const std::size_t members = rest.find(" not in {");
  if (members == std::string::npos || !rest.ends_with('}')) return message;
  const std::string list = rest.substr(members + 9, rest.size() - members - 10);
  return fmt::format("{} {}: one of {} is expected", option, rest.substr(0, members), list);
}

int run(int argc, char** argv, Settings& settings) {
  CLI::App app("Gradus turns loss formulas into readable gradients, fast native code and linkable objects.", "gradus");
  app.set_version_flag("--version", std::string("gradus ") + version());
  app.add_option("--color", settings.color, "auto, always or never")->check(CLI::IsMember({"auto", "always", "never"}));
  app.add_option("--diagnostics", settings.diagnostics, "text or json")->check(CLI::IsMember({"text", "json"}));
  app.require_subcommand(0, 1);
  app.footer(
      "gradus COMMAND --help shows the options of a command, with examples. First steps:\n"
      "  gradus grad -e 'sin(x)^2*y'\n"
      "  gradus eval -e 'sin(x)^2*y' x=0.5 y=2 --grad");
  const auto help = std::make_shared<Help>();
  help->label("TEXT", "VALUE");
  app.formatter(help);
  app.option_defaults()->disable_flag_override();  // a flag takes no value
  std::vector<std::pair<CLI::App*, Run>> added;
  for (const Command& command : commands) {
    CLI::App* sub = app.add_subcommand(command.name, command.about);
    sub->set_version_flag("--version", std::string("gradus ") + version());
    sub->allow_extras();
    sub->footer(fmt::format("{}Examples:\n{}", command.values ? values_help : "", command.examples));
    add_common(*sub, settings);
    added.emplace_back(sub, command.add(*sub, settings));
  }
  app.allow_extras();
  const std::string word = command_word(argc, argv);
  bool known = word.empty();
  std::vector<std::string> names;
  for (const Command& command : commands) {
    known = known || word == command.name;
    names.emplace_back(command.name);
  }
  if (!known) {
    const std::string near = did_you_mean(word, names);
    throw UsageError{fmt::format("there is no command '{}'", word),
                     near.empty() ? "the commands are " + command_list() : fmt::format("did you mean {}?", near)};
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      app.exit(error);
      if (std::cout.flush()) return done;
      show_error(settings, "the result cannot be written to standard output", "");
      return wrong;
    }
    throw UsageError{in_words(error.what()), ""};
  }
  for (const auto& [sub, command] : added) {
    if (!sub->parsed()) continue;
    refuse_unknown_options(*sub);
    return command();
  }
  const std::vector<std::string> extras = app.remaining();
  if (!extras.empty()) throw UsageError{fmt::format("there is no option {}", extras.front()), "see gradus --help"};
  throw UsageError{"a command is missing: " + command_list(), "see gradus --help"};
}

}  // namespace
}  // namespace gradus::cli

int main(int argc, char** argv) {
  using namespace gradus::cli;
  Settings settings;
  // A `--` before FILE or name=value says nothing that their form does not say.
  std::vector<char*> words(argv, argv + argc);
  std::erase_if(words, [](const char* word) { return std::string_view(word) == "--"; });
  const auto count = static_cast<int>(words.size());
  words.push_back(nullptr);
  find_form(count, words.data(), settings);
  try {
    return run(count, words.data(), settings);
  } catch (const UsageError& error) {
    show_error(settings, error.text, error.help);
    return usage;
  } catch (const std::bad_alloc&) {
    show_error(settings, "there is not enough memory", "");
    return wrong;
  } catch (const std::exception& error) {
    show_error(settings, fmt::format("internal error: {}", error.what()), "please report this as a bug of Gradus");
    return internal;
  }
}
