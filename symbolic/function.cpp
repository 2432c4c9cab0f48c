// Lookup in the table of elementwise functions.
#include "symbolic/function.hpp"

#include <array>
#include <unordered_map>

namespace gradus {
namespace {

constexpr auto call = Spelling::call;
constexpr auto operation = Spelling::operation;
constexpr auto internal = Spelling::internal;

#define GRADUS_LOWERING_kernel(value, ...) \
  Lowering { Lowering::Kind::kernel, #value }
#define GRADUS_LOWERING_instruction(value) \
  Lowering { Lowering::Kind::instruction, #value }
#define GRADUS_LOWERING_libm(name, ...) \
  Lowering { Lowering::Kind::libm, #name }
constexpr std::array rows = {
#define GRADUS_FUNCTION(id, name, arity, spelling, condition, total, latex, value, partials, domain, kinks, selects, \
                        lowering, doc)                                                                               \
  FunctionRow{Function::id, name, arity, spelling, condition, total, latex, selects, GRADUS_LOWERING_##lowering, doc},
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
};

}  // namespace

const FunctionRow& row(Function f) { return rows[static_cast<std::size_t>(f)]; }

std::optional<Function> function_named(std::string_view name) {
  static const auto index = [] {
    std::unordered_map<std::string_view, Function> map;
    for (const auto& r : rows)
      if (r.spelling == Spelling::call) map.emplace(r.name, r.id);
    return map;
  }();
  const auto found = index.find(name);
  if (found == index.end()) return std::nullopt;
  return found->second;
}

std::size_t function_count() { return rows.size(); }

}  // namespace gradus
