#include "server/storage_standalone.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "ovsdb/error.h"
#include "server/base/slow.h"
#include "tests/server/faulty_file_system.h"

namespace server {
namespace {

constexpr char kSchema[] =
    R"({"name":"D","version":"1.0.0","tables":{"T":{"columns":{"name":{"type":"string"}}}}})";
constexpr char kFile[] = "d.db";

// Remembers what it was told.
class Recorder final : public Storage::Client {
 public:
  void OnCommitted(Storage::Position position) override { committed = position; }
  void OnDurable(Storage::Position position) override {
    EXPECT_LE(position, committed);
    durable = position;
  }
  void OnNotDurable(Storage::Position position, const absl::Status& reason) override {
    not_durable = reason;
  }
  void OnLost(const absl::Status& reason) override { lost.push_back(reason); }

  // Nobody else writes to a file.
  const ovsdb::Database* database() const override { return nullptr; }
  void OnForeign(Storage::Position position, ovsdb::Change change) override { ADD_FAILURE(); }
  void OnDisplaced(Storage::Position position) override { ADD_FAILURE(); }
  void OnReady() override { ADD_FAILURE(); }
  void OnStalled() override { ADD_FAILURE(); }

  Storage::Position committed = 0;
  Storage::Position durable = 0;
  absl::Status not_durable;
  std::vector<absl::Status> lost;
};

class StandaloneStorageTest : public testing::Test {
 protected:
  StandaloneStorageTest() : sync_worker_(&loop_), rewrite_worker_(&loop_) {
    auto file = LogFile::Open(kFile, LogFile::Mode::kCreateNew, LogMagic::kStandalone, &fs_);
    std::string schema = kSchema;
    FrameLogRecord(LogMagic::kStandalone, 0, &schema);
    EXPECT_TRUE((*file)->Append(schema).ok());
    EXPECT_TRUE((*file)->sync()->Run().ok());
    file->reset();
    Open();
  }

  void Open() {
    storage_ = nullptr;
    auto file = LogFile::Open(kFile, LogFile::Mode::kReadWrite, std::nullopt, &fs_);
    ASSERT_TRUE(file.ok()) << file.status();
    auto loaded = LoadDatabase(file->get());
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_TRUE(loaded->tail.ok()) << ovsdb::ErrorText(loaded->tail);
    storage_ = std::make_unique<StandaloneStorage>(
        StandaloneStorage::Environment{&loop_, &sync_worker_, &rewrite_worker_}, *std::move(file),
        &form_, *loaded);
    database_ = std::move(loaded->database);
    client_ = std::make_unique<Recorder>();
    storage_->SetClient(client_.get());
  }

  // Inserts a row and gives the change to the storage.
  Storage::Position Insert(const std::string& name, bool durable = false) {
    ovsdb::MutableRow row(database_->schema().tables[0], uuids_.Next(), uuids_.Next());
    row.Set(ovsdb::TableSchema::kFirstRealColumn, ovsdb::Datum(ovsdb::Atom::String(name)));
    ovsdb::Change change;
    change.tables.push_back({0, {{nullptr, std::move(row).Finish()}}});
    database_->Apply(change);
    return storage_->Append(database_->schema(), change, durable);
  }

  // The names in the file.
  std::vector<std::string> Names() {
    Open();
    std::vector<std::string> names;
    database_->table(0).ForEach([&](const ovsdb::Row& row) {
      names.emplace_back(row.datum(ovsdb::TableSchema::kFirstRealColumn).key(0).string());
    });
    std::sort(names.begin(), names.end());
    return names;
  }

  template <typename Condition>
  void RunUntil(Condition condition) {
    for (int i = 0; i < 1000 && !condition(); i++) loop_.RunOnce(true);
    EXPECT_TRUE(condition());
  }

  void CompactAndWait() {
    bool done = false;
    absl::Status result;
    storage_->Compact(database_->TakeSnapshot(), "test", [&](absl::Status status) {
      done = true;
      result = status;
    });
    RunUntil([&] { return done; });
    EXPECT_TRUE(result.ok()) << result;
  }

  using Strings = std::vector<std::string>;

  FaultyFileSystem fs_;
  base::Loop loop_;
  base::Worker sync_worker_;
  base::Worker rewrite_worker_;
  ovsdb::UuidGenerator uuids_{1};
  ovsdb::RecordForm form_ = ovsdb::RecordForm::kDifferences;
  std::unique_ptr<ovsdb::Database> database_;
  std::unique_ptr<Recorder> client_;
  std::unique_ptr<StandaloneStorage> storage_;
};

TEST_F(StandaloneStorageTest, WritesTheRecordsOfATurnAtOnce) {
  const int before = fs_.n_writes;
  EXPECT_EQ(Insert("a"), 1u);
  EXPECT_EQ(Insert("b"), 2u);
  EXPECT_EQ(client_->committed, 0u);
  EXPECT_EQ(fs_.n_writes, before);
  storage_->Flush();
  EXPECT_EQ(client_->committed, 2u);
  EXPECT_EQ(fs_.n_writes, before + 1);
  EXPECT_EQ(Names(), (Strings{"a", "b"}));
}

TEST_F(StandaloneStorageTest, DurableOutlivesACrash) {
  Insert("a", /*durable=*/true);
  storage_->Flush();
  EXPECT_EQ(client_->committed, 1u);
  RunUntil([&] { return client_->durable == 1; });
  Insert("b");
  storage_->Flush();
  fs_.Crash();
  EXPECT_EQ(Names(), (Strings{"a"}));
}

TEST_F(StandaloneStorageTest, NothingIsDurableThatNobodyAskedFor) {
  Insert("a");
  storage_->Flush();
  loop_.RunOnce(false);
  EXPECT_EQ(client_->durable, 0u);
}

TEST_F(StandaloneStorageTest, SlowSyncIsNoted) {
  const uint64_t before = base::SlowCount(base::SlowKind::kSync);
  for (const int ms : {0, static_cast<int>(base::kSlowMs) + 5}) {
    fs_.sync_ms = ms;
    const Storage::Position position = Insert("a", /*durable=*/true);
    storage_->Flush();
    RunUntil([&] { return client_->durable == position; });
  }
  EXPECT_EQ(base::SlowCount(base::SlowKind::kSync), before + 1);
  EXPECT_EQ(base::SlowThings().front().text.find("d.db: the disk took 10"), 0u);
  EXPECT_EQ(storage_->sync_durations()->count(), 2u);
}

TEST_F(StandaloneStorageTest, FailedSyncIsTold) {
  fs_.sync_error = -EIO;
  Insert("a", /*durable=*/true);
  storage_->Flush();
  RunUntil([&] { return !client_->not_durable.ok(); });
  EXPECT_EQ(client_->durable, 0u);
  EXPECT_EQ(ovsdb::ErrorString(client_->not_durable), "I/O error");
}

// What the failed one was to write may be gone, whatever the system says of the next.
TEST_F(StandaloneStorageTest, NothingIsDurableAfterAFailedSyncUntilTheFileIsNew) {
  fs_.sync_error = -EIO;
  Insert("a", /*durable=*/true);
  storage_->Flush();
  RunUntil([&] { return !client_->not_durable.ok(); });
  fs_.sync_error = 0;
  client_->not_durable = absl::OkStatus();
  Insert("b", /*durable=*/true);
  storage_->Flush();
  RunUntil([&] { return !client_->not_durable.ok(); });
  EXPECT_EQ(client_->durable, 0u);
  EXPECT_FALSE(storage_->status().ok());
  EXPECT_TRUE(storage_->WantsCompaction());

  CompactAndWait();
  EXPECT_TRUE(storage_->status().ok());
  EXPECT_FALSE(storage_->WantsCompaction());
  const Storage::Position position = Insert("c", /*durable=*/true);
  storage_->Flush();
  RunUntil([&] { return client_->durable == position; });
  fs_.Crash();
  EXPECT_EQ(Names(), (Strings{"a", "b", "c"}));
}

TEST_F(StandaloneStorageTest, FullDiskLosesTheTurnAndNothingElse) {
  Insert("a");
  storage_->Flush();
  fs_.space = 10;
  Insert("b");
  Insert("c");
  storage_->Flush();
  EXPECT_EQ(client_->committed, 1u);
  ASSERT_EQ(client_->lost.size(), 1u);
  EXPECT_EQ(ovsdb::ErrorString(client_->lost[0]), "I/O error");
  EXPECT_FALSE(storage_->status().ok());

  fs_.space = 1 << 20;
  Insert("d");
  storage_->Flush();
  EXPECT_EQ(client_->committed, 4u);
  EXPECT_TRUE(storage_->status().ok());
  EXPECT_EQ(Names(), (Strings{"a", "d"}));
}

TEST_F(StandaloneStorageTest, RoomIsFoundWithoutAWrite) {
  Insert("a");
  storage_->Flush();
  const std::string before = fs_.bytes(kFile);
  fs_.space = 10;
  Insert("b");
  storage_->Flush();
  EXPECT_FALSE(storage_->status().ok());
  const int n_writes = fs_.n_writes;
  RunUntil([&] { return fs_.n_writes > n_writes; });
  EXPECT_FALSE(storage_->status().ok()) << "there is no room yet";
  EXPECT_EQ(fs_.bytes(kFile), before);

  fs_.space = 1 << 20;
  RunUntil([&] { return storage_->status().ok(); });
  EXPECT_EQ(fs_.bytes(kFile), before);
  Insert("c");
  storage_->Flush();
  EXPECT_EQ(Names(), (Strings{"a", "c"}));
}

// The file is looked at as a crash in the middle of the trial would leave it.
TEST_F(StandaloneStorageTest, ATrialThatACrashLeavesIsATornTail) {
  Insert("a");
  storage_->Flush();
  fs_.space = 0;
  Insert("b");
  storage_->Flush();
  fs_.space = 1 << 20;
  fs_.truncate_error = -EIO;  // The trial stays.
  const size_t before = fs_.bytes(kFile).size();
  RunUntil([&] { return fs_.bytes(kFile).size() > before; });
  EXPECT_FALSE(storage_->status().ok());
  fs_.truncate_error = 0;
  storage_ = nullptr;
  auto file = LogFile::Open(kFile, LogFile::Mode::kReadWrite, std::nullopt, &fs_);
  ASSERT_TRUE(file.ok());
  auto loaded = LoadDatabase(file->get());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->database->table(0).size(), 1u);
  EXPECT_FALSE(loaded->tail.ok());
  EXPECT_EQ((*file)->IsTorn().value_or(false), true);
}

TEST_F(StandaloneStorageTest, CompactionKeepsWhatCommitsMeanwhile) {
  for (int i = 0; i < 20; i++) {
    ovsdb::Change change;
    Insert("x");
    storage_->Flush();
  }
  const size_t size_before = fs_.bytes(kFile).size();
  bool done = false;
  storage_->Compact(database_->TakeSnapshot(), "test", [&](absl::Status status) {
    EXPECT_TRUE(status.ok()) << status;
    done = true;
  });
  Insert("during", /*durable=*/true);
  storage_->Flush();
  EXPECT_EQ(client_->committed, 21u);
  RunUntil([&] { return done && client_->durable == 21; });
  EXPECT_LT(fs_.bytes(kFile).size(), size_before);
  EXPECT_FALSE(fs_.exists(std::string(kFile) + ".tmp"));

  Insert("after", /*durable=*/true);
  storage_->Flush();
  RunUntil([&] { return client_->durable == 22; });
  fs_.Crash();
  const Strings names = Names();
  EXPECT_EQ(names.size(), 22u);
  EXPECT_EQ(names[0], "after");
  EXPECT_EQ(names[1], "during");
}

TEST_F(StandaloneStorageTest, FailedCompactionLeavesTheFile) {
  Insert("a");
  storage_->Flush();
  fs_.rename_error = -EACCES;
  absl::Status result;
  storage_->Compact(database_->TakeSnapshot(), "test",
                    [&](absl::Status status) { result = std::move(status); });
  RunUntil([&] { return !result.ok(); });
  fs_.rename_error = 0;
  Insert("b", /*durable=*/true);
  storage_->Flush();
  RunUntil([&] { return client_->durable == 2; });
  EXPECT_EQ(Names(), (Strings{"a", "b"}));
}

TEST_F(StandaloneStorageTest, CompactionMayBeRepeated) {
  Insert("a");
  storage_->Flush();
  CompactAndWait();
  const size_t size = fs_.bytes(kFile).size();
  CompactAndWait();
  EXPECT_EQ(fs_.bytes(kFile).size(), size);
  EXPECT_EQ(Names(), (Strings{"a"}));
}

TEST_F(StandaloneStorageTest, StorageMayGoDuringACompaction) {
  Insert("a");
  storage_->Flush();
  storage_->Compact(database_->TakeSnapshot(), "test", [](absl::Status) { FAIL(); });
  storage_ = nullptr;
  loop_.RunOnce(false);
  EXPECT_EQ(Names(), (Strings{"a"}));
}

TEST_F(StandaloneStorageTest, ConversionReplacesSchemaAndRows) {
  Insert("a");
  storage_->Flush();
  auto schema = *ovsdb::DatabaseSchema::ParseText(
      R"({"name":"D","version":"2.0.0","tables":{"U":{"columns":{"n":{"type":"integer"}}}}})");
  ovsdb::Database converted(schema);
  bool done = false;
  storage_->Convert(converted.TakeSnapshot(), [&](absl::Status status) {
    EXPECT_TRUE(status.ok()) << status;
    done = true;
  });
  RunUntil([&] { return done; });
  Open();
  EXPECT_EQ(database_->schema().version, "2.0.0");
  EXPECT_EQ(database_->schema().tables[0].name, "U");
}

constexpr int64_t kMinute = 60 * 1000;
constexpr uint64_t kMiB = 1 << 20;

TEST(CompactionScheduleTest, ConsidersNothingInTheFirstTenMinutes) {
  CompactionSchedule schedule(0);
  schedule.Compacted(0, kMiB);
  schedule.Appended(1000);
  EXPECT_FALSE(schedule.IsDue(10 * kMinute - 1, 100 * kMiB));
  EXPECT_TRUE(schedule.IsDue(20 * kMinute, 100 * kMiB));
}

TEST(CompactionScheduleTest, NeedsRecordsSizeAndGrowth) {
  CompactionSchedule few(0);
  few.Appended(99);
  EXPECT_FALSE(few.IsDue(20 * kMinute, 100 * kMiB));

  CompactionSchedule small(0);
  small.Appended(100);
  EXPECT_FALSE(small.IsDue(20 * kMinute, 10 * kMiB - 1));
  EXPECT_FALSE(small.IsDue(20 * kMinute + 1, 10 * kMiB));  // Not looked at again so soon.
  EXPECT_TRUE(small.IsDue(22 * kMinute, 10 * kMiB));

  CompactionSchedule grown(0);
  grown.Compacted(0, 20 * kMiB);
  grown.Appended(100);
  EXPECT_FALSE(grown.IsDue(20 * kMinute, 40 * kMiB - 2));
  EXPECT_TRUE(grown.IsDue(22 * kMinute, 40 * kMiB));
}

TEST(CompactionScheduleTest, AfterADayAnyRecordIsEnough) {
  CompactionSchedule idle(0);
  EXPECT_FALSE(idle.IsDue(25 * 60 * kMinute, 1));
  CompactionSchedule busy(0);
  busy.Appended(1);
  EXPECT_TRUE(busy.IsDue(25 * 60 * kMinute, 1));
}

}  // namespace
}  // namespace server
