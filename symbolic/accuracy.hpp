// The accuracy that native code promises of each function of the table.
#pragma once

#include "symbolic/function.hpp"

namespace gradus {

/// The largest error in units of the last place; 0.5 rounds correctly. docs/numerics.md says how it is measured.
double promised_accuracy(Function f);

}  // namespace gradus
