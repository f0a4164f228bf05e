// The life of an ovn-northd: two databases, the lock that says who works, and passes of the
// translation between their changes.
#ifndef NORTHD_PROCESS_NORTHD_H_
#define NORTHD_PROCESS_NORTHD_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "northd/output/flow_writer.h"
#include "northd/output/row_writer.h"
#include "northd/process/connection.h"
#include "northd/world.h"
#include "server/base/loop.h"
#include "server/base/stream.h"

namespace northd {

// Loop thread only.
class Northd {
 public:
  struct Options {
    std::string nb_remotes;  // Separated by commas.
    std::string sb_remotes;
  };

  Northd(const base::StreamContext& context, const Options& options);
  Northd(const Northd&) = delete;
  Northd& operator=(const Northd&) = delete;

  // Stops writing, and gives the lock to others; or takes part again.
  void SetPaused(bool paused);
  bool paused() const { return paused_; }
  // "active", "standby" or "paused".
  absl::string_view status() const;
  bool nb_connected() const { return nb_.connected(); }
  bool sb_connected() const { return sb_.connected(); }
  // Every unit runs again.
  void Recompute();

  const World& world() const { return world_; }

 private:
  static server::DbClient::Options ClientOptions(const char* database,
                                                 const std::string& remotes);
  Connection::Callbacks CallbacksOf();
  void OnContents();
  void OnLock();
  void CheckAll();
  // Goes on with what there is to do, a slice at a time.
  void Work();
  void WriteResults();

  base::Loop* const loop_;
  ovsdb::UuidGenerator uuids_;
  World world_;
  RowWriter sb_rows_;
  RowWriter nb_rows_;
  FlowWriter flows_;
  Connection nb_;
  Connection sb_;
  base::TurnEnd work_;
  base::Timer next_slice_;
  bool started_ = false;
  bool paused_ = false;
  bool was_active_ = false;
  bool nb_busy_ = false;  // A transaction is on its way.
  bool sb_busy_ = false;
};

}  // namespace northd

#endif  // NORTHD_PROCESS_NORTHD_H_
