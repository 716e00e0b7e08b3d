# SPDX-License-Identifier: MIT
#
# What `make install` puts where: libraries, headers, pkg-config files and a
# CMake package. The command and the manual pages are installed where they
# are made.
get_property(layers GLOBAL PROPERTY ctxvar_layers)
get_property(uv_static GLOBAL PROPERTY ctxvar_uv_static)
set(package "${CMAKE_INSTALL_LIBDIR}/cmake/ctxvar")

foreach(layer IN LISTS layers)
    install(TARGETS ${layer} ${layer}-static EXPORT ctxvar
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    # Written at installation, since --prefix may give another one then.
    install(CODE "
        set(PROJECT_VERSION \"${PROJECT_VERSION}\")
        set(LIBDIR \"${CMAKE_INSTALL_LIBDIR}\")
        set(UV_STATIC \"${uv_static}\")
        set(INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")
        configure_file(\"${PROJECT_SOURCE_DIR}/cmake/${layer}.pc.in\"
            \"${PROJECT_BINARY_DIR}/${layer}.pc\" @ONLY)
        file(INSTALL \"${PROJECT_BINARY_DIR}/${layer}.pc\" DESTINATION
            \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig\")")
endforeach()

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/ctxvar"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")

install(EXPORT ctxvar NAMESPACE ctxvar:: FILE ctxvar-targets.cmake
    DESTINATION "${package}")
configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/ctxvar-config.cmake.in"
    "${PROJECT_BINARY_DIR}/ctxvar-config.cmake"
    INSTALL_DESTINATION "${package}")
write_basic_package_version_file(
    "${PROJECT_BINARY_DIR}/ctxvar-config-version.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/ctxvar-config.cmake"
    "${PROJECT_BINARY_DIR}/ctxvar-config-version.cmake"
    DESTINATION "${package}")
