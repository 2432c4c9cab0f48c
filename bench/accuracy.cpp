// Measures the vector kernels against MPFR: the largest error in units of the last place over stratified samples.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/codegen/kernel_reference.hpp"

using namespace gradus;
using namespace gradus::testing;

int main(int count, char** arguments) {
  const std::size_t samples = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 1'000'000;
  mpfr_set_emin(-1200);
  std::mt19937_64 random(2024);
  std::printf("| function | largest error (ULP) | at |\n| --- | --- | --- |\n");
  for (const Case& c : cases) {
    double worst = 0, at = 0;
    Real x, exact;
    for (std::size_t k = 0; k < samples; ++k) {
      const double point = sample(c, k, random);
      mpfr_set_d(x.v, point, MPFR_RNDN);
      c.reference(exact.v, x.v);
      const double e = error(kernels::evaluate(c.function, point, 0, 0), exact.v);
      if (e > worst) worst = e, at = point;
    }
    std::printf("| %s | %.3f | %a |\n", std::string(row(c.function).name).c_str(), worst, at);
  }
}
