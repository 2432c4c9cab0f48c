// Measures every function of the table against its row's value in high precision: the largest error in units of the
// last place over samples of the whole domain. `bench_accuracy [samples [function]]`.
#include "tests/codegen/accuracy.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

using namespace gradus;
using namespace gradus::testing;

int main(int count, char** arguments) {
  const std::size_t samples = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 20'000;
  std::printf("| function | promised | measured | at |\n| --- | --- | --- | --- |\n");
  for (std::size_t k = 0; k < function_count(); ++k) {
    const auto f = static_cast<Function>(k);
    const FunctionRow& r = row(f);
    if (r.arity == 0 || r.condition || domain_of(f).empty()) continue;
    if (count > 2 && r.name != arguments[2]) continue;
    const Worst worst = worst_error(f, samples, 2024);
    std::printf("| %s | %g | %.3f |", std::string(r.name).c_str(), promised_accuracy(f), worst.error);
    for (std::size_t i = 0; worst.error > 0 && i < r.arity; ++i) std::printf("%s %a", i == 0 ? "" : ",", worst.at[i]);
    std::printf(" |\n");
    std::fflush(stdout);
  }
}
