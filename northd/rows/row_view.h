// How a unit sees a row: by typed columns, each of which it is recorded to have read.
//
//   nb::LogicalSwitchPort port = Row<nb::LogicalSwitchPort>(ctx, uuid);   // replica/lookup.h
//   if (!port) return;                                                    // There is none.
//   port.name(), port.options().Get("router-port") ...
//
// Views, and the strings that they show, are valid during the run that made them: never keep one in
// a value.
#ifndef NORTHD_ROWS_ROW_VIEW_H_
#define NORTHD_ROWS_ROW_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "northd/engine/engine.h"
#include "ovsdb/datum.h"
#include "ovsdb/row.h"
#include "ovsdb/uuid.h"

namespace northd {

using engine::Context;
using ovsdb::Uuid;

enum class ReplicaId { kNb, kSb };

class RowView {
 public:
  RowView() = default;
  RowView(Context* context, uint32_t edge, const ovsdb::Row* row)
      : context_(context), row_(row), edge_(edge) {}

  explicit operator bool() const { return row_ != nullptr; }
  const Uuid& uuid() const { return row_->uuid(); }
  // A column by number, for what treats many alike.
  const ovsdb::Datum& Read(int column) const {
    context_->ReadMore(edge_, uint64_t{1} << column);
    return row_->datum(column);
  }

 private:
  Context* context_ = nullptr;
  const ovsdb::Row* row_ = nullptr;
  uint32_t edge_ = 0;
};

// Walks positions 0..size() of something with operator[].
template <typename Sequence>
class PositionIterator {
 public:
  PositionIterator(const Sequence* sequence, size_t i) : sequence_(sequence), i_(i) {}
  auto operator*() const { return (*sequence_)[i_]; }
  PositionIterator& operator++() {
    ++i_;
    return *this;
  }
  bool operator!=(const PositionIterator& o) const { return i_ != o.i_; }

 private:
  const Sequence* sequence_;
  size_t i_;
};

// Sets, in the order of their elements.
class Strings {
 public:
  explicit Strings(const ovsdb::Datum& datum) : datum_(&datum) {}
  size_t size() const { return datum_->size(); }
  bool empty() const { return datum_->empty(); }
  absl::string_view operator[](size_t i) const { return datum_->key(i).string(); }
  bool Contains(absl::string_view s) const { return datum_->Contains(ovsdb::Atom::String(s)); }
  PositionIterator<Strings> begin() const { return {this, 0}; }
  PositionIterator<Strings> end() const { return {this, size()}; }
  const ovsdb::Datum& datum() const { return *datum_; }

 private:
  const ovsdb::Datum* datum_;
};

class Integers {
 public:
  explicit Integers(const ovsdb::Datum& datum) : datum_(&datum) {}
  size_t size() const { return datum_->size(); }
  bool empty() const { return datum_->empty(); }
  int64_t operator[](size_t i) const { return datum_->key(i).integer(); }
  PositionIterator<Integers> begin() const { return {this, 0}; }
  PositionIterator<Integers> end() const { return {this, size()}; }

 private:
  const ovsdb::Datum* datum_;
};

class StringMap {
 public:
  explicit StringMap(const ovsdb::Datum& datum) : datum_(&datum) {}
  size_t size() const { return datum_->size(); }
  bool empty() const { return datum_->empty(); }
  std::pair<absl::string_view, absl::string_view> operator[](size_t i) const {
    return {datum_->key(i).string(), datum_->value(i).string()};
  }
  PositionIterator<StringMap> begin() const { return {this, 0}; }
  PositionIterator<StringMap> end() const { return {this, size()}; }

  bool Contains(absl::string_view key) const {
    return datum_->Contains(ovsdb::Atom::String(key));
  }
  std::optional<absl::string_view> Get(absl::string_view key) const {
    const int i = datum_->Find(ovsdb::Atom::String(key));
    if (i < 0) return std::nullopt;
    return datum_->value(static_cast<size_t>(i)).string();
  }
  // The value, or "" where there is none.
  absl::string_view GetOrEmpty(absl::string_view key) const { return Get(key).value_or(""); }
  // "true" or "false" in any case; `otherwise` for anything else, as stock reads it.
  bool GetBool(absl::string_view key, bool otherwise) const {
    const std::optional<absl::string_view> value = Get(key);
    if (!value) return otherwise;
    return otherwise ? !absl::EqualsIgnoreCase(*value, "false")
                     : absl::EqualsIgnoreCase(*value, "true");
  }
  // A decimal integer; `otherwise` for anything else.
  int64_t GetInt(absl::string_view key, int64_t otherwise) const {
    const std::optional<absl::string_view> value = Get(key);
    int64_t number = 0;
    return value && absl::SimpleAtoi(*value, &number) ? number : otherwise;
  }
  const ovsdb::Datum& datum() const { return *datum_; }

 private:
  const ovsdb::Datum* datum_;
};

class IntegerMap {
 public:
  explicit IntegerMap(const ovsdb::Datum& datum) : datum_(&datum) {}
  size_t size() const { return datum_->size(); }
  std::pair<absl::string_view, int64_t> operator[](size_t i) const {
    return {datum_->key(i).string(), datum_->value(i).integer()};
  }
  PositionIterator<IntegerMap> begin() const { return {this, 0}; }
  PositionIterator<IntegerMap> end() const { return {this, size()}; }
  std::optional<int64_t> Get(absl::string_view key) const {
    const int i = datum_->Find(ovsdb::Atom::String(key));
    if (i < 0) return std::nullopt;
    return datum_->value(static_cast<size_t>(i)).integer();
  }

 private:
  const ovsdb::Datum* datum_;
};

class UuidMap {
 public:
  explicit UuidMap(const ovsdb::Datum& datum) : datum_(&datum) {}
  size_t size() const { return datum_->size(); }
  std::pair<absl::string_view, Uuid> operator[](size_t i) const {
    return {datum_->key(i).string(), datum_->value(i).uuid()};
  }
  PositionIterator<UuidMap> begin() const { return {this, 0}; }
  PositionIterator<UuidMap> end() const { return {this, size()}; }

 private:
  const ovsdb::Datum* datum_;
};

}  // namespace northd

#endif  // NORTHD_ROWS_ROW_VIEW_H_
