// Section 1 of the language: characters, line ends, names, numbers.
#include "tests/frontend/parsed.hpp"

using namespace gradus;

TEST_CASE("the encoding is UTF-8; a bad byte is an error with its offset") {
  CHECK(errors("a = 1\nb = \xFF") == "2:5: the text is not UTF-8: byte 0xff at offset 10 | save the file as UTF-8");
  CHECK(errors("z = 'caf\xE9'").find("offset 8") != std::string::npos);
  CHECK(errors("# \xC3").find("offset 2") != std::string::npos);            // cut off
  CHECK(errors("\xC0\xAF").find("offset 0") != std::string::npos);          // overlong
  CHECK(errors("\xED\xA0\x80").find("offset 0") != std::string::npos);      // a surrogate
  CHECK(errors("\xF4\x90\x80\x80").find("offset 0") != std::string::npos);  // beyond Unicode
}

TEST_CASE("a byte order mark is skipped at the start and an error elsewhere") {
  CHECK(canonical("\xEF\xBB\xBFz = 1") == "z = 1");
  CHECK(errors("z\xEF\xBB\xBF = 1").find("U+FEFF") != std::string::npos);
  CHECK(errors("z = q\xE2\x80\x8B + 1") ==
        "1:6: an invisible character: U+200B | delete it or write a blank in its place");
  for (const char* invisible :
       {"\u00AD", "\u2003", "\u3000", "\u2060", "\u200D", "\u202E", "\u2028", "\u0085", "\x01", "\x0B"}) {
    CAPTURE(invisible);
    CHECK(errors(std::string("z = x") + invisible + "+ 1").find("U+") != std::string::npos);
  }
  CHECK(errors("z = 1 # a comment \u202E that lies").find("U+202E") != std::string::npos);
}

TEST_CASE("look-alikes read as the sign they look like") {
  CHECK(canonical("z\u00A0=\u00A0a − b × c") == "z = a - b*c");
  CHECK(canonical("z = A ⋅ x") == "z = A @ x");
  CHECK(canonical("z = A · x") == "z = A @ x");
  CHECK(canonical("z = A ⊙ x") == "z = A*x");
  CHECK(canonical("z = ∥x∥ + ‖y‖") == "z = ||x|| + ||y||");
  CHECK(canonical("z = a ≤ b") == "z = a <= b");
  CHECK(canonical("z = a ≥ b") == "z = a >= b");
  CHECK(canonical("z = a ≠ b") == "z = a != b");
}

TEST_CASE("a comment goes to the end of the line") {
  CHECK(canonical("# nothing\nz = 1 # one\n# two") == "z = 1");
  CHECK(canonical("z = (1 # one )\n + 2)") == "z = 1 + 2");
  CHECK(canonical("# only 日本語 🙂") == "");
}

TEST_CASE("line ends are LF, CR LF or CR") {
  CHECK(canonical("a = 1\r\nb = 2\r\n") == "a = 1\nb = 2");
  CHECK(canonical("a = 1\rb = 2") == "a = 1\nb = 2");
}

TEST_CASE("statements end at a line end or a semicolon") {
  CHECK(canonical("a = 1; b = 2;; c = 3;") == "a = 1\nb = 2\nc = 3");
  CHECK(canonical(";;\n;a = 1") == "a = 1");
  CHECK(errors("a = w^2 b = 3*a") ==
        "1:9: two statements stand on one line | end the first one with a line end or ';'");
}

TEST_CASE("a line end is a blank inside brackets and bars") {
  CHECK(canonical("z = (a\n+ b\n)") == "z = a + b");
  CHECK(canonical("z = f(\na,\nb\n)") == "z = f(a, b)");
  CHECK(canonical("z = x[\ni\n]") == "z = x[i]");
  CHECK(canonical("z = |a\n - b\n|") == "z = |a - b|");
  CHECK(canonical("z = ||\na||^2") == "z = ||a||^2");
  CHECK(canonical("z = [1, 2;\n3, 4]") == "z = [1, 2; 3, 4]");
  CHECK(canonical("z = sum(x,\n\n# why\naxis = 0)") == "z = sum(x, axis=0)");
}

TEST_CASE("a line goes on after a binary operator, a comma or =, and before one") {
  for (const char* op : {"+", "-",  "*",  "/",  "@", "^",  "**",  ".*", "./", ".^",
                         "<", "<=", "==", "!=", ">", ">=", "and", "or", "·",  "⊙"}) {
    CAPTURE(op);
    const std::string one = canonical(std::string("z = a ") + op + " b");
    CHECK(one.starts_with("z = a"));
    CHECK(canonical(std::string("z = a ") + op + "\nb") == one);
    CHECK(canonical(std::string("z = a\n") + op + " b") == one);
    CHECK(canonical(std::string("z = a\n\n# comment\n  ") + op + "\n\nb") == one);
  }
  CHECK(canonical("z =\n a") == "z = a");
  CHECK(canonical("data a,\n b") == "data a, b");
  CHECK(canonical("z = a\nif c\nelse b") == "z = a if c else b");
  CHECK(canonical("z = a if\nc else\nb") == "z = a if c else b");
  CHECK(canonical("z = not\na") == "z = not a");
}

TEST_CASE("a line that begins with a bar or a bracket starts a statement") {
  CHECK(canonical("a = b\n|x|") == "a = b\n|x|");
  CHECK(canonical("a = b\n||x||") == "a = b\n||x||");
  CHECK(canonical("a = b\n(x)") == "a = b\nx");
  CHECK(canonical("a = b\n[x, y]") == "a = b\n[x, y]");
}

TEST_CASE("a line that begins with - goes on; at the start and after ; it is a sign") {
  CHECK(canonical("z = w*x\n-sum(z)") == "z = w*x - sum(z)");
  CHECK(canonical("-x") == "-x");
  CHECK(canonical("\n\n -x") == "-x");
  CHECK(canonical("a = 1; -x") == "a = 1\n(-x)");
  CHECK(canonical("a = 1;\n-x*y") == "a = 1\n(-x*y)");
  CHECK(canonical("a = 1\n(-x)") == "a = 1\n(-x)");
}

TEST_CASE("an unclosed bracket or bar is reported at its opening") {
  CHECK(errors("z = (x + y") == "1:5: '(' is not closed: a ')' is missing");
  CHECK(errors("z = x[i") == "1:6: '[' is not closed: a ']' is missing");
  CHECK(errors("z = ((x)") == "1:5: '(' is not closed: a ')' is missing");
  CHECK(errors("z = f(x[i) + 1") == "1:8: '[' is not closed: a ']' is missing before ')'");
  CHECK(errors("z = sum(|x - w)") == "1:9: the bar '|' opens an absolute value that is not closed");
  CHECK(errors("z = ‖x") == "1:5: '‖' opens a norm that is not closed");
  CHECK(errors("z = ||X @ w - y^2\n") == "1:5: '||' opens a norm that is not closed");
  CHECK(errors("z = (x +\n\n") == "1:5: '(' is not closed: a ')' is missing");
}

TEST_CASE("the statement after an unclosed bracket is read") {
  CHECK(errors("loss = sum(z^2\nscale = * s") ==
        "1:11: '(' is not closed: a ')' is missing\n2:9: an operand is missing between '=' and '*'");
  CHECK(errors("z = sum(x\nparam * w") ==
        "1:8: '(' is not closed: a ')' is missing\n2:7: expected a name, but found '*'");
  CHECK(errors("z = |x\nh[t] = 1") == "1:5: the bar '|' opens an absolute value that is not closed");
  CHECK(errors("z = f(a,\n  axis = 0)") == "");
}

TEST_CASE("names are letters of any script, then letters, digits, marks and _") {
  CHECK(canonical("größe = σ_1 + x̂ + 日本 + a1_b2") == "größe = σ_1 + x̂ + 日本 + a1_b2");
  CHECK(errors("z = _x") == "1:5: '_x' is not a name | a name begins with a letter");
  CHECK(errors("z = x₁") == "1:5: subscript digits are not read | write x1 for a name, x[1] for a part");
  CHECK(canonical("z = Xᵀ @ x") == "z = X.T @ x");
}

TEST_CASE("a Greek letter and its English name are the same, in NFC") {
  CHECK(name_key("λ") == "lambda");
  CHECK(name_key("μ0") == "mu0");
  CHECK(name_key("\u00B50") == "mu0");
  CHECK(name_key("logΓ") == "logGamma");
  CHECK(name_key("ε") == name_key("ϵ"));
  CHECK(name_key("Σ") == "Sigma");
  CHECK(name_key("\u2126") == "Omega");
  CHECK(name_key("e\u0301t\u00E9") == name_key("\u00E9te\u0301"));
  CHECK(name_key("x\u0302") != name_key("x"));
  CHECK(name_key("\u1E9B\u0323") == name_key("\u017F\u0323\u0307"));
  CHECK(name_key("\uAC01") == name_key("\u1100\u1161\u11A8"));
  CHECK(name_key("π") == "pi");
  CHECK(name_key("∞") == "inf");
}

TEST_CASE("numbers") {
  CHECK(canonical("z = 3 + 0.5 + 1e-3 + .5 + 2.") == "z = 3 + 0.5 + 0.001 + 0.5 + 2");
  CHECK(tree("z = 2.*x") == "(.* 2 x)");
  CHECK(tree("z = 2./x") == "(./ 2 x)");
  CHECK(tree("z = 2.^x") == "(.^ 2 x)");
  CHECK(tree("z = 2.5*x") == "(* 2.5 x)");
  CHECK(tree("z = sum[i in 0..3](i)") == "(over sum [i 0..3] i)");
  CHECK(errors("z = 2.T") == "1:5: a number has no transpose");
  CHECK(errors("z = 1e") == "1:5: the exponent of this number has no digits | write 1e0, or 1*e for a product");
  CHECK(errors("z = 2.e*x").ends_with("write 2e0, or 2*e for a product"));
  CHECK(errors("const eps = 1.2.3") == "1:13: '1.2.3' is not a number | a number has at most one decimal point");
  CHECK(errors("z = 1e99999").find("65536 bits") != std::string::npos);
  CHECK(tree("z = 0.1") == "0.1");
}

TEST_CASE("constants are names, and the infinity sign is one") {
  CHECK(tree("z = π*∞") == "(* pi inf)");
  CHECK(tree("z = pi + inf") == "(+ pi inf)");
}

TEST_CASE("keywords are no names") {
  for (const char* word : {"data", "param", "const", "dim", "loss", "output", "if", "else", "and", "or", "not", "in"}) {
    CAPTURE(word);
    CHECK(errors(std::string("data ") + word + "[n]") ==
          std::string("1:6: '") + word + "' is a keyword and cannot be a name");
    CHECK(errors(std::string("data ") + word + "x[n]") == "");
  }
  CHECK(errors("z = param + 1") == "1:5: 'param' is a keyword and cannot stand in an expression");
  CHECK(canonical("order = android") == "order = android");
}
