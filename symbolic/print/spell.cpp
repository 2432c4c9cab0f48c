// How each form (text, Unicode, LaTeX) spells a printing tree: one table of constructs, one walker.
#include <algorithm>
#include <array>

#include "symbolic/print/formula.hpp"

namespace gradus::printing {
namespace {

/// How tightly a piece of text holds together, loosest first (LANGUAGE section 4).
enum class Level : std::uint8_t { any, logic_or, logic_and, logic_not, comparison, sum, product, sign, power, postfix };

struct Spelled {
  std::string text;
  Level level = Level::postfix;
};

/// A construct with a fixed number of operands: #1, #2, … are replaced; an operand looser than its level gets
/// parentheses.
struct Pattern {
  std::string_view text;
  Level level;
  std::array<Level, 3> operands;
};

constexpr auto any = Level::any;
constexpr auto sum = Level::sum;
constexpr auto product = Level::product;
constexpr auto tight = Level::power;
constexpr auto postfix = Level::postfix;

struct Row {
  Op op;
  std::array<Pattern, 3> forms;  // text, Unicode, LaTeX
};

// clang-format off
constexpr Row patterns[] = {
  {Op::quotient,    {{{"#1/#2", product, {product, tight}},       {"#1/#2", product, {product, tight}},       {"\\frac{#1}{#2}", tight, {any, any}}}}},
  {Op::power,       {{{"#1^#2", tight, {postfix, tight}},         {"#1^#2", tight, {postfix, tight}},         {"#1^{#2}", tight, {postfix, any}}}}},
  {Op::transpose,   {{{"#1.T", postfix, {postfix}},               {"#1ᵀ", postfix, {postfix}},                {"#1^{\\top}", tight, {postfix}}}}},
  {Op::norm,        {{{"||#1||", postfix, {any}},                 {"‖#1‖", postfix, {any}},                   {"\\lVert #1 \\rVert", postfix, {any}}}}},
  {Op::negate,      {{{"-#1", sum, {product}},                    {"-#1", sum, {product}},                    {"-#1", sum, {product}}}}},
  {Op::logical_not, {{{"not #1", Level::logic_not, {Level::logic_not}}, {"not #1", Level::logic_not, {Level::logic_not}}, {"\\neg #1", Level::logic_not, {postfix}}}}},
  {Op::conditional, {{{"where(#1, #2, #3)", postfix, {any, any, any}}, {"where(#1, #2, #3)", postfix, {any, any, any}},
                      {"\\begin{cases} #2 & \\text{if } #1 \\\\ #3 & \\text{otherwise} \\end{cases}", any, {any, any, any}}}}},
};

struct Words {  // what is joined or bracketed, by form
  std::string_view times, hadamard, matmul, logic_and, logic_or, less_equal, greater_equal, not_equal, equal, sum, prod;
};
constexpr Words words[] = {
  {"*", "*", " @ ", " and ", " or ", "<=", ">=", "!=", "==", "sum", "prod"},
  {"*", " ⊙ ", " · ", " and ", " or ", "≤", "≥", "≠", "==", "Σ", "Π"},
  {" \\, ", " \\odot ", " \\, ", " \\wedge ", " \\vee ", "\\le", "\\ge", "\\ne", "=", "\\sum", "\\prod"},
};
// clang-format on

class Speller {
 public:
  explicit Speller(Form form) : form_(form), words_(words[static_cast<std::size_t>(form)]) {}

  std::string text(const Formula& f, Level least) const {
    Spelled s = spell(f);
    if (s.level >= least) return std::move(s.text);
    return latex() ? "\\left(" + s.text + "\\right)" : "(" + s.text + ")";
  }

  std::vector<std::string> sum_pieces(const Formula& f) const {
    std::vector<std::string> out;
    for (std::size_t k = 0; k < f.parts.size(); ++k) {
      const bool minus = f.negative[k] != 0;
      out.push_back((k == 0 ? (minus ? "-" : "") : (minus ? " - " : " + ")) + text(f.parts[k], product));
    }
    return out;
  }

  Spelled spell(const Formula& f) const {
    for (const Row& r : patterns)
      if (r.op == f.op) return spell_pattern(f, r.forms[static_cast<std::size_t>(form_)]);
    switch (f.op) {
      case Op::name:
        return {spell_name(f.text, form_), postfix};
      case Op::number:
        return spell_number(f.number);
      case Op::add: {
        std::string out;
        for (const auto& piece : sum_pieces(f)) out += piece;
        return {std::move(out), sum};
      }
      case Op::product:
        return spell_product(f);
      case Op::matmul:
        return {join(f.parts, words_.matmul, tight), product};
      case Op::compare:
        return {text(f.parts[0], sum) + " " + std::string(sign(f.text)) + " " + text(f.parts[1], sum),
                Level::comparison};
      case Op::logical_and:
        return {join(f.parts, words_.logic_and, Level::logic_not), Level::logic_and};
      case Op::logical_or:
        return {join(f.parts, words_.logic_or, Level::logic_and), Level::logic_or};
      case Op::subscript:
        return spell_subscript(f);
      case Op::slice:
        return {text(f.parts[0], sum) + (latex() ? "{:}" : ":") + text(f.parts[1], sum), any};
      case Op::function:
        return spell_function(f);
      case Op::call:
        return spell_call(f);
      case Op::over:
        return latex() ? spell_over_latex(f) : spell_over(f);
      case Op::none:
        return {"", postfix};
      default:
        break;
    }
    return {"", postfix};
  }

 private:
  bool latex() const { return form_ == Form::latex; }

  std::string join(const std::vector<Formula>& parts, std::string_view between, Level least) const {
    std::string out;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      if (k > 0) out += between;
      out += text(parts[k], least);
    }
    return out;
  }

  Spelled spell_pattern(const Formula& f, const Pattern& p) const {
    if (f.op == Op::power && form_ == Form::unicode)
      if (const std::string raised = superscript(f.parts[1]); !raised.empty())
        return {text(f.parts[0], postfix) + raised, tight};
    return {fill(f, p.text, p.operands), p.level};
  }

  std::string fill(const Formula& f, std::string_view pattern, const std::array<Level, 3>& least) const {
    std::string out;
    for (std::size_t k = 0; k < pattern.size(); ++k) {
      if (pattern[k] != '#') {
        out += pattern[k];
        continue;
      }
      const auto operand = static_cast<std::size_t>(pattern[++k] - '1');
      const std::string piece = text(f.parts[operand], least[operand]);
      const bool raised = latex() && k + 1 < pattern.size() && pattern[k + 1] == '^';
      out += raised ? base(piece) : piece;
    }
    return out;
  }

  /// What LaTeX raises or lowers stands in braces where it has an index or an exponent of its own.
  static std::string base(const std::string& piece) {
    const bool has_script = piece.find_first_of("_^") != std::string::npos && !piece.starts_with("\\left(");
    return has_script ? "{" + piece + "}" : piece;
  }

  /// ² ³ … of a small whole exponent, or nothing.
  static std::string superscript(const Formula& exponent) {
    static constexpr const char* digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    if (exponent.op != Op::number || !exponent.number.is_integer()) return "";
    const auto value = exponent.number.as_int64();
    if (!value || *value < 0 || *value > 9) return "";
    return digits[*value];
  }

  Spelled spell_number(const Rational& value) const {
    std::string out = value.to_string();
    const auto slash = out.find('/');
    if (!latex()) return {std::move(out), slash == std::string::npos ? postfix : product};
    if (slash != std::string::npos)
      return {"\\frac{" + out.substr(0, slash) + "}{" + out.substr(slash + 1) + "}", tight};
    const auto e = out.find('e');
    if (e == std::string::npos) return {std::move(out), postfix};
    const std::string mantissa = out.substr(0, e);
    return {(mantissa == "1" ? "" : mantissa + " \\cdot ") + "10^{" + out.substr(e + 1) + "}", product};
  }

  Spelled spell_product(const Formula& f) const {
    std::string out;
    for (std::size_t k = 0; k < f.parts.size(); ++k) {
      const Formula& p = f.parts[k];
      const bool last = k + 1 == f.parts.size();
      // The last factor may be a product of its own: a*(b*c) is a*b*c; `2*X.T @ r` is how people write it.
      const bool loose = k == 0 || (last && p.op == Op::product) ||
                         (last && k == 1 && p.op == Op::matmul && f.parts[0].op == Op::number) ||
                         (latex() && last && (p.op == Op::over || p.op == Op::function || p.op == Op::matmul));
      std::string piece = text(p, loose ? product : tight);
      if (k > 0) {
        const bool digit = latex() && p.op == Op::number;
        out += digit ? " \\cdot " : (f.arrays ? words_.hadamard : words_.times);
      }
      out += piece;
    }
    return {std::move(out), product};
  }

  std::string_view sign(const std::string& s) const {
    if (s == "<=") return words_.less_equal;
    if (s == ">=") return words_.greater_equal;
    if (s == "!=") return words_.not_equal;
    if (s == "==") return words_.equal;
    return s;
  }

  Spelled spell_subscript(const Formula& f) const {
    std::string inside;
    for (std::size_t k = 1; k < f.parts.size(); ++k)
      inside += (k > 1 ? (latex() ? "," : ", ") : "") + text(f.parts[k], any);
    const std::string array = text(f.parts[0], postfix);
    return {latex() ? base(array) + "_{" + inside + "}" : array + "[" + inside + "]", postfix};
  }

  Spelled spell_function(const Formula& f) const {
    const FunctionRow& r = row(f.function);
    if (!latex()) {
      if (f.parts.empty())
        return {std::string(form_ == Form::unicode ? unicode_constant(f.function) : r.name), postfix};
      if (form_ == Form::unicode && f.function == Function::sqrt) return {"√(" + text(f.parts[0], any) + ")", postfix};
      if (form_ == Form::unicode && f.function == Function::abs) return {"|" + text(f.parts[0], any) + "|", postfix};
      return {std::string(r.name) + "(" + join(f.parts, ", ", any) + ")", postfix};
    }
    // A row's LaTeX brackets an operand itself where a brace, bracket or comma stands before it.
    std::array<Level, 3> least{any, any, any};
    const bool fenced = r.latex.starts_with("\\l") && r.latex.find("\\r") != std::string_view::npos;
    for (std::size_t at = r.latex.find('#'); at != std::string_view::npos; at = r.latex.find('#', at + 1)) {
      const bool open = at > 0 && (r.latex[at - 1] == '{' || r.latex[at - 1] == '(');
      const bool listed = at > 1 && r.latex[at - 2] == ',';
      if (!open && !listed && !fenced) least[static_cast<std::size_t>(r.latex[at + 1] - '1')] = postfix;
    }
    if (f.function == Function::hypot) least = {postfix, postfix, any};
    const bool closed = fenced || f.parts.empty() || r.latex.back() == ')' || r.latex.starts_with("\\sqrt");
    const bool raised = f.function == Function::exp || f.function == Function::exp2;
    return {fill(f, r.latex, least), closed ? postfix : (raised ? tight : Level::sign)};
  }

  static std::string_view unicode_constant(Function f) {
    return f == Function::pi ? "π" : (f == Function::infinity ? "∞" : row(f).name);
  }

  Spelled spell_call(const Formula& f) const {
    std::string arguments = join(f.parts, ", ", any);
    if (!latex()) {
      if (f.axis != Formula::no_axis) arguments += ", axis=" + std::to_string(f.axis);
      return {f.text + "(" + arguments + ")", postfix};
    }
    std::string head = "\\operatorname{" + escape(f.text) + "}";
    if (f.axis != Formula::no_axis) head += "_{\\text{axis }" + std::to_string(f.axis) + "}";
    return {head + "\\left(" + arguments + "\\right)", postfix};
  }

  static std::string escape(const std::string& s) {
    std::string out;
    for (const char c : s) out += c == '_' ? "\\_" : std::string(1, c);
    return out;
  }

  Spelled spell_over(const Formula& f) const {
    std::string head;
    for (const Binder& b : f.binders) {
      head += (head.empty() ? "" : ", ") + spell_name(b.name, form_);
      if (b.shown) head += " in " + text(b.range[0], sum) + ".." + text(b.range[1], sum);
    }
    if (f.parts.size() > 1) head += " : " + text(f.parts[1], any);
    const std::string function(f.text == "sum" ? words_.sum : (f.text == "prod" ? words_.prod : f.text));
    return {function + "[" + head + "](" + text(f.parts[0], any) + ")", postfix};
  }

  static std::string latex_operator(const std::string& function) {
    if (function == "sum" || function == "prod" || function == "max" || function == "min") return "\\" + function;
    return "\\operatorname*{" + escape(function) + "}";
  }

  /// \sum_{i=0}^{n-1}; a filter stands below the sign with the ranges.
  Spelled spell_over_latex(const Formula& f) const {
    const bool big = f.text == "sum" || f.text == "prod";
    const std::string body = big ? text(f.parts[0], product) : "\\left(" + text(f.parts[0], any) + "\\right)";
    std::string head;
    if (big && f.parts.size() == 1) {
      for (const Binder& b : f.binders) {
        const Formula last = add({b.range[1], number(-1)});
        head += latex_operator(f.text) + "_{" + spell_name(b.name, form_) + "=" + text(b.range[0], sum) + "}^{" +
                text(last, any) + "} ";
      }
      return {head + body, product};
    }
    std::string under;
    for (const Binder& b : f.binders) {
      if (!under.empty()) under += " \\\\ ";
      under += text(b.range[0], sum) + " \\le " + spell_name(b.name, form_) + " < " + text(b.range[1], sum);
    }
    if (f.parts.size() > 1) under += " \\\\ " + text(f.parts[1], any);
    const bool several = f.binders.size() + f.parts.size() > 2;
    if (several) under = "\\substack{" + under + "}";
    return {latex_operator(f.text) + "_{" + under + "} " + body, big ? product : postfix};
  }

  Form form_;
  const Words& words_;
};

}  // namespace

std::string spell(const Formula& formula, Form form) { return Speller(form).text(formula, Level::any); }

std::vector<std::string> spell_pieces(const Formula& formula, Form form) {
  const Speller speller(form);
  if (formula.op == Op::add) return speller.sum_pieces(formula);
  return {speller.text(formula, Level::any)};
}

}  // namespace gradus::printing
