// The entry points of simplification.
#include "symbolic/simplify.hpp"

#include "symbolic/rules/algebra.hpp"
#include "symbolic/rules/covariances.hpp"
#include "symbolic/rules/differences.hpp"
#include "symbolic/rules/exponential_quotients.hpp"
#include "symbolic/rules/exponentials.hpp"
#include "symbolic/rules/forms.hpp"
#include "symbolic/rules/quotients.hpp"
#include "symbolic/rules/reductions.hpp"
#include "symbolic/rules/shifted_quotients.hpp"
#include "symbolic/rules/sigmoids.hpp"
#include "symbolic/rules/structure.hpp"
#include "symbolic/rules/symmetry.hpp"

namespace gradus {
namespace {

using rules::Group;
using rules::Rewriter;

/// Rounds of rewriting and regrouping. A fixed point takes two or three; more would be a cycle of equal forms.
constexpr int most_rounds = 8;

/// What recognising needs: numbers, powers and invariant factors where the rules expect them.
std::vector<Rewriter::Step> arithmetic(Graph& g, rules::Facts& facts, const rules::Kept& kept, rules::Shifts& shifts,
                                       bool cancel) {
  return {[&g](Expr e) { return rules::normalise_sum(g, e); },
          [&g](Expr e) { return rules::keep_complement(g, e); },
          [&g](Expr e) { return rules::normalise_product(g, e); },
          [&g](Expr e) { return rules::exp_of_shifted_log(g, e); },
          [&g, &kept](Expr e) { return rules::hoist_factors(g, kept, e); },
          [&g, &facts, &kept, cancel](Expr e) { return rules::merge_powers(g, facts, kept, e, cancel); },
          [&g, &kept](Expr e) { return rules::normalise_power(g, kept, e); },
          [&g](Expr e) { return rules::decide_condition(g, e); },
          [&g](Expr e) { return rules::centred_products(g, e); },
          [&g](Expr e) { return rules::weighted_average(g, e); },
          [&g](Expr e) { return rules::product_over_exponentials(g, e); },
          [&g, &facts](Expr e) { return rules::log_of_product(g, facts, e); },
          [&g, &facts, &shifts](Expr e) { return rules::weighted_logsumexp(g, facts, shifts, e); },
          [&g, &facts, &shifts](Expr e) { return rules::log_of_exponentials(g, facts, shifts, e); },
          [&g](Expr e) { return rules::product_of_exponentials(g, e); },
          [&g](Expr e) { return rules::exponential_times_sigmoid(g, e); },
          [&g](Expr e) { return rules::difference_of_sigmoids(g, e); },
          [&g](Expr e) { return rules::product_of_hyperbolic(g, e); },
          [&g, &facts, &kept, &shifts](Expr e) { return rules::power_of_exponentials(g, facts, kept, shifts, e); },
          [&g](Expr e) { return rules::one_minus_product(g, e); },
          [&g, &shifts](Expr e) { return rules::shifted_quotient(g, shifts, e); },
          [&g, &shifts](Expr e) { return rules::common_quotient(g, shifts, e); },
          [&g](Expr e) { return rules::split_reciprocal(g, e); },
          [&g, &facts, &shifts](Expr e) { return rules::exponential_quotient(g, facts, shifts, e); },
          [&g](Expr e) { return rules::distribute_reciprocal(g, e); },
          [&g](Expr e) { return rules::removable_quotient(g, e); },
          [&g](Expr e) { return rules::guarded_relative_entropy(g, e); },
          [&g, &facts, &shifts](Expr e) { return rules::times_logarithm(g, facts, shifts, e); },
          [&g](Expr e) { return rules::distribute_logarithm(g, e); },
          [&g](Expr e) { return rules::compound_power(g, e); },
          [&g](Expr e) { return rules::log_of_scaled_sum(g, e); },
          [&g](Expr e) { return rules::improvement(g, e); },
          [&g](Expr e) { return rules::normal_of_erfc(g, e); },
          [&g, &facts](Expr e) { return rules::log_of_product_with_square(g, facts, e); },
          [&g](Expr e) { return rules::power_less_one(g, e); },
          [&g](Expr e) { return rules::quotient_by_exponent(g, e); },
          [&g](Expr e) { return rules::log1p_of_square(g, e); },
          [&g](Expr e) { return rules::compound_by_reciprocal(g, e); }};
}

/// Forms whose parts rules of the table may want first.
void add_last(Rewriter& rewrite, Graph& g) {
  rewrite.finally([&g](Expr e) { return rules::log_of_quotient(g, e); });
  rewrite.finally([&g](Expr e) { return rules::square_quotient(g, e); });
}

void leave_sums(Rewriter& rewrite, const Graph& g, const rules::Shifts& shifts) {
  if (!shifts.are_made()) rewrite.leave([&g, &shifts](Expr e) { return rules::is_left(g, shifts, e); });
}

std::vector<Expr> rewritten(Rewriter& rewrite, rules::Kept& kept, const std::vector<Expr>& roots) {
  for (const Expr e : roots) kept.add(e);
  rewrite.keep(&kept);
  std::vector<Expr> out;
  for (const Expr e : roots) out.push_back(rewrite(e));
  return out;
}

}  // namespace

std::vector<Expr> stabilise(Graph& graph, const std::vector<Expr>& roots) {
  rules::Shifts shifts(rules::Shifts::Form::shifted);
  return stabilise(graph, roots, shifts);
}

std::vector<Expr> stabilise(Graph& graph, const std::vector<Expr>& roots, rules::Shifts& shifts) {
  rules::Facts facts(graph);
  rules::Kept kept;
  auto steps = arithmetic(graph, facts, kept, shifts, false);
  steps.emplace_back([&graph](Expr e) { return rules::sum_of_softmax(graph, e, rules::Empty::is_zero); });
  Rewriter rewrite(graph, [](Group g) { return g != Group::real && g != Group::domain; }, std::move(steps));
  add_last(rewrite, graph);
  leave_sums(rewrite, graph, shifts);
  return rewritten(rewrite, kept, roots);
}

std::vector<Expr> simplify(Graph& graph, const std::vector<Expr>& roots) {
  rules::Shifts shifts(rules::Shifts::Form::shifted);
  return simplify(graph, roots, shifts);
}

std::vector<Expr> simplify(Graph& graph, const std::vector<Expr>& roots, rules::Shifts& shifts) {
  rules::Facts facts(graph);
  rules::Kept kept;
  auto steps = arithmetic(graph, facts, kept, shifts, true);
  steps.emplace_back([&graph](Expr e) { return rules::decide_guards(graph, e); });
  steps.emplace_back([&graph](Expr e) { return rules::hoist_guards(graph, e); });
  steps.emplace_back([&graph, &kept](Expr e) { return rules::merge_nested_terms(graph, kept, e); });
  steps.emplace_back([&graph](Expr e) { return rules::merge_guarded_terms(graph, e); });
  steps.emplace_back([&graph](Expr e) { return rules::merge_scatters(graph, e); });
  steps.emplace_back([&graph](Expr e) { return rules::merge_transposed_terms(graph, e); });
  steps.emplace_back([&graph](Expr e) { return rules::common_factors(graph, e); });
  steps.emplace_back([&graph](Expr e) { return rules::sum_of_softmax(graph, e, rules::Empty::is_no_matter); });
  steps.emplace_back([&graph](Expr e) { return rules::sum_of_centred(graph, e); });
  Rewriter rewrite(graph, [](Group) { return true; }, std::move(steps));
  add_last(rewrite, graph);
  leave_sums(rewrite, graph, shifts);
  std::vector<Expr> now = roots;
  for (int round = 0; round < most_rounds; ++round) {
    now = rewritten(rewrite, kept, now);
    std::vector<Expr> next = rules::regroup(graph, now);
    if (next == now) break;
    now = std::move(next);
  }
  return now;
}

}  // namespace gradus
