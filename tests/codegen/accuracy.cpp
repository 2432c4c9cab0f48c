// Every function of the table in doubles against its value in high precision, over its whole domain; and its partials.
#include "tests/codegen/accuracy.hpp"

#include <doctest/doctest.h>

#include <string>

#include "tests/codegen/partial_accuracy.hpp"

using namespace gradus;
using namespace gradus::testing;

namespace {

std::vector<Function> functions() {
  std::vector<Function> list;
  for (std::size_t k = 0; k < function_count(); ++k) {
    const auto f = static_cast<Function>(k);
    if (row(f).arity > 0 && !row(f).condition && !domain_of(f).empty()) list.push_back(f);
  }
  return list;
}

/// The largest error of a partial inside the row's domain, in units of the last place; the formulas are products of a
/// few functions, and some have an exponential of a rounded argument.
double allowed_of_partials(Function f) {
  switch (f) {
    case Function::logaddexp:
    case Function::erf:
    case Function::erfc:
    case Function::normal_cdf:
    case Function::annuity:  // y*(y - 1)/2 near y = 1
    case Function::instalment:
    case Function::exprel_gap:  // it falls and rises
      return 512;
    case Function::digamma_difference:  // differences of polygamma
    case Function::i2erfcx:             // a difference, for fourth derivatives only
    case Function::sinc_bend:           // the same, for third derivatives only
    case Function::exprel_bend:
    case Function::langevin_bend:
    case Function::annuity_slope:
    case Function::log1prel_slope:
    case Function::x_minus_sin_rel:  // its slope has zeros
    case Function::x_minus_sin_rel_slope:
    case Function::sinc_slope_rel:
    case Function::sinc_slope_rel_slope:
    case Function::atanc_slope:
    case Function::asinc_slope:
    case Function::asinhc_slope:
    case Function::atanhc_slope:
    case Function::erf_rel_slope:
    case Function::log1p_minus_x_rel_slope:
    case Function::over_squares:  // its slope has zeros, as those of the steps
    case Function::sin_step:
    case Function::cos_step:
    case Function::sigmoid_step:
    case Function::power_step:
    case Function::exprel2_slope:
      return 1e12;
    default:
      return 64;
  }
}

}  // namespace

TEST_CASE("every function keeps the accuracy that its row states") {
  for (const Function f : functions()) {
    CAPTURE(std::string(row(f).name));
    const Worst worst = worst_error(f, 400, 5);
    CAPTURE(worst.at[0]);
    CAPTURE(worst.at[1]);
    CHECK(worst.error <= promised_accuracy(f));
  }
}

TEST_CASE("polygamma of high order keeps its digits, and its range where the power alone would leave it") {
  const PrecisionScope scope(accuracy_bits);
  for (const double k : {1.0, 8.0, 20.0, 60.0, 125.0, 126.0})
    for (const double x : {1e-2, 0.7, 3.3, 11.9, 12.1, 33.0, 59.5, 120.0, 1e3, 1e6, -0.3, -7.25}) {
      CAPTURE(k);
      CAPTURE(x);
      const Point p{k, x, 0};
      CHECK(ulp_error(kernels::evaluate(Function::polygamma, k, x, 0), exact_value(Function::polygamma, p), 0) <=
            16 + 4 * k);
    }
}

TEST_CASE("partials in doubles are accurate inside the domain") {
  const PrecisionScope scope(accuracy_bits);
  for (const Function f : functions()) {
    if (f == Function::select) continue;
    std::mt19937_64 random(3);
    CAPTURE(std::string(row(f).name));
    for (int sample = 0; sample < 100; ++sample) {
      Point p{0, 0, 0};
      for (std::size_t k = 0; k < domain_of(f).size(); ++k)
        p[k] = std::uniform_real_distribution<double>(domain_of(f)[k].low, domain_of(f)[k].high)(random);
      CAPTURE(p[0]);
      CAPTURE(p[1]);
      for (const partials::Pair& d : partials::of(f, p)) CHECK(ulp_error(d.fast, d.exact, 0) <= allowed_of_partials(f));
    }
  }
}
