#include "server/cluster/storage_cluster.h"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <utility>

#include "ovsdb/error.h"
#include "tests/server/base_test_util.h"
#include "tests/server/faulty_file_system.h"

namespace server {
namespace {

constexpr char kSchema[] =
    R"({"name":"D","version":"1.0.0","tables":{"T":{"columns":{"name":{"type":"string"}}}}})";
constexpr char kFile[] = "d.db";

// The only member of its cluster, on a disk that fails on demand.
class ClusterStorageTest : public testing::Test,
                           private Storage::Client,
                           private ClusterStorage::Host {
 protected:
  ClusterStorageTest() : sync_worker_(&loop_), rewrite_worker_(&loop_) {
    raft::Header header;
    header.server_id = uuids_.Next();
    header.local_address = "unix:" + dir_.path() + "/raft";
    header.name = "D";
    header.cluster_id = uuids_.Next();
    header.snapshot.index = 1;
    header.snapshot.term = 1;
    header.snapshot.eid = uuids_.Next();
    header.snapshot.servers = std::make_shared<const raft::Servers>(
        raft::Servers{{header.server_id, header.local_address}});
    header.snapshot.election_timer_ms = 1000;
    auto file = LogFile::Open(kFile, LogFile::Mode::kCreateNew, LogMagic::kClustered, &fs_);
    auto writer = (*file)->StartReplacement();
    const std::string data = std::string("[") + kSchema + ",{}]";
    EXPECT_TRUE(WriteClusterHeader(header, data, writer->get()).ok());
    EXPECT_TRUE((*writer)->Sync().ok());
    EXPECT_TRUE((*file)->Replace(*std::move(writer)).ok());
    file->reset();
    Open();
  }

  void Open() {
    storage_ = nullptr;
    auto file = LogFile::Open(kFile, LogFile::Mode::kReadWrite, std::nullopt, &fs_);
    ASSERT_TRUE(file.ok()) << file.status();
    auto loaded = LoadCluster(file->get(), &uuids_);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    database_ = std::move(loaded->database);
    ClusterStorage::Environment environment;
    environment.context.loop = &loop_;
    environment.sync = &sync_worker_;
    environment.rewrite = &rewrite_worker_;
    environment.uuids = &uuids_;
    environment.form = &form_;
    environment.convert_data = &convert_data_;
    storage_ = std::make_unique<ClusterStorage>(environment, *std::move(file),
                                                std::move(loaded->state), loaded->base_size);
    storage_->SetClient(this);
    storage_->Start(this);
  }

  bool UntilReady() {
    return base::RunUntil(&loop_, [&] { return storage_->ready(); });
  }

  Storage::Position Insert(const std::string& name) {
    ovsdb::MutableRow row(database_->schema().tables[0], uuids_.Next(), uuids_.Next());
    row.Set(ovsdb::TableSchema::kFirstRealColumn, ovsdb::Datum(ovsdb::Atom::String(name)));
    ovsdb::Change change;
    change.tables.push_back({0, {{nullptr, std::move(row).Finish()}}});
    database_->Apply(change);
    const Storage::Position position = storage_->Append(database_->schema(), change, true);
    storage_->Flush();
    return position;
  }

  bool UntilCommitted(Storage::Position position) {
    return base::RunUntil(&loop_, [&] { return committed_ >= position; });
  }

  // What its server says of its own log: up to here it is on disk.
  raft::Index synced_index() {
    return storage_->raft().status(base::MonotonicMs()).servers.at(0).match_index;
  }

  size_t NumberOfRowsInFile() {
    Open();
    EXPECT_TRUE(UntilReady());
    return database_->table(0).size();
  }

  FaultyFileSystem fs_;
  base::TempDir dir_;
  base::Loop loop_;
  base::Worker sync_worker_;
  base::Worker rewrite_worker_;
  ovsdb::UuidGenerator uuids_{1};
  ovsdb::RecordForm form_ = ovsdb::RecordForm::kDifferences;
  bool convert_data_ = false;
  std::unique_ptr<ovsdb::Database> database_;
  Storage::Position committed_ = 0;
  std::unique_ptr<ClusterStorage> storage_;

 private:
  void OnCommitted(Storage::Position position) override { committed_ = position; }
  void OnDurable(Storage::Position) override {}
  void OnNotDurable(Storage::Position, const absl::Status&) override {}
  void OnLost(const absl::Status&) override {}
  const ovsdb::Database* database() const override { return database_.get(); }
  void OnForeign(Storage::Position, ovsdb::Change change) override { database_->Apply(change); }
  void OnDisplaced(Storage::Position) override {}
  void OnReady() override {}
  void OnStalled() override {}
  ovsdb::Snapshot CommittedSnapshot() override { return database_->TakeSnapshot(); }
  void ReplaceContents(std::unique_ptr<ovsdb::Database> contents, absl::string_view) override {
    database_ = std::move(contents);
  }
  void OnClusterChange() override {}
  void OnLeft() override {}
};

// Compacts, and returns with what it said.
absl::Status Compact(ClusterStorage* storage, base::Loop* loop, ovsdb::Snapshot snapshot) {
  std::optional<absl::Status> result;
  storage->Compact(std::move(snapshot), "test", [&](absl::Status status) { result = status; });
  base::RunUntil(loop, [&] { return result.has_value(); });
  return result.value_or(absl::DeadlineExceededError("compaction does not end"));
}

TEST_F(ClusterStorageTest, AFailedSyncPutsItOutOfServiceUntilTheFileIsNew) {
  ASSERT_TRUE(UntilReady());
  EXPECT_TRUE(UntilCommitted(Insert("a")));
  fs_.sync_error = -EIO;
  const Storage::Position doubtful = Insert("b");
  EXPECT_TRUE(base::RunUntil(&loop_, [&] { return !storage_->leader(); }));
  fs_.sync_error = 0;
  EXPECT_FALSE(storage_->status().ok());
  EXPECT_LT(committed_, doubtful);
  EXPECT_TRUE(storage_->WantsCompaction());

  EXPECT_TRUE(Compact(storage_.get(), &loop_, database_->TakeSnapshot()).ok());
  EXPECT_TRUE(UntilReady());
  EXPECT_TRUE(storage_->status().ok());
  EXPECT_FALSE(storage_->WantsCompaction());
  EXPECT_TRUE(UntilCommitted(Insert("c")));
  fs_.Crash();
  EXPECT_EQ(NumberOfRowsInFile(), 3u);
}

// It starts again with all that was committed, before there is a leader.
TEST_F(ClusterStorageTest, ItsFileSaysWhatIsCommitted) {
  ASSERT_TRUE(UntilReady());
  ASSERT_TRUE(UntilCommitted(Insert("a")));
  Open();
  EXPECT_EQ(storage_->applied_index(), storage_->raft().log().last_index());
}

// Entries that could not be written while the file was being written anew are in neither.
TEST_F(ClusterStorageTest, ANewFileAnswersOnlyForWhatIsInIt) {
  ASSERT_TRUE(UntilReady());
  EXPECT_TRUE(UntilCommitted(Insert("a")));
  const raft::Index before = synced_index();
  bool done = false;
  storage_->Compact(database_->TakeSnapshot(), "test", [&](const absl::Status&) { done = true; });
  std::promise<void> written;
  rewrite_worker_.Run([&written] { written.set_value(); }, nullptr);
  written.get_future().wait();
  fs_.write_error = -ENOSPC;
  Insert("b");
  fs_.write_error = 0;
  EXPECT_FALSE(storage_->status().ok());
  EXPECT_TRUE(base::RunUntil(&loop_, [&] { return done; }));
  EXPECT_EQ(synced_index(), before);
  EXPECT_TRUE(UntilReady());  // It was written in the end.
  EXPECT_EQ(NumberOfRowsInFile(), 2u);
}

}  // namespace
}  // namespace server
