// Sections 4 and 5: operators by precedence, bars, literals, index notation.
#include "tests/frontend/parsed.hpp"

using namespace gradus;

TEST_CASE("precedence, loosest first") {
  CHECK(tree("a if b or c else d if e else f") == "(if a (or b c) (if d e f))");
  CHECK(tree("a or b and c or d") == "(or (or a (and b c)) d)");
  CHECK(tree("not a and b") == "(and (not a) b)");
  CHECK(tree("not a < b") == "(not (compare a < b))");
  CHECK(tree("not not a") == "(not (not a))");
  CHECK(tree("a < b + c") == "(compare a < (+ b c))");
  CHECK(tree("0 < x <= 1 == y != z") == "(compare 0 < x <= 1 == y != z)");
  CHECK(tree("(a < b) < c") == "(compare (compare a < b) < c)");
  CHECK(tree("a - b + c*d/e @ f") == "(+ (- a b) (@ (/ (* c d) e) f))");
  CHECK(tree("-x*y") == "(* (neg x) y)");
  CHECK(tree("a*-b") == "(* a (neg b))");
  CHECK(tree("a - -b") == "(- a (neg b))");
  CHECK(tree("+x - +-y") == "(- (pos x) (pos (neg y)))");
  CHECK(tree("-x^2") == "(neg (^ x 2))");
  CHECK(tree("x^2^3") == "(^ x (^ 2 3))");
  CHECK(tree("x**2**3") == "(^ x (^ 2 3))");
  CHECK(tree("x^-y^2") == "(^ x (neg (^ y 2)))");
  CHECK(tree("x^-1*y") == "(* (^ x (neg 1)) y)");
  CHECK(tree("x² + y³") == "(+ (^ x 2) (^ y 3))");
  CHECK(tree("2^x²") == "(^ 2 (^ x 2))");
  CHECK(tree("-x²") == "(neg (^ x 2))");
  CHECK(tree("f(x)[i].T'ᵀ^2") == "(^ (T (' (T (part (call f x) i)))) 2)");
  CHECK(tree("(a + b)[i]") == "(part (+ a b) i)");
  CHECK(tree("where(c, a, b)") == "(call where c a b)");
}

TEST_CASE("spellings of MATLAB") {
  CHECK(tree("x'*A*x") == "(* (* (' x) A) x)");
  CHECK(tree("a.*b./c.^2") == "(./ (.* a b) (.^ c 2))");
  const Source source("t", "z = x'");
  Diagnostics d;
  CHECK(parse(source, d).matlab);
  CHECK_FALSE(parse(Source("t", "z = x.T"), d).matlab);
  CHECK(parse(Source("t", "z = x.*y"), d).matlab);
}

TEST_CASE("a power after ² or ³ is an error, and so is what binds tighter than a power") {
  CHECK(errors("z = x²^3").starts_with("1:7: a power follows '²'"));
  CHECK(errors("z = x²³") == "1:6: of the raised digits only one ² or ³ is read | write x^23");
  CHECK(errors("z = X.^2'") == "1:8: a number has no transpose | write (X.^2)'");
  CHECK(errors("z = x²'") == "1:7: ''' follows a power | write (x^2)'");
}

TEST_CASE("bars") {
  CHECK(tree("|x|") == "(abs x)");
  CHECK(tree("||x||") == "(norm0 x)");
  CHECK(tree("‖x‖_1 + ‖x‖_2 + ‖x‖_F + ‖x‖_inf + ‖x‖_∞ + ‖x‖_p") ==
        "(+ (+ (+ (+ (+ (norm1 x) (norm0 x order 2)) (norm3 x)) (norm2 x)) (norm2 x)) (norm4 x order p))");
  CHECK(tree("||x||_1.5^2") == "(^ (norm4 x order 1.5) 2)");
  CHECK(tree("|a - |b| |") == "(abs (- a (abs b)))");
  CHECK(tree("|a|*|b|") == "(* (abs a) (abs b))");
  CHECK(tree("| |a| - b|") == "(abs (- (abs a) b))");
  CHECK(tree("|| ||a|| - b||") == "(norm0 (- (norm0 a) b))");
  CHECK(tree("|(|a| - b)|") == "(abs (- (abs a) b))");
  CHECK(tree("|x[|i|]|") == "(abs (part x (abs i)))");
  CHECK(tree("||X @ w - y||^2/2") == "(/ (^ (norm0 (- (@ X w) y)) 2) 2)");
  CHECK(tree("|x| if |x| < 1 else -|x|") == "(if (abs x) (compare (abs x) < 1) (neg (abs x)))");
  CHECK(errors("z = |a - |b||") == "1:12: '||' opens or closes a norm, not two absolute values | write abs(a - |b|)");
  CHECK(errors("z = x < 0 || x > 1") ==
        "1:11: '||' is a bar and closes nothing here | 'or' is written here: x < 0 or x > 1");
  CHECK(errors("z = ||a| - b|").find("abs(…)") != std::string::npos);
  CHECK(errors("z = |x)") == "1:5: the bar '|' opens an absolute value that is not closed");
}

TEST_CASE("literals") {
  CHECK(tree("[a, b; c, d]") == "(matrix2 a b c d)");
  CHECK(tree("[[a, b], [c, d], [e, f]]") == "(matrix3 a b c d e f)");
  CHECK(tree("[a, b, c]") == "(vector a b c)");
  CHECK(tree("[1, 2, 3;]") == "(matrix1 1 2 3)");
  CHECK(tree("[1; 2]") == "(matrix2 1 2)");
  CHECK(tree("[1; 2;]") == "(matrix2 1 2)");
  CHECK(tree("[[1, 2]]") == "(matrix1 1 2)");
  CHECK(tree("[([1, 2]), ([3, 4])]") == "(vector (vector 1 2) (vector 3 4))");
  CHECK(tree("[1, [2]]") == "(vector 1 (vector 2))");
  CHECK(tree("[x[0], -1, a if c else b]") == "(vector (part x 0) (neg 1) (if a c b))");
  CHECK(errors("z = [1, 2; 3]") == "1:12: this row has 1 element, the first one 2");
  CHECK(errors("z = [[1], [2, 3]]") == "1:11: this row has 2 elements, the first one 1");
  CHECK(errors("z = []") == "1:5: nothing stands in the brackets");
  CHECK(errors("z = (a, b)") == "1:7: a list is written with [ ] | write [a, b]");
}

TEST_CASE("index forms: binders, ranges, a filter") {
  CHECK(tree("sum[i](y[i]*log(p[i]))") == "(over sum [i] (* (part y i) (call log (part p i))))");
  CHECK(tree("sum[i, j : i < j](A[i, j])") == "(over sum [i] [j] (part A i j) :(compare i < j))");
  CHECK(tree("sum[i, j in 0..i](x)") == "(over sum [i] [j 0..i] x)");
  CHECK(tree("sum[t in 0..len[b] : c[t] > 0](x[t])") ==
        "(over sum [t 0..(part len b)] (part x t) :(compare (part c t) > 0))");
  CHECK(tree("∑[i](x[i]) + ∏[i](x[i])") == "(+ (over sum [i] (part x i)) (over prod [i] (part x i)))");
  CHECK(tree("softmax[j : c](z[j])[0]") == "(part (over softmax [j] (part z j) :c) 0)");
  CHECK(tree("sum[a in 0..k : 0 <= p-a < m](K[a])") == "(over sum [a 0..k] (part K a) :(compare 0 <= (- p a) < m))");
  CHECK(tree("max[i in 0..n + 1](x[i])^2") == "(^ (over max [i 0..(+ n 1)] (part x i)) 2)");
  CHECK(tree("sum[λ](λ)") == "(over sum [lambda] lambda)");
  CHECK(errors("z = sum[2](x)").starts_with("1:9: the brackets of sum[…](…) bind names"));
  CHECK(errors("z = sum[i : i < 2, j](x)") ==
        "1:9: a filter stands last in the brackets | names come before it, conditions are joined with 'and'");
  CHECK(errors("z = sum[i : i < 2 : i > 0](x)") ==
        "1:19: one filter stands in the brackets | conditions are joined with 'and'");
  CHECK(errors("z = sum[i(x[i] - w)^2") == "1:8: '[' is not closed: a ']' is missing");
}

TEST_CASE("subscripts and slices") {
  CHECK(tree("x[i]") == "(part x i)");
  CHECK(tree("K[i + 1, c[j]]") == "(part K (+ i 1) (part c j))");
  CHECK(tree("x[1:]") == "(part x 1:_)");
  CHECK(tree("x[:d]") == "(part x _:d)");
  CHECK(tree("X[:, 0]") == "(part X _:_ 0)");
  CHECK(tree("X[a:b, :]") == "(part X a:b _:_)");
  CHECK(tree("x[:-1]") == "(part x _:(neg 1))");
  CHECK(tree("x[i][j]") == "(part (part x i) j)");
  CHECK(tree("x[i]^2") == "(^ (part x i) 2)");
  CHECK(errors("z = x[i in 0..n]").starts_with("1:7: an 'in' range binds a name"));
  CHECK(errors("z = x[]") == "1:7: an operand is missing before ']'");
}

TEST_CASE("calls and keyword arguments") {
  CHECK(tree("sum(x, axis=0)") == "(call sum x axis=0)");
  CHECK(tree("f()") == "(call f)");
  CHECK(tree("concat(a, b, axis = -1)") == "(call concat a b axis=(neg 1))");
  CHECK(errors("z = f(x,)") == "1:8: nothing follows ',' | delete the comma");
  CHECK(errors("z = f(,x)") == "1:7: an operand is missing before ','");
  CHECK(errors("z = sum(x, axis=0, y)") == "1:20: an argument without a name stands before axis=…");
}

TEST_CASE("what is missing or too much is said where it is") {
  CHECK(errors("z = x +") == "1:7: nothing follows '+'");
  CHECK(errors("z =") == "1:3: nothing follows '='");
  CHECK(errors("z = x * / y") == "1:9: an operand is missing between '*' and '/'");
  CHECK(errors("z = x)") == "1:6: ')' closes nothing | delete it or write what it should close");
  CHECK(errors("z = w*x if x > 0") == "1:9: 'if' has no 'else' | write what holds otherwise: w*x if x > 0 else 0");
  CHECK(errors("z = x else y") == "1:7: 'else' has no 'if' | write a if condition else b");
  CHECK(errors("z = a + not b") == "1:9: 'not' needs parentheses here | write (not …)");
  CHECK(errors("* x") == "1:1: a statement cannot begin with '*'");
  CHECK(errors("z = ()") == "1:5: nothing stands in the parentheses");
  CHECK(errors("z = 1..2") == "1:6: '..' gives the range of an index | the numbers from 0 to n - 1 are range(n)");
  CHECK(errors("z = X[..., 0]").starts_with("1:7: there is no '...' | an axis that stays whole is ':'"));
}
