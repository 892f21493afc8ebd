// A unified diff (git diff) as HTML: a heading a file, a row a line, both line numbers, each line
// of the new file an anchor (#dFILE-LINE, files from 1).
#pragma once
#include "page/html.h"

// Writes at most `lines` rows; false = there are more.
bool diffview_write(struct html *w, struct str diff, size_t lines);
