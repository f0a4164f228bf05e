// What a clustered database's file says of its server.

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "raft/fields.h"
#include "server/cluster/cluster_file.h"
#include "server/tool/cluster.h"
#include "server/tool/command.h"

namespace tool {
namespace {

absl::StatusOr<raft::Header> ReadHeader(const Invocation& invocation) {
  const std::string& path = invocation.args[0];
  absl::StatusOr<ClusterFile> file =
      OpenClustered(path, absl::StrCat(path, ": not a clustered database"));
  if (!file.ok()) return file.status();
  return std::move(file->header);
}

}  // namespace

absl::StatusOr<ClusterFile> OpenClustered(const std::string& path,
                                          absl::string_view not_clustered) {
  absl::StatusOr<std::unique_ptr<server::LogFile>> log =
      server::LogFile::Open(path, server::LogFile::Mode::kReadOnly, std::nullopt);
  if (!log.ok()) return log.status();
  if ((*log)->magic() != server::LogMagic::kClustered) return Failure(not_clustered);
  absl::StatusOr<raft::Header> header = server::ReadClusterHeader(log->get());
  if (!header.ok()) return header.status();
  return ClusterFile{*std::move(log), *std::move(header)};
}

std::string Nick(const ovsdb::Uuid& id) { return id.Short(4); }

absl::StatusOr<int> DbCid(const Invocation& invocation) {
  const absl::StatusOr<raft::Header> header = ReadHeader(invocation);
  if (!header.ok()) return header.status();
  if (header->cluster_id.is_zero()) {
    fprintf(stderr, "%s: cluster ID not yet known\n", invocation.args[0].c_str());
    return kNo;
  }
  PrintLine(header->cluster_id.ToString());
  return kSuccess;
}

absl::StatusOr<int> DbSid(const Invocation& invocation) {
  const absl::StatusOr<raft::Header> header = ReadHeader(invocation);
  if (!header.ok()) return header.status();
  PrintLine(header->server_id.ToString());
  return kSuccess;
}

absl::StatusOr<int> DbLocalAddress(const Invocation& invocation) {
  const absl::StatusOr<raft::Header> header = ReadHeader(invocation);
  if (!header.ok()) return header.status();
  PrintLine(header->local_address);
  return kSuccess;
}

// The identity that rejoin-cluster gives back to a server that lost its file.
absl::StatusOr<int> DbRaftHeader(const Invocation& invocation) {
  const absl::StatusOr<raft::Header> header = ReadHeader(invocation);
  if (!header.ok()) return header.status();
  std::string text;
  raft::ObjectWriter writer(&text);
  writer.Uuid("server_id", header->server_id);
  writer.String("name", header->name);
  writer.String("local_address", header->local_address);
  if (!header->cluster_id.is_zero()) writer.Uuid("cluster_id", header->cluster_id);
  writer.End();
  PrintLine(text);
  return kSuccess;
}

}  // namespace tool
