/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jump.h - what the code of a jump looks like, by architecture.
 *
 * Each header has landing_bytes(), make_jump(), code_changed(), page_bytes() and the lengths.
 */
#ifndef NONO_SHIM_JUMP_H
#define NONO_SHIM_JUMP_H

#if defined(__x86_64__)
#include "jump_x86_64.h"
#elif defined(__aarch64__)
#include "jump_aarch64.h"
#endif

#endif
