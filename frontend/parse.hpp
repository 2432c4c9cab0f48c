// Text to syntax tree.
#pragma once

#include "frontend/ast.hpp"
#include "frontend/diagnostic.hpp"

namespace gradus {

/// Limits of the frontend (each has an error of its own).
struct FrontendLimits {
  std::uint32_t source_bytes = 16u << 20;
  std::uint32_t nesting = 256;
  std::uint32_t expressions = 1'000'000;
};

/// Parses a program. Syntax errors are reported to `diagnostics`, one a statement; the statements that did parse are
/// returned all the same, so that later stages can check them. Declarations of `let` are known to help lines.
ast::Program parse(const Source& source, Diagnostics& diagnostics, const FrontendLimits& limits = {},
                   const ast::Program* let = nullptr);

/// Parses a declaration list as `--let` takes it: `A[n,n], data x[n]` (params unless it says `data`).
ast::Program parse_let(const Source& source, Diagnostics& diagnostics);

/// The comparison key of a name: NFC, Greek letters by their English names (`λ` is `lambda`), `µ`/`μ`, `ε`/`ϵ` as one.
std::string name_key(std::string_view name);

}  // namespace gradus
