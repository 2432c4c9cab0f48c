// The accuracy of every function of the table: samples of its whole domain, the reference of its row, errors in units
// of the last place. Read by a test with few samples and by bench/accuracy.cpp with many.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "codegen/kernels/functions.hpp"
#include "symbolic/accuracy.hpp"
#include "symbolic/function.hpp"
#include "symbolic/real.hpp"

namespace gradus::testing {

using Point = std::array<double, 3>;

/// Enough digits for what cancels in the rows' formulas.
constexpr unsigned accuracy_bits = 320;

struct Domain {
  double low, high;
  bool whole() const { return low == high; }  // a number that only counts
};

inline const std::vector<Domain>& domain_of(Function f) {
  const auto in = [](double low, double high) { return Domain{low, high}; };
  const auto list = [](auto... domains) { return std::vector<Domain>{domains...}; };
  static const std::vector<std::vector<Domain>> table = {
#define GRADUS_FUNCTION(id, name, arity, spelling, condition, total, latex, value, partials, domain, kinks, selects, \
                        lowering, doc)                                                                               \
  list domain,
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
  };
  return table[static_cast<std::size_t>(f)];
}

inline Real exact_value(Function f, [[maybe_unused]] const Real& x, [[maybe_unused]] const Real& y,
                        [[maybe_unused]] const Real& z) {
  switch (f) {
#define GRADUS_FUNCTION(id, name, arity, spelling, condition, total, latex, value, partials, domain, kinks, selects, \
                        lowering, doc)                                                                               \
  case Function::id:                                                                                                 \
    return value;
#include "symbolic/elementwise.def"
#undef GRADUS_FUNCTION
  }
  return Real::not_a_number();
}

inline Real exact_value(Function f, const Point& p) { return exact_value(f, Real(p[0]), Real(p[1]), Real(p[2])); }

/// What the value is made of where it is a difference: near its zeros the error is that of the parts.
inline double scale(Function f, const Point& p, double value) {
  const auto size = [](const Real& x) { return std::fabs(x.to_double()); };
  const double x = p[0], y = p[1];
  switch (f) {
    case Function::digamma:
      return x < 0 ? std::fmax(std::fmax(std::fabs(value), size(digamma(Real(1) - Real(x)))), 1) : value;
    case Function::polygamma: {
      if (!(y < 0) || x == 0) return x == 0 ? scale(Function::digamma, {y, 0, 0}, value) : value;
      const Real part = Real(y) - round_even(Real(y));
      return std::fmax(std::fabs(value), size(gamma(Real(x) + 1) * pow(abs(part), -(Real(x) + 1))));
    }
    case Function::lgamma_difference:
      return std::fmax(std::fabs(value), std::fabs(y));
    case Function::lbeta:
    case Function::log_beta:
    case Function::log_erf_difference:
    case Function::log_plus_exp:  // near 0 as the logarithm of a rounded sum
      return std::fmax(std::fabs(value), 1);
    case Function::sinc:
    case Function::sinc_slope:
    case Function::sinc_bend:
    case Function::langevin_bend:
    case Function::sinc_slope_rel:
    case Function::sinc_slope_rel_slope:
    case Function::x_minus_sin_rel_slope:
      return std::fmax(std::fabs(value), std::fabs(x) < 1 ? 0 : 0.1);
    case Function::beta:  // exponentials
    case Function::gamma_ratio:
      return value * std::fmax(1, std::fabs(std::log(std::fabs(value))));
    case Function::logaddexp:
      return std::fmax(std::fabs(value), std::fmin(1, std::fmax(std::fabs(x), std::fabs(y))));
    default:
      return value;
  }
}

/// Distance of y from the exact value, in units of the last place of the larger of that and `magnitude`; 0 where both
/// are NaN. An infinity counts as the power of two beyond the largest number.
inline double ulp_error(double y, const Real& exact, double magnitude) {
  const double rounded = exact.to_double();
  if (std::isnan(rounded) || std::isnan(y)) return std::isnan(rounded) && std::isnan(y) ? 0 : HUGE_VAL;
  if (rounded == y && (std::isinf(y) || y == 0)) return 0;
  if (std::isinf(rounded) && !(std::fabs(y) > 0x1.fffffffffff00p1023)) return HUGE_VAL;
  const auto bounded = [](double v) {
    return std::isinf(v) ? Real(std::copysign(1, v)) * pow(Real(2), std::int64_t{1024}) : Real(v);
  };
  const double size = std::fmax(std::fabs(rounded), std::fabs(magnitude));
  const int exponent = size < 0x1p-1022 ? -1074 : std::isinf(size) ? 971 : std::ilogb(size) - 52;
  const Real difference = bounded(y) - (std::isinf(rounded) ? bounded(rounded) : exact);
  return std::fabs((difference * pow(Real(2), std::int64_t{-exponent})).to_double());
}

/// Where a row promises its accuracy. Differences of gamma functions left of 0 are no sums of positive terms; powers of
/// high orders lose a digit or two.
inline bool is_promised(Function f, const Point& p) {
  const auto usual = [](double v) { return v > 0x1p-300 && v < 0x1p900; };
  const double x = p[0], y = p[1];
  switch (f) {
    case Function::lgamma_difference:
    case Function::digamma_difference:
      return usual(x) && usual(x + y);
    case Function::beta:
    case Function::lbeta:
      return usual(x) && usual(y);
    case Function::polygamma:
      return x < 8;
    case Function::sinc:  // forms that users write out, and their slopes: inside the row's domain
    case Function::atanc:
    case Function::atanc_slope:
    case Function::asinc:
    case Function::asinc_slope:
    case Function::asinhc:
    case Function::asinhc_slope:
    case Function::erf_rel:
    case Function::erf_rel_slope:
    case Function::atanhc:
    case Function::atanhc_slope:
    case Function::log1p_minus_x_rel:
    case Function::log1p_minus_x_rel_slope:
    case Function::bernoulli_gap:
    case Function::cloglog:
    case Function::pseudo_huber:
    case Function::scale_divergence:
    case Function::scale_divergence_of_logs:
    case Function::over_squares:
    case Function::sin_step:
    case Function::cos_step:
    case Function::atan_step:
    case Function::sigmoid_step:
    case Function::reciprocal_step:
    case Function::power_step:
    case Function::tan_minus_x:
    case Function::tanh_minus_x:
    case Function::atan_minus_x:
    case Function::asin_minus_x:
    case Function::asinh_minus_x:
    case Function::atanh_minus_x:
    case Function::sinh_minus_x:
    case Function::log_squares:
    case Function::sinc_slope:
    case Function::sinc_bend:
    case Function::exprel:
    case Function::exprel_slope:
    case Function::exprel_bend:
    case Function::bernoulli:
    case Function::bernoulli_slope:
    case Function::x_minus_sin:
    case Function::cosh_minus_one:
    case Function::langevin:
    case Function::langevin_slope:
    case Function::langevin_bend:
    case Function::log1p_minus_x:
    case Function::box_cox:
    case Function::box_cox_slope:
    case Function::compound:
    case Function::sech_squared:
    case Function::sqrt_step:
    case Function::log1p_square:
    case Function::over_one_plus_square:
    case Function::sqrt_difference:
    case Function::log_shift:
    case Function::log_ratio:
    case Function::log_minus_x_plus_one:
    case Function::log_minus_ratio:
    case Function::log1p_scaled_square:
    case Function::over_one_plus_scaled_square:
    case Function::log_square_plus:
    case Function::over_square_plus:
    case Function::square_share:
    case Function::compound_minus_one:
    case Function::erf_difference:
    case Function::normal_cdf_difference:
    case Function::relative_entropy:
    case Function::log1p_gap:
    case Function::compound_interest:
    case Function::annuity:
    case Function::annuity_slope:
    case Function::instalment:
    case Function::sigmoid_difference:
    case Function::expm1_minus_x:
    case Function::gamma_ratio:
    case Function::gamma_ratio_sign:
    case Function::tanc:
    case Function::x_over_tan:
    case Function::exprel_gap:
    case Function::bennett:
    case Function::xlog_share_of_logs:
    case Function::compound_interest_minus_one:
    case Function::bernoulli_divergence:
    case Function::x_minus_sin_rel:
    case Function::x_minus_sin_rel_slope:
    case Function::sinc_slope_rel:
    case Function::sinc_slope_rel_slope:
    case Function::sech:
    case Function::sin_minus_x_cos:
    case Function::sqrt1pm1rel:
    case Function::over_root:
    case Function::scaled_square_share:
    case Function::wlog_share:
    case Function::log_minus_ratio_of_logs:
    case Function::log_gamma:
    case Function::log_beta:
    case Function::power_minus_one:
    case Function::sinhc:
    case Function::tanhc:
    case Function::x_over_sinh:
    case Function::x_over_tanh:
    case Function::bose_gap:
    case Function::log1prel:
    case Function::log1prel_slope:
    case Function::exprel2:
    case Function::exprel2_slope:
    case Function::root_minus:
    case Function::hypot_minus:
    case Function::sqrt_square_plus:
    case Function::sqrt1pm1_square:
    case Function::log_difference:
    case Function::log_share:
    case Function::xlog_share:
    case Function::xlog_ratio:
    case Function::xlog_difference:
    case Function::log_plus_exp:
    case Function::log1p_expm1:
    case Function::exp_difference:
    case Function::relative_entropy_of_logs:
    case Function::log_erf_difference:
    case Function::erf_hazard:
    case Function::log_normal_cdf_difference:
    case Function::normal_hazard:
    case Function::unit: {
      const auto& domain = domain_of(f);
      for (std::size_t k = 0; k < domain.size(); ++k)
        if (!(domain[k].low <= p[k] && p[k] <= domain[k].high)) return false;
      return true;
    }
    default:
      return true;
  }
}

/// Where something happens in one of the functions: borders of the format, zeros, poles, limits of overflow.
constexpr double special_points[] = {0.0,
                                     -0.0,
                                     HUGE_VAL,
                                     -HUGE_VAL,
                                     std::numeric_limits<double>::quiet_NaN(),
                                     0x1p-1074,
                                     -0x1p-1074,
                                     0x1p-1022,
                                     -0x1.fffffffffffffp-1023,
                                     0x1.fffffffffffffp1023,
                                     -0x1.fffffffffffffp1023,
                                     709.782712893384,
                                     709.7827128933841,
                                     -745.1332191019411,
                                     -745.1332191019412,
                                     -708.4,
                                     1024,
                                     -1074,
                                     171.62437695630272,
                                     171.6243769563027,
                                     26.54325845425098,
                                     -26.64,
                                     1e8,
                                     -1e8,
                                     1e16,
                                     -1e154,
                                     1.4616321449683623,
                                     -0.5040830082644554,
                                     -1.5734984731623905,
                                     -2.610720868444145,
                                     -2.4570247382208006,
                                     -2.7476826467274127,
                                     -3.1435808883499798,
                                     -3.955294284858598,
                                     0.6931471805599453,
                                     -0.6931471805599453,
                                     1.5707963267948966,
                                     -3.141592653589793};

/// A sample of one argument: any bits; the domain of the row evenly; exponents; near small halves; near special points.
inline double sample_of(const Domain& domain, std::mt19937_64& random) {
  std::uniform_real_distribution<double> unit(0, 1);
  const std::uint64_t kind = random() % 16;
  if (domain.whole()) return static_cast<double>(kind < 12 ? random() % 8 : kind < 15 ? random() % 127 : 0);
  const double sign = random() % 2 != 0 ? 1 : -1;
  if (kind < 2) return std::bit_cast<double>(random());
  if (kind < 8) return domain.low + (domain.high - domain.low) * unit(random);
  if (kind < 11) return sign * std::ldexp(1 + unit(random), static_cast<int>(random() % 80) - 60);
  if (kind < 12) return domain.low * 4 + (domain.high - domain.low) * 8 * unit(random);
  const double point = kind < 14 ? static_cast<double>(static_cast<int>(random() % 81) - 40) / 2
                                 : special_points[random() % std::size(special_points)];
  const std::uint64_t offset = random() % 4;
  if (offset == 0) return point;
  if (offset == 1) return std::nextafter(point, sign * HUGE_VAL);
  return point + sign * std::ldexp(unit(random), -static_cast<int>(random() % 50));
}

inline Point sample_of(Function f, std::mt19937_64& random) {
  Point p{0, 0, 0};
  const auto& domain = domain_of(f);
  for (std::size_t k = 0; k < domain.size(); ++k) p[k] = sample_of(domain[k], random);
  if (domain.size() == 2 && !domain[0].whole() && random() % 16 == 0) p[1] = p[0];
  return p;
}

struct Worst {
  double error = 0;
  Point at{0, 0, 0};
};

/// The largest error over the special points (of functions of one argument) and so many samples.
inline Worst worst_error(Function f, std::size_t samples, std::uint64_t seed) {
  const PrecisionScope scope(accuracy_bits);
  std::mt19937_64 random(seed);
  Worst worst;
  const std::size_t borders = row(f).arity == 1 ? std::size(special_points) : 0;
  for (std::size_t k = 0; k < borders + samples; ++k) {
    const Point p = k < borders ? Point{special_points[k], 0, 0} : sample_of(f, random);
    if (!is_promised(f, p)) continue;
    const Real exact = exact_value(f, p);
    const double e = ulp_error(kernels::evaluate(f, p[0], p[1], p[2]), exact, scale(f, p, exact.to_double()));
    if (e > worst.error) worst = {e, p};
  }
  return worst;
}

}  // namespace gradus::testing
