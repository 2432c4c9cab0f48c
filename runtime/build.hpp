// Ahead of time: a formula as an object, a library and a C header.
#pragma once

#include <string>
#include <vector>

#include "codegen/backend.hpp"
#include "frontend/diagnostic.hpp"
#include "symbolic/derive.hpp"
#include "symbolic/model.hpp"

namespace gradus {

struct BuildOptions {
  std::string path;  // out/logistic
  bool object = false, header = false, static_library = false, shared_library = false, cmake = false, llvm = false,
       assembly = false;
  TargetOptions target;
  std::string source_name;  // of the formula, for the header's comment
};

/// Why nothing can be built for a target (an unknown name, a processor that is none of it); empty when it can be, and
/// when there is no code generator to ask.
std::string target_problem(const TargetOptions& target);

/// A parameter of a function of the header, with what its comment says.
struct CArgument {
  CParameter parameter;
  std::string type;   // `const double *`
  std::string about;  // `[n, d], row-major`
};

/// A function of the C interface of a built formula (LANGUAGE section 9).
struct CInterfaceFunction {
  std::string name;
  std::string about;
  std::vector<Expr> roots;
  std::vector<CArgument> arguments;
};

/// The functions of a formula whose derivatives were taken, without `NAME_workspace`.
std::vector<CInterfaceFunction> c_interface(const Model& model, const Derived& derived, const std::string& prefix);

/// The text of the header. `printed` is the formula with its gradient in the text form.
std::string c_header(const Model& model, const std::vector<CInterfaceFunction>& functions, const std::string& prefix,
                     const std::string& source_name, const std::string& printed);

/// A System V archive with one member and an index of its symbols.
std::string archive(const std::string& member_name, const std::string& object, const std::vector<std::string>& symbols);

/// Compiles and writes the files that the options ask for. False after an error.
bool build(Model& model, const DeriveOptions& derive_by, const BuildOptions& options, Diagnostics& diagnostics);

}  // namespace gradus
