// Errors of names, shapes, subscripts and functions: one for each mistake, in the user's terms.
#include "tests/symbolic/elaboration.hpp"

namespace gradus::testing {
namespace {

std::size_t error_count(const std::string& text) { return elaborated(text).diagnostics.error_count(); }

bool says(const std::string& text, const std::string& words) {
  const std::string error = error_of(text);
  INFO(text << "\n" << error);
  const bool found = error.find(words) != std::string::npos;
  CHECK(found);
  return found;
}

}  // namespace

TEST_CASE("shapes are shown as they were declared") {
  says("data X[n, d], y[n]\nparam v[k]\nloss = sum(X @ v)", "X is [n, d] and v is [k]");
  says("data X[n, d], y[n]\nparam v[k]\nloss = sum(X @ v)", "declare v[d]");
  says("data x[n], dt[n - 1]\nparam c\nloss = sum(c*x/dt)", "[n-1]");
  says("data X[n, d], y[n]\nparam w[d]\nloss = sum((X * y) @ w)", "z[i, j] = X[i, j] * y[i]");
  says("param x\nloss = sum(x @ x)", "x is a scalar");
  says("data A[n, d]\nparam s\nloss = s*tr(A)", "square");
}

TEST_CASE("what follows from an error is silent") {
  CHECK(error_count("data c[n] : index(k), y[n]\nparam w[k]\nloss = sum(w[c]*y)") == 1);
  CHECK(error_count("param w\na = w + q\nb = a + q\nloss = b*a + q") == 1);
  CHECK(error_count("param w[d]\nz = sofmax(w)\nu = sofmax(z)\nloss = sum(u)") == 1);
  CHECK(error_count("f(r) = r/width\nparam a, b\nloss = f(a) + f(b)") == 1);
  CHECK(error_count("data x[b, T], len[b] : index(T)\nparam s\nloss = s*sum[i](x[i, len[i]])") == 1);
  CHECK(error_count("data x[n], y[m]\nparam w\na = x + y\nb = u\nloss = w*sum(a) + v") == 3);
}

TEST_CASE("a size named like an input of its own line is an error") {
  says("data x[n] : index(x)\nparam w\nloss = w", "x is a value, so it cannot be a size");
  says("data x[n], c[n] : index(x)\nparam w[m]\nloss = sum(w[c])", "x is a value, so it cannot be a size");
  CHECK(error_count("data x[6]\nparam w\nx[0] = 3\nloss = w*sum(x)") == 1);
}

TEST_CASE("functions that nothing calls are read too") {
  CHECK(error_count("f(r) = r*tau + sinn(r)\nparam a\nloss = a") == 2);
  CHECK(error_count("f(r) = sum[i](r[i]) + g(r)\ng(u) = u\nparam a\nloss = a") == 0);
}

TEST_CASE("cycles are named, recurrences are not supported yet") {
  says("param w\na = b + w\nb = a\nloss = a", "a → b → a");
  says("param w\nstep = step - w\nloss = step", "defined by itself");
  says("data x[n]\nparam a\nh[-1] = a\nh[t] = a*h[t-1] + x[t]\nloss = sum(h)", "not supported yet");
  CHECK(error_count("data x[n]\nparam a\nh[-1] = a\nh[t] = a*h[t-1] + x[t]\nloss = sum(h)") == 1);
}

TEST_CASE("indices, sizes and values share one name space") {
  says("data X[n, d]\nparam w\nloss = w*sum[n](X[n, 0])", "n is a size");
  says("data x[n], n\nparam w\nloss = w*sum(x)", "n is a size");
  says("param w, w\nloss = w", "declared twice");
  says("param lambda\nconst λ = 1\nloss = lambda", "same name");
}

TEST_CASE("functions to come say so, unknown ones propose") {
  says("param A[n, n]\nloss = logdet(A)", "not supported yet: logdet");
  says("param A[n, d]\nloss = logdet(A)", "square");
  says("param x[n]\nloss = sum(tanhh(x))", "did you mean tanh");
  says("param x\nloss = huber(x)", "huber takes 2 arguments, not 1");
  says("param X[n, d]\nloss = sum(sum(X, 0))", "sum(X, axis=0)");
  says("param x\nloss = scale(x)\nscale = 2*x", "scale is a value");
}

TEST_CASE("errors inside the prelude stand at the user's call") {
  const std::string text = "data y[m]\nparam p[n]\nloss = mse(p, y)";
  const Elaborated e = elaborated(text);
  REQUIRE(e.diagnostics.error_count() == 1);
  const Span mark = e.diagnostics.all()[0].main.mark;
  CHECK(text.substr(mark.begin, mark.end - mark.begin) == "mse(p, y)");
}

TEST_CASE("exact powers have a limit") { says("param x\nloss = x*9^9^9", "too many digits"); }

TEST_CASE("arrays have 64 axes at most, and lists as many indices") {
  const auto list = [](const std::string& before, const std::string& name, int count, const std::string& after) {
    std::string out;
    for (int k = 0; k < count; ++k) out += (k == 0 ? "" : ", ") + name + std::to_string(k);
    return before + out + after;
  };
  says(list("data x[", "n", 65, "]\nparam w\nloss = w"), "an array has at most 64 axes");
  says(list("param w\nn = 2\nloss = w*sum(zeros(", "1 + ", 65, "))"), "an array has at most 64 axes");
  says(list("param w[n]\nloss = sum[", "i", 65, "](w[i0])"), "more than 64 indices in one list");
  says(list("param w[n]\nz[", "i", 65, "] = w[i0]\nloss = w[0]"), "more than 64 indices on the left side");
}

TEST_CASE("functions that double their calls end in an error, not in a hang") {
  std::string shared = "param x\nf0(u) = u\n", different = shared;
  for (int k = 1; k <= 40; ++k) {
    const std::string f = "f" + std::to_string(k), g = "f" + std::to_string(k - 1);
    shared += f + "(u) = " + g + "(u) + " + g + "(u)\n";
    different += f + "(u) = " + g + "(u + 1) + " + g + "(u + 2)\n";
  }
  CHECK(error_count(shared + "loss = f40(x)") == 0);
  says(different + "loss = f40(x)", "too many function calls");
}

TEST_CASE("undeclared names of -e become scalar parameters, in a note") {
  const Source source("-e", "a*sin(x)^2 + c*x");
  Elaborated e;
  const ast::Program program = parse(source, e.diagnostics);
  ElaborateOptions options;
  options.undeclared_are_params = true;
  e.model = elaborate(program, e.diagnostics, options);
  REQUIRE(e.model);
  REQUIRE(e.model->inputs.size() == 3);
  CHECK(e.model->inputs[0].name == "a");
  CHECK(e.model->inputs[1].name == "x");
  CHECK(e.model->inputs[2].name == "c");
  REQUIRE(e.diagnostics.all().size() == 1);
  CHECK(e.diagnostics.all()[0].main.severity == Severity::note);
}

TEST_CASE("MATLAB's star between arrays is explained") {
  says("data A[n, n]\nparam x[n]\nloss = x'*A*x", "x @ A @ x");
  says("data A[n, n]\nparam x[n]\nloss = sum(x @ A^-1)", "inv(A)");
  says("data A[n, n]\nparam x[n]\nloss = sum(x @ A^T)", "A.T");
}

}  // namespace gradus::testing
