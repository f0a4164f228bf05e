// Whether two translations of the same databases come to the same: one that followed changes, say,
// and one from scratch.
#ifndef NORTHD_OUTPUT_COMPARE_H_
#define NORTHD_OUTPUT_COMPARE_H_

#include <string>
#include <vector>

namespace northd {

class World;

// What differs in flows and rows that are desired, at most `limit` lines for people; empty if nothing
// does. Rows are told apart by table and key, datapaths by their northbound UUIDs.
std::vector<std::string> Differences(World* a, World* b, size_t limit);

}  // namespace northd

#endif  // NORTHD_OUTPUT_COMPARE_H_
