/* SPDX-License-Identifier: MIT */
/*
 * One token after the other. Of a text that goes on elsewhere nothing is
 * looked at twice: no token but a quote or a comment goes over an end of line.
 */
#include <ctype.h>
#include <string.h>

#include "splitter.h"

void splitter_begin(struct splitter *splitter, bool server)
{
    *splitter = (struct splitter){.server = server, .blank = true};
}

static bool begins(const char *text, size_t len, const char *with)
{
    size_t size = strlen(with);

    return size <= len && memcmp(text, with, size) == 0;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static size_t enter(struct splitter *splitter, enum splitter_place place,
                    size_t len)
{
    splitter->place = place;
    splitter->word = 0;
    return len;
}

static size_t enter_quote(struct splitter *splitter, char opening)
{
    bool is_escape =
        (splitter->word == 'e' || splitter->word == 'E') && !splitter->is_long;
    bool is_escaped = splitter->server && opening == '\'' &&
                      (is_escape || splitter->was_escaped);

    splitter->blank = false;
    splitter->was_escaped = false;
    splitter->closing = opening;
    if (opening == '[')
        splitter->closing = ']';
    return enter(splitter, is_escaped ? IN_ESCAPED_QUOTE : IN_QUOTE, 1);
}

/* How long the "$tag$" is that a text begins with; 0: it is none. One that is
 * too long to be kept is taken for a quote that does not end. */
static size_t dollar_len(const char *text, size_t len)
{
    size_t size = 1;

    if (text[0] != '$' || (len > 1 && isdigit((unsigned char)text[1])))
        return 0;
    while (size < len && is_word(text[size]))
        size++;
    return size < len && text[size] == '$' ? size + 1 : 0;
}

static size_t enter_dollar_quote(struct splitter *splitter, const char *text,
                                 size_t size)
{
    splitter->blank = false;
    splitter->was_escaped = false;
    splitter->tag[0] = '\0';
    if (size < sizeof(splitter->tag)) {
        memcpy(splitter->tag, text, size);
        splitter->tag[size] = '\0';
    }
    return enter(splitter, IN_DOLLAR_QUOTE, size);
}

/* A character outside of quotes and comments that begins none. */
static size_t take(struct splitter *splitter, char c)
{
    bool is_part = is_word(c) || (c == '$' && splitter->word != 0);

    if (!isspace((unsigned char)c)) {
        splitter->blank = false;
        splitter->was_escaped = false;
    }
    splitter->is_long = is_part && splitter->word != 0;
    splitter->word = is_part ? (unsigned char)c : 0;
    return 1;
}

static size_t read_nothing(struct splitter *splitter, const char *text,
                           size_t len)
{
    size_t size;

    if (begins(text, len, "--"))
        return enter(splitter, IN_LINE_COMMENT, 2);
    if (begins(text, len, "/*")) {
        splitter->depth = 1;
        return enter(splitter, IN_COMMENT, 2);
    }
    if (text[0] == '\'' || text[0] == '"' ||
        (!splitter->server && (text[0] == '`' || text[0] == '[')))
        return enter_quote(splitter, text[0]);
    if (splitter->server && splitter->word == 0) {
        size = dollar_len(text, len);
        if (size > 0)
            return enter_dollar_quote(splitter, text, size);
    }
    return take(splitter, text[0]);
}

/* A doubled one is a character of it. */
static size_t read_quote(struct splitter *splitter, const char *text,
                         size_t len)
{
    bool is_escaped = splitter->place == IN_ESCAPED_QUOTE;

    if (is_escaped && text[0] == '\\')
        return len > 1 ? 2 : 1;
    if (text[0] != splitter->closing)
        return 1;
    if (len > 1 && text[1] == text[0] && text[0] != ']')
        return 2;
    splitter->was_escaped = is_escaped;
    return enter(splitter, IN_NOTHING, 1);
}

static size_t read_dollar_quote(struct splitter *splitter, const char *text,
                                size_t len)
{
    if (splitter->tag[0] == '\0' || !begins(text, len, splitter->tag))
        return 1;
    return enter(splitter, IN_NOTHING, strlen(splitter->tag));
}

/* PostgreSQL's have comments in them. */
static size_t read_comment(struct splitter *splitter, const char *text,
                           size_t len)
{
    if (splitter->server && begins(text, len, "/*")) {
        splitter->depth++;
        return 2;
    }
    if (!begins(text, len, "*/"))
        return 1;
    splitter->depth--;
    return enter(splitter, splitter->depth > 0 ? IN_COMMENT : IN_NOTHING, 2);
}

static size_t read_token(struct splitter *splitter, const char *text,
                         size_t len)
{
    switch (splitter->place) {
    case IN_NOTHING:
        return read_nothing(splitter, text, len);
    case IN_QUOTE:
    case IN_ESCAPED_QUOTE:
        return read_quote(splitter, text, len);
    case IN_DOLLAR_QUOTE:
        return read_dollar_quote(splitter, text, len);
    case IN_COMMENT:
        return read_comment(splitter, text, len);
    case IN_LINE_COMMENT:
        break;
    }
    if (text[0] == '\n' || (splitter->server && text[0] == '\r'))
        splitter->place = IN_NOTHING;
    return 1;
}

size_t splitter_read(struct splitter *splitter, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        if (splitter->place == IN_NOTHING && text[at] == ';')
            return at + 1;
        at += read_token(splitter, text + at, len - at);
    }
    return 0;
}

bool splitter_is_blank(bool server, const char *text, size_t len)
{
    struct splitter splitter;
    size_t size;

    splitter_begin(&splitter, server);
    while ((size = splitter_read(&splitter, text, len)) > 0) {
        if (!splitter.blank)
            return false;
        text += size;
        len -= size;
    }
    return splitter.blank;
}
