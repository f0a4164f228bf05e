#include "server/base/json_frame.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace base {
namespace {

// All frames of `text`, fed in pieces of `step` bytes; "error: ..." ends the list.
std::vector<std::string> Frames(absl::string_view text, size_t step,
                                size_t max_frame = kMaxClientFrame) {
  JsonFramer framer(max_frame);
  std::vector<std::string> frames;
  for (size_t i = 0; i < text.size(); i += step) {
    absl::string_view piece = text.substr(i, step);
    for (;;) {
      std::string frame;
      const absl::StatusOr<bool> complete = framer.Next(&piece, &frame);
      if (!complete.ok()) {
        frames.push_back(absl::StrCat("error: ", complete.status().message()));
        return frames;
      }
      if (!*complete) break;
      frames.push_back(frame);
    }
    EXPECT_TRUE(piece.empty());
  }
  return frames;
}

using Strings = std::vector<std::string>;

TEST(JsonFramerTest, CutsAtEveryPossibleBoundary) {
  const std::string text =
      " {\"a\":[1,{\"b\":\"}]\\\"{[\"}]}\n\t[]{\"\\\\\":\"\\\\\"} {\"long string, quotes \\\" and "
      "backslashes \\\\ beyond a word\":\"and }\"}\r\n";
  const Strings expected = {
      "{\"a\":[1,{\"b\":\"}]\\\"{[\"}]}", "[]", "{\"\\\\\":\"\\\\\"}",
      "{\"long string, quotes \\\" and backslashes \\\\ beyond a word\":\"and }\"}"};
  for (size_t step = 1; step <= text.size(); step++) EXPECT_EQ(Frames(text, step), expected);
}

TEST(JsonFramerTest, PutsLongMessagesTogether) {
  std::string text = "[\"";
  for (int i = 0; text.size() < 5'000'000; i++) absl::StrAppend(&text, i, ",");
  text += "\"]";
  for (const size_t step : {1000, 65536, 3'000'001}) {
    EXPECT_EQ(Frames(absl::StrCat(text, "[]", text), step), (Strings{text, "[]", text}));
  }
}

TEST(JsonFramerTest, RandomStringsAgreeWithTheirOwnSplitting) {
  std::mt19937 random(1);
  const std::string alphabet = "ab\"\\{}[] ,:\x01\xc3\xa9";
  for (int round = 0; round < 2000; round++) {
    Strings frames;
    std::string stream;
    for (int n = 0; n < 3; n++) {
      std::string s;
      for (size_t i = random() % 40; i > 0; i--) {
        const char c = alphabet[random() % alphabet.size()];
        if (c == '"' || c == '\\') s += '\\';
        s += c;
      }
      frames.push_back(absl::StrCat("{\"", s, "\":[[\"", s, "\"]]}"));
      absl::StrAppend(&stream, frames.back(), random() % 2 == 0 ? " " : "");
    }
    const size_t step = 1 + random() % 20;
    ASSERT_EQ(Frames(stream, step), frames) << stream << " in steps of " << step;
  }
}

TEST(JsonFramerTest, RefusesWhatCannotBeginAMessage) {
  for (const char* text : {"x", "5", "\"a\"", "}", "]", "\xef\xbb\xbf{}", "\0"}) {
    const Strings frames = Frames(absl::string_view(text, 1), 1);
    ASSERT_EQ(frames.size(), 1U) << text;
    EXPECT_EQ(frames[0], "error: byte 0: syntax error at beginning of input");
  }
  EXPECT_EQ(Frames("{} ]", 10),
            (Strings{"{}", "error: byte 3: syntax error at beginning of input"}));
}

TEST(JsonFramerTest, BoundsDepth) {
  const std::string deep = std::string(1000, '[') + std::string(1000, ']');
  EXPECT_EQ(Frames(deep, 7), Strings{deep});
  EXPECT_EQ(Frames(std::string(1001, '['), 7),
            Strings{"error: byte 0: input exceeds maximum nesting depth 1000"});
  EXPECT_EQ(Frames(std::string(1 << 20, '['), 1 << 20),
            Strings{"error: byte 0: input exceeds maximum nesting depth 1000"});
}

TEST(JsonFramerTest, BoundsTheLengthOfAMessageThatNeverEnds) {
  const size_t limit = 1000;
  const std::string fits = "{\"" + std::string(limit - 4, 'x') + "\"}";
  EXPECT_EQ(Frames(fits, 100, limit), Strings{fits});
  const std::string too_long = "{\"" + std::string(limit - 3, 'x') + "\"}";
  EXPECT_EQ(Frames(too_long, 100, limit),
            Strings{"error: byte 0: message is longer than 1000 bytes"});

  JsonFramer framer(limit);
  const std::string piece(64, 'x');
  std::string frame;
  absl::string_view start = "{\"";
  ASSERT_TRUE(framer.Next(&start, &frame).ok());
  bool refused = false;
  for (int i = 0; i < 100 && !refused; i++) {
    absl::string_view data = piece;
    refused = !framer.Next(&data, &frame).ok();
    EXPECT_LE(framer.pending(), limit);
  }
  EXPECT_TRUE(refused);
}

TEST(JsonFramerTest, EscapedQuoteAtTheEndOfAPieceDoesNotEndTheString) {
  EXPECT_EQ(Frames("{\"a\\\"}\":1}", 4), Strings{"{\"a\\\"}\":1}"});
}

}  // namespace
}  // namespace base
