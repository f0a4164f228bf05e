// Bytes of a peer: the framer must cut them the same way however they arrive, and the parser must
// take or refuse what it cuts.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ovsdb/json.h"
#include "server/base/json_frame.h"

namespace {

constexpr size_t kMaxFrame = 4096;

struct Frames {
  std::vector<std::string> texts;
  absl::StatusCode end = absl::StatusCode::kOk;
};

// Feeds `data` in pieces of the sizes that `sizes` cycles through (none: all at once).
Frames Cut(absl::string_view data, const std::vector<size_t>& sizes) {
  base::JsonFramer framer(kMaxFrame);
  Frames frames;
  for (size_t turn = 0; !data.empty(); ++turn) {
    const size_t size = sizes.empty() ? data.size() : sizes[turn % sizes.size()];
    absl::string_view piece = data.substr(0, size);
    data.remove_prefix(piece.size());
    for (;;) {
      std::string frame;
      const absl::StatusOr<bool> complete = framer.Next(&piece, &frame);
      if (!complete.ok()) {
        frames.end = complete.status().code();
        return frames;
      }
      if (framer.pending() > kMaxFrame) std::abort();
      if (!*complete) break;
      frames.texts.push_back(std::move(frame));
    }
    if (!piece.empty()) std::abort();
  }
  return frames;
}

std::string Sorted(const ovsdb::Json& json) {
  return ovsdb::JsonText(json, ovsdb::JsonForm::kSorted);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const Frames whole = Cut(text, {});
  // The first bytes also say how the stream is cut up.
  std::vector<size_t> sizes = {1};
  for (size_t i = 0; i < size && i < 4; ++i) sizes.push_back(1 + data[i] % 19);
  const Frames pieces = Cut(text, sizes);
  if (whole.texts != pieces.texts || whole.end != pieces.end) std::abort();

  for (const std::string& frame : whole.texts) {
    const absl::StatusOr<ovsdb::JsonDocument> document = ovsdb::ParseJson(frame);
    std::string copy = frame;
    const absl::StatusOr<ovsdb::JsonDocument> in_situ = ovsdb::ParseJsonInSitu(&copy);
    if (document.ok() != in_situ.ok()) std::abort();
    if (!document.ok()) continue;
    // What was read can be written and read again. Reals lose digits when they are written, as in
    // stock, and may be integers when they are read again: then all is settled.
    const std::string once = Sorted(*document);
    const absl::StatusOr<ovsdb::JsonDocument> again = ovsdb::ParseJson(once);
    if (!again.ok()) std::abort();
    const std::string twice = Sorted(*again);
    const absl::StatusOr<ovsdb::JsonDocument> third = ovsdb::ParseJson(twice);
    if (!third.ok() || Sorted(*third) != twice) std::abort();
    if (Sorted(*in_situ) != once) std::abort();
  }
  return 0;
}
