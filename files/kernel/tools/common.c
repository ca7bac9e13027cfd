// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "common.h"

/*
 * Only these are called: lower numbers are other syscalls in every kernel, 512
 * to 547 belong to the x32 ABI.
 */
#define NUMBER_MIN	337
#define NUMBER_MAX	511

static void usage(const struct options *opt, FILE *out)
{
	fprintf(out, "Usage: %s [--json] [--number N]%s%s%s\n", opt->syscall,
		opt->operand ? " [" : "", opt->operand ? opt->operand : "",
		opt->operand ? "]" : "");
}

static void show_help(const struct options *opt)
{
	usage(opt, stdout);
	printf("\n%s\n\n"
	       "  -j, --json      print a JSON object\n"
	       "  -n, --number N  number of the syscall; default: the one in\n"
	       "                  /lib/modules/RELEASE/oslab-kernel.json of the\n"
	       "                  running kernel\n"
	       "  -h, --help      print this\n\n"
	       "Exit code: 0, 1 if the syscall fails, 2 if it cannot be called.\n",
	       opt->about);
}

long parse_number(const char *what, const char *text, long min, long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max) {
		fprintf(stderr, "%s '%s': must be a number from %ld to %ld\n",
			what, text, min, max);
		exit(EXIT_USAGE);
	}
	return value;
}

/*
 * Enough of a JSON reader for a file that is always written by the same
 * program: the number after "NAME": inside the object after "syscalls":.
 */
static long find_number(const char *json, const char *name)
{
	char key[128];
	const char *start, *end, *at;
	char *rest;
	long number;

	start = strstr(json, "\"syscalls\"");
	if (!start)
		return -1;
	start = strchr(start, '{');
	if (!start)
		return -1;
	end = strchr(start, '}');
	snprintf(key, sizeof(key), "\"%s\"", name);
	at = strstr(start, key);
	if (!end || !at || at > end)
		return -1;
	at += strlen(key);
	at += strspn(at, " \t\r\n:");
	number = strtol(at, &rest, 10);
	return rest == at ? -1 : number;
}

static long number_from_manifest(const char *name)
{
	static char json[1 << 20];
	char path[PATH_MAX];
	struct utsname uts;
	size_t length;
	long number;
	FILE *file;

	uname(&uts);
	snprintf(path, sizeof(path), "/lib/modules/%s/oslab-kernel.json",
		 uts.release);
	file = fopen(path, "re");
	if (!file) {
		fprintf(stderr, "%s: %s\nThe running kernel has no manifest; give --number\n",
			path, strerror(errno));
		exit(EXIT_USAGE);
	}
	length = fread(json, 1, sizeof(json) - 1, file);
	json[length] = '\0';
	fclose(file);

	number = find_number(json, name);
	if (number < NUMBER_MIN || number > NUMBER_MAX) {
		fprintf(stderr, "%s: no number of %s in \"syscalls\"; give --number\n",
			path, name);
		exit(EXIT_USAGE);
	}
	return number;
}

void parse_options(struct options *opt, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json",   no_argument,       NULL, 'j' },
		{ "number", required_argument, NULL, 'n' },
		{ "help",   no_argument,       NULL, 'h' },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "jn:h", longs, NULL)) != -1) {
		switch (c) {
		case 'j':
			opt->json = true;
			break;
		case 'n':
			opt->number = parse_number("--number", optarg,
						   NUMBER_MIN, NUMBER_MAX);
			break;
		case 'h':
			show_help(opt);
			exit(0);
		default:
			usage(opt, stderr);
			exit(EXIT_USAGE);
		}
	}

	if (opt->operand && optind < argc)
		opt->value = argv[optind++];
	if (optind < argc) {
		usage(opt, stderr);
		exit(EXIT_USAGE);
	}
	if (!opt->number)
		opt->number = number_from_manifest(opt->syscall);
}

int fail(const struct options *opt)
{
	fprintf(stderr, "%s (number %ld): %s (%s)\n", opt->syscall, opt->number,
		strerrorname_np(errno), strerror(errno));
	return EXIT_FAILED;
}

void print_values(const struct options *opt, const struct value *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (opt->json)
			printf("%s\"%s\": %llu", i ? ", " : "{", values[i].key,
			       values[i].number);
		else
			printf("%s: %llu\n", values[i].key, values[i].number);
	}
	if (opt->json)
		puts("}");
}
