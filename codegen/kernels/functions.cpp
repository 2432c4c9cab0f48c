// The scalar meaning of elementwise functions, for the interpreter.
#include "codegen/kernels/functions.hpp"

#include "codegen/kernels/apply.hpp"

namespace gradus::kernels {

double libm(Libm f, double a) {
  switch (f) {
    case Libm::sin:
      return std::sin(a);
    case Libm::cos:
      return std::cos(a);
    case Libm::tan:
      return std::tan(a);
    case Libm::asin:
      return std::asin(a);
    case Libm::acos:
      return std::acos(a);
    case Libm::atan:
      return std::atan(a);
    case Libm::sinh:
      return std::sinh(a);
    case Libm::cosh:
      return std::cosh(a);
    case Libm::asinh:
      return std::asinh(a);
    case Libm::acosh:
      return std::acosh(a);
    case Libm::atanh:
      return std::atanh(a);
    case Libm::exp2:
      return std::exp2(a);
    case Libm::log2:
      return std::log2(a);
    case Libm::log10:
      return std::log10(a);
    case Libm::cbrt:
      return std::cbrt(a);
    case Libm::erf:
      return std::erf(a);
    case Libm::erfc:
      return std::erfc(a);
    case Libm::atan2:
    case Libm::pow:
    case Libm::hypot:
    case Libm::fmod:
      break;
  }
  return 0;
}

double libm(Libm f, double a, double b) {
  switch (f) {
    case Libm::atan2:
      return std::atan2(a, b);
    case Libm::pow:
      return std::pow(a, b);
    case Libm::hypot:
      return std::hypot(a, b);
    case Libm::fmod:
      return std::fmod(a, b);
    default:
      return libm(f, a);
  }
}

double evaluate(Function f, double a, double b, double c) { return apply<double>(f, a, b, c); }

}  // namespace gradus::kernels
