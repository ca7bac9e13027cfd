/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a program of another ABI (abi.c) and the one that starts it (abis.c) agree
 * on. No header may be included: there is none of that ABI.
 */
#ifndef OSLAB_SELFTESTS_ABI_H
#define OSLAB_SELFTESTS_ABI_H

#define ABI_ENTRIES	4
#define ABI_CANARY	0xa5
#define ABI_PID		1	/* a pid that there always is */
#define ABI_NO_VDSO	125
#define ABI_NO_EXEC	126

#define ABI_OPENS	3
#define ABI_READS	5
#define ABI_WRITES	7
#define ABI_FORKS	2

/* The same for 32 bits and 64: what is larger than an int comes first. */
struct abi_answer {
	unsigned char memory[96];
	unsigned char usage[ABI_ENTRIES * 32];
	unsigned char io[48];
	int capture, track, throttle;
	int bad_pointer, bad_size, bad_pid;
};

#ifdef ABI_DIRECTORY
extern const char i386_start[], i386_end[], x32_start[], x32_end[];
#endif

#endif /* OSLAB_SELFTESTS_ABI_H */
