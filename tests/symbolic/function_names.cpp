// The list of function names for help lines against the functions that there are.
#include <doctest/doctest.h>

#include <algorithm>

#include "frontend/foreign_functions.hpp"
#include "symbolic/elaborate/context.hpp"
#include "symbolic/elaborate/evaluate.hpp"

using namespace gradus;

TEST_CASE("the functions that help lines name are functions, and none that people call is left out") {
  const std::vector<std::string>& names = function_names();
  CHECK(std::ranges::is_sorted(names));
  for (const std::string& name : names) {
    CAPTURE(name);
    CHECK((elaboration::is_language_function(name) || name == "stop_gradient"));
  }
  for (const std::string& name : elaboration::Evaluator::array_function_names()) {
    CAPTURE(name);
    CHECK(is_function_name(name));
  }
}
