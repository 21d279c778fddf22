# SPDX-License-Identifier: Apache-2.0
# published examples of profiles
target_compile_definitions(profile_load_test PRIVATE PROFILE_EXAMPLES="${CMAKE_SOURCE_DIR}/tests/data/profiles")
