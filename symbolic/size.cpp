// Arithmetic of symbolic sizes.
#include "symbolic/size.hpp"

#include <algorithm>
#include <set>

namespace gradus {
namespace {

using Polynomial = std::vector<Sizes::Term>;

/// Higher degree first, then by atoms: the order in which a size is read aloud.
bool term_before(const Sizes::Term& a, const Sizes::Term& b) {
  if (a.atoms.size() != b.atoms.size()) return a.atoms.size() > b.atoms.size();
  return a.atoms < b.atoms;
}

Polynomial normalise(Polynomial terms) {
  std::ranges::sort(terms, term_before);
  Polynomial out;
  for (auto& t : terms) {
    if (!out.empty() && out.back().atoms == t.atoms)
      out.back().coefficient += t.coefficient;
    else
      out.push_back(std::move(t));
    if (out.back().coefficient == 0) out.pop_back();
  }
  return out;
}

Polynomial plus(const Polynomial& a, const Polynomial& b, std::int64_t factor) {
  Polynomial terms = a;
  for (const auto& t : b) terms.push_back({t.atoms, t.coefficient * factor});
  return normalise(std::move(terms));
}

bool coefficients_nonnegative(const Polynomial& p) {
  return std::ranges::all_of(p, [](const auto& t) { return t.coefficient >= 0; });
}

/// Tries to write p as a sum of facts and of terms that cannot be negative. Gives up when the budget is spent.
bool shown_nonnegative(const Polynomial& p, const std::vector<const Polynomial*>& facts, int depth, int& budget) {
  if (coefficients_nonnegative(p)) return true;
  if (depth == 0 || --budget < 0) return false;
  return std::ranges::any_of(facts, [&](const Polynomial* fact) {
    // A fact helps only where its leading part is there to be used up.
    const auto& lead = fact->front();
    const bool useful = std::ranges::any_of(
        p, [&](const auto& t) { return t.atoms == lead.atoms && t.coefficient >= lead.coefficient; });
    return useful && shown_nonnegative(plus(p, *fact, -1), facts, depth - 1, budget);
  });
}

constexpr int proof_depth = 6;
constexpr int proof_budget = 1000;  // attempts; many facts about one size would otherwise be tried in every order

}  // namespace

Sizes::Sizes() {
  polynomials_.emplace_back();  // 0
  index_.emplace(Polynomial{}, 0);
}

Size Sizes::intern(Polynomial terms) {
  const auto [found, is_new] = index_.try_emplace(std::move(terms), static_cast<std::uint32_t>(polynomials_.size()));
  if (is_new) polynomials_.push_back(found->first);
  return {found->second};
}

Size Sizes::intern(const Atom& atom) {
  const auto [found, is_new] = atom_index_.try_emplace(atom, static_cast<std::uint32_t>(atoms_.size()));
  if (is_new) atoms_.push_back(atom);
  return intern(Polynomial{{{SizeAtom{found->second}}, 1}});
}

Size Sizes::constant(std::int64_t value) {
  if (value == 0) return {};
  return intern(Polynomial{{{}, value}});
}

Size Sizes::symbol(const std::string& name) { return intern(Atom{AtomKind::name, name, {}, {}}); }

Size Sizes::add(Size a, Size b) { return intern(plus(polynomials_[a.id], polynomials_[b.id], 1)); }

Size Sizes::subtract(Size a, Size b) { return intern(plus(polynomials_[a.id], polynomials_[b.id], -1)); }

Size Sizes::scale(Size a, std::int64_t factor) { return intern(plus({}, polynomials_[a.id], factor)); }

Size Sizes::multiply(Size a, Size b) {
  Polynomial terms;
  for (const auto& x : polynomials_[a.id]) {
    for (const auto& y : polynomials_[b.id]) {
      Term t{x.atoms, x.coefficient * y.coefficient};
      t.atoms.insert(t.atoms.end(), y.atoms.begin(), y.atoms.end());
      std::ranges::sort(t.atoms);
      terms.push_back(std::move(t));
    }
  }
  return intern(normalise(std::move(terms)));
}

Size Sizes::minimum(Size a, Size b) {
  if (is_nonnegative(subtract(b, a))) return a;
  if (is_nonnegative(subtract(a, b))) return b;
  return intern(Atom{AtomKind::minimum, {}, std::min(a, b), std::max(a, b)});
}

Size Sizes::maximum(Size a, Size b) {
  if (is_nonnegative(subtract(b, a))) return b;
  if (is_nonnegative(subtract(a, b))) return a;
  return intern(Atom{AtomKind::maximum, {}, std::min(a, b), std::max(a, b)});
}

std::optional<Size> Sizes::divide(Size a, Size b) {
  Polynomial rest = polynomials_[a.id];
  const Polynomial divisor = polynomials_[b.id];
  if (divisor.empty()) return std::nullopt;
  const Term& lead = divisor.front();
  Polynomial quotient;
  while (!rest.empty()) {
    const Term& top = rest.front();
    Term t;
    if (top.coefficient % lead.coefficient != 0 || !std::ranges::includes(top.atoms, lead.atoms)) return std::nullopt;
    std::ranges::set_difference(top.atoms, lead.atoms, std::back_inserter(t.atoms));
    t.coefficient = top.coefficient / lead.coefficient;
    Polynomial product;
    for (const auto& d : divisor) {
      Term u{d.atoms, d.coefficient * t.coefficient};
      u.atoms.insert(u.atoms.end(), t.atoms.begin(), t.atoms.end());
      std::ranges::sort(u.atoms);
      product.push_back(std::move(u));
    }
    rest = plus(rest, normalise(std::move(product)), -1);
    quotient.push_back(std::move(t));
    if (quotient.size() > 64) return std::nullopt;
  }
  return intern(normalise(std::move(quotient)));
}

std::optional<std::int64_t> Sizes::as_constant(Size a) const {
  const auto& p = polynomials_[a.id];
  if (p.empty()) return 0;
  if (p.size() == 1 && p[0].atoms.empty()) return p[0].coefficient;
  return std::nullopt;
}

std::optional<std::string> Sizes::as_symbol(Size a) const {
  const auto& p = polynomials_[a.id];
  if (p.size() != 1 || p[0].coefficient != 1 || p[0].atoms.size() != 1) return std::nullopt;
  const Atom& one = atom(p[0].atoms[0]);
  if (one.kind != AtomKind::name) return std::nullopt;
  return one.name;
}

void Sizes::assume_nonnegative(Size a) {
  if (coefficients_nonnegative(polynomials_[a.id])) return;
  if (std::ranges::find(nonnegative_, a) == nonnegative_.end()) nonnegative_.push_back(a);
}

bool Sizes::is_nonnegative(Size a) const {
  const auto& p = polynomials_[a.id];
  if (coefficients_nonnegative(p)) return true;
  if (nonnegative_.empty()) return false;
  std::vector<const Polynomial*> facts;
  for (const Size f : nonnegative_) facts.push_back(&polynomials_[f.id]);
  int budget = proof_budget;
  return shown_nonnegative(p, facts, proof_depth, budget);
}

bool Sizes::is_negative(Size a) const {
  const Polynomial negated = plus(plus({}, polynomials_[a.id], -1), Polynomial{{{}, 1}}, -1);  // -a - 1
  std::vector<const Polynomial*> facts;
  for (const Size f : nonnegative_) facts.push_back(&polynomials_[f.id]);
  int budget = proof_budget;
  return shown_nonnegative(negated, facts, proof_depth, budget);
}

std::vector<std::string> Sizes::names(Size a) const {
  std::set<SizeAtom> found;
  std::vector<Size> open{a};
  while (!open.empty()) {
    const Size s = open.back();
    open.pop_back();
    for (const auto& t : polynomials_[s.id]) {
      for (const SizeAtom id : t.atoms) {
        if (!found.insert(id).second || atoms_[id.id].kind == AtomKind::name) continue;
        open.push_back(atoms_[id.id].a);
        open.push_back(atoms_[id.id].b);
      }
    }
  }
  std::vector<std::string> out;
  for (const SizeAtom id : found)
    if (atoms_[id.id].kind == AtomKind::name) out.push_back(atoms_[id.id].name);
  return out;
}

std::optional<std::int64_t> Sizes::evaluate(Size a, const std::map<std::string, std::int64_t>& values) const {
  constexpr std::int64_t limit = std::int64_t{1} << 62;
  std::int64_t total = 0;
  for (const auto& t : polynomials_[a.id]) {
    std::int64_t product = t.coefficient;
    for (const SizeAtom id : t.atoms) {
      const Atom& one = atoms_[id.id];
      std::int64_t value = 0;
      if (one.kind == AtomKind::name) {
        const auto found = values.find(one.name);
        if (found == values.end()) return std::nullopt;
        value = found->second;
      } else {
        const auto x = evaluate(one.a, values), y = evaluate(one.b, values);
        if (!x || !y) return std::nullopt;
        value = one.kind == AtomKind::minimum ? std::min(*x, *y) : std::max(*x, *y);
      }
      if (__builtin_mul_overflow(product, value, &product)) return std::nullopt;
    }
    if (__builtin_add_overflow(total, product, &total)) return std::nullopt;
  }
  if (total > limit || total < -limit) return std::nullopt;
  return total;
}

std::string Sizes::to_string(Size a) const {
  const auto& p = polynomials_[a.id];
  if (p.empty()) return "0";
  std::string out;
  // A positive term leads where there is one; a constant comes last.
  Polynomial shown = p;
  const bool has_lead = std::ranges::any_of(p, [](const Term& t) { return !t.atoms.empty() && t.coefficient > 0; });
  const auto place = [&](const Term& t) {
    if (t.atoms.empty()) return has_lead || t.coefficient < 0 ? 2 : 0;
    return t.coefficient > 0 ? 0 : 1;
  };
  std::ranges::stable_sort(shown, [&](const Term& a, const Term& b) { return place(a) < place(b); });
  for (const auto& t : shown) {
    const std::int64_t c = t.coefficient;
    if (!out.empty())
      out += c < 0 ? "-" : "+";
    else if (c < 0)
      out += "-";
    const std::string magnitude =
        std::to_string(c < 0 ? -static_cast<std::uint64_t>(c) : static_cast<std::uint64_t>(c));
    std::string product = t.atoms.empty() || magnitude != "1" ? magnitude : "";
    for (const SizeAtom id : t.atoms) {
      const Atom& one = atoms_[id.id];
      if (!product.empty()) product += "*";
      if (one.kind == AtomKind::name)
        product += one.name;
      else
        product += (one.kind == AtomKind::minimum ? "min(" : "max(") + to_string(one.a) + ", " + to_string(one.b) + ")";
    }
    out += product;
  }
  return out;
}

}  // namespace gradus
