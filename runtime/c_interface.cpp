// The C interface of a built formula: its functions with their parameters, and the header that declares them.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/build.hpp"
#include "runtime/c_names.hpp"
#include "runtime/formula.hpp"
#include "runtime/gradus.hpp"

namespace gradus {
namespace {

std::string shape_about(const Model& model, const std::vector<Size>& shape) {
  return shape.empty() ? "a number" : shape_text(model.graph.sizes(), shape) + (shape.size() > 1 ? ", row-major" : "");
}

CArgument argument(CParameter::Kind kind, const std::string& name, std::uint32_t number, const std::string& type,
                   const std::string& about) {
  CArgument out;
  out.parameter.kind = kind;
  out.parameter.name = name;
  out.parameter.number = number;
  out.type = type;
  out.about = about;
  return out;
}

/// SIZES and INPUTS, which all functions begin with.
class Signature {
 public:
  Signature(const Model& model) : model_(model), defaults_(print_defaults(model)) {
    scope_.unique("workspace");
    for (std::uint32_t k = 0; k < model.size_names.size(); ++k) {
      const std::string name = scope_.unique(c_identifier(name_key(model.size_names[k])));
      sizes_.push_back(argument(CParameter::Kind::size, name, k, "int64_t ", size_about(model.size_names[k])));
    }
    for (std::uint32_t k = 0; k < model.inputs.size(); ++k) inputs_.push_back(input(k));
  }

  std::vector<CArgument> begin() const {
    std::vector<CArgument> out = sizes_;
    out.insert(out.end(), inputs_.begin(), inputs_.end());
    return out;
  }
  CScope scope() const { return scope_; }

 private:
  std::string size_about(const std::string& name) const {
    for (const Dimension& dimension : model_.dimensions) {
      if (dimension.name == name && dimension.value)
        return fmt::format("size {} ({} in the formula)", name, *dimension.value);
    }
    return "size " + name;
  }

  CArgument input(std::uint32_t number) {
    const Input& input = model_.inputs[number];
    const std::string name = scope_.unique(c_identifier(input.key));
    const bool scalar = input.shape.empty();
    std::string about = shape_about(model_, input.shape);
    if (name != input.name) about = input.name + ": " + about;
    using Kind = CParameter::Kind;
    if (input.index_bound) {
      about += fmt::format(", 0 <= {} < {}", name, model_.graph.sizes().to_string(*input.index_bound));
      const Kind kind = scalar ? Kind::index_scalar : Kind::index_array;
      return argument(kind, name, number, scalar ? "int64_t " : "const int64_t *", about);
    }
    if (!defaults_[number].empty()) about += ", by default " + defaults_[number];
    return argument(scalar ? Kind::scalar : Kind::array, name, number, scalar ? "double " : "const double *", about);
  }

  const Model& model_;
  std::vector<std::string> defaults_;
  CScope scope_;
  std::vector<CArgument> sizes_, inputs_;
};

/// Writes the functions of a loss or an output.
class Writer {
 public:
  Writer(const Model& model, const std::string& prefix) : model_(model), prefix_(prefix), signature_(model) {}

  void loss(const DerivedValue& loss, bool several) {
    const std::string suffix = several ? "_" + identifier(loss.name) : "";
    add(prefix_ + "_loss" + suffix, "The loss" + (several ? " " + loss.name : "") + ".", loss, "loss", false, "");
    if (loss.derivatives.empty()) return;
    add(prefix_ + "_grad" + suffix, "The loss" + (several ? " " + loss.name : "") + " and its gradient.", loss, "loss",
        true, "grad_");
  }
  void output(const DerivedValue& output) {
    const std::string name = identifier(output.name);
    add(prefix_ + "_output_" + name, "The output " + output.name + ".", output, name, false, "");
    if (output.derivatives.empty()) return;
    add(prefix_ + "_jacobian_" + name, "The output " + output.name + " and its Jacobian.", output, name, true,
        "jac_" + name + "_");
  }
  std::vector<CInterfaceFunction> take() { return std::move(functions_); }

 private:
  std::string identifier(const std::string& name) const {
    const std::string key = name_key(name);
    return key == "loss" ? key : c_identifier(key);
  }

  void add(const std::string& name, const std::string& about, const DerivedValue& value, const std::string& value_name,
           bool derivatives, const std::string& stem) {
    CInterfaceFunction out{name, about, {value.value}, signature_.begin()};
    CScope scope = signature_.scope();
    const auto output = [&](const std::string& wanted, Expr e) {
      const auto number = static_cast<std::uint32_t>(out.roots.size() - 1);
      out.arguments.push_back(argument(CParameter::Kind::output, scope.unique(wanted), number, "double *",
                                       "out: " + shape_about(model_, model_.graph.shape(e)) + "; may be NULL"));
    };
    output(value_name, value.value);
    for (const Derivative& derivative : value.derivatives) {
      if (!derivatives) break;
      out.roots.push_back(derivative.expr);
      output(stem + c_identifier(model_.inputs[derivative.input].key), derivative.expr);
    }
    out.arguments.push_back(argument(CParameter::Kind::workspace, "workspace", 0, "void *", ""));
    functions_.push_back(std::move(out));
  }

  const Model& model_;
  std::string prefix_;
  Signature signature_;
  std::vector<CInterfaceFunction> functions_;
};

/// A text inside a C comment, each line after ` * ` and an indent.
std::string comment_lines(const std::string& text, const std::string& indent) {
  std::string safe;
  for (std::size_t k = 0; k < text.size(); ++k) {
    safe += text[k];
    const char next = k + 1 < text.size() ? text[k + 1] : '\0';
    const bool breaks =
        (text[k] == '*' && next == '/') || (text[k] == '/' && next == '*') || (text[k] == '?' && next == '?');
    if (breaks) safe += ' ';
  }
  std::string out;
  for (std::size_t at = 0; at < safe.size();) {
    const std::size_t end = std::min(safe.find('\n', at), safe.size());
    const std::string line = safe.substr(at, end - at);
    out += line.empty() ? " *\n" : " * " + indent + line + '\n';
    at = end + 1;
  }
  return out;
}

std::string declaration(const CInterfaceFunction& function) {
  std::string out = "int " + function.name + "(";
  std::size_t column = out.size();
  const std::string indent(column, ' ');
  for (std::size_t k = 0; k < function.arguments.size(); ++k) {
    const std::string text = function.arguments[k].type + function.arguments[k].parameter.name +
                             (k + 1 < function.arguments.size() ? "," : ");");
    constexpr std::size_t widest = 100;
    if (k > 0 && column + text.size() + 1 > widest) {
      out += '\n' + indent;
      column = indent.size();
    } else if (k > 0) {
      out += ' ';
      ++column;
    }
    out += text;
    column += text.size();
  }
  return out + "\n";
}

std::string documentation(const CInterfaceFunction& function, const std::string& prefix) {
  std::size_t width = 0;
  for (const CArgument& argument : function.arguments) width = std::max(width, argument.parameter.name.size());
  std::string text = function.about + "\n";
  for (const CArgument& argument : function.arguments) {
    const std::string about =
        argument.parameter.kind == CParameter::Kind::workspace
            ? fmt::format("{}_workspace(…) bytes, aligned as a double; may be NULL when that is 0", prefix)
            : argument.about;
    text += fmt::format("{:<{}}  {}\n", argument.parameter.name, width, about);
  }
  return "/*\n" + comment_lines(text, "") + " */\n";
}

std::string size_parameters(const Model& model, const CInterfaceFunction& function) {
  std::string out;
  for (const CArgument& argument : function.arguments) {
    if (argument.parameter.kind != CParameter::Kind::size) continue;
    out += (out.empty() ? "" : ", ") + argument.type + argument.parameter.name;
  }
  return model.size_names.empty() ? "void" : out;
}

}  // namespace

std::vector<CInterfaceFunction> c_interface(const Model& model, const Derived& derived, const std::string& prefix) {
  Writer writer(model, prefix);
  for (const DerivedValue& loss : derived.losses) writer.loss(loss, derived.losses.size() > 1);
  for (const DerivedValue& output : derived.outputs) writer.output(output);
  return writer.take();
}

std::string c_header(const Model& model, const std::vector<CInterfaceFunction>& functions, const std::string& prefix,
                     const std::string& source_name, const std::string& printed) {
  const std::string guard = "GRADUS_" + prefix + "_H";
  std::string out = fmt::format("/*\n * {}.h: made by gradus {}{}\n *\n", prefix, version(),
                                source_name.empty() ? "" : " from " + source_name);
  out += " * The formula and its derivatives:\n *\n" + comment_lines(printed, "  ") + " */\n";
  out += fmt::format("#ifndef {0}\n#define {0}\n\n#include <stddef.h>\n#include <stdint.h>\n\n", guard);
  out += "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  out += "/* What the functions return. After anything but OK no output was touched. */\n";
  out += fmt::format(
      "enum {0}_code {{\n  {0}_OK = 0,\n  {0}_BAD_SIZE = 1,          /* a size is negative, or too small for the "
      "formula */\n"
      "  {0}_SUBSCRIPT_OUTSIDE = 2, /* index data outside their axis */\n"
      "  {0}_EMPTY_REDUCTION = 3,   /* a mean, maximum or the like of nothing */\n"
      "  {0}_OUT_OF_MEMORY = 4,     /* sizes whose workspace fits into no memory */\n"
      "  {0}_BAD_ARGUMENT = 5       /* a fraction of a quantile outside 0..1 */\n}};\n\n",
      prefix);
  out +=
      "/* Bytes of workspace that a call below needs for these sizes; 0 when none. The functions allocate nothing and\n"
      " * keep no state: threads may call them at once, each with a workspace of its own. */\n";
  out += fmt::format("size_t {}_workspace({});\n\n", prefix, size_parameters(model, functions.front()));
  for (const CInterfaceFunction& function : functions)
    out += documentation(function, prefix) + declaration(function) + "\n";
  out += "#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  return out;
}

}  // namespace gradus
