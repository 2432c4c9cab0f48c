// Collecting diagnostics, and showing them as text for people or as JSON for programs.
#include "frontend/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "frontend/characters.hpp"

namespace gradus {
namespace {

constexpr std::size_t most_errors_shown = 100;
constexpr std::size_t widest_line_shown = 160;  // code points; longer lines show the part around the mark

std::string_view word(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      return "note";
    case Severity::help:
      return "help";
  }
  return "error";
}

std::string_view colour(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "\x1b[1;31m";
    case Severity::warning:
      return "\x1b[1;35m";
    case Severity::note:
      return "\x1b[1;36m";
    case Severity::help:
      return "\x1b[1;32m";
  }
  return "";
}

/// Text without bytes that are not UTF-8 or that would act on a terminal.
std::string harmless(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint point = decode(text, i);
    const bool control = point.value < 0x20 && point.value != '\n' && point.value != '\t';
    const bool c1 = point.value >= 0x7F && point.value < 0xA0;
    const bool reverses =
        (point.value >= 0x202A && point.value <= 0x202E) || (point.value >= 0x2066 && point.value <= 0x2069);
    if (!point.valid || control || c1 || reverses) {
      out += "\xEF\xBF\xBD";
    } else {
      out.append(text.substr(i, point.length));
    }
    i += point.length;
  }
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint point = decode(text, i);
    const std::string_view raw = text.substr(i, point.length);
    i += point.length;
    if (!point.valid) {
      out += "\\ufffd";
    } else if (point.value == '"' || point.value == '\\') {
      out += '\\';
      out += raw;
    } else if (point.value == '\n') {
      out += "\\n";
    } else if (point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0) || point.value == 0x2028 ||
               point.value == 0x2029) {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(point.value));
    } else {
      out += raw;
    }
  }
  out += '"';
}

/// One Message with the place it is reported at.
struct Placed {
  const Message& message;
  const ForeignPlace* foreign = nullptr;
};

bool has_place(const Placed& placed, const Source* source) {
  return placed.foreign != nullptr || (source != nullptr && !placed.message.mark.is_none());
}

void append_json(std::string& out, const Placed& placed, const Source* source) {
  out += R"({"severity": ")";
  out += word(placed.message.severity);
  out += R"(", "file": )";
  if (!has_place(placed, source)) {
    out += R"(null, "line": null, "column": null, "end_line": null, "end_column": null)";
  } else {
    const Position begin = placed.foreign ? placed.foreign->position : source->position(placed.message.mark.begin);
    Position end = placed.foreign ? Position{begin.line, begin.column + 1} : source->position(placed.message.mark.end);
    append_json_string(out, placed.foreign ? placed.foreign->file : source->file());
    out += fmt::format(R"(, "line": {}, "column": {}, "end_line": {}, "end_column": {})", begin.line, begin.column,
                       end.line, end.column);
  }
  out += R"(, "message": )";
  append_json_string(out, placed.message.text);
  out += "}\n";
}

/// The part of a line that is shown, with what is marked in it.
class Excerpt {
 public:
  Excerpt(std::string_view line, std::uint32_t offset) : line_(line), begin_(offset) {}

  /// The source line and the marks under it, both indented by four blanks.
  std::string show(const Message& message, std::string_view mark_colour, std::string_view reset) const {
    const std::uint32_t first = window_begin(message.mark.begin);
    std::string text = first > begin_ ? "    …" : "    ";
    std::string marks = first > begin_ ? "     " : "    ";
    std::size_t shown = 0;
    std::size_t last_mark = marks.size();
    std::uint32_t at = first;
    for (; at < begin_ + line_.size() && shown < widest_line_shown; ++shown) {
      const CodePoint point = decode(line_, at - begin_);
      text += harmless(line_.substr(at - begin_, point.length));
      const char mark = mark_at(message, at);
      const unsigned width = point.valid ? display_width(point.value) : 1;
      // A tab stays a tab, so that what follows stays in its column on every terminal.
      marks += point.value == '\t' && mark == ' ' ? std::string(1, '\t') : std::string(width, mark);
      if (mark != ' ' && width > 0) last_mark = marks.size();
      at += point.length;
    }
    if (at < begin_ + line_.size()) text += "…";
    if (message.mark.begin >= at && at == begin_ + line_.size()) {  // the end of the line itself is marked
      marks += '^';
      last_mark = marks.size();
    }
    marks.resize(last_mark);
    return fmt::format("{}\n{}{}{}\n", text, mark_colour, marks, reset);
  }

 private:
  static char mark_at(const Message& message, std::uint32_t at) {
    const auto inside = [at](Span span) {
      return !span.is_none() && at >= span.begin && (at < span.end || at == span.begin);
    };
    if (inside(message.mark)) return '^';
    return std::ranges::any_of(message.context, inside) ? '~' : ' ';
  }

  /// Where to begin so that the mark is seen: the line's beginning, or a code point some way before the mark.
  std::uint32_t window_begin(std::uint32_t mark) const {
    const std::size_t before = mark > begin_ ? mark - begin_ : 0;
    if (line_.size() <= widest_line_shown || before < widest_line_shown / 2) return begin_;
    std::size_t at = std::min(before, line_.size()) - widest_line_shown / 2;
    while (at > 0 && (static_cast<unsigned char>(line_[at]) & 0xC0) == 0x80) --at;
    return begin_ + static_cast<std::uint32_t>(at);
  }

  std::string_view line_;
  std::uint32_t begin_;  // offset of the line in the source
};

void append_text(std::string& out, const Placed& placed, const Source* source, bool color) {
  const Message& message = placed.message;
  const std::string_view reset = color ? "\x1b[0m" : "";
  const std::string_view bold = color ? "\x1b[1m" : "";
  const std::string_view own = color ? colour(message.severity) : "";
  if (has_place(placed, source)) {
    const Position at = placed.foreign ? placed.foreign->position : source->position(message.mark.begin);
    const std::string& file = placed.foreign ? placed.foreign->file : source->file();
    out += fmt::format("{}{}:{}:{}:{} ", bold, harmless(file), at.line, at.column, reset);
  }
  out += fmt::format("{}{}:{} {}\n", own, word(message.severity), reset, harmless(message.text));
  if (placed.foreign != nullptr || !has_place(placed, source)) return;
  const Position at = source->position(message.mark.begin);
  const std::string_view line = source->line(at.line);
  out += Excerpt(line, static_cast<std::uint32_t>(line.data() - source->text().data())).show(message, own, reset);
}

/// A message with its longest words (names of a user) and its end cut, where nobody would read them.
std::string shortened(const std::string& text) {
  constexpr std::size_t longest_word = 200, longest_text = 4000;
  const auto cut = [](std::string_view part, std::size_t most) {
    if (part.size() <= most) return std::string(part);
    while (most > 0 && (static_cast<unsigned char>(part[most]) & 0xC0) == 0x80) --most;
    return std::string(part.substr(0, most)) + "…";
  };
  if (text.size() <= longest_word) return text;
  std::string out;
  for (std::size_t at = 0; at < text.size() && out.size() <= longest_text;) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    out += cut(std::string_view(text).substr(at, end - at), longest_word);
    if (end < text.size()) out += text[end];
    at = end + 1;
  }
  return cut(out, longest_text);
}

bool same(const Diagnostic& a, const Diagnostic& b) {
  const auto place = [](const Diagnostic& d) {
    const Position at = d.foreign ? d.foreign->position : Position{0, d.main.mark.begin};
    return std::tuple(d.foreign ? d.foreign->file : std::string(), at.line, at.column);
  };
  return a.main.severity == b.main.severity && a.main.text == b.main.text && place(a) == place(b);
}

/// The order in which diagnostics are shown: by place, those without one last; the same diagnostic once.
std::vector<const Diagnostic*> in_order(const std::vector<Diagnostic>& all) {
  std::vector<const Diagnostic*> order;
  for (const Diagnostic& one : all) order.push_back(&one);
  const auto key = [](const Diagnostic* d) { return std::pair(d->foreign.has_value(), d->main.mark.begin); };
  std::ranges::stable_sort(order, [&](const Diagnostic* a, const Diagnostic* b) { return key(a) < key(b); });
  std::vector<const Diagnostic*> unique;
  for (const Diagnostic* one : order) {
    bool seen = false;
    for (auto it = unique.rbegin(); it != unique.rend() && key(*it) == key(one) && !seen; ++it) seen = same(**it, *one);
    if (!seen) unique.push_back(one);
  }
  return unique;
}

}  // namespace

Diagnostic& Diagnostic::note(std::string text, Span mark) {
  more.push_back({Severity::note, std::move(text), mark, {}});
  return *this;
}

Diagnostic& Diagnostic::help(std::string text) {
  more.push_back({Severity::help, std::move(text), Span::none(), {}});
  return *this;
}

Diagnostic& Diagnostics::error(Span mark, std::string text, std::vector<Span> context) {
  return add({{Severity::error, std::move(text), mark, std::move(context)}, {}, {}});
}

Diagnostic& Diagnostics::warning(Span mark, std::string text, std::vector<Span> context) {
  return add({{Severity::warning, std::move(text), mark, std::move(context)}, {}, {}});
}

Diagnostic& Diagnostics::add(Diagnostic diagnostic) {
  if (diagnostic.main.severity == Severity::error) ++error_count_;
  all_.push_back(std::move(diagnostic));
  return all_.back();
}

void Diagnostics::clear() {
  all_.clear();
  error_count_ = 0;
}

std::string render(const Diagnostics& diagnostics, const Source* source, DiagnosticForm form, bool color) {
  std::string out;
  const auto append = [&](const Message& message, const ForeignPlace* foreign) {
    const Message shown{message.severity, shortened(message.text), message.mark, message.context};
    const Placed placed{shown, foreign};
    if (form == DiagnosticForm::json) {
      append_json(out, placed, source);
    } else {
      append_text(out, placed, source, color);
    }
  };
  std::size_t errors = 0;
  for (const Diagnostic* one : in_order(diagnostics.all())) {
    const bool is_error = one->main.severity == Severity::error;
    if (is_error && ++errors > most_errors_shown) continue;
    append(one->main, one->foreign ? &*one->foreign : nullptr);
    for (const Message& message : one->more) append(message, nullptr);
  }
  if (errors > most_errors_shown) {
    const std::size_t hidden = errors - most_errors_shown;
    append({Severity::note, fmt::format("and {} more {}", hidden, hidden == 1 ? "error" : "errors"), Span::none(), {}},
           nullptr);
  }
  return out;
}

}  // namespace gradus
