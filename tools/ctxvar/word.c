/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "word.h"

#define BLANKS " \t\r\n"

/* Those of other shells are understood, too. */
static const struct {
    const char *text;
    enum word_kind kind;
} known[] = {
    {"help", WORD_HELP},      {"\\?", WORD_HELP},
    {"quit", WORD_END},       {"exit", WORD_END},
    {"\\q", WORD_END},        {"tables", WORD_TABLES},
    {"\\d", WORD_TABLES},     {"describe", WORD_TABLES},
    {"\\dt", WORD_TABLES},    {".tables", WORD_TABLES},
    {".schema", WORD_TABLES},
};

static enum word_kind kind_of(const char *text)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcasecmp(text, known[i].text) == 0)
            return known[i].kind;
    }
    return text[0] == '\\' || text[0] == '.' ? WORD_UNKNOWN : WORD_NONE;
}

/* A copy without what is around it; false: it is no single line of text. */
static bool copy(struct word *word, const char *line, size_t len)
{
    while (len > 0 && strchr(BLANKS ";", line[len - 1]) != NULL)
        len--;
    while (len > 0 && strchr(BLANKS, line[0]) != NULL) {
        line++;
        len--;
    }
    if (len >= sizeof(word->line) || memchr(line, '\0', len) != NULL ||
        memchr(line, ';', len) != NULL)
        return false;
    memcpy(word->line, line, len);
    word->line[len] = '\0';
    return true;
}

/* Part the word from what follows it. */
static char *cut(struct word *word)
{
    char *end = word->line + strcspn(word->line, BLANKS);
    char *argument = end + strspn(end, BLANKS);
    size_t len = strlen(argument);

    *end = '\0';
    if (len < 2 || argument[0] != '"' || argument[len - 1] != '"')
        return argument;
    argument[len - 1] = '\0';
    return argument + 1;
}

void word_read(struct word *word, const char *line, size_t len)
{
    word->kind = WORD_NONE;
    word->argument = "";
    if (!copy(word, line, len))
        return;
    word->argument = cut(word);
    word->kind = kind_of(word->line);
    if (word->argument[0] != '\0' && word->kind != WORD_TABLES &&
        word->kind != WORD_UNKNOWN)
        word->kind = WORD_NONE;
}
