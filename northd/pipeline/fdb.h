// MAC learning on switches: the stages lookup_fdb and put_fdb of both pipelines.
#ifndef NORTHD_PIPELINE_FDB_H_
#define NORTHD_PIPELINE_FDB_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What all switches have.
std::monostate AddFdb(Context& ctx, const std::monostate&);
inline constexpr engine::Kind<std::monostate> kFdb{"fdb", &AddFdb};

// What one switch port has.
std::monostate AddFdbOf(Context& ctx, const Uuid& port);
inline constexpr engine::Kind<Uuid> kFdbOf{"fdb_of", &AddFdbOf};

}  // namespace northd

#endif  // NORTHD_PIPELINE_FDB_H_
