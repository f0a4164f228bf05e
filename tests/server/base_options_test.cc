#include "server/base/options.h"

#include <getopt.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/daemon.h"
#include "server/base/log.h"
#include "server/base/tls.h"

namespace base {
namespace {

// An argv that getopt may reorder.
class Arguments {
 public:
  explicit Arguments(std::vector<std::string> args) : args_(std::move(args)) {
    args_.insert(args_.begin(), "program");
    for (std::string& arg : args_) pointers_.push_back(arg.data());
    pointers_.push_back(nullptr);
    optind = 0;  // GNU's way to start anew.
  }
  int argc() { return static_cast<int>(args_.size()); }
  char** argv() { return pointers_.data(); }

 private:
  std::vector<std::string> args_;
  std::vector<char*> pointers_;
};

using Strings = std::vector<std::string>;

class OptionsTest : public testing::Test {
 protected:
  OptionsTest() {
    SetProgramName("program");
    parser_.Add("remote", 0, OptionParser::kRequired,
                [this](const char* arg) { seen_.push_back(absl::StrCat("remote=", arg)); });
    parser_.Add("help", 'h', OptionParser::kNone,
                [this](const char*) { seen_.emplace_back("help"); });
    parser_.Add("verb", 'v', OptionParser::kOptional, [this](const char* arg) {
      seen_.push_back(absl::StrCat("verb", arg != nullptr ? "=" : "", arg != nullptr ? arg : ""));
    });
  }
  Strings Parse(Strings args, OptionParser::Order order = OptionParser::kAnyOrder) {
    Arguments arguments(std::move(args));
    return parser_.Parse(arguments.argc(), arguments.argv(), order);
  }

  OptionParser parser_;
  Strings seen_;
};

TEST_F(OptionsTest, TakesWhatGetoptTakes) {
  EXPECT_EQ(Parse({"--remote", "a", "file", "--rem=b", "-h", "-vspec", "-v", "--verb=x", "other"}),
            (Strings{"file", "other"}));
  EXPECT_EQ(seen_, (Strings{"remote=a", "remote=b", "help", "verb=spec", "verb", "verb=x"}));
}

TEST_F(OptionsTest, EarlyOnesComeFirst) {
  parser_.AddEarly("early", OptionParser::kRequired,
                   [this](const char* arg) { seen_.push_back(absl::StrCat("early=", arg)); });
  EXPECT_EQ(Parse({"file", "--remote=a", "--early=1", "-h", "--early", "2"}), Strings{"file"});
  EXPECT_EQ(seen_, (Strings{"early=1", "early=2", "remote=a", "help"}));
}

TEST_F(OptionsTest, DashesEndOptions) {
  EXPECT_EQ(Parse({"-h", "--", "-h"}), (Strings{"-h"}));
  EXPECT_EQ(seen_, (Strings{"help"}));
}

TEST_F(OptionsTest, FirstArgumentMayEndOptions) {
  EXPECT_EQ(Parse({"-h", "command", "-h"}, OptionParser::kOptionsFirst),
            (Strings{"command", "-h"}));
  EXPECT_EQ(seen_, (Strings{"help"}));
}

TEST_F(OptionsTest, MistakesEndTheProgram) {
  EXPECT_EXIT(Parse({"--foo"}), testing::ExitedWithCode(1), "program: unrecognized option '--foo'");
  EXPECT_EXIT(Parse({"-q"}), testing::ExitedWithCode(1), "program: invalid option -- 'q'");
  EXPECT_EXIT(Parse({"--remote"}), testing::ExitedWithCode(1),
              "program: option '--remote' requires an argument");
  EXPECT_EXIT(Parse({"--help=x"}), testing::ExitedWithCode(1),
              "program: option '--help' doesn't allow an argument");
  EXPECT_EXIT(Fatal("it went wrong"), testing::ExitedWithCode(1), "^program: it went wrong\n$");
}

TEST_F(OptionsTest, ListsOptions) {
  EXPECT_EQ(parser_.List(), "--remote=ARG\n--help\n-h \n--verb=[ARG]\n-v [ARG]\n");
}

TEST(OptionGroupsTest, FillTheirSettings) {
  OptionParser parser;
  DaemonOptions daemon;
  TlsConfig tls;
  AddDaemonOptions(&parser, &daemon);
  AddLogOptions(&parser);
  AddTlsOptions(&parser, &tls, true);
  Arguments arguments({"--detach", "--monitor", "--pidfile", "--no-chdir", "--overwrite-pidfile",
                       "--user=u:g", "--no-self-confinement", "-p", "key", "-ccert", "-C", "ca",
                       "--peer-ca-cert=peer"});
  parser.Parse(arguments.argc(), arguments.argv());
  EXPECT_TRUE(daemon.detach);
  EXPECT_TRUE(daemon.monitor);
  EXPECT_FALSE(daemon.chdir);
  EXPECT_TRUE(daemon.overwrite_pidfile);
  EXPECT_EQ(daemon.pidfile, "");
  EXPECT_EQ(daemon.user, "u:g");
  EXPECT_EQ(tls.private_key(), "key");
  EXPECT_EQ(tls.certificate(), "cert");
  EXPECT_EQ(tls.ca_cert(), "ca");
  EXPECT_FALSE(tls.bootstrap_ca_cert());

  Arguments more({"--pidfile=file", "--bootstrap-ca-cert=boot"});
  parser.Parse(more.argc(), more.argv());
  EXPECT_EQ(daemon.pidfile, "file");
  EXPECT_EQ(tls.ca_cert(), "boot");
  EXPECT_TRUE(tls.bootstrap_ca_cert());

  Arguments bad({"-vfoo"});
  EXPECT_EXIT(parser.Parse(bad.argc(), bad.argv()), testing::ExitedWithCode(1),
              "processing \"foo\": no destination, level, or module \"foo\"");
  Arguments method({"--syslog-method=foo"});
  EXPECT_EXIT(parser.Parse(method.argc(), method.argv()), testing::ExitedWithCode(1),
              "unsupported syslog method 'foo'");
}

}  // namespace
}  // namespace base
