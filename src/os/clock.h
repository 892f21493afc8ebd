// The only clock and the only source of true randomness.
#pragma once
#include <stddef.h>
#include <stdint.h>

// For tests the wall clock can be wrong: WEIR_CLOCK=FILE names a file whose text is added to it in
// milliseconds, read again at each call. Unset, that costs one comparison.
int64_t clock_wall_ms(void); // since 1970 UTC; may jump
int64_t clock_mono_us(void); // since some moment; never goes back
void clock_sleep_ms(int64_t ms);
void clock_random(void *out, size_t n); // for keys and tokens (getrandom)
void clock_boot_id(char out[37]);       // changes at each boot; "" where the kernel does not tell
