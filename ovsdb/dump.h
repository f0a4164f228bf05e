// Updates too long to hold at once: made piece by piece as the reader takes them.
//
// A client's view of a database is a snapshot seen through a monitor's filters. What a client is
// sent outside the stream of transactions is always the update from one view to another:
//
//   initial contents            nothing            -> (now, filters)
//   condition change            (now, old filters) -> (now, new filters)
//   a slow reader catching up   (then, filters)    -> (now, filters)
//
// An UpdateSource makes the text of such an update in pieces. It holds snapshots, not text; and
// pieces of initial contents without conditions are shared with whoever asks for the same pages.
#ifndef OVSDB_DUMP_H_
#define OVSDB_DUMP_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ovsdb/database.h"
#include "ovsdb/monitor.h"
#include "ovsdb/update_json.h"

namespace ovsdb {

// A text in pieces.
class TextSource {
 public:
  virtual ~TextSource() = default;

  // Appends the next pieces, of about 64 KiB together, to `*out`. Returns whether there is more;
  // must not be called again when there is not. A call takes at most a few milliseconds, and may
  // append nothing because it has only looked at rows that the client does not want: go on at the
  // next turn.
  virtual bool Next(std::vector<Text>* out) = 0;
};

// What surrounds an update. If there is nothing to tell, a notification must not be sent at all,
// and a reply must be: `{}` is put in between then.
struct Envelope {
  std::string before;  // `{"id":null,"method":"update2","params":[MONID,` or `{"id":ID,"result":`
  std::string after;   // `]}` or `,"error":null}`
  bool even_if_empty = false;
};

// What a client sees: the rows of `snapshot` that pass `filters` (one per table of the shape).
struct View {
  Snapshot snapshot;
  RowFilters filters;
};

// Pieces of initial contents while somebody still has them to send, by the pages they show. One per
// database; sources made with it may outlive it.
class PageTexts;
std::shared_ptr<PageTexts> MakePageTexts();
size_t CountPageTexts(const PageTexts& texts);

// The update that takes a client from nothing to the state that `db` has now, as `initial` rows
// ("new" in version 1). Here and in FilterUpdate() rows are found by the lookups of `db` where the
// clauses allow it.
std::unique_ptr<TextSource> InitialUpdate(MonitorShapeRef shape, const Database& db,
                                          RowFilters filters, Envelope envelope,
                                          std::shared_ptr<PageTexts> texts);

// The update that takes a client from `from` to `to`, as inserts, deletes and modifications.
std::unique_ptr<TextSource> DifferenceUpdate(MonitorShapeRef shape, View from, View to,
                                             Envelope envelope);

// The same for a change of filters in the state that `db` has now.
std::unique_ptr<TextSource> FilterUpdate(MonitorShapeRef shape, const Database& db,
                                         const RowFilters& from, RowFilters to, Envelope envelope);

// The update for one change (of history: several merged) seen through `filters`.
std::unique_ptr<TextSource> ChangeUpdate(MonitorShapeRef shape, RowFilters filters, Change change,
                                         Envelope envelope);

}  // namespace ovsdb

#endif  // OVSDB_DUMP_H_
