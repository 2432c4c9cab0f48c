// Programs of any size end in a result or one located error, quickly and without deep recursion.
#include "tests/frontend/parsed.hpp"

using namespace gradus;

namespace {

std::string repeated(const std::string& part, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += part;
  return out;
}

}  // namespace

TEST_CASE("a million nested brackets are an error at the first that is too deep") {
  for (const std::string open : {"(", "[", "f(", "x[", "‖ ", "sum[i]("}) {
    CAPTURE(open);
    const std::string got = errors("z = " + repeated(open, 1'000'000) + "x");
    CHECK(got.find("brackets are nested more than 256 deep") != std::string::npos);
    const int width = open == "‖ " ? 2 : static_cast<int>(open.size());
    const int column = std::stoi(got.substr(2));
    CHECK(column > 255 * width);
    CHECK(column <= 5 + 256 * width);
  }
  CHECK(errors("z = " + repeated("(", 255) + "x" + repeated(")", 255)) == "");
}

TEST_CASE("chains are read without recursion") {
  constexpr int many = 100'000;
  CHECK(canonical("z = x" + repeated(" + x", many)).size() > many);
  CHECK(canonical("z = x" + repeated("^x", many)).size() > many);
  CHECK(canonical("z = " + repeated("-", many) + "x").size() > many);
  CHECK(canonical("z = " + repeated("not ", many) + "x").size() > many);
  CHECK(canonical("z = " + repeated("a if c else ", many) + "b").size() > many);
  CHECK(canonical("z = x" + repeated(".T", many)).size() > many);
  CHECK(canonical("z = x" + repeated("[0]", many)).size() > many);
  CHECK(canonical("z = x" + repeated(" < x", many)).size() > many);
  CHECK(canonical("z = [x" + repeated(", x", many) + "]").size() > many);
  CHECK(errors("z = x" + repeated(" x", many)).size() < 300);
  CHECK(errors("z = " + repeated("sum[i] ", many) + "x").find('\n') == std::string::npos);
  CHECK(errors("z = " + repeated("x || ", many) + "x").find('\n') == std::string::npos);
  CHECK(errors("z = x" + repeated(".sum()", many)).size() < 400);
}

TEST_CASE("habits of other languages without end give one error each") {
  for (const std::string part : {"sum ",
                                 "min ",
                                 "Σ_i ",
                                 "2 Σ_i ",
                                 "Σ_i(",
                                 "sum i ",
                                 "x[i in ",
                                 "x[i in 0..",
                                 "x[i=0..",
                                 "x[i=",
                                 "x[i from ",
                                 "x[1:2:",
                                 "if x then ",
                                 "x ? ",
                                 "x mod ",
                                 "sum(x for a in ",
                                 "!",
                                 "√",
                                 "x % ",
                                 "x && ",
                                 "A\\b",
                                 "lambda x: ",
                                 "x -> ",
                                 "@(x) ",
                                 "normal_lpdf(x | ",
                                 "np.exp(",
                                 "x.sum(",
                                 "concat((x, ",
                                 "concat([x, ",
                                 "sum[i][j](x)",
                                 "sum[i < j](x)",
                                 "x^T ",
                                 "\\frac{",
                                 "(;",
                                 "(x; ",
                                 "{",
                                 "{;",
                                 "'",
                                 "\"",
                                 "exp ",
                                 "1/2 ",
                                 "x[end",
                                 "z: ",
                                 "minimize "}) {
    CAPTURE(part);
    CHECK(errors("z = " + repeated(part, 20'000)).find('\n') == std::string::npos);
    CHECK(errors(repeated(part, 20'000)).find('\n') == std::string::npos);
  }
}

TEST_CASE("many equations") {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "x" + std::to_string(i + 1) + " = x" + std::to_string(i) + " + 1\n";
  CHECK(errors(text) == "");
}

TEST_CASE("limits have errors of their own") {
  const Source source("t", "z = a + b + c");
  Diagnostics d;
  FrontendLimits small;
  small.expressions = 4;
  parse(source, d, small);
  CHECK(complaints(d, source).find("the program is too large: it has more than 4 expressions") != std::string::npos);
  d.clear();
  small = {};
  small.source_bytes = 8;
  parse(source, d, small);
  CHECK(complaints(d, source) == "1:1: the program is too large: it has more than 8 bytes");
  d.clear();
  small = {};
  small.expressions = 1;
  parse(Source("t", "output a, b, c, d"), d, small);
  CHECK(d.error_count() == 1);
}

TEST_CASE("errors without end are cut") {
  const Source source("t", repeated("x*;\n", 200'000));
  Diagnostics d;
  parse(source, d);
  CHECK(d.error_count() == 10'000);
  d.clear();
  parse(Source("t", repeated("$", 200'000)), d);
  CHECK(d.error_count() == 1);
}
