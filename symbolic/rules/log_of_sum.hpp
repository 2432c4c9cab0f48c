// The logarithm of a sum whose terms may be exponentials, sums of exponentials, or products of sigmoids.
#pragma once

#include <optional>
#include <vector>

#include "symbolic/rules/facts.hpp"
#include "symbolic/rules/shifts.hpp"
#include "symbolic/rules/weighted_sums.hpp"

namespace gradus::rules {

/// weight × exp(exponent), or weight × (exp(exponent) - 1).
struct Exponential : WeightedExponential {
  bool less_one = false;
  bool is_power = false;  // written otherwise: 10^x, exp(x)^2
  bool is_made = false;   // of a sum of exponentials, or of sigmoids: no line of rules.def sees it
};

/// x of exp(x), exp(x)^y as y*x, sqrt(exp(x)), and of 10^x as log(10)*x; at the labels that o is read at.
std::optional<Operand> exponent_of(Graph& graph, const std::vector<Size>& labels, const Operand& o);

/// A term, read at labels, as a weighted exponential; the exponents of sums of exponentials among its factors are added
/// to that of a factor exp(x). Nothing where there is none, or two factors exp(x).
std::optional<Exponential> exponential_of(Graph& graph, Facts& facts, const Shifts& shifts,
                                          const std::vector<Size>& labels, const Term& term);

class LogOfSum {
 public:
  /// `n` is the node whose labels the terms are read at.
  LogOfSum(Graph& graph, Facts& facts, Shifts& shifts, const Node& n);

  /// Takes the terms apart; false where a rule of the table does it, or nothing can be done.
  bool read(const std::vector<Term>& terms);
  /// Whether a sum of exponentials, or sigmoids, are among the terms.
  bool has_made() const;
  bool has_exponential() const { return !exponentials_.empty(); }
  bool is_all_positive() { return is_all_positive(exponentials_, rest_); }
  /// Where all terms are positive: logaddexp of x + log(w).
  Expr logarithm();
  /// The logarithm in a form that does not overflow; nothing where there is none, or people read it as it is.
  std::optional<Expr> stable();

 private:
  Operand whole(Expr e);
  Operand call(Function f, std::vector<Operand> operands);
  Operand sum(std::vector<Term> terms);
  bool is_all_positive(const std::vector<Exponential>& exponentials, const std::vector<Term>& rest);
  bool read_complement();
  bool is_or();
  bool read_sigmoids();
  Exponential without_exponent();
  Expr with_kernel();
  Expr shifted();

  Graph& graph_;
  Facts& facts_;
  Shifts& shifts_;
  Expr sum_;
  std::vector<Size> labels_;
  std::uint32_t rank_;
  std::vector<Exponential> exponentials_;
  std::vector<Term> rest_;
};

}  // namespace gradus::rules
