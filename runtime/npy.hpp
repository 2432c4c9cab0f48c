// Reading NumPy's .npy files.
#pragma once

#include <string>
#include <string_view>

#include "symbolic/array.hpp"

namespace gradus {

/// Reads the bytes of a .npy file (versions 1 to 3; bool, integers, float16/32/64, either byte order, C or Fortran
/// order) into row-major doubles. On failure false, and `error` says why, in words that follow the file's name.
bool read_npy(std::string_view bytes, Array& array, std::string& error);

}  // namespace gradus
