// Whole programs: every formula of tests/zoo, and the wrong ones of tests/bad that need only the frontend.
#include <algorithm>
#include <boost/json.hpp>
#include <boost/json/src.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "tests/frontend/parsed.hpp"

using namespace gradus;
namespace fs = std::filesystem;

namespace {

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> programs(const std::string& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(GRADUS_SOURCE_DIR) / "tests" / folder)) {
    if (entry.path().extension() == ".loss") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string squeezed(std::string text) {
  std::erase_if(text, [](unsigned char c) { return std::isspace(c); });
  return text;
}

bool word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80); }

/// Whether a text contains a name as a whole word, anything else without regard to blanks.
bool mentions(const boost::json::value& want, const std::string& text) {
  if (want.is_array()) {
    return std::any_of(want.as_array().begin(), want.as_array().end(),
                       [&](const auto& one) { return mentions(one, text); });
  }
  const std::string part(want.as_string());
  if (part.starts_with("re:")) return true;  // lookbehinds are not for std::regex
  if (!std::all_of(part.begin(), part.end(), word_character))
    return squeezed(text).find(squeezed(part)) != std::string::npos;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    const bool before = at > 0 && word_character(text[at - 1]);
    const std::size_t end = at + part.size();
    if (!before && !(end < text.size() && word_character(text[end]))) return true;
  }
  return false;
}

bool in_range(std::int64_t value, const boost::json::value& range) {
  if (range.is_null()) return true;
  if (!range.is_array()) return value == range.as_int64();
  return value >= range.at(0).as_int64() && value <= range.at(1).as_int64();
}

bool fits(const boost::json::value& want, const Diagnostic& d, const Source& source) {
  const Position at = source.position(d.main.mark.begin);
  std::string text = d.main.text;
  for (const Message& m : d.more) text += "\n" + m.text;
  const auto& all = want.at("mentions").as_array();
  return in_range(at.line, want.at("line")) && in_range(at.column, want.at("columns")) &&
         std::all_of(all.begin(), all.end(), [&](const auto& one) { return mentions(one, text); });
}

// What the syntax allows; the error is a later stage's.
const char* const semantic[] = {"tab_before_error", "leading_minus_goes_on", "no_loss_to_differentiate",
                                "expression_option"};

}  // namespace

TEST_CASE("every formula of the zoo is read, and its canonical form is the same tree") {
  const std::vector<fs::path> all = programs("zoo");
  CHECK(all.size() > 300);
  for (const fs::path& path : all) {
    CAPTURE(path.string());
    const std::string out = canonical(content(path));
    CHECK(out.find("t.loss") == std::string::npos);
    CHECK(canonical(out) == out);
  }
}

TEST_CASE("wrong programs of lexical and syntax have the errors they should") {
  std::size_t count = 0;
  for (const fs::path& path : programs("bad")) {
    const std::string group = path.parent_path().filename().string();
    const std::string name = path.stem().string();
    if (group != "lexical" && group != "syntax" && name != "two_syntax_errors") continue;
    if (std::find(std::begin(semantic), std::end(semantic), name) != std::end(semantic)) continue;
    ++count;
    CAPTURE(name);
    const boost::json::value wanted = boost::json::parse(content(fs::path(path).replace_extension(".json")));
    const Source source(name + ".loss", content(path));
    Diagnostics diagnostics;
    parse(source, diagnostics);
    CAPTURE(complaints(diagnostics, source));
    CHECK(diagnostics.error_count() <= static_cast<std::size_t>(wanted.at("at_most").as_int64()));
    for (const auto& want : wanted.at("errors").as_array()) {
      CHECK(std::any_of(diagnostics.all().begin(), diagnostics.all().end(),
                        [&](const Diagnostic& d) { return fits(want, d, source); }));
    }
  }
  CHECK(count > 25);
}

TEST_CASE("wrong programs of the other kinds have no syntax error") {
  for (const fs::path& path : programs("bad")) {
    const std::string group = path.parent_path().filename().string();
    const std::string name = path.stem().string();
    if (group == "lexical" || group == "syntax" || name == "two_syntax_errors" || name == "numpy_function" ||
        name == "left_division")
      continue;
    CAPTURE(path.string());
    CHECK(errors(content(path)) == "");
  }
}
