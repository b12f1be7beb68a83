# How a target of this project is compiled: one place for warnings, sanitizers and helpers.
#
#   mup_freestanding_library(name SOURCES...)   no libc beyond memcpy and friends
#   mup_hosted_library(name SOURCES...)         POSIX allowed
#   mup_program(name SOURCES...)                an executable, placed in <build>/bin
#   mup_unit_test(name SOURCE LIBS...)          a cmocka test, registered with ctest as unit.<name>

set(MUP_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
    -Wmissing-prototypes -Wpointer-arith -Wvla -Werror)
set(MUP_FREESTANDING_FLAGS -ffreestanding -Wswitch-enum -ffunction-sections -fdata-sections)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# A program is the same, and as large, wherever the repository was cloned to.
add_compile_options(-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)

if(MUP_SANITIZE)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined
        -fno-omit-frame-pointer -g)
    add_link_options(-fsanitize=address,undefined)
endif()
if(CMAKE_CROSSCOMPILING AND CMAKE_C_COMPILER_ID STREQUAL GNU)
    # The call graph with stack sizes, beside each object: tests/checks/stack reads it.
    add_compile_options(-fcallgraph-info=su)
endif()
if(MUP_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
    add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(MUP_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()

function(mup_freestanding_library name)
    add_library(${name} STATIC ${ARGN})
    target_compile_options(${name} PRIVATE ${MUP_WARNINGS} ${MUP_FREESTANDING_FLAGS})
endfunction()

function(mup_hosted_library name)
    add_library(${name} STATIC ${ARGN})
    target_compile_options(${name} PRIVATE ${MUP_WARNINGS})
    target_compile_definitions(${name} PRIVATE _POSIX_C_SOURCE=200809L _XOPEN_SOURCE=700 _DEFAULT_SOURCE)
endfunction()

# What a person runs, without the tests: ninja -C build/host programs
add_custom_target(programs)

function(mup_program name)
    add_executable(${name} ${ARGN})
    add_dependencies(programs ${name})
    target_compile_options(${name} PRIVATE ${MUP_WARNINGS})
    target_compile_definitions(${name} PRIVATE _POSIX_C_SOURCE=200809L _XOPEN_SOURCE=700 _DEFAULT_SOURCE)
endfunction()

function(mup_unit_test name source)
    add_executable(test_${name} ${source})
    target_compile_options(test_${name} PRIVATE ${MUP_WARNINGS})
    target_compile_definitions(test_${name} PRIVATE _POSIX_C_SOURCE=200809L _XOPEN_SOURCE=700 _DEFAULT_SOURCE
        MUP_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_link_libraries(test_${name} PRIVATE ${ARGN} cmocka)
    add_test(NAME unit.${name} COMMAND test_${name})
    set_tests_properties(unit.${name} PROPERTIES TIMEOUT 120)
endfunction()
