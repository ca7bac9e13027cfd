// SPDX-License-Identifier: GPL-2.0
/*
 * The modules: what their files hold and how they can be read, and what
 * their parameters do. Unloads them first, and leaves them unloaded.
 *
 *   modules CAPTURE TRACK THROTTLE DIRECTORY
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"
#include "modlib.h"

#define PARAMETER	"/sys/module/io_throttle_mod/parameters/pid"
#define IO_FILE		"/proc/io_throttle"

static char text[4096];

/* --- the kernel's log -------------------------------------------------------- */

static int log_fd;

static void start_log(void)
{
	lseek(log_fd, 0, SEEK_END);
}

/* Was this logged since the start? */
static bool logged(const char *words)
{
	char record[2048];
	bool found = false;
	ssize_t length;

	for (;;) {
		length = read(log_fd, record, sizeof(record) - 1);
		if (length < 0 && errno == EPIPE)
			continue;	/* records were lost */
		if (length <= 0)
			return found;
		record[length] = '\0';
		found = found || strstr(record, words);
	}
}

/* --- reading ------------------------------------------------------------------- */

static long read_through(const char *path, size_t piece)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long length, total = 0;

	do {
		length = result(read(fd, text + total, piece));
		if (length > 0)
			total += length;
	} while (length > 0 && total + piece < sizeof(text));
	close(fd);
	text[total] = '\0';
	return length < 0 ? length : total;
}

static long by_splice(int from, int to, size_t piece)
{
	return splice(from, NULL, to, NULL, piece, 0);
}

static long by_sendfile(int from, int to, size_t piece)
{
	return sendfile(to, from, NULL, piece);
}

/* Through a pipe into the text. */
static long move_through(const char *path, long (*move)(int from, int to, size_t piece),
			 size_t piece)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ends[2];
	long length, total = 0;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	do {
		length = result(move(fd, ends[1], piece));
		if (length > 0)
			length = result(read(ends[0], text + total, length));
		if (length > 0)
			total += length;
	} while (length > 0 && total + piece < sizeof(text));
	close(fd);
	close(ends[0]);
	close(ends[1]);
	text[total] = '\0';
	return length < 0 ? length : total;
}

static void test_moving(int module)
{
	static const struct {
		const char *name;
		long (*move)(int from, int to, size_t piece);
	} ways[] = { { "splice()", by_splice }, { "sendfile()", by_sendfile } };
	static const size_t pieces[] = { 1, 7, 64, 2048 };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		long error = 0, moved;
		size_t good = 0;

		for (j = 0; j < ARRAY_SIZE(pieces); j++) {
			moved = move_through(modules[module].path, ways[i].move, pieces[j]);
			error = moved < 0 ? moved : error;
			good += moved > 0 && has_shape(module, text);
		}
		ok(good == ARRAY_SIZE(pieces), "  %s in pieces of 1 to 2048 bytes (%s)",
		   ways[i].name, error ? strerrorname_np(-error) : "no error");
	}
}

static void test_reading(int module)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 64, 100, 1000 };
	const struct module *it = &modules[module];
	size_t i, good = 0;
	struct stat about;
	long length;
	int fd;

	expect(it->name, 0, load(module, ""));
	ok(!stat(it->path, &about) && (about.st_mode & 07777) == 0444,
	   "%s is for all to read", it->path);
	ok(read_file(it->path, text, sizeof(text)) > 0 && has_shape(module, text),
	   "%s holds its keys, in their order", it->path);

	for (i = 0; i < ARRAY_SIZE(pieces); i++)
		good += read_through(it->path, pieces[i]) > 0 && has_shape(module, text);
	ok(good == ARRAY_SIZE(pieces), "%s in pieces of 1 to 1000 bytes holds the same",
	   it->path);
	test_moving(module);

	fd = open(it->path, O_RDONLY | O_CLOEXEC);
	expect("  read(0 bytes)", 0, result(read(fd, text, 0)));
	expect("  read(NULL)", -EFAULT, result(syscall(SYS_read, fd, NULL, 100)));
	length = read(fd, text, sizeof(text) - 1);
	text[length > 0 ? length : 0] = '\0';
	ok(has_shape(module, text), "  and then reading well gives all");
	expect("  read() at its end", 0, result(read(fd, text, 10)));
	expect("  pread() far behind its end", 0, result(pread(fd, text, 10, 1 << 20)));
	expect("  pread() before its start", -EINVAL, result(pread(fd, text, 10, -1)));
	expect("  lseek() before its start", -EINVAL, result(lseek(fd, -1, SEEK_SET)));
	expect("  lseek() from its end", -EINVAL, result(lseek(fd, 0, SEEK_END)));
	expect("  lseek() to its start", 0, result(lseek(fd, 0, SEEK_SET)));
	length = read(fd, text, sizeof(text) - 1);
	text[length > 0 ? length : 0] = '\0';
	ok(has_shape(module, text), "  and reading from there gives all again");
	ok(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED, "  no mmap()");
	close(fd);

	fd = open(it->path, O_WRONLY | O_CLOEXEC);
	ok(fd < 0 || write(fd, "1", 1) < 0, "  no write()");
	if (fd >= 0)
		close(fd);
	expect("loaded twice", -EEXIST, load(module, ""));
	expect("unloaded", 0, unload(module));
	ok(access(it->path, F_OK), "%s is gone", it->path);
}

/* Of a process that does nothing the text stays the same: byte by byte. */
static void test_offsets(void)
{
	char whole[4096], piece[64];
	long length, at;
	int wrong = 0, fd;
	size_t size;
	pid_t pid = start_idle();

	snprintf(text, sizeof(text), "pid=%d", pid);
	expect("io_throttle_mod pid=PID", 0, load(IO_THROTTLE, text));
	length = read_file(IO_FILE, whole, sizeof(whole));
	ok(length > 0 && value_in(whole, "pid") == pid, "it shows that process");
	fd = open(IO_FILE, O_RDONLY | O_CLOEXEC);
	for (at = 0; at <= length; at++) {
		for (size = 1; size <= sizeof(piece); size *= 2) {
			long rest = length - at < (long)size ? length - at : (long)size;

			wrong += pread(fd, piece, size, at) != rest ||
				 memcmp(piece, whole + at, rest);
			wrong += lseek(fd, at, SEEK_SET) != at ||
				 read(fd, piece, size) != rest ||
				 memcmp(piece, whole + at, rest);
		}
	}
	ok(!wrong, "pread() and lseek() anywhere, 1 to 64 bytes (%d are wrong)", wrong);
	close(fd);
	end_child(pid);
	expect("unloaded", 0, unload(IO_THROTTLE));
}

/* --- io_throttle_mod: whose figures ---------------------------------------------- */

static bool set_pid(pid_t pid)
{
	char number[16];

	snprintf(number, sizeof(number), "%d\n", pid);
	return write_file(PARAMETER, number);
}

static long read_io(void *unused)
{
	long length;

	(void)unused;
	length = read_file(IO_FILE, text, sizeof(text));
	return length < 0 ? length : 0;
}

static long read_io_as_nobody(void *unused)
{
	become_nobody();
	return read_io(unused);
}

static long read_io_as_tracer(void *unused)
{
	become_tracer();
	return read_io(unused);
}

static long read_own_as_nobody(void *unused)
{
	become_nobody();
	return read_io(unused) || value_in(text, "pid") != getpid();
}

static long read_io_elsewhere(void *unused)
{
	if (unshare(CLONE_NEWPID))
		return -254;
	return in_child(read_io, unused);
}

static void test_whose(void)
{
	pid_t pid = start_idle(), again;
	long error;

	expect("io_throttle_mod", 0, load(IO_THROTTLE, ""));
	expect("by default", 0, read_io(NULL));
	ok(value_in(text, "pid") == getpid(), "it shows who opens it");
	expect("also to somebody else", 0, in_child(read_own_as_nobody, NULL));

	ok(set_pid(pid), "pid is set to a child");
	expect("asked by root", 0, read_io(NULL));
	ok(value_in(text, "pid") == pid, "it shows the child");
	expect("asked by somebody else", -EPERM, in_child(read_io_as_nobody, NULL));
	expect("asked with CAP_SYS_PTRACE alone", 0, in_child(read_io_as_tracer, NULL));
	error = in_child(read_io_elsewhere, NULL);
	if (error == -254)
		skip("no pid namespaces");
	else
		expect("asked in another pid namespace", -ESRCH, error);
	read_file(PARAMETER, text, sizeof(text));
	ok(atoi(text) == pid, "the parameter says %d", pid);

	kill(pid, SIGKILL);
	waitid(P_PID, pid, NULL, WEXITED | WNOWAIT);
	expect("the child is a zombie", 0, read_io(NULL));
	waitpid(pid, NULL, 0);
	expect("the child is gone", -ESRCH, read_io(NULL));
	again = fork_as(pid);
	if (again != pid) {
		skip("a pid cannot be chosen: %s", strerror(errno));
	} else {
		expect("another process has its pid", -ESRCH, read_io(NULL));
		ok(set_pid(pid), "pid is set to that one");
		expect("it is shown", 0, read_io(NULL));
		end_child(again);
	}

	ok(set_pid(4194303), "a pid that nobody has is accepted");
	expect("and read as", -ESRCH, read_io(NULL));
	ok(!set_pid(-1) && errno == EINVAL, "pid -1 is refused");
	ok(!write_file(PARAMETER, "abc") && errno == EINVAL, "pid abc is refused");
	ok(!write_file(PARAMETER, "99999999999") && errno == EINVAL,
	   "pid 99999999999 is refused");
	expect("after that, as before", -ESRCH, read_io(NULL));
	ok(!write_file(PARAMETER, "0x10") && errno == EINVAL, "pid 0x10 is refused");
	ok(write_file(PARAMETER, "010"), "pid 010 is accepted");
	read_file(PARAMETER, text, sizeof(text));
	ok(atoi(text) == 10, "and is decimal: %d", atoi(text));
	ok(set_pid(0), "pid is set to 0");
	expect("it shows who opens it", 0, read_io(NULL));

	/* Unloaded while it holds on to one that lives, and one that does not. */
	pid = start_idle();
	set_pid(pid);
	expect("unloaded while it shows a process", 0, unload(IO_THROTTLE));
	snprintf(text, sizeof(text), "pid=%d", pid);
	expect("loaded for it", 0, load(IO_THROTTLE, text));
	end_child(pid);
	expect("unloaded while it shows a dead one", 0, unload(IO_THROTTLE));
}

/* --- io_throttle_mod: threads ------------------------------------------------------ */

#define FIRST	0
#define OTHER	1
#define END	"e"
#define EXEC	"x"

static int orders[2][2];	/* pipes, to the first thread and to the other */

/* Only this thread ends, or it makes the process run another program. */
static void *obey(void *orders_fd)
{
	char *const idle[] = { "modules", "--idle", NULL };
	char order = *END;

	if (read(*(int *)orders_fd, &order, 1) == 1 && order == *EXEC)
		execv("/proc/self/exe", idle);
	syscall(SYS_exit, 0);
	return NULL;
}

static bool has_state(pid_t pid, char state)
{
	char path[64], status[512], *line;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (read_file(path, status, sizeof(status)) < 0)
		return false;
	line = strstr(status, "State:\t");
	return line && line[7] == state;
}

static bool has_thread(pid_t pid, pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, tid);
	return !access(path, F_OK);
}

static pid_t start_two_threads(pid_t *other)
{
	pid_t pid;
	int i;

	if (pipe2(orders[FIRST], 0) || pipe2(orders[OTHER], 0))
		return -1;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		pthread_t thread;

		pthread_create(&thread, NULL, obey, &orders[OTHER][0]);
		obey(&orders[FIRST][0]);
	}
	for (i = 0, *other = -1; i < 1000 && *other < 0; i++) {
		usleep(10000);
		*other = other_thread(pid);
	}
	return pid;
}

static void give_order(int thread, const char *order)
{
	if (write(orders[thread][1], order, 1) != 1)
		note("a thread does not hear");
}

static void end_two_threads(pid_t pid)
{
	int i;

	end_child(pid);
	for (i = FIRST; i <= OTHER; i++) {
		close(orders[i][0]);
		close(orders[i][1]);
	}
}

/* Waits until the thread is gone. */
static bool lost_thread(pid_t pid, pid_t tid)
{
	int i;

	for (i = 0; i < 1000 && has_thread(pid, tid); i++)
		usleep(10000);
	return !has_thread(pid, tid);
}

static void expect_shown(const char *what, pid_t pid)
{
	expect(what, 0, read_io(NULL));
	ok(value_in(text, "pid") == pid, "  it shows the process, %d", pid);
}

static void expect_kept(pid_t pid, pid_t tid)
{
	pid_t again = fork_as(tid);

	if (again != tid) {
		skip("a pid cannot be chosen: %s", strerror(errno));
		return;
	}
	expect_shown("another process has the thread's id", pid);
	end_child(again);
}

static void test_threads(void)
{
	pid_t pid, tid;
	int i;

	expect("io_throttle_mod", 0, load(IO_THROTTLE, ""));
	pid = start_two_threads(&tid);
	ok(set_pid(tid), "pid is set to a thread that is not the first");
	expect_shown("its process lives", pid);
	read_file(PARAMETER, text, sizeof(text));
	ok(atoi(text) == tid, "the parameter says what was set");
	give_order(OTHER, END);
	ok(lost_thread(pid, tid), "the thread ends");
	expect_shown("its process lives on", pid);
	expect_kept(pid, tid);
	end_two_threads(pid);
	expect("the process is gone", -ESRCH, read_io(NULL));

	pid = start_two_threads(&tid);
	set_pid(tid);
	give_order(OTHER, EXEC);
	ok(lost_thread(pid, tid), "a thread that is shown makes its process exec");
	expect_shown("after that", pid);
	expect_kept(pid, tid);
	end_two_threads(pid);

	pid = start_two_threads(&tid);
	give_order(FIRST, END);
	for (i = 0; i < 1000 && !has_state(pid, 'Z'); i++)
		usleep(10000);
	ok(has_state(pid, 'Z') && has_thread(pid, tid), "the first thread ends");
	ok(set_pid(tid), "pid is set to the other");
	expect_shown("by the other's id", pid);
	ok(set_pid(pid), "pid is set to the process");
	expect_shown("by the process's id", pid);
	expect("asked by somebody else", -EPERM, in_child(read_io_as_nobody, NULL));
	give_order(OTHER, EXEC);
	ok(lost_thread(pid, tid), "the other makes it exec");
	expect_shown("after that", pid);
	end_two_threads(pid);
	expect("unloaded", 0, unload(IO_THROTTLE));
}

/* --- who opens, and who reads -------------------------------------------------------- */

/* Somebody else who opens the file, has the descriptor in common with us, and stays. */
static pid_t open_elsewhere(const char *path, int *fd)
{
	struct clone_args args = { .flags = CLONE_FILES, .exit_signal = SIGCHLD };
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	fflush(stdout);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid) {
		become_nobody();
		*fd = open(path, O_RDONLY | O_CLOEXEC);
		if (*fd < 0)
			*fd = -errno;
		if (write(ends[1], fd, sizeof(*fd)) == sizeof(*fd))
			for (;;)
				pause();
		_exit(1);
	}
	if (read(ends[0], fd, sizeof(*fd)) != sizeof(*fd))
		*fd = -EIO;
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static long read_descriptor(int fd)
{
	long length = result(pread(fd, text, sizeof(text) - 1, 0));

	text[length > 0 ? length : 0] = '\0';
	return length < 0 ? length : 0;
}

static long read_descriptor_as_nobody(void *fd)
{
	become_nobody();
	return read_descriptor(*(int *)fd);
}

static void test_descriptors(void)
{
	pid_t opener, pid;
	int fd;

	expect("io_throttle_mod", 0, load(IO_THROTTLE, ""));
	opener = open_elsewhere(IO_FILE, &fd);
	ok(fd >= 0, "somebody else opens it by default");
	expect("root reads that descriptor", 0, read_descriptor(fd));
	ok(value_in(text, "pid") == opener, "  it shows who opened it");
	end_child(opener);
	expect("who opened it is gone", -ESRCH, read_descriptor(fd));
	close(fd);

	pid = start_idle();
	set_pid(pid);
	opener = open_elsewhere(IO_FILE, &fd);
	expect("somebody else opens it for root's process", -EPERM, fd);
	if (fd >= 0)
		close(fd);
	end_child(opener);

	fd = open(IO_FILE, O_RDONLY | O_CLOEXEC);
	ok(fd >= 0, "root opens it for root's process");
	expect("somebody else reads that descriptor", -EPERM,
	       in_child(read_descriptor_as_nobody, &fd));
	set_pid(0);
	expect("the parameter is set anew", 0, read_descriptor(fd));
	ok(value_in(text, "pid") == pid, "  the descriptor shows what it did");
	set_pid(pid);
	end_child(pid);
	expect("the process is gone", -ESRCH, read_descriptor(fd));
	close(fd);
	expect("opened when the process is gone", -ESRCH,
	       result(open(IO_FILE, O_RDONLY | O_CLOEXEC)));

	set_pid(0);
	fd = open(IO_FILE, O_RDONLY | O_CLOEXEC);
	ok(fd >= 0, "root opens it by default");
	expect("somebody else reads that descriptor", -EPERM,
	       in_child(read_descriptor_as_nobody, &fd));
	/* What it holds on to is given back when the file goes before it is closed. */
	expect("unloaded while the file is open", 0, unload(IO_THROTTLE));
	ok(read_descriptor(fd) < 0, "the descriptor is of no use");
	close(fd);
}

/* A directory that only root gets to. */
static void test_descriptors_of_storage(void)
{
	char outer[] = "/tmp/modulesXXXXXX", parameter[64];
	pid_t opener;
	int fd;

	if (!mkdtemp(outer)) {
		skip("no directory can be made: %s", strerror(errno));
		return;
	}
	snprintf(parameter, sizeof(parameter), "%s/inner", outer);
	mkdir(parameter, 0755);
	snprintf(parameter, sizeof(parameter), "path=%s/inner", outer);
	expect("system_stats path=…, which only root gets to", 0, load(SYSTEM_STATS, parameter));
	opener = open_elsewhere(modules[SYSTEM_STATS].path, &fd);
	expect("somebody else opens it", -EACCES, fd);
	if (fd >= 0)
		close(fd);
	end_child(opener);
	fd = open(modules[SYSTEM_STATS].path, O_RDONLY | O_CLOEXEC);
	expect("root opens and reads it", 0, read_descriptor(fd));
	expect("somebody else reads that descriptor", -EACCES,
	       in_child(read_descriptor_as_nobody, &fd));
	close(fd);
	expect("unloaded", 0, unload(SYSTEM_STATS));
	rmdir(parameter + strlen("path="));
	rmdir(outer);
}

/* --- parameters -------------------------------------------------------------------- */

static const char *opened;

static long open_as_nobody(void *unused)
{
	int fd;

	(void)unused;
	become_nobody();
	fd = open(opened, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

static void test_mode(int module)
{
	static const struct {
		const char *parameter;
		unsigned int mode;
		long nobody;
	} modes[] = {
		{ "mode=0400", 0400, -EACCES },
		{ "mode=440", 0440, -EACCES },
		{ "mode=0004", 0004, 0 },
	};
	size_t i;

	opened = modules[module].path;
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		struct stat about = {};
		char what[128];

		snprintf(what, sizeof(what), "%s %s", modules[module].name,
			 modes[i].parameter);
		expect(what, 0, load(module, modes[i].parameter));
		stat(opened, &about);
		ok((about.st_mode & 07777) == modes[i].mode,
		   "%s has mode %04o", opened, about.st_mode & 07777);
		expect("opened by somebody else", modes[i].nobody,
		       in_child(open_as_nobody, NULL));
		unload(module);
	}
}

static void test_refused(int module, const char *parameters, long error, const char *words)
{
	char what[128];

	snprintf(what, sizeof(what), "%s %s", modules[module].name, parameters);
	start_log();
	expect(what, error, load(module, parameters));
	snprintf(what, sizeof(what), "%s: %s", modules[module].name, words);
	ok(logged(what), "the log says: %s", what);
	ok(access(modules[module].path, F_OK), "there is no %s", modules[module].path);
}

static void test_wrong_parameters(void)
{
	static const char octal[] = "must be octal, with one or more bits of 0444";
	static const char process[] =
		"must be the id of a process, or 0 for whoever opens the file";
	static const char directory[] = "must be an absolute path of a directory";
	static const char * const modes[] = {
		"0", "0666", "0445", "8", "-1", "rw", "", "01000", "0x100",
		"99999999999999999999",
	};
	static const char * const pids[] = { "-1", "self", "", "1.5", "0x1", "2147483648" };
	static const struct {
		const char *path;
		long error;
	} paths[] = {
		{ "", -EINVAL }, { "relative", -EINVAL }, { "/no/such/directory", -ENOENT },
		{ "/proc/version", -ENOTDIR },
	};
	char parameters[128], words[256];
	size_t i;
	int module;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		/* All have the same; one of them is tried with each. */
		module = i % module_count;
		if (!is_built(module))
			continue;
		snprintf(parameters, sizeof(parameters), "mode=%s", modes[i]);
		snprintf(words, sizeof(words), "mode=%s: %s", modes[i], octal);
		test_refused(module, parameters, -EINVAL, words);
	}
	for (i = 0; i < ARRAY_SIZE(pids) && is_built(IO_THROTTLE); i++) {
		snprintf(parameters, sizeof(parameters), "pid=%s", pids[i]);
		snprintf(words, sizeof(words), "pid=%s: %s", pids[i], process);
		test_refused(IO_THROTTLE, parameters, -EINVAL, words);
	}
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		snprintf(parameters, sizeof(parameters), "path=%s", paths[i].path);
		snprintf(words, sizeof(words), "path=%s: %s", paths[i].path, directory);
		test_refused(SYSTEM_STATS, parameters, paths[i].error, words);
	}
	if (!is_built(IO_THROTTLE))
		return;
	/* What the first one took is given back. */
	snprintf(parameters, sizeof(parameters), "pid=%d mode=7", getpid());
	snprintf(words, sizeof(words), "mode=7: %s", octal);
	test_refused(IO_THROTTLE, parameters, -EINVAL, words);
}

int main(int argc, char **argv)
{
	int i;

	if (argc == 2 && !strcmp(argv[1], "--idle"))
		wait_forever(NULL);
	begin(argc, argv, "DIRECTORY");
	find_modules(argc > 4 ? argv[4] : ".");
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	unload_all();
	for (i = 0; i < module_count; i++) {
		if (!is_built(i))
			continue;
		test_reading(i);
		test_mode(i);
	}
	if (!skip_without_throttle()) {
		test_offsets();
		test_whose();
		test_threads();
		test_descriptors();
	}
	test_descriptors_of_storage();
	test_wrong_parameters();
	return finish();
}
