// Planned programs give the same bits compiled as interpreted, for both widths of vectors.
#include <bit>
#include <cstdlib>

#include "codegen/backend.hpp"
#include "tests/codegen/random_graph.hpp"

using namespace gradus;
using namespace gradus::testing;

namespace {

void check_bits(Model& model, const std::vector<Expr>& roots, const std::vector<SizeValues>& sizes) {
  const loops::Program program = plan(model, roots);
  std::string error;
  Backend* const backend = open_backend(error);
  REQUIRE_MESSAGE(backend != nullptr, error);
  for (const char* cpu : {"native", "x86-64-v3"}) {
    CAPTURE(cpu);
    const auto executable = backend->compile(program, {"", cpu}, error);
    REQUIRE_MESSAGE(executable != nullptr, error);
    std::uint32_t seed = 1;
    for (const auto& s : sizes) {
      const Bindings b = random_bindings(model, s, seed++);
      const Ran expected = run_program(program, model, roots, b),
                got = run_program(program, model, roots, b, executable.get());
      REQUIRE(got.result.code == expected.result.code);
      for (std::size_t k = 0; k < roots.size(); ++k) {
        CAPTURE(k);
        bool same = true;
        for (std::size_t i = 0; i < got.outputs[k].values.size(); ++i) {
          const double x = got.outputs[k].values[i], y = expected.outputs[k].values[i];
          same &=
              std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y) || (std::isnan(x) && std::isnan(y));
        }
        CHECK(same);
      }
    }
  }
}

}  // namespace

TEST_CASE("compiled random graphs give the interpreter's bits, whatever the order of blocks") {
  const char* const chosen = std::getenv("GRADUS_SEED");
  const char* const many = std::getenv("GRADUS_SEEDS");
  const std::uint32_t first = chosen != nullptr ? static_cast<std::uint32_t>(std::atoi(chosen)) : 1;
  const std::uint32_t count = many != nullptr ? static_cast<std::uint32_t>(std::atoi(many)) : 4;
  for (std::uint32_t seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    RandomGraph random(seed);
    check_bits(random.c.model, random.roots(),
               {{{"n", 9}, {"m", 5}, {"k", 3}}, {{"n", 333}, {"m", 17}, {"k", 1}}, {{"n", 0}, {"m", 0}, {"k", 1}}});
  }
}
