// The public interface of Gradus: formulas in, gradients, numbers and objects out.
//
//   Diagnostics diagnostics;
//   auto formula = load(Source("f.loss", text), {}, diagnostics);            // parse and check
//   Derived derived = derive(formula->model);                               // loss and gradient, simplified
//   std::string gradient = print(formula->model, derived, Form::text);      // as a formula
//   auto values = bind_inputs(formula->model, given, {}, diagnostics);             // numbers for inputs and sizes
//   ThreadPool pool(0);
//   auto result = evaluate(formula->model, roots, derived.checks, *values, pool, diagnostics, notes);
#pragma once

#include "frontend/diagnostic.hpp"
#include "frontend/format.hpp"
#include "frontend/parse.hpp"
#include "frontend/source.hpp"
#include "runtime/bench.hpp"
#include "runtime/bind.hpp"
#include "runtime/build.hpp"
#include "runtime/evaluate.hpp"
#include "runtime/formula.hpp"
#include "runtime/json.hpp"
#include "runtime/number_text.hpp"
#include "runtime/thread_pool.hpp"
#include "runtime/value.hpp"
#include "runtime/verify.hpp"
#include "symbolic/derive.hpp"
#include "symbolic/print.hpp"

namespace gradus {

/// The version of Gradus, as `0.1.0`.
const char* version();

}  // namespace gradus
