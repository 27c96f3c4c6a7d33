#include "sentinel.h"

enum { PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22 };

/* Whole pages of zeros; null if there are none to be had. */
void *memory_map(u64 length) {
	long at = SYS6(mmap, 0, length, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
	return at < 0 && at > -PAGE ? 0 : (void *)at;
}

void memory_unmap(void *at, u64 length) {
	if (at && length > 0) sys(munmap, at, length);
}
