// Random graphs: planned programs against the reference.
#include "symbolic/graph.hpp"
#include "tests/codegen/random_graph.hpp"

using namespace gradus;
using namespace gradus::testing;

TEST_CASE("planned random graphs have the reference's values") {
  const char* const chosen = std::getenv("GRADUS_SEED");
  const std::uint32_t first = chosen != nullptr ? static_cast<std::uint32_t>(std::atoi(chosen)) : 1;
  const char* const many = std::getenv("GRADUS_SEEDS");
  const std::uint32_t count = many != nullptr ? static_cast<std::uint32_t>(std::atoi(many)) : 60;
  for (std::uint32_t seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    RandomGraph random(seed);
    const std::vector<Expr> roots = random.roots();
    REQUIRE(verify_graph(random.c.g, roots) == "");
    if (std::getenv("GRADUS_DUMP") != nullptr)
      for (const Expr e : random.c.g.reachable(roots)) MESSAGE(debug_text(random.c.g, e));
    std::mt19937 sizes(seed);
    const auto size = [&](int most) { return static_cast<std::int64_t>(sizes() % static_cast<std::uint32_t>(most)); };
    check_plan(random.c.model, roots,
               {{{"n", 1 + size(12)}, {"m", 1 + size(5)}, {"k", 1 + size(4)}},
                {{"n", 17 + size(8)}, {"m", 3}, {"k", 9}},
                {{"n", 2}, {"m", 0}, {"k", 1}},
                {{"n", 0}, {"m", 0}, {"k", 1}},
                {{"n", 140}, {"m", 1}, {"k", 1}}},
               1e-10, 1);
  }
}
