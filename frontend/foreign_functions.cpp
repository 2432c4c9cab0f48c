// The table of foreign functions, and of our own with foreign arguments: one row each; `$0` is an argument's text, `@0`
// the same in parentheses where needed, `$a` an axis.
#include "frontend/foreign_functions.hpp"

#include <algorithm>
#include <cctype>

namespace gradus {
namespace {

struct Row {
  std::string_view name;
  std::size_t arguments;
  std::string_view here;
};

constexpr Row rows[] = {
    {"absolute", 1, "abs"},
    {"abs2", 1, "@0^2"},
    {"BCELoss", 2, "bce"},
    {"BCEWithLogitsLoss", 2, "bce_logits"},
    {"CrossEntropyLoss", 2, "cross_entropy"},
    {"L1Loss", 2, "mae"},
    {"MSELoss", 2, "mse"},
    {"NLLLoss", 2, "nll"},
    {"CosineSimilarity", 2, "cosine_similarity"},
    {"ELU", 1, "elu($0, 1)"},
    {"GELU", 1, "gelu"},
    {"Hardtanh", 1, "hardtanh"},
    {"HuberLoss", 2, "mean(huber($0 - @1, 1))"},
    {"LeakyReLU", 1, "leaky_relu($0, 0.01)"},
    {"LogSigmoid", 1, "log_sigmoid"},
    {"LogSoftmax", 1, "log_softmax"},
    {"Mish", 1, "mish"},
    {"ReLU", 1, "relu"},
    {"SELU", 1, "selu"},
    {"Sigmoid", 1, "sigmoid"},
    {"SiLU", 1, "silu"},
    {"SmoothL1Loss", 2, "mean(huber($0 - @1, 1))"},
    {"Softmax", 1, "softmax"},
    {"Softplus", 1, "softplus"},
    {"Softsign", 1, "softsign"},
    {"Tanh", 1, "tanh"},
    {"reduce_all", 1, "all"},
    {"reduce_any", 1, "any"},
    {"reduce_logsumexp", 1, "logsumexp"},
    {"reduce_max", 1, "max"},
    {"reduce_mean", 1, "mean"},
    {"reduce_min", 1, "min"},
    {"reduce_prod", 1, "prod"},
    {"reduce_std", 1, "std"},
    {"reduce_sum", 1, "sum"},
    {"reduce_variance", 1, "var"},
    {"add", 2, "+"},
    {"amax", 1, "max"},
    {"amin", 1, "min"},
    {"arange", 1, "range"},
    {"arccos", 1, "acos"},
    {"arccosh", 1, "acosh"},
    {"arcsin", 1, "asin"},
    {"arcsinh", 1, "asinh"},
    {"arctan", 1, "atan"},
    {"arctan2", 2, "atan2"},
    {"arctanh", 1, "atanh"},
    {"arange", 2, "range(@1 - @0) + @0"},
    {"average", 1, "mean"},
    {"avg", 1, "mean"},
    {"betaln", 2, "lbeta"},
    {"binary_cross_entropy", 2, "bce"},
    {"binary_cross_entropy_with_logits", 2, "bce_logits"},
    {"bernoulli_logit_lpmf", 2, "@0*@1 - softplus($1)"},
    {"bernoulli_lpmf", 2, "xlogy($0, $1) + xlog1py(1 - @0, -@1)"},
    {"beta_lpdf", 3, "(@1 - 1)*log($0) + (@2 - 1)*log(1 - @0) - lbeta($1, $2)"},
    {"binomial_lpmf", 3,
     "lgamma(@1 + 1) - lgamma(@0 + 1) - lgamma(@1 - @0 + 1) + xlogy($0, $2) + xlog1py(@1 - @0, -@2)"},
    {"bmm", 2, "@"},
    {"cauchy_lpdf", 3, "-log(pi*@2) - log1p((($0 - @1)/@2)^2)"},
    {"chol", 1, "cholesky"},
    {"clamp", 3, "clip"},
    {"celu", 1, "elu($0, 1)"},
    {"concatenate", 2, "concat"},
    {"concatenate", 3, "concat"},
    {"cat", 2, "concat"},
    {"cat", 3, "concat"},
    {"cosine", 1, "cos"},
    {"cot", 1, "1/tan($0)"},
    {"count_nonzero", 1, "sum($0 != 0)"},
    {"csc", 1, "1/sin($0)"},
    {"cumulative_sum", 1, "cumsum"},
    {"deg2rad", 1, "@0*pi/180"},
    {"degrees", 1, "@0*180/pi"},
    {"detach", 1, "stop_gradient"},
    {"determinant", 1, "det"},
    {"diag_matrix", 1, "diag"},
    {"diagflat", 1, "diag"},
    {"diagm", 1, "diag"},
    {"diagonal", 1, "diag"},
    {"dist", 2, "||$0 - @1||"},
    {"distance", 2, "||$0 - @1||"},
    {"div", 2, "/"},
    {"divide", 2, "/"},
    {"dot_product", 2, "dot"},
    {"dot_self", 1, "dot($0, $0)"},
    {"double_exponential_lpdf", 3, "-abs($0 - @1)/@2 - log(2*@2)"},
    {"exponential_lpdf", 2, "log($1) - @1*@0"},
    {"exp10", 1, "10^@0"},
    {"expit", 1, "sigmoid"},
    {"fabs", 1, "abs"},
    {"factorial", 1, "gamma(@0 + 1)"},
    {"fmax", 2, "max"},
    {"fmin", 2, "min"},
    {"fmod", 2, "mod"},
    {"full", 2, "@1*ones($0)"},
    {"gamma_lpdf", 3, "@1*log($2) - lgamma($1) + (@1 - 1)*log($0) - @2*@0"},
    {"gammaln", 1, "lgamma"},
    {"heaviside", 1, "where($0 > 0, 1, 0)"},
    {"heaviside", 2, "where($0 > 0, 1, where($0 == 0, $1, 0))"},
    {"hinge_loss", 2, "hinge"},
    {"huber_loss", 2, "mean(huber($0 - @1, 1))"},
    {"hstack", 2, "concat($0, $1, axis=-1)"},
    {"hypotenuse", 2, "hypot"},
    {"if_else", 3, "where"},
    {"ifelse", 3, "where"},
    {"inner", 2, "dot"},
    {"inv_logit", 1, "sigmoid"},
    {"inverse", 1, "inv"},
    {"l1_loss", 2, "mae"},
    {"linspace", 3, "@0 + (@1 - @0)*range($2)/(@2 - 1)"},
    {"lngamma", 1, "lgamma"},
    {"loggamma", 1, "lgamma"},
    {"log1p_exp", 1, "softplus"},
    {"log_determinant", 1, "logdet"},
    {"log_inv_logit", 1, "log_sigmoid"},
    {"log_ndtr", 1, "log_normal_cdf"},
    {"log_sum_exp", 1, "logsumexp"},
    {"log_sum_exp", 2, "logaddexp"},
    {"logcosh", 1, "log_cosh"},
    {"logistic", 1, "sigmoid"},
    {"logit", 1, "log(@0/(1 - @0))"},
    {"logsigmoid", 1, "log_sigmoid"},
    {"lognormal_lpdf", 3, "-((log($0) - @1)/@2)^2/2 - log($0) - log($2) - log(2*pi)/2"},
    {"matmul", 2, "@"},
    {"maximum", 2, "max"},
    {"mean_absolute_error", 2, "mae"},
    {"mean_squared_error", 2, "mse"},
    {"minimum", 2, "min"},
    {"mm", 2, "@"},
    {"mse_loss", 2, "mse"},
    {"mul", 2, "*"},
    {"multiply", 2, "*"},
    {"mv", 2, "@"},
    {"ndtr", 1, "normal_cdf"},
    {"negative", 1, "-@0"},
    {"nll_loss", 2, "nll"},
    {"norm_cdf", 1, "normal_cdf"},
    {"norm_logcdf", 1, "log_normal_cdf"},
    {"norm_lpdf", 1, "-@0^2/2 - log(2*pi)/2"},
    {"norm_pdf", 1, "exp(-@0^2/2)/sqrt(2*pi)"},
    {"normal_lpdf", 3, "-(($0 - @1)/@2)^2/2 - log($2) - log(2*pi)/2"},
    {"nthroot", 2, "pow($0, 1/@1)"},
    {"ones_like", 1, "0*@0 + 1"},
    {"outer_product", 2, "outer"},
    {"Phi", 1, "normal_cdf"},
    {"poisson_log_lpmf", 2, "@0*@1 - exp($1) - lgamma(@0 + 1)"},
    {"poisson_lpmf", 2, "xlogy($0, $1) - @1 - lgamma(@0 + 1)"},
    {"power", 2, "pow"},
    {"product", 1, "prod"},
    {"psi", 1, "digamma"},
    {"rad2deg", 1, "@0*180/pi"},
    {"radians", 1, "@0*pi/180"},
    {"reciprocal", 1, "1/@0"},
    {"remainder", 2, "mod"},
    {"sd", 1, "std"},
    {"sec", 1, "1/cos($0)"},
    {"sgn", 1, "sign"},
    {"sigmoid_cross_entropy_with_logits", 2, "bce_logits"},
    {"sine", 1, "sin"},
    {"slogdet", 1, "logdet"},
    {"smooth_l1_loss", 2, "mean(huber($0 - @1, 1))"},
    {"softmax_cross_entropy_with_logits", 2, "cross_entropy"},
    {"square", 1, "@0^2"},
    {"squared_distance", 2, "||$0 - @1||^2"},
    {"stdev", 1, "std"},
    {"student_t_lpdf", 4,
     "lgamma((@1 + 1)/2) - lgamma(@1/2) - log(@1*pi)/2 - log($3) - (@1 + 1)/2*log1p((($0 - @2)/@3)^2/@1)"},
    {"subtract", 2, "-"},
    {"summation", 1, "sum"},
    {"svd", 1, "svdvals"},
    {"swish", 1, "silu"},
    {"tangent", 1, "tan"},
    {"t", 1, "@0.T"},
    {"trace", 1, "tr"},
    {"trigamma", 1, "polygamma(1, $0)"},
    {"true_divide", 2, "/"},
    {"variance", 1, "var"},
    {"vdot", 2, "dot"},
    {"vstack", 2, "concat"},
    {"zeros_like", 1, "0*@0"},
    // Our own functions, called as other libraries call theirs.
    {"argsort/descending", 2, "argsort(-@0$a)"},
    {"argsort/reverse", 2, "argsort(-@0$a)"},
    {"atan", 2, "atan2"},
    {"average", 2, "sum(@1*@0$a)/sum($1)"},
    {"average/weights", 2, "sum(@1*@0$a)/sum($1)"},
    {"clip/a_max", 2, "min"},
    {"clip/a_max/a_min", 3, "clip($0, $2, $1)"},
    {"clip/a_min", 2, "max"},
    {"clip/high/low", 3, "clip($0, $2, $1)"},
    {"clip/hi", 2, "min"},
    {"clip/lo", 2, "max"},
    {"clip/lower", 2, "max"},
    {"clip/lower/upper", 3, "clip"},
    {"clip/max", 2, "min"},
    {"clip/max/min", 3, "clip($0, $2, $1)"},
    {"clip/max_val/min_val", 3, "clip($0, $2, $1)"},
    {"clip/min", 2, "max"},
    {"clip/upper", 2, "min"},
    {"dot", 1, "dot($0, $0)"},
    {"elu", 1, "elu($0, 1)"},
    {"huber", 1, "huber($0, 1)"},
    {"huber", 3, "huber($0 - @1, $2)"},
    {"huber/delta", 3, "huber($0 - @1, $2)"},
    {"identity", 1, "eye"},
    {"leaky_relu", 1, "leaky_relu($0, 0.01)"},
    {"logsumexp/b", 2, "log(sum(@1*exp($0)$a))"},
    {"max/initial", 2, "max(max($0$a), $1)"},
    {"mean/weights", 2, "sum(@1*@0$a)/sum($1)"},
    {"min/initial", 2, "min(min($0$a), $1)"},
    {"norm/ord", 2, "norm"},
    {"norm/p", 2, "norm"},
    {"percentile", 2, "quantile($0, @1/100)"},
    {"prod/initial", 2, "@1*prod($0$a)"},
    {"relu", 2, "leaky_relu"},
    {"relu6", 1, "clip($0, 0, 6)"},
    {"root", 2, "pow($0, 1/@1)"},
    {"round", 2, "round(@0*10^@1)/10^@1"},
    {"round/decimals", 2, "round(@0*10^@1)/10^@1"},
    {"round/digits", 2, "round(@0*10^@1)/10^@1"},
    {"softmax/temperature", 2, "softmax(@0/@1$a)"},
    {"softplus", 2, "softplus(@1*@0)/@1"},
    {"softplus/beta", 2, "softplus(@1*@0)/@1"},
    {"sort/descending", 2, "-sort(-@0$a)"},
    {"sort/reverse", 2, "-sort(-@0$a)"},
    {"sqrt", 2, "pow($0, 1/@1)"},
    {"sum/initial", 2, "sum($0$a) + $1"},
    {"where", 2, "where($0, $1, 0)"},
};

constexpr std::string_view functions[] = {
    "abs",           "acos",        "acosh",      "all",     "any",        "argmax",
    "argmin",        "argsort",     "asin",       "asinh",   "atan",       "atan2",
    "atanh",         "bce",         "bce_logits", "beta",    "cbrt",       "ceil",
    "cholesky",      "clip",        "concat",     "cos",     "cosh",       "cosine_similarity",
    "cross_entropy", "cumprod",     "cumsum",     "det",     "diag",       "digamma",
    "dot",           "eigvalsh",    "elu",        "entropy", "erf",        "erfc",
    "erfinv",        "exp",         "exp2",       "expm",    "expm1",      "eye",
    "floor",         "gamma",       "gelu",       "grad",    "hardtanh",   "hessian",
    "hinge",         "huber",       "hvp",        "hypot",   "inv",        "jacobian",
    "jvp",           "kl_div",      "kron",       "lbeta",   "leaky_relu", "lgamma",
    "log",           "log10",       "log1p",      "log2",    "log_cosh",   "log_normal_cdf",
    "log_sigmoid",   "log_softmax", "logaddexp",  "logdet",  "logsumexp",  "mae",
    "matrix_power",  "max",         "mean",       "median",  "min",        "mish",
    "mod",           "mse",         "nll",        "norm",    "normal_cdf", "ones",
    "outer",         "polygamma",   "pow",        "prod",    "quantile",   "range",
    "relu",          "reshape",     "round",      "selu",    "sigmoid",    "sign",
    "silu",          "sin",         "sinh",       "softmax", "softplus",   "softsign",
    "solve",         "sort",        "sqrt",       "stack",   "std",        "stop_gradient",
    "sum",           "svdvals",     "tan",        "tanh",    "tr",         "transpose",
    "tril",          "triu",        "var",        "where",   "xlog1py",    "xlogy",
    "zeros"};

/// Whether a text is a name, a number, a call or a part: what needs no parentheses as an operand.
bool is_operand(std::string_view text) {
  int depth = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ')' || c == ']') --depth;
    const bool plain =
        std::isalnum(byte) != 0 || byte >= 0x80 || std::string_view("_.()[]").find(c) != std::string_view::npos;
    if (depth == 0 && !plain) return false;
    if (c == '(' || c == '[') ++depth;
  }
  return true;
}

}  // namespace

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> names(std::begin(functions), std::end(functions));
  return names;
}

bool is_function_name(std::string_view name) { return std::ranges::binary_search(functions, name); }

std::string_view foreign_function(std::string_view name, std::size_t arguments) {
  const auto found =
      std::ranges::find_if(rows, [&](const Row& r) { return r.name == name && r.arguments == arguments; });
  return found == std::end(rows) ? std::string_view() : found->here;
}

std::string foreign_call(std::string_view name, const std::vector<std::string>& arguments, std::string_view axis) {
  const std::string_view here = foreign_function(name, arguments.size());
  if (here.empty()) return {};
  if (name == "arange" && arguments.size() == 2 && arguments[0] == "0") return "range(" + arguments[1] + ")";
  if (name == "linspace" && arguments[0] == "0") {
    const std::string factor =
        arguments[1] == "1" ? "" : (is_operand(arguments[1]) ? arguments[1] : "(" + arguments[1] + ")") + "*";
    const std::string count = is_operand(arguments[2]) ? arguments[2] : "(" + arguments[2] + ")";
    return factor + "range(" + arguments[2] + ")/(" + count + " - 1)";
  }
  const auto operand = [&](std::size_t k) {
    return is_operand(arguments[k]) ? arguments[k] : "(" + arguments[k] + ")";
  };
  const bool function =
      std::ranges::all_of(here, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
  if (function) {
    std::string list;
    for (const std::string& one : arguments) list += (list.empty() ? "" : ", ") + one;
    return std::string(here) + "(" + list + std::string(axis) + ")";
  }
  if (here.size() == 1) {
    const bool tight = here == "*" || here == "/";
    return operand(0) + (tight ? "" : " ") + std::string(here) + (tight ? "" : " ") + operand(1);
  }
  std::string out;
  bool placed = axis.empty();
  for (std::size_t i = 0; i < here.size(); ++i) {
    if (here.substr(i, 2) == "$a") {
      out += axis;
      placed = true;
      ++i;
      continue;
    }
    const bool argument =
        (here[i] == '$' || here[i] == '@') && i + 1 < here.size() && here[i + 1] >= '0' && here[i + 1] <= '9';
    if (!argument) {
      out += here[i];
      continue;
    }
    const auto k = static_cast<std::size_t>(here[i + 1] - '0');
    out += here[i] == '@' ? operand(k) : arguments[k];
    ++i;
  }
  if (!placed && out.ends_with(')')) out.insert(out.size() - 1, axis);
  return out;
}

}  // namespace gradus
