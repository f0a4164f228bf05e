#include "northd/sync/mirrors.h"

#include <utility>

#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {

std::monostate SyncMirror(Context& ctx, const Uuid& mirror) {
  const auto row = Row<nb::Mirror>(ctx, mirror);
  if (!row) return {};
  OutRow out = OutRow::Of<sb::Mirror>(mirror.ToString());
  out.Set(sb::Mirror::kName, row.name());
  out.Set(sb::Mirror::kFilter, row.filter());
  out.Set(sb::Mirror::kIndex, row.index());
  out.Set(sb::Mirror::kSink, row.sink());
  out.Set(sb::Mirror::kType, row.type());
  ctx.world().sb_rows.Emit(ctx, std::move(out));
  return {};
}
constexpr engine::Kind<Uuid> kSyncMirror{"sync_mirror", &SyncMirror};

std::vector<Uuid> MirrorsOf(Context& ctx, absl::Span<const Uuid> mirrors) {
  std::vector<Uuid> uuids;
  for (const Uuid& mirror : mirrors) {
    uuids.push_back(ctx.world().sb_rows.Identity(sb::Mirror::kTable, mirror.ToString()));
  }
  return uuids;
}

}  // namespace northd
