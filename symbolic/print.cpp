// A derived program in a form for people: declarations, named values, losses and derivatives, line by line.
#include "symbolic/print.hpp"

#include <algorithm>
#include <unordered_map>

#include "frontend/characters.hpp"
#include "symbolic/print/layout.hpp"
#include "symbolic/print/writer.hpp"

namespace gradus {
namespace printing {
namespace {

constexpr std::size_t widest = 100;        // columns of text
constexpr std::size_t widest_latex = 250;  // characters of LaTeX, which are set in far fewer columns

class ProgramPrinter {
 public:
  ProgramPrinter(const Model& model, const Derived& derived, Form form)
      : model_(model),
        form_(form),
        layout_(plan(model, derived, names_, form == Form::text)),
        writer_(model.graph, names_, layout_.labels) {
    writer_.set_checks(derived.checks, model.requirements);
  }

  std::string print() {
    if (form_ == Form::latex) return latex();
    declarations();
    if (!out_.empty() && !layout_.lines.empty()) out_ += "\n";
    const std::size_t derivatives = first_of_derivatives();
    for (std::size_t k = 0; k < layout_.lines.size(); ++k) {
      if (k == derivatives && k > 0) out_ += "\n";
      append(layout_.lines[k]);
    }
    return std::move(out_);
  }

 private:
  // ---- declarations ----

  std::string assumptions(const Input& i) const {
    std::string out;
    const auto add = [&](bool holds, const std::string& text) {
      if (holds) out += (out.empty() ? " : " : ", ") + text;
    };
    if (i.index_bound) add(true, "index(" + model_.graph.sizes().to_string(*i.index_bound) + ")");
    add(i.positive, "positive");
    add(i.nonnegative, "nonnegative");
    add(i.integer && !i.index_bound, "integer");
    add(i.symmetric && !i.spd, "symmetric");
    add(i.spd, "spd");
    add(i.lower, "lower");
    return out;
  }

  std::string declared(const Input& i) {
    std::string out = spell_name(i.name, form_);
    for (std::size_t k = 0; k < i.shape.size(); ++k)
      out += (k == 0 ? "[" : ", ") + spell(writer_.size(i.shape[k]), form_);
    if (!i.shape.empty()) out += "]";
    if (i.role == Input::Role::constant && i.default_value.valid())
      out += " = " + spell(writer_.mention(i.default_value).right, form_);
    return out;
  }

  static std::string_view keyword(Input::Role role) {
    switch (role) {
      case Input::Role::data:
        return "data ";
      case Input::Role::param:
        return "param ";
      case Input::Role::constant:
        return "const ";
    }
    return "";
  }

  std::string dimension(const Dimension& d) const {
    return "dim " + spell_name(d.name, form_) + (d.value ? " = " + std::to_string(*d.value) : "") + "\n";
  }

  /// Inputs in their order (it is the order of the C interface), those that stood on one line together on one line;
  /// sizes where the user declared them.
  void declarations() {
    const auto& inputs = model_.inputs;
    const auto& sizes = model_.dimensions;
    std::size_t next_size = 0;
    for (std::size_t k = 0; k < inputs.size();) {
      while (next_size < sizes.size() && sizes[next_size].span.begin < inputs[k].span.begin)
        out_ += dimension(sizes[next_size++]);
      std::string text = declared(inputs[k]);
      std::string line = std::string(keyword(inputs[k].role)) + text;
      std::size_t next = k + 1;
      for (; next < inputs.size() && stand_together(inputs[next - 1], inputs[next], text.size()); ++next) {
        text = declared(inputs[next]);
        line += ", " + text;
      }
      out_ += line + assumptions(inputs[k]) + "\n";
      k = next;
    }
    while (next_size < sizes.size()) out_ += dimension(sizes[next_size++]);
  }

  /// Whether two declarations stood in one statement, judged by the place of their names: between statements there is
  /// a keyword.
  bool stand_together(const Input& a, const Input& b, std::size_t width) const {
    if (a.role != b.role || assumptions(a) != assumptions(b)) return false;
    if (!assumptions(a).empty() && a.shape != b.shape) return false;
    if (a.span.is_none() || b.span.is_none()) return a.role != Input::Role::constant;
    constexpr std::size_t comma_and_blanks = 4;
    return b.span.begin > a.span.begin && b.span.begin - a.span.begin <= width + comma_and_blanks;
  }

  // ---- lines ----

  /// The block of derivatives, with the values made for it, begins after the last loss and output.
  std::size_t first_of_derivatives() const {
    const auto& lines = layout_.lines;
    std::size_t k = lines.size();
    while (k > 0 && lines[k - 1].role != PlannedLine::Role::loss && lines[k - 1].role != PlannedLine::Role::output) --k;
    return k;
  }

  std::string head(const PlannedLine& planned, const Line& line) {
    std::string name = spell_name(planned.name, form_);
    std::string role;
    switch (planned.role) {
      case PlannedLine::Role::value:
        break;
      case PlannedLine::Role::loss:
        role = planned.name.empty() ? "loss" : "loss ";
        break;
      case PlannedLine::Role::output:
        role = "output ";
        break;
      case PlannedLine::Role::derivative:
        role = form_ == Form::text ? "output " : "";
        if (form_ == Form::unicode) name = "∂" + spell_name(planned.of, form_) + "/∂" + spell_name(planned.by, form_);
        break;
    }
    return role + name + left(line);
  }

  std::string left(const Line& line) {
    std::string out;
    for (const auto& b : line.left) {
      out += (out.empty() ? "[" : ", ") + b.name;
      if (b.shown) out += " in " + spell(b.range[0], form_) + ".." + spell(b.range[1], form_);
    }
    return out.empty() ? out : out + "]";
  }

  Line line_of(const PlannedLine& planned) {
    Line line = planned.defines ? writer_.define(planned.expr, planned.indices) : writer_.mention(planned.expr);
    line.right = with_decimals(std::move(line.right), model_.decimals);
    return line;
  }

  void append(const PlannedLine& planned) {
    const Line line = line_of(planned);
    if (planned.role == PlannedLine::Role::output && line.right.op == Op::name && line.right.text == planned.name) {
      out_ += "output " + spell_name(planned.name, form_) + "\n";  // an input as an output
      return;
    }
    if (planned.role == PlannedLine::Role::derivative) out_ += projection(planned.by);
    std::string text = head(planned, line) + " = ";
    std::size_t column = text.size();
    for (const std::string& piece : spell_pieces(line.right, form_)) {
      if (column + piece.size() > widest && piece[0] == ' ') {  // a line that begins with a sign goes on
        text += "\n   ";
        column = 3;
      }
      append_wrapped(piece, text, column);
    }
    out_ += text + "\n";
  }

  /// The gradient by a matrix with a declared shape is projected on such matrices.
  std::string projection(const std::string& by) {
    if (inputs_by_name_.empty())
      for (const Input& input : model_.inputs) inputs_by_name_.emplace(input.name, &input);
    const auto named = inputs_by_name_.find(by);
    if (named == inputs_by_name_.end()) return "";
    const Input* found = named->second;
    const std::string name = spell_name(by, form_);
    if (found->symmetric || found->spd) return "# " + name + " is symmetric, so its gradient is too: (G + G.T)/2\n";
    if (found->lower) return "# " + name + " is lower triangular, so its gradient is too\n";
    return "";
  }

  /// Breaks a long piece inside brackets, where a newline is a blank: before `and`, `or` and signs, after commas.
  static void append_wrapped(const std::string& piece, std::string& text, std::size_t& column) {
    std::size_t begin = 0;
    std::size_t good = 0;  // where the line may be broken: before a word, after a comma
    std::size_t poor = 0;  // before a sign
    int depth = 0;
    for (std::size_t k = 0; k < piece.size(); ++k) {
      const char c = piece[k];
      if (c == '(' || c == '[') ++depth;
      if (c == ')' || c == ']') --depth;
      const auto next = [&](std::string_view word) { return piece.compare(k + 1, word.size(), word) == 0; };
      if (c == ' ' && depth > 0 && k > begin) {
        if (piece[k - 1] == ',' || next("and ") || next("or ")) good = k;
        if (next("+ ") || next("- ")) poor = k;
      }
      const std::size_t at = good > begin ? good : poor;
      if (column + (k - begin) >= widest && at > begin) {
        text += piece.substr(begin, at - begin) + "\n       ";
        column = 7;
        begin = at;
      }
    }
    text += piece.substr(begin);
    column += piece.size() - begin;
  }

  // ---- LaTeX ----

  std::string latex_head(const PlannedLine& planned, const Line& line) {
    std::string subscripts;
    for (const auto& b : line.left) subscripts += (subscripts.empty() ? "" : ",") + spell_name(b.name, form_);
    const auto with = [&](const std::string& name) {
      if (subscripts.empty()) return name;
      return (name.find('_') == std::string::npos ? name : "{" + name + "}") + "_{" + subscripts + "}";
    };
    if (planned.role == PlannedLine::Role::derivative)
      return "\\frac{\\partial " + spell_name(planned.of, form_) + "}{\\partial " +
             with(spell_name(planned.by, form_)) + "}";
    return with(planned.name.empty() ? "\\mathrm{loss}" : spell_name(planned.name, form_));
  }

  std::string latex() {
    std::string out = "\\begin{align*}\n";
    for (std::size_t k = 0; k < layout_.lines.size(); ++k) {
      const PlannedLine& planned = layout_.lines[k];
      const Line line = line_of(planned);
      out += latex_head(planned, line) + " &= ";
      std::size_t column = 0;
      for (const std::string& piece : spell_pieces(line.right, form_)) {
        if (column > 0 && column + piece.size() > widest_latex && piece[0] == ' ') {
          out += " \\\\\n&\\quad";
          column = 0;
        }
        out += piece;
        column += piece.size();
      }
      out += k + 1 < layout_.lines.size() ? " \\\\\n" : "\n";
    }
    return out + "\\end{align*}\n";
  }

  std::unordered_map<std::string, const Input*> inputs_by_name_;
  const Model& model_;
  Form form_;
  Names names_;
  Layout layout_;
  Writer writer_;
  std::string out_;
};

}  // namespace
}  // namespace printing

std::string print(const Model& model, const Derived& derived, Form form) {
  return printing::ProgramPrinter(model, derived, form).print();
}

std::vector<std::string> print_defaults(const Model& model) {
  using namespace printing;
  Names names;
  const Layout layout = plan(model, {}, names, false);
  Writer writer(model.graph, names, layout.labels);
  std::vector<std::string> out(model.inputs.size());
  for (std::size_t k = 0; k < out.size(); ++k) {
    const Expr value = model.inputs[k].default_value;
    if (value.valid()) out[k] = spell(writer.mention(value).right, Form::text);
  }
  return out;
}

std::string print_expression(const Model& model, Expr e, Form form) {
  using namespace printing;
  Names names;
  const Layout layout = plan_expression(model, e, names);
  Writer writer(model.graph, names, layout.labels);
  std::string out;
  for (const auto& planned : layout.lines) {
    const Line line = planned.defines ? writer.define(planned.expr) : writer.mention(planned.expr);
    std::string left;
    for (const auto& b : line.left) {
      left += (left.empty() ? "[" : ", ") + spell_name(b.name, form);
      if (b.shown) left += " in " + spell(b.range[0], form) + ".." + spell(b.range[1], form);
    }
    if (!left.empty()) left += "]";
    if (!planned.name.empty() || !left.empty()) out += planned.name + left + " = ";
    out += spell(line.right, form) + (&planned == &layout.lines.back() ? "" : "\n");
  }
  return out;
}

}  // namespace gradus
