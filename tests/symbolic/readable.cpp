// Gradients as a reader expects them: lines that the printed program of a formula must hold.
#include "symbolic/derive.hpp"
#include "symbolic/print.hpp"
#include "tests/symbolic/elaboration.hpp"

namespace gradus::testing {
namespace {

struct Example {
  const char* formula;
  const char* line;
};

std::string printed(const std::string& formula) {
  Elaborated e = elaborated(formula);
  INFO(formula << "\n" << diagnostics_text(e, formula));
  REQUIRE(e.model);
  return print(*e.model, derive_to_print(*e.model), Form::text);
}

void check_lines(const std::vector<Example>& examples) {
  for (const auto& [formula, line] : examples) {
    const std::string text = "\n" + printed(formula);
    CAPTURE(formula);
    CAPTURE(text);
    CHECK(error_of(text) == "");
    CHECK(text.find("\n" + std::string(line) + "\n") != std::string::npos);
  }
}

}  // namespace

TEST_CASE("rectifiers come back by their name, their slope as a condition on the value") {
  check_lines({
      {"param x[n]\nloss = sum(relu(x))", "loss = sum(relu(x))"},
      {"param x[n]\nloss = sum(relu(x))", "output grad_x = where(x > 0, 1, 0)"},
      {"data X[n, d]\nparam W[d, k]\nA = X @ W\nh = relu(A)\nloss = sum(h^2)", "h = relu(A)"},
  });
}

TEST_CASE("a condition on values that derivatives are summed over is a mask") {
  check_lines({
      {"data X[n, d], y[n]\nparam W[d, h], w[h]\nloss = mean((relu(X @ W) @ w - y)^2)",
       "output grad_W = 2*X.T @ where(t1 > 0, outer(r, w), 0)/n"},
      {"data X[n, d], y[n]\nparam w[d]\nt = 1 - y*(X @ w)\nloss = sum(relu(t))",
       "output grad_w = -X.T @ where(t > 0, y, 0)"},
      {"data X[n, d], y[n]\nparam w[d]\nloss = sum[i : y[i] > 0](X[i] @ w)",
       "output grad_w = X.T @ where(y > 0, 1, 0)"},
      {"data X[n, d], y[n]\nparam w[d]\nloss = sum[i, j : y[i] > 0](log(X[i, j])*w[j])",
       "output grad_w[i] = sum[j : y[j] > 0](log(X[j, i]))"},  // log(0) where nothing is chosen is no 0
  });
}

TEST_CASE("quotients stay quotients where their denominator is shared") {
  check_lines({
      {"param a, b\nloss = (a - b)^2/(a + b)", "loss = (a - b)^2/t1"},
      {"data y[n]\nparam x[n]\nloss = mean[i : y[i] > 0](x[i]*y[i])", "output grad_x = where(y > 0, y/t1, 0)"},
  });
}

TEST_CASE("numbers stand before pi, pi before names, those before functions") {
  check_lines({
      {"data t[n]\nparam f, p\nloss = sum(sin(2*pi*f*t + p))", "t1 = 2*pi*f*t + p"},
      {"data x[n]\nparam s\nloss = n*log(s) + sum(x)/s", "loss = n*log(s) + t1/s"},
  });
}

TEST_CASE("ranges end at data, and no slice is longer than nothing") {
  check_lines({
      {"data len[n] : index(M)\ndata tok[n, L] : index(v)\nparam E[v]\nloss = sum[i, t in 0..len[i]](E[tok[i, t]]^2)",
       "loss = sum[i, j in 0..len[i]](E[tok[i, j]]^2)"},
      {"data len[n] : index(M)\ndata tok[n, L] : index(v)\nparam E[v]\nloss = sum[i, t in 0..len[i]](E[tok[i, t]]^2)",
       "output grad_E[i in 0..v] = 2*sum[j, k in 0..len[j] : i == tok[j, k]](E[tok[j, k]])"},
      {"param x[n]\nloss = sum[i]((x[i+2] - x[i])^2) + sum(x^2)/n", "loss = sum[i]((x[i + 2] - x[i])^2) + ||x||^2/n"},
      {"param x[n]\nloss = sum(exp(x))/n", "loss = sum(exp(x))/n"},
      {"param x[n]\nloss = mean(exp(x))", "output grad_x = exp(x)/n"},
      {"data x[n]\nparam b\nloss = mean(sin(x + b))", "output grad_b = mean(cos(x + b))"},
      {"param x[n]\nloss = sum((x[1:] - x[:n - 1])^2)", "loss = sum[i]((x[i + 1] - x[i])^2)"},
      {"data x[n]\nparam y[n + 1]\nloss = sum((x - y[1:])^2)", "loss = ||x - y[1:]||^2"},
  });
}

TEST_CASE("a symmetric matrix is its transpose") {
  check_lines({
      {"data A[n, n] : symmetric\ndata b[n]\nparam x[n]\nloss = x @ A @ x/2 - b @ x", "output grad_x = A @ x - b"},
      {"data A[n, n] : spd\nparam x[n]\nloss = x @ A' @ x + x @ A.T.T @ x", "loss = 2*x @ A @ x"},
      {"data A[n, n] : symmetric\nparam X[n, k]\nloss = tr(X.T @ A @ X)", "output grad_X = 2*t1.T"},
      {"param A[n, n] : symmetric\ndata x[n], y[n]\nloss = x @ A @ y", "output grad_A = (outer(y, x) + outer(x, y))/2"},
      {"data A[n, n]\nparam x[n]\nloss = x @ A @ x", "output grad_x = A.T @ x + A @ x"},
      {"data S[n, d]\nparam J[d, d] : symmetric\nloss = ||S @ J||^2", "t1 = S @ J"},
      {"data X[m, n]\nparam A[n, n] : spd\nloss = sum((X @ A)*X)", "output grad_A = X.T @ X"},
      {"param A[n, n] : symmetric\nloss = sum((A - A.T)^2) + tr(A @ A)", "output grad_A = 2*A"},
      {"data x[n], y[n]\nparam A[n, n]\nloss = x @ A @ y", "loss = x @ A @ y"},
  });
}

TEST_CASE("decimals stay as they were written") {
  check_lines({
      {"param x[n]\nloss = 0.2*||x||^2", "loss = 0.2*||x||^2"},
      {"param x[n]\nloss = ||x||^2/5", "loss = ||x||^2/5"},
      {"param x, c\nloss = 0.2*x^2 + c*x/5", "loss = 0.2*(x^2 + x*c)"},
      {"param x[n]\nconst lambda = 1\nloss = 0.25*lambda*mean(x)", "loss = 0.25*lambda*mean(x)"},
      {"param x\nloss = 0.5*x^2 - 0.2", "loss = 0.5*x^2 - 0.2"},
      {"param x\nloss = 0.125*x^4/(1 + x^2)", "loss = 0.125*x^4/(x^2 + 1)"},
  });
}

TEST_CASE("slopes of largest elements") {
  check_lines({
      {"data X[n, d], y[n]\nparam w[d]\nloss = sum(max(0, 1 - y*(X @ w))^2)", "output grad_w = -2*X.T @ (y*t1)"},
      {"param x[n]\nloss = sum(max(0, 1 - x))", "output grad_x = -where(1 - x > 0, 1, where(1 - x == 0, 0.5, 0))"},
      {"data a[n]\nparam x[n]\nloss = sum(max(2*x, a*x))",
       "output grad_x = where(a*x < 2*x, 2, where(2*x < a*x, a, a/2 + 1))"},
      {"param p[n]\ndata q[n]\nloss = sum(p*log(p)) + sum(q*log(1 - p))", "loss = sum(q*log(1 - p)) + sum(p*log(p))"},
      {"param x\nloss = max(x, 0)^3", "output grad_x = 3*max(x, 0)^2"},
      {"data r[n]\nparam x[n]\nloss = sum(min(0, x)^2/r)", "output grad_x = where(x <= 0, 2*min(x, 0)/r, 0)"},
  });
}

TEST_CASE("values that are there are named in slopes") {
  check_lines({
      {"data X[n, d], y[n]\nparam w[d]\np = sigmoid(X @ w)\nloss = -mean(y*log(p) + (1 - y)*log(1 - p))",
       "loss = -mean((1 - y)*log(1 - p) + y*log(p))"},
      {"data Y[n, k]\nparam Z[n, k]\nP = softmax(Z)\nloss = -sum(Y*log(P))", "loss = -sum(Y*log(P))"},
      {"data X[n, d], y[n]\nparam W[d, h], v[h]\nH = tanh(X @ W)\nloss = ||H @ v - y||^2",
       "output grad_W = 2*v*((X.T*r) @ (1 - H^2))"},
      {"data y[n]\nparam x[n], z[n]\nr = y - x*z\nloss = sum(log(1 + exp(r)) + log(1 + exp(-r)))",
       "loss = sum(softplus(-r) + softplus(r))"},
      {"data t[n]\nparam a\nk = exp(a)\nloss = sum(k + (k - 1)*t)", "loss = sum((k - 1)*t + k)"},
      {"data y[n]\nparam m[n]\nloss = sum(exp(m) - 1 - y*m)", "loss = sum(exp(m) - 1 - y*m)"},
      {"data u[m] : index(n)\ndata i[m] : index(p)\ndata j[m] : index(p)\nparam P[n, k], Q[p, k]\n"
       "x[a] = P[u[a]] @ Q[i[a]] - P[u[a]] @ Q[j[a]]\nloss = sum(x^2)",
       "output grad_P[l in 0..n, a] = 2*sum[b : l == u[b]](x[b]*(Q[i[b], a] - Q[j[b], a]))"},
  });
}

TEST_CASE("guards of nothing are gone") {
  check_lines({
      {"data t[n, k]\nparam z[n, k]\nconst T = 4\nloss = T^2*kl_div(softmax(t/T), softmax(z/T))",
       "output grad_z = T*(p2 - p)/n"},
      {"data t[n]\nparam logk\nk = exp(logk)\nloss = sum((2*t)^k)",
       "output grad_logk = k*sum[i : t[i] != 0]((2*t[i])^k*log(2*t[i]))"},
      {"data X[n, d], w[n]\nparam b[d]\nloss = sum[i](w[i]*log(sum[j : w[j] > 0](exp(X[j] @ b))))",
       "output grad_b = t1*(X.T @ where(w > 0, p, 0))"},
  });
}

TEST_CASE("conditions are said in the user's direction") {
  check_lines({
      {"data t\nparam s\nloss = t*(log(s) if s > 1 else s)", "output grad_s = t*where(s > 1, 1/s, 1)"},
      {"data y[n]\nparam x[n]\nloss = sum(0 if y == 0 else x/y)", "output grad_x = where(y != 0, 1/y, 0)"},
      {"data y[n]\nparam x[n]\nloss = sum(0 if y == 0 else x*y)", "output grad_x = y"},
      {"data y[n]\nparam x[n]\nloss = sum[i : not y[i] == 2](x[i]*y[i])", "output grad_x = where(y != 2, y, 0)"},
  });
}

TEST_CASE("a residual of a probability is p - y, a complement 1 - p") {
  check_lines({
      {"data X[n, d], y[n]\nparam w[d]\np = sigmoid(X @ w)\nloss = mean(bce(p, y))", "output grad_w = X.T @ (p - y)/n"},
      {"data y[n]\nparam x[n]\np = sigmoid(x)\nloss = ||p - y||^2", "output grad_x = 2*p*(1 - p)*(p - y)"},
  });
}

TEST_CASE("what is centred sums to 0, what cancels is gone") {
  check_lines({
      {"param x[n]\nloss = std(x)", "output grad_x = where(t2 != 0, t1/(sqrt(n)*t2), 0)"},
      {"data p[n]\nparam q[n]\nloss = sum(p*log(p/softmax(q)))", "p2 = softmax(q)"},
      {"param p[n]\nloss = sum(p*log(p))", "output grad_p = where(p != 0, log(p) + 1, 0)"},
      {"data x[n]\nparam k, l\nloss = sum(x) + log(k/l)", "output grad_k = 1/k"},
  });
}

TEST_CASE("differences of sums of products are sums of centred ones, in their slopes too") {
  check_lines({
      {"param x[n]\ndata y[n]\nloss = mean(x*y) - mean(x)*mean(y)", "output grad_x = r/n"},
      {"param x[n]\ndata y[n]\nmy = mean(y)\nloss = sum(x*y)/n - sum(x)/n*my", "output grad_x = (y - my)/n"},
      {"param x[n]\nloss = (n*sum(x^2) - sum(x)^2)/n^2", "output grad_x = 2*t1/n"},
      {"param x[n]\nm = mean(x)\nloss = sum(x^2) - n*m^2", "output grad_x = 2*(x - m)"},
      {"param x[n]\ndata w[n]\nW = sum(w)\nm = sum(w*x)/W\nloss = sum(w*x^2)/W - m^2", "output grad_x = 2*w*(x - m)/W"},
      {"param X[n, d]\nm = mean(X, axis=0)\nC = X.T @ X/n - outer(m, m)\nloss = ||C||^2", "C = (X - m).T @ (X - m)/n"},
  });
}

TEST_CASE("a number that is none stays inside a sum that may be empty") {
  check_lines({
      {"param x[n], a\nloss = a + sum[i : x[i] > 100](1/(x[i] - x[i]))", "loss = sum[i : x[i] > 100](1/0) + a"},
      {"param x[n], a\nloss = a + sum[i : x[i] > 100](inf)", "loss = sum[i : x[i] > 100](inf) + a"},
      {"param x\nloss = x + (inf - 2*inf)", "loss = log(-1) + x"},
      {"param x\nloss = 0*inf*x", "loss = log(-1)"},
  });
}

TEST_CASE("slopes of shares are one quotient") {
  check_lines({
      {"param x\nloss = x/(1 + x)", "output grad_x = 1/(x + 1)^2"},
      {"param x\nloss = softsign(x)", "output grad_x = 1/(abs(x) + 1)^2"},
  });
}

TEST_CASE("a weighted sum of exponentials is shifted once, whatever stands before the exponent") {
  for (const std::string inside :
       {"sum(a*exp(-x))", "mean(a*exp(-x))", "sum(a*exp(-2*(x + 1)))", "a[0]*exp(-x[0]) + a[1]*exp(x[1])"}) {
    Elaborated e = elaborated("param a[k], x[k]\nloss = log(" + inside + ")");
    REQUIRE(e.model);
    const std::string code = print(*e.model, derive(*e.model), Form::text);
    CAPTURE(code);
    const auto first = code.find("stop_gradient");
    CHECK(first != std::string::npos);
    CHECK(code.find("stop_gradient", first + 1) == std::string::npos);
  }
}

TEST_CASE("people read weighted sums of exponentials as they wrote them") {
  check_lines({
      {"param a[k], x[k]\nloss = log(sum(a*exp(-x)))", "t1 = a @ exp(-x)"},
      {"param a[k], x[k]\nloss = log(sum(a*exp(-x)))", "loss = log(t1)"},
      {"param a[k], x[k]\nloss = log(mean(a*exp(-x)))", "output grad_a = exp(-x)/t1"},
      {"data A[n, k]\nparam x[k]\nloss = sum(log(A @ exp(x)))", "output grad_x = exp(x)*(A.T @ (1/t1))"},
      {"param a, b, x, y\nloss = log(a*exp(x) - b*exp(y))", "loss = log(a*exp(x) - b*exp(y))"},
      {"data L[n, k]\nparam a[k]\nw = softmax(a)\nloss = -sum(log(exp(L) @ w))", "loss = -sum(logsumexp(t1, axis=1))"},
      {"data L[n, k]\nparam a[k]\nw = softmax(a)\nloss = -sum(log(exp(L) @ w))",
       "output grad_a = n*w - sum(p, axis=0)"},
  });
}

TEST_CASE("a largest element that lost its condition gets it back") {
  check_lines({
      {"data t[m] : index(n)\nparam x[m], y[n]\nz[i in 0..n] = max(y[i], max[l : t[l] == i](x[l])) if sum[l : t[l] == "
       "i](1) > 0 else 0\nloss = ||z||^2",
       "t2[i in 0..n] = where(sum[j : i == t[j]](1) > 0, max[j : i == t[j]](x[j]), 0)"},
      {"data t[m] : index(n)\nparam x[m]\nz[i in 0..n] = max[l : t[l] == i](x[l])\nloss = ||z||^2",
       "z[i in 0..n] = max[j : i == t[j]](x[j])"},
  });
}

TEST_CASE("triangles, counts of windows and positions that always hold") {
  check_lines({
      {"data A[n, n], B[n, k]\nparam C[n, k]\nloss = sum[i, j](C[i, j]*sum[l : l <= i](A[i, l]*B[l, j]))",
       "t1 = tril(A) @ B"},
      {"data I[n, m]\nparam K[3, 3]\nC[i, j] = sum[a, b](K[a, b]*I[i + a, j + b])\nloss = mean(C)",
       "output grad_K[i in 0..3, j in 0..3] = mean[k in 0..n - 2, l in 0..m - 2](I[i + k, j + l])"},
      {"param x[n]\nD[i in 0..n] = x[i + 1] if i + 1 < n else 0\nloss = sum(D)",
       "output grad_x[i in 0..n] = where(i > 0, 1, 0)"},
  });
}

TEST_CASE("a softmax along a row is not one along the diagonal that is read of it") {
  check_lines({
      {"param S[n, n]\nloss = -mean[i](log(exp(S[i, i])/sum[j](exp(S[i, j]))))",
       "loss = -mean[i](log_softmax[j](S[i, j])[i])"},
      {"param S[n, n]\nloss = sum[i](softmax(S)[i, i])", "loss = tr(p)"},
  });
}

TEST_CASE("the text of a gradient grows with its formula, not faster") {
  struct Chain {
    const char *inputs, *line, *loss;  // in the line, @ is a value and $ the one before
  };
  const Chain chains[] = {
      {"param x", "t@ = max(t$, 0.3*x) + 0.01", "t@"},
      {"param x", "t@ = 0.5*tanh(t$)", "t@"},
      {"param x[n]", "t@ = 2*t$/sqrt(sum(t$^2) + 1)", "sum(t@)"},
      {"param x[n]", "t@ = clip(t$*x, -1, 1) + x", "sum(t@)"},
  };
  const auto filled = [](std::string text, int k) {
    for (const auto& [mark, value] : {std::pair('@', k), std::pair('$', k - 1)})
      for (std::size_t at; (at = text.find(mark)) != std::string::npos;) text.replace(at, 1, std::to_string(value));
    return text + "\n";
  };
  for (const auto& [inputs, line, loss] : chains) {
    const auto length = [&](int count) {
      std::string text = std::string(inputs) + "\nt100 = x\n";
      for (int k = 101; k <= 100 + count; ++k) text += filled(line, k);
      return static_cast<double>(printed(text + "loss = " + filled(loss, 100 + count)).size());
    };
    CAPTURE(line);
    CHECK(length(400) < 2.3 * length(200));
  }
}

}  // namespace gradus::testing
