# SPDX-License-Identifier: Apache-2.0
# embed.cmake - writes a C file with the JSON data under profiles/, called at build time:
# cmake -DOUTPUT=... -DSOURCES="a.json;b.json" -P embed.cmake
set(text "/* generated from profiles/ */\n#include \"profile/fields.h\"\n\n")
set(rows "")
set(i 0)
foreach(file ${SOURCES})
	get_filename_component(name ${file} NAME_WE)
	file(READ ${file} hex HEX)
	string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
	string(APPEND text "static const char data_${i}[] = {${bytes}0};\n")
	string(APPEND rows "\t{\"${name}\", data_${i}, sizeof(data_${i}) - 1},\n")
	math(EXPR i "${i} + 1")
endforeach()
string(APPEND text "const struct embedded embedded_files[] = {\n${rows}};\nconst size_t n_embedded_files = ${i};\n")
file(WRITE ${OUTPUT} "${text}")
