// Reading CSV: selections of columns, quotes, and errors with their cell's place.
#include "runtime/csv.hpp"

#include <doctest/doctest.h>

#include "runtime/json.hpp"

using namespace gradus;

namespace {

std::string error_text(const TableError& error) {
  std::string out = "error";
  if (error.place) out += " " + std::to_string(error.place->line) + ":" + std::to_string(error.place->column);
  return out + ": " + error.message;
}

std::string read(const std::string& text, const std::string& selection = "") {
  TableError error;
  const auto table = Table::open(text, error);
  if (!table) return error_text(error);
  std::vector<std::size_t> columns;
  if (selection.empty()) {
    for (std::size_t k = 0; k < table->columns().size(); ++k) columns.push_back(k);
  } else if (const auto selected = table->select(selection, error)) {
    columns = *selected;
  } else {
    return error_text(error);
  }
  Array array;
  if (!table->read(columns, selection.empty() && table->first_line_is_numeric(), array, error))
    return error_text(error);
  std::string out;
  append_json(out, array);
  return out;
}

bool mentions(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("all columns, some columns, ranges of columns") {
  const std::string text = "a,b,c,d\n1,2,3,4\n5,6,7,8\n";
  CHECK(read(text) == "[[1, 2, 3, 4], [5, 6, 7, 8]]");
  CHECK(read(text, "c") == "[[3], [7]]");
  CHECK(read(text, "d,a..b") == "[[4, 1, 2], [8, 5, 6]]");
  CHECK(read(text, "b..d") == "[[2, 3, 4], [6, 7, 8]]");
  CHECK(mentions(read(text, "c..b"), "has column 'b' before 'c'"));
  CHECK(mentions(read(text, "a,e"), "no column 'e'"));
  CHECK(mentions(read(text, "a,"), "name of a column"));
}

TEST_CASE("quotes, a byte order mark, line ends, signs and blanks are legal") {
  CHECK(read("\xEF\xBB\xBF\"a\",b\r\n\"1.5\", +2.0 \r\n-3,4e2\r\n", "a..b") == "[[1.5, 2], [-3, 400]]");
  CHECK(read("a,b\r1,2\r3,4", "b") == "[[2], [4]]");
  CHECK(read("\"x, y\",t\n1,\"two\nlines, here\"\n2,\n", "\"x, y\"") == "[[1], [2]]");
  CHECK(read("x,t\n1,\"two\nlines, \"\"here\"\"\"\n2,\n", "x") == "[[1], [2]]");
  CHECK(read("a,b\n1,2\n\n3,4\n\n\n", "a") == "[[1], [3]]");
  CHECK(read("a,a b,c..d\n1,2,3\n", "c..d,a b") == "[[3, 2]]");
  CHECK(read("a,b\nnan,-inf\n") == "[[\"nan\", \"-inf\"]]");
  CHECK(read("a,b\n") == "[]");
}

TEST_CASE("text is harmless where it is not used") {
  CHECK(read("name,x\nfirst,1\n,2\n", "x") == "[[1], [2]]");
  CHECK(mentions(read("name,x\nfirst,1\n"), "error 2:1: 'first' in column 'name'"));
}

TEST_CASE("errors stand at their cell and name the column") {
  CHECK(mentions(read("rooms,price\n3,210.5\n4,305\n2,unknown\n", "price"), "error 4:3: 'unknown' in column 'price'"));
  CHECK(mentions(read("größe,b\n1,2\n3,\n", "b"), "error 3:3: column 'b' has an empty cell"));
  CHECK(mentions(read("t,b\n\"é\n\",2\nü,x\n", "b"), "error 4:3: 'x'"));
  CHECK(mentions(read("a,b,c\n1,2,3\n4,5\n6,7,8\n"), "line 3 has 2 cells"));
  CHECK(mentions(read("a,b\n1,2\n3,4,5\n"), "error 3:5: line 3 has more cells"));
  CHECK(mentions(read("a\n1\n\n2\n"), "error 3:1: column 'a' has an empty cell"));
  CHECK(mentions(read("a,b\n1,\"2\n3,4\n"), "error 2:3: the quote that opens here"));
  CHECK(mentions(read("a,b\n1,\"2\"x\n"), "error 2:6: after a closing quote"));
  CHECK(mentions(read("a\n1e999\n"), "no number that a double can hold"));
  CHECK(mentions(read("a,a\n1,2\n", "a"), "several columns"));
  CHECK(mentions(read(""), "is empty"));
}

TEST_CASE("a first line of numbers is data unless columns are asked for by name") {
  CHECK(read("1,2\n3,4\n") == "[[1, 2], [3, 4]]");
  CHECK(read("2019,2020\n3,4\n", "2020") == "[[4]]");
}
