// The canonical form of a file keeps its comments and blank lines.
#include <doctest/doctest.h>

#include "frontend/format.hpp"
#include "frontend/parse.hpp"

using namespace gradus;

namespace {

std::string formatted(const std::string& text) {
  const Source source("t.loss", text);
  Diagnostics diagnostics;
  const ast::Program program = parse(source, diagnostics);
  REQUIRE(!diagnostics.has_errors());
  return format_file(program, source);
}

void check(const std::string& text, const std::string& wanted) {
  CHECK(formatted(text) == wanted);
  CHECK(formatted(wanted) == wanted);
}

}  // namespace

TEST_CASE("comments stay where they stand") {
  check("# head\n\ndata  x[ n ] # the data\nparam w\n# the loss\nloss=sum(x*w)\n# end",
        "# head\n\ndata x[n]  # the data\nparam w\n# the loss\nloss = sum(x*w)\n# end\n");
}

TEST_CASE("comments inside a statement go before it") {
  check("param w\nloss = w +  # first\n  # second\n  1\n", "param w\n# first\n# second\nloss = w + 1\n");
}

TEST_CASE("blank lines are kept, one at a time") {
  check("\n\nparam w\n\n\n\nloss = w\n\n\n", "param w\n\nloss = w\n");
  check("param w\n\n# a\n\n\n# b\nloss = w", "param w\n\n# a\n\n# b\nloss = w\n");
}

TEST_CASE("statements of one line get lines of their own") {
  check("param w; a = w;; loss = a*2 # all", "param w\na = w\nloss = a*2  # all\n");
}

TEST_CASE("line ends, a byte order mark and an empty file") {
  check("\xEF\xBB\xBFparam w # c\r\nloss = w\r\n", "param w  # c\nloss = w\n");
  check("", "");
  check("# only a comment\n\n", "# only a comment\n");
  check("(-x)", "-x\n");
}
