// Ascending order in formulas: sort, argsort, median, quantile; where gradients go, ties, NaN, infinities, filters.
#include <cmath>
#include <limits>

#include "symbolic/derive.hpp"
#include "symbolic/print.hpp"
#include "tests/close.hpp"
#include "tests/symbolic/elaboration.hpp"

namespace gradus::testing {
namespace {

const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();

std::vector<double> value(const std::string& right, std::vector<double> x) {
  const auto n = static_cast<std::int64_t>(x.size());
  return value_of("param x[n]\nv = " + right, "v", {{"x", {{n}, std::move(x)}}}).values;
}

std::vector<double> gradient(const std::string& loss, std::vector<double> x) {
  const std::string text = "param x[n]\nloss = " + loss;
  Elaborated e = elaborated(text);
  INFO(text << "\n" << diagnostics_text(e, text));
  REQUIRE(e.model);
  const Derived derived = derive(*e.model);
  const auto n = static_cast<std::int64_t>(x.size());
  Bindings bindings;
  bindings.sizes = {{"n", n}};
  bindings.inputs[0] = {{n}, std::move(x)};
  return evaluate_reference(e.model->graph, {derived.losses.at(0).derivatives.at(0).expr}, bindings)[0].values;
}

}  // namespace

TEST_CASE("sort ascends, NaN come last, and argsort keeps the order of ties") {
  CHECK(value("sort(x)", {3, -1, 2}) == std::vector<double>{-1, 2, 3});
  CHECK(value("argsort(x)", {2, 1, 2, 1, 1}) == std::vector<double>{1, 3, 4, 0, 2});
  const auto sorted = value("sort(x)", {nan, 1, -inf, nan, 0});
  CHECK(std::vector<double>(sorted.begin(), sorted.begin() + 3) == std::vector<double>{-inf, 0, 1});
  CHECK(std::isnan(sorted[3]));
  CHECK(value("x[argsort(x)]", {3, -1, 2}) == std::vector<double>{-1, 2, 3});
  CHECK(value("sort[k](x[k]^2)", {3, -1, -2}) == std::vector<double>{1, 4, 9});
  CHECK(value("sort(range(n) - 1)", {0, 0, 0}) == std::vector<double>{-1, 0, 1});
}

TEST_CASE("a named order is a subscript along any axis") {
  const std::string text = "param X[n, d]\no = argsort(X, axis=0)\nv[i, j] = X[o[i, j], j] + o[i, j]";
  CHECK(value_of(text, "v", {{"X", {{2, 2}, {3, 1, 2, 4}}}}).values == std::vector<double>{3, 1, 3, 5});
}

TEST_CASE("the gradient of sort goes to the elements in their places, in order among ties") {
  CHECK(gradient("sum((range(n) + 1)*sort(x))", {5, 4, 6}) == std::vector<double>{2, 1, 3});
  CHECK(gradient("sum((range(n) + 1)*sort(x))", {1, 1, 0, 1}) == std::vector<double>{2, 3, 1, 4});
  CHECK(gradient("sort(x)[0]", {5, 4, 6}) == std::vector<double>{0, 1, 0});
}

TEST_CASE("medians and quantiles lie between neighbours; an infinite neighbour that has no weight is harmless") {
  CHECK(value("median(x)", {3, 1, 2}) == std::vector<double>{2});
  CHECK(value("median(x)", {3, 1, 2, 10}) == std::vector<double>{2.5});
  CHECK(value("quantile(x, 0.25)", {4, 1, 2, 3}) == std::vector<double>{1.75});
  CHECK(value("quantile(x, 0)", {4, 1, inf}) == std::vector<double>{1});
  CHECK(value("quantile(x, 1)", {4, 1, 2}) == std::vector<double>{4});
  CHECK(value("quantile(x, 1/2)", {inf, 1, 2, 3, -inf}) == std::vector<double>{2});
  CHECK(std::isnan(value("median(x)", {1, nan, 2})[0]));
  CHECK(value("median[i : i > 0](x[i])", {nan, 7, 5, 6}) == std::vector<double>{6});
  CHECK(value("quantile[i : i != 1](x[i], 0.75)", {0, 100, 4}) == std::vector<double>{3});
  CHECK(value("median[i, j : i < j](x[i]*x[j])", {1, 2, 3}) == std::vector<double>{3});
}

TEST_CASE("the gradient of a median is shared by the two in the middle") {
  CHECK(gradient("median(x)", {3, 1, 2, 10}) == std::vector<double>{0.5, 0, 0.5, 0});
  CHECK(gradient("quantile(x, 0.25)", {4, 1, 2, 3}) == std::vector<double>{0, 0.25, 0.75, 0});
  CHECK(gradient("median[i : x[i] > 1](x[i])", {3, 1, 2, 10}) == std::vector<double>{1, 0, 0, 0});
}

TEST_CASE("a quantile has a derivative by its fraction") {
  Elaborated e = elaborated("data x[n]\nparam q\nloss = quantile(x, q)");
  REQUIRE(e.model);
  const Derived derived = derive(*e.model);
  Bindings bindings;
  bindings.sizes = {{"n", 3}};
  bindings.inputs[0] = {{3}, {5, 1, 2}};
  bindings.inputs[1] = {{}, {0.75}};
  CHECK(evaluate_reference(e.model->graph, {derived.losses[0].derivatives[0].expr}, bindings)[0].values[0] == 6);
}

TEST_CASE("errors of order functions") {
  CHECK(error_of("param x[n]\nloss = quantile(x, 95)").find("0 to 1") != std::string::npos);
  CHECK(error_of("param x[n]\nloss = quantile[i](x[i])").find("2 arguments") != std::string::npos);
  CHECK(error_of("param x\nloss = sum(sort(x))").find("scalar") != std::string::npos);
  CHECK(error_of("param x[n]\nloss = sum(sort[i : i > 0](x[i]))").find("takes no filter") != std::string::npos);
  CHECK(error_of("param x[n], q[n]\nloss = quantile(x, q)").find("scalar") != std::string::npos);
}

}  // namespace gradus::testing
