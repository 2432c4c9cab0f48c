// The grammar: what is read, and as what.
#include "frontend/parse.hpp"

#include <doctest/doctest.h>

#include "frontend/format.hpp"

using namespace gradus;

TEST_CASE("the first example of the documentation") {
  const Source source("logistic.loss", R"(# logistic.loss - L2-regularised logistic regression, labels in {0, 1}
data  X[n, d], y[n]
param w[d], b
const lambda = 0.1

z    = X @ w + b
loss = mean(softplus(z) - y*z) + lambda/2 * ||w||^2
)");
  Diagnostics d;
  const ast::Program p = parse(source, d);
  CHECK(d.all().empty());
  REQUIRE(p.statements.size() == 5);
  CHECK(format(p) ==
        "data X[n, d], y[n]\nparam w[d], b\nconst lambda = 0.1\nz = X @ w + b\n"
        "loss = mean(softplus(z) - y*z) + lambda/2*||w||^2\n");
}
