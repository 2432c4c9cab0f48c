// The hand kernel: vectors of 8 doubles by compiler extension, four rows in the dot products, tiles of 8 rows.
#include "bench/hand/logistic.hpp"

#include <cstring>

namespace gradus::bench {
namespace {

using Vector = double __attribute__((vector_size(64), aligned(8), may_alias));
using Integers = std::int64_t __attribute__((vector_size(64)));

Vector splat(double v) { return Vector{v, v, v, v, v, v, v, v}; }
Vector load(const double* p) { return *reinterpret_cast<const Vector*>(p); }
void store(double* p, Vector v) { *reinterpret_cast<Vector*>(p) = v; }

// The first `count` < 8 elements, zeros behind.
Vector load_part(const double* p, std::int64_t count) {
  double padded[8] = {};
  std::memcpy(padded, p, static_cast<std::size_t>(count) * sizeof(double));
  return load(padded);
}

double fold(Vector v) { return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7])); }

// exp(x) for x <= 0, about 1 ULP.
Vector exp_of_negative(Vector x) {
  x = x < splat(-708) ? splat(-708) : x;
  const Vector shift = splat(0x1.8p52), shifted = x * 1.4426950408889634 + shift, n = shifted - shift;
  const Vector r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  constexpr double c[] = {1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120,
                          1.0 / 24,      1.0 / 6,      0.5,         1,          1};
  Vector p = splat(1.0 / 39916800);
  for (const double k : c) p = p * r + k;
  const Integers power = ((Integers)shifted << 52) + 0x3ff0000000000000;
  return p * (Vector)power;
}

// log(1 + e) for e between 0 and 1.
Vector log1p_of_unit(Vector e) {
  const Vector s = e / (e + 2.0), square = s * s;
  Vector p = splat(1.0 / 33);
  for (int k = 31; k >= 1; k -= 2) p = p * square + 1.0 / k;
  return 2.0 * s * p;
}

void dot_four(const double* x, const double* w, std::int64_t d, double* z) {
  Vector sum[4] = {}, odd[4] = {};
  std::int64_t j = 0;
  for (; j + 16 <= d; j += 16)
    for (int r = 0; r < 4; ++r) {
      sum[r] += load(x + r * d + j) * load(w + j);
      odd[r] += load(x + r * d + j + 8) * load(w + j + 8);
    }
  for (; j + 8 <= d; j += 8)
    for (int r = 0; r < 4; ++r) sum[r] += load(x + r * d + j) * load(w + j);
  if (j < d)
    for (int r = 0; r < 4; ++r) sum[r] += load_part(x + r * d + j, d - j) * load_part(w + j, d - j);
  for (int r = 0; r < 4; ++r) z[r] = fold(sum[r] + odd[r]);
}

template <int vectors>
std::int64_t update_wide(const double* x, const double* r, double* g, std::int64_t d, std::int64_t j) {
  for (; j + 8 * vectors <= d; j += 8 * vectors) {
    Vector a[vectors];
    for (int k = 0; k < vectors; ++k) a[k] = load(g + j + 8 * k);
    for (int t = 0; t < 8; ++t)
      for (int k = 0; k < vectors; ++k) a[k] += splat(r[t]) * load(x + t * d + j + 8 * k);
    for (int k = 0; k < vectors; ++k) store(g + j + 8 * k, a[k]);
  }
  return j;
}

void update(const double* x, const double* r, double* g, std::int64_t d) {
  std::int64_t j = update_wide<4>(x, r, g, d, 0);
  j = update_wide<2>(x, r, g, d, j);
  j = update_wide<1>(x, r, g, d, j);
  for (; j < d; ++j)
    for (int t = 0; t < 8; ++t) g[j] += r[t] * x[t * d + j];
}

struct Sums {
  Vector loss = {}, bias = {};
};

void residuals(const double* z, const double* y, double b, double* r, Sums& sums) {
  const Vector margin = load(z) + b, label = load(y), zero = {};
  const Vector e = exp_of_negative(margin < zero ? margin : -margin);
  sums.loss += (margin > zero ? margin : zero) + log1p_of_unit(e) - label * margin;
  const Vector inverse = 1.0 / (1.0 + e), p = margin >= zero ? inverse : e * inverse;
  store(r, p - label);
  sums.bias += p - label;
}

}  // namespace

double hand_logistic(const double* x, const double* y, const double* w, double b, double* grad_w, double* grad_b,
                     std::int64_t n, std::int64_t d) {
  std::memset(grad_w, 0, static_cast<std::size_t>(d) * sizeof(double));
  Sums sums;
  double z[8], r[8];
  const bool short_rows = d < 512;
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const double* const tile = x + i * d;
    dot_four(tile, w, d, z);
    dot_four(tile + 4 * d, w, d, z + 4);
    if (short_rows)
      for (int k = 0; k < 2048; k += 64) __builtin_prefetch(reinterpret_cast<const char*>(tile + 8 * d) + k);
    residuals(z, y + i, b, r, sums);
    update(tile, r, grad_w, d);
  }
  double loss = fold(sums.loss), bias = fold(sums.bias);
  for (; i < n; ++i) {  // rows that are left, by a tile of their own with zeros behind
    double margin = 0;
    for (std::int64_t j = 0; j < d; ++j) margin += x[i * d + j] * w[j];
    Sums one;
    double all[8] = {margin}, label[8] = {y[i]};
    residuals(all, label, b, r, one);
    for (std::int64_t j = 0; j < d; ++j) grad_w[j] += r[0] * x[i * d + j];
    loss += one.loss[0];
    bias += r[0];
  }
  *grad_b = bias;
  return loss;
}

double pure_read(const double* x, std::int64_t count) {
  Vector sum[8] = {};
  std::int64_t i = 0;
  for (; i + 64 <= count; i += 64)
    for (int k = 0; k < 8; ++k) sum[k] += load(x + i + 8 * k);
  double rest = 0;
  for (; i < count; ++i) rest += x[i];
  for (int k = 1; k < 8; ++k) sum[0] += sum[k];
  return fold(sum[0]) + rest;
}

}  // namespace gradus::bench
