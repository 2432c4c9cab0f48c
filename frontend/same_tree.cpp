// Whether two programs are the same tree.
#include <algorithm>

#include "frontend/format.hpp"

namespace gradus {

using ast::Expression;
using ast::Id;
using ast::Program;

namespace {

class Comparer {
 public:
  Comparer(const Program& a, const Program& b) : a_(a), b_(b) {}

  bool statements(const ast::Statement& x, const ast::Statement& y) {
    return x.kind == y.kind && x.broken == y.broken && declarations(x.declaration, y.declaration) &&
           equations(x.equation, y.equation) && names(x.outputs.names, y.outputs.names) &&
           x.function.name.key == y.function.name.key && names(x.function.parameters, y.function.parameters) &&
           trees(x.function.body, y.function.body) && x.gradient.name.key == y.gradient.name.key &&
           names(x.gradient.parameters, y.gradient.parameters) &&
           all(x.gradient.partials, y.gradient.partials, [&](Id i, Id k) { return trees(i, k); });
  }

 private:
  template <class List, class Same>
  static bool all(const List& x, const List& y, Same same) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), same);
  }

  static bool names(const std::vector<ast::Name>& x, const std::vector<ast::Name>& y) {
    return all(x, y, [](const ast::Name& i, const ast::Name& k) { return i.key == k.key; });
  }

  bool binders(const ast::Binder& x, const ast::Binder& y) {
    return x.name.key == y.name.key && trees(x.begin, y.begin) && trees(x.end, y.end);
  }

  bool declarations(const ast::Declaration& x, const ast::Declaration& y) {
    const auto declared = [&](const ast::Declared& i, const ast::Declared& k) {
      return i.name.key == k.name.key && i.has_brackets == k.has_brackets && trees(i.value, k.value) &&
             all(i.shape, k.shape, [&](Id m, Id n) { return trees(m, n); });
    };
    const auto assumed = [&](const ast::Assumption& i, const ast::Assumption& k) {
      return i.name.key == k.name.key && trees(i.argument, k.argument);
    };
    return x.role == y.role && all(x.names, y.names, declared) && all(x.assumptions, y.assumptions, assumed);
  }

  bool equations(const ast::Equation& x, const ast::Equation& y) {
    const auto left = [&](const ast::Equation::Left& i, const ast::Equation::Left& k) {
      return binders(i.binder, k.binder) && trees(i.expression, k.expression);
    };
    return x.role == y.role && x.name.key == y.name.key && x.bare == y.bare && x.has_brackets == y.has_brackets &&
           all(x.left, y.left, left) && trees(x.body, y.body);
  }

  /// Compares with a list of what is left to do, not by recursion.
  bool trees(Id x, Id y) {
    std::vector<std::pair<Id, Id>> todo = {{x, y}};
    while (!todo.empty()) {
      const auto [i, k] = todo.back();
      todo.pop_back();
      if (i.valid() != k.valid()) return false;
      if (i.valid() && !nodes(a_.at(i), b_.at(k), todo)) return false;
    }
    return true;
  }

  static bool nodes(const Expression& x, const Expression& y, std::vector<std::pair<Id, Id>>& todo) {
    if (x.kind != y.kind || x.op != y.op || x.order != y.order || x.dotted != y.dotted || x.quote != y.quote ||
        x.rows != y.rows || x.value != y.value || x.name.key != y.name.key || x.comparisons != y.comparisons ||
        x.children.size() != y.children.size() || x.binders.size() != y.binders.size() ||
        x.subscripts.size() != y.subscripts.size() || x.keywords.size() != y.keywords.size()) {
      return false;
    }
    for (std::size_t i = 0; i < x.children.size(); ++i) todo.emplace_back(x.children[i], y.children[i]);
    for (std::size_t i = 0; i < x.binders.size(); ++i) {
      if (x.binders[i].name.key != y.binders[i].name.key) return false;
      todo.emplace_back(x.binders[i].begin, y.binders[i].begin);
      todo.emplace_back(x.binders[i].end, y.binders[i].end);
    }
    for (std::size_t i = 0; i < x.subscripts.size(); ++i) {
      if (x.subscripts[i].kind != y.subscripts[i].kind) return false;
      todo.emplace_back(x.subscripts[i].first, y.subscripts[i].first);
      todo.emplace_back(x.subscripts[i].last, y.subscripts[i].last);
    }
    for (std::size_t i = 0; i < x.keywords.size(); ++i) {
      if (x.keywords[i].name.key != y.keywords[i].name.key) return false;
      todo.emplace_back(x.keywords[i].value, y.keywords[i].value);
    }
    todo.emplace_back(x.order_value, y.order_value);
    return true;
  }

  const Program& a_;
  const Program& b_;
};

}  // namespace

bool same_tree(const Program& a, const Program& b) {
  Comparer comparer(a, b);
  return a.matlab == b.matlab && std::ranges::equal(a.statements, b.statements, [&](const auto& x, const auto& y) {
           return comparer.statements(x, y);
         });
}

}  // namespace gradus
