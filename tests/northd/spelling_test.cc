// What two northds may spell differently and mean alike.
#include "northd/output/spelling.h"

#include <gtest/gtest.h>

namespace northd {
namespace {

TEST(WithSetsInOrder, OrdersTheElementsOfEachSet) {
  EXPECT_EQ(WithSetsInOrder("ip4.src == {10.0.0.2, 10.0.0.1} && ip4.dst == {b,a}"),
            "ip4.src == {10.0.0.1, 10.0.0.2} && ip4.dst == {a, b}");
  EXPECT_EQ(WithSetsInOrder("nat { next; x = {2, 1}; }"), "nat { next; x = {1, 2}; }");
}

TEST(WithSetsInOrder, LeavesTheRest) {
  for (const char* text : {"", "1", "ip4", "next;", "a}b", "a{b", "}{", "reject { b; a; };",
                           "clone { outport = \"x, a\"; output; }; next;"}) {
    EXPECT_EQ(WithSetsInOrder(text), text);
  }
}

}  // namespace
}  // namespace northd
