// What an ovn-northd shows of itself over HTTP (server/face/face.h).
#ifndef NORTHD_PROCESS_NORTHD_FACE_H_
#define NORTHD_PROCESS_NORTHD_FACE_H_

#include <string>
#include <vector>

#include "northd/process/northd.h"
#include "server/face/face.h"

namespace northd {

// Loop thread only.
class NorthdFace final : public face::Source {
 public:
  explicit NorthdFace(const Northd* northd) : northd_(northd) {}  // Outlives this.

  void AddMetrics(face::Families* families) const override;
  void AddStatus(rapidjson::Document* status) const override;
  std::vector<std::string> Broken() const override { return {}; }
  std::vector<std::string> NotReady() const override;

 private:
  const Northd* northd_;
};

}  // namespace northd

#endif  // NORTHD_PROCESS_NORTHD_FACE_H_
