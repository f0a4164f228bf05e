#include "bench/load/measure.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "bench/load/connection.h"

namespace load {
namespace {

int64_t ClockNsec(clockid_t clock) {
  timespec t = {};
  if (clock_gettime(clock, &t) != 0) Die("cannot read a clock: has the server ended?");
  return int64_t{t.tv_sec} * 1000000000 + t.tv_nsec;
}

uint64_t StatusOf(pid_t pid, absl::string_view field) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  for (std::string line; std::getline(status, line);) {
    absl::string_view rest = line;
    if (!absl::ConsumePrefix(&rest, field) || !absl::ConsumeSuffix(&rest, " kB")) continue;
    uint64_t kib;
    if (absl::SimpleAtoi(rest, &kib)) return kib;
  }
  Die(absl::StrCat("no ", field, " of the server process"));
}

}  // namespace

int64_t NowNsec() { return ClockNsec(CLOCK_MONOTONIC); }

int64_t Processes::CpuNsec() const {
  int64_t sum = 0;
  for (const pid_t pid : pids_) {
    clockid_t clock;
    if (clock_getcpuclockid(pid, &clock) != 0) Die("no such server process");
    sum += ClockNsec(clock);
  }
  return sum;
}

uint64_t Processes::StatusKib(absl::string_view field) const {
  uint64_t sum = 0;
  for (const pid_t pid : pids_) sum += StatusOf(pid, field);
  return sum;
}

uint64_t Processes::PeakKib() const { return StatusKib("VmHWM:"); }

uint64_t Processes::RssKib() const { return StatusKib("VmRSS:"); }

void Processes::ResetPeak() const {
  for (const pid_t pid : pids_) {
    std::ofstream(absl::StrCat("/proc/", pid, "/clear_refs")) << "5\n";
  }
}

int64_t Latencies::Percentile(double p) {
  if (nsec_.empty()) return 0;
  const auto nth = nsec_.begin() + static_cast<ptrdiff_t>((nsec_.size() - 1) * p / 100);
  std::nth_element(nsec_.begin(), nth, nsec_.end());
  return *nth;
}

Report& Report::Add(absl::string_view name, double value) {
  absl::StrAppend(&members_, members_.empty() ? "" : ",", "\"", name,
                  "\":", absl::StrFormat("%.10g", value));
  numbers_.emplace_back(name, value);
  return *this;
}

Report& Report::Add(absl::string_view name, absl::string_view value) {
  absl::StrAppend(&members_, members_.empty() ? "" : ",", "\"", name, "\":\"", value, "\"");
  return *this;
}

Report& Report::Add(absl::string_view name, Latencies* latencies) {
  return Add(absl::StrCat(name, "_p50_usec"), latencies->Percentile(50) / 1e3)
      .Add(absl::StrCat(name, "_p99_usec"), latencies->Percentile(99) / 1e3)
      .Add(absl::StrCat(name, "_max_usec"), latencies->Percentile(100) / 1e3);
}

double Report::Get(absl::string_view name) const {
  for (const auto& [key, value] : numbers_) {
    if (key == name) return value;
  }
  return 0;
}

void Report::Print() const { std::printf("{%s}\n", members_.c_str()); }

Measurement::Measurement(const Processes& servers) : servers_(servers) {
  servers_.ResetPeak();
  cpu_ = servers_.CpuNsec();
  wall_ = NowNsec();
}

void Measurement::Stop(uint64_t operations, Report* report) const {
  const int64_t wall = NowNsec() - wall_;
  const int64_t cpu = servers_.CpuNsec() - cpu_;
  report->Add("cpu_sec", cpu / 1e9).Add("wall_sec", wall / 1e9);
  report->Add("peak_kib", servers_.PeakKib()).Add("rss_kib", servers_.RssKib());
  if (operations == 0) return;
  report->Add("cpu_usec_per_op", cpu / 1e3 / operations);
  report->Add("wall_usec_per_op", wall / 1e3 / operations);
}

EchoProbe::EchoProbe(const std::string& socket_path)
    : fd_(ConnectUnix(socket_path)), thread_([this] { Run(); }) {}

void EchoProbe::AwaitReply() {
  char buffer[4096];
  JsonScanner scanner;
  for (bool replied = false; !replied;) {
    const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) Die("the echo client was cut off");
    for (absl::string_view rest(buffer, n); !rest.empty();) {
      rest.remove_prefix(scanner.Feed(rest));
      if (!scanner.done()) break;
      replied |= scanner.is_reply();
      if (scanner.is_echo()) {
        const std::string answer = EchoReply(scanner.id_json());
        send(fd_, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
      scanner.Reset();
    }
  }
}

void EchoProbe::Run() {
  // Ahead of the load's own threads where that is allowed: it times the server, not them.
  setpriority(PRIO_PROCESS, gettid(), -10);
  constexpr absl::string_view kEcho = R"({"id":1,"method":"echo","params":[]})";
  for (int64_t due = NowNsec(); !stop_; due = std::max(due + 1000000, NowNsec())) {
    while (NowNsec() < due) usleep((due - NowNsec()) / 1000 + 1);
    if (send(fd_, kEcho.data(), kEcho.size(), MSG_NOSIGNAL) < 0) Die("the echo client was cut off");
    AwaitReply();
    latencies_.Add(NowNsec() - due);
  }
}

Latencies EchoProbe::Stop() {
  stop_ = true;
  thread_.join();
  close(fd_);
  return std::move(latencies_);
}

}  // namespace load
