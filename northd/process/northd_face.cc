#include "northd/process/northd_face.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/face/json_maker.h"

namespace northd {
namespace {

std::string Contact(const Connection& connection) {
  return connection.monitoring() ? "connected" : "not connected";
}

std::string AtMost(const base::DurationHistogram& durations, double part) {
  if (durations.count() == 0) return "–";
  return absl::StrCat(static_cast<double>(durations.QuantileUs(part)) / 1000, " ms");
}

}  // namespace

void NorthdFace::AddMetrics(face::Families* families) const {
  for (const char* const status : {"active", "standby", "paused"}) {
    families->Gauge("boreas_northd_status",
                    "1 for what this instance is: the one that holds the lock is active.",
                    {{"status", status}}, northd_->status() == status ? 1 : 0);
  }
  const auto connected = [&](const char* database, const Connection& connection) {
    families->Gauge("boreas_northd_connected", "1 while the database is followed.",
                    {{"database", database}}, connection.monitoring() ? 1 : 0);
  };
  connected("OVN_Northbound", northd_->nb());
  connected("OVN_Southbound", northd_->sb());
  const Northd::Stats& stats = northd_->stats();
  const engine::EngineStats& engine = northd_->world().engine.stats();
  const auto counter = [&](const char* name, const char* help, uint64_t value) {
    families->Counter(name, help, {}, static_cast<double>(value));
  };
  counter("boreas_northd_passes_total", "Passes over what had changed.", stats.passes);
  counter("boreas_northd_recomputes_total", "Passes over everything.", stats.recomputes);
  counter("boreas_northd_unit_runs_total", "Units of the translation that ran.", engine.runs);
  counter("boreas_northd_unit_changes_total", "Those of them that came out otherwise than before.",
          engine.changed);
  counter("boreas_northd_rows_written_total", "Rows of both databases in what was written.",
          stats.rows_written);
  counter("boreas_northd_transactions_total", "Transactions sent.", stats.transactions);
  counter("boreas_northd_transactions_failed_total", "Transactions that failed.",
          stats.failed_transactions);
  families->Gauge("boreas_northd_units", "Units that the translation is made of now.", {},
                  static_cast<double>(engine.units));
  families->Histogram("boreas_northd_pass_seconds", "Time spent in a pass.", {},
                      northd_->pass_durations());
  families->Histogram(
      "boreas_northd_latency_seconds",
      "From the arrival of a northbound change until what follows from it is committed to "
      "the southbound.",
      {}, northd_->latency());
}

void NorthdFace::AddStatus(rapidjson::Document* status) const {
  face::JsonMaker maker(status);
  rapidjson::Value figures(rapidjson::kArrayType);
  const auto add = [&](absl::string_view label, absl::string_view value) {
    rapidjson::Value pair(rapidjson::kArrayType);
    maker.Push(&pair, maker.Text(label));
    maker.Push(&pair, maker.Text(value));
    maker.Push(&figures, std::move(pair));
  };
  add("status", northd_->status());
  add(absl::StrCat("northbound at ", northd_->nb().remote()), Contact(northd_->nb()));
  add(absl::StrCat("southbound at ", northd_->sb().remote()), Contact(northd_->sb()));
  add("passes", absl::StrCat(northd_->stats().passes));
  add("rows written", absl::StrCat(northd_->stats().rows_written));
  add("failed transactions", absl::StrCat(northd_->stats().failed_transactions));
  add("99 % of passes took at most", AtMost(northd_->pass_durations(), 0.99));
  add("half of the changes were in the southbound within", AtMost(northd_->latency(), 0.5));
  add("99 % of them", AtMost(northd_->latency(), 0.99));
  maker.Add(status, "figures", std::move(figures));
}

std::vector<std::string> NorthdFace::NotReady() const {
  std::vector<std::string> troubles;
  const auto check = [&](const char* which, const Connection& connection) {
    if (connection.monitoring()) return;
    troubles.push_back(
        absl::StrCat("the ", which, " is not followed: no contact with ", connection.remote()));
  };
  check("northbound", northd_->nb());
  check("southbound", northd_->sb());
  return troubles;
}

}  // namespace northd
