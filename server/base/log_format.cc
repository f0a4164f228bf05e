#include "server/base/log_format.h"

#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "ovsdb/json.h"
#include "ovsdb/utf8.h"

namespace base {
namespace {

constexpr char kDefaultTimeFormat[] = "%Y-%m-%d %H:%M:%S.###";

// One escape: %[-][0][width]LETTER[{format}].
struct Escape {
  bool left = false;
  bool zeros = false;
  size_t width = 0;
  char letter = '\0';
  std::string format;
};

// Takes an escape from the front of `*rest`, which is behind the '%'.
Escape TakeEscape(absl::string_view* rest) {
  Escape escape;
  auto take = [rest](char c) {
    if (rest->empty() || rest->front() != c) return false;
    rest->remove_prefix(1);
    return true;
  };
  escape.left = take('-');
  escape.zeros = take('0');
  while (!rest->empty() && absl::ascii_isdigit(rest->front())) {
    escape.width = std::min<size_t>(escape.width * 10 + (rest->front() - '0'), 1000);
    rest->remove_prefix(1);
  }
  if (rest->empty()) return escape;
  escape.letter = rest->front();
  rest->remove_prefix(1);
  if ((escape.letter == 'd' || escape.letter == 'D') && take('{')) {
    const size_t end = std::min(rest->find('}'), rest->size());
    escape.format = std::string(rest->substr(0, end));
    rest->remove_prefix(std::min(end + 1, rest->size()));
  }
  return escape;
}

void AppendMessage(absl::string_view message, std::string* out) {
  for (const char c : message) {
    if (!absl::ascii_iscntrl(c)) {
      out->push_back(c);
    } else if (c == '\n') {
      out->append("\\n");
    } else if (c == '\r') {
      out->append("\\r");
    } else if (c == '\t') {
      out->append("\\t");
    } else {
      absl::StrAppend(out, "\\x", absl::Hex(c, absl::kZeroPad2));
    }
  }
}

void AppendField(const Escape& escape, const LogRecord& record, std::string* out) {
  switch (escape.letter) {
    case 'A':
      absl::StrAppend(out, record.program);
      break;
    case 'B':
      absl::StrAppend(out, record.facility | SyslogPriority(record.level));
      break;
    case 'c':
      absl::StrAppend(out, record.module);
      break;
    case 'd':
    case 'D':
      AppendTime(escape.format.empty() ? kDefaultTimeFormat : escape.format, record.wall_ms,
                 escape.letter == 'D', out);
      break;
    case 'E':
      absl::StrAppend(out, HostName());
      break;
    case 'm':
      AppendMessage(record.message, out);
      break;
    case 'N':
      absl::StrAppend(out, record.number);
      break;
    case 'n':
      out->push_back('\n');
      break;
    case 'p':
      absl::StrAppend(out, LogLevelName(record.level));
      break;
    case 'P':
      absl::StrAppend(out, getpid());
      break;
    case 'r':
      absl::StrAppend(out, record.elapsed_ms);
      break;
    case 't':
      absl::StrAppend(out, record.thread.empty() ? "main" : record.thread);
      break;
    case 'T':
      if (!record.thread.empty()) absl::StrAppend(out, "(", record.thread, ")");
      break;
    case '\0':
      break;
    default:
      out->push_back(escape.letter);
  }
}

}  // namespace

absl::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kOff:
      return "OFF";
    case LogLevel::kEmergency:
      return "EMER";
    case LogLevel::kError:
      return "ERR";
    case LogLevel::kWarning:
      return "WARN";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kDebug:
      return "DBG";
  }
  return "";
}

int SyslogPriority(LogLevel level) {
  switch (level) {
    case LogLevel::kEmergency:
      return LOG_ALERT;
    case LogLevel::kError:
      return LOG_ERR;
    case LogLevel::kWarning:
      return LOG_WARNING;
    case LogLevel::kInfo:
      return LOG_NOTICE;
    default:
      return LOG_DEBUG;
  }
}

void AppendTime(const std::string& format, int64_t wall_ms, bool utc, std::string* out) {
  const time_t seconds = wall_ms / 1000;
  tm fields;
  if (utc) {
    gmtime_r(&seconds, &fields);
  } else {
    localtime_r(&seconds, &fields);
  }
  char text[256];
  const size_t length = strftime(text, sizeof text, format.c_str(), &fields);
  const auto ms = static_cast<int>(wall_ms % 1000);
  const char fraction[] = {static_cast<char>('0' + ms / 100), static_cast<char>('0' + ms / 10 % 10),
                           static_cast<char>('0' + ms % 10)};
  size_t digit = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] != '#') {
      digit = 0;
      out->push_back(text[i]);
    } else {
      out->push_back(digit < sizeof fraction ? fraction[digit] : '0');
      digit++;
    }
  }
}

std::string HostName() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

// What others sent may be in a record, and need not be UTF-8, which JSON is.
std::string AsUtf8(absl::string_view text) {
  if (ovsdb::IsUtf8(text)) return std::string(text);
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isascii(c)) {
      out.push_back(c);
    } else {
      absl::StrAppend(&out, "\\x", absl::Hex(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

void AppendJsonLogRecord(const LogRecord& record, std::string* out) {
  const auto text = [out](absl::string_view name, absl::string_view value) {
    absl::StrAppend(out, "\"", name, "\":");
    ovsdb::AppendJsonString(AsUtf8(value), out);
    out->push_back(',');
  };
  std::string time;
  AppendTime("%Y-%m-%dT%H:%M:%S.###Z", record.wall_ms, /*utc=*/true, &time);
  out->push_back('{');
  text("time", time);
  absl::StrAppend(out, "\"number\":", record.number, ",");
  text("level", LogLevelName(record.level));
  text("module", record.module);
  text("message", record.message);
  text("program", record.program);
  if (!record.thread.empty()) text("thread", record.thread);
  absl::StrAppend(out, "\"pid\":", getpid(), "}");
}

void AppendLogRecord(absl::string_view pattern, const LogRecord& record, std::string* out) {
  while (!pattern.empty()) {
    const size_t percent = std::min(pattern.find('%'), pattern.size());
    absl::StrAppend(out, pattern.substr(0, percent));
    pattern.remove_prefix(percent);
    if (pattern.empty()) return;
    pattern.remove_prefix(1);
    const Escape escape = TakeEscape(&pattern);
    const size_t start = out->size();
    AppendField(escape, record, out);
    const size_t length = out->size() - start;
    if (length < escape.width) {
      out->insert(escape.left ? out->size() : start, escape.width - length,
                  escape.zeros ? '0' : ' ');
    }
  }
}

}  // namespace base
