// The elaborator of expressions: one object an equation, in a dry run that finds the ranges and a real one.
#pragma once

#include <deque>
#include <map>
#include <tuple>

#include "symbolic/elaborate/context.hpp"
#include "symbolic/elaborate/ranges.hpp"
#include "symbolic/elaborate/value.hpp"

namespace gradus::elaboration {

/// Where an index is bound: the call path, the expression (or the left side), the position in its list. The same in
/// the dry and the real run.
using BinderKey = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;

/// Brings values to common axes, NumPy's way, one value after the other.
struct Broadcast {
  std::vector<Label> axes;
  std::vector<Value*> members;
  /// Adds a value; false when its shape does not fit.
  bool add(Build& build, Value& value);
};

class Evaluator {
 public:
  explicit Evaluator(Context& context);

  /// Elaborates an equation and enters its value into the context.
  void equation(EquationInfo& info);
  /// The default of a const: a scalar of numbers and earlier consts. Nothing when an error was reported.
  std::optional<Expr> const_default(const ast::Program& program, const ast::Declared& declared, std::size_t number);

  /// An equation of a MATLAB-like file with '@' for '*' between arrays (where a matrix or a transpose is meant, or
  /// everywhere if that makes a number of it); empty when nothing changes.
  std::string with_matrix_products(const EquationInfo& info, bool of_matrices_only) const;

  /// Whether a name is a function of arrays, and all of their names.
  static bool is_array_function(const std::string& name);
  static std::vector<std::string> array_function_names();

 private:
  struct Binding {
    std::string key;
    bool is_index = false;
    Value value;  // of an index: its integer value
  };

  /// One function body being elaborated.
  struct Activation {
    const ast::Program* program = nullptr;
    bool prelude = false;
    std::size_t first_binding = 0;
    std::uint32_t path = 0;
    ast::Id call_expression;  // in the caller's program
    Span call = Span::none();
    std::string name;
  };

  /// What must hold for what is elaborated now to be chosen.
  struct Condition {
    std::vector<Guard> guards;
    std::vector<Label> labels;  // all that are mentioned
  };

  /// A subscript in messages: what is subscripted, the one subscript, all of it as written.
  struct Words {
    std::string base, text, whole;
  };

  struct BoundIndex {
    Label label = 0;
    Subscript begin;
    std::vector<Guard> guards;  // of a range that depends on other indices
  };

  // evaluate.cpp: dispatch, names, errors
  const ast::Expression& at(ast::Id id) const { return activation().program->at(id); }
  const Activation& activation() const { return activations_.back(); }
  Diagnostic& error(Span mark, std::string text, std::vector<Span> context = {});
  Diagnostic& error_in_prelude(std::size_t activation, const std::string& text);
  Diagnostic& warning(Span mark, std::string text, std::vector<Span> context = {});
  Value fail(Span mark, std::string text, std::vector<Span> context = {}) {
    error(mark, std::move(text), std::move(context));
    return Value::poison();
  }
  /// Once a file for each thing.
  Value not_supported(Span mark, const std::string& what) {
    if (silent_ || !context_.reported_names.insert("not supported: " + what).second) return Value::poison();
    return fail(mark, "not supported yet: " + what);
  }
  std::string text_of(ast::Id id) const;
  /// The expression's text when it is short, else "this".
  std::string named(ast::Id id) const;
  std::string shape_of(const Value& v);
  void note_declaration(Diagnostic& d, ast::Id id);
  void note_declared(Diagnostic& d, const ast::Expression& name);
  Value eval(ast::Id id);
  Value eval_inner(ast::Id id);
  Value eval_name(ast::Id id);
  Value undeclared(ast::Id id);
  /// `[n, d]` as an example of a shape of that rank.
  std::string function_of(const EquationInfo& info, const std::string& index) const;
  std::string counted_from_zero(const EquationInfo& info, const std::string& index, const IndexRange& range);
  std::string sizes_for(std::size_t rank) const;
  std::string part_of_name(const std::string& name) const;
  const Binding* find_binding(const std::string& key) const;
  std::optional<std::vector<Label>> begin_run(const ast::Equation& equation, bool dry);
  bool find_ranges(const EquationInfo& info);
  bool make_value(EquationInfo& info);

  // arithmetic.cpp
  Value eval_sum(ast::Id id);
  Value eval_product(ast::Id id);
  Value eval_power(ast::Id id);
  Value eval_logic(ast::Id id);
  bool reads_elements(ast::Id id) const;
  Value eval_not(ast::Id id);
  Value eval_comparison(ast::Id id);
  Value eval_conditional(ast::Id id);
  Value choose(ast::Id condition, ast::Id then, ast::Id otherwise, Span mark);
  Value compare(ast::Comparison op, Value a, Value b, Broadcast& shape);
  Value matmul(Value a, Value b, ast::Id left, const ast::Expression& e);
  Value shape_error(const ast::Expression& e, ast::Id left, ast::Id right, const Value& a, const Value& b);
  std::optional<Value> affine_product(const Value& a, const Value& b, const std::vector<Label>& axes);
  bool small(const Subscript& s) const;
  bool compares_alternatives(ast::Id number, ast::Id before, const char* where);
  bool is_condition(const Value& v, ast::Id id, const char* where);
  void push_condition(const Value& condition, bool holds);
  void pop_condition();
  std::string matrix_product(ast::Id id, const Value& other);
  bool is_call_of_t(ast::Id id) const;
  std::string factor_text(ast::Id id) const;
  std::string transposed_text(ast::Id id) const;
  void warn_root(const ast::Expression& e);
  void warn_table(const ast::Expression& e, const Value& a, const Value& b);
  /// Whether the '*' is a matrix product in MATLAB; `left` is what stands before it, as it is meant.
  bool matlab_warning(const ast::Expression& e, const std::string& left, const Value& a, const Value& b);

  // indices.cpp
  Value eval_index_form(ast::Id id);
  Value along_index(ast::Id id);
  /// Softmax or running sum of x along the bound labels, at the enclosing indices where there are any.
  Value along_labels(ast::Id id, Value x, const std::vector<BoundIndex>& bound,
                     const std::vector<std::optional<Subscript>>& outer, std::vector<Guard> guards);
  Value with_argument(ast::Id id, Value v, const std::vector<Label>& axes, const std::vector<Label>& bound,
                      std::vector<Guard> guards, Span mark);
  Value unknown_index_form(ast::Id id);
  bool bind(const std::vector<ast::Binder>& binders, std::uint32_t expression, std::vector<BoundIndex>& bound);
  std::optional<BoundIndex> make_index(const ast::Binder& binder, BinderKey key, bool left_side);
  std::optional<BoundIndex> hull_index(const ast::Binder& binder, BinderKey key, const Subscript& begin,
                                       const Subscript& end);
  bool range_bound(ast::Id id, const ast::Binder& binder, Value& out);
  void push_guards(const std::vector<Guard>& guards);
  std::optional<std::vector<Guard>> filter_guards(ast::Id id);

  // subscripts.cpp
  struct Entry;
  Value eval_subscript(ast::Id id);
  bool makes_axis(const ast::Expression& e) const;
  Value new_axis(const ast::Expression& e, const Value& v, const std::string& base);
  bool slice_bound(const Entry& entry, bool is_end, Label axis, Subscript& out);
  bool slice_axis(const Entry& entry, Value& v, Label axis, std::vector<Label>& axes);
  bool subscript_axis(const Entry& entry, Value& v, Label axis, std::vector<Label>& axes);
  bool bad_subscript(const Entry& entry, const Value& index, Label axis);
  void other_axis(Diagnostic& d, const Entry& entry, Size bound, const Value& v, Label axis);
  bool unbound_subscript(const Entry& entry, const Input& input);
  bool is_called_with_brackets(const ast::Expression& e);
  bool is_end(const Entry& entry, Label axis);
  std::string filter_of(ast::Id condition, const std::string& base);
  std::string elementwise_text(ast::Id condition, std::size_t& rank);
  std::string element_of(ast::Id id, std::size_t& rank);
  /// The input that is named or subscripted, or null.
  const Input* input_of(ast::Id id) const;
  /// Says what to write where a number stands for a size.
  void explain_number(Diagnostic& d, ast::Id id);
  /// Records (dry run) or checks that a subscript stays inside an axis.
  void check_inside(const Subscript& s, Label axis, Span span, const Words& words, bool bare);
  void outside(const Subscript& s, Span span, const Words& words, Size value, Size size);
  /// Whether a condition in force implies that an affine form is not negative.
  bool proven(const Subscript& nonnegative);
  /// A check when evaluated: the condition must hold wherever what is elaborated now is chosen. With a subscript the
  /// check can say at which element it fails.
  void add_check(ValueCheck::Code code, Value condition, std::string message, Span span,
                 const Subscript* subscript = nullptr, Size axis = {});
  ValueCheck::Elements elements_of(const Value& condition, const Subscript& s, const std::vector<Label>& bound,
                                   const std::vector<Guard>& guards);
  Span place_of(Span span) const;

  // reductions.cpp
  Value reduce_over(const std::string& name, Value v, const std::vector<Label>& axes, const std::vector<Label>& bound,
                    const std::vector<Guard>& guards, Span mark, ast::Id id);
  void require(Size size, bool zero, std::string message, Span span);
  Value count_of(const std::vector<Label>& bound, const std::vector<Guard>& guards);
  void require_nonempty(const std::string& name, const std::vector<Label>& bound, const std::vector<Guard>& guards,
                        Span mark);
  Value divided(Value v, Value by, const Rational& exponent, const std::vector<Label>& axes);
  Value norm_over(Value v, const std::vector<Label>& axes, const std::vector<Label>& bound,
                  const std::vector<Guard>& guards, const Value& order, Span mark);
  Value scaled_softmax(SoftmaxKind kind, Value v, std::size_t axis);
  Value running(Value v, std::size_t axis, bool product);

  // sorting.cpp
  Value in_order(const std::string& name, Value v, Label along, const Subscript& place, const Subscript& first,
                 const std::vector<Guard>& guards);
  Label merged(Value& v, const std::vector<Label>& bound, std::vector<Guard>& guards);
  bool is_fraction(const Value& q, Span span, ast::Id id);
  Value quantile_over(const std::string& name, Value v, const Value& q, const std::vector<Label>& axes,
                      const std::vector<Label>& bound, std::vector<Guard> guards, Span mark);
  Value quantile_call(ast::Id id);

  // calls.cpp
  /// The function of another name for it: MATLAB's and everybody's.
  static std::string canonical_function(const std::string& key);
  Value eval_call(ast::Id id);
  Value call_user(const FunctionInfo& f, ast::Id id);
  Value inline_call(const FunctionInfo& f, ast::Id id, std::vector<Value> values);
  Value inline_body(const FunctionInfo& f, ast::Id id, const std::vector<ast::Name>& parameters, ast::Id body,
                    std::vector<Value> values);

  // given.cpp
  Value call_with_gradient(const FunctionInfo& f, ast::Id id, const std::vector<Value>& values);
  bool align(Value& v, const std::vector<Label>& axes);
  bool align_whole(Value& partial, const Value& value, const Value& argument);
  bool is_order(const Value& k, ast::Id argument);
  Value call_elementwise(Function f, ast::Id id);
  std::optional<std::vector<Value>> arguments(ast::Id id);
  bool arity(ast::Id id, std::size_t least, std::size_t most);
  bool keywords(ast::Id id, bool allowed);
  std::optional<std::size_t> axis_number(ast::Id value, std::size_t rank, Span mark, const std::string& shape);
  /// The axes of a reduced value that stay, and those that a call reduces: all, or the one its `axis=` names.
  struct ReducedAxes {
    std::vector<Label> kept, bound;
  };
  std::optional<ReducedAxes> reduced_axes(const ast::Expression& call, const Value& v);

  // call_help.cpp
  bool shape_in_list(ast::Id id);
  bool axis_without_name(ast::Id id, std::size_t most);
  void several_axes(const ast::Expression& call, const ast::Expression& list, std::size_t rank);
  std::string right_arguments(const ast::Expression& call);
  std::string moved_diagonal(const ast::Expression& call, ast::Id array, const std::string& by);
  std::string without_keywords(const ast::Expression& call, const ast::Keyword& odd, bool takes_axis);
  std::string with_keywords(const ast::Expression& call, const std::string& function);
  std::string unbiased(const ast::Expression& call, const ast::Keyword& word);
  std::string operand_text(ast::Id id) const;
  static std::string signature(const ast::FunctionDefinition& f);
  Value named_arguments(ast::Id id, const ast::FunctionDefinition& f);
  std::string in_order_of(const ast::Expression& call);
  std::string with_axis_kept(const ast::Expression& call);
  void subscripts_in_brackets(Diagnostic& d, const ast::Expression& call, const Input& input);
  Value unknown_function(ast::Id id);

  // arrays.cpp
  struct ArrayFunction;
  static const ArrayFunction* array_function(const std::string& name);
  static bool takes_axis(const std::string& name);
  Value call_array(const ArrayFunction& f, ast::Id id);
  std::optional<Size> size_argument(ast::Id id);
  bool square(const Value& v, ast::Id id, const std::string& name);
  Value reduction_call(ast::Id id);
  Value norm_call(ast::Id id);
  Value along_axis(ast::Id id);
  Value filled(ast::Id id);
  Value eye(ast::Id id);
  Value range_of(ast::Id id);
  Value diag(ast::Id id);
  Value outer(ast::Id id);
  Value no_classes(ast::Id id, const Value& scores, const Value& classes);
  Value not_two_vectors(ast::Id id, std::size_t argument, const Value& value);
  Value dot(ast::Id id);
  Value reshape(ast::Id id);
  bool joins_list(ast::Id id);
  std::string with_all_sizes(const ast::Expression& call, std::size_t open, Size count);
  void require_extent(const Value& v, std::size_t axis, ast::Id id);
  Value concat(ast::Id id);
  Value stack(ast::Id id);
  Value literal(ast::Id id);
  Value triangle(ast::Id id);
  Value transpose(ast::Id id);
  Value transposed(ast::Id id);
  Value trace(ast::Id id);
  Value where(ast::Id id);
  Value pick(ast::Id id);
  Value picked(const ast::Expression& e, Value v, Value c);
  Value matrix_function(ast::Id id);
  Value norm(ast::Id id);
  Value eval_infinity();
  /// One value from pieces along a label; piece k is chosen from offsets[k] on. A balanced tree of choices.
  Value join(const std::vector<Value>& pieces, const std::vector<Size>& offsets, std::size_t first, std::size_t end,
             Label along, const std::vector<Label>& axes);

  /// Longest text of an expression (in bytes of the source) that messages format.
  static constexpr std::uint32_t longest_shown = 200;

  Context& context_;
  Graph& graph_;
  Sizes& sizes_;
  Frame frame_;
  Build build_;
  std::vector<Activation> activations_;
  std::vector<Binding> bindings_;
  std::vector<Condition> conditions_;
  std::vector<std::uint64_t> condition_ids_;
  std::uint64_t next_id_ = 1;
  std::map<std::tuple<std::uint32_t, std::uint32_t, const void*>, std::uint32_t> paths_;
  std::map<std::vector<std::uint64_t>, Value> memo_;
  std::map<BinderKey, IndexRange> ranges_;
  std::vector<Constraint> constraints_;
  std::vector<UnknownIndex> unknown_;
  std::unordered_map<const void*, std::uint32_t> function_ids_;
  std::unordered_map<std::uint32_t, std::size_t> ranks_;  // of the user's expressions, in MATLAB-like files
  unsigned depth_ = 0;
  bool user_words_ = false;           // a message from prelude code that is worded for its user
  bool silent_ = false;               // the first dry run: errors are found again later
  std::size_t subscripts_after_ = 0;  // of the name that is being read
  bool in_subscript_ = false;
  bool size_position_ = false;
  std::size_t const_limit_ = SIZE_MAX;  // elaborating a const's default: only consts before this input
  Diagnostic sink_;
};

}  // namespace gradus::elaboration
