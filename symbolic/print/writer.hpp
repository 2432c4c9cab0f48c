// Turns graph nodes into printing trees: array notation where it says exactly the same, index notation elsewhere.
//
// A node is written in one of two modes. As an array, its text has exactly the node's axes; there is none for many
// nodes (std::nullopt). As an element, each axis is at a Place, an affine form of index names; this always exists.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "symbolic/graph.hpp"
#include "symbolic/print/formula.hpp"
#include "symbolic/print/names.hpp"

namespace gradus::printing {

/// offset + Σ coefficient × index name + Σ coefficient × index data, in the index names of the line being written.
struct Place {
  struct Data {
    Size coefficient;
    Formula formula;
    std::optional<Size> bound;    // of index data
    std::vector<Formula> inside;  // what must hold for the data to be read inside their axes
  };
  Size offset;
  std::vector<std::pair<std::uint32_t, Size>> terms;  // index name (position in Writer's list) and coefficient
  std::vector<Data> data;
};
using Places = std::vector<Place>;

/// The right side of a line with the index names of its left side (none in array notation).
struct Line {
  std::vector<Binder> left;
  Formula right;
};

class Writer {
 public:
  /// `labels` names the nodes that have a line or a declaration of their own, by Expr::id (empty: none).
  Writer(const Graph& graph, Names& names, const std::vector<std::string>& labels);
  /// What the program checks anyway, wherever it is evaluated: elsewhere a mean or a largest element may be one of
  /// nothing, which is an error, and is written so that it is none. Without this all are taken to be checked.
  void set_checks(const std::vector<Expr>& conditions, const std::vector<SizeRequirement>& sizes);

  /// The definition of a node, although it has a name; `indices` are the index names its author used.
  Line define(Expr e, const std::vector<std::string>& indices = {});
  /// A node by its name where it has one.
  Line mention(Expr e);

  Formula size(Size s) const;
  std::vector<Formula> count(const std::vector<Size>& axes) const;
  /// Whether the program makes sure that axes have elements: sums over them may be written as means.
  bool have_elements(const std::vector<Size>& axes) const;

 private:
  /// An index name and where it was read: what decides whether its range can be left to inference.
  struct Index {
    std::string name;
    struct Reading {
      Size offset, axis;
      bool guarded = false;  // under a condition or a filter
    };
    std::vector<Reading> readings;  // as the only index of a subscript, with coefficient 1
    bool irregular = false;         // as the only index with another coefficient, or beside data
  };

  /// While it lives, readings stand under a condition, which may keep subscripts inside their axes.
  class Protected {
   public:
    Protected(Writer& writer, bool holds) : Protected(writer, holds, holds) {}
    Protected(Writer& writer, bool holds, bool bounds) : writer_(writer), holds_(holds), bounds_(bounds) {
      writer_.conditions_ += holds_ ? 1 : 0;
      writer_.bounding_ += bounds_ ? 1 : 0;
    }
    ~Protected() {
      writer_.conditions_ -= holds_ ? 1 : 0;
      writer_.bounding_ -= bounds_ ? 1 : 0;
    }
    Protected(const Protected&) = delete;
    Protected& operator=(const Protected&) = delete;

   private:
    Writer& writer_;
    bool holds_, bounds_;
  };

  /// An operand as an array whose axes are the labels (of the node that holds it) in this order.
  struct Factor {
    std::vector<Label> axes;
    Formula formula;
  };
  friend class MatrixForm;

  std::optional<std::pair<Size, Size>> size_factors(Size s) const;
  Line line(Expr e, const std::vector<std::string>& indices);
  bool is_leaf(Expr e) const { return e != root_ && !labels_[e.id].empty(); }

  // array notation (array_form.cpp, matrix_form.cpp)
  Formula named(Expr e) const;
  std::optional<Formula> array(Expr e);
  std::optional<Formula> array_body(Expr e);
  std::optional<Factor> array_operand(const Operand& o, const std::vector<Size>& labels);
  std::optional<Formula> array_subscript(const Subscript& s, Size axis, const std::vector<Size>& labels,
                                         std::optional<Label>& label, bool& whole);
  std::optional<std::vector<Formula>> aligned(const std::vector<Operand>& operands, const Node& n);
  std::optional<Formula> array_reduce(const Node& n);
  std::optional<Formula> array_softmax(const Node& n);
  std::optional<Formula> array_order(const Node& n);
  std::optional<Formula> array_along(const Node& n, const Operand& o, const std::string& function);
  std::optional<Formula> array_contraction(const Node& n);

  // index notation (index_form.cpp)
  Formula element(Expr e, const Places& at);
  Formula element_body(Expr e, const Places& at);
  Formula element(const Operand& o, const Places& at);
  Formula element_contraction(const Node& n, const Places& at);
  Formula protected_element(const Node& n, const Operand& o, const Places& at);
  Formula element_reduce(const Node& n, const Places& at);
  bool may_lack_elements(const Node& n) const;
  Formula some_element(const Node& n, const Places& at);
  static Formula guarded_element(Reduction reduction, Formula body, std::vector<Formula> conditions);
  Formula element_softmax(const Node& n, const Places& at);
  Formula element_order(const Node& n, const Places& at);
  std::optional<Formula> softmax_here(const Node& n, const Places& at, const Subscript& element_place);
  std::optional<Formula> row_product(const Node& n, const Places& at, const std::vector<std::size_t>& factors);
  Formula read(Formula base, Expr e, const Places& at);
  std::vector<Formula> where_inside(Expr e, const Places& at);
  std::vector<Formula> where_readable(const Place& p) const;
  Formula where_they_hold(std::vector<Formula> inside, Formula value, bool is_condition);
  Formula read_inside(Formula base, Expr e, const Places& at, std::vector<Formula> inside);
  bool is_foreign(const Place& p, Size axis) const;
  Formula read_foreign(Formula base, Expr e, const Places& at, std::uint32_t axis);
  Place place(const Subscript& s, const Places& at);
  Places places(const std::vector<Subscript>& subscripts, const Places& at);
  Formula formula(const Place& p) const;
  struct Conditions {
    std::vector<Formula> outer, inner;
  };
  Conditions guards(const Node& n, const Places& at);
  /// The guard `l < data[…]` that is the end of a bound label's range; nothing where there is none.
  std::optional<std::size_t> data_end(const Node& n, std::size_t label);
  bool is_data_end(const Node& n, std::size_t guard);
  bool bounds_places(const Node& n) const;
  bool mentions_position(Expr e, int depth) const;
  std::vector<Formula> all_guards(const Node& n, const Places& at);
  Formula guard(const Guard& g, const Places& at);
  Formula comparison(Guard::Kind kind, const Place& p);

  // index names
  std::uint32_t open_index(Size count, const std::string& wanted = "");
  Places open_bound(const Node& n, const Places& at);
  std::vector<Binder> close_bound(const Node& n, const Places& at);
  Binder close_index(std::uint32_t index, Size count);
  Binder binder(std::uint32_t index, Size count);
  bool is_inferred(const Index& i, Size count);
  void note_reading(const Place& p, Size axis);

  static std::vector<Formula> by_weight(std::vector<Formula> terms);
  Formula function_value(const Node& n, std::vector<Formula> operands);
  bool is_rectifier(const Node& n) const;
  /// The size whose inverse a scalar operand is, for means.
  std::optional<Size> inverse_size(Expr e);
  static std::string_view reduction_name(Reduction r);
  static std::string_view softmax_name(SoftmaxKind k);

  const Graph& graph_;
  Sizes sizes_;  // a copy: places need sizes that the graph does not have
  Names& names_;
  const std::vector<std::string>& labels_;
  std::vector<Index> indices_;
  std::vector<Size> full_range_;  // the size of each index name's range
  std::vector<std::uint32_t> open_;
  int conditions_ = 0;                      // conditions around what is being written
  int bounding_ = 0;                        // … of them those that may keep subscripts inside their axes
  std::vector<Formula>* lifted_ = nullptr;  // while data of a subscript are written: takes their conditions
  bool checks_known_ = false;
  std::vector<Expr> counted_;        // numbers of elements that are checked not to be 0
  std::vector<Size> checked_sizes_;  // what is checked not to be negative
  std::vector<char> no_array_;       // nodes that have been found to have no array form, by Expr::id
  Expr root_;
};

}  // namespace gradus::printing
