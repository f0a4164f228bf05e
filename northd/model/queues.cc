#include "northd/model/queues.h"

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/numbers.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

constexpr int64_t kMaxQueue = 61440;
constexpr const char* kShapingOptions[] = {"qos_burst", "qos_max_rate", "qos_min_rate"};

int64_t ExistingQueue(Context& ctx, const std::string& port) {
  World& world = ctx.world();
  const ovsdb::Row* row =
      world.sb.Peek(sb::PortBinding::kTable, world.sb_rows.Identity(sb::PortBinding::kTable, port));
  if (row == nullptr) return 0;
  return StringMap(row->datum(sb::PortBinding::kOptions)).GetInt("qdisc_queue_id", 0);
}

using Queues = std::map<Uuid, int64_t>;  // By port.

Queues ComputeQueues(Context& ctx, const std::monostate&) {
  Queues queues;
  for (const char* option : kShapingOptions) {
    for (const Uuid& port : RowsWith<nb::LogicalSwitchPort>(ctx, nb::LogicalSwitchPort::kOptions,
                                                            absl::string_view(option))) {
      queues.emplace(port, 0);
    }
  }
  std::vector<NumberWish> wishes;
  for (const auto& [port, queue] : queues) {
    const std::string name(Row<nb::LogicalSwitchPort>(ctx, port).name());
    wishes.push_back({name, 0, ExistingQueue(ctx, name)});
  }
  const std::vector<int64_t> numbers = ctx.world().numbers.Assign("queue", wishes, 1, kMaxQueue);
  size_t i = 0;
  for (auto& [port, queue] : queues) queue = numbers[i++];
  return queues;
}
constexpr engine::Kind<std::monostate, Queues> kQueues{"queues", &ComputeQueues};

int64_t ComputeQueue(Context& ctx, const Uuid& port) {
  const Queues& queues = ctx.Get(kQueues, {});
  const auto found = queues.find(port);
  return found == queues.end() ? 0 : found->second;
}
constexpr engine::Kind<Uuid, int64_t> kQueue{"queue", &ComputeQueue};

}  // namespace

int64_t QueueOf(Context& ctx, const SwitchPort& port) {
  const StringMap options = Row<nb::LogicalSwitchPort>(ctx, port.uuid).options();
  for (const char* option : kShapingOptions) {
    if (options.Contains(option)) return ctx.Get(kQueue, port.uuid);
  }
  return 0;
}

std::optional<std::string> QueueTextOf(Context& ctx, const SwitchPort& port) {
  if (port.is_router()) return std::nullopt;
  if (const int64_t queue = QueueOf(ctx, port)) return absl::StrCat(queue);
  const StringMap options = Row<nb::LogicalSwitchPort>(ctx, port.uuid).options();
  const auto requested = options.Get("qdisc_queue_id");
  return requested ? std::optional<std::string>(*requested) : std::nullopt;
}

}  // namespace northd
