// Parts and methods of values in other languages: np.exp(x), A.sum(), X.shape[0], y[:, None].
#include <fmt/format.h>

#include <algorithm>

#include "frontend/foreign_functions.hpp"
#include "frontend/format.hpp"
#include "frontend/parser.hpp"

namespace gradus {

using ast::Binary;
using ast::Expression;
using ast::Id;
using ast::Kind;

namespace {

// Whose functions are written without them.
constexpr std::string_view modules[] = {"np",     "numpy", "torch",        "jnp", "jax", "tf", "math",
                                        "scipy",  "sp",    "nn",           "F",   "tl",  "K",  "special",
                                        "linalg", "Math",  "LinearAlgebra"};
constexpr std::string_view axis_functions[] = {"sum",     "prod",   "mean",    "var",      "std",    "max",
                                               "min",     "median", "any",     "all",      "argmax", "argmin",
                                               "softmax", "cumsum", "cumprod", "logsumexp"};

template <std::size_t N>
bool among(const std::string_view (&list)[N], std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

bool has_axis(const Expression& call) {
  return std::ranges::any_of(call.keywords, [](const ast::Keyword& k) { return k.name.text == "axis"; });
}

// What converts or copies, which nothing here needs.
constexpr std::string_view needless[] = {"item",    "numpy",  "cpu",   "cuda",          "to",     "float",
                                         "double",  "clone",  "copy",  "astype",        "eval",   "contiguous",
                                         "squeeze", "tolist", "array", "asarray",       "tensor", "long",
                                         "int",     "bool",   "half",  "requires_grad_"};

}  // namespace

/// `np.exp(x)`, `A.sum()`, `X.shape[0]`.
Parser::Operand Parser::member(Operand left) {
  const Token* name = &advance();
  const std::string base = program_.at(left.id).kind == Kind::name ? program_.at(left.id).name.text : "";
  bool in_module = among(modules, base);
  while (in_module && at(Foreign::member)) name = &advance();
  std::string word = spelt(*name).substr(1);
  const Span mark = join(left.span, name->span);
  if (in_module && word.starts_with("reduce_")) word.erase(0, 7);
  if (in_module && word == "einsum") einsum(mark);
  if (!in_module && (word == "shape" || word == "size" || word == "ndim")) size_of(left, mark);
  if (in_module && word == "newaxis") {  // np.newaxis
    Expression none;
    none.kind = Kind::name;
    none.name = {word, word, mark};
    none.span = none.mark = mark;
    return add(std::move(none));
  }
  const std::string owner = name == at_ - 1 && !in_module ? base : spelt(name[-1]);
  if (const std::string density = density_of(owner.starts_with('.') ? owner.substr(1) : owner, word);
      !density.empty()) {
    in_module = true;
    word = density;
  }
  const bool reported = broken_;
  Diagnostic& d =
      in_module ? report(mark, fmt::format("functions stand alone: there is no '{}'", shown(mark)))
                : report(mark, fmt::format("values have no methods or named parts: there is no '{}'", spelt(*name)));
  if (!at(Tok::open_paren)) {
    if (in_module && (is_function_name(word) || word == "pi" || word == "inf")) d.help(fmt::format("write {}", word));
    if (in_module && word == "e") d.help("write exp(1)");
    if (word == "mT" || word == "H" || word == "mH") d.help(fmt::format("write {}.T", text_of(left)));
    throw StatementFailed{};
  }
  Operand result;
  if (in_module) {
    Expression call;
    call.kind = Kind::call;
    call.name = {word, name_key(word), name->span};
    call.mark = mark;
    arguments(call);
    if (call.children.empty() && at(Tok::open_paren)) arguments(call);  // nn.MSELoss()(p, y), nn.Softmax(dim=1)(x)
    call.span = join(left.span, (at_ - 1)->span);
    result = written_here(std::move(call));
  } else {
    result = method(left, *name);
  }
  if (!in_module && among(needless, word)) result = left;  // in a call: cross_entropy(z, c.long())
  if (reported) return result;
  if (result.id == left.id) {
    d.help(fmt::format("leave '.{}()' out", word));
    return result;
  }
  const Expression& made = program_.at(result.id);
  std::string here;
  if (made.kind == Kind::call && made.keywords.empty()) here = foreign_call(made.name.text, texts_of(made.children));
  if (here.empty() && made.kind == Kind::call && !is_function_name(made.name.text)) {
    const std::string help = no_such_method(word, in_module, left);
    if (!help.empty()) d.help(help);
    return result;
  }
  d.help(fmt::format("write {}", here.empty() ? text_of(result) : here));
  return result;
}

/// `norm.logpdf` of SciPy as the name of the same density in Stan, which the table knows; else nothing.
std::string Parser::density_of(const std::string& owner, const std::string& word) {
  constexpr std::string_view standard[] = {"norm", "Normal", "normal"};
  if (word == "cdf" && among(standard, owner)) return "normal_cdf";
  if (word == "logcdf" && among(standard, owner)) return "log_normal_cdf";
  if (word == "pdf" && among(standard, owner)) return "norm_pdf";
  const bool discrete = word == "logpmf";
  if (word != "logpdf" && !discrete) return {};
  const std::string name = owner == "norm" ? "normal" : owner == "expon" ? "exponential" : owner;
  return name + (discrete ? "_lpmf" : "_lpdf");
}

/// What to say about a method or a function of a module that nothing here is called; perhaps nothing.
std::string Parser::no_such_method(const std::string& word, bool in_module, Operand left) const {
  if (word == "backward" || word == "grad" || word == "value_and_grad")
    return "the gradient is printed by gradus grad and computed by gradus eval --grad";
  if (among(needless, word))
    return in_module ? fmt::format("leave {} out", word) : fmt::format("leave '.{}()' out", word);
  if (word == "log_prob" || word.ends_with("_lpdf") || word.ends_with("_lpmf"))
    return "a log density is written out, as in -((x - mu)/s)^2/2 - log(s) - log(2*pi)/2";
  const std::string near = did_you_mean(word, function_names());
  if (near.empty()) return {};
  return in_module ? fmt::format("did you mean {}?", near) : fmt::format("did you mean {}({})?", near, text_of(left));
}

/// `sum(x, dim=0)`, after the keyword's value.
void Parser::axis_named_dim(Expression& call, const Token& word) {
  call.keywords.back().name.text = call.keywords.back().name.key = "axis";
  if (broken_) return;
  report(word.span, "the axis of a reduction is named axis")
      .help(fmt::format("write axis={}", text_of({call.keywords.back().value, {}})));
}

std::vector<std::string> Parser::texts_of(const std::vector<Id>& list) const {
  std::vector<std::string> out;
  for (const Id id : list) out.push_back(format(program_, id));
  return out;
}

/// A call of a function of another language as it is written here, where one function or operator says it; keywords
/// that nothing here has are left out.
Parser::Operand Parser::written_here(Expression call) {
  for (ast::Keyword& keyword : call.keywords)
    if (keyword.name.text == "dim") keyword.name.text = keyword.name.key = "axis";
  for (const ast::Keyword& keyword : call.keywords)
    if (call.name.text == "norm" && (keyword.name.text == "ord" || keyword.name.text == "p"))
      call.children.push_back(keyword.value);
  std::erase_if(call.keywords, [](const ast::Keyword& keyword) { return keyword.name.text != "axis"; });
  const std::string_view here = foreign_function(call.name.text, call.children.size());
  const auto operand = [&](std::size_t k) { return Operand{call.children[k], program_.at(call.children[k]).span}; };
  const Span mark = call.mark;
  if (here == "@0^2") {
    Expression two;
    two.value = Rational(2);
    two.span = two.mark = mark;
    return binary(operand(0), add(std::move(two)), Binary::power, mark);
  }
  constexpr std::string_view operators = "+-*/@";
  constexpr Binary meant[] = {Binary::add, Binary::subtract, Binary::multiply, Binary::divide, Binary::matmul};
  if (here.size() == 1) return binary(operand(0), operand(1), meant[operators.find(here[0])], mark);
  const bool function = !here.empty() && here.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == here.npos;
  if (function) call.name.text = call.name.key = std::string(here);
  return add(std::move(call));
}

Parser::Operand Parser::method(Operand base, const Token& name) {
  const std::string word = spelt(name).substr(1);
  Expression call;
  call.kind = Kind::call;
  call.name = {word, name_key(word), name.span};
  call.mark = name.span;
  arguments(call);
  call.span = join(base.span, (at_ - 1)->span);
  if (const std::string shape = reshaped(base, word, call.children); !shape.empty()) {
    Expression text;
    text.kind = Kind::name;
    text.name.text = text.name.key = shape;
    text.span = text.mark = call.span;
    return add(std::move(text));
  }
  if (word == "view") call.name.text = call.name.key = "reshape";
  if ((word == "t" || word == "transpose") && call.children.empty()) return transposed(base, name);
  if ((word == "dot" || word == "matmul" || word == "mm") && call.children.size() == 1) {
    return binary(base, {call.children[0], program_.at(call.children[0]).span}, Binary::matmul, name.span);
  }
  if (among(axis_functions, word) && call.children.size() == 1 && !has_axis(call)) {
    call.keywords.push_back({{"axis", "axis", name.span}, call.children[0]});
    call.children.clear();
  }
  call.children.insert(call.children.begin(), base.id);
  return written_here(std::move(call));
}

/// `x.unsqueeze(1)`, `X.flatten()`, `x.reshape(-1, 1)` of a declared input as a reshape with all its sizes; else empty.
std::string Parser::reshaped(Operand base, const std::string& word, const std::vector<Id>& arguments) const {
  const Expression& e = program_.at(base.id);
  const ast::Declared* input = e.kind == Kind::name ? declared(e.name.key) : nullptr;
  if (input == nullptr || input->shape.empty()) return {};
  std::vector<std::string> sizes;
  for (const Id size : input->shape) sizes.push_back(format(program_, size));
  std::string whole;
  for (const std::string& size : sizes) whole += (whole.empty() ? "" : "*") + size;
  const auto number = [&](std::size_t k) {
    const Expression& a = program_.at(arguments[k]);
    const bool minus = a.kind == Kind::negate && program_.at(a.children[0]).kind == Kind::number;
    return minus ? std::optional<std::int64_t>(-1) : a.kind == Kind::number ? a.value.as_int64() : std::nullopt;
  };
  std::string out = "reshape(" + e.name.text;
  if (word == "flatten" || word == "ravel") return out + ", " + whole + ")";
  if (word == "unsqueeze" && arguments.size() == 1 && number(0)) {
    const auto rank = static_cast<std::int64_t>(sizes.size());
    const std::int64_t axis = *number(0) < 0 ? rank : *number(0);
    if (axis > rank) return {};
    sizes.insert(sizes.begin() + axis, "1");
    for (const std::string& size : sizes) out += ", " + size;
    return out + ")";
  }
  if (word != "reshape" && word != "view") return {};
  std::size_t open = arguments.size();
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    const auto n = number(k);
    if (!n || (*n >= 0 && *n != 1)) return {};
    if (*n < 0) open = k;
  }
  if (open == arguments.size()) return {};
  for (std::size_t k = 0; k < arguments.size(); ++k) out += k == open ? ", " + whole : ", 1";
  return out + ")";
}

/// `X.shape[0]`: sizes have names.
void Parser::size_of(Operand base, Span mark) {
  std::string help = "a size is the name that stands in the shape, as n and d in X[n, d]";
  const Expression& e = program_.at(base.id);
  std::int64_t axis = -1;
  if (at(Tok::open_bracket) && at_[1].kind == Tok::number && at_[2].kind == Tok::close_bracket) {
    axis = Rational::parse(source_.slice(at_[1].span)).value_or(Rational(-1)).as_int64().value_or(-1);
  }
  const ast::Declared* input = e.kind == Kind::name ? declared(e.name.key) : nullptr;
  const auto k = static_cast<std::size_t>(std::max<std::int64_t>(axis, 0));
  if (input != nullptr && k < input->shape.size()) {
    help = fmt::format("write {}, the size in its declaration", format(program_, input->shape[k]));
  }
  fail(mark, fmt::format("there is no '{}'", shown(mark)), help);
}

bool Parser::is_new_axis(const Entry& entry) const {
  if (entry.colon || !entry.first.id.valid()) return false;
  const Expression& e = program_.at(entry.first.id);
  return e.kind == Kind::name && (e.name.text == "None" || e.name.text == "newaxis") && declared(e.name.key) == nullptr;
}

/// The sizes of a shape are taken over as they are written.
void Parser::know(const ast::Program& declarations) {
  for (const ast::Statement& statement : declarations.statements) {
    if (statement.kind != ast::Statement::Kind::declaration || statement.broken) continue;
    for (const ast::Declared& one : statement.declaration.names) {
      known_.push_back(one);
      for (Id& size : known_.back().shape) {
        Expression e;
        e.kind = Kind::name;
        e.name.text = e.name.key = format(declarations, size);
        size = program_.add(std::move(e));
      }
    }
  }
}

/// The declaration of an input, as far as it was read.
const ast::Declared* Parser::declared(const std::string& key) const {
  for (const ast::Declared& one : known_)
    if (one.name.key == key) return &one;
  for (const ast::Statement& statement : program_.statements) {
    if (statement.kind != ast::Statement::Kind::declaration) continue;
    for (const ast::Declared& one : statement.declaration.names) {
      if (one.name.key == key) return &one;
    }
  }
  return nullptr;
}

/// Whether a name stands in a shape that was read.
bool Parser::is_size(const std::string& key) const {
  const auto holds = [&](const ast::Declared& one) {
    return std::ranges::any_of(one.shape, [&](Id size) {
      return size.valid() && program_.at(size).kind == Kind::name && program_.at(size).name.key == key;
    });
  };
  return std::ranges::any_of(known_, holds) || std::ranges::any_of(program_.statements, [&](const ast::Statement& s) {
           return s.kind == ast::Statement::Kind::declaration && std::ranges::any_of(s.declaration.names, holds);
         });
}

/// `y[:, None]`: a reshape where the shape is known, else index notation.
void Parser::new_axis(Operand base, const std::vector<Entry>& list, Span mark) {
  const Expression& e = program_.at(base.id);
  const ast::Declared* input = e.kind == Kind::name ? declared(e.name.key) : nullptr;
  std::string shape;
  std::size_t axis = 0;
  bool whole = input != nullptr;
  for (const Entry& entry : list) {
    if (is_new_axis(entry)) {
      shape += ", 1";
      continue;
    }
    const bool all = entry.colon && !entry.first.id.valid() && !entry.last.id.valid();
    whole = whole && all && axis < input->shape.size();
    if (whole) shape += ", " + format(program_, input->shape[axis++]);
  }
  whole = whole && axis == input->shape.size();
  if (!whole) return;  // elaboration knows more
  fail(mark, "there are no new axes in subscripts",
       fmt::format("write reshape({}{}), or index notation: K[i, j] = y[i] - x[j]", e.name.text, shape));
}

}  // namespace gradus
