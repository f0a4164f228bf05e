// Hostile database files: whatever the bytes, reading ends with records or an error, in memory no
// larger than a few times the file, and appending leaves a file that reads well.

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "server/log_file.h"
#include "tests/server/faulty_file_system.h"

namespace {

using server::LogFile;

// Reads to the end; the number of records.
int ReadAll(LogFile* log) {
  for (int n = 0;; ++n) {
    const auto record = log->Read();
    if (!record.ok() || !*record) return n;
    // A record may be parsed in situ, with a byte more.
    for (size_t i = 0; i <= (*record)->size; ++i) (*record)->data[i] ^= 1;
  }
}

void Require(bool condition) {
  if (!condition) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  server::FaultyFileSystem fs;
  if (size > 0) fs.max_transfer = 1 + data[0] * 7;
  fs.bytes("db").assign(reinterpret_cast<const char*>(data), size);
  int n;
  {
    auto log = LogFile::Open("db", LogFile::Mode::kReadWrite, std::nullopt, &fs);
    if (!log.ok()) return 0;
    n = ReadAll(log->get());
    Require((*log)->size() <= size);
    (void)(*log)->IsTorn();
    std::string record = "{}";
    FrameLogRecord((*log)->magic(), 0, &record);
    Require((*log)->Append(record).ok());
  }
  auto log = LogFile::Open("db", LogFile::Mode::kReadOnly, std::nullopt, &fs);
  Require(log.ok());
  Require(ReadAll(log->get()) == n + 1);
  return 0;
}
