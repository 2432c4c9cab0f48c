// The elementwise functions: one enumerator a row of elementwise.def, and what can be asked about a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gradus {

/// An elementwise function, one a row of elementwise.def.
enum class Function : std::uint16_t {
#define GRADUS_FUNCTION(id, ...) id,
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
};

/// How a function came to be in the language: by a name that users call, by an operator, or inside the compiler only.
enum class Spelling : std::uint8_t { call, operation, internal };

/// What a row says apart from its derivatives.
struct FunctionRow {
  Function id;
  std::string_view name;  // as users call it; operators have their sign
  std::uint8_t arity;     // number of operands
  Spelling spelling;
  bool condition;          // the value is a truth value (0 or 1)
  bool total;              // the partials are finite at every finite argument: a zero adjoint times a partial is 0
  std::string_view latex;  // with #1, #2, … for the operands
};

/// The row of a function.
const FunctionRow& row(Function f);
/// The function that users call by that name (`exp`), if there is one.
std::optional<Function> function_named(std::string_view name);
/// The number of rows.
std::size_t function_count();

}  // namespace gradus
