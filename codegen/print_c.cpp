// Printing the loop form as C99: a table of what each operation is on one lane, and the structure around it.
#include "codegen/print_c.hpp"

#include <fmt/format.h>

#include <cmath>

#include "symbolic/function.hpp"

namespace gradus::loops {
namespace {

// What the functions and operations that C has no operator for mean.
constexpr const char* prelude = R"(#include <math.h>
#include <stdint.h>

static inline double gr_min(double a, double b) { return a != a ? a : a < b ? a : b; }
static inline double gr_max(double a, double b) { return a != a ? a : a > b ? a : b; }
static inline int64_t gr_imin(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t gr_imax(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t gr_idiv(int64_t a, int64_t b) { if (b < 1) b = 1; return a / b - (a % b < 0); }
static inline int64_t gr_int(double x) {
  return x != x ? 0 : x >= 0x1p63 ? INT64_MAX : x < -0x1p63 ? INT64_MIN : (int64_t)x;
}
static inline double gr_sigmoid(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }
static inline double gr_softplus(double x) { return (x > 0 ? x : 0) + log1p(exp(-fabs(x))); }
static inline double gr_log_sigmoid(double x) { return -gr_softplus(-x); }
static inline double gr_logaddexp(double a, double b) { return gr_max(a, b) + (a == b ? log(2) : log1p(exp(-fabs(a - b)))); }
static inline double gr_normal_cdf(double x) { return 0.5 * erfc(-x * 0.70710678118654757); }
static inline double gr_sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
static inline double gr_clip(double x, double a, double b) { return gr_min(gr_max(x, a), b); }
static inline double gr_mod(double x, double y) { double r = fmod(x, y); return r != 0 && (r < 0) != (y < 0) ? r + y : r; }
)";

// A lane of the result from lanes of a, b, c; nothing for what is not lane by lane.
const char* lane_of(Op op) {
  switch (op) {
    case Op::integer_add:
      return "(int64_t)((uint64_t)$a + (uint64_t)$b)";
    case Op::integer_subtract:
      return "(int64_t)((uint64_t)$a - (uint64_t)$b)";
    case Op::integer_multiply:
      return "(int64_t)((uint64_t)$a * (uint64_t)$b)";
    case Op::integer_min:
      return "gr_imin($a, $b)";
    case Op::integer_max:
      return "gr_imax($a, $b)";
    case Op::integer_divide:
      return "gr_idiv($a, $b)";
    case Op::lane_index:
      return "l";
    case Op::integer_less:
    case Op::less:
      return "$a < $b";
    case Op::integer_less_equal:
    case Op::less_equal:
      return "$a <= $b";
    case Op::integer_equal:
    case Op::equal:
      return "$a == $b";
    case Op::add:
      return "$a + $b";
    case Op::subtract:
      return "$a - $b";
    case Op::multiply:
      return "$a * $b";
    case Op::divide:
      return "$a / $b";
    case Op::negate:
      return "-$a";
    case Op::fma:
      return "fma($a, $b, $c)";
    case Op::absolute:
      return "fabs($a)";
    case Op::square_root:
      return "sqrt($a)";
    case Op::floor:
      return "floor($a)";
    case Op::ceil:
      return "ceil($a)";
    case Op::round_even:
      return "nearbyint($a)";
    case Op::minimum:
      return "gr_min($a, $b)";
    case Op::maximum:
      return "gr_max($a, $b)";
    case Op::to_number:
    case Op::truth_to_number:
      return "(double)$a";
    case Op::to_integer:
      return "gr_int($a)";
    case Op::truth_and:
      return "$a & $b";
    case Op::truth_or:
      return "$a | $b";
    case Op::truth_not:
      return "!$a";
    case Op::select:
      return "$a ? $b : $c";
    case Op::broadcast:
    case Op::assign:
      return "$a";
    default:
      return nullptr;
  }
}

std::string number_text(double x) {
  if (std::isnan(x)) return "NAN";
  if (std::isinf(x)) return x < 0 ? "-INFINITY" : "INFINITY";
  return fmt::format("{}{}", x, x == std::floor(x) && std::fabs(x) < 1e15 ? ".0" : "");
}

std::string integer_text(std::int64_t x) { return x == INT64_MIN ? "INT64_MIN" : fmt::format("INT64_C({})", x); }

std::string function_text(Function f) {
  const FunctionRow& r = row(f);
  if (r.lowering.kind == Lowering::Kind::libm) return std::string(r.lowering.symbol);
  switch (f) {
    case Function::sqrt:
      return "sqrt";
    case Function::abs:
      return "fabs";
    case Function::round:
      return "nearbyint";
    case Function::maximum:
      return "gr_max";
    case Function::minimum:
      return "gr_min";
    case Function::sigmoid:
    case Function::softplus:
    case Function::log_sigmoid:
    case Function::logaddexp:
    case Function::normal_cdf:
    case Function::sign:
    case Function::clip:
    case Function::mod:
      return "gr_" + std::string(r.name);
    default:
      return std::string(r.name);
  }
}

class Printer {
 public:
  Printer(const Program& program, const Phase& phase, std::string& out) : program_(program), phase_(phase), out_(out) {}

  void declare() {
    for (std::size_t k = 0; k < phase_.registers.size(); ++k) {
      const Type t = phase_.registers[k];
      const Type s = scalar_of(t);
      const char* const type = s == Type::integer ? "int64_t" : s == Type::number ? "double" : "int";
      line("{} r{}{} = {};", type, k, is_vector(t) ? "[8]" : "", is_vector(t) ? "{0}" : "0");
    }
  }
  // Registers that no instruction uses would be warned about.
  void use_all() {
    for (std::size_t k = 0; k < phase_.registers.size(); ++k) line("(void)r{};", k);
  }
  void buffers() {
    std::string offset[2] = {"0", "0"};
    for (std::size_t k = 0; k < program_.buffers.size(); ++k) {
      const Buffer& b = program_.buffers[k];
      const char* const type = b.integer ? "int64_t" : "double";
      switch (b.scope) {
        case Buffer::Scope::input:
          line("const {0} *const b{1} = inputs[{2}];  // {3}", type, k, b.number, b.name);
          break;
        case Buffer::Scope::output:
          line("double *const b{} = outputs[{}];  // {}", k, b.number, b.name);
          break;
        case Buffer::Scope::workspace:
        case Buffer::Scope::scratch: {
          const bool scratch = b.scope == Buffer::Scope::scratch;
          std::string& at = offset[scratch ? 1 : 0];
          line("{0} *const b{1} = ({0} *)({2} + {3});  // {4}", type, k, scratch ? "scratch" : "workspace", at, b.name);
          line("const int64_t end{} = {} + (({}) * 8 + 63) / 64 * 64;", k, at, size(b.elements));
          line("(void)end{};", k);
          at = fmt::format("end{}", k);
        }
      }
      line("(void)b{};", k);
    }
  }

  void body(const Body& body) {
    for (const Instruction& i : body) instruction(i);
  }

  template <class... T>
  void line(fmt::format_string<T...> format, T&&... values) {
    out_.append(2 * static_cast<std::size_t>(indent_), ' ');
    fmt::format_to(std::back_inserter(out_), format, std::forward<T>(values)...);
    out_ += '\n';
  }

 private:
  bool vector(Register r) const { return is_vector(phase_.registers[r.id]); }
  std::string one(Register r) const { return fmt::format("r{}", r.id); }
  std::string lane(Register r) const { return fmt::format(fmt::runtime(vector(r) ? "r{}[l]" : "r{}"), r.id); }
  std::string at(const Instruction& i, const std::string& index) const {
    return fmt::format("b{}[{}]", i.buffer.id, index);
  }

  std::string size(Size s) const {
    std::string text;
    for (const Sizes::Term& term : program_.sizes->terms(s)) {
      std::string product;
      if (term.coefficient != 1 || term.atoms.empty()) product = integer_text(term.coefficient);
      for (const SizeAtom a : term.atoms) product += (product.empty() ? "" : " * ") + atom(program_.sizes->atom(a));
      text += (text.empty() ? "" : " + ") + product;
    }
    return text.empty() ? "0" : text;
  }
  std::string atom(const Sizes::Atom& a) const {
    if (a.kind != Sizes::AtomKind::name)
      return fmt::format("gr_i{}({}, {})", a.kind == Sizes::AtomKind::minimum ? "min" : "max", size(a.a), size(a.b));
    for (std::size_t k = 0; k < program_.size_names.size(); ++k)
      if (program_.size_names[k] == a.name) return fmt::format("sizes[{}]", k);
    return "0";
  }

  // dst = value, on every lane where dst has lanes.
  void set(Register dst, const std::string& value) {
    line("{}{} = {};", vector(dst) ? "for (int l = 0; l < 8; ++l) " : "", lane(dst), value);
  }

  static std::string filled(const char* pattern, const std::string& a, const std::string& b, const std::string& c) {
    std::string text;
    for (const char* p = pattern; *p; ++p) {
      if (*p != '$') {
        text += *p;
        continue;
      }
      ++p;
      text += *p == 'a' ? a : *p == 'b' ? b : c;
    }
    return text;
  }

  void instruction(const Instruction& i) {
    const auto text = [&](Register r) { return r.valid() ? lane(r) : std::string(); };
    if (const char* const pattern = lane_of(i.op)) return set(i.dst, filled(pattern, text(i.a), text(i.b), text(i.c)));
    switch (i.op) {
      case Op::integer_constant:
      case Op::truth_constant:
        return set(i.dst, integer_text(i.integer));
      case Op::size_value:
        return set(i.dst, size(i.size));
      case Op::constant:
        return set(i.dst, number_text(i.number));
      case Op::function:
        return function(i);
      case Op::extract:
        return set(i.dst, fmt::format("{}[{}]", one(i.a), i.integer));
      case Op::insert:
        if (i.dst.id != i.a.id) set(i.dst, lane(i.a));
        return line("{}[{}] = {};", one(i.dst), i.integer, one(i.b));
      case Op::fold_add:
        return fold(i, "$a + $b");
      case Op::fold_maximum:
        return fold(i, "gr_max($a, $b)");
      case Op::fold_minimum:
        return fold(i, "gr_min($a, $b)");
      case Op::fold_or:
        return fold(i, "($a | $b)");
      case Op::fold_and:
        return fold(i, "($a & $b)");
      case Op::prefetch:
        return line("// prefetch b{}[{}]", i.buffer.id, one(i.a));
      case Op::loop:
        return loop(i);
      case Op::branch:
        return branch(i);
      case Op::fail:
        return line("if ({}) {{ *detail = {}; return {}; }}", one(i.a), i.b.valid() ? one(i.b) : "0", i.integer);
      default:
        return memory(i);
    }
  }

  void function(const Instruction& i) {
    std::string arguments;
    for (const Register r : {i.a, i.b, i.c})
      if (r.valid()) arguments += (arguments.empty() ? "" : ", ") + lane(r);
    set(i.dst, fmt::format("{}({})", function_text(i.function), arguments));
  }

  void fold(const Instruction& i, const char* pattern) {
    const auto pair = [&](const std::string& x, const std::string& y) { return "(" + filled(pattern, x, y, "") + ")"; };
    const auto element = [&](int k) { return fmt::format("{}[{}]", one(i.a), k); };
    const auto four = [&](int k) {
      return pair(pair(element(k), element(k + 4)), pair(element(k + 2), element(k + 6)));
    };
    line("{} = {};", one(i.dst), pair(four(0), four(1)));
  }

  void memory(const Instruction& i) {
    const bool writes = i.op == Op::store || i.op == Op::store_lanes || i.op == Op::scatter;
    const bool separate = i.op == Op::gather || i.op == Op::scatter;
    const bool many = separate || i.op == Op::load_lanes || i.op == Op::store_lanes;
    const Register mask = writes ? i.c : i.b;
    const std::string element = at(i, separate ? lane(i.a) : one(i.a) + (many ? " + l" : ""));
    std::string text = many ? "for (int l = 0; l < 8; ++l) " : "";
    if (!writes)
      return line("{}{} = {}{}{};", text, lane(i.dst), mask.valid() ? lane(mask) + " ? " : "", element,
                  mask.valid() ? " : 0" : "");
    if (program_.buffers[i.buffer.id].scope == Buffer::Scope::output)
      text = fmt::format("if (b{}) {}", i.buffer.id, text);
    if (mask.valid()) text += fmt::format("if ({}) ", lane(mask));
    line("{}{} = {};", text, element, lane(i.b));
  }

  void loop(const Instruction& i) {
    const std::string v = one(i.dst);
    line("for ({0} = {1}; {0} < {2}; {0} += {3}) {{", v, one(i.a), one(i.b), i.integer);
    nested(i.body);
    line("}}");
  }
  void branch(const Instruction& i) {
    line("if ({}) {{", one(i.a));
    nested(i.body);
    if (!i.otherwise.empty()) {
      line("}} else {{");
      nested(i.otherwise);
    }
    line("}}");
  }
  void nested(const Body& inner) {
    ++indent_;
    body(inner);
    --indent_;
  }

  const Program& program_;
  const Phase& phase_;
  std::string& out_;
  int indent_ = 1;
};

}  // namespace

std::string print_c(const Program& program, const std::string& name) {
  std::string out = prelude;
  for (std::size_t k = 0; k < program.phases.size(); ++k) {
    const Phase& phase = program.phases[k];
    Printer printer(program, phase, out);
    if (phase.blocked) {
      out += fmt::format("\nint64_t {}_count{}(const int64_t *sizes) {{\n", name, k);
      printer.line("(void)sizes;");
      printer.declare();
      printer.use_all();
      printer.body(phase.count_body);
      printer.line("return r{};", phase.count.id);
      out += "}\n";
    }
    out += fmt::format(
        "\nint {}_phase{}(int64_t block, const int64_t *sizes, const void *const *inputs, double *const *outputs,\n"
        "    char *workspace, char *scratch, int64_t *detail) {{\n",
        name, k);
    printer.line(
        "(void)block, (void)sizes, (void)inputs, (void)outputs, (void)workspace, (void)scratch, (void)detail;");
    printer.buffers();
    printer.declare();
    printer.use_all();
    if (phase.block.valid()) printer.line("r{} = block;", phase.block.id);
    printer.body(phase.body);
    printer.line("return 0;");
    out += "}\n";
  }
  return out;
}

}  // namespace gradus::loops
