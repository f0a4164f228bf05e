// The status page, from what daemons say of themselves at /status.
#ifndef SERVER_FACE_PAGE_H_
#define SERVER_FACE_PAGE_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace face {

// One HTML page without outside assets, that loads itself anew every few seconds. `own` and what
// the peers said are texts of /status; whatever a peer says, the page is whole.
std::string PageText(absl::string_view own,
                     const std::map<std::string, absl::StatusOr<std::string>>& peers);

}  // namespace face

#endif  // SERVER_FACE_PAGE_H_
