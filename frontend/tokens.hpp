// Words and signs of a program: what the lexer reads, and what the layout makes of bars and line ends.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "frontend/diagnostic.hpp"
#include "frontend/source.hpp"

namespace gradus {

enum class Tok : std::uint8_t {
  end,        // of the text
  separator,  // end of a statement
  number,
  name,
  // keywords
  kw_data,
  kw_param,
  kw_const,
  kw_dim,
  kw_loss,
  kw_output,
  kw_if,
  kw_else,
  kw_and,
  kw_or,
  kw_not,
  kw_in,
  // brackets and bars; the layout decides which way a bar faces
  open_paren,
  close_paren,
  open_bracket,
  close_bracket,
  open_bar,
  close_bar,
  open_norm,
  close_norm,
  norm_order,  // `_p` after a closing norm
  raw_bar,     // `|` and `||` or `‖` before the layout; afterwards one that neither opens nor closes
  raw_norm,
  // punctuation
  comma,
  semicolon,  // after the layout: separates rows inside [ ]
  colon,
  range,  // ..
  equals,
  // operators
  plus,
  minus,
  star,
  slash,
  at,
  caret,
  dot_star,
  dot_slash,
  dot_caret,
  squared,
  cubed,
  transpose,  // .T ' ᵀ
  less,
  less_equal,
  greater,
  greater_equal,
  equal,
  not_equal,
  foreign,  // a sign of other languages; value: Foreign
  bad,      // nothing at all; value: index of the complaint
};

/// Signs that other languages have and Gradus spells differently; the parser knows the operands for the hint.
enum class Foreign : std::uint8_t {
  logical_and,    // && & ∧
  logical_or,     // ∨ (and bars that close nothing)
  logical_not,    // ! ~ ¬
  modulo,         // %
  backslash,      // A\b
  floor_divide,   // //
  divide,         // ÷
  equal,          // ===
  not_equal,      // <> ~= !==
  greater_equal,  // =>
  less_equal,     // =<
  assign,         // := ←
  update,         // += -= *= /=
  member,         // .name
  quote,          // ’ ′ ‘
  top,            // ⊤ as a transpose
  superscripts,   // ⁴ ⁻¹
  subscripts,     // x₁
  question,       // ?
  root,           // √
  element,        // ∈
  dotted_plus,    // .+
  dotted_minus,   // .-
  dotted_call,    // exp.(x)
  sum_sign,       // ∑ without [ ]
  product_sign,   // ∏ without [ ]
};

struct Token {
  Tok kind = Tok::end;
  bool newline_before = false;
  bool blank_before = false;
  bool doubled = false;  // the last of two closing bars that were written as `||`
  /// Brackets and bars: index of the partner token or `no_partner`. Others: see Tok.
  std::uint32_t value = 0;
  Span span;

  static constexpr std::uint32_t no_partner = UINT32_MAX;
};

struct Tokens {
  std::vector<Token> all;              // ends with one Tok::end
  std::vector<Diagnostic> complaints;  // of Tok::bad
  bool matlab = false;                 // ' or a dotted operator was used
};

/// Reads the words and signs of a text that is valid UTF-8; stops after `most` tokens.
Tokens lex(const Source& source, std::size_t most);

/// Decides which bars open and close, pairs brackets, and turns line ends into separators where a statement ends.
void lay_out(Tokens& tokens);

/// Whether an operand is complete after this token, so that an operator can follow.
bool ends_operand(const Token& token);

/// Whether a token begins an operand.
bool begins_operand(const Token& token);

}  // namespace gradus
