// Bars, brackets and line ends: which bar opens, what a bracket pairs with, where a statement ends.
#include <algorithm>
#include <string>

#include "frontend/tokens.hpp"

namespace gradus {
namespace {

/// A line that ends with this goes on.
bool goes_on_after(Tok kind) {
  switch (kind) {
    case Tok::comma:
    case Tok::equals:
    case Tok::kw_not:
      return true;
    default:
      break;
  }
  return false;
}

/// Operators that need something on both sides, in lines and across them.
bool joins(const Token& token) {
  switch (token.kind) {
    case Tok::plus:
    case Tok::minus:
    case Tok::star:
    case Tok::slash:
    case Tok::at:
    case Tok::caret:
    case Tok::dot_star:
    case Tok::dot_slash:
    case Tok::dot_caret:
    case Tok::less:
    case Tok::less_equal:
    case Tok::greater:
    case Tok::greater_equal:
    case Tok::equal:
    case Tok::not_equal:
    case Tok::kw_if:
    case Tok::kw_else:
    case Tok::kw_and:
    case Tok::kw_or:
    case Tok::kw_in:
      return true;
    case Tok::foreign:
      switch (static_cast<Foreign>(token.value)) {
        case Foreign::logical_and:
        case Foreign::logical_or:
        case Foreign::divide:
        case Foreign::equal:
        case Foreign::not_equal:
        case Foreign::greater_equal:
        case Foreign::less_equal:
        case Foreign::assign:
        case Foreign::dotted_plus:
        case Foreign::dotted_minus:
          return true;
        default:
          return false;
      }
    default:
      return false;
  }
}

class Layout {
 public:
  explicit Layout(Tokens& tokens) : raw_(tokens.all), complaints_(tokens.complaints) { find_braces(); }

  std::vector<Token> run() {
    out_.reserve(raw_.size() + 16);
    for (at_ = 0; at_ < raw_.size(); ++at_) {
      Token token = raw_[at_];
      if (at_ == next_brace()) brace_end_ = std::max(brace_end_, braces_[brace_++].second);
      if (token.newline_before && at_ > brace_end_) line_end();
      switch (token.kind) {
        case Tok::end:
          separate();
          out_.push_back(token);
          break;
        case Tok::semicolon:
          if (at_ < brace_end_ ||
              (!open_.empty() && (out_[open_.back()].kind == Tok::open_bracket || closes_on_this_line()))) {
            out_.push_back(token);
          } else {
            separate();
          }
          break;
        case Tok::raw_bar:
        case Tok::raw_norm:
          bar(token);
          break;
        case Tok::open_paren:
        case Tok::open_bracket:
          open(token, token.kind);
          break;
        case Tok::close_paren:
          close(token, Tok::open_paren);
          break;
        case Tok::close_bracket:
          close(token, Tok::open_bracket);
          break;
        default:
          out_.push_back(token);
      }
    }
    return std::move(out_);
  }

 private:
  /// Pairs of `{` and `}`, which are no signs of the language: what they hold is one statement, so one error.
  void find_braces() {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < raw_.size(); ++i) {
      if (raw_[i].kind != Tok::bad) continue;
      const std::string& complaint = complaints_[raw_[i].value].main.text;
      if (complaint.starts_with("'{'")) open.push_back(i);
      if (!complaint.starts_with("'}'") || open.empty()) continue;
      braces_.emplace_back(open.back(), i);
      open.pop_back();
    }
    std::ranges::sort(braces_);
  }

  std::size_t next_brace() const { return brace_ < braces_.size() ? braces_[brace_].first : raw_.size(); }

  bool operand_before() const { return !out_.empty() && ends_operand(out_.back()); }

  /// Ends the statement, whatever is open.
  void separate() {
    open_.clear();
    if (out_.empty() || out_.back().kind == Tok::separator) return;
    Token token;
    token.kind = Tok::separator;
    token.span = {out_.back().span.end, out_.back().span.end};
    out_.push_back(token);
  }

  /// A line ended before the raw token at `at_`.
  void line_end() {
    if (out_.empty() || out_.back().kind == Tok::separator) return;
    if (!open_.empty()) {
      // Inside brackets a line end is a blank, but the next statement shows that a bracket was forgotten.
      if (statement_begins()) separate();
      return;
    }
    if (joins(raw_[at_])) return;
    // `z = 3 +` goes on, but not with the equation of the next line.
    const bool goes_on = goes_on_after(out_.back().kind) || joins(out_.back());
    if (!goes_on || (out_.back().kind != Tok::comma && statement_begins())) separate();
  }

  /// Whether the parenthesis around the semicolon at `at_` is closed on its line: then it was meant as a comma.
  bool closes_on_this_line() const {
    if (out_[open_.back()].kind != Tok::open_paren) return false;
    constexpr std::size_t longest = 256;
    int depth = 0;
    for (std::size_t i = 1; i < longest && at_ + i < raw_.size() && !raw_[at_ + i].newline_before; ++i) {
      const Tok kind = raw(i);
      if (kind == Tok::open_paren || kind == Tok::open_bracket) ++depth;
      if (kind != Tok::close_paren && kind != Tok::close_bracket) continue;
      if (depth == 0) return kind == Tok::close_paren;
      --depth;
    }
    return false;
  }

  Tok raw(std::size_t offset) const { return at_ + offset < raw_.size() ? raw_[at_ + offset].kind : Tok::end; }

  /// Whether the line at `at_` can only be the beginning of a statement.
  bool statement_begins() const {
    switch (raw(0)) {
      case Tok::kw_data:
      case Tok::kw_param:
      case Tok::kw_const:
      case Tok::kw_dim:
      case Tok::kw_output:
        return true;
      case Tok::kw_loss:
        return assigns(1) || (raw(1) == Tok::name && assigns(2));
      case Tok::name:
        break;
      default:
        return false;
    }
    // `name = …` may be a keyword argument after `(` or a comma.
    const Tok before = out_.back().kind;
    if (assigns(1)) return before != Tok::comma && before != Tok::open_paren;
    if (raw(1) != Tok::open_paren && raw(1) != Tok::open_bracket) return false;
    constexpr std::size_t longest_left_side = 64;
    int depth = 0;
    for (std::size_t i = 1; i < longest_left_side && at_ + i < raw_.size() && !raw_[at_ + i].newline_before; ++i) {
      const Tok kind = raw(i);
      if (kind == Tok::open_paren || kind == Tok::open_bracket) ++depth;
      if (kind == Tok::close_paren || kind == Tok::close_bracket) --depth;
      if (depth == 0) return assigns(i + 1);
    }
    return false;
  }

  bool assigns(std::size_t offset) const {
    return raw(offset) == Tok::equals ||
           (raw(offset) == Tok::foreign && static_cast<Foreign>(raw_[at_ + offset].value) == Foreign::assign);
  }

  void open(Token token, Tok kind) {
    token.kind = kind;
    token.value = Token::no_partner;
    open_.push_back(out_.size());
    out_.push_back(token);
  }

  void pair(std::size_t opening, Token token) {
    token.value = static_cast<std::uint32_t>(opening);
    out_[opening].value = static_cast<std::uint32_t>(out_.size());
    out_.push_back(token);
  }

  /// Pairs with the nearest opening of its kind; what was opened after that stays open, without a partner.
  void close(Token token, Tok opening) {
    token.value = Token::no_partner;
    for (std::size_t depth = open_.size(); depth > 0; --depth) {
      if (out_[open_[depth - 1]].kind != opening) continue;
      const std::size_t partner = open_[depth - 1];
      open_.resize(depth - 1);
      return pair(partner, token);
    }
    out_.push_back(token);
  }

  void bar(Token token) {
    const bool norm = token.kind == Tok::raw_norm;
    if (!operand_before()) return open(token, norm ? Tok::open_norm : Tok::open_bar);
    if (!open_.empty() && out_[open_.back()].kind == (norm ? Tok::open_norm : Tok::open_bar)) {
      token.kind = norm ? Tok::close_norm : Tok::close_bar;
      const std::size_t partner = open_.back();
      open_.pop_back();
      return pair(partner, token);
    }
    if (norm && open_.size() > 1 && is_bar_at(open_.size() - 1) && is_bar_at(open_.size() - 2)) return two_bars(token);
    token.value = Token::no_partner;
    out_.push_back(token);  // closes nothing
  }

  bool is_bar_at(std::size_t depth) const { return out_[open_[depth]].kind == Tok::open_bar; }

  /// `|a - |b||`: the two bars that are meant, marked for a hint.
  void two_bars(Token token) {
    token.kind = Tok::close_bar;
    for (const bool last : {false, true}) {
      const std::size_t partner = open_.back();
      open_.pop_back();
      token.doubled = last;
      pair(partner, token);
    }
  }

  const std::vector<Token>& raw_;
  const std::vector<Diagnostic>& complaints_;
  std::vector<std::pair<std::size_t, std::size_t>> braces_;  // in order of their beginnings
  std::size_t brace_ = 0;                                    // the next of them
  std::size_t brace_end_ = 0;                                // in which the token here stands
  std::vector<Token> out_;
  std::vector<std::size_t> open_;  // indices in out_
  std::size_t at_ = 0;
};

}  // namespace

void lay_out(Tokens& tokens) { tokens.all = Layout(tokens).run(); }

}  // namespace gradus
