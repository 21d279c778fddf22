# SPDX-License-Identifier: Apache-2.0
# Programs that tests/bench starts inside sandboxes; the static one shows what a program without the shim pays.
foreach(kind dynamic static)
	add_executable(connect_bench_${kind} ${CMAKE_SOURCE_DIR}/tests/bench/connect_bench.c)
	set_target_properties(connect_bench_${kind} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endforeach()
nono_static(connect_bench_static)
add_executable(open_bench ${CMAKE_SOURCE_DIR}/tests/bench/open_bench.c)
nono_static(open_bench)
set_target_properties(open_bench PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
