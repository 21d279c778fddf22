# SPDX-License-Identifier: Apache-2.0
# The libraries of the nono program itself. They are linked statically where the distribution has
# archives: each shared one costs a start about 0.15 ms, and nono starts before every command.
option(NONO_STATIC_LIBRARIES "Link libseccomp, json-c, libevent_core and msgpack-c statically" ON)

add_library(nono-small-libraries INTERFACE)
foreach(pair libseccomp:seccomp json-c:json-c libevent_core:event_core msgpack:msgpackc)
	string(REPLACE ":" ";" pair ${pair})
	list(GET pair 0 module)
	list(GET pair 1 name)
	pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
	find_library(${name}_archive lib${name}.a)
	if(NONO_STATIC_LIBRARIES AND ${name}_archive)
		target_link_libraries(nono-small-libraries INTERFACE ${${name}_archive})
		target_include_directories(nono-small-libraries INTERFACE ${${name}_INCLUDE_DIRS})
	else()
		target_link_libraries(nono-small-libraries INTERFACE PkgConfig::${name})
	endif()
endforeach()
