// Gradients of index forms: what random formulas found, as values and as text that reads back.
#include "symbolic/derive.hpp"
#include "symbolic/print.hpp"
#include "tests/close.hpp"
#include "tests/symbolic/elaboration.hpp"

namespace gradus::testing {
namespace {

/// The errors of reading a gradient's text back; empty when there are none.
std::string reading_back(const std::string& text) {
  Elaborated e = elaborated(text);
  INFO(text << "\n" << diagnostics_text(e, text));
  REQUIRE(e.model);
  const std::string printed = print(*e.model, derive(*e.model), Form::text);
  const std::string error = error_of(printed);
  return error.empty() ? error : error + "\n" + printed;
}

}  // namespace

TEST_CASE("parts that a condition protects have no line of their own") {
  CHECK(reading_back("data c[n] : index(d)\nparam W[n, d], u[n]\n"
                     "loss = sum[i in 0..n-1 : u[i+1] > 0.1](norm[j in 0..n : u[i+1] > 0.1](W[i+1, c[i]]))*u[0]") ==
        "");
  CHECK(reading_back("data c[n] : index(d)\nparam W[n, d]\n"
                     "loss = prod[i in 0..n-1 : W[i+1, c[i]] > 0.1](W[i+1, c[i]])") == "");
}

TEST_CASE("filters that always hold are no filters") {
  CHECK(reading_back("param u[n]\nloss = prod[i : 0.7 > 0.1](u[i]) + norm[i : 1 < 2](u[i])") == "");
}

TEST_CASE("softmax along an index that its value does not have is constant") {
  Elaborated e = elaborated("param u\nloss = norm(softmax(u*ones(3))) + norm[i in 0..2](softmax[i](sin(u)))");
  REQUIRE(e.model);
  const Derived derived = derive(*e.model);
  Bindings bindings;
  bindings.inputs[0] = scalar(0.75);
  const Array g = evaluate_reference(e.model->graph, {derived.losses.at(0).derivatives.at(0).expr}, bindings)[0];
  CHECK(std::abs(g.values[0]) < 1e-30);
}

}  // namespace gradus::testing
