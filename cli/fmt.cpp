// gradus fmt: prints the formula in canonical form.
#include <fmt/format.h>

#include "cli/session.hpp"

namespace gradus::cli {

Run add_fmt(CLI::App&, Settings& settings) {
  return [&settings] {
    Session session(settings);
    const Source source = session.source();
    const ast::Program program = parse(source, session.diagnostics());
    if (!session.diagnostics().has_errors()) session.write(format(program));
    return session.finish();
  };
}

}  // namespace gradus::cli
