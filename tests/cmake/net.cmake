# SPDX-License-Identifier: Apache-2.0
# Socket calls from inside, for escape/net_*.sh.
file(GLOB net_probe_sources CONFIGURE_DEPENDS escape/net_probe*.c)
add_executable(net_probe ${net_probe_sources})

nono_static(net_probe)
set_target_properties(net_probe PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)

# Preloaded into nono: an older kernel.
add_library(old_kernel MODULE escape/old_kernel.c)
# it takes the place of libc's syscall(), and reads arguments that callers did not give
target_compile_options(old_kernel PRIVATE -fno-sanitize=all)
target_link_options(old_kernel PRIVATE -fno-sanitize=all)
set_target_properties(old_kernel PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
