// The front half of the compiler in one call: text to model.
#include "frontend/parse.hpp"
#include "runtime/formula.hpp"
#include "symbolic/elaborate.hpp"

namespace gradus {

std::unique_ptr<Formula> load(const Source& source, const LoadOptions& options, Diagnostics& diagnostics) {
  ElaborateOptions elaborate_options;
  elaborate_options.undeclared_are_params = options.expression;
  std::optional<ast::Program> let;
  if (!options.let.empty()) {
    // Their places follow those of the program, as if they stood on a last line of it.
    let = parse_let(Source(source.file(), std::string(source.text().size() + 1, ' ') + options.let), diagnostics);
    elaborate_options.let = &*let;
  }
  ast::Program program = parse(source, diagnostics, {}, let ? &*let : nullptr);
  std::optional<Model> model = elaborate(program, diagnostics, elaborate_options);
  if (!model || diagnostics.has_errors()) return nullptr;
  return std::make_unique<Formula>(Formula{source, std::move(program), std::move(*model)});
}

Source shown_source(const Source& source, const LoadOptions& options) {
  if (options.let.empty()) return source;
  return {source.file(), std::string(source.text()) + '\n' + options.let};
}

}  // namespace gradus
