// What every elementwise function means in double precision: its own kernel, a composition, or libm lane by lane.
#pragma once

#include "codegen/kernels/scalar.hpp"
#include "symbolic/function.hpp"

namespace gradus::kernels {

/// The value of a function at up to three arguments; the same bits as compiled code gives, in a scalar and in any lane.
double evaluate(Function f, double a, double b, double c);

}  // namespace gradus::kernels
