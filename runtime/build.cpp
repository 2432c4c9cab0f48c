// Compiling ahead of time and writing the files.
#include "runtime/build.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "codegen/plan.hpp"
#include "runtime/c_names.hpp"
#include "symbolic/print.hpp"

extern char** environ;

namespace gradus {
namespace {

namespace fs = std::filesystem;

/// Writes files beside each other; each is complete or absent.
class Files {
 public:
  Files(const std::string& path, Diagnostics& diagnostics)
      : folder_(fs::path(path).parent_path()), name_(fs::path(path).filename().string()), diagnostics_(diagnostics) {}

  const std::string& name() const { return name_; }
  std::string path(const std::string& before, const std::string& after) const {
    return (folder_ / (before + name_ + after)).string();
  }
  bool write(const std::string& before, const std::string& after, const std::string& bytes) {
    std::error_code error;
    if (!folder_.empty()) fs::create_directories(folder_, error);
    const std::string target = path(before, after), draft = target + ".new";
    std::FILE* file = std::fopen(draft.c_str(), "wb");
    bool good = file != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
    if (file != nullptr) good = std::fclose(file) == 0 && good;
    if (good) fs::rename(draft, target, error);
    if (good && !error) return true;
    std::remove(draft.c_str());
    diagnostics_.error(Span::none(), fmt::format("'{}' cannot be written", target));
    return false;
  }

 private:
  fs::path folder_;
  std::string name_;
  Diagnostics& diagnostics_;
};

/// Links an object into a shared library with the system's C compiler.
bool link_shared(const std::string& object, const std::string& library, Diagnostics& diagnostics) {
  const char* chosen = std::getenv("CC");
  std::string compiler = chosen != nullptr && *chosen != '\0' ? chosen : "cc";
  std::vector<std::string> words = {compiler, "-shared", "-o", library, object, "-lm"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  int status = 1;
  if (posix_spawnp(&child, compiler.c_str(), nullptr, nullptr, arguments.data(), environ) != 0 ||
      waitpid(child, &status, 0) != child || status != 0) {
    diagnostics.error(Span::none(), fmt::format("'{}' could not link {}", compiler, library))
        .help("a shared library needs a C compiler that links; set CC, or use --emit static");
    return false;
  }
  return true;
}

std::string cmake_config(const std::string& name) {
  return fmt::format(
      R"(# The target {0}::{0}: a formula compiled by gradus.
if(NOT TARGET {0}::{0})
  add_library({0}::{0} STATIC IMPORTED)
  set_target_properties({0}::{0} PROPERTIES
    IMPORTED_LOCATION "${{CMAKE_CURRENT_LIST_DIR}}/lib{0}.a"
    IMPORTED_LINK_INTERFACE_LANGUAGES C
    INTERFACE_INCLUDE_DIRECTORIES "${{CMAKE_CURRENT_LIST_DIR}}"
    INTERFACE_LINK_LIBRARIES m)
endif()
)",
      name);
}

/// The compiled forms of a formula.
class Emitter {
 public:
  Emitter(Model& model, const std::vector<CInterfaceFunction>& functions, const std::vector<Expr>& checks,
          const std::string& prefix, const TargetOptions& target, Diagnostics& diagnostics)
      : prefix_(prefix), target_(target), diagnostics_(diagnostics) {
    programs_.reserve(functions.size());
    for (const CInterfaceFunction& function : functions) {
      programs_.push_back(plan(model, function.roots, checks));
      CFunction out{function.name, &programs_.back(), {}};
      for (const CArgument& argument : function.arguments) out.parameters.push_back(argument.parameter);
      functions_.push_back(std::move(out));
    }
  }

  /// The bytes of a kind; empty after an error.
  std::string emit(EmitKind kind) {
    std::string error;
    Backend* backend = open_backend(error);
    std::string bytes = backend != nullptr ? backend->emit(prefix_, functions_, kind, target_, error) : std::string();
    if (bytes.empty()) diagnostics_.error(Span::none(), "the formula cannot be compiled: " + error);
    return bytes;
  }

 private:
  std::string prefix_;
  TargetOptions target_;
  Diagnostics& diagnostics_;
  std::vector<loops::Program> programs_;
  std::vector<CFunction> functions_;
};

}  // namespace

std::string target_problem(const TargetOptions& target) {
  std::string error;
  Backend* backend = open_backend(error);
  return backend != nullptr ? backend->target_problem(target) : std::string();
}

bool build(Model& model, const DeriveOptions& derive_by, const BuildOptions& options, Diagnostics& diagnostics) {
  const Derived derived = derive(model, derive_by);
  Files files(options.path, diagnostics);
  const std::string prefix = c_prefix(files.name());
  const std::vector<CInterfaceFunction> functions = c_interface(model, derived, prefix);
  Emitter emitter(model, functions, derived.checks, prefix, options.target, diagnostics);
  const bool library = options.static_library || options.cmake;
  std::string object;
  if (options.object || library || options.shared_library) {
    object = emitter.emit(EmitKind::object);
    if (object.empty()) return false;
  }
  std::vector<std::string> symbols = {prefix + "_workspace"};
  for (const CInterfaceFunction& function : functions) symbols.push_back(function.name);
  bool good = true;
  if (options.object) good = files.write("", ".o", object) && good;
  if (library) good = files.write("lib", ".a", archive(files.name() + ".o", object, symbols)) && good;
  if (options.cmake) good = files.write("", "-config.cmake", cmake_config(files.name())) && good;
  if (options.header) {
    const std::string header = c_header(model, functions, prefix, options.source_name,
                                        print(model, derive_to_print(model, derive_by), Form::text));
    good = files.write("", ".h", header) && good;
  }
  if (options.llvm || options.assembly) {
    const std::string llvm = options.llvm ? emitter.emit(EmitKind::llvm) : "";
    const std::string assembly = options.assembly ? emitter.emit(EmitKind::assembly) : "";
    if (options.llvm) good = !llvm.empty() && files.write("", ".ll", llvm) && good;
    if (options.assembly) good = !assembly.empty() && files.write("", ".s", assembly) && good;
  }
  if (options.shared_library && good) {
    const std::string extra = options.object ? ".o" : ".so.o";
    good = files.write("", extra, object) && link_shared(files.path("", extra), files.path("lib", ".so"), diagnostics);
    if (!options.object) std::remove(files.path("", extra).c_str());
  }
  return good;
}

}  // namespace gradus
