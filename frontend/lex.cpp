// Characters to words and signs.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "frontend/characters.hpp"
#include "frontend/tokens.hpp"

namespace gradus {
namespace {

struct Spelling {
  std::string_view text;
  Tok kind;
  Foreign foreign = Foreign::logical_and;  // of Tok::foreign
};

constexpr Spelling keywords[] = {
    {"data", Tok::kw_data}, {"param", Tok::kw_param},   {"const", Tok::kw_const}, {"dim", Tok::kw_dim},
    {"loss", Tok::kw_loss}, {"output", Tok::kw_output}, {"if", Tok::kw_if},       {"else", Tok::kw_else},
    {"and", Tok::kw_and},   {"or", Tok::kw_or},         {"not", Tok::kw_not},     {"in", Tok::kw_in},
};

// Longer spellings stand before their prefixes.
constexpr Spelling signs[] = {
    {"===", Tok::foreign, Foreign::equal},
    {"!==", Tok::foreign, Foreign::not_equal},
    {"**", Tok::caret},
    {"..", Tok::range},
    {".*", Tok::dot_star},
    {"./", Tok::dot_slash},
    {".^", Tok::dot_caret},
    {".+", Tok::foreign, Foreign::dotted_plus},
    {".-", Tok::foreign, Foreign::dotted_minus},
    {"||", Tok::raw_norm},
    {"<=", Tok::less_equal},
    {">=", Tok::greater_equal},
    {"==", Tok::equal},
    {"!=", Tok::not_equal},
    {"<>", Tok::foreign, Foreign::not_equal},
    {"~=", Tok::foreign, Foreign::not_equal},
    {"=>", Tok::foreign, Foreign::greater_equal},
    {"=<", Tok::foreign, Foreign::less_equal},
    {":=", Tok::foreign, Foreign::assign},
    {"+=", Tok::foreign, Foreign::update},
    {"-=", Tok::foreign, Foreign::update},
    {"*=", Tok::foreign, Foreign::update},
    {"/=", Tok::foreign, Foreign::update},
    {"&&", Tok::foreign, Foreign::logical_and},
    {"//", Tok::foreign, Foreign::floor_divide},
    {"&", Tok::foreign, Foreign::logical_and},
    {"!", Tok::foreign, Foreign::logical_not},
    {"~", Tok::foreign, Foreign::logical_not},
    {"%", Tok::foreign, Foreign::modulo},
    {"\\", Tok::foreign, Foreign::backslash},
    {"?", Tok::foreign, Foreign::question},
    {"(", Tok::open_paren},
    {")", Tok::close_paren},
    {"[", Tok::open_bracket},
    {"]", Tok::close_bracket},
    {"|", Tok::raw_bar},
    {",", Tok::comma},
    {";", Tok::semicolon},
    {":", Tok::colon},
    {"=", Tok::equals},
    {"+", Tok::plus},
    {"-", Tok::minus},
    {"*", Tok::star},
    {"/", Tok::slash},
    {"@", Tok::at},
    {"^", Tok::caret},
    {"<", Tok::less},
    {">", Tok::greater},
    {"'", Tok::transpose},
    {"‖", Tok::raw_norm},
    {"∥", Tok::raw_norm},
    {"−", Tok::minus},
    {"×", Tok::star},
    {"⊙", Tok::star},
    {"·", Tok::at},
    {"⋅", Tok::at},
    {"²", Tok::squared},
    {"³", Tok::cubed},
    {"ᵀ", Tok::transpose},
    {"≤", Tok::less_equal},
    {"≥", Tok::greater_equal},
    {"≠", Tok::not_equal},
    {"∞", Tok::name},
    {"∧", Tok::foreign, Foreign::logical_and},
    {"∨", Tok::foreign, Foreign::logical_or},
    {"¬", Tok::foreign, Foreign::logical_not},
    {"÷", Tok::foreign, Foreign::divide},
    {"←", Tok::foreign, Foreign::assign},
    {"≔", Tok::foreign, Foreign::assign},
    {"⊤", Tok::foreign, Foreign::top},
    {"√", Tok::foreign, Foreign::root},
    {"∈", Tok::foreign, Foreign::element},
    {"’", Tok::foreign, Foreign::quote},
    {"‘", Tok::foreign, Foreign::quote},
    {"′", Tok::foreign, Foreign::quote},
    {"´", Tok::foreign, Foreign::quote},
    {"`", Tok::foreign, Foreign::quote},
};

/// Characters that look like a sign of the language, or mean one.
struct Lookalike {
  char32_t code;
  std::string_view here;
};
constexpr Lookalike lookalikes[] = {
    {U'–', "-"},   {U'—', "-"},   {U'‐', "-"},          {U'‑', "-"},          {U'∗', "*"},
    {U'∙', "*"},   {U'•', "*"},   {U'∘', "*"},          {U'⊗', "kron(A, B)"}, {U'⨯', "*"},
    {U'∕', "/"},   {U'⁄', "/"},   {U'⟨', "dot(x, y)"},  {U'⟩', "dot(x, y)"},  {U'…', ".."},
    {U'‥', ".."},  {U'∣', "|"},   {U'⩽', "<="},         {U'⩾', ">="},         {U'≡', "=="},
    {U'⇐', "="},   {U'→', "="},   {U'⋁', "or"},         {U'⋀', "and"},        {U'½', "1/2"},
    {U'¼', "1/4"}, {U'¾', "3/4"}, {U'∇', "grad(e, x)"}, {U'∂', "grad(e, x)"}, {U'∫', "sum[i](…)"},
    {U'ˆ', "^"},   {U'˄', "^"},   {U'∛', "cbrt(x)"},    {U'∜', "x^(1/4)"},    {U'≈', "=="},
};

constexpr std::u32string_view superscripts = U"⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻";
constexpr std::u32string_view subscripts = U"₀₁₂₃₄₅₆₇₈₉";

/// A word for a message: only its beginning when it is very long.
std::string shortened(std::string_view word) {
  std::size_t end = std::min<std::size_t>(word.size(), 80);
  while (end < word.size() && end > 0 && (static_cast<unsigned char>(word[end]) & 0xC0) == 0x80) --end;
  return std::string(word.substr(0, end)) + (end < word.size() ? "…" : "");
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::size_t most_complaints = 10'000;  // of which 100 are shown

class Lexer {
 public:
  Lexer(const Source& source, std::size_t most) : text_(source.text()), most_(most) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  Tokens run() {
    while (skip_blanks(), at_ < text_.size()) {
      const std::size_t begin = at_;
      read_one();
      if (tokens_.complaints.size() >= most_complaints) break;
      if (tokens_.all.size() > most_) {
        complain(begin, fmt::format("the program is too large: it has more than {} words and signs", most_));
        break;
      }
    }
    push(Tok::end, text_.size(), text_.size());
    return std::move(tokens_);
  }

 private:
  bool has(std::string_view part) const { return text_.substr(at_).starts_with(part); }
  char byte(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }
  CodePoint here() const { return decode(text_, at_); }

  void push(Tok kind, std::size_t begin, std::size_t end, std::uint32_t value = 0) {
    tokens_.all.push_back(
        {kind, newline_, blank_, false, value, {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)}});
    newline_ = blank_ = false;
  }

  /// A token that is nothing, from `begin` to here, with its error.
  Diagnostic& complain(std::size_t begin, std::string text) {
    const Span mark{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_)};
    tokens_.complaints.push_back({{Severity::error, std::move(text), mark, {}}, {}, {}});
    push(Tok::bad, begin, at_, static_cast<std::uint32_t>(tokens_.complaints.size() - 1));
    return tokens_.complaints.back();
  }

  void skip_blanks() {
    for (; at_ < text_.size();) {
      const char c = text_[at_];
      if (c == '\n' || c == '\r') {
        newline_ = true;
        ++at_;
      } else if (c == ' ' || c == '\t') {
        blank_ = true;
        ++at_;
      } else if (c == '#') {
        if (!skip_comment()) return;
      } else if (has("\u00A0")) {
        blank_ = true;
        at_ += 2;
      } else {
        return;
      }
    }
  }

  /// To the end of the line; false at a character that would hide where the comment ends.
  bool skip_comment() {
    while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') {
      const CodePoint point = here();
      const char32_t c = point.value;
      const bool line_end = c == 0x85 || c == 0x2028 || c == 0x2029;
      if (line_end || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069)) return false;
      at_ += point.length;
    }
    return true;
  }

  void read_one() {
    const CodePoint point = here();
    const char c = text_[at_];
    if (is_digit(c) || (c == '.' && is_digit(byte(at_ + 1)))) return read_number();
    if (is_letter(point.value)) return read_word();
    if (c == '.' && read_dot()) return;
    if (has("/*")) {
      const std::size_t begin = at_;
      at_ += 2;
      complain(begin, "'/*' begins no comment").help("a comment begins with '#' and goes to the end of the line");
      return;
    }
    if (read_scripts(point.value)) return;
    if (read_big_operator(point.value)) return;
    for (const Spelling& sign : signs) {
      if (!has(sign.text)) continue;
      const std::size_t begin = at_;
      at_ += sign.text.size();
      const bool dotted = sign.kind == Tok::dot_star || sign.kind == Tok::dot_slash || sign.kind == Tok::dot_caret;
      if (dotted || sign.text == "'") tokens_.matlab = true;
      push(sign.kind, begin, at_, static_cast<std::uint32_t>(sign.foreign));
      if (sign.kind == Tok::raw_norm) read_norm_order();
      return;
    }
    read_nothing(point);
  }

  /// Digits, a dot that begins no operator, and an exponent that has digits.
  std::size_t scan_number(std::size_t at) const {
    while (is_digit(byte(at))) ++at;
    if (byte(at) == '.' && !dot_begins_operator(at)) {
      ++at;
      while (is_digit(byte(at))) ++at;
    }
    if (byte(at) == 'e' || byte(at) == 'E') {
      const std::size_t digits = at + (byte(at + 1) == '+' || byte(at + 1) == '-' ? 2 : 1);
      if (is_digit(byte(digits))) {
        at = digits;
        while (is_digit(byte(at))) ++at;
      }
    }
    return at;
  }

  bool dot_begins_operator(std::size_t at) const {
    const char next = byte(at + 1);
    return next == '.' || next == '*' || next == '/' || next == '^' || begins_transpose(at);
  }

  /// `.T` that is not the beginning of a longer word.
  bool begins_transpose(std::size_t at) const {
    if (byte(at) != '.' || byte(at + 1) != 'T') return false;
    return at + 2 >= text_.size() || !continues_name(decode(text_, at + 2).value);
  }

  static bool continues_name(char32_t c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || is_mark(c); }

  void read_number() {
    const std::size_t begin = at_;
    at_ = scan_number(at_);
    if (byte(at_) == '.' && is_digit(byte(at_ + 1))) {
      while (is_digit(byte(at_)) || (byte(at_) == '.' && is_digit(byte(at_ + 1)))) ++at_;
      complain(begin, fmt::format("'{}' is not a number", shortened(text_.substr(begin, at_ - begin))))
          .help("a number has at most one decimal point");
      return;
    }
    push(Tok::number, begin, at_);
  }

  std::string_view scan_word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && continues_name(here().value)) at_ += here().length;
    return text_.substr(begin, at_ - begin);
  }

  void read_word() {
    const std::size_t begin = at_;
    const std::string_view word = scan_word();
    for (const Spelling& keyword : keywords) {
      if (word == keyword.text) return push(keyword.kind, begin, at_);
    }
    push(Tok::name, begin, at_);
    if (at_ < text_.size() && subscripts.find(here().value) != std::u32string_view::npos) read_subscripts();
  }

  void read_subscripts() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && subscripts.find(here().value) != std::u32string_view::npos) at_ += here().length;
    push(Tok::foreign, begin, at_, static_cast<std::uint32_t>(Foreign::subscripts));
  }

  /// `.T` and `.name`.
  bool read_dot() {
    const std::size_t begin = at_;
    if (begins_transpose(at_)) {
      at_ += 2;
      push(Tok::transpose, begin, at_);
      return true;
    }
    if (byte(at_ + 1) == '(') {
      push(Tok::foreign, begin, ++at_, static_cast<std::uint32_t>(Foreign::dotted_call));
      return true;
    }
    if (at_ + 1 >= text_.size() || !is_letter(decode(text_, at_ + 1).value)) return false;
    ++at_;
    scan_word();
    push(Tok::foreign, begin, at_, static_cast<std::uint32_t>(Foreign::member));
    return true;
  }

  /// A run of superscripts other than one ² or ³, or subscript digits.
  bool read_scripts(char32_t first) {
    if (subscripts.find(first) != std::u32string_view::npos) {
      read_subscripts();
      return true;
    }
    if (superscripts.find(first) == std::u32string_view::npos) return false;
    const std::size_t begin = at_;
    std::size_t count = 0;
    for (; at_ < text_.size() && superscripts.find(here().value) != std::u32string_view::npos; ++count)
      at_ += here().length;
    if (count == 1 && (first == U'²' || first == U'³')) {
      push(first == U'²' ? Tok::squared : Tok::cubed, begin, at_);
    } else {
      push(Tok::foreign, begin, at_, static_cast<std::uint32_t>(Foreign::superscripts));
    }
    return true;
  }

  /// `∑[` and `∏[` are the names sum and prod.
  bool read_big_operator(char32_t c) {
    if (c != U'∑' && c != U'∏') return false;
    const std::size_t begin = at_;
    at_ += here().length;
    std::size_t next = at_;
    while (byte(next) == ' ' || byte(next) == '\t') ++next;
    if (byte(next) == '[') {
      push(Tok::name, begin, at_);
    } else {
      push(Tok::foreign, begin, at_, static_cast<std::uint32_t>(c == U'∑' ? Foreign::sum_sign : Foreign::product_sign));
    }
    return true;
  }

  /// `_p`, `_2`, `_∞` directly after a norm's bar.
  void read_norm_order() {
    if (at_ >= text_.size()) return;
    const std::size_t begin = at_;
    if (subscripts.find(here().value) != std::u32string_view::npos) {
      read_subscripts();
      tokens_.all.back().kind = Tok::bad;
      std::string digits;
      for (std::size_t i = begin; i < at_; i += 3) digits += static_cast<char>('0' + (decode(text_, i).value - U'₀'));
      tokens_.all.pop_back();
      complain(begin, "subscript digits are not read").help(fmt::format("write the order of the norm as _{}", digits));
      return;
    }
    if (text_[at_] != '_') return;
    ++at_;
    if (is_digit(byte(at_)) || (byte(at_) == '.' && is_digit(byte(at_ + 1)))) {
      at_ = scan_number(at_);
    } else if (has("∞")) {
      at_ += 3;
    } else if (at_ < text_.size() && is_letter(here().value)) {
      scan_word();
    } else {
      complain(begin, "the order of the norm is missing")
          .help("write _ and a number or a name right after the bars, as in ||x||_1");
      return;
    }
    push(Tok::norm_order, begin, at_);
  }

  /// A character that begins nothing.
  void read_nothing(CodePoint point) {
    const std::size_t begin = at_;
    at_ += point.length;
    const std::string_view raw = text_.substr(begin, point.length);
    const char32_t c = point.value;
    const std::string code = code_point_name(c);
    const auto* similar = std::ranges::find_if(lookalikes, [c](const Lookalike& l) { return l.code == c; });
    if (similar != std::end(lookalikes)) {
      complain(begin, fmt::format("'{}' ({}) is not a sign of the language", raw, code))
          .help(fmt::format("write '{}'", similar->here));
    } else if (is_decimal_digit(c)) {
      complain(begin, fmt::format("'{}' ({}) is not a digit of the language", raw, code)).help("write digits 0 to 9");
    } else if (c == 0xFEFF) {
      complain(begin, fmt::format("a byte order mark ({}) stands inside the text", code)).help("delete it");
    } else if (is_invisible(c)) {
      complain(begin, fmt::format("an invisible character: {}", code)).help("delete it or write a blank in its place");
    } else if (c >= 0xFF01 && c <= 0xFF5E) {
      complain(begin, fmt::format("'{}' ({}) is not a sign of the language", raw, code))
          .help(fmt::format("write '{}'", static_cast<char>(c - 0xFEE0)));
    } else if (c == '{' || c == '}') {
      complain(begin, fmt::format("'{}' is not a sign of the language", raw))
          .help("group with ( ), write lists and subscripts with [ ]");
    } else if (c == '$') {
      complain(begin, "'$' is not a sign of the language").help("write the formula without dollar signs");
    } else if (c == '_') {
      scan_word();
      const std::string word = shortened(text_.substr(begin, at_ - begin));
      const bool after_digit = begin > 0 && text_[begin - 1] >= '0' && text_[begin - 1] <= '9';
      if (after_digit && word.find_first_not_of("0123456789_") == std::string::npos) {
        complain(begin, "the digits of a number stand together").help("write the number without '_'");
      } else {
        complain(begin, fmt::format("'{}' is not a name", word)).help("a name begins with a letter");
      }
    } else if (c == '"' || c == U'“' || c == U'”') {
      complain(begin, fmt::format("'{}' ({}) is not a sign of the language", raw, code))
          .help("there are no texts, only numbers");
    } else if (is_mark(c)) {
      complain(begin, fmt::format("the combining mark {} follows no letter", code));
    } else if (c == '.' && byte(at_) == '\'') {
      complain(begin, "'.' is not a sign of the language").help("the transpose is written X' or X.T");
    } else if (c < 0x80) {
      complain(begin, fmt::format("'{}' is not a sign of the language", raw));
    } else {
      complain(begin, fmt::format("'{}' ({}) is not a sign of the language", raw, code));
    }
  }

  std::string_view text_;
  std::size_t most_;
  std::size_t at_ = 0;
  bool newline_ = false;
  bool blank_ = false;
  Tokens tokens_;
};

}  // namespace

Tokens lex(const Source& source, std::size_t most) { return Lexer(source, most).run(); }

bool ends_operand(const Token& token) {
  switch (token.kind) {
    case Tok::number:
    case Tok::name:
    case Tok::kw_loss:
    case Tok::close_paren:
    case Tok::close_bracket:
    case Tok::close_bar:
    case Tok::close_norm:
    case Tok::norm_order:
    case Tok::squared:
    case Tok::cubed:
    case Tok::transpose:
      return true;
    case Tok::foreign: {
      const auto foreign = static_cast<Foreign>(token.value);
      return foreign == Foreign::member || foreign == Foreign::quote || foreign == Foreign::top ||
             foreign == Foreign::superscripts || foreign == Foreign::subscripts || foreign == Foreign::dotted_call;
    }
    default:
      return false;
  }
}

bool begins_operand(const Token& token) {
  switch (token.kind) {
    case Tok::number:
    case Tok::name:
    case Tok::kw_loss:
    case Tok::open_paren:
    case Tok::open_bracket:
    case Tok::open_bar:
    case Tok::open_norm:
      return true;
    default:
      return false;
  }
}

}  // namespace gradus
