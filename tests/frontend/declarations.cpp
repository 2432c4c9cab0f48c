// Sections 2 and 3: declarations, equations, functions, losses, outputs.
#include "tests/frontend/parsed.hpp"

using namespace gradus;

namespace {

ast::Program parsed(const std::string& text) {
  const Source source("t.loss", text);
  Diagnostics diagnostics;
  ast::Program program = parse(source, diagnostics);
  CHECK(complaints(diagnostics, source) == "");
  return program;
}

}  // namespace

TEST_CASE("declarations of inputs, constants and sizes") {
  CHECK(canonical("data X[n, d], y[n]") == "data X[n, d], y[n]");
  CHECK(canonical("param W[d,k],b[k],s") == "param W[d, k], b[k], s");
  CHECK(canonical("data c[n] : index(k)") == "data c[n] : index(k)");
  CHECK(canonical("const lambda = 0.1, t = 2*lambda") == "const lambda = 0.1, t = 2*lambda");
  CHECK(canonical("dim h = 16") == "dim h = 16");
  CHECK(canonical("param S[d, d], L[d, d] : spd, positive") == "param S[d, d], L[d, d] : spd, positive");
  const ast::Program p = parsed("data c[n] : index(k), integer");
  const ast::Declaration& d = p.statements[0].declaration;
  CHECK(d.role == ast::Role::data);
  CHECK(d.names[0].has_brackets);
  REQUIRE(d.assumptions.size() == 2);
  CHECK(d.assumptions[0].name.key == "index");
  CHECK(tree(p, d.assumptions[0].argument) == "k");
  CHECK_FALSE(d.assumptions[1].argument.valid());
}

TEST_CASE("what a declaration may not be") {
  CHECK(errors("const c") == "1:7: const c has no value | write const c = 1");
  CHECK(errors("dim h") == "1:5: dim h has no value | write dim h = 1");
  CHECK(errors("const c[3] = 1") == "1:7: a const is one number, so c has no shape");
  CHECK(errors("param w = 3") ==
        "1:7: w is an input: its value is given when the formula is evaluated | a number with a default is declared "
        "with const w = 3");
  CHECK(errors("data X[n, d],\nparam w[d]") ==
        "1:13: no name follows this comma, but 'param' | end the line without it");
  CHECK(errors("data x[n] y[n]") == "1:11: a comma is missing before 'y'");
  CHECK(errors("data x[n,]") == "1:9: nothing follows ',' | delete the comma");
  CHECK(errors("data c[n] : index(k") == "1:18: '(' is not closed: a ')' is missing");
  CHECK(errors("data X(n, d), y(n)") == "1:7: a shape stands in [ ] | write X[n, d]");
  CHECK(errors("const a := 1") == "1:9: ':=' is not a sign of the language | a value is defined with '=': const a = 1");
  CHECK(errors("data 2x") == "1:6: a name begins with a letter");
}

TEST_CASE("a size is a name, an integer or an affine combination") {
  CHECK(errors("data x[n - 1], y[2*k], z[3], u[2*(n + 1) - k], v[-n + m], w[+n], q[n*2]") == "");
  const std::string help =
      " is no size | a size is a name, a whole number, or a sum of multiples of names, as n - 1 or 2*k";
  CHECK(errors("data A[n, k], B[n*k]") == "1:17: n*k" + help);
  CHECK(errors("data A[n/2]") == "1:8: n/2" + help);
  CHECK(errors("data A[2.5]") == "1:8: 2.5" + help);
  CHECK(errors("data A[n^2]") == "1:8: n^2" + help);
  CHECK(errors("data A[max(n, m)]") == "1:8: max(n, m)" + help);
}

TEST_CASE("names of a broken declaration are kept") {
  const Source source("t.loss", "data X[n, d], B[n*k]\nparam L[d, d] : ");
  Diagnostics diagnostics;
  const ast::Program p = parse(source, diagnostics);
  CHECK(diagnostics.error_count() == 2);
  CHECK(p.statements[0].broken);
  REQUIRE(p.statements[0].declaration.names.size() == 2);
  CHECK(p.statements[0].declaration.names[1].name.key == "B");
  CHECK(p.statements[1].declaration.names[0].name.key == "L");
}

TEST_CASE("equations and index definitions") {
  CHECK(canonical("z = X @ w + b") == "z = X @ w + b");
  CHECK(canonical("K[i, j] = exp(-sum[k]((X[i,k] - X[j,k])^2))") == "K[i, j] = exp(-sum[k]((X[i, k] - X[j, k])^2))");
  CHECK(canonical("H[i] = W @ x[i]") == "H[i] = W @ x[i]");
  CHECK(canonical("P[t in 0..T+1, k] = 2") == "P[t in 0..T + 1, k] = 2");
  const ast::Program p = parsed("P[t in 0..T+1, k] = 2");
  const ast::Equation& e = p.statements[0].equation;
  CHECK(e.left[0].binder.name.key == "t");
  CHECK(tree(p, e.left[0].binder.end) == "(+ T 1)");
  CHECK(e.left[1].binder.name.key == "k");
  CHECK_FALSE(e.left[1].binder.begin.valid());  // `in` belongs only to the name before it
}

TEST_CASE("the left sides of recurrences") {
  CHECK(canonical("h[-1] = h0; h[t] = f(h[t-1])") == "h[-1] = h0\nh[t] = f(h[t - 1])");
  CHECK(canonical("h[t+1] = f(h[t])") == "h[t + 1] = f(h[t])");
  CHECK(canonical("A[n] = 0; A[t] = r[t] + g*A[t+1]") == "A[n] = 0\nA[t] = r[t] + g*A[t + 1]");
  CHECK(canonical("α[0, k] = 1; Z[0, j in 0..m+1] = 2") == "α[0, k] = 1\nZ[0, j in 0..m + 1] = 2");
  CHECK(canonical("D[i, j] = min(D[i-1, j], D[i, j-1])") == "D[i, j] = min(D[i - 1, j], D[i, j - 1])");
  CHECK(canonical("T[b] = T[parent[b]] @ L[b]") == "T[b] = T[parent[b]] @ L[b]");
  const ast::Program p = parsed("h[-1] = h0");
  const ast::Equation& e = p.statements[0].equation;
  CHECK(e.left[0].binder.name.key == "");
  CHECK(tree(p, e.left[0].expression) == "(neg 1)");
}

TEST_CASE("functions and their derivatives") {
  CHECK(canonical("huber(r, t) = 0.5*r^2 if abs(r) <= t else t*(abs(r) - 0.5*t)") ==
        "huber(r, t) = 0.5*r^2 if abs(r) <= t else t*(abs(r) - 0.5*t)");
  CHECK(canonical("grad huber(r, t) = (clip(r, -t, t), where(abs(r) <= t, 0, abs(r) - t))") ==
        "grad huber(r, t) = (clip(r, -t, t), where(abs(r) <= t, 0, abs(r) - t))");
  CHECK(canonical("grad f(r) = (2*r)") == "grad f(r) = 2*r");
  CHECK(canonical("grad f(r) = (r + 1)*(r + 2)") == "grad f(r) = (r + 1)*(r + 2)");
  CHECK(canonical("z = grad(e, x)") == "z = grad(e, x)");  // only at the start of a statement
  CHECK(canonical("grad = 3") == "grad = 3");
  CHECK(canonical("f() = 3") == "f() = 3");
  CHECK(errors("grad f(r, t) = r") ==
        "1:6: f has 2 parameters, but 1 partial derivative is given | write one for each parameter: (d/dr, d/dt)");
  CHECK(errors("f(x, 2) = x") == "1:6: expected a name, but found '2'");
  CHECK(errors("f(x y) = x") == "1:5: expected ')', but found 'y'");
}

TEST_CASE("losses and outputs") {
  CHECK(canonical("loss = x") == "loss = x");
  CHECK(canonical("loss nll = x; loss reg = y") == "loss nll = x\nloss reg = y");
  CHECK(canonical("output p = x") == "output p = x");
  CHECK(canonical("output z, p") == "output z, p");
  CHECK(canonical("output z\noutput P[i, j] = z[i]*z[j]") == "output z\noutput P[i, j] = z[i]*z[j]");
  CHECK(canonical("loss = x; output double = 2*loss") == "loss = x\noutput double = 2*loss");
  CHECK(tree("loss = x; output double = 2*loss") == "(* 2 loss)");
  CHECK(errors("loss nll") == "1:9: expected '=' after 'nll'");
  CHECK(errors("loss sum(x)") == "1:6: '=' is missing after 'loss' | write loss = sum(x)");
  CHECK(errors("loss q[i] = x[i]") == "1:6: a loss is a number, so it has no subscripts | write output q[i] = x[i]");
  CHECK(errors("loss(w) = w") == "1:1: a loss is one number: it has no subscripts or arguments | write loss = w");
  CHECK(errors("loss[i] = x[i]") ==
        "1:1: a loss is one number: it has no subscripts or arguments | "
        "write loss = sum[i](x[i]), or output p[i] = x[i]");
  CHECK(errors("output = 3") == "1:8: a name is missing before '='");
  CHECK(errors("output") == "1:7: expected a name after 'output'");
}

TEST_CASE("a last bare expression") {
  CHECK(canonical("sin(x)^2*y") == "sin(x)^2*y");
  CHECK(canonical("a = 2; a*x") == "a = 2\na*x");
  CHECK(canonical("output a = 2; loss0 = 1; x == 3") == "output a = 2\nloss0 = 1\nx == 3");
  CHECK(errors("x + 1\nz = 2").starts_with("1:1: this expression has no name"));
  CHECK(errors("loss = 2; x + 1").starts_with("1:11: the file has a loss, so this expression needs a name"));
  CHECK(errors("loss = 2; x[n]").starts_with("1:11: a declaration begins with data or param"));
  CHECK(errors("y == x + 1; z = 2") ==
        "1:3: this compares and defines nothing | a value is defined with '=': y = x + 1");
}

TEST_CASE("only a name can be defined") {
  for (const char* text : {"2*x = 3", "x' = 3", "f(x)^2 = 3", "(x) = 3", "x[i][j] = 3"}) {
    CAPTURE(text);
    CHECK(errors(text).find("only a name can be defined") != std::string::npos);
  }
  CHECK(errors("[a, b] = 3") == "1:1: one statement defines one name");
  CHECK(errors("x[i][j] = 3").ends_with("write x[i, j] = 3"));
  CHECK(errors("z[1:2] = 3") == "1:3: a slice cannot stand on the left side | name the index, as in z[i in 0..n] = …");
  CHECK(errors("loss := mean(x)") ==
        "1:6: ':=' is not a sign of the language | a value is defined with '=': loss = mean(x)");
  CHECK(errors("z = a = b") == "1:7: '=' does not compare | to compare write a == b");
}

TEST_CASE("several syntax errors in one run, one a statement") {
  CHECK(errors("a = (x - m *) / s * )\nb = a^2 + 1\nc = * b") ==
        "1:13: an operand is missing between '*' and ')'\n3:5: an operand is missing between '=' and '*'");
}

TEST_CASE("a broken equation keeps its name") {
  const Source source("t.loss", "a = (x - m *) / s\nloss q = $\nz[i = x[i]\nf(x) = )");
  Diagnostics diagnostics;
  const ast::Program p = parse(source, diagnostics);
  REQUIRE(p.statements.size() == 4);
  for (const ast::Statement& s : p.statements) CHECK(s.broken);
  CHECK(p.statements[0].equation.name.key == "a");
  CHECK(p.statements[1].equation.name.key == "q");
  CHECK(p.statements[1].equation.role == ast::Equation::Role::loss);
  CHECK(p.statements[2].equation.name.key == "z");
  CHECK(p.statements[3].function.name.key == "f");
}

TEST_CASE("declarations of --let are params unless they say otherwise") {
  const Source source("--let", "A[n,n], data x[n], y[n]");
  Diagnostics diagnostics;
  const ast::Program p = parse_let(source, diagnostics);
  CHECK(complaints(diagnostics, source) == "");
  CHECK(format(p) == "param A[n, n]\ndata x[n], y[n]\n");
  const Source wrong("--let", "A = 3; x");
  Diagnostics some;
  parse_let(wrong, some);
  CHECK(some.has_errors());
  const Source empty("--let", "");
  Diagnostics none;
  CHECK(parse_let(empty, none).statements.empty());
  CHECK_FALSE(none.has_errors());
}
