// Instructions for integers, coordinates and memory, each computed once a scope.
#include "codegen/plan/emit.hpp"

namespace gradus::planning {

// Values computed once --------------------------------------------------------------------------------------------

void Emitter::forget(std::size_t mark) {
  while (known_keys_.size() > mark) {
    memory_.erase(known_keys_.back());
    known_keys_.pop_back();
  }
}

Register Emitter::find(const Key& key) const {
  const auto found = memory_.find(key);
  return found == memory_.end() ? Register{} : found->second;
}

Register Emitter::remember(Key key, Register r) {
  if (memory_.emplace(key, r).second) known_keys_.push_back(std::move(key));
  ++written_;
  return r;
}

namespace {
// First words of keys that are no operation.
constexpr std::uint32_t key_value = 1000, key_load = 1001, key_size = 1003;

std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }
}  // namespace

Register Emitter::pure(Op op, Type type, Register a, Register b, Register c) {
  Key key{static_cast<std::uint32_t>(op), static_cast<std::uint32_t>(type), a.id, b.id, c.id};
  if (const Register r = find(key); r.valid()) return r;
  return remember(std::move(key), builder_.emit(op, type, a, b, c));
}

// Integers --------------------------------------------------------------------------------------------------------

Register Emitter::integer(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  Key key{static_cast<std::uint32_t>(Op::integer_constant), low(bits), high(bits)};
  if (const Register r = find(key); r.valid()) return r;
  const Register r = builder_.integer(value);
  constants_[r.id] = value;
  return remember(std::move(key), r);
}

Register Emitter::size(Size value) {
  if (const auto constant = graph_.sizes().as_constant(value)) return integer(*constant);
  Key key{key_size, value.id};
  if (const Register r = find(key); r.valid()) return r;
  return remember(std::move(key), builder_.size(value));
}

std::optional<std::int64_t> Emitter::known(Register r) const {
  const auto found = constants_.find(r.id);
  if (found == constants_.end()) return std::nullopt;
  return found->second;
}

namespace {
std::optional<std::int64_t> folded(Op op, std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  switch (op) {
    case Op::integer_add:
      return __builtin_add_overflow(a, b, &r) ? std::nullopt : std::optional(r);
    case Op::integer_subtract:
      return __builtin_sub_overflow(a, b, &r) ? std::nullopt : std::optional(r);
    case Op::integer_multiply:
      return __builtin_mul_overflow(a, b, &r) ? std::nullopt : std::optional(r);
    case Op::integer_min:
      return a < b ? a : b;
    case Op::integer_max:
      return a > b ? a : b;
    default:
      return std::nullopt;
  }
}
}  // namespace

Register Emitter::integer_op(Op op, Register a, Register b) {
  const auto x = known(a), y = known(b);
  if (x && y)
    if (const auto r = folded(op, *x, *y)) return integer(*r);
  if (op == Op::integer_add && x == 0) return b;
  if ((op == Op::integer_add || op == Op::integer_subtract) && y == 0) return a;
  if (op == Op::integer_multiply && x == 1) return b;
  if ((op == Op::integer_multiply || op == Op::integer_divide) && y == 1) return a;
  if (op == Op::integer_subtract && a.id == b.id && !is_vector(a)) return integer(0);
  if (is_vector(a) != is_vector(b)) (is_vector(a) ? b : a) = widen(is_vector(a) ? b : a);
  if (op == Op::integer_add && b.id < a.id) std::swap(a, b);
  return pure(op, builder_.type(a), a, b);
}

Register Emitter::compare(Op op, Register a, Register b) {
  if (is_vector(a) != is_vector(b)) (is_vector(a) ? b : a) = widen(is_vector(a) ? b : a);
  return pure(op, is_vector(a) ? Type::truths : Type::truth, a, b);
}

Register Emitter::widen(Register r) {
  return is_vector(r) ? r : pure(Op::broadcast, loops::vector_of(builder_.type(r)), r);
}

// Coordinates -----------------------------------------------------------------------------------------------------

Register Emitter::to_register(const Coordinate& c) {
  if (c.vector.valid()) return c.vector;
  if (!c.step.valid()) return c.base;
  const Register lane = pure(Op::lane_index, Type::integers);
  return add(widen(c.base), known(c.step) == 1 ? lane : multiply(lane, widen(c.step)));
}

Coordinate Emitter::add(const Coordinate& a, const Coordinate& b) {
  if (a.vector.valid() || b.vector.valid()) return {{}, {}, add(to_register(a), to_register(b))};
  Coordinate c{add(a.base, b.base), a.step.valid() ? a.step : b.step, {}};
  if (a.step.valid() && b.step.valid()) c.step = add(a.step, b.step);
  if (c.step.valid() && known(c.step) == 0) c.step = {};
  return c;
}

Coordinate Emitter::scale(const Coordinate& a, Size factor) {
  if (graph_.sizes().is_one(factor)) return a;
  const Register f = size(factor);
  if (a.vector.valid()) return {{}, {}, multiply(a.vector, f)};
  return {multiply(a.base, f), a.step.valid() ? multiply(a.step, f) : Register{}, {}};
}

/// Runs `read(coordinates)` for an operand; while it runs, elements outside an axis are known to be unsafe.
template <class F>
auto Emitter::inside(const Node& n, const Operand& o, const Coordinates& labels, F&& read) {
  Coordinates at;
  at.reserve(o.subscripts.size());
  const Register before = safe_;
  for (std::size_t k = 0; k < o.subscripts.size(); ++k) {
    const Size axis = graph_.axis(o.expr, static_cast<std::uint32_t>(k));
    at.push_back(subscript(o.subscripts[k], labels, n.labels));
    if (graph_.as_label(o.subscripts[k]) && n.labels[o.subscripts[k].labels[0].label] == axis) continue;
    if (graph_.certainly_inside(o.subscripts[k], n.labels, axis)) continue;
    const Register c = to_register(at.back());
    const Register low_enough = compare(Op::integer_less_equal, integer(0), c);
    safe_ = truth_and(safe_, truth_and(low_enough, compare(Op::integer_less, c, size(axis))));
  }
  const auto result = read(at);
  safe_ = before;
  return result;
}

Coordinate Emitter::subscript(const Subscript& s, const Coordinates& labels, const std::vector<Size>& sizes) {
  Coordinate out = scalar(size(s.offset));
  for (const auto& t : s.labels) out = add(out, scale(labels[t.label], t.coefficient));
  for (const auto& d : s.data) {
    Node reader;  // the labels in which the data's subscripts are written
    reader.labels = sizes;
    reader.rank = static_cast<std::uint32_t>(sizes.size());
    const Operand o{d.data, d.subscripts};
    const Register r = inside(reader, o, labels, [&](const Coordinates& at) { return integer_value(d.data, at); });
    out = add(out, scale(is_vector(r) ? Coordinate{{}, {}, r} : scalar(r), d.coefficient));
  }
  return out;
}

Coordinate Emitter::address(const Place& place, const Coordinates& at, Register offset) {
  Coordinate flat = scalar(offset.valid() ? offset : integer(0));
  for (std::size_t k = 0; k < place.strides.size(); ++k) {
    Coordinate c = at[k];
    if (k == place.tile_axis) {
      if (c.vector.valid())
        c.vector = subtract(c.vector, tile_base);
      else
        c.base = subtract(c.base, tile_base);
    }
    flat = add(flat, scale(c, place.strides[k]));
  }
  return flat;
}

// Memory ----------------------------------------------------------------------------------------------------------

void Emitter::append(Key& key, const Coordinate& c) const {
  key.push_back(c.base.id);
  // A step is a constant or a size; constants are told apart by value, since each scope has its own register.
  const auto step = c.step.valid() ? known(c.step) : std::nullopt;
  key.push_back(step ? 0x80000000u | low(static_cast<std::uint64_t>(*step)) : c.step.id);
  key.push_back(c.vector.id);
}

Register Emitter::load_if_safe(const Place& place, Register index, Type type) {
  const Register dst = builder_.fresh(type);
  builder_.assign(dst, type == Type::integer ? builder_.integer(0) : builder_.number(0));
  const Register condition = is_vector(safe_) ? pure(Op::fold_or, Type::truth, safe_) : safe_;
  builder_.branch(condition, [&] { builder_.assign(dst, builder_.load(place.buffer, index, type)); });
  return dst;
}

Register Emitter::load_raw(const Place& place, const Coordinates& at, Register offset) {
  const Coordinate flat = address(place, at, offset);
  const Type type = place.integer ? Type::integer : Type::number;
  Key key{key_load, place.buffer.id, safe_.id};
  append(key, flat);
  if (const Register r = find(key); r.valid()) return r;
  if (flat.uniform()) {
    if (safe_.valid()) return remember(std::move(key), load_if_safe(place, flat.base, type));
    return remember(std::move(key), builder_.load(place.buffer, flat.base, type));
  }
  Register mask = lane_mask_;
  if (safe_.valid()) mask = truth_and(mask, widen(safe_));
  if (flat.step.valid() && known(flat.step) == 1)
    return remember(std::move(key), builder_.load_lanes(place.buffer, flat.base, loops::vector_of(type), mask));
  return remember(std::move(key), builder_.gather(place.buffer, to_register(flat), loops::vector_of(type), mask));
}

Register Emitter::load(const Place& place, const Coordinates& at, Register offset) {
  const Register r = load_raw(place, at, offset);
  if (place.integer) return pure(Op::to_number, is_vector(r) ? Type::numbers : Type::number, r);
  return place.truth ? to_truth(r) : r;
}

void Emitter::store(const Place& place, const Coordinates& at, Register value, Register offset, Register mask) {
  value = to_number(value);
  const Coordinate flat = address(place, at, offset);
  ++written_;
  if (flat.uniform()) {
    builder_.store(place.buffer, flat.base, value);
    return;
  }
  if (!mask.valid()) mask = lane_mask_;
  value = widen(value);
  if (flat.step.valid() && known(flat.step) == 1)
    builder_.store_lanes(place.buffer, flat.base, value, mask);
  else
    builder_.scatter(place.buffer, to_register(flat), value, mask);
}

Register Emitter::operand(const Node& n, const Operand& o, const Coordinates& labels) {
  return inside(n, o, labels, [&](const Coordinates& at) { return value(o.expr, at); });
}

Emitter::Factor Emitter::factor(const Node& n, const Operand& o, const Coordinates& labels) {
  const Node& f = graph_[o.expr];
  if (f.kind == Kind::elementwise && f.function == Function::power && !places_.contains(o.expr.id)) {
    const Rational* exponent = graph_.constant_value(f.operands[1].expr);
    if (exponent != nullptr && exponent->sign() < 0)
      return inside(n, o, labels, [&](const Coordinates& at) {
        if (const Register r = find(value_key(o.expr, at)); r.valid()) return Factor{r, false};
        return Factor{power(operand(f, f.operands[0], at), -*exponent), true};
      });
  }
  return {operand(n, o, labels), false};
}

// Values of nodes -------------------------------------------------------------------------------------------------

Emitter::Key Emitter::value_key(Expr e, const Coordinates& at) const {
  Key key{key_value, e.id, safe_.id};
  for (const auto& c : at) append(key, c);
  return key;
}

void Emitter::define(Expr e, const Coordinates& at, Register value) { remember(value_key(e, at), value); }

Register Emitter::value(Expr e, const Coordinates& at) {
  Key key = value_key(e, at);
  if (const Register r = find(key); r.valid()) return r;
  const auto place = places_.find(e.id);
  return remember(std::move(key), place != places_.end() ? load(place->second, at) : compute(e, at));
}

Register Emitter::integer_value(Expr e, const Coordinates& at) {
  const auto place = places_.find(e.id);
  if (place != places_.end() && place->second.integer) return load_raw(place->second, at);
  const Node& n = graph_[e];
  if (n.kind == Kind::index) return to_register(subscript(n.affine, at, n.labels));
  const Register r = to_number(value(e, at));
  return pure(Op::to_integer, is_vector(r) ? Type::integers : Type::integer, r);
}

Register Emitter::compute(Expr e, const Coordinates& at) {
  const Node& n = graph_[e];
  switch (n.kind) {
    case Kind::constant:
      return number(n.coefficients[0].to_double());
    case Kind::index: {
      const Register r = to_register(subscript(n.affine, at, n.labels));
      return pure(Op::to_number, is_vector(r) ? Type::numbers : Type::number, r);
    }
    case Kind::elementwise:
      return elementwise(n, at);
    case Kind::sum:
      return weighted_sum(n, at);
    case Kind::contraction: {
      std::vector<std::size_t> all(n.operands.size());
      for (std::size_t k = 0; k < all.size(); ++k) all[k] = k;
      const bool view = all.size() == 1 && n.coefficients[0].is_one();
      const Register r = view ? operand(n, n.operands[0], at) : product(n, all, n.coefficients[0], at);
      const Register on = guards(n, at);
      return on.valid() ? select(on, to_number(r), number(0)) : r;
    }
    case Kind::reshape:
      return reshaped(n, at);
    case Kind::input:
    case Kind::reduce:
    case Kind::softmax:
    case Kind::order:
    case Kind::given:
      break;
  }
  throw std::logic_error("plan: a value without a place: " + debug_text(graph_, e));
}

Register Emitter::reshaped(const Node& n, const Coordinates& at) {
  // The same flat index in another shape. The operand has a place of its own.
  const Expr source = n.operands[0].expr;
  Place flat = places_.at(source.id);
  flat.strides.clear();
  Size stride = graph_.sizes().constant(1);
  for (std::size_t k = n.labels.size(); k-- > 0;) {
    flat.strides.insert(flat.strides.begin(), stride);
    stride = graph_.sizes().multiply(stride, n.labels[k]);
  }
  return load(flat, at);
}

Register Emitter::elementwise(const Node& n, const Coordinates& at) {
  if (n.function == Function::power)
    if (const Rational* exponent = graph_.constant_value(n.operands[1].expr))
      return power(to_number(operand(n, n.operands[0], at)), *exponent);
  std::vector<Register> x;
  x.reserve(n.operands.size());
  for (const auto& o : n.operands) x.push_back(operand(n, o, at));
  return apply(n.function, x);
}

Register Emitter::times(const Rational& coefficient, Register r) {
  if (coefficient.is_one()) return to_number(r);
  if (coefficient == Rational(-1)) return number_op(Op::negate, r);
  return number_op(Op::multiply, number(coefficient.to_double()), r);
}

Register Emitter::weighted_sum(const Node& n, const Coordinates& at) {
  // Terms to add come first, so that no term needs a negation of its own where another can lead.
  std::size_t first = 0;
  while (first < n.operands.size() && n.coefficients[first].sign() < 0) ++first;
  if (first == n.operands.size()) first = 0;
  Register sum = times(n.coefficients[first], operand(n, n.operands[first], at));
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    if (k == first) continue;
    const Register x = operand(n, n.operands[k], at);
    const Rational& c = n.coefficients[k];
    if (c.is_one())
      sum = number_op(Op::add, sum, x);
    else if (c == Rational(-1))
      sum = number_op(Op::subtract, sum, x);
    else
      sum = number_op(Op::fma, number(c.to_double()), x, sum);
  }
  return sum;
}

Register Emitter::product(const Node& n, const std::vector<std::size_t>& which, const Rational& coefficient,
                          const Coordinates& labels) {
  Register top;
  std::vector<Register> bottom;
  for (const std::size_t k : which) {
    const Factor f = factor(n, n.operands[k], labels);
    if (f.divide)
      bottom.push_back(f.value);
    else
      top = top.valid() ? number_op(Op::multiply, top, f.value) : to_number(f.value);
  }
  top = top.valid() ? times(coefficient, top) : number(coefficient.to_double());
  for (const Register b : bottom) top = number_op(Op::divide, top, b);
  return top;
}

Register Emitter::guard(const Node& n, const Guard& g, const Coordinates& labels) {
  if (g.kind == Guard::Kind::condition) return to_truth(operand(n, g.condition, labels));
  const Register r = to_register(subscript(g.affine, labels, n.labels));
  if (g.kind == Guard::Kind::nonnegative) return compare(Op::integer_less_equal, integer(0), r);
  const Register zero = compare(Op::integer_equal, r, integer(0));
  return g.kind == Guard::Kind::zero ? zero : truth_not(zero);
}

Register Emitter::guards(const Node& n, const Coordinates& labels, const std::vector<char>& skip) {
  Register all;
  for (std::size_t k = 0; k < n.guards.size(); ++k)
    if (skip.empty() || skip[k] == 0) all = truth_and(all, guard(n, n.guards[k], labels));
  return all;
}

}  // namespace gradus::planning
