// SPDX-License-Identifier: MIT
// Compiled so that the precompiled header is.
