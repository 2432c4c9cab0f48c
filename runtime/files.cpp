// Reading data files.
#include "runtime/files.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <numeric>

#include "runtime/bind.hpp"

namespace gradus {

std::optional<std::string> read_file(const std::string& path, std::string& error) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  struct stat status{};
  if (!file || fstat(fileno(file.get()), &status) != 0) {
    error = errno == ENOENT ? "does not exist" : fmt::format("cannot be opened ({})", std::strerror(errno));
    return std::nullopt;
  }
  if (S_ISDIR(status.st_mode)) {
    error = "is a directory";
    return std::nullopt;
  }
  if (status.st_size > available_memory()) {
    error = "is larger than the memory that is free";
    return std::nullopt;
  }
  std::string text;
  text.resize(S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) : 0);
  std::size_t length = std::fread(text.data(), 1, text.size(), file.get());
  text.resize(length);
  // A pipe may be long; a device such as /dev/zero never ends.
  constexpr std::int64_t most_of_a_device = std::int64_t{1} << 26;
  const std::int64_t most = S_ISCHR(status.st_mode) ? most_of_a_device : available_memory() / 3;
  char buffer[65536];
  while (std::feof(file.get()) == 0 && std::ferror(file.get()) == 0) {
    if (!S_ISREG(status.st_mode) && static_cast<std::int64_t>(text.size()) > most) {
      error = S_ISCHR(status.st_mode) ? "does not end" : "is larger than the memory that is free";
      return std::nullopt;
    }
    length = std::fread(buffer, 1, sizeof buffer, file.get());
    text.append(buffer, length);
  }
  if (std::ferror(file.get()) != 0) {
    error = fmt::format("cannot be read ({})", std::strerror(errno));
    return std::nullopt;
  }
  return text;
}

std::int64_t available_memory() {
  std::int64_t kilobytes = 0;
  if (std::FILE* file = std::fopen("/proc/meminfo", "r")) {
    char line[256];
    while (std::fgets(line, sizeof line, file) != nullptr) {
      if (std::sscanf(line, "MemAvailable: %ld kB", &kilobytes) == 1) break;
    }
    std::fclose(file);
  }
  rlimit limit{};
  const bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  const auto most = limited ? static_cast<std::int64_t>(std::min<rlim_t>(limit.rlim_cur, INT64_MAX)) : INT64_MAX;
  if (kilobytes > 0) return std::min(kilobytes * 1024, most);
  return static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
}

std::optional<Table> open_table(const std::string& path, TableError& error) {
  std::string why;
  auto text = read_file(path, why);
  if (!text) {
    error = {why, {}, {}, true};
    return std::nullopt;
  }
  return Table::open(std::move(*text), error);
}

bool read_csv(const std::string& path, const std::string& selection, Array& array, TableError& error,
              Diagnostics& diagnostics) {
  const auto table = open_table(path, error);
  if (!table) return false;
  if (!selection.empty()) {
    const auto columns = table->select(selection, error);
    return columns && table->read(*columns, false, array, error);
  }
  std::vector<std::size_t> all(table->columns().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  if (table->first_line_is_numeric()) {
    Diagnostic note{{Severity::warning,
                     "the first line holds numbers, so it is read as data, not as names of columns",
                     Span::none(),
                     {}},
                    {},
                    ForeignPlace{path, {1, 1}}};
    diagnostics.add(std::move(note));
  }
  return table->read(all, table->first_line_is_numeric(), array, error);
}

std::optional<CellPlace> place_in_csv(const std::string& path, const std::string& selection, std::size_t element) {
  TableError error;
  const auto table = open_table(path, error);
  if (!table) return std::nullopt;
  std::vector<std::size_t> columns(table->columns().size());
  std::iota(columns.begin(), columns.end(), std::size_t{0});
  if (!selection.empty()) {
    auto selected = table->select(selection, error);
    if (!selected) return std::nullopt;
    columns = std::move(*selected);
  }
  if (columns.empty()) return std::nullopt;
  const std::size_t column = columns[element % columns.size()];
  const bool first_line = selection.empty() && table->first_line_is_numeric();
  const auto place = table->place_of(first_line, element / columns.size(), column);
  if (!place) return std::nullopt;
  return CellPlace{*place, table->columns()[column]};
}

void report_table_error(const std::string& path, const Input& input, const TableError& error,
                        Diagnostics& diagnostics) {
  Diagnostic* reported = nullptr;
  if (error.place) {
    Diagnostic placed{{Severity::error, error.message, Span::none(), {}}, {}, ForeignPlace{path, *error.place}};
    placed.note(fmt::format("this table gives the value of {}", input.name));
    reported = &diagnostics.add(std::move(placed));
  } else {
    reported =
        &diagnostics.error(input.span, fmt::format("'{}', the value of {}, {}", path, input.name, error.message));
  }
  if (!error.help.empty()) reported->help(error.help);
}

}  // namespace gradus
