# SPDX-License-Identifier: Apache-2.0
# Warnings are errors; hardening as distributions do it.
add_compile_options(-Wall -Wextra -Werror -Wshadow -Wvla -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes
	-Wpointer-arith -Wformat=2 -Wno-missing-field-initializers -fno-strict-aliasing -fno-common)
add_compile_definitions(_GNU_SOURCE NONO_VERSION="${PROJECT_VERSION}")
if(NONO_SANITIZE)
	add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
	add_link_options(-fsanitize=address,undefined)
elseif(NONO_FUZZ)
	# coverage for libFuzzer in every object; its runtime is linked into the harnesses only
	add_compile_options(-fsanitize=address,fuzzer-no-link -fno-omit-frame-pointer)
	add_link_options(-fsanitize=address)
else()
	if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
		add_compile_definitions(_FORTIFY_SOURCE=2)
	endif()
	add_compile_options(-fstack-protector-strong -fstack-clash-protection)
	if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
		add_compile_options(-fcf-protection)
	endif()
endif()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)

# nono_static(TARGET) - a static program: the sanitizers have no static runtime, so it goes without
function(nono_static target)
	target_link_options(${target} PRIVATE -static)
	if(NONO_SANITIZE OR NONO_FUZZ)
		target_compile_options(${target} PRIVATE -fno-sanitize=all)
		target_link_options(${target} PRIVATE -fno-sanitize=all)
	endif()
endfunction()
