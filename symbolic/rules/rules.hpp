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
  enum class Fact : std::uint8_t {
    positive,
    nonnegative,
    reciprocal_count,  // 1 over the number of values that the reductions of the left side run over
    number,            // a positive number: every variable that is called c
    not_even,          // a number that is no even one: x^n has no logarithm where x is negative
    beyond_square,     // no number from -2 to 2: x^n may overflow where x is of a usual size
    near,              // two values that differ by fewer terms than they have; of several pairs the nearest is meant
  } fact = Fact::positive;
  std::uint32_t variable = 0;
  std::vector<Pattern> values;  // near
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
/// The rule that recognises a function which has no name in the language (`1 - cos(x)`): its left side is how the
/// function is written. Null for the others.
const Rule* recognised_by(Function f);

}  // namespace gradus::rules
