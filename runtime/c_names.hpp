// Names of formulas as identifiers of C.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace gradus {

/// A C identifier for a name (its key: Greek spelt in English): other letters as `_uXXXX`, anything else as `_`; a word
/// that C or C++ reserves, or that C's headers define, gets a trailing `_`.
std::string c_identifier(std::string_view key);

/// The prefix of a formula's functions, from the last part of a path.
std::string c_prefix(std::string_view file_name);

/// Identifiers of one scope: a name that is taken gets trailing `_`.
class CScope {
 public:
  std::string unique(std::string name) {
    while (!taken_.insert(name).second) name += '_';
    return name;
  }

 private:
  std::set<std::string> taken_;
};

}  // namespace gradus
