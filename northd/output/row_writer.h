// The smallest change that makes a replica's rows the desired ones.
#ifndef NORTHD_OUTPUT_ROW_WRITER_H_
#define NORTHD_OUTPUT_ROW_WRITER_H_

#include <functional>
#include <utility>
#include <vector>

#include "northd/output/desired_rows.h"
#include "northd/output/transaction_text.h"
#include "northd/replica/replica.h"
#include "ovsdb/change.h"

namespace northd {

class RowWriter {
 public:
  RowWriter(DesiredRows* desired, Replica* replica) : desired_(desired), replica_(replica) {}

  // A row of the replica has changed, through us or others.
  void Observe(int table, const ovsdb::RowChange& change);
  // Looks at every row at the next Write(): after start-up, or when it is not known what was
  // written.
  void CheckAll() { check_all_ = true; }
  // Is told of each row that is to be deleted, in Write().
  void SetOnDelete(std::function<void(int table, const ovsdb::Row& row)> on_delete) {
    on_delete_ = std::move(on_delete);
  }
  // Adds what is to be written. Between passes of the engine.
  void Write(TransactionText* transaction);
  // While another instance writes: finds out what is right already, so that Write() need not.
  void Settle();

 private:
  void TouchAll();
  void AddReplaced();
  void WriteRow(uint32_t number, TransactionText* transaction);
  void WriteColumns(const DesiredRows::Desired& desired, const ovsdb::Row& row,
                    TransactionText* transaction);
  bool WriteElements(const DesiredRows::Desired& desired, const ovsdb::Row& row,
                     TransactionText* transaction);

  DesiredRows* const desired_;
  Replica* const replica_;
  std::function<void(int, const ovsdb::Row&)> on_delete_;
  bool check_all_ = true;
  std::vector<std::pair<int, ovsdb::Uuid>> strangers_;  // Rows that may be nobody's.
};

}  // namespace northd

#endif  // NORTHD_OUTPUT_ROW_WRITER_H_
