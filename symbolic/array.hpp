// Dense numbers: what goes into and comes out of evaluations.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gradus {

/// A dense row-major array of doubles; rank 0 has one value. Index data are stored as whole doubles here.
struct Array {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};

/// Values of inputs (by number) and of size names.
struct Bindings {
  std::map<std::uint32_t, Array> inputs;
  std::map<std::string, std::int64_t> sizes;
};

}  // namespace gradus
