// The canonical spelling of a syntax tree.
#pragma once

#include <string>

#include "frontend/ast.hpp"
#include "frontend/source.hpp"

namespace gradus {

/// The program in canonical form: parsing it gives the same tree (spans apart).
std::string format(const ast::Program& program);

/// One expression in canonical form, for instance for help lines ("x @ A @ x").
std::string format(const ast::Program& program, ast::Id expression);

/// One statement in canonical form; `first` where it begins the program.
std::string format(const ast::Program& program, const ast::Statement& statement, bool first);

/// A program without errors in canonical form, with its comments and (at most one at a time) blank lines. A comment
/// inside a statement of several lines goes before it.
std::string format_file(const ast::Program& program, const Source& source);

/// Whether two programs are the same tree, spans and spelling of names apart.
bool same_tree(const ast::Program& a, const ast::Program& b);

}  // namespace gradus
