// SPDX-License-Identifier: MIT
/// @file config_fuzz.cpp: any text gives a complete value or an error with a position.
#include <mato/config.hpp>

#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

struct settings {
    bool flag = false;
    std::int64_t big = 0;
    std::uint8_t small = 0;
    std::string name;
    std::vector<std::string> list;
    std::chrono::milliseconds span{0};
    int inner = 0;
    bool operator==(const settings&) const = default;
};

const mato::config::schema<settings>& keys() {
    static const auto built = [] {
        mato::config::schema<settings> inner, top;
        inner.field("inner", &settings::inner);
        top.field("flag", &settings::flag)
            .field("big", &settings::big)
            .field("small", &settings::small)
            .field("name", &settings::name)
            .field("list", &settings::list)
            .field("span", &settings::span)
            .table("table", inner);
        return top;
    }();
    return built;
}

void require(bool fact) {
    if (!fact) std::abort();
}

/// Removes digits up to ':', at least one, the first not zero.
bool take_number(std::string_view& text) {
    std::size_t digits = 0;
    while (digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits]))) ++digits;
    if (digits == 0 || digits == text.size() || text[0] == '0' || text[digits] != ':') return false;
    text.remove_prefix(digits + 1);
    return true;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    settings defaults;
    defaults.name = "default";
    mato::failure why;
    const settings value = keys().parse(text, "fuzz.toml", defaults, why);
    if (why) {
        require(why.code == mato::errc::invalid_config);
        require(value == defaults);
        std::string_view detail = why.detail;
        require(detail.substr(0, 10) == "fuzz.toml:");
        detail.remove_prefix(10);
        require(take_number(detail) && take_number(detail)); // line and column, from 1
        require(detail.size() > 1 && detail[0] == ' ');
    }
    mato::failure again;
    require(keys().parse(text, "fuzz.toml", defaults, again) == value && again.message() == why.message());
    static_cast<void>(mato::config::parse_duration(text));
    return 0;
}
