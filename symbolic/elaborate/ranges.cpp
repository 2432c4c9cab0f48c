// Range inference: explicit ranges and subscripts with one index first, then one unknown at a time.
#include "symbolic/elaborate/ranges.hpp"

#include <algorithm>
#include <unordered_map>

namespace gradus::elaboration {
namespace {

struct Interval {
  Size low, high;  // both included
};

/// One bound of an index with the subscript it came from.
struct Bound {
  Size begin, end;
  const Constraint* from = nullptr;
};

class Solver {
 public:
  Solver(Build& build, const std::vector<UnknownIndex>& unknown, const std::vector<Constraint>& constraints)
      : build_(build), sizes_(build.sizes()), unknown_(unknown), constraints_(constraints), solutions_(unknown.size()) {
    for (std::size_t k = 0; k < unknown.size(); ++k) number_[unknown[k].label] = k;
    for (const auto& c : constraints_)
      for (const auto& t : c.subscript.labels)
        if (const auto found = number_.find(t.label); found != number_.end()) uses_[found->second].push_back(&c);
  }

  std::vector<Solution> solve() {
    settle(&Solver::singles, false);
    settle(&Solver::singles, true);
    settle(&Solver::one_unknown, false);
    settle(&Solver::one_unknown, true);
    while (take_enclosing_ranges()) {
      settle(&Solver::one_unknown, false);
      settle(&Solver::one_unknown, true);
    }
    for (std::size_t k = 0; k < unknown_.size(); ++k) {
      if (!solutions_[k].solved && solutions_[k].error.empty()) report_open(k);
      check_guarded(k);
    }
    return std::move(solutions_);
  }

 private:
  bool known(Label l) const {
    const auto found = number_.find(l);
    return found == number_.end() || solutions_[found->second].solved;
  }
  bool failed(std::size_t k) const { return !solutions_[k].error.empty(); }

  Interval interval(Label l) {
    const Size one = sizes_.constant(1);
    const auto found = number_.find(l);
    if (found == number_.end()) return {Size{}, sizes_.subtract(build_.size(l), one)};
    const IndexRange& r = solutions_[found->second].range;
    return {r.begin, sizes_.subtract(sizes_.add(r.begin, r.size), one)};
  }

  /// Smallest and largest value of a subscript without its term of `except`, over all other labels (known ones).
  std::optional<Interval> reach(const Subscript& s, Label except) {
    Interval out{s.offset, s.offset};
    const auto widen = [&](Size c, const Interval& x) {
      if (sizes_.is_nonnegative(c)) {
        out.low = sizes_.add(out.low, sizes_.multiply(c, x.low));
        out.high = sizes_.add(out.high, sizes_.multiply(c, x.high));
      } else if (sizes_.is_nonnegative(sizes_.scale(c, -1))) {
        out.low = sizes_.add(out.low, sizes_.multiply(c, x.high));
        out.high = sizes_.add(out.high, sizes_.multiply(c, x.low));
      } else {
        return false;
      }
      return true;
    };
    for (const auto& t : s.labels)
      if (t.label != except && !widen(t.coefficient, interval(t.label))) return std::nullopt;
    for (const auto& d : s.data) {
      const auto bound = build_.graph.index_bound(d.data);
      if (!bound || !widen(d.coefficient, {Size{}, sizes_.subtract(*bound, sizes_.constant(1))})) return std::nullopt;
    }
    return out;
  }

  /// The smallest q with c*q >= a, where it is a size.
  std::optional<Size> ceiling(Size a, Size c) {
    if (sizes_.is_one(c)) return a;
    if (sizes_.is_zero(a)) return Size{};
    if (const auto divisor = sizes_.as_constant(c)) {
      // Each term but the constant must divide; the constant is rounded up.
      std::int64_t rest = 0;
      for (const auto& t : sizes_.terms(a))
        if (t.atoms.empty()) rest = t.coefficient;
      const auto whole = sizes_.divide(sizes_.subtract(a, sizes_.constant(rest)), c);
      if (!whole) return std::nullopt;
      const std::int64_t up = rest >= 0 ? (rest + *divisor - 1) / *divisor : -(-rest / *divisor);
      return sizes_.add(*whole, sizes_.constant(up));
    }
    if (const auto q = sizes_.divide(a, c)) return q;
    if (const auto q = sizes_.divide(sizes_.subtract(a, sizes_.constant(1)), c))
      return sizes_.add(*q, sizes_.constant(1));
    return std::nullopt;
  }

  /// The interval that a constraint leaves its one unknown index.
  std::optional<Bound> bound(const Constraint& c, Label unknown) {
    Size first{}, end = c.size;
    if (c.same_as) {
      const Interval x = interval(c.like);
      const Size after = sizes_.add(x.high, sizes_.constant(1));
      first = c.shifted ? x.low : Size{};
      end = c.shifted ? after : sizes_.subtract(after, x.low);
    }
    const auto rest = reach(c.subscript, unknown);
    if (!rest) return std::nullopt;
    Size coefficient;
    for (const auto& t : c.subscript.labels)
      if (t.label == unknown) coefficient = t.coefficient;
    std::optional<Size> low, high;
    if (sizes_.is_nonnegative(coefficient)) {
      low = ceiling(sizes_.subtract(first, rest->low), coefficient);
      high = ceiling(sizes_.subtract(end, rest->high), coefficient);
    } else {
      // first <= rest - m*u < end: with v = -u the same as above.
      const Size m = sizes_.scale(coefficient, -1);
      if (!sizes_.is_nonnegative(m)) return std::nullopt;
      const auto v_low = ceiling(sizes_.subtract(first, rest->low), m),
                 v_high = ceiling(sizes_.subtract(end, rest->high), m);
      if (!v_low || !v_high) return std::nullopt;
      low = sizes_.subtract(sizes_.constant(1), *v_high);
      high = sizes_.subtract(sizes_.constant(1), *v_low);
    }
    if (!low || !high) return std::nullopt;
    return Bound{*low, *high, &c};
  }

  std::size_t unknown_count(const Constraint& c) const {
    std::size_t n = 0;
    for (const auto& t : c.subscript.labels) n += known(t.label) ? 0u : 1u;
    return n;
  }
  bool ready(const Constraint& c) const { return !c.same_as || known(c.like); }

  /// The subscripts that hold index k alone.
  std::vector<const Constraint*> singles(std::size_t k, bool guarded) const {
    std::vector<const Constraint*> out;
    for (const Constraint* c : uses_.count(k) != 0 ? uses_.at(k) : std::vector<const Constraint*>{})
      if (c->subscript.labels.size() == 1 && c->guarded == guarded && ready(*c)) out.push_back(c);
    return out;
  }

  std::vector<const Constraint*> one_unknown(std::size_t k, bool guarded) const {
    std::vector<const Constraint*> out;
    for (const Constraint* c : uses_.count(k) != 0 ? uses_.at(k) : std::vector<const Constraint*>{})
      if (c->guarded == guarded && ready(*c) && unknown_count(*c) == 1) out.push_back(c);
    return out;
  }

  /// Rounds of one kind of constraint until nothing changes; all of a round see the state before it.
  void settle(std::vector<const Constraint*> (Solver::*choose)(std::size_t, bool) const, bool guarded) {
    for (bool changed = true; changed;) {
      changed = false;
      std::vector<std::pair<std::size_t, std::vector<const Constraint*>>> round;
      for (std::size_t k = 0; k < unknown_.size(); ++k) {
        if (solutions_[k].solved || failed(k)) continue;
        if (unknown_[k].hull) {
          changed = solve_hull(k) || changed;
          continue;
        }
        auto chosen = (this->*choose)(k, guarded);
        if (!chosen.empty()) round.emplace_back(k, std::move(chosen));
      }
      for (const auto& [k, chosen] : round) {
        std::vector<Bound> bounds;
        for (const Constraint* c : chosen) {
          const auto b = bound(*c, unknown_[k].label);
          if (!b) {
            const std::string& name = unknown_[k].name;
            fail(k, "the range of " + name + " is no simple bound: " + c->text + " on an axis of size " +
                        sizes_.to_string(c->size));
            solutions_[k].help = {"give the range with 'in', as " + name +
                                  " in 0..m, where m stands in the axis too (as x[2*m] for x[2*i])"};
            break;
          }
          bounds.push_back(*b);
        }
        if (failed(k)) continue;
        intersect(k, bounds, guarded);
        changed = true;
      }
    }
  }

  bool solve_hull(std::size_t k) {
    const UnknownIndex& u = unknown_[k];
    bool ready = true;
    const auto visit = [&](Label l) { ready = ready && known(l); };
    Graph::each_label(u.hull_begin, visit);
    Graph::each_label(u.hull_end, visit);
    if (!ready) return false;
    const auto low = reach(u.hull_begin, UINT32_MAX), high = reach(u.hull_end, UINT32_MAX);
    if (!low || !high) {
      solutions_[k].error = "the bounds of " + u.name + " have no largest value that is a size";
      return true;
    }
    solutions_[k].solved = true;
    solutions_[k].range = {low->low, sizes_.subtract(high->high, low->low)};
    return true;
  }

  /// The index of an along-axis form that no subscript bounds has the range of the enclosing index of its name:
  /// P[i in 0..n] = softmax[i](-i).
  bool take_enclosing_ranges() {
    for (const Constraint& c : constraints_) {
      if (!c.same_as || !c.shifted || known(c.like) || unknown_count(c) != 0) continue;
      const std::size_t k = number_.at(c.like);
      if (failed(k) || unknown_[k].hull) continue;
      const auto outer = reach(c.subscript, UINT32_MAX);
      if (!outer) continue;
      solutions_[k].solved = true;
      solutions_[k].range = {outer->low, sizes_.add(sizes_.subtract(outer->high, outer->low), sizes_.constant(1))};
      return true;
    }
    return false;
  }

  void fail(std::size_t k, std::string message) {
    const std::string& name = unknown_[k].name;
    solutions_[k].error = std::move(message);
    solutions_[k].help = {"give the range with 'in', for instance: " + name + " in 0..n"};
  }

  void intersect(std::size_t k, const std::vector<Bound>& bounds, bool guarded) {
    const std::string& name = unknown_[k].name;
    Bound best = bounds[0];
    const Constraint* first = best.from;  // what says where the range begins
    for (const Bound& b : bounds) {
      const auto gap = sizes_.as_constant(sizes_.subtract(b.end, best.end));
      if (!gap) {
        solutions_[k].error = "the index " + name + " runs over axes of different sizes: " + place(*best.from) +
                              " allows " + name + " < " + sizes_.to_string(best.end) + ", " + place(*b.from) +
                              " allows " + name + " < " + sizes_.to_string(b.end);
        solutions_[k].between = std::minmax(place(*best.from), place(*b.from));
        solutions_[k].help = {"give one range with 'in', for instance: " + name + " in 0.." +
                              sizes_.to_string(best.end)};
        return;
      }
      if (*gap < 0) best.end = b.end;
      const Size rise = sizes_.subtract(b.begin, best.begin);
      if (sizes_.is_nonnegative(rise)) {
        if (!sizes_.is_zero(rise)) first = b.from;
        best.begin = b.begin;
      } else if (!sizes_.is_nonnegative(sizes_.scale(rise, -1))) {
        fail(k, "the range of " + name + " could begin at " + sizes_.to_string(best.begin) + " or at " +
                    sizes_.to_string(b.begin));
        return;
      }
    }
    if (!sizes_.is_zero(best.begin) && (unknown_[k].left_side || guarded)) {
      ask_for_range(k, {best.begin, best.end, first}, guarded);
      return;
    }
    solutions_[k].solved = true;
    solutions_[k].range = {best.begin, sizes_.subtract(best.end, best.begin)};
    warn_left_out(k, bounds);
  }

  static std::string place(const Constraint& c) { return c.text; }

  void ask_for_range(std::size_t k, const Bound& best, bool guarded) {
    const std::string& name = unknown_[k].name;
    const std::string begin = sizes_.to_string(best.begin);
    solutions_[k].error = "the range of " + name + " would begin at " + begin +
                          (guarded ? " (because of " : ", not at 0 (because of ") + place(*best.from) + ")";
    const std::string range = name + " in 0..";
    if (guarded || sizes_.is_negative(best.begin))
      solutions_[k].help = {"give the range with 'in': " + range + sizes_.to_string(best.end)};
    else {
      solutions_[k].shifted = IndexRange{best.begin, sizes_.subtract(best.end, best.begin)};
      solutions_[k].help = {"count from 0: write " + name + " + " + begin + " for " + name +
                            " on the right side, and " + range +
                            sizes_.to_string(sizes_.subtract(best.end, best.begin)) + " on the left"};
    }
  }

  /// Two values carry the bare index and differ in size, and neither is read at a shift.
  void warn_left_out(std::size_t k, const std::vector<Bound>& bounds) {
    const Bound *longest = nullptr, *shortest = nullptr;
    for (const Bound& b : bounds) {
      if (!b.from->bare || b.from->same_as) continue;
      const auto longer = [&](const Bound* x) {
        return sizes_.as_constant(sizes_.subtract(b.end, x->end)).value_or(0);
      };
      if (longest == nullptr || longer(longest) > 0) longest = &b;
      if (shortest == nullptr || longer(shortest) < 0) shortest = &b;
    }
    if (longest == nullptr || longest->end == shortest->end) return;
    for (const Bound& b : bounds)
      if (!b.from->bare && (b.from->base == longest->from->base || b.from->base == shortest->from->base)) return;
    const std::string& name = unknown_[k].name;
    const Size last = sizes_.subtract(longest->end, sizes_.constant(1));
    solutions_[k].warning = name + " stops with " + shortest->from->base + " at " +
                            sizes_.to_string(sizes_.subtract(shortest->end, sizes_.constant(1))) + ": " +
                            longest->from->base + "[" + sizes_.to_string(last) + "] is left out";
    solutions_[k].warning_span = longest->from->span;
  }

  void report_open(std::size_t k) {
    const std::string& name = unknown_[k].name;
    const Constraint* mixed = nullptr;
    for (const Constraint* c : uses_.count(k) != 0 ? uses_.at(k) : std::vector<const Constraint*>{}) {
      // Another index of the same subscript that is open is reported once, with the first of them.
      for (const auto& t : c->subscript.labels)
        if (const auto found = number_.find(t.label);
            found != number_.end() && found->second < k && failed(found->second)) {
          solutions_[k].error.clear();
          return;
        }
      if (mixed == nullptr) mixed = c;
    }
    if (mixed != nullptr && mixed->same_as && mixed->subscript.labels.size() == 1) return;
    fail(k, mixed == nullptr ? "no subscript says how far " + name + " runs"
                             : place(*mixed) + " alone does not say how far " + name + " runs");
  }

  /// A range that a subscript under a condition on the same index would cut is written out.
  void check_guarded(std::size_t k) {
    if (!solutions_[k].solved || unknown_[k].hull) return;
    for (const Constraint* c : singles(k, true)) {
      const auto b = bound(*c, unknown_[k].label);
      if (!b) continue;
      const IndexRange& r = solutions_[k].range;
      const Size end = sizes_.add(r.begin, r.size);
      if (sizes_.is_nonnegative(sizes_.subtract(r.begin, b->begin)) &&
          sizes_.is_nonnegative(sizes_.subtract(b->end, end)))
        continue;
      const std::string& name = unknown_[k].name;
      solutions_[k].solved = false;
      solutions_[k].error =
          "should " + place(*c) + ", which stands under a condition on " + name + ", cut the range of " + name + "?";
      solutions_[k].help = {"give the range with 'in': " + name + " in " + sizes_.to_string(r.begin) + ".." +
                            sizes_.to_string(end)};
      return;
    }
  }

  Build& build_;
  Sizes& sizes_;
  const std::vector<UnknownIndex>& unknown_;
  const std::vector<Constraint>& constraints_;
  std::vector<Solution> solutions_;
  std::unordered_map<Label, std::size_t> number_;
  std::unordered_map<std::size_t, std::vector<const Constraint*>> uses_;
};

}  // namespace

std::vector<Solution> infer_ranges(Build& build, const std::vector<UnknownIndex>& unknown,
                                   const std::vector<Constraint>& constraints) {
  return Solver(build, unknown, constraints).solve();
}

}  // namespace gradus::elaboration
