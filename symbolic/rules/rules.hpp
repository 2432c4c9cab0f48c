// The table of rewrite rules, read once from rules.def.
#pragma once

#include <string>
#include <vector>

#include "symbolic/rules/pattern.hpp"

namespace gradus::rules {

/// Soundness of a rule.
enum class Group : std::uint8_t { exact, stable, better, real, domain };

/// A fact that must be proved of a variable.
struct Condition {
  enum class Fact : std::uint8_t { positive, nonnegative } fact = Fact::positive;
  std::uint32_t variable = 0;
};

/// One line of rules.def.
struct Rule {
  Group group = Group::exact;
  std::string name;
  std::string before_text, after_text;
  Pattern before, after;
  std::vector<std::string> variables;
  std::vector<Condition> when;
};

/// All rules in the order of the file.
const std::vector<Rule>& all_rules();

}  // namespace gradus::rules
