// What nearly every test includes anyway, compiled once for each folder of tests.
#ifndef TESTS_PCH_TESTS_PCH_H_
#define TESTS_PCH_TESTS_PCH_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#endif  // TESTS_PCH_TESTS_PCH_H_
