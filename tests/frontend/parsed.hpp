// Helpers of the frontend's tests: a text's canonical form, its tree as an S-expression, its errors.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "frontend/format.hpp"
#include "frontend/parse.hpp"

namespace gradus {

/// The errors and warnings of a text, one a line: `line:column: message | help`.
inline std::string complaints(const Diagnostics& diagnostics, const Source& source) {
  std::string out;
  for (const Diagnostic& d : diagnostics.all()) {
    const Position at = d.main.mark.is_none() ? Position{0, 0} : source.position(d.main.mark.begin);
    if (!out.empty()) out += "\n";
    out += std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + d.main.text;
    for (const Message& m : d.more) out += " | " + m.text;
  }
  return out;
}

/// The canonical form of a text without errors, else its errors.
inline std::string canonical(const std::string& text) {
  const Source source("t.loss", text);
  Diagnostics diagnostics;
  const ast::Program program = parse(source, diagnostics);
  if (!diagnostics.all().empty()) return complaints(diagnostics, source);
  const std::string out = format(program);
  const Source again_source("again.loss", out);
  Diagnostics none;
  const ast::Program again = parse(again_source, none);
  CAPTURE(text);
  CAPTURE(out);
  CHECK(complaints(none, again_source) == "");
  CHECK(same_tree(program, again));
  return out.empty() ? out : out.substr(0, out.size() - 1);
}

/// The errors of a text; empty when it has none.
inline std::string errors(const std::string& text) {
  const Source source("t.loss", text);
  Diagnostics diagnostics;
  parse(source, diagnostics);
  return complaints(diagnostics, source);
}

/// An expression with everything in parentheses: `(+ a (* b c))`.
inline std::string tree(const ast::Program& p, ast::Id id) {
  if (!id.valid()) return "_";
  const ast::Expression& e = p.at(id);
  std::string out = "(";
  const char* const operators[] = {"+", "-", "*", "/", "@", "^", "and", "or"};
  const char* const comparisons[] = {"<", "<=", ">", ">=", "==", "!="};
  switch (e.kind) {
    case ast::Kind::number:
      return e.value.to_string();
    case ast::Kind::name:
      return e.name.key;
    case ast::Kind::negate:
      out += "neg";
      break;
    case ast::Kind::plus:
      out += "pos";
      break;
    case ast::Kind::logical_not:
      out += "not";
      break;
    case ast::Kind::binary:
      out += std::string(e.dotted ? "." : "") + operators[static_cast<int>(e.op)];
      break;
    case ast::Kind::comparison:
      out += "compare";
      break;
    case ast::Kind::conditional:
      out += "if";
      break;
    case ast::Kind::call:
      out += "call " + e.name.key;
      break;
    case ast::Kind::index_form:
      out += "over " + e.name.key;
      break;
    case ast::Kind::subscript:
      out += "part";
      break;
    case ast::Kind::transpose:
      out += e.quote ? "'" : "T";
      break;
    case ast::Kind::absolute:
      out += "abs";
      break;
    case ast::Kind::norm:
      out += "norm" + std::to_string(static_cast<int>(e.order));
      break;
    case ast::Kind::matrix:
      out += "matrix" + std::to_string(e.rows);
      break;
    case ast::Kind::vector:
      out += "vector";
      break;
  }
  for (std::size_t i = 0; i < e.binders.size(); ++i) {
    const ast::Binder& b = e.binders[i];
    out += " [" + b.name.key + (b.begin.valid() ? " " + tree(p, b.begin) + ".." + tree(p, b.end) : "") + "]";
  }
  for (std::size_t i = 0; i < e.children.size(); ++i) {
    if (i > 0 && e.kind == ast::Kind::comparison)
      out += std::string(" ") + comparisons[static_cast<int>(e.comparisons[i - 1])];
    if (e.kind == ast::Kind::index_form && i == 1 && !e.children[1].valid()) continue;
    out += (e.kind == ast::Kind::index_form && i == 1 ? " :" : " ") + tree(p, e.children[i]);
  }
  for (const ast::Subscript& s : e.subscripts) {
    out += " " + (s.kind == ast::Subscript::Kind::slice ? tree(p, s.first) + ":" + tree(p, s.last) : tree(p, s.first));
  }
  for (const ast::Keyword& k : e.keywords) out += " " + k.name.key + "=" + tree(p, k.value);
  if (e.order_value.valid()) out += " order " + tree(p, e.order_value);
  return out + ")";
}

/// The tree of the last statement's right side, or the errors.
inline std::string tree(const std::string& text) {
  const Source source("t.loss", text);
  Diagnostics diagnostics;
  const ast::Program program = parse(source, diagnostics);
  if (!diagnostics.all().empty()) return complaints(diagnostics, source);
  canonical(text);
  return tree(program, program.statements.back().equation.body);
}

}  // namespace gradus
