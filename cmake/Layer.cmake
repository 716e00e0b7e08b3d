# SPDX-License-Identifier: MIT
#
# A layer is a folder under src/ and a library, shared and static, from one
# set of objects.

# The .c files of a folder, in ${out}; none when there is no such folder.
function(ctxvar_sources out folder)
    file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.c")
    set(${out} "${sources}" PARENT_SCOPE)
endfunction()

# ctxvar_layer(<library> <folder> EXPORT <name>
#     [ON <layer below>...] [OPTIONS <flag>...] [LINK <outside library>...])
#
# Makes the targets <library> and <library>-static, which a CMake package
# calls ctxvar::<name> and ctxvar::<name>-static. LINK is not needed to
# compile against the library.
function(ctxvar_layer library folder)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "EXPORT" "ON;OPTIONS;LINK")
    ctxvar_sources(sources "${CMAKE_CURRENT_SOURCE_DIR}/${folder}")
    if(NOT sources)
        return()
    endif()

    add_library(${library}-objects OBJECT ${sources})
    target_compile_options(${library}-objects PRIVATE ${arg_OPTIONS})
    target_include_directories(${library}-objects PRIVATE
        "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
    target_include_directories(${library}-objects SYSTEM PRIVATE
        ${${library}_INCLUDE_DIRS})

    add_library(${library} SHARED $<TARGET_OBJECTS:${library}-objects>)
    add_library(${library}-static STATIC $<TARGET_OBJECTS:${library}-objects>)
    set_target_properties(${library} PROPERTIES
        VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR}
        EXPORT_NAME ${arg_EXPORT})
    set_target_properties(${library}-static PROPERTIES
        OUTPUT_NAME ${library}
        EXPORT_NAME ${arg_EXPORT}-static)
    # What comes from a static archive is not ours to export. A thread that
    # has used the library needs it until it ends, after dlclose() too.
    target_link_options(${library} PRIVATE
        LINKER:--exclude-libs,ALL LINKER:-z,nodelete)
    # The functions of a sanitizer are found in the program.
    if(NOT CMAKE_C_FLAGS MATCHES "-fsanitize")
        target_link_options(${library} PRIVATE LINKER:--no-undefined)
    endif()
    foreach(kind "" "-static")
        set(below ${arg_ON})
        list(TRANSFORM below APPEND "${kind}")
        target_include_directories(${library}${kind} INTERFACE
            $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
        target_link_libraries(${library}${kind}
            PUBLIC ${below} Threads::Threads PRIVATE ${arg_LINK})
        add_library(ctxvar::${arg_EXPORT}${kind} ALIAS ${library}${kind})
    endforeach()

    set_property(GLOBAL APPEND PROPERTY ctxvar_layers ${library})
    set_property(GLOBAL PROPERTY ctxvar_folder_of_${library} ${folder})
endfunction()
