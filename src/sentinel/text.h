/* Text without a C library: bytes with a length, numbers, and lines put together piece by piece. */
#ifndef TEXT_H
#define TEXT_H
#include "system.h"

struct bytes { char *at; u64 length; };

/* A line under construction; what does not fit is left out. */
struct line { char at[1024]; u64 length; };

void *memcpy(void *to, const void *from, u64 length);
void *memset(void *to, int byte, u64 length);
u64 text_length(const char *text);
int text_equals(struct bytes bytes, const char *text);
int text_begins(const char *text, struct bytes with);

/* Reads a decimal number off the front of the bytes; 0 if there is none, or none that fits. */
int text_number(struct bytes *from, u64 *number);

void line_bytes(struct line *line, struct bytes bytes);
void line_text(struct line *line, const char *text);
void line_number(struct line *line, u64 number, u32 digits);
/* Each %s and %d of the form is a text (char *) or a number (u64) among the arguments. */
void line_format(struct line *line, const char *form, ...);
void line_format_list(struct line *line, const char *form, __builtin_va_list arguments);

#endif
