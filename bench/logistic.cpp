// Times the loop form of logistic loss and gradient beside a pure read of X and the hand kernel, interleaved.
#include "bench/hand/logistic.hpp"

#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/logistic_form.hpp"
#include "codegen/backend.hpp"

using namespace gradus;

namespace {

// Time of this thread alone: other work on the machine does not count.
double now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Memory in huge pages where the system has them.
double* huge(std::size_t count) {
  constexpr std::size_t page = std::size_t{2} << 20;
  const std::size_t bytes = (count * sizeof(double) + page - 1) / page * page;
  void* const memory = std::aligned_alloc(page, bytes);
  madvise(memory, bytes, MADV_HUGEPAGE);
  return static_cast<double*>(memory);
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

struct Data {
  std::int64_t n, d;
  double *x, *y;
  std::vector<double> w, grad;
  double b = 0.1, loss = 0, grad_b = 0;
};

Data make(std::int64_t n, std::int64_t d) {
  Data data{n, d, huge(static_cast<std::size_t>(n * d)), huge(static_cast<std::size_t>(n)), {}, {}};
  std::uint64_t state = 88172645463325252u;
  const auto unit = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state >> 11) * 0x1p-53;
  };
  for (std::int64_t k = 0; k < n * d; ++k) data.x[k] = 2 * unit() - 1;
  for (std::int64_t k = 0; k < n; ++k) data.y[k] = unit() < 0.5 ? 0 : 1;
  for (std::int64_t j = 0; j < d; ++j) data.w.push_back(unit() - 0.5);
  data.grad.resize(static_cast<std::size_t>(d));
  return data;
}

struct Candidate {
  std::string name;
  std::unique_ptr<bench::Logistic> form;
  std::unique_ptr<Executable> code;
  std::vector<double> times;
};

void call(const Candidate& c, Data& data, void* workspace) {
  const std::int64_t sizes[] = {data.n, data.d};
  const void* inputs[] = {data.x, data.y, data.w.data(), &data.b};
  double* outputs[] = {&data.loss, data.grad.data(), &data.grad_b};
  for (std::size_t p = 0; p < c.form->program.phases.size(); ++p) {
    const std::int64_t count = c.code->block_count(p, sizes);
    for (std::int64_t k = 0; k < count; ++k) c.code->run(p, k, sizes, inputs, outputs, workspace, nullptr);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) {
    std::puts("usage: logistic ROWS COLUMNS [ROUNDS [CPU [all]]]");
    return 2;
  }
  Data data = make(std::atoll(words[1]), std::atoll(words[2]));
  const int rounds = count > 3 ? std::atoi(words[3]) : 15;
  std::string error;
  Backend* const backend = open_backend(error);
  if (!backend) {
    std::puts(error.c_str());
    return 1;
  }
  std::vector<bench::Shape> shapes = {{}};
  const TargetOptions target = {"", count > 4 ? words[4] : "native"};
  if (count > 5) {
    shapes.clear();
    for (const int rows : {8, 4})
      for (const int columns : {2, 4})
        for (const int unroll : {1, 2})
          for (const std::int64_t prefetch : {0, 1024, 2048}) shapes.push_back({8192, rows, columns, unroll, prefetch});
  }
  std::vector<Candidate> candidates;
  for (const bench::Shape& s : shapes) {
    Candidate c;
    c.name = "rows " + std::to_string(s.rows) + " columns " + std::to_string(s.columns) + " unroll " +
             std::to_string(s.unroll) + " prefetch " + std::to_string(s.prefetch);
    c.form = bench::logistic_form(s);
    if (const std::string wrong = loops::check(c.form->program); !wrong.empty()) {
      std::puts(wrong.c_str());
      return 1;
    }
    c.code = backend->compile(c.form->program, target, error);
    if (!c.code) {
      std::puts(error.c_str());
      return 1;
    }
    candidates.push_back(std::move(c));
  }
  loops::Memory memory;
  loops::memory_needed(candidates[0].form->program, {data.n, data.d}, memory);
  double* const workspace = huge(static_cast<std::size_t>(memory.workspace) / 8 + 8);
  std::vector<double> read, hand;
  std::vector<double> hand_grad(data.grad.size());
  double sink = 0, hand_b = 0, hand_loss = 0;
  for (int round = 0; round < rounds; ++round) {
    // Small data are gone through several times a sample.
    const std::int64_t repeats = std::max<std::int64_t>(1, 10'000'000 / (data.n * data.d));
    const auto time = [&](std::vector<double>& to, auto&& f) {
      const double start = now();
      for (std::int64_t k = 0; k < repeats; ++k) f();
      to.push_back((now() - start) / static_cast<double>(repeats));
    };
    time(read, [&] { sink += bench::pure_read(data.x, data.n * data.d); });
    for (Candidate& c : candidates) time(c.times, [&] { call(c, data, workspace); });
    time(read, [&] { sink += bench::pure_read(data.x, data.n * data.d); });
    time(hand, [&] {
      hand_loss =
          bench::hand_logistic(data.x, data.y, data.w.data(), data.b, hand_grad.data(), &hand_b, data.n, data.d);
    });
  }
  const double bytes = static_cast<double>(data.n * data.d) * 8;
  const double best = median(read);
  double worst = std::fabs(data.loss - hand_loss / static_cast<double>(data.n));
  for (std::size_t j = 0; j < hand_grad.size(); ++j)
    worst = std::max(worst, std::fabs(data.grad[j] - hand_grad[j] / static_cast<double>(data.n)));
  std::printf("pure read %.2f GB/s; hand %.2f GB/s, %.3f of it; largest difference from hand %.1e (%g)\n",
              bytes / best * 1e-9, bytes / median(hand) * 1e-9, best / median(hand), worst, sink);
  for (const Candidate& c : candidates)
    std::printf("%-45s %.2f GB/s, %.3f of a pure read, %.3f of hand\n", c.name.c_str(), bytes / median(c.times) * 1e-9,
                best / median(c.times), median(hand) / median(c.times));
}
