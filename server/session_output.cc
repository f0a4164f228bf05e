#include "server/session_output.h"

#include <algorithm>
#include <utility>

namespace server {

SessionOutput::SessionOutput(base::Loop* loop) : next_turn_(loop, [this] { Pump(); }) {}

void SessionOutput::SetConnection(base::JsonRpc* rpc) {
  rpc_ = rpc;
  items_.clear();
  queued_bytes_ = 0;
  n_long_ = 0;
  next_turn_.Stop();
}

void SessionOutput::Send(std::string text) {
  if (rpc_ == nullptr) return;
  if (items_.empty()) {
    rpc_->Send(text);
  } else {
    Push({.kind = Item::kText, .text = std::move(text)});
  }
}

void SessionOutput::Send(std::string head, const ovsdb::Text& body, absl::string_view tail) {
  if (rpc_ == nullptr) return;
  if (items_.empty()) {
    rpc_->Send(head, body, tail);
  } else {
    Push({.kind = Item::kText, .text = std::move(head), .body = body, .tail = std::string(tail)});
  }
}

bool SessionOutput::Send(std::unique_ptr<ovsdb::TextSource> source) {
  if (rpc_ == nullptr) return true;
  if (items_.empty() && !SendPieces(source.get())) return true;
  n_long_++;
  Push({.kind = Item::kSource, .source = std::move(source)});
  Pump();
  return items_.empty();
}

void SessionOutput::SendLater(const void* key, Later later) {
  if (rpc_ == nullptr) return;
  n_long_++;
  Push({.kind = Item::kLater, .key = key, .later = std::move(later)});
  next_turn_.Start(0);
}

void SessionOutput::Remove(const void* key) {
  n_long_ -= std::erase_if(
      items_, [key](const Item& item) { return item.kind == Item::kLater && item.key == key; });
  if (!items_.empty()) next_turn_.Start(0);
}

void SessionOutput::Hold(const void* key) {
  if (rpc_ == nullptr) return;
  Push({.kind = Item::kPlace, .key = key});
}

void SessionOutput::Fill(const void* key, std::string text) {
  auto place = std::find_if(items_.begin(), items_.end(), [key](const Item& item) {
    return item.kind == Item::kPlace && item.key == key;
  });
  if (place == items_.end()) {
    Send(std::move(text));
    return;
  }
  place->kind = Item::kText;
  queued_bytes_ += text.size();
  place->text = std::move(text);
  Pump();
}

size_t SessionOutput::backlog() const {
  return rpc_ == nullptr ? 0 : rpc_->backlog() + queued_bytes_;
}

void SessionOutput::Push(Item item) {
  queued_bytes_ += item.text.size() + (item.body ? item.body->size() : 0);
  items_.push_back(std::move(item));
}

void SessionOutput::Pump() {
  if (rpc_ == nullptr || pumping_) return;
  pumping_ = true;
  PumpItems();
  pumping_ = false;
}

void SessionOutput::PumpItems() {
  while (!items_.empty() && rpc_->backlog() < kLowWater) {
    Item& item = items_.front();
    switch (item.kind) {
      case Item::kPlace:
        return;
      case Item::kText:
        queued_bytes_ -= item.text.size() + (item.body ? item.body->size() : 0);
        if (item.body) {
          rpc_->Send(item.text, item.body, item.tail);
        } else {
          rpc_->Send(item.text);
        }
        break;
      case Item::kSource:
        if (SendPieces(item.source.get())) return;
        n_long_--;
        break;
      case Item::kLater: {
        // It stays in its place meanwhile, so that what the call sends comes behind it.
        item.key = nullptr;
        const Later later = std::move(item.later);
        item.source = later();
        if (item.source == nullptr) {
          n_long_--;
          break;
        }
        item.kind = Item::kSource;
        continue;
      }
    }
    items_.pop_front();
  }
}

// True if there is more of it, for which the pump will be called.
bool SessionOutput::SendPieces(ovsdb::TextSource* source) {
  std::vector<ovsdb::Text> pieces;
  while (rpc_->backlog() < kLowWater) {
    pieces.clear();
    const bool more = source->Next(&pieces);
    for (const ovsdb::Text& piece : pieces) rpc_->Send(piece);
    if (!more) return false;
    if (pieces.empty()) {  // It looked at much and found nothing: let others have a go.
      next_turn_.Start(0);
      return true;
    }
  }
  return true;
}

}  // namespace server
