/* SPDX-License-Identifier: Apache-2.0 */
/*
 * functions.c - toolkit functions that open pages.
 *
 * Theory of operation
 * -------------------
 * A profile declares functions by name and signature (open_urls.functions; those of
 * GLib and GTK are built in). Whoever exports one, its first bytes become a jump to a
 * stub of ours: callers find it by the loader, by dlsym, or call it from within their
 * library. The function itself never runs, so nothing of it has to be kept.
 *
 *  - When: at start, for what is loaded by then, and, from the first dlopen on,
 *    whenever the loader says that it has loaded something. It says so by calling the
 *    empty function at which debuggers wait (_r_debug.r_brk), which jumps to ours. That
 *    is in the middle of its work, so only tables are read there (elf.c). A start in
 *    which nothing is found writes no memory.
 *  - How: the stub makes a closure with libffi when it is called first. Only programs
 *    that call such a function load libffi; those of GLib have it already.
 *  - The closure hands the URL to the session's entry (see docs/open.md) and waits for
 *    its end. The pointer that is declared to be a URL is read by nobody but the kernel:
 *    in a wrong declaration it is an execution that fails.
 */
#include "shim.h"

#include "jump.h"
#include "proto/functions.h"
#include "proto/lane.h"
#include "raw.h"
#define STUBS_FUNCTIONS
#include "stubs.h"

#include <dlfcn.h>
#include <ffi.h>
#include <link.h>

#pragma weak _r_debug
#pragma weak dlopen
#pragma weak dlsym
extern char **environ __attribute__((weak));

#define P(pointer) ((long)(uintptr_t)(pointer))
#define ENTRY_ROOM 600
#define WCLONE 0x80000000L
#define SIG_BLOCK_ 0
#define SIG_SETMASK_ 2
#define SIGCHLD_ 17

/** struct function - one that is taken over. */
struct function {
	const char *name; /* in text */
	size_t length;
	uint32_t hash;
	unsigned n_args, url;
	const char *args; /* letters, in text */
	char result;
	long value;
	ffi_cif cif;
	ffi_type *types[OPEN_FUNCTION_ARGS];
	void *code;      /* the closure; NULL: not made yet */
	unsigned making; /* 1: somebody is just doing so */
};

static struct function functions[OPEN_FUNCTIONS_MAX];
static unsigned n_functions;
static char text[OPEN_FUNCTIONS_TEXT];
static const struct link_map *last; /* looked at; NULL: begin with the first */
static unsigned watching;           /* 1: the loader is watched */

/* ---- opening --------------------------------------------------------------------- */

/* In a child: execute the entry, wait for it, end with its status. */
static void run_entry(const char *entry, const char *url, uint64_t mask)
{
	const char *const argv[] = {entry, url, NULL};
	const char *const envp[] = {NULL}; /* the entry finds the session by where it is */
	const uint64_t as_usual[4] = {0};  /* a struct sigaction: ended children can be waited for */
	int status = 0;
	raw_syscall(__NR_rt_sigaction, SIGCHLD_, P(as_usual), 0, sizeof(mask), 0, 0);
	long pid = raw_syscall(__NR_clone, SIGCHLD_, 0, 0, 0, 0, 0);
	if (pid == 0) {
		raw_syscall(__NR_rt_sigprocmask, SIG_SETMASK_, P(&mask), 0, sizeof(mask), 0, 0);
		raw_syscall(__NR_execve, P(entry), P(argv), P(envp), 0, 0, (long)TRAP_LANE);
		raw_syscall(__NR_exit_group, 127, 0, 0, 0, 0, 0);
	}
	bool ended = pid > 0 && raw_syscall(__NR_wait4, pid, P(&status), 0, 0, 0, 0) == pid;
	raw_syscall(__NR_exit_group, ended && status == 0 ? 0 : 1, 0, 0, 0, 0, 0);
}

/*
 * Ask for the page. The child that waits sends no signal at its end and is invisible to
 * the program's own waiting (__WCLONE); its handlers do not run in it.
 */
static bool open_page(const char *url)
{
	char entry[ENTRY_ROOM];
	const uint64_t all = ~0ULL;
	uint64_t mask = 0;
	int status = 1;
	if (!url || !opener_entry(entry, sizeof(entry)))
		return false;
	raw_syscall(__NR_rt_sigprocmask, SIG_BLOCK_, P(&all), P(&mask), sizeof(mask), 0, 0);
	long pid = raw_syscall(__NR_clone, 0, 0, 0, 0, 0, 0);
	if (pid == 0)
		run_entry(entry, url, mask);
	long got = pid > 0 ? raw_syscall(__NR_wait4, pid, P(&status), WCLONE, 0, 0, 0) : -1;
	raw_syscall(__NR_rt_sigprocmask, SIG_SETMASK_, P(&mask), 0, sizeof(mask), 0, 0);
	return got == pid && status == 0;
}

/* ---- answering ------------------------------------------------------------------- */

#define REFUSED "the page was not opened: nono says why on standard error"

static void *symbol(const char *name)
{
	return dlsym ? dlsym(RTLD_DEFAULT, name) : NULL;
}

/* A GError ** of the caller: refusals carry an error there, and programs rely on it. */
static void set_error(void **error)
{
	uint32_t (*quark)(void) = (uint32_t(*)(void))symbol("g_io_error_quark");
	void (*set)(void **, uint32_t, int, const char *) =
		(void (*)(void **, uint32_t, int, const char *))symbol("g_set_error_literal");
	if (error && quark && set)
		set(error, quark(), 0, REFUSED);
}

/* A GAsyncReadyCallback: it is called from the main loop, as ever. */
static void call_back(void *callback, void *data, bool opened)
{
	void *(*new)(void *, void *, void *, void *) = (void *(*)(void *, void *, void *, void *))symbol("g_task_new");
	void (*yes)(void *, int) = (void (*)(void *, int))symbol("g_task_return_boolean");
	void (*no)(void *, uint32_t, int, const char *, ...) =
		(void (*)(void *, uint32_t, int, const char *, ...))symbol("g_task_return_new_error");
	uint32_t (*quark)(void) = (uint32_t(*)(void))symbol("g_io_error_quark");
	void (*unref)(void *) = (void (*)(void *))symbol("g_object_unref");
	if (!callback || !new || !yes || !no || !quark || !unref)
		return;
	void *task = new (NULL, NULL, callback, data);
	if (opened)
		yes(task, 1);
	else
		no(task, quark(), 0, "%s", REFUSED);
	unref(task);
}

static void on_call(ffi_cif *cif, void *result, void **args, void *data)
{
	const struct function *f = data;
	const bool opened = open_page(*(const char **)args[f->url]);
	const long value = opened ? f->value : 0;
	(void)cif;
	for (unsigned i = 0; i < f->n_args; i++) {
		if (f->args[i] == 'e' && !opened)
			set_error(*(void ***)args[i]);
		if (f->args[i] == 'c')
			call_back(*(void **)args[i], i + 1 < f->n_args ? *(void **)args[i + 1] : NULL, opened);
	}
	if (f->result == 'd')
		*(double *)result = (double)value;
	else if (f->result != 'v')
		*(ffi_sarg *)result = value; /* libffi wants whole registers */
}

/* ---- closures ---------------------------------------------------------------------- */

/** struct ffi - what is used of libffi. */
static struct {
	__typeof__(ffi_prep_cif) *prep_cif;
	__typeof__(ffi_closure_alloc) *closure_alloc;
	__typeof__(ffi_prep_closure_loc) *prep_closure_loc;
	ffi_type *pointer, *sint, *uint, *slong, *real, *nothing;
} ffi;

static bool load_ffi(void)
{
	static const char names[][16] = {"libffi.so.8", "libffi.so.7", "libffi.so.6"};
	void *lib = NULL;
	for (unsigned i = 0; dlopen && dlsym && !lib && i < sizeof(names) / sizeof(names[0]); i++)
		lib = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return false;
	ffi.prep_cif = (__typeof__(ffi.prep_cif))dlsym(lib, "ffi_prep_cif");
	ffi.closure_alloc = (__typeof__(ffi.closure_alloc))dlsym(lib, "ffi_closure_alloc");
	ffi.prep_closure_loc = (__typeof__(ffi.prep_closure_loc))dlsym(lib, "ffi_prep_closure_loc");
	ffi.pointer = dlsym(lib, "ffi_type_pointer");
	ffi.sint = dlsym(lib, "ffi_type_sint32");
	ffi.uint = dlsym(lib, "ffi_type_uint32");
	ffi.slong = dlsym(lib, "ffi_type_sint64");
	ffi.real = dlsym(lib, "ffi_type_double");
	ffi.nothing = dlsym(lib, "ffi_type_void");
	return ffi.prep_cif && ffi.closure_alloc && ffi.prep_closure_loc && ffi.pointer && ffi.sint && ffi.uint &&
	       ffi.slong && ffi.real && ffi.nothing;
}

static ffi_type *type_of(char letter)
{
	switch (letter) {
	case 'i':
		return ffi.sint;
	case 'u':
		return ffi.uint;
	case 'l':
		return ffi.slong;
	case 'd':
		return ffi.real;
	case 'v':
		return ffi.nothing;
	default:
		return ffi.pointer;
	}
}

static void *make_closure(struct function *f)
{
	void *code = NULL;
	ffi_closure *closure = load_ffi() ? ffi.closure_alloc(sizeof(*closure), &code) : NULL;
	if (!closure)
		return NULL;
	for (unsigned a = 0; a < f->n_args; a++)
		f->types[a] = type_of(f->args[a]);
	if (ffi.prep_cif(&f->cif, FFI_DEFAULT_ABI, f->n_args, type_of(f->result), f->types) != FFI_OK ||
		ffi.prep_closure_loc(closure, &f->cif, on_call, f, code) != FFI_OK)
		return NULL;
	return code;
}

/* One thread makes it, others that come meanwhile wait for that. */
void *function_closure(unsigned i)
{
	static const char missing[] = "nono: the page was not opened: libffi cannot be used here\n";
	struct function *f = &functions[i];
	void *code = __atomic_load_n(&f->code, __ATOMIC_ACQUIRE);
	while (!code && __atomic_exchange_n(&f->making, 1, __ATOMIC_ACQUIRE)) {
		raw_syscall(__NR_sched_yield, 0, 0, 0, 0, 0, 0);
		code = __atomic_load_n(&f->code, __ATOMIC_ACQUIRE);
	}
	if (code)
		return code;
	/* it may have been made between the two looks */
	code = __atomic_load_n(&f->code, __ATOMIC_ACQUIRE);
	if (!code)
		code = make_closure(f);
	__atomic_store_n(&f->code, code, __ATOMIC_RELEASE);
	__atomic_store_n(&f->making, 0, __ATOMIC_RELEASE);
	if (!code)
		raw_syscall(__NR_write, 2, P(missing), sizeof(missing) - 1, 0, 0, 0);
	return code;
}

/* ---- taking over ---------------------------------------------------------------------- */

/* Lead function @i of one object to its stub. */
static void take_over(unsigned i, const struct link_map *m)
{
	size_t size = 0;
	const uintptr_t entry = elf_function(m, functions[i].name, functions[i].length, functions[i].hash, &size);
	struct patch p = {.n = 0};
	if (!entry)
		return;
	(void)patch_jump(&p, entry, size, (uintptr_t)function_stubs + (uintptr_t)i * STUB_BYTES);
	patch_end(&p);
}

/* Instead of the loader's empty function: it has loaded or removed something. Only one thread is ever here. */
static void on_loader(void)
{
	if (_r_debug.r_state == RT_DELETE)
		last = NULL; /* it may be the one that goes; who is met again gets the same jump again */
	if (_r_debug.r_state != RT_CONSISTENT)
		return;
	const struct link_map *m = last ? last->l_next : _r_debug.r_map;
	for (; m; m = m->l_next) {
		for (unsigned i = 0; i < n_functions; i++)
			take_over(i, m);
		last = m;
	}
}

/* ---- the declarations ------------------------------------------------------------------ */

/* Cut the field that ends with @end off *@at. NULL: there is none. */
static char *field(char **at, char end)
{
	char *start = *at;
	for (char *p = start; *p; p++)
		if (*p == end) {
			*p = '\0';
			*at = p + 1;
			return start;
		}
	return NULL;
}

static bool number(const char *s, long *out)
{
	const bool minus = *s == '-';
	unsigned long v = 0;
	s += minus;
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v * 10 + (unsigned long)(*s - '0');
	}
	*out = (long)(minus ? 0 - v : v);
	return true;
}

/* One record. The broker has checked what it wrote, but anybody may have set the variable. */
static bool read_function(char **at, struct function *f)
{
	char *name = field(at, ':'), *args = name ? field(at, ':') : NULL, *url = args ? field(at, ':') : NULL;
	char *result = url ? field(at, ':') : NULL, *value = result ? field(at, ';') : NULL;
	long index;
	if (!value || !*name || !number(url, &index) || !number(value, &f->value))
		return false;
	while (args[f->n_args])
		f->n_args++;
	if (f->n_args > OPEN_FUNCTION_ARGS || index < 0 || index >= (long)f->n_args || args[index] != 's')
		return false;
	f->name = name;
	while (name[f->length])
		f->length++;
	f->hash = elf_hash(name, f->length);
	f->args = args;
	f->url = (unsigned)index;
	f->result = *result;
	return true;
}

static void read_functions(const char *declared)
{
	size_t n = 0;
	for (; n < sizeof(text) - 1 && declared[n]; n++)
		text[n] = declared[n];
	for (char *at = text; *at && n_functions < OPEN_FUNCTIONS_MAX; n_functions++)
		if (!read_function(&at, &functions[n_functions]))
			break;
}

/* Whether an object has one of them, without writing anything. */
static bool any_in(const struct link_map *m, const char *declared)
{
	while (*declared) {
		size_t n = 0, size;
		while (declared[n] && declared[n] != ':')
			n++;
		if (n && elf_function(m, declared, n, elf_hash(declared, n), &size))
			return true;
		for (declared += n; *declared;)
			if (*declared++ == ';')
				break;
	}
	return false;
}

void functions_start(const char *declared)
{
	bool any = false;
	for (const struct link_map *m = &_r_debug ? _r_debug.r_map : NULL; m && !any; m = m->l_next)
		any = any_in(m, declared);
	if (!any)
		return;
	read_functions(declared);
	on_loader();
}

void functions_watch(void)
{
	static const char variable[] = OPEN_FUNCTIONS_VARIABLE "=";
	struct patch p = {.n = 0};
	if (!&_r_debug || !_r_debug.r_brk || __atomic_exchange_n(&watching, 1, __ATOMIC_ACQ_REL))
		return;
	/* by now the program may have moved its environment */
	for (char **env = n_functions == 0 && &environ ? environ : NULL; env && *env; env++) {
		size_t i = 0;
		while (variable[i] && (*env)[i] == variable[i])
			i++;
		if (!variable[i])
			read_functions(*env + i);
	}
	if (n_functions)
		(void)patch_jump(&p, _r_debug.r_brk, EMPTY_FUNCTION_BYTES, (uintptr_t)&on_loader);
	patch_end(&p);
}
