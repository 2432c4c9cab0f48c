// The front half of the compiler in one call: text to model.
#include "frontend/parse.hpp"
#include "runtime/formula.hpp"
#include "symbolic/elaborate.hpp"

namespace gradus {

std::unique_ptr<Formula> load(const Source& source, const LoadOptions& options, Diagnostics& diagnostics) {
  ast::Program program = parse(source, diagnostics);
  ElaborateOptions elaborate_options;
  elaborate_options.undeclared_are_params = options.expression;
  std::optional<ast::Program> let;
  if (!options.let.empty()) {
    const Source let_source("--let", options.let);
    Diagnostics let_diagnostics;
    let = parse_let(let_source, let_diagnostics);
    for (const Diagnostic& one : let_diagnostics.all()) {
      Diagnostic placed = one;  // the place is in another text than the program's
      if (!one.main.mark.is_none()) {
        placed.foreign = ForeignPlace{"--let", let_source.position(one.main.mark.begin)};
        placed.main.mark = Span::none();
      }
      for (Message& message : placed.more) message.mark = Span::none();
      diagnostics.add(std::move(placed));
    }
    if (let_diagnostics.has_errors()) return nullptr;
    elaborate_options.let = &*let;
  }
  std::optional<Model> model = elaborate(program, diagnostics, elaborate_options);
  if (!model || diagnostics.has_errors()) return nullptr;
  return std::make_unique<Formula>(Formula{source, std::move(program), std::move(*model)});
}

}  // namespace gradus
