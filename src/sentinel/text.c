#include "text.h"

#ifndef HARNESS /* the compiler calls these by itself where it copies and clears */
void *memcpy(void *to, const void *from, u64 length) {
	for (u64 i = 0; i < length; i++) ((volatile char *)to)[i] = ((const char *)from)[i];
	return to;
}

void *memset(void *to, int byte, u64 length) {
	for (u64 i = 0; i < length; i++) ((volatile char *)to)[i] = (char)byte;
	return to;
}
#endif

u64 text_length(const char *text) {
	u64 length = 0;
	while (text[length]) length++;
	return length;
}

int text_begins(const char *text, struct bytes with) {
	for (u64 i = 0; i < with.length; i++)
		if (text[i] == 0 || text[i] != with.at[i]) return 0;
	return 1;
}

int text_equals(struct bytes bytes, const char *text) {
	return bytes.length == text_length(text) && text_begins(text, bytes);
}

int text_number(struct bytes *from, u64 *number) {
	u64 digits = 0, value = 0;
	for (; digits < from->length && from->at[digits] >= '0' && from->at[digits] <= '9'; digits++) {
		if (digits == 18) return 0;
		value = value * 10 + (u64)(from->at[digits] - '0');
	}
	*number = value;
	from->at += digits;
	from->length -= digits;
	return digits > 0;
}

void line_bytes(struct line *line, struct bytes bytes) {
	u64 room = sizeof line->at - line->length;
	u64 length = bytes.length < room ? bytes.length : room;
	memcpy(line->at + line->length, bytes.at, length);
	line->length += length;
}

void line_text(struct line *line, const char *text) {
	line_bytes(line, (struct bytes){ (char *)text, text_length(text) });
}

void line_number(struct line *line, u64 number, u32 digits) {
	char reversed[24];
	u32 count = 0;
	do reversed[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0 && count < sizeof reversed);
	while (count < digits) reversed[count++] = '0';
	while (count > 0) line_bytes(line, (struct bytes){ &reversed[--count], 1 });
}

void line_format_list(struct line *line, const char *form, __builtin_va_list arguments) {
	for (; *form; form++) {
		if (*form != '%') line_bytes(line, (struct bytes){ (char *)form, 1 });
		else if (*++form == 's') line_text(line, __builtin_va_arg(arguments, const char *));
		else line_number(line, __builtin_va_arg(arguments, u64), 1);
	}
}

void line_format(struct line *line, const char *form, ...) {
	__builtin_va_list arguments;
	__builtin_va_start(arguments, form);
	line_format_list(line, form, arguments);
	__builtin_va_end(arguments);
}
