# SPDX-License-Identifier: Apache-2.0
# The proxy's request parser lives in a module; its test is linked with the file itself.
target_sources(proxy_test PRIVATE ${CMAKE_SOURCE_DIR}/broker/net/proxy/http.c)

add_executable(proxy_harness ${CMAKE_SOURCE_DIR}/tests/cli/proxy_harness.c)
target_link_libraries(proxy_harness PRIVATE nono-base ${CMAKE_DL_LIBS})
set_target_properties(proxy_harness PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)

if(TARGET http_fuzz)
	target_sources(http_fuzz PRIVATE ${CMAKE_SOURCE_DIR}/broker/net/proxy/http.c)
endif()
