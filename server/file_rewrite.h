// Writes a new version of a database file while the old one is appended to, and puts it in its
// place: compaction, conversion, the installation of a snapshot.
#ifndef SERVER_FILE_REWRITE_H_
#define SERVER_FILE_REWRITE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/base/loop.h"
#include "server/durable.h"
#include "server/log_file.h"

namespace server {

// Loop thread only; the work is done on a helper thread.
class FileRewrite {
 public:
  // Writes what the new version begins with. On the helper thread; what it owns is freed there.
  using Content = absl::AnyInvocable<absl::Status(LogWriter*)>;
  using Done = std::function<void(absl::Status)>;

  // All outlive this. `sync` is held near the end: after a crash the new file may be what is found,
  // so that no sync of the old one must be acknowledged then.
  FileRewrite(base::Worker* worker, LogFile* log, GroupSync* sync);
  ~FileRewrite();
  FileRewrite(const FileRewrite&) = delete;
  FileRewrite& operator=(const FileRewrite&) = delete;

  bool under_way() const { return job_ != nullptr; }

  // Writes `content`, then the framed records `tail`, then what is appended meanwhile. `replaced`
  // is called when the new file has taken the place of the old one: what is asked of the syncer
  // then makes it durable. `done` is called at the end of all, or with the error for which all is
  // as before. Requires that none is under way; both may come from within this call.
  void Start(Content content, std::string tail, std::function<void()> replaced, Done done);

  // These framed records were appended to the log.
  void Append(absl::string_view records);

 private:
  struct Job;

  template <typename Work>
  void Run(Work work, void (FileRewrite::*then)());
  void Continue();
  void Finish();
  void Closed();
  void End(absl::Status status);

  base::Worker* worker_;
  LogFile* log_;
  GroupSync* sync_;
  std::shared_ptr<Job> job_;  // Null if none is under way.
};

}  // namespace server

#endif  // SERVER_FILE_REWRITE_H_
