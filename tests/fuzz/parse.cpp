// Fuzz target: any bytes are parsed without a crash; what has no errors has a canonical form that is the same tree.
// Build: clang++-19 -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/parse.cpp frontend/*.cpp -lfmt
// Run:   ./parse_fuzz -dict=tests/fuzz/words.dict CORPUS tests/zoo/*
#include "frontend/parse.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "frontend/format.hpp"

using namespace gradus;

namespace {

void require(bool holds, const char* what, const std::string& text) {
  if (holds) return;
  std::fprintf(stderr, "%s:\n%s\n", what, text.c_str());
  std::abort();
}

/// Spans lie in the text, children stand before their parents.
void check_arena(const ast::Program& program, const Source& source) {
  for (std::size_t i = 0; i < program.expressions.size(); ++i) {
    const ast::Expression& e = program.expressions[i];
    const bool inside = e.span.begin <= e.span.end && e.span.end <= source.text().size();
    require(inside, "a span outside the text", std::string(source.text()));
    for (const ast::Id child : e.children) {
      require(!child.valid() || child.index < i, "a child after its parent", std::string(source.text()));
    }
  }
}

void check_rendering(const Diagnostics& diagnostics, const Source& source) {
  render(diagnostics, &source, DiagnosticForm::text, true);
  render(diagnostics, &source, DiagnosticForm::json, false);
  for (const Diagnostic& d : diagnostics.all()) {
    require(d.main.mark.is_none() || d.main.mark.end <= source.text().size(), "a mark outside the text",
            std::string(source.text()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Source source("fuzz.loss", std::string(reinterpret_cast<const char*>(data), size));
  Diagnostics diagnostics;
  FrontendLimits limits;
  limits.expressions = 20'000;
  const ast::Program program = parse(source, diagnostics, limits);
  check_arena(program, source);
  check_rendering(diagnostics, source);
  Diagnostics of_let;
  parse_let(source, of_let);
  const std::string text = format(program);
  if (diagnostics.has_errors()) return 0;
  Diagnostics none;
  const Source again_source("again.loss", text);
  const ast::Program again = parse(again_source, none);
  require(!none.has_errors(), "the canonical form has an error", text);
  require(same_tree(program, again), "the canonical form is another tree", text);
  require(format(again) == text, "the canonical form of the canonical form differs", text);
  return 0;
}
