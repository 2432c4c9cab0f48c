// A case of tests/zoo: a formula with input values and reference results, and the list of cases not supported yet.
#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "symbolic/array.hpp"
#include "symbolic/model.hpp"

namespace gradus::testing {

inline std::string file_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline void append(const nlohmann::json& value, std::size_t depth, Array& out) {
  if (value.is_array()) {
    if (out.shape.size() <= depth) out.shape.push_back(static_cast<std::int64_t>(value.size()));
    for (const auto& v : value) append(v, depth + 1, out);
  } else if (value.is_string()) {
    const auto text = value.get<std::string>();
    out.values.push_back(text == "nan"    ? std::numeric_limits<double>::quiet_NaN()
                         : text == "inf"  ? std::numeric_limits<double>::infinity()
                         : text == "-inf" ? -std::numeric_limits<double>::infinity()
                                          : std::stod(text));
  } else {
    out.values.push_back(value.get<double>());
  }
}

inline Array to_array(const nlohmann::json& value) {
  Array out;
  append(value, 0, out);
  return out;
}

struct ZooCase {
  std::string name;  // "statistics/stat_ridge"
  std::filesystem::path path;
  nlohmann::json data;
};

/// All cases under tests/zoo, sorted by name.
inline std::vector<ZooCase> zoo_cases() {
  std::vector<ZooCase> out;
  const std::filesystem::path root = std::filesystem::path(GRADUS_SOURCE_DIR) / "tests" / "zoo";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".json") continue;
    ZooCase one{entry.path().parent_path().filename().string() + "/" + entry.path().stem().string(), entry.path(), {}};
    one.path.replace_extension(".loss");
    one.data = nlohmann::json::parse(file_text(entry.path()));
    out.push_back(std::move(one));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

/// The names in tests/not_supported.txt.
inline std::set<std::string> not_supported() {
  std::set<std::string> out;
  std::istringstream in(file_text(std::filesystem::path(GRADUS_SOURCE_DIR) / "tests" / "not_supported.txt"));
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    if (std::string name; words >> name) out.insert(name);
  }
  return out;
}

/// Values of a model's inputs and sizes from a case's "args"; sizes are read off the shapes.
inline Bindings bind(const Model& model, const nlohmann::json& args) {
  Bindings out;
  const Sizes& sizes = model.graph.sizes();
  for (const auto& d : model.dimensions)
    if (d.value) out.sizes[d.name] = *d.value;
  for (std::uint32_t k = 0; k < model.inputs.size(); ++k) {
    const Input& input = model.inputs[k];
    for (const std::string& key : {input.name, input.key})
      if (args.contains(key)) out.inputs[k] = to_array(args[key]);
  }
  for (const auto& [name, value] : args.items())
    if (value.is_number_integer() &&
        std::find(model.size_names.begin(), model.size_names.end(), name) != model.size_names.end())
      out.sizes[name] = value.get<std::int64_t>();
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [k, array] : out.inputs) {
      const Input& input = model.inputs[k];
      for (std::size_t axis = 0; axis < input.shape.size(); ++axis) {
        // One unknown name: try the values that the axis allows.
        std::vector<std::string> unknown;
        for (const auto& name : sizes.names(input.shape[axis]))
          if (!out.sizes.contains(name)) unknown.push_back(name);
        if (unknown.size() != 1 || axis >= array.shape.size()) continue;
        for (std::int64_t guess = 0; guess <= array.shape[axis] + 64; ++guess) {
          out.sizes[unknown[0]] = guess;
          if (sizes.evaluate(input.shape[axis], out.sizes) == array.shape[axis]) {
            changed = true;
            break;
          }
          out.sizes.erase(unknown[0]);
        }
      }
    }
  }
  // An empty list fixes a shape only by name.
  for (auto& [k, array] : out.inputs) {
    std::vector<std::int64_t> shape;
    for (const Size s : model.inputs[k].shape) shape.push_back(sizes.evaluate(s, out.sizes).value_or(0));
    array.shape = std::move(shape);
  }
  return out;
}

}  // namespace gradus::testing
