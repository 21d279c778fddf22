# SPDX-License-Identifier: Apache-2.0
# The installed tree: the shim and modules live in lib/nono, found relative to the program.
set(NONO_LIBDIR lib/nono)
install(TARGETS nono RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(module nono-shim nono-net nono-open nono-proxy)
	if(TARGET ${module})
		install(TARGETS ${module} LIBRARY DESTINATION ${NONO_LIBDIR})
	endif()
endforeach()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/profiles/ DESTINATION ${CMAKE_INSTALL_DATADIR}/nono/profiles FILES_MATCHING PATTERN "*.json")
install(DIRECTORY ${CMAKE_SOURCE_DIR}/hooks/ DESTINATION ${CMAKE_INSTALL_DATADIR}/nono/hooks
	FILES_MATCHING PATTERN "*.sh" PATTERN "*.md")
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Man page and completions come from the option table, so the program writes them.
foreach(pair "bash=${CMAKE_INSTALL_DATADIR}/bash-completion/completions/nono" "zsh=${CMAKE_INSTALL_DATADIR}/zsh/site-functions/_nono"
	"zsh=${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions/_nono" "fish=${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d/nono.fish")
	string(REGEX MATCH "^[a-z]+" shell ${pair})
	string(REGEX REPLACE "^[a-z]+=" "" target ${pair})
	cmake_path(GET target PARENT_PATH folder)
	cmake_path(GET target FILENAME file)
	set(generated ${CMAKE_BINARY_DIR}/generated/${shell}/${file})
	if(NOT generated IN_LIST generated_files)
		add_custom_command(OUTPUT ${generated} COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/generated/${shell}
			COMMAND nono completion ${shell} > ${generated} DEPENDS nono)
		list(APPEND generated_files ${generated})
	endif()
	install(FILES ${generated} DESTINATION ${folder})
endforeach()
set(man ${CMAKE_BINARY_DIR}/generated/nono.1)
add_custom_command(OUTPUT ${man} COMMAND nono help --man > ${man} DEPENDS nono)
install(FILES ${man} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
set(man5 ${CMAKE_BINARY_DIR}/generated/nono-profile.5)
add_custom_command(OUTPUT ${man5} COMMAND nono profile guide --man > ${man5} DEPENDS nono)
install(FILES ${man5} DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
add_custom_target(generated ALL DEPENDS ${generated_files} ${man} ${man5})

install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME nono)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "nono developers <nono@localhost>")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "${PROJECT_DESCRIPTION}
 The kernel (Landlock, seccomp) lets a program and everything it starts touch only what its profile grants.
 A supervisor outside the sandbox asks the person for what is missing while the program runs, and explains
 every refusal.")
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
# What is linked is found by dpkg-shlibdeps; these are loaded when they are needed: to judge names and pages (without
# them such rules refuse), and for the keyring, notifications, codes and the browser.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libidn2-0, libpsl5, libcurl4")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libdbus-1-3, libqrencode4, libsecret-1-0, xdg-utils")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
include(CPack)
