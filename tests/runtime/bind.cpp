// Sizes from arrays, shapes, index data, defaults and fills.
#include "runtime/bind.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "runtime/json.hpp"

using namespace gradus;

namespace {

Input input(Model& model, const std::string& name, std::vector<Size> shape, Input::Role role = Input::Role::data) {
  Input out;
  out.name = out.key = name;
  out.role = role;
  out.shape = shape;
  out.expr = model.graph.input(static_cast<std::uint32_t>(model.inputs.size()), shape);
  return out;
}

/// data X[n, d], y[n], z[2*k], c[n] : index(m)  param w[d], b  const lambda = 0.5
Model example() {
  Model model;
  Sizes& sizes = model.graph.sizes();
  const Size n = sizes.symbol("n"), d = sizes.symbol("d"), k = sizes.symbol("k"), m = sizes.symbol("m");
  model.size_names = {"n", "d", "k", "m"};
  const auto add = [&](Input one) { model.inputs.push_back(std::move(one)); };
  add(input(model, "X", {n, d}));
  add(input(model, "y", {n}));
  add(input(model, "z", {sizes.scale(k, 2)}));
  Input c = input(model, "c", {n});
  c.index_bound = m;
  add(c);
  add(input(model, "w", {d}, Input::Role::param));
  Input lambda = input(model, "lambda", {}, Input::Role::constant);
  lambda.default_value = model.graph.constant(Rational::ratio(1, 2));
  add(lambda);
  return model;
}

std::vector<Given> given(const std::vector<std::pair<std::string, std::string>>& words) {
  std::vector<Given> out;
  for (const auto& [name, text] : words) {
    Given one{name, {}};
    std::string error;
    REQUIRE(parse_value(text, one.value, error));
    out.push_back(one);
  }
  return out;
}

/// The sizes and the shapes, or the messages.
std::string bound(const std::vector<std::pair<std::string, std::string>>& words, const BindOptions& options = {}) {
  const Model model = example();
  Diagnostics diagnostics;
  const auto bindings = bind_inputs(model, given(words), options, diagnostics);
  if (!bindings) return render(diagnostics, nullptr, DiagnosticForm::text, false);
  std::string out;
  for (const auto& [name, value] : bindings->sizes) out += name + "=" + std::to_string(value) + " ";
  return out;
}

const std::vector<std::pair<std::string, std::string>> good = {
    {"X", "[1, 2; 3, 4; 5, 6]"}, {"y", "[1, 2, 3]"}, {"z", "[1, 2, 3, 4]"},
    {"c", "[0, 1, 0]"},          {"w", "[1, 1]"},    {"m", "2"}};

std::vector<std::pair<std::string, std::string>> with(const std::string& name, const std::string& value) {
  auto out = good;
  std::erase_if(out, [&](const auto& word) { return word.first == name; });
  if (!value.empty()) out.emplace_back(name, value);
  return out;
}

bool mentions(const std::string& text, std::initializer_list<std::string_view> parts) {
  INFO(text);
  for (const std::string_view part : parts) {
    INFO(part);
    if (text.find(part) == std::string::npos) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("sizes follow from the shapes of arrays, affine entries too") {
  CHECK(bound(good) == "d=2 k=2 m=2 n=3 ");
  CHECK(bound(with("n", "3")) == "d=2 k=2 m=2 n=3 ");
  CHECK(bound({{"X", "normal"},
               {"y", "zeros"},
               {"z", "ones"},
               {"c", "uniform"},
               {"w", "normal"},
               {"n", "4"},
               {"d", "3"},
               {"k", "1"},
               {"m", "2"}}) == "d=3 k=1 m=2 n=4 ");
}

TEST_CASE("sizes that disagree are one error that names both") {
  CHECK(mentions(bound(with("y", "[1, 2, 3, 4]")), {"y has length 4", "n = 3", "X", "[3, 2]"}));
  CHECK(mentions(bound(with("n", "5")), {"n = 5", "n is given as 5", "X"}));
  CHECK(mentions(bound(with("z", "[1, 2, 3]")), {"z has length 3", "2*k"}));
}

TEST_CASE("values of a wrong shape, missing values, unknown sizes") {
  CHECK(mentions(bound(with("X", "[1, 2]")), {"value of X is [2]", "X[n, d]"}));
  CHECK(mentions(bound(with("lambda", "[1, 2]")), {"lambda", "a const is a scalar"}));
  CHECK(mentions(bound(with("y", "")), {"no value is given for y[n]", "y=…"}));
  CHECK(mentions(bound(with("m", "")), {"size m", "index(m)", "m=…", "dim m"}));
  CHECK(mentions(bound(with("m", "1.5")), {"m is a size", "1.5"}));
  CHECK(mentions(bound(with("m", "-1")), {"m is a size", "-1"}));
}

TEST_CASE("index data are whole and in range; the element is named") {
  CHECK(mentions(bound(with("c", "[0, 1.5, 0]")), {"c[1] is 1.5", "whole"}));
  CHECK(mentions(bound(with("c", "[0, 1, 2]")), {"c[2] is 2", "0 <= c < m = 2"}));
  CHECK(mentions(bound(with("c", "[0, -1, 0]")), {"c[1] is -1"}));
  CHECK(mentions(bound(with("c", "[0, nan, 0]")), {"c[1] is nan"}));
}

TEST_CASE("consts have their defaults, and fills depend on the seed only") {
  const Model model = example();
  Diagnostics diagnostics;
  BindOptions options;
  const auto words = given({{"X", "normal"},
                            {"y", "uniform"},
                            {"z", "ones"},
                            {"c", "uniform"},
                            {"w", "zeros"},
                            {"n", "50"},
                            {"d", "2"},
                            {"k", "1"},
                            {"m", "3"}});
  const auto first = bind_inputs(model, words, options, diagnostics),
             again = bind_inputs(model, words, options, diagnostics);
  options.seed = 1;
  const auto other = bind_inputs(model, words, options, diagnostics);
  REQUIRE(first);
  REQUIRE(again);
  REQUIRE(other);
  CHECK(first->inputs.at(5).values.at(0) == 0.5);
  CHECK(first->inputs.at(0).values == again->inputs.at(0).values);
  CHECK(first->inputs.at(0).values != other->inputs.at(0).values);
  bool seen[3] = {};
  for (const double c : first->inputs.at(3).values) {
    REQUIRE((c == 0 || c == 1 || c == 2));
    seen[static_cast<int>(c)] = true;
  }
  CHECK((seen[0] && seen[1] && seen[2]));
}

TEST_CASE("requirements on sizes are checked at the values at hand") {
  Model model = example();
  Sizes& sizes = model.graph.sizes();
  model.requirements.push_back(
      {sizes.subtract(sizes.symbol("n"), sizes.constant(5)), false, "x[n-5] needs n >= 5", Span::none()});
  Diagnostics diagnostics;
  CHECK(!bind_inputs(model, given(good), {}, diagnostics));
  CHECK(mentions(render(diagnostics, nullptr, DiagnosticForm::text, false), {"x[n-5] needs n >= 5", "n = 3"}));
}

TEST_CASE("inputs that no memory holds are refused before they are made") {
  CHECK(mentions(bound({{"X", "normal"},
                        {"y", "zeros"},
                        {"z", "ones"},
                        {"c", "uniform"},
                        {"w", "normal"},
                        {"n", "1000000000000"},
                        {"d", "3"},
                        {"k", "1"},
                        {"m", "2"}}),
                 {"GB", "memory"}));
}

TEST_CASE("a table binds data by the names of its columns") {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("gradus_bind_" + std::to_string(getpid()) + ".csv")).string();
  std::ofstream(path) << "name,y,c\na,1,0\nb,2,1\nc,3,0\n";
  BindOptions options;
  options.table = path;
  auto words = with("y", "");
  std::erase_if(words, [](const auto& word) { return word.first == "c"; });
  CHECK(bound(words, options) == "d=2 k=2 m=2 n=3 ");
  CHECK(mentions(bound(with("X", "@" + path), options), {path + ":2:1", "'a' in column 'name'"}));
  std::remove(path.c_str());
  CHECK(mentions(bound(with("X", "@" + path)), {path, "does not exist"}));
}
