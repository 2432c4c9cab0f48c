// The canonical form of a file: canonical statements, with the comments and the blank lines that stand between them.
#include <algorithm>

#include "frontend/format.hpp"

namespace gradus {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n;\xC2\xA0";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

class FileFormatter {
 public:
  FileFormatter(const ast::Program& program, const Source& source) : program_(program), text_(source.text()) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  std::string run() {
    bool first = true;
    for (const ast::Statement& statement : program_.statements) {
      between(statement.span.begin);
      comments_inside(text_.substr(statement.span.begin, statement.span.end - statement.span.begin));
      line(format(program_, statement, first));
      first = false;
      at_ = statement.span.end;
    }
    between(text_.size());
    if (!line_.empty()) flush();
    return std::move(out_);
  }

 private:
  /// What stands between two statements: the rest of the line, then lines of comments and blank ones.
  void between(std::size_t end) {
    std::string_view rest = text_.substr(at_, end - at_);
    bool of_last_line = !line_.empty();
    bool blank = false;
    for (bool more = true; more;) {
      const std::size_t stop = rest.find('\n');
      more = stop != std::string_view::npos;
      const std::string_view one = trimmed(rest.substr(0, stop));
      if (more) rest.remove_prefix(stop + 1);
      if (!one.empty() && of_last_line) {
        line_ += "  " + std::string(one);
      } else if (!one.empty()) {
        separate(blank);
        line(std::string(one));
        blank = false;
      } else if (!of_last_line && more) {
        blank = true;
      }
      of_last_line = false;
    }
    separate(blank && end != text_.size());
  }

  /// Comments between the lines of one statement go before it.
  void comments_inside(std::string_view statement) {
    for (std::size_t at = statement.find('#'); at != std::string_view::npos; at = statement.find('#', at)) {
      const std::size_t end = std::min(statement.find('\n', at), statement.size());
      line(std::string(trimmed(statement.substr(at, end - at))));
      at = end;
    }
  }

  void separate(bool blank) {
    if (!blank || (line_.empty() && out_.empty())) return;
    flush();
    out_ += '\n';
  }

  void line(std::string text) {
    flush();
    line_ = std::move(text);
  }

  void flush() {
    if (line_.empty()) return;
    out_ += line_ + '\n';
    line_.clear();
  }

  const ast::Program& program_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_, line_;  // what is done, and the last line, which may get a comment
};

}  // namespace

std::string format_file(const ast::Program& program, const Source& source) {
  return FileFormatter(program, source).run();
}

}  // namespace gradus
