// Habits of other languages: each is an error whose help prints the right spelling, and that spelling is right.
#include "tests/frontend/parsed.hpp"

using namespace gradus;

namespace {

struct Hint {
  const char* wrong;
  const char* place;  // line:column
  const char* help;   // ends with the right spelling
};

}  // namespace

TEST_CASE("what is spelt otherwise is an error that prints the spelling for the user's own operands") {
  const Hint hints[] = {
      {"z = 2x", "1:5", "2*x"},
      {"z = a x + b", "1:5", "a*x"},
      {"z = 2w^2 + 1", "1:5", "2*w^2"},
      {"z = λw(x) y", "1:5", "λw(x)*y"},
      {"z = (a + b)(c + d)", "1:5", "(a + b)*(c + d)"},
      {"z = x[i] (a + b)", "1:5", "x[i]*(a + b)"},
      {"z = 2|x|", "1:5", "2*|x|"},
      {"z = lambda/2 ||w||^2", "1:12", "lambda/2*||w||^2"},
      {"z = a b c", "1:5", "a*b*c"},
      {"z = sin x + 1", "1:5", "sin(x)"},
      {"z = sin^2(x) + 1", "1:5", "sin(x)^2"},
      {"z = tf.reduce_sum(x)", "1:5", "sum(x)"},
      {"z = sum[i] x[i] * w", "1:5", "sum[i](x[i]*w)"},
      {"z = sum[i in 0..n] x[i]", "1:5", "sum[i in 0..n](x[i])"},
      {"z = sum[i : c[i]] x[i] + 1", "1:5", "sum[i : c[i]](x[i])"},
      {"z = sum[i] sum[j] A[i, j]", "1:5", "sum[i](sum[j](A[i, j]))"},
      {"z = Σ[i](x[i])", "1:5", "sum[i](x[i])"},
      {"z = Π[i in 0..n](x[i])", "1:5", "prod[i in 0..n](x[i])"},
      {"z = Σ[i] x[i]", "1:5", "sum[i](x[i])"},
      {"z = A\\b", "1:6", "solve(A, b)"},
      {"z = x % y", "1:7", "mod(x, y)"},
      {"z = a + x % 2", "1:11", "mod(x, 2)"},
      {"z = a // b", "1:7", "floor(a/b)"},
      {"z = a ÷ b", "1:7", "a/b"},
      {"z = x > 0 && x < 1", "1:11", "x > 0 and x < 1"},
      {"z = x > 0 & x < 1", "1:11", "x > 0 and x < 1"},
      {"z = x > 0 ∧ y", "1:11", "x > 0 and y"},
      {"z = x < 0 || x > 1", "1:11", "x < 0 or x > 1"},
      {"z = x < 0 | x > 1", "1:11", "x < 0 or x > 1"},
      {"z = a || b || c", "1:7", "a or b"},
      {"z = !pos", "1:5", "not pos"},
      {"z = ~(a > b)", "1:5", "not a > b"},
      {"z = a <> b", "1:7", "a != b"},
      {"z = a ~= b", "1:7", "a != b"},
      {"z = a === b", "1:7", "a == b"},
      {"z = a => b", "1:7", "a >= b"},
      {"z = where(x = 0, 0, y)", "1:11", "x == 0"},
      {"z = where(c[i] = 0, 0, y)", "1:16", "c[i] == 0"},
      {"z = 1 if x = 0 else 2", "1:12", "x == 0"},
      {"z = sum[i : c[i] = 1](x[i])", "1:18", "c[i] == 1"},
      {"z = (x = 3)", "1:8", "x == 3"},
      {"z = sum[i = 0..n](x[i])", "1:11", "i in 0..n"},
      {"z = sum[i in 0:n](x[i])", "1:14", "i in 0..n"},
      {"z = sum[i in range(n)](x[i])", "1:14", "i in 0..n"},
      {"z = sum[i in range(1, n)](x[i])", "1:14", "i in 1..n"},
      {"z = sum(x[i] for i in range(n))", "1:14", "sum[i](x[i])"},
      {"z = sum(i^2 for i in range(n))", "1:13", "sum[i in 0..n](i^2)"},
      {"z = sum(x[i] for i in range(1, n))", "1:14", "sum[i in 1..n](x[i])"},
      {"z = x > 0 ? x : -x", "1:11", "x if x > 0 else -x"},
      {"z = √x", "1:5", "sqrt(x)"},
      {"z = X’ @ X", "1:6", "X.T"},
      {"z = X⊤", "1:6", "X.T"},
      {"z = X^⊤", "1:6", "X.T"},
      {"z = (A @ B)^⊤", "1:12", "(A @ B).T"},
      {"z = x⁴", "1:6", "x^4"},
      {"z = x⁻¹", "1:6", "x^-1"},
      {"z = X.^2'", "1:8", "(X.^2)'"},
      {"z = x²'", "1:7", "(x^2)'"},
      {"z = A.sum()", "1:5", "sum(A)"},
      {"z = (A + B).sum(axis=0)", "1:5", "sum(A + B, axis=0)"},
      {"z = A.mean(1)", "1:5", "mean(A, axis=1)"},
      {"z = A.dot(B)", "1:5", "A @ B"},
      {"z = A.transpose()", "1:5", "A.T"},
      {"z = np.exp(w*x)", "1:5", "exp(w*x)"},
      {"z = np.linalg.norm(x)", "1:5", "norm(x)"},
      {"z = torch.nn.functional.softplus(x)", "1:5", "softplus(x)"},
      {"z = np.pi", "1:5", "pi"},
      {"z = exp.(x)", "1:5", "exp(x)"},
      {"z = a .+ b", "1:7", "a + b"},
      {"z = |a - |b||", "1:12", "abs(a - |b|)"},
      {"z = (a, b)", "1:7", "[a, b]"},
  };
  for (const Hint& hint : hints) {
    CAPTURE(std::string(hint.wrong));
    const std::string got = errors(hint.wrong);
    CAPTURE(got);
    CHECK(got.starts_with(std::string(hint.place) + ": "));
    CHECK(got.find('\n') == std::string::npos);
    CHECK(got.ends_with(std::string(" ") + hint.help));
    const std::string right =
        std::string(hint.help).find(" in 0..n") == 1 || std::string(hint.help).find(" in 1..n") == 1
            ? "sum[" + std::string(hint.help) + "](x[i])"
            : hint.help;
    CHECK(errors("z = " + right) == "");
  }
}

TEST_CASE("hints that need more than the operands") {
  CHECK(errors("y := 3").ends_with("a value is defined with '=': y = 3"));
  CHECK(errors("f = lambda x, y: x^2 + y").ends_with("define it on a line of its own: f(x, y) = x^2 + y"));
  CHECK(errors("data X[n, d]; z = sum(X)/X.shape[0]").ends_with("write n, the size in its declaration"));
  CHECK(errors("data X[n, 2*d]; z = sum(X)/X.shape[1]").ends_with("write 2*d, the size in its declaration"));
  CHECK(errors("z = y.shape[1]").find("a size is the name") != std::string::npos);
  CHECK(errors("v = [x[i]^2 for i in range(n)]").ends_with("v[i] = x[i]^2"));
  CHECK(errors("z = x[::2]").find("a slice has no step") != std::string::npos);
  CHECK(errors("x += 1").find("there is no '+='") != std::string::npos);
  CHECK(errors("for i in x: y").find("there is no 'for'") != std::string::npos);
  CHECK(errors("def f(x): return x").find("a function is written f(x) = x") != std::string::npos);
  CHECK(errors("let x = 3\ny = x + *") ==
        "1:1: there is no 'let' | write x = …\n2:9: an operand is missing between '+' and '*'");
  CHECK(errors("// comment").ends_with("a comment begins with '#'"));
  CHECK(errors("% comment").ends_with("a comment begins with '#'"));
  CHECK(errors("z = \\lambda").ends_with("write lambda"));
  CHECK(errors("z = \\frac{a}{b}").ends_with("write a/b"));
  CHECK(errors("z = a \\cdot b").ends_with("write '*' or '@'"));
  CHECK(errors("z = x!").ends_with("gamma(x + 1)"));
  CHECK(errors("z = $x$").starts_with("1:5: '$' is not a sign"));
  CHECK(errors("z = a – b").ends_with("write '-'"));
  CHECK(errors("z = a ∗ b").ends_with("write '*'"));
  CHECK(errors("z = ٣").ends_with("write digits 0 to 9"));
  CHECK(errors("z = a /* b */").find("a comment begins with '#'") != std::string::npos);
  CHECK(errors("z = f(x y)").starts_with("1:7: an operator or a comma is missing before 'y'"));
  CHECK(errors("z = if c then a else b").ends_with("write a if c else b"));
  CHECK(errors("z = a if c elif d else e").find("a if c else b if d else e") != std::string::npos);
  CHECK(errors("data y[n]; z = y[:, None]").find("write reshape(y, n, 1)") != std::string::npos);
  CHECK(errors("data Y[n, d]; z = Y[None, :, :]").find("write reshape(Y, 1, n, d)") != std::string::npos);
  CHECK(errors("z = y[:, None]") == "");  // elaboration knows the shape
  CHECK(errors("data None; z = y[None]") == "");
  CHECK(errors("loss == w^2").ends_with("a value is defined with '=': loss = w^2"));
  CHECK(errors("loss <- w^2").ends_with("a value is defined with '=': loss = w^2"));
  CHECK(errors("z <- w + 1; y = 3").ends_with("a value is defined with '=': z = w + 1"));
  CHECK(errors("z < -w; y = 3").find("has no name") != std::string::npos);
  CHECK(errors("z = a, b").ends_with("a list is written with [ ]"));
  CHECK(errors("a, b = 1, 2").ends_with("one statement defines one name"));
  CHECK(errors("data c[n] : index(k), y[n]").ends_with("write data y[n]"));
  CHECK(errors("z = f（x）").ends_with("write '('"));
}

TEST_CASE("the words that hints look for are still names") {
  CHECK(canonical("data np, torch; z = np + torch") == "data np, torch\nz = np + torch");
  CHECK(canonical("param lambda, sin; z = lambda*sin") == "param lambda, sin\nz = lambda*sin");
  CHECK(canonical("sum[i] = x[i]; z = sum[0] + 1") == "sum[i] = x[i]\nz = sum[0] + 1");
}
