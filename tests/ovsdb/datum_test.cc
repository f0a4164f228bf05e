#include "ovsdb/datum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/hash/hash_testing.h"

namespace ovsdb {
namespace {

std::string Text(const Datum& datum, bool is_map = false) {
  std::string out;
  datum.AppendJson(is_map || datum.is_map(), &out);
  return out;
}

template <typename T>
Atom MakeAtom(const T& v) {
  if constexpr (std::is_same_v<T, bool>) {
    return Atom::Boolean(v);
  } else if constexpr (std::is_floating_point_v<T>) {
    return Atom::Real(v);
  } else if constexpr (std::is_integral_v<T>) {
    return Atom::Integer(v);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    return Atom::Of(v);
  } else {
    return Atom::String(v);
  }
}

template <typename T>
Datum Set(const std::vector<T>& elements) {
  std::vector<Atom> atoms;
  atoms.reserve(elements.size());
  for (const T& e : elements) atoms.push_back(MakeAtom(e));
  return MakeDatum(atoms, {});
}

Datum Map(const std::map<std::string, std::string>& pairs) {
  DatumBuilder builder(AtomType::kString, AtomType::kString);
  for (const auto& [k, v] : pairs) builder.Add(Atom::String(k), Atom::String(v));
  return builder.Build();
}

const std::string kLong = "longer than what fits inside";

TEST(DatumTest, HoldsScalars) {
  EXPECT_EQ(Text(Datum(Atom::Integer(-5))), "-5");
  EXPECT_EQ(Text(Datum(Atom::Real(0.5))), "0.5");
  EXPECT_EQ(Text(Datum(Atom::Real(-0.0))), "0");
  EXPECT_EQ(Text(Datum(Atom::Boolean(true))), "true");
  EXPECT_EQ(Text(Datum(Atom::Of(Uuid{1, 2}))),
            R"(["uuid","00000000-0000-0001-0000-000000000002"])");
  for (size_t n = 0; n < 40; n++) {
    const std::string s(n, 's');
    Datum datum(Atom::String(s));
    const Datum copy = datum;
    datum = Datum(Atom::String(s));
    EXPECT_EQ(copy.size(), 1u);
    EXPECT_EQ(copy.key(0).string(), s);
    EXPECT_EQ(copy, datum);
    EXPECT_EQ(Text(copy), '"' + s + '"');
    EXPECT_NE(copy, Datum(Atom::String(s + "s")));
    EXPECT_EQ(copy.heap_bytes() > 0, n > 12);
  }
  EXPECT_TRUE(Datum().empty());
  EXPECT_EQ(Text(Datum()), R"(["set",[]])");
  EXPECT_EQ(Text(Datum(), true), R"(["map",[]])");
}

TEST(DatumTest, SortsAndDropsDuplicates) {
  EXPECT_EQ(Text(Set<int>({3, 1, 2, 1})), R"(["set",[1,2,3]])");
  EXPECT_EQ(Text(Set<int>({1, 1})), "1");
  EXPECT_EQ(Text(Set<double>({1.5, -2, 0.0, -0.0})), R"(["set",[-2,0,1.5]])");
  EXPECT_EQ(Text(Set<bool>({true, false})), R"(["set",[false,true]])");
  EXPECT_EQ(Text(Set<std::string>({"b", "", "\xc3\xa9", "a", "C", "aa"})),
            "[\"set\",[\"\",\"C\",\"a\",\"aa\",\"b\",\"\xc3\xa9\"]]");
  bool had_duplicates = false;
  MakeDatum({Atom::Integer(1), Atom::Integer(1)}, {}, &had_duplicates);
  EXPECT_TRUE(had_duplicates);
  MakeDatum({Atom::Integer(1), Atom::Integer(2)}, {}, &had_duplicates);
  EXPECT_FALSE(had_duplicates);

  DatumBuilder builder(AtomType::kString, AtomType::kInteger);
  builder.Add(Atom::String(std::string("b")), Atom::Integer(1));
  builder.Add(Atom::String(std::string("a")), Atom::Integer(2));
  builder.Add(Atom::String(std::string("b")), Atom::Integer(3));
  EXPECT_EQ(Text(builder.Build(&had_duplicates)), R"(["map",[["a",2],["b",1]]])");
  EXPECT_TRUE(had_duplicates);
  EXPECT_EQ(builder.size(), 0u);
}

TEST(DatumTest, EqualValuesAreEqualHoweverMade) {
  const Datum one = Subtract(Set<std::string>({kLong, "a", "b"}), Set<std::string>({"a", "b"}));
  EXPECT_EQ(one, Datum(Atom::String(kLong)));
  EXPECT_EQ(Subtract(one, one), Datum());
  EXPECT_EQ(Union(Set<std::string>({"b", "d"}), Set<std::string>({"a", "c"})),
            Set<std::string>({"a", "b", "c", "d"}));
  EXPECT_NE(Map({{"a", "bc"}}), Map({{"ab", "c"}}));
  EXPECT_NE(Map({{"a", ""}}), Set<std::string>({"a"}));
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {Datum(), Datum(Atom::Integer(0)), Datum(Atom::Boolean(false)), Datum(Atom::Real(0)),
       Datum(Atom::Real(-0.0)), Datum(Atom::String("")), Datum(Atom::String(kLong)), one,
       Set<int>({1, 2}), Set<int>({1, 2, 3}), Map({{"a", "b"}}), Map({{"a", "bc"}}),
       Map({{"ab", "c"}}), Datum(Atom::Of(Uuid{1, 2}))}));
}

TEST(DatumTest, Orders) {
  EXPECT_TRUE(std::is_lt(Set<int>({1, 2}).Compare(Set<int>({1, 3}))));
  EXPECT_TRUE(std::is_lt(Set<int>({1, 2}).Compare(Set<int>({1, 2, 3}))));
  EXPECT_TRUE(std::is_gt(Set<int>({2}).Compare(Set<int>({1, 2, 3}))));
  EXPECT_TRUE(std::is_lt(Datum().Compare(Set<int>({1}))));
  EXPECT_TRUE(std::is_lt(Map({{"a", "1"}}).Compare(Map({{"a", "2"}}))));
  EXPECT_TRUE(std::is_eq(Map({{"a", "1"}}).Compare(Map({{"a", "1"}}))));
}

TEST(DatumTest, Finds) {
  const Datum set = Set<int>({10, 20, 30, 40, 50});
  for (int i = 0; i <= 60; i++) {
    EXPECT_EQ(set.Find(Atom::Integer(i)), i % 10 == 0 && i > 0 && i < 60 ? i / 10 - 1 : -1);
  }
  EXPECT_FALSE(Datum().Contains(Atom::Integer(1)));
  EXPECT_TRUE(Datum(Atom::String(kLong)).Contains(Atom::String(kLong)));
  EXPECT_EQ(Map({{"k", "v"}, {kLong, kLong}}).value(1).string(), kLong);
}

TEST(DatumTest, SharesOperandsThatAreTheResult) {
  const Datum big = Set<Uuid>({{1, 1}, {2, 2}, {3, 3}});
  EXPECT_EQ(Text(Union(big, Set<Uuid>({{2, 2}}))), Text(big));
  // A copy of a shared block costs nothing: the bytes are at the same place.
  const Datum map = Map({{"a", kLong}});
  EXPECT_EQ(Union(map, Map({{"a", "x"}})).value(0).string().data(), map.value(0).string().data());
  EXPECT_EQ(Subtract(map, Map({{"a", "x"}})).value(0).string().data(),
            map.value(0).string().data());
}

// The algebra against the standard containers, on random values of every size up to `kElements`.
template <typename Key, typename MakeKey>
void CheckSets(MakeKey make_key) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; round++) {
    const int range = 1 + random() % 60;
    auto make = [&] {
      std::set<Key> s;
      for (int n = random() % 40; n > 0; n--) s.insert(make_key(random() % range));
      return s;
    };
    const std::set<Key> a = make(), b = make();
    auto datum = [](const std::set<Key>& s) { return Set(std::vector<Key>(s.begin(), s.end())); };
    std::set<Key> either = a, only_a, differ;
    either.insert(b.begin(), b.end());
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(),
                        std::inserter(only_a, only_a.end()));
    std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(),
                                  std::inserter(differ, differ.end()));
    const Datum x = datum(a), y = datum(b);
    ASSERT_EQ(x.size(), a.size());
    ASSERT_EQ(Union(x, y), datum(either));
    ASSERT_EQ(Subtract(x, y), datum(only_a));
    ASSERT_EQ(SubtractKeys(x, y), datum(only_a));
    ASSERT_EQ(Difference(x, y), datum(differ));
    ASSERT_EQ(ApplyDifference(x, Difference(x, y)), y);
    ASSERT_EQ(Includes(x, y), std::includes(a.begin(), a.end(), b.begin(), b.end()));
    ASSERT_EQ(Excludes(x, y), only_a.size() == a.size());
    ASSERT_EQ(x == y, a == b);
    ASSERT_EQ(std::is_lt(x.Compare(y)), a < b);
  }
}

TEST(DatumTest, SetAlgebra) {
  CheckSets<int>([](int i) { return i - 20; });
  CheckSets<double>([](int i) { return i / 2.0; });
  CheckSets<bool>([](int i) { return i % 2 == 0; });
  CheckSets<std::string>([](int i) { return std::string(i, 'a' + i % 3); });
  CheckSets<Uuid>([](int i) {
    return Uuid{static_cast<uint64_t>(i % 3), static_cast<uint64_t>(i)};
  });
}

TEST(DatumTest, MapAlgebra) {
  using Pairs = std::map<std::string, std::string>;
  std::mt19937 random(1);
  for (int round = 0; round < 5000; round++) {
    const int range = 1 + random() % 30;
    auto make = [&] {
      Pairs pairs;
      for (int n = random() % 20; n > 0; n--) {
        pairs[std::string(random() % range, 'k')] = std::string(random() % 3, 'v');
      }
      return pairs;
    };
    const Pairs a = make(), b = make();
    Pairs either = a, unequal, unkeyed, difference;
    either.insert(b.begin(), b.end());
    bool includes = true, excludes = true;
    std::vector<std::string> b_keys;
    for (const auto& [k, v] : b) {
      b_keys.push_back(k);
      const bool equal = a.contains(k) && a.at(k) == v;
      includes &= equal;
      excludes &= !equal;
      if (!equal) difference[k] = v;
    }
    for (const auto& [k, v] : a) {
      if (!b.contains(k)) unkeyed[k] = difference[k] = v;
      if (!b.contains(k) || b.at(k) != v) unequal[k] = v;
    }
    const Datum x = Map(a), y = Map(b);
    ASSERT_EQ(Union(x, y), Map(either));
    ASSERT_EQ(Subtract(x, y), Map(unequal));
    ASSERT_EQ(SubtractKeys(x, Set(b_keys)), Map(unkeyed));
    ASSERT_EQ(Difference(x, y), Map(difference));
    ASSERT_EQ(ApplyDifference(x, Difference(x, y)), y);
    ASSERT_EQ(Includes(x, y), includes);
    ASSERT_EQ(Excludes(x, y), excludes);
    ASSERT_EQ(x == y, a == b);
  }
}

}  // namespace
}  // namespace ovsdb
