// The scalar meaning of elementwise functions, for the interpreter.
#include "codegen/kernels/functions.hpp"

#include <vector>

#include "codegen/kernels/apply.hpp"

namespace gradus::kernels {

double libm(Libm f, double a, double b) {
  switch (f) {
#define GRADUS_ARGUMENTS_1 (a)
#define GRADUS_ARGUMENTS_2 (a, b)
#define GRADUS_LIBM(name, arity) \
  case Libm::name:               \
    return std::name GRADUS_ARGUMENTS_##arity;
#include "codegen/kernels/libm.def"
#undef GRADUS_LIBM
  }
  return b;
}

Libm libm_of(Function f) {
  static const std::vector<Libm> table = [] {
    std::vector<Libm> list(function_count(), Libm::sin);
    for (std::size_t k = 0; k < list.size(); ++k) {
      const Lowering& lowering = row(static_cast<Function>(k)).lowering;
#define GRADUS_LIBM(name, arity) \
  if (lowering.symbol == #name) list[k] = Libm::name;
#include "codegen/kernels/libm.def"
#undef GRADUS_LIBM
    }
    return list;
  }();
  return table[static_cast<std::size_t>(f)];
}

double evaluate(Function f, double a, double b, double c) { return apply<double>(f, a, b, c); }

}  // namespace gradus::kernels
