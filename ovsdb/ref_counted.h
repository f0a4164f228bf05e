// Intrusive, thread-safe reference counting for immutable shared values.
//
// Rows, strings and large datums are shared between the current state, snapshots that other threads
// read, and buffers on their way to sockets. One count inside the object keeps a reference at eight
// bytes and an allocation at one.
#ifndef OVSDB_REF_COUNTED_H_
#define OVSDB_REF_COUNTED_H_

#include <atomic>
#include <cstdint>
#include <utility>

namespace ovsdb {

// Derive publicly: `class Page : public RefCounted<Page>`. A new object has no reference yet; the
// first Ref takes it. The last one to go calls `delete` on Derived, or `Derived::Destroy(p)` if that
// is declared (for objects with a trailing array).
template <typename Derived>
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void AddRef() const { count_.fetch_add(1, std::memory_order_relaxed); }
  void Release() const {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      auto* self = const_cast<Derived*>(static_cast<const Derived*>(this));
      if constexpr (requires { Derived::Destroy(self); }) {
        Derived::Destroy(self);
      } else {
        delete self;
      }
    }
  }
  // True if the caller holds the only reference, so that nobody else can see the object.
  bool unique() const { return count_.load(std::memory_order_acquire) == 1; }

 protected:
  ~RefCounted() = default;

 private:
  mutable std::atomic<uint32_t> count_{0};
};

// A shared pointer to a RefCounted object; may be null. Safe to copy and destroy on any thread.
template <typename T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}  // NOLINT: a null reference is written `nullptr`.
  explicit Ref(T* p) : p_(p) {
    if (p_ != nullptr) p_->AddRef();
  }
  Ref(const Ref& o) : Ref(o.p_) {}
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  template <typename U>
    requires std::convertible_to<U*, T*>
  Ref(const Ref<U>& o) : Ref(static_cast<T*>(o.get())) {}  // NOLINT: to const, as pointers do.
  template <typename U>
    requires std::convertible_to<U*, T*>
  Ref(Ref<U>&& o) noexcept : p_(o.Detach()) {}  // NOLINT: as above.
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Ref() {
    if (p_ != nullptr) p_->Release();
  }

  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }
  bool operator==(const Ref& o) const { return p_ == o.p_; }
  bool operator==(std::nullptr_t) const { return p_ == nullptr; }

  // Gives the reference away without releasing it; the caller must adopt or release it.
  T* Detach() { return std::exchange(p_, nullptr); }
  // Takes over a reference that Detach() gave away.
  static Ref Adopt(T* p) {
    Ref r;
    r.p_ = p;
    return r;
  }

 private:
  T* p_ = nullptr;
};

}  // namespace ovsdb

#endif  // OVSDB_REF_COUNTED_H_
