# SPDX-License-Identifier: Apache-2.0
# A room is a folder of C files with one header; all rooms but the lazily loaded modules make up nono-core.
function(nono_rooms target)
	foreach(room ${ARGN})
		file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${room}/*.c)
		target_sources(${target} PRIVATE ${sources})
	endforeach()
endfunction()
