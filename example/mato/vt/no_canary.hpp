// SPDX-License-Identifier: MIT
/// @file no_canary.hpp: MUX_VT_NO_CANARY, for functions that run for every line or sequence.
/// Layer: vt core.
/// -fstack-protector-strong adds seven instructions to a function that passes a local object by reference, as these do with a
/// style. They have no array on the stack, which is what the canary protects. The flag stays on for all others.
#pragma once

#define MUX_VT_NO_CANARY __attribute__((no_stack_protector))
