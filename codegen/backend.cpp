// Opening the library that links LLVM, on first use; the interpreter in its place.
#include "codegen/backend.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <mutex>
#include <vector>

namespace gradus {
namespace {

constexpr const char* library_name = "libgradus_llvm.so";

// Beside the program, in ../lib of it, and wherever the loader looks.
std::vector<std::string> places() {
  std::vector<std::string> found;
  if (const char* const chosen = std::getenv("GRADUS_BACKEND")) found.emplace_back(chosen);
  std::array<char, 4096> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  if (length > 0 && static_cast<std::size_t>(length) < path.size()) {
    const std::string program(path.data(), static_cast<std::size_t>(length));
    const std::string folder = program.substr(0, program.rfind('/') + 1);
    for (const char* const relative : {"", "../", "../lib/", "../lib/gradus/"})
      found.push_back(folder + relative + library_name);
  }
  found.emplace_back(library_name);
  return found;
}

Backend* open(std::string& error) {
  for (const std::string& place : places()) {
    if (place.find('/') != std::string::npos && access(place.c_str(), R_OK) != 0) continue;
    void* const library = dlopen(place.c_str(), RTLD_LAZY | RTLD_LOCAL);
    if (!library) {
      error = dlerror();
      continue;
    }
    using Factory = Backend* (*)();
    const auto factory = reinterpret_cast<Factory>(dlsym(library, "gradus_create_backend"));
    const auto* const version = static_cast<const int*>(dlsym(library, "gradus_backend_version"));
    if (factory && version && *version == backend_version) return factory();
    error = place + (factory ? " belongs to another version of Gradus" : " is not Gradus's code generator");
  }
  error = "the code generator (" + std::string(library_name) + ") cannot be loaded: " + error;
  return nullptr;
}

class Interpreted final : public Executable {
 public:
  explicit Interpreted(const loops::Program& program) : interpreter_(program) {}
  std::int64_t block_count(std::size_t phase, const std::int64_t* sizes) const override {
    return interpreter_.block_count(phase, sizes);
  }
  loops::Result run(std::size_t phase, std::int64_t block, const std::int64_t* sizes, const void* const* inputs,
                    double* const* outputs, void* workspace, void* scratch) const override {
    return interpreter_.run(phase, block, sizes, inputs, outputs, workspace, scratch);
  }

 private:
  loops::Interpreter interpreter_;
};

}  // namespace

Backend* open_backend(std::string& error) {
  static std::once_flag once;
  static Backend* backend = nullptr;
  static std::string failure;
  std::call_once(once, [] { backend = open(failure); });
  error = failure;
  if (backend) error.clear();
  return backend;
}

std::unique_ptr<Executable> interpreted(const loops::Program& program) {
  return std::make_unique<Interpreted>(program);
}

}  // namespace gradus
