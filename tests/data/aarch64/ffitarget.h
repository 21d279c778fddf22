/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ffitarget.h - what libffi's ffi.h wants to know of aarch64. Machines of another kind
 * have their own; this one is for compiling and running the shim there.
 */
#ifndef LIBFFI_TARGET_H
#define LIBFFI_TARGET_H

typedef unsigned long ffi_arg;
typedef signed long ffi_sarg;
typedef enum ffi_abi { FFI_FIRST_ABI, FFI_SYSV, FFI_WIN64, FFI_LAST_ABI, FFI_DEFAULT_ABI = FFI_SYSV } ffi_abi;

#define FFI_CLOSURES 1
#define FFI_TRAMPOLINE_SIZE 24
#define FFI_NATIVE_RAW_API 0

#endif
