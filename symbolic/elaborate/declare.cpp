// Declarations: sizes, dims, inputs with their assumptions.
#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>

#include "frontend/format.hpp"
#include "symbolic/elaborate/context.hpp"
#include "symbolic/elaborate/evaluate.hpp"
#include "symbolic/interpret.hpp"

namespace gradus::elaboration {
namespace {

class Declarer {
 public:
  Declarer(Context& context, const ast::Program& program)
      : context_(context), program_(program), sizes_(context.sizes()) {}

  void run() {
    for (const auto& s : program_.statements)
      if (s.kind == ast::Statement::Kind::declaration && s.declaration.role == ast::Role::dim)
        for (const auto& d : s.declaration.names) dimension(d, s.broken);
    for (const auto& s : program_.statements) {  // sizes are listed in order of first appearance, dims among them
      if (s.kind != ast::Statement::Kind::declaration) continue;
      for (const auto& d : s.declaration.names) {
        if (s.declaration.role == ast::Role::dim)
          add_size_name(d.name.text);
        else
          input(s, d);
      }
    }
    for (const auto& s : program_.statements)
      if (s.kind == ast::Statement::Kind::declaration && s.broken)
        for (const auto& d : s.declaration.names)
          for (const ast::Id id : d.shape) size_of_broken(id);
  }

 private:
  const ast::Expression& at(ast::Id id) const { return program_.at(id); }

  /// Enters a name; false (with an error) when it is taken.
  bool enter(const ast::Name& name, Symbol symbol, bool constant = false) {
    symbol.text = name.text;
    symbol.span = name.span;
    const auto [found, is_new] = context_.symbols.try_emplace(name.key, symbol);
    if (is_new) {
      context_.symbol_order.push_back(name.key);
      return true;
    }
    const Symbol& other = found->second;
    const bool size = other.kind == Symbol::Kind::size;
    Diagnostic& d = context_.diagnostics.error(
        name.span, size                      ? name.text + " is a size already, so it cannot name a value"
                   : other.text == name.text ? name.text + " is declared twice"
                                             : name.text + " and " + other.text + " are the same name, declared twice");
    if (!other.span.is_none()) d.note(other.text + (size ? " is a size here" : " is declared here"), other.span);
    if (constant && size) d.help("a size that is fixed is a dim: dim " + name.text + " = 3");
    if (size && symbol.kind == Symbol::Kind::input && !constant)
      d.help("a size needs no declaration, and may stand in expressions too");
    found->second.poisoned = found->second.poisoned || size;
    return false;
  }

  void dimension(const ast::Declared& d, bool broken) {
    Symbol symbol;
    symbol.kind = Symbol::Kind::dimension;
    std::optional<Rational> value;
    if (!broken && d.value.valid()) value = number(d.value);
    symbol.size = sizes_.symbol(d.name.text);
    const ast::Expression* name = !broken && d.value.valid() && !value ? unknown_name(d.value) : nullptr;
    if (name != nullptr && context_.find(name->name.key) != nullptr && context_.find(name->name.key)->poisoned) {
      symbol.poisoned = true;  // an earlier dim is wrong
    } else if (!broken && d.value.valid() && !value) {
      if (name == nullptr && is_arithmetic(d.value))
        context_.diagnostics.error(at(d.value).span, "the dim " + d.name.text + " is a whole number, but " +
                                                         format(program_, d.value) + " is none, or is too large");
      else
        context_.diagnostics.error(name == nullptr ? at(d.value).span : name->span,
                                   "the dim " + d.name.text + " is a whole number, given by numbers and earlier dims" +
                                       (name == nullptr ? "" : ", but " + name->name.text + " is none"));
      symbol.poisoned = true;
    } else if (value) {
      const auto whole = value->as_int64();
      if (!whole || *whole < 0 || *whole > (std::int64_t{1} << 40)) {
        const std::string text = value->to_string();
        context_.diagnostics.error(
            at(d.value).span,
            !value->is_integer() ? "the dim " + d.name.text + " is a whole number, but " + text + " is not"
            : value->sign() < 0  ? "the dim " + d.name.text + " must not be negative, but it is " + text
                                 : "the dim " + d.name.text + " is too large: " + text);
        symbol.poisoned = true;
      } else {
        symbol.value = whole;  // the size stays a symbol: it is a parameter of built code, and settable
      }
    }
    if (!enter(d.name, symbol)) return;
    Dimension out{d.name.text, std::nullopt, d.name.span};
    if (value && !symbol.poisoned) out.value = value->as_int64();
    context_.model.dimensions.push_back(out);
  }

  /// The first name in a dim's value that is no earlier dim.
  const ast::Expression* unknown_name(ast::Id id) const {
    std::vector<ast::Id> todo = {id};
    while (!todo.empty()) {
      const ast::Expression& e = at(todo.back());
      todo.pop_back();
      const Symbol* s = e.kind == ast::Kind::name ? context_.find(e.name.key) : nullptr;
      const bool known = s != nullptr && s->kind == Symbol::Kind::dimension && !s->poisoned;
      if (e.kind == ast::Kind::name && !known) return &e;
      todo.insert(todo.end(), e.children.rbegin(), e.children.rend());
    }
    return nullptr;
  }

  /// Whether a dim's value is made of numbers, names and operators alone.
  bool is_arithmetic(ast::Id id) const {
    std::vector<ast::Id> todo = {id};
    while (!todo.empty()) {
      const ast::Expression& e = at(todo.back());
      todo.pop_back();
      if (e.kind != ast::Kind::number && e.kind != ast::Kind::name && e.kind != ast::Kind::negate &&
          e.kind != ast::Kind::binary)
        return false;
      todo.insert(todo.end(), e.children.begin(), e.children.end());
    }
    return true;
  }

  /// A number made of numbers and dims that have values.
  std::optional<Rational> number(ast::Id id, int depth = 0) const {
    const ast::Expression& e = at(id);
    if (depth > 64) return std::nullopt;
    switch (e.kind) {
      case ast::Kind::number:
        return e.value;
      case ast::Kind::negate: {
        const auto x = number(e.children[0], depth + 1);
        if (!x) return std::nullopt;
        return -*x;
      }
      case ast::Kind::name: {
        const Symbol* s = context_.find(e.name.key);
        if (s == nullptr || s->kind != Symbol::Kind::dimension) return std::nullopt;
        if (!s->value) return std::nullopt;
        return Rational(*s->value);
      }
      case ast::Kind::binary: {
        const auto x = number(e.children[0], depth + 1), y = number(e.children[1], depth + 1);
        if (!x || !y) return std::nullopt;
        if (e.op == ast::Binary::add) return *x + *y;
        if (e.op == ast::Binary::subtract) return *x - *y;
        if (e.op == ast::Binary::multiply) return *x * *y;
        if (e.op == ast::Binary::divide && !y->is_zero()) return *x / *y;
        if (e.op == ast::Binary::power && y->as_int64()) return x->power(*y->as_int64());
        return std::nullopt;
      }
      default:
        return std::nullopt;
    }
  }

  void add_size_name(const std::string& name) {
    if (size_names_.insert(name).second) context_.model.size_names.push_back(name);
  }

  /// An entry of a shape: affine in names of sizes, which it declares.
  std::optional<Size> size(ast::Id id, int depth = 0) {
    const ast::Expression& e = at(id);
    if (depth > 63) {
      context_.diagnostics.error(e.span, "a size has at most 64 terms");
      return std::nullopt;
    }
    switch (e.kind) {
      case ast::Kind::number: {
        const auto whole = e.value.as_int64();
        if (whole && *whole >= 0 && *whole < (std::int64_t{1} << 31)) return sizes_.constant(*whole);
        if (!e.value.is_integer() || e.value.sign() < 0) return complain(e);
        context_.diagnostics.error(e.span, "a number in a size is at most 2147483647")
            .help("a larger size is given when the formula is evaluated: name it");
        return std::nullopt;
      }
      case ast::Kind::negate: {
        const auto x = size(e.children[0], depth + 1);
        if (!x) return std::nullopt;
        return sizes_.scale(*x, -1);
      }
      case ast::Kind::plus:
        return size(e.children[0], depth + 1);
      case ast::Kind::name:
        return size_name(e);
      case ast::Kind::binary: {
        if (e.op != ast::Binary::add && e.op != ast::Binary::subtract && e.op != ast::Binary::multiply)
          return complain(e);
        const auto x = size(e.children[0], depth + 1);
        if (!x) return std::nullopt;
        const auto y = size(e.children[1], depth + 1);
        if (!y) return std::nullopt;
        const bool product = e.op == ast::Binary::multiply;
        if (product && !sizes_.as_constant(*x) && !sizes_.as_constant(*y)) return complain(e);
        const Size out = product                    ? sizes_.multiply(*x, *y)
                         : e.op == ast::Binary::add ? sizes_.add(*x, *y)
                                                    : sizes_.subtract(*x, *y);
        return moderate(out) ? std::optional<Size>(out) : complain(e);
      }
      default:
        return complain(e);
    }
  }

  /// Coefficients stay far from overflow.
  bool moderate(Size s) const {
    constexpr std::int64_t limit = std::int64_t{1} << 31;
    const auto terms = sizes_.terms(s);
    return std::ranges::all_of(terms,
                               [](const Sizes::Term& t) { return t.coefficient < limit && t.coefficient > -limit; });
  }

  std::optional<Size> complain(const ast::Expression& e) {
    context_.diagnostics.error(e.span, "a size in a shape is a name, a whole number or an affine combination of them");
    return std::nullopt;
  }

  std::optional<Size> size_name(const ast::Expression& e) {
    Symbol symbol;
    symbol.kind = Symbol::Kind::size;
    symbol.text = e.name.text;
    symbol.span = e.span;
    const auto found = context_.symbols.find(e.name.key);
    if (found == context_.symbols.end()) {
      symbol.size = sizes_.symbol(e.name.text);
      context_.symbols.emplace(e.name.key, symbol);
      context_.symbol_order.push_back(e.name.key);
      add_size_name(e.name.text);
      return symbol.size;
    }
    const Symbol& s = found->second;
    if (s.kind == Symbol::Kind::dimension) add_size_name(s.text);
    if (s.kind == Symbol::Kind::size || s.kind == Symbol::Kind::dimension) return s.size;
    if (s.poisoned) return std::nullopt;
    // An input is known before its assumptions are read: `x[n] : index(x)` names one that is not stored yet.
    const bool constant = s.kind == Symbol::Kind::input && s.number < context_.model.inputs.size() &&
                          context_.model.inputs[s.number].role == Input::Role::constant;
    Diagnostic& d = context_.diagnostics.error(e.span, s.text + " is a value, so it cannot be a size");
    d.note(s.text + " is declared here", s.span);
    if (constant)
      d.help("a size that is fixed is a dim: dim " + s.text + " = " +
             whole_default(context_.model.graph, context_.model.inputs[s.number]));
    return std::nullopt;
  }

  /// The names in a shape of a line that is wrong otherwise are sizes all the same.
  void size_of_broken(ast::Id id) {
    std::vector<ast::Id> todo = {id};
    while (!todo.empty()) {
      const ast::Expression& e = at(todo.back());
      todo.pop_back();
      if (e.kind == ast::Kind::name && context_.find(e.name.key) == nullptr) size_name(e);
      todo.insert(todo.end(), e.children.begin(), e.children.end());
    }
  }

  void input(const ast::Statement& statement, const ast::Declared& d) {
    const ast::Declaration& declaration = statement.declaration;
    Input in;
    in.role = declaration.role == ast::Role::data    ? Input::Role::data
              : declaration.role == ast::Role::param ? Input::Role::param
                                                     : Input::Role::constant;
    in.name = d.name.text;
    in.key = d.name.key;
    in.span = d.name.span;
    Symbol symbol;
    symbol.kind = Symbol::Kind::input;
    symbol.number = context_.model.inputs.size();
    bool good = !statement.broken;
    if (good && d.shape.size() > most_axes) {
      context_.diagnostics.error(at(d.shape[most_axes]).span,
                                 "an array has at most " + std::to_string(most_axes) + " axes");
      good = false;
    }
    if (good)
      for (const ast::Id id : d.shape) {
        const auto s = size(id);
        good = good && s.has_value();
        if (!s) size_of_broken(id);
        if (!s) continue;
        if (sizes_.is_negative(*s)) {
          context_.diagnostics.error(at(id).span, "a size is not negative");
          good = false;
        }
        in.shape.push_back(*s);
      }
    symbol.poisoned = !good;
    const Symbol* earlier = context_.find(d.name.key);
    if (earlier != nullptr && (statement.broken || earlier->poisoned)) return;  // part of another mistake
    const Input* first =
        earlier != nullptr && earlier->kind == Symbol::Kind::input && earlier->number < context_.model.inputs.size()
            ? &context_.model.inputs[earlier->number]
            : nullptr;
    if (!enter(d.name, symbol, in.role == Input::Role::constant)) {
      if (first != nullptr && !declaration.assumptions.empty())
        one_line_says_both(context_, program_, declaration, *first);
      return;
    }
    for (const Size s : in.shape) sizes_.assume_nonnegative(s);
    if (good) good = assumptions(statement, d, in);
    context_.symbols.at(d.name.key).poisoned = !good;
    in.expr = context_.model.graph.input(static_cast<std::uint32_t>(symbol.number), in.shape);
    if (in.index_bound) context_.model.graph.set_index_bound(in.expr, *in.index_bound);
    if (in.positive || in.nonnegative)
      context_.model.graph.set_sign(in.expr, in.positive ? InputSign::positive : InputSign::nonnegative);
    if (good && (in.symmetric || in.spd)) context_.model.graph.set_symmetric(in.expr);
    context_.model.inputs.push_back(std::move(in));
    if (good && declaration.role == ast::Role::constant) {
      Evaluator evaluator(context_);
      const auto value = evaluator.const_default(program_, d, symbol.number);
      if (value && has_a_value(d, *value, symbol.number))
        context_.model.inputs.back().default_value = *value;
      else
        context_.symbols.at(d.name.key).poisoned = true;
    }
  }

  /// Whether a const's default is a number: `1/0` is none, and infinity is meant only where it is written.
  bool has_a_value(const ast::Declared& d, Expr value, std::size_t number) {
    if (!is_quickly_known(value)) return true;
    const Array& array = consts_.inputs[static_cast<std::uint32_t>(number)] =
        evaluate_reference(context_.model.graph, {value}, consts_).at(0);
    const double x = array.values.at(0);
    if (std::isfinite(x) || (std::isinf(x) && mentions_infinity(d.value))) return true;
    context_.diagnostics
        .error(at(d.value).span, "the default of the const " + d.name.text + " is no number: it comes out as " +
                                     (std::isnan(x) ? "nan"
                                      : x > 0       ? "inf"
                                                    : "-inf"))
        .help("write a number, or inf where infinity is meant");
    return false;
  }

  /// Whether the value of a default takes no time: few consts, no long sums, and earlier consts whose values are known.
  bool is_quickly_known(Expr value) const {
    constexpr std::size_t most_consts = 200, most_nodes = 10'000;
    constexpr double most_steps = 1e5;
    if (consts_.inputs.size() >= most_consts) return false;
    const Graph& graph = context_.model.graph;
    const std::vector<Expr> nodes = graph.reachable({value});
    if (nodes.size() > most_nodes) return false;
    for (const Expr e : nodes) {
      const Node& node = graph[e];
      if (node.kind == Kind::input && !consts_.inputs.contains(static_cast<std::uint32_t>(node.payload))) return false;
      double steps = 1;
      for (const Size label : node.labels) steps *= static_cast<double>(sizes_.as_constant(label).value_or(1 << 30));
      if (steps > most_steps) return false;
    }
    return true;
  }

  bool mentions_infinity(ast::Id id) const {
    std::vector<ast::Id> todo = {id};
    while (!todo.empty()) {
      const ast::Expression& e = at(todo.back());
      todo.pop_back();
      if (e.kind == ast::Kind::name && e.name.key == "inf") return true;
      const Symbol* s = e.kind == ast::Kind::name ? context_.find(e.name.key) : nullptr;
      if (s != nullptr && s->kind == Symbol::Kind::input) {
        const auto earlier = consts_.inputs.find(static_cast<std::uint32_t>(s->number));
        if (earlier != consts_.inputs.end() && std::isinf(earlier->second.values.at(0))) return true;
      }
      todo.insert(todo.end(), e.children.begin(), e.children.end());
    }
    return false;
  }

  /// Sets the assumptions of one name; errors about the line itself are reported with its first name.
  bool assumptions(const ast::Statement& statement, const ast::Declared& d, Input& in) {
    const ast::Declaration& declaration = statement.declaration;
    if (declaration.assumptions.empty()) return true;
    bool known = true, declared = true;
    for (const ast::Assumption& a : declaration.assumptions) {
      if (a.name.text == "index" || flag_of(in, a.name.text) != nullptr) continue;
      unknown_assumption(context_, program_, a);
      known = false;
      declared = declared && !a.argument.valid();  // `categorical(k)`: perhaps it was meant as index data
    }
    if (!known) return declared;
    if (!same_shapes(statement, &d == &declaration.names[0])) return !has_index(declaration);
    bool good = true;
    for (const auto& a : declaration.assumptions) {
      const std::string& word = a.name.text;
      if (word == "index") {
        good = index_assumption(declaration, d, a, in) && good;
        continue;
      }
      if (a.argument.valid()) {
        Diagnostic& error =
            context_.diagnostics.error(a.span.is_none() ? a.name.span : a.span, word + " takes no argument");
        if (word == "integer") error.help("whole numbers below k are index(k)");
        continue;
      }
      *flag_of(in, word) = true;
      if (!needs_square(word)) continue;
      const std::size_t rank = in.shape.size();
      if (rank >= 2 && in.shape[rank - 1] == in.shape[rank - 2]) continue;
      context_.diagnostics.error(d.span.is_none() ? d.name.span : d.span,
                                 word + " needs a square matrix, but " + in.name + " is " +
                                     (rank == 0 ? "a scalar" : shape_text(sizes_, in.shape)));
      good = false;
    }
    return good;
  }

  /// Names that were meant as index data are none when their line is wrong: their uses are silent.
  static bool has_index(const ast::Declaration& declaration) {
    return std::ranges::any_of(declaration.assumptions,
                               [](const ast::Assumption& a) { return a.name.text == "index"; });
  }

  bool index_assumption(const ast::Declaration& declaration, const ast::Declared& d, const ast::Assumption& a,
                        Input& in) {
    if (declaration.role != ast::Role::data) {
      context_.diagnostics
          .error(d.name.span,
                 "index values have no gradient, so " + d.name.text + " is data, not " + role_word(declaration.role))
          .help("write data " + format_declared(d) + " : index(" +
                (a.argument.valid() ? format(program_, a.argument) : "k") + ")");
      return false;
    }
    if (!a.argument.valid()) {
      context_.diagnostics.error(a.name.span, "index needs the size it stays below: index(k)");
      return false;
    }
    const auto bound = size(a.argument);
    if (!bound) return false;
    if (sizes_.is_negative(*bound)) {
      context_.diagnostics.error(at(a.argument).span,
                                 "a size is not negative: no index stays below " + format(program_, a.argument));
      return false;
    }
    if (in.index_bound) {
      context_.diagnostics.error(a.span.is_none() ? a.name.span : a.span, "index stands twice");
      return false;
    }
    in.index_bound = *bound;
    return true;
  }

  std::string format_declared(const ast::Declared& d) const {
    std::string out = d.name.text;
    for (std::size_t k = 0; k < d.shape.size(); ++k) out += (k == 0 ? "[" : ", ") + format(program_, d.shape[k]);
    return d.shape.empty() ? out : out + "]";
  }

  bool is_square(const ast::Declared& d) const {
    const std::size_t rank = d.shape.size();
    return rank >= 2 && format(program_, d.shape[rank - 1]) == format(program_, d.shape[rank - 2]);
  }

  /// A line with assumptions whose names have different shapes is an error that shows the lines to write.
  bool same_shapes(const ast::Statement& statement, bool report) {
    const auto& names = statement.declaration.names;
    const auto shape = [&](const ast::Declared& d) {
      const std::string text = format_declared(d);
      return text.substr(d.name.text.size());
    };
    for (const auto& d : names) {
      if (shape(d) == shape(names[0])) continue;
      if (!report) return false;
      Diagnostic& error = context_.diagnostics.error(
          statement.span, "an assumption holds for every name of its line, and these names have different shapes");
      for (const auto& one : names) {
        std::string words;
        for (const auto& a : statement.declaration.assumptions)
          if (a.name.text == "index" ? shape(one) == shape(names.back()) : is_square(one) || !needs_square(a.name.text))
            words += (words.empty() ? " : " : ", ") + a.name.text +
                     (a.argument.valid() ? "(" + format(program_, a.argument) + ")" : "");
        error.help(std::string(role_word(statement.declaration.role)) + " " + format_declared(one) + words);
      }
      return false;
    }
    return true;
  }

  Context& context_;
  Bindings consts_;  // the values of the consts so far
  std::unordered_set<std::string> size_names_;
  const ast::Program& program_;
  Sizes& sizes_;
};

}  // namespace

void declare(Context& context, const ast::Program& program) { Declarer(context, program).run(); }

}  // namespace gradus::elaboration
