// SPDX-License-Identifier: MIT
#include "kitty_graphics.hpp"

#include "image_size.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace mux::vt {

namespace {

bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// "key=value", a letter and a letter or a 32-bit number.
bool take_key(std::string_view part, kitty_command& c) noexcept {
    if (part.size() < 3 || part[1] != '=' || !is_letter(part[0])) return false;
    const char key = part[0];
    const std::string_view value = part.substr(2);
    c.has_other_keys = c.has_other_keys || (key != 'm' && key != 'q');
    char* const letter = key == 'a'   ? &c.action
                         : key == 't' ? &c.transmission
                         : key == 'd' ? &c.deletes
                         : key == 'o' ? &c.compression
                                      : nullptr;
    if (letter) {
        *letter = value[0];
        return value.size() == 1 && is_letter(value[0]);
    }
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
    c.values[kitty_command::index(key)] = n;
    constexpr std::int64_t most = 0xffffffff;
    return error == std::errc{} && end == value.data() + value.size() && n >= -most && n <= most;
}

} // namespace

int kitty_command::number(char key, int most) const noexcept {
    return static_cast<int>(std::clamp<std::int64_t>((*this)[key], 0, most));
}

std::optional<kitty_command> parse_kitty(std::string_view text) noexcept {
    kitty_command c;
    const auto semicolon = text.find(';');
    if (semicolon != text.npos) c.payload = text.substr(semicolon + 1);
    std::string_view keys = text.substr(0, semicolon);
    while (!keys.empty()) {
        const auto comma = keys.find(',');
        if (!take_key(keys.substr(0, comma), c)) return std::nullopt;
        keys.remove_prefix(comma == keys.npos ? keys.size() : comma + 1);
    }
    return c;
}

std::optional<kitty_images::pending> kitty_images::gather(const kitty_command& c) {
    if (pending_ && c.has_other_keys && c.action != 'f') pending_.reset(); // the rest of the last image never came
    if (!pending_) {
        pending_.emplace();
        pending_->first = c;
        pending_->first.payload = {};
    }
    pending& p = *pending_;
    if (!p.is_too_long && p.data.size() + c.payload.size() > image_bytes_) {
        p.is_too_long = true;
        std::string().swap(p.data);
        ++too_long_;
    }
    if (!p.is_too_long) p.data += c.payload;
    if (c['m'] == 1) return std::nullopt;
    if (c['q'] != 0) p.first.values[kitty_command::index('q')] = c['q'];
    return std::exchange(pending_, std::nullopt);
}

std::uint32_t kitty_images::keep(transmitted t) {
    if (t.id == 0 && t.number == 0) return 0;
    if (t.id == 0) { // kitty assigns the next free id
        t.id = 1;
        for (const transmitted& each : kept_) t.id = std::max(t.id, each.id + 1);
        if (t.id == 0) t.id = 1;
    }
    remove(t.id);
    const std::size_t size = t.image->bytes();
    while (!kept_.empty() && (bytes_ + size > limits_.bytes || kept_.size() >= limits_.pictures)) remove(kept_.front().id);
    if (size > limits_.bytes) return t.id;
    bytes_ += size;
    kept_.push_back(t);
    return t.id;
}

const kitty_images::transmitted* kitty_images::find(std::uint32_t id, std::uint32_t number) const noexcept {
    // Of several images with one number, the newest.
    const auto at = std::find_if(kept_.rbegin(), kept_.rend(), [=](const transmitted& t) {
        return id != 0 ? t.id == id : number != 0 && t.number == number;
    });
    return at == kept_.rend() ? nullptr : &*at;
}

void kitty_images::remove(std::uint32_t id) {
    const auto at = std::find_if(kept_.begin(), kept_.end(), [=](const transmitted& t) { return t.id == id; });
    if (at == kept_.end()) return;
    bytes_ -= at->image->bytes();
    kept_.erase(at);
}

void kitty_images::clear() noexcept {
    kept_.clear();
    bytes_ = 0;
    pending_.reset();
}

std::size_t kitty_images::memory_bytes() const noexcept {
    return bytes_ + kept_.size() * sizeof(transmitted) + (pending_ ? pending_->data.capacity() : 0);
}

kitty_image_result make_kitty_image(const kitty_command& c, std::string data) {
    if (c.transmission != 'd') return {nullptr, "EPERM:only direct transmission (t=d) is supported"};
    if (c.compression != 0 && c.compression != 'z') return {nullptr, "EINVAL:unknown compression"};
    const int format = c['f'] == 0 ? 32 : c.number('f');
    if (format != 24 && format != 32 && format != 100) return {nullptr, "EINVAL:unknown format"};
    if (data.empty() || !is_base64(data)) return {nullptr, "EINVAL:the data is not base64"};
    auto made = std::make_shared<image>();
    made->kind = picture_kind::kitty;
    made->header = "f=";
    made->header += std::to_string(format);
    if (format == 100) {
        made->size = encoded_image_size(data);
        if (!made->size.is_known() && c.compression == 0) return {nullptr, "EBADPNG:no PNG"};
    } else {
        made->size = {c.number('s'), c.number('v')};
        if (!made->size.is_known()) return {nullptr, "EINVAL:no width and height"};
        const auto wanted = static_cast<std::size_t>(made->size.width) * static_cast<std::size_t>(made->size.height) *
                            static_cast<std::size_t>(format / 8);
        if (c.compression == 0 && data.size() / 4 * 3 + 3 < wanted) return {nullptr, "ENODATA:insufficient image data"};
        made->header.append(",s=").append(std::to_string(made->size.width));
        made->header.append(",v=").append(std::to_string(made->size.height));
    }
    if (c.compression != 0) made->header += ",o=z";
    if (c.compression != 0 && c['S'] > 0) made->header.append(",S=").append(std::to_string(c.number('S', 1 << 30)));
    made->data = std::move(data);
    made->data.shrink_to_fit();
    return {std::move(made), {}};
}

} // namespace mux::vt
