// SPDX-License-Identifier: GPL-2.0
/*
 * The benchmark's guest: the only program of its VM. Prints how many
 * instructions each call takes, and ends the VM.
 *
 * QEMU runs with -icount shift=0: the virtual clock goes on by 1 ns with each
 * instruction, and the TSC, of 1 GHz, by one. The TSC is read around each
 * call and the median of many calls is taken, so a timer interrupt that falls
 * into one of them does not matter.
 *
 * From the kernel's command line (unknown NAME=VALUE become the environment):
 *   count_by=tracepoint|raw_tracepoint|fentry  count by eBPF, attached so
 *   throughput=1                               no -icount: reads a second by
 *                                              one of two CPUs, and by both
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "oslab.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define SAMPLES 1001

static void die(const char *what)
{
	printf("failed: %s: %m\n", what);
	fflush(NULL);
	reboot(RB_AUTOBOOT);
	_exit(1);
}

static inline uint64_t tsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* As inline assembly: what libc adds is not the kernel's. */
static inline long call(long number, long a, long b, long c, long d)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = 0;
	register long r9 asm("r9") = 0;
	long result;

	asm volatile("syscall" : "=a"(result)
		     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return result;
}

/* --- what is measured ------------------------------------------------- */

static int zero_fd, null_fd, meminfo_fd, io_fd;
static long snapshot_number, io_number, usage_number;
static struct mem_snapshot snapshot, parsed_snapshot;
static struct io_stats_user io_stats, parsed_io;
static struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES];

static void nothing(void) { }

static void thousand(void)
{
	asm volatile(".rept 1000\n\tnop\n\t.endr");
}

static void do_getppid(void)
{
	call(SYS_getppid, 0, 0, 0, 0);
}

static void do_read(void)
{
	char byte;

	call(SYS_read, zero_fd, (long)&byte, 1, 0);
}

static void do_write(void)
{
	call(SYS_write, null_fd, (long)"x", 1, 0);
}

static void do_open_close(void)
{
	long fd = call(SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDONLY, 0);

	call(SYS_close, fd, 0, 0, 0);
}

static void do_fork_wait(void)
{
	long pid = call(SYS_fork, 0, 0, 0, 0);

	if (!pid)
		call(SYS_exit_group, 0, 0, 0, 0);
	call(SYS_wait4, pid, 0, 0, 0);
}

static void do_snapshot(void)
{
	call(snapshot_number, (long)&snapshot, 0, 0, 0);
}

static void do_io(void)
{
	call(io_number, 1, (long)&io_stats, 0, 0);
}

static void do_usage(void)
{
	call(usage_number, (long)usage, OSLAB_USAGE_ENTRIES, 0, 0);
}

/* The number after the next "label:" from text on; text moves behind it. */
static uint64_t field(const char **text, const char *label, size_t length)
{
	const char *at = *text;
	uint64_t value = 0;

	while (memcmp(at, label, length))
		at = strchr(at, '\n') + 1;
	at += length;
	while (*at == ' ')
		at++;
	while (*at >= '0' && *at <= '9')
		value = value * 10 + (*at++ - '0');
	*text = strchr(at, '\n') + 1;
	return value;
}

#define FIELD(text, label) field(&(text), label ":", sizeof(label))

/*
 * As cheap as a careful program does it: the file stays open, is read at
 * once, and each line is looked at once, up to the last that is needed.
 */
static void do_meminfo(void)
{
	struct mem_snapshot *to = &parsed_snapshot;
	char buffer[4096];
	const char *text = buffer;
	long length = call(SYS_pread64, meminfo_fd, (long)buffer,
			   sizeof(buffer) - 1, 0);

	buffer[length] = 0;
	to->total_kb = FIELD(text, "MemTotal");
	to->free_kb = FIELD(text, "MemFree");
	to->available_kb = FIELD(text, "MemAvailable");
	to->buffers_kb = FIELD(text, "Buffers");
	to->cached_kb = FIELD(text, "Cached");
	to->active_kb = FIELD(text, "Active");
	to->inactive_kb = FIELD(text, "Inactive");
	to->swap_total_kb = FIELD(text, "SwapTotal");
	to->swap_free_kb = FIELD(text, "SwapFree");
	to->shmem_kb = FIELD(text, "Shmem");
	to->slab_kb = FIELD(text, "Slab");
}

static void do_proc_io(void)
{
	char buffer[512];
	const char *text = buffer;
	long length = call(SYS_pread64, io_fd, (long)buffer,
			   sizeof(buffer) - 1, 0);

	buffer[length] = 0;
	parsed_io.rchar = FIELD(text, "rchar");
	parsed_io.wchar = FIELD(text, "wchar");
	parsed_io.syscr = FIELD(text, "syscr");
	parsed_io.syscw = FIELD(text, "syscw");
	parsed_io.read_bytes = FIELD(text, "read_bytes");
	parsed_io.write_bytes = FIELD(text, "write_bytes");
}

/* --- measuring -------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Prints the median, lowest and mean number of instructions. */
static __attribute__((noinline)) void measure(const char *name,
					      void (*what)(void), int samples)
{
	static uint64_t took[SAMPLES];
	static uint64_t empty;
	uint64_t sum = 0;

	for (int i = 0; i < 20; i++) /* caches, page tables, jump labels */
		what();
	for (int i = 0; i < samples; i++) {
		uint64_t before = tsc();

		what();
		took[i] = tsc() - before;
	}
	qsort(took, samples, sizeof(took[0]), ascending);
	if (what == nothing)
		empty = took[samples / 2];
	for (int i = 0; i < samples; i++)
		sum += took[i] - empty;
	printf("result %s %lld %lld %lld\n", name,
	       (long long)(took[samples / 2] - empty),
	       (long long)(took[0] - empty), (long long)(sum / samples));
}

/* --- the same counting by eBPF ---------------------------------------- */

static const struct {
	const char *event;
	const char *function;
	int number;
	int entry;
} counted[] = {
	{ "open", "__x64_sys_open", SYS_open, 0 },
	{ "openat", "__x64_sys_openat", SYS_openat, 0 },
	{ "openat2", "__x64_sys_openat2", SYS_openat2, 0 },
	{ "creat", "__x64_sys_creat", SYS_creat, 0 },
	{ "read", "__x64_sys_read", SYS_read, 1 },
	{ "write", "__x64_sys_write", SYS_write, 2 },
	/* BTF has no __x64_ name of syscalls without arguments, where it is an alias. */
	{ "newfork", "__do_sys_fork", SYS_fork, 3 },
	{ "newvfork", "__do_sys_vfork", SYS_vfork, 3 },
	{ "newclone", "__x64_sys_clone", SYS_clone, 3 },
	{ "newclone3", "__x64_sys_clone3", SYS_clone3, 3 },
};

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

#define INSN(op, dst, src, offset, number) \
	((struct bpf_insn){ .code = (op), .dst_reg = (dst), .src_reg = (src), \
			    .off = (offset), .imm = (number) })

/*
 * value = map[entry]; value->last_ns = bpf_ktime_get_ns(); value->count++;
 * The entry is the one given, or (-1, raw tracepoints, which all syscalls
 * come by) that of the syscall's number; others end there.
 */
static int load_program(enum bpf_prog_type type, int map, int entry, int btf_id)
{
	static char log[65536];
	struct bpf_insn code[64];
	int n = 0;

	if (entry < 0) {
		int tests = ARRAY_SIZE(counted);

		code[n++] = INSN(BPF_LDX | BPF_DW | BPF_MEM, 3, 1, 8, 0);
		for (int i = 0; i < tests; i++) {
			/* not this one: skip "its entry, go on" */
			code[n++] = INSN(BPF_JMP | BPF_JNE | BPF_K, 3, 0, 2,
					 counted[i].number);
			code[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0,
					 counted[i].entry);
			code[n] = INSN(BPF_JMP | BPF_JA, 0, 0,
				       3 * (tests - i - 1) + 2, 0);
			n++;
		}
		code[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
		code[n++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
		code[n++] = INSN(BPF_STX | BPF_W | BPF_MEM, 10, 2, -4, 0);
	} else {
		code[n++] = INSN(BPF_ST | BPF_W | BPF_MEM, 10, 0, -4, entry);
	}
	code[n++] = INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map);
	code[n++] = INSN(0, 0, 0, 0, 0);
	code[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
	code[n++] = INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4);
	code[n++] = INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	code[n++] = INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 6, 0);
	code[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 0, 0, 0);
	code[n++] = INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ktime_get_ns);
	code[n++] = INSN(BPF_STX | BPF_DW | BPF_MEM, 6, 0, 8, 0);
	code[n++] = INSN(BPF_LDX | BPF_DW | BPF_MEM, 1, 6, 0, 0);
	code[n++] = INSN(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, 1);
	code[n++] = INSN(BPF_STX | BPF_DW | BPF_MEM, 6, 1, 0, 0);
	code[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	code[n++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);

	union bpf_attr attr = {
		.prog_type = type,
		.insns = (uintptr_t)code,
		.insn_cnt = n,
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};

	if (btf_id) {
		attr.expected_attach_type = BPF_TRACE_FENTRY;
		attr.attach_btf_id = btf_id;
	}

	int program = bpf(BPF_PROG_LOAD, &attr);

	if (program < 0) {
		puts(log);
		die("BPF_PROG_LOAD");
	}
	return program;
}

/* perf's number of a syscall's tracepoint; its name is not always the call's. */
static int tracepoint_id(const char *event)
{
	char path[128];
	int id = -1;

	snprintf(path, sizeof(path), "/tracing/events/syscalls/sys_enter_%s/id",
		 event);
	FILE *file = fopen(path, "r");

	if (!file && !strncmp(event, "new", 3))
		return tracepoint_id(event + 3);
	if (!file || fscanf(file, "%d", &id) != 1)
		die(path);
	fclose(file);
	return id;
}

/* How many bytes of a type's description come after its struct btf_type. */
static size_t btf_rest(const struct btf_type *type)
{
	size_t members = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return members * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return members * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO:
		return members * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return members * sizeof(struct btf_var_secinfo);
	case BTF_KIND_ENUM64:
		return members * 12;
	default:
		return 0;
	}
}

static char *read_btf(void)
{
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY);
	char *data = malloc(32 << 20);
	size_t have = 0;
	ssize_t more;

	if (fd < 0 || !data)
		die("/sys/kernel/btf/vmlinux");
	while ((more = read(fd, data + have, (32 << 20) - have)) > 0)
		have += more;
	close(fd);
	return data;
}

/* The number that the kernel's BTF has for a function. */
static int btf_function(const char *data, const char *name)
{
	const struct btf_header *header;
	const char *at, *end, *names;

	header = (const struct btf_header *)data;
	at = data + header->hdr_len + header->type_off;
	end = at + header->type_len;
	names = data + header->hdr_len + header->str_off;
	for (int id = 1; at < end; id++) {
		const struct btf_type *type = (const struct btf_type *)at;

		if (BTF_INFO_KIND(type->info) == BTF_KIND_FUNC &&
		    !strcmp(names + type->name_off, name))
			return id;
		at += sizeof(*type) + btf_rest(type);
	}
	errno = ENOENT;	/* in the kernel's BTF */
	die(name);
	return 0;
}

/* Keeps its programs for as long as the process lives. */
static void count_by_fentry(int map)
{
	char *btf;

	mkdir("/sys", 0755);
	if (mount("sysfs", "/sys", "sysfs", 0, NULL))
		die("sysfs");
	btf = read_btf();
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
		union bpf_attr attr = {
			.raw_tracepoint.prog_fd =
				load_program(BPF_PROG_TYPE_TRACING, map, counted[i].entry,
					     btf_function(btf, counted[i].function)),
		};

		if (bpf(BPF_RAW_TRACEPOINT_OPEN, &attr) < 0)
			die(counted[i].function);
	}
	free(btf);	/* a fork would copy it */
}

static int count_by_bpf(const char *how)
{
	union bpf_attr map_attr = {
		.map_type = BPF_MAP_TYPE_PERCPU_ARRAY,
		.key_size = 4,
		.value_size = 16,
		.max_entries = OSLAB_USAGE_ENTRIES,
	};
	int map = bpf(BPF_MAP_CREATE, &map_attr);

	if (map < 0)
		die("BPF_MAP_CREATE");
	if (!strcmp(how, "fentry")) {
		count_by_fentry(map);
		return map;
	}
	if (!strcmp(how, "raw_tracepoint")) {
		union bpf_attr attr = {
			.raw_tracepoint.name = (uintptr_t)"sys_enter",
			.raw_tracepoint.prog_fd =
				load_program(BPF_PROG_TYPE_RAW_TRACEPOINT, map, -1, 0),
		};

		if (bpf(BPF_RAW_TRACEPOINT_OPEN, &attr) < 0)
			die("BPF_RAW_TRACEPOINT_OPEN");
		return map;
	}

	mkdir("/tracing", 0700);
	if (mount("tracefs", "/tracing", "tracefs", 0, NULL))
		die("tracefs");
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
		struct perf_event_attr attr = {
			.type = PERF_TYPE_TRACEPOINT,
			.size = sizeof(attr),
			.config = tracepoint_id(counted[i].event),
			.sample_period = 1,
		};
		int event = syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);

		if (event < 0)
			die("perf_event_open");
		if (ioctl(event, PERF_EVENT_IOC_SET_BPF,
			  load_program(BPF_PROG_TYPE_TRACEPOINT, map,
				       counted[i].entry, 0)))
			die("PERF_EVENT_IOC_SET_BPF");
		ioctl(event, PERF_EVENT_IOC_ENABLE, 0);
	}
	return map;
}

/* What was counted of reads since boot; values of all CPUs, this one's first. */
static uint64_t bpf_reads(int map)
{
	uint32_t key = 1;
	uint64_t values[2 * 64] = { 0 };
	union bpf_attr attr = {
		.map_fd = map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)values,
	};

	if (bpf(BPF_MAP_LOOKUP_ELEM, &attr))
		die("BPF_MAP_LOOKUP_ELEM");
	return values[0];
}

/* --- the frame -------------------------------------------------------- */

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static __attribute__((noreturn)) void end(void)
{
	puts("done");
	fflush(NULL);
	reboot(RB_AUTOBOOT);
	_exit(0);
}

#define SECONDS	3

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static uint64_t reads_until(double deadline)
{
	uint64_t reads = 0;

	while (seconds() < deadline)
		for (int i = 0; i < 1000; i++, reads++)
			do_read();
	return reads;
}

/* In time, and so for ratios only: what this CPU reads, alone and beside another. */
static void measure_throughput(void)
{
	uint64_t *other = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			       -1, 0);
	uint64_t alone = reads_until(seconds() + SECONDS), mine;
	double deadline;
	pid_t child;

	deadline = seconds() + 0.1 + SECONDS;
	child = fork();
	if (!child) {
		pin(1);
		/* The offset of an open file is shared memory, which each read writes to. */
		zero_fd = open("/dev/zero", O_RDONLY);
		while (seconds() < deadline - SECONDS)
			;
		*other = reads_until(deadline);
		_exit(0);
	}
	while (seconds() < deadline - SECONDS)
		;
	mine = reads_until(deadline);
	wait(NULL);
	printf("result reads_one %llu\nresult reads_both %llu\n", (unsigned long long)alone,
	       (unsigned long long)(mine + *other));
	end();
}

/* Numbers of the syscalls, "first" of three in a row; 0 without them. */
static void find_syscalls(void)
{
	const char *first = getenv("first");

	snapshot_number = first ? atoi(first) : 0;
	usage_number = snapshot_number + 1;
	io_number = snapshot_number + 2;
}

static void check_figures(void)
{
	if (snapshot.total_kb != parsed_snapshot.total_kb ||
	    snapshot.slab_kb < parsed_snapshot.slab_kb / 2)
		printf("failed: the snapshot is not /proc/meminfo\n");
	if (io_stats.rchar > parsed_io.rchar + 100000 || !io_stats.syscr)
		printf("failed: io_stats is not /proc/PID/io\n");
}

int main(void)
{
	uint64_t start = tsc();
	const char *count_by = getenv("count_by");
	int map = -1;

	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	int console = open("/dev/console", O_RDWR);

	for (int fd = 0; fd < 3; fd++)
		dup2(console, fd);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);

	zero_fd = open("/dev/zero", O_RDONLY);
	null_fd = open("/dev/null", O_WRONLY);
	meminfo_fd = open("/proc/meminfo", O_RDONLY);
	io_fd = open("/proc/self/io", O_RDONLY);
	if (zero_fd < 0 || null_fd < 0 || meminfo_fd < 0 || io_fd < 0)
		die("open");

	pin(0);
	find_syscalls();
	if (count_by)
		map = count_by_bpf(count_by);
	if (getenv("throughput"))
		measure_throughput();

	printf("result boot %llu %llu %llu\n", (unsigned long long)start,
	       (unsigned long long)start, (unsigned long long)start);
	measure("nothing", nothing, SAMPLES);
	measure("thousand", thousand, SAMPLES);
	measure("getppid", do_getppid, SAMPLES);
	uint64_t before = map < 0 ? 0 : bpf_reads(map);

	measure("read", do_read, SAMPLES);
	if (map >= 0 && bpf_reads(map) - before != SAMPLES + 20)
		printf("failed: eBPF did not count every read\n");
	measure("write", do_write, SAMPLES);
	measure("open+close", do_open_close, SAMPLES);
	measure("fork+wait", do_fork_wait, 201);
	measure("meminfo", do_meminfo, 201);
	measure("proc_io", do_proc_io, 201);
	if (snapshot_number) {
		measure("snapshot", do_snapshot, SAMPLES);
		measure("io_throttle", do_io, SAMPLES);
		measure("usage", do_usage, SAMPLES);
		check_figures();
	}
	end();
}
