#include "server/base/options.h"

#include <getopt.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/daemon.h"
#include "server/base/log.h"
#include "server/base/tls.h"

namespace base {
namespace {

// What getopt_long answers for the first long option; above all characters.
constexpr int kFirstLong = 256;

}  // namespace

void Fatal(absl::string_view message) {
  FlushLog();
  const std::string text = absl::StrCat(ProgramName(), ": ", message, "\n");
  fwrite(text.data(), 1, text.size(), stderr);
  exit(EXIT_FAILURE);
}

void OptionParser::Add(const std::string& name, char short_name, Argument argument,
                       Handler handler) {
  options_.push_back({name, short_name, argument, std::move(handler)});
}

void OptionParser::AddEarly(const std::string& name, Argument argument, Handler handler) {
  options_.push_back({name, 0, argument, std::move(handler), /*early=*/true});
}

std::vector<std::string> OptionParser::Parse(int argc, char** argv, Order order) const {
  std::vector<option> longs;
  std::string shorts = order == kOptionsFirst ? "+" : "";
  for (size_t i = 0; i < options_.size(); i++) {
    const Option& o = options_[i];
    longs.push_back({o.name.c_str(), o.argument, nullptr, kFirstLong + static_cast<int>(i)});
    if (o.short_name == 0) continue;
    shorts += o.short_name;
    if (o.argument != kNone) shorts += o.argument == kRequired ? ":" : "::";
  }
  longs.push_back({nullptr, 0, nullptr, 0});
  const auto each = [&](bool early) {
    optind = 0;  // From the beginning.
    opterr = early ? 0 : 1;
    for (;;) {
      const int c = getopt_long(argc, argv, shorts.c_str(), longs.data(), nullptr);
      if (c == -1) break;
      if (c == '?' && early) continue;  // To be complained about when its turn comes.
      if (c == '?') exit(EXIT_FAILURE);
      const auto found = c >= kFirstLong
                             ? options_.begin() + (c - kFirstLong)
                             : std::find_if(options_.begin(), options_.end(),
                                            [c](const Option& o) { return o.short_name == c; });
      if (found->early == early) found->handler(optarg);
    }
  };
  each(/*early=*/true);
  each(/*early=*/false);
  return std::vector<std::string>(argv + optind, argv + argc);
}

std::string OptionParser::List() const {
  static constexpr const char* kArguments[] = {"", "ARG", "[ARG]"};  // By Argument.
  std::string text;
  for (const Option& o : options_) {
    const char* argument = kArguments[o.argument];
    absl::StrAppend(&text, "--", o.name, o.argument == kNone ? "" : "=", argument, "\n");
    if (o.short_name != 0) {
      absl::StrAppend(&text, "-", std::string(1, o.short_name), " ", argument, "\n");
    }
  }
  return text;
}

void AddDaemonOptions(OptionParser* parser, DaemonOptions* options) {
  using P = OptionParser;
  parser->Add("detach", 0, P::kNone, [options](const char*) { options->detach = true; });
  parser->Add("no-self-confinement", 0, P::kNone, [](const char*) {});
  parser->Add("no-chdir", 0, P::kNone, [options](const char*) { options->chdir = false; });
  parser->Add("pidfile", 0, P::kOptional,
              [options](const char* file) { options->pidfile = file != nullptr ? file : ""; });
  parser->Add("overwrite-pidfile", 0, P::kNone,
              [options](const char*) { options->overwrite_pidfile = true; });
  parser->Add("monitor", 0, P::kNone, [options](const char*) { options->monitor = true; });
  parser->Add("user", 0, P::kRequired, [options](const char* user) { options->user = user; });
}

void AddVerboseOption(OptionParser* parser) {
  parser->Add("verbose", 'v', OptionParser::kOptional, [](const char* spec) {
    if (spec == nullptr) return SetVerbosest();
    const absl::Status status = SetLogLevels(spec);
    if (!status.ok()) {
      Fatal(absl::StrCat("processing \"", spec, "\": ", status.message()));
    }
  });
}

void AddLogOptions(OptionParser* parser) {
  using P = OptionParser;
  AddVerboseOption(parser);
  parser->Add("log-file", 0, P::kOptional, [](const char* file) {
    if (!SetLogFile(file).ok()) exit(EXIT_FAILURE);  // It has been logged.
  });
  parser->AddEarly("log-format", P::kRequired, [](const char* format) {
    const absl::Status status = SetLogFormat(format);
    if (!status.ok()) Fatal(status.message());
  });
  parser->Add("syslog-method", 0, P::kRequired, [](const char* method) {
    const absl::Status status = SetSyslogMethod(method);
    if (!status.ok()) Fatal(status.message());
  });
  parser->Add("syslog-target", 0, P::kRequired,
              [](const char* target) { SetSyslogTarget(target); });
}

void AddTlsOptions(OptionParser* parser, TlsConfig* tls, bool bootstrap) {
  using P = OptionParser;
  parser->Add("private-key", 'p', P::kRequired, [tls](const char* f) { tls->SetPrivateKey(f); });
  parser->Add("certificate", 'c', P::kRequired, [tls](const char* f) { tls->SetCertificate(f); });
  parser->Add("ca-cert", 'C', P::kRequired, [tls](const char* f) { tls->SetCaCert(f, false); });
  parser->Add("ssl-protocols", 0, P::kRequired,
              [tls](const char* list) { tls->SetProtocols(list).IgnoreError(); });
  parser->Add("ssl-ciphers", 0, P::kRequired,
              [tls](const char* list) { tls->SetCiphers(list).IgnoreError(); });
  parser->Add("ssl-ciphersuites", 0, P::kRequired,
              [tls](const char* list) { tls->SetCipherSuites(list).IgnoreError(); });
  if (!bootstrap) return;
  parser->Add("bootstrap-ca-cert", 0, P::kRequired,
              [tls](const char* f) { tls->SetCaCert(f, true); });
  parser->Add("peer-ca-cert", 0, P::kRequired, [tls](const char* f) { tls->SetPeerCaCert(f); });
}

std::string StreamHelp(absl::string_view kind, bool active, bool passive, bool bootstrap) {
  std::string text;
  if (active) {
    absl::StrAppend(&text, "Active ", kind, " connection methods:\n",
                    "  tcp:HOST:PORT           PORT at remote HOST\n"
                    "  ssl:HOST:PORT           SSL/TLS PORT at remote HOST\n"
                    "  unix:FILE               Unix domain socket named FILE\n");
  }
  if (passive) {
    absl::StrAppend(&text, "Passive ", kind, " connection methods:\n",
                    "  ptcp:PORT[:IP]          listen to TCP PORT on IP\n"
                    "  pssl:PORT[:IP]          listen for SSL/TLS on PORT on IP\n"
                    "  punix:FILE              listen on Unix domain socket FILE\n");
  }
  text +=
      "PKI configuration (required to use SSL/TLS):\n"
      "  -p, --private-key=FILE  file with private key\n"
      "  -c, --certificate=FILE  file with certificate for private key\n"
      "  -C, --ca-cert=FILE      file with peer CA certificate\n";
  if (bootstrap) {
    text += "  --bootstrap-ca-cert=FILE  file with peer CA certificate to read or create\n";
  }
  text +=
      "SSL/TLS options:\n"
      "  --ssl-protocols=PROTOS    range of SSL/TLS protocols to enable\n"
      "  --ssl-ciphers=CIPHERS     list of SSL/TLS ciphers to enable\n"
      "                            with TLSv1.2 and earlier\n"
      "  --ssl-ciphersuites=SUITES list of SSL/TLS ciphersuites to\n"
      "                            enable with TLSv1.3 and later\n";
  return text;
}

std::string DaemonHelp() {
  return absl::StrCat(
      "\nDaemon options:\n"
      "  --detach                run in background as daemon\n"
      "  --monitor               creates a process to monitor this daemon\n"
      "  --user=username[:group] changes the effective daemon user:group\n"
      "  --no-chdir              do not chdir to '/'\n"
      "  --pidfile[=FILE]        create pidfile (default: ",
      RunDir(), "/", ProgramName(),
      ".pid)\n"
      "  --overwrite-pidfile     with --pidfile, start even if already running\n");
}

std::string LogHelp() {
  return absl::StrCat(
      "\nLogging options:\n"
      "  -vSPEC, --verbose=SPEC   set logging levels\n"
      "  -v, --verbose            set maximum verbosity level\n"
      "  --log-file[=FILE]        enable logging to specified FILE\n"
      "                           (default: ",
      LogDir(), "/", ProgramName(),
      ".log)\n"
      "  --log-format=(text|json)\n"
      "                           how lines on the console and in the file look\n"
      "  --syslog-method=(libc|unix:file|udp:ip:port)\n"
      "                           specify how to send messages to syslog daemon\n"
      "  --syslog-target=HOST:PORT  also send syslog msgs to HOST:PORT via UDP\n");
}

}  // namespace base
