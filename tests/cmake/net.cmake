# SPDX-License-Identifier: Apache-2.0
# The network room around a real program, without the other rooms.
add_executable(net_harness clients/net_harness.c)
target_link_libraries(net_harness PRIVATE nono-core)
set_target_properties(net_harness PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)

add_executable(net_probe escape/net_probe.c)

nono_static(net_probe)
set_target_properties(net_probe PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
