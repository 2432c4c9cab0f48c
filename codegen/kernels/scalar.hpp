// The operations kernels are written in, for one double. codegen/llvm/ has the same for values of the IR builder.
//
// Each rounds to nearest once (or is exact), so a kernel gives the same bits in every lane of every machine.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace gradus::kernels {

// Functions of libm.
enum class Libm {
#define GRADUS_LIBM(name, arity) name,
#include "codegen/kernels/libm.def"
#undef GRADUS_LIBM
};

inline double splat(double, double value) { return value; }
inline std::uint64_t splat_bits(double, std::uint64_t value) { return value; }
inline std::uint64_t to_bits(double x) { return std::bit_cast<std::uint64_t>(x); }
inline double from_bits(std::uint64_t x) { return std::bit_cast<double>(x); }

inline double fma(double a, double b, double c) { return std::fma(a, b, c); }
inline double absolute(double x) { return std::fabs(x); }
inline double square_root(double x) { return std::sqrt(x); }
inline double floor(double x) { return std::floor(x); }
inline double ceil(double x) { return std::ceil(x); }
inline double round_even(double x) { return std::nearbyint(x); }

inline bool less(double a, double b) { return a < b; }
inline bool less_equal(double a, double b) { return a <= b; }
inline bool equal(double a, double b) { return a == b; }
inline bool is_nan(double x) { return x != x; }
inline bool both(bool a, bool b) { return a && b; }
inline bool either(bool a, bool b) { return a || b; }
inline bool opposite(bool a) { return !a; }
inline double select(bool c, double a, double b) { return c ? a : b; }

/// A function of libm; of one argument, `b` is not looked at.
double libm(Libm f, double a, double b);
/// `usual`, but the function of libm of x where `rare` holds.
inline double rarely(bool rare, Libm f, double x, double usual) { return rare ? libm(f, x, x) : usual; }

}  // namespace gradus::kernels
