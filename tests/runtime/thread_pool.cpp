// The pool runs every piece once, in every round.
#include "runtime/thread_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>

using namespace gradus;

TEST_CASE("every piece runs once, on a thread that exists") {
  for (const unsigned threads : {1u, 2u, 5u}) {
    ThreadPool pool(threads);
    CHECK(pool.size() == threads);
    for (int round = 0; round < 200; ++round) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(round));
      std::atomic<bool> legal = true;
      pool.run(round, [&](std::int64_t piece, unsigned thread) {
        ++runs[static_cast<std::size_t>(piece)];
        if (thread >= threads) legal = false;
      });
      CHECK(legal);
      for (const auto& count : runs) REQUIRE(count == 1);
    }
  }
}

TEST_CASE("there is at least one core") { CHECK(available_cores() >= 1); }
