#include "page/asset.h"

// The assembler copies the files as they are; the Makefile names them as prerequisites of this
// object.
#define ASSET(name, path)                                                           \
	__asm__(".section .rodata\n.global " name "_begin\n.global " name "_end\n" name \
	        "_begin:\n.incbin \"" path "\"\n" name "_end:\n.byte 0\n.previous\n");

ASSET("asset_style_file", "src/page/style.css")
ASSET("asset_script_file", "src/page/script.js")

extern const char asset_style_file_begin[], asset_style_file_end[];
extern const char asset_script_file_begin[], asset_script_file_end[];

static struct str between(const char *begin, const char *end) {
	return (struct str){begin, (size_t)(end - begin)};
}

struct str asset_style(void) {
	return between(asset_style_file_begin, asset_style_file_end);
}

struct str asset_script(void) {
	return between(asset_script_file_begin, asset_script_file_end);
}
