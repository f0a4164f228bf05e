// Makes the JSON of /status, in the memory of its document.
#ifndef SERVER_FACE_JSON_MAKER_H_
#define SERVER_FACE_JSON_MAKER_H_

#include <utility>

#include "absl/strings/string_view.h"
#include "rapidjson/document.h"

namespace face {

class JsonMaker {
 public:
  // `document` outlives this.
  explicit JsonMaker(rapidjson::Document* document) : allocator_(document->GetAllocator()) {}

  rapidjson::Value Text(absl::string_view text) {
    return rapidjson::Value(text.data(), static_cast<rapidjson::SizeType>(text.size()), allocator_);
  }
  // Names live for ever.
  template <typename T>
  void Add(rapidjson::Value* object, const char* name, T value) {
    object->AddMember(rapidjson::StringRef(name), value, allocator_);
  }
  void AddText(rapidjson::Value* object, const char* name, absl::string_view text) {
    Add(object, name, Text(text));
  }
  void Push(rapidjson::Value* array, rapidjson::Value value) { array->PushBack(value, allocator_); }

 private:
  rapidjson::Document::AllocatorType& allocator_;
};

}  // namespace face

#endif  // SERVER_FACE_JSON_MAKER_H_
