// Objects and C sources linked and opened by a test.
#pragma once

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace gradus::testing {

/// An object file or C source made into a library of its own, which is opened here and removed afterwards.
class Library {
 public:
  Library(const std::string& file, const std::string& bytes) : file_("/" + file) {
    char folder[] = "/tmp/gradus-test-XXXXXX";
    REQUIRE(mkdtemp(folder));
    folder_ = folder;
    std::ofstream(folder_ + file_, std::ios::binary) << bytes;
    // Everything but libm must be in the object.
    const std::string command =
        "cc -std=c99 -O1 -fPIC -Wall -Wextra -Wpedantic -Werror -ffp-contract=off -shared -Wl,-z,defs -o " + folder_ +
        "/f.so " + folder_ + file_ + " -lm";
    REQUIRE(std::system(command.c_str()) == 0);
    handle_ = dlopen((folder_ + "/f.so").c_str(), RTLD_NOW | RTLD_LOCAL);
    REQUIRE(handle_);
  }
  ~Library() {
    dlclose(handle_);
    for (const std::string& file : {file_, std::string("/f.so")}) unlink((folder_ + file).c_str());
    rmdir(folder_.c_str());
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  template <class F>
  F* function(const char* name) const {
    void* const symbol = dlsym(handle_, name);
    REQUIRE(symbol);
    return reinterpret_cast<F*>(symbol);
  }

 private:
  std::string file_, folder_;
  void* handle_ = nullptr;
};

}  // namespace gradus::testing
