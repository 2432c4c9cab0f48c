// Rules are for accuracy: what a rule yields, computed in doubles by our kernels, is nowhere worse than what it
// replaces, and a `stable` rule is much better somewhere.
#include <doctest/doctest.h>
#include <mpfr.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "codegen/kernels/functions.hpp"
#include "symbolic/interpret.hpp"
#include "tests/symbolic/rule_instance.hpp"

using namespace gradus;
using namespace gradus::rules;
using gradus::testing::Instance;

namespace {

constexpr std::int64_t points = 1000;
constexpr auto width = gradus::testing::width;

/// A pattern in doubles at one sample, for each place of the axis that its reductions run over.
using Lane = std::vector<double>;

class Doubles {
 public:
  Doubles(const Instance& instance, const Bindings& at, std::int64_t point) {
    for (std::size_t v = 0; v < instance.inputs().size(); ++v) {
      const auto& values = at.inputs.at(static_cast<std::uint32_t>(v)).values;
      const bool inside = instance.inside()[v] != 0;
      Lane lane;
      for (std::int64_t k = 0; k < width; ++k)
        lane.push_back(values[static_cast<std::size_t>(inside ? point * width + k : point)]);
      variables_.push_back(std::move(lane));
    }
  }

  Lane operator()(const Pattern& p) const {
    std::vector<Lane> parts;
    for (const auto& part : p.parts) parts.push_back((*this)(part));
    Lane out(width);
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = at(p, parts, k);
    return out;
  }

 private:
  double at(const Pattern& p, const std::vector<Lane>& parts, std::size_t k) const {
    switch (p.kind) {
      case Pattern::Kind::number:
        return p.number.to_double();
      case Pattern::Kind::variable:
      case Pattern::Kind::rest:
        return variables_[p.variable][k];
      case Pattern::Kind::call: {
        if (p.function == Function::power && p.parts[1].kind == Pattern::Kind::number && parts[1][k] == -1)
          return 1 / parts[0][k];
        return kernels::evaluate(p.function, parts.empty() ? 0 : parts[0][k], parts.size() > 1 ? parts[1][k] : 0,
                                 parts.size() > 2 ? parts[2][k] : 0);
      }
      case Pattern::Kind::sum: {
        double sum = 0;
        for (std::size_t t = 0; t < parts.size(); ++t) sum += p.coefficients[t].to_double() * parts[t][k];
        return sum;
      }
      case Pattern::Kind::product: {
        double product = p.coefficients[0].to_double();
        for (const auto& f : parts) product *= f[k];
        return product;
      }
      case Pattern::Kind::reduction:
        break;
    }
    return reduced(p.reduction, parts[0], k);
  }

  static double reduced(Pattern::Reduction r, const Lane& x, std::size_t k) {
    double top = x[0], largest = 0, plain = 0;
    for (const double v : x) top = std::fmax(top, v), largest = std::fmax(largest, std::fabs(v)), plain += v;
    if (r == Pattern::Reduction::sum) return plain;
    if (r == Pattern::Reduction::norm) {
      double squares = 0;
      for (const double v : x) squares += largest == 0 ? 0 : v / largest * (v / largest);
      return largest * std::sqrt(squares);
    }
    double s = 0;
    for (const double v : x) s += std::exp(v - top);
    if (r == Pattern::Reduction::logsumexp) return top + std::log(s);
    return r == Pattern::Reduction::softmax ? std::exp(x[k] - top) / s : (x[k] - top) - std::log(s);
  }

  std::vector<Lane> variables_;
};

/// Values of every size, and those where the written forms break.
double sample(std::mt19937& random) {
  static constexpr double breaks[] = {1e-8, 1e-16, 1e-300, 20, 36.5, 40, 711, 800, 1e155, 0.5, 1, 2};
  std::uniform_int_distribution<int> kind(0, 3);
  std::uniform_real_distribution<double> exponent(-18, 3), any(-3, 3);
  std::uniform_int_distribution<std::size_t> which(0, std::size(breaks) - 1);
  const double sign = kind(random) % 2 == 0 ? 1 : -1;
  switch (kind(random)) {
    case 0:
      return sign * breaks[which(random)];
    case 1:
      return sign * std::pow(10, exponent(random));
    default:
      return any(random);
  }
}

/// The samples of a variable, meeting the rule's condition; under a reduction a quarter of them has a common offset,
/// outside some are near those of the variable before.
void fill(Array& a, const Array* before, const Rule& rule, std::size_t v, bool inside, std::mt19937& random) {
  const Condition* condition = nullptr;
  for (const auto& c : rule.when)
    if (c.variable == v) condition = &c;
  double offset = 0;
  for (std::size_t k = 0; k < a.values.size(); ++k) {
    if (inside && k % width == 0) offset = k / width % 4 == 0 ? sample(random) : 0;
    double x = sample(random);
    if (offset != 0) x = offset + std::remainder(x, 3.0);
    const bool always =
        std::ranges::any_of(rule.when, [](const Condition& c) { return c.fact == Condition::Fact::near; });
    const bool turned = std::ranges::any_of(rule.when, [](const Condition& c) {
      return c.fact == Condition::Fact::near && c.values[1].kind == Pattern::Kind::product;
    });
    const bool near = before != nullptr && before->values.size() == a.values.size() && !inside;
    if (near && (always || k % 16 == 0))
      x = (turned ? -1 : 1) * before->values[k] * (1 + std::ldexp(x, k % 16 == 0 ? -30 : -1) / (1 + std::fabs(x)));
    if (condition != nullptr)
      x = condition->fact == Condition::Fact::reciprocal_count ? 1.0 / width
          : Instance::is_number(*condition)                    ? Instance::number_of(*condition)
                                                               : std::fabs(x);
    a.values[k] = x;
  }
}

/// Relative error in units of 2^-53; huge where only one of the two is a finite number.
double error(double got, double want) {
  if (std::isnan(want)) return std::isnan(got) ? 0 : 1e300;
  if (got == want) return 0;
  if (!std::isfinite(got) || !std::isfinite(want)) return 1e300;
  return std::fabs(got - want) / std::fmax(std::fabs(want), 1e-307) * 0x1p53;
}

/// Functions whose references in thousands of digits take long, and whose forms cancel fewer.
bool is_slow(const Pattern& p) {
  static constexpr Function slow[] = {
      Function::erf,   Function::erfc,           Function::normal_cdf,           Function::lgamma,
      Function::gamma, Function::erf_difference, Function::normal_cdf_difference};
  if (p.kind == Pattern::Kind::call && std::ranges::find(slow, p.function) != std::end(slow)) return true;
  return std::ranges::any_of(p.parts, is_slow);
}

/// The value of a rule's sides. Where they agree in some digits these are all right, for they cancel in different
/// places; elsewhere the left side tells with many digits, or the right side where the left one overflows even there.
Array reference(Graph& g, const Rule& rule, Instance& instance, const Bindings& at) {
  constexpr unsigned few = 320;
  const unsigned many = is_slow(rule.before) ? 1200 : 2000;
  const Expr before = instance(rule.before), after = instance(rule.after);
  const std::vector<Array> sides = evaluate_reference(g, {before, after}, at, few);
  Array out = sides[0];
  const auto count = static_cast<std::size_t>(at.sizes.at("p"));
  const std::size_t places = out.values.size() / count;
  std::vector<std::size_t> open;
  const auto is_settled = [](double x, double y) {
    return (std::isnan(x) && std::isnan(y)) || (std::isfinite(x) && x != 0 && x == y);
  };
  for (std::size_t p = 0; p < count; ++p)
    for (std::size_t k = p * places; k < (p + 1) * places; ++k)
      if (!is_settled(out.values[k], sides[1].values[k])) {
        open.push_back(p);
        break;
      }
  if (open.empty()) return out;
  const Bindings there = gradus::testing::selected(at, open);
  Array left = evaluate_reference(g, {before}, there, many)[0];
  const bool overflows = std::ranges::any_of(left.values, [](double x) { return !std::isfinite(x); });
  const Array right = overflows ? evaluate_reference(g, {after}, there, many)[0] : left;
  for (std::size_t i = 0; i < left.values.size(); ++i)
    out.values[open[i / places] * places + i % places] =
        std::isfinite(left.values[i]) ? left.values[i] : right.values[i];
  return out;
}

/// Whether a rule takes the logarithm of a product apart: near 1 the sum is as accurate as its largest term or
/// argument.
bool splits_logarithm(const Rule& rule) {
  const Pattern& p = rule.before;
  return p.kind == Pattern::Kind::call && p.function == Function::log && p.parts[0].kind == Pattern::Kind::product &&
         rule.after.kind == Pattern::Kind::sum;
}

}  // namespace

TEST_CASE("what a rule yields is nowhere worse in doubles, and a stable form is much better somewhere") {
  mpfr_set_emin(mpfr_get_emin_min());  // other tests make MPFR underflow as doubles do
  for (const Rule& rule : all_rules()) {
    if (rule.group == Group::real) continue;
    CAPTURE(rule.name);
    Graph g;
    Instance instance(g, rule);
    const std::int64_t count = is_slow(rule.before) ? points / 8 : points / 2;
    Bindings at;
    at.sizes = {{"p", count}, {"k", width}};
    std::mt19937 random(29);
    for (std::size_t v = 0; v < rule.variables.size(); ++v) {
      const bool inside = instance.inside()[v] != 0;
      Array a{inside ? std::vector<std::int64_t>{count, width} : std::vector<std::int64_t>{count}, {}};
      a.values.resize(static_cast<std::size_t>(inside ? count * width : count));
      fill(a, v == 0 ? nullptr : &at.inputs[static_cast<std::uint32_t>(v - 1)], rule, v, inside, random);
      at.inputs[static_cast<std::uint32_t>(v)] = std::move(a);
    }
    const Array want = reference(g, rule, instance, at);
    const std::int64_t places = instance.any_inside() ? width : 1;
    double best_gain = 0;
    for (std::int64_t p = 0; p < count; ++p) {
      const Doubles doubles(instance, at, p);
      const Lane before = doubles(rule.before), after = doubles(rule.after);
      double size = 1;  // an argument's rounding error is multiplied by it in an exponential
      for (const auto& [input, array] : at.inputs)
        for (std::int64_t k = 0; k < static_cast<std::int64_t>(array.values.size()) / count; ++k) {
          const auto i = static_cast<std::size_t>(p * (static_cast<std::int64_t>(array.values.size()) / count) + k);
          size = std::fmax(size, std::fmin(std::fabs(array.values[i]), 1e3));
        }
      for (std::int64_t k = 0; k < places; ++k) {
        const double reference = want.values[static_cast<std::size_t>(p * places + k)];
        if (std::isinf(reference)) continue;  // beyond MPFR's exponents too
        const double was = error(before[static_cast<std::size_t>(k)], reference);
        const double is = error(after[static_cast<std::size_t>(k)], reference);
        double terms = size;
        if (splits_logarithm(rule))
          for (const Pattern& part : rule.after.parts)
            terms = std::fmax(terms, 2 * std::fmax(size, std::fabs(doubles(part)[static_cast<std::size_t>(k)])) /
                                         std::fabs(reference));
        CAPTURE(p);
        CAPTURE(reference);
        CAPTURE(before[static_cast<std::size_t>(k)]);
        CAPTURE(after[static_cast<std::size_t>(k)]);
        CHECK(is <= 8 * was + 16 * terms);
        best_gain = std::fmax(best_gain, was / std::fmax(is, 16));
      }
    }
    if (rule.group == Group::stable) CHECK(best_gain > 10);
  }
}
