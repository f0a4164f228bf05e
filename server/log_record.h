// The framing of a database file's records (ovsdb(5)): a header line `OVSDB MAGIC LENGTH SHA1`,
// then LENGTH bytes of JSON that end with a line feed. Pure: any thread.
#ifndef SERVER_LOG_RECORD_H_
#define SERVER_LOG_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

struct evp_md_ctx_st;

namespace server {

enum class LogMagic { kStandalone, kClustered };

absl::string_view LogMagicText(LogMagic magic);  // "JSON", "CLUSTER"

inline constexpr size_t kMaxLogHeader = 128;  // A header line with its line feed is shorter.
inline constexpr size_t kSha1HexSize = 40;

struct LogHeader {
  std::string magic;    // Any word.
  uint64_t length = 0;  // Of the data, final line feed included. Never 0.
  std::string sha1;     // In lower-case hex.
};

// Parses a header line (without its line feed). Nothing if it is none.
std::optional<LogHeader> ParseLogHeader(absl::string_view line);
// The other way round, with the line feed.
std::string FormatLogHeader(absl::string_view magic, uint64_t length, absl::string_view sha1);

// Makes a record of the JSON text that begins at `start` of `*out` and goes to its end: puts the
// header line before it and a line feed behind it.
void FrameLogRecord(LogMagic magic, size_t start, std::string* out);

// SHA-1 of text that comes in pieces.
class Sha1 {
 public:
  Sha1();
  ~Sha1();
  Sha1(const Sha1&) = delete;
  Sha1& operator=(const Sha1&) = delete;

  void Update(absl::string_view piece);
  std::string Finish();  // In lower-case hex. Ready for another text afterwards.

 private:
  evp_md_ctx_st* context_;
};

std::string Sha1Of(absl::string_view text);  // In lower-case hex.

}  // namespace server

#endif  // SERVER_LOG_RECORD_H_
