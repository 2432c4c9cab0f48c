// Names as identifiers of C.
#include "runtime/c_names.hpp"

#include <doctest/doctest.h>

using namespace gradus;

TEST_CASE("names become identifiers that C and C++ take") {
  CHECK(c_identifier("w") == "w");
  CHECK(c_identifier("lambda") == "lambda_");
  CHECK(c_identifier("int") == "int_");
  CHECK(c_identifier("class") == "class_");
  CHECK(c_identifier("grö_e") == "gr_u00F6_e");
  CHECK(c_identifier("mu0") == "mu0");
  CHECK(c_prefix("logistic") == "logistic");
  CHECK(c_prefix("my-model.v2") == "my_model_v2");
  CHECK(c_prefix("2layer") == "formula_2layer");
}

TEST_CASE("a taken name gets another underscore") {
  CScope scope;
  CHECK(scope.unique("workspace") == "workspace");
  CHECK(scope.unique("workspace") == "workspace_");
  CHECK(scope.unique("workspace") == "workspace__");
}
