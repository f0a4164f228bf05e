#include "northd/process/sequence.h"

#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

using nb::NBGlobal;
using ovsdb::Atom;
using ovsdb::Datum;

const ovsdb::Row* Global(const Replica& northbound) {
  const ovsdb::Row* global = nullptr;
  northbound.database().table(NBGlobal::kTable).ForEach([&](const ovsdb::Row& row) {
    global = &row;
  });
  return global;
}

}  // namespace

void Sequence::OnPass(int64_t started_ms) {
  const ovsdb::Row* global = Global(*northbound_);
  if (global == nullptr) return;
  pending_ = Pass{global->datum(NBGlobal::kNbCfg).key(0).integer(), started_ms, 0};
}

void Sequence::OnCommitted(int64_t now_ms) {
  if (!pending_) return;
  if (!done_ || done_->nb_cfg != pending_->nb_cfg) {
    done_ = pending_;
    done_->committed_ms = now_ms;
  }
  pending_.reset();
}

void Sequence::Write(TransactionText* transaction) const {
  const ovsdb::Row* global = Global(*northbound_);
  if (global == nullptr || !done_) return;
  if (global->datum(NBGlobal::kSbCfg).key(0).integer() == done_->nb_cfg) return;
  transaction->Update(NBGlobal::kTable, global->uuid(),
                      {{NBGlobal::kNbCfgTimestamp, Datum(Atom::Integer(done_->started_ms))},
                       {NBGlobal::kSbCfg, Datum(Atom::Integer(done_->nb_cfg))},
                       {NBGlobal::kSbCfgTimestamp, Datum(Atom::Integer(done_->committed_ms))}});
}

}  // namespace northd
