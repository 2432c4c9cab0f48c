// Lookup in the table of elementwise functions.
#include "symbolic/function.hpp"

#include <array>
#include <unordered_map>

namespace gradus {
namespace {

constexpr auto call = Spelling::call;
constexpr auto operation = Spelling::operation;
constexpr auto internal = Spelling::internal;

constexpr Lowering lowering_of(Lowering::Kind kind, std::string_view symbol, double usual, double stated = 0) {
  return {kind, symbol, stated == 0 ? usual : stated};
}

#define GRADUS_LOWERING_kernel(value, ...) lowering_of(Lowering::Kind::kernel, #value, 1 __VA_OPT__(, ) __VA_ARGS__)
#define GRADUS_LOWERING_instruction(value) lowering_of(Lowering::Kind::instruction, #value, 0.5)
#define GRADUS_LOWERING_libm(name, ...) lowering_of(Lowering::Kind::libm, #name, 1 __VA_OPT__(, ) __VA_ARGS__)
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
