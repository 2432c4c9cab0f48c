// A small reader of LaTeX mathematics for tests: says what a LaTeX run would complain about in a printed formula.
#pragma once

#include <cctype>
#include <set>
#include <string>
#include <vector>

namespace gradus::testing {

class LatexCheck {
 public:
  explicit LatexCheck(const std::string& text) : text_(text) {}

  /// Nothing, or the first problem.
  std::string run() {
    read("");
    if (problem_.empty() && at_ < text_.size()) problem_ = "something closes that was not opened";
    return problem_;
  }

 private:
  static const std::set<std::string>& symbols() {
    static const std::set<std::string> known = {
        "alpha",   "beta",  "gamma",  "delta",  "epsilon", "zeta",   "eta",    "theta", "iota",    "kappa",
        "lambda",  "mu",    "nu",     "xi",     "pi",      "rho",    "sigma",  "tau",   "upsilon", "phi",
        "chi",     "psi",   "omega",  "Gamma",  "Delta",   "Theta",  "Lambda", "Xi",    "Pi",      "Sigma",
        "Upsilon", "Phi",   "Psi",    "Omega",  "sum",     "prod",   "max",    "min",   "log",     "sin",
        "cos",     "tan",   "arcsin", "arccos", "arctan",  "sinh",   "cosh",   "tanh",  "infty",   "partial",
        "top",     "odot",  "cdot",   "le",     "ge",      "ne",     "wedge",  "vee",   "neg",     "quad",
        "bmod",    "lVert", "rVert",  "lvert",  "rvert",   "lfloor", "rfloor", "lceil", "rceil",   "circ"};
    return known;
  }
  static int arguments(const std::string& macro) {
    if (macro == "frac") return 2;
    static const std::set<std::string> one = {"sqrt", "mathrm", "operatorname", "text", "substack",
                                              "hat",  "bar",    "tilde",        "dot",  "check"};
    return one.contains(macro) ? 1 : 0;
  }

  void fail(const std::string& what) {
    if (problem_.empty()) problem_ = what + " at " + text_.substr(at_ > 20 ? at_ - 20 : 0, 60);
  }

  std::string macro() {
    std::string name;
    while (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_]))) name += text_[at_++];
    if (name.empty() && at_ < text_.size()) name += text_[at_++];
    return name;
  }

  std::string braces() {
    if (at_ >= text_.size() || text_[at_] != '{') return fail("an argument in braces is missing"), "";
    const std::size_t begin = at_ + 1;
    ++at_;
    read("}");
    if (problem_.empty() && (at_ >= text_.size() || text_[at_] != '}')) fail("a brace is not closed");
    return text_.substr(begin, at_++ - begin);
  }

  void plain_text() {  // \text, \mathrm, \operatorname: words
    if (at_ < text_.size() && text_[at_] == '*') ++at_;
    if (at_ >= text_.size() || text_[at_] != '{') return fail("a word in braces is missing");
    for (++at_; at_ < text_.size() && text_[at_] != '}'; ++at_) {
      if (text_[at_] == '\\')
        ++at_;
      else if (std::string("_^&#$%{").find(text_[at_]) != std::string::npos)
        return fail("a special character in a word");
    }
    ++at_;
  }

  /// Reads up to a closer: "}" a brace, "right" a \right, else the name of an environment.
  void read(const std::string& closer) {
    bool sub = false, super = false;  // scripts of the atom before
    while (problem_.empty() && at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '}') {
        if (closer != "}") fail("a brace closes here that was not opened");
        return;
      }
      if (c == '_' || c == '^') {
        bool& seen = c == '_' ? sub : super;
        if (seen) return fail("a double script");
        seen = true;
        if (++at_ < text_.size() && std::isalnum(static_cast<unsigned char>(text_[at_])))
          ++at_;
        else
          braces();
        continue;
      }
      if (c == ' ' || c == '\n') {
        ++at_;
        continue;
      }
      sub = super = false;
      if (c == '{') {
        braces();
      } else if (c == '&') {
        if (closer != "align*" && closer != "cases") return fail("& outside an environment");
        ++at_;
      } else if (c != '\\') {
        if (static_cast<unsigned char>(c) >= 0x80) return fail("a character that LaTeX does not set in mathematics");
        if (std::string("#$%").find(c) != std::string::npos) return fail("a special character");
        ++at_;
      } else if (!command(closer)) {
        return;
      }
    }
    end_of(closer);
  }

  /// The end of the text inside something open.
  void end_of(const std::string& closer) {
    if (problem_.empty() && at_ >= text_.size() && !closer.empty()) fail(closer + " is missing");
  }

  /// A command; false when it closes what is being read.
  bool command(const std::string& closer) {
    const std::size_t begin = at_++;
    const std::string name = macro();
    if (name == "left") {
      ++at_;
      read("right");
      return problem_.empty();
    }
    if (name == "right") {
      if (closer != "right") fail("\\right without \\left");
      ++at_;
      return false;
    }
    if (name == "begin") {
      const std::string environment = braces();
      if (environment != "align*" && environment != "cases") fail("environment " + environment);
      read(environment);
      return problem_.empty();
    }
    if (name == "end") {
      const std::string environment = braces();
      if (environment != closer) fail("\\end{" + environment + "} closes " + closer);
      return false;
    }
    if (name == "text" || name == "mathrm" || name == "operatorname") return plain_text(), true;
    if (name == "sqrt" && at_ < text_.size() && text_[at_] == '[') at_ = text_.find(']', at_) + 1;
    for (int k = arguments(name); k > 0; --k) braces();
    const bool space = name == "," || name == "\\" || name == "_";
    if (!space && arguments(name) == 0 && !symbols().contains(name)) {
      at_ = begin;
      fail("the command \\" + name);
    }
    return true;
  }

  const std::string& text_;
  std::size_t at_ = 0;
  std::string problem_;
};

/// What is wrong with LaTeX mathematics, or nothing.
inline std::string latex_problem(const std::string& text) { return LatexCheck(text).run(); }

}  // namespace gradus::testing
