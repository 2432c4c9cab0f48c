// Sizes from the shapes of arrays: an entry with one size still unknown fixes it; this repeats until nothing changes.
#include <fmt/format.h>

#include <set>

#include "runtime/bind.hpp"
#include "runtime/formula.hpp"

namespace gradus {
namespace {

/// The size as coefficient × name + rest, at known values of the other names.
struct Affine {
  std::int64_t coefficient = 0;
  std::int64_t rest = 0;
};

std::optional<Affine> affine_in(const Sizes& sizes, Size size, const std::string& name,
                                const std::map<std::string, std::int64_t>& known) {
  Affine out;
  for (const Sizes::Term& term : sizes.terms(size)) {
    std::int64_t product = term.coefficient;
    int occurrences = 0;
    for (const SizeAtom handle : term.atoms) {
      const Sizes::Atom& atom = sizes.atom(handle);
      if (atom.kind != Sizes::AtomKind::name) return std::nullopt;
      if (atom.name == name) {
        ++occurrences;
      } else if (__builtin_mul_overflow(product, known.at(atom.name), &product)) {
        return std::nullopt;
      }
    }
    if (occurrences > 1) return std::nullopt;
    std::int64_t& part = occurrences == 1 ? out.coefficient : out.rest;
    if (__builtin_add_overflow(part, product, &part)) return std::nullopt;
  }
  return out;
}

std::string axis_text(const Input& input, std::size_t axis) {
  return input.shape.size() == 1 ? input.name : fmt::format("axis {} of {}", axis, input.name);
}

}  // namespace

bool InputBinder::infer_sizes() {
  for (const Dimension& dimension : model_.dimensions) {
    if (!dimension.value || bindings_.sizes.contains(dimension.name)) continue;
    bindings_.sizes[dimension.name] = *dimension.value;
    facts_[dimension.name] = {fmt::format("{} is {} by its declaration", dimension.name, *dimension.value),
                              dimension.span};
  }
  bool good = true;
  for (bool changed = true; changed && good;) {
    changed = false;
    for (const auto& [number, array] : bindings_.inputs) {
      for (std::size_t axis = 0; axis < array.shape.size(); ++axis) good = infer_axis(number, axis, changed) && good;
    }
  }
  for (const auto& [number, array] : bindings_.inputs) {
    for (std::size_t axis = 0; axis < array.shape.size() && good; ++axis) good = check_axis(number, axis);
  }
  return good;
}

bool InputBinder::infer_axis(std::uint32_t number, std::size_t axis, bool& changed) {
  std::set<std::string> unknown;
  for (const std::string& name : model_.graph.sizes().names(model_.inputs[number].shape[axis])) {
    if (!bindings_.sizes.contains(name)) unknown.insert(name);
  }
  return unknown.size() != 1 || solve(*unknown.begin(), number, axis, changed);
}

bool InputBinder::solve(const std::string& name, std::uint32_t number, std::size_t axis, bool& changed) {
  const Input& input = model_.inputs[number];
  const Sizes& sizes = model_.graph.sizes();
  const std::int64_t value = bindings_.inputs.at(number).shape[axis];
  const auto affine = affine_in(sizes, input.shape[axis], name, bindings_.sizes);
  if (!affine || affine->coefficient == 0) return true;
  const std::int64_t difference = value - affine->rest;
  if (difference % affine->coefficient != 0 || difference / affine->coefficient < 0) {
    error(number, fmt::format("{} has length {}, but its declared size is {}: no whole {} >= 0 gives that",
                              axis_text(input, axis), value, sizes.to_string(input.shape[axis]), name));
    return false;
  }
  bindings_.sizes[name] = difference / affine->coefficient;
  facts_[name] = {fmt::format("{} is {} by {}, whose value is {}", name, bindings_.sizes[name], input.name,
                              shape_text(bindings_.inputs.at(number).shape)),
                  input.span};
  changed = true;
  return true;
}

bool InputBinder::check_axis(std::uint32_t number, std::size_t axis) {
  const Input& input = model_.inputs[number];
  const Sizes& sizes = model_.graph.sizes();
  const Array& array = bindings_.inputs.at(number);
  const std::vector<std::string> names = sizes.names(input.shape[axis]);
  for (const std::string& name : names) {
    if (!bindings_.sizes.contains(name)) return true;  // asked for later
  }
  const auto expected = sizes.evaluate(input.shape[axis], bindings_.sizes);
  if (expected == array.shape[axis]) return true;
  const std::string declared = sizes.to_string(input.shape[axis]);
  const std::string wanted = names.empty() ? declared : fmt::format("{} = {}", declared, expected.value_or(-1));
  Diagnostic& diagnostic = diagnostics_.error(
      input.span, fmt::format("{} has length {}, but {} is expected: the value of {} is {}", axis_text(input, axis),
                              array.shape[axis], wanted, input.name, shape_text(array.shape)));
  for (const std::string& name : names) diagnostic.note(facts_[name].reason, facts_[name].span);
  return false;
}

std::vector<std::string> InputBinder::unknown_sizes() const {
  std::vector<std::string> out;
  for (const std::string& name : model_.size_names) {
    if (!bindings_.sizes.contains(name)) out.push_back(name);
  }
  return out;
}

}  // namespace gradus
