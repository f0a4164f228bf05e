// Rows by type, for units:
//
//   for (const Uuid& uuid : RowsWith<nb::LogicalSwitch>(ctx, nb::LogicalSwitch::kPorts, port.uuid()))
//     nb::LogicalSwitch sw = Row<nb::LogicalSwitch>(ctx, uuid);
//
// All of these are recorded as read. What they return is valid during the run.
#ifndef NORTHD_REPLICA_LOOKUP_H_
#define NORTHD_REPLICA_LOOKUP_H_

#include "northd/rows/row_view.h"
#include "northd/world.h"

namespace northd {

template <typename R>
Replica& ReplicaOf(Context& ctx) {
  return R::kReplica == ReplicaId::kNb ? ctx.world().nb : ctx.world().sb;
}

// The row, or one that is false.
template <typename R>
R Row(Context& ctx, const Uuid& uuid) {
  uint32_t edge = 0;
  const ovsdb::Row* row = ReplicaOf<R>(ctx).Read(ctx, R::kTable, uuid, &edge);
  return R(&ctx, edge, row);
}

// The UUIDs of all rows, in order.
template <typename R>
absl::Span<const Uuid> AllRows(Context& ctx) {
  return ReplicaOf<R>(ctx).ReadAll(ctx, R::kTable);
}

// The UUIDs of the rows that have `value` in `column`, in order: as the value, as an element, or
// as a map's key.
template <typename R>
absl::Span<const Uuid> RowsWith(Context& ctx, int column, const Uuid& value) {
  return ReplicaOf<R>(ctx).ReadIndex(ctx, R::kTable, column, ovsdb::Atom::Of(value));
}
template <typename R>
absl::Span<const Uuid> RowsWith(Context& ctx, int column, absl::string_view value) {
  return ReplicaOf<R>(ctx).ReadIndex(ctx, R::kTable, column, ovsdb::Atom::String(value));
}
template <typename R>
absl::Span<const Uuid> RowsWith(Context& ctx, int column, int64_t value) {
  return ReplicaOf<R>(ctx).ReadIndex(ctx, R::kTable, column, ovsdb::Atom::Integer(value));
}

// Likewise, of the rows whose map `column` has `value` under `key`.
template <typename R>
absl::Span<const Uuid> RowsWithPair(Context& ctx, int column, absl::string_view key,
                                    absl::string_view value) {
  return ReplicaOf<R>(ctx).ReadIndex(ctx, R::kTable, column, ovsdb::Atom::String(value), key);
}

// The first of them, or one that is false.
template <typename R, typename V>
R FindRow(Context& ctx, int column, const V& value) {
  const absl::Span<const Uuid> rows = RowsWith<R>(ctx, column, value);
  return rows.empty() ? R() : Row<R>(ctx, rows.front());
}

// The only row of a table of one; false if there is none.
template <typename R>
R OnlyRow(Context& ctx) {
  const absl::Span<const Uuid> rows = AllRows<R>(ctx);
  return rows.empty() ? R() : Row<R>(ctx, rows.front());
}

}  // namespace northd

#endif  // NORTHD_REPLICA_LOOKUP_H_
