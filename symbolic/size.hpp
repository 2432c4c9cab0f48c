// Symbolic sizes: polynomials over size names in normal form, with min and max as opaque atoms.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gradus {

/// A handle to a polynomial of a Sizes table. Two sizes are equal exactly when their handles are.
struct Size {
  std::uint32_t id = 0;  // 0 is the constant 0
  friend constexpr auto operator<=>(Size, Size) = default;
};

/// A handle to an atom: a size name, or a min / max of two sizes.
struct SizeAtom {
  std::uint32_t id = 0;
  friend constexpr auto operator<=>(SizeAtom, SizeAtom) = default;
};

/// The interned sizes of one compilation.
class Sizes {
 public:
  Sizes();

  Size constant(std::int64_t value);
  /// The size of that name (its canonical spelling); created on first use.
  Size symbol(const std::string& name);
  Size add(Size a, Size b);
  Size subtract(Size a, Size b);
  Size multiply(Size a, Size b);
  Size scale(Size a, std::int64_t factor);
  Size minimum(Size a, Size b);
  Size maximum(Size a, Size b);
  /// The quotient when `a` is `b` times a size, exactly.
  std::optional<Size> divide(Size a, Size b);

  std::optional<std::int64_t> as_constant(Size a) const;
  /// The name when the size is one bare size name.
  std::optional<std::string> as_symbol(Size a) const;
  bool is_zero(Size a) const { return a.id == 0; }
  bool is_one(Size a) const { return as_constant(a) == 1; }

  /// Records that `a >= 0` holds in this program (for instance n - 1, the size of a declared axis).
  void assume_nonnegative(Size a);
  /// Whether `a >= 0` is certain for every legal value of the size names (they are at least 0, assumptions hold).
  bool is_nonnegative(Size a) const;
  /// Whether `a < 0` is certain.
  bool is_negative(Size a) const;

  /// The size names a size depends on, in order of their creation.
  std::vector<std::string> names(Size a) const;
  /// The value at given values of the names; nothing when a name is missing or the value does not fit 62 bits.
  std::optional<std::int64_t> evaluate(Size a, const std::map<std::string, std::int64_t>& values) const;
  /// As in messages: `n`, `n-1`, `2*k`, `n*q`.
  std::string to_string(Size a) const;

  /// The structure, for code generation: a sum of coefficient × product of atoms (an atom may repeat).
  struct Term {
    std::vector<SizeAtom> atoms;  // sorted
    std::int64_t coefficient = 0;
    friend auto operator<=>(const Term&, const Term&) = default;
  };
  std::span<const Term> terms(Size a) const { return polynomials_[a.id]; }
  enum class AtomKind : std::uint8_t { name, minimum, maximum };
  struct Atom {
    AtomKind kind = AtomKind::name;
    std::string name;
    Size a, b;
    friend auto operator<=>(const Atom&, const Atom&) = default;
  };
  const Atom& atom(SizeAtom a) const { return atoms_[a.id]; }

 private:
  using Polynomial = std::vector<Term>;
  Size intern(Polynomial terms);
  Size intern(const Atom& atom);

  std::vector<Polynomial> polynomials_;
  std::map<Polynomial, std::uint32_t> index_;
  std::vector<Atom> atoms_;
  std::map<Atom, std::uint32_t> atom_index_;
  std::vector<Size> nonnegative_;
};

}  // namespace gradus
