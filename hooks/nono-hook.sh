#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installed by nono, which replaces it when it changes; `nono hooks remove` takes it away.
# After a failed tool call in a nono sandbox it tells Claude Code what the sandbox allows.
# A hook that fails would only get in the way, so it ends with 0 whatever happens.
[ -n "${NONO_CAP_FILE:-}" ] && [ -f "$NONO_CAP_FILE" ] || exit 0
command -v nono >/dev/null 2>&1 || exit 0
nono hooks context 2>/dev/null
exit 0
