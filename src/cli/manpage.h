// weir(1) from the table of commands, in the macros of man(7); and any such page as plain text.
#pragma once
#include "cli/cli.h"

void manpage_write(const struct cli *cli, struct buf *out);
// Only what weir's own pages use: TH SH TP PP B BR I nf fi and \- \e \& escapes.
void manpage_text(struct str roff, struct ink *out);
