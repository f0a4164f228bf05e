#include "server/base/slow.h"

#include <array>
#include <utility>

#include "server/base/log.h"
#include "server/base/loop.h"

namespace base {
namespace {

LogModule log("slow");

constexpr size_t kKept = 20;

struct Kind {
  RateLimit limit{/*per_minute=*/10, /*burst=*/10};
  uint64_t count = 0;
};
std::array<Kind, kSlowKinds> kinds;

std::deque<SlowThing>& Things() {
  static auto* things = new std::deque<SlowThing>;
  return *things;
}

}  // namespace

absl::string_view SlowKindName(SlowKind kind) {
  switch (kind) {
    case SlowKind::kTransaction:
      return "transaction";
    case SlowKind::kSync:
      return "fsync";
    case SlowKind::kTurn:
      return "stall";
    case SlowKind::kClient:
      return "client";
  }
  return "";
}

void NoteSlow(SlowKind kind, std::string text) {
  Kind& of = kinds[static_cast<size_t>(kind)];
  ++of.count;
  log.WarnLimited(of.limit, "%s", text);
  Things().push_front({kind, WallMs(), std::move(text)});
  if (Things().size() > kKept) Things().pop_back();
}

const std::deque<SlowThing>& SlowThings() { return Things(); }

uint64_t SlowCount(SlowKind kind) { return kinds[static_cast<size_t>(kind)].count; }

}  // namespace base
