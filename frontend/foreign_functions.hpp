// Functions of other languages and libraries, and how what they compute is written here; only for hints.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gradus {

/// How a function of another language is spelt here: a name (`mean` for `average`), an operator between two operands
/// (`@` for `matmul`), or a formula in which `$0` is the first argument and `@0` the same as an operand. Empty when the
/// function is not known with this number of arguments.
std::string_view foreign_function(std::string_view name, std::size_t arguments);

/// The call written here, from the texts of its arguments; empty when the function is not known. Arguments with names
/// come last, in the order of the alphabet, and stand in the function's name, `clip/max/min`; `axis` is empty or
/// `, axis=0`.
std::string foreign_call(std::string_view name, const std::vector<std::string>& arguments, std::string_view axis = {});

/// The functions of the language that people call by name (LANGUAGE section 6), sorted; those that only printed
/// gradients use are left out.
const std::vector<std::string>& function_names();
bool is_function_name(std::string_view name);

}  // namespace gradus
