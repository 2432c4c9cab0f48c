// How diagnostics are shown: places, marks, order, JSON.
#include "frontend/diagnostic.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace gradus;

namespace {

Span find(const Source& source, std::string_view part) {
  const auto at = static_cast<std::uint32_t>(source.text().find(part));
  return {at, at + static_cast<std::uint32_t>(part.size())};
}

std::string text(const Diagnostics& d, const Source& s) { return render(d, &s, DiagnosticForm::text, false); }

}  // namespace

TEST_CASE("positions count code points, tabs as one, a byte order mark not at all") {
  const Source s("a.loss", "\xEF\xBB\xBFλ\tx\r\nσ² = y");
  CHECK(s.position(3) == Position{1, 1});
  CHECK(s.position(5) == Position{1, 2});
  CHECK(s.position(6) == Position{1, 3});
  CHECK(s.position(9) == Position{2, 1});
  CHECK(s.position(11) == Position{2, 2});
  CHECK(s.position(10000) == Position{2, 7});
  CHECK(s.line(1) == "λ\tx");
  CHECK(s.line(2) == "σ² = y");
  CHECK(s.line(3).empty());
}

TEST_CASE("columns of a long line are right at every place") {
  std::string line = "a\n";
  for (int i = 0; i < 5000; ++i) line += i % 3 == 0 ? "λ" : i % 7 == 0 ? "日" : "x";
  const Source s("a.loss", line + "\nb");
  std::uint32_t column = 1;
  for (std::uint32_t i = 2; i < line.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80;
    if (i > 2 && begins) ++column;
    REQUIRE(s.position(i) == Position{2, column});
  }
  CHECK(s.position(static_cast<std::uint32_t>(line.size())) == Position{2, 5001});
  CHECK(s.position(static_cast<std::uint32_t>(line.size()) + 1) == Position{3, 1});
}

TEST_CASE("many errors in one very long line are shown quickly") {
  std::string text = "z = " + std::string(9'000'000, ' ') + "x;";
  for (int i = 0; i < 150; ++i) text += "a = * 1;";
  const Source s("a.loss", text);
  Diagnostics d;
  for (std::uint32_t i = 0; i < 150; ++i)
    d.error({9'000'006 + i, 9'000'007 + i}, "e").note("n", {9'000'000, 9'000'001});
  CHECK(render(d, &s, DiagnosticForm::text, false).size() < 200'000);
}

TEST_CASE("the offending part is marked with ^ and its surroundings with ~") {
  const Source s("logistic.loss", "data X[n, d]\nz    = X @ v + b\n");
  Diagnostics d;
  const Span at = find(s, "@");
  d.error(at, "'@' needs matching inner sizes", {{at.begin - 2, at.begin - 1}, {at.end + 1, at.end + 2}})
      .note("X is declared here", find(s, "X"))
      .help("declare v[d]");
  CHECK(text(d, s) ==
        "logistic.loss:2:10: error: '@' needs matching inner sizes\n"
        "    z    = X @ v + b\n"
        "           ~ ^ ~\n"
        "logistic.loss:1:6: note: X is declared here\n"
        "    data X[n, d]\n"
        "         ^\n"
        "help: declare v[d]\n");
}

TEST_CASE("marks stand under the right characters after Greek letters, marks, wide characters and tabs") {
  Diagnostics d;
  const Source greek("a", "σ² + x̂ + bad");
  d.error(find(greek, "bad"), "e");
  CHECK(text(d, greek) == "a:1:11: error: e\n    σ² + x̂ + bad\n             ^^^\n");
  d.clear();
  const Source wide("a", "日本 bad");
  d.error(find(wide, "bad"), "e");
  CHECK(text(d, wide) == "a:1:4: error: e\n    日本 bad\n         ^^^\n");
  d.clear();
  const Source tab("a", "\tx\t+ bad");
  d.error(find(tab, "bad"), "e");
  CHECK(text(d, tab) == "a:1:6: error: e\n    \tx\t+ bad\n    \t \t  ^^^\n");
}

TEST_CASE("the end of a line can be marked, and a mark over several lines stops at the first") {
  const Source s("a", "x +\ny");
  Diagnostics d;
  d.error({3, 3}, "missing");
  d.error({0, 5}, "all");
  CHECK(text(d, s) == "a:1:1: error: all\n    x +\n    ^^^\na:1:4: error: missing\n    x +\n       ^\n");
}

TEST_CASE("JSON has every key, null where there is no place") {
  const Source s("a\"b.loss", "λ = q\n");
  Diagnostics d;
  d.error(find(s, "q"), "'q' is \\ not\tdeclared").help("declare q");
  CHECK(render(d, &s, DiagnosticForm::json, false) ==
        R"({"severity": "error", "file": "a\"b.loss", "line": 1, "column": 5, "end_line": 1, "end_column": 6, )"
        R"("message": "'q' is \\ not\u0009declared"})"
        "\n"
        R"({"severity": "help", "file": null, "line": null, "column": null, "end_line": null, "end_column": null, )"
        R"("message": "declare q"})"
        "\n");
  Diagnostics bare;
  bare.error(Span::none(), "unknown command");
  CHECK(render(bare, nullptr, DiagnosticForm::text, false) == "error: unknown command\n");
}

TEST_CASE("diagnostics are sorted by place, and the same one is shown once") {
  const Source s("a", "abc");
  Diagnostics d;
  d.error({2, 3}, "second");
  d.error(Span::none(), "last");
  d.warning({0, 1}, "first");
  d.error({2, 3}, "second");
  CHECK(text(d, s) == "a:1:1: warning: first\n    abc\n    ^\na:1:3: error: second\n    abc\n      ^\nerror: last\n");
}

TEST_CASE("after 100 errors the rest is counted") {
  const Source s("a", std::string(300, 'x'));
  Diagnostics d;
  for (std::uint32_t i = 0; i < 250; ++i) d.error({i, i + 1}, "e");
  const std::string out = render(d, &s, DiagnosticForm::json, false);
  CHECK(std::count(out.begin(), out.end(), '\n') == 101);
  CHECK(out.find("and 150 more errors") != std::string::npos);
}

TEST_CASE("a place in another file has no source line") {
  const Source s("a", "abc");
  Diagnostics d;
  d.add({{Severity::error, "the cell is empty", {0, 1}, {}}, {}, ForeignPlace{"t.csv", {3, 7}}});
  CHECK(text(d, s) == "t.csv:3:7: error: the cell is empty\n");
}

TEST_CASE("a very long line shows the part around the mark") {
  const Source s("a", std::string(5000, 'x') + "λ" + std::string(5000, 'y'));
  Diagnostics d;
  d.error({5000, 5002}, "e");
  const std::string out = text(d, s);
  CHECK(out.size() < 600);
  CHECK(out.find("λ") != std::string::npos);
}

TEST_CASE("did you mean") {
  CHECK(did_you_mean("wieghts", {"X", "y", "weights"}) == "weights");
  CHECK(did_you_mean("redis", {"x", "mu", "scale", "resid"}) == "resid");
  CHECK(did_you_mean("yy", {"x", "y", "L"}) == "y");
  CHECK(did_you_mean("W", {"X", "y", "w", "b"}) == "w");
  CHECK(did_you_mean("lowr", {"spd", "lower", "positive"}) == "lower");
  CHECK(did_you_mean("axes", {"axis"}) == "axis");
  CHECK(did_you_mean("lgama", {"gamma", "lgamma", "log"}) == "lgamma");
  CHECK(did_you_mean("tau", {"x", "m", "a", "b", "c"}).empty());
  CHECK(did_you_mean("q", {"x", "m"}).empty());
}
