// How a call that does not fit is written: the help lines for wrong counts of arguments and for arguments with names.
#include <algorithm>

#include "frontend/foreign_functions.hpp"
#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {
namespace {

/// What functions with several arguments are called with; parameters of the prelude's stand there.
const std::unordered_map<std::string, std::string>& signatures() {
  static const std::unordered_map<std::string, std::string> all = {{"atan2", "atan2(y, x)"},
                                                                   {"beta", "beta(x, y)"},
                                                                   {"clip", "clip(x, lo, hi)"},
                                                                   {"dot", "dot(x, y)"},
                                                                   {"hypot", "hypot(x, y)"},
                                                                   {"lbeta", "lbeta(x, y)"},
                                                                   {"logaddexp", "logaddexp(a, b)"},
                                                                   {"matrix_power", "matrix_power(A, k)"},
                                                                   {"mod", "mod(x, y)"},
                                                                   {"norm", "norm(x, p)"},
                                                                   {"outer", "outer(x, y)"},
                                                                   {"polygamma", "polygamma(k, x)"},
                                                                   {"pow", "pow(x, y)"},
                                                                   {"quantile", "quantile(x, q)"},
                                                                   {"range", "range(n)"},
                                                                   {"reshape", "reshape(x, n, d)"},
                                                                   {"where", "where(c, a, b)"},
                                                                   {"xlog1py", "xlog1py(x, y)"},
                                                                   {"xlogy", "xlogy(x, y)"}};
  return all;
}

/// Settings of other libraries that change nothing here.
bool is_needless(const std::string& word) {
  static constexpr std::string_view words[] = {
      "approximate", "casting", "copy",          "device", "dtype",  "full_matrices", "inplace", "kind",     "lower",
      "name",        "order",   "requires_grad", "sorted", "sparse", "stable",        "subok",   "training", "upper"};
  return std::ranges::find(words, word) != std::end(words);
}

bool is_axis_word(const std::string& word) {
  return word == "axes" || word == "dim" || word == "dims" || word == "along" || word == "ax";
}

/// The place of an argument that libraries give by this name: predictions first, then what they are compared with.
std::optional<std::size_t> usual_place(const std::string& word) {
  static constexpr std::string_view first[] = {"input", "inputs", "logits",      "pred",   "preds",  "prediction",
                                               "yhat",  "y_hat",  "predictions", "y_pred", "scores", "output"};
  static constexpr std::string_view second[] = {"label", "labels", "target", "targets", "truth", "y_true", "classes"};
  if (std::ranges::find(first, word) != std::end(first)) return 0;
  if (std::ranges::find(second, word) != std::end(second)) return 1;
  return std::nullopt;
}

std::string in_parentheses_if_needed(const std::string& size) {
  return size.find_first_of(" *") == std::string::npos ? size : "(" + size + ")";
}

}  // namespace

/// A text that can be an operand of anything.
std::string Evaluator::operand_text(ast::Id id) const {
  const ast::Kind kind = at(id).kind;
  const bool whole = kind == ast::Kind::name || kind == ast::Kind::number || kind == ast::Kind::call ||
                     kind == ast::Kind::subscript || kind == ast::Kind::index_form || kind == ast::Kind::transpose;
  return whole ? text_of(id) : "(" + text_of(id) + ")";
}

/// `huber(r, t)`.
std::string Evaluator::signature(const ast::FunctionDefinition& f) {
  std::string out;
  for (const ast::Name& p : f.parameters) out += (out.empty() ? "(" : ", ") + p.text;
  return f.name.text + (out.empty() ? "(" : out) + ")";
}

/// `zeros([n, d])`, `reshape(x, [n, 1])`. Reported.
bool Evaluator::shape_in_list(ast::Id id) {
  const ast::Expression& e = at(id);
  const std::string& name = e.name.key;
  const std::size_t place = name == "zeros" || name == "ones"          ? 0
                            : name == "reshape" || name == "transpose" ? 1
                                                                       : SIZE_MAX;
  if (place == SIZE_MAX || e.children.size() != place + 1 || at(e.children[place]).kind != ast::Kind::vector)
    return false;
  std::string list = place == 0 ? "" : text_of(e.children[0]);
  for (const ast::Id entry : at(e.children[place]).children) list += (list.empty() ? "" : ", ") + text_of(entry);
  error(at(e.children[place]).span,
        e.name.text + " takes no list: its " + (name == "transpose" ? "axes" : "sizes") + " are arguments")
      .help("write " + e.name.text + "(" + list + ")");
  return true;
}

/// `sum(x, 0)`, `sum(i, x[i])`, `concat(x, y, 1)`: what stands last is no value. Reported.
bool Evaluator::axis_without_name(ast::Id id, std::size_t most) {
  const ast::Expression& e = at(id);
  const std::size_t given = e.children.size();
  const bool joins = most == SIZE_MAX && given >= 2;
  if (!joins && given != most + 1) return false;
  const ast::Expression& first = at(e.children[0]);
  const ast::Expression& last = at(e.children.back());
  const bool number = last.kind == ast::Kind::number ||
                      (last.kind == ast::Kind::negate && at(last.children[0]).kind == ast::Kind::number);
  if (number && e.keywords.empty()) {
    const Value v = eval(e.children[0]);
    const auto rank = static_cast<std::int64_t>(v.axes.size()) + (e.name.key == "stack" ? 1 : 0);
    const auto k = last.kind == ast::Kind::number ? last.value.as_int64() : at(last.children[0]).value.as_int64();
    const bool fits = !v.poisoned && k && (last.kind == ast::Kind::number ? *k < rank : *k <= rank);
    if (joins && (v.axes.empty() || !fits || (e.name.key == "concat" && given == 2))) return false;
    Diagnostic& d = error(e.span, "the axis of " + e.name.text + " is given by its name");
    std::string list;
    for (std::size_t a = 0; a + 1 < given; ++a) list += (a == 0 ? "" : ", ") + text_of(e.children[a]);
    if (v.poisoned || fits)
      d.help("write " + e.name.text + "(" + list + ", axis=" + text_of(e.children.back()) + ")");
    else if (v.axes.size() < 2)
      d.help(named(e.children[0]) +
             (v.axes.empty() ? " is a scalar" : " has one axis: write " + e.name.text + "(" + list + ")"));
    else
      d.help(named(e.children[0]) + ", which is " + shape_of(v) + ", has the axes 0 to " + std::to_string(rank - 1));
    return true;
  }
  if (joins || given != 2) return false;
  const bool index = first.kind == ast::Kind::name && context_.find(first.name.key) == nullptr &&
                     find_binding(first.name.key) == nullptr;
  if (index)
    error(e.span, "the index of " + e.name.text + " stands in brackets")
        .help("write " + e.name.text + "[" + first.name.text + "](" + text_of(e.children[1]) + ")");
  else
    error(e.span, e.name.text + " takes 1 argument, not 2")
        .help("an axis is given by its name, as axis=0; of several values, add or stack them first");
  return true;
}

/// `sum(X, axis=[0, 1])`. Reported.
void Evaluator::several_axes(const ast::Expression& call, const ast::Expression& list, std::size_t rank) {
  static constexpr std::string_view nests[] = {"sum", "mean", "prod", "max", "min", "any", "all", "logsumexp", "norm"};
  Diagnostic& d = error(list.span, "one axis is reduced at a time");
  std::vector<std::size_t> axes;
  for (const ast::Id entry : list.children) {
    const bool last = at(entry).kind == ast::Kind::negate;
    const ast::Expression& number = at(last ? at(entry).children[0] : entry);
    const auto k = number.kind == ast::Kind::number ? number.value.as_int64() : std::nullopt;
    const auto axis = k && last ? static_cast<std::int64_t>(rank) - *k : k.value_or(-1);
    if (axis < 0 || axis >= static_cast<std::int64_t>(rank)) return;
    axes.push_back(static_cast<std::size_t>(axis));
  }
  std::ranges::sort(axes, std::greater{});
  const auto repeated = std::ranges::unique(axes);
  axes.erase(repeated.begin(), repeated.end());
  std::string inside = text_of(call.children[0]);
  const std::string others = call.children.size() > 1 ? ", " + text_of(call.children[1]) : "";
  if (axes.size() == rank) {
    d.help("write " + call.name.text + "(" + inside + others + ")");
    return;
  }
  if (axes.size() == 1) {
    d.help("write axis=" + std::to_string(axes[0]));
    return;
  }
  if (!others.empty() || std::ranges::find(nests, canonical_function(call.name.key)) == std::end(nests)) {
    d.help("an index form takes several, as in " + call.name.text + "[i, j](X[i, j, k])");
    return;
  }
  for (const std::size_t axis : axes) inside = call.name.text + "(" + inside + ", axis=" + std::to_string(axis) + ")";
  d.help("one after the other: " + inside);
}

/// How a call with too many or too few arguments is written; empty where nothing is known.
std::string Evaluator::right_arguments(const ast::Expression& call) {
  constexpr std::size_t most_nested = 8;
  const std::string& name = call.name.key;
  const std::size_t given = call.children.size();
  std::vector<std::string> x;
  for (const ast::Id child : call.children) x.push_back(text_of(child));
  if (name == "range" && given == 2) {
    const std::string from = x[0] == "0" ? "" : " - " + operand_text(call.children[0]);
    return "it counts from 0: range(" + x[1] + from + ")" +
           (from.empty() ? "" : " + " + operand_text(call.children[0]));
  }
  if ((name == "max" || name == "min") && given > 2 && given <= most_nested) {
    std::string nested = x.back();
    for (std::size_t k = given - 1; k-- > 0;) nested = name + "(" + x[k] + ", " + nested + ")";
    return "write " + nested;
  }
  if ((name == "log" || name == "ln") && given == 2)
    return x[1] == "10" || x[1] == "2" ? "write log" + x[1] + "(" + x[0] + ")"
                                       : "write log(" + x[0] + ")/log(" + x[1] + ")";
  if (name == "clip" && given == 2)
    return "a bound on one side is max(" + x[0] + ", " + x[1] + ") or min(" + x[0] + ", " + x[1] + ")";
  if (name == "eye" && given > 1)
    return x[0] == x[1] ? "write eye(" + x[0] + ")"
                        : "in index notation: E[i in 0.." + x[0] + ", j in 0.." + x[1] + "] = i == j";
  if ((name == "diag" || name == "tril" || name == "triu") && given == 2)
    return moved_diagonal(call, call.children[0], x[1]);
  if (call.children.empty()) return {};

  if (std::string here = foreign_call(name, x); !here.empty())
    return (name == "round" ? "digits after the point: " : "write ") + here;
  if (const auto known = signatures().find(name); known != signatures().end()) return "it is " + known->second;
  const std::string function = canonical_function(name);
  if (const auto f = function_named(function); f && row(*f).arity == 1) return "it is " + call.name.text + "(x)";
  if (takes_axis(function)) return "it is " + call.name.text + "(x) or " + call.name.text + "(x, axis=0)";
  return {};
}

/// `diag(x, 1)`, `tril(A, -1)`: a diagonal beside the main one, in index notation.
std::string Evaluator::moved_diagonal(const ast::Expression& call, ast::Id array, const std::string& by) {
  const Value v = eval(array);
  const ast::Expression& e = at(array);
  const std::string size = by.starts_with('-') ? by.substr(1) : by;
  const bool number = !size.empty() && size.find_first_not_of("0123456789") == size.npos;
  if (v.poisoned || !number || e.kind != ast::Kind::name) return {};
  const std::string& x = e.name.text;
  const bool below = size.size() != by.size();
  const std::string shifted = below ? "i - " + size : "i + " + size, back = below ? "j + " + size : "i + " + size;
  if (call.name.key != "diag" && v.axes.size() == 2)
    return "in index notation: L[i, j] = " + x + "[i, j] if j " + (call.name.key == "tril" ? "<= " : ">= ") + shifted +
           " else 0";
  if (call.name.key == "diag" && v.axes.size() == 2)
    return "in index notation: v[i] = " + x + (below ? "[i + " + size + ", i]" : "[i, i + " + size + "]");
  if (call.name.key != "diag" || v.axes.size() != 1) return {};
  const std::string n = sizes_.to_string(sizes_.add(build_.size(v.axes[0]), sizes_.constant(std::stoll(size))));
  return "in index notation: D[i in 0.." + n + ", j in 0.." + n + "] = " + x + (below ? "[j]" : "[i]") + " if " +
         (below ? "i == " : "j == ") + back + " else 0";
}

/// `huber(r, t=1)`: arguments have no names.
Value Evaluator::named_arguments(ast::Id id, const ast::FunctionDefinition& f) {
  const ast::Expression& e = at(id);
  std::vector<std::string> list(f.parameters.size());
  for (std::size_t k = 0; k < e.children.size(); ++k) list[k] = text_of(e.children[k]);
  bool good = true;
  for (const ast::Keyword& word : e.keywords) {
    const auto named = std::ranges::find_if(f.parameters, [&](const ast::Name& p) { return p.key == word.name.key; });
    auto k = static_cast<std::size_t>(named - f.parameters.begin());
    if (k == list.size()) k = usual_place(word.name.text).value_or(k);
    if (k == list.size() && e.keywords.size() == 1) k = list.size() - 1;  // the one that is left
    good = good && k < list.size() && list[k].empty();
    if (good) list[k] = text_of(word.value);
  }
  Diagnostic& d = error(e.keywords[0].name.span, e.name.text + " takes no argument named " + e.keywords[0].name.text);
  std::string text;
  for (const std::string& one : list) text += (text.empty() ? "(" : ", ") + one;
  d.help(good ? "arguments stand in order: " + e.name.text + text + ")" : "it is " + signature(f));
  return Value::poison();
}

bool Evaluator::keywords(ast::Id id, bool allowed) {
  const ast::Expression& e = at(id);
  for (std::size_t k = 0; k < e.keywords.size(); ++k) {
    const ast::Keyword& word = e.keywords[k];
    if (allowed && word.name.text == "axis" && k == 0) continue;
    const bool twice = allowed && word.name.text == "axis" && e.keywords[0].name.text == "axis";
    if (twice || (word.name.text == "axis" && !allowed)) {
      error(word.name.span, twice ? "axis is given twice" : e.name.text + " takes no axis");
      return false;
    }
    if (word.name.text == "axis") continue;  // after one that is wrong
    Diagnostic& d = error(word.name.span, e.name.text + " takes no argument named " + word.name.text);
    if (const std::string help = without_keywords(e, word, allowed); !help.empty()) d.help(help);
    return false;
  }
  return true;
}

/// What to write for a call with a name of an argument that there is not; nothing where nothing is known.
std::string Evaluator::without_keywords(const ast::Expression& call, const ast::Keyword& odd, bool takes_axis) {
  const std::string& word = odd.name.text;
  const std::string value = text_of(odd.value);
  if (word == "keepdims" || word == "keepdim") return with_axis_kept(call);
  if (takes_axis && is_axis_word(word)) return "write axis=" + value;
  const std::string function = canonical_function(call.name.key);
  if ((function == "var" || function == "std") && (word == "ddof" || word == "correction" || word == "unbiased"))
    return unbiased(call, odd);
  if (word == "reduction" && (value == "sum" || value == "none"))
    return "the losses are means over all entries; others are written out, as in sum((p - y)^2)";
  if (value == "False" || word == "reduction" || is_needless(word)) return "leave " + word + "=" + value + " out";
  const bool diagonal = function == "diag" || function == "tril" || function == "triu";
  if (diagonal && call.children.size() == 1 && (word == "k" || word == "diagonal" || word == "offset"))
    return moved_diagonal(call, call.children[0], value);
  if (value == "1" && (word == "beta" || word == "temperature")) return "leave " + word + "=1 out";
  if (function == "log" && word == "base" && call.children.size() == 1)
    return value == "2" || value == "10" ? "write log" + value + "(" + text_of(call.children[0]) + ")"
                                         : "write log(" + text_of(call.children[0]) + ")/log(" + value + ")";
  if (word == "where" && call.children.size() == 1 && call.keywords.size() == 1)
    if (std::string filtered = filter_of(odd.value, text_of(call.children[0])); !filtered.empty())
      return "a filter selects: " + call.name.text + filtered.substr(std::string_view("sum").size());
  if (const std::string here = with_keywords(call, function); !here.empty()) return "write " + here;
  if (const std::string positional = in_order_of(call); !positional.empty())
    return "arguments stand in order: " + positional;
  if (const auto known = signatures().find(function); known != signatures().end()) return "it is " + known->second;
  return takes_axis ? "the one argument with a name is axis, as in " + call.name.text + "(x, axis=0)" : "";
}

/// A call of our own function with the names that other libraries give its arguments, as it is written here; empty
/// where it is not known.
std::string Evaluator::with_keywords(const ast::Expression& call, const std::string& function) {
  std::vector<std::pair<std::string, std::string>> given;
  std::string axis;
  for (const ast::Keyword& word : call.keywords) {
    if (word.name.text == "axis")
      axis = ", axis=" + text_of(word.value);
    else
      given.emplace_back(word.name.text, text_of(word.value));
  }
  std::ranges::sort(given);
  std::string name = function;
  std::vector<std::string> x;
  for (const ast::Id child : call.children) x.push_back(text_of(child));
  for (const auto& [word, value] : given) {
    name += "/" + word;
    x.push_back(value);
  }
  return foreign_call(name, x, axis);
}

/// `var(x, ddof=1)` as the variance here, which divides by the count.
std::string Evaluator::unbiased(const ast::Expression& call, const ast::Keyword& word) {
  std::string less = text_of(word.value);
  if (less == "True") less = "1";
  if (less == "False") less = "0";
  if (call.children.size() != 1) return {};
  std::string here = call.name.text + "(" + text_of(call.children[0]);
  std::optional<Size> count;
  const Value v = eval(call.children[0]);
  if (v.poisoned) return {};
  Size product = sizes_.constant(1);
  for (const Label l : v.axes) product = sizes_.multiply(product, build_.size(l));
  count = product;
  for (const ast::Keyword& other : call.keywords) {
    if (other.name.text != "axis") continue;
    here += ", axis=" + text_of(other.value);
    const ast::Expression& number = at(other.value);
    const bool last = number.kind == ast::Kind::negate;
    const auto k = last ? at(number.children[0]).value.as_int64() : number.value.as_int64();
    const bool good = k && (last ? *k >= 1 && static_cast<std::size_t>(*k) <= v.axes.size()
                                 : *k >= 0 && static_cast<std::size_t>(*k) < v.axes.size());
    if (!good) return {};
    count = build_.size(v.axes[last ? v.axes.size() - static_cast<std::size_t>(*k) : static_cast<std::size_t>(*k)]);
  }
  here += ")";
  if (less == "0") return call.name.text + " divides by the count itself: write " + here;
  const std::string n = sizes_.to_string(*count);
  const std::string factor = in_parentheses_if_needed(n) + "/(" + n + " - " + less + ")";
  return call.name.text + " divides by the count: write " + here + "*" +
         (canonical_function(call.name.key) == "std" ? "sqrt(" + factor + ")" : factor);
}

/// A call of a function of the table whose arguments were given by names, in order; empty where the count is another.
std::string Evaluator::in_order_of(const ast::Expression& call) {
  const std::string function = canonical_function(call.name.key);
  const auto known = signatures().find(function);
  const auto f = function_named(function);
  const std::size_t count = known != signatures().end()
                                ? static_cast<std::size_t>(std::ranges::count(known->second, ',')) + 1
                                : (f ? row(*f).arity : 0);
  if (call.children.size() + call.keywords.size() != count) return {};
  std::vector<std::string> list(count);
  std::size_t next = 0;
  for (const ast::Id child : call.children) list[next++] = text_of(child);
  std::string parameters = known == signatures().end() ? "" : known->second.substr(function.size());
  std::ranges::replace(parameters, '(', ' ');
  std::ranges::replace(parameters, ')', ',');
  const auto place = [&](const ast::Keyword& word) {
    const std::size_t found = parameters.find(" " + word.name.text + ",");
    return found == parameters.npos
               ? count
               : static_cast<std::size_t>(
                     std::count(parameters.begin(), parameters.begin() + static_cast<std::ptrdiff_t>(found), ','));
  };
  const bool by_name = std::ranges::all_of(
      call.keywords, [&](const ast::Keyword& word) { return place(word) >= next && place(word) < count; });
  for (const ast::Keyword& word : call.keywords) list[by_name ? place(word) : next++] = text_of(word.value);
  std::string out;
  for (const std::string& one : list) {
    if (one.empty()) return {};
    out += (out.empty() ? "" : ", ") + one;
  }
  return call.name.text + "(" + out + ")";
}

/// `mean(X, axis=1, keepdims=True)`: a reshape makes the axis of size 1 where broadcasting needs it.
std::string Evaluator::with_axis_kept(const ast::Expression& call) {
  std::string general = "index notation keeps the axis: Z[i, j] = X[i, j] - sum[k](X[i, k])";
  if (call.children.size() != 1) return general;
  const auto axis = std::ranges::find_if(call.keywords, [](const ast::Keyword& k) { return k.name.text == "axis"; });
  std::string here = call.name.text + "(" + text_of(call.children[0]);
  if (axis == call.keywords.end()) return "a number broadcasts: write " + here + ")";
  here += ", axis=" + text_of(axis->value) + ")";
  const Value v = eval(call.children[0]);
  const ast::Expression& number = at(axis->value);
  const bool last = number.kind == ast::Kind::negate;
  const auto k = number.kind == ast::Kind::number ? number.value.as_int64() : std::nullopt;
  if (v.poisoned || v.axes.size() < 2 || (!k && !last)) return general;
  const std::size_t place = last ? v.axes.size() - 1 : static_cast<std::size_t>(*k);
  if (place >= v.axes.size()) return general;
  if (place == 0) return "along the first axis it broadcasts: write " + here;
  std::string shape;
  for (std::size_t a = 0; a < v.axes.size(); ++a)
    shape += ", " + (a == place ? std::string("1") : sizes_.to_string(build_.size(v.axes[a])));
  return "write reshape(" + here + shape + ")";
}

}  // namespace gradus::elaboration
