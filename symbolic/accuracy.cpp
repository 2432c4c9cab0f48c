// The accuracies of the function table.
#include "symbolic/accuracy.hpp"

#include <array>

namespace gradus {

namespace {

constexpr double stated(double usual) { return usual; }
constexpr double stated(double /*usual*/, double accuracy) { return accuracy; }

}  // namespace

double promised_accuracy(Function f) {
  static constexpr std::array accuracies = {
#define GRADUS_LOWERING_kernel(value, ...) stated(1 __VA_OPT__(, ) __VA_ARGS__)
#define GRADUS_LOWERING_libm(name, ...) stated(1 __VA_OPT__(, ) __VA_ARGS__)
#define GRADUS_LOWERING_instruction(value) 0.5
#define GRADUS_FUNCTION(id, name, arity, spelling, condition, total, latex, value, partials, domain, kinks, selects, \
                        lowering, doc)                                                                               \
  GRADUS_LOWERING_##lowering,
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
#undef GRADUS_LOWERING_instruction
#undef GRADUS_LOWERING_libm
#undef GRADUS_LOWERING_kernel
  };
  return accuracies[static_cast<std::size_t>(f)];
}

}  // namespace gradus
