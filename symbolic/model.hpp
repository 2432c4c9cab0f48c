// What elaboration makes of a program: the graph, its inputs, and the user's named values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "frontend/source.hpp"
#include "symbolic/graph.hpp"

namespace gradus {

/// A declared input. Its number is its position in Model::inputs (order of declaration, as in the C interface).
struct Input {
  enum class Role : std::uint8_t { data, param, constant } role = Role::data;
  std::string name;  // as declared
  std::string key;   // Greek spelt out; names of the code forms start from it
  std::vector<Size> shape;
  Expr expr;
  std::optional<Size> index_bound;  // `: index(k)`: integers 0 <= c < k
  bool positive = false, nonnegative = false, integer = false, symmetric = false, spd = false, lower = false;
  Expr default_value;  // of a const: a scalar over earlier consts and numbers
  Span span = Span::none();
};

/// `dim h = 16`, or a size that no input names.
struct Dimension {
  std::string name;
  std::optional<std::int64_t> value;
  Span span = Span::none();
};

/// A value that the user named by an equation.
struct NamedValue {
  enum class Role : std::uint8_t { value, loss, output } role = Role::value;
  std::string name;  // "loss" for the unnamed one
  std::string key;
  Expr expr;
  std::vector<std::string> indices;  // names of the leading axes where the left side has them (`K[i, j]`)
  Span span = Span::none();
};

/// A size that must not be negative when evaluated (`x[n-1]` needs n >= 1), or two that must agree.
struct SizeRequirement {
  Size size;                  // must be >= 0
  bool must_be_zero = false;  // must be == 0 (reshape's counts)
  std::string message;        // in the user's terms
  Span span = Span::none();
};

/// A truth value (rank 0) that must be 1 when evaluated, else the evaluation ends with the message.
struct ValueCheck {
  enum class Code : std::uint8_t {
    subscript_outside,
    empty_reduction,
    bad_size,
    bad_argument
  } code = Code::subscript_outside;
  Expr condition;
  std::string message;
  Span span = Span::none();
  /// Where it fails: arrays over the indices named (empty for an axis without a name).
  struct Elements {
    std::vector<std::string> indices;
    Expr bad;        // 1 where the condition fails and is chosen
    Expr subscript;  // what is outside there
    Size axis;       // the size it should stay below
  };
  std::optional<Elements> elements = std::nullopt;
};

/// A checked program.
struct Model {
  Graph graph;
  std::vector<Input> inputs;
  std::vector<Dimension> dimensions;    // declared with dim
  std::vector<std::string> size_names;  // sizes in order of first appearance (the SIZES of the C interface)
  std::vector<NamedValue> values;       // in order of their equations; losses and outputs among them
  std::vector<SizeRequirement> requirements;
  std::vector<ValueCheck> checks;
  std::vector<Rational>
      decimals;                  // the numbers with decimals that the user wrote, ascending: 0.2 is not printed as 1/5
  bool from_expression = false;  // the loss is a last bare expression
};

}  // namespace gradus
