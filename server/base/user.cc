#include "server/base/user.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "server/base/io_error.h"
#include "server/base/log.h"

namespace base {
namespace {

LogModule log("daemon_unix");

constexpr uint32_t kKeptCapabilities = 1U << CAP_NET_BIND_SERVICE | 1U << CAP_IPC_LOCK;

bool IsMember(const passwd& user, const group& g) {
  if (user.pw_gid == g.gr_gid) return true;
  for (char** member = g.gr_mem; *member != nullptr; member++) {
    if (strcmp(*member, user.pw_name) == 0) return true;
  }
  return false;
}

void KeepCapabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  data[0].permitted = data[0].effective = kKeptCapabilities;
  if (syscall(SYS_capset, &header, data) != 0) {
    log.Warn("failed to keep capabilities: %s", ErrnoText(errno));
  }
}

void Become(uid_t uid, gid_t gid, const std::string& what) {
  if (uid == getuid() && uid == geteuid()) return;
  const bool root = geteuid() == 0;
  if (root) {
    prctl(PR_SET_KEEPCAPS, 1);
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++) {
      prctl(PR_CAPBSET_DROP, capability);
    }
    if (setgroups(0, nullptr) != 0) {
      log.Fatal("%sfailed to drop supplementary groups (%s), aborting.", what, ErrnoText(errno));
    }
  }
  if (setresgid(gid, gid, gid) != 0) {
    log.Fatal("%sfail to switch group to gid as %d, aborting", what, gid);
  }
  if (setresuid(uid, uid, uid) != 0) {
    log.Fatal("%sfail to switch user to uid as %d, aborting", what, uid);
  }
  if (root) KeepCapabilities();
}

}  // namespace

void BecomeUser(const std::string& spec, const std::string& pidfile) {
  // Stock's words where there is no pid file.
  const std::string what = absl::StrCat(pidfile.empty() ? "(null)" : pidfile, ": ");
  const size_t colon = std::min(spec.find(':'), spec.size());
  const std::string user_name = spec.substr(0, colon);
  const std::string group_name = spec.substr(std::min(colon + 1, spec.size()));

  const passwd* user = user_name.empty() ? getpwuid(getuid()) : getpwnam(user_name.c_str());
  if (user == nullptr) log.Fatal("%suser %s not found, aborting.", what, user_name);
  gid_t gid = user->pw_gid;
  if (!group_name.empty()) {
    const group* found = getgrnam(group_name.c_str());
    if (found == nullptr) log.Fatal("%sgroup %s not found, aborting.", what, group_name);
    if (!IsMember(*user, *found)) {
      log.Fatal("%sInvalid --user option %s (user %s is not in group %s), aborting.", what, spec,
                user->pw_name, group_name);
    }
    gid = found->gr_gid;
  }
  ChangeLogOwner(user->pw_uid, gid);
  Become(user->pw_uid, gid, what);
}

}  // namespace base
