#include "server/face/http_get.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/io_error.h"

namespace face {
namespace {

constexpr size_t kMaxBytes = 1 << 20;

}  // namespace

HttpGet::HttpGet(base::Loop* loop, const std::string& host, uint16_t port, absl::string_view path,
                 int64_t timeout_ms, Done done)
    : done_(std::move(done)),
      failure_(absl::DeadlineExceededError(absl::StrCat("no answer within ", timeout_ms, " ms"))),
      timeout_(loop, [this] { Finish(failure_); }) {
  const std::string shown = absl::StrContains(host, ':') ? absl::StrCat("[", host, "]") : host;
  absl::StatusOr<std::unique_ptr<base::Stream>> stream = base::Stream::Connect(
      {loop, nullptr}, absl::StrCat("tcp:", shown, ":", port), base::kNoDscp, this);
  if (!stream.ok()) {
    failure_ = stream.status();
    timeout_.Start(0);
    return;
  }
  timeout_.Start(timeout_ms);
  stream_ = *std::move(stream);
  // Of this version every answer ends with its connection.
  stream_->Write(absl::StrCat("GET ", path, " HTTP/1.0\r\nHost: ", shown, "\r\n\r\n"));
}

HttpGet::~HttpGet() = default;

void HttpGet::OnData(absl::string_view data) {
  if (text_.size() + data.size() > kMaxBytes) {
    return Finish(absl::ResourceExhaustedError("an answer of more than 1 MiB"));
  }
  absl::StrAppend(&text_, data);
}

void HttpGet::OnClosed(const absl::Status& reason) {
  Finish(base::ErrorNumber(reason) == -1 ? Body() : reason);
}

absl::StatusOr<std::string> HttpGet::Body() const {
  const size_t end = text_.find("\r\n\r\n");
  if (!absl::StartsWith(text_, "HTTP/1.") || end == std::string::npos) {
    return absl::InvalidArgumentError("an answer that is not HTTP's");
  }
  if (text_.substr(8, 5) != " 200 ") {
    return absl::UnavailableError(text_.substr(9, text_.find('\r') - 9));
  }
  return text_.substr(end + 4);
}

void HttpGet::Finish(absl::StatusOr<std::string> body) {
  const Done done = std::move(done_);
  timeout_.Stop();
  if (done) done(std::move(body));
}

}  // namespace face
