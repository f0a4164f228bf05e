#include "server/base/unixctl.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base_test_util.h"
#include "server/base/coverage.h"
#include "server/base/jsonrpc.h"
#include "server/base/log.h"
#include "server/base/memory.h"

namespace base {
namespace {

Counter hit("unixctl_test_hit");
Counter never_hit("unixctl_test_never");

class UnixctlTest : public testing::Test, private Stream::Handler {
 protected:
  void SetUp() override {
    SetProgramName("test-program");
    ASSERT_TRUE(unixctl_.Listen(path_).ok());
    auto stream = Stream::Connect(context_, "unix:" + path_, kNoDscp, this);
    ASSERT_TRUE(stream.ok());
    stream_ = *std::move(stream);
  }
  void OnData(absl::string_view data) override { got_.append(data.data(), data.size()); }
  void OnClosed(const absl::Status&) override { closed_ = true; }

  void Send(const std::string& method, const std::string& params) {
    stream_->Write(absl::StrCat(R"({"id":0,"method":")", method, R"(","params":)", params, "}"));
  }
  // The answer to a command, of which there must be one.
  std::string Call(const std::string& method, const std::string& params = "[]") {
    got_.clear();
    Send(method, params);
    RunUntil(&loop_, [&] { return !got_.empty() && got_.back() == '}'; });
    return got_;
  }
  static std::string Result(absl::string_view text) {
    return absl::StrCat(R"({"id":0,"result":)", StringText(text), R"(,"error":null})");
  }
  static std::string Error(absl::string_view text) {
    return absl::StrCat(R"({"id":0,"error":)", StringText(text), "}");
  }

  TempDir dir_;
  std::string path_ = dir_ / "ctl";
  Loop loop_;
  StreamContext context_{&loop_, nullptr};
  Unixctl unixctl_{context_};
  std::unique_ptr<Stream> stream_;
  std::string got_;
  bool closed_ = false;
};

TEST_F(UnixctlTest, AnswersInStocksWords) {
  unixctl_.Register("two", "A B", 2, 2, [](UnixctlArgs args, UnixctlReply reply) {
    reply.Text(absl::StrCat(args[0], "+", args[1]));
  });
  EXPECT_EQ(Call("version"), Result("test-program (Open vSwitch) 3.5.0"));
  EXPECT_EQ(Call("two", R"(["a","b"])"), Result("a+b"));
  EXPECT_EQ(Call("two", R"(["a"])"), Error("\"two\" command requires at least 2 arguments"));
  EXPECT_EQ(Call("two", R"(["a","b","c"])"), Error("\"two\" command takes at most 2 arguments"));
  EXPECT_EQ(Call("two", R"(["a",1])"), Error("\"two\" command has non-string argument"));
  EXPECT_EQ(Call("nosuch"), Error("\"nosuch\" is not a valid command (use \"list-commands\" to see "
                                  "a list of valid commands)"));
}

TEST_F(UnixctlTest, ListsCommandsButNotHiddenOnes) {
  unixctl_.Register("a-hidden-one", nullptr, 0, 0,
                    [](UnixctlArgs, UnixctlReply reply) { reply.Text(""); });
  EXPECT_EQ(Call("list-commands"), Result("The available commands are:\n"
                                          "  list-commands           \n"
                                          "  set-options             [--format text|json]\n"
                                          "  version                 \n"));
  EXPECT_EQ(Call("a-hidden-one"), Result(""));
}

TEST_F(UnixctlTest, FormatIsPerConnection) {
  EXPECT_EQ(Call("set-options", R"(["--format","json"])"),
            R"({"id":0,"result":{"reply-format":"plain","reply":""},"error":null})");
  EXPECT_EQ(Call("version"), R"({"id":0,"result":{"reply-format":"plain",)"
                             R"("reply":"test-program (Open vSwitch) 3.5.0"},"error":null})");
  EXPECT_EQ(Call("list-commands"),
            R"({"id":0,"result":{"list-commands":"","set-options":"[--format text|json]",)"
            R"("version":""},"error":null})");
  EXPECT_EQ(Call("set-options", R"(["--fo=text"])"), Result(""));
  EXPECT_EQ(Call("set-options", R"(["--format"])"),
            Error("option '--format' requires an argument"));
  EXPECT_EQ(Call("set-options", R"(["--format","xml"])"),
            Error("option format has invalid value xml"));
  EXPECT_EQ(Call("set-options", R"(["--bar"])"), Error("unrecognized option '--bar'"));
  EXPECT_EQ(Call("set-options", R"(["foo"])"), Result(""));
}

TEST_F(UnixctlTest, CommandsMayAnswerLater) {
  std::optional<UnixctlReply> kept;
  unixctl_.Register("later", "", 0, 0,
                    [&](UnixctlArgs, UnixctlReply reply) { kept.emplace(std::move(reply)); });
  Send("later", "[]");
  Send("version", "[]");
  ASSERT_TRUE(RunUntil(&loop_, [&] { return kept.has_value(); }));
  for (int i = 0; i < 3; i++) loop_.RunOnce(false);
  EXPECT_EQ(got_, "");  // The next command waits.
  kept->Text("done");
  const std::string both = Result("done") + Result("test-program (Open vSwitch) 3.5.0");
  EXPECT_TRUE(RunUntil(&loop_, [&] { return got_ == both; })) << got_;
}

TEST_F(UnixctlTest, AnswerToAGoneClientIsDropped) {
  std::optional<UnixctlReply> kept;
  unixctl_.Register("later", "", 0, 0,
                    [&](UnixctlArgs, UnixctlReply reply) { kept.emplace(std::move(reply)); });
  Send("later", "[]");
  ASSERT_TRUE(RunUntil(&loop_, [&] { return kept.has_value(); }));
  stream_.reset();
  for (int i = 0; i < 3; i++) loop_.RunOnce(false);
  kept->Text("nobody");
  loop_.RunOnce(false);
}

TEST_F(UnixctlTest, ACommandThatForgetsToAnswerIsAnError) {
  unixctl_.Register("forget", "", 0, 0, [](UnixctlArgs, UnixctlReply) {});
  EXPECT_TRUE(absl::StrContains(Call("forget"), "\"error\":\""));
}

TEST_F(UnixctlTest, OtherMessagesCloseTheConnection) {
  stream_->Write(R"({"method":"version","params":[],"id":null})");
  EXPECT_TRUE(RunUntil(&loop_, [&] { return closed_; }));
}

TEST_F(UnixctlTest, SocketThatCannotBeMadeIsAnError) {
  Unixctl second(context_);
  EXPECT_EQ(second.Listen("/nonexistent/ctl").message(),
            "/nonexistent/ctl: could not initialize control socket (No such file or directory)");
  EXPECT_TRUE(second.Listen("none").ok());
}

TEST_F(UnixctlTest, LogCommandsAnswerAsStock) {
  RegisterLogCommands(&unixctl_);
  CloseLogFile();
  EXPECT_EQ(Call("vlog/reopen"), Error("Logging to file not configured"));
  EXPECT_EQ(Call("vlog/set", R"(["foo"])"), Error("no destination, level, or module \"foo\""));
  EXPECT_EQ(Call("vlog/set", R"(["jsonrpc:console:warn"])"), Result(""));
  EXPECT_EQ(Call("vlog/disable-rate-limit", R"(["jsonrpc"])"), Result(""));
  const std::string list = Call("vlog/list");
  EXPECT_TRUE(absl::StrContains(list, R"(                 console    syslog    file\n)")) << list;
  EXPECT_TRUE(absl::StrContains(
      list, R"(jsonrpc           WARN       INFO       INFO    (rate limiting disabled)\n)"))
      << list;
  EXPECT_EQ(Call("vlog/enable-rate-limit"), Result(""));
  EXPECT_EQ(Call("vlog/enable-rate-limit", R"(["nosuch"])"), Error("unknown module"));
  EXPECT_EQ(Call("vlog/set", R"(["PATTERN:console:%m"])"), Result(""));
  EXPECT_TRUE(absl::StrContains(Call("vlog/list-pattern"),
                                R"(\nCONSOLE  none                              %m\n)"));
}

TEST_F(UnixctlTest, CountersAndMemoryAreShown) {
  CoverageReport coverage(&loop_, &unixctl_);
  MemoryReport memory(&loop_, &unixctl_, [](MemoryUsage* usage) {
    (*usage)["cells"] += 20;
    (*usage)["atoms"] += 14;
  });
  hit.Add(3);
  EXPECT_EQ(Call("coverage/read-counter", R"(["unixctl_test_hit"])"), Result("3"));
  EXPECT_EQ(Call("coverage/read-counter", R"(["nosuch"])"), Error("No such counter"));
  const std::string shown = Call("coverage/show");
  EXPECT_TRUE(absl::StrContains(
      shown, R"(unixctl_test_hit           0.0/sec     0.000/sec        0.0000/sec   total: 3\n)"))
      << shown;
  EXPECT_FALSE(absl::StrContains(shown, "unixctl_test_never")) << shown;
  EXPECT_TRUE(absl::StrContains(shown, " events never hit")) << shown;
  EXPECT_EQ(Call("memory/show"), Result("atoms:14 cells:20"));
}

}  // namespace
}  // namespace base
