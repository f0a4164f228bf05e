#include "server/session_output.h"

#include <algorithm>
#include <utility>

namespace server {

// OutputTurns

OutputTurns::OutputTurns(base::Loop* loop) : loop_(loop), next_turn_(loop, [this] { Run(); }) {}

void OutputTurns::Join(SessionOutput* output) {
  if (std::exchange(output->waiting_, true)) return;
  waiting_.push_back(output);
  if (!next_turn_.active()) next_turn_.Start(0);
}

void OutputTurns::Leave(SessionOutput* output) {
  if (std::exchange(output->waiting_, false)) std::erase(waiting_, output);
}

bool OutputTurns::share_left() const {
  const uint64_t turn = loop_->turn();
  return time_.left(turn) && (turn != bytes_turn_ || bytes_ < kBytesPerTurn);
}

bool OutputTurns::Begin() { return share_left() && time_.Begin(loop_->turn()); }

void OutputTurns::End(size_t bytes_made) {
  time_.End();
  if (bytes_turn_ != loop_->turn()) bytes_ = 0;
  bytes_turn_ = loop_->turn();
  bytes_ += bytes_made;
}

// Each that waits now has a go; those that the share does not suffice for stay in front.
void OutputTurns::Run() {
  const base::Activity activity("sending long messages");
  for (size_t n = waiting_.size(); n > 0 && !waiting_.empty() && share_left(); --n) {
    SessionOutput* output = waiting_.front();
    waiting_.pop_front();
    output->waiting_ = false;
    output->OnTurn();
  }
  if (!waiting_.empty() && !next_turn_.active()) next_turn_.Start(0);
}

// SessionOutput

void SessionOutput::SetConnection(base::JsonRpc* rpc) {
  rpc_ = rpc;
  items_.clear();
  queued_bytes_ = 0;
  n_long_ = 0;
  turns_->Leave(this);
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

void SessionOutput::Send(std::unique_ptr<ovsdb::TextSource> source) {
  if (rpc_ == nullptr) return;
  if (items_.empty() && !turns_->anybody_waits() && !SendPieces(source.get())) return;
  n_long_++;
  Push({.kind = Item::kSource, .source = std::move(source)});
  turns_->Join(this);
}

void SessionOutput::SendLater(const void* key, Later later) {
  if (rpc_ == nullptr) return;
  n_long_++;
  Push({.kind = Item::kLater, .key = key, .later = std::move(later)});
  turns_->Join(this);
}

void SessionOutput::Remove(const void* key) {
  n_long_ -= std::erase_if(
      items_, [key](const Item& item) { return item.kind == Item::kLater && item.key == key; });
  if (!items_.empty()) turns_->Join(this);
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

void SessionOutput::OnDrained() {
  if (n_long_ > 0) {
    turns_->Join(this);
  } else {
    Pump();
  }
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
      case Item::kLater:
        if (!turns_->Begin()) return turns_->Join(this);
        StartLater(&item);
        turns_->End(0);
        if (item.source != nullptr) continue;
        n_long_--;
        break;
    }
    items_.pop_front();
  }
}

// Makes a kSource of it, with null if there is nothing to send.
void SessionOutput::StartLater(Item* item) {
  // It stays in its place meanwhile, so that what the call sends comes behind it.
  item->key = nullptr;
  const Later later = std::move(item->later);
  item->source = later();
  item->kind = Item::kSource;
}

// True if there is more of it, for which the pump will be called.
bool SessionOutput::SendPieces(ovsdb::TextSource* source) {
  std::vector<ovsdb::Text> pieces;
  while (rpc_->backlog() < kLowWater) {
    if (!turns_->Begin()) {
      turns_->Join(this);
      return true;
    }
    pieces.clear();
    const bool more = source->Next(&pieces);
    size_t bytes = 0;
    for (const ovsdb::Text& piece : pieces) {
      bytes += piece->size();
      rpc_->Send(piece);
    }
    turns_->End(bytes);
    if (!more) return false;
    if (pieces.empty()) {  // It looked at much and found nothing: let others have a go.
      turns_->Join(this);
      return true;
    }
  }
  return true;
}

}  // namespace server
