// What elaboration knows about a whole program: its names, equations and functions, and what was reported already.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "frontend/ast.hpp"
#include "frontend/diagnostic.hpp"
#include "symbolic/elaborate.hpp"
#include "symbolic/model.hpp"

namespace gradus::elaboration {

/// Axes of an array, and indices in one list.
constexpr std::size_t most_axes = 64;

/// What a name of the value name space (values and sizes) stands for.
struct Symbol {
  enum class Kind : std::uint8_t { input, size, dimension, equation } kind = Kind::input;
  std::string text;
  Span span = Span::none();
  std::size_t number = 0;             // of the input or equation
  Size size;                          // size, dimension
  std::optional<std::int64_t> value;  // dimension: the one its declaration gives
  bool poisoned = false;              // its declaration is wrong: uses are silent
};

/// An equation with what became of it.
struct EquationInfo {
  const ast::Equation* equation = nullptr;
  std::string key;
  Span span = Span::none();  // the whole statement
  bool poisoned = false;
  bool done = false;
  bool broken = false;  // a syntax error: only its name is known
  bool part_of_recurrence = false;
  std::size_t main = SIZE_MAX;  // a further equation of a name: the number of the first
  Expr expr;
  bool condition = false;
  std::optional<Subscript> affine;  // of a scalar in sizes: usable as a subscript
};

/// A function written in the language.
struct FunctionInfo {
  const ast::Program* program = nullptr;
  const ast::FunctionDefinition* definition = nullptr;
  Span span = Span::none();
  bool prelude = false;
  bool poisoned = false;
  const ast::GradientDefinition* gradient = nullptr;  // its derivatives where the user gave them
  mutable bool in_partials = false;                   // they are being elaborated: calls in them use the body
};

/// Shared by all parts of one elaboration.
struct Context {
  Context(const ast::Program& program, Model& model, Diagnostics& diagnostics)
      : program(program), model(model), diagnostics(diagnostics) {}

  const ast::Program& program;
  Model& model;
  Diagnostics& diagnostics;
  std::unordered_map<std::string, Symbol> symbols;
  std::vector<std::string> symbol_order;  // keys, for did-you-mean
  std::vector<EquationInfo> equations;
  std::unordered_map<std::string, FunctionInfo> functions;  // the user's
  std::unordered_set<std::string> reported_names;
  std::uint32_t lost_names = 0;               // of broken declarations: as many undeclared names are no further errors
  std::unordered_set<std::string> mentioned;  // in broken statements that may have declared them
  std::unordered_set<std::string> assumed;    // undeclared names that were taken as scalar parameters
  std::set<std::pair<std::uint32_t, std::uint32_t>> reported_places, warned_places;
  std::size_t inlined_calls = 0;
  std::unordered_set<const ast::FunctionDefinition*> inlined;  // functions whose bodies were elaborated
  bool has_index_forms = false;                                // else no equation needs a dry run

  Sizes& sizes() { return model.graph.sizes(); }
  const Symbol* find(const std::string& key) const {
    const auto found = symbols.find(key);
    return found == symbols.end() ? nullptr : &found->second;
  }
};

/// The functions of the prelude by name.
const std::unordered_map<std::string, FunctionInfo>& prelude_functions();

// declare.cpp
/// Enters the declarations of a program into the context: sizes, dims, inputs with their assumptions.
void declare(Context& context, const ast::Program& program);
/// Enters equations and functions, and reports names that are defined twice.
void collect_definitions(Context& context);

// order.cpp
/// Makes every undeclared name a scalar parameter (`-e`).
void declare_undeclared(Context& context);
/// Reports names that do not exist in bodies of functions that nothing calls.
void check_uncalled_functions(Context& context);
/// The equations in an order in which each comes after those it uses; reports cycles (and poisons their members).
std::vector<std::size_t> dependency_order(Context& context);

// words.cpp
/// `[n, d]`.
std::string shape_text(const Sizes& sizes, const std::vector<Size>& shape);
/// "1 argument", "2 arguments".
std::string counted(std::size_t count, const std::string& noun);
/// The name nearest to a misspelt one: values and sizes, and what else is in scope. Empty once the errors are more
/// than anybody reads.
std::string near_value(const Context& context, const std::string& name, std::vector<std::string> in_scope = {});
/// `data`, `param`.
const char* role_word(ast::Role role);
/// Where an input keeps what an assumption's word says; null for index and for words that are none.
bool* flag_of(Input& in, const std::string& word);
/// Whether an assumption is about square matrices.
bool needs_square(const std::string& word);
/// The default of a const where it is a whole number, else one for an example.
std::string whole_default(const Graph& graph, const Input& input);
/// Adds to the last error, that `first` is declared twice: `data c[n]`, then `data c : index(k)`. Uses are silent.
void one_line_says_both(Context& context, const ast::Program& program, const ast::Declaration& second,
                        const Input& first);
/// Reports an assumption that there is not, with the one that is meant.
void unknown_assumption(Context& context, const ast::Program& program, const ast::Assumption& a);
/// `xw` as `x*w` where x and w are declared, else nothing.
std::string product_of_names(const Context& context, const std::string& name);
/// The function nearest to a misspelt one, sooner one that people call by name.
std::string near_function(const Context& context, const std::string& name);
/// Whether a name is a constant of the language (pi, inf).
bool is_constant_name(const std::string& key);
/// Names of functions of the language that are known but not built yet.
bool is_function_to_come(const std::string& key);
/// Whether a name is a function of the language (built or to come).
bool is_language_function(const std::string& key);

}  // namespace gradus::elaboration
