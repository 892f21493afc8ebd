/* key.h - the name of a link: what stands behind the slash of a short URL.
 *
 * A key is KEY_LENGTH characters of an alphabet without the look-alikes 0 O 1 I l, so that it can
 * be read out on the telephone. There are 57^8, about 10^14: a random one is hardly ever taken, and
 * never guessed.
 */
#ifndef KEY_H
#define KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEY_LENGTH = 8 };

/* Writes the key that belongs to a random number, with a NUL. */
void key_make(uint64_t random, char key[KEY_LENGTH + 1]);

/* Whether the text has the length and the alphabet of a key. */
bool key_is_valid(const char *text, size_t length);

#endif
