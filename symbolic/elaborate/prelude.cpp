// The functions that are written in the language itself, parsed once.
#include "frontend/parse.hpp"
#include "symbolic/elaborate/context.hpp"
#include "symbolic/prelude_text.hpp"

namespace gradus {

std::string_view prelude_text() { return detail::prelude_source; }

namespace elaboration {
namespace {

struct Prelude {
  ast::Program program;
  std::unordered_map<std::string, FunctionInfo> functions;

  Prelude() {
    const Source source("prelude.loss", std::string(prelude_text()));
    Diagnostics diagnostics;
    program = parse(source, diagnostics);
    for (const auto& s : program.statements)
      if (s.kind == ast::Statement::Kind::function)
        functions.emplace(s.function.name.key, FunctionInfo{&program, &s.function, Span::none(), true, s.broken});
  }
};

}  // namespace

const std::unordered_map<std::string, FunctionInfo>& prelude_functions() {
  static const Prelude prelude;
  return prelude.functions;
}

}  // namespace elaboration
}  // namespace gradus
