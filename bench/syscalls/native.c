// SPDX-License-Identifier: GPL-2.0
/*
 * What the instructions that counting adds take on this machine, in a loop of
 * user space, and what a read of one byte takes: picoseconds, the lowest of
 * some rounds. The first are those of oslab_count(), but for preemption, which
 * is the kernel's; RDTSC is most of it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS	20
#define TIMES	100000

static volatile struct {
	uint64_t count, last_ns, base_tsc, base_ns, ns_per_cycle;
} here = { .ns_per_cycle = 1 << 30 };

static void count(void)
{
	uint64_t cycles, high;

	__asm__ volatile("rdtsc" : "=a" (cycles), "=d" (high));
	cycles -= here.base_tsc;
	cycles += high << 32;
	if (cycles < 1 << 18)
		return;		/* never, as base_tsc is 0 */
	here.last_ns = here.base_ns + ((cycles * here.ns_per_cycle) >> 32);
	here.count++;
}

static int zero;

static void read_one(void)
{
	char byte;

	if (read(zero, &byte, 1) != 1)
		_exit(1);
}

static uint64_t now_ps(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec * 1000000000ULL + now.tv_nsec) * 1000;
}

static void measure(const char *name, void (*what)(void))
{
	uint64_t best = UINT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t before = now_ps(), took;

		for (int i = 0; i < TIMES; i++)
			what();
		took = (now_ps() - before) / TIMES;
		best = took < best ? took : best;
	}
	printf("%s %llu\n", name, (unsigned long long)best);
}

int main(void)
{
	zero = open("/dev/zero", O_RDONLY);
	measure("counting", count);
	measure("read", read_one);
	return 0;
}
