#include "server/face/page.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "ovsdb/json.h"
#include "server/face/style.h"

namespace face {
namespace {

using ovsdb::Json;

// ---- Reading, with care for what others say ----

const Json& Member(const Json& object, const char* name) {
  static const Json null;
  const Json* const member = ovsdb::FindMember(object, name);
  return member != nullptr ? *member : null;
}

std::string Text(const Json& value) {
  return value.IsString() ? std::string(ovsdb::StringView(value)) : "";
}

// Of counts and durations.
std::optional<int64_t> Integer(const Json& value) {
  if (value.IsInt64() && value.GetInt64() >= 0) return value.GetInt64();
  return std::nullopt;
}

bool IsTrue(const Json& value) { return value.IsBool() && value.GetBool(); }

struct Elements {
  explicit Elements(const Json& value) : value(value) {}
  const Json* begin() const { return value.IsArray() ? value.Begin() : nullptr; }
  const Json* end() const { return value.IsArray() ? value.End() : nullptr; }
  const Json& value;
};

// ---- Words ----

std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string Bytes(int64_t bytes) {
  if (bytes < 10'000) return absl::StrCat(bytes, " B");
  if (bytes < 10'000'000) return absl::StrCat(bytes / 1000, " kB");
  return absl::StrCat(bytes / 1'000'000, " MB");
}

std::string Duration(int64_t us) {
  if (us < 1000) return absl::StrCat(us, " µs");
  if (us < 10'000) return absl::StrFormat("%.1f ms", static_cast<double>(us) / 1000);
  if (us < 10'000'000) return absl::StrCat(us / 1000, " ms");
  return absl::StrCat(us / 1'000'000, " s");
}

std::string Ago(int64_t ms) {
  const int64_t s = ms / 1000;
  if (ms < 10'000) return absl::StrFormat("%.1f s", static_cast<double>(ms) / 1000);
  if (s < 120) return absl::StrCat(s, " s");
  if (s < 7200) return absl::StrCat(s / 60, " min");
  if (s < 172'800) return absl::StrCat(s / 3600, " h");
  return absl::StrCat(s / 86'400, " days");
}

std::string OrDash(const std::optional<int64_t>& value) {
  return value ? absl::StrCat(*value) : "–";
}

std::string Pill(absl::string_view kind, absl::string_view text) {
  return absl::StrCat("<span class=\"pill ", kind, "\">", Escaped(text), "</span>");
}

std::string Card(absl::string_view label, absl::string_view value) {
  return absl::StrCat("<div class=\"card\"><b>", Escaped(value), "</b><span>", Escaped(label),
                      "</span></div>");
}

// A table in a box of its own. Cells are HTML. Where the screen is narrow a row becomes a block, in
// which each cell tells its head.
class Table {
 public:
  explicit Table(std::vector<std::string> heads) : heads_(std::move(heads)) {
    text_ = "<div class=\"box\"><table><tr>";
    for (const std::string& head : heads_) absl::StrAppend(&text_, "<th>", Escaped(head), "</th>");
    text_ += "</tr>";
  }
  void Row(const std::vector<std::string>& cells, absl::string_view kind = "") {
    absl::StrAppend(&text_, "<tr class=\"", kind, "\">");
    for (size_t i = 0; i < cells.size(); i++) {
      absl::StrAppend(&text_, "<td data-head=\"", Escaped(heads_[i]), "\">", cells[i], "</td>");
    }
    text_ += "</tr>";
  }
  std::string Text() const { return text_ + "</table></div>"; }

 private:
  const std::vector<std::string> heads_;
  std::string text_;
};

// ---- A cluster, as its members see it ----

struct View {
  std::string host;              // Empty: this node.
  const Json* status = nullptr;  // Null: it does not answer.
  std::string error;
};

std::string HostText(const View& view) { return view.host.empty() ? "this node" : view.host; }

// What `view` says about the member of the cluster of database `name` whose id is `id`, if that is
// itself.
const Json* OwnWord(const View& view, const std::string& name, const std::string& id) {
  if (view.status == nullptr) return nullptr;
  for (const Json& database : Elements(Member(*view.status, "databases"))) {
    if (Text(Member(database, "name")) != name) continue;
    const Json& cluster = Member(database, "cluster");
    return Text(Member(cluster, "self")) == id ? &cluster : nullptr;
  }
  return nullptr;
}

// Followers speak to the leader alone: what others heard of them last means nothing.
std::string HeardText(const Json& server, const Json& cluster) {
  if (IsTrue(Member(server, "is_self"))) return "this node";
  const std::optional<int64_t> heard = Integer(Member(server, "last_message_ms"));
  const bool matters = Text(Member(cluster, "role")) == "leader" ||
                       Text(Member(cluster, "leader")) == Text(Member(server, "id"));
  return heard && matters ? Ago(*heard) + " ago" : "–";
}

struct ClusterMember {
  std::string id;
  const Json* server = nullptr;  // What this node says of it.
  const Json* word = nullptr;    // What it says itself; null: nothing.
  std::string host;              // Where it says so.
};

std::vector<ClusterMember> MembersOf(const std::string& name, const Json& cluster,
                                     const std::vector<View>& views) {
  std::vector<ClusterMember> members;
  for (const Json& server : Elements(Member(cluster, "servers"))) {
    ClusterMember member = {.id = Text(Member(server, "id")), .server = &server};
    for (const View& view : views) {
      if (member.word != nullptr) break;
      member.word = OwnWord(view, name, member.id);
      member.host = HostText(view);
    }
    members.push_back(std::move(member));
  }
  return members;
}

std::string MembersTable(const Json& cluster, const std::vector<ClusterMember>& members) {
  // The furthest that anybody has come; it tells nothing where nobody knows a leader.
  int64_t newest = 0;
  bool led = false;
  for (const ClusterMember& member : members) {
    if (member.word == nullptr) continue;
    newest = std::max(newest, Integer(Member(*member.word, "commit_index")).value_or(0));
    led |= !Text(Member(*member.word, "leader")).empty();
  }
  Table table({"member", "role", "lags by", "committed", "term", "last heard", "address"});
  for (const auto& [id, server_pointer, word, host] : members) {
    const Json& server = *server_pointer;
    const std::string address = Escaped(Text(Member(server, "address")));
    const std::string who = Escaped(id.substr(0, 4));
    const std::string heard = HeardText(server, cluster);
    if (word == nullptr) {
      // What it has told this leader; 0: nothing yet.
      std::optional<int64_t> match = Integer(Member(server, "match_index"));
      if (match == 0) match = std::nullopt;
      table.Row({who, Pill("bad", "does not answer"), "–", OrDash(match), "–", heard, address},
                "bad");
      continue;
    }
    const std::string role = Text(Member(*word, "role"));
    const std::string state = Text(Member(*word, "status"));
    const std::optional<int64_t> commit = Integer(Member(*word, "commit_index"));
    std::string roles = Pill(role == "leader"     ? "good"
                             : role == "follower" ? "plain"
                                                  : "warn",
                             role);
    if (state != "cluster member") roles += Pill("bad", state);
    table.Row({who, roles, commit && led ? absl::StrCat(newest - *commit) : "–", OrDash(commit),
               OrDash(Integer(Member(*word, "term"))), heard, address},
              role == "leader" ? "leads" : "");
  }
  return table.Text();
}

// Each member knows of the elections that it stood for itself: the newest of all come first.
std::string Elections(const Json& cluster, const std::vector<ClusterMember>& members) {
  std::multimap<int64_t, std::string> by_age;
  for (const ClusterMember& member : members) {
    if (member.word == nullptr) continue;
    const std::optional<int64_t> stood = Integer(Member(*member.word, "election_started_ms"));
    const std::optional<int64_t> won = Integer(Member(*member.word, "election_won_ms"));
    const std::string who =
        absl::StrCat("<b>", Escaped(member.id.substr(0, 4)), "</b> (", Escaped(member.host), ") ");
    const std::string why =
        stood ? absl::StrCat(" after a ", Escaped(Text(Member(*member.word, "election_reason"))))
              : "";
    const bool lost = stood && (!won || *stood < *won);  // The last one that it stood for.
    if (lost) by_age.emplace(*stood, absl::StrCat(who, "stood ", Ago(*stood), " ago", why));
    if (won) by_age.emplace(*won, absl::StrCat(who, "won ", Ago(*won), " ago", lost ? "" : why));
  }
  std::string text;
  for (const auto& [age, event] : by_age) absl::StrAppend(&text, text.empty() ? "" : "; ", event);
  return absl::StrCat("<p class=\"note\">Last elections: ", text.empty() ? "none is known" : text,
                      ". Election timer ", OrDash(Integer(Member(cluster, "election_timer_ms"))),
                      " ms.</p>");
}

std::string DatabaseSection(const Json& database, const std::vector<View>& views) {
  const std::string name = Text(Member(database, "name"));
  std::string text = absl::StrCat("<section><h2>", Escaped(name), " ",
                                  Pill("plain", Text(Member(database, "model"))), "</h2>");
  const Json& cluster = Member(database, "cluster");
  std::string elections;
  if (cluster.IsObject()) {
    const std::vector<ClusterMember> members = MembersOf(name, cluster, views);
    text += MembersTable(cluster, members);
    elections = Elections(cluster, members);
  }
  text += "<div class=\"cards\">";
  const auto card = [&](const char* member, absl::string_view label, std::string (*show)(int64_t)) {
    const std::optional<int64_t> value = Integer(Member(database, member));
    if (value) text += Card(label, show(*value));
  };
  const auto plain = [](int64_t n) { return absl::StrCat(n); };
  card("rows", "rows", plain);
  card("file_bytes", "file", Bytes);
  card("monitors", "monitors", plain);
  card("fsync_p99_us", "99 % of fsyncs took at most", Duration);
  card("writes", "transactions that write", plain);
  card("latency_p50_us", "half of them took at most", Duration);
  card("latency_p99_us", "99 % of them", Duration);
  return absl::StrCat(text, "</div>", elections, "</section>");
}

// ---- The page ----

std::string Header(const Json& own) {
  std::vector<std::string> troubles;
  for (const Json& trouble : Elements(Member(own, "troubles"))) troubles.push_back(Text(trouble));
  std::string text =
      absl::StrCat("<header><h1>", Escaped(Text(Member(own, "program"))), " on ",
                   Escaped(Text(Member(own, "host"))), "</h1>",
                   troubles.empty() ? Pill("good", "works") : Pill("bad", "does not do its work"),
                   "<p class=\"note\">", Escaped(Text(Member(own, "version"))), ", up for ",
                   Ago(Integer(Member(own, "uptime_s")).value_or(0) * 1000), ", ",
                   Escaped(Text(Member(own, "time"))), "</p></header>");
  for (const std::string& trouble : troubles) {
    absl::StrAppend(&text, "<p class=\"trouble\">", Escaped(trouble), "</p>");
  }
  return text;
}

// The one that has the lock, which no other server knows than the one where it has it.
std::string ActiveNorthd(const std::vector<View>& views) {
  std::string cards;
  bool all_answer = true;
  for (const View& view : views) {
    all_answer &= view.status != nullptr;
    const std::string owner = view.status != nullptr ? Text(Member(*view.status, "northd")) : "";
    if (owner.empty()) continue;
    cards += Card(absl::StrCat("active ovn-northd, says ", HostText(view)), owner);
  }
  return !cards.empty() ? cards : Card("active ovn-northd", all_answer ? "none" : "–");
}

// What a daemon has to say beyond databases: [label, value] pairs.
std::string Figures(const Json& own, const std::vector<View>& views) {
  std::string cards;
  for (const Json& figure : Elements(Member(own, "figures"))) {
    if (!figure.IsArray() || figure.Size() != 2) continue;
    cards += Card(Text(figure[0]), Text(figure[1]));
  }
  if (const std::optional<int64_t> n = Integer(Member(own, "n_clients"))) {
    cards += Card("clients", absl::StrCat(*n));
  }
  if (const std::optional<int64_t> ms = Integer(Member(own, "longest_turn_ms"))) {
    cards += Card("longest time without looking at clients",
                  *ms > 0 ? absl::StrCat(*ms, " ms") : "under 1 ms");
  }
  if (Member(own, "northd").IsString()) cards += ActiveNorthd(views);
  return absl::StrCat("<section><div class=\"cards\">", cards, "</div></section>");
}

std::string Slow(const std::vector<View>& views) {
  std::string items;
  for (const View& view : views) {
    if (view.status == nullptr) continue;
    for (const Json& thing : Elements(Member(*view.status, "slow"))) {
      absl::StrAppend(&items, "<li>", Pill("warn", Text(Member(thing, "kind"))), " ",
                      Escaped(Text(Member(thing, "text"))), "<small>",
                      Escaped(Text(Member(thing, "time"))), ", ", Escaped(HostText(view)),
                      "</small></li>");
    }
  }
  return absl::StrCat("<section><h2>What was slow</h2>",
                      items.empty() ? "<p class=\"note\">Nothing so far.</p>"
                                    : absl::StrCat("<ul class=\"box\">", items, "</ul>"),
                      "</section>");
}

std::string Clients(const Json& own) {
  if (Elements(Member(own, "clients")).begin() == nullptr) return "";
  Table table({"client", "has still to read", "monitors", "waits for answers", "for"});
  for (const Json& client : Elements(Member(own, "clients"))) {
    const int64_t backlog = Integer(Member(client, "backlog_bytes")).value_or(0);
    table.Row(
        {Escaped(Text(Member(client, "name"))), Bytes(backlog),
         OrDash(Integer(Member(client, "monitors"))), OrDash(Integer(Member(client, "requests"))),
         Ago(Integer(Member(client, "connected_s")).value_or(0) * 1000)},
        backlog > 1'000'000 ? "bad" : "");
  }
  return absl::StrCat("<section><h2>Biggest clients</h2>", table.Text(), "</section>");
}

std::string Silent(const std::vector<View>& views) {
  std::string text;
  for (const View& view : views) {
    if (view.status != nullptr) continue;
    absl::StrAppend(&text, "<p class=\"note\">", Escaped(view.host),
                    " says nothing here: ", Escaped(view.error), "</p>");
  }
  return text;
}

}  // namespace

std::string PageText(absl::string_view own_text,
                     const std::map<std::string, absl::StatusOr<std::string>>& peers) {
  std::vector<ovsdb::JsonDocument> documents(peers.size() + 1);
  std::vector<View> views(1);
  if (absl::StatusOr<ovsdb::JsonDocument> own = ovsdb::ParseJson(own_text); own.ok()) {
    documents[0] = *std::move(own);
  }
  views[0].status = &documents[0];
  size_t n = 0;
  for (const auto& [host, said] : peers) {
    View view;
    view.host = host;
    absl::StatusOr<ovsdb::JsonDocument> parsed =
        said.ok() ? ovsdb::ParseJson(*said) : absl::StatusOr<ovsdb::JsonDocument>(said.status());
    if (parsed.ok()) {
      documents[++n] = *std::move(parsed);
      view.status = &documents[n];
    } else {
      view.error = std::string(parsed.status().message());
    }
    views.push_back(std::move(view));
  }
  const Json& own = documents[0];
  std::string body = Header(own);
  for (const Json& database : Elements(Member(own, "databases"))) {
    body += DatabaseSection(database, views);
  }
  absl::StrAppend(&body, Silent(views), Figures(own, views), Slow(views), Clients(own));
  return absl::StrCat(
      "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><meta http-equiv=\"refresh\" "
      "content=\"5\"><title>",
      Escaped(Text(Member(own, "program"))), " on ", Escaped(Text(Member(own, "host"))),
      "</title><style>", kStyle, "</style></head><body><main>", body,
      "<footer class=\"note\">Boreas ", Escaped(Text(Member(own, "boreas"))),
      "</footer></main></body></html>\n");
}

}  // namespace face
