// Emitted objects: the C functions give the interpreter's bits, honour NULL, codes and the workspace, and repeat.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <string>

#include "bench/logistic_form.hpp"
#include "codegen/backend.hpp"
#include "codegen/print_c.hpp"
#include "tests/close.hpp"
#include "tests/codegen/shared_library.hpp"

using namespace gradus;
using namespace gradus::loops;
using Kind = CParameter::Kind;

namespace {

std::string emit(const std::string& name, const std::vector<CFunction>& functions, const char* cpu,
                 EmitKind kind = EmitKind::object) {
  std::string error;
  Backend* const backend = open_backend(error);
  REQUIRE_MESSAGE(backend, error);
  const std::string bytes = backend->emit(name, functions, kind, {"", cpu}, error);
  REQUIRE_MESSAGE(!bytes.empty(), error);
  return bytes;
}

bool same_bits(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

std::vector<CFunction> logistic_functions(const Program& program) {
  return {{"model_grad",
           &program,
           {{Kind::size, "n", 0},
            {Kind::size, "d", 1},
            {Kind::array, "X", 0},
            {Kind::array, "y", 1},
            {Kind::array, "w", 2},
            {Kind::scalar, "b", 3},
            {Kind::output, "loss", 0},
            {Kind::output, "grad_w", 1},
            {Kind::output, "grad_b", 2},
            {Kind::workspace, "workspace", 0}}}};
}

using Grad = int(std::int64_t, std::int64_t, const double*, const double*, const double*, double, double*, double*,
                 double*, void*);
using Workspace = std::size_t(std::int64_t, std::int64_t);

struct Results {
  double loss = -1, grad_b = -1;
  std::vector<double> grad_w;
};

struct Inputs {
  std::vector<double> x, y, w;
  double b = 0.25;
  Inputs(std::int64_t n, std::int64_t d) {
    std::uint64_t state = 12345;
    const auto next = [&] {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return static_cast<double>(state >> 11) * 0x1p-52 - 1;
    };
    for (std::int64_t k = 0; k < n * d; ++k) x.push_back(next());
    for (std::int64_t k = 0; k < n; ++k) y.push_back(next() > 0);
    for (std::int64_t k = 0; k < d; ++k) w.push_back(3 * next());
  }
};

}  // namespace

TEST_CASE("one object at many sizes gives the interpreter's bits, for several machines") {
  bench::Shape shape;
  shape.block_rows = 64;
  const auto form = bench::logistic_form(shape);
  REQUIRE(check(form->program) == "");
  for (const char* const cpu : {"native", "x86-64-v3", "x86-64-v2"}) {
    CAPTURE(std::string(cpu));
    testing::Library library("f.o", emit("model", logistic_functions(form->program), cpu));
    Grad* const grad = library.function<Grad>("model_grad");
    Workspace* const workspace_bytes = library.function<Workspace>("model_workspace");
    const std::int64_t sizes[][2] = {{0, 3}, {1, 1}, {7, 0}, {9, 17}, {1023, 31}, {4097, 30}, {130, 64}};
    for (const auto& [n, d] : sizes) {
      CAPTURE(n);
      CAPTURE(d);
      const Inputs in(n, d);
      Results wanted, got;
      wanted.grad_w.resize(static_cast<std::size_t>(d), -1);
      got.grad_w.resize(static_cast<std::size_t>(d), -1);
      REQUIRE(interpret(form->program, {{n, d},
                                        {in.x.data(), in.y.data(), in.w.data(), &in.b},
                                        {&wanted.loss, wanted.grad_w.data(), &wanted.grad_b}})
                  .code == Code::ok);
      constexpr double canary = 1234.5;
      std::vector<double> workspace(workspace_bytes(n, d) / 8 + 1, canary);
      CHECK(grad(n, d, in.x.data(), in.y.data(), in.w.data(), in.b, &got.loss, got.grad_w.data(), &got.grad_b,
                 workspace.data()) == 0);
      CHECK(workspace.back() == canary);
      CHECK(same_bits(wanted.loss, got.loss));
      CHECK(same_bits(wanted.grad_b, got.grad_b));
      for (std::size_t j = 0; j < got.grad_w.size(); ++j) CHECK(same_bits(wanted.grad_w[j], got.grad_w[j]));
      double loss = -1;
      CHECK(grad(n, d, in.x.data(), in.y.data(), in.w.data(), in.b, &loss, nullptr, nullptr, workspace.data()) == 0);
      CHECK(same_bits(loss, wanted.loss));
    }
    double untouched = 5;
    CHECK(grad(-1, 3, nullptr, nullptr, nullptr, 0, &untouched, nullptr, nullptr, nullptr) ==
          static_cast<int>(Code::bad_size));
    CHECK(untouched == 5);
    CHECK(workspace_bytes(-1, 3) == 0);
  }
}

TEST_CASE("the same input gives the same bytes in every form") {
  const auto form = bench::logistic_form({});
  const auto functions = logistic_functions(form->program);
  for (const EmitKind kind : {EmitKind::object, EmitKind::assembly, EmitKind::llvm}) {
    const std::string first = emit("model", functions, "x86-64-v3", kind);
    CHECK(first == emit("model", functions, "x86-64-v3", kind));
    if (kind != EmitKind::object) CHECK(first.find("model_grad") != std::string::npos);
    CHECK(first.find("/tmp") == std::string::npos);
  }
}

TEST_CASE("a call that fails late leaves outputs untouched") {
  Sizes sizes;
  Program program;
  program.sizes = &sizes;
  program.size_names = {"n"};
  program.outputs = 1;
  const Size n = sizes.symbol("n");
  program.buffers = {{"x", Buffer::Scope::input, false, n, 0},
                     {"c", Buffer::Scope::input, true, sizes.constant(1), 1},
                     {"out", Buffer::Scope::output, false, n, 0}};
  program.phases.emplace_back();
  Builder b(program.phases[0]);
  b.loop(b.integer(0), b.size(n), 1, [&](Register i) {
    const Register v = b.load(BufferId{0}, i, Type::number);
    b.fail(b.emit(Op::less, Type::truth, v, b.number(0)), Code::subscript_outside, i);
    const Register c = b.emit(Op::to_number, Type::number, b.load(BufferId{1}, b.integer(0), Type::integer));
    b.store(BufferId{2}, i, b.emit(Op::add, Type::number, v, c));
  });
  REQUIRE(check(program) == "");
  const std::vector<CFunction> functions = {{"f_output_p",
                                             &program,
                                             {{Kind::size, "n", 0},
                                              {Kind::array, "x", 0},
                                              {Kind::index_scalar, "c", 1},
                                              {Kind::output, "p", 0},
                                              {Kind::workspace, "workspace", 0}}}};
  testing::Library library("f.o", emit("f", functions, "native"));
  auto* const f = library.function<int(std::int64_t, const double*, std::int64_t, double*, void*)>("f_output_p");
  auto* const bytes = library.function<std::size_t(std::int64_t)>("f_workspace");
  const double good[] = {1, 2, 3}, bad[] = {1, 2, -3};
  double out[] = {7, 7, 7};
  std::vector<double> workspace(bytes(3) / 8);
  CHECK(f(3, bad, 10, out, workspace.data()) == static_cast<int>(Code::subscript_outside));
  CHECK(out[0] == 7);
  CHECK(f(3, good, 10, out, workspace.data()) == 0);
  CHECK(out[0] == 11);
  CHECK(out[2] == 13);
  CHECK(f(3, good, 10, nullptr, workspace.data()) == 0);
}

TEST_CASE("printed as C, logistic regression has the interpreter's values") {
  bench::Shape shape;
  shape.block_rows = 16;
  const auto form = bench::logistic_form(shape);
  const testing::Library library("f.c", print_c(form->program, "f"));
  using Phase = int(std::int64_t, const std::int64_t*, const void* const*, double* const*, void*, void*, std::int64_t*);
  const Inputs in(37, 11);
  const std::int64_t sizes[] = {37, 11};
  const void* inputs[] = {in.x.data(), in.y.data(), in.w.data(), &in.b};
  std::vector<double> grad(11), wanted_grad(11), workspace(4000);
  double loss = 0, grad_b = 0, wanted = 0, wanted_b = 0;
  double* outputs[] = {&loss, grad.data(), &grad_b};
  const auto count = library.function<std::int64_t(const std::int64_t*)>("f_count0")(sizes);
  CHECK(count == 3);
  std::int64_t detail = 0;
  for (std::int64_t k = 0; k < count; ++k)
    CHECK(library.function<Phase>("f_phase0")(k, sizes, inputs, outputs, workspace.data(), nullptr, &detail) == 0);
  CHECK(library.function<Phase>("f_phase1")(0, sizes, inputs, outputs, workspace.data(), nullptr, &detail) == 0);
  interpret(form->program,
            {{37, 11}, {in.x.data(), in.y.data(), in.w.data(), &in.b}, {&wanted, wanted_grad.data(), &wanted_b}});
  CHECK(testing::close_relative(loss, wanted, 1e-14));
  CHECK(testing::close_relative(grad_b, wanted_b, 1e-13));
  for (std::size_t j = 0; j < grad.size(); ++j) CHECK(testing::close_relative(grad[j], wanted_grad[j], 1e-12));
}

TEST_CASE("code grows linearly with the number of buffers") {
  const auto text_size = [](int count) {
    Sizes sizes;
    Program program;
    program.sizes = &sizes;
    program.size_names = {"n"};
    program.phases.emplace_back();
    Builder b(program.phases[0]);
    for (int k = 0; k < count; ++k) {
      program.buffers.push_back({"t", Buffer::Scope::workspace, false, sizes.symbol("n"), 0});
      b.store(BufferId{static_cast<std::uint32_t>(k)}, b.integer(0), b.number(k));
    }
    const std::vector<CFunction> functions = {{"f_loss", &program, {{Kind::size, "n", 0}, {Kind::workspace, "w", 0}}}};
    return emit("f", functions, "x86-64-v3", EmitKind::llvm).size();
  };
  CHECK(text_size(1600) < 5 * text_size(400));
}

TEST_CASE("other targets: an object for another architecture") {
  const auto form = bench::logistic_form({});
  std::string error;
  Backend* const backend = open_backend(error);
  REQUIRE(backend);
  const auto functions = logistic_functions(form->program);
  const std::string object =
      backend->emit("model", functions, EmitKind::object, {"aarch64-linux-gnu", "cortex-a76"}, error);
  REQUIRE_MESSAGE(!object.empty(), error);
  CHECK(object.substr(0, 4) ==
        "\x7f"
        "ELF");
  CHECK(backend->emit("model", functions, EmitKind::object, {"aarch64-linux-gnu", "native"}, error).empty());
  CHECK(error.find("native") != std::string::npos);
}
