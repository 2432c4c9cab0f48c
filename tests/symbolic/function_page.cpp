// docs/functions.md is what the function table says: this makes the page and compares.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "symbolic/accuracy.hpp"
#include "symbolic/function.hpp"

using namespace gradus;

namespace {

/// The columns of a row as they are written in the table.
struct Written {
  std::string partials, kinks;
};

const std::vector<Written>& written() {
  static const std::vector<Written> list = {
#define GRADUS_FUNCTION(id, name, arity, spelling, condition, total, latex, value, partials, domain, kinks, selects, \
                        lowering, doc)                                                                               \
  {#partials, #kinks},
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
  };
  return list;
}

/// The parts of a list, "(a, f(b, c))" as "a" and "f(b, c)"; the brackets may be any.
std::vector<std::string> parts(const std::string& list) {
  std::vector<std::string> out;
  std::string part;
  int depth = 0;
  for (const char c : list.substr(1, list.size() - 2)) {
    if (c == '(' || c == '{') ++depth;
    if (c == ')' || c == '}') --depth;
    if (c == ',' && depth == 0) {
      out.push_back(std::exchange(part, ""));
    } else if (c != ' ' || !part.empty()) {
      part += c;
    }
  }
  if (!part.empty()) out.push_back(part);
  return out;
}

/// "head(a, b)" as {"head", "a", "b"}.
std::vector<std::string> call(const std::string& text) {
  const std::size_t open = text.find('(');
  auto out = parts(text.substr(open));
  out.insert(out.begin(), text.substr(0, open));
  return out;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// A partial's formula as a user would write it: `f` is the value, plain numbers are plain.
std::string formula(std::string text) {
  const auto rewrite = [&](const std::string& name, auto spelled) {
    for (std::size_t at = text.find(name + "("); at != std::string::npos; at = text.find(name + "(", at + 1)) {
      if (at > 0 && (std::isalnum(static_cast<unsigned char>(text[at - 1])) != 0 || text[at - 1] == '_')) continue;
      std::size_t end = at + name.size();
      for (int depth = 0; end < text.size(); ++end) {
        depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
        if (depth == 0) break;
      }
      text.replace(at, end + 1 - at, spelled(parts(text.substr(at + name.size(), end + 1 - at - name.size()))));
    }
  };
  using Arguments = std::vector<std::string>;
  rewrite("number", [](const Arguments& a) { return a[1]; });
  rewrite("pi", [](const Arguments&) { return std::string("pi"); });
  rewrite("square", [](const Arguments& a) { return (a[0].size() == 1 ? a[0] : "(" + a[0] + ")") + "^2"; });
  rewrite("power", [](const Arguments& a) { return a[0] + "^(" + a[1] + ")"; });
  rewrite("select", [](const Arguments& a) { return "where(" + a[0] + ", " + a[1] + ", " + a[2] + ")"; });
  rewrite("shared", [](const Arguments& a) { return "where(" + a[0] + ", 1/2, 1)"; });
  rewrite("holds", [](const Arguments& a) { return a[0]; });
  rewrite("fails", [](const Arguments& a) { return "not " + a[0]; });
  replace_all(text, "&&", "and");
  replace_all(text, "||", "or");
  return text;
}

std::string derivative(const std::string& partials) {
  std::string out;
  for (const auto& partial : parts(partials)) {
    const auto c = call(partial);
    std::string text = c[0] == "none" ? "none" : "`" + formula(c.back()) + "`";
    if (c[0] == "when") text += " where `" + formula(c[1]) + "`, else 0";
    out += (out.empty() ? "" : "; ") + text;
  }
  return out;
}

/// "at({0, 1}, {2, 3})" as "at (0, 1): (2, 3)".
std::string kink_values(const std::string& kinks) {
  std::string out;
  const auto tuple = [](const std::string& braces) {
    std::string text;
    for (const auto& v : parts(braces)) text += (text.empty() ? "" : ", ") + v;
    return parts(braces).size() == 1 ? text : "(" + text + ")";
  };
  for (const auto& kink : parts(kinks)) {
    const auto c = call(kink);
    out += (out.empty() ? "at " : "; at ") + tuple(c[1]) + ": " + tuple(c[2]);
  }
  replace_all(out, "HUGE_VAL", "inf");
  return out;
}

std::string accuracy(Function f) {
  std::ostringstream out;
  out << promised_accuracy(f);
  return out.str();
}

std::string signature(const FunctionRow& r) {
  static constexpr const char* operands[] = {"", "x", "x, y", "x, y, z"};
  return std::string(r.name) + "(" + operands[r.arity] + ")";
}

std::string table(Spelling spelling) {
  std::string out =
      "| function | meaning | derivative by each argument | elsewhere | error (ULP) |\n| --- | --- | --- | --- | --- "
      "|\n";
  for (std::size_t k = 0; k < function_count(); ++k) {
    const FunctionRow& r = row(static_cast<Function>(k));
    if (r.spelling != spelling || r.condition || r.arity == 0 || r.name == "where") continue;
    out += "| `" + signature(r) + "` | " + std::string(r.doc) + " | " + derivative(written()[k].partials) + " | " +
           kink_values(written()[k].kinks) + " | " + accuracy(r.id) + " |\n";
  }
  return out;
}

std::string page() {
  return "# Elementwise functions\n\n"
         "Made from `symbolic/elementwise.def`, the one place that a function is written in; "
         "`GRADUS_WRITE_PAGES=1 build/test_symbolic` writes this page anew, and a test compares.\n\n"
         "Arguments are called x, y, z in their order, whatever a function calls them elsewhere; `f` is the function's "
         "own value. The derivative is followed by the values that hold at single points where the formula does not "
         "(kinks, ties, ends of the domain) or that are shown for certainty. The error is the largest one, in units of "
         "the last place, that a test lets pass; [numerics.md](numerics.md) says how it is measured.\n\n" +
         table(Spelling::call) +
         "\n## Inside the compiler\n\nForms that users write out; the compiler recognises them and prints them as they "
         "were written.\n\n" +
         table(Spelling::internal);
}

}  // namespace

TEST_CASE("docs/functions.md is what the function table says") {
  const std::string path = std::string(GRADUS_SOURCE_DIR) + "/docs/functions.md";
  if (std::getenv("GRADUS_WRITE_PAGES") != nullptr) std::ofstream(path) << page();
  std::ifstream file(path);
  std::ostringstream committed;
  committed << file.rdbuf();
  CHECK(committed.str() == page());
}

TEST_CASE("formulas of the table read as users write them") {
  CHECK(derivative("(by(1/(2*f)))") == "`1/(2*f)`");
  CHECK(derivative("(by(2/sqrt(pi(x))*exp(-square(x))))") == "`2/sqrt(pi)*exp(-x^2)`");
  CHECK(derivative("(when(y != 0, y*power(x, y - 1)), none())") == "`y*x^(y - 1)` where `y != 0`, else 0; none");
  CHECK(kink_values("(at({0, 1.5}, {0, 0}), at({2, 1}, {1, 0}))") == "at (0, 1.5): (0, 0); at (2, 1): (1, 0)");
  CHECK(kink_values("()").empty());
}
