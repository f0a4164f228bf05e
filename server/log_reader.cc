#include "server/log_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ovsdb/error.h"

namespace server {
namespace {

constexpr size_t kWindowSize = 1 << 20;  // Bytes read at once.
constexpr char kOvsdbError[] = "ovsdb error";

absl::Status ReadError(absl::string_view name, int error) {
  return ovsdb::IoError(absl::StrCat(name, ": read error"), strerror(-error));
}

// The part of a bad header line that stock shows: up to a zero byte, or the end of the magic.
absl::string_view ShownHeader(absl::string_view line) {
  line = line.substr(0, line.find('\0'));
  constexpr absl::string_view kPrefix = "OVSDB ";
  if (absl::StartsWith(line, kPrefix)) line = line.substr(0, line.find(' ', kPrefix.size()));
  return line;
}

std::optional<LogMagic> MagicNamed(absl::string_view text) {
  for (const LogMagic magic : {LogMagic::kStandalone, LogMagic::kClustered}) {
    if (text == LogMagicText(magic)) return magic;
  }
  return std::nullopt;
}

// The line at the beginning of `window` with its line feed, or as much as a header may be.
absl::string_view HeaderLine(const FileWindow& window) {
  const absl::string_view bytes(window.data(), std::min(window.size(), kMaxLogHeader - 1));
  const size_t line_feed = bytes.find('\n');
  return line_feed == bytes.npos ? bytes : bytes.substr(0, line_feed + 1);
}

// Whether blocks of it did not reach the disk. JSON has no zero bytes; where there is one alone, a
// bit was flipped.
bool HasUnwritten(absl::string_view bytes) {
  return bytes.find(absl::string_view("\0\0", 2)) != bytes.npos || absl::EndsWith(bytes, {"\0", 1});
}

// Of a line with its line feed, or one that is too long to have it.
std::optional<LogHeader> ParseLine(absl::string_view line) {
  if (!absl::ConsumeSuffix(&line, "\n")) return std::nullopt;
  return ParseLogHeader(line);
}

}  // namespace

FileWindow::~FileWindow() { free(buffer_); }

int FileWindow::Resize(size_t capacity) {
  char* const buffer = static_cast<char*>(realloc(buffer_, capacity + 1));
  if (buffer == nullptr) return -ENOMEM;
  buffer_ = buffer;
  capacity_ = capacity;
  return 0;
}

int FileWindow::Fill(uint64_t offset, uint64_t size) {
  start_ += static_cast<size_t>(offset - offset_);
  offset_ = offset;
  if (this->size() >= size) return 0;

  if (start_ > 0) memmove(buffer_, buffer_ + start_, this->size());
  end_ -= start_;
  start_ = 0;
  if (capacity_ > 4 * kWindowSize && std::max<uint64_t>(size, end_) <= kWindowSize) {
    if (const int error = Resize(kWindowSize)) return error;  // A large record is over.
  }
  while (end_ < size) {
    if (end_ == capacity_) {
      const size_t capacity = std::max(kWindowSize, 2 * capacity_);
      if (const int error = Resize(std::min<uint64_t>(capacity, std::max(kWindowSize, size)))) {
        return error;
      }
    }
    const int64_t n = file_->Read(offset_ + end_, buffer_ + end_, capacity_ - end_);
    if (n < 0) return static_cast<int>(n);
    if (n == 0) break;
    end_ += static_cast<size_t>(n);
    buffer_[end_] = '\0';
  }
  return 0;
}

LogReader::LogReader(std::shared_ptr<File> file, std::string name)
    : file_(std::move(file)),
      name_(std::move(name)),
      window_(std::make_unique<FileWindow>(file_.get())) {}

absl::StatusOr<std::optional<LogMagic>> LogReader::Identify(std::optional<LogMagic> wanted) {
  const absl::StatusOr<absl::string_view> line = ReadHeaderLine();
  if (!line.ok()) return line.status();
  if (line->empty()) return std::nullopt;
  const std::optional<LogHeader> header = ParseLine(*line);
  if (!header) return ovsdb::Error(kOvsdbError, absl::StrCat(name_, ": unexpected file format"));
  const std::optional<LogMagic> magic = MagicNamed(header->magic);
  if (!magic || (wanted && *wanted != *magic)) {
    return ovsdb::Error(kOvsdbError, absl::StrCat(name_, ": cannot identify file type"));
  }
  magic_ = *magic;
  return magic;
}

// The line at end_. Empty: the end of the file.
absl::StatusOr<absl::string_view> LogReader::ReadHeaderLine() {
  if (const int error = window_->Fill(end_, kMaxLogHeader)) return ReadError(name_, error);
  return HeaderLine(*window_);
}

absl::StatusOr<std::optional<LogRecord>> LogReader::Read() {
  if (ended()) {
    if (!status_.ok()) return status_;
    return std::nullopt;
  }
  absl::StatusOr<std::optional<LogRecord>> record = ReadRecord();
  if (!record.ok()) return End(record.status());
  if (!record->has_value()) {
    clean_ = true;
    End(absl::OkStatus()).IgnoreError();
  }
  return record;
}

absl::StatusOr<std::optional<LogRecord>> LogReader::ReadRecord() {
  if (lent_ != nullptr) *lent_ = lent_byte_;
  const absl::StatusOr<absl::string_view> line = ReadHeaderLine();
  if (!line.ok()) return line.status();
  if (line->empty()) return std::nullopt;
  const std::optional<LogHeader> header = ParseLine(*line);
  if (!header || header->magic != LogMagicText(magic_)) {
    return ovsdb::Error(ovsdb::kSyntaxError,
                        absl::StrCat(name_, ": parse error at offset ", end_, " in header line \"",
                                     ShownHeader(absl::StripSuffix(*line, "\n")), "\""));
  }
  const uint64_t data = end_ + line->size();
  if (const int error = window_->Fill(data, header->length)) return ReadError(name_, error);
  if (window_->size() < header->length) {
    return ovsdb::IoError(
        absl::StrCat(name_, ": error reading ", header->length, " bytes starting at offset ", data),
        "End of file");
  }
  const LogRecord record = {data, window_->data(), static_cast<size_t>(header->length)};
  const std::string sha1 = Sha1Of(record.text());
  if (sha1 != header->sha1) {
    return ovsdb::Error(
        ovsdb::kSyntaxError,
        absl::StrCat(name_, ": ", record.size, " bytes starting at offset ", data,
                     " have SHA-1 hash ", sha1, " but should have hash ", header->sha1));
  }
  start_ = end_;
  data_ = data;
  end_ = data + record.size;
  lent_ = record.data + record.size;
  lent_byte_ = *lent_;
  return record;
}

absl::StatusOr<std::string> LogReader::ReadAgain(const LogRecord& record) const {
  FileWindow window(file_.get(), record.offset);
  if (const int error = window.Fill(record.offset, record.size)) return ReadError(name_, error);
  return std::string(window.data(), std::min(window.size(), record.size));
}

absl::Status LogReader::End(absl::Status status) {
  window_.reset();
  status_ = std::move(status);
  return status_;
}

void LogReader::Unread() {
  clean_ = false;
  End(absl::OkStatus()).IgnoreError();
  end_ = start_;
}

absl::Status LogReader::Reject(absl::string_view why) {
  const uint64_t size = end_ - data_;
  Unread();
  return End(
      ovsdb::Error(ovsdb::kSyntaxError,
                   absl::StrCat(name_, ": ", size, " bytes starting at offset ", data_, " ", why)));
}

absl::StatusOr<bool> LogReader::IsTorn() {
  const absl::StatusOr<bool> whole = BadRecordIsWhole();
  if (!whole.ok() || *whole) return whole.ok() ? absl::StatusOr<bool>(false) : whole;
  const absl::StatusOr<bool> more = MoreRecordsFollow();
  return more.ok() ? absl::StatusOr<bool>(!*more) : more;
}

// Whether all of it reached the disk, and was damaged there or has content that is no good.
absl::StatusOr<bool> LogReader::BadRecordIsWhole() {
  FileWindow window(file_.get(), end_);
  if (const int error = window.Fill(end_, kMaxLogHeader)) return ReadError(name_, error);
  const absl::string_view line = HeaderLine(window);
  if (HasUnwritten(line)) return false;
  const std::optional<LogHeader> header = ParseLine(line);
  if (!header) return absl::EndsWith(line, "\n") || line.size() == kMaxLogHeader - 1;
  const uint64_t data = end_ + line.size();
  if (const int error = window.Fill(data, header->length)) return ReadError(name_, error);
  const absl::string_view bytes(window.data(), std::min<uint64_t>(window.size(), header->length));
  if (bytes.size() == header->length) return !HasUnwritten(bytes);
  return Sha1Of(bytes) == header->sha1;  // Then it is the length that is wrong.
}

absl::StatusOr<bool> LogReader::MoreRecordsFollow() {
  const std::string mark = absl::StrCat("\nOVSDB ", LogMagicText(magic_), " ");
  FileWindow window(file_.get(), end_);
  // No line of a record but its header begins with the mark, for JSON text holds no line feeds.
  for (uint64_t offset = end_;;) {
    if (const int error = window.Fill(offset, kWindowSize)) return ReadError(name_, error);
    const absl::string_view bytes(window.data(), window.size());
    const size_t found = bytes.find(mark);
    if (found == bytes.npos) {
      if (bytes.size() < kWindowSize) return false;
      offset += bytes.size() - mark.size();
      continue;
    }
    offset += found + 1;
    if (const int error = window.Fill(offset, kMaxLogHeader)) return ReadError(name_, error);
    const absl::string_view line = HeaderLine(window);
    if (const std::optional<LogHeader> header = ParseLine(line)) {
      char last;
      const uint64_t end = offset + line.size() + header->length;
      const int64_t n = end > offset ? file_->Read(end - 1, &last, 1) : 0;
      if (n < 0) return ReadError(name_, static_cast<int>(n));
      if (n > 0) return true;
    }
  }
}

}  // namespace server
