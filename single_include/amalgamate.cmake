# Writes mato/mato.hpp beside this file: the whole toolkit in one header, from include/mato.
#   cmake -P single_include/amalgamate.cmake              write it
#   cmake -DCHECK=ON -P single_include/amalgamate.cmake   fail when it is not what would be written
#
# The umbrella is expanded depth first, so the order is that of the layers. Comments stay. What the headers demand (an #if that
# holds one #error and nothing else) and what they include of others (<…> outside every #if) goes to the top, once. A part
# inside an #if of the umbrella keeps its place and its own includes; it may use only what stands before it.
cmake_minimum_required(VERSION 3.23)
get_filename_component(root "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
set(written "${CMAKE_CURRENT_LIST_DIR}/mato/mato.hpp")

set(demands "")
set(includes "")
set(body "")
set(depth 0) # of #if nesting, over all files that are open

# Appends the file to `body`. PATH is relative to include/mato.
macro(expand path) # a macro: one scope for all files; what a file needs after a nested one is kept in variables of its level
    set_property(GLOBAL PROPERTY "done_${path}" TRUE)
    math(EXPR level "${level} + 1")
    set(path_${level} "${path}")
    set(depth_${level} ${depth})
    file(READ "${root}/include/mato/${path}" rest_${level})
    string(APPEND body "\n// ---- mato/${path} ----\n")
    while(NOT rest_${level} STREQUAL "")
        string(FIND "${rest_${level}}" "\n" end)
        if(end EQUAL -1)
            message(FATAL_ERROR "include/mato/${path_${level}} does not end with a newline")
        endif()
        string(SUBSTRING "${rest_${level}}" 0 ${end} line)
        math(EXPR end "${end} + 1")
        if(depth EQUAL 0 AND rest_${level} MATCHES "^(#if[^\n]*\n#error[^\n]*\n#endif\n)")
            string(APPEND demands "${CMAKE_MATCH_1}")
            string(LENGTH "${CMAKE_MATCH_1}" end)
            set(line "")
        elseif(line MATCHES "^#pragma once|^// SPDX-License-Identifier:")
            set(line "")
        elseif(line MATCHES "^#include <")
            if(depth EQUAL 0)
                string(FIND "${includes}" "${line}\n" known)
                if(known EQUAL -1)
                    string(APPEND includes "${line}\n")
                endif()
                set(line "")
            else()
                string(APPEND body "${line}\n")
            endif()
        elseif(line MATCHES "^#include \"(.*)\"")
            get_filename_component(folder "/${path_${level}}" DIRECTORY)
            get_filename_component(next "${folder}/${CMAKE_MATCH_1}" ABSOLUTE BASE_DIR "/")
            string(REGEX REPLACE "^/+" "" next "${next}")
            set(line "")
            get_property(done GLOBAL PROPERTY "done_${next}")
            if(NOT done)
                if(level GREATER 1 AND depth GREATER 0)
                    message(FATAL_ERROR "include/mato/${path_${level}} includes ${next} inside an #if; let the umbrella include it first")
                endif()
                string(SUBSTRING "${rest_${level}}" ${end} -1 rest_${level})
                expand("${next}")
                set(end 0) # done already
            endif()
        else()
            if(line MATCHES "^#if")
                math(EXPR depth "${depth} + 1")
            elseif(line MATCHES "^#endif")
                math(EXPR depth "${depth} - 1")
            endif()
            string(APPEND body "${line}\n")
        endif()
        if(end GREATER 0)
            string(SUBSTRING "${rest_${level}}" ${end} -1 rest_${level})
        endif()
    endwhile()
    if(NOT depth EQUAL depth_${level})
        message(FATAL_ERROR "include/mato/${path_${level}}: an #if without its #endif")
    endif()
    math(EXPR level "${level} - 1")
endmacro()

set(level 0)
expand("mato.hpp")

file(GLOB_RECURSE headers RELATIVE "${root}/include/mato" "${root}/include/mato/*.hpp")
foreach(header IN LISTS headers)
    get_property(done GLOBAL PROPERTY "done_${header}")
    if(NOT done)
        message(FATAL_ERROR "include/mato/${header} is not part of the umbrella, include/mato/mato.hpp")
    endif()
endforeach()

string(APPEND head
    "// SPDX-License-Identifier: MIT\n"
    "// The mato toolkit in one header. Written by single_include/amalgamate.cmake from include/mato: change that, not this.\n"
    "// Needs asio, and toml++ where MATO_WITH_TOML is defined before the include.\n"
    "#pragma once\n\n")
set(text "${head}${demands}\n${includes}${body}")
foreach(pass RANGE 4) # blank lines that the removed ones leave
    string(REPLACE "\n\n\n" "\n\n" text "${text}")
endforeach()

if(CHECK)
    set(found "")
    if(EXISTS "${written}")
        file(READ "${written}" found)
    endif()
    if(NOT found STREQUAL text)
        message(FATAL_ERROR "stale, run:\n cmake -P single_include/amalgamate.cmake")
    endif()
else()
    file(WRITE "${written}" "${text}")
endif()
