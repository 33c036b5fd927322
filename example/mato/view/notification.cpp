// SPDX-License-Identifier: MIT
#include "notification.hpp"

#include <algorithm>

namespace mux {

std::string notification(notice_form form, std::string_view title, std::string_view text) {
    constexpr std::string_view end = "\033\\";
    std::string head(title), out;
    if (form != notice_form::osc_99) std::replace(head.begin(), head.end(), ';', ',');
    switch (form) {
    case notice_form::osc_9: // a number and a semicolon at its begin would be one of ConEmu's commands
        return out.append("\033]9;").append(head).append(": ").append(text).append(end);
    case notice_form::osc_777: return out.append("\033]777;notify;").append(head).append(";").append(text).append(end);
    case notice_form::osc_99: // the second part ends it
        out.append("\033]99;i=mato:d=0;").append(head).append(end);
        return out.append("\033]99;i=mato:d=1:p=body;").append(text).append(end);
    }
    return out;
}

} // namespace mux
