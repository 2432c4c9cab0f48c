// Words and names shared by elaboration's messages.
#include <algorithm>
#include <array>

#include "frontend/foreign_functions.hpp"
#include "frontend/format.hpp"
#include "frontend/parse.hpp"
#include "symbolic/elaborate/context.hpp"
#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {
namespace {

/// Functions of the contract that are not built yet (a row of the function table or a line of the prelude wins).
constexpr std::array to_come = {"det",     "logdet", "inv",  "solve",    "cholesky", "matrix_power", "expm", "eigvalsh",
                                "svdvals", "kron",   "grad", "jacobian", "hessian",  "jvp",          "hvp"};

/// Errors that are shown; later ones need no proposals (each costs a look at every name).
constexpr std::size_t most_explained = 100;

}  // namespace

std::string shape_text(const Sizes& sizes, const std::vector<Size>& shape) {
  std::string out = "[";
  for (std::size_t k = 0; k < shape.size(); ++k) out += (k == 0 ? "" : ", ") + sizes.to_string(shape[k]);
  return out + "]";
}

std::string counted(std::size_t count, const std::string& noun) {
  const std::string many = noun == "axis" ? "axes" : noun + "s";
  return std::to_string(count) + " " + (count == 1 ? noun : many);
}

bool is_constant_name(const std::string& key) { return key == "pi" || key == "inf"; }

bool is_function_to_come(const std::string& key) { return std::ranges::find(to_come, key) != to_come.end(); }

bool is_language_function(const std::string& key) {
  return function_named(key).has_value() || Evaluator::is_array_function(key) || prelude_functions().count(key) != 0 ||
         is_function_to_come(key);
}

std::string near_value(const Context& context, const std::string& name, std::vector<std::string> in_scope) {
  constexpr std::size_t most_compared = 1'000'000;  // names, over all proposals
  const std::size_t names = context.symbol_order.size();
  if (context.diagnostics.error_count() > std::min(most_explained, most_compared / (names + 1))) return {};
  for (const auto& key : context.symbol_order) in_scope.push_back(context.symbols.at(key).text);
  in_scope.insert(in_scope.end(), {"pi", "inf"});
  return did_you_mean(name, in_scope);
}

std::string product_of_names(const Context& context, const std::string& name) {
  constexpr std::size_t longest = 80;
  if (context.diagnostics.error_count() > most_explained || name.size() > longest) return {};
  const auto known = [&](const std::string& part) {
    const std::string key = name_key(part);
    return context.find(key) != nullptr || key == "pi";
  };
  for (std::size_t at = 1; at < name.size(); ++at) {
    const bool inside = (static_cast<unsigned char>(name[at]) & 0xC0) == 0x80;  // of a letter
    const bool digit = name[at] >= '0' && name[at] <= '9';
    if (inside || digit || name[at] == '_') continue;
    const std::string left = name.substr(0, at), right = name.substr(at);
    if (known(left) && known(right)) return left + "*" + right;
  }
  return {};
}

std::string near_function(const Context& context, const std::string& name) {
  if (context.diagnostics.error_count() > most_explained) return {};

  std::vector<std::string> known = function_names();  // that people know; others stand in printed gradients
  for (const auto& [key, f] : context.functions) known.push_back(f.definition->name.text);
  std::ranges::sort(known);
  if (std::string near = did_you_mean(name, known); !near.empty()) return near;
  std::vector<std::string> out = Evaluator::array_function_names();
  for (std::size_t k = 0; k < function_count(); ++k) {
    const FunctionRow& r = row(static_cast<Function>(k));
    if (r.spelling == Spelling::call) out.emplace_back(r.name);
  }
  for (const char* name : to_come) out.emplace_back(name);
  for (const auto& [name, f] : prelude_functions()) out.push_back(name);
  for (const auto& [name, f] : context.functions) out.push_back(f.definition->name.text);
  std::ranges::sort(out);
  const auto repeated = std::ranges::unique(out);
  out.erase(repeated.begin(), repeated.end());
  return did_you_mean(name, out);
}

namespace {

bool word_of_type(const std::string& word) {
  return word == "real" || word == "float" || word == "double" || word == "number" || word == "scalar";
}

}  // namespace

const char* role_word(ast::Role role) {
  switch (role) {
    case ast::Role::data:
      return "data";
    case ast::Role::param:
      return "param";
    case ast::Role::constant:
      return "const";
    case ast::Role::dim:
      return "dim";
  }
  return "";
}

bool* flag_of(Input& in, const std::string& word) {
  if (word == "positive") return &in.positive;
  if (word == "nonnegative") return &in.nonnegative;
  if (word == "integer") return &in.integer;
  if (word == "symmetric") return &in.symmetric;
  if (word == "spd") return &in.spd;
  if (word == "lower") return &in.lower;
  return nullptr;
}

bool needs_square(const std::string& word) { return word == "symmetric" || word == "spd" || word == "lower"; }

std::string whole_default(const Graph& graph, const Input& input) {
  if (!input.default_value.valid() || graph[input.default_value].kind != Kind::constant) return "3";
  const Rational& value = graph[input.default_value].coefficients[0];
  return value.is_integer() && value.sign() >= 0 ? value.to_string() : "3";
}

void one_line_says_both(Context& context, const ast::Program& program, const ast::Declaration& second,
                        const Input& first) {
  std::string words;
  for (const ast::Assumption& a : second.assumptions)
    words += (words.empty() ? " : " : ", ") + a.name.text +
             (a.argument.valid() ? "(" + format(program, a.argument) + ")" : "");
  const std::string shape = first.shape.empty() ? "" : shape_text(context.sizes(), first.shape);
  context.diagnostics.at(context.diagnostics.all().size() - 1)
      .help("one line says both: " + std::string(role_word(second.role)) + " " + first.name + shape + words);
  context.symbols.at(first.key).poisoned = true;
}

void unknown_assumption(Context& context, const ast::Program& program, const ast::Assumption& a) {
  const std::vector<std::string> words{"positive", "nonnegative", "integer", "symmetric", "spd", "lower", "index"};
  Diagnostic& d = context.diagnostics.error(a.name.span, "there is no assumption " + a.name.text);
  static const std::unordered_map<std::string, std::string> meant = {
      {"psd", "spd"},           {"posdef", "spd"},         {"cov_matrix", "spd"},   {"covariance", "spd"},
      {"int", "integer"},       {"whole", "integer"},      {"natural", "integer"},  {"count", "integer"},
      {"binary", "index(2)"},   {"bool", "index(2)"},      {"boolean", "index(2)"}, {"bernoulli", "index(2)"},
      {"categorical", "index"}, {"category", "index"},     {"class", "index"},      {"classes", "index"},
      {"label", "index"},       {"labels", "index"},       {"factor", "index"},     {"triangular", "lower"},
      {"pos", "positive"},      {"nonneg", "nonnegative"}, {"sym", "symmetric"}};
  std::string near = did_you_mean(a.name.text, words);
  if (const auto found = meant.find(a.name.text); found != meant.end()) near = found->second;
  if (near == "index") near += a.argument.valid() ? "(" + format(program, a.argument) + ")" : "(k)";
  if (a.name.text == "diagonal") {
    d.help("a diagonal matrix is diag(v) of a vector v");
    return;
  }
  if (word_of_type(a.name.text)) {
    d.help("every value is real: write nothing after the name, or integer");
    return;
  }
  if (!near.empty())
    d.help("did you mean " + near + "?");
  else
    d.help("the assumptions are positive, nonnegative, integer, symmetric, spd, lower and index(k)");
}

}  // namespace gradus::elaboration
