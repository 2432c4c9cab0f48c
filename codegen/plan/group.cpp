// Groups: elementwise nodes over the same labels in one set of loops, with the reductions over their values.
#include "codegen/plan/group.hpp"

#include "codegen/plan/reducer.hpp"

namespace gradus::planning {
namespace {

class Group {
 public:
  Group(Emitter& m, const Unit& unit, const Places& places, const Running& running, Rows rows)
      : m_(m), unit_(unit), places_(places), rows_(rows), at_(unit.space.size()) {
    for (const Expr e : unit.members) {
      const Node& n = m.graph()[e];
      if (n.labels.size() == n.rank) {
        members_.push_back({e, nullptr, {}, false});
        continue;
      }
      Member member{e, std::make_unique<Reducer>(m, e), {}, false};
      if (const auto found = running.find(e.id); found != running.end()) {
        member.accumulator = found->second;
        member.running = true;
      }
      members_.push_back(std::move(member));
    }
  }

  void run() { walk(0); }

 private:
  struct Member {
    Expr e;
    std::unique_ptr<Reducer> reducer;  // of a reduction
    Register accumulator;
    bool running;
  };

  bool ends_at(const Member& member, std::size_t k) const {
    return member.reducer && !member.running && m_.graph()[member.e].rank == k;
  }

  void walk(std::size_t k) {
    if (k == unit_.space.size()) return body();
    for (auto& member : members_) {
      if (!ends_at(member, k)) continue;
      member.accumulator = m_.builder().fresh(Type::numbers);
      m_.builder().assign(member.accumulator, m_.widen(m_.number(member.reducer->neutral())));
    }
    const bool rows = unit_.stream == static_cast<Label>(k), lanes = k + 1 == unit_.space.size();
    const Register begin = rows ? rows_.begin : m_.integer(0), end = rows ? rows_.end : m_.size(unit_.space[k]);
    m_.loop(begin, end, lanes ? loops::lanes : 1, [&](Register v) {
      at_[k] = lanes ? m_.lanes_from(v) : m_.scalar(v);
      if (lanes)
        m_.masked(v, end, [&] { walk(k + 1); });
      else
        walk(k + 1);
    });
    for (auto& member : members_) {
      if (!ends_at(member, k)) continue;
      const Coordinates axes(at_.begin(), at_.begin() + static_cast<std::ptrdiff_t>(k));
      const Register value = member.reducer->finish(member.reducer->fold(member.accumulator), axes);
      m_.store(places_.at(member.e.id), axes, value);
    }
  }

  void body() {
    for (auto& member : members_) {
      if (member.reducer) {
        const Register on = m_.truth_and(m_.lane_mask(), m_.guards(m_.graph()[member.e], at_));
        m_.builder().assign(member.accumulator, member.reducer->step(member.accumulator, at_, on));
        continue;
      }
      const Register value = m_.compute(member.e, at_);
      m_.define(member.e, at_, value);
      if (const auto place = places_.find(member.e.id); place != places_.end()) m_.store(place->second, at_, value);
    }
  }

  Emitter& m_;
  const Unit& unit_;
  const Places& places_;
  Rows rows_;
  Coordinates at_;
  std::vector<Member> members_;
};

}  // namespace

void emit_group(Emitter& m, const Unit& unit, const Places& places, const Running& running, Rows rows) {
  Group(m, unit, places, running, rows).run();
}

}  // namespace gradus::planning
