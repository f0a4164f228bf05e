// What tests of the base library share: a loop that runs until something holds, and a directory.
#ifndef TESTS_SERVER_BASE_TEST_UTIL_H_
#define TESTS_SERVER_BASE_TEST_UTIL_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "server/base/loop.h"

namespace base {

// Runs turns until `done()`, at most about ten seconds; true if it came true.
template <typename Done>
bool RunUntil(Loop* loop, Done done) {
  bool late = false;
  Timer limit(loop, [&late] { late = true; });
  limit.Start(10000);
  while (!done() && !late) loop->RunOnce(true);
  return done();
}

// A directory of a test's own, removed with all that is in it.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "base_test_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string ReadFile(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace base

#endif  // TESTS_SERVER_BASE_TEST_UTIL_H_
