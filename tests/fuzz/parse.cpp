// Fuzz target: any bytes are parsed without a crash; what has no errors has a canonical form that is the same tree.
#include "frontend/parse.hpp"

#include "frontend/format.hpp"
#include "tests/fuzz/targets.hpp"

namespace gradus::fuzz {
namespace {

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

void parse_text(const std::string& input) {
  const Source source("fuzz.loss", input);
  Diagnostics diagnostics;
  FrontendLimits limits;
  limits.expressions = 20'000;
  const ast::Program program = parse(source, diagnostics, limits);
  check_arena(program, source);
  check_rendering(diagnostics, source);
  Diagnostics of_let;
  parse_let(source, of_let);
  const std::string text = format(program);
  if (diagnostics.has_errors()) return;
  Diagnostics none;
  const Source again_source("again.loss", text);
  const ast::Program again = parse(again_source, none);
  require(!none.has_errors(), "the canonical form has an error", text);
  require(same_tree(program, again), "the canonical form is another tree", text);
  require(format(again) == text, "the canonical form of the canonical form differs", text);
}

}  // namespace gradus::fuzz
