# SPDX-License-Identifier: Apache-2.0
# Plays kernels with other versions of Landlock; its register names are those of one architecture.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
	add_executable(play_kernel ${CMAKE_SOURCE_DIR}/tests/escape/play_kernel.c)
	set_target_properties(play_kernel PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endif()
