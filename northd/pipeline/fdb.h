// MAC learning on switches: the stages lookup_fdb and put_fdb of both pipelines.
#ifndef NORTHD_PIPELINE_FDB_H_
#define NORTHD_PIPELINE_FDB_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What all switches have.
std::monostate AddFdb(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kFdb;

// What one switch port has.
std::monostate AddFdbOf(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kFdbOf;

}  // namespace northd

#endif  // NORTHD_PIPELINE_FDB_H_
