// SPDX-License-Identifier: MIT
#include "image_size.hpp"

#include <algorithm>

namespace mux::vt {

namespace {

constexpr int largest = 1 << 20; // pixels per side: no terminal shows more, and products fit into 64 bits

int base64_value(char c) noexcept {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/// Big- or little-endian numbers of a file's header; 0 past its end.
class header {
public:
    explicit header(std::string_view bytes) noexcept : bytes_(bytes) {}
    [[nodiscard]] std::uint32_t byte(std::size_t i) const noexcept {
        return i < bytes_.size() ? static_cast<unsigned char>(bytes_[i]) : 0;
    }
    [[nodiscard]] std::uint32_t big16(std::size_t i) const noexcept { return byte(i) << 8 | byte(i + 1); }
    [[nodiscard]] std::uint32_t big32(std::size_t i) const noexcept { return big16(i) << 16 | big16(i + 2); }
    [[nodiscard]] std::uint32_t little16(std::size_t i) const noexcept { return byte(i + 1) << 8 | byte(i); }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

private:
    std::string_view bytes_;
};

pixel_size checked(std::uint32_t width, std::uint32_t height) noexcept {
    if (width == 0 || height == 0 || width > largest || height > largest) return {};
    return {static_cast<int>(width), static_cast<int>(height)};
}

// Segments up to the first SOFn, which has the size.
pixel_size jpeg_size(const header& h) noexcept {
    for (std::size_t at = 2; at + 9 < h.size();) {
        if (h.byte(at) != 0xff) return {};
        const std::uint32_t marker = h.byte(at + 1);
        if (marker == 0xff) { // a fill byte
            ++at;
            continue;
        }
        const bool is_frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (is_frame) return checked(h.big16(at + 7), h.big16(at + 5));
        at += 2 + h.big16(at + 2);
    }
    return {};
}

} // namespace

std::string decode_base64(std::string_view text, std::size_t most) {
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const int value = base64_value(c);
        if (value < 0 || out.size() >= most) break;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out += static_cast<char>(bits >> count & 0xff);
    }
    return out;
}

bool is_base64(std::string_view text) noexcept {
    while (!text.empty() && text.back() == '=') text.remove_suffix(1);
    // All bytes are checked, without a branch each: a byte that is not base64 is rare.
    unsigned bad = 0;
    for (const char c : text) {
        const auto is_in = [c](char first, char last) {
            return static_cast<unsigned>(static_cast<unsigned char>(c - first) <= static_cast<unsigned char>(last - first));
        };
        bad |= 1u ^ (is_in('A', 'Z') | is_in('a', 'z') | is_in('0', '9') | is_in('+', '+') | is_in('/', '/'));
    }
    return bad == 0;
}

pixel_size encoded_image_size(std::string_view base64) {
    constexpr std::size_t enough = 256u << 10; // a JPEG may have a preview and a colour profile before its size
    const bool may_be_jpeg = base64.starts_with("/9j/");
    const std::string bytes = decode_base64(base64, may_be_jpeg ? enough : 32);
    const header h(bytes);
    if (bytes.starts_with("\x89PNG\r\n\x1a\n") && bytes.size() >= 24) return checked(h.big32(16), h.big32(20));
    if (bytes.starts_with("GIF8")) return checked(h.little16(6), h.little16(8));
    return may_be_jpeg ? jpeg_size(h) : pixel_size{};
}

sixel_extent measure_sixels(std::string_view data) noexcept {
    constexpr int band = 6;
    int x = 0, widest = 0, y = 0, lowest = 0;
    pixel_size raster;
    for (std::size_t i = 0; i < data.size();) {
        const char c = data[i++];
        const auto number = [&] {
            int n = 0;
            while (i < data.size() && data[i] >= '0' && data[i] <= '9') n = std::min(n * 10 + (data[i++] - '0'), largest);
            return n;
        };
        const auto numbers = [&](auto&& take) { // separated by semicolons
            for (int n = 0;; ++n) {
                take(n, number());
                if (i == data.size() || data[i] != ';') return;
                ++i;
            }
        };
        int count = 1;
        if (c == '!') {
            count = number();
            if (i < data.size() && data[i] >= '?' && data[i] <= '~')
                ++i;
            else
                continue;
        } else if (c == '"') { // Pan;Pad;Ph;Pv
            numbers([&](int n, int value) {
                if (n == 2) raster.width = value;
                if (n == 3) raster.height = value;
            });
            continue;
        } else if (c == '#') {
            numbers([](int, int) {});
            continue;
        } else if (c == '$') {
            x = 0;
            continue;
        } else if (c == '-') {
            x = 0;
            y = std::min(y + band, largest);
            continue;
        } else if (c < '?' || c > '~') {
            continue;
        }
        x = std::min(x + count, largest);
        widest = std::max(widest, x);
        lowest = std::max(lowest, y + band);
    }
    // A raster that is not filled is cleared too; one that is smaller than the drawing does not cut it.
    return {{std::max(widest, raster.width), raster.height > 0 && lowest - raster.height < band ? raster.height : lowest}, y};
}

} // namespace mux::vt
