#include "raft/record.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/object_parser.h"
#include "raft/fields.h"

namespace raft {
namespace {

using ovsdb::Json;
using ovsdb::ObjectParser;

constexpr char kHeader[] = "raft header";
constexpr char kRecord[] = "raft log record";
constexpr char kLeftText[] = "left";
constexpr char kTransferText[] = "transfer leadership";

// ---- Writing ----

void Write(const EntryRecord& record, ObjectWriter* writer) {
  WriteEntry(record.entry, writer);
  writer->Number("index", record.index);
}

void Write(const TermRecord& record, ObjectWriter* writer) { writer->Number("term", record.term); }

void Write(const VoteRecord& record, ObjectWriter* writer) {
  writer->Uuid("vote", record.vote);
  writer->Number("term", record.term);
}

void Write(const LeaderRecord& record, ObjectWriter* writer) {
  writer->Uuid("leader", record.leader);
  writer->Number("term", record.term);
}

void Write(const CommitRecord& record, ObjectWriter* writer) {
  writer->Number("commit_index", record.commit_index);
}

void Write(const NoteRecord& record, ObjectWriter* writer) {
  writer->String("note", NoteText(record));
}

void WriteSnapshot(const SnapshotInfo& snapshot, ObjectWriter* writer) {
  writer->Number("prev_term", snapshot.term);
  writer->Number("prev_index", snapshot.index);
  writer->Uuid("prev_eid", snapshot.eid);
  writer->Servers("prev_servers", *snapshot.servers);
  if (snapshot.election_timer_ms != 0) {
    writer->Number("prev_election_timer", snapshot.election_timer_ms);
  }
}

// ---- Parsing ----

NoteRecord ReadNote(absl::string_view text) {
  if (text == kTransferText) return {Note::kTransferLeadership, {}};
  if (text == kLeftText) return {Note::kLeft, {}};
  return {Note::kOther, std::string(text)};
}

VoteRecord ReadVote(ObjectParser* parser) {
  VoteRecord record;
  record.term = ReadNumber("term", parser);
  record.vote = ReadUuid("vote", parser);
  if (record.vote.is_zero()) parser->Fail("record votes for all-zeros SID");
  return record;
}

LeaderRecord ReadLeader(ObjectParser* parser) {
  LeaderRecord record;
  record.term = ReadNumber("term", parser);
  record.leader = ReadServerId("leader", parser);
  return record;
}

absl::StatusOr<decltype(Record::body)> ParseEntryRecord(ObjectParser* parser) {
  const Index index = ReadNumber("index", parser);
  absl::StatusOr<Entry> entry = ReadEntry(kRecord, parser);
  if (!entry.ok()) return entry.status();
  return EntryRecord{index, *std::move(entry)};
}

// Finishes the parser. Which kind of record it is shows in the members that it has.
absl::StatusOr<decltype(Record::body)> ParseBody(const Json& json, ObjectParser* parser) {
  const auto has = [&json](absl::string_view name) {
    return ovsdb::FindMember(json, name) != nullptr;
  };
  decltype(Record::body) body;
  if (has("note")) {
    body = ReadNote(ReadString("note", parser));
  } else if (has("commit_index")) {
    body = CommitRecord{ReadNumber("commit_index", parser)};
  } else if (has("leader")) {
    body = ReadLeader(parser);
  } else if (has("vote")) {
    body = ReadVote(parser);
  } else if (has("index")) {
    return ParseEntryRecord(parser);
  } else {
    body = TermRecord{ReadNumber("term", parser)};
  }
  if (!parser->Finish()) return parser->Error(kRecord);
  return body;
}

absl::StatusOr<Header> ParseJoining(Header header, const Json& remotes, ObjectParser* parser) {
  if (!parser->Finish()) return parser->Error(kHeader);
  absl::StatusOr<std::vector<std::string>> addresses = ParseAddresses(remotes);
  if (!addresses.ok()) return addresses.status();
  // Nobody can be asked to be let in by himself.
  for (std::string& address : *addresses) {
    if (address != header.local_address) header.remote_addresses.push_back(std::move(address));
  }
  if (header.remote_addresses.empty()) {
    parser->Fail("at least one remote address (other than the local address) is required");
    return parser->Error(kHeader);
  }
  return header;
}

absl::StatusOr<Header> ParseMember(Header header, ObjectParser* parser) {
  SnapshotInfo& snapshot = header.snapshot;
  const Json* const servers = parser->Required("prev_servers", ObjectParser::kObject);
  snapshot.term = ReadNumber("prev_term", parser);
  snapshot.index = ReadNumber("prev_index", parser);
  snapshot.eid = ReadUuid("prev_eid", parser);
  const uint64_t timer = ReadOptionalTimer("prev_election_timer", parser);
  if (timer != 0) snapshot.election_timer_ms = timer;
  header.snapshot_data = ReadPayload("prev_data", parser);
  if (header.cluster_id.is_zero()) parser->Fail("Required 'cluster_id' member is missing.");
  if (!parser->Finish()) return parser->Error(kHeader);
  absl::StatusOr<ServersRef> parsed = ParseServers(*servers);
  if (!parsed.ok()) return parsed.status();
  snapshot.servers = *std::move(parsed);
  return header;
}

}  // namespace

absl::string_view NoteText(const NoteRecord& record) {
  switch (record.note) {
    case Note::kTransferLeadership:
      return kTransferText;
    case Note::kLeft:
      return kLeftText;
    case Note::kOther:
      break;
  }
  return record.other;
}

void AppendHeader(const Header& header, std::string* out) {
  ObjectWriter writer(out);
  writer.Uuid("server_id", header.server_id);
  writer.String("local_address", header.local_address);
  writer.String("name", header.name);
  if (!header.cluster_id.is_zero()) writer.Uuid("cluster_id", header.cluster_id);
  if (!header.remote_addresses.empty()) {
    writer.Addresses("remote_addresses", header.remote_addresses);
  } else {
    WriteSnapshot(header.snapshot, &writer);
    writer.Text("prev_data", header.snapshot_data != nullptr ? *header.snapshot_data : "null");
  }
  writer.End();
}

void AppendRecord(const Record& record, std::string* out) {
  ObjectWriter writer(out);
  if (!record.comment.empty()) writer.String("comment", record.comment);
  std::visit([&writer](const auto& body) { Write(body, &writer); }, record.body);
  writer.End();
}

absl::StatusOr<Header> ParseHeader(const Json& json) {
  ObjectParser parser(json);
  Header header;
  header.server_id = ReadServerId("server_id", &parser);
  header.name = ReadString("name", &parser);
  header.local_address = ReadString("local_address", &parser);
  header.cluster_id = ReadOptionalUuid("cluster_id", &parser);
  const Json* const remotes = parser.Optional("remote_addresses", ObjectParser::kArray);
  if (!parser.ok()) return parser.Error(kHeader);
  return remotes != nullptr ? ParseJoining(std::move(header), *remotes, &parser)
                            : ParseMember(std::move(header), &parser);
}

absl::StatusOr<Record> ParseRecord(const Json& json) {
  ObjectParser parser(json);
  Record record;
  record.comment = ReadOptionalString("comment", &parser);
  absl::StatusOr<decltype(Record::body)> body = ParseBody(json, &parser);
  if (!body.ok()) return body.status();
  record.body = *std::move(body);
  return record;
}

}  // namespace raft
