// SPDX-License-Identifier: MIT
// The other unit: if a non-template function were not inline, the program would not link.
#include <mato/mato.hpp>

const std::error_category* category_of_a();
const std::type_info* daemon_of_a();

int main() { return category_of_a() == &mato::mato_category() && *daemon_of_a() == typeid(mato::basic_daemon<>) ? 0 : 1; }
