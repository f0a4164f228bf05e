#include "server/log_record.h"

#include <openssl/evp.h>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace server {
namespace {

constexpr size_t kSha1Size = kSha1HexSize / 2;

// Fetching the algorithm costs more than hashing a small record: do it once.
const EVP_MD* Sha1Algorithm() {
  static const EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  return md;
}

std::string Hex(const unsigned char* bytes, size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex(2 * size, '\0');
  for (size_t i = 0; i < size; ++i) {
    hex[2 * i] = kDigits[bytes[i] >> 4];
    hex[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return hex;
}

// Cuts `*line` at its first space, and returns what was before it.
absl::string_view TakeWord(absl::string_view* line) {
  const absl::string_view word = line->substr(0, line->find(' '));
  line->remove_prefix(word.size());
  absl::ConsumePrefix(line, " ");
  return word;
}

bool AllOf(absl::string_view text, bool (*accept)(unsigned char)) {
  for (const char c : text) {
    if (!accept(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

}  // namespace

absl::string_view LogMagicText(LogMagic magic) {
  return magic == LogMagic::kStandalone ? "JSON" : "CLUSTER";
}

std::optional<LogHeader> ParseLogHeader(absl::string_view line) {
  if (!absl::ConsumePrefix(&line, "OVSDB ")) return std::nullopt;
  LogHeader header;
  header.magic = std::string(TakeWord(&line));
  const absl::string_view length = TakeWord(&line);
  if (header.magic.empty() || !AllOf(length, absl::ascii_isdigit) ||
      !absl::SimpleAtoi(length, &header.length) || header.length == 0 ||
      line.size() != kSha1HexSize || !AllOf(line, absl::ascii_isxdigit)) {
    return std::nullopt;
  }
  header.sha1 = absl::AsciiStrToLower(line);
  return header;
}

std::string FormatLogHeader(absl::string_view magic, uint64_t length, absl::string_view sha1) {
  return absl::StrCat("OVSDB ", magic, " ", length, " ", sha1, "\n");
}

void FrameLogRecord(LogMagic magic, size_t start, std::string* out) {
  out->push_back('\n');
  const absl::string_view data = absl::string_view(*out).substr(start);
  out->insert(start, FormatLogHeader(LogMagicText(magic), data.size(), Sha1Of(data)));
}

Sha1::Sha1() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex2(context_, Sha1Algorithm(), nullptr);
}

Sha1::~Sha1() { EVP_MD_CTX_free(context_); }

void Sha1::Update(absl::string_view piece) {
  EVP_DigestUpdate(context_, piece.data(), piece.size());
}

std::string Sha1::Finish() {
  unsigned char digest[kSha1Size];
  EVP_DigestFinal_ex(context_, digest, nullptr);
  EVP_DigestInit_ex2(context_, nullptr, nullptr);
  return Hex(digest, sizeof digest);
}

std::string Sha1Of(absl::string_view text) {
  thread_local Sha1 sha1;
  sha1.Update(text);
  return sha1.Finish();
}

}  // namespace server
