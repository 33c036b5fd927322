// SPDX-License-Identifier: MIT
/// @file test_headers.hpp: what every test includes; precompiled. A header of the toolkit does not belong here: some tests
/// define macros before they include it.
#pragma once

#include "catch.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>
