#include "check.h"
#include "key.h"

#include <string.h>

TEST(key_has_its_length)
{
    char key[KEY_LENGTH + 1];

    key_make(0, key);
    CHECK_INT(strlen(key), KEY_LENGTH);
    key_make(UINT64_MAX, key);
    CHECK_INT(strlen(key), KEY_LENGTH);
}

TEST(key_alphabet)
{
    bool seen[256] = {false};
    char key[KEY_LENGTH + 1];
    int letters = 0;

    for (uint64_t random = 0; random < 1000; random++) {
        key_make(random * 0x9e3779b97f4a7c15u, key);
        CHECK(key_is_valid(key, strlen(key)));
        for (size_t i = 0; i < KEY_LENGTH; i++)
            seen[(unsigned char)key[i]] = true;
    }
    for (int i = 0; i < 256; i++)
        letters += seen[i];
    CHECK_INT(letters, 57);
    for (const char *lookalike = "0O1Il"; *lookalike != '\0'; lookalike++)
        CHECK(!seen[(unsigned char)*lookalike]);
}

TEST(different_numbers_give_different_keys)
{
    char one[KEY_LENGTH + 1];
    char other[KEY_LENGTH + 1];

    for (uint64_t random = 0; random < 1000; random++) {
        key_make(random, one);
        key_make(random + 1, other);
        CHECK(strcmp(one, other) != 0);
    }
}

TEST(only_a_key_is_a_key)
{
    char key[KEY_LENGTH + 2];

    key_make(12345, key);
    CHECK(key_is_valid(key, KEY_LENGTH));
    CHECK(!key_is_valid(key, KEY_LENGTH - 1));
    CHECK(!key_is_valid("", 0));
    key[2] = '/';
    CHECK(!key_is_valid(key, KEY_LENGTH));
    key[2] = '0';
    CHECK(!key_is_valid(key, KEY_LENGTH));
    key[2] = '\0';
    CHECK(!key_is_valid(key, KEY_LENGTH));
}
