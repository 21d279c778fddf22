#!/bin/bash
# cppcheck finds nothing in the program, the shim and the protocol.
cd "$NONO_SOURCE" && exec cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr -j "$(nproc)" \
	--enable=warning,portability,performance --suppress=missingInclude --suppress=unknownMacro --suppress=internalAstError \
	--suppress=normalCheckLevelMaxBranches -D_GNU_SOURCE -D__linux__ -D__x86_64__ -I broker -I . broker proto shim
