// Numbers that things keep: tunnel keys, ids of groups and tables.
//
// Every number belongs to a scope (all datapaths, the ports of one datapath ...) and a key. What
// had a number keeps it, across runs of a unit by this memory, and across restarts by what the
// caller says that the southbound has.
#ifndef NORTHD_MODEL_NUMBERS_H_
#define NORTHD_MODEL_NUMBERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace northd {

struct NumberWish {
  std::string key;
  int64_t requested = 0;  // By a person: goes before what others have. 0: none.
  int64_t existing = 0;   // That it has in the database. 0: none.
  int64_t preferred = 0;  // That it wants if it is free at its turn. 0: none.
  bool is_kept = true;    // Else it gets one anew each time, unless that is the preferred one.
  bool is_others_word = false;  // `existing` may be somebody else's word: it beats the memory.
};

struct NumberRange {  // Both ends included.
  int64_t first = 0;
  int64_t last = 0;
};

class Numbers {
 public:
  // Numbers for all of a scope, in the order of the wishes; 0 where none is left in low..high. Of
  // several that request one number, or have the same one, the first gets it. A scope with no wish
  // is forgotten. Requests outside low..high are granted, too, and what is there is kept;
  // but `excluded` numbers only go to those that request them.
  std::vector<int64_t> Assign(absl::string_view scope, absl::Span<const NumberWish> wishes,
                              int64_t low, int64_t high,
                              absl::Span<const NumberRange> excluded = {});
  // Whether `key` had a number when the scope was last assigned: then what it has in the southbound
  // need not be looked up.
  bool Remembers(absl::string_view scope, absl::string_view key) const;
  // Nothing is remembered any more: the southbound is what counts.
  void Forget() { scopes_.clear(); }

 private:
  using Scope = absl::flat_hash_map<std::string, int64_t>;
  absl::flat_hash_map<std::string, Scope> scopes_;
};

}  // namespace northd

#endif  // NORTHD_MODEL_NUMBERS_H_
