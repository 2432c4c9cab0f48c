// The reader of patterns: precedence climbing over the text of a rule.
#include "symbolic/rules/pattern.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <unordered_map>
#include <utility>

namespace gradus::rules {
namespace {

using Kind = Pattern::Kind;

Pattern number(Rational value) {
  Pattern p;
  p.number = std::move(value);
  return p;
}

Pattern call(Function f, std::vector<Pattern> parts) {
  Pattern p;
  p.kind = Kind::call;
  p.function = f;
  p.parts = std::move(parts);
  return p;
}

/// coefficient × what is left of the pattern without it.
std::pair<Rational, Pattern> split(Pattern p) {
  if (p.kind == Kind::number) return {p.number, number(1)};
  if (p.kind != Kind::product) return {1, std::move(p)};
  const Rational coefficient = std::exchange(p.coefficients[0], 1);
  if (p.parts.size() == 1) return {coefficient, std::move(p.parts[0])};
  return {coefficient, std::move(p)};
}

/// Parts that few operands can match are looked for first, variables last; `rest` takes what is left. Among the first,
/// those that can match in one way only come before those with a choice: what they bind decides it.
void set_search(Pattern& p) {
  const auto add = [&](auto&& wanted) {
    for (std::uint32_t k = 0; k < p.parts.size(); ++k)
      if (wanted(p.parts[k])) p.search.push_back(k);
  };
  const auto is_open = [](const Pattern& q) {
    return q.is_number || (q.kind == Kind::call && q.function == Function::power && q.parts[0].is_number);
  };
  const auto telling = [&](const Pattern& q) {
    return q.kind != Kind::variable && q.kind != Kind::rest && q.kind != Kind::number && !is_open(q);
  };
  const auto is_power = [&](const Pattern& q) {
    return p.kind == Kind::sum && q.kind == Kind::call && q.function == Function::power &&
           q.parts[0].kind == Kind::variable;
  };
  // What its arguments bind is all there is to choose.
  const auto is_direct = [](const Pattern& q) {
    const Pattern& f = q.kind == Kind::call && q.function == Function::power ? q.parts[0] : q;
    return f.kind == Kind::call && f.function != Function::power &&
           std::ranges::all_of(f.parts, [](const Pattern& a) { return a.kind == Kind::variable; });
  };
  const auto has_choice = [](const Pattern& q) {
    return q.kind == Kind::call && q.parts.size() == 1 && q.parts[0].kind == Kind::sum;
  };
  add([&](const Pattern& q) { return telling(q) && is_direct(q); });
  add([&](const Pattern& q) { return telling(q) && !is_direct(q) && !has_choice(q) && !is_power(q); });
  add([&](const Pattern& q) { return telling(q) && has_choice(q); });
  add([&](const Pattern& q) { return telling(q) && is_power(q); });
  add([](const Pattern& q) { return q.kind == Kind::number; });
  if (p.kind == Kind::sum) add(is_open);
  add([](const Pattern& q) { return q.kind == Kind::variable && !q.is_number; });
}

Pattern product(Rational coefficient, std::vector<Pattern> factors) {
  std::vector<Pattern> parts;
  for (auto& f : factors) {
    auto [c, rest] = split(std::move(f));
    coefficient = coefficient * c;
    if (rest.kind == Kind::product)
      for (auto& inner : rest.parts) parts.push_back(std::move(inner));
    else if (rest.kind != Kind::number)
      parts.push_back(std::move(rest));
  }
  if (parts.empty()) return number(coefficient);
  if (parts.size() == 1 && coefficient.is_one()) return std::move(parts[0]);
  Pattern p;
  p.kind = Kind::product;
  p.coefficients = {coefficient};
  p.parts = std::move(parts);
  set_search(p);
  return p;
}

Pattern sum(std::vector<Pattern> terms) {
  Pattern p;
  p.kind = Kind::sum;
  for (auto& t : terms) {
    auto [c, rest] = split(std::move(t));
    p.coefficients.push_back(c);
    p.parts.push_back(std::move(rest));
  }
  set_search(p);
  return p;
}

Pattern power(Pattern base, Rational exponent) {
  if (base.kind == Kind::number)
    if (const auto e = exponent.as_int64())
      if (const auto value = base.number.power(*e)) return number(*value);
  if (base.kind == Kind::call && base.function == Function::power && base.parts[1].kind == Kind::number)
    return power(std::move(base.parts[0]), base.parts[1].number * exponent);
  if (exponent.is_one()) return base;
  return call(Function::power, {std::move(base), number(std::move(exponent))});
}

std::optional<Pattern::Reduction> reduction_named(std::string_view name) {
  if (name == "sum") return Pattern::Reduction::sum;
  if (name == "norm") return Pattern::Reduction::norm;
  if (name == "logsumexp") return Pattern::Reduction::logsumexp;
  if (name == "softmax") return Pattern::Reduction::softmax;
  if (name == "log_softmax") return Pattern::Reduction::log_softmax;
  return std::nullopt;
}

class Reader {
 public:
  Reader(std::string_view text, std::vector<std::string>& names) : text_(text), names_(names) {}

  Pattern whole() {
    Pattern p = terms();
    if (peek() != '\0') fail("end");
    return p;
  }

 private:
  Pattern terms() {
    std::vector<Pattern> parts{factors()};
    while (peek() == '+' || peek() == '-') {
      const bool minus = text_[at_++] == '-';
      Pattern next = factors();
      parts.push_back(minus ? product(-1, {std::move(next)}) : std::move(next));
    }
    return parts.size() == 1 ? std::move(parts[0]) : sum(std::move(parts));
  }

  Pattern factors() {
    if (accept('-')) return product(-1, {factors()});
    std::vector<Pattern> parts{powers()};
    while (peek() == '*' || peek() == '/') {
      const bool over = text_[at_++] == '/';
      Pattern next = powers();
      parts.push_back(over ? power(std::move(next), -1) : std::move(next));
    }
    return product(1, std::move(parts));
  }

  Pattern powers() {
    Pattern base = primary();
    if (!accept('^')) return base;
    const bool minus = accept('-');
    Pattern exponent = primary();
    if (exponent.kind != Kind::number) {
      if (minus) fail("an exponent without a sign");
      return call(Function::power, {std::move(base), std::move(exponent)});
    }
    return power(std::move(base), minus ? -exponent.number : exponent.number);
  }

  Pattern primary() {
    if (accept('(')) {
      Pattern p = terms();
      expect(')');
      return p;
    }
    const char c = peek();
    const std::size_t start = at_;
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      while (std::isdigit(static_cast<unsigned char>(here())) != 0 || here() == '.') ++at_;
      return number(*Rational::parse(text_.substr(start, at_ - start)));
    }
    while (std::isalnum(static_cast<unsigned char>(here())) != 0 || here() == '_') ++at_;
    const std::string_view name = text_.substr(start, at_ - start);
    if (name.empty()) fail("a name");
    return named(name);
  }

  Pattern named(std::string_view name) {
    const auto reduction = reduction_named(name);
    const auto function = function_of_row(name);
    if (accept('(')) {
      std::vector<Pattern> parts{terms()};
      while (accept(',')) parts.push_back(terms());
      expect(')');
      if (!reduction && !function) fail("a function");
      if (!reduction) return call(*function, std::move(parts));
      Pattern p;
      p.kind = Kind::reduction;
      p.reduction = *reduction;
      p.parts = std::move(parts);
      return p;
    }
    if (function) return call(*function, {});
    Pattern p;
    p.kind = name == "rest" ? Kind::rest : Kind::variable;
    p.is_number = name == "c";
    while (p.variable < names_.size() && names_[p.variable] != name) ++p.variable;
    if (p.variable == names_.size()) names_.emplace_back(name);
    return p;
  }

  char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  char peek() {
    while (here() == ' ') ++at_;
    return here();
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string(1, c).c_str());
  }
  [[noreturn]] void fail(const char* wanted) const {
    std::fprintf(stderr, "rule table: expected %s at %zu in '%s'\n", wanted, at_, std::string(text_).c_str());
    std::abort();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string>& names_;
};

}  // namespace

Pattern read_pattern(std::string_view text, std::vector<std::string>& names) { return Reader(text, names).whole(); }

std::optional<Function> function_of_row(std::string_view id) {
  static const auto index = [] {
    std::unordered_map<std::string_view, Function> map;
#define GRADUS_FUNCTION(id, ...) map.emplace(#id, Function::id);
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
    return map;
  }();
  const auto found = index.find(id);
  if (found == index.end()) return std::nullopt;
  return found->second;
}

}  // namespace gradus::rules
