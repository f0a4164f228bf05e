#include "server/base/log.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base_test_util.h"
#include "server/base/log_format.h"
#include "server/base/loop.h"

namespace base {
namespace {

LogModule log("log_test");
LogModule other("other_module");

LogRecord Record() {
  return {LogLevel::kInfo, "module", "text", "program", "", LOG_DAEMON, 12, 1700000000123, 45};
}

std::string Format(absl::string_view pattern, const LogRecord& record = Record()) {
  std::string out;
  AppendLogRecord(pattern, record, &out);
  return out;
}

TEST(LogFormatTest, ExpandsEscapes) {
  EXPECT_EQ(Format("%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m"),
            "2023-11-14T22:13:20.123Z|00012|module|INFO|text");
  EXPECT_EQ(Format("%D"), "2023-11-14 22:13:20.123");
  EXPECT_EQ(Format("%D{%S.#}"), "20.1");
  EXPECT_EQ(Format("%D{%S.#####}"), "20.12300");
  EXPECT_EQ(Format("%A %B %P"), "program 29 " + std::to_string(getpid()));
  EXPECT_EQ(Format("%r %t%n%%"), "45 main\n%");
  EXPECT_EQ(Format("%E"), HostName());
}

TEST(LogFormatTest, WritesJson) {
  LogRecord record = Record();
  record.message = "a \"b\"\n";
  std::string out;
  AppendJsonLogRecord(record, &out);
  EXPECT_EQ(
      out,
      "{\"time\":\"2023-11-14T22:13:20.123Z\",\"number\":12,\"level\":\"INFO\","
      "\"module\":\"module\",\"message\":\"a \\\"b\\\"\\n\",\"program\":\"program\",\"pid\":" +
          std::to_string(getpid()) + "}");
}

TEST(LogFormatTest, WritesJsonOfAnyBytes) {
  LogRecord record = Record();
  for (const auto& [bytes, text] :
       {std::pair("\u20ac", "\"\u20ac\""), {"a\xff\u20ac", R"("a\\xff\\xe2\\x82\\xac")"}}) {
    record.message = bytes;
    std::string out;
    AppendJsonLogRecord(record, &out);
    EXPECT_NE(out.find(std::string("\"message\":") + text + ","), std::string::npos) << out;
  }
}

// Compared with what the reference writes for the same pattern.
TEST(LogFormatTest, PadsAsStock) {
  EXPECT_EQ(Format("%-8p|%8p|%-08p|%08r|%3m|%5c"),
            "INFO    |    INFO|INFO0000|00000045|text|module");
  EXPECT_EQ(Format("%q|%z3|%{x}|%0-5p"), "q|z3|{x}|-5p");
  EXPECT_EQ(Format("100%"), "100");
  EXPECT_EQ(Format("%D{%S"), "20");
}

TEST(LogFormatTest, NamesThreads) {
  LogRecord record = Record();
  record.thread = "monitor";
  EXPECT_EQ(Format("%t %T", record), "monitor (monitor)");
}

TEST(LogFormatTest, AMessageIsOneLine) {
  LogRecord record = Record();
  record.message = absl::string_view("a\r\nb\tc\x1b[2J\x7f\0\u20ac\\n", 17);
  EXPECT_EQ(Format("%m%n", record), "a\\r\\nb\\tc\\x1b[2J\\x7f\\x00\u20ac\\n\n");
}

TEST(LogFormatTest, HugeWidthIsBounded) { EXPECT_LE(Format("%999999999m").size(), 2000U); }

std::string SpecError(absl::string_view spec) { return std::string(SetLogLevels(spec).message()); }

// The reference's texts.
TEST(LogLevelsTest, RefusesBadSpecsInStocksWords) {
  EXPECT_EQ(SpecError("foo"), "no destination, level, or module \"foo\"");
  EXPECT_EQ(SpecError("console:foo"), "no destination, level, or module \"foo\"");
  EXPECT_EQ(SpecError("dbg:dbg"), "cannot specify multiple levels");
  EXPECT_EQ(SpecError("console:file:dbg"), "cannot specify multiple destinations");
  EXPECT_EQ(SpecError("log_test:other_module"), "cannot specify multiple modules");
  EXPECT_EQ(SpecError("PATTERN"), "missing destination");
  EXPECT_EQ(SpecError("PATTERN:foo:bar"), "unknown destination \"foo\"");
  EXPECT_EQ(SpecError("FACILITY:foo"), "invalid facility");
  EXPECT_EQ(SpecError("FACILITY"), "invalid facility");
}

class LogFileTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(SetLogLevels("console:off").ok());
    ASSERT_TRUE(SetLogLevels("syslog:off").ok());
    ASSERT_TRUE(SetLogLevels("file:info").ok());
    ASSERT_TRUE(SetLogLevels("PATTERN:file:%c|%p|%m").ok());
    ASSERT_TRUE(SetLogFile((dir_ / "log").c_str()).ok());
    Take();
  }
  void TearDown() override { CloseLogFile(); }

  // What was written since the last call.
  std::string Take() {
    FlushLog();
    std::string text = ReadFile(dir_ / "log").substr(taken_);
    taken_ += text.size();
    return text;
  }

  TempDir dir_;
  size_t taken_ = 0;
};

TEST_F(LogFileTest, LevelsSelect) {
  EXPECT_TRUE(log.on(LogLevel::kInfo));
  EXPECT_FALSE(log.on(LogLevel::kDebug));
  log.Info("%s %d", "one", 1);
  log.Debug("two");
  EXPECT_EQ(Take(), "log_test|INFO|one 1\n");

  ASSERT_TRUE(SetLogLevels("log_test:file:dbg").ok());
  log.Debug("three");
  other.Debug("four");
  EXPECT_EQ(Take(), "log_test|DBG|three\n");

  ASSERT_TRUE(SetLogLevels("LOG_TEST any OFF").ok());
  log.Emergency("five");
  other.Warn("six");
  EXPECT_EQ(Take(), "other_module|WARN|six\n");
  ASSERT_TRUE(SetLogLevels("log_test:file:info").ok());
}

TEST_F(LogFileTest, NobodyForgesALine) {
  log.Warn("%s: no such method", "x\nlog_test|EMER|the disk is on fire");
  EXPECT_EQ(Take(), "log_test|WARN|x\\nlog_test|EMER|the disk is on fire: no such method\n");
}

TEST_F(LogFileTest, ASpecWithoutLevelMeansDebug) {
  ASSERT_TRUE(SetLogLevels("log_test,file").ok());
  EXPECT_TRUE(log.on(LogLevel::kDebug));
  EXPECT_FALSE(other.on(LogLevel::kDebug));
  ASSERT_TRUE(SetLogLevels("log_test:file:info").ok());
}

TEST_F(LogFileTest, RateLimitDropsAndReports) {
  RateLimit limit(60, 3);
  for (int i = 0; i < 10; i++) log.InfoLimited(limit, "message %d", i);
  EXPECT_EQ(Take(), "log_test|INFO|message 0\nlog_test|INFO|message 1\nlog_test|INFO|message 2\n");
  // A token a second comes back.
  const int64_t start = MonotonicMs();
  std::string text;
  while (text.empty() && MonotonicMs() - start < 5000) {
    log.InfoLimited(limit, "again");
    text = Take();
    usleep(50000);
  }
  EXPECT_EQ(text.find("log_test|INFO|Dropped "), 0U) << text;
  EXPECT_NE(text.find(" log messages in last "), std::string::npos) << text;
  EXPECT_NE(text.find("due to excessive rate\nlog_test|INFO|again\n"), std::string::npos) << text;
}

TEST_F(LogFileTest, RotationByRenameAndReopen) {
  log.Info("before");
  FlushLog();
  std::filesystem::rename(dir_ / "log", dir_ / "log.1");
  log.Info("to the old file");
  ASSERT_TRUE(ReopenLogFile().ok());
  log.Info("after");
  taken_ = 0;
  EXPECT_EQ(Take(), "vlog|INFO|opened log file " + (dir_ / "log") + "\nlog_test|INFO|after\n");
  const std::string old = ReadFile(dir_ / "log.1");
  EXPECT_NE(old.find("to the old file"), std::string::npos);
  EXPECT_NE(old.find("closing log file"), std::string::npos);
}

TEST_F(LogFileTest, ReopeningTheSameFileSaysNothing) {
  ASSERT_TRUE(ReopenLogFile().ok());
  EXPECT_EQ(Take(), "");
}

TEST_F(LogFileTest, ClosedFileTakesNothing) {
  CloseLogFile();
  EXPECT_FALSE(log.on(LogLevel::kInfo));
  log.Info("lost");
  EXPECT_EQ(Take(), "vlog|INFO|closing log file\n");
  ASSERT_TRUE(ReopenLogFile().ok());
  EXPECT_EQ(Take(), "vlog|INFO|opened log file " + (dir_ / "log") + "\n");
}

TEST_F(LogFileTest, NewFileIsNoBusinessOfOthers) {
  const mode_t mask = umask(0);
  ASSERT_TRUE(SetLogFile((dir_ / "new").c_str()).ok());
  umask(mask);
  struct stat s;
  ASSERT_EQ(stat((dir_ / "new").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0640U);
}

TEST_F(LogFileTest, FileThatCannotBeOpenedIsAnError) {
  EXPECT_EQ(SetLogFile("/nonexistent/log").message(), "No such file or directory");
}

TEST_F(LogFileTest, LoopWritesAtTheEndOfTheTurnErrorsAtOnce) {
  Loop loop;
  AttachLog(&loop);
  log.Info("waits");
  EXPECT_EQ(ReadFile(dir_ / "log").substr(taken_), "");
  loop.RunOnce(false);
  EXPECT_EQ(ReadFile(dir_ / "log").substr(taken_), "log_test|INFO|waits\n");
  log.Error("hurries");
  EXPECT_NE(ReadFile(dir_ / "log").find("hurries"), std::string::npos);
  std::thread([] {
    SetThreadName("helper");
    log.Info("from a thread");
  }).join();
  EXPECT_NE(ReadFile(dir_ / "log").find("from a thread"), std::string::npos);
  AttachLog(nullptr);
}

TEST_F(LogFileTest, ManyThreadsWriteWholeLines) {
  constexpr int kThreads = 4;
  constexpr int kLines = 200;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([] {
      for (int i = 0; i < kLines; i++) log.Info("%s", std::string(50, 'x'));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string line = "log_test|INFO|" + std::string(50, 'x') + "\n";
  std::string expected;
  for (int i = 0; i < kThreads * kLines; i++) expected += line;
  EXPECT_EQ(Take(), expected);
}

TEST_F(LogFileTest, SyslogGetsDatagrams) {
  const std::string path = dir_ / "syslog";
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_TRUE(SetSyslogMethod("unix:" + path).ok());
  ASSERT_TRUE(SetLogLevels("syslog:info").ok());
  ASSERT_TRUE(SetLogLevels("PATTERN:syslog:%c|%p|%m").ok());
  log.Warn("a\nb");
  auto receive = [fd] {
    char text[200];
    const ssize_t n = recv(fd, text, sizeof text, 0);
    return std::string(text, n > 0 ? static_cast<size_t>(n) : 0);
  };
  EXPECT_EQ(receive(), "<28>log_test|WARN|a\\nb");
  ASSERT_TRUE(SetLogLevels("FACILITY:local3").ok());
  log.Info("c");
  EXPECT_EQ(receive(), "<157>log_test|INFO|c");
  ASSERT_TRUE(SetLogLevels("syslog:off").ok());
  EXPECT_EQ(SetSyslogMethod("foo").message(), "unsupported syslog method 'foo'");
  ASSERT_TRUE(SetSyslogMethod("null").ok());
  close(fd);
}

}  // namespace
}  // namespace base
