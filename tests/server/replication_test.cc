#include "server/replication.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "follower_test_util.h"
#include "server/storage.h"

namespace server {
namespace {

class ReplicationTest : public FollowerTest {
 protected:
  ReplicationTest() {
    database_ = std::make_unique<HostedDatabase>(
        &environment_, "D", "d.db", MakeMemoryStorage("standalone"),
        std::make_unique<ovsdb::Database>(*ovsdb::DatabaseSchema::ParseText(SchemaOfT())));
    own_id_ = uuids_.Next();
  }
  // Databases outlive what replicates into them.
  ~ReplicationTest() override { replication_ = nullptr; }

  void Start() {
    options_.source = Source();
    replication_ = std::make_unique<Replication>(base::StreamContext{&loop_, nullptr}, options_,
                                                 &uuids_, own_id_, database_.get(), [this] {
                                                   failed_ = true;
                                                   replication_ = nullptr;
                                                 });
  }
  bool UntilFailed() {
    return Until([&] { return failed_; });
  }

  ovsdb::Uuid own_id_;
  Replication::Options options_;
  bool failed_ = false;
  std::unique_ptr<Replication> replication_;
};

TEST_F(ReplicationTest, CopiesAndFollows) {
  Serve(SchemaOfT(), SinceReply(false, kZero, RowOfT("initial", 1, 5)));
  Start();
  EXPECT_FALSE(replication_->replicating());
  ASSERT_TRUE(UntilNumbers("5"));
  EXPECT_TRUE(replication_->replicating());
  Update(kZero, RowOfT("insert", 2, 6));
  ASSERT_TRUE(UntilNumbers("5 6"));
  Update(kZero, RowOfT("modify", 1, 7));
  ASSERT_TRUE(UntilNumbers("6 7"));
  // What is left when it comes back is all there is.
  Serve(SchemaOfT(), SinceReply(false, kZero, RowOfT("initial", 2, 6)));
  source_.Disconnect();
  ASSERT_TRUE(UntilNumbers("6"));
  EXPECT_TRUE(replication_->replicating());
  EXPECT_FALSE(failed_);
}

TEST_F(ReplicationTest, AsksNotForWhatIsExcluded) {
  Serve(SchemaOfT(), SinceReply(false, kZero, RowOfT("initial", 1, 5)));
  options_.exclude_tables = {"U"};
  Start();
  ASSERT_TRUE(UntilNumbers("5"));
  bool asked = false;
  for (const std::string& request : source_.TakeRequests()) {
    if (!absl::StartsWith(request, "monitor_cond_since")) continue;
    asked = true;
    EXPECT_NE(request.find(R"({"T":[{"columns":["n","u"]}]})"), std::string::npos) << request;
  }
  EXPECT_TRUE(asked);
}

TEST_F(ReplicationTest, MayHaveMoreThanTheSource) {
  Serve(R"({"name":"D","tables":{"T":{"columns":{"n":{"type":"integer"}}}}})",
        SinceReply(false, kZero, RowOfT("initial", 1, 5)));
  Start();
  ASSERT_TRUE(UntilNumbers("5"));
}

TEST_F(ReplicationTest, NeedsAPlaceForWhatTheSourceHas) {
  for (const std::string& schema :
       {SchemaOfT("\"string\""), SchemaOfT("\"integer\"", R"(,"more":{"type":"integer"})"),
        SchemaOfT("\"integer\",\"ephemeral\":true"), SchemaOfT("\"integer\",\"mutable\":false"),
        std::string(R"({"name":"D","tables":{"V":{"columns":{"x":{"type":"string"}}}}})"),
        std::string("5")}) {
    Serve(schema, SinceReply(false, kZero, RowOfT("initial", 1, 5)));
    failed_ = false;
    Start();
    ASSERT_TRUE(UntilFailed()) << schema;
    EXPECT_EQ(Numbers(), "") << schema;
  }
}

TEST_F(ReplicationTest, IsNotOfItself) {
  Serve(SchemaOfT(), SinceReply(false, kZero, RowOfT("initial", 1, 5)));
  source_.Answer("get_server_id", "", absl::StrCat("\"", own_id_.ToString(), "\""));
  Start();
  ASSERT_TRUE(UntilFailed());
  EXPECT_EQ(Numbers(), "");
}

TEST_F(ReplicationTest, NeedsTheDatabase) {
  Serve(SchemaOfT(), SinceReply(false, kZero, "{}"));
  source_.Answer("monitor_cond", "\"_Server\"", "{}");
  Start();
  ASSERT_TRUE(UntilFailed());
}

TEST_F(ReplicationTest, EndsWithRowsThatDoNotFit) {
  const std::string dangling = absl::StrCat(",\"u\":[\"uuid\",\"", RowId(9), "\"]");
  Serve(SchemaOfT(), SinceReply(false, kZero, RowOfT("initial", 1, 5)));
  Start();
  ASSERT_TRUE(UntilNumbers("5"));
  Update(kZero, RowOfT("insert", 2, 6, dangling));
  ASSERT_TRUE(UntilFailed());
  EXPECT_EQ(Numbers(), "5");

  failed_ = false;
  Serve(SchemaOfT(), SinceReply(false, kZero, RowOfT("initial", 1, 6, dangling)));
  Start();
  ASSERT_TRUE(UntilFailed());
  EXPECT_EQ(Numbers(), "5");
}

}  // namespace
}  // namespace server
