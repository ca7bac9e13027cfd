// SPDX-License-Identifier: GPL-2.0
/*
 * Where the answers are written: good places get all bytes of the structures
 * and no other, bad places are EFAULT.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define READ_WRITE	(PROT_READ | PROT_WRITE)
#define ANONYMOUS	(MAP_PRIVATE | MAP_ANONYMOUS)

static size_t page_size;

/* Pages that nothing is mapped behind; the second one may be changed. */
static char *map_two(void)
{
	char *pages = mmap(NULL, 3 * page_size, READ_WRITE, ANONYMOUS, -1, 0);

	munmap(pages + 2 * page_size, page_size);
	return pages;
}

static void unmap_two(char *pages)
{
	munmap(pages, 2 * page_size);
}

static void test_bad(const struct call *call, const char *where, void *pointer)
{
	char text[160];

	snprintf(text, sizeof(text), "%s(%s)", call->name, where);
	expect(text, -EFAULT, call->function(pointer));
}

static bool is_canary(const char *start, const char *end)
{
	for (; start < end; start++)
		if ((unsigned char)*start != CANARY)
			return false;
	return true;
}

/* Bytes of an answer may happen to be the canary; words of it are not. */
static bool is_written(const char *start, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += sizeof(__u64))
		if (is_canary(start + i, start + i + sizeof(__u64)))
			return false;
	return true;
}

static void test_good(const struct call *call, const char *where, char *pages, size_t offset)
{
	size_t length = 2 * page_size;
	long returned;

	memset(pages, CANARY, length);
	returned = call->function(pages + offset);
	ok(returned == call->success && is_written(pages + offset, call->size),
	   "%s(%s) writes its %zu bytes", call->name, where, call->size);
	ok(is_canary(pages, pages + offset) &&
	   is_canary(pages + offset + call->size, pages + length),
	   "%s(%s) writes no others", call->name, where);
}

/* An error: what comes before the structure stays as it was. */
static void test_crossing(const struct call *call, const char *where, int protection)
{
	char *pages = map_two();
	char text[96];

	memset(pages, CANARY, 2 * page_size);
	if (protection < 0)
		munmap(pages + page_size, page_size);
	else
		mprotect(pages + page_size, page_size, protection);

	snprintf(text, sizeof(text), "across pages, second %s", where);
	test_bad(call, text, pages + page_size - call->size / 2);
	snprintf(text, sizeof(text), "last byte in a page %s", where);
	test_bad(call, text, pages + page_size - call->size + 1);
	ok(is_canary(pages, pages + page_size - call->size),
	   "%s(%s) leaves the bytes before alone", call->name, text);
	unmap_two(pages);
}

static void test_mappings(const struct call *call)
{
	char *pages = map_two();

	test_good(call, "aligned", pages, 0);
	test_good(call, "not aligned", pages, 1);
	test_good(call, "across two pages", pages, page_size - call->size / 2);
	test_good(call, "last bytes of the mapping", pages, 2 * page_size - call->size);
	test_bad(call, "one byte beyond the mapping",
		 pages + 2 * page_size - call->size + 1);

	mprotect(pages, page_size, PROT_READ);
	test_bad(call, "read-only", pages);
	ok(is_canary(pages, pages + page_size), "%s(read-only) changes nothing", call->name);
	mprotect(pages, page_size, PROT_NONE);
	test_bad(call, "no access", pages);
	munmap(pages, page_size);
	test_bad(call, "unmapped", pages);
	test_bad(call, "across pages, first unmapped", pages + page_size - call->size / 2);
	munmap(pages + page_size, page_size);

	test_crossing(call, "unmapped", -1);
	test_crossing(call, "read-only", PROT_READ);
	test_crossing(call, "without access", PROT_NONE);
}

static void test_never_touched(const struct call *call)
{
	char *pages = map_two();

	ok(call->function(pages + page_size - 8) == call->success &&
	   pages[0] == 0 && pages[2 * page_size - 1] == 0,
	   "%s(pages that were never touched)", call->name);
	unmap_two(pages);
}

static void test_file(const struct call *call)
{
	int fd = memfd_create("selftest", MFD_CLOEXEC);
	char *pages;

	if (fd < 0 || ftruncate(fd, page_size)) {
		skip("%s(pages of a file): no memfd", call->name);
		return;
	}
	pages = mmap(NULL, 2 * page_size, READ_WRITE, MAP_SHARED, fd, 0);
	test_bad(call, "beyond the end of a mapped file", pages + page_size);
	test_bad(call, "across the end of a mapped file", pages + page_size - 8);
	ok(call->function(pages) == call->success, "%s(a mapped file)", call->name);
	unmap_two(pages);
	close(fd);
}

struct shared_page {
	const struct call *call;
	char *page;
};

static long write_into(void *argument)
{
	struct shared_page *shared = argument;

	return shared->call->function(shared->page) == shared->call->success ? 0 : -1;
}

/* After fork() both have the same page until one of them writes. */
static void test_copy_on_write(const struct call *call)
{
	char *pages = map_two();
	struct shared_page shared = { call, pages };

	memset(pages, CANARY, page_size);
	ok(!in_child(write_into, &shared) && is_canary(pages, pages + page_size),
	   "%s(page shared with the parent) is not seen there", call->name);
	unmap_two(pages);
}

static void test_addresses(const struct call *call)
{
	static const struct {
		const char *where;
		uintptr_t address;
	} bad[] = {
		{ "NULL", 0 },
		{ "page 0", 0x10 },
		{ "last user page, across its end", 0x7fffffffeff8 },
		{ "first address that is not the user's", 0x7ffffffff000 },
		{ "last one of 47 bits", 0x7ffffffffff8 },
		{ "not canonical", 0x800000000000 },
		{ "not canonical, highest bit", 0x8000000000000000 },
		{ "kernel: direct mapping", 0xffff888000000000 },
		{ "kernel: vmalloc", 0xffffc90000000000 },
		{ "kernel: text", 0xffffffff81000000 },
		{ "kernel: modules", 0xffffffffc0000000 },
		{ "vsyscall", 0xffffffffff600000 },
		{ "across the end of the address space", 0xfffffffffffffff8 },
		{ "last byte", 0xffffffffffffffff },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		test_bad(call, bad[i].where, (void *)bad[i].address);
}

int main(int argc, char **argv)
{
	int i;

	begin(argc, argv, "");
	page_size = sysconf(_SC_PAGESIZE);
	for (i = 0; i < calls_there; i++) {
		test_addresses(&calls[i]);
		test_mappings(&calls[i]);
		test_never_touched(&calls[i]);
		test_file(&calls[i]);
		test_copy_on_write(&calls[i]);
	}
	return finish();
}
