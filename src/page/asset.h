// The one style sheet and the one script of the pages, as bytes of the program.
#pragma once
#include "base/str.h"

struct str asset_style(void);
struct str asset_script(void);
