// Functions of other languages: the spelling here that a hint prints reads as it should.
#include "frontend/foreign_functions.hpp"

#include "tests/frontend/parsed.hpp"

using namespace gradus;

TEST_CASE("a call of another language is written as one here") {
  CHECK(foreign_call("average", {"x"}) == "mean(x)");
  CHECK(foreign_call("matmul", {"X", "W"}) == "X @ W");
  CHECK(foreign_call("mul", {"a + b", "c"}) == "(a + b)*c");
  CHECK(foreign_call("square", {"x - y"}) == "(x - y)^2");
  CHECK(foreign_call("square", {"f(x - y)[0]"}) == "f(x - y)[0]^2");
  CHECK(foreign_call("square", {"(a)*(b)"}) == "((a)*(b))^2");
  CHECK(foreign_call("arange", {"2", "n"}) == "range(n - 2) + 2");
  CHECK(foreign_call("heaviside", {"x"}) == "where(x > 0, 1, 0)");
  CHECK(foreign_call("logit", {"p"}) == "log(p/(1 - p))");
  CHECK(foreign_call("trigamma", {"x"}) == "polygamma(1, x)");
  CHECK(foreign_call("nothing", {"x"}).empty());
  CHECK(foreign_call("square", {"x", "y"}).empty());
}

TEST_CASE("hints for calls inside calls, with the keywords of other languages") {
  CHECK(errors("z = torch.mean(torch.square(x - y), dim=1)").ends_with("write mean((x - y)^2, axis=1)"));
  CHECK(errors("z = F.mse_loss(x, y)").ends_with("write mse(x, y)"));
  CHECK(errors("z = nn.BCELoss()(x, y)").ends_with("write bce(x, y)"));
  CHECK(errors("z = X.norm(dim=1, keepdim=True)").ends_with("write norm(X, axis=1)"));
  CHECK(errors("z = np.linalg.norm(x, ord=2)").ends_with("write norm(x, 2)"));
  CHECK(errors("z = X.square()").ends_with("write X^2"));
  CHECK(errors("z = tf.matmul(A, B)").ends_with("write A @ B"));
}
