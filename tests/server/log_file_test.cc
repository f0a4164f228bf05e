#include "server/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ovsdb/error.h"
#include "tests/server/faulty_file_system.h"

namespace server {
namespace {

using Mode = LogFile::Mode;
using Strings = std::vector<std::string>;

std::string Record(std::string json, LogMagic magic = LogMagic::kStandalone) {
  FrameLogRecord(magic, 0, &json);
  return json;
}

// Opens `path` and gives its records; the text of an error in brackets ends them.
Strings Contents(FileSystem* fs, const std::string& path = "db") {
  auto log = LogFile::Open(path, Mode::kReadOnly, std::nullopt, fs);
  if (!log.ok()) return {absl::StrCat("<", ovsdb::ErrorText(log.status()), ">")};
  Strings result;
  while (true) {
    auto record = (*log)->Read();
    if (!record.ok()) {
      result.push_back(absl::StrCat("<", ovsdb::ErrorText(record.status()), ">"));
    }
    if (!record.ok() || !*record) return result;
    result.emplace_back((*record)->text());
    memset((*record)->data, '!', (*record)->size + 1);  // As parsing in situ may.
  }
}

// Opens for writing and reads to the end or to the first bad record.
std::unique_ptr<LogFile> OpenAndRead(FileSystem* fs, const std::string& path = "db") {
  auto log = LogFile::Open(path, Mode::kReadWrite, LogMagic::kStandalone, fs);
  EXPECT_TRUE(log.ok()) << log.status();
  if (!log.ok()) return nullptr;
  for (auto record = (*log)->Read(); record.ok() && *record;) record = (*log)->Read();
  return *std::move(log);
}

TEST(LogRecord, HasTheDocumentedForm) {
  EXPECT_EQ(Record("{}"), "OVSDB JSON 3 5f36b2ea290645ee34d943220a14b54ee5ea5be5\n{}\n");
  EXPECT_EQ(Record("{}", LogMagic::kClustered),
            "OVSDB CLUSTER 3 5f36b2ea290645ee34d943220a14b54ee5ea5be5\n{}\n");
}

TEST(LogRecord, FramesBehindOthers) {
  std::string bytes = Record("{\"a\":1}");
  const std::string first = bytes;
  const size_t start = bytes.size();
  bytes += "{}";
  FrameLogRecord(LogMagic::kStandalone, start, &bytes);
  EXPECT_EQ(bytes, first + Record("{}"));
}

TEST(LogFile, ReadsWhatItWrote) {
  FaultyFileSystem fs;
  auto log = LogFile::Open("db", Mode::kCreateNew, LogMagic::kStandalone, &fs);
  ASSERT_TRUE(log.ok());
  ASSERT_TRUE((*log)->Append(Record("{\"n\":1}")).ok());
  ASSERT_TRUE((*log)->Append(Record("{\"n\":2}") + Record("{\"n\":3}")).ok());
  EXPECT_EQ((*log)->size(), fs.bytes("db").size());
  EXPECT_EQ(Contents(&fs), (Strings{"{\"n\":1}\n", "{\"n\":2}\n", "{\"n\":3}\n"}));
}

TEST(LogFile, ReadsRecordsOfAllSizes) {
  FaultyFileSystem fs;
  fs.max_transfer = 70000;  // Reads come back short.
  std::mt19937 random(1);
  Strings expected;
  for (int i = 0; i < 60; ++i) {
    const size_t size = random() % 3 ? random() % 1000 : random() % 3000000;
    std::string text = absl::StrCat("{\"", i, "\":\"", std::string(size, 'x'), "\"}");
    fs.bytes("db") += Record(text);
    expected.push_back(text + "\n");
  }
  EXPECT_TRUE(Contents(&fs) == expected);
}

TEST(LogFile, NamesFileAndOffsetOfABadRecord) {
  FaultyFileSystem fs;
  const std::string good = Record("{\"a\":1}");  // 62 bytes
  struct {
    std::string tail, error;
  } cases[] = {
      {"garbage", "syntax error: db: parse error at offset 62 in header line \"garbage\""},
      {"\n", "syntax error: db: parse error at offset 62 in header line \"\""},
      {std::string("a\0b\n", 4), "syntax error: db: parse error at offset 62 in header line \"a\""},
      {"OVSDB JSON 12 ab",
       "syntax error: db: parse error at offset 62 in header line \"OVSDB JSON\""},
      {Record("{}", LogMagic::kClustered),
       "syntax error: db: parse error at offset 62 in header line \"OVSDB CLUSTER\""},
      {std::string(300, 'x'),
       absl::StrCat("syntax error: db: parse error at offset 62 in header line \"",
                    std::string(127, 'x'), "\"")},
      {"OVSDB JSON 0 da39a3ee5e6b4b0d3255bfef95601890afd80709\n",
       "syntax error: db: parse error at offset 62 in header line \"OVSDB JSON\""},
      {"OVSDB JSON 99999999999999999999 da39a3ee5e6b4b0d3255bfef95601890afd80709\n",
       "syntax error: db: parse error at offset 62 in header line \"OVSDB JSON\""},
      {"OVSDB JSON 18446744073709551615 da39a3ee5e6b4b0d3255bfef95601890afd80709\n{}\n",
       "I/O error: db: error reading 18446744073709551615 bytes starting at offset 135"
       " (End of file)"},
      {Record("{\"b\":2}").substr(0, 58),
       "I/O error: db: error reading 8 bytes starting at offset 116 (End of file)"},
      {"OVSDB JSON 3 da39a3ee5e6b4b0d3255bfef95601890afd80709\n{}\n",
       "syntax error: db: 3 bytes starting at offset 116 have SHA-1 hash"
       " 5f36b2ea290645ee34d943220a14b54ee5ea5be5 but should have hash"
       " da39a3ee5e6b4b0d3255bfef95601890afd80709"},
  };
  ASSERT_EQ(good.size(), 62);
  for (const auto& c : cases) {
    fs.bytes("db") = good + c.tail;
    EXPECT_EQ(Contents(&fs), (Strings{"{\"a\":1}\n", absl::StrCat("<", c.error, ">")}));
  }
}

TEST(LogFile, ToleratesWhatStockTolerates) {
  FaultyFileSystem fs;
  std::string upper = Record("{}");
  for (char& c : upper) c = c == '\n' ? c : absl::ascii_toupper(c);
  std::string zeros = Record("{}");
  zeros.replace(zeros.find(" 3 "), 3, " 003 ");
  fs.bytes("db") = upper + zeros;
  EXPECT_EQ(Contents(&fs), (Strings{"{}\n", "{}\n"}));
}

TEST(LogFile, RefusesForeignFiles) {
  FaultyFileSystem fs;
  const std::string unexpected = "<ovsdb error: db: unexpected file format>";
  const std::string unknown = "<ovsdb error: db: cannot identify file type>";
  const std::pair<std::string, std::string> cases[] = {
      {"", unknown},
      {"hello\n", unexpected},
      {"OVSDB JSON", unexpected},
      {std::string(200, 'x'), unexpected},
      {"OVSDB JSON 3 5f36b2ea290645ee34d943220a14b54ee5ea5be5", unexpected},
      {"OVSDB FOO 3 5f36b2ea290645ee34d943220a14b54ee5ea5be5\n{}\n", unknown},
  };
  for (const auto& [bytes, error] : cases) {
    fs.bytes("db") = bytes;
    EXPECT_EQ(Contents(&fs), Strings{error}) << bytes;
  }
  EXPECT_EQ(Contents(&fs, "absent"),
            Strings{"<I/O error: absent: open failed (No such file or directory)>"});
  fs.bytes("db") = Record("{}", LogMagic::kClustered);
  EXPECT_EQ(
      ovsdb::ErrorText(LogFile::Open("db", Mode::kReadOnly, LogMagic::kStandalone, &fs).status()),
      "ovsdb error: db: cannot identify file type");
  fs.read_error = -EIO;
  EXPECT_EQ(Contents(&fs), Strings{"<I/O error: db: read error (Input/output error)>"});
}

TEST(LogFile, CreatesOnlyWhatIsNotThere) {
  FaultyFileSystem fs;
  fs.bytes("db") = Record("{}");
  EXPECT_EQ(
      ovsdb::ErrorText(LogFile::Open("db", Mode::kCreateNew, LogMagic::kStandalone, &fs).status()),
      "I/O error: db: create failed (File exists)");
  EXPECT_TRUE(LogFile::Open("db", Mode::kCreate, LogMagic::kStandalone, &fs).ok());
  EXPECT_TRUE(LogFile::Open("new", Mode::kCreate, LogMagic::kStandalone, &fs).ok());
}

TEST(LogFile, CutsOffATornTailAtTheNextAppend) {
  FaultyFileSystem fs;
  const std::string good = Record("{\"a\":1}");
  const std::string next = Record("{\"b\":2}");
  for (size_t torn = 1; torn < next.size(); ++torn) {
    fs.bytes("db") = good + next.substr(0, torn);
    auto log = OpenAndRead(&fs);
    EXPECT_EQ(log->size(), good.size());
    EXPECT_TRUE(*log->IsTorn());
    EXPECT_EQ(fs.bytes("db").size(), good.size() + torn);  // Reading changes nothing.
    ASSERT_TRUE(log->Append(Record("{}")).ok());
    EXPECT_EQ(fs.bytes("db"), good + Record("{}"));
  }
}

TEST(LogFile, TellsACorruptFileFromATornOne) {
  FaultyFileSystem fs;
  const std::string a = Record("{\"a\":1}"), c = Record("{\"c\":3}");
  std::string bad = Record(absl::StrCat("{\"b\":\"", std::string(3000000, 'b'), "\"}"));
  const std::string whole = bad;
  bad[100] = '!';
  for (const std::string& rest : {bad, bad + c, bad + c.substr(0, c.size() - 1)}) {
    fs.bytes("db") = a + rest;
    EXPECT_FALSE(*OpenAndRead(&fs)->IsTorn());
  }
  // Blocks that never reached the disk.
  bad = whole;
  std::fill(bad.begin() + 4096, bad.begin() + 8192, '\0');
  std::string end = c;
  end.back() = '\0';
  for (const std::string& rest : {std::string(4096, '\0'), bad, end}) {
    fs.bytes("db") = a + rest;
    EXPECT_TRUE(*OpenAndRead(&fs)->IsTorn());
  }
  fs.bytes("db") = a + bad + c;
  EXPECT_FALSE(*OpenAndRead(&fs)->IsTorn());
}

TEST(LogFile, AFlippedBitIsNoTornTail) {
  FaultyFileSystem fs;
  const std::string good = Record("{\"a\":1}"), last = Record("{\"b\":\"@ 2\"}");
  for (size_t bit = 0; bit < last.size() * 8; ++bit) {
    std::string flipped = last;
    flipped[bit / 8] ^= static_cast<char>(1 << bit % 8);
    fs.bytes("db") = good + flipped;
    auto log = LogFile::Open("db", Mode::kReadWrite, std::nullopt, &fs);
    ASSERT_TRUE(log.ok());
    ASSERT_TRUE((*log)->Read().ok());
    if ((*log)->Read().ok()) continue;  // A hash in capitals.
    EXPECT_FALSE(*(*log)->IsTorn()) << bit << ' ' << flipped;
  }
}

TEST(LogFile, TakesBackRejectedRecords) {
  FaultyFileSystem fs;
  fs.bytes("db") = Record("{}") + Record("[]") + Record("{}");
  auto log = LogFile::Open("db", Mode::kReadWrite, std::nullopt, &fs);
  ASSERT_TRUE(log.ok());
  ASSERT_TRUE((*log)->Read().ok());
  ASSERT_TRUE((*log)->Read().ok());
  const std::string error =
      "syntax error: db: 3 bytes starting at offset 111 are not a JSON object";
  EXPECT_EQ(ovsdb::ErrorText((*log)->Reject("are not a JSON object")), error);
  EXPECT_EQ(ovsdb::ErrorText((*log)->Read().status()), error);
  EXPECT_FALSE(*(*log)->IsTorn());
  ASSERT_TRUE((*log)->Append(Record("{\"new\":0}")).ok());
  EXPECT_EQ(fs.bytes("db"), Record("{}") + Record("{\"new\":0}"));
}

TEST(LogFile, DoesNotAppendBeforeItHasRead) {
  FaultyFileSystem fs;
  const std::string bytes = Record("{}");
  fs.bytes("db") = bytes;
  auto log = LogFile::Open("db", Mode::kReadWrite, std::nullopt, &fs);
  EXPECT_FALSE((*log)->Append(Record("{}")).ok());
  log = LogFile::Open("db", Mode::kReadOnly, std::nullopt, &fs);
  while (*(*log)->Read()) {
  }
  EXPECT_FALSE((*log)->Append(Record("{}")).ok());
  EXPECT_EQ(fs.bytes("db"), bytes);
}

TEST(LogFile, AppendsInOneWrite) {
  FaultyFileSystem fs;
  auto log = LogFile::Open("db", Mode::kCreateNew, LogMagic::kStandalone, &fs);
  std::string batch;
  for (int i = 0; i < 100; ++i) batch += Record("{}");
  ASSERT_TRUE((*log)->Append(batch).ok());
  EXPECT_EQ(fs.n_writes, 1);
}

TEST(LogFile, SurvivesAFullDisk) {
  FaultyFileSystem fs;
  const std::string good = Record("{\"a\":1}");
  auto log = LogFile::Open("db", Mode::kCreateNew, LogMagic::kStandalone, &fs);
  ASSERT_TRUE((*log)->Append(good).ok());
  fs.space = 30;
  fs.max_transfer = 7;
  const absl::Status status = (*log)->Append(Record("{\"b\":2}"));
  EXPECT_EQ(ovsdb::ErrorText(status), "I/O error: db: write failed (No space left on device)");
  EXPECT_EQ((*log)->status(), status);
  EXPECT_EQ(fs.bytes("db"), good);

  // Where the file cannot even be cut back, the next append does it.
  fs.space = 30;
  fs.truncate_error = -EIO;
  EXPECT_FALSE((*log)->Append(Record("{\"b\":2}")).ok());
  EXPECT_EQ(fs.bytes("db").size(), good.size() + 30);
  EXPECT_FALSE((*log)->Append(Record("{\"b\":2}")).ok());
  fs.truncate_error = 0;
  fs.space = 1000;
  EXPECT_TRUE((*log)->Append(Record("{\"c\":3}")).ok());
  EXPECT_TRUE((*log)->status().ok());
  EXPECT_EQ(fs.bytes("db"), good + Record("{\"c\":3}"));
}

TEST(LogFile, SyncMakesDurable) {
  FaultyFileSystem fs;
  auto log = LogFile::Open("db", Mode::kCreateNew, LogMagic::kStandalone, &fs);
  ASSERT_TRUE((*log)->Append(Record("{\"a\":1}")).ok());
  ASSERT_TRUE((*log)->sync()->Run().ok());
  EXPECT_EQ(fs.n_directory_syncs, 1);  // The name is new.
  ASSERT_TRUE((*log)->Append(Record("{\"b\":2}")).ok());
  fs.Crash();
  EXPECT_EQ(Contents(&fs), Strings{"{\"a\":1}\n"});
  fs.sync_error = -EIO;
  EXPECT_EQ(ovsdb::ErrorText((*log)->sync()->Run()),
            "I/O error: db: fsync failed (Input/output error)");
}

TEST(LogFile, IsReplaced) {
  FaultyFileSystem fs;
  fs.bytes("db.tmp") = "left by an earlier run";
  auto log = LogFile::Open("db", Mode::kCreateNew, LogMagic::kStandalone, &fs);
  ASSERT_TRUE((*log)->Append(Record("{\"old\":1}") + Record("{\"old\":2}")).ok());
  auto writer = (*log)->StartReplacement();
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Append(Record("{\"new\":1}")).ok());
  ASSERT_TRUE((*writer)->Sync().ok());
  ASSERT_TRUE((*log)->Replace(*std::move(writer)).ok());
  EXPECT_FALSE(fs.exists("db.tmp"));
  EXPECT_EQ(fs.n_directory_syncs, 0);
  ASSERT_TRUE((*log)->sync()->Run().ok());
  EXPECT_EQ(fs.n_directory_syncs, 1);
  ASSERT_TRUE((*log)->Append(Record("{\"new\":2}")).ok());
  EXPECT_EQ(Contents(&fs), (Strings{"{\"new\":1}\n", "{\"new\":2}\n"}));
}

TEST(LogFile, StaysAfterAFailedReplacement) {
  FaultyFileSystem fs;
  auto log = LogFile::Open("db", Mode::kCreateNew, LogMagic::kStandalone, &fs);
  ASSERT_TRUE((*log)->Append(Record("{\"old\":1}")).ok());
  auto writer = (*log)->StartReplacement();
  ASSERT_TRUE((*writer)->Append(Record("{\"new\":1}")).ok());
  fs.rename_error = -EACCES;
  EXPECT_EQ(ovsdb::ErrorText((*log)->Replace(*std::move(writer))),
            "I/O error: failed to rename \"db.tmp\" to \"db\" (Permission denied)");
  EXPECT_FALSE(fs.exists("db.tmp"));

  writer = (*log)->StartReplacement();
  fs.write_error = -ENOSPC;
  EXPECT_FALSE((*writer)->Append(Record("{\"new\":1}")).ok());
  fs.write_error = 0;
  EXPECT_FALSE((*writer)->Append(Record("{\"new\":2}")).ok());
  EXPECT_FALSE((*log)->Replace(*std::move(writer)).ok());

  ASSERT_TRUE((*log)->Append(Record("{\"old\":2}")).ok());
  EXPECT_EQ(Contents(&fs), (Strings{"{\"old\":1}\n", "{\"old\":2}\n"}));
}

TEST(LogWriter, WritesARecordInPieces) {
  for (const size_t size : {8, 11, 99, 100, 3000000}) {
    for (const uint64_t expected : {0, 9, 99, 999999, 1000000000}) {
      FaultyFileSystem fs;
      fs.max_transfer = 900001;
      auto writer = LogWriter::Create("db", LogMagic::kStandalone, &fs);
      ASSERT_TRUE((*writer)->Append(Record("{}")).ok());
      std::string text = absl::StrCat("{\"a\":\"", std::string(size - 8, 'x'), "\"}");
      for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == 'x') text[i] = static_cast<char>('a' + i % 26);
      }
      ASSERT_TRUE((*writer)->BeginRecord(expected).ok());
      for (size_t at = 0; at < text.size(); at += 400000) {
        ASSERT_TRUE((*writer)->Write(absl::string_view(text).substr(at, 400000)).ok());
      }
      ASSERT_TRUE((*writer)->EndRecord().ok());
      ASSERT_TRUE((*writer)->Append(Record("{\"z\":0}")).ok());
      EXPECT_TRUE(fs.bytes("db.tmp") == Record("{}") + Record(text) + Record("{\"z\":0}"))
          << size << " " << expected;
      EXPECT_EQ((*writer)->size(), fs.bytes("db.tmp").size());
    }
  }
}

// On real files.
class LogFileOnDisk : public testing::Test {
 protected:
  LogFileOnDisk() {
    char name[] = "/tmp/log_file_test.XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ + "/db";
  }
  ~LogFileOnDisk() override { std::system(absl::StrCat("rm -r ", directory_).c_str()); }

  std::string directory_, path_;
};

TEST_F(LogFileOnDisk, LivesBehindALink) {
  ASSERT_TRUE(LogFile::Open(path_, Mode::kCreateNew, LogMagic::kStandalone).ok());
  const std::string link = directory_ + "/sub/link";
  ASSERT_EQ(mkdir((directory_ + "/sub").c_str(), 0777), 0);
  ASSERT_EQ(symlink("../db", link.c_str()), 0);
  auto log = LogFile::Open(link, Mode::kCreate, LogMagic::kStandalone);
  ASSERT_TRUE(log.ok());
  EXPECT_EQ((*log)->target(), directory_ + "/sub/../db");
  auto writer = (*log)->StartReplacement();
  ASSERT_TRUE((*writer)->Append(Record("{}")).ok());
  ASSERT_TRUE((*log)->Replace(*std::move(writer)).ok());
  ASSERT_TRUE((*log)->sync()->Run().ok());
  EXPECT_EQ(Contents(FileSystem::Default(), path_), Strings{"{}\n"});
  EXPECT_EQ(access((directory_ + "/.db.~lock~").c_str(), F_OK), 0);

  ASSERT_EQ(symlink("loop", (directory_ + "/loop").c_str()), 0);
  EXPECT_EQ(
      LogFile::Open(directory_ + "/loop", Mode::kCreate, LogMagic::kStandalone).status().message(),
      directory_ + "/loop: create or open failed");
}

TEST_F(LogFileOnDisk, IsWrittenByOneAtATime) {
  auto log = LogFile::Open(path_, Mode::kCreateNew, LogMagic::kStandalone);
  ASSERT_TRUE(log.ok());
  ASSERT_TRUE((*log)->Append(Record("{}")).ok());
  EXPECT_EQ(
      ovsdb::ErrorText(LogFile::Open(path_, Mode::kReadWrite, std::nullopt).status()),
      absl::StrCat("I/O error: ", path_, ": failed to lock lockfile (Resource deadlock avoided)"));
  EXPECT_TRUE(LogFile::Open(path_, Mode::kReadOnly, std::nullopt).ok());

  const auto other_process_may_write = [this] {
    const pid_t child = fork();
    if (child == 0) {
      const int fd = open((directory_ + "/.db.~lock~").c_str(), O_RDWR);
      struct flock request = {};
      request.l_type = F_WRLCK;
      _exit(fcntl(fd, F_SETLK, &request) == 0 ? 0 : 1);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status == 0;
  };
  EXPECT_FALSE(other_process_may_write());
  log->reset();
  EXPECT_TRUE(other_process_may_write());
  EXPECT_TRUE(LogFile::Open(path_, Mode::kReadWrite, std::nullopt).ok());
}

}  // namespace
}  // namespace server
