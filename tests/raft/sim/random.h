// Randomness from one seed: the same on every machine.
#ifndef TESTS_RAFT_SIM_RANDOM_H_
#define TESTS_RAFT_SIM_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>

namespace raft::sim {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  uint64_t Next() { return engine_(); }
  // Both ends included.
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine_() % static_cast<uint64_t>(high - low + 1));
  }
  // `percent` may have a fraction.
  bool Chance(double percent) { return static_cast<double>(engine_() % 1000000) < percent * 10000; }
  // Of a container that is not empty.
  template <typename Container>
  auto& Pick(Container& from) {
    return from[engine_() % from.size()];
  }
  template <typename Container>
  void Shuffle(Container* items) {
    for (size_t i = items->size(); i > 1; --i) {
      std::swap((*items)[i - 1], (*items)[engine_() % i]);
    }
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace raft::sim

#endif  // TESTS_RAFT_SIM_RANDOM_H_
