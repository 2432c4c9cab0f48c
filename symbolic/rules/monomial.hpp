// Products written factor by factor: a number times powers of values.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "symbolic/graph.hpp"

namespace gradus::rules {

/// Products with more factors are left alone.
constexpr std::size_t most_factors = 16;

inline bool is_call(const Node& n, Function f) { return n.kind == Kind::elementwise && n.function == f; }

struct Power {
  Operand base;
  std::int64_t exponent = 1;
};

/// number × Π base^exponent, each base once.
struct Monomial {
  Rational number = 1;
  std::vector<Power> powers;

  void multiply(const Operand& base, std::int64_t exponent);
  std::int64_t exponent_of(const Operand& base) const;
};

/// Multiplies a monomial by an operand's power, with products, powers and weighted logarithms in it taken apart; false
/// when it is too wide.
bool multiply(Graph& graph, Monomial& into, const Operand& operand, std::int64_t exponent);

/// Whether all powers of one are powers of the other, and the numbers are equal.
bool same(const Monomial& a, const Monomial& b);

/// The positive number whose square a number is, or nothing.
std::optional<Rational> square_root(const Rational& number);

/// The product whose square number × operand is, where it holds a value; or nothing.
std::optional<Monomial> square_root(Graph& graph, const Operand& operand, const Rational& number);

/// q where operand = q·base^exponent, or nothing.
std::optional<Rational> ratio_to_power(Graph& graph, const Operand& operand, const Operand& base,
                                       std::int64_t exponent);

/// The factors of a product as operands in its labels.
std::vector<Operand> operands_of(Graph& graph, const Monomial& m);

/// A value over all labels of whoever reads it, as an operand; over those alone that it uses where it is made of
/// others, so that a factor of a wide contraction stays as small as it is.
Operand narrowed(Graph& graph, Expr e);

/// A multiple in normal form, so that it is found equal to another one: of -x the -1st is x.
Operand multiple(Graph& graph, const Operand& o, const Rational& by);

/// A product, as such an operand.
Operand whole_product(Graph& graph, const std::vector<Size>& labels, const Monomial& m);

/// A function over just the labels that its operands use, read at them.
Operand call_on_used(Graph& graph, const std::vector<Size>& labels, Function f, std::vector<Operand> operands);

}  // namespace gradus::rules
