# Tests of the installed product: the headers, the single header, the packages.

# A wrong policy gives our compile error, and its corrected twin compiles.
get_target_property(asio_includes asio::asio INTERFACE_INCLUDE_DIRECTORIES)
file(GLOB refusals CONFIGURE_DEPENDS compile_fail/*.cpp)
foreach(source IN LISTS refusals)
    get_filename_component(name ${source} NAME_WE)
    add_test(NAME compile_fail/${name} COMMAND sh ${PROJECT_SOURCE_DIR}/test/compile_fail/check.sh ${source} ${CMAKE_CXX_COMPILER}
        -std=c++20 -DASIO_STANDALONE -I${PROJECT_SOURCE_DIR}/include -I${asio_includes})
    set_tests_properties(compile_fail/${name} PROPERTIES TIMEOUT 120 LABELS compile_fail)
endforeach()

# The other tests check text and packages, which do not depend on sanitizers: one build is enough.
if(MATO_SANITIZE)
    return()
endif()

# The toolkit's tests again, as one program that includes only the single header.
file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include/mato ${PROJECT_SOURCE_DIR}/include/mato/*.hpp)
list(REMOVE_ITEM headers mato.hpp)
foreach(header IN LISTS headers)
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/single_include/mato/${header} CONTENT "#include <mato/mato.hpp>\n")
endforeach()
set(single_tests ${unit_tests})
list(FILTER single_tests EXCLUDE REGEX "/(documents|fan_out_property)_test") # they test no header, or have their own main
list(FILTER single_tests EXCLUDE REGEX "/server_exception_test") # replaces operator new, which only one test of a program may do: framing_test
add_executable(single_include_test ${single_tests})
target_include_directories(single_include_test PRIVATE ${PROJECT_BINARY_DIR}/single_include
                           ${PROJECT_SOURCE_DIR}/single_include ${PROJECT_SOURCE_DIR}/test)
target_compile_definitions(single_include_test PRIVATE MATO_WITH_TOML)
target_compile_options(single_include_test PRIVATE $<TARGET_PROPERTY:mato_own,INTERFACE_COMPILE_OPTIONS>)
target_precompile_headers(single_include_test PRIVATE <mato/mato.hpp> "$<$<COMPILE_LANGUAGE:CXX>:${PROJECT_SOURCE_DIR}/test/support/catch.hpp>")
target_link_libraries(single_include_test PRIVATE asio::asio tomlplusplus::tomlplusplus Threads::Threads Catch2::Catch2WithMain)
add_test(NAME single_include/toolkit COMMAND single_include_test)
set_tests_properties(single_include/toolkit PROPERTIES LABELS single_include TIMEOUT 600)
add_test(NAME single_include/is_current COMMAND ${CMAKE_COMMAND} -DCHECK=ON -P ${PROJECT_SOURCE_DIR}/single_include/amalgamate.cmake)
set_tests_properties(single_include/is_current PROPERTIES LABELS single_include TIMEOUT 60)

# Every way to use the toolkit. `package` installs and packs; the others use its result.
find_program(MATO_CLANGXX NAMES clang++)
mark_as_advanced(MATO_CLANGXX)
set(tools CXX=${CMAKE_CXX_COMPILER} CLANGXX=${MATO_CLANGXX} CMAKE=${CMAKE_COMMAND})
foreach(step package find_package core core_from_source fetched_asio pkg_config add_subdirectory fetch_content single_header single_header_clang recipes
        told_at_configure told_at_compile)
    add_test(NAME consume/${step}
        COMMAND sh ${PROJECT_SOURCE_DIR}/test/consume/run.sh ${PROJECT_BINARY_DIR}/consume ${step})
    set_tests_properties(consume/${step} PROPERTIES ENVIRONMENT "${tools}" LABELS consume TIMEOUT 300 FIXTURES_REQUIRED packages)
endforeach()
set_tests_properties(consume/package PROPERTIES FIXTURES_SETUP packages FIXTURES_REQUIRED "")

# The cost of includes and the macros that they define; documents that are programs.
foreach(step macros cost snippets)
    add_test(NAME headers/${step} COMMAND sh ${PROJECT_SOURCE_DIR}/test/headers.sh ${PROJECT_BINARY_DIR}/headers ${step})
    set_tests_properties(headers/${step} PROPERTIES ENVIRONMENT "${tools}" LABELS headers TIMEOUT 300)
endforeach()
if(TARGET doc)
    add_test(NAME headers/reference COMMAND Doxygen::doxygen ${PROJECT_BINARY_DIR}/Doxyfile)
    set_tests_properties(headers/reference PROPERTIES LABELS headers TIMEOUT 120)
else()
    message(WARNING "doxygen is missing: the test headers/reference will not be run")
endif()

# One-definition rule: two units, two shared objects, two versions; and without run-time type information.
foreach(step units shared_objects versions no_rtti)
    add_test(NAME odr/${step} COMMAND sh ${PROJECT_SOURCE_DIR}/test/odr/run.sh ${PROJECT_BINARY_DIR}/odr ${step})
    set_tests_properties(odr/${step} PROPERTIES ENVIRONMENT "${tools}" LABELS odr TIMEOUT 300)
endforeach()
