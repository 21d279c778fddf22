# SPDX-License-Identifier: Apache-2.0
# Socket calls from inside, for escape/net_*.sh.
add_executable(net_probe escape/net_probe.c)

nono_static(net_probe)
set_target_properties(net_probe PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
