// Names for values and indices that the printer makes up: short, and never one that is taken.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

namespace gradus::printing {

/// The names that a printed program has used so far, compared by key (`λ` is `lambda`).
class Names {
 public:
  /// Marks a name as taken; false when it was.
  bool take(const std::string& name);
  bool is_taken(const std::string& name) const;
  /// The name itself, with as many trailing `_` as make it new.
  std::string with_underscores(std::string name);
  /// A new name that begins with the letter: `r`, `r2`, … (`t1`, `t2`, … for t).
  std::string numbered(char letter);
  /// Index names in the order in which they are preferred: the k-th that is not taken by a value or a size.
  const std::string& index(std::size_t k);

 private:
  std::unordered_set<std::string> keys_;
  std::vector<std::string> indices_;
  std::size_t next_index_ = 0;
  std::size_t next_[26] = {};
};

}  // namespace gradus::printing
