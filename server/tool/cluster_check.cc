// Checks the files of a cluster's servers, each by itself and one against the other, for what Raft
// forbids.

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "raft/fields.h"
#include "raft/replay.h"
#include "server/cluster/cluster_file.h"
#include "server/log_file.h"
#include "server/tool/cluster.h"
#include "server/tool/command.h"

namespace tool {
namespace {

using server::LogFile;

// What the records of one server tell.
struct Member {
  struct Leader {
    raft::Term term;
    raft::ServerId id;
    raft::Index log_end;  // Of this server's log, when the record was written.
  };
  struct Commit {
    raft::Term term;  // That was known then.
    raft::Index index;
  };

  std::string path;
  raft::ServerId id;
  bool in_configuration = false;  // In any of its configurations.
  bool has_terms = false;         // In any record.
  std::vector<Leader> leaders;
  std::vector<Commit> commits;
  std::vector<raft::EntryRecord> entries;  // Truncated ones too.
};

// Takes the records of a file one by one, and prints what is remarkable about them.
class MemberReader {
 public:
  MemberReader(const std::string& path, const raft::Header& header) : replay_(header) {
    member_.path = path;
    member_.id = header.server_id;
    NoteConfiguration(header.snapshot.servers);
  }

  // An error is about the first record that is no good.
  absl::Status Read(LogFile* log) {
    while (true) {
      absl::StatusOr<std::optional<raft::Record>> record = server::ReadClusterRecord(log);
      if (!record.ok()) return record.status();
      if (!*record) return absl::OkStatus();
      absl::Status status = Take(**std::move(record));
      if (status.ok()) continue;
      log->Unread();
      return status;
    }
  }

  Member Finish() && { return std::move(member_); }

 private:
  absl::Status Take(raft::Record record) {
    ++n_records_;
    const raft::Index end = state().log.end();
    const auto* entry = std::get_if<raft::EntryRecord>(&record.body);
    const bool truncates = entry != nullptr && entry->index < end;
    const std::string truncation =
        !truncates ? ""
                   : absl::StrCat(member_.path, ": record ", n_records_, " truncates log from ",
                                  end, " to ", entry->index, " entries");
    const absl::Status status = replay_.Apply(record);
    if (!status.ok()) return Failure(absl::StrCat(member_.path, ": ", status.message()));
    if (truncates && leads_in_ == state().term) {
      return Failure(absl::StrCat(truncation, " while server is leader"));
    }
    if (truncates) PrintLine(truncation);
    std::visit([this](const auto& body) { Note(body); }, record.body);
    return absl::OkStatus();
  }

  void Note(const raft::EntryRecord& record) {
    NoteTerm(record.entry.term);
    NoteConfiguration(record.entry.servers);
    member_.entries.push_back(record);
  }
  void Note(const raft::TermRecord& record) { NoteTerm(record.term); }
  void Note(const raft::VoteRecord& record) { NoteTerm(record.term); }
  void Note(const raft::LeaderRecord& record) {
    NoteTerm(record.term);
    if (record.leader == member_.id) leads_in_ = record.term;
    member_.leaders.push_back({record.term, record.leader, state().log.end()});
  }
  void Note(const raft::CommitRecord& record) {
    member_.commits.push_back({state().term, record.commit_index});
  }
  void Note(const raft::NoteRecord& record) {
    if (record.note != raft::Note::kLeft) return;
    PrintLine(absl::StrCat(member_.path, ": record ", n_records_,
                           " shows that the server left the cluster"));
  }

  void NoteTerm(raft::Term term) { member_.has_terms |= term > 0; }
  void NoteConfiguration(const raft::ServersRef& servers) {
    member_.in_configuration |= servers != nullptr && servers->count(member_.id) > 0;
  }

  const raft::PersistentState& state() const { return replay_.state(); }

  raft::Replay replay_;
  Member member_;
  uint64_t n_records_ = 0;
  raft::Term leads_in_ = 0;
};

class Cluster {
 public:
  // Whether the members go together. What is said of the first two that do not is an error.
  absl::Status Check(std::vector<Member> members) {
    members_ = std::move(members);
    for (absl::Status (Cluster::*check)() :
         {&Cluster::CheckThatThereIsALog, &Cluster::CheckConfigurations, &Cluster::CheckLeaders,
          &Cluster::CheckCompleteness, &Cluster::CheckEntries}) {
      if (absl::Status status = (this->*check)(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status CheckThatThereIsALog() {
    const bool any = std::any_of(members_.begin(), members_.end(),
                                 [](const Member& member) { return member.has_terms; });
    return any ? absl::OkStatus() : Failure("all logs are empty");
  }

  absl::Status CheckConfigurations() {
    for (const Member& member : members_) {
      if (!member.in_configuration) {
        return Failure(
            absl::StrCat(member.path, ": server ", Nick(member.id), " not found in server list"));
      }
    }
    return absl::OkStatus();
  }

  // Election safety: at most one leader in a term.
  absl::Status CheckLeaders() {
    struct Claim {
      raft::ServerId leader;
      const Member* by;
    };
    std::map<raft::Term, Claim> claims;
    for (const Member& member : members_) {
      for (const Member::Leader& leader : member.leaders) {
        const auto [first, is_new] = claims.emplace(leader.term, Claim{leader.id, &member});
        if (is_new || first->second.leader == leader.id) continue;
        return Failure(absl::StrCat(
            "term ", leader.term, " has two different leaders: ", first->second.by->path,
            " says that the leader is ", NameOf(first->second.leader), " and ", member.path,
            " says that the leader is ", NameOf(leader.id)));
      }
    }
    return absl::OkStatus();
  }

  // Leader completeness: a leader begins with all that was committed in earlier terms.
  absl::Status CheckCompleteness() {
    for (const Member& member : members_) {
      for (const Member::Leader& leader : member.leaders) {
        if (leader.id != member.id) continue;
        absl::Status status = CheckCompleteness(member, leader);
        if (!status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckCompleteness(const Member& member, const Member::Leader& leader) {
    for (const Member& other : members_) {
      for (const Member::Commit& commit : other.commits) {
        if (commit.term >= leader.term || commit.index < leader.log_end) continue;
        return Failure(absl::StrCat(
            "leader ", member.path, " for term ", leader.term, " has log entries only up to index ",
            leader.log_end - 1, ", but index ", commit.index,
            " was committed in a previous term (e.g. by ", other.path, ")"));
      }
    }
    return absl::OkStatus();
  }

  // Log matching: entries of the same index and term are the same.
  absl::Status CheckEntries() {
    struct Source {
      const raft::Entry* entry;
      const Member* member;
    };
    std::map<std::pair<raft::Index, raft::Term>, Source> sources;
    for (const Member& member : members_) {
      for (const raft::EntryRecord& record : member.entries) {
        const auto [first, is_new] = sources.emplace(
            std::make_pair(record.index, record.entry.term), Source{&record.entry, &member});
        if (is_new) continue;
        const std::string a = TextOf(*first->second.entry);
        const std::string b = TextOf(record.entry);
        if (a == b) continue;
        return Failure(absl::StrCat("log entries with index ", record.index, " differ:\n",
                                    first->second.member->path, " has ", a, "\n", member.path,
                                    " has ", b));
      }
    }
    return absl::OkStatus();
  }

  // The order of members in an entry's JSON is not the same everywhere.
  static std::string TextOf(const raft::Entry& entry) {
    std::string text;
    raft::ObjectWriter writer(&text);
    raft::WriteEntry(entry, &writer);
    writer.End();
    const absl::StatusOr<ovsdb::JsonDocument> json = ovsdb::ParseJson(text);
    return json.ok() ? ovsdb::JsonText(*json, ovsdb::JsonForm::kSorted) : text;
  }

  std::string NameOf(const raft::ServerId& id) const {
    for (const Member& member : members_) {
      if (member.id == id) return member.path;
    }
    return Nick(id);
  }

  std::vector<Member> members_;
};

struct Source {
  std::string path;
  std::unique_ptr<LogFile> log;
  raft::Header header;
};

absl::StatusOr<Source> OpenSource(const std::string& path, LogFile::Mode mode) {
  absl::StatusOr<std::unique_ptr<LogFile>> log = LogFile::Open(path, mode, std::nullopt);
  if (!log.ok()) return log.status();
  if ((*log)->magic() != server::LogMagic::kClustered) {
    return ovsdb::Error("ovsdb error", absl::StrCat(path, ": cannot identify file type"));
  }
  absl::StatusOr<raft::Header> header = server::ReadClusterHeader(log->get());
  if (!header.ok()) return header.status();
  return Source{path, *std::move(log), *std::move(header)};
}

// Opens the files of those that have joined the cluster.
absl::StatusOr<std::vector<Source>> OpenSources(const std::vector<std::string>& paths,
                                                LogFile::Mode mode) {
  std::vector<Source> sources;
  for (const std::string& path : paths) {
    absl::StatusOr<Source> source = OpenSource(path, mode);
    if (!source.ok()) return source.status();
    if (source->header.remote_addresses.empty()) {
      sources.push_back(*std::move(source));
    } else {
      PrintLine(absl::StrCat(path, " has not joined the cluster, omitting"));
    }
  }
  return sources;
}

// Whether they are different servers of one cluster.
absl::Status CheckIdentities(const std::vector<Source>& sources) {
  std::map<raft::ServerId, absl::string_view> paths;
  for (const auto& [path, log, header] : sources) {
    const Source& first = sources.front();
    if (header.cluster_id != first.header.cluster_id) {
      return Failure(absl::StrCat(first.path, " has cluster ID ", Nick(first.header.cluster_id),
                                  " but ", path, " has cluster ID ", Nick(header.cluster_id)));
    }
    if (header.name != first.header.name) {
      return Failure(absl::StrCat(first.path, " is named \"", first.header.name, "\" but ", path,
                                  " is named \"", header.name, "\""));
    }
    const auto [other, is_new] = paths.emplace(header.server_id, path);
    if (!is_new) {
      return Failure(absl::StrCat("Duplicate server ID ", Nick(header.server_id), " in ", path,
                                  " and ", other->second, "."));
    }
  }
  return absl::OkStatus();
}

// Reads the records. With `fix` what follows the last good one is cut off.
absl::StatusOr<Member> ReadMember(Source source, bool fix) {
  MemberReader reader(source.path, source.header);
  LogFile* const log = source.log.get();
  absl::Status status = reader.Read(log);
  if (!status.ok() && fix) {
    PrintLine(absl::StrCat(source.path, ": cutting the log at offset ", log->size(), ": ",
                           ErrorMessage(status)));
    status = log->Append("");
    if (status.ok()) status = log->sync()->Run();
  }
  if (!status.ok()) return status;
  return std::move(reader).Finish();
}

absl::StatusOr<int> Check(const Invocation& invocation, bool fix) {
  absl::StatusOr<std::vector<Source>> sources =
      OpenSources(invocation.args, fix ? LogFile::Mode::kReadWrite : LogFile::Mode::kReadOnly);
  if (!sources.ok()) return sources.status();
  absl::Status status = CheckIdentities(*sources);
  if (!status.ok()) return status;
  std::vector<Member> members;
  for (Source& source : *sources) {
    absl::StatusOr<Member> member = ReadMember(std::move(source), fix);
    if (!member.ok()) return member.status();
    members.push_back(*std::move(member));
  }
  status = Cluster().Check(std::move(members));
  if (!status.ok()) return status;
  return kSuccess;
}

}  // namespace

absl::StatusOr<int> CheckCluster(const Invocation& invocation) { return Check(invocation, false); }

absl::StatusOr<int> FixCluster(const Invocation& invocation) { return Check(invocation, true); }

}  // namespace tool
