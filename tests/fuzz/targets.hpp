// The fuzz targets as functions of a text: what must hold for any program, well formed or not.
#pragma once

#include <stdexcept>
#include <string>

namespace gradus::fuzz {

/// Thrown when a property does not hold; a fuzzer counts it as a crash, a test as a failure.
struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void require(bool holds, const std::string& what, const std::string& text) {
  if (!holds) throw Failed(what + ":\n" + text);
}

/// Any bytes are parsed; what has no errors has a canonical form that is the same tree.
void parse_text(const std::string& text);

/// What checks is derived, simplified and printed, and the printed text has the same values.
void print_text(const std::string& text);

/// What checks is planned, and the loop form computes the values of the reference.
void loops_text(const std::string& text);

/// What checks is planned and compiled, and the code computes the bits of the loop form.
void native_text(const std::string& text);

}  // namespace gradus::fuzz
