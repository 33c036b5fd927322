// SPDX-License-Identifier: MIT
// expect: no value_reader for the type of this key; specialise `read` and `expected`
#include <mato/config.hpp>

struct settings {
    int number = 0;
    void* handle = nullptr;
};
void keys(mato::config::schema<settings>& schema) {
#ifdef FIXED
    schema.field("number", &settings::number);
#else
    schema.field("handle", &settings::handle);
#endif
}
