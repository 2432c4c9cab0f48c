// The scalar meaning of elementwise functions, for the interpreter.
#include "codegen/kernels/functions.hpp"

#include "codegen/kernels/apply.hpp"

namespace gradus::kernels {

double libm(Libm f, double a, double b) {
  int sign = 0;
  if (f == Libm::lgamma) return ::lgamma_r(a, &sign);  // lgamma itself writes a global variable
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

double evaluate(Function f, double a, double b, double c) { return apply<double>(f, a, b, c); }

}  // namespace gradus::kernels
