// The canonical spelling of a syntax tree.
#pragma once

#include <string>

#include "frontend/ast.hpp"

namespace gradus {

/// The program in canonical form: parsing it gives the same tree (spans apart).
std::string format(const ast::Program& program);

/// One expression in canonical form, for instance for help lines ("x @ A @ x").
std::string format(const ast::Program& program, ast::Id expression);

/// Whether two programs are the same tree, spans and spelling of names apart.
bool same_tree(const ast::Program& a, const ast::Program& b);

}  // namespace gradus
