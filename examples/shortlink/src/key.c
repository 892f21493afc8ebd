#include "key.h"

#include <string.h>

static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

void key_make(uint64_t random, char key[KEY_LENGTH + 1])
{
    const size_t letters = sizeof alphabet - 1;

    for (size_t i = 0; i < KEY_LENGTH; i++) {
        key[i] = alphabet[random % letters];
        random /= letters;
    }
    key[KEY_LENGTH] = '\0';
}

bool key_is_valid(const char *text, size_t length)
{
    if (length != KEY_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\0' || strchr(alphabet, text[i]) == NULL)
            return false;
    }
    return true;
}
