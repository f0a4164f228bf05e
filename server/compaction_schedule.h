// When a database file has grown enough to be compacted.
#ifndef SERVER_COMPACTION_SCHEDULE_H_
#define SERVER_COMPACTION_SCHEDULE_H_

#include <cstddef>
#include <cstdint>

namespace server {

// Stock's rule (ovsdb-server(1)
// "ovsdb-server/compact").
class CompactionSchedule {
 public:
  explicit CompactionSchedule(int64_t now_ms);

  // The file was written anew and has `size` bytes.
  void Compacted(int64_t now_ms, uint64_t size);
  // The file was opened; its first `base_size` bytes are what compaction leaves, and `n_records`
  // follow.
  void Opened(uint64_t base_size, size_t n_records);
  void Appended(size_t n_records) { n_records_ += n_records; }
  bool IsDue(int64_t now_ms, uint64_t size);

 private:
  int64_t compacted_ms_;
  int64_t next_look_ms_;
  uint64_t base_size_ = 0;
  size_t n_records_ = 0;
};

}  // namespace server

#endif  // SERVER_COMPACTION_SCHEDULE_H_
