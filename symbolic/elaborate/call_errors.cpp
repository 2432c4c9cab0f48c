// Calls that do not fit: too many arguments, arguments with names, functions that do not exist.
#include <algorithm>

#include "frontend/foreign_functions.hpp"
#include "symbolic/elaborate/evaluate.hpp"

namespace gradus::elaboration {

bool Evaluator::arity(ast::Id id, std::size_t least, std::size_t most) {
  const ast::Expression& e = at(id);
  const std::size_t given = e.children.size();
  if (given >= least && given <= most) return true;
  std::string wanted = counted(least, "argument");
  if (most == SIZE_MAX)
    wanted = "at least " + wanted;
  else if (most != least)
    wanted = std::to_string(least) + (most == least + 1 ? " or " : " to ") + counted(most, "argument");
  Diagnostic& d = error(e.span, e.name.text + " takes " + wanted + ", not " + std::to_string(given));
  const std::string help = right_arguments(e);
  if (!help.empty()) d.help(help);
  return false;
}

/// How a call with too many or too few arguments is written; empty where nothing is known.
std::string Evaluator::right_arguments(const ast::Expression& call) {
  constexpr std::size_t most_nested = 8;
  const std::string& name = call.name.key;
  const std::size_t given = call.children.size();
  std::vector<std::string> x;
  for (const ast::Id child : call.children) x.push_back(text_of(child));
  if ((name == "max" || name == "min") && given > 2 && given <= most_nested) {
    std::string nested = x.back();
    for (std::size_t k = given - 1; k-- > 0;) nested = name + "(" + x[k] + ", " + nested + ")";
    return "write " + nested;
  }
  if ((name == "log" || name == "ln") && given == 2)
    return x[1] == "10" || x[1] == "2" ? "write log" + x[1] + "(" + x[0] + ")"
                                       : "write log(" + x[0] + ")/log(" + x[1] + ")";
  if (name == "sqrt" && given == 2) return "write pow(" + x[0] + ", 1/" + operand_text(call.children[1]) + ")";
  if (name == "clip" && given == 2)
    return "a bound on one side is max(" + x[0] + ", " + x[1] + ") or min(" + x[0] + ", " + x[1] + ")";
  if (name == "round" && given == 2)
    return "digits after the point: round(" + operand_text(call.children[0]) + "*10^" + operand_text(call.children[1]) +
           ")/10^" + operand_text(call.children[1]);
  if (name == "eye" && given == 2) return "write eye(" + x[0] + ")";
  if (name == "atan" && given == 2) return "write atan2(" + x[0] + ", " + x[1] + ")";
  if (name == "where" && given == 2) return "write where(" + x[0] + ", " + x[1] + ", 0)";
  if (name == "dot" && given == 1) return "write dot(" + x[0] + ", " + x[0] + ")";
  if (name == "norm" && given > 2) return "write norm(" + x[0] + ", " + x[1] + ")";
  static const std::unordered_map<std::string, std::string> signatures = {{"atan2", "atan2(y, x)"},
                                                                          {"beta", "beta(x, y)"},
                                                                          {"clip", "clip(x, lo, hi)"},
                                                                          {"dot", "dot(x, y)"},
                                                                          {"hypot", "hypot(x, y)"},
                                                                          {"lbeta", "lbeta(x, y)"},
                                                                          {"logaddexp", "logaddexp(x, y)"},
                                                                          {"mod", "mod(x, y)"},
                                                                          {"outer", "outer(x, y)"},
                                                                          {"polygamma", "polygamma(k, x)"},
                                                                          {"pow", "pow(x, y)"},
                                                                          {"quantile", "quantile(x, q)"},
                                                                          {"reshape", "reshape(x, n, d)"},
                                                                          {"where", "where(c, x, y)"},
                                                                          {"xlog1py", "xlog1py(x, y)"},
                                                                          {"xlogy", "xlogy(x, y)"}};
  const auto known = signatures.find(name);
  return known == signatures.end() ? std::string() : "it is " + known->second;
}

/// A text that can be an operand of anything.
std::string Evaluator::operand_text(ast::Id id) const {
  const ast::Kind kind = at(id).kind;
  const bool whole = kind == ast::Kind::name || kind == ast::Kind::number || kind == ast::Kind::call ||
                     kind == ast::Kind::subscript || kind == ast::Kind::index_form;
  return whole ? text_of(id) : "(" + text_of(id) + ")";
}

/// `huber(r, t)`.
std::string Evaluator::signature(const ast::FunctionDefinition& f) {
  std::string out;
  for (const ast::Name& p : f.parameters) out += (out.empty() ? "(" : ", ") + p.text;
  return f.name.text + (out.empty() ? "(" : out) + ")";
}

/// `huber(r, t=1)`: arguments have no names.
Value Evaluator::named_arguments(ast::Id id, const ast::FunctionDefinition& f) {
  const ast::Expression& e = at(id);
  std::vector<std::string> list(f.parameters.size());
  for (std::size_t k = 0; k < e.children.size(); ++k) list[k] = text_of(e.children[k]);
  bool good = true;
  for (const ast::Keyword& word : e.keywords) {
    const auto place = std::ranges::find_if(f.parameters, [&](const ast::Name& p) { return p.key == word.name.key; });
    const auto k = static_cast<std::size_t>(place - f.parameters.begin());
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
    if (word.name.text == "axis") {
      error(word.name.span, allowed ? "axis is given twice" : e.name.text + " takes no axis");
      return false;
    }
    Diagnostic& d = error(word.name.span, e.name.text + " takes no argument named " + word.name.text);
    if (word.name.text == "keepdims" || word.name.text == "keepdim")
      d.help(with_axis_kept(e));
    else if ((e.name.key == "log" || e.name.key == "ln") && word.name.text == "base" && e.children.size() == 1)
      d.help("write log(" + text_of(e.children[0]) + ")/log(" + text_of(word.value) + ")");
    else if (const std::string positional = in_order_of(e); !positional.empty())
      d.help("arguments stand in order: " + positional);
    else if (e.name.key == "norm" && (word.name.text == "ord" || word.name.text == "p") && !e.children.empty())
      d.help("the order is the second argument: norm(" + text_of(e.children[0]) + ", " + text_of(word.value) + ")");
    else if (allowed)
      d.help("did you mean axis?");
    return false;
  }
  return true;
}

/// A call of a function of the table whose arguments were given by names, in order; empty where the count is another.
std::string Evaluator::in_order_of(const ast::Expression& call) {
  const auto f = function_named(call.name.key);
  if (!f || call.children.size() + call.keywords.size() != row(*f).arity) return {};
  std::string out;
  for (const ast::Id child : call.children) out += (out.empty() ? "" : ", ") + text_of(child);
  for (const ast::Keyword& word : call.keywords) out += (out.empty() ? "" : ", ") + text_of(word.value);
  return call.name.text + "(" + out + ")";
}

/// `mean(X, axis=1, keepdims=True)`: a reshape makes the axis of size 1 where broadcasting needs it.
std::string Evaluator::with_axis_kept(const ast::Expression& call) {
  const std::string general = "index notation keeps the axis: Z[i, j] = X[i, j] - sum[k](X[i, k])";
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
  if (place == 0) return "along the first axis it broadcasts: write " + here;
  std::string shape;
  for (std::size_t a = 0; a < v.axes.size(); ++a)
    shape += ", " + (a == place ? std::string("1") : sizes_.to_string(build_.size(v.axes[a])));
  return "write reshape(" + here + shape + ")";
}

std::optional<std::size_t> Evaluator::axis_number(ast::Id value, std::size_t rank, Span mark,
                                                  const std::string& shape) {
  const ast::Expression& e = at(value);
  if (e.kind == ast::Kind::name && e.name.text == "None" && context_.find("None") == nullptr) {
    error(e.span, "an axis is a whole number").help("without axis=… the function runs over all of them");
    return std::nullopt;
  }
  if (e.kind == ast::Kind::vector) {
    error(e.span, "one axis is reduced at a time").help("as in sum(sum(X, axis=1), axis=0)");
    return std::nullopt;
  }
  const Value v = eval(value);
  if (v.poisoned) return std::nullopt;
  const auto number = v.affine && v.affine->is_constant() ? sizes_.as_constant(v.affine->offset) : std::nullopt;
  if (!number) {
    error(at(value).span, "an axis is a whole number, 0 for the first or -1 for the last");
    return std::nullopt;
  }
  const auto count = static_cast<std::int64_t>(rank);
  if (*number >= count || *number < -count) {
    error(mark, "there is no axis " + std::to_string(*number) + ": " + shape +
                    (rank == 0   ? " has no axes"
                     : rank == 1 ? " has the axis 0 only"
                                 : " has the axes 0 to " + std::to_string(count - 1)));
    return std::nullopt;
  }
  return static_cast<std::size_t>(*number < 0 ? *number + count : *number);
}

/// Numbers where class indices are meant.
Value Evaluator::no_classes(ast::Id id, const Value& scores, const Value& classes) {
  const ast::Expression& e = at(id);
  Diagnostic& d = error(e.span, e.name.text + " takes class indices, but " + named(e.children[1]) +
                                    " is no index data (" + named(e.children[0]) + " is " + shape_of(scores) + ", " +
                                    named(e.children[1]) + " is " + shape_of(classes) + ")");
  note_declaration(d, e.children[1]);
  const ast::Expression& c = at(e.children[1]);
  if (c.kind == ast::Kind::name && !classes.axes.empty())
    d.help("declare it so: data " + c.name.text + shape_of(classes) + " : index(" +
           sizes_.to_string(build_.size(scores.axes.back())) + ")");
  return Value::poison();
}

/// `x(i)` and MATLAB's `x(1)`, `x(end)`.
void Evaluator::subscripts_in_brackets(Diagnostic& d, const ast::Expression& call, const Input& input) {
  std::string list, given;
  bool shifted = false;
  for (std::size_t k = 0; k < call.children.size(); ++k) {
    const ast::Expression& e = at(call.children[k]);
    std::string text = text_of(call.children[k]);
    given += (k == 0 ? "" : ", ") + text;
    const auto number = e.kind == ast::Kind::number ? e.value.as_int64() : std::nullopt;
    if (number && *number > 0) {
      text = std::to_string(*number - 1);
      shifted = true;
    } else if (e.kind == ast::Kind::name && e.name.text == "end") {
      text = sizes_.to_string(sizes_.subtract(input.shape[k], sizes_.constant(1)));
      shifted = true;
    }
    list += (k == 0 ? "" : ", ") + text;
  }
  const std::string& name = call.name.text;
  if (shifted)
    d.help("subscripts stand in brackets and count from 0: " + name + "(" + given + ") is " + name + "[" + list + "]");
  else
    d.help("subscripts stand in brackets: " + name + "[" + list + "]");
}

Value Evaluator::unknown_function(ast::Id id) {
  const ast::Expression& e = at(id);
  const std::string& name = e.name.text;
  if (silent_) return Value::poison();
  if (is_function_to_come(e.name.key)) return not_supported(e.name.span, name);
  const Symbol* s = activation().prelude ? nullptr : context_.find(e.name.key);
  if (s != nullptr || find_binding(e.name.key) != nullptr) {
    if (s != nullptr && s->kind == Symbol::Kind::equation && context_.equations[s->number].broken)
      return Value::poison();  // perhaps it was meant as a function
    std::size_t rank = 0;
    if (s != nullptr && s->kind == Symbol::Kind::input) rank = context_.model.inputs[s->number].shape.size();
    Diagnostic& d = error(e.name.span, name + " is a value, not a function");
    if (s != nullptr && !s->span.is_none())
      d.note(name + (s->kind == Symbol::Kind::equation ? " is defined here" : " is declared here"), s->span);
    if (!e.children.empty() && e.children.size() <= rank)
      subscripts_in_brackets(d, e, context_.model.inputs[s->number]);
    else if (e.children.size() == 1)
      d.help("for a product write " + name + "*(" + text_of(e.children[0]) + ")");
    return Value::poison();
  }
  if (!context_.reported_names.insert(e.name.key + "(").second) return Value::poison();
  if (context_.lost_names > 0 && near_function(context_, name).empty()) {
    --context_.lost_names;
    return Value::poison();
  }
  Diagnostic& d = error(e.name.span, "there is no function " + name);
  if ((name == "len" || name == "length" || name == "size" || name == "numel") && e.children.size() == 1) {
    const Value v = eval(e.children[0]);
    if (!v.poisoned && v.axes.size() > 1 && name != "len")
      d.help("sizes have names: " + named(e.children[0]) + " is " + shape_of(v));
    else if (!v.poisoned && !v.axes.empty())
      d.help("the length of " + named(e.children[0]) + " is the size " + sizes_.to_string(build_.size(v.axes[0])));
    return Value::poison();
  }
  std::vector<std::string> texts;
  for (const ast::Id child : e.children) texts.push_back(text_of(child));
  const bool only_axis = std::ranges::all_of(e.keywords, [](const ast::Keyword& k) { return k.name.text == "axis"; });
  if (std::string here = only_axis ? foreign_call(name, texts) : ""; !here.empty()) {
    for (const ast::Keyword& word : e.keywords)
      if (here.ends_with(')')) here.insert(here.size() - 1, ", axis=" + text_of(word.value));
    d.help("write " + here);
    return Value::poison();
  }
  const bool density = name.find("_lpdf") != name.npos || name.find("_lpmf") != name.npos;
  if (density || name == "logpdf" || name == "log_prob" || name == "pdf" || name == "lpdf") {
    d.help("a log density is written out, as in -((x - mu)/s)^2/2 - log(s) - log(2*pi)/2");
    return Value::poison();
  }
  if ((name == "I" || name == "indicator" || name == "𝟙" || name == "ind") && texts.size() == 1) {
    const bool condition = at(e.children[0]).kind == ast::Kind::comparison;
    d.help(condition ? "a condition is 1 or 0 itself: (" + texts[0] + ")"
                     : "the identity matrix is eye(" + texts[0] + ")");
    return Value::poison();
  }
  if (name == "einsum") {
    d.help("index notation says it, as in C[i, k] = sum[j](A[i, j]*B[j, k])");
    return Value::poison();
  }
  if (const std::size_t bar = name.find('_'); bar != std::string::npos && texts.size() == 1) {
    const std::string sign = name.substr(0, bar), index = name.substr(bar + 1);
    const bool reduces = sign == "sum" || sign == "prod" || sign == "mean" || sign == "max" || sign == "min";
    if (reduces && index.size() == 1) {
      d.help("the index stands in brackets: " + sign + "[" + index + "](" + texts[0] + ")");
      return Value::poison();
    }
  }
  if ((name == "Σ" || name == "Π") && texts.size() == 1) {
    d.help("write " + std::string(name == "Σ" ? "sum(" : "prod(") + texts[0] + ")");
    return Value::poison();
  }
  const std::string near = near_function(context_, name);
  if (!near.empty()) d.help("did you mean " + near + "?");
  return Value::poison();
}

}  // namespace gradus::elaboration
