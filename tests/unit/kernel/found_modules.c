// SPDX-License-Identifier: GPL-2.0
/*
 * The modules that the self-tests find in a directory, and which texts they
 * take for lines of key and value.
 */
#include <stdio.h>

#include "lib.h"
#include "modlib.h"

int main(int argc, char **argv)
{
	static const char * const texts[] = {
		"a: 1\nb: two words\n", "a: \n", "", "a: 1", "a\nb: 1\n", ": 1\n",
	};
	size_t n;
	int i;

	find_modules(argc > 1 ? argv[1] : ".");
	for (n = 0; n < ARRAY_SIZE(texts); n++)
		putchar('0' + has_shape(KNOWN_MODULES, texts[n]));
	putchar('\n');
	for (i = 0; i < module_count; i++)
		printf("%s %s\n", modules[i].name, modules[i].path);
	return 0;
}
