// Array notation: NumPy's shapes on symbolic sizes, reductions, joins, functions of arrays.
#include <cmath>

#include "tests/close.hpp"
#include "tests/symbolic/elaboration.hpp"

namespace gradus::testing {
namespace {

const std::map<std::string, Array> inputs{{"x", vector({1, -2, 3})},
                                          {"A", matrix(3, {1, 2, 3, 4, 5, 6, 7, 8, 10})},
                                          {"B", matrix(2, {1, 2, 3, 4, 5, 6})},
                                          {"s", scalar(2)}};

/// The value of an expression over x[n], A[n, n], B[m, n], s.
std::vector<double> value(const std::string& expression) {
  return value_of("param x[n], A[n, n], B[m, n], s\noutput o = " + expression, "o", inputs).values;
}

bool all_close(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t k = 0; k < a.size(); ++k)
    if (!close_relative(a[k], b[k], 1e-14)) return false;
  return true;
}

using V = std::vector<double>;

}  // namespace

TEST_CASE("matrix products in all ranks") {
  CHECK(value("x @ x") == V{14});
  CHECK(value("A @ x") == V{6, 12, 21});
  CHECK(value("x @ A") == V{14, 16, 21});
  CHECK(value("B @ A @ x") == V{93, 210});
  CHECK(value("B @ B.T") == V{14, 32, 32, 77});
  CHECK(value("stack(A, A) @ stack(B.T, 2*B.T)").size() == 12);
  CHECK(value("(stack(A, A) @ stack(B.T, 2*B.T))[1]") == value("2*(A @ B.T)"));
}

TEST_CASE("broadcasting aligns trailing axes and stretches 1") {
  CHECK(value("B + x") == V{2, 0, 6, 5, 3, 9});
  CHECK(value("s - x") == V{1, 4, -1});
  CHECK(value("reshape(x, n, 1)*x") == V{1, -2, 3, -2, 4, -6, 3, -6, 9});
  CHECK(value("x - reshape(s, 1)") == V{-1, -4, 1});
}

TEST_CASE("reductions of all entries, along an axis, over an index") {
  CHECK(value("sum(B)") == V{21});
  CHECK(value("sum(B, axis=0)") == V{5, 7, 9});
  CHECK(value("sum(B, axis=-1)") == V{6, 15});
  CHECK(value("sum[i](B[i])") == V{5, 7, 9});
  CHECK(value("mean(B, axis=1)") == V{2, 5});
  CHECK(all_close(value("var(x)"), {38.0 / 9}));
  CHECK(all_close(value("std(B, axis=0)"), {1.5, 1.5, 1.5}));
  CHECK(value("max(B, axis=0)") == V{4, 5, 6});
  CHECK(value("min(x)") == V{-2});
  CHECK(value("prod(x)") == V{-6});
  CHECK(value("argmax(x)") == V{2});
  CHECK(value("argmax(B)") == V{5});
  CHECK(value("argmin(B, axis=0)") == V{0, 0, 0});
  CHECK(value("argmax[i in 1..2](x[i])") == V{1});
  CHECK(value("any(x < 0) + 2*all(x < 0)") == V{1});
  CHECK(value("any(B > 3, axis=0) + 0") == V{1, 1, 1});
  CHECK(all_close(value("logsumexp(x)"), {std::log(std::exp(1) + std::exp(-2) + std::exp(3))}));
}

TEST_CASE("filters select") {
  CHECK(value("sum[i : x[i] > 0](x[i])") == V{4});
  CHECK(value("mean[i : x[i] > 0](x[i])") == V{2});
  CHECK(value("var[i : x[i] > 0](x[i])") == V{1});
  CHECK(value("std[i : x[i] > 0](x[i])") == V{1});
  CHECK(value("max[i : x[i] < 2](x[i])") == V{1});
  CHECK(value("sum[i, j : i < j and x[j] > 0](x[i]*x[j])") == V{-3});
  CHECK(value("sum[i, j : i == j](A[i, j])") == V{16});
  CHECK(value("logsumexp[i : x[i] > 5](x[i])") == V{-HUGE_VAL});
  const V p = value("softmax[j : j != 1](x[j])");
  CHECK(p[1] == 0);
  CHECK(all_close({p[0] + p[2]}, {1}));
}

TEST_CASE("norms of every order") {
  CHECK(all_close(value("||x||"), {std::sqrt(14.0)}));
  CHECK(value("‖x‖_1") == V{6});
  CHECK(value("‖x‖_inf") == V{3});
  CHECK(all_close(value("norm(x, 3)"), {std::cbrt(36.0)}));
  CHECK(all_close(value("norm(B, 2, axis=1)"), {std::sqrt(14.0), std::sqrt(77.0)}));
  CHECK(value("norm1(x) + norm2(0*x) + norm(0*x, 3)") == V{6});
}

TEST_CASE("diagonals, triangles, identities, outer products") {
  CHECK(value("diag(x)") == V{1, 0, 0, 0, -2, 0, 0, 0, 3});
  CHECK(value("diag(A)") == V{1, 5, 10});
  CHECK(value("tr(A)") == V{16});
  CHECK(value("tril(A)") == V{1, 0, 0, 4, 5, 0, 7, 8, 10});
  CHECK(value("triu(A)") == V{1, 2, 3, 0, 5, 6, 0, 0, 10});
  CHECK(value("eye(2)*s") == V{2, 0, 0, 2});
  CHECK(value("outer(x, x[:2])") == V{1, -2, -2, 4, 3, -6});
  CHECK(value("dot(x, x) + sum(ones(n, 2)) + sum(zeros(n))") == V{20});
  CHECK(value("range(n)*x") == V{0, -2, 6});
}

TEST_CASE("joins, literals, shapes") {
  CHECK(value("concat(x, 2*x, x[1:])") == V{1, -2, 3, 2, -4, 6, -2, 3});
  CHECK(value("concat(B, 2*B, axis=1)") == V{1, 2, 3, 2, 4, 6, 4, 5, 6, 8, 10, 12});
  CHECK(value("stack(x, -x, axis=1)") == V{1, -1, -2, 2, 3, -3});
  CHECK(value("[s, 1; 0, -s]") == V{2, 1, 0, -2});
  CHECK(value("[s, 1, 3*s]") == V{2, 1, 6});
  CHECK(value("reshape(B, n, m)") == V{1, 2, 3, 4, 5, 6});
  CHECK(value("transpose(B)") == V{1, 4, 2, 5, 3, 6});
  CHECK(value("transpose(stack(B, B), 2, 0, 1)").size() == 12);
  CHECK(value("transpose(stack(B, 2*B), 1, 2, 0)[1, 2]") == V{6, 12});
}

TEST_CASE("slices and parts") {
  CHECK(value("x[1:] - x[:n-1]") == V{-3, 5});
  CHECK(value("B[:, 1]") == V{2, 5});
  CHECK(value("B[1]") == V{4, 5, 6});
  CHECK(value("A[1:, :2]") == V{4, 5, 7, 8});
  CHECK(value("(A @ x)[2]") == V{21});
  CHECK(error_of("param x[n]\nloss = sum(x[:n+1])").find("outside") == std::string::npos);
  CHECK_FALSE(error_of("param x[n]\nloss = sum(x[:n+1])").empty());
}

TEST_CASE("running sums and softmaxes along an axis") {
  CHECK(value("cumsum(x)") == V{1, -1, 2});
  CHECK(value("cumsum(B, axis=0)") == V{1, 2, 3, 5, 7, 9});
  CHECK(value("cumprod(x)") == V{1, -2, -6});
  CHECK(all_close({value("sum(softmax[i, j](B[i, j]))")[0]}, {1}));
  CHECK(all_close(value("softmax[i, j](B[i, j])[1]"), value("exp(B[1] - logsumexp(B))")));
  const V p = value("softmax(B, axis=0)");
  CHECK(all_close({p[0] + p[3], p[2] + p[5]}, {1, 1}));
  CHECK(all_close(value("log_softmax(B)[0]"), value("log(softmax(B[0]))")));
}

TEST_CASE("index data subscript, also as whole vectors") {
  const std::map<std::string, Array> in{{"E", matrix(3, {1, 2, 3, 4, 5, 6})}, {"c", vector({2, 0})}};
  const std::string head = "param E[m, k]\ndata c[n] : index(m)\noutput o";
  CHECK(value_of(head + " = E[c]", "o", in).values == V{5, 6, 1, 2});
  CHECK(value_of(head + " = E.T[:, c]", "o", in).values == V{5, 1, 6, 2});
  CHECK(value_of(head + "[i] = E[c[i], 1]", "o", in).values == V{6, 2});
  CHECK(value_of(head + " = sum(c) + mean(c == 2)", "o", in).values == V{2.5});
  CHECK(value_of(head + "[v in 0..m] = sum[i : c[i] == v](1)", "o", in).values == V{1, 0, 1});
}

TEST_CASE("only the chosen branch counts") {
  CHECK(value("x if x > 0 else log(-1 + 0*x)")[0] == 1);
  CHECK(value("where(x > 0, x, 0)") == V{1, 0, 3});
  CHECK(value("-1 if s < 0 else 1 if s > 1 else 0") == V{1});
  CHECK(value("sum((0 < x < 2) + (x != 3))") == V{3});
}

TEST_CASE("losses of the prelude") {
  const std::map<std::string, Array> in{{"Z", matrix(2, {1, 2, 3, 0, 0, 0})}, {"c", vector({2, 0})}};
  const std::string head = "param Z[n, k]\ndata c[n] : index(k)\noutput o = ";
  const double row = std::log(std::exp(1) + std::exp(2) + std::exp(3)) - 3;
  CHECK(all_close(value_of(head + "cross_entropy(Z, c)", "o", in).values, {(row + std::log(3.0)) / 2}));
  CHECK(all_close(value_of(head + "nll(log_softmax(Z), c)", "o", in).values, {(row + std::log(3.0)) / 2}));
  CHECK(all_close(value_of(head + "cross_entropy(Z[0], c[0])", "o", in).values, {row}));
  CHECK(all_close(value("huber(x, 1.5)"), {0.5, 1.5 * (2 - 0.75), 1.5 * (3 - 0.75)}));
  CHECK(all_close(value("log_cosh(x)"), {std::log(std::cosh(1)), std::log(std::cosh(2)), std::log(std::cosh(3))}));
  CHECK(value("cosine_similarity(0*x, x)") == V{0});
  CHECK(value("relu(x) + hardtanh(x)") == V{2, -1, 4});
}

}  // namespace gradus::testing
