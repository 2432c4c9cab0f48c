// Reads the rule table.
#include "symbolic/rules/rules.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace gradus::rules {
namespace {

Condition::Fact fact_named(std::string_view name) {
  if (name == "positive") return Condition::Fact::positive;
  if (name == "nonnegative") return Condition::Fact::nonnegative;
  if (name == "reciprocal_count") return Condition::Fact::reciprocal_count;
  if (name == "not_even") return Condition::Fact::not_even;
  if (name == "beyond_square") return Condition::Fact::beyond_square;
  if (name == "near") return Condition::Fact::near;
  std::fprintf(stderr, "rule table: no fact '%s'\n", std::string(name).c_str());
  std::abort();
}

/// `positive(x) and nonnegative(y)`.
std::vector<Condition> read_conditions(std::string_view text, std::vector<std::string>& names) {
  std::vector<Condition> out;
  for (std::uint32_t v = 0; v < names.size(); ++v)
    if (names[v] == "c") out.push_back({Condition::Fact::number, v, {}});
  if (text == "always") return out;
  while (true) {
    const std::size_t open = text.find('('), close = text.find(')');
    Condition c;
    c.fact = fact_named(text.substr(0, open));
    const std::string_view inside = text.substr(open + 1, close - open - 1);
    if (c.fact == Condition::Fact::near) {
      const std::size_t comma = inside.find(',');
      c.values = {read_pattern(inside.substr(0, comma), names), read_pattern(inside.substr(comma + 1), names)};
      c.variable = static_cast<std::uint32_t>(names.size());
    } else {
      while (c.variable < names.size() && names[c.variable] != inside) ++c.variable;
    }
    out.push_back(c);
    constexpr std::string_view joint = " and ";
    if (text.substr(close + 1, joint.size()) != joint) return out;
    text.remove_prefix(close + 1 + joint.size());
  }
}

void mark_gaps(Pattern& p) {
  p.is_gap = p.kind == Pattern::Kind::sum;
  for (auto& part : p.parts) mark_gaps(part);
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
  if (std::ranges::any_of(r.when, [](const Condition& c) { return c.fact == Condition::Fact::near; }))
    mark_gaps(r.after);
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

const Rule* recognised_by(Function f) {
  if (row(f).spelling != Spelling::internal) return nullptr;
  const auto is_variable = [](const Pattern& p) {
    return p.kind == Pattern::Kind::variable || p.kind == Pattern::Kind::rest;
  };
  for (const Rule& r : all_rules())
    if (r.after.kind == Pattern::Kind::call && r.after.function == f && !r.after.parts.empty() &&
        std::ranges::all_of(r.after.parts, is_variable))
      return &r;
  return nullptr;
}

}  // namespace gradus::rules
