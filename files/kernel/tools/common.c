// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <ctype.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "common.h"

#define NS_PER_SECOND	1000000000ULL
#define SECONDS_MIN	0.01
#define SECONDS_MAX	86400.0
#define ROWS_PER_HEAD	20	/* on a terminal */

static const struct program *program;

static struct {
	bool json, watch;
	unsigned long long interval_ns;
	long number;
	int pid;
} options = { .interval_ns = NS_PER_SECOND };

__attribute__((format(printf, 2, 3), noreturn))
static void stop(int code, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(code);
}

#define unsupported(format, ...) \
	stop(EXIT_MISSING, "not supported by this kernel: " format, __VA_ARGS__)

/*
 * What was printed goes out in one write, so that a pipe's reader sees whole
 * lines, and sees them at once. A reader that has gone has all that it wanted.
 */
static void flush(void)
{
	if (!fflush(stdout))
		return;
	if (errno == EPIPE)
		_exit(0);
	stop(EXIT_FAILED, "cannot write: %s (%s)", strerror(errno), strerrorname_np(errno));
}

static void show_help(void)
{
	const char *pid = program->takes_pid ? " [PID]" : "";

	printf("NAME\n       %s - %s\n\n", program->name, program->summary);
	printf("SYNOPSIS\n"
	       "       %s [--json] [--watch [SECONDS]] [--number N]%s\n"
	       "       %s --help\n\n", program->name, pid, program->name);
	printf("DESCRIPTION\n%s\n", program->description);
	printf("OPTIONS\n"
	       "       -j, --json\n"
	       "              Print a JSON object on one line; with --watch, one per call.\n\n"
	       "       -w, --watch [SECONDS]\n"
	       "              Call again every SECONDS (%g to %g, default 1) until\n"
	       "              interrupted.%s\n\n"
	       "       -n, --number N\n"
	       "              Number of the syscall (%d to %d). Without it, that in\n"
	       "              /lib/modules/RELEASE/oslab-kernel.json of the running kernel.\n\n"
	       "       -h, --help\n"
	       "              Print this.\n\n",
	       SECONDS_MIN, SECONDS_MAX,
	       program->takes_pid ?
	       " A whole number that comes alone is the PID;\n"
	       "              in --watch=NUMBER it never is. The id of a thread becomes that\n"
	       "              of its process, where /proc shows it." : "",
	       OSLAB_NUMBER_MIN, OSLAB_NUMBER_MAX);
	printf("OUTPUT\n%s\n%s"
	       "\n       Each of these objects begins with \"realtime_ns\", when it was printed\n"
	       "       (nanoseconds since 1970), and \"interval_ns\", nanoseconds since the line\n"
	       "       above; that, and what is computed with it, is null in the first line.\n\n",
	       program->output, program->watch);
	printf("EXIT STATUS\n"
	       "       0      All was printed, or the reader of the output went away; with\n"
	       "              --watch, it was interrupted%s.\n"
	       "       1      The syscall failed, or the output could not be written.\n"
	       "       2      The arguments are wrong.\n"
	       "       3      The running kernel has no such syscall.\n\n",
	       program->takes_pid ? ", or the process ended" : "");
	printf("EXAMPLES\n%s", program->examples);
	flush();
}

__attribute__((noreturn))
static void refuse_usage(void)
{
	fprintf(stderr, "Try '%s --help'.\n", program->name);
	exit(EXIT_USAGE);
}

static long parse_number(const char *what, const char *text, long min, long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max)
		stop(EXIT_USAGE, "%s '%s': must be a whole number from %ld to %ld",
		     what, text, min, max);
	return value;
}

/* So that what follows --watch is not an option, nor another word. */
static bool starts_number(const char *text)
{
	text += *text == '.';
	return isdigit((unsigned char)*text);
}

static bool is_whole(const char *text)
{
	return !text[strspn(text, "0123456789")];
}

static unsigned long long parse_seconds(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	/* Written so that NaN fails. */
	if (end == text || *end || !(value >= SECONDS_MIN && value <= SECONDS_MAX))
		stop(EXIT_USAGE, "SECONDS '%s': must be a number from %g to %g",
		     text, SECONDS_MIN, SECONDS_MAX);
	return (unsigned long long)(value * (double)NS_PER_SECOND);
}

static void parse_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json",   no_argument,       NULL, 'j' },
		{ "watch",  optional_argument, NULL, 'w' },
		{ "number", required_argument, NULL, 'n' },
		{ "help",   no_argument,       NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char *seconds = NULL, *pid = NULL;
	bool attached = false;
	int c;

	while ((c = getopt_long(argc, argv, "jw::n:h", longs, NULL)) != -1) {
		switch (c) {
		case 'j':
			options.json = true;
			break;
		case 'w':
			options.watch = true;
			attached = optarg;
			seconds = optarg;
			if (!optarg && optind < argc && starts_number(argv[optind]))
				seconds = argv[optind++];
			break;
		case 'n':
			options.number = parse_number("--number", optarg,
						      OSLAB_NUMBER_MIN, OSLAB_NUMBER_MAX);
			break;
		case 'h':
			show_help();
			exit(0);
		default:
			refuse_usage();
		}
	}

	if (program->takes_pid) {
		if (optind < argc) {
			pid = argv[optind++];
		} else if (seconds && !attached && is_whole(seconds)) {
			pid = seconds;
			seconds = NULL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument '%s'\n", program->name, argv[optind]);
		refuse_usage();
	}
	if (seconds)
		options.interval_ns = parse_seconds(seconds);
	/* Whether there can be such a process is the kernel's to say. */
	options.pid = pid ? (int)parse_number("PID", pid, INT_MIN, INT_MAX) : getpid();
}

static void find_number(void)
{
	char path[OSLAB_PATH_LEN];

	options.number = oslab_syscall_number(program->name);
	if (options.number >= 0)
		return;
	oslab_manifest_path(path);
	if (errno == ENOSYS)
		unsupported("%s names no number of it", path);
	unsupported("%s: %s (%s)", path, strerror(errno), strerrorname_np(errno));
}

/* False if there is no such process and it was seen before; ends the program on all else. */
static bool call(bool seen)
{
	long returned = program->call(options.number, options.pid);
	const char *why, *error;

	if (returned == program->good)
		return true;
	if (returned < 0 && errno == ESRCH && seen)
		return false;
	if (returned >= 0)
		unsupported("number %ld is another syscall, which answers %ld", options.number,
			    returned);
	if (errno == ENOSYS)
		unsupported("there is no syscall of number %ld (ENOSYS)", options.number);
	error = strerrorname_np(errno);
	why = program->explain(errno);
	if (!why)
		why = strerror(errno);
	if (program->takes_pid)
		stop(EXIT_FAILED, "process %d: %s (%s)", options.pid, why, error);
	stop(EXIT_FAILED, "%s (%s)", why, error);
}

static unsigned long long clock_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (unsigned long long)time.tv_sec * NS_PER_SECOND + (unsigned long long)time.tv_nsec;
}

double rate(const struct figure *figure, const struct moment *moment)
{
	return (double)(*figure->now - *figure->before) * (double)NS_PER_SECOND /
	       (double)moment->interval_ns;
}

void print_figures(void)
{
	for (size_t i = 0; i < program->figure_count; i++)
		printf("%s: %llu\n", program->figures[i].name, *program->figures[i].now);
}

void print_json_figures(void)
{
	for (size_t i = 0; i < program->figure_count; i++)
		printf("%s\"%s\": %llu", i ? ", " : "", program->figures[i].name,
		       *program->figures[i].now);
}

void print_json_since(const char *key, const struct moment *moment,
		      void (*print_one)(const struct figure *figure,
					const struct moment *moment))
{
	if (!moment)
		return;
	printf(", \"%s\": ", key);
	if (!moment->interval_ns) {
		printf("null");
		return;
	}
	for (size_t i = 0; i < program->figure_count; i++) {
		printf("%s\"%s\": ", i ? ", " : "{", program->figures[i].name);
		print_one(&program->figures[i], moment);
	}
	printf("}");
}

void print_rates_head(void)
{
	printf("%9s", "seconds");
	for (size_t i = 0; i < program->figure_count; i++)
		printf(" %*s/s", program->width - 2, program->figures[i].name);
	printf("\n");
}

void print_rates(const struct moment *moment)
{
	if (!moment->interval_ns)
		return;
	printf("%9.2f", (double)moment->elapsed_ns / 1e9);
	for (size_t i = 0; i < program->figure_count; i++)
		printf(" %*.1f", program->width, rate(&program->figures[i], moment));
	printf("\n");
}

static void print_json(const struct moment *moment)
{
	printf("{");
	if (moment) {
		printf("\"realtime_ns\": %llu, \"interval_ns\": ", clock_ns(CLOCK_REALTIME));
		if (moment->interval_ns)
			printf("%llu, ", moment->interval_ns);
		else
			printf("null, ");
	}
	program->print_json(moment);
	printf("}\n");
}

static void print_row(const struct moment *moment)
{
	if (!moment->number || (moment->number % ROWS_PER_HEAD == 0 && isatty(STDOUT_FILENO)))
		program->print_head();
	program->print_row(moment);
}

/* Nothing is left to do: each line is out as soon as it is printed. */
static void interrupted(int number)
{
	(void)number;
	_exit(0);
}

static void end_at(int number)
{
	const struct sigaction action = { .sa_handler = interrupted };
	struct sigaction inherited;

	/* Whoever starts it in the background may have it ignore the keyboard's. */
	sigaction(number, NULL, &inherited);
	if (inherited.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

/* Until a time of CLOCK_MONOTONIC. False: the process behind pidfd (-1: none) ended before. */
static bool wait_until(unsigned long long deadline, int pidfd)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	unsigned long long now;

	while ((now = clock_ns(CLOCK_MONOTONIC)) < deadline) {
		const struct timespec left = {
			.tv_sec = (time_t)((deadline - now) / NS_PER_SECOND),
			.tv_nsec = (long)((deadline - now) % NS_PER_SECOND),
		};

		if (ppoll(&ended, 1, &left, NULL) > 0)
			return false;
	}
	return true;
}

/* Another pid namespace's /proc would speak of other processes. */
static bool proc_is_ours(void)
{
	char link[16] = "", own[16];

	snprintf(own, sizeof(own), "%d", getpid());
	return readlink("/proc/self", link, sizeof(link) - 1) > 0 && !strcmp(link, own);
}

/* The process of a thread, or 0. */
static int process_of(int tid)
{
	char path[64], line[256];
	FILE *status;
	int process = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	status = proc_is_ours() ? fopen(path, "re") : NULL;
	if (!status)
		return 0;
	while (fgets(line, sizeof(line), status) && sscanf(line, "Tgid: %d", &process) != 1)
		;
	fclose(status);
	return process;
}

/* A pidfd of the process to watch, or -1. A thread's id becomes that of its process. */
static int open_process(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, options.pid, 0);
	int process;

	if (pidfd >= 0 || errno == ESRCH)
		return pidfd;
	process = process_of(options.pid);
	if (process) {
		options.pid = process;
		pidfd = (int)syscall(SYS_pidfd_open, process, 0);
	}
	return pidfd;
}

/* Is its number free for others? While it is a zombie it keeps the number and its figures. */
static bool is_reaped(int pidfd)
{
	return pidfd >= 0 && syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0 &&
	       errno == ESRCH;
}

__attribute__((noreturn))
static void watch(void)
{
	unsigned long long first = 0, last = 0, now, due = clock_ns(CLOCK_MONOTONIC);
	int pidfd = -1;

	end_at(SIGINT);
	end_at(SIGTERM);
	/* A number may pass to another process between two calls; this stays with the first. */
	if (program->takes_pid)
		pidfd = open_process();

	for (struct moment moment = { 0 };; moment.number++) {
		if (!call(pidfd >= 0 || moment.number) || is_reaped(pidfd))
			break;
		now = clock_ns(CLOCK_MONOTONIC);
		if (moment.number) {
			moment.interval_ns = now - last;
			moment.elapsed_ns = now - first;
		} else {
			first = now;
		}
		last = now;
		if (options.json)
			print_json(&moment);
		else
			print_row(&moment);
		flush();

		/* On the beat, however long a call took; one that was missed is left out. */
		due += options.interval_ns;
		if (due < now)
			due = now;
		if (!wait_until(due, pidfd))
			break;
	}
	stop(0, "process %d ended", options.pid);
}

int run(const struct program *what, int argc, char **argv)
{
	program = what;
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
	parse_options(argc, argv);
	if (!options.number)
		find_number();
	if (options.watch)
		watch();
	call(false);
	if (options.json)
		print_json(NULL);
	else
		program->print();
	flush();
	return 0;
}
