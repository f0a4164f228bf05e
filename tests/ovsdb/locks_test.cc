#include "ovsdb/locks.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ovsdb/error.h"

namespace ovsdb {
namespace {

using Notice = LockTable::Notice;
using Strings = std::vector<std::string>;

// Requests by session number and params text; the answer's text, or "details" of an error.
class LocksTest : public testing::Test {
 protected:
  std::string Answer(const absl::Status& status, const std::string& result) {
    return status.ok() ? result : absl::StrCat(ErrorString(status), ": ", status.message());
  }
  std::string Lock(int session, absl::string_view params) {
    std::string result;
    return Answer(locks_.Lock(session, Parse(params), &result), result);
  }
  std::string Steal(int session, absl::string_view params) {
    std::string result;
    notices_.clear();
    return Answer(locks_.Steal(session, Parse(params), &result, &notices_), result);
  }
  std::string Unlock(int session, absl::string_view params) {
    std::string result;
    notices_.clear();
    return Answer(locks_.Unlock(session, Parse(params), &result, &notices_), result);
  }
  const Json& Parse(absl::string_view params) { return document_ = *ParseJson(params); }

  LockTable locks_;
  std::vector<Notice> notices_;
  JsonDocument document_;
};

constexpr char kTrue[] = "{\"locked\":true}";
constexpr char kFalse[] = "{\"locked\":false}";

TEST_F(LocksTest, FirstComeFirstServed) {
  EXPECT_EQ(Lock(1, R"(["a"])"), kTrue);
  EXPECT_EQ(Lock(2, R"(["a"])"), kFalse);
  EXPECT_EQ(Lock(3, R"(["a"])"), kFalse);
  EXPECT_TRUE(locks_.Owns(1, "a"));
  EXPECT_FALSE(locks_.Owns(2, "a"));
  EXPECT_FALSE(locks_.Owns(1, "b"));
  EXPECT_EQ(locks_.OwnerOf("a"), 1u);
  EXPECT_EQ(locks_.OwnerOf("b"), std::nullopt);
  EXPECT_EQ(Unlock(1, R"(["a"])"), "{}");
  EXPECT_EQ(notices_, (std::vector<Notice>{{Notice::kLocked, 2, "a"}}));
  EXPECT_EQ(Unlock(2, R"(["a"])"), "{}");
  EXPECT_EQ(notices_, (std::vector<Notice>{{Notice::kLocked, 3, "a"}}));
  EXPECT_EQ(Unlock(3, R"(["a"])"), "{}");
  EXPECT_TRUE(notices_.empty());
  EXPECT_EQ(Lock(2, R"(["a"])"), kTrue);
}

TEST_F(LocksTest, TheStolenFromWaitsInFront) {
  Lock(1, R"(["a"])");
  Lock(2, R"(["a"])");
  EXPECT_EQ(Steal(3, R"(["a"])"), kTrue);
  EXPECT_EQ(notices_, (std::vector<Notice>{{Notice::kStolen, 1, "a"}}));
  EXPECT_TRUE(locks_.Owns(3, "a"));
  Unlock(3, R"(["a"])");
  EXPECT_EQ(notices_, (std::vector<Notice>{{Notice::kLocked, 1, "a"}}));
  EXPECT_EQ(Steal(4, R"(["free"])"), kTrue);
  EXPECT_TRUE(notices_.empty());
}

TEST_F(LocksTest, WhoStoleAndIsStolenFromHasLost) {
  Lock(1, R"(["a"])");
  Steal(2, R"(["a"])");
  Steal(3, R"(["a"])");
  EXPECT_EQ(notices_, (std::vector<Notice>{{Notice::kStolen, 2, "a"}}));
  EXPECT_EQ(Lock(2, R"(["a"])"), "syntax error: must issue \"unlock\" before new \"lock\"");
  EXPECT_EQ(Unlock(2, R"(["a"])"), "{}");
  EXPECT_TRUE(notices_.empty());
  Steal(4, R"(["a"])");
  EXPECT_EQ(Unlock(4, R"(["a"])"), "{}");
  EXPECT_EQ(notices_, (std::vector<Notice>{{Notice::kLocked, 1, "a"}})) << "not 3, which has lost";
  Unlock(1, R"(["a"])");
  EXPECT_TRUE(notices_.empty());
  EXPECT_FALSE(locks_.Owns(3, "a"));
  EXPECT_EQ(Lock(5, R"(["a"])"), kTrue);
  locks_.Remove(3, &notices_);
  EXPECT_TRUE(notices_.empty());
}

TEST_F(LocksTest, AWaiterThatGivesUpMakesTheOwnerHearAgain) {
  Lock(1, R"(["a"])");
  Lock(2, R"(["a"])");
  Lock(3, R"(["a"])");
  EXPECT_EQ(Unlock(2, R"(["a"])"), "{}");
  EXPECT_EQ(notices_, (std::vector<Notice>{{Notice::kLocked, 1, "a"}}));
  notices_.clear();
  locks_.Remove(3, &notices_);
  EXPECT_EQ(notices_, (std::vector<Notice>{{Notice::kLocked, 1, "a"}}));
}

TEST_F(LocksTest, ADisconnectPassesItsLocksOn) {
  Lock(1, R"(["a"])");
  Lock(1, R"(["b"])");
  Lock(2, R"(["c"])");
  Lock(2, R"(["b"])");
  locks_.Remove(1, &notices_);
  EXPECT_EQ(notices_, (std::vector<Notice>{{Notice::kLocked, 2, "b"}}));
  EXPECT_EQ(locks_.NamesOf(2).held, (Strings{"b", "c"}));
  EXPECT_TRUE(locks_.NamesOf(1).held.empty());
}

TEST_F(LocksTest, NamesSayWhatIsHeldAwaitedAndLost) {
  Lock(1, R"(["asked"])");
  Steal(1, R"(["stolen"])");
  Lock(1, R"(["kept"])");
  Steal(2, R"(["asked"])");
  Steal(2, R"(["stolen"])");
  LockTable::Names names = locks_.NamesOf(1);
  EXPECT_EQ(names.held, Strings{"kept"});
  EXPECT_EQ(names.waiting, Strings{"asked"});
  EXPECT_EQ(names.lost, Strings{"stolen"});
}

TEST_F(LocksTest, ErrorsAreStocks) {
  Lock(1, R"(["a"])");
  Lock(2, R"(["a"])");
  EXPECT_EQ(Lock(1, R"(["a"])"), "syntax error: must issue \"unlock\" before new \"lock\"");
  EXPECT_EQ(Lock(2, R"(["a"])"), "syntax error: must issue \"unlock\" before new \"lock\"");
  EXPECT_EQ(Steal(2, R"(["a"])"), "syntax error: must issue \"unlock\" before new \"steal\"");
  EXPECT_EQ(Unlock(3, R"(["a"])"),
            "syntax error: unlock: \"unlock\" without \"lock\" or \"steal\"");
  EXPECT_EQ(Unlock(3, R"(["b"])"),
            "syntax error: unlock: \"unlock\" without \"lock\" or \"steal\"");
  for (const char* params :
       {"[]", R"(["a","b"])", "[1]", R"([""])", R"(["a b"])", R"(["9"])", "{}", "null", R"("a")"}) {
    EXPECT_EQ(Lock(1, params), "syntax error: lock request params must be <id>") << params;
    EXPECT_EQ(Steal(1, params), "syntax error: steal request params must be <id>") << params;
    EXPECT_EQ(Unlock(1, params), "syntax error: unlock request params must be <id>") << params;
  }
  EXPECT_EQ(Lock(1, R"(["_a"])"), kTrue);
  EXPECT_TRUE(notices_.empty());
}

}  // namespace
}  // namespace ovsdb
