// The elementwise functions: one enumerator a row of elementwise.def, and what can be asked about a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gradus {

/// An elementwise function, one a row of elementwise.def.
enum class Function : std::uint16_t {
#define GRADUS_FUNCTION(id, name, arity, spelling, condition, total, latex, value, partials, domain, kinks, selects, \
                        lowering, doc)                                                                               \
  id,
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
};

/// How a function came to be in the language: by a name that users call, by an operator, or inside the compiler only.
enum class Spelling : std::uint8_t { call, operation, internal };

/// How code generation computes a function.
struct Lowering {
  enum class Kind : std::uint8_t {
    kernel,       // by vector kernels of ours; `symbol` is the expression over x, y, z
    libm,         // `symbol` of the C library, lane by lane
    instruction,  // an operation of the loop form, which means the expression `symbol`
  };
  Kind kind = Kind::instruction;
  std::string_view symbol;
};

/// What a row says apart from its value and derivatives.
struct FunctionRow {
  Function id;
  std::string_view name;  // as users call it; operators have their sign
  std::uint8_t arity;     // number of operands
  Spelling spelling;
  bool condition;          // the value is a truth value (0 or 1)
  bool total;              // the partials are finite at every finite argument: a zero adjoint times a partial is 0
  std::string_view latex;  // with #1, #2, … for the operands
  bool selects;            // the value is one of the operands, and only that one counts
  Lowering lowering;
  std::string_view doc;  // one line
};

/// The row of a function.
const FunctionRow& row(Function f);
/// The function that users call by that name (`exp`), if there is one.
std::optional<Function> function_named(std::string_view name);
/// The number of rows.
std::size_t function_count();

}  // namespace gradus
