# SPDX-License-Identifier: Apache-2.0
# Plays kernels with other versions of Landlock.
add_executable(play_kernel ${CMAKE_SOURCE_DIR}/tests/escape/play_kernel.c)
set_target_properties(play_kernel PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
