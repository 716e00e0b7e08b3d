# SPDX-License-Identifier: MIT
#
# How every file of the project is compiled. What differs between presets
# (optimisation, sanitizers, coverage) is in CMakePresets.json.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
# Every branch that the source has is a branch of the program.
set(CMAKE_C_FLAGS_COVERAGE "-O0 -g")

add_compile_definitions(_GNU_SOURCE)
add_compile_options(
    -Wall
    -Wextra
    -Wpedantic
    -Wshadow
    -Wstrict-prototypes
    -Wmissing-prototypes
    # Calls between functions of one library are direct, those into another
    # are one indirection.
    -fno-plt
    -fno-semantic-interposition
    # A stack overflow meets the guard page; a stack can be walked.
    -fstack-clash-protection
    -fno-omit-frame-pointer
)
add_link_options(LINKER:--as-needed LINKER:-z,relro LINKER:-z,now)
