// Fuzz target: compiled code gives the bits of the loop form's interpreter, also at sizes that are no multiple of a
// vector, and writes nothing beside its memory.
#include <bit>

#include "tests/fuzz/planned.hpp"

namespace gradus::fuzz {

void native_text(const std::string& text) {
  constexpr std::uint32_t largest_size = 21;
  const auto program = planned(text, largest_size);
  if (!program) return;
  std::string error;
  Backend* const backend = open_backend(error);
  require(backend != nullptr, error, text);
  const auto code = backend->compile(program->program, {}, error);
  require(code != nullptr, "not compiled: " + error, text);
  const auto want = run(*interpreted(program->program), *program, text);
  const auto got = run(*code, *program, text);
  for (std::size_t k = 0; k < want.size(); ++k)
    for (std::size_t j = 0; j < want[k].values.size(); ++j) {
      const double a = got[k].values[j], b = want[k].values[j];
      require((std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b),
              "root " + std::to_string(k) + ", element " + std::to_string(j) + " is " + std::to_string(a) +
                  " compiled and " + std::to_string(b) + " interpreted",
              text);
    }
}

}  // namespace gradus::fuzz
