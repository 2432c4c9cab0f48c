// Reads the rule table.
#include "symbolic/rules/rules.hpp"

#include <cstdio>
#include <cstdlib>

namespace gradus::rules {
namespace {

/// `positive(x) and nonnegative(y)`.
std::vector<Condition> read_conditions(std::string_view text, const std::vector<std::string>& names) {
  std::vector<Condition> out;
  if (text == "always") return out;
  while (true) {
    const std::size_t open = text.find('('), close = text.find(')');
    Condition c;
    const std::string_view fact = text.substr(0, open);
    if (fact != "positive" && fact != "nonnegative") {
      std::fprintf(stderr, "rule table: no fact '%s'\n", std::string(text).c_str());
      std::abort();
    }
    c.fact = fact == "positive" ? Condition::Fact::positive : Condition::Fact::nonnegative;
    const std::string_view variable = text.substr(open + 1, close - open - 1);
    while (c.variable < names.size() && names[c.variable] != variable) ++c.variable;
    out.push_back(c);
    constexpr std::string_view joint = " and ";
    if (text.substr(close + 1, joint.size()) != joint) return out;
    text.remove_prefix(close + 1 + joint.size());
  }
}

Rule rule(Group group, const char* name, const char* before, const char* after, const char* when) {
  Rule r;
  r.group = group;
  r.name = name;
  r.before_text = before;
  r.after_text = after;
  r.before = read_pattern(before, r.variables);
  r.after = read_pattern(after, r.variables);
  r.when = read_conditions(when, r.variables);
  return r;
}

}  // namespace

const std::vector<Rule>& all_rules() {
  static const std::vector<Rule> rules = {
#define RULE(group, name, before, after, when) rule(Group::group, #name, #before, #after, #when),
#include "symbolic/rules/rules.def"
#undef RULE
  };
  return rules;
}

}  // namespace gradus::rules
