// The bench: loss, gradient and pure read take turns, so that all three see the same machine.
#include "runtime/bench.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>

#include "codegen/plan/expand.hpp"
#include "runtime/evaluate.hpp"

namespace gradus {
namespace {

using Vector = double __attribute__((vector_size(64)));

/// Sums what it reads with enough independent additions to be bound by memory alone.
__attribute__((target_clones("avx512f", "avx2", "default"))) double read_all(const double* data, std::size_t count) {
  constexpr std::size_t lanes = 8, ways = 4;
  Vector sums[ways] = {};
  std::size_t k = 0;
  for (; k + lanes * ways <= count; k += lanes * ways) {
    for (std::size_t w = 0; w < ways; ++w) {
      Vector value;
      std::memcpy(&value, data + k + w * lanes, sizeof value);
      sums[w] += value;
    }
  }
  const Vector all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  double total = 0;
  for (std::size_t l = 0; l < lanes; ++l) total += all[l];
  for (; k < count; ++k) total += data[k];
  return total;
}

/// Large arrays move to huge pages, for the formula and for the pure read alike.
void use_huge_pages(Array& array) {
  constexpr std::size_t huge = std::size_t{2} << 20;
  const std::size_t bytes = array.values.size() * sizeof(double);
  if (bytes < 2 * huge) return;
  void* first = array.values.data();
  std::size_t left = bytes;
  if (std::align(huge, huge, first, left) == nullptr) return;
  const std::size_t whole = left / huge * huge;
  // The pages are there already as small ones: ask, drop them, and write the numbers again.
  const std::vector<double> copy(array.values);
  madvise(first, whole, MADV_HUGEPAGE);
  madvise(first, whole, MADV_DONTNEED);
  std::ranges::copy(copy, array.values.begin());
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

template <class Work>
double seconds_of(Work&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Reads all arrays, in pieces spread over the pool.
class PureRead {
 public:
  explicit PureRead(const Bindings& bindings) {
    constexpr std::size_t piece = std::size_t{1} << 17;  // 1 MB
    for (const auto& [number, array] : bindings.inputs) {
      for (std::size_t at = 0; at < array.values.size(); at += piece) {
        pieces_.emplace_back(array.values.data() + at, std::min(piece, array.values.size() - at));
      }
    }
    sums_.resize(pieces_.size());
  }
  void run(ThreadPool& pool) {
    pool.run(static_cast<std::int64_t>(pieces_.size()), [&](std::int64_t piece, unsigned) {
      const auto [data, count] = pieces_[static_cast<std::size_t>(piece)];
      sums_[static_cast<std::size_t>(piece)] = read_all(data, count);
    });
    for (const double sum : sums_) kept_ = kept_ + sum;
  }

 private:
  std::vector<std::pair<const double*, std::size_t>> pieces_;
  std::vector<double> sums_;
  volatile double kept_ = 0;  // so that the reads happen
};

std::int64_t rows_of(const Model& model, const Bindings& bindings) {
  std::int64_t rows = 0;
  std::size_t most = 0;
  for (const auto& [number, array] : bindings.inputs) {
    const bool data = number < model.inputs.size() && model.inputs[number].role == Input::Role::data;
    if (!data || array.shape.empty() || array.values.size() < most) continue;
    most = array.values.size();
    rows = std::max(rows, array.shape[0]);
  }
  return rows;
}

}  // namespace

double count_operations(const Model& model, const std::vector<Expr>& roots,
                        const std::map<std::string, std::int64_t>& sizes) {
  double total = 0;
  for (const Expr e : model.graph.reachable(roots)) {
    const Node& node = model.graph[e];
    if (node.operands.empty() || node.kind == Kind::reshape || node.kind == Kind::order) continue;
    const double elements = steps_of(model.graph, node, sizes);
    const bool reduces = node.labels.size() > node.rank;
    double each = 1;
    if (node.kind == Kind::sum) each = static_cast<double>(node.operands.size() - 1);
    if (node.kind == Kind::contraction) each = static_cast<double>(node.operands.size() - 1) + (reduces ? 1 : 0);
    if (node.kind == Kind::softmax) each = 3;
    total += elements * each;
  }
  return total;
}

std::optional<BenchReport> bench(Model& model, const DeriveOptions& derive_by, Bindings& bindings,
                                 const BenchOptions& options, Diagnostics& diagnostics) {
  const Derived derived = derive(model, derive_by);
  std::vector<Expr> losses, all;
  const auto add = [&](const DerivedValue& value) {
    losses.push_back(value.value);
    all.push_back(value.value);
    for (const Derivative& derivative : value.derivatives) all.push_back(derivative.expr);
  };
  for (const DerivedValue& loss : derived.losses) add(loss);
  if (derived.losses.empty()) {
    for (const DerivedValue& output : derived.outputs) add(output);
  }
  constexpr double calls = 6;  // the fewest of loss and gradient, in passes over both
  if (!is_quick_enough(model, planning::expand(model.graph, all), bindings, options.limit, calls, diagnostics))
    return std::nullopt;
  const Compiled loss_code = compile(model, losses, derived.checks), grad_code = compile(model, all, derived.checks);
  BenchReport report;
  if (!grad_code.note.empty()) report.notes = grad_code.note + "\n";
  for (auto& [number, array] : bindings.inputs) use_huge_pages(array);
  ThreadPool pool(options.threads);
  Call loss(loss_code, model, losses, bindings, pool.size(), diagnostics);
  Call grad(grad_code, model, all, bindings, pool.size(), diagnostics);
  if (!loss.good() || !grad.good()) return std::nullopt;
  PureRead read(bindings);
  for (Call* call : {&loss, &grad}) {  // once to warm up, and to see that the values can be evaluated
    const loops::Result result = call->run(pool);
    if (result.code == loops::Code::ok) continue;
    report_failure(model, result, bindings, diagnostics);
    return std::nullopt;
  }
  std::vector<double> loss_times, grad_times, read_times;
  const auto begin = std::chrono::steady_clock::now();
  constexpr std::size_t fewest = 5, most = 1000000;
  do {
    read_times.push_back(seconds_of([&] { read.run(pool); }));
    grad_times.push_back(seconds_of([&] { grad.run(pool); }));
    loss_times.push_back(seconds_of([&] { loss.run(pool); }));
  } while (grad_times.size() < fewest ||
           (std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < options.seconds &&
            grad_times.size() < most));
  report.loss_seconds = median(loss_times);
  report.grad_seconds = median(grad_times);
  report.read_seconds = median(read_times);
  report.compile_seconds = grad_code.seconds;
  report.input_bytes = grad.input_bytes();
  report.rows = rows_of(model, bindings);
  report.flops = count_operations(model, all, bindings.sizes);
  report.calls = static_cast<int>(grad_times.size());
  return report;
}

}  // namespace gradus
